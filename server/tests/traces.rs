//! What is left behind of what people do: in the store, and in the audit log.

#[path = "support/floor.rs"]
mod floor;
mod support;

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use support::{PASSWORD, Running};

/// Whether any file under a directory has a text in it.
fn is_kept(directory: &Path, text: &str) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_kept(&path, text);
        }
        std::fs::read(&path).unwrap().windows(text.len()).any(|piece| piece == text.as_bytes())
    })
}

/// The form that was sent opens the inquiry for months: the store knows it by its hash alone, as it knows passwords.
#[tokio::test]
async fn the_form_that_opens_an_inquiry_is_kept_nowhere() {
    const CENTRE: &str = "/api/v1/customer/help-centres/0";
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["help_centre"] = json!({ "inquiries": true });
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service).await.0, 200);
    let form: Value =
        running.client.get(running.url(&format!("{CENTRE}/form"))).send().await.unwrap().json().await.unwrap();
    tokio::time::sleep(Duration::from_millis(form["wait_ms"].as_u64().unwrap())).await;
    let subject = "a subject that is found again";
    let asked = json!({
        "form": form["form"], "subject": subject, "text": "…", "from": { "name": "花子", "email": "hanako@example.jp" },
    });
    let address = running.url(&format!("{CENTRE}/inquiries"));
    let sent = async || {
        let answer = running.client.post(&address).json(&asked).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let made = sent().await;
    assert_eq!(made.0, 201, "{made:?}");
    assert!(is_kept(running.directory.path(), subject), "what was written is there");
    assert!(!is_kept(running.directory.path(), form["form"].as_str().unwrap()));
    assert_eq!(sent().await, made, "the same form is known all the same");
    running.server.stop().await;
}

/// The answer to a supervisor who listens shows the customer's number: the log tells of it, as for every other look at a call.
#[tokio::test]
async fn who_supervises_a_call_has_read_its_number() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let account = json!({
        "login": "boss", "password": PASSWORD, "name": "The boss", "role": "supervisor", "operator": 1, "disabled": false,
    });
    assert_eq!(admin.post("/accounts", account).await.0, 201);
    let boss = running.at_work("boss", "work").await;
    let operator = running.at_work("op1", "ready").await;
    let call = running.customer_waits("09012345678").await;
    operator.answers().await;
    let path = format!("/calls/{call}/supervision");
    let (status, answer) = boss.call(Method::PUT, &path, Some(json!({ "mode": "listen" }))).await;
    assert_eq!((status, &answer["number"]), (200, &json!("09012345678")), "{answer}");
    let (_, log) = admin.get("/audit").await;
    let is_told = |entry: &Value| entry["act"] == "numbers-read" && entry["who"].as_str().unwrap().contains("\"boss\"");
    assert!(log.as_array().unwrap().iter().any(is_told), "{log}");
    running.server.stop().await;
}
