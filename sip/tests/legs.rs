//! Call legs between two stacks on a network that loses what the test tells it to, in virtual time.

mod support;

use callfloor_sip::RegistrationId;
use callfloor_sip::digest::Secret;
use callfloor_sip::{Admission, Bound, Credentials, Event, Invite, LegId, Order, Registration, Settings, Via};
use std::time::Duration;
use support::{ANSWER, Net, OFFER, invite, leg, words};

const MINUTE: Duration = Duration::from_secs(60);

/// The events of both sides and nothing left behind.
#[track_caller]
fn check(net: &Net, a: &[&str], b: &[&str]) {
    assert_eq!((words(&net.a.events), words(&net.b.events)), (owned(a), owned(b)), "{:#?}", net.log);
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|&w| w.to_owned()).collect()
}

/// After a minute no leg and no transaction is left.
#[track_caller]
fn clean(net: &mut Net) {
    net.pass(MINUTE);
    for side in [&net.a, &net.b] {
        let counters = side.stack.counters();
        assert_eq!((counters.legs(), counters.transactions()), (0, 0), "{:?} {:#?}", side.stack, net.log);
    }
}

const IN: &str = "incoming 300 from 0312345678";

#[test]
fn a_call_is_made_and_hung_up_by_either_side() {
    for by_a in [true, false] {
        let mut net = Net::new();
        let (out, inside) = net.call(invite());
        net.order_b(Order::Ring(inside));
        net.order_b(Order::Progress(inside, ANSWER.into()));
        net.order_b(Order::Answer(inside, ANSWER.into()));
        let (a, b) = if by_a {
            ("ended: hung up", "ended: the peer hung up")
        } else {
            ("ended: the peer hung up", "ended: hung up")
        };
        if by_a {
            net.order_a(Order::HangUp(out, None))
        } else {
            net.order_b(Order::HangUp(inside, None))
        }
        check(&net, &["ringing 180", "early media", "answered sdp", a], &[IN, "confirmed", b]);
        clean(&mut net);
    }
}

#[test]
fn every_message_lost_once_or_twice_still_makes_a_call() {
    for lost in 1..=2_usize {
        for what in ["INVITE sip", "SIP/2.0 200", "ACK ", "BYE ", "SIP/2.0 180"] {
            let mut net = Net::new();
            let mut left = lost;
            net.fate = Box::new(move |text| {
                let hit = text.starts_with(what) && left > 0;
                left -= usize::from(hit);
                !hit
            });
            let out = net.dial(invite());
            net.pass(Duration::from_secs(3));
            let inside = net.arrived();
            net.order_b(Order::Ring(inside));
            net.order_b(Order::Answer(inside, ANSWER.into()));
            net.pass(Duration::from_secs(8));
            net.order_a(Order::HangUp(out, None));
            net.pass(Duration::from_secs(8));
            let (a, b) = (words(&net.a.events), words(&net.b.events));
            assert_eq!(a.last().unwrap(), "ended: hung up", "{what} {:#?}", net.log);
            assert!(a.contains(&"answered sdp".to_owned()), "{what} {a:?}");
            assert_eq!(b, owned(&[IN, "confirmed", "ended: the peer hung up"]), "{what} {:#?}", net.log);
            clean(&mut net);
        }
    }
}

#[test]
fn the_caller_gives_up_and_the_callee_refuses() {
    let mut net = Net::new();
    let (out, inside) = net.call(invite());
    net.order_b(Order::Ring(inside));
    net.order_a(Order::HangUp(out, Some("SIP;cause=200".into())));
    // Too late: the leg is over.
    net.order_b(Order::Answer(inside, ANSWER.into()));
    check(&net, &["ringing 180", "ended: cancelled"], &[IN, "ended: the caller gave up"]);
    clean(&mut net);

    let mut net = Net::new();
    let (_, inside) = net.call(invite());
    net.order_b(Order::Reject { leg: inside, code: 503, reason: None, retry_after_s: Some(7) });
    let Some(Event::Ended { cause, .. }) = net.a.events.last() else { panic!("{:?}", net.log) };
    assert_eq!(
        *cause,
        callfloor_sip::Cause::Failed { code: 503, reason: "Service Unavailable".into(), retry_after_s: Some(7) }
    );
    clean(&mut net);
}

