//! Issues: a ticket is escalated to a service of the second kind, and follows what becomes of it there.

use crate::support::{PASSWORD, Running, User};
use reqwest::Method;
use serde_json::{Value, json};

/// A service for issues with a queue and an operator of its own, who is signed in.
struct Developers {
    service: u64,
    queue: u64,
    user: User,
}

async fn developers(running: &Running, shows: &str) -> Developers {
    let admin = running.sign_in("admin").await;
    let service = json!({ "name": format!("Developers {shows}"), "inbound": false, "outbound": false, "flow": [],
        "kind": { "issues": { "shows": shows } } });
    let (status, made) = admin.changes(Method::POST, "/floor/services", service).await;
    assert_eq!(status, 201, "{made}");
    let service = made["service"].as_u64().unwrap();
    let queue = json!({ "name": format!("issues {shows}"), "service": service, "channel": "ticket" });
    let (status, made) = admin.changes(Method::POST, "/floor/queues", queue).await;
    assert_eq!(status, 201, "{made}");
    let queue = made["queue"].as_u64().unwrap();
    let login = format!("dev-{shows}");
    let person = json!({ "name": login, "services": [service], "queues": [{ "queue": queue }], "ticket_limit": 3 });
    let (status, made) = admin.changes(Method::POST, "/floor/operators", person).await;
    assert_eq!(status, 201, "{made}");
    let account = json!({ "login": login, "password": PASSWORD, "name": login, "role": "operator",
        "operator": made["operator"] });
    let (status, made) = admin.post("/accounts", account).await;
    assert_eq!(status, 201, "{made}");
    Developers { service, queue, user: running.sign_in(&login).await }
}

/// Sets what becomes of the desk's tickets.
async fn escalation(running: &Running, setting: Value) {
    let admin = running.sign_in("admin").await;
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["escalation"] = setting;
    let (status, body) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{body}");
}

impl User {
    /// A ticket of the desk, with a customer where one is given; it is pulled.
    async fn has_a_ticket(&self, customer: Option<u64>) -> u64 {
        let body = json!({ "service": 0, "subject": "router 9", "description": "it restarts", "customer": customer });
        let (status, made) = self.post("/tickets", body).await;
        assert_eq!(status, 201, "{made}");
        let id = made["id"].as_u64().unwrap();
        assert_eq!(self.post(&format!("/tickets/{id}/pull"), json!(null)).await.0, 200);
        id
    }

    async fn escalates(&self, ticket: u64, service: u64) -> u64 {
        let body = json!({ "service": service, "description": "please look at the firmware" });
        let (status, made) = self.post(&format!("/tickets/{ticket}/issues"), body).await;
        assert_eq!(status, 201, "{made}");
        made["issue"].as_u64().unwrap()
    }

    async fn ticket(&self, id: u64) -> Value {
        let (status, ticket) = self.get(&format!("/tickets/{id}")).await;
        assert_eq!(status, 200, "{ticket}");
        ticket
    }

    async fn on_ticket(&self, id: u64, what: &str, body: Value) -> (u16, Value) {
        let version = self.ticket(id).await["revision"].to_string();
        let request = self.request(Method::POST, &format!("/tickets/{id}/{what}"));
        let answer = request.header("If-Match", format!("\"{version}\"")).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn ends(&self, issue: u64, verdict: &str, reason: &str) {
        let (status, ended) = self.on_ticket(issue, "outcome", json!({ "verdict": verdict, "reason": reason })).await;
        assert_eq!((status, &ended["status"], &ended["outcome"]["verdict"]), (200, &json!("solved"), &json!(verdict)));
    }
}

/// The lines of one kind.
fn lines<'a>(ticket: &'a Value, kind: &str) -> Vec<&'a Value> {
    ticket["lines"].as_array().unwrap().iter().filter(|line| line["line"] == kind).collect()
}

