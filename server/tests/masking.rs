//! No customer's number reaches a log, at the most talkative level: a whole call is made with numbers everywhere.

#[path = "support/floor.rs"]
mod floor;
mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};

use callfloor_engine::{Command, LegId};
use reqwest::Method;
use serde_json::json;
use support::Running;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn no_number_reaches_a_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).expect("this process has no other");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let running = Running::start().await;
        let supervisor = running.sign_in("supervisor").await;
        let operator = running.at_work("op1", "ready").await;
        let call = running.customer_waits("09012349876").await;
        operator.answers().await;
        let desk = operator.does_with("consult", json!({ "number": "0661239876" })).await;
        let leg = u16::try_from(desk["call"]["target"]["leg"].as_u64().unwrap()).unwrap();
        running
            .world(Command::TargetFailed {
                leg: LegId { call: call.0, leg },
                cause: callfloor_engine::FarEndFault::Busy,
            })
            .await;
        operator.does("hang-up").await;
        operator.does_with("dial", json!({ "to": "08055559876" })).await;
        operator.is_refused("dial", Some(json!({ "to": "08055559877" }))).await;
        operator.is_refused("dial", Some(json!({ "to": "+14155559878" }))).await;
        operator.post("/operators/0/favourites", json!({ "name": "x", "number": "0355559876" })).await;
        assert_eq!(supervisor.get("/calls").await.0, 200);
        assert_eq!(operator.get("/operators?q=09012349876").await.0, 200);
        let (status, _) = operator.call(Method::POST, "/operators/0/dial", Some(json!({ "to": "0905555987x" }))).await;
        assert_eq!(status, 400);
        running.server.stop().await;
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let own: Vec<&str> = text.lines().filter(|line| line.contains("callfloor")).collect();
    assert!(
        own.iter().filter(|line| line.contains("/api/v1/operators/{operator}/dial")).count() >= 3,
        "requests are logged"
    );
    for number in ["09012349876", "0661239876", "08055559876", "08055559877", "14155559878", "0355559876", "0905555987"]
    {
        let found: Vec<_> = text.lines().filter(|line| line.contains(number)).collect();
        assert!(found.is_empty(), "{number}: {found:?}");
    }
    // The passwords and tokens neither.
    for secret in [support::PASSWORD, "main."] {
        let found: Vec<_> = own.iter().filter(|line| line.contains(secret)).collect();
        assert!(found.is_empty(), "{secret}: {found:?}");
    }
}
