//! The thread that audio runs on: packets are relayed as they come, and every 20 ms clips, mixes, keys and recordings go on.

use super::jitter::{FRAME, Jitter};
use super::mix::Mix;
use super::recorder::Recorder;
use super::session::{Hears, Session, Taken};
use super::{MediaEvent, RecordingEnd, SessionId, Source, Statistics};
use crate::sdp::Agreed;
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::Ordering::{AcqRel, Relaxed};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::UnboundedSender;

const TICK: Duration = Duration::from_millis(20);
/// Reports, and the look for quiet sessions, come every 250 ticks: 5 s.
const ROUND: u64 = 250;
/// Packets read from one socket before others have their turn.
const BATCH: usize = 32;
/// The largest packet: more than any that carries 60 ms of G.711 with SRTP.
const MAX_PACKET: usize = 2048;

/// Counts that both sides see.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) received: AtomicU64,
    pub(super) sent: AtomicU64,
    pub(super) lost: AtomicU64,
    /// In samples.
    pub(super) jitter: AtomicU64,
    pub(super) foreign: AtomicU64,
    pub(super) malformed: AtomicU64,
    /// In 65,536ths of a second, plus one; 0 if not known.
    pub(super) round_trip: AtomicU64,
    /// In 256ths, plus one; 0 if not known.
    pub(super) peer_lost: AtomicU64,
}

fn known(value: &AtomicU64) -> Option<f64> {
    let value = u32::try_from(value.load(Relaxed)).unwrap_or(u32::MAX);
    value.checked_sub(1).map(f64::from)
}

impl Shared {
    pub(super) fn statistics(&self) -> Statistics {
        Statistics {
            received: self.received.load(Relaxed),
            sent: self.sent.load(Relaxed),
            lost: self.lost.load(Relaxed),
            jitter_ms: f64::from(u32::try_from(self.jitter.load(Relaxed)).unwrap_or(u32::MAX)) / 8.0,
            foreign: self.foreign.load(Relaxed),
            malformed: self.malformed.load(Relaxed),
            round_trip_ms: known(&self.round_trip).map(|v| v * 1000.0 / 65_536.0),
            peer_lost_share: known(&self.peer_lost).map(|v| v / 256.0),
        }
    }
}

/// What the host's side orders.
#[derive(Debug)]
pub(super) enum Command {
    Open { id: u64, rtp: UdpSocket, rtcp: UdpSocket, shared: Arc<Shared>, seed: u32, any_source: bool },
    Agree(u64, Agreed),
    Hear(u64, Source),
    Press(u64, u8, u16),
    OpenMix(u64),
    Gain { mix: u64, speaker: u64, listener: u64, gain: f32 },
    CloseMix(u64),
    Record(u64, Box<Recorder>),
    StopRecording(u64),
    Close(u64),
    Stop,
}

pub(super) struct Worker {
    poll: Poll,
    commands: Receiver<Command>,
    /// Whether we were woken for commands that were not looked at yet.
    woken: Arc<AtomicBool>,
    events: UnboundedSender<MediaEvent>,
    quiet_after: Option<Duration>,
    /// Sessions by slot; a slot's two tokens are `2 * slot` and `2 * slot + 1`.
    slots: Vec<Option<Session>>,
    free: Vec<usize>,
    by_id: HashMap<u64, usize>,
    mixes: HashMap<u64, Mix>,
    begin: Instant,
    tick: u64,
}

impl Worker {
    pub(super) const WAKE: Token = Token(usize::MAX);

    pub(super) fn new(
        poll: Poll,
        (commands, woken): (Receiver<Command>, Arc<AtomicBool>),
        events: UnboundedSender<MediaEvent>,
        quiet_after: Option<Duration>,
    ) -> Self {
        Self {
            poll,
            commands,
            woken,
            events,
            quiet_after,
            slots: Vec::new(),
            free: Vec::new(),
            by_id: HashMap::new(),
            mixes: HashMap::new(),
            begin: Instant::now(),
            tick: 0,
        }
    }

