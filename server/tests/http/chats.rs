//! Chats over real HTTP and WebSocket: customers without an account on one side, operators on the other.

use std::time::Duration;

use crate::support::{Running, User, serve_as};
use callfloor_server::config::Config;
use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// A customer, who has nothing but the token of their chat.
struct Customer {
    base: String,
    client: reqwest::Client,
    token: String,
}

impl Customer {
    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        request = request.header("Callfloor-Customer-Token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn chat(&self) -> Value {
        let (status, chat) = self.call(Method::GET, "/customer/chat", None).await;
        assert_eq!(status, 200, "{chat}");
        chat
    }

    async fn says(&self, text: &str) -> Value {
        let (status, line) = self.call(Method::POST, "/customer/chat/messages", Some(json!({ "text": text }))).await;
        assert_eq!(status, 201, "{line}");
        line
    }

    async fn reads(&self, after: u64) -> Vec<Value> {
        let (status, lines) = self.call(Method::GET, &format!("/customer/chat/messages?after={after}"), None).await;
        assert_eq!(status, 200, "{lines}");
        lines.as_array().expect("lines").clone()
    }

    async fn listens(&self, after: u64) -> Socket {
        let url = format!("{}/customer/chat/stream", self.base.replacen("http", "ws", 1));
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.expect("a WebSocket");
        let hello = json!({ "token": self.token, "after": after }).to_string();
        socket.send(Message::text(hello)).await.expect("the first frame goes out");
        socket
    }
}

fn opening(text: &str) -> Value {
    json!({ "service": 0, "name": "Hanako", "text": text })
}

impl Running {
    async fn asks(&self, body: Value) -> (u16, Value) {
        let answer = self.client.post(self.url("/api/v1/customer/chats")).json(&body).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    async fn opens(&self, body: Value) -> Customer {
        let (status, opened) = self.asks(body).await;
        assert_eq!(status, 201, "{opened}");
        let token = opened["token"].as_str().expect("a token").to_owned();
        Customer { base: self.url("/api/v1"), client: self.client.clone(), token }
    }

    /// An operator who takes chats.
    async fn chats_with(&self, login: &str) -> User {
        let user = self.at_work(login, "ready").await;
        let (status, desk) =
            user.call(Method::PUT, &user.desk_path("chat-status"), Some(json!({ "status": "available" }))).await;
        assert_eq!((status, &desk["chat_status"]), (200, &json!("available")), "{desk}");
        user
    }
}

impl User {
    /// Takes the chat that is offered, and gives its name.
    async fn takes_chat(&self) -> String {
        let desk = self.desk().await;
        let offer = desk["offers"][0].clone();
        assert!(offer["work"]["chat"].is_string(), "a chat is offered: {desk}");
        self.does_with("answer", json!({ "offer": offer["offer"] })).await;
        offer["work"]["chat"].as_str().unwrap().to_owned()
    }

