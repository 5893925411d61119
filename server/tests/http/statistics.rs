//! Statistics over HTTP: what happened is what is counted, across a restart; figures for Prometheus; no number in a log.

use crate::support::{Running, User};
use callfloor_engine::Command;
use reqwest::Method;
use serde_json::{Value, json};

async fn report(user: &User, what: &str, query: &str) -> Value {
    let (status, report) = user.get(&format!("/statistics/{what}?{query}")).await;
    assert_eq!(status, 200, "{report}");
    report
}

fn row<'a>(report: &'a Value, field: &str, value: Value) -> &'a Value {
    let rows = report["rows"].as_array().expect("rows");
    rows.iter().find(|row| row[field] == value).unwrap_or_else(|| panic!("no row with {field} {value}: {report}"))
}

/// B7: identities hold exactly; the counts are what happened.
#[tokio::test(flavor = "multi_thread")]
async fn b7_what_happened_is_what_is_counted() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let first = running.at_work("op1", "ready").await;
    // Answered, held, ended by the customer.
    let call = running.customer_waits("09011112222").await;
    first.answers().await;
    first.does("hold").await;
    first.does("release").await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    first.does_with("finish-after-call", json!({ "to": { "status": "ready" } })).await;
    // Declined, then abandoned in the queue.
    let call = running.customer_waits("09022223333").await;
    let offer = first.desk().await["offers"][0]["offer"].clone();
    first.does_with("decline", json!({ "offer": offer })).await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    // Abandoned while it rang.
    first.set_status("ready").await;
    let call = running.customer_waits("09033334444").await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    // A dial that is answered, one that is given up.
    for answered in [true, false] {
        let desk = first.does_with("dial", json!({ "to": "09044445555" })).await;
        if answered {
            let call: callfloor_server::http::CallRef = desk["call"]["call"].as_str().unwrap().parse().unwrap();
            running.world(Command::CustomerAnswered { call: call.0 }).await;
        }
        first.does("hang-up").await;
    }
    // One is left waiting.
    running.customer_waits("09055556666").await;

    let check = async |supervisor: &User, waiting: u64| {
        let queues = report(supervisor, "queues", "every=day").await;
        assert_eq!(queues["failed_identities"], json!([]), "{queues}");
        let calls = row(&queues, "queue", json!(0));
        let counts = &calls["counts"];
        let expected = [
            ("offered", 4),
            ("answered", 1),
            ("answered_in_time", 1),
            ("abandoned", 3 - waiting),
            ("rings", 3),
            ("missed_rings", 1),
            ("holds", 1),
            ("held_calls", 1),
            ("tickets_created", 1),
        ];
        for (field, expected) in expected {
            assert_eq!(counts[field], json!(expected), "{field}: {calls}");
        }
        assert_eq!(calls["identity"], json!([4, 4]));
        if waiting == 1 {
            // 1 ÷ (4 − 2 − 0): short abandons are left out.
            assert_eq!((&counts["abandoned_short"], &calls["figures"]["service_level"]), (&json!(2), &json!(0.5)));
            assert_eq!(calls["figures"]["abandonment_raw"], json!(0.5));
        }
        assert!(calls["figures"]["aht_s"].as_f64().unwrap() > 0.0);
        assert_eq!(queues["waiting_now"][0], json!({ "queue": 0, "counted": waiting, "found": waiting }));
        let dials = row(&queues, "queue", Value::Null);
        assert_eq!((&dials["counts"]["dials"], &dials["counts"]["dials_connected"]), (&json!(2), &json!(1)));
        let answers = report(supervisor, "queues", "every=all&by=answer").await;
        assert_eq!(
            row(&answers, "queue", json!(0))["counts"]["offered"],
            json!(4 - waiting),
            "those that left the queue"
        );
        queues
    };
    check(&supervisor, 1).await;
    let operators = report(&supervisor, "operators", "every=all").await;
    let own = row(&operators, "operator", json!(0));
    for (field, expected) in [("calls_in", 1), ("dials", 2), ("dials_connected", 1), ("rings", 3), ("missed_rings", 1)]
    {
        assert_eq!(own[field], json!(expected), "{field}: {own}");
    }
    let times = own["in_status_us"].as_object().unwrap();
    let sum: u64 = times.values().map(|time| time.as_u64().unwrap()).sum();
    assert_eq!(json!(sum), own["logged_in_us"], "each microsecond is in one status");
    for status in ["ready", "ringing", "talking", "holding", "after-call-work", "dialing", "work"] {
        assert!(times[status].as_u64().unwrap() > 0, "{status}: {times:?}");
    }
    let busy = own["figures"]["occupancy"].as_f64().unwrap();
    assert!((0.0..=1.0).contains(&busy));

    // The same after a restart; the call that waited lost its telephone with the process and is abandoned.
    let running = running.restart().await;
    let supervisor = running.sign_in("supervisor").await;
    check(&supervisor, 0).await;
    let text = supervisor.request(Method::GET, "/statistics/queues?format=csv&every=15").send().await.unwrap();
    assert_eq!(text.headers()["content-type"], "text/csv; charset=utf-8");
    for what in ["queues", "operators"] {
        let book = supervisor.request(Method::GET, &format!("/statistics/{what}?format=xlsx&every=15"));
        let book = book.send().await.unwrap();
        assert_eq!(
            book.headers()["content-disposition"].to_str().unwrap(),
            format!("attachment; filename=\"{what}.xlsx\"")
        );
        assert!(book.bytes().await.unwrap().starts_with(b"PK\x03\x04"), "a workbook is a zip");
    }
    let text = text.text().await.unwrap();
    assert!(text.starts_with("start,from_us,to_us,service,queue,name,"), "{text}");
    assert!(text.lines().count() > 90 && text.lines().skip(1).all(|line| line.contains(",holds")), "{text}");
    let text =
        supervisor.request(Method::GET, "/statistics/operators?format=csv").send().await.unwrap().text().await.unwrap();
    assert!(text.contains("after-call-work_s") && text.lines().count() >= 2, "{text}");

    for (query, rule) in [
        ("from=yesterday", "from"),
        ("zone=Mars/Base", "zone"),
        ("from=2026-01-02&to=2026-01-01", "to"),
        ("every=7", "query"),
    ] {
        let (status, problem) = supervisor.get(&format!("/statistics/queues?{query}")).await;
        assert_eq!((status, problem["rule"].as_str()), (400, Some(rule)), "{problem}");
    }
    assert_eq!(running.sign_in("op1").await.get("/statistics/queues").await.0, 403);
    running.server.stop().await;
}

