//! RTP packets (RFC 3550) and telephone events (RFC 4733): reading without copying, writing in place.

/// The length of the header that we write.
pub const HEADER: usize = 12;

/// A packet that borrows its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The marker bit.
    pub marker: bool,
    /// 0 to 127.
    pub payload_type: u8,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp, in samples.
    pub timestamp: u32,
    /// The sender's number.
    pub ssrc: u32,
    /// The payload without padding.
    pub payload: &'a [u8],
}

fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// The length of a packet's header: fixed part, contributors and extension.
#[must_use]
pub fn header_length(bytes: &[u8]) -> Option<usize> {
    let first = *bytes.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut length = HEADER + usize::from(first & 0x0f) * 4;
    if first & 0x10 != 0 {
        length += 4 + usize::from(be16(bytes, length + 2)?) * 4;
    }
    (bytes.len() >= length).then_some(length)
}

impl<'a> Packet<'a> {
    /// Reads a packet; `None` if it is no RTP of version 2 or cut short.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let start = header_length(bytes)?;
        let mut end = bytes.len();
        if bytes[0] & 0x20 != 0 {
            let padding = usize::from(*bytes.last()?);
            end = end.checked_sub(padding).filter(|&e| padding > 0 && e >= start)?;
        }
        let second = bytes[1];
        Some(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: be16(bytes, 2)?,
            timestamp: be32(bytes, 4)?,
            ssrc: be32(bytes, 8)?,
            payload: &bytes[start..end],
        })
    }

    /// Whether the bytes are RTCP (RFC 5761 section 4): both may come to one port.
    #[must_use]
    pub fn is_rtcp(bytes: &[u8]) -> bool {
        bytes.len() >= 8 && bytes[0] >> 6 == 2 && (192..=223).contains(&bytes[1])
    }
}

/// Writes a header.
pub fn write_header(out: &mut Vec<u8>, marker: bool, payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32) {
    out.push(0x80);
    out.push(if marker { 0x80 } else { 0 } | payload_type & 0x7f);
    out.extend_from_slice(&sequence.to_be_bytes());
    out.extend_from_slice(&timestamp.to_be_bytes());
    out.extend_from_slice(&ssrc.to_be_bytes());
}

/// A telephone event (RFC 4733 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TelephoneEvent {
    /// The event's number: 0 to 15 are keys.
    pub event: u8,
    /// Whether it is over.
    pub end: bool,
    /// How long it has lasted, in samples.
    pub duration: u16,
}

impl TelephoneEvent {
    /// Reads a payload; what follows the first event (redundancy) is left alone.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        Some(Self { event: *payload.first()?, end: payload.get(1)? & 0x80 != 0, duration: be16(payload, 2)? })
    }

    /// Its payload, at a volume of −10 dBm0.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.event, if self.end { 0x80 | 10 } else { 10 }, high, low]
    }

    /// The key, if it is one.
    #[must_use]
    pub fn key(self) -> Option<char> {
        b"0123456789*#ABCD".get(usize::from(self.event)).map(|&b| char::from(b))
    }

    /// The event of a key.
    #[must_use]
    pub fn of_key(key: char) -> Option<u8> {
        let key = key.to_ascii_uppercase();
        "0123456789*#ABCD".chars().position(|k| k == key).and_then(|at| u8::try_from(at).ok())
    }
}

/// Finds each key press once in a stream of events that are sent many times.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyReader {
    current: Option<(u32, TelephoneEvent)>,
    /// The timestamp of the press that was told last.
    told: Option<u32>,
}

impl KeyReader {
    /// Takes a packet's event; gives the press that it ends, as key and duration in samples.
    pub fn take(&mut self, timestamp: u32, event: TelephoneEvent) -> Option<(char, u16)> {
        if self.told == Some(timestamp) {
            return None;
        }
        // A new press without the old one's end: that was lost.
        let cut = match self.current {
            Some((before, last)) if before != timestamp => self.tell(before, last),
            _ => None,
        };
        let duration = match self.current {
            Some((before, last)) if before == timestamp => last.duration.max(event.duration),
            _ => event.duration,
        };
        let event = TelephoneEvent { duration, ..event };
        if event.end {
            let told = self.tell(timestamp, event);
            return cut.or(told);
        }
        self.current = Some((timestamp, event));
        cut
    }

    /// No packet came for a while: a press that was begun is over.
    pub fn expire(&mut self) -> Option<(char, u16)> {
        self.current.and_then(|(timestamp, event)| self.tell(timestamp, event))
    }

    /// Whether a press is under way.
    #[must_use]
    pub const fn is_pressed(&self) -> bool {
        self.current.is_some()
    }

    fn tell(&mut self, timestamp: u32, event: TelephoneEvent) -> Option<(char, u16)> {
        self.current = None;
        self.told = Some(timestamp);
        event.key().map(|key| (key, event.duration))
    }
}

/// Reception statistics (RFC 3550 sections 6.4.1, A.1, A.3, A.8).
#[derive(Clone, Copy, Debug, Default)]
pub struct Reception {
    ssrc: Option<u32>,
    base: u32,
    highest: u32,
    received: u64,
    transit: i64,
    /// Jitter in samples, times 16.
    jitter: u64,
    expected_before: u64,
    received_before: u64,
    lost_earlier: u64,
}

