//! One session on the worker's thread: where its packets may come from, and the one monotone stream that it sends.

use super::jitter::Jitter;
use super::recorder::Recorder;
use super::rtp::{self, KeyReader, Packet, Reception, TelephoneEvent};
use super::srtp::Srtp;
use super::worker::Shared;
use super::{Clip, Direction, g711, rtcp};
use crate::sdp::{Agreed, Codec};
use mio::net::UdpSocket;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant, SystemTime};

/// Keys that may wait to be sent.
const MAX_KEYS: usize = 64;
/// A source whose numbers jump by more than this is taken as a new stream.
const MAX_JUMP: u16 = 3000;

/// What the session hears, on this side.
#[derive(Debug)]
pub(super) enum Hears {
    Nothing,
    Peer(u64),
    Clip { clip: Arc<Clip>, repeat: bool, at: usize },
    Mix(u64),
}

/// How numbers of the present source become numbers of ours.
#[derive(Clone, Copy, Debug)]
struct Mapping {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    last: u16,
}

/// The stream that a session sends: one number, one clock, whatever feeds it.
#[derive(Debug)]
struct Out {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    sent_at: Option<Instant>,
    mapping: Option<Mapping>,
    /// The next packet begins a talk spurt.
    marker: bool,
    packets: u32,
    bytes: u32,
}

/// A key being sent.
#[derive(Clone, Copy, Debug)]
struct Pressing {
    event: u8,
    length: u16,
    done: u16,
    timestamp: u32,
    ends: u8,
}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) id: u64,
    pub(super) rtp: UdpSocket,
    pub(super) rtcp: UdpSocket,
    pub(super) shared: Arc<Shared>,
    pub(super) agreed: Option<Agreed>,
    any_source: bool,
    /// The source that is listened to, once it has sent.
    locked: Option<SocketAddr>,
    protect: Option<Srtp>,
    open: Option<Srtp>,
    reception: Reception,
    keys: KeyReader,
    key_at: Option<Instant>,
    pub(super) hears: Hears,
    /// Sessions that hear this one.
    pub(super) listeners: Vec<u64>,
    /// Kept while this one is mixed or recorded.
    pub(super) jitter: Option<Box<Jitter>>,
    pub(super) recorder: Option<Box<Recorder>>,
    out: Out,
    pressing: Option<Pressing>,
    to_press: VecDeque<(u8, u16)>,
    pub(super) heard: bool,
    pub(super) heard_at: Instant,
    pub(super) quiet_told: bool,
    /// The middle of the peer's last report, and when it came.
    peer_report: Option<(u32, Instant)>,
    /// Ticks to gather for packets longer than 20 ms.
    gathered: Vec<u8>,
    scratch: Vec<u8>,
}

/// What came of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Dropped,
    Audio(Codec),
    Event { key: Option<(char, u16)> },
}

impl Session {
    pub(super) fn new(
        id: u64,
        (rtp, rtcp): (UdpSocket, UdpSocket),
        shared: Arc<Shared>,
        seed: u32,
        any_source: bool,
        now: Instant,
    ) -> Self {
        let [a, b, ..] = seed.wrapping_mul(0x9e37_79b9).to_le_bytes();
        Self {
            id,
            rtp,
            rtcp,
            shared,
            agreed: None,
            any_source,
            locked: None,
            protect: None,
            open: None,
            reception: Reception::default(),
            keys: KeyReader::default(),
            key_at: None,
            hears: Hears::Nothing,
            listeners: Vec::new(),
            jitter: None,
            recorder: None,
            out: Out {
                ssrc: seed,
                // Low enough that no SRTP rollover comes with the first packets.
                sequence: u16::from_le_bytes([a, b & 0x3f]),
                timestamp: seed.rotate_left(13),
                sent_at: None,
                mapping: None,
                marker: true,
                packets: 0,
                bytes: 0,
            },
            pressing: None,
            to_press: VecDeque::new(),
            heard: false,
            heard_at: now,
            quiet_told: false,
            peer_report: None,
            gathered: Vec::new(),
            scratch: Vec::with_capacity(256),
        }
    }

