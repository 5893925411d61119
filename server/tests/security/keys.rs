//! Keys of machines.

use callfloor_server::auth::{Access, Scope};
use callfloor_server::http;
use reqwest::Method;
use serde_json::json;

use crate::support::Running;

#[tokio::test]
async fn a_key_opens_its_scopes_routes_until_it_is_taken_back() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let (id, secret) = admin.makes_key(&["statistics:read"]).await;
    assert!(secret.starts_with("cfk_main."), "a key is told from a session");
    let machine = running.bearer(&secret);
    let (status, answer) = machine.get("/statistics/queues").await;
    assert!(status != 401 && status != 403, "{status} {answer}");
    for path in ["/floor", "/sessions/current", "/keys", "/accounts", "/calls", "/audit", "/metrics"] {
        let (status, problem) = machine.get(path).await;
        assert_eq!((status, problem["rule"].as_str()), (403, Some("forbidden")), "{path}");
    }
    let cookie = format!("callfloor_session={secret}");
    let request = running.client.get(running.url("/api/v1/statistics/queues")).header("cookie", cookie);
    assert_eq!(request.send().await.unwrap().status(), 401, "a key is no cookie");

    let (_, listed) = admin.get("/keys").await;
    assert_eq!(listed[0]["scopes"], json!(["statistics:read"]));
    let random = secret.split_once('.').unwrap().1;
    assert!(!listed.to_string().contains(random) && listed[0].get("token").is_none(), "{listed}");

    let running = running.restart().await;
    let machine = running.bearer(&secret);
    assert_ne!(machine.get("/statistics/queues").await.0, 401, "a key outlives the process");
    let admin = running.sign_in("admin").await;
    let (status, revoked) = admin.delete(&format!("/keys/{id}")).await;
    assert_eq!(status, 200);
    assert!(revoked["revoked_us"].is_u64());
    assert_eq!(machine.get("/statistics/queues").await.0, 401, "at once");
    assert_eq!(admin.delete("/keys/77").await.0, 404);
    running.server.stop().await;
    let store = std::fs::read_dir(running.directory.path().join("main")).unwrap();
    for file in store.map(|file| file.unwrap().path()).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        let found = bytes.windows(random.len()).any(|part| part == random.as_bytes());
        assert!(!found, "the secret stands in {}", file.display());
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_key_is_told() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    for (body, part) in [
        (json!({ "name": "x", "scopes": [] }), "scope"),
        (json!({ "name": "x", "scopes": ["everything"] }), "statistics:read"),
        (json!({ "name": "x", "scopes": ["floor:read"], "days": 0 }), "1 to 366"),
        (json!({ "name": "x", "scopes": ["floor:read"], "days": 367 }), "1 to 366"),
        (json!({ "name": "", "scopes": ["floor:read"] }), "1 to 60"),
    ] {
        let (status, problem) = admin.post("/keys", body.clone()).await;
        assert!((400..500).contains(&status), "{body}");
        assert!(problem["detail"].as_str().unwrap().contains(part), "{body}: {problem}");
    }
    let twice = || {
        let request = admin.request(Method::POST, "/keys").header("idempotency-key", "once");
        request.json(&json!({ "name": "x", "scopes": ["floor:read"] })).send()
    };
    assert_eq!(twice().await.unwrap().status(), 201);
    let again = twice().await.unwrap();
    assert_eq!(again.status(), 409, "a secret is shown once");
    assert!(again.text().await.unwrap().contains("secret-shown-once"));
    assert_eq!(admin.get("/keys").await.1.as_array().unwrap().len(), 1);
    running.server.stop().await;
}

#[test]
fn every_scope_opens_rows_that_there_are_and_that_are_for_its_role() {
    for scope in Scope::ALL {
        for (method, path) in scope.rows() {
            let row = http::rows().find(|row| (row.method, row.path) == (*method, *path));
            let row = row.unwrap_or_else(|| panic!("{scope:?}: there is no row {method} {path}"));
            let allowed = match row.access {
                Access::Signed(_) => false,
                Access::Public | Access::SignedIn => true,
                Access::Roles(roles) | Access::OwnOr(roles) => roles.contains(&scope.role()),
            };
            assert!(allowed, "{scope:?} acts as {:?}, for whom {method} {path} is not", scope.role());
        }
    }
}
