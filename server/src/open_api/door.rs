//! The door of the open API: a request comes in where its signature, time stamp, nonce and body are right and its key opens
//! the route in the service that the path names.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, OriginalUri, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::OpenScope;
use super::key::{OpenKey, known_as};
use super::nonce;
use super::room::Taken;
use super::signature::{Claim, Signed, sha256};
use crate::auth::{Repeatable, idempotency_key, once};
use crate::document::Read;
use crate::host::Turn;
use crate::http::{App, Problem, in_time};
use crate::storage::Reader;
use crate::tenant::Tenant;

/// Largest body of a request without files, in bytes.
pub(super) const SMALL_BODY: usize = 64 << 10;
/// Requests of one key at once, and how soon it gets one back: 100 in a second for as long as it likes.
const AT_ONCE: u32 = 200;
const EACH: Duration = Duration::from_millis(10);

/// A system of the customer's that asks.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    pub tenant: Arc<Tenant>,
    /// The number of its key.
    pub key: u64,
    /// The services in which the key opens the route.
    pub services: Vec<u16>,
    repeatable: Option<Repeatable>,
    /// The room that a large body takes, while it is worked on.
    room: Option<Taken>,
}

impl Asker {
    /// Runs a job in the loop, [`once`] for each idempotency key.
    ///
    /// # Errors
    /// The job's, or that there is no answer at present.
    pub(super) async fn write<T: Serialize + DeserializeOwned + Send + 'static>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let job = once(known_as(self.key), self.repeatable.clone(), job);
        let (host, room) = (self.tenant.host.clone(), self.room.clone());
        // On its own: of a client that goes away, what it sent takes its room until it is written.
        let written = tokio::spawn(async move {
            let written = host.run(job).await;
            drop(room);
            written
        });
        written.await.expect("waiting does not panic")?
    }

    /// Looks at the engine, in the loop's order.
    ///
    /// # Errors
    /// The job's, or that there is no answer at present.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.tenant.host.run(job).await?
    }

    /// Reads what is committed, away from the loop.
    ///
    /// # Errors
    /// The function's own.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&mut dyn Reader) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.tenant.host.read(read).await
    }
}

impl FromRequestParts<App> for Asker {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let asker = parts.extensions.get::<Self>().cloned();
        asker.ok_or_else(|| Problem::unauthenticated("every request is signed: see docs/open-api.md"))
    }
}

/// How many requests the keys may still make. One that is whole again, within seconds of its last request, is as one that was
/// never used: it is forgotten, so that no key that is over stays.
#[derive(Debug, Default)]
pub(super) struct Rates(Mutex<Buckets>);

#[derive(Debug, Default)]
struct Buckets {
    /// The moment at which each is whole again.
    of: HashMap<(String, u64), Instant>,
    /// How many there were after the last look for those that are whole.
    kept: usize,
}

/// So many more are there before we look again for those that are whole.
const LOOK_AFTER: usize = 1_000;

impl Buckets {
    /// Costs each request little: as many came since the last look as are gone over.
    fn forget(&mut self, now: Instant) {
        if self.of.len() >= 2 * self.kept + LOOK_AFTER {
            self.of.retain(|_, whole_at| *whole_at > now);
            self.of.shrink_to(2 * self.of.len() + LOOK_AFTER);
            self.kept = self.of.len();
        }
    }
}

impl Rates {
    fn take(&self, organisation: &str, key: u64, now: Instant) -> Result<(), Problem> {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.forget(now);
        let whole_at = buckets.of.entry((organisation.to_owned(), key)).or_insert(now);
        let next = (*whole_at).max(now) + EACH;
        if next.saturating_duration_since(now) > EACH * AT_ONCE {
            let detail = format!("this key asks too often: {AT_ONCE} requests at once and 100 in a second are right");
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail).retry_after(1));
        }
        *whole_at = next;
        Ok(())
    }
}

fn refused(rule: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, rule, detail)
}

/// Lets a request through to a route of this scope, with who asks, or refuses it.
///
/// # Errors
/// Which part of the signature is wrong; 403 where the key does not open the route.
pub(crate) async fn admit(app: &App, request: &mut Request, scope: OpenScope) -> Result<(), Problem> {
    let claim = Claim::read(request.headers())?;
    let now_s = u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or(0);
    let (tenant, key, over) = key_of(app, &claim, now_s).await?;
    claim.is_fresh(now_s)?;
    let original = request.extensions().get::<OriginalUri>().map(|uri| uri.0.clone());
    let uri = original.unwrap_or_else(|| request.uri().clone());
    if !is_signed(&claim, request.method().as_str(), &uri, &key.secret(app)?) {
        let detail = "the signature is not that of this request by this key: docs/open-api.md says what is signed";
        return Err(refused("wrong-signature", detail));
    }
    app.open.rates.take(&tenant.name, key.id, Instant::now())?;
    let service = service_of(request).await;
    if !key.opens(scope, service) {
        let place = service.map_or_else(|| "any service".to_owned(), |service| format!("service {service}"));
        let word = serde_json::to_value(scope).unwrap_or_default();
        return Err(Problem::forbidden(format!("this key has no scope {word} in {place}")));
    }
    let most = if scope == OpenScope::InquiriesWrite { super::inquiries::LARGEST_BODY } else { SMALL_BODY };
    let room = match body_to_come(request.headers(), most)? {
        length if length > SMALL_BODY => Some(app.open.room.for_body(&tenant.name, length).await?),
        _ => None,
    };
    take_body(request, most, &claim.body_hash).await?;
    let (id, text, timestamp) = (key.id, claim.nonce.clone(), claim.timestamp);
    tenant.host.run(move |turn| nonce::spend(turn, id, &text, timestamp, over)).await??;
    let repeatable = idempotency_key(request.headers())?.map(|key| {
        let fingerprint = sha256(format!("{} {uri} {}", request.method(), claim.body_hash).as_bytes());
        Repeatable { key, fingerprint }
    });
    let services = key.grants.iter().filter(|grant| grant.scopes.contains(&scope)).map(|grant| grant.service);
    let services = services.collect();
    request.extensions_mut().insert(Asker { tenant, key: key.id, services, repeatable, room });
    Ok(())
}

