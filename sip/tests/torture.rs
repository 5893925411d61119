//! The torture messages of RFC 4475, byte for byte, and random changes to them: no panic, and the verdicts of `TORTURE.md`.
//!
//! `CALLFLOOR_RENEW=1` writes the table anew; then read its diff.

use callfloor_sip::digest::Secret;
use callfloor_sip::media::{rtcp, rtp, srtp::Srtp};
use callfloor_sip::message::{Message, frame};
use callfloor_sip::sdp::{Description, Local, SrtpKey};
use callfloor_sip::{Encryption, Event, Flow, ListenerInfo, Order, Settings, Stack, Transport};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/torture")
}

fn messages() -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "dat") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.insert(name, std::fs::read(path).unwrap());
        }
    }
    assert_eq!(found.len(), 49);
    found
}

fn stack(now: Instant) -> Stack {
    let info =
        |transport| ListenerInfo { transport, address: "127.0.0.1:5060".parse().unwrap(), source: Box::new(|_| None) };
    let listeners = vec![info(Transport::Udp), info(Transport::Tcp)];
    Stack::new(Settings::default(), listeners, Arc::new(AtomicU64::new(1)), now)
}

fn flow() -> Flow {
    Flow { transport: Transport::Udp, listener: 0, remote: "192.0.2.99:5060".parse().unwrap() }
}

/// What the stack does with a message: the responses in order, the events.
fn verdict(bytes: &[u8]) -> String {
    let now = Instant::now();
    let mut stack = stack(now);
    stack.receive(now, flow(), bytes);
    let mut out = Vec::new();
    while let Some(sent) = stack.poll_transmit() {
        let text = String::from_utf8_lossy(&sent.bytes).into_owned();
        out.push(text.lines().next().unwrap().trim_start_matches("SIP/2.0 ").to_owned());
    }
    while let Some(event) = stack.poll_event() {
        out.push(match event {
            Event::Incoming(call) => format!("call to `{}`", call.called.escape_debug()),
            Event::Register(request) => format!("register `{}`", request.user),
            other => format!("{other:?}"),
        });
    }
    if out.is_empty() { "dropped".to_owned() } else { out.join("; ") }
}

/// What RFC 4475 says of each message: its section, its title, what an endpoint should do, and what it may do instead.
const EXPECTED: [(&str, &str, &str, &str, &[&str]); 49] = [
    ("wsinv", "3.1.1.1", "a short tortuous INVITE", "well-formed; within a dialog that is not known here", &["481"]),
    ("intmeth", "3.1.1.2", "wide range of valid characters", "405 or 501: the method is unknown", &["501", "405"]),
    ("esc01", "3.1.1.3", "valid use of % escaping", "accepted", &["call to"]),
    ("escnull", "3.1.1.4", "escaped nulls in URIs", "accepted (here: challenged)", &["401"]),
    ("esc02", "3.1.1.5", "% when it is not an escape", "405 or 501: the method is unknown", &["501", "405"]),
    ("lwsdisp", "3.1.1.6", "no white space between name and <", "accepted", &["200"]),
    ("longreq", "3.1.1.7", "long values in header fields", "accepted", &["call to"]),
    ("dblreq", "3.1.1.8", "extra octets in a datagram", "accepted once (here: challenged)", &["401"]),
    ("semiuri", "3.1.1.9", "semicolon-separated parameters in the user part", "accepted", &["200"]),
    ("transports", "3.1.1.10", "varied and unknown transport types", "accepted", &["200"]),
    ("mpart01", "3.1.1.11", "multipart MIME message", "understood; MESSAGE is not allowed here", &["405"]),
    ("unreason", "3.1.1.12", "unusual reason phrase", "accepted; no such transaction here", &["dropped"]),
    ("noreason", "3.1.1.13", "empty reason phrase", "accepted; no such transaction here", &["dropped"]),
    ("badinv01", "3.1.2.1", "extraneous separators", "400", &["400"]),
    ("clerr", "3.1.2.2", "Content-Length larger than the message", "400", &["400"]),
    ("ncl", "3.1.2.3", "negative Content-Length", "400", &["400"]),
    ("scalar02", "3.1.2.4", "request scalar fields with overlarge values", "400", &["400"]),
    ("scalarlg", "3.1.2.5", "response scalar fields with overlarge values", "dropped", &["dropped"]),
    ("quotbal", "3.1.2.6", "unterminated quoted string in display name", "400", &["400"]),
    ("ltgtruri", "3.1.2.7", "<> enclosing the request URI", "400", &["400"]),
    ("lwsruri", "3.1.2.8", "white space within the request URI", "400", &["400"]),
    ("lwsstart", "3.1.2.9", "multiple spaces in the request line", "400", &["400"]),
    ("trws", "3.1.2.10", "extra characters at the end of the request line", "400, or accepted", &["400", "200"]),
    ("escruri", "3.1.2.11", "escaped headers in the request URI", "400, or the headers ignored", &["400", "call to"]),
    ("baddate", "3.1.2.12", "invalid time zone in Date", "accepted, or 400", &["call to", "400"]),
    ("regbadct", "3.1.2.13", "failure to enclose a name-addr URI in <>", "400", &["400"]),
    ("badaspec", "3.1.2.14", "spaces within an addr-spec", "400, or accepted", &["400", "200"]),
    ("baddn", "3.1.2.15", "non-token characters in display name", "400, or accepted", &["400", "200"]),
    ("badvers", "3.1.2.16", "unknown protocol version", "505", &["505"]),
    ("mismatch01", "3.1.2.17", "start line and CSeq method mismatch", "400", &["400"]),
    ("mismatch02", "3.1.2.18", "unknown method with CSeq method mismatch", "400 or 501", &["400", "501"]),
    ("bigcode", "3.1.2.19", "overlarge response code", "dropped", &["dropped"]),
    ("badbranch", "3.2.1", "missing transaction identifier", "400, or by the rules of RFC 2543", &["200", "400"]),
    ("insuf", "3.3.1", "missing required header fields", "400", &["400"]),
    ("unkscm", "3.3.2", "request URI with unknown scheme", "416", &["416"]),
    ("novelsc", "3.3.3", "request URI with known but atypical scheme", "416", &["416"]),
    (
        "unksm2",
        "3.3.4",
        "unknown URI schemes in header fields",
        "416 or 400, or accepted (here: challenged)",
        &["401", "400", "416"],
    ),
    ("bext01", "3.3.5", "Proxy-Require and Require", "420", &["420"]),
    ("invut", "3.3.6", "unknown Content-Type", "415", &["415"]),
    ("regaut01", "3.3.7", "unknown authorization scheme", "challenged", &["401"]),
    ("multi01", "3.3.8", "multiple values in single-value required fields", "400", &["400"]),
    ("mcl01", "3.3.9", "multiple Content-Length values", "400", &["400"]),
    ("bcast", "3.3.10", "200 response with broadcast Via header field value", "dropped", &["dropped"]),
    ("zeromf", "3.3.11", "Max-Forwards of zero", "answered: nothing is forwarded here", &["200"]),
    ("cparam01", "3.3.12", "REGISTER with a contact header parameter", "accepted (here: challenged)", &["401"]),
    ("cparam02", "3.3.13", "REGISTER with a URL parameter", "accepted (here: challenged)", &["401"]),
    ("regescrt", "3.3.14", "REGISTER with a URL escaped header", "accepted (here: challenged)", &["401"]),
    ("sdp01", "3.3.15", "unacceptable Accept offering", "accepted, or 406", &["call to", "406"]),
    ("inv2543", "3.4.1", "INVITE with RFC 2543 syntax", "accepted", &["call to"]),
];