    async fn says(&self, chat: &str, text: &str) -> Value {
        let (status, line) = self.post(&format!("/chats/{chat}/messages"), json!({ "text": text })).await;
        assert_eq!(status, 201, "{line}");
        line
    }
}

async fn told(socket: &mut Socket) -> Option<Value> {
    loop {
        let frame = tokio::time::timeout(Duration::from_secs(10), socket.next()).await.expect("something in 10 s");
        match frame? {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

/// What is told next of this kind.
async fn next(socket: &mut Socket, event: &str) -> Value {
    loop {
        let found = told(socket).await.unwrap_or_else(|| panic!("the stream ended before {event}"));
        if found["event"] == event {
            return found;
        }
    }
}

/// A whole chat by plain HTTP: opened, offered, taken, written in by both, ended, evaluated; the ticket finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_by_plain_http() {
    let running = Running::start().await;
    let operator = running.chats_with("op1").await;
    let customer = running.opens(opening("My order has not come")).await;
    let before = customer.chat().await;
    assert_eq!((&before["state"], &before["position"]), (&json!("waiting"), &json!(1)));
    let chat = operator.takes_chat().await;
    let (_, view) = operator.get(&format!("/chats/{chat}")).await;
    assert_eq!((&view["state"], &view["name"], &view["operator"]), (&json!("talking"), &json!("Hanako"), &json!(0)));
    let ticket = view["ticket"].as_str().expect("the ticket that was made for it").to_owned();

    let (_, lines) = operator.get(&format!("/chats/{chat}/messages")).await;
    assert_eq!((&lines[0]["text"], &lines[0]["from"]), (&json!("My order has not come"), &json!("customer")));
    assert_eq!((&lines[1]["line"], &lines[1]["operator"]), (&json!("answered"), &json!(0)));
    assert_eq!(operator.says(&chat, "Which order is it?").await["sequence"], 3);
    assert_eq!(customer.says("Number 17").await["sequence"], 4);
    let lines = customer.reads(2).await;
    let texts: Vec<_> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["Which order is it?", "Number 17"]);
    assert!(lines[0].get("operator").is_none(), "customers are not told operators' numbers: {}", lines[0]);

    let opinion = json!({ "score": 5, "comment": "Quick" });
    let (status, problem) = customer.call(Method::PUT, "/customer/chat/evaluation", Some(opinion.clone())).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("chat-live")));
    let (status, view) = operator.call(Method::POST, &format!("/chats/{chat}/end"), None).await;
    assert_eq!((status, &view["state"], &view["ending"]), (200, &json!("ended"), &json!("operator-ended")));
    let (status, problem) =
        customer.call(Method::POST, "/customer/chat/messages", Some(json!({ "text": "One more thing" }))).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("chat-ended")));
    let (status, problem) = operator.post(&format!("/chats/{chat}/messages"), json!({ "text": "Bye" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("chat-ended")));
    for wrong in [json!({ "score": 0 }), json!({ "score": 6 })] {
        let (status, problem) = customer.call(Method::PUT, "/customer/chat/evaluation", Some(wrong)).await;
        assert_eq!((status, &problem["rule"]), (400, &json!("score")));
    }
    for _ in 0..2 {
        let (status, view) = customer.call(Method::PUT, "/customer/chat/evaluation", Some(opinion.clone())).await;
        assert_eq!((status, &view["evaluation"]["score"]), (200, &json!(5)), "the same again is answered again");
    }
    let changed = Some(json!({ "score": 1 }));
    assert_eq!(customer.call(Method::PUT, "/customer/chat/evaluation", changed).await.1["rule"], "evaluated");

    let (_, found) = operator.get(&format!("/chats?ticket={ticket}")).await;
    assert_eq!((found.as_array().unwrap().len(), &found[0]["chat"]), (1, &json!(chat)));
    assert_eq!(found[0]["evaluation"]["comment"], "Quick");
    let (_, live) = operator.get("/chats?operator=0&live=true").await;
    assert_eq!(live, json!([]));
    // What was acknowledged is there after a restart too.
    let running = running.restart().await;
    let operator = running.sign_in("op1").await;
    let (_, lines) = operator.get(&format!("/chats/{chat}/messages")).await;
    let numbers: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["sequence"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5], "numbered without gaps: {lines}");
    running.server.stop().await;
}