/// A ticket waits for its issue, is opened again by its refusal, waits again when the issue is reopened, and is solved with
/// it where the setting says so. Each step stands in both histories with who did it.
#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_follows_its_issue() {
    let running = Running::start().await;
    let developers = developers(&running, "case").await;
    let desk = running.sign_in("op1").await;
    let (_, services) = desk.get("/issue-services").await;
    assert_eq!(services[0]["service"], developers.service, "{services}");
    let ticket = desk.has_a_ticket(None).await;
    let issue = desk.escalates(ticket, developers.service).await;
    let first = desk.ticket(ticket).await;
    assert_eq!(
        (&first["status"], &first["issues"], &first["linked"]),
        (&json!("pending"), &json!([issue]), &json!([issue]))
    );
    assert_eq!(lines(&first, "escalated")[0]["service"], developers.service);
    assert_eq!(desk.get(&format!("/tickets/{issue}")).await.0, 404, "an issue is its service's to see");

    // The developers have it in their queue, with the case behind it.
    let theirs = developers.user.ticket(issue).await;
    assert_eq!(
        (&theirs["escalated_from"], &theirs["subject"], &theirs["queue"]),
        (&json!(ticket), &json!("router 9"), &json!(developers.queue))
    );
    assert_eq!(developers.user.get(&format!("/tickets/{ticket}")).await.0, 404);
    let (status, case) = developers.user.get(&format!("/tickets/{issue}/case")).await;
    assert_eq!((status, &case["id"]), (200, &json!(ticket)), "{case}");
    assert_eq!(lines(&case, "description")[0]["text"], "it restarts");

    // Refused, which is not done without a reason.
    let (status, problem) = developers.user.on_ticket(issue, "outcome", json!({ "verdict": "refused" })).await;
    assert_eq!((status, &problem["rule"]), (400, &json!("reason")));
    developers.user.ends(issue, "refused", "not our firmware").await;
    let first = desk.ticket(ticket).await;
    assert_eq!(first["status"], "open", "{first}");
    let theirs = developers.user.ticket(issue).await;
    for told in [&first, &theirs] {
        let line = lines(told, "issue-settled")[0].clone();
        assert_eq!(
            (&line["issue"], &line["verdict"], &line["reason"], &line["kept"]),
            (&json!(issue), &json!("refused"), &json!("not our firmware"), &Value::Null)
        );
        assert!(line["by"].is_u64(), "{line}");
    }
    let (status, problem) = developers.user.on_ticket(issue, "outcome", json!({ "verdict": "solved" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("issue-settled")));

    // The desk does not agree: the ticket waits again.
    let reopen = format!("/tickets/{ticket}/issues/{issue}/reopen");
    let (status, again) = desk.post(&reopen, json!({ "reason": "it is: version 3" })).await;
    assert_eq!((status, &again["status"], &again["outcome"]), (200, &json!("open"), &Value::Null), "{again}");
    let (status, problem) = desk.post(&reopen, json!({ "reason": "once more" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("issue-open")));
    let first = desk.ticket(ticket).await;
    assert_eq!((&first["status"], lines(&first, "issue-reopened").len()), (&json!("pending"), 1), "{first}");
    let theirs = developers.user.ticket(issue).await;
    assert_eq!(lines(&theirs, "note")[0]["text"], "it is: version 3");

    // Solved as any other ticket, with the setting that solves the ticket too.
    escalation(&running, json!({ "while_open": "pending", "on_solved": "solved", "on_refused": "open" })).await;
    let (status, ended) = developers.user.on_ticket(issue, "status", json!({ "status": "solved" })).await;
    assert_eq!((status, &ended["outcome"]["verdict"]), (200, &json!("solved")), "{ended}");
    let (_, list) = desk.get(&format!("/tickets/{ticket}/issues")).await;
    assert_eq!((&list[0]["issue"], &list[0]["outcome"]["verdict"]), (&json!(issue), &json!("solved")), "{list}");
    assert_eq!(desk.ticket(ticket).await["status"], "solved");

    // A solved ticket waits again too when its issue is reopened; all of it is there after a restart.
    assert_eq!(desk.post(&reopen, json!({ "reason": "back again" })).await.0, 200);
    let before = desk.ticket(ticket).await;
    assert_eq!((&before["status"], &before["reopened"]), (&json!("pending"), &json!(1)));
    let running = running.restart().await;
    let desk = running.sign_in("op1").await;
    let after = desk.ticket(ticket).await;
    assert_eq!((&after["lines"], &after["status"]), (&before["lines"], &before["status"]));
    running.server.stop().await;
}

/// A ticket that cannot follow stays, and its history says why: another issue is open, it is solved, a field is empty.
#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_that_cannot_follow_says_why() {
    let running = Running::start().await;
    let developers = developers(&running, "nothing").await;
    escalation(&running, json!({ "while_open": "stays", "on_solved": "solved", "on_refused": "open" })).await;
    let desk = running.sign_in("op1").await;
    let ticket = desk.has_a_ticket(None).await;
    let (one, two) =
        (desk.escalates(ticket, developers.service).await, desk.escalates(ticket, developers.service).await);
    assert_eq!(desk.ticket(ticket).await["status"], "open", "it stays what it was");
    developers.user.ends(one, "solved", "").await;
    let field = json!({ "name": "Contract", "kind": { "kind": "check" }, "required": true });
    let admin = running.sign_in("admin").await;
    assert_eq!(admin.post("/ticket-fields", field).await.0, 201);
    developers.user.ends(two, "solved", "").await;
    let first = desk.ticket(ticket).await;
    let kept: Vec<_> = lines(&first, "issue-settled").iter().map(|line| line["kept"].clone()).collect();
    assert_eq!((&first["status"], kept), (&json!("open"), vec![json!("other-issue"), json!("field-required")]));

    // One that the desk has solved meanwhile stays solved.
    let ticket = desk.has_a_ticket(None).await;
    let issue = desk.escalates(ticket, developers.service).await;
    let spam = json!({ "status": "solved", "resolution": "spam" });
    assert_eq!(desk.on_ticket(ticket, "status", spam).await.0, 200);
    developers.user.ends(issue, "refused", "spam").await;
    let first = desk.ticket(ticket).await;
    assert_eq!((&first["status"], &lines(&first, "issue-settled")[0]["kept"]), (&json!("solved"), &json!("solved")));

    // A ticket that is merged hands its issues on; an issue does not become part of what it was made of.
    let (kept, merged) = (desk.has_a_ticket(None).await, desk.has_a_ticket(None).await);
    let issue = desk.escalates(merged, developers.service).await;
    let supervisor = running.sign_in("supervisor").await;
    let merge = |into: u64, ticket: u64| {
        let (path, body) = (format!("/tickets/{into}/merge"), json!({ "ticket": ticket }));
        let supervisor = &supervisor;
        async move { supervisor.post(&path, body).await }
    };
    for (into, ticket) in [(merged, issue), (issue, merged)] {
        let (status, problem) = merge(into, ticket).await;
        assert_eq!((status, &problem["rule"]), (409, &json!("own-issue")));
    }
    assert_eq!(merge(kept, merged).await.0, 200);
    developers.user.ends(issue, "refused", "no").await;
    let first = desk.ticket(kept).await;
    assert_eq!((&first["issues"], lines(&first, "issue-settled").len()), (&json!([issue]), 1), "{first}");
    running.server.stop().await;
}