/// Chats and written tickets in their queues: the identity holds for them too, pulled tickets flow out.
#[tokio::test(flavor = "multi_thread")]
async fn b7_chats_and_tickets_are_counted() {
    use callfloor_engine::{ChatStatus, Event, OperatorId, Output, QueueId, ServiceId};
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    running.at_work("op1", "ready").await;
    let operator = OperatorId(0);
    let chat = |outputs: &[Output]| {
        outputs.iter().find_map(|it| match it {
            Output::Event(Event::ChatArrived { chat, .. }) => Some(*chat),
            _ => None,
        })
    };
    let comes =
        || Command::ChatArrived { queue: QueueId(1), customer: None, priority: 0, preferred: None, reference: 0 };
    let gone = chat(&running.world(comes()).await).unwrap();
    running.world(Command::CustomerLeftChat { chat: gone }).await;
    let taken = chat(&running.world(comes()).await).unwrap();
    let outputs = running.world(Command::SetChatStatus { operator, to: ChatStatus::Available }).await;
    let offer = outputs.iter().find_map(|it| match it {
        Output::Event(Event::OfferMade { offer, .. }) => Some(*offer),
        _ => None,
    });
    running.world(Command::Answer { operator, offer: offer.unwrap() }).await;
    running.world(Command::EndChat { operator, chat: taken }).await;
    running
        .world(Command::SetStatus { operator, to: callfloor_engine::StatusChoice::Work(callfloor_engine::ReasonId(0)) })
        .await;
    let written = running
        .world(Command::TicketArrived {
            service: ServiceId(0),
            queue: Some(QueueId(2)),
            customer: None,
            priority: 0,
            reference: 0,
        })
        .await;
    let ticket = written.iter().find_map(|it| match it {
        Output::Event(Event::TicketCreated { ticket, .. }) => Some(*ticket),
        _ => None,
    });
    running.world(Command::PullTicket { operator, ticket: ticket.unwrap(), version: None }).await;
    let queues = report(&supervisor, "queues", "every=all").await;
    assert_eq!(queues["failed_identities"], json!([]), "{queues}");
    let chats = &row(&queues, "queue", json!(1))["counts"];
    assert_eq!(
        (&chats["offered"], &chats["answered"], &chats["abandoned"]),
        (&json!(2), &json!(1), &json!(1)),
        "{chats}"
    );
    let tickets = &row(&queues, "queue", json!(2))["counts"];
    assert_eq!((&tickets["offered"], &tickets["flowed_out"]), (&json!(1), &json!(1)), "{tickets}");
    running.server.stop().await;
}

