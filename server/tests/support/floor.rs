//! What tests of the floor say often: calls that arrive without a telephone, desks, events.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use callfloor_engine::{Command, Event, Output, ServiceId, StepId};
use callfloor_server::http::CallRef;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Running, User};

impl Running {
    /// Gives the engine a fact of the world, as the telephones would.
    pub async fn world(&self, command: Command) -> Vec<Output> {
        let tenant = self.server.tenants().named(None).expect("the main organisation");
        tenant.host.tell(move |turn| turn.apply(command)).await.expect("an answer").expect("the engine accepts it")
    }

    /// A customer calls the first service.
    pub async fn customer_calls(&self, from: &str) -> CallRef {
        self.customer_tries(from).await.expect("the call arrived")
    }

    /// A customer calls the first service, which may not take the call.
    pub async fn customer_tries(&self, from: &str) -> Option<CallRef> {
        let arrival = Command::CallArrived {
            service: ServiceId(0),
            entry: StepId(0),
            customer: None,
            from: Some(from.parse().expect("a number")),
            priority: 0,
            preferred: None,
            reference: 0,
        };
        let outputs = self.world(arrival).await;
        let arrived = outputs.iter().find_map(|output| match output {
            Output::Event(Event::CallArrived { call, .. }) => Some(*call),
            _ => None,
        });
        arrived.map(CallRef)
    }

    /// A customer calls the first service and has heard the greeting.
    pub async fn customer_waits(&self, from: &str) -> CallRef {
        let call = self.customer_calls(from).await;
        self.world(Command::PlaybackFinished { call: call.0 }).await;
        call
    }

    /// Somebody signed in with their desk logged in and in a status.
    pub async fn at_work(&self, login: &str, status: &str) -> User {
        let user = self.sign_in(login).await;
        user.does("login").await;
        user.set_status(status).await;
        user
    }
}

impl User {
    pub fn desk_path(&self, what: &str) -> String {
        format!("/operators/{}/{what}", self.operator.expect("an operator"))
    }

    pub async fn desk(&self) -> Value {
        let (status, desk) = self.get(&self.desk_path("desk")).await;
        assert_eq!(status, 200, "{desk}");
        desk
    }

    /// A button that carries nothing: it is obeyed.
    pub async fn does(&self, what: &str) -> Value {
        let (status, desk) = self.call(Method::POST, &self.desk_path(what), None).await;
        assert_eq!(status, 200, "{what}: {desk}");
        desk
    }

    /// A button with something: it is obeyed.
    pub async fn does_with(&self, what: &str, body: Value) -> Value {
        let (status, desk) = self.post(&self.desk_path(what), body).await;
        assert_eq!(status, 200, "{what}: {desk}");
        desk
    }

    /// A button that is refused: its status and rule.
    pub async fn is_refused(&self, what: &str, body: Option<Value>) -> (u16, String) {
        let (status, problem) = self.call(Method::POST, &self.desk_path(what), body).await;
        assert!(status >= 400, "{what} is refused, not {status}: {problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{problem}");
        (status, problem["rule"].as_str().unwrap_or_default().to_owned())
    }

    pub async fn set_status(&self, status: &str) -> Value {
        let body = json!({ "status": status });
        let (code, desk) = self.call(Method::PUT, &self.desk_path("status"), Some(body)).await;
        assert_eq!(code, 200, "{status}: {desk}");
        desk
    }

    /// Answers what rings.
    pub async fn answers(&self) -> Value {
        let desk = self.desk().await;
        let offer = desk["offers"][0]["offer"].clone();
        assert!(offer.is_string(), "something rings: {desk}");
        self.does_with("answer", json!({ "offer": offer })).await
    }

    /// The floor's version, as an `If-Match`.
    pub async fn floor_version(&self) -> String {
        let answer = self.request(Method::GET, "/floor").send().await.expect("an answer");
        assert_eq!(answer.status(), 200);
        answer.headers()["etag"].to_str().expect("plain text").to_owned()
    }

    /// A change of the floor on its present version: status and body.
    pub async fn changes(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let version = self.floor_version().await;
        let request = self.request(method, path).header("if-match", version).json(&body);
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }
}

/// A button of a desk: whether it is active, and the rule that would refuse it.
pub fn button<'a>(desk: &'a Value, name: &str) -> (bool, &'a str) {
    let all = desk["buttons"].as_array().expect("buttons");
    let found = all.iter().find(|button| button["button"] == name).unwrap_or_else(|| panic!("no button {name}"));
    (found["active"] == true, found["rule"].as_str().unwrap_or_default())
}