    pub(super) fn agree(&mut self, agreed: Agreed, now: Instant) {
        let before = self.agreed.replace(agreed);
        if before.is_none_or(|b| b.rtp != agreed.rtp) {
            // A new peer may send from a new place.
            self.locked = None;
        }
        let keys_before = before.and_then(|b| b.keys);
        if keys_before.map(|k| k.0) != agreed.keys.map(|k| k.0) {
            self.protect = agreed.keys.map(|(ours, _)| Srtp::new(&ours));
        }
        if keys_before.map(|k| k.1) != agreed.keys.map(|k| k.1) {
            self.open = agreed.keys.map(|(_, theirs)| Srtp::new(&theirs));
        }
        self.heard_at = now;
        self.quiet_told = false;
    }

    pub(super) fn receives(&self) -> bool {
        self.agreed.is_some_and(|a| matches!(a.direction, Direction::SendRecv | Direction::RecvOnly))
    }

    fn sends(&self) -> bool {
        self.agreed.is_some_and(|a| matches!(a.direction, Direction::SendRecv | Direction::SendOnly))
    }

    /// Whether it has something to do at every tick.
    pub(super) fn ticks(&self) -> bool {
        matches!(self.hears, Hears::Clip { .. })
            || self.pressing.is_some()
            || !self.to_press.is_empty()
            || self.recorder.is_some()
            || self.keys.is_pressed()
    }

