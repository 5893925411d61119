//! Real peers: SIPp as customers and as an operator's phone, and baresip, which registers, answers, and is heard.
//!
//! Where a peer is not installed its tests print `skipped` and pass.

use callfloor_sip::digest::Secret;
use callfloor_sip::media::{Clip, MediaConfig, MediaEngine};
use callfloor_sip::{
    Bound, Cause, Direction, Encryption, Endpoint, EndpointConfig, Event, Flow, Invite, LegId, Listen, Media,
    MediaEvent, SessionId, SessionOptions, Settings, Source, Tls, Via,
};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// What the test wants to know of the floor.
#[derive(Debug, PartialEq)]
enum News {
    Registered(Flow, String),
    Answered(LegId),
    Ended(Cause),
    Key(char),
}

/// A small floor: numbers decide what becomes of a call.
///
/// `music` is answered and hears hold music; `ring` rings and is never answered; `bridge` is joined with a call to `target`.
struct Floor {
    endpoint: Endpoint,
    media: Arc<MediaEngine>,
    target: Option<SocketAddr>,
    sessions: HashMap<LegId, SessionId>,
    partner: HashMap<LegId, LegId>,
    held: HashMap<LegId, String>,
    news: mpsc::UnboundedSender<News>,
}

impl Floor {
    fn session(&mut self, leg: LegId) -> SessionId {
        let media = &self.media;
        *self.sessions.entry(leg).or_insert_with(|| media.open(&SessionOptions::default()).expect("ports are free"))
    }

    fn join(&mut self, a: LegId, b: LegId) {
        let (a, b) = (self.session(a), self.session(b));
        self.media.hear(a, Source::Peer(b)).unwrap();
        self.media.hear(b, Source::Peer(a)).unwrap();
    }

    fn event(&mut self, event: Event) {
        let endpoint = self.endpoint.clone();
        match event {
            Event::Incoming(call) => {
                let leg = call.leg;
                endpoint.ring(leg).unwrap();
                if call.called == "ring" {
                    return;
                }
                let session = self.session(leg);
                let Ok(answer) = self.media.answer(session, call.offer.as_deref().unwrap_or_default()) else {
                    return endpoint.reject(leg, 488, None).unwrap();
                };
                match (call.called.as_str(), self.target) {
                    ("bridge", Some(target)) => {
                        let out = self.media.open(&SessionOptions::default()).unwrap();
                        let invite = Invite {
                            target: format!("sip:phone@{target}"),
                            caller: call.caller,
                            offer: Some(self.media.offer(out).unwrap()),
                            ..Invite::default()
                        };
                        let other = endpoint.invite(invite).unwrap();
                        self.sessions.insert(other, out);
                        self.partner.insert(leg, other);
                        self.partner.insert(other, leg);
                        self.held.insert(leg, answer);
                    }
                    _ => {
                        endpoint.answer(leg, answer).unwrap();
                        let clip = Arc::new(Clip::hold_music());
                        self.media.hear(session, Source::Clip { clip, repeat: true }).unwrap();
                    }
                }
            }
            Event::Answered { leg, sdp } => {
                let session = self.session(leg);
                self.media.accept(session, &sdp.unwrap_or_default()).unwrap();
                if let Some(&caller) = self.partner.get(&leg) {
                    let answer = self.held.remove(&caller).unwrap();
                    endpoint.answer(caller, answer).unwrap();
                    self.join(caller, leg);
                }
                self.news.send(News::Answered(leg)).unwrap();
            }
            Event::Offer { leg, sdp } => {
                let session = self.session(leg);
                match sdp.map(|sdp| self.media.answer(session, &sdp)) {
                    Some(Ok(answer)) => endpoint.accept_offer(leg, answer).unwrap(),
                    _ => endpoint.refuse_offer(leg, 488).unwrap(),
                }
            }
            Event::OfferAccepted { leg, sdp } => {
                let session = self.session(leg);
                self.media.accept(session, &sdp.unwrap_or_default()).unwrap();
            }
            Event::Dtmf { key, .. } => self.news.send(News::Key(key)).unwrap(),
            Event::Ended { leg, cause } => {
                if let Some(session) = self.sessions.remove(&leg) {
                    self.media.close(session);
                }
                if let Some(other) = self.partner.remove(&leg) {
                    self.partner.remove(&other);
                    endpoint.hang_up(other).unwrap();
                }
                let _ = self.news.send(News::Ended(cause));
            }
            Event::Register(request) => {
                if request.user == "300" && request.proof.verify(&Secret::ha1("300", "callfloor", "pw")) {
                    let bound: Vec<Bound> = request
                        .contacts
                        .iter()
                        .filter(|c| c.expires_s > 0)
                        .map(|c| Bound { uri: c.uri.clone(), expires_s: c.expires_s.min(60) })
                        .collect();
                    if let Some(first) = bound.first() {
                        self.news.send(News::Registered(request.flow, first.uri.clone())).unwrap();
                    }
                    endpoint.accept_register(request.id, bound).unwrap();
                } else {
                    endpoint.refuse(request.id, 403).unwrap();
                }
            }
            _ => {}
        }
    }
}

