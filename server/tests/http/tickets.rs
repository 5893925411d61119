//! Tickets over HTTP: lists and search, every change, versions, clocks, and what becomes of them at a restart.

use crate::support::{Running, User};
use callfloor_engine::{Command, OpeningHours};
use callfloor_server::tickets::{Clocks, Line};
use reqwest::Method;
use serde_json::{Value, json};

impl User {
    async fn on_version(&self, method: Method, path: &str, version: u64, body: Value) -> (u16, Value) {
        let request = self.request(method, path).header("If-Match", format!("\"{version}\"")).json(&body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status().as_u16();
        if status == 200 {
            let etag = answer.headers()["etag"].to_str().unwrap().trim_matches('"').parse::<u64>().unwrap();
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["revision"], etag, "the revision is the ETag");
            return (status, body);
        }
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    async fn makes(&self, body: Value) -> Value {
        let (status, made) = self.post("/tickets", body).await;
        assert_eq!(status, 201, "{made}");
        made
    }
}

fn revision(ticket: &Value) -> u64 {
    ticket["revision"].as_u64().expect("a revision")
}

fn kinds(ticket: &Value) -> Vec<&str> {
    ticket["lines"].as_array().unwrap().iter().map(|line| line["line"].as_str().unwrap()).collect()
}

/// A ticket is made, found, taken, answered, solved, and opened again by the customer's reply; its history tells it all.
#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_from_question_to_solution_and_back() {
    let running = Running::start().await;
    let operator = running.sign_in("op1").await;
    let made = operator
        .makes(
            json!({ "service": 0, "subject": "請求書の再発行", "description": "先月の請求書をもう一度送ってください。",
            "tags": ["Invoice", "vip"] }),
        )
        .await;
    let id = made["id"].as_u64().unwrap();
    let path = format!("/tickets/{id}");
    assert_eq!(
        (&made["status"], &made["owner"], &made["tags"]),
        (&json!("new"), &Value::Null, &json!(["invoice", "vip"]))
    );
    operator.makes(json!({ "service": 0, "subject": "password", "description": "I cannot sign in" })).await;

    // Found by what stands in it, whatever its width and case; what does not occur finds nothing.
    for (text, expected) in
        [("請求書", vec![id]), ("送って", vec![id]), ("ＳＩＧＮ　ＩＮ", vec![id + 1]), ("請求書 x", vec![])]
    {
        let url = format!("/tickets?q={}", text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>());
        let (status, found) = operator.get(&url).await;
        assert_eq!(status, 200, "{found}");
        let ids: Vec<_> = found["items"].as_array().unwrap().iter().map(|it| it["id"].as_u64().unwrap()).collect();
        assert_eq!(ids, expected, "{text}");
    }
    assert_eq!(operator.get("/tickets?q=x").await.0, 400, "one character is too little");
    let (_, tagged) = operator.get("/tickets?tag=vip&status=new&owner=none&channel=written").await;
    assert_eq!(tagged["items"].as_array().unwrap().len(), 1);
    let (_, counts) = operator.get("/tickets/counts").await;
    assert_eq!((&counts["unassigned"]["0"]["new"], &counts["own"]["open"]), (&json!(2), &json!(0)), "{counts}");

    // Taken, noted, answered.
    let (status, pulled) = operator.post(&format!("{path}/pull"), json!(null)).await;
    assert_eq!((status, &pulled["owner"], &pulled["status"]), (200, &json!(0), &json!("open")), "{pulled}");
    operator.post(&format!("{path}/notes"), json!({ "text": "asked accounting" })).await;
    let (_, replied) = operator.post(&format!("{path}/replies"), json!({ "text": "お送りしました。" })).await;
    assert!(replied["first_reply_us"].is_u64(), "{replied}");
    let (_, counts) = operator.get("/tickets/counts").await;
    assert_eq!(counts["own"]["open"], 1);

