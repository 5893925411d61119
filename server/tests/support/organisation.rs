//! Organisations beside the main one, made and furnished as people do it: over HTTP.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::support::{PASSWORD, User};

/// A server over HTTP, wherever it runs.
#[derive(Clone)]
pub struct Api {
    pub client: Client,
    /// Up to `/api/v1`.
    pub base: String,
}

impl Api {
    pub async fn signs_in(&self, organisation: &str, login: &str, password: &str) -> (u16, Value) {
        let body = json!({ "organisation": organisation, "login": login, "password": password });
        let answer = self.client.post(format!("{}/sessions", self.base)).json(&body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    pub async fn user(&self, organisation: &str, login: &str, password: &str) -> User {
        let (status, answer) = self.signs_in(organisation, login, password).await;
        assert_eq!(status, 201, "{login} signs in at {organisation}: {answer}");
        let mut user = User::with_token(self.client.clone(), self.base.clone(), answer["token"].as_str().unwrap());
        user.operator = answer["operator"].as_u64();
        user
    }

    /// A new organisation with its first administrator, who is signed in.
    pub async fn makes(&self, organisation: &str) -> User {
        let server = self.user("main", "server-admin", PASSWORD).await;
        let body = json!({ "organisation": organisation, "name": organisation, "sip_domain": domain(organisation) });
        let (status, made) = server.post("/organisations", body).await;
        assert_eq!(status, 201, "{made}");
        assert_eq!(made["state"], "served");
        self.user(organisation, "admin", made["password"].as_str().expect("shown once")).await
    }

    /// A new organisation as the demonstration is: a service, queues for calls, chats and messages, operators with accounts
    /// and telephones, a supervisor; all passwords are [`PASSWORD`]. Gives its administrator.
    pub async fn furnishes(&self, organisation: &str, operators: u32) -> User {
        let admin = self.makes(organisation).await;
        let service = |flow: Value, open: bool| {
            let outgoing = json!([{ "number": "0312345678", "state": "confirmed" }]);
            json!({ "name": format!("{organisation} desk"), "inbound": open, "outbound": open, "flow": flow, "outgoing": outgoing })
        };
        changed(&admin, Method::POST, "/floor/services", service(json!([{ "step": "end" }]), false)).await;
        for (name, channel) in [("calls", "phone"), ("chats", "chat"), ("messages", "ticket")] {
            let queue = json!({ "name": format!("{organisation} {name}"), "service": 0, "channel": channel });
            changed(&admin, Method::POST, "/floor/queues", queue).await;
        }
        let flow = json!([{ "step": "queue", "queue": 0 }]);
        changed(&admin, Method::PUT, "/floor/services/0", service(flow, true)).await;
        for at in 0..operators {
            let login = format!("op{}", at + 1);
            let queues = json!([{ "queue": 0 }, { "queue": 1 }, { "queue": 2 }]);
            let operator = json!({
                "name": format!("{organisation} {login}"), "services": [0], "phone": true, "cti_id": login,
                "cti_number": (201 + at).to_string(), "queues": queues, "chat_limit": 3, "ticket_limit": 5,
            });
            changed(&admin, Method::POST, "/floor/operators", operator).await;
            let telephone = json!({ "password": PASSWORD });
            changed(&admin, Method::PUT, &format!("/floor/operators/{at}/telephone"), telephone).await;
            account(&admin, &login, json!({ "role": "operator", "operator": at })).await;
        }
        for role in ["supervisor", "planner", "auditor"] {
            account(&admin, role, json!({ "role": role })).await;
        }
        admin
    }
}

/// The SIP domain of an organisation of these tests.
pub fn domain(organisation: &str) -> String {
    format!("{organisation}.example")
}

async fn account(admin: &User, login: &str, mut body: Value) {
    (body["login"], body["name"], body["password"]) = (json!(login), json!(login), json!(PASSWORD));
    let (status, made) = admin.post("/accounts", body).await;
    assert_eq!(status, 201, "{made}");
}

/// A change of the floor on its present version: it is obeyed.
async fn changed(admin: &User, method: Method, path: &str, body: Value) {
    let floor = admin.request(Method::GET, "/floor").send().await.expect("an answer");
    let version = floor.headers()["etag"].to_str().expect("plain text").to_owned();
    let request = admin.request(method, path).header("if-match", version).json(&body);
    let answer = request.send().await.expect("an answer");
    assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap_or_default());
}
