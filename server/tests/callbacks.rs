//! Callbacks over HTTP: asked for by customers, dialled by operators, told to both.

#[path = "support/floor.rs"]
mod floor;
mod support;

use callfloor_engine::{Command, Event, FarEndFault, Output};
use callfloor_server::http::CallRef;
use reqwest::Method;
use serde_json::{Value, json};
use support::{Running, User};

/// A customer without an account: what they are told, by their token.
async fn asks(running: &Running, body: Value) -> (u16, Value) {
    let answer = running.client.post(running.url("/api/v1/customer/callbacks")).json(&body).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn customer(running: &Running, method: Method, token: &str) -> (u16, Value) {
    let request = running.client.request(method, running.url("/api/v1/customer/callback"));
    let answer = request.header("callfloor-customer-token", token).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Who asks for a callback to a number.
async fn asked(running: &Running, number: &str) -> String {
    let (status, body) = asks(running, json!({ "service": 0, "number": number })).await;
    assert_eq!(status, 201, "{body}");
    body["token"].as_str().unwrap().to_owned()
}

/// The call that an operator is dialling.
async fn dialled(user: &User) -> CallRef {
    let desk = user.desk().await;
    assert_eq!(desk["status"], "dialing", "{desk}");
    desk["call"]["call"].as_str().expect("a call").parse().expect("its name")
}

/// Received, assigned, dialled, complete; the customer and the floor see each step, and a stranger nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_from_the_request_to_the_customer() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let body = json!({ "service": 0, "number": "090-1111-2222", "wish": " after six " });
    let (status, body) = asks(&running, body).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!((&body["callback"]["state"], &body["callback"]["position"]), (&json!("received"), &json!(1)));
    let token = body["token"].as_str().unwrap().to_owned();

    let (status, listed) = supervisor.get("/callbacks").await;
    assert_eq!(status, 200, "{listed}");
    let one = &listed[0];
    assert_eq!((&one["wish"], &one["number"]), (&json!("after six"), &json!("…22")));
    let path = format!("/callbacks/{}", one["id"]);

    let operator = running.at_work("op1", "ready").await;
    let (_, one) = supervisor.get(&path).await;
    assert_eq!((&one["state"], &one["operator"]), (&json!("assigned"), &json!(0)), "{one}");
    assert_eq!(customer(&running, Method::GET, &token).await.1["state"], "assigned");

    operator.answers().await;
    let call = dialled(&operator).await;
    let (_, seen) = customer(&running, Method::GET, &token).await;
    assert_eq!((&seen["state"], &seen["position"], &seen["attempts"]), (&json!("dialling"), &Value::Null, &json!(1)));
    let (status, problem) = customer(&running, Method::DELETE, &token).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("wrong-stage")), "the telephone rings already");
    assert_eq!(operator.desk().await["call"]["number"], "09011112222", "who dials sees the number");

    running.world(Command::CustomerAnswered { call: call.0 }).await;
    let (_, one) = operator.get(&path).await;
    assert_eq!((&one["state"], &one["call"]), (&json!("complete"), &json!(call.to_string())));
    assert_eq!(one["ticket"], operator.desk().await["ticket"], "{one}");
    assert!(one["ticket"].is_string(), "the call that reached them made a ticket: {one}");
    assert_eq!(supervisor.get("/callbacks").await.1, json!([]), "what is over is listed where it is asked for");
    assert_eq!(supervisor.get("/callbacks?state=complete").await.1.as_array().unwrap().len(), 1);

    let (status, seen) = customer(&running, Method::DELETE, &token).await;
    assert_eq!((status, &seen["state"]), (200, &json!("complete")), "what is over stays as it is");
    let (status, problem) = customer(&running, Method::GET, "main.stranger").await;
    assert_eq!((status, &problem["rule"]), (401, &json!("unauthenticated")));
    let admin = running.sign_in("admin").await;
    assert_eq!(admin.get("/callbacks").await.0, 403, "an administrator reads no customers' data");
    running.server.stop().await;
}

