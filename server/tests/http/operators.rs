//! The widget over HTTP, point by point of the checklist (P1–P60): calls come as the telephones would bring them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::floor::button;
use crate::support::Running;
use callfloor_engine::{Action, Command, FarEndFault, LegId, Output};
use reqwest::Method;
use serde_json::{Value, json};

fn now_us() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros()).unwrap()
}

/// P3, P5, P6, P25: a login that lacks the right, the id or the number is refused and says what is missing.
#[tokio::test(flavor = "multi_thread")]
async fn p3_p5_p6_p25_login_needs_right_id_and_number() {
    let running = Running::start().await;
    let (admin, operator) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let (status, before) = admin.get("/floor/operators/0").await;
    assert_eq!(status, 200);
    for (field, value, expected) in [
        ("phone", json!(false), (403, "no-phone-right")),
        ("cti_id", Value::Null, (409, "no-cti-id")),
        ("cti_number", Value::Null, (409, "no-cti-number")),
    ] {
        let mut changed = before.clone();
        changed[field] = value;
        let (status, body) = admin.changes(Method::PUT, "/floor/operators/0", changed).await;
        assert_eq!(status, 200, "{body}");
        let desk = operator.desk().await;
        assert_eq!(button(&desk, "login"), (false, expected.1), "the button says so beforehand");
        assert_eq!(operator.is_refused("login", None).await, (expected.0, expected.1.to_owned()));
    }
    let (status, _) = admin.changes(Method::PUT, "/floor/operators/0", before).await;
    assert_eq!(status, 200);
    let desk = operator.does("login").await;
    // P10: Work is the default status at login.
    assert_eq!((&desk["status"], &desk["status_japanese"]), (&json!("work"), &json!("業務")));
    assert_eq!(operator.is_refused("login", None).await, (409, "wrong-status".into()));
    // P6: both unique.
    let (_, mut second) = admin.get("/floor/operators/1").await;
    second["cti_number"] = json!("201");
    let (status, problem) = admin.changes(Method::PUT, "/floor/operators/1", second).await;
    assert_eq!((status, &problem["rule"]), (422, &json!("configuration")));
    assert!(problem["detail"].as_str().unwrap().contains("201"), "{problem}");
    assert_eq!(operator.does("logout").await["status"], "logged-out");
    running.server.stop().await;
}

/// P15–P17, P26, P39: only Ready is offered calls; statuses carry reasons, of their own kind.
#[tokio::test(flavor = "multi_thread")]
async fn p15_p26_p39_statuses_with_reasons() {
    let running = Running::start().await;
    let operator = running.sign_in("op1").await;
    operator.does("login").await;
    let put = |body: Value| operator.call(Method::PUT, "/operators/0/status", Some(body));
    let (status, desk) = put(json!({ "status": "break", "reason": 23 })).await;
    assert_eq!((status, &desk["reason"], &desk["status_japanese"]), (200, &json!(23), &json!("休憩")));
    assert_eq!(desk["reasons"].as_array().unwrap().iter().filter(|it| it["english"] == "meal").count(), 1);
    for (wrong, rule) in [
        (json!({ "status": "work", "reason": 23 }), "reason"),
        (json!({ "status": "work", "reason": 999 }), "reason"),
        (json!({ "status": "talking" }), "body"),
        (json!({ "status": "work", "extra": 1 }), "body"),
    ] {
        let (status, problem) = put(wrong).await;
        assert_eq!((status, problem["rule"].as_str()), (400, Some(rule)), "{problem}");
    }
    running.customer_waits("09011112222").await;
    assert_eq!(operator.desk().await["offers"], json!([]), "nobody but a Ready operator is rung");
    let desk = operator.set_status("ready").await;
    assert_eq!(desk["status"], "ringing", "the call that waited rings at once");
    running.server.stop().await;
}