/// Waits are estimated once something was seen, with a band.
#[tokio::test(flavor = "multi_thread")]
async fn b11_waits_are_estimated_from_what_was_seen() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let operator = running.at_work("op1", "work").await;
    for at in 0..6 {
        running.customer_waits(&format!("0901111000{at}")).await;
    }
    for _ in 0..5 {
        operator.set_status("ready").await;
        operator.answers().await;
        operator.does("hang-up").await;
        operator.does_with("finish-after-call", json!({ "to": { "status": "work" } })).await;
    }
    let (_, queue) = supervisor.get("/queues/0").await;
    let estimate = &queue["line"][0]["estimate"];
    let get = |name: &str| estimate[name].as_f64().unwrap_or_else(|| panic!("{name}: {queue}"));
    assert_eq!((get("position"), get("answers")), (1.0, 5.0));
    assert!(get("low_s") < get("expected_s") && get("expected_s") < get("high_s"), "{estimate}");
    assert_eq!(queue["estimate"]["position"], json!(2), "one who comes now is second");
    running.server.stop().await;
}

/// Figures for Prometheus: for this machine without signing in, else for roles; routes by pattern.
#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_figures() {
    let running = Running::start().await;
    let operator = running.at_work("op1", "ready").await;
    running.customer_waits("09011112222").await;
    let text = reqwest::get(running.url("/metrics")).await.unwrap().text().await.unwrap();
    for line in [
        "callfloor_ready{organisation=\"main\"} 1",
        "callfloor_live_calls{organisation=\"main\"} 1",
        "callfloor_operators{organisation=\"main\",status=\"Ringing\"} 1",
        "callfloor_queue_ringing{organisation=\"main\",queue=\"calls\"} 1",
        "callfloor_http_requests_total{method=\"POST\",route=\"/api/v1/operators/{operator}/login\",status=\"2xx\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    let commands = text.lines().find_map(|line| line.strip_prefix("callfloor_commands_total{organisation=\"main\"} "));
    assert!(commands.unwrap().parse::<u64>().unwrap() >= 4, "{commands:?}");
    // Every line is a comment or a sample, and every class of a histogram is at least the one before.
    for line in text.lines() {
        let sample = line.rsplit_once(' ').is_some_and(|(_, value)| value.parse::<f64>().is_ok());
        assert!(line.starts_with('#') || sample, "{line}");
    }
    // Whoever a proxy on this machine brings is not this machine, whatever the proxy says of them.
    for (name, value) in [
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", "unknown"),
        ("forwarded", "for=203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("via", "1.1 proxy"),
    ] {
        let brought = running.client.get(running.url("/metrics")).header(name, value).send().await.unwrap();
        assert_eq!(brought.status(), 403, "{name}: {value}");
        assert_eq!(brought.headers()["content-type"], "application/problem+json");
    }
    assert_eq!(operator.request(Method::GET, "/metrics").send().await.unwrap().status(), 403);
    let supervisor = running.sign_in("supervisor").await;
    assert_eq!(supervisor.request(Method::GET, "/metrics").send().await.unwrap().status(), 200);
    running.server.stop().await;
}