/// A customer who is not reached waits for another attempt; what was acknowledged outlives the process.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_reached_waits_again_and_outlives_a_restart() {
    let running = Running::start().await;
    let token = asked(&running, "0312349999").await;
    let operator = running.at_work("op1", "ready").await;
    operator.answers().await;
    let call = dialled(&operator).await;
    running.world(Command::DialFailed { call: call.0, cause: FarEndFault::Busy }).await;
    let (_, seen) = customer(&running, Method::GET, &token).await;
    assert_eq!((&seen["state"], &seen["attempts"]), (&json!("received"), &json!(1)), "{seen}");

    let running = running.restart().await;
    let (_, seen) = customer(&running, Method::GET, &token).await;
    assert_eq!((&seen["state"], &seen["attempts"]), (&json!("received"), &json!(1)), "{seen}");
    let (status, seen) = customer(&running, Method::DELETE, &token).await;
    assert_eq!((status, &seen["state"]), (200, &json!("cancelled")), "between attempts it can be cancelled");
    let (status, _) = asks(&running, json!({ "service": 0, "number": "0312349999" })).await;
    assert_eq!(status, 201, "the number is free again");
    running.server.stop().await;
}

/// A callback that the flow offers keeps the caller's place, ahead of whoever came later; declined, it waits again.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_the_flow_offers_keeps_the_callers_place() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let (_, mut service) = admin.get("/floor/services/0").await;
    let offer = json!({ "step": "callback-offer", "audio": 2, "digit": "1", "limit_ms": 8000, "queue": 0 });
    service["flow"].as_array_mut().expect("a flow").insert(0, offer);
    let (status, body) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{body}");

    let call = running.customer_calls("+819012345678").await;
    let later = asked(&running, "0311112222").await;
    let outputs = running.world(Command::DigitPressed { call: call.0, digit: '1' }).await;
    let received = outputs.iter().any(
        |output| matches!(output, Output::Event(Event::CallbackReceived { call: Some(from), .. }) if *from == call.0),
    );
    assert!(received, "{outputs:?}");
    let (_, listed) = supervisor.get("/callbacks").await;
    let kept =
        listed.as_array().unwrap().iter().find(|one| one["from_call"] == call.to_string()).expect("it is listed");
    assert_eq!((&kept["state"], &kept["number"], &kept["wish"]), (&json!("received"), &json!("…78"), &Value::Null));
    assert_eq!(customer(&running, Method::GET, &later).await.1["position"], 2, "who called first goes first");
    let path = format!("/callbacks/{}", kept["id"]);
    let (status, problem) = asks(&running, json!({ "service": 0, "number": "090-1234-5678" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("callback-waiting")), "one number, however it is written");

    let operator = running.at_work("op1", "ready").await;
    assert_eq!(operator.get(&path).await.1["state"], "assigned");
    let offer = operator.desk().await["offers"][0]["offer"].clone();
    operator.does_with("decline", json!({ "offer": offer })).await;
    let (_, one) = operator.get(&path).await;
    assert_eq!((&one["state"], &one["operator"]), (&json!("received"), &Value::Null), "{one}");
    let (status, one) = operator.delete(&path).await;
    assert_eq!((status, &one["state"]), (200, &json!("cancelled")), "an operator cancels it for the customer");
    running.server.stop().await;
}

/// What may not be dialled is not promised; one address asks five times, then once in a minute.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_and_too_many_requests_are_refused() {
    let running = Running::start().await;
    let long = "x".repeat(501);
    for (body, wanted) in [
        (json!({ "service": 0, "queue": 0, "number": "0312345678" }), (400, "body")),
        (json!({ "queue": 1, "number": "0312345678" }), (404, "unknown")),
        (json!({ "service": 0, "number": "0990512345" }), (403, "number-barred")),
        (json!({ "service": 0, "number": "201" }), (400, "number")),
        (json!({ "service": 0, "number": "0312345678", "wish": long }), (400, "wish")),
        (json!({ "service": 0, "number": "0312345678" }), (429, "too-fast")),
        (json!({ "service": 0 }), (400, "body")),
        (json!({ "organisation": "nobody", "service": 0, "number": "0312345678" }), (404, "unknown")),
    ] {
        let (status, problem) = asks(&running, body.clone()).await;
        assert_eq!((status, problem["rule"].as_str().unwrap()), wanted, "{body}: {problem}");
        assert!(!problem["detail"].as_str().unwrap().contains("345678"), "no number in what may be logged: {problem}");
    }
    running.server.stop().await;
}
