//! Digest authentication (RFC 7616, RFC 2617): challenge, proof, nonces that nobody can replay.

use crate::message::{Params, list, unquote};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, Mac};
use md5::Digest as _;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

/// The digest's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// MD5: what most phones speak.
    Md5,
    /// SHA-256 (RFC 8760).
    Sha256,
}

impl Algorithm {
    /// Its name in a header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The hash of the parts joined by colons, in lower-case hexadecimal.
    fn hash(self, parts: &[&str]) -> String {
        let text = parts.join(":");
        match self {
            Self::Md5 => hex(&md5::Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(&sha2::Sha256::digest(text.as_bytes())),
        }
    }
}

/// What the host knows of a user. Keep [`Secret::Ha1`] at rest: it is worth nothing in another realm.
#[derive(Clone)]
pub enum Secret {
    /// The password itself.
    Password(String),
    /// `H(user:realm:password)` by both hashes, where known.
    Ha1 {
        /// By MD5, hexadecimal.
        md5: Option<String>,
        /// By SHA-256, hexadecimal.
        sha256: Option<String>,
    },
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// Both hashes of a password.
    #[must_use]
    pub fn ha1(user: &str, realm: &str, password: &str) -> Self {
        let of = |algorithm: Algorithm| Some(algorithm.hash(&[user, realm, password]));
        Self::Ha1 { md5: of(Algorithm::Md5), sha256: of(Algorithm::Sha256) }
    }

    fn for_algorithm(&self, algorithm: Algorithm, user: &str, realm: &str) -> Option<String> {
        match (self, algorithm) {
            (Self::Password(password), _) => Some(algorithm.hash(&[user, realm, password])),
            (Self::Ha1 { md5, .. }, Algorithm::Md5) => md5.clone(),
            (Self::Ha1 { sha256, .. }, Algorithm::Sha256) => sha256.clone(),
        }
    }
}

/// Credentials of a request with a nonce of ours that is fresh and was not used with this count before.
/// Whether they are right is for [`Proof::verify`], with what the host knows of [`Proof::user`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The user name.
    pub user: String,
    /// The realm: one of the endpoint's own.
    pub realm: String,
    algorithm: Algorithm,
    nonce: String,
    uri: String,
    response: String,
    method: String,
    /// qop=auth: nc and cnonce.
    count: Option<(String, String)>,
}

impl Proof {
    /// Whether the sender knows the secret.
    #[must_use]
    pub fn verify(&self, secret: &Secret) -> bool {
        let Some(ha1) = secret.for_algorithm(self.algorithm, &self.user, &self.realm) else {
            return false;
        };
        let expected = response(self.algorithm, &ha1, &self.nonce, self.count.as_ref(), &self.method, &self.uri);
        // Both are hexadecimal texts of a length that is no secret.
        constant_time_eq(expected.as_bytes(), self.response.to_ascii_lowercase().as_bytes())
    }

    /// The hash used.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

fn response(
    algorithm: Algorithm,
    ha1: &str,
    nonce: &str,
    count: Option<&(String, String)>,
    method: &str,
    uri: &str,
) -> String {
    let ha2 = algorithm.hash(&[method, uri]);
    match count {
        Some((nc, cnonce)) => algorithm.hash(&[ha1, nonce, nc, cnonce, "auth", &ha2]),
        None => algorithm.hash(&[ha1, nonce, &ha2]),
    }
}

fn constant_time_eq(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |acc, (x, y)| acc | (x ^ y)) == 0
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(bytes.len() * 2);
    for b in bytes {
        out.push(char::from(DIGITS[usize::from(b >> 4)]));
        out.push(char::from(DIGITS[usize::from(b & 15)]));
    }
    out
}

/// What the nonce book says of credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// None for our realm, or nothing that we can check: challenge.
    Absent,
    /// The nonce is too old, or its count was used: challenge with `stale=true`.
    Stale,
    /// To be verified.
    Fresh(Proof),
}