/// What each kind of service is for, and what is refused by name.
#[tokio::test(flavor = "multi_thread")]
async fn issue_services_take_issues_alone() {
    let running = Running::start().await;
    let developers = developers(&running, "customer").await;
    let (desk, admin) = (running.sign_in("op1").await, running.sign_in("admin").await);
    let supervisor = running.sign_in("supervisor").await;
    let ticket = json!({ "service": developers.service, "subject": "x" });
    let (status, problem) = supervisor.post("/tickets", ticket).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("issue-service")));
    let ticket = desk.has_a_ticket(None).await;
    for (body, expected) in [
        (json!({ "service": 0, "description": "x" }), (409, "no-issue-service")),
        (json!({ "service": 99, "description": "x" }), (400, "service")),
        (json!({ "service": developers.service, "queue": 2, "description": "x" }), (400, "queue")),
        (json!({ "service": developers.service, "description": " " }), (400, "description")),
    ] {
        let (status, problem) = desk.post(&format!("/tickets/{ticket}/issues"), body).await;
        assert_eq!((status, problem["rule"].as_str().unwrap()), expected, "{problem}");
    }
    let (status, problem) = desk.on_ticket(ticket, "outcome", json!({ "verdict": "solved" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("no-issue")));
    let issue = desk.escalates(ticket, developers.service).await;
    let replies = format!("/tickets/{issue}/customer-replies");
    let (status, problem) = developers.user.post(&replies, json!({ "text": "hello" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("is-issue")));

    // Neither an issue nor what a customer brings is handed on to the other side, or to whom it is not for.
    let developer = developers.user.operator.unwrap();
    for (ticket, to, expected) in [
        (ticket, json!({ "queue": developers.queue }), (409, "issue-service")),
        (ticket, json!({ "operator": developer }), (403, "not-of-service")),
        (issue, json!({ "queue": 2 }), (403, "not-of-service")),
        (issue, json!({ "operator": 0 }), (403, "not-of-service")),
    ] {
        let (status, problem) = supervisor.on_ticket(ticket, "forward", to.clone()).await;
        assert_eq!((status, problem["rule"].as_str().unwrap()), expected, "{to}: {problem}");
        let batch = json!({ "tickets": [ticket], "order": { "forward": to } });
        let (_, done) = supervisor.post("/tickets/batch", batch).await;
        assert_eq!(done[0]["refused"]["rule"], expected.1, "{done}");
    }
    let (status, done) = supervisor.on_ticket(issue, "forward", json!({ "queue": developers.queue })).await;
    assert_eq!(status, 200, "{done}");
    let elsewhere = json!({ "service": 0, "queue": developers.queue, "subject": "x" });
    let (status, problem) = desk.post("/tickets", elsewhere).await;
    assert_eq!((status, &problem["rule"]), (400, &json!("queue")));

    // The floor keeps the two kinds apart.
    let path = format!("/floor/services/{}", developers.service);
    let (_, service) = admin.get(&path).await;
    let with = |part: &str, value: Value| {
        let mut changed = service.clone();
        changed[part] = value;
        changed
    };
    assert_eq!(admin.changes(Method::PUT, &path, with("inbound", json!(true))).await.0, 422);
    let (status, problem) = admin.changes(Method::PUT, &path, with("kind", json!("desk"))).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("service-kind")));
    let contract = json!({ "inbound": false, "outbound": true });
    assert_eq!(admin.changes(Method::PUT, &format!("{path}/contract"), contract).await.0, 422);
    let queue = json!({ "name": "chats", "service": developers.service, "channel": "chat" });
    assert_eq!(admin.changes(Method::POST, "/floor/queues", queue).await.0, 422);
    let shows = json!({ "issues": { "shows": "nothing" } });
    assert_eq!(admin.changes(Method::PUT, &path, with("kind", shows)).await.0, 200);
    running.server.stop().await;
}