/// Both sides are told as it happens; a lost stream goes on from a line's number without a gap.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_by_websocket() {
    let running = Running::start().await;
    let operator = running.chats_with("op1").await;
    let url = running.url("/api/v1/events").replacen("http", "ws", 1);
    let mut request = tokio_tungstenite::tungstenite::client::IntoClientRequest::into_client_request(url).unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", operator.token).parse().unwrap());
    let (mut events, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    next(&mut events, "hello").await;

    let customer = running.opens(opening("Hello?")).await;
    let mut stream = customer.listens(0).await;
    assert_eq!(next(&mut stream, "line").await["line"]["text"], "Hello?");
    assert_eq!(next(&mut stream, "chat").await["chat"]["state"], "waiting");
    let chat = operator.takes_chat().await;
    assert_eq!(next(&mut stream, "line").await["line"]["line"], "answered");
    assert_eq!(next(&mut stream, "chat").await["chat"]["state"], "talking");

    let sent = json!({ "text": "By stream", "key": "m1" }).to_string();
    stream.send(Message::text(sent.clone())).await.unwrap();
    let written = next(&mut stream, "written").await;
    assert_eq!((&written["key"], &written["sequence"]), (&json!("m1"), &json!(3)));
    let notice = next(&mut events, "chat-line").await;
    assert_eq!((&notice["chat"], &notice["sequence"]), (&json!(chat), &json!(3)));
    assert_eq!(notice["from"], "customer");
    // The connection is lost before the answer came: the same message again is written once.
    drop(stream);
    operator.says(&chat, "While you were away").await;
    let mut stream = customer.listens(3).await;
    assert_eq!(next(&mut stream, "line").await["line"]["text"], "While you were away");
    stream.send(Message::text(sent)).await.unwrap();
    assert_eq!(next(&mut stream, "written").await["sequence"], 3);
    stream.send(Message::text(json!({ "text": "Another", "key": "m1" }).to_string())).await.unwrap();
    assert_eq!(next(&mut stream, "refused").await["problem"]["rule"], "idempotency-key-reused");
    stream.send(Message::text(json!({ "text": "  " }).to_string())).await.unwrap();
    assert_eq!(next(&mut stream, "refused").await["problem"]["rule"], "text");

    operator.call(Method::POST, &format!("/chats/{chat}/end"), None).await;
    assert_eq!(next(&mut stream, "line").await["line"]["line"], "ended");
    assert_eq!(next(&mut stream, "chat").await["chat"]["ending"], "operator-ended");
    assert_eq!(told(&mut stream).await, None, "the stream ends with the chat");
    // A token that opens nothing, and a frame that means nothing.
    let stranger = Customer { token: "main.nothing".into(), ..customer };
    assert_eq!(told(&mut stranger.listens(0).await).await, None);
    assert_eq!(stranger.call(Method::GET, "/customer/chat", None).await.0, 401);
    running.server.stop().await;
}

/// Handed on to a queue, a chat waits at its head and goes with its ticket; nobody else may write in it meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_handed_on() {
    let running = Running::start().await;
    let first = running.chats_with("op1").await;
    let customer = running.opens(opening("Good day")).await;
    let chat = first.takes_chat().await;
    let (_, before) = first.get(&format!("/chats/{chat}")).await;
    let (status, problem) = first.post(&format!("/chats/{chat}/transfer"), json!({ "queue": 0 })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("wrong-channel")));
    // The first one steps back, so that the chat goes to the second.
    let second = running.chats_with("op2").await;
    let away = Some(json!({ "status": "away" }));
    first.call(Method::PUT, &first.desk_path("chat-status"), away).await;
    let (status, view) = first.post(&format!("/chats/{chat}/transfer"), json!({ "queue": 1 })).await;
    assert_eq!((status, &view["state"]), (200, &json!("waiting")));
    let (status, problem) = first.post(&format!("/chats/{chat}/messages"), json!({ "text": "Still here" })).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("not-with-operator")));
    customer.says("Is somebody there?").await;
    assert_eq!(second.takes_chat().await, chat);
    let (_, after) = second.get(&format!("/chats/{chat}")).await;
    assert_eq!((&after["ticket"], &after["operator"]), (&before["ticket"], &json!(1)));
    let (_, lines) = second.get(&format!("/chats/{chat}/messages?after=1")).await;
    let what: Vec<_> = lines.as_array().unwrap().iter().map(|line| line["line"].as_str().unwrap_or("text")).collect();
    assert_eq!(what, ["answered", "transferred", "text", "answered"]);
    // Chats hold customers' words: administrators and planners do not read them.
    let admin = running.sign_in("admin").await;
    for path in ["/chats".to_owned(), format!("/chats/{chat}"), format!("/chats/{chat}/messages")] {
        assert_eq!(admin.get(&path).await.0, 403, "{path}");
    }
    let supervisor = running.sign_in("supervisor").await;
    let (_, live) = supervisor.get("/chats?live=true").await;
    assert_eq!((live.as_array().unwrap().len(), &live[0]["chat"]), (1, &json!(chat)));
    let (status, _) = supervisor.post(&format!("/chats/{chat}/messages"), json!({ "text": "x" })).await;
    assert_eq!(status, 403, "only who has the chat writes in it");
    running.server.stop().await;
}

