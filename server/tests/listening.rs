//! Supervisors in calls, with real telephones: who hears whom is measured, tone by tone.

#[path = "support/floor.rs"]
mod floor;
#[path = "support/sound.rs"]
mod sound;
mod support;
#[path = "support/telephone.rs"]
mod telephone;

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::net::SocketAddr;
use std::time::Duration;

use callfloor_sip::media::Clip;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use sound::{amplitude, loudest};
use support::{PASSWORD, Running, User, serve_as};
use telephone::{Telephone, with_telephones_and};

/// Whose tone is which, in Hz; apart from each other's multiples.
const TONES: [(&str, f64); 4] = [("customer", 500.0), ("operator", 1_100.0), ("boss", 1_700.0), ("colleague", 2_900.0)];

async fn start() -> (Running, SocketAddr) {
    start_with("").await
}

/// With more keys of `[sip]`.
async fn start_with(sip: &str) -> (Running, SocketAddr) {
    let directory = tempfile::tempdir().unwrap();
    let server = serve_as(directory.path(), &with_telephones_and(sip)).await;
    let sip = server.sip()[0];
    (Running { server, directory, client: Client::new() }, sip)
}

/// An account of a supervisor who is the second operator, at work.
async fn boss(running: &Running) -> User {
    let admin = running.sign_in("admin").await;
    let account = json!({
        "login": "boss", "password": PASSWORD, "name": "The boss", "role": "supervisor", "operator": 1, "disabled": false,
    });
    let (status, problem) = admin.post("/accounts", account).await;
    assert_eq!(status, 201, "{problem}");
    running.at_work("boss", "work").await
}

#[expect(clippy::cast_possible_truncation, reason = "within 16 bits")]
fn tone(who: &str) -> Clip {
    let (_, hz) = TONES.into_iter().find(|(of, _)| *of == who).expect("somebody with a tone");
    Clip::from_samples((0..8_000).map(|n| (6_000.0 * (TAU * hz * f64::from(n) / 8_000.0).sin()) as i16).collect())
}

/// Somebody comes to hear these and nobody else. On a busy machine packets are late, and what was before fades later: it is
/// listened to again, some times.
async fn hears<const N: usize>(who: &mut Telephone, wanted: [&'static str; N]) {
    let wanted: BTreeSet<_> = wanted.into_iter().collect();
    let mut found = Vec::new();
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let heard = who.hears(Duration::from_millis(800)).await;
        found = TONES.into_iter().map(|(of, hz)| (of, amplitude(&heard, hz))).collect();
        // A tone that is heard has 6,000; what leaks of its switching on and off is less than 300.
        let is_clear = found.iter().all(|(_, level)| *level < 600.0 || *level > 3_000.0);
        let heard: BTreeSet<_> = found.iter().filter(|(_, level)| *level > 3_000.0).map(|(of, _)| *of).collect();
        if is_clear && heard == wanted {
            return;
        }
    }
    panic!("{wanted:?} are to be heard: {found:.0?}");
}

