//! Secrets that the server must be able to use again, and so cannot keep as a hash: those that sign requests.
//!
//! Without a key of its own the server keeps them in the store as they are, which nobody but its user can read. With one
//! (`[open] secrets_key`) they are sealed by AES-256-GCM: the store or a copy of it alone then signs nothing.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// How secrets are kept.
#[derive(Debug, Default)]
pub struct Vault(Option<LessSafeKey>);

/// How a secret begins that is kept as it is.
const PLAIN: &str = "plain:";
/// How a secret begins that is sealed: Base64 of nonce, text and tag follows.
const SEALED: &str = "aes-256-gcm:";

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

impl Vault {
    /// Sealing by the key in a file: 64 hexadecimal digits, as `openssl rand -hex 32` makes them.
    ///
    /// # Errors
    /// Why the file holds no key.
    pub fn with_key(file: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(file).map_err(|problem| format!("{}: {problem}", file.display()))?;
        let text = text.trim();
        let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).ok();
        let key: Option<Vec<u8>> = digits.then(|| (0..64).step_by(2).map(byte).collect()).flatten();
        let key = key.and_then(|key| UnboundKey::new(&AES_256_GCM, &key).ok());
        let wrong = || format!("{}: 64 hexadecimal digits are right: openssl rand -hex 32", file.display());
        Ok(Self(Some(LessSafeKey::new(key.ok_or_else(wrong)?))))
    }

    /// What is kept of a secret; `of` says whose it is, and it opens as nobody else's.
    #[must_use]
    pub fn seal(&self, of: &str, secret: &str) -> String {
        let Some(key) = &self.0 else { return format!("{PLAIN}{secret}") };
        let nonce = random::<NONCE_LEN>();
        let mut text = secret.as_bytes().to_vec();
        let sealed =
            key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(of.as_bytes()), &mut text);
        sealed.expect("a secret is shorter than what the cipher takes");
        format!("{SEALED}{}", STANDARD_NO_PAD.encode([nonce.as_slice(), &text].concat()))
    }

    /// The secret behind what is kept.
    ///
    /// # Errors
    /// What keeps it from being read, in words.
    pub fn open(&self, of: &str, kept: &str) -> Result<String, String> {
        if let Some(secret) = kept.strip_prefix(PLAIN) {
            return Ok(secret.to_owned());
        }
        let damaged = || format!("the secret of {of} is damaged");
        let bytes = kept.strip_prefix(SEALED).and_then(|text| STANDARD_NO_PAD.decode(text).ok()).ok_or_else(damaged)?;
        let (nonce, text) = bytes.split_first_chunk::<NONCE_LEN>().ok_or_else(damaged)?;
        let key = self.0.as_ref().ok_or_else(|| {
            format!("the secret of {of} is sealed: [open] secrets_key names no file with the key that opens it")
        })?;
        let mut text = text.to_vec();
        let opened = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(of.as_bytes()), &mut text);
        let opened = opened.map_err(|_| format!("the key in [open] secrets_key does not open the secret of {of}"))?;
        String::from_utf8(opened.to_vec()).map_err(|_| damaged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(text: &str) -> Result<Vault, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Vault::with_key(file.path())
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_same_key_for_the_same_owner() {
        let (secret, key) = ("cfo_for-this-test-alone".to_owned(), format!("{}\n", "7f".repeat(32)));
        let (one, other) = (vault(&key).unwrap(), vault(&"80".repeat(32)).unwrap());
        let kept = one.seal("open key 1", &secret);
        assert!(!kept.contains(&secret) && kept != one.seal("open key 1", &secret), "sealed anew each time");
        assert_eq!(vault(&key).unwrap().open("open key 1", &kept).as_deref(), Ok(secret.as_str()));
        assert!(one.open("open key 2", &kept).is_err(), "it is another's");
        assert!(other.open("open key 1", &kept).unwrap_err().contains("does not open"));
        assert!(Vault::default().open("open key 1", &kept).unwrap_err().contains("secrets_key"));
        let plain = Vault::default().seal("open key 1", &secret);
        assert_eq!(
            one.open("open key 1", &plain).as_deref(),
            Ok(secret.as_str()),
            "what was kept before there was a key"
        );
        for damaged in ["", "aes-256-gcm:", "aes-256-gcm:AAAA", "aes-256-gcm:?", &kept[..kept.len() - 4]] {
            assert!(one.open("open key 1", damaged).is_err(), "{damaged:?}");
        }
    }

    #[test]
    fn a_file_without_a_key_says_what_would_be_right() {
        for text in ["", "7f", &"7g".repeat(32), &"é".repeat(32)] {
            assert!(vault(text).unwrap_err().contains("openssl rand -hex 32"), "{text:?}");
        }
    }
}
