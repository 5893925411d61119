//! An organisation from its beginning through suspension, resumption and restarts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Running};

/// Of every organisation: name for people and state.
async fn standing(running: &Running) -> Vec<(String, Value, String)> {
    let server = running.api().user("main", "server-admin", PASSWORD).await;
    let (status, all) = server.get("/organisations").await;
    assert_eq!(status, 200, "{all}");
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let all = all.as_array().unwrap().iter();
    all.map(|one| (text(one, "organisation"), one["name"].clone(), text(one, "state"))).collect()
}

fn owned(all: &[(&str, Value, &str)]) -> Vec<(String, Value, String)> {
    all.iter().map(|(name, shown, state)| ((*name).to_owned(), shown.clone(), (*state).to_owned())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_made_renamed_suspended_and_resumed() {
    let running = Running::start().await;
    let api = running.api();
    let server = api.user("main", "server-admin", PASSWORD).await;
    let admin = api.makes("acme").await;

    // It begins with nothing but its administrator.
    let (_, floor) = admin.get("/floor").await;
    for empty in ["services", "queues", "operators"] {
        assert_eq!(floor[empty], json!([]), "{floor}");
    }
    let named = (&floor["organisation"]["name"], &floor["organisation"]["sip_domain"]);
    assert_eq!(named, (&json!("acme"), &json!("acme.example")));
    let (_, accounts) = admin.get("/accounts").await;
    assert_eq!(accounts.as_array().unwrap().len(), 1, "{accounts}");
    let (_, log) = admin.get("/audit").await;
    assert!(log.as_array().unwrap().iter().any(|entry| entry["act"] == "account-made" && entry["who"] == "the server"));

    // Its login says where it is at home, and its own administrator cannot take another's name or domain.
    let put = json!({ "password": PASSWORD });
    assert_eq!(admin.call(Method::PUT, "/accounts/1/password", Some(put)).await.0, 204);
    let body = json!({ "login": "admin@acme", "password": PASSWORD });
    let signed_in = running.client.post(running.url("/api/v1/sessions")).json(&body).send().await.unwrap();
    assert_eq!(signed_in.status(), 201);
    let token = signed_in.json::<Value>().await.unwrap()["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("acme."));
    let admin = api.user("acme", "admin", PASSWORD).await;
    let mut own = floor["organisation"].clone();
    own["sip_domain"] = json!("beta.example");
    let (status, problem) = admin.changes(Method::PUT, "/floor/organisation", own).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("kept-by-the-server")));

    let renamed = json!({ "name": "Acme Ltd", "numbers": ["0398765432"] });
    let (status, told) = server.call(Method::PUT, "/organisations/acme", Some(renamed)).await;
    assert_eq!((status, &told["name"]), (200, &json!("Acme Ltd")), "{told}");
    assert_eq!(admin.get("/floor").await.1["organisation"]["name"], "Acme Ltd");

    let (status, told) = server.post("/organisations/acme/suspend", Value::Null).await;
    assert_eq!((status, &told["state"]), (200, &json!("suspended")), "{told}");
    let (status, problem) = admin.get("/floor").await;
    assert_eq!((status, problem["rule"].as_str()), (403, Some("organisation-not-served")));
    let (status, problem) = api.signs_in("acme", "admin", PASSWORD).await;
    assert_eq!((status, problem["rule"].as_str()), (403, Some("organisation-not-served")));
    for path in ["/healthz", "/readyz"] {
        assert_eq!(running.client.get(running.url(path)).send().await.unwrap().status(), 200, "others are served");
    }
    assert_eq!(running.sign_in("admin").await.get("/floor").await.0, 200);
    assert_eq!(
        standing(&running).await,
        owned(&[("main", Value::Null, "served"), ("acme", json!("Acme Ltd"), "suspended"),])
    );

    // It stays suspended over a restart, and comes back with everything.
    let running = running.restart().await;
    let api = running.api();
    assert_eq!(api.signs_in("acme", "admin", PASSWORD).await.0, 403);
    let server = api.user("main", "server-admin", PASSWORD).await;
    let (status, told) = server.post("/organisations/acme/resume", Value::Null).await;
    assert_eq!((status, &told["state"]), (200, &json!("served")), "{told}");
    let (status, who) = running.bearer(&token).get("/sessions/current").await;
    assert_eq!((status, &who["organisation"]), (200, &json!("acme")), "a session outlives suspension: {who}");
    let running = running.restart().await;
    assert_eq!(running.bearer(&token).get("/sessions/current").await.0, 200, "it is opened again with the others");

    // Lost passwords are no end.
    let server = running.api().user("main", "server-admin", PASSWORD).await;
    let (status, made) = server.post("/organisations/acme/administrators", json!({ "administrator": "second" })).await;
    assert_eq!(status, 201, "{made}");
    running.api().user("acme", "second", made["password"].as_str().unwrap()).await;
    let (_, log) = running.sign_in("admin").await.get("/audit?limit=1000").await;
    let acts: Vec<_> = log.as_array().unwrap().iter().rev().map(|entry| entry["act"].as_str().unwrap()).collect();
    let wanted = ["organisation-made", "organisation-changed", "organisation-suspended", "organisation-resumed"];
    let found: Vec<_> = acts.iter().filter(|act| act.starts_with("organisation")).copied().collect();
    assert_eq!(found, wanted);
    running.server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_organisation_is_told() {
    let running = Running::start().await;
    let api = running.api();
    api.makes("acme").await;
    let server = api.user("main", "server-admin", PASSWORD).await;
    let body = |organisation: &str, sip_domain: &str| json!({ "organisation": organisation, "name": "x", "sip_domain": sip_domain, "numbers": ["0398765432"] });
    for (body, status, words) in [
        (body("Acme", "x.example"), 400, "a-z"),
        (body("-a", "x.example"), 400, "a-z"),
        (body("..", "x.example"), 400, "a-z"),
        (body("main", "x.example"), 409, "main"),
        (body("voicemail", "x.example"), 409, "not free"),
        (body("acme", "x.example"), 409, "already"),
        (body("beta", "acme.example"), 409, "another organisation's"),
        (body("beta", "ACME.example"), 409, "another organisation's"),
        (body("beta", "callfloor.local"), 409, "main organisation's"),
        (body("beta", "192.0.2.1"), 400, "addresses"),
        (body("beta", "a b"), 400, "no domain"),
        (json!({ "organisation": "beta", "name": "", "sip_domain": "x.example" }), 400, "1 to 60"),
        (json!({ "organisation": "beta", "name": "x", "sip_domain": "x.example", "numbers": ["x"] }), 400, "no number"),
    ] {
        let (found, problem) = server.post("/organisations", body.clone()).await;
        assert_eq!(found, status, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    }
    let twice = || {
        let request = server.request(Method::POST, "/organisations").header("idempotency-key", "once");
        request.json(&body("beta", "beta.example")).send()
    };
    assert_eq!(twice().await.unwrap().status(), 201);
    let again = twice().await.unwrap();
    assert_eq!(again.status(), 409);
    assert!(again.text().await.unwrap().contains("secret-shown-once"));
    let (status, problem) = server.post("/organisations", body("gamma", "gamma.example")).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("number-taken")), "{problem}");
    for (path, status) in [("/organisations/main/suspend", 409), ("/organisations/nobody/resume", 404)] {
        assert_eq!(server.post(path, Value::Null).await.0, status, "{path}");
    }
    running.server.stop().await;
}

/// An organisation whose store is broken is told of, and keeps nobody else from being served.
#[tokio::test(flavor = "multi_thread")]
async fn one_organisation_in_trouble_takes_no_other_with_it() {
    let running = Running::start().await;
    for name in ["acme", "beta"] {
        running.api().makes(name).await;
    }
    let Running { server, directory, client } = running;
    server.stop().await;
    let file = directory.path().join("acme/callfloor.sqlite");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, b"no database").unwrap();
    drop(client);
    let running = Running::start_in(directory).await;
    let names: Vec<_> = standing(&running).await.into_iter().map(|(name, _, state)| (name, state)).collect();
    let wanted = [("main", "served"), ("acme", "in-trouble"), ("beta", "served")];
    assert_eq!(names, wanted.map(|(name, state)| (name.to_owned(), state.to_owned())));
    let figures = reqwest::get(running.url("/metrics")).await.unwrap().text().await.unwrap();
    for (name, trouble) in [("main", 0), ("acme", 1), ("beta", 0)] {
        let line = format!("callfloor_in_trouble{{organisation=\"{name}\"}} {trouble}");
        assert!(figures.lines().any(|found| found == line), "{line} is not in\n{figures}");
    }
    let server = running.api().user("main", "server-admin", PASSWORD).await;
    let (status, problem) = server.post("/organisations/acme/resume", Value::Null).await;
    assert_eq!((status, problem["rule"].as_str()), (503, Some("organisation-not-served")));
    assert!(problem["detail"].as_str().unwrap().contains("callfloor.sqlite"), "{problem}");
    std::fs::write(&file, whole).unwrap();
    assert_eq!(server.post("/organisations/acme/resume", Value::Null).await.0, 200, "mended without a restart");
    running.server.stop().await;
}

