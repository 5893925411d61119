//! A system of the customer's: signs what it asks of the open API, by its own reading of docs/open-api.md.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, Mac as _};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{Running, User};

/// A system with a key.
#[derive(Clone)]
pub struct System {
    pub client: Client,
    pub base: String,
    pub key: u64,
    pub secret: String,
}

/// Everything that a request is signed with; a test may change any of it.
#[derive(Clone)]
pub struct Signing {
    pub organisation: String,
    pub key: String,
    pub method: String,
    /// Path and query as they are sent.
    pub target: String,
    pub body: Vec<u8>,
    pub timestamp: u64,
    pub nonce: String,
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The code of a request by a secret, in hexadecimal.
pub fn code(signing: &Signing, secret: &str) -> String {
    let (path, query) = signing.target.split_once('?').unwrap_or((&signing.target, ""));
    let mut parts: Vec<_> = query.split('&').collect();
    parts.sort_unstable();
    let text = format!(
        "CALLFLOOR-HMAC-SHA256\n{}\n{}\n{}\n{path}\n{}\n{}\n{}\n{}",
        signing.organisation,
        signing.key,
        signing.method,
        parts.join("&"),
        hex(&Sha256::digest(&signing.body)),
        signing.timestamp,
        signing.nonce
    );
    let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key").chain_update(text);
    hex(&mac.finalize().into_bytes())
}

impl System {
    /// What a request is signed with, at this moment.
    pub fn signing(&self, method: &str, target: &str, body: &[u8]) -> Signing {
        static NONCE: AtomicU64 = AtomicU64::new(0);
        let timestamp = now_s();
        Signing {
            organisation: "main".into(),
            key: self.key.to_string(),
            method: method.into(),
            target: target.into(),
            body: body.into(),
            timestamp,
            nonce: format!("nonce-{timestamp}-{:08}", NONCE.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// The request that some signing is of, with a code that may be another's.
    pub fn request(&self, signing: &Signing, code: &str) -> RequestBuilder {
        let url = format!("{}{}", self.base, signing.target);
        let request = self.client.request(signing.method.parse().expect("a method"), url);
        let request = request
            .header("callfloor-organisation", &signing.organisation)
            .header("callfloor-key", &signing.key)
            .header("callfloor-timestamp", signing.timestamp)
            .header("callfloor-nonce", &signing.nonce)
            .header("callfloor-signature", code);
        if signing.body.is_empty() {
            return request;
        }
        request
            .header("callfloor-content-sha256", hex(&Sha256::digest(&signing.body)))
            .header("content-type", "application/json")
            .body(signing.body.clone())
    }

    /// Sends what is signed rightly.
    pub async fn send(&self, signing: &Signing) -> Response {
        self.request(signing, &code(signing, &self.secret)).send().await.expect("an answer")
    }

    pub async fn get(&self, target: &str) -> (u16, Value) {
        told(self.send(&self.signing("GET", target, b"")).await).await
    }

    pub async fn post(&self, target: &str, body: Value) -> (u16, Value) {
        told(self.send(&self.signing("POST", target, body.to_string().as_bytes())).await).await
    }
}

/// Status and body; `Null` for a body that is none.
pub async fn told(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    (status, response.json().await.unwrap_or(Value::Null))
}

/// Everything in the first service.
pub fn everything() -> Value {
    let scopes = ["content:read", "inquiries:read", "inquiries:write", "members:check"];
    json!([{ "service": 0, "scopes": scopes }])
}

impl Running {
    /// A system with a new key that opens this.
    pub async fn system(&self, admin: &User, grants: Value) -> System {
        let (status, made) = admin.post("/open-keys", json!({ "name": "shop", "grants": grants })).await;
        assert_eq!(status, 201, "{made}");
        System {
            client: self.client.clone(),
            base: self.url(""),
            key: made["id"].as_u64().expect("a number"),
            secret: made["secret"].as_str().expect("a secret").to_owned(),
        }
    }
}
