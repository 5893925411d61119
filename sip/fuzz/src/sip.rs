//! Bytes as SIP: whole datagrams to a stack that answers some calls, and as a stream's buffer.
#![cfg_attr(feature = "libfuzzer", no_main)]

use callfloor_sip::message::frame;
use callfloor_sip::{Event, Flow, ListenerInfo, Order, Settings, Stack, Transport};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

const ANSWER: &str =
    "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";

/// One input is up to eight messages, parted by a byte that no text has.
pub fn run(data: &[u8]) {
    let _ = frame(data);
    let now = Instant::now();
    let address = "127.0.0.1:5060".parse().expect("an address");
    let info = ListenerInfo { transport: Transport::Udp, address, source: Box::new(|_| None) };
    let mut stack = Stack::new(Settings::default(), vec![info], Arc::new(AtomicU64::new(1)), now);
    let flow = Flow { transport: Transport::Udp, listener: 0, remote: address };
    for (n, message) in data.split(|&b| b == 0xfe).take(8).enumerate() {
        let at = now + Duration::from_secs(u64::try_from(n).unwrap_or(0));
        stack.receive(at, flow, message);
        while let Some(event) = stack.poll_event() {
            if let Event::Incoming(call) = event {
                stack.order(at, Order::Ring(call.leg));
                stack.order(at, Order::Answer(call.leg, ANSWER.to_owned()));
            }
        }
        // What we send comes back: it must be readable.
        while let Some(sent) = stack.poll_transmit() {
            let back = callfloor_sip::message::Message::parse(&sent.bytes).expect("what is sent can be read");
            assert!(back.flaw.is_none());
        }
        stack.advance(at + Duration::from_millis(600));
    }
}

#[cfg(feature = "libfuzzer")]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));

#[cfg(not(feature = "libfuzzer"))]
fn main() {
    run(b"");
}