/// What an issue service is shown of a customer is what it has the right to; export and erasure reach its issues.
#[tokio::test(flavor = "multi_thread")]
async fn customers_are_shown_by_the_rights_of_the_issue_service() {
    let running = Running::start().await;
    let (blind, seeing) = (developers(&running, "nothing").await, developers(&running, "customer").await);
    let (desk, supervisor) = (running.sign_in("op1").await, running.sign_in("supervisor").await);
    let (_, customer) = desk.post("/customers", json!({ "name": "Sato" })).await;
    let (_, other) = desk.post("/customers", json!({ "name": "Suzuki" })).await;
    let (customer, other) = (customer["id"].as_u64().unwrap(), other["id"].as_u64().unwrap());
    let ticket = desk.has_a_ticket(Some(customer)).await;
    let unseen = desk.escalates(ticket, blind.service).await;
    let seen = desk.escalates(ticket, seeing.service).await;
    assert_eq!(blind.user.ticket(unseen).await["customer"], Value::Null);
    assert_eq!(seeing.user.ticket(seen).await["customer"], customer);

    // Their customers one by one, and of those what is theirs.
    let record = format!("/customers/{customer}");
    assert_eq!(blind.user.get(&record).await.0, 404);
    let (status, found) = seeing.user.get(&record).await;
    assert_eq!((status, &found["name"]), (200, &json!("Sato")));
    assert_eq!(seeing.user.get(&format!("/customers/{other}")).await.0, 404);
    for user in [&blind.user, &seeing.user] {
        assert_eq!(user.get("/customers").await.0, 403);
        assert_eq!(user.post("/customers", json!({ "name": "x" })).await.0, 403);
    }
    // Nor does what the organisation's own system says of them go further.
    assert_eq!(blind.user.get(&format!("{record}/linked")).await.0, 404);
    assert_eq!(seeing.user.get(&format!("{record}/linked")).await.1["state"], "not-linked");
    assert_eq!(seeing.user.get(&format!("/customers/{other}/linked")).await.0, 404);
    let (_, timeline) = seeing.user.get(&format!("{record}/timeline")).await;
    let tickets: Vec<_> = timeline.as_array().unwrap().iter().map(|contact| contact["ticket"].clone()).collect();
    assert_eq!(tickets, [json!(seen)], "{timeline}");
    assert_eq!(seeing.user.get(&format!("/tickets/{seen}/case")).await.0, 403);
    let (_, timeline) = desk.get(&format!("{record}/timeline")).await;
    assert_eq!(timeline.as_array().unwrap().len(), 2, "the issue that bears the customer stands in it too: {timeline}");

    // The person's data is theirs, wherever it was escalated to.
    blind.user.ends(unseen, "refused", "Sato is wrong").await;
    let (_, export) = supervisor.get(&format!("{record}/export")).await;
    let ids: Vec<_> = export["tickets"].as_array().unwrap().iter().map(|ticket| ticket["id"].clone()).collect();
    assert!(ids.contains(&json!(unseen)) && export.to_string().contains("Sato is wrong"), "{export}");
    let (status, erased) = supervisor.post(&format!("{record}/erase"), json!({})).await;
    assert_eq!((status, &erased["tickets"]), (200, &json!(3)), "{erased}");
    for issue in [unseen, seen] {
        let text = supervisor.ticket(issue).await.to_string();
        assert!(!text.contains("Sato") && !text.contains("firmware") && !text.contains("router"), "{text}");
    }
    running.server.stop().await;
}
