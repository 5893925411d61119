//! Audio: every stream of one RTP socket. Sends what a party says at its pace, and listens to what comes.
//!
//! Streams share the socket: a packet belongs to the stream whose far end it comes from. Packets go out every 20 ms for each
//! stream (RFC 3551). Being woken costs a thread more than a packet does: a few streams send together, every 5 ms a part of them;
//! many are spread over twenty groups a millisecond apart, so that a thousand streams are no burst. Keys are telephone events
//! (RFC 4733): three packets while the key is down, the last of them three times.

use std::collections::HashMap;
use std::net::SocketAddr;

use callfloor_sip::media::rtp::{Packet, Reception, TelephoneEvent, write_header};
use callfloor_sip::sdp::{Codec, Description};
use serde::{Deserialize, Serialize};
use slotmap::{DefaultKey, SlotMap};

use crate::sip::Micros;
use crate::voice::{Ear, FRAME, Voice};

/// Groups of streams, a millisecond apart.
const GROUPS: usize = 20;
/// Up to so many streams send together, in every fifth group.
const FEW: usize = 200;
const TOGETHER: usize = 5;
const TICK_US: Micros = 1_000;
/// Length of a packet's audio.
const PACKET_US: Micros = 20_000;
/// Packets while a key is down.
const KEY_PACKETS: u8 = 5;
/// How often the end of a key is sent.
const KEY_ENDS: u8 = 3;

/// Names a stream; never another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StreamKey(DefaultKey);

/// A voice that began to be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    /// By which stream.
    pub stream: StreamKey,
    /// When the first packet of it came.
    pub at_us: Micros,
    /// What was heard before.
    pub before: Voice,
    /// What is heard now.
    pub voice: Voice,
}

/// What was sent and heard over all streams. Merging is addition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sound {
    /// Streams that were open.
    pub streams: u64,
    /// Of those, with at least one packet received.
    pub heard: u64,
    /// Packets sent.
    pub sent: u64,
    /// Packets received.
    pub received: u64,
    /// Packets that were to be received (RFC 3550) and were not.
    pub lost: u64,
    /// Sum over streams of the jitter (RFC 3550) at their end, in microseconds.
    pub jitter_us: u64,
    /// The largest jitter of a stream at its end, in microseconds.
    pub jitter_max_us: u64,
    /// Received packets with a voice or music in them.
    pub audible: u64,
    /// Packets from a far end that no stream has.
    pub stray: u64,
    /// Packets that the system did not take.
    pub send_errors: u64,
}

impl std::ops::AddAssign for Sound {
    fn add_assign(&mut self, other: Self) {
        self.streams += other.streams;
        self.heard += other.heard;
        self.sent += other.sent;
        self.received += other.received;
        self.lost += other.lost;
        self.jitter_us += other.jitter_us;
        self.jitter_max_us = self.jitter_max_us.max(other.jitter_max_us);
        self.audible += other.audible;
        self.stray += other.stray;
        self.send_errors += other.send_errors;
    }
}

#[derive(Debug)]
struct Key {
    event: u8,
    /// Timestamp of its beginning.
    began: u32,
    sent: u8,
}

#[derive(Debug)]
struct Stream {
    remote: SocketAddr,
    codec: Codec,
    event_type: Option<u8>,
    says: Voice,
    key: Option<Key>,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    reception: Reception,
    received: u64,
    ear: Ear,
    hears: Voice,
    /// A voice that was heard once: it counts when it is heard again.
    maybe: Option<(Voice, Micros)>,
    group: usize,
}

/// What an offer and its answer agreed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreed {
    /// Where the far end wants RTP.
    pub remote: SocketAddr,
    /// The first of its codecs that we speak.
    pub codec: Codec,
    /// The payload type of telephone events, where it takes them.
    pub event_type: Option<u8>,
}

