//! Inquiries from a customer's own system to an operator's desk and back.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use crate::support::{Running, User};
use crate::system::{System, code, everything, hex, told};

const INQUIRIES: &str = "/open/v1/services/0/inquiries";

fn file(name: &str, media_type: &str, content: &[u8]) -> Value {
    json!({ "name": name, "media_type": media_type, "base64": STANDARD.encode(content) })
}

/// An inquiry is made: its number.
async fn asks(system: &System, body: Value) -> u64 {
    let (status, made) = system.post(INQUIRIES, body).await;
    assert_eq!((status, &made["status"]), (201, &json!("new")), "{made}");
    made["inquiry"].as_u64().unwrap()
}

async fn statuses(system: &System, member: &str) -> Vec<(u64, String)> {
    let (status, page) = system.get(&format!("{INQUIRIES}?member={member}")).await;
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().unwrap().iter();
    items.map(|it| (it["inquiry"].as_u64().unwrap(), it["status"].as_str().unwrap().to_owned())).collect()
}

/// Moves a ticket on the version that it has.
async fn moves(user: &User, ticket: u64, status: &str) {
    let path = format!("/tickets/{ticket}");
    let etag = user.request(Method::GET, &path).send().await.unwrap().headers()["etag"].clone();
    let request = user.request(Method::POST, &format!("{path}/status")).header("if-match", etag);
    let answer = request.json(&json!({ "status": status })).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
}

