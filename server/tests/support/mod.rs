//! A real server on a free port of this machine, with its data in a directory that goes with it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::path::Path;
use std::sync::Arc;

use callfloor_server::config::Config;
use callfloor_server::server::{Options, Server};
use callfloor_server::storage::SqliteStores;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

/// The password of every account of the demonstration.
pub const PASSWORD: &str = "correct-horse-battery";

/// A server and the directory of its data.
pub struct Running {
    pub server: Server,
    pub directory: tempfile::TempDir,
    pub client: Client,
}

impl Running {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory")).await
    }

    pub async fn start_in(directory: tempfile::TempDir) -> Self {
        let server = serve(directory.path()).await;
        Self { server, directory, client: Client::new() }
    }

    /// Stops the server and starts another on the same data.
    pub async fn restart(self) -> Self {
        let Self { server, directory, .. } = self;
        server.stop().await;
        Self::start_in(directory).await
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.server.http())
    }

    /// Somebody signed in.
    pub async fn sign_in(&self, login: &str) -> User {
        let body = json!({ "login": login, "password": PASSWORD });
        let answer = self.client.post(self.url("/api/v1/sessions")).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 201, "{login} signs in");
        let answer: Value = answer.json().await.expect("JSON");
        User {
            client: self.client.clone(),
            base: self.url("/api/v1"),
            token: answer["token"].as_str().expect("a token").to_owned(),
            operator: answer["operator"].as_u64(),
        }
    }
}

async fn serve(directory: &Path) -> Server {
    let config = Config::read("none", "[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n", []);
    serve_as(directory, &config.expect("a right configuration")).await
}

/// A server by a configuration, whose accounts have [`PASSWORD`].
pub async fn serve_as(directory: &Path, config: &Config) -> Server {
    let stores = Arc::new(SqliteStores(directory.to_owned()));
    let options = Options { first_password: Some(PASSWORD.to_owned()), ..Options::new(config) };
    Server::start(stores, options).await.expect("a server")
}

/// Somebody who is signed in.
pub struct User {
    client: Client,
    base: String,
    pub token: String,
    pub operator: Option<u64>,
}

impl User {
    pub fn with_token(client: Client, base: String, token: &str) -> Self {
        Self { client, base, token: token.to_owned(), operator: None }
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base)).bearer_auth(&self.token)
    }

    /// Status and body of a request; `Null` for a body that is none.
    pub async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn get(&self, path: &str) -> (u16, Value) {
        self.call(reqwest::Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        self.call(reqwest::Method::POST, path, Some(body)).await
    }

    pub async fn delete(&self, path: &str) -> (u16, Value) {
        self.call(reqwest::Method::DELETE, path, None).await
    }
}