impl Agreed {
    /// What a session description of the far end says; `None` where there is no G.711 audio at an address.
    #[must_use]
    pub fn of(sdp: &str) -> Option<Self> {
        let description = Description::parse(sdp).ok()?;
        let line = description.media.iter().find(|line| line.kind == "audio" && line.port != 0)?;
        let codec = line.payload_types().find_map(|payload_type| line.codec(payload_type))?;
        let address = line.connection.or(description.connection)?;
        Some(Self { remote: SocketAddr::new(address, line.port), codec, event_type: line.event_type() })
    }
}

/// Our session description: G.711 both ways and telephone events, at `local`.
#[must_use]
pub fn description(local: SocketAddr, session: u64) -> String {
    let (ip, kind) = (local.ip(), if local.is_ipv4() { "IP4" } else { "IP6" });
    format!(
        "v=0\r\no=callfloor {session} 1 IN {kind} {ip}\r\ns=-\r\nc=IN {kind} {ip}\r\nt=0 0\r\n\
         m=audio {} RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
        local.port()
    )
}

/// Every stream of one socket.
#[derive(Debug)]
pub struct Media {
    streams: SlotMap<DefaultKey, Stream>,
    /// Streams so far.
    opened: u32,
    by_remote: HashMap<SocketAddr, StreamKey>,
    groups: [Vec<StreamKey>; GROUPS],
    live: usize,
    /// Number of the next tick since the run's start; meaningless while nobody is live.
    tick: u64,
    heard: Vec<Heard>,
    sound: Sound,
    packet: Vec<u8>,
}

impl Default for Media {
    fn default() -> Self {
        Self {
            streams: SlotMap::new(),
            opened: 0,
            by_remote: HashMap::new(),
            groups: std::array::from_fn(|_| Vec::new()),
            live: 0,
            tick: 0,
            heard: Vec::new(),
            sound: Sound::default(),
            packet: Vec::with_capacity(256),
        }
    }
}

impl Media {
    /// Begins to say `says` and to listen.
    pub fn open(&mut self, now: Micros, agreed: Agreed, says: Voice) -> StreamKey {
        if self.live == 0 {
            self.tick = now / TICK_US + 1;
        }
        // The next group; of many streams, the smallest group of those that come soonest.
        let soonest = self.tick.max(now / TICK_US + 1);
        let near = (soonest..).map(group_of).take(if self.live < FEW { 1 } else { GROUPS });
        let group = near.min_by_key(|group| self.groups[*group].len()).unwrap_or(0);
        // Any numbers do; different ones for different streams.
        self.opened = self.opened.wrapping_add(1);
        let ssrc = self.opened.wrapping_mul(0x9e37_79b9) ^ 0xca11_f100;
        let key = StreamKey(self.streams.insert(Stream {
            remote: agreed.remote,
            codec: agreed.codec,
            event_type: agreed.event_type,
            says,
            key: None,
            sequence: ssrc.to_le_bytes()[0].into(),
            timestamp: ssrc,
            ssrc,
            reception: Reception::default(),
            received: 0,
            ear: Ear::default(),
            hears: Voice::Silence,
            maybe: None,
            group,
        }));
        self.groups[group].push(key);
        self.by_remote.insert(agreed.remote, key);
        self.live += 1;
        self.sound.streams += 1;
        key
    }

    fn get(&mut self, key: StreamKey) -> Option<&mut Stream> {
        self.streams.get_mut(key.0)
    }

    /// Says something else from now on.
    pub fn say(&mut self, key: StreamKey, says: Voice) {
        if let Some(stream) = self.get(key) {
            stream.says = says;
        }
    }

    /// Presses a key; `false` where the far end takes no telephone events or there is no such key.
    pub fn press(&mut self, key: StreamKey, digit: char) -> bool {
        let Some(stream) = self.get(key) else { return false };
        let (Some(_), Some(event)) = (stream.event_type, TelephoneEvent::of_key(digit)) else { return false };
        stream.key = Some(Key { event, began: stream.timestamp, sent: 0 });
        true
    }

