//! The built-in media: the side that the host talks to. Descriptions and ports are dealt with here, audio on the worker's thread.

use super::worker::{Command, Shared, Worker};
use super::{
    Direction, Media, MediaError, MediaEvent, MixId, Recording, SessionId, SessionOptions, Source, Statistics, rtp,
};
use crate::sdp::{Agreed, Local, SrtpKey};
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;

/// Settings of the built-in media.
#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// The address to bind RTP on.
    pub address: IpAddr,
    /// The address that descriptions state, where it is another.
    pub public: Option<IpAddr>,
    /// The ports for RTP (even) and RTCP (the next one).
    pub ports: RangeInclusive<u16>,
    /// Sessions at most.
    pub max_sessions: usize,
    /// [`MediaEvent::Quiet`] after so long without a packet where there should be some; not less than 5 s.
    pub quiet_after: Option<Duration>,
}

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            public: None,
            ports: 20_000..=39_999,
            max_sessions: 10_000,
            quiet_after: Some(Duration::from_secs(30)),
        }
    }
}

/// The events of a media engine, in order.
#[derive(Debug)]
pub struct MediaEvents(mpsc::UnboundedReceiver<MediaEvent>);

impl MediaEvents {
    /// Waits for the next event; `None` after the engine has stopped.
    pub async fn next(&mut self) -> Option<MediaEvent> {
        self.0.recv().await
    }

    /// Waits for the next event, outside of an async runtime.
    pub fn blocking_next(&mut self) -> Option<MediaEvent> {
        self.0.blocking_recv()
    }
}

/// The built-in [`Media`]: an RTP relay, player, mixer and recorder on one thread of its own.
///
/// The thread ends when the engine is dropped.
#[derive(Debug)]
pub struct MediaEngine {
    config: MediaConfig,
    state: Mutex<State>,
    commands: Sender<Command>,
    waker: Arc<mio::Waker>,
    /// Whether the worker was woken for commands that it has not looked at yet.
    woken: Arc<AtomicBool>,
    next_id: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<u64, Control>,
    mixes: HashSet<u64>,
    /// Ports in use, as the even one of each pair.
    used: HashSet<u16>,
    next_port: u16,
}

#[derive(Debug)]
struct Control {
    local: Local,
    agreed: Option<Agreed>,
    shared: Arc<Shared>,
    port: u16,
}

impl MediaEngine {
    /// Starts the engine.
    ///
    /// # Errors
    /// If the system gives no poller or no thread, or the range has no pair of ports.
    pub fn start(config: MediaConfig) -> io::Result<(Self, MediaEvents)> {
        if pairs(&config.ports).next().is_none() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the port range has no even port with its next one",
            ));
        }
        let (event_sender, events) = mpsc::unbounded_channel();
        let (commands, receiver) = channel();
        let poll = mio::Poll::new()?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), Worker::WAKE)?);
        let woken = Arc::<AtomicBool>::default();
        let worker = Worker::new(poll, (receiver, Arc::clone(&woken)), event_sender, config.quiet_after);
        std::thread::Builder::new().name("callfloor-media".to_owned()).spawn(move || worker.run())?;
        let next_port = *config.ports.start();
        let state = Mutex::new(State { next_port, ..State::default() });
        Ok((Self { config, state, commands, waker, woken, next_id: AtomicU64::new(1) }, MediaEvents(events)))
    }

    /// Sessions that are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.lock().sessions.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, command: Command) {
        // The worker only ends after the engine is dropped.
        let _ = self.commands.send(command);
        if !self.woken.swap(true, Ordering::AcqRel) {
            let _ = self.waker.wake();
        }
    }

    fn known(&self, session: SessionId) -> Result<(), MediaError> {
        if self.lock().sessions.contains_key(&session.0) { Ok(()) } else { Err(MediaError::Unknown) }
    }

    fn bind(&self, state: &mut State) -> Result<(u16, UdpSocket, UdpSocket), MediaError> {
        let start = self.config.ports.start().saturating_add(self.config.ports.start() % 2);
        let count = u16::try_from(pairs(&self.config.ports).len()).unwrap_or(u16::MAX);
        let offset = state.next_port.saturating_sub(start) / 2;
        for n in 0..count {
            // Within the range, as `count` pairs fit into it.
            let port = start + (offset % count + n) % count * 2;
            if state.used.contains(&port) {
                continue;
            }
            let bind = |port| -> io::Result<UdpSocket> {
                let socket = UdpSocket::bind(SocketAddr::new(self.config.address, port))?;
                socket.set_nonblocking(true)?;
                Ok(socket)
            };
            if let (Ok(rtp), Ok(rtcp)) = (bind(port), bind(port + 1)) {
                state.used.insert(port);
                state.next_port = port.saturating_add(2);
                return Ok((port, rtp, rtcp));
            }
        }
        Err(MediaError::NoPorts)
    }
}

/// The even ports whose next one is in the range too.
fn pairs(range: &RangeInclusive<u16>) -> impl ExactSizeIterator<Item = u16> {
    let end = *range.end();
    let start = range.start().saturating_add(range.start() % 2);
    (start..end).step_by(2)
}

impl Drop for MediaEngine {
    fn drop(&mut self) {
        self.tell(Command::Stop);
    }
}

