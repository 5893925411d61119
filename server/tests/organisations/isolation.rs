//! Nobody of one organisation reads or changes anything of another: every route is asked for by everybody of one with what
//! another has.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use callfloor_engine::{Command, ServiceId, StepId};
use callfloor_server::host::Input;
use callfloor_server::storage::Reader as _;
use callfloor_server::storage::sqlite::SqliteReader;
use callfloor_server::{http, open_api};
use futures_util::StreamExt;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::instance;
use crate::support::{PASSWORD, Running, User};

/// What stands in everything that the other organisation has.
const MARK: &str = "beta";
/// The number of the other organisation's customer.
const NUMBER: &str = "09055550001";
/// Who asks, of the first organisation; the administrator last, who may change what the others need.
const ASKING: [&str; 5] = ["supervisor", "planner", "auditor", "op1", "admin"];

impl Running {
    /// A customer calls an organisation's first service, as its telephones would tell.
    async fn calls(&self, organisation: &str, from: &str) {
        let tenant = self.server.tenants().named(Some(organisation)).expect("it is served");
        let arrived = Command::CallArrived {
            service: ServiceId(0),
            entry: StepId(0),
            customer: None,
            from: Some(from.parse().expect("a number")),
            priority: 0,
            preferred: None,
            reference: 0,
        };
        tenant.host.tell(move |turn| turn.apply(arrived).map(drop)).await.expect("an answer").expect("it is taken");
    }
}

async fn made(user: &User, path: &str, body: Value) -> Value {
    let (status, made) = user.post(path, body).await;
    assert!((200..300).contains(&status), "{path}: {status} {made}");
    made
}

/// Fills the other organisation with one of everything; gives what stands for each name in a path, its key and customers'
/// tokens.
async fn fill(running: &Running, admin: &User) -> (BTreeMap<&'static str, String>, String, Vec<String>) {
    let api = running.api();
    let supervisor = api.user(MARK, "supervisor", PASSWORD).await;
    let operator = api.user(MARK, "op2", PASSWORD).await;
    let customer = json!({ "name": "beta customer", "number": NUMBER });
    let customer = made(&supervisor, "/customers", customer).await;
    let ticket = json!({ "service": 0, "subject": "beta subject", "description": "beta description", "tags": [MARK] });
    let ticket = made(&operator, "/tickets", ticket).await;
    let category = made(&supervisor, "/ticket-categories", json!({ "name": "beta category" })).await;
    let template = json!({ "name": "beta template", "text": "beta text" });
    let template = made(&supervisor, "/ticket-templates", template).await;
    let survey = json!({ "service": 0, "channel": "phone", "title": "beta survey", "questions": [
        { "text": "beta question", "kind": "score", "required": true },
    ] });
    let survey = made(admin, "/surveys", survey).await;
    let active = format!("/surveys/{}/active", survey["survey"]);
    let (status, told) = admin.call(Method::PUT, &active, Some(json!({ "active": true }))).await;
    assert_eq!(status, 200, "{told}");
    let invited = made(&operator, &format!("/surveys/{}/invitations", survey["survey"]), json!({})).await;
    let key = json!({ "name": "beta key", "scopes": ["floor:read", "statistics:read", "audit:read", "metrics:read"] });
    let key = made(admin, "/keys", key).await;
    let favourite = made(&operator, "/operators/1/favourites", json!({ "name": "beta", "number": NUMBER })).await;
    let wish = json!({ "organisation": MARK, "service": 0, "number": NUMBER, "name": "beta customer" });
    let callback = made(&running.bearer("none"), "/customer/callbacks", wish).await;
    running.calls(MARK, NUMBER).await;
    let (_, calls) = supervisor.get("/calls").await;
    let (_, callbacks) = supervisor.get("/callbacks").await;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let ids = BTreeMap::from([
        // A number that nobody of the first organisation has.
        ("account", "7".to_owned()),
        ("operator", "1".to_owned()),
        ("number", "1".to_owned()),
        ("favourite", text(&favourite["id"])),
        ("customer", text(&customer["id"])),
        ("ticket", text(&ticket["id"])),
        ("id", text(&category["id"])),
        ("template", text(&template["id"])),
        ("survey", text(&survey["survey"])),
        ("key", text(&key["id"])),
        ("callback", text(&callbacks["items"][0]["id"])),
        ("call", text(&calls[0]["call"])),
        ("record", "1".to_owned()),
        ("service", "0".to_owned()),
        ("queue", "0".to_owned()),
        ("organisation", MARK.to_owned()),
    ]);
    let tokens = [&invited["token"], &callback["token"]].map(text).into();
    (ids, text(&key["secret"]), tokens)
}