#[test]
fn an_answer_that_crosses_a_cancel_is_acknowledged_and_hung_up() {
    let mut net = Net::new();
    net.fate = Box::new(|text| !text.starts_with("CANCEL"));
    let (out, inside) = net.call(invite());
    net.order_b(Order::Ring(inside));
    net.order_a(Order::HangUp(out, None));
    net.order_b(Order::Answer(inside, ANSWER.into()));
    check(&net, &["ringing 180", "ended: cancelled"], &[IN, "confirmed", "ended: the peer hung up"]);
    clean(&mut net);
}

#[test]
fn a_silent_peer_ends_every_wait() {
    // Nothing at all comes back.
    let mut net = Net::new();
    net.fate = Box::new(|_| false);
    net.dial(invite());
    net.pass(Duration::from_secs(33));
    check(&net, &["ended: no response"], &[]);
    clean(&mut net);
    // The ACK never comes: BYE after 32 s.
    let mut net = Net::new();
    net.fate = Box::new(|text| !text.starts_with("ACK"));
    net.talk();
    net.pass(Duration::from_secs(40));
    check(&net, &["answered sdp", "ended: the peer hung up"], &[IN, "ended: the answer was not acknowledged"]);
    clean(&mut net);
    // Rings for ever.
    let mut net = Net::with(Settings { max_ring: Duration::from_secs(90), ..Settings::default() }, Settings::default());
    let (_, inside) = net.call(invite());
    net.order_b(Order::Ring(inside));
    net.pass(Duration::from_secs(100));
    let a = words(&net.a.events);
    assert_eq!(a.last().unwrap(), "ended: no response");
    // The ringing was said again after a minute.
    assert_eq!(a.iter().filter(|w| *w == "ringing 180").count(), 2);
    clean(&mut net);
    // The peer is gone before the BYE.
    let mut net = Net::new();
    let (out, _) = net.talk();
    net.fate = Box::new(|_| false);
    net.order_a(Order::HangUp(out, None));
    net.pass(Duration::from_secs(40));
    check(&net, &["answered sdp", "ended: hung up"], &[IN, "confirmed"]);
}

#[test]
fn hold_and_resume_from_both_sides_and_a_refused_offer() {
    let mut net = Net::new();
    let (out, inside) = net.talk();
    net.order_a(Order::Offer(out, OFFER.into()));
    net.order_b(Order::AcceptOffer(inside, ANSWER.into()));
    net.order_b(Order::Offer(inside, ANSWER.into()));
    net.order_a(Order::RefuseOffer(out, 488));
    // Two in a row: the second waits for the first.
    net.order_a(Order::Offer(out, OFFER.into()));
    net.order_a(Order::Offer(out, OFFER.into()));
    net.order_b(Order::AcceptOffer(inside, ANSWER.into()));
    net.order_b(Order::AcceptOffer(inside, ANSWER.into()));
    check(
        &net,
        &["answered sdp", "accepted sdp", "offer sdp", "accepted sdp", "accepted sdp"],
        &[IN, "confirmed", "offer sdp", "offer refused 488", "offer sdp", "offer sdp"],
    );
    net.order_b(Order::HangUp(inside, None));
    clean(&mut net);
}

#[test]
fn glare_is_tried_again_until_both_offers_are_through() {
    let mut net = Net::new();
    let (out, inside) = net.talk();
    net.a.stack.order(net.now, Order::Offer(out, OFFER.into()));
    net.b.stack.order(net.now, Order::Offer(inside, ANSWER.into()));
    net.settle();
    for _ in 0..60 {
        net.pass(Duration::from_millis(100));
        for (side, id, sdp) in [(&mut net.a, out, ANSWER), (&mut net.b, inside, ANSWER)] {
            let offers = side.events.iter().filter(|e| matches!(e, Event::Offer { .. })).count();
            if offers > 0 {
                side.stack.order(net.now, Order::AcceptOffer(id, sdp.into()));
            }
        }
        net.settle();
    }
    for side in [&net.a, &net.b] {
        let accepted = side.events.iter().filter(|e| matches!(e, Event::OfferAccepted { .. })).count();
        assert_eq!(accepted, 1, "{:#?}", net.log);
    }
    assert!(net.log.iter().any(|l| l.contains(" 491 ")));
}