impl Media for MediaEngine {
    fn open(&self, options: &SessionOptions) -> Result<SessionId, MediaError> {
        let mut random = [0; 38];
        getrandom::fill(&mut random).map_err(|e| MediaError::Io(e.to_string()))?;
        let [a, b, c, d, e, f, g, h, key @ ..] = random;
        // The origin's session id is a number that some peers keep in 63 bits or fewer.
        let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 16;
        let mut state = self.lock();
        if state.sessions.len() >= self.config.max_sessions {
            return Err(MediaError::TooMany);
        }
        let (port, rtp, rtcp) = self.bind(&mut state)?;
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new(Shared::default());
        let stated = SocketAddr::new(self.config.public.unwrap_or(self.config.address), port);
        let local = Local::new(stated, number, options.encryption, SrtpKey::from_bytes(key));
        state.sessions.insert(id, Control { local, agreed: None, shared: Arc::clone(&shared), port });
        drop(state);
        let seed = u32::from_be_bytes([key[0], key[7], key[13], key[29]]) ^ u32::from_be_bytes([e, f, g, h]);
        let any_source = options.any_source_once;
        self.tell(Command::Open { id, rtp, rtcp, shared, seed, any_source });
        Ok(SessionId(id))
    }

    fn offer(&self, session: SessionId) -> Result<String, MediaError> {
        let mut state = self.lock();
        let control = state.sessions.get_mut(&session.0).ok_or(MediaError::Unknown)?;
        let agreed = control.agreed;
        Ok(control.local.offer(agreed.as_ref()))
    }

    fn answer(&self, session: SessionId, offer: &str) -> Result<String, MediaError> {
        let mut state = self.lock();
        let control = state.sessions.get_mut(&session.0).ok_or(MediaError::Unknown)?;
        let (answer, agreed) = control.local.answer(offer)?;
        control.agreed = Some(agreed);
        drop(state);
        self.tell(Command::Agree(session.0, agreed));
        Ok(answer)
    }

    fn accept(&self, session: SessionId, answer: &str) -> Result<(), MediaError> {
        let mut state = self.lock();
        let control = state.sessions.get_mut(&session.0).ok_or(MediaError::Unknown)?;
        let agreed = control.local.accept(answer)?;
        control.agreed = Some(agreed);
        drop(state);
        self.tell(Command::Agree(session.0, agreed));
        Ok(())
    }

    fn set_direction(&self, session: SessionId, direction: Direction) -> Result<(), MediaError> {
        let mut state = self.lock();
        let control = state.sessions.get_mut(&session.0).ok_or(MediaError::Unknown)?;
        control.local.direction = direction;
        Ok(())
    }

    fn hear(&self, session: SessionId, source: Source) -> Result<(), MediaError> {
        self.known(session)?;
        match &source {
            Source::Peer(other) => self.known(*other)?,
            Source::Mix(mix) if !self.lock().mixes.contains(&mix.0) => return Err(MediaError::Unknown),
            _ => {}
        }
        self.tell(Command::Hear(session.0, source));
        Ok(())
    }

    fn press(&self, session: SessionId, key: char, duration: Duration) -> Result<(), MediaError> {
        self.known(session)?;
        if let Some(event) = rtp::TelephoneEvent::of_key(key) {
            // In samples; a key held for longer than 8 s does not fit.
            let samples = u16::try_from(duration.as_millis().saturating_mul(8)).unwrap_or(u16::MAX);
            self.tell(Command::Press(session.0, event, samples.max(400)));
        }
        Ok(())
    }

    fn open_mix(&self) -> Result<MixId, MediaError> {
        let mut state = self.lock();
        if state.mixes.len() >= self.config.max_sessions {
            return Err(MediaError::TooMany);
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        state.mixes.insert(id);
        drop(state);
        self.tell(Command::OpenMix(id));
        Ok(MixId(id))
    }

    fn gain(&self, mix: MixId, speaker: SessionId, listener: SessionId, gain: f32) -> Result<(), MediaError> {
        if !self.lock().mixes.contains(&mix.0) || !(0.0..=4.0).contains(&gain) {
            return Err(MediaError::Unknown);
        }
        self.tell(Command::Gain { mix: mix.0, speaker: speaker.0, listener: listener.0, gain });
        Ok(())
    }

    fn close_mix(&self, mix: MixId) {
        if self.lock().mixes.remove(&mix.0) {
            self.tell(Command::CloseMix(mix.0));
        }
    }

    fn record(&self, session: SessionId, recording: Recording) -> Result<(), MediaError> {
        self.known(session)?;
        let recorder = super::recorder::Recorder::create(recording).map_err(MediaError::Io)?;
        self.tell(Command::Record(session.0, Box::new(recorder)));
        Ok(())
    }

    fn stop_recording(&self, session: SessionId) {
        self.tell(Command::StopRecording(session.0));
    }

    fn statistics(&self, session: SessionId) -> Option<Statistics> {
        self.lock().sessions.get(&session.0).map(|control| control.shared.statistics())
    }

    fn close(&self, session: SessionId) -> Option<Statistics> {
        let mut state = self.lock();
        let control = state.sessions.remove(&session.0)?;
        let statistics = control.shared.statistics();
        // The port stays reserved until the worker has closed its sockets.
        let port = control.port;
        drop(state);
        self.tell(Command::Close(session.0));
        self.lock().used.remove(&port);
        Some(statistics)
    }
}
