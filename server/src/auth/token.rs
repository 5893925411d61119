//! Opaque tokens: random, shown once, kept as a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// How a machine's key begins.
const KEY: &str = "cfk_";

/// A secret that names its organisation: `ORGANISATION.RANDOM`, with 256 random bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// A new one, from the system's random source.
    ///
    /// # Panics
    /// If the system has no randomness to give.
    #[must_use]
    pub fn random(organisation: &str) -> Self {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).expect("the system gives random bytes");
        Self(format!("{organisation}.{}", URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// A new one for a machine: `cfk_ORGANISATION.RANDOM`. No organisation's name has an underscore in it.
    #[must_use]
    pub fn random_key(organisation: &str) -> Self {
        Self(format!("{KEY}{}", Self::random(organisation).0))
    }

    /// Whether this is a machine's key rather than a session's token.
    #[must_use]
    pub fn is_key(&self) -> bool {
        self.0.starts_with(KEY)
    }

    /// What a client sent.
    #[must_use]
    pub fn sent(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The organisation that it names; anybody may have written it.
    #[must_use]
    pub fn organisation(&self) -> Option<&str> {
        self.0.strip_prefix(KEY).unwrap_or(&self.0).split_once('.').map(|(organisation, _)| organisation)
    }

    /// What is stored and looked up: SHA-256 in hexadecimal. A random token of 256 bits needs no salt.
    #[must_use]
    pub fn hash(&self) -> String {
        hex_of_hash(self.0.as_bytes())
    }

    /// To show it, once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

/// SHA-256 in small hexadecimal digits.
pub(super) fn hex_of_hash(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