/// P9, P24, P27, P40–P43: ring, answer, ticket; missed and declined calls go back with their place, and the operator
/// leaves Ready.
#[tokio::test(flavor = "multi_thread")]
async fn p40_p43_ring_answer_decline() {
    let running = Running::start().await;
    let first = running.at_work("op1", "ready").await;
    let call = running.customer_waits("09011112222").await;
    let desk = first.desk().await;
    assert_eq!((&desk["status"], &desk["call"]["number"]), (&json!("ringing"), &json!("09011112222")));
    let ring = desk["offers"][0]["until_us"].as_u64().unwrap() - desk["offers"][0]["made_us"].as_u64().unwrap();
    assert_eq!(ring, 15_000_000, "P9: 15 s unless set");
    assert_eq!(button(&desk, "answer"), (true, ""));
    let offer = desk["offers"][0]["offer"].clone();
    let desk = first.does_with("decline", json!({ "offer": offer })).await;
    assert_eq!((&desk["status"], &desk["reason"]), (&json!("work"), &json!(2)), "P43: Work, with the reason declined");
    assert_eq!(first.is_refused("answer", Some(json!({ "offer": offer }))).await, (409, "offer-over".into()));

    let second = running.at_work("op2", "ready").await;
    let desk = second.desk().await;
    assert_eq!(desk["call"]["call"], json!(call.to_string()), "the call is assigned again");
    let theirs = desk["offers"][0]["offer"].clone();
    let wrong = first.is_refused("answer", Some(json!({ "offer": theirs }))).await;
    assert_eq!(wrong, (403, "other-operators-offer".into()));
    let desk = second.answers().await;
    assert_eq!(desk["status"], "talking");
    assert!(desk["ticket"].is_string(), "P41: a ticket is created by itself: {desk}");
    assert_eq!(button(&desk, "connect-customer"), (false, "no-consult"));
    running.server.stop().await;
}

/// P9, P42: an answer once the ring limit has come is late. (The tie of the very microsecond is tested in the engine.)
#[tokio::test(flavor = "multi_thread")]
async fn p9_p42_the_ring_limit_is_kept() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let (_, floor) = admin.get("/floor").await;
    let mut queue = floor["queues"][0].clone();
    queue["ring_limit_ms"] = json!(300);
    assert_eq!(admin.changes(Method::PUT, "/floor/queues/0", queue).await.0, 200);
    let operator = running.at_work("op1", "ready").await;
    running.customer_waits("09011112222").await;
    let desk = operator.desk().await;
    let (offer, until) = (desk["offers"][0]["offer"].clone(), desk["offers"][0]["until_us"].as_u64().unwrap());
    assert_eq!(until - desk["offers"][0]["made_us"].as_u64().unwrap(), 300_000);
    tokio::time::sleep(Duration::from_micros(until.saturating_sub(now_us()))).await;
    assert_eq!(operator.is_refused("answer", Some(json!({ "offer": offer }))).await, (409, "offer-over".into()));
    let desk = operator.desk().await;
    assert_eq!((&desk["status"], &desk["reason"]), (&json!("work"), &json!(1)), "Work, with the reason missed call");
    running.server.stop().await;
}

/// P36, P56–P60: hold, release, the end, after-call work left by hand.
#[tokio::test(flavor = "multi_thread")]
async fn p36_p56_p60_hold_and_after_call_work() {
    let running = Running::start().await;
    let operator = running.at_work("op1", "ready").await;
    let call = running.customer_waits("09011112222").await;
    operator.answers().await;
    assert_eq!(operator.does("hold").await["status_japanese"], "保留中");
    assert_eq!(operator.is_refused("hold", None).await.1, "wrong-status");
    assert_eq!(operator.does("release").await["status"], "talking");
    let (status, desk) =
        operator.call(Method::PUT, "/operators/0/next-status", Some(json!({ "next": { "status": "break" } }))).await;
    assert_eq!((status, &desk["next"]["status"]), (200, &json!("break")));
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    let desk = operator.desk().await;
    assert_eq!(desk["status"], "after-call-work", "P58");
    assert!(desk["ticket"].is_string() && button(&desk, "finish-after-call").0);
    running.customer_waits("09033334444").await;
    assert_eq!(operator.desk().await["offers"], json!([]), "P59: nothing is offered in it");
    let desk = operator.does_with("finish-after-call", json!({})).await;
    assert_eq!(desk["status"], "break", "the status chosen during the call follows");
    assert_eq!(operator.is_refused("finish-after-call", Some(json!({}))).await.1, "wrong-status");
    running.server.stop().await;
}

