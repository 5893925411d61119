//! A telephone that calls or is called, and whose ear can be looked into: what it heard is there as samples.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use callfloor_server::config::Config;
use callfloor_sip::media::{Clip, Media as _, MediaConfig, MediaEngine, MediaEvents, Recording};
use callfloor_sip::{
    Cause, Credentials, Endpoint, EndpointConfig, Event, Events, Invite, LegId, Listen, Registration, SessionId,
    SessionOptions, Source, Transport, Via,
};

/// A port that is free for UDP and TCP, the seven above it being nobody else's either: below those that the system gives to
/// whoever connects, who may take one between this look and its use.
pub fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(any_port()));
    let candidates = std::iter::repeat_with(|| 10_000 + NEXT.fetch_add(8, Ordering::Relaxed) % 10_000 / 8 * 8);
    let is_free = |port: &u16| {
        let at = (Ipv4Addr::LOCALHOST, *port);
        std::net::UdpSocket::bind(at).is_ok() && std::net::TcpListener::bind(at).is_ok()
    };
    candidates.take(1_000).find(is_free).expect("one of a thousand ports is free")
}

/// Some port that the system thinks of.
fn any_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A range of RTP ports that other tests hardly use.
pub fn port_range(length: u16) -> std::ops::RangeInclusive<u16> {
    let first = 20_000 + any_port() % 20_000 / 2 * 2;
    first..=first + length - 1
}

/// The configuration of a server with telephones, at addresses that are free.
pub fn with_telephones() -> Config {
    with_telephones_and("")
}

/// The same, with more keys of `[sip]`.
pub fn with_telephones_and(sip: &str) -> Config {
    let ports = port_range(200);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:{}\"\n{sip}\n[media]\nfirst_port = {}\nlast_port = {}\n",
        free_port(),
        ports.start(),
        ports.end()
    );
    Config::read("test", &text, []).expect("a right configuration")
}

pub struct Telephone {
    endpoint: Endpoint,
    events: Events,
    media: MediaEngine,
    _audio: MediaEvents,
    call: Option<(LegId, SessionId)>,
    directory: tempfile::TempDir,
    recordings: u32,
}

impl Telephone {
    pub async fn new() -> Self {
        let config =
            EndpointConfig { listen: vec![Listen::udp(([127, 0, 0, 1], 0).into())], ..EndpointConfig::default() };
        let (endpoint, events) = Endpoint::bind(config).await.unwrap();
        let (media, audio) =
            MediaEngine::start(MediaConfig { ports: port_range(20), ..MediaConfig::default() }).unwrap();
        let directory = tempfile::tempdir().unwrap();
        Self { endpoint, events, media, _audio: audio, call: None, directory, recordings: 0 }
    }

    pub fn address(&self) -> SocketAddr {
        self.endpoint.addresses()[0]
    }

    /// Registers at the server as an operator's telephone.
    pub async fn registers(&mut self, server: SocketAddr, user: &str, password: &str) {
        self.registers_at(server, "callfloor.local", user, password).await.expect("it is registered");
    }

    /// Registers at the server as a telephone of a domain; an error is the code that refused it.
    pub async fn registers_at(
        &mut self,
        server: SocketAddr,
        domain: &str,
        user: &str,
        password: &str,
    ) -> Result<(), Option<u16>> {
        let registration = Registration {
            registrar: format!("sip:{server}"),
            user: user.into(),
            domain: Some(domain.into()),
            credentials: Credentials { user: user.into(), password: password.into() },
            expires_s: 600,
            via: Via::Uri,
        };
        self.endpoint.register(registration).unwrap();
        self.wait("registration", |event| match event {
            Event::Registered { .. } => Some(Ok(())),
            Event::RegistrationFailed { code, .. } => Some(Err(*code)),
            _ => None,
        })
        .await
    }

    /// Calls a number and is answered.
    pub async fn calls(&mut self, server: SocketAddr, number: &str) {
        self.calls_at(server, &server.to_string(), number).await.expect("an answer");
    }

