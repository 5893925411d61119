//! Call records and customers over HTTP: what is kept of calls, who may read it, and how a person is erased.

use crate::support::{Running, User};
use callfloor_engine::{Command, CustomerId, Event, Output, ServiceId, StepId};
use callfloor_server::http::CallRef;
use reqwest::Method;
use serde_json::{Value, json};

async fn known_customer_calls(running: &Running, customer: u64, from: &str) -> CallRef {
    let arrival = Command::CallArrived {
        service: ServiceId(0),
        entry: StepId(1),
        customer: Some(CustomerId(customer)),
        from: Some(from.parse().expect("a number")),
        priority: 0,
        preferred: None,
        reference: 7,
    };
    let outputs = running.world(arrival).await;
    let call = outputs.iter().find_map(|output| match output {
        Output::Event(Event::CallArrived { call, .. }) => Some(*call),
        _ => None,
    });
    CallRef(call.expect("the call arrived"))
}

async fn answer(operator: &User) {
    let desk = operator.desk().await;
    let offer = desk["offers"][0]["offer"].as_str().expect("something rings").to_owned();
    let (status, body) = operator.post(&operator.desk_path("answer"), json!({ "offer": offer })).await;
    assert_eq!(status, 200, "{body}");
}

/// B7: one end cause a call, and everything between in its record; numbers whole for who serves customers alone.
#[tokio::test(flavor = "multi_thread")]
async fn b7_a_call_is_told_by_its_record() {
    let running = Running::start().await;
    let (operator, supervisor) = (running.at_work("op1", "ready").await, running.sign_in("supervisor").await);
    let call = running.customer_waits("0901112222").await;
    let (_, live) = operator.get(&format!("/call-records/{}", call.0.number())).await;
    assert_eq!((&live["ended_us"], &live["number"]), (&Value::Null, &json!("0901112222")), "{live}");
    answer(&operator).await;
    operator.does("hold").await;
    operator.does("release").await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    let (status, record) = supervisor.get(&format!("/call-records/{}", call.0.number())).await;
    assert_eq!(status, 200, "{record}");
    assert_eq!(record["cause"], "customer-hung-up");
    assert_eq!((&record["operators"], &record["missed_by"]), (&json!([0]), &json!([])));
    assert_eq!(record["ticket"], 1);
    let spent = ["wait_us", "talk_us", "hold_us", "consult_us"].map(|part| record[part].as_u64().unwrap());
    let lived = record["ended_us"].as_u64().unwrap() - record["arrived_us"].as_u64().unwrap();
    assert!(spent.iter().sum::<u64>() <= lived && spent[1] > 0 && spent[2] > 0, "{record}");
    let events: Vec<_> =
        record["timeline"].as_array().unwrap().iter().map(|moment| moment["event"].as_str().unwrap()).collect();
    let order =
        ["call-arrived", "call-queued", "offer-made", "call-answered", "call-held", "call-released", "call-ended"];
    let places: Vec<_> = order.iter().map(|it| events.iter().position(|event| event == it)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{events:?}");

    // A missed ring stands with the operator who missed it; an abandoned call has nobody.
    let (status, _) = operator.post(&operator.desk_path("finish-after-call"), json!({ "status": "ready" })).await;
    assert!(status < 500);
    operator.set_status("ready").await;
    let second = running.customer_waits("0903334444").await;
    let desk = operator.desk().await;
    let offer = desk["offers"][0]["offer"].clone();
    operator.post(&operator.desk_path("decline"), json!({ "offer": offer })).await;
    running.world(Command::CustomerHungUp { call: second.0 }).await;
    let (_, list) = supervisor.get("/call-records?cause=abandoned-in-queue").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
    assert_eq!((&list["items"][0]["missed_by"], &list["items"][0]["operators"]), (&json!([0]), &json!([])));
    let (_, own) = supervisor.get("/call-records?operator=0").await;
    assert_eq!(own["items"][0]["id"], u64::from(call.0.number()));

    // In pages, the newest first.
    let (_, first) = supervisor.get("/call-records?limit=1").await;
    let next = first["next"].as_str().expect("another page").to_owned();
    let (_, second_page) = supervisor.get(&format!("/call-records?limit=1&after={next}")).await;
    assert_eq!(first["items"][0]["id"], u64::from(second.0.number()));
    assert_eq!(second_page["items"][0]["id"], u64::from(call.0.number()));
    let (status, problem) = supervisor.get("/call-records?after=nonsense").await;
    assert_eq!((status, &problem["rule"]), (400, &json!("after")));

    // For spreadsheets; an administrator reads nothing about customers.
    let text = supervisor.request(Method::GET, "/call-records.csv").send().await.unwrap().text().await.unwrap();
    assert_eq!(text.lines().count(), 3, "{text}");
    let admin = running.sign_in("admin").await;
    for path in ["/call-records", "/call-records.csv", "/customers", "/tickets"] {
        assert_eq!(admin.get(path).await.0, 403, "{path}");
    }
    running.server.stop().await;
}

/// A call that is over in the very step in which it came has its number and its customer all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_ends_as_it_comes_has_its_number() {
    let running = Running::start().await;
    let (admin, operator) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let body = json!({ "name": "Hanako", "numbers": ["0901112222"] });
    let (status, customer) = operator.post("/customers", body).await;
    assert_eq!(status, 201, "{customer}");
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["flow"] = json!([{ "step": "end" }, { "step": "end" }]);
    let (status, problem) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{problem}");
    let unknown = running.customer_calls("0905556666").await;
    let known = known_customer_calls(&running, customer["id"].as_u64().unwrap(), "0901112222").await;
    let supervisor = running.sign_in("supervisor").await;
    assert_eq!(supervisor.get("/calls").await.1, json!([]), "both are over");
    for (call, number, customer) in
        [(unknown, "0905556666", Value::Null), (known, "0901112222", customer["id"].clone())]
    {
        let (_, record) = supervisor.get(&format!("/call-records/{}", call.0.number())).await;
        assert_eq!((&record["number"], &record["customer"]), (&json!(number), &customer), "{record}");
        assert!(record["ended_us"].is_u64(), "{record}");
    }
    let (_, timeline) = operator.get(&format!("/customers/{}/timeline", customer["id"])).await;
    assert_eq!(timeline.as_array().unwrap().len(), 1, "the customer's call is with the customer: {timeline}");
    running.server.stop().await;
}

