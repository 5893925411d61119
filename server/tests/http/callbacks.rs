//! Callbacks over real HTTP: asked for by customers without an account, dialled by operators; the far end answers as the
//! telephones would report it.

use crate::support::{Running, User};
use callfloor_engine::{Command, FarEndFault};
use callfloor_server::http::CallRef;
use reqwest::Method;
use serde_json::{Value, json};

impl Running {
    async fn wishes(&self, body: Value) -> (u16, Value) {
        let answer =
            self.client.post(self.url("/api/v1/customer/callbacks")).json(&body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// A customer asks for a callback, and keeps its token.
    async fn asks_back(&self, number: &str) -> String {
        let (status, received) = self.wishes(json!({ "service": 0, "number": number, "name": "Hanako" })).await;
        assert_eq!((status, &received["callback"]["state"]), (201, &json!("received")), "{received}");
        received["token"].as_str().expect("a token").to_owned()
    }

    async fn callback_customer(&self, method: Method, path: &str, token: &str) -> (u16, Value) {
        let request = self.client.request(method, self.url(&format!("/api/v1{path}")));
        let answer = request.header("Callfloor-Customer-Token", token).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn state(&self, token: &str) -> Value {
        self.callback_customer(Method::GET, "/customer/callback", token).await.1["state"].clone()
    }
}

impl User {
    /// Accepts the callback that is offered: the customer is dialled.
    async fn dials_back(&self) -> CallRef {
        let desk = self.desk().await;
        let offer = desk["offers"][0].clone();
        assert!(offer["work"]["callback"].is_string(), "a callback is offered: {desk}");
        let desk = self.does_with("answer", json!({ "offer": offer["offer"] })).await;
        desk["call"]["call"].as_str().expect("a dial").parse().expect("a call's name")
    }
}

/// Received → assigned → dialled → complete; what is missed goes back with its place; every step is seen by both sides.
#[tokio::test(flavor = "multi_thread")]
async fn from_the_wish_to_the_call() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let first = running.asks_back("090-1111-2222").await;
    let second = running.asks_back("090-3333-4444").await;
    assert_eq!(running.state(&first).await, "received");
    let operator = running.at_work("op1", "ready").await;
    assert_eq!((running.state(&first).await, running.state(&second).await), (json!("assigned"), json!("received")));
    let (_, mine) = operator.get("/callbacks?live=true").await;
    // Newest first; a number is whole for whom it is assigned to.
    assert_eq!((&mine[1]["number"], &mine[1]["operator"]), (&json!("09011112222"), &json!(0)));
    assert_eq!(mine[0]["number"], "…44", "nobody has it yet");
    let (_, all) = supervisor.get("/callbacks?live=true").await;
    assert_eq!(all[0]["number"], "09033334444");
    // Declined, it keeps its place before the second one.
    let offer = operator.desk().await["offers"][0]["offer"].clone();
    operator.does_with("decline", json!({ "offer": offer })).await;
    assert_eq!(running.state(&first).await, "received");
    operator.set_status("ready").await;
    assert_eq!((running.state(&first).await, running.state(&second).await), (json!("assigned"), json!("received")));
    let call = operator.dials_back().await;
    assert_eq!(running.state(&first).await, "dialled");
    let (status, problem) = running.callback_customer(Method::POST, "/customer/callback/cancel", &first).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("wrong-stage")), "the telephone rings already");
    running.world(Command::CustomerAnswered { call: call.0 }).await;
    assert_eq!(running.state(&first).await, "completed");
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    assert_eq!(running.state(&first).await, "completed", "the end of the call changes nothing");
    let (_, all) = supervisor.get("/callbacks").await;
    assert_eq!((&all[1]["call"], &all[1]["attempts"]), (&json!(call.to_string()), &json!(1)));

    // The second one is taken back by the customer, and never offered.
    let (status, over) = running.callback_customer(Method::POST, "/customer/callback/cancel", &second).await;
    assert_eq!((status, &over["state"]), (200, &json!("cancelled")));
    let (status, over) = running.callback_customer(Method::POST, "/customer/callback/cancel", &second).await;
    assert_eq!((status, &over["state"]), (200, &json!("cancelled")), "twice is once");
    let (_, live) = supervisor.get("/callbacks?live=true").await;
    assert_eq!(live, json!([]));
    running.server.stop().await;
}

