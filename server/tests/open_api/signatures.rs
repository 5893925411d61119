//! Who is let in: every part of a signature counts, a request comes in once, a key opens what it was made for.

use callfloor_server::config::Config;
use callfloor_server::http;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Running, serve_as};
use crate::system::{Signing, System, code, everything, now_s, told};

const SERVICES: &str = "/open/v1/services";

async fn refused(system: &System, signing: &Signing, code: &str) -> (u16, String) {
    let (status, problem) = told(system.request(signing, code).send().await.unwrap()).await;
    assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{status} {problem}");
    (status, problem["rule"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_part_of_a_request_is_signed() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let (status, services) = system.get(SERVICES).await;
    assert_eq!((status, &services[0]["name"]), (200, &json!("Demonstration")));
    let (status, found) = system.get("/open/v1/services/0/inquiries?member=b%20b&limit=5").await;
    assert_eq!(status, 200, "the query is sorted as it is sent: {found}");

    let right = system.signing("GET", "/open/v1/services/0/inquiries?member=a", b"");
    let signature = code(&right, &system.secret);
    type Change = fn(&mut Signing);
    let changes: [(&str, Change); 5] = [
        ("path", |it| it.target = "/open/v1/services/0/notices?member=a".into()),
        ("query", |it| it.target = "/open/v1/services/0/inquiries?member=b".into()),
        ("time stamp", |it| it.timestamp += 1),
        ("nonce", |it| it.nonce.push('x')),
        ("method", |it| it.method = "POST".into()),
    ];
    for (what, change) in changes {
        let mut changed = right.clone();
        change(&mut changed);
        assert_eq!(refused(&system, &changed, &signature).await, (401, "wrong-signature".into()), "{what}");
    }
    let other = running.system(&admin, everything()).await;
    let theirs = Signing { key: other.key.to_string(), ..right.clone() };
    assert_eq!(refused(&system, &theirs, &signature).await.1, "wrong-signature", "a key");
    for nonsense in ["", "00", "not hexadecimal", &"0".repeat(64), &signature[1..]] {
        assert_eq!(refused(&system, &right, nonsense).await.1, "wrong-signature", "{nonsense:?}");
    }
    let nowhere = Signing { organisation: "elsewhere".into(), ..right.clone() };
    assert_eq!(refused(&system, &nowhere, &code(&nowhere, &system.secret)).await.1, "unknown-key");
    let nobody = Signing { key: "77".into(), ..right.clone() };
    assert_eq!(refused(&system, &nobody, &code(&nobody, &system.secret)).await.1, "unknown-key");
    assert_eq!(system.send(&right).await.status(), 200, "nothing of that used the nonce up");

    let body = json!({ "subject": "A", "text": "B" }).to_string();
    let mut swapped = system.signing("POST", "/open/v1/services/0/inquiries", body.as_bytes());
    let signature = code(&swapped, &system.secret);
    let hash = swapped.clone();
    swapped.body = body.replace('B', "C").into_bytes();
    assert_eq!(refused(&system, &swapped, &signature).await.1, "wrong-signature", "another body with its own hash");
    let request = system.request(&hash, &signature).body(swapped.body.clone());
    assert_eq!(
        told(request.send().await.unwrap()).await.1["rule"],
        "wrong-body-hash",
        "another body under the signed hash"
    );
    assert_eq!(system.send(&hash).await.status(), 201);

    for header in ["organisation", "key", "timestamp", "nonce", "signature"] {
        let right = system.signing("GET", SERVICES, b"");
        let mut request = system.request(&right, &code(&right, &system.secret)).build().unwrap();
        request.headers_mut().remove(format!("callfloor-{header}"));
        let (status, problem) = told(system.client.execute(request).await.unwrap()).await;
        assert_eq!((status, &problem["rule"]), (401, &json!("unauthenticated")), "{header}");
    }
    let bearer = running.client.get(running.url(SERVICES)).bearer_auth(&admin.token).send().await.unwrap();
    assert_eq!(bearer.status(), 401, "a person's session opens nothing here");
    let challenge = bearer.headers()["www-authenticate"].to_str().unwrap();
    assert_eq!(challenge, "Callfloor-HMAC-SHA256");
    running.server.stop().await;
}

#[tokio::test]
async fn a_request_is_fresh_and_comes_in_once_also_after_a_restart() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let mut system = running.system(&admin, everything()).await;
    for (away, status) in [(-310, 401), (-290, 200), (290, 200), (310, 401)] {
        let mut signing = system.signing("GET", SERVICES, b"");
        signing.timestamp = now_s().checked_add_signed(away).unwrap();
        let (found, problem) = told(system.send(&signing).await).await;
        assert_eq!(found, status, "{away} s: {problem}");
        if status == 401 {
            assert_eq!(problem["rule"], "stale-timestamp");
        }
    }
    let once = system.signing("GET", SERVICES, b"");
    assert_eq!(system.send(&once).await.status(), 200);
    assert_eq!(told(system.send(&once).await).await.1["rule"], "replayed-nonce");
    let other = running.system(&admin, everything()).await;
    let theirs = Signing { key: other.key.to_string(), ..once.clone() };
    assert_eq!(other.send(&theirs).await.status(), 200, "a nonce is a key's own");

    // Of many at once with one nonce, one comes in.
    let same = system.signing("GET", SERVICES, b"");
    let many = (0..20).map(|_| {
        let (system, same) = (system.clone(), same.clone());
        tokio::spawn(async move { system.send(&same).await.status().as_u16() })
    });
    let mut statuses = Vec::new();
    for one in many.collect::<Vec<_>>() {
        statuses.push(one.await.unwrap());
    }
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");

    let running = running.restart().await;
    system.base = running.url("");
    for replayed in [&once, &same] {
        assert_eq!(told(system.send(replayed).await).await.1["rule"], "replayed-nonce", "after a restart");
    }
    assert_eq!(system.get(SERVICES).await.0, 200, "the key outlives the process");
    running.server.stop().await;
}

#[tokio::test]
async fn a_key_opens_its_scopes_in_its_services_until_it_is_taken_back() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, json!([{ "service": 0, "scopes": ["content:read"] }])).await;
    assert_eq!(system.get("/open/v1/services/0/faq").await.0, 200);
    for (method, path) in [
        ("GET", "/open/v1/services/1/faq"),
        ("GET", "/open/v1/services/99999/faq"),
        ("GET", "/open/v1/services/0/inquiries?member=a"),
        ("POST", "/open/v1/services/0/inquiries"),
        ("POST", "/open/v1/services/0/inquiries/1/replies"),
        ("GET", "/open/v1/services/0/inquiries/1/attachments/1"),
        ("GET", "/open/v1/member-authentication?token=a"),
    ] {
        let (status, problem) = told(system.send(&system.signing(method, path, b"")).await).await;
        assert_eq!((status, &problem["rule"]), (403, &json!("forbidden")), "{method} {path}");
    }
    for (grants, part) in [
        (json!([]), "at least one"),
        (json!([{ "service": 1, "scopes": ["content:read"] }]), "no service 1"),
        (json!([{ "service": 0, "scopes": [] }]), "no scope"),
        (json!([{ "service": 0, "scopes": ["content:write"] }]), "content:read"),
        (
            json!([{ "service": 0, "scopes": ["content:read"] }, { "service": 0, "scopes": ["inquiries:read"] }]),
            "twice",
        ),
    ] {
        let (status, problem) = admin.post("/open-keys", json!({ "name": "x", "grants": grants })).await;
        assert!(status == 400 && problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
    let twice = || {
        let body = json!({ "name": "x", "grants": everything() });
        admin.request(Method::POST, "/open-keys").header("idempotency-key", "once").json(&body).send()
    };
    assert_eq!(twice().await.unwrap().status(), 201);
    let (status, again) = told(twice().await.unwrap()).await;
    assert_eq!((status, &again["rule"]), (409, &json!("secret-shown-once")));

    let (_, listed) = admin.get("/open-keys").await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!(listed[0]["grants"], json!([{ "service": 0, "scopes": ["content:read"] }]));
    assert!(!listed.to_string().contains("cfo_"), "{listed}");
    assert_eq!(running.sign_in("op1").await.get("/open-keys").await.0, 403);
    let (status, revoked) = admin.delete(&format!("/open-keys/{}", system.key)).await;
    assert!(status == 200 && revoked["revoked_us"].is_u64(), "{revoked}");
    assert_eq!(system.get("/open/v1/services/0/faq").await.1["rule"], "unknown-key", "at once");
    assert_eq!(admin.delete("/open-keys/77").await.0, 404);
    let (_, log) = admin.get("/audit?limit=5").await;
    let about = format!("open key {} \"shop\"", system.key);
    assert!(
        log.as_array().unwrap().iter().any(|it| it["act"] == "key-revoked" && it["about"] == about.as_str()),
        "{log}"
    );
    running.server.stop().await;
}

/// Whether a text stands anywhere in a server's files.
fn stands_in(directory: &std::path::Path, text: &str) -> bool {
    let files = std::fs::read_dir(directory).unwrap().map(|file| file.unwrap().path());
    let has = |path: std::path::PathBuf| {
        let bytes = std::fs::read(path).unwrap();
        bytes.windows(text.len()).any(|part| part == text.as_bytes())
    };
    files.filter(|path| path.is_file()).any(has)
}

#[tokio::test]
async fn secrets_are_sealed_where_the_server_has_a_key() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secrets.key");
    std::fs::write(&file, format!("{}\n", "5c".repeat(32))).unwrap();
    let text = format!("[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n[open]\nsecrets_key = {file:?}\n");
    let sealing = Config::read("none", &text, []).unwrap();
    let plain = Config::read("none", text.split("[open]").next().unwrap(), []).unwrap();

    let server = serve_as(directory.path(), &plain).await;
    let running = Running { server, directory, client: reqwest::Client::new() };
    let admin = running.sign_in("admin").await;
    let before = running.system(&admin, everything()).await;
    let Running { server, directory, client } = running;
    server.stop().await;
    assert!(stands_in(&directory.path().join("main"), &before.secret), "without a key it is kept as it is");

    let server = serve_as(directory.path(), &sealing).await;
    let running = Running { server, directory, client };
    let admin = running.sign_in("admin").await;
    let mut sealed = running.system(&admin, everything()).await;
    let before = System { base: running.url(""), ..before };
    assert_eq!((before.get(SERVICES).await.0, sealed.get(SERVICES).await.0), (200, 200));
    let Running { server, directory, client } = running;
    server.stop().await;
    assert!(!stands_in(&directory.path().join("main"), &sealed.secret));

    let server = serve_as(directory.path(), &plain).await;
    let running = Running { server, directory, client };
    sealed.base = running.url("");
    let (status, problem) = sealed.get(SERVICES).await;
    assert_eq!((status, &problem["rule"]), (503, &json!("secret-sealed")), "the server's key is gone");
    running.server.stop().await;
}

