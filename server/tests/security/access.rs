//! Who may do what: every route is asked for by nobody and by every role, for their own and for somebody else's desk, and
//! the answers are compared with the written table `access.txt`.

use std::collections::BTreeSet;

use callfloor_server::{http, open_api};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Running, User};
use crate::system::{System, everything};

/// Everybody who asks, as the table names them; `op1` is operator 0.
const ASKING: [(&str, &str); 6] = [
    ("operator", "op1"),
    ("supervisor", "supervisor"),
    ("planner", "planner"),
    ("administrator", "admin"),
    ("auditor", "auditor"),
    ("server-administrator", "server-admin"),
];

/// Every route: method, and path as it stands in the router; that of a route of the open API whole, else under `/api/v1`.
fn routes() -> Vec<(String, String)> {
    let document = serde_json::to_value(http::openapi()).unwrap();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let path = path.strip_prefix(http::PREFIX).unwrap_or(path);
        routes.extend(methods.as_object().unwrap().keys().map(|method| (path.to_owned(), method.to_uppercase())));
    }
    routes.sort();
    routes.into_iter().map(|(path, method)| (method, path)).collect()
}

/// A path with `operator` where it names one, and 0 for whatever else it names.
fn filled(path: &str, operator: u64) -> String {
    let parts = path.split('/').map(|part| match part {
        "{operator}" => operator.to_string(),
        part if part.starts_with('{') => "0".to_owned(),
        part => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether the door lets a request without a body through: what the route itself makes of it does not matter.
async fn is_let_in(user: &User, method: &str, path: &str) -> bool {
    let method: Method = method.parse().unwrap();
    let (status, body) = user.call(method.clone(), path, None).await;
    assert!(status < 500, "{method} {path}: {status} {body}");
    match (status, body["rule"].as_str()) {
        (401, Some("unauthenticated")) | (403, Some("forbidden")) => false,
        (401, _) => panic!("{method} {path}: {body}"),
        _ => true,
    }
}

/// Who may ask for a route of the open API: whose request is signed, and nobody else.
async fn open_to(
    running: &Running,
    system: &System,
    users: &[(&str, &str, User)],
    (method, path): &(String, String),
) -> &'static str {
    let target = filled(path, 0);
    for (role, _, user) in users {
        let request = running.client.request(method.parse().unwrap(), running.url(&target));
        let answer = request.bearer_auth(&user.token).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{method} {path}: {role}");
    }
    let answer = system.send(&system.signing(method, &target, b"")).await;
    let status = answer.status().as_u16();
    assert!(status < 500 && ![401, 403].contains(&status), "{method} {path}: {}", answer.text().await.unwrap());
    "signed"
}

#[tokio::test]
async fn every_route_is_for_whom_the_table_says() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    for role in ["planner", "auditor"] {
        let body = json!({ "login": role, "password": PASSWORD, "name": role, "role": role });
        let (status, made) = admin.post("/accounts", body).await;
        assert_eq!(status, 201, "{made}");
    }
    let mut users = Vec::new();
    for (role, login) in ASKING {
        users.push((role, login, running.sign_in(login).await));
    }
    let system = running.system(&admin, everything()).await;
    let rows: BTreeSet<_> = http::rows().map(|row| (row.method.to_owned(), row.path.to_owned())).collect();
    let mut table = String::new();
    for route in routes() {
        assert!(rows.contains(&route), "{route:?} has no row: it is for nobody");
        let (method, path) = &route;
        let mut allowed = Vec::new();
        if path.starts_with(open_api::PREFIX) {
            table.push_str(&format!("{method} {path}: {}\n", open_to(&running, &system, &users, &route).await));
            continue;
        }
        let unknown = running.bearer("main.nobody-has-this-token");
        let nobody = running.client.request(method.parse().unwrap(), running.url(&http::address(&filled(path, 0))));
        let nobody = nobody.send().await.unwrap();
        let told: Value = serde_json::from_str(&nobody.text().await.unwrap()).unwrap_or_default();
        let public = told["rule"] != "unauthenticated";
        assert_eq!(is_let_in(&unknown, method, &filled(path, 0)).await, public, "{route:?} with an unknown token");
        if public {
            allowed.push("everybody");
        }
        for (role, login, user) in &mut users {
            if public {
                break;
            }
            let own = is_let_in(user, method, &filled(path, 0)).await;
            if own && *method == "DELETE" && path == "/sessions/current" {
                *user = running.sign_in(login).await;
            }
            let other = is_let_in(user, method, &filled(path, 1)).await;
            if own && *method == "DELETE" && path == "/sessions/current" {
                *user = running.sign_in(login).await;
            }
            match (own, other) {
                (true, true) => allowed.push(role),
                (true, false) => allowed.push("own"),
                (false, false) => {}
                (false, true) => panic!("{route:?} lets {role} do to others what they may not do to themselves"),
            }
        }
        table.push_str(&format!("{method} {path}: {}\n", allowed.join(" ")));
    }
    let written = include_str!("access.txt");
    let written: Vec<_> = written.lines().filter(|line| !line.starts_with('#')).collect();
    let found: Vec<_> = table.lines().collect();
    assert!(found == written, "access.txt says otherwise; what was found:\n{table}");
    running.server.stop().await;
}