#[test]
fn a_call_without_an_offer_gets_ours_and_answers_in_its_ack() {
    let mut net = Net::new();
    let (out, inside) = net.call(Invite { offer: None, ..invite() });
    net.order_b(Order::Answer(inside, OFFER.into()));
    net.pass(Duration::from_secs(2));
    check(&net, &["answered sdp"], &[IN]);
    net.order_a(Order::AcceptOffer(out, ANSWER.into()));
    check(&net, &["answered sdp"], &[IN, "confirmed sdp"]);
    net.order_a(Order::HangUp(out, None));
    clean(&mut net);
}

#[test]
fn session_timers_refresh_and_notice_a_peer_that_is_gone() {
    let short = Settings { session_expires_s: Some(90), ..Settings::default() };
    let mut net = Net::with(short.clone(), short);
    net.talk();
    for _ in 0..10 {
        net.pass(Duration::from_secs(30));
    }
    check(&net, &["answered sdp"], &[IN, "confirmed"]);
    let refreshed = net.log.iter().filter(|l| l.contains("UPDATE sip")).count();
    assert!((6..=7).contains(&refreshed), "{refreshed} {:#?}", net.log);
    net.fate = Box::new(|_| false);
    net.pass(Duration::from_secs(200));
    let (a, b) = (words(&net.a.events), words(&net.b.events));
    assert_eq!(a.last().unwrap(), "ended: the session timer ran out");
    assert_eq!(b.last().unwrap(), "ended: the session timer ran out");
}

#[test]
fn transfers_blind_and_attended() {
    let mut net = Net::new();
    let (out, inside) = net.talk();
    net.order_b(Order::Refer(inside, "sip:400@127.0.0.1:5060".into(), None));
    let Some(Event::Refer { request, .. }) = net.a.events.last() else { panic!("{:#?}", net.log) };
    let request = *request;
    net.order_a(Order::AnswerRefer(request, 202));
    net.order_a(Order::ReportRefer(request, 180));
    net.order_a(Order::ReportRefer(request, 200));
    let b = words(&net.b.events);
    assert_eq!(b[2..], owned(&["refer 100", "refer 180", "refer 200 done"]), "{:#?}", net.log);
    // Attended: b has two calls with a, and asks the first to take the second's place.
    let (_, second) = net.talk();
    net.order_b(Order::Refer(inside, "sip:400@127.0.0.1:5060".into(), Some(second)));
    let Some(Event::Refer { request, target, .. }) = net.a.events.last() else { panic!("{:#?}", net.log) };
    let replaced = target.replaces.clone().unwrap();
    assert!(replaced.leg.is_some());
    let request = *request;
    net.order_a(Order::AnswerRefer(request, 603));
    assert_eq!(words(&net.b.events).last().unwrap(), "refer 603 done");
    let _ = out;
}

#[test]
fn replaces_names_the_leg_that_is_to_be_replaced() {
    let mut net = Net::new();
    net.talk();
    // a is told by a third party to replace its own call with b: it knows the dialog as b's side would.
    let line = net.log.iter().position(|l| l.contains("ACK")).unwrap();
    assert!(line > 0);
    let wrong = callfloor_sip::Replaces {
        leg: None,
        call_id: "nobody".into(),
        to_tag: "1.2".into(),
        from_tag: "3".into(),
        early_only: false,
    };
    net.dial(Invite { replaces: Some(wrong), ..invite() });
    let a = words(&net.a.events);
    assert_eq!(a.last().unwrap(), "ended: the peer refused: 481 Call/Transaction Does Not Exist");
}

#[test]
fn keys_by_info() {
    let mut net = Net::new();
    let (out, _) = net.talk();
    for key in ['5', '#', 'x'] {
        net.order_a(Order::SendDtmf(out, key, 160));
    }
    check(&net, &["answered sdp"], &[IN, "confirmed", "key 5", "key #"]);
}

