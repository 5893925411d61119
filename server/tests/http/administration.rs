//! Administration of the floor over HTTP: every change in one turn, nobody's status changes, no call is dropped.

use crate::support::Running;
use callfloor_engine::{AudioId, Command, Event, Output, QueueId, ServiceId, StepId};
use reqwest::Method;
use serde_json::{Value, json};

/// "A configuration reload changes nobody's status and drops no call"; P2: turned off in mid-call.
#[tokio::test(flavor = "multi_thread")]
async fn p1_p2_a_reload_changes_nobodys_status_and_drops_no_call() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let talking = running.at_work("op1", "ready").await;
    let in_talk = running.customer_waits("09011112222").await;
    talking.answers().await;
    let held = running.at_work("op2", "ready").await;
    running.customer_waits("09022223333").await;
    held.answers().await;
    held.does("hold").await;
    let ringing = running.at_work("op3", "ready").await;
    running.customer_waits("09033334444").await;
    let dialling = running.at_work("op4", "work").await;
    dialling.does_with("dial", json!({ "to": "09044445555" })).await;
    running.customer_waits("09055556666").await;
    running.customer_calls("09066667777").await;
    let state = async || {
        let mut state = Vec::new();
        for user in [&talking, &held, &ringing, &dialling] {
            let mut desk = user.desk().await;
            for moving in ["now_us", "as_of", "services", "buttons"] {
                desk.as_object_mut().unwrap().remove(moving);
            }
            state.push(desk);
        }
        (state, supervisor.get("/calls").await.1)
    };
    let before = state().await;
    assert_eq!(before.1.as_array().unwrap().len(), 6);

    let (_, mut service) = admin.get("/floor/services/0").await;
    service["inbound"] = json!(false);
    service["outbound"] = json!(false);
    service["settings"]["ring_limit_ms"] = json!(60_000);
    service["settings"]["login_status"] = json!({ "status": "ready" });
    let (status, problem) = admin.changes(Method::PUT, "/floor/services/0", service).await;
    assert_eq!(status, 200, "{problem}");
    assert_eq!(state().await, before, "nobody's status changed and no call was dropped");

    // Running calls finish …
    talking.does("hold").await;
    talking.does("release").await;
    assert_eq!(held.does("release").await["status"], "talking");
    assert_eq!(ringing.answers().await["status"], "talking");
    running.world(Command::CustomerHungUp { call: in_talk.0 }).await;
    assert_eq!(talking.desk().await["status"], "after-call-work");
    // … and new ones are refused, with the flag named and the cause recorded (P1).
    let refused = running
        .world(Command::CallArrived {
            service: ServiceId(0),
            entry: StepId(0),
            customer: None,
            from: None,
            priority: 0,
            preferred: None,
            reference: 77,
        })
        .await;
    assert!(
        refused.iter().any(|it| matches!(it, Output::Event(Event::CallRefused { reference: 77, .. }))),
        "{refused:?}"
    );
    assert_eq!(talking.is_refused("dial", Some(json!({ "to": "09012345678" }))).await.1, "no-outbound-contract");
    running.server.stop().await;
}

/// A change names the version that it was made on: 428 without, 412 on another.
#[tokio::test(flavor = "multi_thread")]
async fn changes_name_the_version_that_they_are_made_on() {
    let running = Running::start().await;
    let (admin, supervisor) = (running.sign_in("admin").await, running.sign_in("supervisor").await);
    let contract = json!({ "inbound": true, "outbound": false });
    let (status, problem) = admin.call(Method::PUT, "/floor/services/0/contract", Some(contract.clone())).await;
    assert_eq!((status, &problem["rule"]), (428, &json!("if-match")));
    let version = admin.floor_version().await;
    let put = |version: String| {
        admin.request(Method::PUT, "/floor/services/0/contract").header("if-match", version).json(&contract).send()
    };
    let answer = put(version.clone()).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["etag"], admin.floor_version().await.as_str());
    let answer = put(version).await.unwrap();
    assert_eq!(answer.status(), 412);
    assert_eq!(answer.json::<Value>().await.unwrap()["rule"], "floor-version");
    assert_eq!(supervisor.get("/floor").await.0, 200);
    assert_eq!(supervisor.call(Method::PUT, "/floor/services/0/contract", Some(contract)).await.0, 403);
    running.server.stop().await;
}

