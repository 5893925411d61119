//! What is signed and how: HMAC-SHA-256 (RFC 2104) over everything that a request says, by whoever shares the secret.
//!
//! The same scheme goes both ways: the customer's system signs what it asks of us, and we sign what we ask of it.

use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::http::Problem;

/// The first line of what is signed: another scheme would have another.
const SCHEME: &str = "CALLFLOOR-HMAC-SHA256";
/// How far a time stamp may be from our clock, in seconds: 5 minutes.
pub(crate) const SKEW_S: u64 = 300;

pub(super) const ORGANISATION: &str = "callfloor-organisation";
pub(super) const KEY: &str = "callfloor-key";
pub(super) const TIMESTAMP: &str = "callfloor-timestamp";
pub(super) const NONCE: &str = "callfloor-nonce";
pub(super) const BODY_HASH: &str = "callfloor-content-sha256";
pub(super) const SIGNATURE: &str = "callfloor-signature";

/// Everything that a signature covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signed<'a> {
    /// The organisation's name.
    pub organisation: &'a str,
    /// Which secret.
    pub key: &'a str,
    /// `GET`, `POST`, …
    pub method: &'a str,
    /// As it is sent, with its percent signs.
    pub path: &'a str,
    /// What follows the `?`, as it is sent; empty for nothing.
    pub query: &'a str,
    /// SHA-256 of the body in small hexadecimal digits.
    pub body_hash: &'a str,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// A text that no other request within the window has.
    pub nonce: &'a str,
}

/// SHA-256 in small hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let right = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    right.then(|| (0..text.len()).step_by(2).map(digit).collect()).flatten()
}

impl Signed<'_> {
    /// The nine lines that are signed, the last without an end. The parts of the query are sorted as bytes.
    pub(super) fn text(&self) -> String {
        let mut query: Vec<&str> = self.query.split('&').filter(|part| !part.is_empty()).collect();
        query.sort_unstable();
        let lines = [
            SCHEME,
            self.organisation,
            self.key,
            self.method,
            self.path,
            &query.join("&"),
            self.body_hash,
            &self.timestamp.to_string(),
            self.nonce,
        ];
        lines.join("\n")
    }

    fn mac(&self, secret: &str) -> Hmac<Sha256> {
        let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
        mac.expect("HMAC takes a key of any length").chain_update(self.text())
    }

    /// The signature in small hexadecimal digits.
    pub(super) fn sign(&self, secret: &str) -> String {
        hex(&self.mac(secret).finalize().into_bytes())
    }

    /// Whether a signature is right. Takes the same time for every wrong one.
    pub(super) fn is_signed(&self, secret: &str, signature: &str) -> bool {
        unhex(signature).is_some_and(|signature| self.mac(secret).verify_slice(&signature).is_ok())
    }
}

/// What a request says of its signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Claim {
    pub organisation: String,
    pub key: u64,
    pub timestamp: u64,
    pub nonce: String,
    pub body_hash: String,
    pub signature: String,
}

