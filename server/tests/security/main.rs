//! Keys, the audit log, who may do what, limits and TLS, over real HTTP.

mod access;
mod audit;
mod keys;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/system.rs"]
mod system;

use reqwest::Method;
use serde_json::{Value, json};

use support::{Running, User};

impl Running {
    /// Somebody who has only a token, such as a key.
    pub(crate) fn bearer(&self, token: &str) -> User {
        User::with_token(self.client.clone(), self.url("/api/v1"), token)
    }
}

impl User {
    /// A key with these scopes: its number and secret.
    pub(crate) async fn makes_key(&self, scopes: &[&str]) -> (u64, String) {
        let (status, made) = self.post("/keys", json!({ "name": "reports", "scopes": scopes, "days": 30 })).await;
        assert_eq!(status, 201, "{made}");
        (made["id"].as_u64().unwrap(), made["secret"].as_str().unwrap().to_owned())
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(Method::PUT, path, Some(body)).await
    }
}
