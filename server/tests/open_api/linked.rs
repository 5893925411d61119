//! The organisation's own system is asked: a real HTTP server on this machine, that checks our signatures by the docs.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use callfloor_server::config::Config;
use serde_json::{Value, json};

use crate::support::{Running, User, serve_as};
use crate::system::{Signing, code, everything, hex};
use sha2::{Digest as _, Sha256};

/// What the organisation's system was asked.
#[derive(Clone, Default)]
struct Crm {
    secret: Arc<Mutex<String>>,
    seen: Arc<Mutex<Vec<(String, Value)>>>,
}

impl Crm {
    /// Whether a question is signed by the secret that we were given.
    fn is_signed(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> bool {
        let header = |name: &str| headers.get(name).map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
        let signing = Signing {
            organisation: header("callfloor-organisation"),
            key: header("callfloor-key"),
            method: method.to_string(),
            target: uri.to_string(),
            body: body.to_vec(),
            timestamp: header("callfloor-timestamp").parse().unwrap_or(0),
            nonce: header("callfloor-nonce"),
        };
        header("callfloor-content-sha256") == hex(&Sha256::digest(body))
            && header("callfloor-signature") == code(&signing, &self.secret.lock().unwrap())
    }
}

async fn crm(State(crm): State<Crm>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    if !crm.is_signed(&method, &uri, &headers, &body) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let query = uri.query().unwrap_or_default().split('&').filter_map(|part| part.split_once('='));
    let asked = match serde_json::from_slice(&body) {
        Ok(asked) => asked,
        Err(_) => Value::Object(query.map(|(name, value)| (name.to_owned(), value.into())).collect()),
    };
    crm.seen.lock().unwrap().push((method.to_string(), asked.clone()));
    let rank = json!({ "fields": [{ "label": "Rank", "value": "Gold" }, { "label": "Since", "value": "2019" }] });
    match uri.path() {
        "/members" if asked["token"] == "right" => Json(json!({ "member": "m-1", "name": "Hanako" })).into_response(),
        "/members" => StatusCode::FORBIDDEN.into_response(),
        "/customers" if asked["member"] == "m-1" => Json(rank).into_response(),
        "/slow" => {
            tokio::time::sleep(Duration::from_secs(30)).await;
            Json(rank).into_response()
        }
        "/moved" => (StatusCode::FOUND, [("location", "/customers?member=m-1")]).into_response(),
        "/huge" => "x".repeat(100_000).into_response(),
        "/page" => "<html>".into_response(),
        "/broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

fn router(state: Crm) -> Router {
    Router::new().fallback(crm).with_state(state)
}

/// The organisation's system on this machine, without TLS.
async fn start(state: Crm) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router(state)).await });
    address
}

async fn serve(open: &str) -> Running {
    let text = format!("[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n[open]\n{open}\n");
    let directory = tempfile::tempdir().unwrap();
    let server = serve_as(directory.path(), &Config::read("none", &text, []).unwrap()).await;
    Running { server, directory, client: reqwest::Client::new() }
}

impl User {
    /// Sets a linked system, with a new secret that it is given.
    async fn links(&self, link: &str, settings: Value, crm: &Crm) {
        let path = format!("/linked-systems/{link}");
        let (status, set) = self.call(Method::PUT, &path, Some(settings)).await;
        assert_eq!(status, 200, "{set}");
        let (status, made) = self.call(Method::POST, &format!("{path}/secret"), None).await;
        assert_eq!(status, 201, "{made}");
        *crm.secret.lock().unwrap() = made["secret"].as_str().unwrap().to_owned();
    }
}

