//! A digest of what the engine said, kept beside each journal entry: a replay that says anything else is found.

use callfloor_engine::{Instant, Output};

/// FNV-1a, 64 bits (Fowler, Noll and Vo), over times and outputs: against accidents, not against attackers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Adds an output.
    pub fn add(&mut self, at: Instant, output: &Output) {
        let mut buffer = [0u8; 256];
        let bytes = postcard::to_slice(&(at, output), &mut buffer).expect("an output is shorter than 256 bytes");
        for &mut byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// The digest.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}
