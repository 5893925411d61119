//! The event stream over a real WebSocket: ordered, resumable, bounded, for whom it is.

use std::time::Duration;

use crate::support::{Running, User};
use callfloor_engine::Command;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

struct Listener(WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>);

async fn connect(running: &Running, user: &User, query: &str, origin: Option<&str>) -> Result<Listener, Error> {
    let url = running.url(&format!("/api/v1/events{query}")).replace("http://", "ws://");
    let mut request = url.into_client_request()?;
    let bearer = format!("Bearer {}", user.token).parse().expect("plain text");
    request.headers_mut().insert("authorization", bearer);
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().expect("plain text"));
    }
    connect_async(request).await.map(|(socket, _)| Listener(socket))
}

async fn listen(running: &Running, user: &User, query: &str) -> Listener {
    connect(running, user, query, None).await.expect("the stream begins")
}

impl Listener {
    async fn frame(&mut self) -> Message {
        let frame = tokio::time::timeout(Duration::from_secs(20), self.0.next()).await;
        frame.expect("within 20 s").expect("the stream goes on").expect("a frame")
    }

    /// The next message.
    async fn next(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("a message, not {other:?}"),
            }
        }
    }

    /// Messages up to the first of a kind.
    async fn until(&mut self, event: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            all.push(self.next().await);
            if all.last().unwrap()["event"] == event {
                return all;
            }
        }
    }

    async fn close_code(&mut self) -> u16 {
        loop {
            if let Message::Close(frame) = self.frame().await {
                return frame.expect("a reason").code.into();
            }
        }
    }
}

fn names(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["event"].as_str().unwrap_or("action")).collect()
}

/// Hello, then events in order without repetition; after a lost connection the rest follows without a gap.
#[tokio::test(flavor = "multi_thread")]
async fn ordered_and_resumable() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let mut stream = listen(&running, &supervisor, "").await;
    assert_eq!(stream.next().await["event"], "hello");
    let operator = running.at_work("op1", "ready").await;
    let first = running.customer_waits("09011112222").await;
    let seen = stream.until("offer-made").await;
    let numbers: Vec<u64> = seen.iter().map(|message| message["number"].as_u64().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert_eq!(
        names(&seen),
        ["status-changed", "status-changed", "call-arrived", "step-entered", "call-queued", "offer-made"]
    );
    assert_eq!(seen[4]["call"], json!(first.to_string()));
    drop(stream);

    // What happens while nobody listens is not lost.
    operator.answers().await;
    running.world(Command::CustomerHungUp { call: first.0 }).await;
    let last = numbers.last().unwrap();
    let mut again = listen(&running, &supervisor, &format!("?after={last}")).await;
    assert_eq!(again.next().await["event"], "hello");
    let rest = again.until("call-ended").await;
    assert!(rest[0]["number"].as_u64().unwrap() > *last);
    for event in ["offer-ended", "call-answered", "ticket-created", "call-ended"] {
        assert_eq!(names(&rest).iter().filter(|name| **name == event).count(), 1, "{event}: {rest:?}");
    }
    let ended = rest.last().unwrap();
    assert_eq!((&ended["cause"], &ended["operator"]), (&json!("customer-hung-up"), &json!(0)));

    // A desk says as of which event it is: from there on nothing is missing.
    let as_of = operator.desk().await["as_of"].as_u64().unwrap();
    let mut desk = listen(&running, &operator, &format!("?after={as_of}")).await;
    assert_eq!(desk.next().await["newest"], json!(as_of));
    operator.does_with("finish-after-call", json!({})).await;
    assert_eq!(desk.next().await["event"], "status-changed");
    running.server.stop().await;
}

/// The number of an event is the same after a restart, and what was asked too long ago is told so.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_survive_a_restart_and_too_old_is_typed() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    running.at_work("op1", "work").await;
    let mut stream = listen(&running, &supervisor, "?after=0").await;
    stream.next().await;
    let before = stream.next().await;
    drop(stream);
    let running = running.restart().await;
    let operator = running.at_work("op2", "work").await;
    let newest = operator.desk().await["as_of"].as_u64().unwrap();
    let mut stream = listen(&running, &supervisor, &format!("?after={}", newest + 5)).await;
    let told = stream.next().await;
    assert_eq!((&told["event"], &told["asked"]), (&json!("too-old"), &json!(newest + 5)));
    assert_eq!(stream.close_code().await, 4410);
    // A snapshot was taken at the stop: the outputs before it are no longer kept.
    let mut stream = listen(&running, &supervisor, "?after=0").await;
    assert_eq!(stream.next().await["event"], "too-old");
    let mut stream = listen(&running, &supervisor, &format!("?after={}", newest - 1)).await;
    stream.next().await;
    let last = stream.next().await;
    assert_eq!(last["number"], json!(newest));
    assert!(last["number"].as_u64() > before["number"].as_u64());
    running.server.stop().await;
}