/// Who keeps the server cannot make themselves one who reads what organisations do, nor the other way round.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_themselves_the_other_administration() {
    let running = Running::start().await;
    let (admin, server) = (running.sign_in("admin").await, running.sign_in("server-admin").await);
    let account =
        |role: &str| json!({ "login": format!("new {role}"), "password": PASSWORD, "name": "x", "role": role });
    let settings = |role: &str| json!({ "name": "x", "role": role });
    let (_, own) = server.get("/accounts").await;
    let number = own[0]["account"].as_u64().unwrap();
    assert_eq!(own.as_array().unwrap().len(), 1, "no other accounts are shown: {own}");
    for (user, method, path, body) in [
        (&admin, Method::POST, "/accounts".to_owned(), account("server-administrator")),
        (&admin, Method::PUT, format!("/accounts/{number}"), settings("auditor")),
        (&admin, Method::PUT, format!("/accounts/{number}/password"), json!({ "password": PASSWORD })),
        (&admin, Method::PUT, "/accounts/1".to_owned(), settings("server-administrator")),
        (&server, Method::POST, "/accounts".to_owned(), account("supervisor")),
        (&server, Method::PUT, "/accounts/1".to_owned(), settings("server-administrator")),
        (&server, Method::PUT, "/accounts/1/password".to_owned(), json!({ "password": PASSWORD })),
        (&server, Method::PUT, format!("/accounts/{number}"), settings("supervisor")),
    ] {
        let (status, problem) = user.call(method, &path, Some(body)).await;
        assert_eq!((status, problem["rule"].as_str()), (403, Some("role-not-kept")), "{path}: {problem}");
    }
    let mut disabled = settings("server-administrator");
    disabled["disabled"] = json!(true);
    let (status, problem) = server.call(Method::PUT, &format!("/accounts/{number}"), Some(disabled)).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("last-administrator")), "{problem}");
    assert_eq!(server.post("/accounts", account("server-administrator")).await.0, 201);
    // An organisation's own administrators have nothing to do with it.
    let acme = running.api().makes("acme").await;
    assert_eq!(acme.post("/accounts", account("server-administrator")).await.0, 403);
    assert_eq!(acme.get("/organisations").await.0, 403);
    running.server.stop().await;
}