    // Solved on the version that was seen (B17), and opened again by the customer.
    let solve = json!({ "status": "solved" });
    let (status, problem) = operator.post(&format!("{path}/status"), solve.clone()).await;
    assert_eq!((status, &problem["rule"]), (428, &json!("if-match")));
    let seen = revision(&replied);
    let (status, problem) = operator.on_version(Method::POST, &format!("{path}/status"), seen - 1, solve.clone()).await;
    assert_eq!((status, &problem["rule"]), (412, &json!("version")), "{problem}");
    let (status, solved) = operator.on_version(Method::POST, &format!("{path}/status"), seen, solve).await;
    assert_eq!(
        (status, &solved["status"], &solved["resolution"]),
        (200, &json!("solved"), &json!("answered")),
        "{solved}"
    );
    let (_, opened) = operator.post(&format!("{path}/customer-replies"), json!({ "text": "届いていません" })).await;
    assert_eq!(
        (&opened["status"], &opened["reopened"], &opened["solved_us"]),
        (&json!("open"), &json!(1), &Value::Null)
    );
    assert_eq!(
        kinds(&opened),
        [
            "created",
            "description",
            "owner",
            "status",
            "note",
            "replied",
            "reply",
            "status",
            "customer-replied",
            "status",
            "customer-reply"
        ]
    );
    let by: Vec<_> = opened["lines"].as_array().unwrap().iter().map(|line| line["by"].is_u64()).collect();
    assert!(by.iter().all(|by| *by), "the account that asked stands in each line: {opened}");
    running.server.stop().await;
}

/// B16: the engine's clocks are the integral of the history; and B18: who is away is given nothing.
#[tokio::test(flavor = "multi_thread")]
async fn b16_b18_clocks_equal_the_history() {
    let running = Running::start().await;
    let operator = running.sign_in("op1").await;
    let made =
        operator.makes(json!({ "service": 0, "queue": 2, "subject": "slow", "description": "a question" })).await;
    let id = made["id"].as_u64().unwrap();
    assert_eq!((&made["queue"], &made["owner"]), (&json!(2), &Value::Null), "nobody is at work: it waits");
    let path = format!("/tickets/{id}");
    let wait = || tokio::time::sleep(std::time::Duration::from_millis(30));
    wait().await;
    let (_, pulled) = operator.post(&format!("{path}/pull"), json!(null)).await;
    wait().await;
    let (_, pending) = operator
        .on_version(Method::POST, &format!("{path}/status"), revision(&pulled), json!({ "status": "pending" }))
        .await;
    wait().await;
    let (_, open) = operator
        .on_version(Method::POST, &format!("{path}/status"), revision(&pending), json!({ "status": "open" }))
        .await;
    wait().await;
    operator.post(&format!("{path}/replies"), json!({ "text": "here" })).await;
    wait().await;
    let (_, solved) = {
        let (_, now) = operator.get(&path).await;
        operator
            .on_version(Method::POST, &format!("{path}/status"), revision(&now), json!({ "status": "solved" }))
            .await
    };
    let lines: Vec<Line> = serde_json::from_value(solved["lines"].clone()).unwrap();
    let clocks: Clocks = serde_json::from_value(solved["clocks_now"].clone()).unwrap();
    let last = lines.last().unwrap().at_us;
    assert_eq!(clocks, Clocks::of(&lines, &OpeningHours::Always, last), "{solved}");
    let lived = last - solved["created_us"].as_u64().unwrap();
    let stood = open["changed_us"].as_u64().unwrap() - pending["changed_us"].as_u64().unwrap();
    assert_eq!(clocks.resolution_us, lived - stood, "all but the time in Pending");
    assert!(clocks.first_response_us < clocks.resolution_us && clocks.first_response_us > 0);
    assert_eq!(solved["clocks"], solved["clocks_now"], "nothing runs after the solution");
    running.server.stop().await;
}