/// An operator is shown what names them and their services; another's party outside is masked, their own is not.
#[tokio::test(flavor = "multi_thread")]
async fn operators_are_shown_their_own() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    // A second service, which op1 does not belong to.
    let service = json!({ "name": "Other", "inbound": false, "outbound": true, "flow": [],
        "outgoing": [{ "number": "0399990000", "state": "confirmed" }] });
    assert_eq!(admin.changes(Method::POST, "/floor/services", service).await.0, 201);
    let (_, mut person) = admin.get("/floor/operators/2").await;
    person["services"] = json!([0, 1]);
    assert_eq!(admin.changes(Method::PUT, "/floor/operators/2", person).await.0, 200);

    let (first, third) = (running.at_work("op1", "ready").await, running.at_work("op3", "work").await);
    let mut own = listen(&running, &first, "?actions=true").await;
    let mut planner = listen(&running, &admin, "?actions=true").await;
    assert_eq!(
        (own.next().await["event"].clone(), planner.next().await["event"].clone()),
        (json!("hello"), json!("hello"))
    );
    third.does_with("dial", json!({ "to": "09087654321", "service": 1 })).await;
    third.does("hang-up").await;
    running.customer_waits("09011112222").await;
    first.answers().await;
    first.does_with("consult", json!({ "number": "0612345678" })).await;
    let seen = own.until("consult-started").await;
    assert_eq!(seen.last().unwrap()["target"], json!({ "number": "0612345678" }), "one's own party is shown");
    assert!(seen.iter().any(|message| message["action"] == "ring"), "one's own device is to ring");
    let others: Vec<_> = seen.iter().filter(|message| message["event"] == "dial-started").collect();
    assert!(others.is_empty(), "a dial of another service is not shown: {others:?}");
    let status_of_third =
        seen.iter().filter(|message| message["operator"] == 2 && message["event"] == "status-changed");
    assert!(status_of_third.count() >= 1, "who shares a service is a transfer target");

    let masked = planner.until("consult-started").await;
    assert_eq!(masked.last().unwrap()["target"], json!({ "number": "…78" }), "an administrator sees no numbers");
    let dial = masked.iter().find(|message| message["action"] == "dial").expect("the dial is shown");
    assert_eq!((&dial["to"], &dial["from"]), (&json!("…21"), &json!("0399990000")));

    // Who has no business with it is refused, and another site's page too.
    let refused = connect(&running, &first, "", Some("https://elsewhere.example")).await;
    assert!(matches!(refused, Err(Error::Http(answer)) if answer.status() == 403));
    let host = format!("http://{}", running.server.http());
    connect(&running, &first, "", Some(&host)).await.expect("our own page may");
    assert_eq!(first.get("/events").await.0, 400, "without an upgrade it is a problem, not a stream");
    running.server.stop().await;
}

/// A client that does not read is cut; memory for it is bounded by the ring that all share.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_client_is_cut() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let mut slow = listen(&running, &supervisor, "?actions=true").await;
    assert_eq!(slow.next().await["event"], "hello");
    let operator = running.at_work("op1", "ready").await;
    let tenant = running.server.tenants().named(None).unwrap();
    let number = operator.operator.unwrap();
    // Far more than sockets and the ring hold together.
    for _ in 0..60 {
        tenant
            .host
            .tell(move |turn| {
                use callfloor_engine::{OperatorId, ReasonId, StatusChoice};
                let operator = OperatorId(u32::try_from(number).unwrap());
                for at in 0..2_000u16 {
                    turn.apply(Command::SetStatus { operator, to: StatusChoice::Work(ReasonId(at % 7)) })?;
                }
                Ok::<_, callfloor_engine::Rejection>(())
            })
            .await
            .unwrap()
            .unwrap();
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let code = loop {
        match slow.0.next().await {
            Some(Ok(Message::Close(frame))) => break frame.map(|frame| u16::from(frame.code)),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break None,
        }
    };
    assert_eq!(code, Some(4408));
    // The next connection tells it to read the state anew, or goes on where it can.
    let mut again = listen(&running, &supervisor, "?after=1").await;
    assert_eq!(again.next().await["event"], "too-old");
    let mut fresh = listen(&running, &supervisor, "").await;
    assert!(fresh.next().await["newest"].as_u64().unwrap() > 100_000);
    running.server.stop().await;
}

/// Whatever a client says means nothing, and too long a message ends the stream.
#[tokio::test(flavor = "multi_thread")]
async fn what_clients_say_means_nothing() {
    let running = Running::start().await;
    let supervisor = running.sign_in("supervisor").await;
    let mut stream = listen(&running, &supervisor, "").await;
    stream.next().await;
    stream.0.send(Message::Text("{\"event\":\"status-changed\"}".into())).await.unwrap();
    running.at_work("op1", "work").await;
    assert_eq!(stream.next().await["event"], "status-changed");
    stream.0.send(Message::Text("x".repeat(100_000).into())).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), async {
        while let Some(Ok(frame)) = stream.0.next().await {
            if matches!(frame, Message::Close(_)) {
                break;
            }
        }
    });
    ended.await.expect("the stream ends");
    running.server.stop().await;
}