/// B1, B2: handed to an operator by name, a chat rings them alone, and nobody is handed what they cannot take; the
/// customer's stream sees it, and the chat of who lets it go by waits for whoever is free.
#[tokio::test(flavor = "multi_thread")]
async fn b1_b2_a_chat_is_handed_to_an_operator_by_name() {
    let running = Running::start().await;
    let first = running.chats_with("op1").await;
    let customer = running.opens(opening("Good day")).await;
    let chat = first.takes_chat().await;
    let mut stream = customer.listens(2).await;
    next(&mut stream, "chat").await;
    let to = format!("/chats/{chat}/transfer");
    let hand = |operator: u32| first.post(&to, json!({ "operator": operator }));

    // Each refusal has the name of its rule, and the chat stays with the first one.
    let (status, problem) = hand(0).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("target-is-self")));
    let (status, problem) = hand(2).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("target-not-there-for-chats")), "{problem}");
    assert_eq!(hand(99).await.0, 404);
    first.call(Method::PUT, &first.desk_path("chat-status"), Some(json!({ "status": "away" }))).await;
    let busy = running.chats_with("op4").await;
    for _ in 0..3 {
        running.opens(opening("Three at once")).await;
        busy.takes_chat().await;
    }
    let (status, problem) = hand(3).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("target-full")), "{problem}");
    let admin = running.sign_in("admin").await;
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["name"] = json!("Elsewhere");
    let (status, made) = admin.changes(Method::POST, "/floor/services", service).await;
    assert_eq!(status, 201, "{made}");
    let stranger = json!({ "name": "op5", "services": [made["service"]], "queues": [], "chat_limit": 1 });
    let (status, made) = admin.changes(Method::POST, "/floor/operators", stranger).await;
    assert_eq!(status, 201, "{made}");
    let (status, problem) = hand(4).await;
    assert_eq!((status, &problem["rule"]), (403, &json!("not-of-service")), "{problem}");
    assert_eq!(first.desk().await["chats"].as_array().map(Vec::len), Some(1), "refused, it stays in hand");

    // The second one is there: it rings them, and they have it with its ticket.
    let second = running.chats_with("op2").await;
    let (_, before) = first.get(&format!("/chats/{chat}")).await;
    let (status, view) = hand(1).await;
    assert_eq!((status, &view["state"]), (200, &json!("waiting")), "{view}");
    let handed = next(&mut stream, "line").await;
    assert_eq!((&handed["line"]["line"], &handed["line"]["operator"]), (&json!("transferred"), &Value::Null));
    assert_eq!(next(&mut stream, "chat").await["chat"]["state"], "waiting");
    assert_eq!(second.takes_chat().await, chat);
    assert_eq!(next(&mut stream, "line").await["line"]["line"], "answered");
    assert_eq!(next(&mut stream, "chat").await["chat"]["state"], "talking");
    let (_, after) = second.get(&format!("/chats/{chat}")).await;
    assert_eq!((&after["ticket"], &after["operator"]), (&before["ticket"], &json!(1)));

    // Declined, it waits for whoever is free: not for nobody.
    let third = running.chats_with("op3").await;
    let (status, view) = second.post(&to, json!({ "operator": 2 })).await;
    assert_eq!(status, 200, "{view}");
    let offer = third.desk().await["offers"][0]["offer"].clone();
    third.does_with("decline", json!({ "offer": offer })).await;
    assert_eq!(second.takes_chat().await, chat, "op1 is away, op3 declined, op4 is full");
    running.server.stop().await;
}