    /// What a stream hears.
    #[must_use]
    pub fn hears(&self, key: StreamKey) -> Voice {
        self.streams.get(key.0).map_or(Voice::Silence, |stream| stream.hears)
    }

    /// Ends a stream; gives how many packets it received.
    pub fn close(&mut self, key: StreamKey) -> u64 {
        let Some(stream) = self.streams.remove(key.0) else { return 0 };
        self.live -= 1;
        self.groups[stream.group].retain(|other| *other != key);
        if self.by_remote.get(&stream.remote) == Some(&key) {
            self.by_remote.remove(&stream.remote);
        }
        if stream.received > 0 {
            let jitter_us = stream.reception.jitter() * 125;
            self.sound.heard += 1;
            self.sound.lost += stream.reception.lost();
            self.sound.jitter_us += jitter_us;
            self.sound.jitter_max_us = self.sound.jitter_max_us.max(jitter_us);
        }
        stream.received
    }

    /// Streams that are open.
    #[must_use]
    pub const fn live(&self) -> usize {
        self.live
    }

    /// When packets are due next, or may have come that are to be looked at.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Micros> {
        if self.live == 0 {
            return None;
        }
        let is_due = |tick: &u64| {
            let group = group_of(*tick);
            group.is_multiple_of(TOGETHER) || !self.groups[group].is_empty()
        };
        (self.tick..).find(is_due).map(|tick| tick * TICK_US)
    }

    /// Sends what is due at `now`; the number of packets that were more than a packet's length late.
    pub fn advance(&mut self, now: Micros, mut send: impl FnMut(SocketAddr, &[u8]) -> bool) -> u64 {
        let mut late = 0;
        while self.live > 0 && self.tick * TICK_US <= now {
            let group = group_of(self.tick);
            if now - self.tick * TICK_US > PACKET_US {
                late += self.groups[group].len() as u64;
            }
            self.tick += 1;
            for at in 0..self.groups[group].len() {
                let key = self.groups[group][at];
                self.send_one(key, &mut send);
            }
            if self.live <= FEW {
                self.gather(group);
            }
        }
        late
    }

    /// The streams of a group go with those before them from their next packet on, which is a few milliseconds early once.
    fn gather(&mut self, group: usize) {
        let with = group - group % TOGETHER;
        if with == group {
            return;
        }
        for key in std::mem::take(&mut self.groups[group]) {
            if let Some(stream) = self.get(key) {
                stream.group = with;
            }
            self.groups[with].push(key);
        }
    }

    fn send_one(&mut self, key: StreamKey, send: &mut impl FnMut(SocketAddr, &[u8]) -> bool) {
        let Some(stream) = self.streams.get_mut(key.0) else { return };
        let samples = u32::try_from(FRAME).unwrap_or(0);
        self.packet.clear();
        let mut copies = 1;
        match (&mut stream.key, stream.event_type) {
            (Some(pressed), Some(payload_type)) => {
                let marker = pressed.sent == 0;
                pressed.sent += 1;
                let end = pressed.sent == KEY_PACKETS;
                let duration = u16::from(pressed.sent) * u16::try_from(FRAME).unwrap_or(0);
                write_header(&mut self.packet, marker, payload_type, stream.sequence, pressed.began, stream.ssrc);
                self.packet.extend_from_slice(&TelephoneEvent { event: pressed.event, end, duration }.to_bytes());
                if end {
                    copies = KEY_ENDS;
                    stream.key = None;
                }
            }
            _ => {
                let payload_type = stream.codec.payload_type();
                write_header(&mut self.packet, false, payload_type, stream.sequence, stream.timestamp, stream.ssrc);
                self.packet.extend_from_slice(stream.says.frame(stream.codec));
            }
        }
        for _ in 0..copies {
            self.packet[2..4].copy_from_slice(&stream.sequence.to_be_bytes());
            stream.sequence = stream.sequence.wrapping_add(1);
            self.sound.sent += 1;
            if !send(stream.remote, &self.packet) {
                self.sound.send_errors += 1;
            }
        }
        stream.timestamp = stream.timestamp.wrapping_add(samples);
    }

    /// Takes a datagram that came at `now`.
    pub fn receive(&mut self, now: Micros, from: SocketAddr, bytes: &[u8]) {
        if Packet::is_rtcp(bytes) {
            return;
        }
        let Some(packet) = Packet::parse(bytes) else {
            self.sound.stray += 1;
            return;
        };
        let Some(key) = self.by_remote.get(&from).copied() else {
            self.sound.stray += 1;
            return;
        };
        let Some(stream) = self.streams.get_mut(key.0) else { return };
        stream.received += 1;
        self.sound.received += 1;
        stream.reception.count(&packet, now / 125);
        if packet.payload_type != stream.codec.payload_type() {
            return;
        }
        let voice = stream.ear.hear(packet.payload, stream.codec);
        self.sound.audible += u64::from(voice != Voice::Silence);
        if voice == stream.hears {
            stream.maybe = None;
            return;
        }
        // Where one recording follows another, a frame may hold the end of the first and the beginning of the second.
        let began = match stream.maybe {
            Some((before, at)) if before == voice => at,
            _ => {
                stream.maybe = Some((voice, now));
                if voice != Voice::Silence && stream.hears == Voice::Silence && voice != Voice::Unknown {
                    now
                } else {
                    return;
                }
            }
        };
        stream.maybe = None;
        let before = std::mem::replace(&mut stream.hears, voice);
        self.heard.push(Heard { stream: key, at_us: began, before, voice });
    }

    /// Voices that began to be heard since this was asked last.
    pub fn take_heard(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.heard)
    }

    /// What was sent and heard; loss and jitter of streams that are closed.
    #[must_use]
    pub const fn sound(&self) -> &Sound {
        &self.sound
    }
}