#[test]
fn a_phone_registers_refreshes_and_leaves() {
    let mut net = Net::new();
    let registration = Registration {
        registrar: "sip:127.0.0.1:5070".into(),
        user: "tanaka".into(),
        domain: None,
        credentials: Credentials { user: "tanaka".into(), password: "secret".into() },
        expires_s: 60,
        via: Via::Uri,
    };
    let id = RegistrationId::from_number(77);
    net.order_a(Order::Register(id, Box::new(registration.clone()), None));
    let serve = |net: &mut Net, password: &str| {
        let Some(Event::Register(request)) = net.b.events.last().cloned() else { panic!("{:#?}", net.log) };
        if request.proof.verify(&Secret::ha1("tanaka", "callfloor", password)) {
            let bound = request.contacts.iter().filter(|c| c.expires_s > 0);
            let bound = bound.map(|c| Bound { uri: c.uri.clone(), expires_s: c.expires_s }).collect();
            net.order_b(Order::AcceptRegister(request.id, bound));
        } else {
            net.order_b(Order::Refuse(request.id, 403));
        }
    };
    serve(&mut net, "secret");
    assert_eq!(words(&net.a.events), ["registered 60"]);
    net.pass(Duration::from_secs(49));
    serve(&mut net, "secret");
    net.order_a(Order::Unregister(id));
    serve(&mut net, "secret");
    assert_eq!(words(&net.a.events), ["registered 60", "registered 60", "unregistered"]);
    net.order_a(Order::Register(RegistrationId::from_number(78), Box::new(registration), None));
    serve(&mut net, "other");
    assert_eq!(words(&net.a.events).last().unwrap(), "registration failed Some(403)");
    clean(&mut net);
}

/// A registrar for several domains: each challenges for its own realm, and a password of one is worth nothing in another.
#[test]
fn the_domain_that_a_phone_registers_at_is_its_realm() {
    let mut net = Net::new();
    net.order_b(Order::Realms(vec!["acme.example".into(), "beta.example".into()]));
    let domains = [("ACME.example", "acme.example"), ("beta.example", "beta.example"), ("192.0.2.1", "callfloor")];
    for (number, (domain, realm)) in (70..).zip(domains) {
        let registration = Registration {
            registrar: "sip:127.0.0.1:5070".into(),
            user: "tanaka".into(),
            domain: Some(domain.into()),
            credentials: Credentials { user: "tanaka".into(), password: "secret".into() },
            expires_s: 60,
            via: Via::Uri,
        };
        net.order_a(Order::Register(RegistrationId::from_number(number), Box::new(registration), None));
        let Some(Event::Register(request)) = net.b.events.last() else { panic!("{:#?}", net.log) };
        assert_eq!((&*request.domain, &*request.proof.realm), (&*domain.to_lowercase(), realm));
        for (_, other) in domains {
            assert_eq!(request.proof.verify(&Secret::ha1("tanaka", other, "secret")), other == realm, "{other}");
        }
    }
}

#[test]
fn a_challenged_call_comes_again_with_a_proof() {
    let mut net = Net::new();
    let credentials = Some(Credentials { user: "trunk".into(), password: "pw".into() });
    let (_, first) = net.call(Invite { credentials, ..invite() });
    net.order_b(Order::Challenge(first, "callfloor".into()));
    let Some(Event::Incoming(call)) = net.b.events.last() else { panic!("{:#?}", net.log) };
    assert!(call.proof.as_ref().unwrap().verify(&Secret::Password("pw".into())));
    let second = call.leg;
    net.order_b(Order::Answer(second, ANSWER.into()));
    assert_eq!(words(&net.a.events), ["answered sdp"]);
}

#[test]
fn admission_refuses_at_once_and_recovers() {
    let mut net = Net::with(
        Settings::default(),
        Settings {
            admission: Admission { max_legs: 1, retry_after_s: 9, ..Admission::default() },
            ..Settings::default()
        },
    );
    let (out, _) = net.talk();
    let before = net.b.stack.counters().transactions();
    net.dial(invite());
    let Some(Event::Ended { cause: callfloor_sip::Cause::Failed { code, retry_after_s, .. }, .. }) =
        net.a.events.last()
    else {
        panic!("{:#?}", net.log)
    };
    assert_eq!((*code, *retry_after_s, net.b.stack.counters().shed()), (503, Some(9), 1));
    assert_eq!(net.b.stack.counters().transactions(), before, "a refusal leaves nothing behind");
    net.order_a(Order::HangUp(out, None));
    net.talk();
    assert_eq!(words(&net.a.events).last().unwrap(), "answered sdp");
}

