//! How long somebody at a place in a queue will still wait, with a band that holds for nine in ten.
//!
//! While a line stands, answers come at some rate μ and each who waits gives up at some rate θ. Whoever is at position
//! `k` moves up when somebody ahead is answered or gives up, so that the rest of the wait is a sum of exponential times
//! of the rates μ, μ + θ, …, μ + (k − 1)θ (Whitt, "Predicting queueing delays", Management Science 45 (6), 1999). Its
//! mean and variance give a gamma distribution; μ itself is known only from the last `n` answers, during whose
//! `exposure` somebody was always waiting, which makes the wait ÷ exposure a beta-prime variable with the parameters
//! (shape of the sum, n). The band is between its 5 % and 95 % points: it is wide while little has been seen, not wrong.

use serde::{Deserialize, Serialize};
use statrs::function::beta::inv_beta_reg;

/// Blocks that are kept, and answers in each: the newest 56 to 64 answers count.
const BLOCKS: usize = 8;
const IN_BLOCK: u32 = 8;
/// Fewer answers than this give no estimate.
const LEAST: u32 = 4;
/// Blocks older than this are left out, in microseconds: 2 hours.
const OLD_US: u64 = 2 * 3_600 * 1_000_000;

/// What was seen while a line stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Block {
    answers: u32,
    abandons: u32,
    /// Time during which somebody waited, in µs.
    exposure_us: u64,
    /// Sum of everybody's waiting, in µs.
    waited_us: u64,
    /// When the last answer came.
    until_us: u64,
}

/// How a line moves: what estimates are made from. Small, and the same after it has been written down and read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pace {
    /// In the line now, ringing included.
    in_line: u64,
    /// Up to when time is accounted for.
    seen_us: u64,
    /// Newest last.
    blocks: Vec<Block>,
}

/// An estimate of the time until an answer, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Estimate {
    /// The position that it is for: 1 is served next.
    pub position: u32,
    /// The mean, in seconds.
    pub expected_s: f64,
    /// The lower end of the band, in seconds: 5 % wait less.
    pub low_s: f64,
    /// The upper end of the band, in seconds: 5 % wait longer.
    pub high_s: f64,
    /// Answers on which it rests.
    pub answers: u32,
}

impl Pace {
    fn pass(&mut self, at_us: u64) -> &mut Block {
        let span = at_us.saturating_sub(self.seen_us);
        self.seen_us = self.seen_us.max(at_us);
        if self.blocks.last().is_none_or(|block| block.answers >= IN_BLOCK) {
            if self.blocks.len() == BLOCKS {
                self.blocks.remove(0);
            }
            self.blocks.push(Block::default());
        }
        let block = self.blocks.last_mut().expect("a block was pushed");
        if self.in_line > 0 {
            block.exposure_us += span;
            block.waited_us = block.waited_us.saturating_add(span.saturating_mul(self.in_line));
        }
        block
    }

    /// Somebody joined the line.
    pub fn joined(&mut self, at_us: u64) {
        self.pass(at_us);
        self.in_line += 1;
    }

    /// Somebody in the line was answered, who had waited at all or not: one who did not wait says nothing of the line.
    pub fn answered(&mut self, at_us: u64, waited_us: u64) {
        let block = self.pass(at_us);
        if waited_us > 0 {
            block.answers += 1;
            block.until_us = at_us;
        }
        self.in_line = self.in_line.saturating_sub(1);
    }

    /// Somebody in the line gave up, or went elsewhere.
    pub fn left(&mut self, at_us: u64) {
        self.pass(at_us).abandons += 1;
        self.in_line = self.in_line.saturating_sub(1);
    }

    /// In the line, ringing included.
    #[must_use]
    pub const fn in_line(&self) -> u64 {
        self.in_line
    }