/// Which group's turn a tick is.
fn group_of(tick: u64) -> usize {
    usize::try_from(tick % GROUPS as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    fn agreed(port: u16) -> Agreed {
        Agreed { remote: at(port), codec: Codec::Pcmu, event_type: Some(101) }
    }

    #[test]
    fn a_description_is_read_back() {
        let agreed = Agreed::of(&description(at(4_000), 7)).expect("our own");
        assert_eq!(agreed, Agreed { remote: at(4_000), codec: Codec::Pcmu, event_type: Some(101) });
        let alaw = "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=audio 9 RTP/AVP 18 8\r\n";
        let agreed = Agreed::of(alaw).expect("A-law");
        assert_eq!((agreed.codec, agreed.event_type, agreed.remote.port()), (Codec::Pcma, None, 9));
        assert_eq!(Agreed::of("v=0\r\n"), None);
        assert_eq!(Agreed::of(&alaw.replace("audio 9", "audio 0")), None);
    }

    /// Two parties talk for a second over a wire that loses one packet in ten.
    #[test]
    fn two_streams_hear_each_other() {
        let (mut a, mut b) = (Media::default(), Media::default());
        let one = a.open(0, agreed(2), Voice::Customer);
        let other = b.open(0, agreed(1), Voice::Operator);
        let mut count = 0;
        for now in (0..1_000_000).step_by(500) {
            let mut wire = Vec::new();
            a.advance(now, |_, bytes| {
                count += 1;
                if count % 10 != 5 {
                    wire.push((true, bytes.to_vec()));
                }
                true
            });
            b.advance(now, |_, bytes| {
                wire.push((false, bytes.to_vec()));
                true
            });
            for (from_a, bytes) in wire {
                if from_a { b.receive(now, at(1), &bytes) } else { a.receive(now, at(2), &bytes) }
            }
        }
        assert_eq!(a.hears(one), Voice::Operator);
        assert_eq!(b.take_heard().into_iter().map(|heard| heard.voice).collect::<Vec<_>>(), [Voice::Customer]);
        assert_eq!((a.close(one), b.close(other)), (50, 45));
        assert_eq!((a.sound().sent, a.sound().received, a.sound().lost), (50, 50, 0));
        assert_eq!((b.sound().lost, b.sound().audible, b.sound().heard), (5, 45, 1));
        assert!(b.sound().jitter_max_us < 2_000, "{:?}", b.sound());
        assert_eq!(a.next_deadline(), None);
    }

    #[test]
    fn packets_go_every_20_ms_and_many_streams_are_spread() {
        let mut media = Media::default();
        let keys: Vec<_> = (0..400).map(|n| media.open(u64::from(n) * 50, agreed(100 + n), Voice::Customer)).collect();
        let mut times: HashMap<u16, Vec<Micros>> = HashMap::new();
        let mut most = 0;
        for now in (0..200_000).step_by(1_000) {
            let mut here = 0;
            media.advance(now, |to, _| {
                times.entry(to.port()).or_default().push(now);
                here += 1;
                true
            });
            most = most.max(here);
        }
        assert_eq!(most, 20);
        for times in times.values() {
            assert!(times.windows(2).all(|pair| pair[1] - pair[0] == 20_000));
        }
        keys.into_iter().for_each(|key| {
            media.close(key);
        });
    }

    /// A few streams are heard at once, and wake nobody more often than every 5 ms when they have been.
    #[test]
    fn a_few_streams_send_together() {
        let mut media = Media::default();
        let mut times: HashMap<u16, Vec<Micros>> = HashMap::new();
        let mut turns = Vec::new();
        let (mut now, mut opened) = (0, 0_u16);
        while now < 400_000 {
            while opened < 60 && u64::from(opened) * 1_700 <= now {
                media.open(now, agreed(100 + opened), Voice::Customer);
                opened += 1;
            }
            let due = media.next_deadline().expect("somebody speaks");
            media.advance(now, |to, _| {
                times.entry(to.port()).or_default().push(now);
                true
            });
            turns.push(due);
            now = media.next_deadline().expect("somebody speaks").min(if opened < 60 {
                u64::from(opened) * 1_700
            } else {
                now + 20_000
            });
        }
        for (port, times) in times {
            let gaps: Vec<Micros> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            assert!(times[0] - u64::from(port - 100) * 1_700 <= 1_000, "the first packet goes at once");
            assert!((15_000..=20_000).contains(&gaps[0]), "{gaps:?}");
            assert!(gaps[1..].iter().all(|gap| *gap == 20_000), "{gaps:?}");
        }
        let late: Vec<Micros> = turns.into_iter().filter(|at| *at > 150_000).collect();
        assert!(late.windows(2).all(|pair| pair[1] - pair[0] == 5_000), "{late:?}");
    }

    #[test]
    fn a_key_is_a_telephone_event() {
        let mut media = Media::default();
        let key = media.open(0, agreed(9), Voice::Silence);
        assert!(media.press(key, '5'));
        assert!(!media.press(key, 'x'));
        let mut reader = callfloor_sip::media::rtp::KeyReader::default();
        let mut pressed = Vec::new();
        let mut sequences = Vec::new();
        for now in (0..300_000).step_by(1_000) {
            media.advance(now, |_, bytes| {
                let packet = Packet::parse(bytes).expect("RTP");
                sequences.push(packet.sequence);
                if packet.payload_type == 101 {
                    let event = TelephoneEvent::parse(packet.payload).expect("an event");
                    pressed.extend(reader.take(packet.timestamp, event));
                }
                true
            });
        }
        assert_eq!(pressed, [('5', 800)]);
        assert!(sequences.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1)));
    }
}
