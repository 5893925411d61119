//! RTCP (RFC 3550 section 6): sender and receiver reports with a CNAME; what peers report of us.

use std::time::{Duration, SystemTime};

/// A report block about one sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The sender that it is about.
    pub ssrc: u32,
    /// The share lost since the last report, in 256ths.
    pub fraction: u8,
    /// All packets lost so far, 24 bits.
    pub lost: u32,
    /// The highest sequence number received.
    pub highest: u32,
    /// Jitter in samples.
    pub jitter: u32,
    /// The middle of the last sender report's time.
    pub last_report: u32,
    /// The delay since then, in 65,536ths of a second.
    pub delay: u32,
}

/// What we say of what we send.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent {
    /// The timestamp of now.
    pub timestamp: u32,
    /// Packets sent.
    pub packets: u32,
    /// Payload bytes sent.
    pub bytes: u32,
}

/// A report that came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The middle of the sender's time, if it was a sender report.
    pub sender_time: Option<u32>,
    /// What it says of us.
    pub about_us: Option<Block>,
    /// Whether the sender says goodbye.
    pub bye: bool,
}

/// The time as NTP has it: seconds since 1900 and their fraction.
#[must_use]
pub fn ntp(now: SystemTime) -> u64 {
    let since = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = since.as_secs().wrapping_add(2_208_988_800);
    (seconds << 32) | ((u64::from(since.subsec_nanos()) << 32) / 1_000_000_000)
}

/// The middle 32 bits of an NTP time.
#[must_use]
pub fn middle(ntp: u64) -> u32 {
    u32::try_from(ntp >> 16 & 0xffff_ffff).unwrap_or(0)
}

/// Writes a compound packet: a sender report if anything was sent, else a receiver report; and our CNAME.
pub fn write(out: &mut Vec<u8>, ssrc: u32, now: SystemTime, sent: Option<Sent>, block: Option<Block>) {
    let begin = out.len();
    let count = u8::from(block.is_some());
    out.extend_from_slice(&[0x80 | count, if sent.is_some() { 200 } else { 201 }, 0, 0]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    if let Some(sent) = sent {
        out.extend_from_slice(&ntp(now).to_be_bytes());
        for word in [sent.timestamp, sent.packets, sent.bytes] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
    if let Some(block) = block {
        out.extend_from_slice(&block.ssrc.to_be_bytes());
        out.push(block.fraction);
        out.extend_from_slice(&block.lost.min(0x7f_ffff).to_be_bytes()[1..]);
        for word in [block.highest, block.jitter, block.last_report, block.delay] {
            out.extend_from_slice(&word.to_be_bytes());
        }
    }
    set_length(out, begin);
    let begin = out.len();
    out.extend_from_slice(&[0x81, 202, 0, 0]);
    out.extend_from_slice(&ssrc.to_be_bytes());
    let name = format!("{ssrc:08x}@callfloor");
    out.push(1);
    out.push(u8::try_from(name.len()).unwrap_or(0));
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    while !(out.len() - begin).is_multiple_of(4) {
        out.push(0);
    }
    set_length(out, begin);
}

fn set_length(out: &mut [u8], begin: usize) {
    let words = u16::try_from((out.len() - begin) / 4 - 1).unwrap_or(0);
    out[begin + 2..begin + 4].copy_from_slice(&words.to_be_bytes());
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Reads a compound packet; `None` if it is none.
#[must_use]
pub fn read(mut bytes: &[u8], our_ssrc: u32) -> Option<Report> {
    let mut report = Report::default();
    let mut any = false;
    while let [first, kind, high, low, ..] = *bytes {
        if first >> 6 != 2 {
            return None;
        }
        let length = (usize::from(u16::from_be_bytes([high, low])) + 1) * 4;
        let packet = bytes.get(..length)?;
        bytes = &bytes[length..];
        any = true;
        let blocks = match kind {
            200 => {
                let (seconds, fraction) = (be32(packet, 8)?, be32(packet, 12)?);
                report.sender_time = Some(middle(u64::from(seconds) << 32 | u64::from(fraction)));
                28
            }
            201 => 8,
            203 => {
                report.bye = true;
                continue;
            }
            _ => continue,
        };
        for n in 0..usize::from(first & 0x1f) {
            let at = blocks + n * 24;
            let ssrc = be32(packet, at)?;
            if ssrc == our_ssrc {
                let lost = be32(packet, at + 4)?;
                report.about_us = Some(Block {
                    ssrc,
                    fraction: lost.to_be_bytes()[0],
                    lost: lost & 0xff_ffff,
                    highest: be32(packet, at + 8)?,
                    jitter: be32(packet, at + 12)?,
                    last_report: be32(packet, at + 16)?,
                    delay: be32(packet, at + 20)?,
                });
            }
        }
    }
    any.then_some(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let block = Block { ssrc: 7, fraction: 3, lost: 99, highest: 70_000, jitter: 12, last_report: 5, delay: 6 };
        let mut out = Vec::new();
        let now = SystemTime::now();
        write(&mut out, 1, now, Some(Sent::default()), Some(block));
        assert_eq!(out.len() % 4, 0);
        let report = read(&out, 7).unwrap();
        assert_eq!((report.about_us, report.sender_time), (Some(block), Some(middle(ntp(now)))));
        assert_eq!(read(&out, 8).unwrap().about_us, None);
        for cut in 1..out.len() {
            // Whole packets in front are read, a cut one is refused; nothing panics.
            let _ = read(&out[..cut], 7);
        }
        assert_eq!(read(&[], 7), None);
    }
}
