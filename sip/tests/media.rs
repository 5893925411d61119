//! The media engine with real sockets on the loopback: what is sent is what is heard.

use callfloor_sip::media::{Clip, MediaConfig, MediaEngine, MediaEvents, g711, rtp};
use callfloor_sip::{
    Direction, Encryption, Media, MediaError, MediaEvent, Recording, RecordingEnd, SessionId, SessionOptions, Source,
};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A phone made of a socket: sends and takes µ-law.
struct Phone {
    socket: UdpSocket,
    to: SocketAddr,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
}

fn engine(ports: std::ops::RangeInclusive<u16>) -> (MediaEngine, MediaEvents) {
    MediaEngine::start(MediaConfig { ports, ..MediaConfig::default() }).unwrap()
}

fn description(port: u16, formats: &str, more: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {port} RTP/AVP {formats}\r\n\
         a=rtpmap:101 telephone-event/8000\r\n{more}"
    )
}

impl Phone {
    /// A session that has agreed with a phone.
    fn connect(engine: &MediaEngine, payload_type: u8) -> (SessionId, Self) {
        let session = engine.open(&SessionOptions::default()).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let port = socket.local_addr().unwrap().port();
        let answer = engine.answer(session, &description(port, &format!("{payload_type} 101"), "")).unwrap();
        let port: u16 = answer.split("m=audio ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let to = SocketAddr::from(([127, 0, 0, 1], port));
        (session, Self { socket, to, payload_type, sequence: 100, timestamp: 5000 })
    }

    fn send(&mut self, payload: &[u8]) {
        let mut bytes = Vec::new();
        rtp::write_header(&mut bytes, false, self.payload_type, self.sequence, self.timestamp, 0x1234);
        bytes.extend_from_slice(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(160);
        self.socket.send_to(&bytes, self.to).unwrap();
    }

    /// Number, timestamp and samples of the next packet.
    fn take(&self) -> Option<(u8, u16, u32, u32, Vec<u8>)> {
        let mut buffer = [0; 2048];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        let packet = rtp::Packet::parse(&buffer[..length])?;
        Some((packet.payload_type, packet.sequence, packet.timestamp, packet.ssrc, packet.payload.to_vec()))
    }

    fn hear(&self, packets: usize) -> Vec<i16> {
        let mut out = Vec::new();
        for _ in 0..packets {
            let (.., payload) = self.take().expect("audio comes");
            let decode = if self.payload_type == 0 { g711::ulaw_decode } else { g711::alaw_decode };
            out.extend(payload.into_iter().map(decode));
        }
        out
    }
}

/// The share of the energy of `heard` that is a sine of that frequency.
fn tone_share(heard: &[i16], hz: f64) -> f64 {
    let (mut re, mut im, mut energy) = (0.0, 0.0, 0.0);
    for (n, &s) in (0_u32..).zip(heard) {
        let phase = std::f64::consts::TAU * hz * f64::from(n) / 8000.0;
        let s = f64::from(s);
        re += s * phase.cos();
        im += s * phase.sin();
        energy += s * s;
    }
    let n = f64::from(u32::try_from(heard.len()).unwrap());
    if energy == 0.0 { 0.0 } else { 2.0 * (re * re + im * im) / (n * energy) }
}

fn tone(hz: f64, ms: u32) -> Clip {
    let sample = |n: u32| 8000.0 * (std::f64::consts::TAU * hz * f64::from(n) / 8000.0).sin();
    #[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
    Clip::from_samples((0..ms * 8).map(|n| sample(n) as i16).collect())
}

fn wait(events: &mut MediaEvents, wanted: impl Fn(&MediaEvent) -> bool) -> MediaEvent {
    let end = Instant::now() + Duration::from_secs(5);
    while Instant::now() < end {
        let event = events.blocking_next().expect("the engine runs");
        if wanted(&event) {
            return event;
        }
    }
    panic!("the event did not come");
}

#[test]
fn a_clip_is_played_once_and_another_over_and_over_on_one_monotone_stream() {
    let (engine, mut events) = engine(30_000..=30_099);
    let (session, phone) = Phone::connect(&engine, 0);
    engine.hear(session, Source::Clip { clip: Arc::new(tone(1000.0, 200)), repeat: false }).unwrap();
    assert!(tone_share(&phone.hear(10), 1000.0) > 0.98);
    assert_eq!(wait(&mut events, |_| true), MediaEvent::ClipFinished { session });
    engine.hear(session, Source::Clip { clip: Arc::new(tone(500.0, 100)), repeat: true }).unwrap();
    let mut last: Option<(u16, u32, u32)> = None;
    for _ in 0..20 {
        let (_, sequence, timestamp, ssrc, _) = phone.take().unwrap();
        if let Some((before, clock, source)) = last {
            assert_eq!((sequence, timestamp, ssrc), (before.wrapping_add(1), clock.wrapping_add(160), source));
        }
        last = Some((sequence, timestamp, ssrc));
    }
    assert!(tone_share(&phone.hear(10), 500.0) > 0.98);
}

#[test]
fn two_phones_are_relayed_with_their_codecs_and_strangers_are_not_heard() {
    let (engine, mut events) = engine(30_100..=30_199);
    let (a, mut phone_a) = Phone::connect(&engine, 0);
    let (b, mut phone_b) = Phone::connect(&engine, 8);
    engine.hear(a, Source::Peer(b)).unwrap();
    engine.hear(b, Source::Peer(a)).unwrap();
    std::thread::sleep(Duration::from_millis(50));
    let clip = tone(700.0, 400);
    for chunk in clip.encoded(callfloor_sip::sdp::Codec::Pcmu).chunks(160) {
        phone_a.send(chunk);
        let (payload_type, .., payload) = phone_b.take().unwrap();
        assert_eq!((payload_type, payload.len()), (8, 160));
        let expected: Vec<u8> = chunk.iter().map(|&b| g711::ulaw_to_alaw(b)).collect();
        assert_eq!(payload, expected);
    }
    phone_b.send(&[0xd5; 160]);
    assert_eq!(phone_a.take().unwrap().4, vec![g711::alaw_to_ulaw(0xd5); 160]);
    wait(&mut events, |e| *e == MediaEvent::FirstPacket { session: b });
    // A stranger on the same host, from another port: the source is locked.
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut bytes = Vec::new();
    rtp::write_header(&mut bytes, false, 0, 1, 1, 666);
    bytes.extend_from_slice(&[0; 160]);
    stranger.send_to(&bytes, phone_a.to).unwrap();
    phone_b.socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert_eq!(phone_b.take(), None);
    let counts = engine.statistics(a).unwrap();
    assert_eq!((counts.received, counts.foreign, counts.lost), (20, 1, 0));
    // b is told to be quiet: what a hears goes on with the same numbers, from a clip.
    let (_, before, clock, ssrc, _) = {
        phone_b.send(&[1; 160]);
        phone_a.take().unwrap()
    };
    engine.hear(a, Source::Clip { clip: Arc::new(Clip::hold_music()), repeat: true }).unwrap();
    let (_, sequence, timestamp, source, _) = phone_a.take().unwrap();
    assert_eq!((sequence, source), (before.wrapping_add(1), ssrc));
    assert!((1..4000).contains(&timestamp.wrapping_sub(clock)));
    assert!(engine.close(a).is_some() && engine.close(b).is_some() && engine.close(b).is_none());
}

#[test]
fn keys_are_told_once_and_pressed_keys_arrive() {
    let (engine, mut events) = engine(30_200..=30_299);
    let (a, mut phone) = Phone::connect(&engine, 0);
    let timestamp = phone.timestamp;
    for duration in [160_u16, 320, 480, 640, 640, 640] {
        let end = duration == 640;
        phone.payload_type = 101;
        phone.timestamp = timestamp;
        phone.send(&rtp::TelephoneEvent { event: 7, end, duration }.to_bytes());
    }
    let told = wait(&mut events, |e| matches!(e, MediaEvent::Dtmf { .. }));
    assert_eq!(told, MediaEvent::Dtmf { session: a, key: '7', duration: Duration::from_millis(80) });
    engine.press(a, '#', Duration::from_millis(100)).unwrap();
    let mut reader = rtp::KeyReader::default();
    let mut pressed = Vec::new();
    for _ in 0..7 {
        let (payload_type, _, timestamp, _, payload) = phone.take().unwrap();
        assert_eq!(payload_type, 101);
        pressed.extend(reader.take(timestamp, rtp::TelephoneEvent::parse(&payload).unwrap()));
    }
    assert_eq!(pressed, [('#', 800)]);
    engine.close(a);
    // Nothing more is told of the first key: the next event is another session's.
    let (b, _phone) = Phone::connect(&engine, 0);
    engine.hear(b, Source::Clip { clip: Arc::new(tone(500.0, 20)), repeat: false }).unwrap();
    assert_eq!(wait(&mut events, |_| true), MediaEvent::ClipFinished { session: b });
}

#[test]
fn three_in_a_mix_hear_the_two_others() {
    let (engine, _events) = engine(30_300..=30_399);
    let mix = engine.open_mix().unwrap();
    let mut phones: Vec<_> = (0..3).map(|_| Phone::connect(&engine, 0)).collect();
    for (session, _) in &phones {
        engine.hear(*session, Source::Mix(mix)).unwrap();
    }
    // The third is only heard by the first.
    engine.gain(mix, phones[2].0, phones[1].0, 0.0).unwrap();
    let tones = [400.0, 800.0, 1600.0];
    let clips: Vec<Vec<u8>> =
        tones.iter().map(|&hz| tone(hz, 2000).encoded(callfloor_sip::sdp::Codec::Pcmu).to_vec()).collect();
    let begin = Instant::now();
    let mut heard = vec![Vec::new(); 3];
    for n in 0..50_u32 {
        for ((_, phone), clip) in phones.iter_mut().zip(&clips) {
            let at = usize::try_from(n).unwrap() * 160;
            phone.send(&clip[at..at + 160]);
        }
        let due = begin + Duration::from_millis(20) * (n + 1);
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
    for ((_, phone), heard) in phones.iter().zip(&mut heard) {
        *heard = phone.hear(45).split_off(160 * 20);
    }
    for (listener, samples) in heard.iter().enumerate() {
        let shares: Vec<f64> = tones.iter().map(|&hz| tone_share(samples, hz)).collect();
        for (speaker, share) in shares.iter().enumerate() {
            let silent = speaker == listener || (listener, speaker) == (1, 2);
            let least = if listener == 1 { 0.7 } else { 0.3 };
            assert!(if silent { *share < 0.05 } else { *share > least }, "{listener} hears {shares:?}");
        }
    }
    engine.close_mix(mix);
    assert_eq!(engine.hear(phones[0].0, Source::Mix(mix)), Err(MediaError::Unknown));
}

#[test]
fn a_message_is_recorded_until_silence_and_never_over_another() {
    let (engine, mut events) = engine(30_400..=30_499);
    let (session, mut phone) = Phone::connect(&engine, 0);
    let path = std::env::temp_dir().join(format!("callfloor-record-{}.wav", std::process::id()));
    let recording = Recording {
        path: path.clone(),
        limit: Duration::from_secs(10),
        silence: Some(Duration::from_millis(400)),
        stop_key: None,
    };
    engine.record(session, recording.clone()).unwrap();
    assert!(matches!(engine.record(session, recording), Err(MediaError::Io(_))));
    let clip = tone(900.0, 1000);
    let begin = Instant::now();
    for (n, chunk) in (1_u32..).zip(clip.encoded(callfloor_sip::sdp::Codec::Pcmu).chunks(160)) {
        phone.send(chunk);
        std::thread::sleep((begin + Duration::from_millis(20) * n).saturating_duration_since(Instant::now()));
    }
    let ended = wait(&mut events, |e| matches!(e, MediaEvent::RecordingEnded { .. }));
    let MediaEvent::RecordingEnded { length, end: RecordingEnd::Silence, .. } = ended else { panic!("{ended:?}") };
    assert!((1300..2500).contains(&length.as_millis()), "{length:?}");
    let end = Instant::now() + Duration::from_secs(3);
    let recorded = loop {
        match Clip::from_wav_file(&path) {
            Ok(clip) if clip.length_ms() as u128 == length.as_millis() => break clip,
            other => assert!(Instant::now() < end, "{other:?}"),
        }
    };
    std::fs::remove_file(path).unwrap();
    let loud: Vec<i16> = recorded.samples().iter().copied().skip_while(|s| s.abs() < 1000).take(4000).collect();
    assert!(tone_share(&loud, 900.0) > 0.9, "{}", tone_share(&loud, 900.0));
}

#[test]
fn encrypted_audio_is_relayed_to_a_plain_phone_and_back() {
    let (engine, _events) = engine(30_500..=30_599);
    let secure =
        engine.open(&SessionOptions { encryption: Encryption::Required, ..SessionOptions::default() }).unwrap();
    // The other end is a second engine, so that both directions are real.
    let (other, _other_events) =
        MediaEngine::start(MediaConfig { ports: 30_600..=30_699, ..MediaConfig::default() }).unwrap();
    let far = other.open(&SessionOptions::default()).unwrap();
    let offer = engine.offer(secure).unwrap();
    assert!(offer.contains("RTP/SAVP") && offer.contains("a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:"));
    engine.accept(secure, &other.answer(far, &offer).unwrap()).unwrap();
    let (plain, phone) = Phone::connect(&engine, 0);
    engine.hear(plain, Source::Peer(secure)).unwrap();
    other.hear(far, Source::Clip { clip: Arc::new(tone(1000.0, 5000)), repeat: true }).unwrap();
    assert!(tone_share(&phone.hear(25), 1000.0) > 0.95);
    assert_eq!(engine.statistics(secure).unwrap().malformed, 0);
    // Plain packets to the secure session are refused.
    let refused = engine.answer(secure, &description(4000, "0", ""));
    assert!(matches!(refused, Err(MediaError::Sdp(_))));
}

#[test]
fn hold_stops_what_is_sent_and_ports_run_out_and_come_back() {
    let (engine, _events) = engine(30_700..=30_703);
    let (session, phone) = Phone::connect(&engine, 0);
    engine.hear(session, Source::Clip { clip: Arc::new(Clip::ring_back()), repeat: true }).unwrap();
    phone.hear(3);
    let port = phone.socket.local_addr().unwrap().port();
    let answer = engine.answer(session, &description(port, "0 101", "a=inactive\r\n")).unwrap();
    assert!(answer.contains("a=inactive"), "{answer}");
    std::thread::sleep(Duration::from_millis(100));
    phone.socket.set_nonblocking(true).unwrap();
    while phone.take().is_some() {}
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(phone.take(), None);
    engine.set_direction(session, Direction::SendOnly).unwrap();
    assert!(engine.offer(session).unwrap().contains("a=sendonly"));
    let second = engine.open(&SessionOptions::default()).unwrap();
    assert_eq!(engine.open(&SessionOptions::default()), Err(MediaError::NoPorts));
    engine.close(second);
    let end = Instant::now() + Duration::from_secs(2);
    while let Err(error) = engine.open(&SessionOptions::default()) {
        assert!(Instant::now() < end, "{error}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