impl Reception {
    /// Counts a packet that arrived at that instant, in samples of any origin.
    pub fn count(&mut self, packet: &Packet<'_>, arrival: u64) {
        let transit = i64::try_from(arrival).unwrap_or(0) - i64::from(packet.timestamp);
        if self.ssrc != Some(packet.ssrc) {
            let lost_earlier = self.lost();
            let sequence = u32::from(packet.sequence);
            *self = Self { ssrc: Some(packet.ssrc), base: sequence, highest: sequence, lost_earlier, ..*self };
            self.received = 1;
            self.expected_before = 0;
            self.received_before = 0;
            self.transit = transit;
            return;
        }
        self.received += 1;
        let step = packet.sequence.wrapping_sub(self.highest.to_le_bytes_low());
        if step < 0x8000 {
            self.highest = self.highest.wrapping_add(u32::from(step));
        }
        // A timestamp that jumps or wraps says nothing about jitter.
        let change = (transit - self.transit).unsigned_abs();
        self.transit = transit;
        if change < 8000 {
            self.jitter = self.jitter + change - ((self.jitter + 8) >> 4);
        }
    }

    fn expected(&self) -> u64 {
        if self.ssrc.is_some() { u64::from(self.highest.wrapping_sub(self.base)) + 1 } else { 0 }
    }

    /// Packets that did not come.
    #[must_use]
    pub fn lost(&self) -> u64 {
        self.lost_earlier + self.expected().saturating_sub(self.received)
    }

    /// Interarrival jitter, in samples.
    #[must_use]
    pub const fn jitter(&self) -> u64 {
        self.jitter >> 4
    }

    /// The sender that is counted.
    #[must_use]
    pub const fn ssrc(&self) -> Option<u32> {
        self.ssrc
    }

    /// The highest sequence number, with its cycles.
    #[must_use]
    pub const fn highest(&self) -> u32 {
        self.highest
    }

    /// The share lost since the last call, in 256ths.
    pub fn fraction(&mut self) -> u8 {
        let (expected, received) = (self.expected(), self.received);
        let missing = (expected - self.expected_before).saturating_sub(received - self.received_before);
        let interval = expected - self.expected_before;
        self.expected_before = expected;
        self.received_before = received;
        (missing * 256).checked_div(interval).map_or(0, |share| u8::try_from(share).unwrap_or(255))
    }
}

trait LowBytes {
    fn to_le_bytes_low(self) -> u16;
}

impl LowBytes for u32 {
    fn to_le_bytes_low(self) -> u16 {
        let [a, b, ..] = self.to_le_bytes();
        u16::from_le_bytes([a, b])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(sequence: u16, timestamp: u32) -> Packet<'static> {
        Packet { marker: false, payload_type: 0, sequence, timestamp, ssrc: 9, payload: &[] }
    }

    #[test]
    fn writes_what_it_reads() {
        let mut bytes = Vec::new();
        write_header(&mut bytes, true, 101, 65_535, 7, 0xdead_beef);
        bytes.extend_from_slice(b"abc");
        let read = Packet::parse(&bytes).unwrap();
        assert_eq!((read.marker, read.payload_type, read.sequence), (true, 101, 65_535));
        assert_eq!((read.timestamp, read.ssrc, read.payload), (7, 0xdead_beef, &b"abc"[..]));
    }

    #[test]
    fn contributors_extension_and_padding_are_cut_off() {
        let mut bytes = vec![0b1011_0001, 0];
        bytes.extend_from_slice(&[0; 10]);
        bytes.extend_from_slice(&[1; 4]);
        bytes.extend_from_slice(&[0xbe, 0xde, 0, 1, 5, 5, 5, 5]);
        bytes.extend_from_slice(&[7, 8, 0, 0, 3]);
        assert_eq!(Packet::parse(&bytes).unwrap().payload, [7, 8]);
        for cut in 0..24 {
            assert_eq!(Packet::parse(&bytes[..cut]), None);
        }
        *bytes.last_mut().unwrap() = 200;
        assert_eq!(Packet::parse(&bytes), None);
    }

    #[test]
    fn a_press_is_told_once() {
        let event = |event, duration, end| TelephoneEvent { event, end, duration };
        let mut reader = KeyReader::default();
        assert_eq!(reader.take(100, event(5, 160, false)), None);
        assert_eq!(reader.take(100, event(5, 320, false)), None);
        assert_eq!(reader.take(100, event(5, 480, true)), Some(('5', 480)));
        assert_eq!(reader.take(100, event(5, 480, true)), None);
        // The end of a press was lost, and another begins.
        assert_eq!(reader.take(900, event(11, 160, false)), None);
        assert_eq!(reader.take(1900, event(10, 160, false)), Some(('#', 160)));
        assert_eq!(reader.expire(), Some(('*', 160)));
        assert_eq!(reader.take(1900, event(10, 320, true)), None);
        assert_eq!(reader.take(2900, event(77, 320, true)), None);
    }

    #[test]
    fn loss_and_jitter() {
        let mut counts = Reception::default();
        for (n, arrival) in [(0_u16, 0_u64), (1, 160), (2, 320), (5, 800), (4, 810)] {
            counts.count(&packet(65_534_u16.wrapping_add(n), u32::from(n) * 160), arrival);
        }
        assert_eq!(counts.lost(), 1);
        assert_eq!(counts.fraction(), 42);
        assert_eq!(counts.fraction(), 0);
        assert_eq!(counts.highest(), 65_534 + 5);
        // |D| was 0, 0, 0, then 170: J = 170/16.
        assert_eq!(counts.jitter(), 10);
    }
}