/// The only call in progress, as a supervisor sees it, once it is as it should be.
async fn call_when(user: &User, what: &str, is: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..400 {
        let (status, calls) = user.get("/calls").await;
        assert_eq!(status, 200, "{calls}");
        if is(&calls[0]) {
            return calls[0].clone();
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("no call is {what}: {}", user.get("/calls").await.1)
}

async fn desk_is(user: &User, status: &str) -> Value {
    for _ in 0..400 {
        let desk = user.desk().await;
        if desk["status"] == status {
            return desk;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not {status}: {}", user.desk().await)
}

/// A customer's call that the first operator has answered on their telephone.
struct Call {
    customer: Telephone,
    phone: Telephone,
    operator: User,
    call: String,
}

async fn talks(running: &Running, sip: SocketAddr, boss: &User, mut phone: Telephone) -> Call {
    let operator = running.sign_in("op1").await;
    if operator.desk().await["status"] == "logged-out" {
        operator.does("login").await;
    }
    operator.set_status("ready").await;
    let mut customer = Telephone::new().await;
    let calls = customer.calls(sip, "0312345678");
    tokio::join!(calls, phone.answers());
    desk_is(&operator, "talking").await;
    customer.says(tone("customer"));
    phone.says(tone("operator"));
    let call = call_when(boss, "talking", |call| call["place"] == "talking").await["call"].as_str().unwrap().to_owned();
    Call { customer, phone, operator, call }
}

async fn supervises(boss: &User, call: &str, mode: &str) -> Value {
    let (status, answer) =
        boss.call(Method::PUT, &format!("/calls/{call}/supervision"), Some(json!({ "mode": mode }))).await;
    assert_eq!(status, 200, "{mode}: {answer}");
    answer
}

async fn moments(user: &User, call: &str) -> Vec<String> {
    let number = call.split('-').next().unwrap();
    let (status, record) = user.get(&format!("/call-records/{number}")).await;
    assert_eq!(status, 200, "{record}");
    let timeline = record["timeline"].as_array().unwrap().clone();
    let words = timeline.iter().filter(|moment| moment["event"].as_str().unwrap().starts_with("supervision-"));
    words
        .map(|moment| {
            let how = if moment["mode"].is_null() { &moment["end"] } else { &moment["mode"] };
            format!("{} {} {}", moment["event"].as_str().unwrap(), moment["supervisor"], how.as_str().unwrap())
        })
        .collect()
}

/// Listen, whisper, barge and take over at telephones: whose voice reaches whom in each, also while the customer is on hold
/// and in a consult.
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_listens_whispers_barges_in_and_takes_over() {
    let (running, sip) = start().await;
    let (mut phone, mut third, mut own) = (Telephone::new().await, Telephone::new().await, Telephone::new().await);
    phone.registers(sip, "op1", PASSWORD).await;
    own.registers(sip, "op2", PASSWORD).await;
    third.registers(sip, "op3", PASSWORD).await;
    let boss = boss(&running).await;
    let Call { mut customer, mut phone, operator, call } = talks(&running, sip, &boss, phone).await;

    println!("before");
    hears(&mut customer, ["operator"]).await;

    let asked = supervises(&boss, &call, "listen").await;
    assert_eq!(asked["supervisor"], json!({ "operator": 1, "mode": "listen", "joined": false }), "the telephone rings");
    assert_eq!(boss.desk().await["status"], "dialing");
    own.answers().await;
    own.says(tone("boss"));
    call_when(&boss, "listened to", |call| call["supervisor"]["joined"] == true).await;
    println!("listen");
    hears(&mut own, ["customer", "operator"]).await;
    hears(&mut customer, ["operator"]).await;
    hears(&mut phone, ["customer"]).await;

    supervises(&boss, &call, "whisper").await;
    println!("whisper");
    hears(&mut own, ["customer", "operator"]).await;
    hears(&mut customer, ["operator"]).await;
    hears(&mut phone, ["customer", "boss"]).await;

    operator.does("hold").await;
    println!("whisper, the customer on hold");
    hears(&mut customer, []).await;
    hears(&mut phone, ["boss"]).await;
    hears(&mut own, ["operator"]).await;
    operator.does("release").await;

    supervises(&boss, &call, "barge").await;
    println!("barge");
    hears(&mut own, ["customer", "operator"]).await;
    hears(&mut customer, ["operator", "boss"]).await;
    hears(&mut phone, ["customer", "boss"]).await;

    supervises(&boss, &call, "whisper").await;
    let colleague = running.at_work("op3", "ready").await;
    let consults = operator.does_with("consult", json!({ "operator": 2 }));
    tokio::join!(consults, third.answers());
    third.says(tone("colleague"));
    desk_is(&operator, "consulting").await;
    println!("whisper in a consult");
    hears(&mut customer, []).await;
    hears(&mut phone, ["boss", "colleague"]).await;
    hears(&mut third, ["operator"]).await;
    hears(&mut own, ["operator", "colleague"]).await;
    operator.does("conference").await;
    println!("whisper in a conference");
    hears(&mut customer, ["operator", "colleague"]).await;
    hears(&mut phone, ["boss", "colleague", "customer"]).await;
    hears(&mut own, ["operator", "colleague", "customer"]).await;
    third.hangs_up().await;
    desk_is(&colleague, "after-call-work").await;
    supervises(&boss, &call, "listen").await;
    println!("listen, after the conference");
    hears(&mut customer, ["operator"]).await;
    hears(&mut phone, ["customer"]).await;
    hears(&mut own, ["customer", "operator"]).await;

    assert!(moments(&operator, &call).await.is_empty(), "who is heard is not told meanwhile");
    let (status, taken) = boss.call(Method::POST, &format!("/calls/{call}/take-over"), None).await;
    assert_eq!((status, &taken["operator"], &taken["supervisor"]), (200, &json!(1), &Value::Null), "{taken}");
    phone.ended().await;
    assert_eq!(desk_is(&operator, "after-call-work").await["ticket"], Value::Null, "the ticket is the supervisor's");
    let desk = boss.desk().await;
    assert_eq!((&desk["status"], &desk["call"]["supervision"]), (&json!("talking"), &Value::Null), "{desk}");
    let ticket = desk["ticket"].as_str().unwrap().split('-').next().unwrap().to_owned();
    assert_eq!(boss.get(&format!("/tickets/{ticket}")).await.1["owner"], 1);
    println!("taken over");
    hears(&mut customer, ["boss"]).await;
    hears(&mut own, ["customer"]).await;
    boss.does("hold").await;
    boss.does("release").await;
    customer.hangs_up().await;
    desk_is(&boss, "after-call-work").await;

    let seen = [
        "supervision-started 1 listen",
        "supervision-changed 1 whisper",
        "supervision-changed 1 barge",
        "supervision-changed 1 whisper",
        "supervision-changed 1 listen",
        "supervision-ended 1 took-over",
    ];
    assert_eq!(moments(&boss, &call).await, seen);
    assert_eq!(moments(&operator, &call).await, seen, "once it is over, who was heard may know");
    let (_, record) = boss.get(&format!("/call-records/{}", call.split('-').next().unwrap())).await;
    assert_eq!(record["operators"], json!([0, 1]), "{record}");

    let auditor = running.sign_in("admin").await;
    let (_, log) = auditor.get("/audit").await;
    let mut told: Vec<_> = log
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["act"] == "call-supervised")
        .map(|entry| format!("{}: {}", entry["who"].as_str().unwrap(), entry["about"].as_str().unwrap()))
        .collect();
    told.reverse();
    let number = call.split('-').next().unwrap();
    assert!(told[0].ends_with(&format!("\"boss\": call {number}: asks to listen")), "{told:?}");
    assert_eq!(told[1], format!("operator 1 \"op2\": call {number} of operator 0 \"op1\": listens"));
    assert!(told.contains(&format!("operator 1 \"op2\": call {number}: took over")), "{told:?}");
    assert_eq!(auditor.get("/audit/verification").await.1["broken"], Value::Null);
    running.server.stop().await;
}

/// However a supervisor leaves, and whoever else leaves, the others are connected as before, and nobody stays bound.
#[tokio::test(flavor = "multi_thread")]
async fn supervisors_come_and_go_and_the_call_goes_on() {
    let (running, sip) = start().await;
    let (mut phone, mut own) = (Telephone::new().await, Telephone::new().await);
    phone.registers(sip, "op1", PASSWORD).await;
    let boss = boss(&running).await;
    let Call { mut customer, mut phone, operator, call } = talks(&running, sip, &boss, phone).await;
    let path = format!("/calls/{call}/supervision");

    // No telephone is registered: they are told so, and nothing has happened.
    let (status, told) = boss.call(Method::PUT, &path, Some(json!({ "mode": "listen" }))).await;
    assert_eq!((status, &told["rule"]), (409, &json!("telephone-not-registered")));
    assert_eq!(boss.desk().await["status"], "work");
    own.registers(sip, "op2", PASSWORD).await;

    // Given up while it rings.
    supervises(&boss, &call, "barge").await;
    own.rings().await;
    assert_eq!(boss.delete(&path).await.0, 200);
    own.ended().await;
    desk_is(&boss, "work").await;
    assert!(moments(&boss, &call).await.is_empty());

    // Stopped on the screen, then by hanging up the telephone: customer and operator hear each other, and nobody else.
    for on_the_screen in [true, false] {
        supervises(&boss, &call, "barge").await;
        own.answers().await;
        own.says(tone("boss"));
        call_when(&boss, "barged into", |call| call["supervisor"]["joined"] == true).await;
        hears(&mut phone, ["customer", "boss"]).await;
        if on_the_screen {
            assert_eq!(boss.delete(&path).await.0, 200);
            own.ended().await;
        } else {
            own.hangs_up().await;
        }
        desk_is(&boss, "work").await;
        hears(&mut phone, ["customer"]).await;
        hears(&mut customer, ["operator"]).await;
    }

    // The operator leaves for after-call work and the customer waits again: the supervisor's telephone is let go.
    supervises(&boss, &call, "listen").await;
    own.answers().await;
    call_when(&boss, "listened to", |call| call["supervisor"]["joined"] == true).await;
    operator.does_with("transfer", json!({ "queue": 0 })).await;
    tokio::join!(own.ended(), phone.ended());
    desk_is(&boss, "work").await;
    desk_is(&operator, "after-call-work").await;
    operator.does_with("finish-after-call", json!({ "to": { "status": "ready" } })).await;
    phone.answers().await;
    phone.says(tone("operator"));

    // The customer hangs up.
    supervises(&boss, &call, "whisper").await;
    own.answers().await;
    call_when(&boss, "whispered into", |call| call["supervisor"]["joined"] == true).await;
    customer.hangs_up().await;
    tokio::join!(own.ended(), phone.ended());
    desk_is(&boss, "work").await;
    assert_eq!(
        moments(&boss, &call).await,
        [
            "supervision-started 1 barge",
            "supervision-ended 1 stopped",
            "supervision-started 1 barge",
            "supervision-ended 1 stopped",
            "supervision-started 1 listen",
            "supervision-ended 1 operator-left",
            "supervision-started 1 whisper",
            "supervision-ended 1 call-ended",
        ]
    );
    running.server.stop().await;
}

/// Who may, and what is refused; without telephones a supervisor is in the call at once.
#[tokio::test(flavor = "multi_thread")]
async fn only_supervisors_with_an_operator_of_their_own_are_in_calls() {
    let running = Running::start().await;
    let boss = boss(&running).await;
    let operator = running.at_work("op1", "ready").await;
    let call = running.customer_waits("09012345678").await;
    let (path, over) = (format!("/calls/{call}/supervision"), format!("/calls/{call}/take-over"));
    let mode = || Some(json!({ "mode": "listen" }));
    let refused = async |user: &User, method: Method, path: &str, body: Option<Value>| {
        let (status, problem) = user.call(method, path, body).await;
        (status, problem["rule"].as_str().unwrap_or_default().to_owned())
    };
    let says = |status: u16, rule: &str| (status, rule.to_owned());
    assert_eq!(refused(&boss, Method::PUT, &path, mode()).await, says(409, "wrong-stage"), "nobody has answered");
    operator.answers().await;
    let plain = running.sign_in("supervisor").await;
    assert_eq!(refused(&plain, Method::PUT, &path, mode()).await, says(409, "no-operator"));
    for login in ["op1", "op3", "admin"] {
        let user = running.sign_in(login).await;
        assert_eq!(refused(&user, Method::PUT, &path, mode()).await, says(403, "forbidden"), "{login}");
        assert_eq!(refused(&user, Method::DELETE, &path, None).await, says(403, "forbidden"), "{login}");
        assert_eq!(refused(&user, Method::POST, &over, None).await, says(403, "forbidden"), "{login}");
    }
    assert_eq!(refused(&boss, Method::POST, &over, None).await, says(409, "not-supervising"));
    assert_eq!(refused(&boss, Method::DELETE, &path, None).await, says(409, "not-supervising"));
    assert_eq!(refused(&boss, Method::PUT, &path, Some(json!({ "mode": "shout" }))).await.0, 400);
    assert_eq!(refused(&boss, Method::PUT, "/calls/99-1/supervision", mode()).await, says(404, "unknown"));

    let seen = supervises(&boss, &call.to_string(), "listen").await;
    assert_eq!(seen["supervisor"], json!({ "operator": 1, "mode": "listen", "joined": true }));
    let desk = boss.desk().await;
    assert_eq!(
        (&desk["status"], &desk["call"]["supervision"]["mode"]),
        (&json!("talking"), &json!("listen")),
        "{desk}"
    );
    assert_eq!(desk["ticket"], Value::Null, "the ticket is the operator's");
    assert_eq!(boss.is_refused("hold", None).await, says(409, "supervising"));
    assert_eq!(boss.call(Method::POST, &over, None).await.0, 200);
    assert_eq!(boss.does("hold").await["status"], "holding");
    assert_eq!(operator.desk().await["status"], "after-call-work");

    let admin = running.sign_in("admin").await;
    for (role, operator) in [("planner", json!(1)), ("supervisor", json!(99))] {
        let account = json!({ "login": "x", "password": PASSWORD, "name": "x", "role": role, "operator": operator, "disabled": false });
        assert_eq!(admin.post("/accounts", account).await.0, 400, "{role}");
    }
    running.server.stop().await;
}

/// Whoever is not to hear a supervisor does not for a moment, however the call changes: what the customer hears is recorded from
/// before the supervisor comes until they are gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_who_listens_or_whispers_never_reaches_the_customer() {
    let (running, sip) = start().await;
    let (mut phone, mut third, mut own) = (Telephone::new().await, Telephone::new().await, Telephone::new().await);
    phone.registers(sip, "op1", PASSWORD).await;
    own.registers(sip, "op2", PASSWORD).await;
    third.registers(sip, "op3", PASSWORD).await;
    let boss = boss(&running).await;
    let Call { mut customer, mut phone, operator, call } = talks(&running, sip, &boss, phone).await;
    running.at_work("op3", "ready").await;
    let length = Duration::from_secs(12);
    let changes = async {
        let pause = || tokio::time::sleep(Duration::from_millis(700));
        supervises(&boss, &call, "listen").await;
        own.answers().await;
        own.says(tone("boss"));
        call_when(&boss, "listened to", |call| call["supervisor"]["joined"] == true).await;
        supervises(&boss, &call, "whisper").await;
        pause().await;
        operator.does("hold").await;
        pause().await;
        operator.does("release").await;
        tokio::join!(operator.does_with("consult", json!({ "operator": 2 })), third.answers());
        third.says(tone("colleague"));
        desk_is(&operator, "consulting").await;
        operator.does("conference").await;
        pause().await;
        // The whisper is heard meanwhile: it is its way to the customer that is closed.
        hears(&mut phone, ["boss", "colleague", "customer"]).await;
        third.hangs_up().await;
        pause().await;
        supervises(&boss, &call, "listen").await;
        pause().await;
        own.hangs_up().await;
        desk_is(&boss, "work").await;
    };
    let begun = tokio::time::Instant::now();
    let (heard, ()) = tokio::join!(customer.hears(length), changes);
    println!("all that in {:?}", begun.elapsed());
    let level = |who: &str| loudest(&heard, TONES.into_iter().find(|(of, _)| *of == who).expect("a tone").1);
    assert!(level("operator") > 3_000.0 && level("colleague") > 3_000.0, "the others are heard");
    // A packet of a fiftieth of a second of it would have 1,200.
    assert!(level("boss") < 700.0, "{:.0}", level("boss"));
    running.server.stop().await;
}

/// The customer hangs up in the middle of a consult: the two operators go on talking, both ways, until one of them hangs up.
#[tokio::test(flavor = "multi_thread")]
async fn operators_go_on_talking_when_the_customer_has_hung_up() {
    let (running, sip) = start().await;
    let (mut phone, mut third) = (Telephone::new().await, Telephone::new().await);
    phone.registers(sip, "op1", PASSWORD).await;
    third.registers(sip, "op3", PASSWORD).await;
    let boss = boss(&running).await;
    let Call { mut customer, mut phone, operator, .. } = talks(&running, sip, &boss, phone).await;
    let colleague = running.at_work("op3", "ready").await;
    tokio::join!(operator.does_with("consult", json!({ "operator": 2 })), third.answers());
    third.says(tone("colleague"));
    desk_is(&operator, "consulting").await;
    customer.hangs_up().await;
    call_when(&boss, "between operators", |call| call["place"] == "internal").await;
    hears(&mut third, ["operator"]).await;
    hears(&mut phone, ["colleague"]).await;
    third.hangs_up().await;
    phone.ended().await;
    desk_is(&operator, "after-call-work").await;
    desk_is(&colleague, "after-call-work").await;
    running.server.stop().await;
}

/// A server that has no room for the supervisor's audio says so, and everything else stays as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_supervisor_for_whom_there_is_no_room_is_told_so() {
    let (running, sip) = start_with("most_calls = 1").await;
    let (mut phone, mut own) = (Telephone::new().await, Telephone::new().await);
    phone.registers(sip, "op1", PASSWORD).await;
    own.registers(sip, "op2", PASSWORD).await;
    let boss = boss(&running).await;
    let Call { mut customer, phone: _phone, call, .. } = talks(&running, sip, &boss, phone).await;
    let listen = Some(json!({ "mode": "listen" }));
    let (status, problem) = boss.call(Method::PUT, &format!("/calls/{call}/supervision"), listen).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("no-room-for-audio")), "{problem}");
    assert_eq!(boss.desk().await["status"], "work");
    assert_eq!(moments(&boss, &call).await, [""; 0]);
    hears(&mut customer, ["operator"]).await;
    running.server.stop().await;
}
