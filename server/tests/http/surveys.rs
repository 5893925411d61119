//! Satisfaction surveys over real HTTP: defined, answered after a chat and by invitation, and what the answers say.

use crate::support::{Running, User};
use reqwest::Method;
use serde_json::{Value, json};

impl Running {
    async fn surveyed_customer(&self, method: Method, token: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.client.request(method, self.url("/api/v1/customer/survey"));
        let mut request = request.header("Callfloor-Customer-Token", token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }
}

fn survey(channel: &str) -> Value {
    json!({ "service": 0, "channel": channel, "title": "How were we?", "questions": [
        { "text": "Were you helped?", "kind": "score", "required": true },
        { "text": "How fast?", "kind": { "choice": ["Slow", "Fast"] } },
        { "text": "Anything else?", "kind": "text" },
    ] })
}

impl User {
    async fn defines(&self, channel: &str) -> u64 {
        let (status, made) = self.post("/surveys", survey(channel)).await;
        assert_eq!((status, &made["active"]), (201, &json!(false)), "{made}");
        made["survey"].as_u64().expect("its number")
    }

    async fn activates(&self, survey: u64, active: bool) -> (u16, Value) {
        self.call(Method::PUT, &format!("/surveys/{survey}/active"), Some(json!({ "active": active }))).await
    }
}

/// Invitations are answered once; results have n, mean, distribution and interval, in all and by operator.
#[tokio::test(flavor = "multi_thread")]
async fn invited_customers_answer() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let (first, second) = (running.sign_in("op1").await, running.sign_in("op2").await);
    let id = admin.defines("phone").await;
    let invitations = format!("/surveys/{id}/invitations");
    assert_eq!(first.post(&invitations, json!({})).await.0, 404, "it is not active yet");
    assert_eq!(admin.activates(id, true).await.0, 200);
    let other = admin.defines("phone").await;
    assert_eq!(admin.activates(other, true).await.1["rule"], "survey-active", "one of a service and channel");
    for (who, score, choice) in [(&first, 3, 0), (&first, 4, 1), (&first, 5, 1), (&second, 5, 1)] {
        let (status, invited) = who.post(&invitations, json!({ "queue": 0 })).await;
        assert_eq!(status, 201, "{invited}");
        let token = invited["token"].as_str().unwrap();
        let (_, asked) = running.surveyed_customer(Method::GET, token, None).await;
        assert_eq!((&asked["answered"], asked["questions"].as_array().unwrap().len()), (&json!(false), 3));
        for wrong in [
            json!([null, null, null]),
            json!([{ "score": 6 }, null, null]),
            json!([{ "score": 3 }, { "choice": 2 }, null]),
            json!([{ "score": 3 }, null, { "text": "" }]),
            json!([{ "score": 3 }]),
        ] {
            let (status, problem) =
                running.surveyed_customer(Method::POST, token, Some(json!({ "answers": wrong }))).await;
            assert_eq!((status, &problem["rule"]), (400, &json!("answers")), "{problem}");
        }
        let body = json!({ "answers": [{ "score": score }, { "choice": choice }, null] });
        for _ in 0..2 {
            let (status, problem) = running.surveyed_customer(Method::POST, token, Some(body.clone())).await;
            assert_eq!(status, 204, "the same again is the same: {problem}");
        }
        let changed = json!({ "answers": [{ "score": 1 }, null, null] });
        assert_eq!(running.surveyed_customer(Method::POST, token, Some(changed)).await.1["rule"], "answered");
    }
    let (status, results) = supervisor.get(&format!("/surveys/{id}/results")).await;
    assert_eq!((status, &results[0]["replies"]), (200, &json!(4)));
    let score = &results[0]["questions"][0];
    assert_eq!((&score["n"], &score["mean"]), (&json!(4), &json!(4.25)));
    assert_eq!(score["distribution"], json!([0, 0, 1, 1, 2]));
    // t(0.975; 3) = 3.182446, s² = 2.75 / 3.
    let low = score["interval"][0].as_f64().unwrap();
    assert!((low - (4.25 - 3.182_446 * (2.75f64 / 12.0).sqrt())).abs() < 1e-5, "{low}");
    assert_eq!(results[0]["questions"][1]["distribution"], json!([1, 3]));
    let (_, by) = supervisor.get(&format!("/surveys/{id}/results?by=operator")).await;
    let of: Vec<_> =
        by.as_array().unwrap().iter().map(|group| (group["of"].clone(), group["replies"].clone())).collect();
    assert_eq!(of, [(json!(0), json!(3)), (json!(1), json!(1))]);
    assert_eq!(by[1]["questions"][0]["interval"], Value::Null, "one answer has no spread");
    let (_, none) = supervisor.get(&format!("/surveys/{id}/results?from_us=0&to_us=1")).await;
    assert_eq!(none, json!([]), "nothing was answered in 1970");
    assert_eq!(first.get(&format!("/surveys/{id}/results")).await.0, 403);
    assert_eq!(supervisor.post("/surveys", survey("chat")).await.0, 403);
    running.server.stop().await;
}

/// After a chat its own token answers the survey for chats; before its end, and for nobody else, it does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_asked_about() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let id = admin.defines("chat").await;
    admin.activates(id, true).await;
    let operator = running.at_work("op1", "ready").await;
    operator.call(Method::PUT, &operator.desk_path("chat-status"), Some(json!({ "status": "available" }))).await;
    let body = json!({ "service": 0, "name": "Hanako", "text": "Hello" });
    let opened = running.client.post(running.url("/api/v1/customer/chats")).json(&body).send().await.unwrap();
    let opened: Value = opened.json().await.unwrap();
    let token = opened["token"].as_str().unwrap();
    let offer = operator.desk().await["offers"][0].clone();
    operator.does_with("answer", json!({ "offer": offer["offer"] })).await;
    assert_eq!(running.surveyed_customer(Method::GET, token, None).await.0, 401, "not while it goes on");
    operator.call(Method::POST, &format!("/chats/{}/end", offer["work"]["chat"].as_str().unwrap()), None).await;
    let answers = json!({ "answers": [{ "score": 4 }, null, { "text": "Thank you" }] });
    assert_eq!(running.surveyed_customer(Method::POST, token, Some(answers)).await.0, 204);
    assert_eq!(running.surveyed_customer(Method::GET, token, None).await.1["answered"], json!(true));
    let (_, by) = supervisor.get(&format!("/surveys/{id}/results?by=queue")).await;
    assert_eq!((&by[0]["of"], &by[0]["questions"][0]["mean"]), (&json!(1), &json!(4.0)));
    assert_eq!(by[0]["questions"][2]["n"], 1);
    assert_eq!(running.surveyed_customer(Method::GET, "main.nothing", None).await.0, 401);
    running.server.stop().await;
}
