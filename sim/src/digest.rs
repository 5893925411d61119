//! A digest of everything that an engine put out, with its times: equal digests, equal runs.
//!
//! FNV-1a with 64 bits (G. Fowler, L. C. Noll, K.-P. Vo) over the microseconds and the postcard bytes of every output.

use callfloor_engine::Output;

/// The digest of a run so far.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    state: u64,
    buffer: Vec<u8>,
}

impl Digest {
    pub(crate) const fn new() -> Self {
        Self { state: 0xcbf2_9ce4_8422_2325, buffer: Vec::new() }
    }

    pub(crate) fn add(&mut self, now_us: u64, output: &Output) {
        self.bytes(&now_us.to_le_bytes());
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let buffer = postcard::to_extend(output, buffer).expect("memory takes all bytes");
        self.bytes(&buffer);
        self.buffer = buffer;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.state = (self.state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    pub(crate) const fn value(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the authors' test suite: "", "a", "foobar".
    #[test]
    fn known_answers() {
        for (text, expected) in
            [("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8)]
        {
            let mut digest = Digest::new();
            digest.bytes(text.as_bytes());
            assert_eq!(digest.value(), expected, "{text:?}");
        }
    }
}