#[tokio::test]
async fn a_key_that_asks_too_often_waits() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let many = (0..400).map(|_| {
        let system = system.clone();
        tokio::spawn(async move { system.send(&system.signing("GET", SERVICES, b"")).await })
    });
    let mut held_up = 0;
    for one in many.collect::<Vec<_>>() {
        let response = one.await.unwrap();
        match response.status().as_u16() {
            200 => {}
            429 => {
                held_up += 1;
                assert_eq!(response.headers()["retry-after"], "1");
            }
            other => panic!("{other}: {}", response.text().await.unwrap()),
        }
    }
    // 200 at once, and one more each 10 ms for as long as the 400 took to come.
    println!("{held_up} of 400 were held up");
    assert!(held_up <= 200);
    running.server.stop().await;
}

#[test]
fn the_document_says_which_headers_are_signed() {
    let document = serde_json::to_value(http::openapi()).unwrap();
    let open: Vec<_> =
        document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/open/v1/")).collect();
    assert_eq!(open.len(), 10, "{open:?}");
    for (path, operations) in open {
        for operation in operations.as_object().unwrap().values() {
            let parameters = operation["parameters"].as_array().unwrap();
            let named = |name: &str| parameters.iter().any(|it| it["name"] == name && it["in"] == "header");
            assert!(named("Callfloor-Signature") && named("Callfloor-Nonce"), "{path}: {operation}");
        }
    }
    let known = document["components"]["schemas"].as_object().unwrap();
    assert_ne!(known.get("WholeInquiry"), None::<&Value>);
}