/// Wrong configurations are refused whole, and the fault's place is named.
#[tokio::test(flavor = "multi_thread")]
async fn faults_are_named() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let (_, service) = admin.get("/floor/services/0").await;
    let with = |field: &str, value: Value| {
        let mut changed = service.clone();
        changed[field] = value;
        changed
    };
    let mut no_audio = service.clone();
    no_audio["flow"][0]["audio"] = json!(4711);
    let mut no_music = service.clone();
    no_music["settings"]["hold_music"] = json!(99);
    for (body, status, words) in [
        (with("flow", json!([{ "step": "queue", "queue": 1 }])), 422, "queue 1 is no phone queue"),
        (with("flow", json!([{ "step": "go-to", "to": 7 }])), 422, "step 7"),
        (no_audio, 422, "audio 4711"),
        (no_music, 422, "audio 99"),
        (with("outgoing", json!([{ "number": "abc", "state": "new" }])), 400, "'a' cannot be dialled"),
        (with("name", json!("")), 400, "1 to 60"),
        (with("zone", json!("Mars/Base")), 422, "Mars/Base"),
        (with("schedule", json!({ "zone": "Asia/Tokyo", "week": { "monday": [["18:00", "09:00"]] } })), 422, "18:00"),
        (with("flow", json!([{ "step": "dance" }])), 400, "dance"),
    ] {
        let (found, problem) = admin.changes(Method::PUT, "/floor/services/0", body).await;
        assert_eq!(found, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    assert_eq!(admin.get("/floor/services/0").await.1, service, "nothing of it was kept");
    // What is in use may not vanish.
    running.customer_waits("09011112222").await;
    let (status, problem) =
        admin.changes(Method::PUT, "/floor/services/0", with("flow", json!([{ "step": "end" }]))).await;
    assert_eq!((status, &problem["rule"]), (409, &json!("configuration")), "{problem}");
    running.server.stop().await;
}

/// P4, P7, P13, P14, a floor built from nothing by the API, and used: flow with menu and named audio, queue with all its
/// settings, skills, operators, inbound numbers.
#[tokio::test(flavor = "multi_thread")]
async fn p4_p14_a_floor_is_built_and_survives_a_restart() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let organisation = json!({ "name": "Blue Mountain", "sip_domain": "sip.example.jp", "numbers": {
        "country_code": "81", "national_prefix": "0", "international_prefix": "010", "international": true, "barred": ["0990"] } });
    assert_eq!(admin.changes(Method::PUT, "/floor/organisation", organisation.clone()).await.1, organisation);
    assert_eq!(admin.changes(Method::PUT, "/floor/skills", json!(["English", "日本語"])).await.0, 200);
    let text = json!({ "name": "Menu", "text": "お電話ありがとうございます。" });
    let (status, menu) = admin.changes(Method::POST, "/floor/texts", text).await;
    assert_eq!((status, &menu["audio"]), (201, &json!(16)));
    let service = json!({ "name": "Shop", "inbound": true, "outbound": false, "flow": [] , "schedule": null });
    assert_eq!(admin.changes(Method::POST, "/floor/services", service).await.0, 422, "inbound without a flow");
    let service =
        json!({ "name": "Shop", "inbound": true, "outbound": true, "zone": "Asia/Tokyo", "flow": [{ "step": "end" }] });
    assert_eq!(admin.changes(Method::POST, "/floor/services", service).await.1, json!({ "service": 1 }));
    let queue = json!({ "name": "English", "service": 1, "channel": "phone", "policy": { "policy": "ring-progressive", "every_ms": 4000 },
        "needs": [{ "skill": 0, "min": 5 }], "head_start_ms": 60000, "first_level": 1,
        "relax": [{ "after_ms": 20000, "change": { "min-proficiency": 2 } }, { "after_ms": 40000, "change": { "widen": 255 } }],
        "ring_limit_ms": 10000, "limit": 50, "maximum_wait_ms": 600000, "last_operator_ms": 15000,
        "target": { "wait_ms": 10000, "short_ms": 3000, "rule": "negative", "level": 0.9 } });
    assert_eq!(admin.changes(Method::POST, "/floor/queues", queue.clone()).await.1, json!({ "queue": 3 }));
    let (_, mut shop) = admin.get("/floor/services/1").await;
    shop["flow"] = json!([
        { "step": "hours", "closed": 6 },
        { "step": "menu", "audio": 16, "options": { "1": 2, "9": 4 }, "limit_ms": 8000, "otherwise": 2 },
        { "step": "set-priority", "priority": 3 },
        { "step": "go-to", "to": 5 },
        { "step": "set-skill", "skill": 1, "min": 3 },
        { "step": "queue", "queue": 3, "on_full": 6, "on_timeout": null },
        { "step": "announcement", "audio": 2, "limit_ms": 10000 },
    ]);
    let (status, changed) = admin.changes(Method::PUT, "/floor/services/1", shop.clone()).await;
    assert_eq!(status, 200, "{changed}");
    let person = json!({ "name": "Hanako", "services": [1], "phone": true, "cti_id": "hanako", "cti_number": "301",
        "skills": [{ "skill": 0, "proficiency": 8 }], "queues": [{ "queue": 3, "level": 1, "preference": 2 }], "points": 100,
        "chat_limit": 2, "ticket_limit": 3, "auto_answer": false, "device": "sip-phone" });
    assert_eq!(admin.changes(Method::POST, "/floor/operators", person.clone()).await.1, json!({ "operator": 4 }));
    let inbound = json!({ "number": "+81 3-1111-2222", "service": 1, "step": 1 });
    let (status, registered) = admin.changes(Method::POST, "/floor/inbound-numbers", inbound.clone()).await;
    assert_eq!((status, &registered["number"]), (201, &json!("0311112222")), "{registered}");
    assert_eq!(admin.changes(Method::POST, "/floor/inbound-numbers", inbound).await.1["rule"], "number-taken");
    let reason = json!({ "of": "break", "japanese": "散歩", "english": "walk" });
    let (_, walk) = admin.changes(Method::POST, "/floor/reasons", reason).await;
    assert_eq!(walk["reason"], 24);

    let running = running.restart().await;
    let (_, floor) = admin_again(&running).await.get("/floor").await;
    assert_eq!(floor["organisation"], organisation);
    assert_eq!((&floor["services"][1], &floor["queues"][3], &floor["operators"][4]), (&shop, &queue, &person));
    assert_eq!(floor["skills"], json!(["English", "日本語"]));
    let tenant = running.server.tenants().named(None).unwrap();
    let routes = tenant.host.run(|turn| {
        let mut route = |text: &str| callfloor_server::floor::route_for(turn, text.parse().ok());
        Ok::<_, callfloor_server::storage::StorageError>([
            route("0311112222")?,
            route("+81311112222")?,
            route("0399999999")?,
            route("sip name")?,
        ])
    });
    let here = Some((ServiceId(1), StepId(1)));
    assert_eq!(routes.await.unwrap().unwrap(), [here, here, None, None]);
    running.server.stop().await;
}