/// What an administrator prepares: categories, fields whose values are checked and required, templates that are filled in.
#[tokio::test(flavor = "multi_thread")]
async fn prepared_lists_are_kept_to() {
    let running = Running::start().await;
    let (admin, operator) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let (status, billing) = admin.post("/ticket-categories", json!({ "name": "Billing" })).await;
    assert_eq!(status, 201, "{billing}");
    let under = json!({ "name": "Refunds", "under": billing["id"] });
    let (_, refunds) = admin.post("/ticket-categories", under).await;
    let circle = json!({ "name": "Billing", "under": refunds["id"] });
    let (status, problem) =
        admin.call(Method::PUT, &format!("/ticket-categories/{}", billing["id"]), Some(circle)).await;
    assert_eq!((status, &problem["rule"]), (400, &json!("under")));
    let field = json!({ "name": "Contract", "kind": { "kind": "choice", "options": ["A", "B"] }, "required": true });
    let (status, field) = admin.post("/ticket-fields", field).await;
    assert_eq!(status, 201, "{field}");
    assert_eq!(operator.post("/ticket-fields", field.clone()).await.0, 403);

    let made = operator.makes(json!({ "service": 0, "subject": "refund", "category": refunds["id"] })).await;
    let path = format!("/tickets/{}", made["id"]);
    let wrong = json!({ "fields": { field["id"].to_string(): "C" } });
    let (status, problem) = operator.on_version(Method::PATCH, &path, revision(&made), wrong).await;
    assert_eq!((status, &problem["rule"]), (400, &json!("fields")));
    assert!(problem["detail"].as_str().unwrap().contains("A, B"), "{problem}");
    let solve = json!({ "status": "solved" });
    let (status, problem) =
        operator.on_version(Method::POST, &format!("{path}/status"), revision(&made), solve.clone()).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("field-required")));
    let right = json!({ "fields": { field["id"].to_string(): "B" }, "priority": 3, "subject": "a refund" });
    let (status, edited) = operator.on_version(Method::PATCH, &path, revision(&made), right).await;
    assert_eq!((status, &edited["priority"], &edited["subject"]), (200, &json!(3), &json!("a refund")), "{edited}");
    let (status, _) = operator.on_version(Method::POST, &format!("{path}/status"), revision(&edited), solve).await;
    assert_eq!(status, 200);
    // Spam needs no field.
    let spam = operator.makes(json!({ "service": 0, "subject": "buy now" })).await;
    let body = json!({ "status": "solved", "resolution": "spam" });
    let to = format!("/tickets/{}/status", spam["id"]);
    assert_eq!(operator.on_version(Method::POST, &to, revision(&spam), body).await.0, 200);

    let (_, customer) = operator.post("/customers", json!({ "name": "Sato" })).await;
    let asked = operator.makes(json!({ "service": 0, "subject": "x", "customer": customer["id"] })).await;
    let text = json!({ "name": "Hello", "text": "Dear {customer}, this is {operator} about {ticket}." });
    let (_, template) = admin.post("/ticket-templates", text).await;
    let (status, filled) =
        operator.get(&format!("/ticket-templates/{}/text?ticket={}", template["id"], asked["id"])).await;
    assert_eq!((status, &filled["text"]), (200, &json!(format!("Dear Sato, this is op1 about {}.", asked["id"]))));
    running.server.stop().await;
}

/// Batches, forwarding, merging, linking; and a reply to what is closed for good.
#[tokio::test(flavor = "multi_thread")]
async fn many_tickets_and_how_they_hang_together() {
    let running = Running::start().await;
    let (operator, supervisor) = (running.sign_in("op1").await, running.sign_in("supervisor").await);
    let mut ids = Vec::new();
    for at in 0..4 {
        let made = operator.makes(json!({ "service": 0, "subject": format!("matter {at}") })).await;
        ids.push(made["id"].as_u64().unwrap());
    }
    let (status, done) = supervisor
        .post(
            "/tickets/batch",
            json!({ "tickets": [ids[0], 9_999, ids[1]], "order": { "forward": { "operator": 2 } } }),
        )
        .await;
    assert_eq!(status, 200, "{done}");
    let refused: Vec<_> = done.as_array().unwrap().iter().map(|one| one["refused"]["rule"].clone()).collect();
    assert_eq!(refused, [Value::Null, json!("unknown"), Value::Null], "one that is refused stops no other");
    let (_, theirs) = supervisor.get("/tickets?owner=2&status=open").await;
    assert_eq!(theirs["items"].as_array().unwrap().len(), 2);

    let (status, merged) = operator.post(&format!("/tickets/{}/merge", ids[0]), json!({ "ticket": ids[1] })).await;
    assert_eq!((status, &merged["absorbed"]), (200, &json!([ids[1]])), "{merged}");
    let (_, gone) = operator.get(&format!("/tickets/{}", ids[1])).await;
    assert_eq!(
        (&gone["status"], &gone["merged_into"], &gone["resolution"]),
        (&json!("closed"), &json!(ids[0]), &json!("duplicate"))
    );
    let (status, problem) = operator.post(&format!("/tickets/{}/pull", ids[1]), json!(null)).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("ticket-closed")));
    let (_, linked) = operator.post(&format!("/tickets/{}/link", ids[2]), json!({ "ticket": ids[1] })).await;
    assert_eq!(linked["linked"], json!([ids[1]]), "a closed one can be linked");

    // The customer of a closed ticket writes: a new one, linked with it.
    let (_, follow_up) =
        operator.post(&format!("/tickets/{}/customer-replies", ids[1]), json!({ "text": "still" })).await;
    assert_eq!((&follow_up["linked"], &follow_up["subject"]), (&json!([ids[1]]), &json!("matter 1")), "{follow_up}");
    assert!(follow_up["id"].as_u64().unwrap() > ids[3]);

    // A call has one ticket, and the call's record names it.
    let talking = running.at_work("op2", "ready").await;
    let call = running.customer_waits("0901112222").await;
    talking.answers().await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    let (_, phone) = supervisor.get("/tickets?channel=phone-in").await;
    let ticket = phone["items"][0]["id"].as_u64().unwrap();
    assert_eq!(phone["items"].as_array().unwrap().len(), 1);
    let (_, record) = supervisor.get(&format!("/call-records/{}", call.0.number())).await;
    assert_eq!(record["ticket"], ticket);

    let text = supervisor.request(Method::GET, "/tickets.csv").send().await.unwrap().text().await.unwrap();
    assert_eq!(text.lines().count(), 7, "{text}");
    assert_eq!(operator.get("/tickets.csv").await.0, 403);
    running.server.stop().await;
}

