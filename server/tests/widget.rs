//! The widget's Answer where telephones are served: a device is asked first, and the order is done once all the same.

#[path = "support/floor.rs"]
mod floor;
mod support;
#[path = "support/telephone.rs"]
mod telephone;

use std::net::SocketAddr;
use std::time::Duration;

use callfloor_engine::Command;
use callfloor_server::host::Input;
use callfloor_server::storage::Reader as _;
use callfloor_server::storage::sqlite::SqliteReader;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use support::{PASSWORD, Running, User, serve_as};
use telephone::{Telephone, with_telephones};

async fn start() -> (Running, SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    let server = serve_as(directory.path(), &with_telephones()).await;
    let sip = server.sip()[0];
    (Running { server, directory, client: Client::new() }, sip)
}

/// What rings at an operator's desk.
async fn offer(user: &User) -> Value {
    for _ in 0..400 {
        let desk = user.desk().await;
        if desk["offers"][0]["offer"].is_string() {
            return desk["offers"][0]["offer"].clone();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("nothing rings: {}", user.desk().await)
}

async fn answers(user: &User, offer: &Value, key: &str) -> (u16, Value) {
    let request = user.request(Method::POST, &user.desk_path("answer")).header("idempotency-key", key);
    let answer = request.json(&json!({ "offer": offer })).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

/// How many answers the journal holds.
fn journalled(running: &Running) -> usize {
    let mut reader = SqliteReader::open(&running.directory.path().join("main")).unwrap();
    let mut found = 0;
    reader
        .entries(0, &mut |entry| {
            found += usize::from(matches!(Input::decode(&entry), Ok((Input::Command(Command::Answer { .. }), _))));
            true
        })
        .unwrap();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_done_once_however_often_it_is_asked_for() {
    let (running, sip) = start().await;
    let admin = running.sign_in("admin").await;
    for (at, field, value) in [(0, "device", json!("browser")), (1, "auto_answer", json!(true))] {
        let path = format!("/floor/operators/{at}");
        let (_, mut operator) = admin.get(&path).await;
        operator[field] = value;
        let (status, problem) = admin.changes(Method::PUT, &path, operator).await;
        assert_eq!(status, 200, "{problem}");
    }

    // A browser answers at once.
    let browser = running.at_work("op1", "ready").await;
    let mut customer = Telephone::new().await;
    customer.calls(sip, "0312345678").await;
    let ringing = offer(&browser).await;
    let (first, again) = tokio::join!(answers(&browser, &ringing, "one"), answers(&browser, &ringing, "one"));
    assert_eq!((first.0, &first.1["status"]), (200, &json!("talking")), "{}", first.1);
    assert_eq!(first, again, "at the same time");
    assert_eq!(answers(&browser, &ringing, "one").await, first, "and later");
    let (status, problem) = answers(&browser, &json!("1-1"), "one").await;
    assert_eq!((status, &problem["rule"]), (422, &json!("idempotency-key-reused")));
    assert_eq!(answers(&browser, &ringing, "two").await.0, 409, "another request finds it over");
    assert_eq!(journalled(&running), 1);

    // A telephone that answers by itself is called, once.
    let mut phone = Telephone::new().await;
    phone.registers(sip, "op2", PASSWORD).await;
    let operator = running.at_work("op2", "ready").await;
    let mut second = Telephone::new().await;
    second.calls(sip, "0312345678").await;
    let ringing = offer(&operator).await;
    let (status, problem) = answers(&operator, &json!("1-1"), "three").await;
    assert!((400..500).contains(&status), "{problem}");
    let late = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        answers(&operator, &ringing, "four").await
    };
    let (first, again, ()) = tokio::join!(answers(&operator, &ringing, "four"), late, phone.answers());
    assert_eq!((first.0, &first.1["status"]), (200, &json!("talking")), "{}", first.1);
    assert_eq!(first, again);
    assert_eq!(answers(&operator, &ringing, "four").await, first);
    assert_eq!(journalled(&running), 2);
    assert_eq!(operator.desk().await["status"], "talking", "the call goes on");

    // The history knows who answered.
    customer.hangs_up().await;
    second.hangs_up().await;
    let running = running.restart_with_phones().await;
    let operator = running.sign_in("op2").await;
    assert_eq!(answers(&operator, &ringing, "four").await, first, "after a restart too");
    running.server.stop().await;
}

impl Running {
    async fn restart_with_phones(self) -> Self {
        let Self { server, directory, client } = self;
        server.stop().await;
        let server = serve_as(directory.path(), &with_telephones()).await;
        Self { server, directory, client }
    }
}
