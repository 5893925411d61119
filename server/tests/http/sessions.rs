//! Signing in and out, over real HTTP.

use crate::support::Running;
use callfloor_server::http;
use serde_json::{Value, json};

#[tokio::test]
async fn a_session_begins_survives_a_restart_and_ends() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let (status, who) = admin.get("/sessions/current").await;
    assert_eq!((status, who["role"].as_str()), (200, Some("administrator")));
    let operator = running.sign_in("op2").await;
    assert_eq!(operator.operator, Some(1));

    let token = admin.token;
    let running = running.restart().await;
    let mut admin = running.sign_in("admin").await;
    assert_ne!(admin.token, token);
    admin.token = token;
    assert_eq!(admin.get("/sessions/current").await.0, 200, "a session outlives the process");
    assert_eq!(admin.delete("/sessions/current").await.0, 204);
    let (status, problem) = admin.get("/sessions/current").await;
    assert_eq!((status, problem["rule"].as_str()), (401, Some("unauthenticated")));
    running.server.stop().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_login_are_told_alike() {
    let running = Running::start().await;
    let mut answers = Vec::new();
    for (login, password) in [("admin", "wrong password"), ("nobody", crate::support::PASSWORD)] {
        let body = serde_json::json!({ "login": login, "password": password });
        let answer = running.client.post(running.url("/api/v1/sessions")).json(&body).send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        answers.push((answer.status().as_u16(), answer.text().await.unwrap()));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].0, 401);
    running.server.stop().await;
}

/// Whoever holds a session and not the password guesses no faster than at signing in; who knows it has a new one.
#[tokio::test]
async fn ones_own_password_is_changed_by_whoever_knows_it() {
    let running = Running::start().await;
    let user = running.sign_in("op1").await;
    let path = "/sessions/current/password";
    let changes = async |current: &str| {
        let body = json!({ "current": current, "password": "another-long-password" });
        let (status, problem) = user.call(reqwest::Method::PUT, path, Some(body)).await;
        (status, problem["rule"].as_str().unwrap_or_default().to_owned())
    };
    for guess in 0..5 {
        assert_eq!(changes(&format!("wrong {guess}")).await, (403, "wrong-password".to_owned()));
    }
    assert_eq!(changes("wrong 5").await, (429, "too-many-tries".to_owned()));
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(changes(crate::support::PASSWORD).await.0, 204);
    assert_eq!(user.get("/sessions/current").await.0, 200, "the session in which it is done goes on");
    running.server.stop().await;
}

#[tokio::test]
async fn the_document_of_the_api_is_served_and_health_is_told() {
    let running = Running::start().await;
    for (path, wanted) in [("/healthz", "ok\n"), ("/readyz", "ready\n")] {
        let answer = running.client.get(running.url(path)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, wanted));
    }
    let served = running.client.get(running.url("/api/openapi.json")).send().await.unwrap().text().await.unwrap();
    assert_eq!(served, http::openapi().to_json().unwrap());
    assert!(served.contains("\"openapi\":\"3.1"));
    let nothing = running.client.get(running.url("/nowhere")).send().await.unwrap();
    assert_eq!(nothing.status(), 404);
    running.server.stop().await;
}

/// Two types of one name are one schema in the document, and one of them is then told wrongly.
#[test]
fn every_schema_of_the_document_has_a_name_of_its_own() {
    fn files(directory: &std::path::Path, all: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() { files(&entry, all) } else { all.push(entry) }
        }
    }
    let mut all = Vec::new();
    files(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    let mut named = std::collections::BTreeMap::new();
    for file in all.iter().filter(|file| file.extension().is_some_and(|it| it == "rs")) {
        let (mut is_schema, mut other) = (false, None);
        for line in std::fs::read_to_string(file).unwrap().lines().map(str::trim) {
            is_schema |= line.starts_with("#[derive(") && line.contains("ToSchema");
            let named_as = line.split_once("schema(as = ").and_then(|(_, rest)| rest.split([')', ',']).next());
            other = named_as.map(str::to_owned).or(other);
            let item = line.split_once("struct ").or_else(|| line.split_once("enum "));
            let Some((_, own)) = item.filter(|(before, _)| before.is_empty() || before.starts_with("pub")) else {
                continue;
            };
            let other = other.take();
            if std::mem::take(&mut is_schema) {
                let own = own.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
                let name = other.unwrap_or(own);
                // A macro's parameter names nothing yet.
                if name.is_empty() {
                    continue;
                }
                let first = named.insert(name.clone(), file.clone());
                assert!(first.is_none(), "{name} in {first:?} and {file:?}: give one #[schema(as = …)]");
            }
        }
    }
    assert!(named.len() > 200, "{} are found", named.len());
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let document = serde_json::to_value(http::openapi()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut routes: Vec<(String, String)> = paths
        .iter()
        .flat_map(|(path, methods)| {
            methods.as_object().unwrap().keys().map(move |method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let mut rows: Vec<(String, String)> =
        http::rows().map(|row| (row.method.to_owned(), http::address(row.path))).collect();
    routes.sort();
    rows.sort();
    assert_eq!(routes, rows);
}

/// Wrong passwords cost time, the right one none; whoever waits as long as they are told may try again.
#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down() {
    let running = Running::start().await;
    let attempt = |login: &'static str, password: &'static str| {
        let body = json!({ "login": login, "password": password });
        running.client.post(running.url("/api/v1/sessions")).json(&body).send()
    };
    for _ in 0..5 {
        assert_eq!(attempt("op1", "not the right one").await.unwrap().status(), 401);
    }
    let held_up = attempt("op1", crate::support::PASSWORD).await.unwrap();
    assert_eq!((held_up.status().as_u16(), &held_up.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    let problem: Value = held_up.json().await.unwrap();
    assert_eq!(problem["rule"], "too-many-tries");
    assert_eq!(attempt("op2", crate::support::PASSWORD).await.unwrap().status(), 201, "a colleague is not held up");
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(attempt("op1", crate::support::PASSWORD).await.unwrap().status(), 201);
    running.server.stop().await;
}