/// A customer who is not reached waits for another attempt; a restart loses nothing of it.
#[tokio::test(flavor = "multi_thread")]
async fn not_reached_is_tried_again() {
    let running = Running::start().await;
    let token = running.asks_back("09011112222").await;
    let operator = running.at_work("op1", "ready").await;
    let call = operator.dials_back().await;
    running.world(Command::DialFailed { call: call.0, cause: FarEndFault::NoAnswer }).await;
    let (_, stands) = running.callback_customer(Method::GET, "/customer/callback", &token).await;
    assert_eq!((&stands["state"], &stands["attempts"]), (&json!("received"), &json!(1)));
    let running = running.restart().await;
    assert_eq!(running.state(&token).await, "received");
    let supervisor = running.sign_in("supervisor").await;
    let (_, live) = supervisor.get("/callbacks?live=true&service=0").await;
    let callback = live[0]["callback"].as_str().expect("its name").to_owned();
    let (status, over) = supervisor.call(Method::POST, &format!("/callbacks/{callback}/cancel"), None).await;
    assert_eq!((status, &over["state"]), (200, &json!("cancelled")), "between two attempts it can be taken back");
    running.server.stop().await;
}

/// A callback is under the record of its number, made where there is none: timeline, export and erasure have it.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_is_under_its_customers_record() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let (_, known) = supervisor.post("/customers", json!({ "name": "Sato", "numbers": ["09011112222"] })).await;
    let token = running.asks_back("+81 90-1111-2222").await;
    running.asks_back("09033334444").await;
    let (_, all) = supervisor.get("/callbacks").await;
    assert_eq!(all[1]["customer"], known["id"], "whatever the form of the number");
    let unknown = all[0]["customer"].as_u64().expect("a record for a new number");
    let (_, made) = supervisor.get(&format!("/customers/{unknown}")).await;
    assert_eq!(made["numbers"], json!(["09033334444"]));
    let record = format!("/customers/{}", known["id"]);
    let (_, timeline) = supervisor.get(&format!("{record}/timeline")).await;
    assert_eq!(
        (&timeline[0]["kind"], &timeline[0]["state"], timeline.as_array().unwrap().len()),
        (&json!("callback"), &json!("received"), 1)
    );

    // The call that reaches them is theirs too.
    let operator = running.at_work("op1", "ready").await;
    let call = operator.dials_back().await;
    let (status, problem) = supervisor.post(&format!("{record}/erase"), json!({})).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("customer-live")));
    running.world(Command::CustomerAnswered { call: call.0 }).await;
    running.world(Command::CustomerHungUp { call: call.0 }).await;
    let (_, export) = supervisor.get(&format!("{record}/export")).await;
    assert_eq!(
        (&export["callbacks"][0]["name"], export["calls"].as_array().unwrap().len()),
        (&json!("Hanako"), 1),
        "{export}"
    );
    let (status, erased) = supervisor.post(&format!("{record}/erase"), json!({})).await;
    assert_eq!((status, &erased["callbacks"], &erased["records"]), (200, &json!(1), &json!(1)), "{erased}");
    let (_, all) = supervisor.get("/callbacks").await;
    assert_eq!((&all[1]["number"], &all[1]["name"]), (&json!(""), &Value::Null), "{all}");
    assert_eq!(running.state(&token).await, "completed", "that it was stays");
    running.server.stop().await;
}

/// What is wrong is told; one number has one callback; nobody else sees or cancels it.
#[tokio::test(flavor = "multi_thread")]
async fn wishes_have_bounds() {
    let running = Running::start().await;
    let token = running.asks_back("09011112222").await;
    for (wrong, expected) in [
        (json!({ "service": 0, "number": "090-1111-2222" }), (409, "callback-waits")),
        (json!({ "service": 0, "number": "0990123456" }), (403, "number-barred")),
        (json!({ "service": 0, "number": "+14155550100" }), (403, "number-barred")),
        (json!({ "service": 0, "number": "abc" }), (400, "number")),
        (json!({ "queue": 2, "number": "0311112222" }), (404, "unknown")),
        (json!({ "number": "0311112222" }), (400, "body")),
    ] {
        let (status, problem) = running.wishes(wrong).await;
        assert_eq!((status, problem["rule"].as_str().unwrap()), expected, "{problem}");
    }
    assert_eq!(running.callback_customer(Method::GET, "/customer/callback", "main.other").await.0, 401);
    let admin = running.sign_in("admin").await;
    assert_eq!(admin.get("/callbacks").await.0, 403, "administrators do not read customers' numbers");
    running.callback_customer(Method::POST, "/customer/callback/cancel", &token).await;
    running.asks_back("09011112222").await;
    running.server.stop().await;
}