struct Running {
    endpoint: Endpoint,
    media: Arc<MediaEngine>,
    news: mpsc::UnboundedReceiver<News>,
    sessions: mpsc::UnboundedSender<(LegId, SessionId)>,
    keys: mpsc::UnboundedReceiver<char>,
    _runtime: tokio::runtime::Runtime,
}

/// Starts a floor on its own runtime.
fn floor(listen: Vec<Listen>, tls: Tls, target: Option<SocketAddr>, ports: std::ops::RangeInclusive<u16>) -> Running {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let config = EndpointConfig { listen, tls, settings: Settings::default(), ..EndpointConfig::default() };
    let (endpoint, mut events) = runtime.block_on(Endpoint::bind(config)).unwrap();
    let (media, mut media_events) = MediaEngine::start(MediaConfig { ports, ..MediaConfig::default() }).unwrap();
    let media = Arc::new(media);
    let (news_sender, news) = mpsc::unbounded_channel();
    let (sessions, mut session_receiver) = mpsc::unbounded_channel();
    let (key_sender, keys) = mpsc::unbounded_channel();
    let mut floor = Floor {
        endpoint: endpoint.clone(),
        media: Arc::clone(&media),
        target,
        sessions: HashMap::new(),
        partner: HashMap::new(),
        held: HashMap::new(),
        news: news_sender,
    };
    runtime.spawn(async move {
        loop {
            tokio::select! {
                biased;
                Some((leg, session)) = session_receiver.recv() => {
                    floor.sessions.insert(leg, session);
                }
                event = events.next() => match event {
                    Some(event) => floor.event(event),
                    None => return,
                },
                Some(event) = media_events.next() => {
                    if let MediaEvent::Dtmf { key, .. } = event {
                        let _ = key_sender.send(key);
                    }
                }
            }
        }
    });
    Running { endpoint, media, news, sessions, keys, _runtime: runtime }
}