#[tokio::test]
async fn from_the_form_to_the_desk_and_back() {
    let running = Running::start().await;
    let (admin, op) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let supervisor = running.sign_in("supervisor").await;
    supervisor.post("/ticket-categories", json!({ "name": "Bills" })).await;
    supervisor.post("/ticket-fields", json!({ "name": "Number of the bill", "kind": { "kind": "number" } })).await;
    let system = running.system(&admin, everything()).await;
    let picture: Vec<u8> = (0..1_000_000u32).map(|at| (at.wrapping_mul(at) >> 7).to_le_bytes()[0]).collect();
    let id = asks(
        &system,
        json!({
            "member": "m-1",
            "from": { "name": "花子", "email": "hanako@example.jp", "phone": "090-1234-5678" },
            "subject": "請求書について",
            "text": "There is a mistake in it.",
            "category": 1,
            "fields": { "1": "204" },
            "attachments": [file("請求書.png", "image/png", &picture), file("note.txt", "text/plain", b"see above")],
        }),
    )
    .await;

    // At the desk it is a ticket like any other, with whom it is from and what was sent.
    let (status, ticket) = op.get(&format!("/tickets/{id}")).await;
    assert_eq!((status, &ticket["subject"], &ticket["origin"]), (200, &json!("請求書について"), &json!("written")));
    assert_eq!(
        (&ticket["category"], &ticket["fields"], &ticket["queue"]),
        (&json!(1), &json!({ "1": "204" }), &json!(2))
    );
    let lines: Vec<_> = ticket["lines"].as_array().unwrap().iter().map(|line| line["line"].as_str().unwrap()).collect();
    assert_eq!(lines, ["created", "queued", "description", "attached", "attached"]);
    let (_, found) = supervisor.get("/tickets?q=mistake&channel=written").await;
    assert_eq!(found["items"][0]["id"], id);
    let (_, inquiry) = op.get(&format!("/tickets/{id}/inquiry")).await;
    assert_eq!((&inquiry["member"], &inquiry["from"]["email"]), (&json!("m-1"), &json!("hanako@example.jp")));
    let first = &inquiry["attachments"][0];
    assert_eq!((&first["name"], &first["bytes"]), (&json!("請求書.png"), &json!(1_000_000)));
    assert_eq!(first["sha256"], hex(&Sha256::digest(&picture)));
    let path = format!("/tickets/{id}/attachments/{}", first["attachment"]);
    let answer = op.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert!(answer.headers()["content-disposition"].to_str().unwrap().starts_with("attachment;"));
    assert!(answer.bytes().await.unwrap() == picture, "byte for byte");
    assert_eq!(admin.get(&path).await.0, 403, "an administrator does not read what customers send");

    // The customer's system sees what is for the customer, and no note.
    op.post(&format!("/tickets/{id}/notes"), json!({ "text": "They always say so." })).await;
    op.call(Method::POST, &format!("/tickets/{id}/pull"), None).await;
    op.post(&format!("/tickets/{id}/replies"), json!({ "text": "We are sorry." })).await;
    let (status, whole) = system.get(&format!("{INQUIRIES}/{id}?member=m-1")).await;
    assert_eq!((status, &whole["category_name"], &whole["subject"]), (200, &json!("Bills"), &json!("請求書について")));
    let said: Vec<_> = whole["messages"].as_array().unwrap().iter().map(|it| (&it["from"], &it["text"])).collect();
    assert_eq!(
        said,
        [(&json!("customer"), &json!("There is a mistake in it.")), (&json!("operator"), &json!("We are sorry."))]
    );
    let target = format!("{INQUIRIES}/{id}/attachments/{}?member=m-1", whole["attachments"][1]["attachment"]);
    let answer = system.send(&system.signing("GET", &target, b"")).await;
    assert_eq!(answer.text().await.unwrap(), "see above");

    // Nobody else's.
    for other in ["?member=m-2", "", "?member="] {
        for target in [format!("{INQUIRIES}/{id}{other}"), format!("{INQUIRIES}/{id}/attachments/1{other}")] {
            assert_eq!(system.get(&target).await.0, 404, "{target}");
        }
    }
    let (status, _) = system.post(&format!("{INQUIRIES}/{id}/replies"), json!({ "member": "m-2", "text": "x" })).await;
    assert_eq!(status, 404);
    assert_eq!(system.get(INQUIRIES).await.0, 400, "a history is a member's");
    assert!(statuses(&system, "m").await.is_empty());

    // Solved, it is open again when the customer writes.
    moves(&op, id, "solved").await;
    assert_eq!(statuses(&system, "m-1").await, [(id, "solved".to_owned())]);
    let again =
        json!({ "member": "m-1", "text": "It is still wrong.", "attachments": [file("b.txt", "text/plain", b"2")] });
    let (status, written) = system.post(&format!("{INQUIRIES}/{id}/replies"), again).await;
    assert_eq!((status, &written["inquiry"], &written["status"]), (201, &json!(id), &json!("open")), "{written}");
    let (_, whole) = system.get(&format!("{INQUIRIES}/{id}?member=m-1")).await;
    assert_eq!(
        (&whole["messages"][2]["text"], &whole["attachments"][2]["name"]),
        (&json!("It is still wrong."), &json!("b.txt"))
    );

    // Closed for good, what the customer writes is a new one, linked with it.
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["settings"]["close_after_ms"] = json!(0);
    let (status, told) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{told}");
    moves(&op, id, "solved").await;
    let again = json!({ "member": "m-1", "text": "And now?", "attachments": [file("c.txt", "text/plain", b"3")] });
    let (status, written) = system.post(&format!("{INQUIRIES}/{id}/replies"), again).await;
    let new = written["inquiry"].as_u64().unwrap();
    assert!(status == 201 && new != id, "{written}");
    let (_, whole) = system.get(&format!("{INQUIRIES}/{new}?member=m-1")).await;
    assert_eq!((&whole["linked"], &whole["attachments"][0]["name"]), (&json!([id]), &json!("c.txt")));
    assert_eq!(statuses(&system, "m-1").await, [(new, "new".to_owned()), (id, "closed".to_owned())]);
    let (_, log) = admin.get("/audit?limit=20").await;
    assert!(!log.to_string().contains("mistake"), "no text gets into the log");
    running.server.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_an_inquiry_is_told_and_nothing_is_kept() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let right = json!({ "member": "m-1", "subject": "A", "text": "B" });
    let six: Vec<_> = (0..6).map(|_| file("a", "text/plain", b"x")).collect();
    let large = file("a", "text/plain", &vec![0; (5 << 20) + 1]);
    let half = file("a", "text/plain", &vec![0; 7 << 19]);
    for (field, value, part) in [
        ("subject", json!(""), "1 to 200"),
        ("text", json!("x".repeat(20_001)), "1 to 20000"),
        ("category", json!(7), "no category 7"),
        ("fields", json!({ "7": "x" }), "no field 7"),
        ("member", json!(""), "1 to 128"),
        ("from", json!({ "email": "nobody" }), "hanako@example.jp"),
        ("attachments", json!(six), "at most 5"),
        ("attachments", json!([large]), "5242881 bytes"),
        ("attachments", json!([half, half, half]), "the files have 11010048 bytes"),
        ("unknown", json!(1), "unknown field"),
    ] {
        let mut body = right.clone();
        body[field] = value;
        let (status, problem) = system.post(INQUIRIES, body).await;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(status == 400 && detail.contains(part), "{field}: {status} {problem}");
    }
    let huge = json!({ "member": "m-1", "subject": "A", "text": "B", "fields": { "1": "x".repeat(16 << 20) } });
    let (status, problem) = system.post(INQUIRIES, huge).await;
    assert_eq!((status, &problem["rule"]), (413, &json!("too-large")));
    let (status, problem) = system.post("/open/v1/member-authentication", json!({ "token": "x".repeat(70_000) })).await;
    assert_eq!((status, &problem["rule"]), (413, &json!("too-large")), "without files a body is small");
    assert!(statuses(&system, "m-1").await.is_empty());
    let (_, tickets) = running.sign_in("supervisor").await.get("/tickets").await;
    assert_eq!(tickets["items"], json!([]));
    running.server.stop().await;
}

