//! Telephones of several organisations at one address: the domain, the number or the carrier says whose a call is.

use std::net::SocketAddr;
use std::time::Duration;

use callfloor_engine::{Event, Output};
use callfloor_server::config::Config;
use callfloor_server::host::{Subscription, Unavailable};
use callfloor_server::http::Problem;
use callfloor_sip::Cause;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::organisation::{Api, domain};
use crate::support::{PASSWORD, Running, User, serve_as};
use crate::telephone::{Telephone, free_port, port_range};

/// A server with telephones, and more configuration.
async fn start(more: &str) -> (Running, SocketAddr) {
    let ports = port_range(200);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:{}\"\n[media]\nfirst_port = {}\nlast_port = {}\n{more}",
        free_port(),
        ports.start(),
        ports.end()
    );
    let directory = tempfile::tempdir().unwrap();
    let server = serve_as(directory.path(), &Config::read("test", &text, []).unwrap()).await;
    let sip = server.sip()[0];
    (Running { server, directory, client: Client::new() }, sip)
}

impl Running {
    fn listens(&self, organisation: &str) -> Subscription {
        let tenant = self.server.tenants().named(Some(organisation)).expect("it is served");
        tenant.host.hub().subscribe(None).unwrap()
    }
}

/// Waits until a call arrives.
async fn arrives(events: &mut Subscription) {
    let wait = async {
        loop {
            let happened = events.live.recv().await.expect("the server runs");
            if matches!(happened.output, Output::Event(Event::CallArrived { .. })) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("a call arrives in 20 s");
}

/// How many calls an organisation has taken.
fn taken(events: &mut Subscription) -> usize {
    let all = std::iter::from_fn(|| events.live.try_recv().ok());
    all.filter(|happened| matches!(happened.output, Output::Event(Event::CallArrived { .. }))).count()
}

/// An operator of an organisation who is Ready, with a telephone that is registered.
async fn ready(api: &Api, sip: SocketAddr, organisation: &str) -> (User, Telephone) {
    let user = api.user(organisation, "op1", PASSWORD).await;
    let mut telephone = Telephone::new().await;
    telephone.registers_at(sip, &domain(organisation), "op1", PASSWORD).await.expect("it is registered");
    user.does("login").await;
    user.set_status("ready").await;
    (user, telephone)
}

/// The same login, extension and number in two organisations: each one's calls ring at its own telephones, by its domain.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_rings_in_the_organisation_whose_domain_it_names() {
    let (running, sip) = start("").await;
    let api = running.api();
    for (organisation, operators) in [("acme", 1), ("beta", 2)] {
        api.furnishes(organisation, operators).await;
    }
    for organisation in ["acme", "beta"] {
        let (user, mut telephone) = ready(&api, sip, organisation).await;
        let mut customer = Telephone::new().await;
        let calling = async {
            customer.calls_at(sip, &domain(organisation), "0312345678").await.expect("it is answered");
            customer
        };
        let (mut customer, ()) = tokio::join!(calling, telephone.answers());
        // The second organisation's operator is idle while the first one's talks, and the other way round.
        let mut tries = 0;
        while user.desk().await["status"] != "talking" {
            tries += 1;
            assert!(tries < 200, "{}", user.desk().await);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        customer.hangs_up().await;
        telephone.ended().await;
    }
    for organisation in ["acme", "beta"] {
        let supervisor = api.user(organisation, "supervisor", PASSWORD).await;
        let (_, records) = supervisor.get("/call-records").await;
        assert_eq!(records["items"].as_array().unwrap().len(), 1, "{records}");
    }
    // A telephone that only another organisation has is nobody's here.
    let mut stranger = Telephone::new().await;
    assert_eq!(stranger.registers_at(sip, "acme.example", "op2", PASSWORD).await, Err(Some(403)));
    running.server.stop().await;
}

/// Numbers that the server's administrators gave an organisation lead to it, whatever the address; other numbers are the main
/// organisation's.
#[tokio::test(flavor = "multi_thread")]
async fn a_number_leads_to_its_organisation() {
    let (running, sip) = start("").await;
    let api = running.api();
    api.furnishes("acme", 1).await;
    let server = api.user("main", "server-admin", PASSWORD).await;
    let numbers = json!({ "name": "acme", "numbers": ["0398765432"] });
    let (status, told) = server.call(Method::PUT, "/organisations/acme", Some(numbers)).await;
    assert_eq!(status, 200, "{told}");
    let (mut main, mut acme) = (running.listens("main"), running.listens("acme"));
    let address = sip.to_string();
    for (number, events) in [("0398765432", &mut acme), ("0312345678", &mut main)] {
        let mut customer = Telephone::new().await;
        let calling = async {
            // It waits in the queue, and hears music.
            customer.calls_at(sip, &address, number).await.expect("it is answered");
            customer
        };
        let (mut customer, ()) = tokio::join!(calling, arrives(events));
        customer.hangs_up().await;
    }
    assert_eq!((taken(&mut main), taken(&mut acme)), (0, 0), "each call was taken once");
    running.server.stop().await;
}

/// A carrier of an organisation's own brings that organisation's calls, and no other's.
#[tokio::test(flavor = "multi_thread")]
async fn a_carrier_of_ones_own_brings_ones_own_calls() {
    let (running, sip) = start("[trunks.acme]\naddress = \"127.0.0.1:5999\"\norganisation = \"acme\"\n").await;
    let api = running.api();
    for organisation in ["acme", "beta"] {
        api.furnishes(organisation, 1).await;
    }
    let mut acme = running.listens("acme");
    let mut customer = Telephone::new().await;
    let address = sip.to_string();
    let calling = async {
        customer.calls_at(sip, &address, "0312345678").await.expect("it is answered");
        customer
    };
    let (mut customer, ()) = tokio::join!(calling, arrives(&mut acme));
    customer.hangs_up().await;
    let mut customer = Telephone::new().await;
    let refused = customer.calls_at(sip, "beta.example", "0312345678").await;
    assert!(matches!(refused, Err(Cause::Failed { code: 403, .. })), "{refused:?}");
    running.server.stop().await;
}

/// A call to an organisation whose host has ended is refused at once, whatever ended it; another's goes on.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_whose_host_has_ended_refuses_calls() {
    let (running, sip) = start("").await;
    let api = running.api();
    for organisation in ["acme", "beta", "gamma"] {
        api.furnishes(organisation, 1).await;
    }
    let host = |organisation| running.server.tenants().named(Some(organisation)).expect("it is served").host.clone();
    let mut other = Telephone::new().await;
    other.calls_at(sip, "gamma.example", "0312345678").await.expect("it is answered");
    let mut customer = Telephone::new().await;
    customer.calls_at(sip, "acme.example", "0312345678").await.expect("it is answered");

    host("acme").stop();
    assert_eq!(customer.ended().await, Cause::PeerHungUp, "its calls are hung up");
    let crashed = host("beta").run(|_| -> Result<(), Problem> { panic!("a fault of ours, on purpose") }).await;
    assert!(matches!(crashed, Err(Unavailable::Stopped(_))), "{crashed:?}");
    for organisation in ["acme", "beta"] {
        let mut tries = 0;
        while !host(organisation).has_stopped() {
            tries += 1;
            assert!(tries < 500, "{organisation} has not ended");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        for _ in 0..3 {
            let mut late = Telephone::new().await;
            let refused = late.calls_at(sip, &domain(organisation), "0312345678").await;
            assert!(matches!(refused, Err(Cause::Failed { code: 503, .. })), "{organisation}: {refused:?}");
        }
        let mut phone = Telephone::new().await;
        let refused = phone.registers_at(sip, &domain(organisation), "op1", PASSWORD).await;
        assert_eq!(refused, Err(Some(503)), "{organisation}");
        // By HTTP too.
        let body = json!({ "organisation": organisation, "login": "op1", "password": PASSWORD });
        let answer = running.client.post(running.url("/api/v1/sessions")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 503, "{organisation}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let body = json!({ "organisation": organisation, "service": 0, "number": "09011112222" });
        let answer = running.client.post(running.url("/api/v1/customer/callbacks")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 503, "{organisation}");
    }
    assert!(other.hears(Duration::from_millis(300)).await.iter().any(|sample| *sample != 0), "another's call goes on");
    other.hangs_up().await;

    // Whoever runs the server serves it again.
    let server = api.user("main", "server-admin", PASSWORD).await;
    assert_eq!(server.post("/organisations/acme/resume", Value::Null).await.0, 200);
    let mut customer = Telephone::new().await;
    customer.calls_at(sip, "acme.example", "0312345678").await.expect("it waits in the queue");
    customer.hangs_up().await;
    running.server.stop().await;
}

/// Suspension hangs up what talks and refuses what comes, there alone; resumption takes calls again.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_organisation_has_no_telephones() {
    let (running, sip) = start("").await;
    let api = running.api();
    for organisation in ["acme", "beta"] {
        api.furnishes(organisation, 1).await;
    }
    let server = api.user("main", "server-admin", PASSWORD).await;
    let (_user, mut telephone) = ready(&api, sip, "acme").await;
    let mut customer = Telephone::new().await;
    let calling = async {
        customer.calls_at(sip, "acme.example", "0312345678").await.expect("it is answered");
        customer
    };
    let (mut customer, ()) = tokio::join!(calling, telephone.answers());
    let mut other = Telephone::new().await;
    other.calls_at(sip, "beta.example", "0312345678").await.expect("it is answered");

    assert_eq!(server.post("/organisations/acme/suspend", Value::Null).await.0, 200);
    assert_eq!(customer.ended().await, Cause::PeerHungUp);
    telephone.ended().await;
    let mut late = Telephone::new().await;
    let refused = late.calls_at(sip, "acme.example", "0312345678").await;
    assert!(matches!(refused, Err(Cause::Failed { code: 503, .. })), "{refused:?}");
    let mut phone = Telephone::new().await;
    let refused = phone.registers_at(sip, "acme.example", "op1", PASSWORD).await;
    assert_eq!(refused, Err(Some(503)));
    assert!(other.hears(Duration::from_millis(300)).await.iter().any(|sample| *sample != 0), "another's call goes on");

    assert_eq!(server.post("/organisations/acme/resume", Value::Null).await.0, 200);
    let supervisor = api.user("acme", "supervisor", PASSWORD).await;
    assert_eq!(supervisor.get("/calls").await.1, json!([]), "the call that was hung up is over");
    let mut customer = Telephone::new().await;
    customer.calls_at(sip, "acme.example", "0312345678").await.expect("it waits in the queue");
    customer.hangs_up().await;
    other.hangs_up().await;
    running.server.stop().await;
}

/// As many calls wait in an organisation as it may have: the next finds it busy, and nobody else is held up.
#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_is_busy_when_as_many_wait_as_may() {
    let (running, sip) = start("").await;
    let api = running.api();
    api.furnishes("acme", 1).await;
    let server = api.user("main", "server-admin", PASSWORD).await;
    let (status, told) =
        server.call(Method::PUT, "/organisations/acme/limits", Some(json!({ "waiting_calls": 1 }))).await;
    assert_eq!(status, 200, "{told}");
    let mut waits = Telephone::new().await;
    waits.calls_at(sip, "acme.example", "0312345678").await.expect("it waits with music");
    let mut next = Telephone::new().await;
    let refused = next.calls_at(sip, "acme.example", "0312345678").await;
    assert!(matches!(refused, Err(Cause::Failed { code: 486, .. })), "{refused:?}");
    let mut elsewhere = Telephone::new().await;
    elsewhere.calls_at(sip, &sip.to_string(), "0312345678").await.expect("main has no limit");
    waits.hangs_up().await;
    for tries in 0.. {
        match next.calls_at(sip, "acme.example", "0312345678").await {
            Ok(()) => break,
            Err(busy) => assert!(tries < 50, "{busy:?}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    running.server.stop().await;
}