#[tokio::test]
async fn a_members_token_is_checked_by_the_organisations_own_system() {
    let running = serve("trusted_hosts = [\"127.0.0.1\"]").await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let state = Crm::default();
    let address = start(state.clone()).await;
    let path = "/open/v1/member-authentication";
    let (status, problem) = system.post(path, json!({ "token": "right" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("not-linked")));

    let right = json!({ "authenticated": true, "member": "m-1", "name": "Hanako" });
    let wrong = json!({ "authenticated": false, "member": null, "name": null });
    for method in ["POST", "GET"] {
        let settings = json!({ "address": format!("http://{address}/members?shop=1"), "method": method });
        admin.links("member-authentication", settings, &state).await;
        assert_eq!(system.post(path, json!({ "token": "right" })).await, (200, right.clone()), "{method}");
        assert_eq!(system.get(&format!("{path}?token=right")).await, (200, right.clone()), "{method}");
        assert_eq!(system.post(path, json!({ "token": "w r&ng" })).await, (200, wrong.clone()), "{method}");
        let seen = std::mem::take(&mut *state.seen.lock().unwrap());
        assert!(seen.len() == 3 && seen.iter().all(|(by, _)| by == method), "{seen:?}");
    }
    // Who was recognised has a record, once.
    let supervisor = running.sign_in("supervisor").await;
    let (_, found) = supervisor.get("/customers?q=Hanako").await;
    assert_eq!((found["items"].as_array().unwrap().len(), &found["items"][0]["member"]), (1, &json!("m-1")));

    // Their chats and callbacks are under it, by the token that their page has; one that is wrong is told.
    let operator = running.sign_in("op1").await;
    for (method, path, body) in [
        (Method::POST, "/operators/0/login", Value::Null),
        (Method::PUT, "/operators/0/status", json!({ "status": "ready" })),
        (Method::PUT, "/operators/0/chat-status", json!({ "status": "available" })),
    ] {
        let (status, desk) = operator.call(method, path, Some(body).filter(|body| !body.is_null())).await;
        assert_eq!(status, 200, "{desk}");
    }
    let asks = async |path: &str, body: Value| {
        let answer = running.client.post(running.url(path)).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let chat = |token: &str| json!({ "service": 0, "name": "Hana", "text": "Hello", "member_token": token });
    let (status, problem) = asks("/api/v1/customer/chats", chat("wrong")).await;
    assert_eq!((status, &problem["rule"]), (403, &json!("member-token")), "{problem}");
    assert_eq!(asks("/api/v1/customer/chats", chat("right")).await.0, 201);
    let back = json!({ "service": 0, "number": "09011112222", "member_token": "right" });
    assert_eq!(asks("/api/v1/customer/callbacks", back).await.0, 201);
    let record = found["items"][0]["id"].as_u64().unwrap();
    let (_, chats) = supervisor.get("/chats").await;
    assert_eq!(chats[0]["customer"], json!({ "record": record, "by": "member" }));
    let (_, timeline) = supervisor.get(&format!("/customers/{record}/timeline")).await;
    let kinds: Vec<_> = timeline.as_array().unwrap().iter().map(|contact| contact["kind"].clone()).collect();
    assert_eq!(kinds, ["callback", "chat"], "{timeline}");

    assert_eq!(std::mem::take(&mut *state.seen.lock().unwrap()).len(), 3, "each token was asked about once");

    // A secret that the other side does not have: it refuses, and so do we.
    *state.secret.lock().unwrap() = "another".into();
    assert_eq!(system.post(path, json!({ "token": "right" })).await, (200, wrong));
    for (place, limit, status, rule) in [
        ("slow", 300, 504, "linked-system-late"),
        ("broken", 2_000, 502, "linked-system-failed"),
        ("moved", 2_000, 502, "linked-system-failed"),
        ("huge", 2_000, 502, "linked-system-failed"),
        ("page", 2_000, 502, "linked-system-failed"),
    ] {
        let settings =
            json!({ "address": format!("http://{address}/{place}"), "method": "POST", "time_limit_ms": limit });
        admin.links("member-authentication", settings, &state).await;
        let begun = Instant::now();
        let (found, problem) = system.post(path, json!({ "token": "right" })).await;
        assert_eq!((found, &problem["rule"]), (status, &json!(rule)), "{place}: {problem}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{place} took {:?}", begun.elapsed());
    }
    assert_eq!(state.seen.lock().unwrap().len(), 5, "no redirect was followed");
    let (status, problem) = system.post(path, json!({ "token": "" })).await;
    assert_eq!((status, &problem["rule"]), (400, &json!("token")));
    running.server.stop().await;
}

#[tokio::test]
async fn a_customers_page_shows_what_the_linked_system_says_or_why_it_says_nothing() {
    let running = serve("trusted_hosts = [\"127.0.0.1\"]").await;
    let (admin, op) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let system = running.system(&admin, everything()).await;
    let state = Crm::default();
    let address = start(state.clone()).await;
    let inquiry = json!({ "member": "m-1", "from": { "name": "Hanako" }, "subject": "A", "text": "B" });
    assert_eq!(system.post("/open/v1/services/0/inquiries", inquiry).await.0, 201);
    let (_, other) = op.post("/customers", json!({ "name": "Taro", "numbers": ["0312345678"] })).await;
    let (member, other) = ("/customers/1/linked", format!("/customers/{}/linked", other["id"]));
    assert_eq!(op.get(member).await.1["state"], "not-linked");
    let path = "customer-information";
    let settings = |place: &str, by: &str| json!({ "address": format!("http://{address}/{place}"), "method": by, "time_limit_ms": 300 });
    for by in ["GET", "POST"] {
        admin.links(path, settings("customers", by), &state).await;
        let (status, shown) = op.get(member).await;
        assert_eq!((status, &shown["state"]), (200, &json!("known")), "{shown}");
        assert_eq!(shown["fields"][0], json!({ "label": "Rank", "value": "Gold" }));
        assert_eq!(op.get(&other).await.1["state"], "unknown");
        let seen = std::mem::take(&mut *state.seen.lock().unwrap());
        assert_eq!(seen[0], (by.to_owned(), json!({ "customer": "1", "member": "m-1" })));
        assert_eq!(seen[1].1["number"], "0312345678");
    }
    for (place, part) in [
        ("slow", "within 300 ms"),
        ("broken", "answered 500"),
        ("moved", "answered 302"),
        ("page", "cannot be read"),
        ("huge", "longer than"),
    ] {
        admin.links(path, settings(place, "GET"), &state).await;
        let begun = Instant::now();
        let (status, shown) = op.get(member).await;
        assert_eq!((status, &shown["state"], &shown["fields"]), (200, &json!("failed"), &json!([])), "{place}");
        assert!(shown["problem"].as_str().unwrap().contains(part), "{place}: {shown}");
        assert!(begun.elapsed() < Duration::from_secs(3));
        assert_eq!(op.get("/customers/1").await.0, 200, "the record is shown all the same");
    }
    // Nobody listens there.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    admin.links(path, json!({ "address": format!("http://{nobody}/"), "method": "GET" }), &state).await;
    assert!(op.get(member).await.1["problem"].as_str().unwrap().starts_with("no connection"));
    assert_eq!(admin.get(member).await.0, 403, "an administrator does not read about customers");
    assert_eq!(op.get("/customers/77/linked").await.0, 404);
    running.server.stop().await;
}

#[tokio::test]
async fn an_administrator_sets_links_that_lead_outside() {
    let running = Running::start().await;
    let (admin, op) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let path = "/linked-systems/customer-information";
    let state = Crm::default();
    let address = start(state.clone()).await;
    for wrong in [
        format!("http://{address}/"),
        format!("https://{address}/"),
        "https://169.254.169.254/latest".into(),
        "https://[::1]/".into(),
        "http://crm.example.jp/".into(),
        "https://me:pass@crm.example.jp/".into(),
        "crm.example.jp".into(),
        format!("https://crm.example.jp/{}", "x".repeat(500)),
    ] {
        let (status, problem) = admin.call(Method::PUT, path, Some(json!({ "address": wrong, "method": "GET" }))).await;
        assert_eq!((status, &problem["rule"]), (400, &json!("address")), "{wrong}");
    }
    let right = |limit: u32| json!({ "address": "https://localhost:9/", "method": "GET", "time_limit_ms": limit });
    assert_eq!(admin.call(Method::PUT, path, Some(right(99))).await.1["rule"], "time_limit_ms");
    assert_eq!(admin.call(Method::PUT, path, Some(right(10_001))).await.1["rule"], "time_limit_ms");
    assert_eq!(admin.call(Method::PUT, "/linked-systems/other", Some(right(500))).await.0, 404);
    assert_eq!(op.call(Method::PUT, path, Some(right(500))).await.0, 403);
    assert_eq!(admin.call(Method::POST, &format!("{path}/secret"), None).await.0, 404, "nothing is linked yet");
    let (status, set) = admin.call(Method::PUT, path, Some(right(500))).await;
    assert_eq!((status, &set["has_secret"]), (200, &json!(false)));
    op.post("/customers", json!({ "name": "Hanako" })).await;
    assert!(op.get("/customers/1/linked").await.1["problem"].as_str().unwrap().contains("no secret"));
    admin.links("customer-information", right(500), &state).await;
    // A name that means this machine is found out when it is looked up.
    let shown = op.get("/customers/1/linked").await.1;
    assert!(shown["problem"].as_str().unwrap().contains("no public address"), "{shown}");
    let (_, listed) = admin.get("/linked-systems").await;
    assert_eq!((&listed[0]["link"], &listed[0]["has_secret"]), (&json!("customer-information"), &json!(true)));
    assert!(!listed.to_string().contains("cfo_"));
    assert_eq!(admin.delete(path).await.0, 204);
    assert_eq!(admin.delete(path).await.0, 404);
    assert!(state.seen.lock().unwrap().is_empty());
    running.server.stop().await;
}

/// By TLS with an authority of the organisation's own; without it the system is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn a_linked_system_is_asked_by_tls() {
    let directory = tempfile::tempdir().unwrap();
    let (certificate, key) = (directory.path().join("cert.pem"), directory.path().join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    let Ok(made) = made else { return println!("skipped: no openssl in PATH") };
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let state = Crm::default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = callfloor_sip::Tls::from_pem(
        Some((&std::fs::read(&certificate).unwrap(), &std::fs::read(&key).unwrap())),
        None,
    );
    let tls = axum_server::tls_rustls::RustlsConfig::from_config(tls.unwrap().server.unwrap());
    let served = router(state.clone());
    tokio::spawn(async move {
        axum_server::from_tcp_rustls(listener, tls).unwrap().serve(served.into_make_service()).await
    });
    let settings =
        json!({ "address": format!("https://localhost:{port}/members"), "method": "POST", "time_limit_ms": 5_000 });
    for (authorities, believed) in [(format!("authorities = {certificate:?}"), true), (String::new(), false)] {
        let running = serve(&format!("trusted_hosts = [\"localhost\"]\n{authorities}")).await;
        let admin = running.sign_in("admin").await;
        let system = running.system(&admin, everything()).await;
        admin.links("member-authentication", settings.clone(), &state).await;
        let (status, answer) = system.post("/open/v1/member-authentication", json!({ "token": "right" })).await;
        if believed {
            assert_eq!((status, &answer["member"]), (200, &json!("m-1")), "{answer}");
        } else {
            assert_eq!((status, &answer["rule"]), (502, &json!("linked-system-failed")), "{answer}");
            assert!(answer["detail"].as_str().unwrap().contains("certificate"), "{answer}");
        }
        running.server.stop().await;
    }
    assert_eq!(state.seen.lock().unwrap().len(), 1);
}