fn filled(path: &str, ids: &BTreeMap<&'static str, String>) -> String {
    let parts = path.split('/').map(|part| match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
        Some(name) => ids.get(name).cloned().unwrap_or_else(|| "1".to_owned()),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Every document of a store but what its own people's signing in leaves there, and the commands of its journal.
fn kept(directory: &Path) -> (Vec<(String, i64, String)>, usize) {
    let store = rusqlite::Connection::open(directory.join("callfloor.sqlite")).expect("a store");
    let own = "'session', 'audit', 'audit-head'";
    let mut select = store.prepare(&format!("SELECT kind, id, body FROM document WHERE kind NOT IN ({own})")).unwrap();
    let all = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let documents = all.map(Result::unwrap).collect();
    let mut commands = 0;
    let mut reader = SqliteReader::open(directory).unwrap();
    reader
        .entries(0, &mut |entry| {
            commands += usize::from(matches!(Input::decode(&entry), Ok((Input::Command(_), _))));
            true
        })
        .unwrap();
    (documents, commands)
}

/// A request with whatever the document says that it takes.
async fn asks(user: &User, document: &Value, method: &str, path: &str, asked: &str, version: &str) -> (u16, String) {
    let mut request = user.request(method.parse().unwrap(), asked).header("if-match", version);
    if let Some(body) = instance::body(document, &format!("{}{path}", http::PREFIX), method) {
        request = request.json(&body);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_reaches_another_organisation() {
    let running = Running::start().await;
    let api = running.api();
    let acme = api.furnishes("acme", 1).await;
    let beta = api.furnishes(MARK, 3).await;
    let (ids, key, customers) = fill(&running, &beta).await;
    let directory = running.directory.path().join(MARK);
    let document = serde_json::to_value(http::openapi()).unwrap();
    // Routes of the open API are for signed requests alone.
    let rows = http::rows().filter(|row| !row.path.starts_with(open_api::PREFIX));
    let rows: Vec<_> = rows.map(|row| (row.method, row.path)).collect();

    // What is asked for is there to be had: the other organisation's own people see it.
    let mut seen = 0;
    for login in ["admin", "supervisor", "op2"] {
        let own = if login == "admin" { &beta } else { &api.user(MARK, login, PASSWORD).await };
        for (method, path) in rows.iter().filter(|(method, _)| *method == "GET") {
            let (_, body) = asks(own, &document, method, path, &filled(path, &ids), "\"1\"").await;
            seen += usize::from(body.contains(MARK) || body.contains(NUMBER));
        }
    }
    assert!(seen > 40, "{seen} answers have something to be guarded");

    let before = kept(&directory);
    let mut asked = 0;
    let mut look = async |user: &User, method: &str, path: &str, who: &str, own: bool| {
        let version = acme.floor_version().await;
        let (status, body) = asks(user, &document, method, path, &filled(path, &ids), &version).await;
        asked += 1;
        assert!(status < 500, "{who}: {method} {path}: {status} {body}");
        assert!(!body.contains(MARK) && !body.contains(NUMBER), "{who}: {method} {path}: {status} {body}");
        if !own {
            let public = http::rows().any(|row| (row.method, row.path) == (method, path) && row.access.is_public());
            assert!(public || status == 401, "{who}: {method} {path}: {status} {body}");
        }
    };
    for login in ASKING {
        let user = match login {
            "admin" => running.bearer(&acme.token),
            login => api.user("acme", login, PASSWORD).await,
        };
        // Their own token under the other's name.
        let forged = running.bearer(&user.token.replacen("acme.", "beta.", 1));
        for (method, path) in rows.iter().filter(|(_, path)| !path.starts_with("/sessions")) {
            look(&user, method, path, login, true).await;
            look(&forged, method, path, "forged", false).await;
        }
    }
    // Keys and customers' tokens of the other organisation under the first one's name open nothing.
    for (method, path) in &rows {
        look(&running.bearer(&key.replacen("cfk_beta.", "cfk_acme.", 1)), method, path, "forged key", false).await;
    }
    for token in &customers {
        for (method, path) in rows.iter().filter(|(_, path)| path.starts_with("/customer/")) {
            let forged = token.replacen("beta.", "acme.", 1);
            let request = running.client.request(method.parse().unwrap(), format!("{}{path}", api.base));
            let answer = request.header("callfloor-customer-token", forged).send().await.unwrap();
            let body = answer.text().await.unwrap();
            assert!(!body.contains(MARK) && !body.contains(NUMBER), "{method} {path}: {body}");
        }
    }
    println!("{asked} requests");
    let after = kept(&directory);
    assert_eq!(before.1, after.1, "no command came into the other's journal");
    assert_eq!(before.0, after.0, "no document of the other's was changed");
    running.server.stop().await;
}

/// The stream of one organisation tells nothing of another.
#[tokio::test(flavor = "multi_thread")]
async fn the_stream_is_of_ones_own_organisation() {
    let running = Running::start().await;
    let api = running.api();
    for organisation in ["acme", MARK] {
        api.furnishes(organisation, 1).await;
    }
    let supervisor = api.user("acme", "supervisor", PASSWORD).await;
    let url = running.url("/api/v1/events").replace("http://", "ws://");
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", supervisor.token).parse().unwrap());
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    running.calls(MARK, NUMBER).await;
    running.calls("acme", "09077770001").await;
    let mut told = String::new();
    while !told.contains("call-queued") {
        let frame = tokio::time::timeout(Duration::from_secs(20), socket.next()).await.expect("in time");
        if let Message::Text(text) = frame.unwrap().unwrap() {
            told.push_str(&text);
        }
    }
    assert_eq!(told.matches("call-arrived").count(), 1, "{told}");
    assert!(!told.contains(NUMBER), "{told}");
    running.server.stop().await;
}

/// Whoever guesses names is answered alike of an organisation that shows nothing, of one that is suspended, and of none.
#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_is_told_of_no_organisation() {
    let running = Running::start().await;
    let api = running.api();
    api.makes("quiet").await;
    api.makes("away").await;
    let server = api.user("main", "server-admin", PASSWORD).await;
    assert_eq!(server.post("/organisations/away/suspend", Value::Null).await.0, 200);
    let mut told = Vec::new();
    for organisation in ["quiet", "away", "nobody"] {
        let mut answers = Vec::new();
        let stranger = |method: Method, path: &str| {
            let separator = if path.contains('?') { '&' } else { '?' };
            let address = format!("{}/customer{path}{separator}organisation={organisation}", api.base);
            let form = format!("0/1.{}.x", "a".repeat(22));
            running.client.request(method, address).header("callfloor-customer-token", form)
        };
        for path in ["", "/0", "/0/notices", "/0/faq?language=ja", "/0/form"] {
            answers.push(stranger(Method::GET, &format!("/help-centres{path}")));
        }
        answers.push(stranger(Method::GET, "/inquiry"));
        for body in [json!({ "text": "Thank you." }), json!({ "text": "" })] {
            answers.push(stranger(Method::POST, "/inquiry/replies").json(&body));
        }
        let inquiry = json!({ "form": "1.a.b", "from": { "name": "花子" }, "subject": "a", "text": "b" });
        answers.push(stranger(Method::POST, "/help-centres/0/inquiries").json(&inquiry));
        // More often than one address may open chats.
        for _ in 0..40 {
            let chat = json!({ "organisation": organisation, "service": 0, "name": "花子", "text": "b" });
            answers.push(running.client.post(format!("{}/customer/chats", api.base)).json(&chat));
        }
        for (path, wish) in [
            ("chats", json!({ "queue": 0, "name": "", "text": "", "member_token": "x" })),
            ("chats", json!({ "queue": 0, "service": 0, "name": "a", "text": "b" })),
            ("callbacks", json!({ "service": 0, "number": "no number" })),
            ("callbacks", json!({ "queue": 0, "number": NUMBER, "member_token": "x" })),
            ("callbacks", json!({ "number": NUMBER })),
        ] {
            let mut wish = wish;
            wish["organisation"] = json!(organisation);
            answers.push(running.client.post(format!("{}/customer/{path}", api.base)).json(&wish));
        }
        let mut said = Vec::new();
        for request in answers {
            let answer = request.send().await.unwrap();
            said.push((answer.status().as_u16(), answer.json::<Value>().await.unwrap()));
        }
        told.push(said);
    }
    assert_eq!(told[0][0], (200, json!([])));
    assert_eq!(told[0], told[2], "one that shows nothing is as one that is not there");
    assert_eq!(told[1], told[2], "and so is one that is suspended");
    running.server.stop().await;
}