impl Claim {
    /// Reads the headers of a request; without a hash of the body there is no body.
    ///
    /// # Errors
    /// Which header is missing, or what would be right in it.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let found = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let missing = |name: &str| {
            Problem::unauthenticated(format!(
                "every request is signed, and this one has no header {name}: see docs/open-api.md"
            ))
        };
        let part = |name: &str| found(name).ok_or_else(|| missing(name));
        let wrong = |name: &str, right: &str| Problem::wrong("signature-header", format!("{name}: {right}"));
        let (organisation, nonce, signature) = (part(ORGANISATION)?, part(NONCE)?, part(SIGNATURE)?);
        let key = part(KEY)?.parse().map_err(|_| wrong(KEY, "the number of a key is right"))?;
        let timestamp = part(TIMESTAMP)?.parse();
        let timestamp = timestamp.map_err(|_| wrong(TIMESTAMP, "whole seconds since 1970 are right"))?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if !(16..=64).contains(&nonce.len()) || !nonce.bytes().all(plain) {
            return Err(wrong(NONCE, "16 to 64 letters, digits, - and _ are right, new for each request"));
        }
        let is_hash =
            |text: &str| text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let body_hash = found(BODY_HASH).unwrap_or_else(|| sha256(b""));
        if !is_hash(&body_hash) {
            return Err(wrong(BODY_HASH, "SHA-256 of the body in 64 small hexadecimal digits is right"));
        }
        Ok(Self { organisation, key, timestamp, nonce, body_hash, signature })
    }

    /// Whether the time stamp is near enough to now.
    ///
    /// # Errors
    /// How far it is.
    pub(super) fn is_fresh(&self, now_s: u64) -> Result<(), Problem> {
        if self.timestamp.abs_diff(now_s) <= SKEW_S {
            return Ok(());
        }
        let detail =
            format!("time stamp {}: within {SKEW_S} s of our clock, which shows {now_s}, is right", self.timestamp);
        Err(Problem::new(StatusCode::UNAUTHORIZED, "stale-timestamp", detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> Signed<'static> {
        Signed {
            organisation: "main",
            key: "1",
            method: "GET",
            path: "/open/v1/services/0/inquiries",
            query: "member=m-1&limit=5",
            body_hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            timestamp: 1_764_000_000,
            nonce: "0123456789abcdef",
        }
    }

    #[test]
    fn the_query_is_sorted_and_nothing_else_is_changed() {
        let text = "CALLFLOOR-HMAC-SHA256\nmain\n1\nGET\n/open/v1/services/0/inquiries\nlimit=5&member=m-1\n\
            e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n1764000000\n0123456789abcdef";
        assert_eq!(signed().text(), text);
        assert_eq!(Signed { query: "limit=5&&member=m-1", ..signed() }.text(), text);
        assert_eq!(sha256(b""), signed().body_hash);
    }

    /// RFC 4231, test case 2, by way of the same functions.
    #[test]
    fn the_code_is_that_of_rfc_4231() {
        let mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap().chain_update(b"what do ya want for nothing?");
        let right = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex(&mac.finalize().into_bytes()), right);
    }

    #[test]
    fn every_part_is_covered() {
        let signature = signed().sign("a secret");
        assert!(signed().is_signed("a secret", &signature));
        assert!(signed().is_signed("a secret", &signature.to_uppercase()));
        let others = [
            Signed { organisation: "other", ..signed() },
            Signed { key: "2", ..signed() },
            Signed { method: "POST", ..signed() },
            Signed { path: "/open/v1/services/1/inquiries", ..signed() },
            Signed { query: "member=m-2&limit=5", ..signed() },
            Signed { body_hash: "00", ..signed() },
            Signed { timestamp: 1_764_000_001, ..signed() },
            Signed { nonce: "0123456789abcdeF", ..signed() },
        ];
        for other in others {
            assert!(!other.is_signed("a secret", &signature), "{other:?}");
        }
        for wrong in ["", "00", &signature[..62], &format!("{signature}00"), "zz", "é"] {
            assert!(!signed().is_signed("a secret", wrong), "{wrong:?}");
        }
        assert!(!signed().is_signed("another secret", &signature));
    }

    #[test]
    fn what_is_wrong_with_a_header_is_told() {
        let right = [
            (ORGANISATION, "main"),
            (KEY, "1"),
            (TIMESTAMP, "1764000000"),
            (NONCE, "0123456789abcdef"),
            (SIGNATURE, "00"),
        ];
        let read = |changed: &str, value: &str| {
            let mut headers = HeaderMap::new();
            for (name, text) in right {
                headers.insert(name, text.parse().unwrap());
            }
            headers.insert(axum::http::HeaderName::try_from(changed).unwrap(), value.parse().unwrap());
            Claim::read(&headers)
        };
        let claim = read("x-other", "1").unwrap();
        assert_eq!((claim.key, claim.body_hash.as_str()), (1, signed().body_hash));
        for (name, value) in [
            (KEY, "one"),
            (TIMESTAMP, "1.5"),
            (TIMESTAMP, "-1"),
            (NONCE, "short"),
            (NONCE, "0123456789abcde/"),
            (BODY_HASH, "AB"),
        ] {
            let problem = read(name, value).unwrap_err();
            assert!(problem.rule == "signature-header" && problem.detail.starts_with(name), "{name}: {problem}");
        }
        assert_eq!(Claim::read(&HeaderMap::new()).unwrap_err().status, 401);
        assert!(claim.is_fresh(1_764_000_300).is_ok() && claim.is_fresh(1_763_999_700).is_ok());
        assert_eq!(claim.is_fresh(1_764_000_301).unwrap_err().rule, "stale-timestamp");
        assert_eq!(claim.is_fresh(1_763_999_699).unwrap_err().rule, "stale-timestamp");
    }
}
