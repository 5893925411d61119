//! A small jitter buffer, used only where audio is mixed or recorded; a relay passes packets on as they come.

/// Samples of 20 ms.
pub(super) const FRAME: usize = 160;
const FRAME_SAMPLES: u32 = 160;
/// How many samples it holds: half a second.
const CAPACITY: u32 = 4096;
/// How far behind the first packet reading begins: 40 ms.
const DELAY: u32 = 320;
/// More than this waiting is caught up with: 160 ms.
const MOST: u32 = 1280;
/// Frames without a packet after which the next packet begins anew.
const STARVED: u32 = 10;

/// Samples by timestamp, read at a steady pace.
#[derive(Debug)]
pub(super) struct Jitter {
    ring: Box<[i16]>,
    /// The timestamp that is read next; `None` until a packet comes.
    read_at: Option<u32>,
    newest: u32,
    starved: u32,
    late: u32,
}

impl Jitter {
    pub(super) fn new() -> Self {
        Self { ring: vec![0; CAPACITY as usize].into(), read_at: None, newest: 0, starved: 0, late: 0 }
    }

    fn slot(timestamp: u32) -> usize {
        (timestamp % CAPACITY) as usize
    }

    /// Takes a packet's samples.
    pub(super) fn push(&mut self, timestamp: u32, samples: impl ExactSizeIterator<Item = i16>) {
        let Ok(length) = u32::try_from(samples.len()) else { return };
        if length == 0 || length > CAPACITY / 4 {
            return;
        }
        let mut read_at = *self.read_at.get_or_insert_with(|| timestamp.wrapping_sub(DELAY));
        let ahead = timestamp.wrapping_sub(read_at);
        if ahead >= 0x8000_0000 {
            // Too late. If it goes on so, the sender's clock has jumped.
            self.late += 1;
            if self.late < 5 {
                return;
            }
            self.restart(timestamp);
            read_at = timestamp.wrapping_sub(DELAY);
        } else if ahead + length > CAPACITY {
            self.restart(timestamp);
            read_at = timestamp.wrapping_sub(DELAY);
        }
        self.late = 0;
        self.starved = 0;
        for (n, sample) in (0..length).zip(samples) {
            self.ring[Self::slot(timestamp.wrapping_add(n))] = sample;
        }
        let end = timestamp.wrapping_add(length);
        if end.wrapping_sub(self.newest) < 0x8000_0000 || self.newest.wrapping_sub(read_at) > CAPACITY {
            self.newest = end;
        }
    }

    fn restart(&mut self, timestamp: u32) {
        self.ring.fill(0);
        self.read_at = Some(timestamp.wrapping_sub(DELAY));
        self.newest = timestamp;
    }

    /// The next 20 ms; what did not come is silence. False if there is nothing at all.
    pub(super) fn pop(&mut self, out: &mut [i16; FRAME]) -> bool {
        let Some(read_at) = self.read_at else {
            out.fill(0);
            return false;
        };
        self.starved += 1;
        if self.starved > STARVED {
            self.read_at = None;
            self.ring.fill(0);
            out.fill(0);
            return false;
        }
        let mut from = read_at;
        let waiting = self.newest.wrapping_sub(from);
        if waiting < 0x8000_0000 && waiting > MOST {
            // The sender's clock is faster than ours, or a burst came: skip to the usual delay.
            let to = self.newest.wrapping_sub(DELAY);
            while from != to {
                self.ring[Self::slot(from)] = 0;
                from = from.wrapping_add(1);
            }
        }
        for (n, sample) in (0_u32..).zip(out.iter_mut()) {
            *sample = std::mem::take(&mut self.ring[Self::slot(from.wrapping_add(n))]);
        }
        self.read_at = Some(from.wrapping_add(FRAME_SAMPLES));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(value: i16) -> impl ExactSizeIterator<Item = i16> {
        std::iter::repeat_n(value, FRAME)
    }

    fn pop(jitter: &mut Jitter) -> i16 {
        let mut out = [0; FRAME];
        jitter.pop(&mut out);
        assert!(out.iter().all(|&s| s == out[0]));
        out[0]
    }

    #[test]
    fn reorders_and_fills_gaps_with_silence() {
        let mut jitter = Jitter::new();
        let begin = u32::MAX - 200;
        let at = |n: u32| begin.wrapping_add(n * 160);
        for n in [0, 2, 1, 4] {
            jitter.push(at(n), frame(i16::try_from(n).unwrap() + 1));
        }
        let heard: Vec<_> = (0..7).map(|_| pop(&mut jitter)).collect();
        assert_eq!(heard, [0, 0, 1, 2, 3, 0, 5]);
        // Late: it is not heard.
        jitter.push(at(3), frame(9));
        assert_eq!(pop(&mut jitter), 0);
    }

    #[test]
    fn a_jump_of_the_clock_and_a_pause_begin_anew() {
        let mut jitter = Jitter::new();
        jitter.push(0, frame(1));
        jitter.push(1_000_000, frame(2));
        assert_eq!([pop(&mut jitter), pop(&mut jitter), pop(&mut jitter)], [0, 0, 2]);
        for n in 0..6 {
            jitter.push(5_000 + n * 160, frame(3));
        }
        let heard: Vec<_> = (0..4).map(|_| pop(&mut jitter)).collect();
        assert!(heard.contains(&3), "{heard:?}");
        for _ in 0..20 {
            pop(&mut jitter);
        }
        assert!(!jitter.pop(&mut [0; FRAME]));
        jitter.push(77, frame(4));
        assert_eq!([pop(&mut jitter), pop(&mut jitter), pop(&mut jitter)], [0, 0, 4]);
    }

    #[test]
    fn a_burst_is_caught_up_with() {
        let mut jitter = Jitter::new();
        for n in 0..20 {
            jitter.push(n * 160, frame(i16::try_from(n).unwrap() + 1));
        }
        assert_eq!(pop(&mut jitter), 19);
    }
}