impl Running {
    fn wait(&mut self, wanted: impl Fn(&News) -> bool) -> News {
        let end = Instant::now() + Duration::from_secs(20);
        while Instant::now() < end {
            match self.news.try_recv() {
                Ok(news) if wanted(&news) => return news,
                Ok(_) => {}
                Err(_) => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        panic!("the news did not come");
    }

    /// Waits until no leg is left.
    fn quiet(&self) {
        let end = Instant::now() + Duration::from_secs(10);
        while self.endpoint.counters().legs() > 0 || self.media.open_sessions() > 0 {
            assert!(Instant::now() < end, "{:?} {}", self.endpoint.counters(), self.media.open_sessions());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A process that is ended with the test.
struct Peer(Child);

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn installed(program: &str) -> bool {
    let found = Command::new(program).arg("-h").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        eprintln!("skipped: {program} is not installed");
    }
    found
}

fn folder(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("callfloor-peers-{}-{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).unwrap();
    path
}

fn free_port() -> u16 {
    std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// Runs SIPp as customers and says what it saw if a call failed.
fn sipp(scenario: &str, number: &str, to: SocketAddr, calls: u32, rate: u32, more: &[&str]) {
    let scenario = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sipp").join(scenario);
    let cwd = folder(&format!("sipp-{}", free_port()));
    let out = Command::new("sipp")
        .current_dir(&cwd)
        .arg("-sf")
        .arg(scenario)
        .args(["-s", number, "-i", "127.0.0.1", "-p", &free_port().to_string()])
        .args(["-m", &calls.to_string(), "-r", &rate.to_string(), "-nostdin", "-timeout", "40", "-timeout_error"])
        .args(["-mp", &(40_000 + free_port() % 10_000 / 2 * 2).to_string(), "-trace_err", "-error_file", "errors.log"])
        .args(more)
        .arg(to.to_string())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let errors = std::fs::read_to_string(cwd.join("errors.log")).unwrap_or_default();
    let screen = String::from_utf8_lossy(&out.stdout).into_owned();
    let tail: String = screen.chars().skip(screen.chars().count().saturating_sub(3000)).collect();
    assert!(out.status.success(), "{:?}\n{errors}\n{tail}", out.status);
    std::fs::remove_dir_all(cwd).unwrap();
}

#[test]
fn sipp_calls_hold_resumes_and_hangs_up_by_udp_and_tcp() {
    if !installed("sipp") {
        return;
    }
    let port = free_port();
    let running =
        floor(vec![Listen::udp(local(port)), Listen::tcp(local(port))], Tls::default(), None, 32_000..=32_999);
    let at = running.endpoint.addresses()[0];
    sipp("hold.xml", "music", at, 100, 50, &[]);
    running.quiet();
    sipp("hold.xml", "music", at, 100, 50, &["-t", "t1"]);
    running.quiet();
    let counters = running.endpoint.counters();
    assert_eq!((counters.legs_begun(), counters.malformed(), counters.timeouts()), (200, 0, 0));
}

#[test]
fn sipp_gives_up_while_it_rings() {
    if !installed("sipp") {
        return;
    }
    let mut running = floor(vec![Listen::udp(local(0))], Tls::default(), None, 33_000..=33_199);
    sipp("cancel.xml", "ring", running.endpoint.addresses()[0], 50, 50, &[]);
    for _ in 0..50 {
        assert_eq!(running.wait(|n| matches!(n, News::Ended(_))), News::Ended(Cause::CallerCancelled));
    }
}

#[test]
fn sipp_registers_with_its_password() {
    if !installed("sipp") {
        return;
    }
    let mut running = floor(vec![Listen::udp(local(0))], Tls::default(), None, 33_200..=33_299);
    sipp("register.xml", "300", running.endpoint.addresses()[0], 20, 50, &["-au", "300", "-ap", "pw"]);
    for _ in 0..20 {
        running.wait(|n| matches!(n, News::Registered(..)));
    }
    assert_eq!(running.endpoint.counters().challenged(), 20);
}

#[test]
fn calls_are_bridged_between_sipp_and_sipp() {
    if !installed("sipp") {
        return;
    }
    let phone = free_port();
    let cwd = folder("uas");
    let uas = Command::new("sipp")
        .current_dir(&cwd)
        .args(["-sn", "uas", "-i", "127.0.0.1", "-p", &phone.to_string(), "-nostdin", "-rtp_echo"])
        .args(["-mp", "39000"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _uas = Peer(uas);
    std::thread::sleep(Duration::from_millis(300));
    let running = floor(vec![Listen::udp(local(0))], Tls::default(), Some(local(phone)), 34_000..=34_999);
    sipp("hold.xml", "bridge", running.endpoint.addresses()[0], 200, 50, &[]);
    running.quiet();
    assert_eq!(running.endpoint.counters().legs_begun(), 400);
    std::fs::remove_dir_all(cwd).unwrap();
}

/// Starts baresip with an account that registers and answers by itself.
fn baresip(cwd: &Path, registrar: SocketAddr, transport: &str, more: &str) -> Peer {
    let config = format!(
        "sip_listen 127.0.0.1:0\naudio_player aubridge,x\naudio_source ausine,440\naudio_alert aubridge,x\n\
         ausrc_srate 48000\nauplay_srate 8000\nausrc_channels 2\nauplay_channels 1\nrtp_ports 38000-38400\n\
         module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule ausine.so\nmodule aubridge.so\n\
         module sndfile.so\nmodule srtp.so\nmodule_tmp account.so\nmodule_app menu.so\nsnd_path {0}\n{more}\n",
        cwd.display()
    );
    std::fs::write(cwd.join("config"), config).unwrap();
    let encrypted = if transport == "tls" { ";mediaenc=srtp" } else { "" };
    let account = format!(
        "<sip:300@{registrar};transport={transport}>;auth_user=300;auth_pass=pw;answermode=auto;regint=60{encrypted}\n"
    );
    std::fs::write(cwd.join("accounts"), account).unwrap();
    std::fs::write(cwd.join("contacts"), "").unwrap();
    let log = std::fs::File::create(cwd.join("log")).unwrap();
    let child = Command::new("baresip")
        .current_dir(cwd)
        .arg("-f")
        .arg(cwd)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap();
    Peer(child)
}

/// The best normalised correlation of a piece of what was heard with a clip that repeats.
fn correlation(heard: &[i16], clip: &[i16]) -> f64 {
    let piece: Vec<f32> = heard.iter().map(|&s| f32::from(s)).collect();
    let looped: Vec<f32> = clip.iter().cycle().take(clip.len() + piece.len()).map(|&s| f32::from(s)).collect();
    let energy = |x: &[f32]| x.iter().map(|s| s * s).sum::<f32>();
    let own = energy(&piece);
    let mut best = 0.0_f32;
    for at in 0..clip.len() {
        let other = &looped[at..at + piece.len()];
        let dot: f32 = piece.iter().zip(other).map(|(a, b)| a * b).sum();
        best = best.max(dot / (own * energy(other)).sqrt().max(1.0));
    }
    f64::from(best)
}

/// baresip registers, is called, answers, and hears hold music; what it says is a tone of 440 Hz.
fn baresip_hears_music(transport: &str, listen: Vec<Listen>, tls: Tls, encryption: Encryption, more: &str) {
    let cwd = folder(&format!("baresip-{transport}"));
    let base = if transport == "tls" { 35_500 } else { 35_000 };
    let mut running = floor(listen, tls, None, base..=base + 99);
    let registrar = running.endpoint.addresses()[0];
    let phone = baresip(&cwd, registrar, transport, more);
    let log = || std::fs::read_to_string(cwd.join("log")).unwrap_or_default();
    let News::Registered(flow, contact) = running.wait(|n| matches!(n, News::Registered(..))) else {
        panic!("{}", log())
    };
    let media = Arc::clone(&running.media);
    // baresip states the address of another interface than the loopback that it sends from, as phones behind translators do.
    let session = media.open(&SessionOptions { encryption, any_source_once: true }).unwrap();
    let path = cwd.join("said.wav");
    let invite = Invite {
        target: contact,
        via: Via::Flow(flow),
        caller: "0312345678".into(),
        offer: Some(media.offer(session).unwrap()),
        auto_answer: true,
        ..Invite::default()
    };
    let leg = running.endpoint.invite(invite).unwrap();
    running.sessions.send((leg, session)).unwrap();
    assert_eq!(running.wait(|n| matches!(n, News::Answered(_) | News::Ended(_))), News::Answered(leg), "{}", log());
    let music = Arc::new(Clip::hold_music());
    media.hear(session, Source::Clip { clip: Arc::clone(&music), repeat: true }).unwrap();
    media
        .record(
            session,
            callfloor_sip::Recording {
                path: path.clone(),
                limit: Duration::from_secs(2),
                silence: None,
                stop_key: None,
            },
        )
        .unwrap();
    std::thread::sleep(Duration::from_secs(4));
    // Put on hold by a re-INVITE and taken back: the phone follows.
    for direction in [Direction::SendOnly, Direction::SendRecv] {
        media.set_direction(session, direction).unwrap();
        running.endpoint.offer(leg, media.offer(session).unwrap()).unwrap();
        std::thread::sleep(Duration::from_millis(500));
    }
    let counts = media.statistics(session).unwrap();
    running.endpoint.hang_up(leg).unwrap();
    assert_eq!(running.wait(|n| matches!(n, News::Ended(_))), News::Ended(Cause::HungUp), "{}", log());
    assert!(counts.received > 150 && counts.sent > 150 && counts.malformed == 0, "{counts:?}");
    // What the phone says.
    let said = Clip::from_wav_file(&path).unwrap();
    let mut tone = Vec::new();
    for n in 0..8000_u32 {
        #[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
        tone.push((10_000.0 * (std::f64::consts::TAU * 440.0 * f64::from(n) / 8000.0).sin()) as i16);
    }
    let share = correlation(&said.samples()[8000..10_000], &tone);
    assert!(share > 0.9, "the phone's tone is not what it says: {share}");
    // What the phone hears: baresip writes its decoded audio to a file.
    drop(phone);
    let dump = std::fs::read_dir(&cwd)
        .unwrap()
        .filter_map(Result::ok)
        .map(|e| e.path())
        .find(|p| p.extension().is_some_and(|e| e == "wav") && p.to_string_lossy().contains("dec"))
        .unwrap_or_else(|| panic!("no dump of what was heard: {}", log()));
    let heard = Clip::from_wav_file(&dump).unwrap();
    let from = heard.samples().iter().position(|s| s.abs() > 500).expect("something was heard") + 8000;
    let share = correlation(&heard.samples()[from..from + 4000], music.samples());
    eprintln!("correlation of what baresip heard with the hold music: {share:.3}");
    assert!(share > 0.95, "the hold music is not what was heard: {share}");
    std::fs::remove_dir_all(cwd).unwrap();
}

#[test]
fn baresip_registers_answers_and_hears_the_hold_music() {
    if installed("baresip") {
        baresip_hears_music("udp", vec![Listen::udp(local(0))], Tls::default(), Encryption::IfOffered, "");
    }
}

#[test]
fn baresip_does_so_by_tls_with_srtp() {
    if !installed("baresip") || !installed("openssl") {
        return;
    }
    let keys = folder("keys");
    let made = Command::new("openssl")
        .current_dir(&keys)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"])
        .output()
        .unwrap();
    assert!(made.status.success());
    let read = |name| std::fs::read(keys.join(name)).unwrap();
    let tls = Tls::from_pem(Some((&read("cert.pem"), &read("key.pem"))), Some(&read("cert.pem"))).unwrap();
    let trusted = format!("sip_cafile {}", keys.join("cert.pem").display());
    baresip_hears_music("tls", vec![Listen::tls(local(0))], tls, Encryption::Required, &trusted);
    std::fs::remove_dir_all(keys).unwrap();
}

#[test]
fn two_endpoints_talk_by_tls_and_press_keys() {
    if !installed("openssl") {
        return;
    }
    let keys = folder("keys2");
    let made = Command::new("openssl")
        .current_dir(&keys)
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .output()
        .unwrap();
    assert!(made.status.success());
    let read = |name| std::fs::read(keys.join(name)).unwrap();
    let tls = Tls::from_pem(Some((&read("cert.pem"), &read("key.pem"))), Some(&read("cert.pem"))).unwrap();
    let mut server = floor(vec![Listen::tls(local(0))], tls.clone(), None, 36_000..=36_099);
    let mut client = floor(vec![Listen::tls(local(0))], tls, None, 36_100..=36_199);
    let session = client.media.open(&SessionOptions::default()).unwrap();
    let invite = Invite {
        target: format!("sip:music@{};transport=tls", server.endpoint.addresses()[0]),
        caller: "1".into(),
        offer: Some(client.media.offer(session).unwrap()),
        ..Invite::default()
    };
    let leg = client.endpoint.invite(invite).unwrap();
    client.sessions.send((leg, session)).unwrap();
    assert_eq!(client.wait(|n| matches!(n, News::Answered(_) | News::Ended(_))), News::Answered(leg));
    client.endpoint.send_dtmf(leg, '5', 100).unwrap();
    assert_eq!(server.wait(|n| matches!(n, News::Key(_))), News::Key('5'));
    // And within the audio.
    client.media.press(session, '9', Duration::from_millis(100)).unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    let key = loop {
        match server.keys.try_recv() {
            Ok(key) => break key,
            Err(_) => assert!(Instant::now() < end, "the key did not come"),
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(key, '9');
    client.endpoint.hang_up(leg).unwrap();
    server.quiet();
    client.quiet();
    std::fs::remove_dir_all(keys).unwrap();
}