/// P48–P53: consult with a Ready operator, connect customer; the ticket goes with the customer.
#[tokio::test(flavor = "multi_thread")]
async fn p48_p52_consult_and_connect_customer() {
    let running = Running::start().await;
    let first = running.at_work("op1", "ready").await;
    running.customer_waits("09011112222").await;
    let ticket = first.answers().await["ticket"].clone();
    let second = running.sign_in("op2").await;
    let order = json!({ "operator": 1 });
    assert_eq!(first.is_refused("consult", Some(order.clone())).await, (409, "target-not-ready".into()), "P49");
    second.does("login").await;
    second.set_status("ready").await;
    let (status, found) = first.get("/operators?status=ready&q=op2").await;
    assert_eq!((status, found.as_array().unwrap().len(), &found[0]["operator"]), (200, 1, &json!(1)), "P49: searched");
    let desk = first.does_with("consult", order).await;
    assert_eq!((&desk["status"], &desk["call"]["target"]["answered"]), (&json!("holding"), &json!(false)));
    // P51: until the answer, connect customer is not active, and cancel is.
    assert_eq!(button(&desk, "connect-customer"), (false, "consult-not-answered"));
    assert_eq!(button(&desk, "cancel-consult"), (true, ""));
    let desk = second.answers().await;
    assert_eq!(desk["call"]["consulted"], json!(true));
    assert_eq!(second.is_refused("hold", None).await, (409, "consulted".into()));
    let desk = first.desk().await;
    assert_eq!((&desk["status_japanese"], button(&desk, "connect-customer")), (&json!("通話中(転換)"), (true, "")));
    let desk = first.does("connect-customer").await;
    assert_eq!(desk["status"], "after-call-work", "P52");
    let desk = second.desk().await;
    assert_eq!((&desk["status"], &desk["ticket"]), (&json!("talking"), &ticket), "P52: the target owns the ticket");
    running.server.stop().await;
}

/// P11, P31, P49, P50, P53, P54: typed numbers and favourites; cancel leads to Holding, release to the customer.
#[tokio::test(flavor = "multi_thread")]
async fn p11_p50_p53_p54_numbers_favourites_cancel() {
    let running = Running::start().await;
    let (admin, operator) = (running.sign_in("admin").await, running.at_work("op1", "ready").await);
    let service = json!([{ "name": "Warehouse", "number": "0355556666" }]);
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0/favourites", service).await.0, 200);
    let (status, own) =
        operator.post("/operators/0/favourites", json!({ "name": "Home", "number": "03-7777-8888" })).await;
    assert_eq!((status, &own["number"]), (200, &json!("0377778888")));
    running.customer_waits("09011112222").await;
    let desk = operator.answers().await;
    assert_eq!(desk["services"][0]["favourites"][0]["name"], "Warehouse");
    assert_eq!(desk["own_favourites"][0]["name"], "Home");
    for (order, number) in [
        (json!({ "number": "06-1111-2222" }), "0611112222"),
        (json!({ "favourite": 0 }), "0355556666"),
        (json!({ "own-favourite": own["id"] }), "0377778888"),
    ] {
        let desk = operator.does_with("consult", order).await;
        assert_eq!(desk["call"]["target"]["party"], json!({ "number": number }));
        let leg = u16::try_from(desk["call"]["target"]["leg"].as_u64().unwrap()).unwrap();
        let call: callfloor_server::http::CallRef = desk["call"]["call"].as_str().unwrap().parse().unwrap();
        running.world(Command::TargetAnswered { leg: LegId { call: call.0, leg } }).await;
        assert_eq!(operator.desk().await["status"], "consulting");
        assert_eq!(operator.does("cancel-consult").await["status"], "holding", "P53");
        assert_eq!(operator.does("release").await["status"], "talking", "P54");
    }
    // A typed number that is an operator's own is that operator, and obeys the Ready rule.
    assert_eq!(operator.is_refused("consult", Some(json!({ "number": "202" }))).await.1, "target-not-ready");
    assert_eq!(
        operator.is_refused("consult", Some(json!({ "favourite": 9 }))).await,
        (404, "unknown-favourite".into())
    );
    assert_eq!(operator.is_refused("consult", Some(json!({ "own-favourite": 999 }))).await, (404, "unknown".into()));
    assert_eq!(operator.delete(&format!("/operators/0/favourites/{}", own["id"])).await.0, 204);
    assert_eq!(operator.get("/operators/0/favourites").await.1, json!([]));
    running.server.stop().await;
}