/// A form that is sent again because its answer was lost is one inquiry.
#[tokio::test]
async fn a_repeated_request_is_done_once() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let send = async |body: Value| {
        let signing = system.signing("POST", INQUIRIES, body.to_string().as_bytes());
        let request = system.request(&signing, &code(&signing, &system.secret));
        told(request.header("idempotency-key", "form-7").send().await.unwrap()).await
    };
    let body = json!({ "member": "m-1", "subject": "A", "text": "B", "attachments": [file("a", "text/plain", b"x")] });
    let (first, second) = (send(body.clone()).await, send(body).await);
    assert_eq!(first.0, 201);
    assert_eq!(first, second);
    assert_eq!(statuses(&system, "m-1").await.len(), 1);
    let (status, problem) = send(json!({ "member": "m-1", "subject": "Other", "text": "B" })).await;
    assert_eq!((status, &problem["rule"]), (422, &json!("idempotency-key-reused")));
    running.server.stop().await;
}

#[tokio::test]
async fn an_inquiry_has_so_many_files() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let five: Vec<_> = (0..5).map(|_| file("a", "text/plain", b"x")).collect();
    let id = asks(&system, json!({ "subject": "A", "text": "B", "attachments": five })).await;
    let again = json!({ "text": "more", "attachments": five });
    for _ in 0..9 {
        assert_eq!(system.post(&format!("{INQUIRIES}/{id}/replies"), again.clone()).await.0, 201);
    }
    let (status, problem) = system.post(&format!("{INQUIRIES}/{id}/replies"), again).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("too-many-attachments")));
    let (_, whole) = system.get(&format!("{INQUIRIES}/{id}")).await;
    assert_eq!(whole["attachments"].as_array().unwrap().len(), 50);
    assert_eq!(whole["messages"].as_array().unwrap().len(), 10, "the refused one was not written either");
    running.server.stop().await;
}