/// A chat is under a customer's record by a number that they name, by an earlier chat, or by hand: timeline, ticket, export
/// and erasure have it.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_under_its_customers_record() {
    let running = Running::start().await;
    let operator = running.chats_with("op1").await;
    let (_, sato) = operator.post("/customers", json!({ "name": "Sato", "numbers": ["09011112222"] })).await;
    let with_number =
        |number: &str| json!({ "service": 0, "name": "Hanako", "text": "My parcel is lost", "number": number });
    let (status, problem) = running.asks(with_number("abc")).await;
    assert_eq!((status, &problem["rule"]), (400, &json!("number")));
    let customer = running.opens(with_number("+81 90 1111 2222")).await;
    let chat = operator.takes_chat().await;
    let (_, view) = operator.get(&format!("/chats/{chat}")).await;
    assert_eq!(view["customer"], json!({ "record": sato["id"], "by": "number" }), "{view}");
    let ticket = view["ticket"].as_str().unwrap().split('-').next().unwrap().to_owned();
    let (_, ticket) = operator.get(&format!("/tickets/{ticket}")).await;
    assert_eq!(ticket["customer"], sato["id"]);
    let record = format!("/customers/{}", sato["id"]);
    let (_, timeline) = operator.get(&format!("{record}/timeline")).await;
    let shown = timeline.as_array().unwrap().iter().find(|contact| contact["kind"] == "chat").expect("the chat");
    assert_eq!((&shown["chat"], &shown["by"], &shown["state"]), (&json!(chat), &json!("number"), &json!("talking")));
    operator.says(&chat, "We have found it").await;
    let supervisor = running.sign_in("supervisor").await;
    let (status, problem) = supervisor.post(&format!("{record}/erase"), json!({})).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("customer-live")));
    operator.call(Method::POST, &format!("/chats/{chat}/end"), None).await;
    let score = json!({ "score": 5, "comment": "Sato says thanks" });
    assert_eq!(customer.call(Method::PUT, "/customer/chat/evaluation", Some(score)).await.0, 200);

    // An earlier chat leads to the same record; an unknown number to none, until somebody enters whose chat it is.
    let mut again = opening("Again");
    again["previous"] = json!(customer.token);
    running.opens(again).await;
    let second = operator.takes_chat().await;
    let (_, view) = operator.get(&format!("/chats/{second}")).await;
    assert_eq!(view["customer"], json!({ "record": sato["id"], "by": "earlier-chat" }));
    operator.call(Method::POST, &format!("/chats/{second}/end"), None).await;
    let away = Some(json!({ "status": "away" }));
    let stranger = running.opens(with_number("09099998888")).await;
    operator.call(Method::PUT, &operator.desk_path("chat-status"), away).await;
    let third = operator.takes_chat().await;
    let enter = |customer: Value| (format!("/chats/{third}/customer"), Some(json!({ "customer": customer })));
    let (path, body) = enter(json!(999));
    assert_eq!(operator.call(Method::PUT, &path, body).await.0, 400);
    let (path, body) = enter(sato["id"].clone());
    let (status, view) = supervisor.call(Method::PUT, &path, body).await;
    assert_eq!((status, &view["customer"]["by"]), (200, &json!("desk")), "{view}");
    let (status, problem) = supervisor.post(&format!("{record}/erase"), json!({})).await;
    assert_eq!(
        (status, &problem["rule"]),
        (409, &json!("customer-live")),
        "the engine does not know of it, the desk does"
    );
    stranger.call(Method::POST, "/customer/chat/end", None).await;

    let (_, export) = supervisor.get(&format!("{record}/export")).await;
    assert_eq!(export["chats"].as_array().unwrap().len(), 3, "{export}");
    let text = export.to_string();
    assert!(
        text.contains("My parcel is lost") && text.contains("We have found it") && text.contains("thanks"),
        "{text}"
    );
    let (status, erased) = supervisor.post(&format!("{record}/erase"), json!({})).await;
    assert_eq!((status, &erased["chats"], &erased["tickets"]), (200, &json!(3), &json!(3)), "{erased}");
    for chat in [&chat, &second, &third] {
        let (_, view) = supervisor.get(&format!("/chats/{chat}")).await;
        let (_, lines) = supervisor.get(&format!("/chats/{chat}/messages")).await;
        let all = format!("{view}{lines}");
        assert!(!all.contains("Hanako") && !all.contains("parcel") && !all.contains("thanks"), "{all}");
        assert!(lines.as_array().unwrap().len() >= 3, "that something was written stays: {lines}");
    }
    running.server.stop().await;
}