/// Blind transfer to a number, an operator and a queue; conference.
#[tokio::test(flavor = "multi_thread")]
async fn blind_transfer_and_conference() {
    let running = Running::start().await;
    let first = running.at_work("op1", "ready").await;
    running.customer_waits("09011112222").await;
    first.answers().await;
    let second = running.at_work("op2", "ready").await;
    first.does_with("consult", json!({ "operator": 1 })).await;
    second.answers().await;
    assert_eq!(first.does("conference").await["call"]["place"], "conference");
    assert_eq!(first.is_refused("hold", None).await.1, "in-conference");
    second.does("hang-up").await;
    assert_eq!(second.does_with("finish-after-call", json!({ "to": { "status": "ready" } })).await["status"], "ready");
    let desk = first.does_with("transfer", json!({ "operator": 1 })).await;
    assert_eq!(desk["status"], "after-call-work");
    let desk = second.answers().await;
    assert!(desk["ticket"].is_string());
    assert_eq!(second.is_refused("transfer", Some(json!({ "queue": 1 }))).await.1, "wrong-channel");
    assert_eq!(second.does_with("transfer", json!({ "queue": 0 })).await["status"], "after-call-work");
    let desk = first.does_with("finish-after-call", json!({})).await;
    assert_eq!(desk["status"], "ringing", "from the queue it rings at whoever is Ready");
    first.answers().await;
    assert_eq!(first.does_with("transfer", json!({ "number": "0699998888" })).await["status"], "after-call-work");
    running.server.stop().await;
}

/// P12, P37, P55: forced end with an edited text; refused while consulting; nothing else is possible during it.
#[tokio::test(flavor = "multi_thread")]
async fn p12_p37_p55_forced_end() {
    let running = Running::start().await;
    let operator = running.at_work("op1", "ready").await;
    let call = running.customer_waits("09011112222").await;
    operator.answers().await;
    let desk = operator.does_with("consult", json!({ "number": "0611112222" })).await;
    let leg = LegId { call: call.0, leg: u16::try_from(desk["call"]["target"]["leg"].as_u64().unwrap()).unwrap() };
    running.world(Command::TargetAnswered { leg }).await;
    let abuse = json!({ "reason": "abuse" });
    assert_eq!(operator.is_refused("force-end", Some(abuse)).await, (409, "wrong-status".into()));
    operator.does("cancel-consult").await;
    let unknown = json!({ "reason": "threat", "announcement": { "audio": 4711 } });
    assert_eq!(operator.is_refused("force-end", Some(unknown)).await, (404, "unknown".into()));
    let tenant = running.server.tenants().named(None).unwrap();
    let mut events = tenant.host.hub().subscribe(None).unwrap().live;
    let order = json!({ "reason": "threat", "announcement": { "text": "お電話を終了いたします。" } });
    let desk = operator.does_with("force-end", order).await;
    assert_eq!(desk["call"]["place"], "ending");
    assert_eq!(operator.is_refused("hang-up", None).await, (409, "ending".into()));
    let audio = loop {
        if let Output::Action(Action::PlayAnnouncement { audio, .. }) = events.recv().await.unwrap().output {
            break audio;
        }
    };
    let admin = running.sign_in("admin").await;
    let (_, list) = admin.get("/floor/audio").await;
    let text = list.as_array().unwrap().iter().find(|it| it["audio"] == json!(audio.0)).unwrap();
    assert_eq!(text["text"], "お電話を終了いたします。", "the telephones find what is to be said");
    running.world(Command::PlaybackFinished { call: call.0 }).await;
    assert_eq!(operator.desk().await["status"], "after-call-work", "then the call ends");
    running.server.stop().await;
}