    /// Calls a number of a domain; an error is why it was not answered.
    pub async fn calls_at(&mut self, server: SocketAddr, domain: &str, number: &str) -> Result<(), Cause> {
        let session = self.media.open(&SessionOptions::default()).unwrap();
        let invite = Invite {
            target: format!("sip:{number}@{domain}"),
            via: Via::Proxy { transport: Transport::Udp, address: server },
            caller: "09011112222".into(),
            offer: Some(self.media.offer(session).unwrap()),
            ..Invite::default()
        };
        let leg = self.endpoint.invite(invite).unwrap();
        let sdp = self
            .wait("answer", |event| match event {
                Event::Answered { sdp, .. } => sdp.clone().map(Ok),
                Event::Ended { cause, .. } => Some(Err(cause.clone())),
                _ => None,
            })
            .await?;
        self.media.accept(session, &sdp).unwrap();
        self.call = Some((leg, session));
        Ok(())
    }

    /// Is called, and rings.
    pub async fn rings(&mut self) -> (LegId, Option<String>) {
        let (leg, offer) = self
            .wait("call", |event| match event {
                Event::Incoming(call) => Some((call.leg, call.offer.clone())),
                _ => None,
            })
            .await;
        self.endpoint.ring(leg).unwrap();
        (leg, offer)
    }

    /// Is called, and answers.
    pub async fn answers(&mut self) {
        let (leg, offer) = self.rings().await;
        let session = self.media.open(&SessionOptions::default()).unwrap();
        let answer = self.media.answer(session, &offer.expect("an offer")).unwrap();
        self.endpoint.answer(leg, answer).unwrap();
        self.call = Some((leg, session));
    }

    /// Says a clip over and over from now on.
    pub fn says(&self, clip: Clip) {
        let (_, session) = self.call.expect("a call");
        self.media.hear(session, Source::Clip { clip: Arc::new(clip), repeat: true }).unwrap();
    }

    /// What is heard from now on for so long.
    pub async fn hears(&mut self, length: Duration) -> Vec<i16> {
        let (_, session) = self.call.expect("a call");
        self.recordings += 1;
        let path: PathBuf = self.directory.path().join(format!("{}.wav", self.recordings));
        let recording = Recording { path: path.clone(), limit: length * 2, silence: None, stop_key: None };
        self.media.record(session, recording).unwrap();
        tokio::time::sleep(length).await;
        self.media.stop_recording(session);
        // The file's lengths are written when the recording is over.
        let mut tries = 0;
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            tries += 1;
            match Clip::from_wav_file(&path) {
                Ok(clip) if !clip.samples().is_empty() => return clip.samples().to_vec(),
                _ if tries < 40 => {}
                found => panic!("nothing was heard: {found:?}"),
            }
        }
    }

    pub async fn hangs_up(&mut self) {
        let (leg, session) = self.call.take().expect("a call");
        self.endpoint.hang_up(leg).unwrap();
        self.ended().await;
        self.media.close(session);
    }

    /// Waits until the call is over.
    pub async fn ended(&mut self) -> Cause {
        self.wait("end", |event| match event {
            Event::Ended { cause, .. } => Some(cause.clone()),
            _ => None,
        })
        .await
    }

    async fn wait<T>(&mut self, what: &str, mut find: impl FnMut(&Event) -> Option<T>) -> T {
        let wait = async {
            loop {
                let event = self.events.next().await.expect("the endpoint runs");
                if let Some(found) = find(&event) {
                    return found;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("no {what} in 20 s"))
    }
}

/// The best normalised correlation of the loudest eighth of a second that was heard with a clip that may repeat: 1 where it
/// is that clip.
pub fn correlation(heard: &[i16], clip: &[i16]) -> f64 {
    const PIECE: usize = 1_000;
    let energy = |x: &[f32]| x.iter().map(|s| s * s).sum::<f32>();
    let heard: Vec<f32> = heard.iter().map(|&s| f32::from(s)).collect();
    let pieces = heard.windows(PIECE).step_by(100);
    let Some(piece) = pieces.max_by(|a, b| energy(a).total_cmp(&energy(b))) else { return 0.0 };
    let looped: Vec<f32> = clip.iter().cycle().take(clip.len() + PIECE).map(|&s| f32::from(s)).collect();
    let own = energy(piece);
    let mut best = 0.0_f32;
    for at in 0..clip.len() {
        let other = &looped[at..at + PIECE];
        let dot: f32 = piece.iter().zip(other).map(|(a, b)| a * b).sum();
        best = best.max(dot / (own * energy(other)).sqrt().max(1.0));
    }
    f64::from(best)
}