/// A record is found by number in any form, keeps its version, and remembers who served the customer last.
#[tokio::test(flavor = "multi_thread")]
async fn b17_customers_have_one_record_for_a_number() {
    let running = Running::start().await;
    let operator = running.at_work("op2", "ready").await;
    let body = json!({ "name": "山田 太郎", "numbers": ["+81 90-1111-2222"], "fields": { "plan": "gold" } });
    let (status, made) = operator.post("/customers", body.clone()).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["numbers"], json!(["09011112222"]));
    let (status, problem) = operator.post("/customers", body).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("number-taken")));
    let (_, found) = operator.get("/customers?number=090-1111-2222").await;
    assert_eq!(found["items"][0]["id"], made["id"], "{found}");
    let (_, found) = operator.get("/customers?q=%E5%B1%B1%E7%94%B0").await;
    assert_eq!(found["items"][0]["id"], made["id"], "{found}");

    // Who served them last.
    let id = made["id"].as_u64().unwrap();
    let call = known_customer_calls(&running, id, "09011112222").await;
    answer(&operator).await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    let path = format!("/customers/{id}");
    let (_, served) = operator.get(&path).await;
    assert_eq!((&served["last_operator"], &served["version"]), (&json!(1), &json!(1)), "{served}");

    // A change names what it was made on.
    let changed =
        json!({ "name": "山田太郎", "numbers": ["09011112222", "0312340000"], "notes": "calls in the evening" });
    let (status, problem) = operator.call(Method::PUT, &path, Some(changed.clone())).await;
    assert_eq!((status, &problem["rule"]), (428, &json!("if-match")));
    for (version, expected) in [("\"7\"", 412), ("\"1\"", 200), ("\"1\"", 412)] {
        let answer =
            operator.request(Method::PUT, &path).header("If-Match", version).json(&changed).send().await.unwrap();
        assert_eq!(answer.status(), expected);
    }

    // Everything about a person, and nothing.
    let (_, timeline) = operator.get(&format!("{path}/timeline")).await;
    let kinds: Vec<_> = timeline.as_array().unwrap().iter().map(|contact| contact["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"call") && kinds.contains(&"ticket"), "{timeline}");
    assert_eq!(operator.get(&format!("{path}/export")).await.0, 403);
    let supervisor = running.sign_in("supervisor").await;
    let (_, export) = supervisor.get(&format!("{path}/export")).await;
    assert!(export.to_string().contains("09011112222"), "{export}");
    let (status, erased) = supervisor.post(&format!("{path}/erase"), json!({})).await;
    assert_eq!((status, &erased), (200, &json!({ "records": 1, "tickets": 1, "chats": 0, "callbacks": 0 })));
    let (_, export) = supervisor.get(&format!("{path}/export")).await;
    let text = export.to_string();
    assert!(!text.contains("1111") && !text.contains("山田") && !text.contains("evening"), "{text}");
    let (_, found) = operator.get("/customers?number=09011112222").await;
    assert_eq!(found["items"], json!([]));
    running.server.stop().await;
}
