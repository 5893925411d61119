//! Passwords as they are kept: argon2id (RFC 9106) in the PHC string format.

use std::sync::{Mutex, PoisonError};

use argon2::password_hash::{Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// Working memory that somebody has used, for whoever comes next. Freed, the allocator would keep it for each thread that ever
/// hashed: 19 MiB, and again for each of the turns in which the thread did. As many lie here as were ever in use at once.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Takes tens of milliseconds on purpose. With the library's defaults: 19 MiB, 2 passes (OWASP's recommendation).
pub(super) fn hash(password: &str) -> String {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    let salt = SaltString::encode_b64(&bytes).expect("16 bytes are a salt");
    let (algorithm, version, params) = (Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
    let text = ParamsString::try_from(&params).expect("the library's own parameters are right");
    let hasher = Argon2::new(algorithm, version, params);
    let output = compute(&hasher, password, salt.as_salt(), Params::DEFAULT_OUTPUT_LEN);
    let hash = PasswordHash {
        algorithm: algorithm.ident(),
        version: Some(version.into()),
        params: text,
        salt: Some(salt.as_salt()),
        hash: Some(output.expect("the library's own parameters are right")),
    };
    hash.to_string()
}

/// Whether `password` is what was hashed, compared in constant time. Takes tens of milliseconds on purpose.
pub(super) fn verify(hash: &str, password: &str) -> bool {
    let matches = || {
        let hash = PasswordHash::new(hash).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
        let version = Version::try_from(hash.version?).ok()?;
        let hasher = Argon2::new(algorithm, version, Params::try_from(&hash).ok()?);
        let expected = hash.hash?;
        Some(compute(&hasher, password, hash.salt?, expected.len())? == expected)
    };
    matches().unwrap_or(false)
}

fn compute(hasher: &Argon2<'_>, password: &str, salt: Salt<'_>, length: usize) -> Option<Output> {
    let mut bytes = [0; Salt::MAX_LENGTH];
    let salt = salt.decode_b64(&mut bytes).ok()?;
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    let blocks = hasher.params().block_count();
    if memory.len() < blocks {
        memory.resize(blocks, Block::new());
    }
    let output = Output::init_with(length, |out| {
        Ok(hasher.hash_password_into_with_memory(password.as_bytes(), salt, out, &mut memory[..])?)
    });
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    output.ok()
}

#[cfg(test)]
mod tests {
    use argon2::PasswordVerifier as _;

    use super::*;

    #[test]
    fn a_hash_is_the_librarys_and_only_its_password_is_right() {
        let kept = hash("correct horse");
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let parsed = PasswordHash::new(&kept).unwrap();
        Argon2::default().verify_password(b"correct horse", &parsed).unwrap();
        assert!(verify(&kept, "correct horse") && !verify(&kept, "correct horse."));
        assert!(!verify("", "") && !verify("$argon2id$v=19$m=19456,t=2,p=1$", "correct horse"));
        assert_ne!(hash("correct horse"), kept, "each has a salt of its own");
    }

    /// The vector of argon2id in RFC 9106 needs a secret and associated data, which nobody here has: this one is the reference
    /// implementation's (`argon2 somesalt -id -t 2 -m 16 -p 1`).
    #[test]
    fn agrees_with_the_reference_implementation() {
        let known = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(verify(known, "password"));
        assert!(!verify(known, "differentpassword"));
    }
}