    /// Looks at a packet that came; decrypts it in place. `Some` has the plain packet.
    pub(super) fn take<'p>(
        &mut self,
        bytes: &'p mut [u8],
        from: SocketAddr,
        now: Instant,
        arrival: u64,
    ) -> (Taken, Option<Packet<'p>>) {
        const DROPPED: (Taken, Option<Packet<'static>>) = (Taken::Dropped, None);
        let Some(agreed) = self.agreed else { return DROPPED };
        let trusted = match self.locked {
            Some(locked) => from == locked,
            None => self.any_source || from.ip() == agreed.rtp.ip(),
        };
        if !trusted {
            self.shared.foreign.fetch_add(1, Relaxed);
            return DROPPED;
        }
        if Packet::is_rtcp(bytes) {
            // Multiplexed (RFC 5761).
            self.take_rtcp(bytes, now);
            return DROPPED;
        }
        let length = match &mut self.open {
            Some(open) => open.open(bytes),
            None => Some(bytes.len()),
        };
        let Some(packet) = length.and_then(|length| Packet::parse(&bytes[..length])) else {
            self.shared.malformed.fetch_add(1, Relaxed);
            return DROPPED;
        };
        let codec = match packet.payload_type {
            t if t == agreed.payload_type => Some(agreed.codec),
            t if Some(t) == agreed.event_type => None,
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            // Comfort noise (RFC 3389) is silence.
            13 => return DROPPED,
            _ => {
                self.shared.malformed.fetch_add(1, Relaxed);
                return DROPPED;
            }
        };
        // Only now: what cannot be read, or is not encrypted as agreed, locks nothing.
        self.locked = Some(from);
        self.heard_at = now;
        self.quiet_told = false;
        self.reception.count(&packet, arrival);
        self.shared.received.fetch_add(1, Relaxed);
        self.shared.lost.store(self.reception.lost(), Relaxed);
        self.shared.jitter.store(self.reception.jitter(), Relaxed);
        if !self.receives() {
            return DROPPED;
        }
        match codec {
            Some(codec) => {
                if let Some(jitter) = &mut self.jitter {
                    let decode = match codec {
                        Codec::Pcmu => g711::ulaw_decode,
                        Codec::Pcma => g711::alaw_decode,
                    };
                    jitter.push(packet.timestamp, packet.payload.iter().map(|&b| decode(b)));
                }
                (Taken::Audio(codec), Some(packet))
            }
            None => {
                self.key_at = Some(now);
                let key = TelephoneEvent::parse(packet.payload).and_then(|e| self.keys.take(packet.timestamp, e));
                (Taken::Event { key }, Some(packet))
            }
        }
    }

    /// A press whose end never came.
    pub(super) fn expired_key(&mut self, now: Instant) -> Option<(char, u16)> {
        let late = self.key_at.is_some_and(|at| now.duration_since(at) > Duration::from_millis(200));
        if late && self.keys.is_pressed() { self.keys.expire() } else { None }
    }

    /// What is heard changes: the next packet begins a new spurt on the same clock.
    pub(super) fn switch(&mut self, hears: Hears) {
        self.hears = hears;
        self.out.mapping = None;
        self.out.marker = true;
        self.gathered.clear();
    }

    /// Passes on a packet of the session that this one hears.
    pub(super) fn relay(&mut self, packet: &Packet<'_>, taken: Taken, now: Instant) {
        let Some(agreed) = self.agreed.filter(|_| self.sends()) else { return };
        if self.pressing.is_some() {
            return;
        }
        let payload_type = match taken {
            Taken::Audio(_) => agreed.payload_type,
            Taken::Event { .. } => match agreed.event_type {
                Some(t) => t,
                None => return,
            },
            Taken::Dropped => return,
        };
        let (sequence, timestamp) = self.map(packet, now);
        let marker = std::mem::take(&mut self.out.marker) || packet.marker;
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        rtp::write_header(&mut bytes, marker, payload_type, sequence, timestamp, self.out.ssrc);
        match (taken, agreed.codec) {
            (Taken::Audio(Codec::Pcmu), Codec::Pcma) => {
                bytes.extend(packet.payload.iter().map(|&b| g711::ulaw_to_alaw(b)));
            }
            (Taken::Audio(Codec::Pcma), Codec::Pcmu) => {
                bytes.extend(packet.payload.iter().map(|&b| g711::alaw_to_ulaw(b)));
            }
            _ => bytes.extend_from_slice(packet.payload),
        }
        self.transmit(bytes, now);
    }

    /// Gaps and order of the source are kept; a new source goes on where the old one ended.
    fn map(&mut self, packet: &Packet<'_>, now: Instant) -> (u16, u32) {
        let usual = self.out.mapping.filter(|m| {
            let jump = packet.sequence.wrapping_sub(m.last);
            m.ssrc == packet.ssrc && !(MAX_JUMP..=u16::MAX - MAX_JUMP).contains(&jump)
        });
        let mapping = usual.unwrap_or_else(|| {
            let (next_sequence, next_timestamp) = self.next(now);
            self.out.marker = true;
            Mapping {
                ssrc: packet.ssrc,
                sequence: next_sequence.wrapping_sub(packet.sequence),
                timestamp: next_timestamp.wrapping_sub(packet.timestamp),
                last: packet.sequence,
            }
        });
        let sequence = packet.sequence.wrapping_add(mapping.sequence);
        let timestamp = packet.timestamp.wrapping_add(mapping.timestamp);
        let newer = packet.sequence.wrapping_sub(mapping.last) < 0x8000;
        self.out.mapping = Some(Mapping { last: if newer { packet.sequence } else { mapping.last }, ..mapping });
        if sequence.wrapping_sub(self.out.sequence) < 0x8000 {
            self.out.sequence = sequence;
            self.out.timestamp = timestamp;
            self.out.sent_at = Some(now);
        }
        (sequence, timestamp)
    }

    /// The numbers of a packet that follows the last one: the clock has gone on meanwhile.
    fn next(&self, now: Instant) -> (u16, u32) {
        let gap = self.out.sent_at.map_or(Duration::ZERO, |at| now.saturating_duration_since(at));
        let samples = u32::try_from(gap.as_millis() * 8).unwrap_or(0).max(160);
        (self.out.sequence.wrapping_add(1), self.out.timestamp.wrapping_add(samples))
    }

    /// 20 ms of a clip. True when it has been played to its end.
    pub(super) fn play(&mut self, now: Instant) -> bool {
        let Some(agreed) = self.agreed else { return false };
        let Hears::Clip { clip, repeat, at } = &mut self.hears else { return false };
        let encoded = clip.encoded(agreed.codec);
        let silence = match agreed.codec {
            Codec::Pcmu => 0xff,
            Codec::Pcma => 0xd5,
        };
        let mut frame = [silence; 160];
        let mut over = encoded.is_empty();
        for byte in &mut frame {
            let Some(&next) = encoded.get(*at) else { break };
            *byte = next;
            *at += 1;
            if *at == encoded.len() {
                if *repeat {
                    *at = 0;
                } else {
                    over = true;
                }
            }
        }
        self.send_frame(&frame, now);
        over
    }

    /// 20 ms of mixed audio.
    pub(super) fn play_samples(&mut self, samples: &[i16; 160], now: Instant) {
        let Some(agreed) = self.agreed else { return };
        let encode = match agreed.codec {
            Codec::Pcmu => g711::ulaw_encode,
            Codec::Pcma => g711::alaw_encode,
        };
        self.send_frame(&samples.map(encode), now);
    }

    fn send_frame(&mut self, frame: &[u8; 160], now: Instant) {
        let Some(agreed) = self.agreed.filter(|_| self.sends()) else { return };
        if self.pressing.is_some() {
            return;
        }
        self.gathered.extend_from_slice(frame);
        if self.gathered.len() < agreed.ptime_ms as usize * 8 {
            return;
        }
        // The clock of a player runs by samples while it plays, and by the wall clock over a pause.
        let steady = self.out.sent_at.is_some_and(|at| now.duration_since(at) < Duration::from_millis(200));
        let step = if self.out.marker || !steady {
            self.next(now).1.wrapping_sub(self.out.timestamp)
        } else {
            u32::try_from(self.gathered.len()).unwrap_or(160)
        };
        self.out.sequence = self.out.sequence.wrapping_add(1);
        self.out.timestamp = self.out.timestamp.wrapping_add(step);
        self.out.sent_at = Some(now);
        let marker = std::mem::take(&mut self.out.marker);
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        let (sequence, timestamp) = (self.out.sequence, self.out.timestamp);
        rtp::write_header(&mut bytes, marker, agreed.payload_type, sequence, timestamp, self.out.ssrc);
        bytes.extend_from_slice(&self.gathered);
        self.gathered.clear();
        self.transmit(bytes, now);
    }

    pub(super) fn press(&mut self, event: u8, samples: u16) {
        if self.to_press.len() < MAX_KEYS {
            self.to_press.push_back((event, samples));
        }
    }

    /// 20 ms of a key being pressed (RFC 4733 section 2.5): the same timestamp, a growing duration, the end three times.
    pub(super) fn press_tick(&mut self, now: Instant) {
        let Some(agreed) = self.agreed.filter(|_| self.sends()) else { return };
        let Some(event_type) = agreed.event_type else {
            self.to_press.clear();
            return;
        };
        let mut pressing = match self.pressing {
            Some(pressing) => pressing,
            None => match self.to_press.pop_front() {
                Some((event, length)) => {
                    let timestamp = self.next(now).1;
                    self.out.timestamp = timestamp;
                    self.out.mapping = None;
                    self.out.marker = true;
                    Pressing { event, length, done: 0, timestamp, ends: 0 }
                }
                None => return,
            },
        };
        let first = pressing.done == 0;
        pressing.done = pressing.done.saturating_add(160).min(pressing.length);
        let end = pressing.done == pressing.length;
        pressing.ends += u8::from(end);
        let event = TelephoneEvent { event: pressing.event, end, duration: pressing.done };
        self.out.sequence = self.out.sequence.wrapping_add(1);
        let mut bytes = std::mem::take(&mut self.scratch);
        bytes.clear();
        rtp::write_header(&mut bytes, first, event_type, self.out.sequence, pressing.timestamp, self.out.ssrc);
        bytes.extend_from_slice(&event.to_bytes());
        self.pressing = (pressing.ends < 3).then_some(pressing);
        if first {
            self.out.sent_at = Some(now);
        }
        self.transmit(bytes, now);
    }

    fn destination(&self) -> Option<SocketAddr> {
        let agreed = self.agreed?;
        let to = self.locked.unwrap_or(agreed.rtp);
        (!to.ip().is_unspecified() && to.port() != 0).then_some(to)
    }

    fn transmit(&mut self, mut bytes: Vec<u8>, now: Instant) {
        let _ = now;
        let payload = bytes.len() - rtp::HEADER;
        if let Some(protect) = &mut self.protect {
            protect.protect(&mut bytes);
        }
        if let Some(to) = self.destination() {
            match self.rtp.send_to(&bytes, to) {
                Ok(_) => {
                    self.out.packets = self.out.packets.wrapping_add(1);
                    self.out.bytes = self.out.bytes.wrapping_add(u32::try_from(payload).unwrap_or(0));
                    self.shared.sent.fetch_add(1, Relaxed);
                }
                // A full buffer or an ICMP error of an earlier packet: audio does not wait, the packet is lost.
                Err(error) => tracing::trace!(session = self.id, %error, "an RTP packet was not sent"),
            }
        }
        self.scratch = bytes;
    }

    /// Sends a report, with what was received.
    pub(super) fn report(&mut self, now: Instant) {
        let Some(agreed) = self.agreed else { return };
        let block = self.reception.ssrc().map(|ssrc| {
            let (last_report, delay) = self.peer_report.map_or((0, 0), |(middle, at)| {
                let delay = now.duration_since(at).as_micros() * 65_536 / 1_000_000;
                (middle, u32::try_from(delay).unwrap_or(u32::MAX))
            });
            rtcp::Block {
                ssrc,
                fraction: self.reception.fraction(),
                lost: u32::try_from(self.reception.lost()).unwrap_or(u32::MAX),
                highest: self.reception.highest(),
                jitter: u32::try_from(self.reception.jitter()).unwrap_or(u32::MAX),
                last_report,
                delay,
            }
        });
        let sent = (self.out.packets > 0).then(|| rtcp::Sent {
            timestamp: self.next(now).1,
            packets: self.out.packets,
            bytes: self.out.bytes,
        });
        let mut bytes = Vec::with_capacity(128);
        rtcp::write(&mut bytes, self.out.ssrc, SystemTime::now(), sent, block);
        if let Some(protect) = &mut self.protect {
            protect.protect_rtcp(&mut bytes);
        }
        // Reports may be lost as packets may.
        let _ = self.rtcp.send_to(&bytes, agreed.rtcp);
    }

    /// Reads what comes to the RTCP port.
    pub(super) fn read_rtcp(&mut self, buffer: &mut [u8], now: Instant) {
        for _ in 0..16 {
            match self.rtcp.recv_from(buffer) {
                Ok((length, from)) => {
                    let Some(agreed) = self.agreed else { continue };
                    let trusted = from.ip() == agreed.rtcp.ip() || self.locked.is_some_and(|l| l.ip() == from.ip());
                    if trusted {
                        self.take_rtcp(&mut buffer[..length], now);
                    } else {
                        self.shared.foreign.fetch_add(1, Relaxed);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
                Err(_) => return,
            }
        }
    }

    fn take_rtcp(&mut self, bytes: &mut [u8], now: Instant) {
        let length = match &mut self.open {
            Some(open) => open.open_rtcp(bytes),
            None => Some(bytes.len()),
        };
        let Some(report) = length.and_then(|length| rtcp::read(&bytes[..length], self.out.ssrc)) else {
            self.shared.malformed.fetch_add(1, Relaxed);
            return;
        };
        if let Some(middle) = report.sender_time {
            self.peer_report = Some((middle, now));
        }
        if let Some(block) = report.about_us {
            self.shared.peer_lost.store(u64::from(block.fraction) + 1, Relaxed);
            if block.last_report != 0 {
                let middle = rtcp::middle(rtcp::ntp(SystemTime::now()));
                let trip = middle.wrapping_sub(block.last_report).wrapping_sub(block.delay);
                if trip < 65_536 * 60 {
                    self.shared.round_trip.store(u64::from(trip) + 1, Relaxed);
                }
            }
        }
    }
}