/// The key that a request names, and nonces that are over.
async fn key_of(app: &App, claim: &Claim, now_s: u64) -> Result<(Arc<Tenant>, OpenKey, Vec<u64>), Problem> {
    let detail = "there is no such key of this organisation, or it was taken back or is over";
    let unknown = || refused("unknown-key", detail);
    let tenant = app.tenants().named(Some(&claim.organisation)).ok_or_else(unknown)?;
    let id = claim.key;
    let read =
        move |reader: &mut dyn Reader| Ok::<_, Problem>((reader.document::<OpenKey>(id)?, nonce::over(reader, now_s)?));
    let (key, over) = tenant.host.read(read).await?;
    let key = key.filter(|key| key.is_good(now_s.saturating_mul(1_000_000))).ok_or_else(unknown)?;
    Ok((tenant, key, over))
}

fn is_signed(claim: &Claim, method: &str, uri: &Uri, secret: &str) -> bool {
    let signed = Signed {
        organisation: &claim.organisation,
        key: &claim.key.to_string(),
        method,
        path: uri.path(),
        query: uri.query().unwrap_or_default(),
        body_hash: &claim.body_hash,
        timestamp: claim.timestamp,
        nonce: &claim.nonce,
    };
    signed.is_signed(secret, &claim.signature)
}

/// The service that the path names. One that is no number is no service: the key opens nothing there.
async fn service_of(request: &mut Request) -> Option<u16> {
    let (mut parts, body) = std::mem::take(request).into_parts();
    let found = RawPathParams::from_request_parts(&mut parts, &()).await.ok().and_then(|parameters| {
        let named = parameters.iter().find(|(name, _)| *name == "service");
        named.map(|(_, value)| value.parse().unwrap_or(u16::MAX))
    });
    *request = Request::from_parts(parts, body);
    found
}

fn too_large(most: usize) -> Problem {
    let detail = format!("a body of at most {} KiB is right here", most >> 10);
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail)
}

/// How long the body will be, at most.
pub(super) fn body_to_come(headers: &HeaderMap, most: usize) -> Result<usize, Problem> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let length: usize = length.unwrap_or(most);
    if length > most { Err(too_large(most)) } else { Ok(length) }
}

/// Reads the body, and compares it with the hash that was signed.
async fn take_body(request: &mut Request, most: usize, hash: &str) -> Result<(), Problem> {
    let (parts, body) = std::mem::take(request).into_parts();
    let bytes = in_time(body, |body| axum::body::to_bytes(body, most)).await?.map_err(|_| too_large(most))?;
    let hashed = if bytes.len() > SMALL_BODY {
        let copy: Bytes = bytes.clone();
        tokio::task::spawn_blocking(move || sha256(&copy)).await.expect("hashing does not panic")
    } else {
        sha256(&bytes)
    };
    if hashed != hash {
        let detail = "the body is another than the one whose hash was signed in Callfloor-Content-SHA256";
        return Err(refused("wrong-body-hash", detail));
    }
    *request = Request::from_parts(parts, Body::from(bytes));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_asks_so_often_and_no_other_is_held_up() {
        let (rates, now) = (Rates::default(), Instant::now());
        let admitted = |key, now| (0..500).filter(|_| rates.take("main", key, now).is_ok()).count();
        assert_eq!(admitted(1, now), 200);
        assert_eq!(admitted(2, now), 200);
        assert_eq!(admitted(1, now + Duration::from_millis(500)), 50);
        assert_eq!(admitted(1, now + Duration::from_secs(60)), 200);
    }

    #[test]
    fn a_key_that_asks_no_more_is_forgotten() {
        let (rates, begun) = (Rates::default(), Instant::now());
        let known = || rates.0.lock().unwrap().of.len();
        for second in 0..100 {
            let now = begun + Duration::from_secs(second);
            (0..500).for_each(|key| rates.take("main", second * 500 + key, now).unwrap());
        }
        assert!(known() <= 2 * LOOK_AFTER, "{} of 50000 keys", known());
        // Those in use are not forgotten: they have no more for it.
        let now = begun + Duration::from_secs(1_000);
        let first = (0..500).filter(|_| rates.take("main", 0, now).is_ok()).count();
        (1..5_000).for_each(|key| rates.take("acme", key, now).unwrap());
        assert_eq!((first, rates.take("main", 0, now).is_ok()), (200, false));
    }
}