/// Files, contact and texts go with the person; what is kept is theirs to have.
#[tokio::test]
async fn a_person_is_exported_and_erased_with_what_they_sent() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let system = running.system(&admin, everything()).await;
    let secret = b"a very private picture";
    let body = |member: Option<&str>| {
        json!({
            "member": member,
            "from": { "name": "Hanako", "email": "hanako@example.jp" },
            "subject": "A",
            "text": "B",
            "attachments": [file("private.txt", "text/plain", secret)],
        })
    };
    let (id, anonymous) = (asks(&system, body(Some("m-1"))).await, asks(&system, body(None)).await);
    let (_, ticket) = supervisor.get(&format!("/tickets/{id}")).await;
    let (_, other) = supervisor.get(&format!("/tickets/{anonymous}")).await;
    assert_ne!(ticket["customer"], other["customer"]);
    for (ticket, id, target) in
        [(&ticket, id, format!("{INQUIRIES}/{id}?member=m-1")), (&other, anonymous, format!("{INQUIRIES}/{anonymous}"))]
    {
        let customer = ticket["customer"].as_u64().unwrap();
        let (_, export) = supervisor.get(&format!("/customers/{customer}/export")).await;
        assert_eq!(export["inquiries"][0]["from"]["email"], "hanako@example.jp");
        assert_eq!(export["attachments"][0]["name"], "private.txt");
        assert_eq!(system.get(&target).await.0, 200);
        let (status, _) = supervisor.call(Method::POST, &format!("/customers/{customer}/erase"), None).await;
        assert_eq!(status, 200);
        assert_eq!(system.get(&target).await.0, 404, "not by the number either");
        assert_eq!(system.get(&format!("{INQUIRIES}/{id}")).await.0, 404);
        let (_, export) = supervisor.get(&format!("/customers/{customer}/export")).await;
        let text = export.to_string();
        for gone in ["Hanako", "hanako", "private.txt", "m-1"] {
            assert!(!text.contains(gone), "{gone}: {text}");
        }
        let file = export["attachments"][0]["attachment"].as_u64().unwrap();
        assert_eq!(supervisor.get(&format!("/tickets/{id}/attachments/{file}")).await.0, 404);
    }
    assert!(statuses(&system, "m-1").await.is_empty());
    let id = asks(&system, body(Some("m-1"))).await;
    let (_, new) = supervisor.get(&format!("/tickets/{id}")).await;
    assert_ne!(new["customer"], ticket["customer"], "they are somebody new");
    running.server.stop().await;
}

/// A restart loses nothing of it.
#[tokio::test]
async fn inquiries_outlive_the_process() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let mut system = running.system(&admin, everything()).await;
    let body = json!({ "member": "m-1", "subject": "A", "text": "B", "attachments": [file("a", "text/plain", b"x")] });
    let id = asks(&system, body).await;
    let before = system.get(&format!("{INQUIRIES}/{id}?member=m-1")).await;
    let running = running.restart().await;
    system.base = running.url("");
    assert_eq!(system.get(&format!("{INQUIRIES}/{id}?member=m-1")).await, before);
    let answer = system.send(&system.signing("GET", &format!("{INQUIRIES}/{id}/attachments/1?member=m-1"), b"")).await;
    assert_eq!(answer.bytes().await.unwrap().as_ref(), b"x");
    running.server.stop().await;
}

/// Large bodies take turns: while two of the largest are on their way, a third waits and small ones do not.
#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_take_turns() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let begun = async |bytes: usize| {
        let signing = system.signing("POST", INQUIRIES, &vec![b' '; bytes]);
        let head = format!(
            "POST {INQUIRIES} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n\
             Callfloor-Organisation: main\r\nCallfloor-Key: {}\r\nCallfloor-Timestamp: {}\r\nCallfloor-Nonce: {}\r\n\
             Callfloor-Content-SHA256: {}\r\nCallfloor-Signature: {}\r\n\r\n{{",
            signing.key,
            signing.timestamp,
            signing.nonce,
            hex(&Sha256::digest(&signing.body)),
            code(&signing, &system.secret)
        );
        let mut stream = tokio::net::TcpStream::connect(running.server.http()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        stream
    };
    let stalled = [begun(14 << 20).await, begun(14 << 20).await];
    tokio::time::sleep(Duration::from_millis(500)).await;
    let large = file("a", "text/plain", &vec![7; 4 << 20]);
    let body = json!({ "subject": "A", "text": "B", "attachments": [large] });
    let system = Arc::new(system);
    let (other, sent) = (Arc::clone(&system), body.clone());
    let mut waits = tokio::spawn(async move { other.post(INQUIRIES, sent).await });
    let early = tokio::time::timeout(Duration::from_secs(1), &mut waits).await;
    assert!(early.is_err(), "it waits for its turn: {early:?}");
    assert_eq!(system.post(INQUIRIES, json!({ "subject": "A", "text": "B" })).await.0, 201, "a small one does not");
    drop(stalled);
    let (status, made) = waits.await.unwrap();
    assert_eq!(status, 201, "{made}");
    running.server.stop().await;
}