    pub(super) fn run(mut self) {
        let mut ready = Events::with_capacity(1024);
        let mut buffer = [0; MAX_PACKET];
        loop {
            let due = self.begin + TICK * u32::try_from(self.tick).unwrap_or(u32::MAX);
            let wait = if self.by_id.is_empty() { None } else { Some(due.saturating_duration_since(Instant::now())) };
            if let Err(error) = self.poll.poll(&mut ready, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, "the media poller failed");
                return;
            }
            for event in &ready {
                let Token(token) = event.token();
                if event.token() == Self::WAKE {
                    if !self.take_commands() {
                        return;
                    }
                } else if token % 2 == 0 {
                    self.read_rtp(token / 2, &mut buffer);
                } else if let Some(Some(session)) = self.slots.get_mut(token / 2) {
                    session.read_rtcp(&mut buffer, Instant::now());
                }
            }
            let now = Instant::now();
            if self.by_id.is_empty() {
                // Nothing to do: the ticks begin anew with the next session.
                (self.begin, self.tick) = (now, 0);
                continue;
            }
            let mut caught_up = 0;
            while now >= self.begin + TICK * u32::try_from(self.tick).unwrap_or(u32::MAX) {
                if caught_up == 10 || self.tick >= u64::from(u32::MAX / 2) {
                    // Far behind (the machine slept): what was missed is not played in one burst.
                    (self.begin, self.tick) = (now, 0);
                }
                self.tick += 1;
                caught_up += 1;
                self.tick(now);
            }
        }
    }

    fn tell(&self, event: MediaEvent) {
        // Nobody listens any more: the engine is about to be dropped.
        let _ = self.events.send(event);
    }

    fn session(&mut self, id: u64) -> Option<&mut Session> {
        self.by_id.get(&id).and_then(|&slot| self.slots[slot].as_mut())
    }

    /// Does all that was ordered; false at the end.
    fn take_commands(&mut self) -> bool {
        // Ahead of the look: what comes after it wakes us again.
        self.woken.swap(false, AcqRel);
        loop {
            match self.commands.try_recv() {
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return false,
                Ok(command) => self.command(command),
                Err(TryRecvError::Empty) => return true,
            }
        }
    }

    fn command(&mut self, command: Command) {
        let now = Instant::now();
        match command {
            Command::Open { id, rtp, rtcp, shared, seed, any_source } => {
                let slot = self.free.pop().unwrap_or_else(|| {
                    self.slots.push(None);
                    self.slots.len() - 1
                });
                let mut rtp = mio::net::UdpSocket::from_std(rtp);
                let mut rtcp = mio::net::UdpSocket::from_std(rtcp);
                let registry = self.poll.registry();
                for (socket, token) in [(&mut rtp, slot * 2), (&mut rtcp, slot * 2 + 1)] {
                    if let Err(error) = registry.register(socket, Token(token), Interest::READABLE) {
                        tracing::error!(%error, "a media socket cannot be watched");
                    }
                }
                self.slots[slot] = Some(Session::new(id, (rtp, rtcp), shared, seed, any_source, now));
                self.by_id.insert(id, slot);
            }
            Command::Agree(id, agreed) => {
                if let Some(session) = self.session(id) {
                    session.agree(agreed, now);
                }
            }
            Command::Hear(id, source) => self.hear(id, source),
            Command::Press(id, event, samples) => {
                if let Some(session) = self.session(id) {
                    session.press(event, samples);
                }
            }
            Command::OpenMix(id) => {
                self.mixes.insert(id, Mix::default());
            }
            Command::Gain { mix, speaker, listener, gain } => {
                if let Some(mix) = self.mixes.get_mut(&mix) {
                    mix.set_gain(speaker, listener, gain);
                }
            }
            Command::CloseMix(id) => {
                for member in self.mixes.remove(&id).map(|mix| mix.members).unwrap_or_default() {
                    if let Some(session) = self.session(member) {
                        session.switch(Hears::Nothing);
                        Self::settle_jitter(session);
                    }
                }
            }
            Command::Record(id, recorder) => {
                self.end_recording(id, RecordingEnd::Stopped);
                if let Some(session) = self.session(id) {
                    session.recorder = Some(recorder);
                    session.jitter.get_or_insert_with(|| Box::new(Jitter::new()));
                }
            }
            Command::StopRecording(id) => self.end_recording(id, RecordingEnd::Stopped),
            Command::Close(id) => self.close(id),
            Command::Stop => {}
        }
    }

    /// A jitter buffer is only kept where audio is mixed or recorded.
    fn settle_jitter(session: &mut Session) {
        if session.recorder.is_none() && !matches!(session.hears, Hears::Mix(_)) {
            session.jitter = None;
        }
    }

    fn hear(&mut self, id: u64, source: Source) {
        self.leave_source(id);
        let hears = match source {
            Source::Silence => Hears::Nothing,
            Source::Peer(SessionId(other)) => match self.session(other) {
                Some(peer) => {
                    peer.listeners.push(id);
                    Hears::Peer(other)
                }
                None => Hears::Nothing,
            },
            Source::Clip { clip, repeat } => Hears::Clip { clip, repeat, at: 0 },
            Source::Mix(super::MixId(mix)) => match self.mixes.get_mut(&mix) {
                Some(found) if self.by_id.contains_key(&id) => {
                    found.members.push(id);
                    Hears::Mix(mix)
                }
                _ => Hears::Nothing,
            },
        };
        if let Some(session) = self.session(id) {
            if matches!(hears, Hears::Mix(_)) {
                session.jitter.get_or_insert_with(|| Box::new(Jitter::new()));
            }
            session.switch(hears);
            Self::settle_jitter(session);
        }
    }

    /// Undoes what the other side of a source keeps of this session.
    fn leave_source(&mut self, id: u64) {
        match self.session(id).map(|s| match s.hears {
            Hears::Peer(other) => (Some(other), None),
            Hears::Mix(mix) => (None, Some(mix)),
            _ => (None, None),
        }) {
            Some((Some(other), _)) => {
                if let Some(peer) = self.session(other) {
                    peer.listeners.retain(|&l| l != id);
                }
            }
            Some((_, Some(mix))) => {
                if let Some(mix) = self.mixes.get_mut(&mix) {
                    mix.members.retain(|&m| m != id);
                }
            }
            _ => {}
        }
    }

    fn end_recording(&mut self, id: u64, end: RecordingEnd) {
        let Some(session) = self.session(id) else { return };
        if let Some(recorder) = session.recorder.take() {
            Self::settle_jitter(session);
            let length = recorder.length();
            self.tell(MediaEvent::RecordingEnded { session: SessionId(id), length, end });
        }
    }

    fn close(&mut self, id: u64) {
        self.end_recording(id, RecordingEnd::Stopped);
        self.leave_source(id);
        for mix in self.mixes.values_mut() {
            mix.forget(id);
        }
        let Some(slot) = self.by_id.remove(&id) else { return };
        let Some(mut session) = self.slots[slot].take() else { return };
        for listener in std::mem::take(&mut session.listeners) {
            if let Some(listener) = self.session(listener) {
                listener.switch(Hears::Nothing);
            }
        }
        // Closing the sockets ends the watch as well.
        let _ = self.poll.registry().deregister(&mut session.rtp);
        let _ = self.poll.registry().deregister(&mut session.rtcp);
        self.free.push(slot);
    }

    fn read_rtp(&mut self, slot: usize, buffer: &mut [u8; MAX_PACKET]) {
        let now = Instant::now();
        // Samples since the beginning, for jitter.
        let arrival = u64::try_from(now.duration_since(self.begin).as_micros() / 125).unwrap_or(0);
        for n in 0.. {
            let Some(Some(session)) = self.slots.get_mut(slot) else { return };
            let (length, from) = match session.rtp.recv_from(buffer) {
                Ok(got) => got,
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && n < BATCH => continue,
                Err(_) => return,
            };
            if n >= BATCH * 8 {
                // A flood on one port: others have their turn, and this one is looked at again after them.
                let token = Token(slot * 2);
                if let Err(error) = self.poll.registry().reregister(&mut session.rtp, token, Interest::READABLE) {
                    tracing::error!(%error, "a media socket cannot be watched");
                }
                return;
            }
            let id = session.id;
            let first = !session.heard;
            let (taken, packet) = session.take(&mut buffer[..length], from, now, arrival);
            let Some(packet) = packet else { continue };
            session.heard = true;
            let listeners = std::mem::take(&mut session.listeners);
            let stop_key = session.recorder.as_ref().and_then(|r| r.stop_key());
            if first {
                self.tell(MediaEvent::FirstPacket { session: SessionId(id) });
            }
            for listener in &listeners {
                if let Some(listener) = self.session(*listener) {
                    listener.relay(&packet, taken, now);
                }
            }
            if let Some(Some(session)) = self.slots.get_mut(slot) {
                session.listeners = listeners;
            }
            if let Taken::Event { key: Some((key, samples)) } = taken {
                self.tell_key(id, key, samples, stop_key);
            }
        }
    }

    fn tell_key(&mut self, id: u64, key: char, samples: u16, stop_key: Option<char>) {
        let duration = Duration::from_millis(u64::from(samples) / 8);
        self.tell(MediaEvent::Dtmf { session: SessionId(id), key, duration });
        if stop_key == Some(key) {
            self.end_recording(id, RecordingEnd::Key);
        }
    }

    fn tick(&mut self, now: Instant) {
        let round = self.tick % ROUND;
        for slot in 0..self.slots.len() {
            let Some(session) = self.slots[slot].as_mut() else { continue };
            let id = session.id;
            if slot as u64 % ROUND == round {
                session.report(now);
                self.look_for_quiet(slot, now);
            }
            let Some(session) = self.slots[slot].as_mut().filter(|s| s.ticks()) else { continue };
            session.press_tick(now);
            let finished = matches!(session.hears, Hears::Clip { .. }) && session.play(now);
            let mut recorded = None;
            // What is mixed is recorded with the mix, from the same frame.
            if !matches!(session.hears, Hears::Mix(_))
                && let (Some(recorder), Some(jitter)) = (session.recorder.as_mut(), session.jitter.as_mut())
            {
                let mut frame = [0; FRAME];
                jitter.pop(&mut frame);
                recorded = recorder.take(&frame);
            }
            let stop_key = session.recorder.as_ref().and_then(|r| r.stop_key());
            let key = session.expired_key(now);
            if finished {
                session.switch(Hears::Nothing);
                self.tell(MediaEvent::ClipFinished { session: SessionId(id) });
            }
            if let Some(end) = recorded {
                self.end_recording(id, end);
            }
            if let Some((key, samples)) = key {
                self.tell_key(id, key, samples, stop_key);
            }
        }
        self.mix(now);
    }

    fn look_for_quiet(&mut self, slot: usize, now: Instant) {
        let Some(limit) = self.quiet_after else { return };
        let Some(session) = self.slots[slot].as_mut() else { return };
        if session.receives() && !session.quiet_told && now.duration_since(session.heard_at) >= limit {
            session.quiet_told = true;
            let id = session.id;
            self.tell(MediaEvent::Quiet { session: SessionId(id) });
        }
    }

    fn mix(&mut self, now: Instant) {
        if self.mixes.is_empty() {
            return;
        }
        let mixes = std::mem::take(&mut self.mixes);
        let mut said = Vec::new();
        let mut heard = Vec::new();
        let mut ended = Vec::new();
        for mix in mixes.values() {
            said.clear();
            for &member in &mix.members {
                let mut frame = [0; FRAME];
                if let Some(session) = self.session(member) {
                    if let Some(jitter) = &mut session.jitter {
                        jitter.pop(&mut frame);
                    }
                    if let Some(end) = session.recorder.as_mut().and_then(|r| r.take(&frame)) {
                        ended.push((member, end));
                    }
                }
                said.push(frame);
            }
            mix.mix(&said, &mut heard);
            for (&member, frame) in mix.members.iter().zip(&heard) {
                if let Some(session) = self.session(member) {
                    session.play_samples(frame, now);
                }
            }
        }
        self.mixes = mixes;
        for (id, end) in ended {
            self.end_recording(id, end);
        }
    }
}