#[test]
fn every_torture_message_gets_its_verdict() {
    let messages = messages();
    let mut table = String::from(
        "# RFC 4475: what becomes of each torture message\n\nWritten by `tests/torture.rs` from what the stack does; \
         `CALLFLOOR_RENEW=1 cargo test -p callfloor-sip --test torture` writes it anew.\n\n\
         | section | message | what it is | RFC 4475 | here |\n|---|---|---|---|---|\n",
    );
    let mut wrong = Vec::new();
    for (name, section, title, wanted, allowed) in EXPECTED {
        let got = verdict(&messages[name]);
        if !allowed.iter().any(|a| got.contains(a)) {
            wrong.push(format!("{name}: {got}"));
        }
        let _ = writeln!(table, "| {section} | `{name}` | {title} | {wanted} | {got} |");
    }
    assert_eq!(wrong, Vec::<String>::new());
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("TORTURE.md");
    if std::env::var_os("CALLFLOOR_RENEW").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), table, "TORTURE.md is not up to date");
}

/// A small generator, so that a failure is repeated by its number.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below.max(1)
    }
}

fn mutate(dice: &mut Dice, bytes: &mut Vec<u8>, pool: &[Vec<u8>]) {
    const PIECES: [&[u8]; 16] = [
        b"\r\n",
        b"\r\n\r\n",
        b"\"",
        b"<",
        b">",
        b";",
        b",",
        b"=",
        b"%",
        b":",
        b"@",
        b"\0",
        b"\xff",
        b"99999999999",
        b"-1",
        b";tag=",
    ];
    for _ in 0..=dice.roll(4) {
        let at = dice.roll(bytes.len() + 1);
        match dice.roll(7) {
            0 if at < bytes.len() => bytes[at] = u8::try_from(dice.roll(256)).unwrap(),
            1 if at < bytes.len() => {
                bytes.remove(at);
            }
            2 => {
                bytes.splice(at..at, PIECES[dice.roll(PIECES.len())].iter().copied());
            }
            3 => bytes.truncate(at),
            4 => {
                let to = (at + dice.roll(60)).min(bytes.len());
                bytes.drain(at..to);
            }
            5 => {
                let other = &pool[dice.roll(pool.len())];
                let from = dice.roll(other.len());
                let to = (from + dice.roll(120)).min(other.len());
                bytes.splice(at..at, other[from..to].iter().copied());
            }
            _ => {
                let to = (at + dice.roll(40)).min(bytes.len());
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

/// The message with a branch and a Call-ID of its own, so that it is no repetition.
fn fresh(bytes: &[u8], n: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 40);
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let at = line.windows(7).position(|w| w == b"z9hG4bK").map(|at| at + 7);
        let at = at
            .or_else(|| line.starts_with(b"Call-ID: ").then_some(9))
            .or_else(|| line.starts_with(b"i: ").then_some(3));
        let (front, back) = line.split_at(at.unwrap_or(0));
        out.extend_from_slice(front);
        if at.is_some() {
            out.extend_from_slice(n.to_string().as_bytes());
        }
        out.extend_from_slice(back);
    }
    out
}

#[test]
fn two_hundred_thousand_changed_messages_do_no_harm() {
    let mut pool: Vec<Vec<u8>> = messages().into_values().collect();
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\n\
               a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:YWJj\r\n";
    pool.push(
        format!(
            "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c;branch=z9hG4bKx\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\n\
         Call-ID: x\r\nCSeq: 1 INVITE\r\nContact: <sip:a@127.0.0.1>\r\nSession-Expires: 90;refresher=uac\r\n\
         Replaces: a;to-tag=1.2;from-tag=3\r\nRequire: 100rel\r\nContent-Type: application/sdp\r\n\r\n{sdp}"
        )
        .into_bytes(),
    );
    let now = Instant::now();
    let mut stack = stack(now);
    let mut dice = Dice(42);
    let (mut calls, mut replies) = (0_u32, 0_u32);
    for n in 0..200_000_u64 {
        let mut bytes = fresh(&pool[dice.roll(pool.len())], n);
        mutate(&mut dice, &mut bytes, &pool);
        // A panic names the number; the state of the stack comes from all before.
        let at = now + Duration::from_millis(n);
        stack.receive(at, flow(), &bytes);
        stack.advance(at);
        let _ = frame(&bytes);
        if let Ok(message) = Message::parse(&bytes)
            && let Ok(text) = std::str::from_utf8(message.body)
        {
            let _ = Description::parse(text);
            let mut local =
                Local::new("127.0.0.1:1".parse().unwrap(), 1, Encryption::IfOffered, SrtpKey::from_bytes([1; 30]));
            let _ = local.answer(text);
        }
        while let Some(sent) = stack.poll_transmit() {
            replies += 1;
            let back = Message::parse(&sent.bytes).expect("what we send can be read");
            assert!(back.flaw.is_none(), "{n}: {}", String::from_utf8_lossy(&sent.bytes));
            // What we send comes back to us changed, as a response or as a request.
            if n % 3 == 0 {
                let mut echo = sent.bytes.to_vec();
                mutate(&mut dice, &mut echo, &pool);
                stack.receive(at, flow(), &echo);
            }
        }
        while let Some(event) = stack.poll_event() {
            match event {
                Event::Incoming(call) => {
                    calls += 1;
                    match calls % 4 {
                        0 => stack.order(at, Order::Answer(call.leg, sdp.to_owned())),
                        1 => stack.order(at, Order::Ring(call.leg)),
                        2 => stack.order(at, Order::Challenge(call.leg, "callfloor.local".to_owned())),
                        _ => stack.order(at, Order::HangUp(call.leg, Some("x\r\ny".to_owned()))),
                    }
                }
                Event::Register(request) => {
                    assert!(!request.proof.verify(&Secret::Password("unknown".to_owned())));
                    stack.order(at, Order::Refuse(request.id, 403));
                }
                _ => {}
            }
        }
    }
    assert!(calls > 1000 && replies > 10_000, "{calls} {replies}: the messages were changed beyond use");
    // All comes to rest.
    let end = now + Duration::from_secs(200 + 700);
    while let Some(due) = stack.next_deadline().filter(|&due| due < end) {
        stack.advance(due);
        while stack.poll_transmit().is_some() {}
        while stack.poll_event().is_some() {}
    }
    let counters = stack.counters();
    assert_eq!((counters.legs(), counters.transactions()), (0, 0), "{stack:?}");
}

#[test]
fn random_packets_do_no_harm() {
    let mut dice = Dice(7);
    let mut srtp = Srtp::new(&SrtpKey::from_bytes([5; 30]));
    for _ in 0..200_000 {
        let mut bytes: Vec<u8> = (0..dice.roll(200)).map(|_| u8::try_from(dice.roll(256)).unwrap()).collect();
        if let Some(first) = bytes.first_mut()
            && dice.roll(4) > 0
        {
            *first = 0x80 | *first & 0x3f;
        }
        if let Some(packet) = rtp::Packet::parse(&bytes) {
            let _ = rtp::TelephoneEvent::parse(packet.payload);
        }
        let _ = rtcp::read(&bytes, 1);
        let mut copy = bytes.clone();
        srtp.protect(&mut copy);
        assert_eq!(srtp.open(&mut bytes.clone()), None);
        assert_eq!(srtp.open_rtcp(&mut bytes), None);
    }
}
