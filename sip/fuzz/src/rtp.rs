//! Bytes as RTP, telephone events, RTCP, SRTP and WAV.
#![cfg_attr(feature = "libfuzzer", no_main)]

use callfloor_sip::media::srtp::Srtp;
use callfloor_sip::media::{Clip, rtcp, rtp};
use callfloor_sip::sdp::SrtpKey;

/// What is protected opens to what it was.
pub fn run(data: &[u8]) {
    let mut keys = rtp::KeyReader::default();
    let mut counts = rtp::Reception::default();
    for (n, part) in data.chunks(64).enumerate() {
        if let Some(packet) = rtp::Packet::parse(part) {
            counts.count(&packet, u64::try_from(n).unwrap_or(0) * 160);
            if let Some(event) = rtp::TelephoneEvent::parse(packet.payload) {
                let _ = keys.take(packet.timestamp, event);
            }
        }
    }
    let _ = (keys.expire(), counts.fraction(), counts.lost());
    let _ = rtcp::read(data, 1);
    let _ = Clip::from_wav(data);
    let master = SrtpKey::from_bytes([3; 30]);
    let _ = Srtp::new(&master).open(&mut data.to_vec());
    let _ = Srtp::new(&master).open_rtcp(&mut data.to_vec());
    if rtp::Packet::parse(data).is_some() {
        let mut packet = data.to_vec();
        Srtp::new(&master).protect(&mut packet);
        let length = Srtp::new(&master).open(&mut packet).expect("it is ours");
        assert_eq!(&packet[..length], data);
    }
}

#[cfg(feature = "libfuzzer")]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));

#[cfg(not(feature = "libfuzzer"))]
fn main() {
    run(b"");
}
