//! Numbers outside: caps by hour and day, for a service and for each of its outgoing numbers, and the number plan.

use crate::support::{Running, User};
use callfloor_engine::{Command, FarEndFault};
use callfloor_server::http::CallRef;
use reqwest::Method;
use serde_json::{Value, json};

/// Sets caps of the first service and of its two outgoing numbers.
async fn caps(running: &Running, service: Value, first: Value, second: Value) {
    let admin = running.sign_in("admin").await;
    let (_, mut found) = admin.get("/floor/services/0").await;
    found["dial_caps"] = service;
    let number = |number: &str, per_day: Value| json!({ "number": number, "state": "confirmed", "per_day": per_day });
    found["outgoing"] = json!([number("0300000001", first), number("0300000002", second)]);
    let (status, body) = admin.changes(Method::PUT, "/floor/services/0", found).await;
    assert_eq!(status, 200, "{body}");
}

impl User {
    /// Dials and is not answered.
    async fn dials(&self, running: &Running, from: &str) -> (u16, Value) {
        let body = json!({ "to": "09011112222", "from": from });
        let (status, desk) = self.post(&self.desk_path("dial"), body).await;
        if status == 200 {
            let call: CallRef = desk["call"]["call"].as_str().expect("a dial").parse().expect("a call's name");
            running.world(Command::DialFailed { call: call.0, cause: FarEndFault::NoAnswer }).await;
        }
        (status, desk)
    }
}

/// A cap of one outgoing number leaves the others; that of the service holds for all; both hold after a restart and say
/// when the next dial is allowed; a higher cap holds at once.
#[tokio::test(flavor = "multi_thread")]
async fn dials_have_caps_that_outlive_the_process() {
    let running = Running::start().await;
    caps(&running, json!({ "per_hour": null, "per_day": 3 }), json!(1), json!(null)).await;
    let operator = running.at_work("op1", "work").await;
    assert_eq!(operator.dials(&running, "0300000001").await.0, 200);
    let (status, problem) = operator.dials(&running, "0300000001").await;
    assert_eq!((status, &problem["rule"]), (429, &json!("dial-cap")), "{problem}");
    let (_, standing) = running.sign_in("supervisor").await.get("/services/0/dials").await;
    let next_us = standing[1]["day"]["next_us"].as_u64().unwrap();
    let wait_s = problem["retry_after_s"].as_u64().unwrap();
    let now_us = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap();
    assert!((next_us - now_us).abs_diff(wait_s * 1_000_000) < 60_000_000, "{problem} {standing}");
    assert!(problem["detail"].as_str().unwrap().contains(" 00:00:00 +09:00"), "the service's midnight: {problem}");
    assert_eq!(operator.dials(&running, "0300000002").await.0, 200, "another number has its own cap");

    let running = running.restart().await;
    let operator = running.sign_in("op1").await;
    assert_eq!(operator.desk().await["device_lost"], false, "where no telephones are served none is lost");
    let (status, problem) = operator.dials(&running, "0300000001").await;
    assert_eq!((status, &problem["rule"]), (429, &json!("dial-cap")), "{problem}");
    assert_eq!(operator.dials(&running, "0300000002").await.0, 200);
    let (status, problem) = operator.dials(&running, "0300000002").await;
    assert_eq!((status, &problem["rule"]), (429, &json!("dial-cap")), "the service's three: {problem}");
    let (_, standing) = running.sign_in("supervisor").await.get("/services/0/dials").await;
    let counted: Vec<_> = standing.as_array().unwrap().iter().map(|it| it["day"]["dials"].clone()).collect();
    assert_eq!(counted, [3, 1, 2], "{standing}");
    assert_eq!(operator.desk().await["status"], "work", "a refusal changes nothing");

    caps(&running, json!({ "per_hour": 4, "per_day": 9 }), json!(1), json!(null)).await;
    assert_eq!(operator.dials(&running, "0300000002").await.0, 200);
    let (_, problem) = operator.dials(&running, "0300000002").await;
    assert!(problem["detail"].as_str().unwrap().contains("4 numbers this hour"), "{problem}");
    running.server.stop().await;
}

/// Consults, transfers and callbacks outside are dials too; colleagues are not.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_outside_counts_however_it_is_asked_for() {
    let running = Running::start().await;
    let operator = running.at_work("op1", "ready").await;
    let call = running.customer_waits("0901112222").await;
    operator.answers().await;
    operator.does_with("consult", json!({ "number": "0311112222" })).await;
    operator.does("cancel-consult").await;
    caps(&running, json!({ "per_hour": 1, "per_day": 1 }), json!(null), json!(null)).await;
    let outside = Some(json!({ "number": "0311112222" }));
    assert_eq!(operator.is_refused("consult", outside.clone()).await, (429, "dial-cap".to_owned()));
    assert_eq!(operator.is_refused("transfer", outside).await, (429, "dial-cap".to_owned()));
    let barred = Some(json!({ "number": "+14155550100" }));
    assert_eq!(operator.is_refused("transfer", barred).await, (403, "number-barred".to_owned()));
    running.at_work("op2", "ready").await;
    operator.does_with("consult", json!({ "number": "202" })).await;
    operator.does("cancel-consult").await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;

    let wish = json!({ "service": 0, "number": "09033334444" });
    let asked = running.client.post(running.url("/api/v1/customer/callbacks")).json(&wish).send().await.unwrap();
    assert_eq!(asked.status(), 201);
    let third = running.at_work("op3", "ready").await;
    let offered = async |user: &User| user.desk().await["offers"][0].clone();
    let (user, offer) = match offered(&third).await {
        offer if offer["work"]["callback"].is_string() => (third, offer),
        _ => {
            let second = running.sign_in("op2").await;
            let offer = offered(&second).await;
            (second, offer)
        }
    };
    assert!(offer["work"]["callback"].is_string(), "somebody is offered it: {offer}");
    let answer = json!({ "offer": offer["offer"] });
    assert_eq!(user.is_refused("answer", Some(answer.clone())).await, (429, "dial-cap".to_owned()));
    caps(&running, json!({ "per_hour": 2, "per_day": 2 }), json!(null), json!(null)).await;
    user.does_with("answer", answer).await;
    running.server.stop().await;
}

/// A cap that nobody set is there all the same; other countries and premium services are off.
#[tokio::test(flavor = "multi_thread")]
async fn what_holds_by_itself() {
    let running = Running::start().await;
    let operator = running.at_work("op1", "work").await;
    for number in ["+14155550100", "01014155550100", "0990123456", "+81570000000"] {
        let refused = operator.is_refused("dial", Some(json!({ "to": number }))).await;
        assert_eq!(refused, (403, "number-barred".to_owned()), "{number}");
    }
    let (_, standing) = running.sign_in("supervisor").await.get("/services/0/dials").await;
    assert_eq!((&standing[0]["hour"]["most"], &standing[0]["day"]["most"]), (&json!(3_000), &json!(20_000)));
    assert_eq!((&standing[1]["number"], &standing[1]["hour"]["most"]), (&json!("0312345678"), &Value::Null));
    running.server.stop().await;
}