/// Nobody there, closed hours and wrong input are told at once, with what to do instead.
#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_served_is_told_to_inquire() {
    let running = Running::start().await;
    let (status, problem) = running.asks(opening("Anybody?")).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("chat-unattended")));
    assert_eq!(problem["instead"], "inquiry-form");
    running.chats_with("op1").await;
    for (wrong, expected) in [
        (json!({ "queue": 0, "name": "A", "text": "x" }), (404, "unknown")),
        (json!({ "queue": 99, "name": "A", "text": "x" }), (404, "unknown")),
        (json!({ "name": "A", "text": "x" }), (400, "body")),
        (json!({ "queue": 1, "name": "", "text": "x" }), (400, "name")),
        (json!({ "queue": 1, "name": "A", "text": "" }), (400, "text")),
        (json!({ "queue": 1, "name": "A", "text": "x".repeat(4_001) }), (400, "text")),
        (json!({ "queue": 1, "name": "A", "text": "x", "extra": 1 }), (400, "body")),
    ] {
        let (status, problem) = running.asks(wrong).await;
        assert_eq!((status, problem["rule"].as_str().unwrap()), expected, "{problem}");
    }
    let admin = running.sign_in("admin").await;
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["schedule"] = json!({ "zone": "Asia/Tokyo", "week": {}, "holidays": [] });
    let (status, changed) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{changed}");
    let (status, problem) = running.asks(opening("Open?")).await;
    assert_eq!((status, &problem["rule"], &problem["instead"]), (409, &json!("chat-closed"), &json!("inquiry-form")));
    running.server.stop().await;
}

/// A customer whose connection is lost has a grace; one who is connected, or asks by HTTP, is there.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_customer_has_a_grace() {
    let directory = tempfile::tempdir().unwrap();
    let text = "[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n[chat]\ngrace_ms = 600\n";
    let config = Config::read("none", text, []).expect("a right configuration");
    let server = serve_as(directory.path(), &config).await;
    let running = Running { server, directory, client: reqwest::Client::new() };
    let operator = running.chats_with("op1").await;
    let customer = running.opens(opening("Hello")).await;
    let stream = customer.listens(0).await;
    let chat = operator.takes_chat().await;
    let path = format!("/chats/{chat}");
    let state = async || operator.get(&path).await.1["state"].clone();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(state().await, "talking", "who is connected is there, however quiet");
    drop(stream);
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        customer.chat().await;
    }
    assert_eq!(state().await, "talking", "who asks by HTTP is there");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let (_, view) = operator.get(&path).await;
    assert_eq!((&view["state"], &view["ending"]), (&json!("ended"), &json!("customer-left")));

    // One who gives up while waiting has abandoned.
    let away = Some(json!({ "status": "available" }));
    operator.call(Method::PUT, &operator.desk_path("chat-status"), away).await;
    let waiting = running.opens(opening("I will not wait")).await;
    let (status, left) = waiting.call(Method::POST, "/customer/chat/end", None).await;
    assert_eq!((status, &left["ending"]), (200, &json!("abandoned")));
    let (status, again) = waiting.call(Method::POST, "/customer/chat/end", None).await;
    assert_eq!((status, &again["state"]), (200, &json!("ended")), "leaving twice is leaving");
    running.server.stop().await;
}

/// A customer who floods is held back, and told when to go on.
#[tokio::test(flavor = "multi_thread")]
async fn messages_have_a_rate() {
    let running = Running::start().await;
    running.chats_with("op1").await;
    let customer = running.opens(opening("Flood")).await;
    let mut refused = 0;
    for at in 0..40 {
        let body = json!({ "text": format!("line {at}") });
        let (status, answer) = customer.call(Method::POST, "/customer/chat/messages", Some(body)).await;
        match status {
            201 => {}
            429 => {
                refused += 1;
                assert_eq!((&answer["rule"], &answer["retry_after_s"]), (&json!("too-fast"), &json!(1)));
            }
            other => panic!("{other}: {answer}"),
        }
    }
    assert!(refused > 0, "40 at once are too many");
    running.server.stop().await;
}