/// Issues nonces and remembers which counts were used. Issued nonces cost nothing to keep: they carry their time under a MAC.
#[derive(Debug)]
pub struct Nonces {
    key: [u8; 32],
    begin: Instant,
    lifetime: Duration,
    serial: u64,
    /// The counts used with each nonce, as the highest and a window of 64 below it.
    used: HashMap<String, (u32, u64)>,
    order: VecDeque<(u64, String)>,
    limit: usize,
    /// Nonces issued before this were forgotten, and are stale.
    forgotten_ms: u64,
}

impl Nonces {
    /// A book whose nonces live so long, and which remembers the counts of at most `limit` of them.
    #[must_use]
    pub fn new(key: [u8; 32], now: Instant, lifetime: Duration, limit: usize) -> Self {
        Self {
            key,
            begin: now,
            lifetime,
            serial: 0,
            used: HashMap::new(),
            order: VecDeque::new(),
            limit: limit.max(1),
            forgotten_ms: 0,
        }
    }

    fn elapsed_ms(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.begin).as_millis()).unwrap_or(u64::MAX)
    }

    fn mac(&self, stamp: &[u8; 16]) -> [u8; 12] {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(stamp);
        let full = mac.finalize().into_bytes();
        let mut short = [0; 12];
        short.copy_from_slice(&full[..12]);
        short
    }

    /// A new nonce.
    pub fn issue(&mut self, now: Instant) -> String {
        self.serial += 1;
        let mut stamp = [0; 16];
        stamp[..8].copy_from_slice(&self.elapsed_ms(now).to_be_bytes());
        stamp[8..].copy_from_slice(&self.serial.to_be_bytes());
        let mac = self.mac(&stamp);
        BASE64.encode([&stamp[..], &mac[..]].concat())
    }

    /// The values of the challenge headers, one for each hash, in that order.
    pub fn challenge(&mut self, now: Instant, realm: &str, stale: bool, algorithms: &[Algorithm]) -> Vec<String> {
        let nonce = self.issue(now);
        let stale = if stale { ", stale=true" } else { "" };
        let one = |algorithm: &Algorithm| {
            let name = algorithm.as_str();
            format!("Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={name}, qop=\"auth\"{stale}")
        };
        algorithms.iter().map(one).collect()
    }

    /// When a nonce of ours was issued, if it is one.
    fn issued_ms(&self, nonce: &str) -> Option<u64> {
        let raw = BASE64.decode(nonce).ok()?;
        let (stamp, mac) = raw.split_at_checked(16)?;
        let stamp: &[u8; 16] = stamp.try_into().ok()?;
        if !constant_time_eq(&self.mac(stamp), mac) {
            return None;
        }
        Some(u64::from_be_bytes(stamp[..8].try_into().ok()?))
    }

    /// Looks at the values of a request's Authorization headers. The first that names a realm of ours decides.
    pub fn examine<'a>(
        &mut self,
        now: Instant,
        is_ours: impl Fn(&str) -> bool,
        method: &str,
        headers: impl Iterator<Item = &'a str>,
    ) -> Verdict {
        let Some((fields, algorithm)) = headers.filter_map(fields).find_map(|f| {
            let algorithm = match f.get("algorithm") {
                None => Algorithm::Md5,
                Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
                Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
                Some(_) => return None,
            };
            f.get("realm").is_some_and(|realm| is_ours(realm)).then_some((f, algorithm))
        }) else {
            return Verdict::Absent;
        };
        let get = |name: &str| fields.get(name).cloned();
        let (Some(user), Some(realm), Some(nonce), Some(uri), Some(response)) =
            (get("username"), get("realm"), get("nonce"), get("uri"), get("response"))
        else {
            return Verdict::Absent;
        };
        let count = match get("qop") {
            Some(qop) if qop.eq_ignore_ascii_case("auth") => match (get("nc"), get("cnonce")) {
                (Some(nc), Some(cnonce)) => Some((nc, cnonce)),
                _ => return Verdict::Absent,
            },
            Some(_) => return Verdict::Absent,
            None => None,
        };
        let Some(issued) = self.issued_ms(&nonce) else { return Verdict::Stale };
        let age = self.elapsed_ms(now).saturating_sub(issued);
        if u128::from(age) > self.lifetime.as_millis() || issued < self.forgotten_ms {
            return Verdict::Stale;
        }
        // Without qop a nonce is good for one request: it counts as number 1.
        let number = match &count {
            Some((nc, _)) => match u32::from_str_radix(nc, 16) {
                Ok(number) if nc.len() == 8 => number,
                _ => return Verdict::Absent,
            },
            None => 1,
        };
        if !self.take_count(&nonce, issued, number) {
            return Verdict::Stale;
        }
        Verdict::Fresh(Proof { user, realm, algorithm, nonce, uri, response, method: method.to_owned(), count })
    }

    /// Notes that a nonce was used with this count; false if it was before.
    fn take_count(&mut self, nonce: &str, issued: u64, number: u32) -> bool {
        if let Some((highest, window)) = self.used.get_mut(nonce) {
            if number > *highest {
                let shift = number - *highest;
                *window = if shift < 64 { (*window << shift) | 1 } else { 1 };
                *highest = number;
                return true;
            }
            let back = *highest - number;
            if back >= 64 || *window & (1 << back) != 0 {
                return false;
            }
            *window |= 1 << back;
            return true;
        }
        if self.order.len() >= self.limit
            && let Some((oldest, gone)) = self.order.pop_front()
        {
            self.used.remove(&gone);
            self.forgotten_ms = self.forgotten_ms.max(oldest + 1);
        }
        self.used.insert(nonce.to_owned(), (number, 1));
        self.order.push_back((issued, nonce.to_owned()));
        true
    }
}

