//! What a service tells of itself.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Running, User};
use crate::system::{System, everything, now_s};

async fn add(admin: &User, kind: &str, language: &str, order: u32, title: &str, window: (u64, Option<u64>)) -> u64 {
    let text = format!("About {title}.");
    let body = json!({
        "kind": kind, "service": 0, "language": language, "order": order, "title": title, "text": text,
        "from_us": window.0, "until_us": window.1,
    });
    let (status, added) = admin.post("/articles", body).await;
    assert_eq!(status, 201, "{added}");
    added["id"].as_u64().unwrap()
}

async fn titles(system: &System, target: &str) -> Vec<String> {
    let (status, page) = system.get(target).await;
    assert_eq!(status, 200, "{page}");
    page["items"].as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn notices_and_faq_are_shown_in_their_order_language_and_time() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let system = running.system(&admin, everything()).await;
    let now = now_s() * 1_000_000;
    let hour = 3_600 * 1_000_000;
    let always = (0, None);
    add(&admin, "notice", "ja", 20, "年末年始のお知らせ", (now - hour, Some(now + hour))).await;
    add(&admin, "notice", "en", 10, "Closed on Monday", always).await;
    add(&admin, "notice", "EN", 5, "Tomorrow", (now + hour, None)).await;
    add(&admin, "notice", "en", 5, "Yesterday", (0, Some(now - hour))).await;
    for order in [3, 1, 2] {
        add(&admin, "faq", "en", order, &format!("Question {order}?"), always).await;
    }
    let notices = "/open/v1/services/0/notices";
    assert_eq!(titles(&system, notices).await, ["Closed on Monday", "年末年始のお知らせ"]);
    assert_eq!(titles(&system, &format!("{notices}?language=ja")).await, ["年末年始のお知らせ"]);
    let faq = "/open/v1/services/0/faq";
    assert_eq!(titles(&system, faq).await, ["Question 1?", "Question 2?", "Question 3?"]);
    assert_eq!(titles(&system, &format!("{faq}?q=question%202")).await, ["Question 2?"]);
    let (_, first) = system.get(&format!("{faq}?limit=2")).await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(titles(&system, &format!("{faq}?limit=2&after={next}")).await, ["Question 3?"]);
    let (_, shown) = system.get(&format!("{faq}?limit=1")).await;
    assert_eq!(
        (&shown["items"][0]["text"], &shown["items"][0]["language"]),
        (&json!("About Question 1?."), &json!("en"))
    );
    for wrong in ["?language=english", "?limit=0", "?x=1"] {
        assert_eq!(system.get(&format!("{faq}{wrong}")).await.0, 400, "{wrong}");
    }
    let supervisor = running.sign_in("supervisor").await;
    let (_, all) = supervisor.get("/articles?service=0&kind=notice").await;
    let all: Vec<_> = all["items"].as_array().unwrap().iter().map(|it| it["title"].clone()).collect();
    assert_eq!(all, ["Tomorrow", "Yesterday", "Closed on Monday", "年末年始のお知らせ"].map(Value::from));
    running.server.stop().await;
}

#[tokio::test]
async fn an_administrator_changes_articles_on_the_version_that_they_saw() {
    let running = Running::start().await;
    let (admin, op) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let system = running.system(&admin, everything()).await;
    let id = add(&admin, "faq", "en", 1, "How much?", (0, None)).await;
    let path = format!("/articles/{id}");
    let mut body = json!({ "kind": "faq", "service": 0, "language": "en", "order": 1, "title": "How much is it?", "text": "100 yen" });
    assert_eq!(op.get(&path).await.0, 200, "whoever serves customers reads it");
    assert_eq!(op.call(Method::PUT, &path, Some(body.clone())).await.0, 403);
    assert_eq!(admin.call(Method::PUT, &path, Some(body.clone())).await.0, 428);
    let change = |version: &'static str, body: Value| {
        admin.request(Method::PUT, &path).header("if-match", version).json(&body).send()
    };
    assert_eq!(change("\"1\"", body.clone()).await.unwrap().status(), 200);
    body["text"] = json!("200 yen");
    assert_eq!(change("\"1\"", body.clone()).await.unwrap().status(), 412);
    assert_eq!(change("\"2\"", body.clone()).await.unwrap().headers()["etag"], "\"3\"");
    let (_, page) = system.get("/open/v1/services/0/faq").await;
    assert_eq!(page["items"][0]["text"], "200 yen");
    for (field, value) in [
        ("service", json!(7)),
        ("language", json!("日本語")),
        ("title", json!("")),
        ("text", json!("x".repeat(20_001))),
        ("until_us", json!(0)),
        ("kind", json!("blog")),
    ] {
        let mut wrong = body.clone();
        wrong[field] = value;
        let (status, problem) = admin.post("/articles", wrong).await;
        assert_eq!(status, 400, "{field}: {problem}");
    }
    let (_, log) = admin.get("/audit?limit=1").await;
    assert_eq!((&log[0]["act"], &log[0]["about"]), (&json!("configuration-changed"), &json!(format!("PUT {path}"))));
    assert_eq!(admin.delete(&path).await.0, 204);
    assert_eq!(admin.delete(&path).await.0, 404);
    assert_eq!(titles(&system, "/open/v1/services/0/faq").await, Vec::<String>::new());
    running.server.stop().await;
}

#[tokio::test]
async fn an_inquiry_form_is_told_what_tickets_have() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let system = running.system(&admin, everything()).await;
    for body in [
        json!({ "name": "Bills" }),
        json!({ "name": "Refunds", "under": 1 }),
        json!({ "name": "Old", "retired": true }),
    ] {
        assert_eq!(supervisor.post("/ticket-categories", body).await.0, 201);
    }
    let kind = json!({ "kind": "choice", "options": ["basic", "plus"] });
    assert_eq!(supervisor.post("/ticket-fields", json!({ "name": "Contract", "kind": kind })).await.0, 201);
    let (_, categories) = system.get("/open/v1/services/0/categories").await;
    let wanted = json!([
        { "category": 1, "name": "Bills", "under": null },
        { "category": 2, "name": "Refunds", "under": 1 },
    ]);
    assert_eq!(categories, wanted);
    let (_, fields) = system.get("/open/v1/services/0/fields").await;
    assert_eq!(fields, json!([{ "field": 1, "name": "Contract", "kind": kind }]));
    running.server.stop().await;
}
