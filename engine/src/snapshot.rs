//! Snapshots: the whole state as bytes, with a version and a checksum.

use alloc::vec::Vec;
use core::fmt;

use crate::engine::Engine;

/// `CFSN`, then the format's version.
const MAGIC: [u8; 4] = *b"CFSN";
/// Raised whenever the state's shape changes.
const VERSION: u16 = 5;
const HEADER: usize = 4 + 2 + 8;

/// Why bytes are no snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreError {
    /// Not a snapshot at all.
    Foreign,
    /// Of another format.
    Version {
        /// Its version.
        found: u16,
        /// The version that this engine reads.
        read: u16,
    },
    /// Cut off or changed.
    Damaged,
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("these bytes are no engine snapshot"),
            Self::Version { found, read } => {
                write!(f, "the snapshot has format {found}, this engine reads {read}: replay the journal instead")
            }
            Self::Damaged => f.write_str("the snapshot is cut off or damaged: use the one before, and the journal"),
        }
    }
}

impl core::error::Error for RestoreError {}

impl Engine {
    /// The whole state, configuration included: magic, version, checksum, then the state in postcard's format.
    ///
    /// Equal histories give equal bytes, on every machine.
    ///
    /// # Panics
    /// Never, short of a lack of memory.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = Vec::from(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&[0; 8]);
        let mut bytes = postcard::to_extend(self, bytes).expect("the state has no part that cannot be written");
        let sum = checksum(&bytes[HEADER..]);
        bytes[6..HEADER].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// The engine that was written by [`snapshot`](Self::snapshot).
    ///
    /// # Errors
    /// Where the bytes are no snapshot, of another format, or damaged.
    pub fn restore(bytes: &[u8]) -> Result<Self, RestoreError> {
        let (header, state) = bytes.split_at_checked(HEADER).ok_or(RestoreError::Foreign)?;
        if header[..4] != MAGIC {
            return Err(RestoreError::Foreign);
        }
        let found = u16::from_le_bytes([header[4], header[5]]);
        if found != VERSION {
            return Err(RestoreError::Version { found, read: VERSION });
        }
        let sum: [u8; 8] = header[6..].try_into().expect("the header has eight bytes of checksum");
        if u64::from_le_bytes(sum) != checksum(state) {
            return Err(RestoreError::Damaged);
        }
        postcard::from_bytes(state).map_err(|_| RestoreError::Damaged)
    }
}

/// FNV-1a, 64 bits (Fowler, Noll and Vo): against accidents, not against attackers.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, &byte| (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