/// B8: documents and engine are one after a restart, also where the last snapshot is older than the last change.
#[tokio::test(flavor = "multi_thread")]
async fn b8_tickets_outlive_the_process() {
    let running = Running::start().await;
    let operator = running.sign_in("op1").await;
    let made = operator.makes(json!({ "service": 0, "subject": "to be kept", "tags": ["keep"] })).await;
    let path = format!("/tickets/{}", made["id"]);
    let (_, before) = operator.post(&format!("{path}/pull"), json!(null)).await;
    let running = running.restart().await;
    let operator = running.sign_in("op1").await;
    let (status, after) = operator.get(&path).await;
    assert_eq!((status, &after["lines"], &after["owner"]), (200, &before["lines"], &before["owner"]), "{after}");
    let solve = json!({ "status": "solved" });
    let (status, solved) = operator.on_version(Method::POST, &format!("{path}/status"), revision(&after), solve).await;
    assert_eq!(status, 200, "the engine has it too: {solved}");
    let next = operator.makes(json!({ "service": 0, "subject": "after" })).await;
    assert!(next["id"].as_u64() > made["id"].as_u64(), "numbers go on");
    running.server.stop().await;
}

/// Nobody's tickets are counted in the services that one serves; also those that were kept before there was an index for it.
#[tokio::test(flavor = "multi_thread")]
async fn nobodys_tickets_are_counted_by_service() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let mut other = admin.get("/floor/services/0").await.1;
    (other["name"], other["flow"], other["outgoing"]) = (json!("Elsewhere"), json!([{ "step": "end" }]), json!([]));
    let (status, problem) = admin.changes(Method::POST, "/floor/services", other).await;
    assert_eq!(status, 201, "{problem}");
    for (service, subject) in [(0, "one"), (0, "two"), (1, "three"), (1, "four"), (1, "five")] {
        supervisor.makes(json!({ "service": service, "subject": subject })).await;
    }
    let running = running.restart().await;
    let check = async |running: &Running| {
        let (operator, supervisor) = (running.sign_in("op1").await, running.sign_in("supervisor").await);
        let two = json!({ "new": 2, "open": 0, "pending": 0, "solved": 0 });
        let (_, counts) = operator.get("/tickets/counts").await;
        assert_eq!(counts["unassigned"], json!({ "0": two }), "{counts}");
        let (_, counts) = supervisor.get("/tickets/counts").await;
        assert_eq!((&counts["unassigned"]["0"], &counts["unassigned"]["1"]["new"]), (&two, &json!(3)), "{counts}");
    };
    check(&running).await;

    let store = running.directory.path().join("main/callfloor.sqlite");
    let Running { server, directory, .. } = running;
    server.stop().await;
    let store = rusqlite::Connection::open(store).unwrap();
    let gone = store.execute("DELETE FROM index_entry WHERE kind = 'ticket' AND idx = 'nobodys'", []).unwrap();
    assert_eq!(gone, 5);
    store.execute("UPDATE document SET keys = json_remove(keys, '$.nobodys') WHERE kind = 'ticket'", []).unwrap();
    drop(store);
    let running = Running::start_in(directory).await;
    check(&running).await;
    running.server.stop().await;
}