/// The fields of a `Digest` header, quotes removed, names in lower case.
fn fields(header: &str) -> Option<HashMap<String, String>> {
    let header = header.trim_start();
    let rest = header.get(..6).filter(|s| s.eq_ignore_ascii_case("digest")).and_then(|_| header.get(6..))?;
    if !rest.starts_with([' ', '\t', '\r', '\n']) {
        return None;
    }
    let mut found = HashMap::new();
    for item in list(rest) {
        if let Some((name, value)) = Params(item).iter().next() {
            found.insert(name.to_ascii_lowercase(), unquote(value));
        }
    }
    Some(found)
}

/// The answer to a challenge: the value of an Authorization header, for the strongest hash offered.
///
/// `None` if no offered challenge can be answered.
#[must_use]
pub fn authorize<'a>(
    challenges: impl Iterator<Item = &'a str>,
    user: &str,
    password: &str,
    method: &str,
    uri: &str,
    cnonce: &str,
) -> Option<String> {
    let mut best: Option<(Algorithm, HashMap<String, String>)> = None;
    for challenge in challenges.filter_map(fields) {
        let algorithm = match challenge.get("algorithm") {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => continue,
        };
        if best.as_ref().is_none_or(|(a, _)| *a == Algorithm::Md5 && algorithm == Algorithm::Sha256) {
            best = Some((algorithm, challenge));
        }
    }
    let (algorithm, challenge) = best?;
    let realm = challenge.get("realm")?;
    let nonce = challenge.get("nonce")?;
    let with_qop = match challenge.get("qop") {
        Some(qop) => {
            if !qop.split(',').any(|q| q.trim().eq_ignore_ascii_case("auth")) {
                return None;
            }
            true
        }
        None => false,
    };
    let ha1 = algorithm.hash(&[user, realm, password]);
    let count = with_qop.then(|| ("00000001".to_owned(), cnonce.to_owned()));
    let answer = response(algorithm, &ha1, nonce, count.as_ref(), method, uri);
    let quote = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let mut out = format!(
        "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{uri}\", response=\"{answer}\", algorithm={}",
        quote(user),
        quote(realm),
        quote(nonce),
        algorithm.as_str()
    );
    if let Some((nc, cnonce)) = count {
        out.push_str(&format!(", qop=auth, nc={nc}, cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = challenge.get("opaque") {
        out.push_str(&format!(", opaque=\"{}\"", quote(opaque)));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_7616() {
        let uri = "/dir/index.html";
        let nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let count = Some(("00000001".to_owned(), cnonce.to_owned()));
        for (algorithm, expected) in [
            (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
            (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let ha1 = algorithm.hash(&["Mufasa", "http-auth@example.org", "Circle of Life"]);
            assert_eq!(response(algorithm, &ha1, nonce, count.as_ref(), "GET", uri), expected);
        }
    }

    fn floor(realm: &str) -> bool {
        realm == "floor"
    }

    fn book(limit: usize) -> (Nonces, Instant) {
        let now = Instant::now();
        (Nonces::new([7; 32], now, Duration::from_secs(60), limit), now)
    }

    fn answer(nonces: &mut Nonces, now: Instant) -> String {
        let challenge = nonces.challenge(now, "floor", false, &[Algorithm::Md5, Algorithm::Sha256]);
        authorize(challenge.iter().map(String::as_str), "tanaka", "pw", "REGISTER", "sip:floor", "c").unwrap()
    }

    #[test]
    fn a_right_password_once_and_in_time() {
        let (mut nonces, now) = book(10);
        let header = answer(&mut nonces, now);
        assert!(header.contains("algorithm=SHA-256"));
        let Verdict::Fresh(proof) = nonces.examine(now, floor, "REGISTER", [&*header].into_iter()) else {
            panic!("not fresh")
        };
        assert!(proof.verify(&Secret::Password("pw".into())));
        assert!(proof.verify(&Secret::ha1("tanaka", "floor", "pw")));
        assert!(!proof.verify(&Secret::Password("other".into())));
        // The same header again is a replay.
        assert_eq!(nonces.examine(now, floor, "REGISTER", [&*header].into_iter()), Verdict::Stale);
        let later = answer(&mut nonces, now);
        let late = now + Duration::from_secs(61);
        assert_eq!(nonces.examine(late, floor, "REGISTER", [&*later].into_iter()), Verdict::Stale);
        let other_realm = nonces.examine(now, |realm| realm == "elsewhere", "REGISTER", [&*header].into_iter());
        assert_eq!(other_realm, Verdict::Absent);
    }

    #[test]
    fn forgotten_and_foreign_nonces_are_stale() {
        let (mut nonces, now) = book(1);
        let first = answer(&mut nonces, now);
        let second = answer(&mut nonces, now + Duration::from_millis(5));
        assert!(matches!(nonces.examine(now, floor, "REGISTER", [&*first].into_iter()), Verdict::Fresh(_)));
        assert!(matches!(nonces.examine(now, floor, "REGISTER", [&*second].into_iter()), Verdict::Fresh(_)));
        assert_eq!(nonces.examine(now, floor, "REGISTER", [&*first].into_iter()), Verdict::Stale);
        let (mut others, _) = book(1);
        others.key = [8; 32];
        let foreign = answer(&mut others, now);
        assert_eq!(nonces.examine(now, floor, "REGISTER", [&*foreign].into_iter()), Verdict::Stale);
    }

    #[test]
    fn counts_may_come_out_of_order_but_once() {
        let (mut nonces, _) = book(4);
        let taken: Vec<_> = [1, 5, 3, 3, 5, 200, 137, 136, 1].map(|n| nonces.take_count("n", 0, n)).into();
        assert_eq!(taken, [true, true, true, false, false, true, true, false, false]);
    }

    #[test]
    fn nonsense_is_absent() {
        let (mut nonces, now) = book(4);
        for header in
            ["", "Basic x", "Digest", "Digest realm=\"floor\"", "NoOneKnowsThisScheme opaque-data=here", "ダイジェスト"]
        {
            assert_eq!(nonces.examine(now, floor, "REGISTER", [header].into_iter()), Verdict::Absent, "{header}");
        }
    }
}