#[test]
fn shutdown_takes_leave_of_everybody() {
    let mut net = Net::new();
    net.talk();
    net.talk();
    net.call(invite());
    net.order_b(Order::Shutdown);
    assert!(net.b.stack.is_finished());
    assert_eq!(net.a.events.iter().filter(|e| matches!(e, Event::Ended { .. })).count(), 3);
    net.dial(invite());
    assert!(matches!(net.a.events.last(), Some(Event::Ended { .. })));
    clean(&mut net);
}

/// Forks, reliable provisional responses and loops need a peer that a stack would not be: it is written by hand.
#[test]
fn every_fork_that_answers_is_acknowledged_and_all_but_one_hung_up() {
    let mut net = Net::new();
    net.fate = Box::new(|_| false);
    net.dial(invite());
    let invite_text = sent(&mut net);
    for (tag, expected) in [("one", "ACK"), ("two", "ACK BYE"), ("one", "ACK"), ("two", "ACK")] {
        let reply = answer_to(&invite_text, "200 OK", tag, "Contact: <sip:x@127.0.0.1:5070>\r\n", ANSWER);
        receive_a(&mut net, &reply);
        let methods: Vec<String> = drain(&mut net).iter().map(|m| m.split(' ').next().unwrap().to_owned()).collect();
        assert_eq!(methods.join(" "), expected, "{tag}");
    }
}

#[test]
fn a_reliable_provisional_response_is_acknowledged_once() {
    let mut net = Net::new();
    net.fate = Box::new(|_| false);
    net.dial(invite());
    let invite_text = sent(&mut net);
    let extra = "Contact: <sip:x@127.0.0.1:5070>\r\nRequire: 100rel\r\nRSeq: 5\r\n";
    let reply = answer_to(&invite_text, "183 Session Progress", "one", extra, ANSWER);
    receive_a(&mut net, &reply);
    let out = drain(&mut net);
    assert!(out.len() == 1 && out[0].starts_with("PRACK ") && out[0].contains("\r\nRAck: 5 1 INVITE\r\n"), "{out:?}");
    receive_a(&mut net, &reply);
    assert!(drain(&mut net).is_empty());
    net.settle();
    assert_eq!(words(&net.a.events), ["early media"]);
}

#[test]
fn a_caller_that_requires_100rel_is_rung_reliably() {
    let mut net = Net::new();
    let call = request("INVITE", 1, "z9hG4bK1", "", "Require: 100rel\r\nContact: <sip:c@127.0.0.1:5070>\r\n", OFFER);
    receive_a(&mut net, &call);
    drain(&mut net);
    let leg = incoming_of_a(&mut net);
    net.a.stack.order(net.now, Order::Ring(leg));
    let ringing = drain(&mut net).pop().unwrap();
    assert!(ringing.contains("Require: 100rel\r\n"), "{ringing}");
    let tag = to_tag(&ringing);
    net.a.stack.order(net.now, Order::Answer(leg, ANSWER.into()));
    assert!(drain(&mut net).is_empty(), "the answer waits for the PRACK");
    let rseq = ringing.lines().find_map(|l| l.strip_prefix("RSeq: ")).unwrap().to_owned();
    let rack = format!("RAck: {rseq} 1 INVITE\r\n");
    receive_a(&mut net, &request("PRACK", 2, "z9hG4bK2", &tag, &rack, ""));
    let out = drain(&mut net);
    assert!(out[0].contains("CSeq: 2 PRACK") && out[1].contains("CSeq: 1 INVITE"), "{out:?}");
    assert!(out[1].starts_with("SIP/2.0 200"));
}

