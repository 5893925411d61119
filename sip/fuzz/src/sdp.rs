//! Bytes as a session description: read, answered, taken as an answer.
#![cfg_attr(feature = "libfuzzer", no_main)]

use callfloor_sip::Encryption;
use callfloor_sip::sdp::{Local, SrtpKey};

/// What is answered can be read by the other side of the same code.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for encryption in [Encryption::IfOffered, Encryption::Required] {
        let address = "127.0.0.1:4000".parse().expect("an address");
        let mut local = Local::new(address, 7, encryption, SrtpKey::from_bytes([1; 30]));
        if let Ok((answer, agreed)) = local.answer(text) {
            let read = callfloor_sip::sdp::Description::parse(&answer).expect("our answer can be read");
            assert!(read.media.iter().filter(|m| m.port != 0).count() == 1, "{answer}");
            let again = local.offer(Some(&agreed));
            callfloor_sip::sdp::Description::parse(&again).expect("our offer can be read");
        }
        let _ = local.offer(None);
        let _ = local.accept(text);
    }
}

#[cfg(feature = "libfuzzer")]
libfuzzer_sys::fuzz_target!(|data: &[u8]| run(data));

#[cfg(not(feature = "libfuzzer"))]
fn main() {
    run(b"");
}