/// P2, P7, P8, P28, P44–P47: dial with a Confirmed number, in the set order; ticket at connect or at dial.
#[tokio::test(flavor = "multi_thread")]
async fn p7_p8_p44_p47_dial() {
    let running = Running::start().await;
    let (admin, operator) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let dial = || json!({ "to": "090-1234-5678" });
    assert_eq!(operator.is_refused("dial", Some(dial())).await, (409, "wrong-status".into()), "P44: logged in only");
    operator.does("login").await;
    let outgoing = json!([
        { "number": "0300000001", "state": "new" },
        { "number": "0300000002", "state": "confirmed" },
        { "number": "0300000003", "state": "confirmed" },
        { "number": "0300000004", "state": "rejected" },
    ]);
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0/outgoing-numbers", outgoing).await.0, 200);
    let desk = operator.desk().await;
    assert_eq!(desk["services"][0]["outgoing"], json!(["0300000002", "0300000003"]), "P7: the first is preselected");
    for from in ["0300000001", "0300000004", "0355555555"] {
        let order = json!({ "to": "09012345678", "from": from });
        assert_eq!(operator.is_refused("dial", Some(order)).await, (403, "outgoing-number".into()), "{from}");
    }
    for to in ["+14155550100", "0990123456"] {
        assert_eq!(operator.is_refused("dial", Some(json!({ "to": to }))).await, (403, "number-barred".into()), "{to}");
    }
    let tenant = running.server.tenants().named(None).unwrap();
    let mut events = tenant.host.hub().subscribe(None).unwrap().live;
    let desk = operator.does_with("dial", dial()).await;
    assert_eq!(
        (&desk["status_japanese"], &desk["ticket"]),
        (&json!("発信中"), &Value::Null),
        "P45, P46: no ticket yet"
    );
    let (to, from) = loop {
        if let Output::Action(Action::Dial { to, from, .. }) = events.recv().await.unwrap().output {
            break (to.to_string(), from.unwrap().to_string());
        }
    };
    assert_eq!((to.as_str(), from.as_str()), ("09012345678", "0300000002"));
    let call: callfloor_server::http::CallRef = desk["call"]["call"].as_str().unwrap().parse().unwrap();
    running.world(Command::CustomerAnswered { call: call.0 }).await;
    let desk = operator.desk().await;
    assert_eq!(desk["status"], "talking");
    assert!(desk["ticket"].is_string(), "P46: at connect");
    operator.does("hang-up").await;

    let (_, mut service) = admin.get("/floor/services/0").await;
    service["settings"]["outbound_ticket"] = json!("dial");
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service).await.0, 200);
    let desk = operator.does_with("dial", dial()).await;
    assert!(desk["ticket"].is_string(), "P47: at the dial");
    let call: callfloor_server::http::CallRef = desk["call"]["call"].as_str().unwrap().parse().unwrap();
    running.world(Command::DialFailed { call: call.0, cause: FarEndFault::Busy }).await;
    let failed = operator.desk().await;
    assert_eq!((&failed["status"], &failed["ticket"]), (&json!("after-call-work"), &desk["ticket"]), "P8: it stays");

    // P2: turned off, the button and the order name the flag.
    let off = json!({ "inbound": true, "outbound": false });
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0/contract", off).await.0, 200);
    assert_eq!(button(&operator.desk().await, "dial"), (false, "no-outbound-contract"));
    assert_eq!(operator.is_refused("dial", Some(dial())).await, (403, "no-outbound-contract".into()));
    running.server.stop().await;
}

/// Where telephones are served, the widget answers a browser's call; a SIP phone that is nowhere cannot ring.
#[tokio::test(flavor = "multi_thread")]
async fn p27_with_telephones_the_widget_answers_a_browser() {
    let directory = tempfile::tempdir().expect("a directory");
    let text = "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:0\"\n";
    let config = callfloor_server::config::Config::read("none", text, []).expect("a right configuration");
    let server = crate::support::serve_as(directory.path(), &config).await;
    let running = Running { server, directory, client: reqwest::Client::new() };
    let admin = running.sign_in("admin").await;
    let (_, mut person) = admin.get("/floor/operators/0").await;
    assert_eq!(person["device"], "sip-phone");
    person["device"] = json!("browser");
    assert_eq!(admin.changes(Method::PUT, "/floor/operators/0", person).await.0, 200);
    let password = json!({ "password": "a long one for op2" });
    assert_eq!(admin.changes(Method::PUT, "/floor/operators/1/telephone", password).await.0, 200);
    let operator = running.at_work("op1", "ready").await;
    // The switchboard itself tells when the greeting is over.
    running.customer_calls("09011112222").await;
    let rings = async {
        while operator.desk().await["status"] != "ringing" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), rings).await.expect("it rings");
    let desk = operator.desk().await;
    assert_eq!((&desk["status"], button(&desk, "answer")), (&json!("ringing"), (true, "")));
    let desk = operator.answers().await;
    assert_eq!((&desk["status"], &desk["device"]), (&json!("talking"), &json!("browser")));
    running.server.stop().await;
}