#[test]
fn the_same_request_by_another_path_is_a_loop_and_an_unknown_dialog_is_not_there() {
    let mut net = Net::new();
    let contact = "Contact: <sip:c@127.0.0.1:5070>\r\n";
    receive_a(&mut net, &request("INVITE", 1, "z9hG4bK1", "", contact, OFFER));
    drain(&mut net);
    let mut code = |text: String| {
        receive_a(&mut net, &text);
        drain(&mut net).pop().and_then(|t| t.get(8..11).map(str::to_owned)).unwrap_or_default()
    };
    assert_eq!(code(request("INVITE", 1, "z9hG4bK2", "", contact, OFFER)), "482");
    assert_eq!(code(request("BYE", 2, "z9hG4bK3", "7.1", "", "")), "481");
    assert_eq!(code(request("CANCEL", 1, "z9hG4bK9", "", "", "")), "481");
    assert_eq!(code(request("SUBSCRIBE", 1, "z9hG4bK4", "", "", "")), "489");
    assert_eq!(code(request("MESSAGE", 1, "z9hG4bK5", "", "", "")), "405");
    assert_eq!(code(request("FLY", 1, "z9hG4bK6", "", "", "")), "501");
    assert_eq!(code(request("OPTIONS", 1, "z9hG4bK7", "", "", "")), "200");
    assert_eq!(code(request("INVITE", 3, "z9hG4bK8", "", "Require: nonsense\r\n", OFFER)), "420");
    assert_eq!(code(request("ACK", 3, "z9hG4bKa", "7.1", "", "")), "");
}

#[test]
fn routes_of_the_dialog_are_followed() {
    let mut net = Net::new();
    net.fate = Box::new(|_| false);
    let out = net.dial(invite());
    let invite_text = sent(&mut net);
    let extra = concat!(
        "Contact: <sip:x@10.9.9.9:5070>\r\nRecord-Route: <sip:127.0.0.1:5070;lr>\r\n",
        "Record-Route: <sip:127.0.0.1:5071;lr>\r\n"
    );
    receive_a(&mut net, &answer_to(&invite_text, "200 OK", "one", extra, ANSWER));
    let ack = net.a.stack.poll_transmit().unwrap();
    let text = String::from_utf8_lossy(&ack.bytes).into_owned();
    // The route set is reversed for the caller: the last one is the nearest.
    assert_eq!(ack.flow.remote.port(), 5071);
    assert!(text.starts_with("ACK sip:x@10.9.9.9:5070 SIP/2.0"), "{text}");
    let first = text.find("Route: <sip:127.0.0.1:5071;lr>").unwrap();
    assert!(first < text.find("Route: <sip:127.0.0.1:5070;lr>").unwrap());
    let _ = (out, leg(0));
}

fn sent(net: &mut Net) -> String {
    net.a.stack.order(net.now, Order::HangUp(leg(999), None));
    // The first message was lost on the network: it comes again after T1.
    net.now += Duration::from_millis(500);
    net.a.stack.advance(net.now);
    drain(net).pop().unwrap()
}

fn drain(net: &mut Net) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(message) = net.a.stack.poll_transmit() {
        out.push(String::from_utf8_lossy(&message.bytes).into_owned());
    }
    out
}

fn receive_a(net: &mut Net, text: &str) {
    let flow = support::Side::flow(net.b.address);
    net.a.stack.receive(net.now, flow, text.as_bytes());
}

fn incoming_of_a(net: &mut Net) -> LegId {
    while let Some(event) = net.a.stack.poll_event() {
        if let Event::Incoming(call) = event {
            return call.leg;
        }
    }
    panic!("no call came in")
}

fn line<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().find(|l| l.starts_with(name)).unwrap()
}

fn to_tag(text: &str) -> String {
    line(text, "To: ").rsplit("tag=").next().unwrap().to_owned()
}

fn answer_to(invite: &str, status: &str, tag: &str, extra: &str, sdp: &str) -> String {
    let lines = ["Via: ", "From: ", "Call-ID: ", "CSeq: "].map(|name| line(invite, name));
    let to = line(invite, "To: ");
    let n = sdp.len();
    format!(
        "SIP/2.0 {status}\r\n{}\r\n{to};tag={tag}\r\n{extra}Content-Type: application/sdp\r\nContent-Length: {n}\r\n\r\n{sdp}",
        lines.join("\r\n")
    )
}

fn request(method: &str, cseq: u32, branch: &str, to_tag: &str, extra: &str, sdp: &str) -> String {
    let tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    let n = sdp.len();
    let kind = if sdp.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:300@127.0.0.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch={branch}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:c@127.0.0.1>;tag=ft\r\nTo: <sip:300@127.0.0.1>{tag}\r\nCall-ID: by-hand\r\n\
         CSeq: {cseq} {method}\r\n{extra}{kind}Content-Length: {n}\r\n\r\n{sdp}"
    )
}
