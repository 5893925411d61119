//! The help centre: nothing unless an administrator switches it on; then articles for everybody, and inquiries by a form.

use std::time::Duration;

use crate::support::{Running, User};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

const CENTRE: &str = "/api/v1/customer/help-centres/0";

impl Running {
    async fn everybody(&self, path: &str) -> (u16, Value) {
        let answer = self.client.get(self.url(path)).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn sends(&self, filled_in: &Value) -> (u16, Value) {
        let address = self.url(&format!("{CENTRE}/inquiries"));
        let answer = self.client.post(address).json(filled_in).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn rule_of(&self, filled_in: &Value) -> (u16, String) {
        let (status, problem) = self.sends(filled_in).await;
        (status, problem["rule"].as_str().unwrap_or_default().to_owned())
    }
}

async fn switch(admin: &User, on: Value) {
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["help_centre"] = on;
    let (status, problem) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{problem}");
}

fn filled_in(form: &Value) -> Value {
    json!({
        "form": form,
        "from": { "name": "花子", "email": "hanako@example.jp" },
        "subject": "請求書について",
        "text": "There is a mistake in it.",
    })
}

#[tokio::test]
async fn a_service_shows_what_is_switched_on_and_no_more() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    for (kind, language, title) in
        [("faq", "ja", "返品できますか"), ("faq", "en", "Can I send it back?"), ("notice", "ja", "月曜日は休業です")]
    {
        let article = json!({ "kind": kind, "service": 0, "language": language, "title": title, "text": "…" });
        assert_eq!(admin.post("/articles", article).await.0, 201);
    }
    let later = json!({ "kind": "notice", "service": 0, "language": "ja", "title": "later", "text": "…",
        "from_us": 4_000_000_000_000_000_u64 });
    assert_eq!(admin.post("/articles", later).await.0, 201);

    let all = ["", "/faq", "/notices", "/form"];
    for path in all {
        assert_eq!(running.everybody(&format!("{CENTRE}{path}")).await.0, 404, "{path}: off unless switched on");
    }
    assert_eq!(running.everybody("/api/v1/customer/help-centres").await, (200, json!([])));
    assert_eq!(running.sends(&filled_in(&json!("x"))).await.0, 404);

    switch(&admin, json!({ "articles": true })).await;
    let (status, centre) = running.everybody(CENTRE).await;
    assert_eq!((status, &centre["articles"], &centre["inquiries"]), (200, &json!(true), &json!(false)), "{centre}");
    assert_eq!(running.everybody(&format!("{CENTRE}/form")).await.0, 404, "the form is another switch");
    assert_eq!(running.sends(&filled_in(&json!("x"))).await.0, 404);
    let (_, faq) = running.everybody(&format!("{CENTRE}/faq?language=ja")).await;
    assert_eq!((faq["items"].as_array().unwrap().len(), &faq["items"][0]["title"]), (1, &json!("返品できますか")));
    let (_, found) = running.everybody(&format!("{CENTRE}/faq?q=send%20it")).await;
    assert_eq!(found["items"][0]["title"], "Can I send it back?");
    let (_, notices) = running.everybody(&format!("{CENTRE}/notices")).await;
    assert_eq!(notices["items"].as_array().unwrap().len(), 1, "what is not shown yet is not: {notices}");
    for other in ["/api/v1/customer/help-centres/1", "/api/v1/customer/help-centres/0?organisation=acme"] {
        assert_eq!(running.everybody(other).await.0, 404, "{other}");
    }

    switch(&admin, json!({ "inquiries": true })).await;
    let mut paths = Vec::new();
    for path in all {
        paths.push(running.everybody(&format!("{CENTRE}{path}")).await.0);
    }
    assert_eq!(paths, [200, 404, 404, 200]);

    let mut issues = admin.get("/floor/services/0").await.1;
    issues["name"] = json!("Second line");
    issues["kind"] = json!({ "issues": { "shows": "nothing" } });
    (issues["inbound"], issues["outbound"]) = (json!(false), json!(false));
    issues["outgoing"] = json!([]);
    let (status, problem) = admin.changes(Method::POST, "/floor/services", issues).await;
    assert_eq!((status, &problem["rule"]), (422, &json!("configuration")), "{problem}");
    running.server.stop().await;
}

#[tokio::test]
async fn a_form_makes_one_ticket() {
    let running = Running::start().await;
    let (admin, op) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let supervisor = running.sign_in("supervisor").await;
    supervisor.post("/ticket-categories", json!({ "name": "Bills" })).await;
    supervisor.post("/ticket-fields", json!({ "name": "Number of the bill", "kind": { "kind": "number" } })).await;
    switch(&admin, json!({ "inquiries": true })).await;
    let (_, form) = running.everybody(&format!("{CENTRE}/form")).await;
    assert_eq!((&form["categories"][0]["name"], &form["fields"][0]["field"]), (&json!("Bills"), &json!(1)));

    // What nobody means is refused, and says what would be right.
    let mut asked = filled_in(&form["form"]);
    asked["category"] = json!(1);
    asked["fields"] = json!({ "1": "204" });
    asked["attachments"] = json!([{ "name": "b.txt", "media_type": "text/plain", "base64": STANDARD.encode("see") }]);
    assert_eq!(running.rule_of(&asked).await, (429, "too-fast".into()));
    let with = |field: &str, value: Value| {
        let mut asked = asked.clone();
        asked[field] = value;
        asked
    };
    assert_eq!(running.rule_of(&with("website", json!("http://x"))).await, (400, "website".into()));
    assert_eq!(running.rule_of(&with("from", json!({ "name": "花子" }))).await, (400, "from".into()));
    assert_eq!(running.rule_of(&with("form", json!("1.a.b"))).await, (409, "stale-form".into()));

    tokio::time::sleep(Duration::from_millis(form["wait_ms"].as_u64().unwrap())).await;
    assert_eq!(running.rule_of(&with("fields", json!({ "1": "no number" }))).await.0, 400);
    let (status, made) = running.sends(&asked).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(running.sends(&asked).await, (201, made.clone()), "sent again it is the same one");
    assert_eq!(running.rule_of(&with("text", json!("Another."))).await, (422, "idempotency-key-reused".into()));
    let (_, tickets) = supervisor.get("/tickets").await;
    assert_eq!(tickets["items"].as_array().unwrap().len(), 1, "{tickets}");

    let id = &made["inquiry"];
    let (_, ticket) = op.get(&format!("/tickets/{id}")).await;
    assert_eq!((&ticket["subject"], &ticket["origin"]), (&json!("請求書について"), &json!("written")));
    assert_eq!((&ticket["category"], &ticket["fields"]), (&json!(1), &json!({ "1": "204" })));
    assert_eq!(ticket["inquiry"], json!(true));
    let (_, inquiry) = op.get(&format!("/tickets/{id}/inquiry")).await;
    assert_eq!((&inquiry["from"]["email"], &inquiry["key"]), (&json!("hanako@example.jp"), &json!(0)));
    assert_eq!(inquiry["attachments"][0]["name"], "b.txt");

    // Who wrote what is named, not numbered.
    op.post(&format!("/tickets/{id}/notes"), json!({ "text": "They always say so." })).await;
    let (_, ticket) = op.get(&format!("/tickets/{id}")).await;
    let note = ticket["lines"].as_array().unwrap().last().unwrap().clone();
    let (_, accounts) = admin.get("/accounts").await;
    let me = accounts.as_array().unwrap().iter().find(|account| account["login"] == "op1").unwrap();
    assert_eq!(ticket["accounts"], json!({ note["by"].to_string(): me["name"] }), "{ticket}");

    // Whoever sent the form reads what is answered and goes on with it, and nobody else.
    let own = |token: String| {
        let client = running.client.clone();
        let address = running.url("/api/v1/customer/inquiry");
        async move {
            let answer = client.get(address).header("callfloor-customer-token", token).send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let token = format!("0/{}", form["form"].as_str().unwrap());
    op.call(Method::POST, &format!("/tickets/{id}/pull"), None).await;
    op.post(&format!("/tickets/{id}/replies"), json!({ "text": "We are sorry." })).await;
    let (status, whole) = own(token.clone()).await;
    let said: Vec<_> = whole["messages"].as_array().unwrap().iter().map(|it| it["text"].as_str().unwrap()).collect();
    assert_eq!((status, said), (200, vec!["There is a mistake in it.", "We are sorry."]), "no note: {whole}");
    assert_eq!(own(token.replacen('0', "1", 1)).await.0, 401);
    let address = running.url("/api/v1/customer/inquiry/replies");
    let again =
        || running.client.post(&address).header("callfloor-customer-token", &token).header("idempotency-key", "k");
    let answer = again().json(&json!({ "text": "Thank you." })).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.json::<Value>().await.unwrap()["inquiry"]), (201, id));
    again().json(&json!({ "text": "Thank you." })).send().await.unwrap();
    assert_eq!(own(token.clone()).await.1["messages"].as_array().unwrap().len(), 3, "once");

    // An address has so many, whatever is in them; nobody else is held up by a restart's new forms.
    let mut rules = Vec::new();
    for _ in 0..4 {
        rules.push(running.rule_of(&with("website", json!("x"))).await.0);
    }
    assert!(rules.contains(&429), "{rules:?}");
    let running = running.restart().await;
    assert_eq!(running.sends(&asked).await, (201, made), "a repetition after a restart makes no second one");
    let other = with("text", json!("Another."));
    let mut other = other.clone();
    other["form"] = json!("1.a.b");
    assert_eq!(running.rule_of(&other).await, (409, "stale-form".into()));
    running.server.stop().await;
}