/// What an organisation may have at most holds from when it is set, over a restart, and for it alone; what is there stays.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_has_no_more_than_its_limits() {
    let running = Running::start().await;
    let api = running.api();
    let admin = api.furnishes("acme", 2).await;
    let server = api.user("main", "server-admin", PASSWORD).await;
    let limits = json!({ "operators": 1, "services": 1, "waiting_calls": null, "waiting_chats": 1, "files_mib": 1 });
    let (status, told) = server.call(Method::PUT, "/organisations/acme/limits", Some(limits.clone())).await;
    assert_eq!((status, &told["limits"]), (200, &limits), "{told}");
    let (status, problem) = server.call(Method::PUT, "/organisations/main/limits", Some(limits.clone())).await;
    assert_eq!((status, problem["rule"].as_str()), (409, Some("main-organisation")));
    assert_eq!(admin.get("/floor").await.1["operators"].as_array().unwrap().len(), 2, "what is there stays");
    let put = json!({ "password": PASSWORD });
    assert_eq!(admin.call(Method::PUT, "/accounts/1/password", Some(put)).await.0, 204);

    let running = running.restart().await;
    let api = running.api();
    let server = api.user("main", "server-admin", PASSWORD).await;
    let admin = api.user("acme", "admin", PASSWORD).await;
    for path in ["/floor/operators", "/floor/services"] {
        let (_, mut one) = admin.get(&format!("{path}/0")).await;
        for own in ["cti_id", "cti_number"] {
            one.as_object_mut().unwrap().remove(own);
        }
        let (status, problem) = admin.changes(Method::POST, path, one).await;
        assert_eq!((status, problem["rule"].as_str()), (409, Some("organisation-limit")), "{path}: {problem}");
    }

    // A chat waits; for another there is no room.
    let operator = api.user("acme", "op1", PASSWORD).await;
    operator.does("login").await;
    let (status, told) =
        operator.call(Method::PUT, "/operators/0/chat-status", Some(json!({ "status": "available" }))).await;
    assert!(status < 300, "{told}");
    let chat = json!({ "organisation": "acme", "service": 0, "name": "花子", "text": "Hello?" });
    let opens = async || {
        let answer = running.client.post(running.url("/api/v1/customer/chats")).json(&chat).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    assert_eq!(opens().await.0, 201);
    let (status, problem) = opens().await;
    assert_eq!((status, &problem["rule"], &problem["instead"]), (409, &json!("chat-full"), &json!("inquiry-form")));

    // Files take no more room than they may; what is written is taken without them.
    let (_, mut service) = admin.get("/floor/services/0").await;
    service["help_centre"] = json!({ "inquiries": true });
    assert_eq!(admin.changes(Method::PUT, "/floor/services/0", service).await.0, 200);
    let centre = running.url("/api/v1/customer/help-centres/0");
    let inquires = async |bytes: usize| {
        let form = running.client.get(format!("{centre}/form?organisation=acme")).send().await.unwrap();
        let form = form.json::<Value>().await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(form["wait_ms"].as_u64().unwrap())).await;
        let content = STANDARD.encode(vec![b'x'; bytes]);
        let files = json!([{ "name": "a.txt", "media_type": "text/plain", "base64": content }]);
        let from = json!({ "name": "花子", "email": "hanako@example.jp" });
        let filled_in = json!({ "form": form["form"], "from": from, "subject": "a", "text": "b",
            "attachments": if bytes > 0 { files } else { json!([]) } });
        let address = format!("{centre}/inquiries?organisation=acme");
        let answer = running.client.post(address).json(&filled_in).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["rule"].clone())
    };
    assert_eq!(inquires(700 << 10).await, (201, Value::Null));
    assert_eq!(inquires(700 << 10).await, (409, json!("organisation-limit")));
    assert_eq!(inquires(0).await, (201, Value::Null));

    let none = json!({});
    assert_eq!(server.call(Method::PUT, "/organisations/acme/limits", Some(none)).await.0, 200);
    assert_eq!(inquires(700 << 10).await, (201, Value::Null), "the limit is taken back while it is served");
    running.server.stop().await;
}