/// One's own desk only; a supervisor sees it and may set the status, but does not speak for anybody.
#[tokio::test(flavor = "multi_thread")]
async fn a_desk_is_its_operators() {
    let running = Running::start().await;
    let (first, supervisor) = (running.at_work("op1", "ready").await, running.sign_in("supervisor").await);
    let admin = running.sign_in("admin").await;
    assert_eq!(first.get("/operators/1/desk").await.0, 403);
    assert_eq!(first.post("/operators/1/hold", Value::Null).await.0, 403);
    assert_eq!(admin.get("/operators/0/desk").await.0, 403, "an administrator sees no customer's data");
    assert_eq!(supervisor.get("/operators/0/desk").await.0, 200);
    let away = json!({ "status": "break" });
    assert_eq!(supervisor.call(Method::PUT, "/operators/0/status", Some(away)).await.1["status"], "break");
    assert_eq!(supervisor.post("/operators/0/hang-up", Value::Null).await.0, 403);
    assert_eq!(supervisor.get("/operators/99/desk").await.0, 404);
    assert_eq!(supervisor.get("/operators/x/desk").await.0, 400);
    running.server.stop().await;
}

/// Supervisors: calls in progress, queues with estimate, priority, withdraw, explain.
#[tokio::test(flavor = "multi_thread")]
async fn supervisors_see_and_steer() {
    let running = Running::start().await;
    let (operator, supervisor) = (running.at_work("op1", "ready").await, running.sign_in("supervisor").await);
    let ringing = running.customer_waits("09011112222").await;
    let waiting: Vec<_> =
        [running.customer_waits("09022223333").await, running.customer_waits("09033334444").await].into();
    let (_, calls) = supervisor.get("/calls").await;
    assert_eq!(calls.as_array().unwrap().len(), 3);
    assert_eq!((&calls[0]["place"], &calls[0]["number"]), (&json!("ringing"), &json!("09011112222")));
    let (_, queues) = supervisor.get("/queues").await;
    assert_eq!(
        (&queues[0]["waiting"], &queues[0]["ringing"], &queues[0]["open"]),
        (&json!(2), &json!(1), &json!(true))
    );
    assert!(queues[0]["longest_wait_us"].as_u64().unwrap() > 0);
    assert_eq!(queues[0]["estimate"], Value::Null, "nothing was seen yet: no nonsense");

    let path = format!("/calls/{}/priority", waiting[1]);
    let (status, call) = supervisor.call(Method::PUT, &path, Some(json!({ "priority": 9 }))).await;
    assert_eq!((status, &call["priority"]), (200, &json!(9)));
    let (_, queue) = supervisor.get("/queues/0").await;
    let order: Vec<_> = queue["line"].as_array().unwrap().iter().map(|it| it["work"]["call"].clone()).collect();
    assert_eq!(order[0], json!(waiting[1].to_string()), "the urgent one is served next: {queue}");
    assert!(order.contains(&json!(ringing.to_string())), "what rings is in the line");
    let (_, explained) = supervisor.get(&format!("/explain?call={}", waiting[0])).await;
    assert_eq!(explained["ahead"], 1);
    let rules: Vec<_> = explained["candidates"].as_array().unwrap().iter().map(|it| it["rule"].clone()).collect();
    assert_eq!(rules, ["status"; 4], "{explained}");
    let (_, explained) = supervisor.get(&format!("/explain?call={ringing}")).await;
    assert_eq!(
        (&explained["candidates"][0]["operator"], &explained["candidates"][0]["rule"]),
        (&json!(0), &json!("offered"))
    );
    assert_eq!(supervisor.get("/explain").await.0, 400);

    let offer = operator.desk().await["offers"][0]["offer"].as_str().unwrap().to_owned();
    assert_eq!(supervisor.delete(&format!("/offers/{offer}")).await.0, 204);
    let desk = operator.desk().await;
    assert_eq!(desk["status"], "ringing", "withdrawn, and the most urgent call rings at the Ready operator");
    assert_eq!(desk["call"]["call"], json!(waiting[1].to_string()));
    assert_eq!(supervisor.delete(&format!("/offers/{offer}")).await.0, 404);
    assert_eq!(operator.get("/calls").await.0, 403);
    running.server.stop().await;
}

/// The same order with the same idempotency key is done once.
#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_order_is_done_once() {
    let running = Running::start().await;
    let operator = running.at_work("op1", "work").await;
    let order = json!({ "to": "09012345678" });
    let ask = || operator.request(Method::POST, "/operators/0/dial").header("idempotency-key", "once").json(&order);
    let first: Value = ask().send().await.unwrap().json().await.unwrap();
    let second: Value = ask().send().await.unwrap().json().await.unwrap();
    assert_eq!(first, second);
    let supervisor = running.sign_in("supervisor").await;
    assert_eq!(supervisor.get("/calls").await.1.as_array().unwrap().len(), 1);
    running.server.stop().await;
}