    /// The rest of the wait at `position` (1 is served next) as of `now_us`; `None` while too little was seen.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts and microseconds of hours are far below 2^53")]
    pub fn estimate(&self, position: u32, now_us: u64) -> Option<Estimate> {
        let recent = || self.blocks.iter().filter(|block| block.until_us + OLD_US > now_us);
        let answers: u32 = recent().map(|block| block.answers).sum();
        let exposure_us: u64 = recent().map(|block| block.exposure_us).sum();
        if answers < LEAST || exposure_us == 0 || position == 0 {
            return None;
        }
        let (n, exposure) = (f64::from(answers), exposure_us as f64 * 1e-6);
        let waited = recent().map(|block| block.waited_us).sum::<u64>() as f64 * 1e-6;
        let abandons: u32 = recent().map(|block| block.abandons).sum();
        let (rate, leaving) = (n / exposure, f64::from(abandons) / waited.max(1e-9));
        let (mut mean, mut variance) = (0.0, 0.0);
        for ahead in 0..position.min(100_000) {
            let each = 1.0 / (rate + leaving * f64::from(ahead));
            mean += each;
            variance += each * each;
        }
        let shape = mean * mean / variance;
        // wait = scale × G(shape) ÷ G(n), with the scale that gives the mean for a rate that is known.
        let scale = mean / shape * n;
        let quantile = |q: f64| {
            let part = inv_beta_reg(shape, n, q);
            scale * part / (1.0 - part)
        };
        let (low_s, high_s) = (quantile(0.05), quantile(0.95));
        let expected_s = scale * shape / (n - 1.0);
        (low_s.is_finite() && high_s.is_finite()).then_some(Estimate { position, expected_s, low_s, high_s, answers })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SplitMix64, as a uniform number in (0, 1).
    struct Draws(u64);

    impl Draws {
        fn uniform(&mut self) -> f64 {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = self.0;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64 + 1e-17
        }

        fn exponential(&mut self, mean: f64) -> f64 {
            -mean * self.uniform().ln()
        }

        /// Two, four exponentials in a row: handle times that vary less than exponential ones do.
        fn erlang(&mut self, mean: f64, stages: u32) -> f64 {
            (0..stages).map(|_| self.exponential(mean / f64::from(stages))).sum()
        }
    }

    struct Waiting {
        arrived: f64,
        patience: f64,
        estimate: Option<Estimate>,
    }

    /// How many simulated callers were answered, and how many of them waited within the band, by position; of those who
    /// gave up the whole wait is not known, and they are left out: a queue of `servers` with this load, patience and number of stages of the handle time.
    fn coverage(seed: u64, servers: usize, load: f64, patience: f64, stages: u32) -> Vec<(u32, u32, u32)> {
        const HANDLE: f64 = 180.0;
        let mut draws = Draws(seed);
        let mut pace = Pace::default();
        let micros = |seconds: f64| u64::try_from(std::time::Duration::from_secs_f64(seconds).as_micros()).unwrap();
        let gap = HANDLE / (servers as f64 * load);
        let mut busy: Vec<f64> = Vec::new();
        let mut line: std::collections::VecDeque<Waiting> = std::collections::VecDeque::new();
        let mut next_arrival = 0.0f64;
        // [position]: (asked, within)
        let mut seen = vec![(0u32, 0u32); 64];
        for _ in 0..400_000 {
            let next_end = busy.iter().copied().fold(f64::INFINITY, f64::min);
            let next_leave = line.iter().map(|one| one.arrived + one.patience).fold(f64::INFINITY, f64::min);
            let now = next_arrival.min(next_end).min(next_leave);
            if now == next_leave {
                let at = line.iter().position(|one| one.arrived + one.patience == next_leave).unwrap();
                line.remove(at);
                pace.left(micros(now));
            } else if now == next_end {
                let at = busy.iter().position(|end| *end == next_end).unwrap();
                busy.swap_remove(at);
                if let Some(first) = line.pop_front() {
                    let waited = now - first.arrived;
                    pace.answered(micros(now), micros(waited).max(1));
                    busy.push(now + draws.erlang(HANDLE, stages));
                    if let Some(estimate) = first.estimate
                        && let Some(seen) = seen.get_mut(estimate.position as usize)
                    {
                        seen.0 += 1;
                        seen.1 += u32::from((estimate.low_s..=estimate.high_s).contains(&waited));
                    }
                }
            } else {
                next_arrival = now + draws.exponential(gap);
                pace.joined(micros(now));
                if busy.len() < servers {
                    pace.answered(micros(now), 0);
                    busy.push(now + draws.erlang(HANDLE, stages));
                } else {
                    let position = u32::try_from(line.len() + 1).unwrap();
                    let estimate = pace.estimate(position, micros(now));
                    line.push_back(Waiting { arrived: now, patience: draws.exponential(patience), estimate });
                }
            }
        }
        let rows = seen.into_iter().enumerate().filter(|(_, (asked, _))| *asked >= 1_000);
        rows.map(|(position, (asked, within))| (u32::try_from(position).unwrap(), asked, within)).collect()
    }

    /// B11: the band holds for nine in ten of simulated callers, at every position.
    #[test]
    fn b11_the_band_covers_nine_in_ten_by_position() {
        for (name, servers, load, patience, stages) in [
            ("patient customers", 20, 0.95, 1e9, 1),
            ("customers who give up", 20, 1.1, 600.0, 1),
            ("a small team", 3, 0.9, 1_200.0, 1),
            ("regular handle times", 20, 1.05, 600.0, 4),
        ] {
            let rows = coverage(7, servers, load, patience, stages);
            assert!(rows.len() >= 5, "{name}: {rows:?}");
            for (position, asked, within) in rows {
                let share = f64::from(within) / f64::from(asked);
                println!("{name}: position {position}: {share:.3} of {asked}");
                assert!((0.85..=0.97).contains(&share), "{name}, position {position}: {share:.3} of {asked}");
            }
        }
    }

    #[test]
    fn too_little_seen_gives_no_estimate_and_old_answers_do_not_count() {
        let mut pace = Pace::default();
        assert_eq!(pace.estimate(1, 0), None);
        for at in 1..=10u64 {
            pace.joined(at * 60_000_000);
            pace.answered(at * 60_000_000 + 30_000_000, 30_000_000);
        }
        let estimate = pace.estimate(2, 700_000_000).expect("ten answers were seen");
        assert!(estimate.low_s < estimate.expected_s && estimate.expected_s < estimate.high_s, "{estimate:?}");
        assert!((50.0..90.0).contains(&estimate.expected_s), "two answers of 30 s each: {estimate:?}");
        assert_eq!(pace.estimate(2, 700_000_000 + 3 * OLD_US), None);
        assert_eq!(pace.in_line(), 0);
    }
}