async fn admin_again(running: &Running) -> crate::support::User {
    running.sign_in("admin").await
}

fn wav(seconds: usize) -> Vec<u8> {
    let data = vec![0x10u8; 16_000 * seconds];
    let size = u32::try_from(data.len()).unwrap();
    let mut file = b"RIFF".to_vec();
    file.extend_from_slice(&(36 + size).to_le_bytes());
    file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data");
    file.extend_from_slice(&size.to_le_bytes());
    file.extend_from_slice(&data);
    file
}

/// P12, P13: music and announcements are uploaded, checked, played back byte for byte, used, and kept while they are.
#[tokio::test(flavor = "multi_thread")]
async fn p12_p13_audio_is_uploaded_and_used() {
    let running = Running::start().await;
    let (admin, operator) = (running.sign_in("admin").await, running.sign_in("op1").await);
    let upload = async |file: Vec<u8>| {
        let version = admin.floor_version().await;
        let request = admin.request(Method::POST, "/floor/audio?name=Waltz").header("if-match", version);
        let answer = request.header("content-type", "audio/wav").body(file).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, kept) = upload(wav(3)).await;
    assert_eq!(status, 201, "{kept}");
    assert_eq!(kept["recording"], json!({ "encoding": "pcm16", "rate_hz": 8000, "length_ms": 3000 }));
    let audio = kept["audio"].as_u64().unwrap();
    assert_eq!(upload(b"not sound".to_vec()).await.1["rule"], "audio");
    assert_eq!(upload(vec![0; 9 << 20]).await.0, 413);
    let file = operator.request(Method::GET, &format!("/floor/audio/{audio}")).send().await.unwrap();
    assert_eq!(file.headers()["content-type"], "audio/wav");
    assert_eq!(file.bytes().await.unwrap(), wav(3));
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["settings"]["hold_music"] = json!(audio);
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service.clone()).await.0, 200);
    let delete = async || {
        let version = admin.floor_version().await;
        let request = admin.request(Method::DELETE, &format!("/floor/audio/{audio}")).header("if-match", version);
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(delete().await, 409, "it is played");
    let outputs = running
        .world(Command::CallArrived {
            service: ServiceId(0),
            entry: StepId(1),
            customer: None,
            from: None,
            priority: 0,
            preferred: None,
            reference: 0,
        })
        .await;
    let plays = |audio: AudioId| {
        outputs.iter().any(|it| {
        matches!(it, Output::Action(callfloor_engine::Action::PlayMusic { audio: found, .. }) if *found == audio)
    })
    };
    assert!(plays(AudioId(u32::try_from(audio).unwrap())), "{outputs:?}");
    service["settings"]["hold_music"] = json!(1);
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service).await.0, 200);
    assert_eq!(delete().await, 200);
    running.server.stop().await;
}

/// Hours and holidays in the service's zone; a closed service is seen in its flow; hours are renewed.
#[tokio::test(flavor = "multi_thread")]
async fn hours_are_expanded_and_renewed() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let (_, mut service) = admin.get("/floor/services/0").await;
    // Never open but on one far day: closed now.
    service["schedule"] = json!({ "zone": "Europe/Berlin", "week": {}, "holidays": [
        { "date": "2999-01-01", "name": "far", "open": [["00:00", "24:00"]] }] });
    service["flow"] = json!([{ "step": "hours", "closed": 2 }, { "step": "queue", "queue": 0 }, { "step": "end" }]);
    let (status, problem) = admin.changes(Method::PUT, "/floor/services/0", service.clone()).await;
    assert_eq!(status, 200, "{problem}");
    let arrival = || Command::CallArrived {
        service: ServiceId(0),
        entry: StepId(0),
        customer: None,
        from: None,
        priority: 0,
        preferred: None,
        reference: 0,
    };
    let queued = |outputs: &[Output]| {
        outputs.iter().any(|it| matches!(it, Output::Event(Event::CallQueued { queue: QueueId(0), .. })))
    };
    assert!(!queued(&running.world(arrival()).await), "closed");
    let day = json!([["00:00", "24:00"]]);
    service["schedule"] = json!({ "zone": "Europe/Berlin", "week": { "monday": day, "tuesday": day, "wednesday": day,
        "thursday": day, "friday": day, "saturday": day, "sunday": day } });
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service).await.0, 200);
    assert!(queued(&running.world(arrival()).await), "open");
    // Renewal does nothing on the same day, and expands anew when the last expansion is older.
    let tenant = running.server.tenants().named(None).unwrap();
    assert_eq!(tenant.host.run(callfloor_server::floor::renew_hours).await.unwrap().unwrap(), 0);
    let aged = tenant.host.run(|turn| {
        let mut extra = callfloor_server::floor::ServiceExtra::of(turn.documents(), ServiceId(0))?;
        extra.expanded_until_us -= 2 * 86_400_000_000;
        turn.documents().put(&extra);
        callfloor_server::floor::renew_hours(turn)
    });
    assert_eq!(aged.await.unwrap().unwrap(), 1);
    running.server.stop().await;
}

/// Planners and auditors read, operators do not, and nobody but an administrator writes.
#[tokio::test(flavor = "multi_thread")]
async fn operators_do_not_see_the_configuration() {
    let running = Running::start().await;
    let operator = running.sign_in("op1").await;
    assert_eq!(operator.get("/floor").await.0, 403);
    assert_eq!(operator.get("/floor/reasons").await.0, 200);
    assert_eq!(operator.get("/floor/operators/0").await.0, 403, "not by the path's number either");
    running.server.stop().await;
}
