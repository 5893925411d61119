//! Faults that random runs once found, each as the short script that showed it.

use callfloor_engine::script::{Said, Script};
use callfloor_engine::{EndCause, Event, Output, Span, Work};

/// Runs a script with every invariant checked after each line; the events, in order.
fn events(text: &str) -> Vec<Event> {
    let script = Script::parse(text).unwrap_or_else(|error| panic!("{error}"));
    let mut player = script.play();
    while player.step() {
        player.engine().check().unwrap_or_else(|violation| panic!("{violation}"));
    }
    let said = player.into_lines().into_iter().map(|line| line.said);
    said.filter_map(|said| match said {
        Said::Output(Output::Event(event)) => Some(event),
        Said::Refused(rejection) => panic!("{rejection}"),
        _ => None,
    })
    .collect()
}

/// The limit of a forced end left its deadline set in the call, whose end then cancelled somebody else's.
#[test]
fn forced_end_by_limit_cancels_nobody_elses_deadline() {
    let found = events(
        "floor
           service shop inbound outbound
             flow: queue billing
             set login ready; forced-end-limit 3s; ring-limit 60s; after-call 10s timed then work
           queue billing
           operator a of shop queues billing
           operator b of shop queues billing
         t=0 log in operator a
         t=0 call -> shop
         t=1 operator a answers offer 1
         t=2 operator a forces end abuse
         t=3 log in operator b
         t=4 call -> shop
         t=100 call -> shop",
    );
    let forced = |event: &Event| matches!(event, Event::CallEnded(record) if matches!(record.cause, EndCause::ForcedByOperator(_)));
    assert_eq!(found.iter().filter(|event| forced(event)).count(), 1);
    let timed_out = found.iter().any(|event| {
        matches!(event, Event::OfferEnded { end: callfloor_engine::OfferEnd::TimedOut, rang, .. }
            if *rang == Span::from_seconds(60))
    });
    assert!(timed_out, "the second call's ring limit still fires: {found:#?}");
}

/// A customer who had been answered, waited again and then too long, was sent on as if nobody had ever answered, with
/// the talk counted as waiting: a served customer has no maximum wait.
#[test]
fn answered_customer_who_waits_again_has_no_maximum_wait() {
    let found = events(
        "floor
           service shop inbound outbound
             flow: queue billing
             set login ready; consult-limit 5s; ring-limit 60s
           queue billing max-wait 15s
           operator a of shop queues billing
           operator b of shop
         t=0 log in operator a
         t=0 log in operator b
         t=0 call -> shop
         t=2 operator a answers offer 1
         t=10 operator a transfers to operator b
         t=60 operator a ready
         t=70 operator a answers offer 3",
    );
    assert!(
        !found.iter().any(|event| matches!(event, Event::CallEnded(_) | Event::CallFlowedOut { .. })),
        "{found:#?}"
    );
    assert!(matches!(
        found.iter().rev().find(|event| !matches!(event, Event::TicketChanged { .. })),
        Some(Event::CallResumed { .. })
    ));
}

/// A chat that one operator had missed did not go back to them when the only other one, logged out until then, logged
/// in on Break.
#[test]
fn missed_chat_returns_when_the_other_operator_logs_in_on_break() {
    let found = events(
        "floor
           service shop inbound outbound
             flow: queue billing
             set login break for 18; miss stays-ready break after 0
           queue billing
           queue web of shop chat fixed-order ring 1s
           operator a of shop queues web chats 3
           operator b of shop queues web chats 2
         t=0 operator a chats available
         t=0 operator b chats available
         t=2 chat -> web priority 1
         t=2 chat -> web priority 2
         t=6 chat -> web prefers operator b
         t=7 log in operator b",
    );
    assert!(found.iter().any(|event| matches!(event, Event::OfferMade { .. })));
}

/// When the only other operator stopped taking calls, what was missed went back by slot, not in the order of service.
#[test]
fn missed_calls_go_back_in_the_order_of_service() {
    let found = events(
        "floor
           service shop inbound
             flow: queue one; queue two
             set login ready; ring-limit 14s; miss stays-ready break after 0; after-call 11s capped then work for 16
           service bank
             flow: queue two
             set login work; ring-limit 7s
           queue one of shop phone fixed-order
           queue two of bank phone fixed-order
           operator a of shop, bank queues one, two
           operator b of shop, bank queues one, two
         t=7.037342 call -> shop
         t=8.037342 log in operator b
         t=22.037342 call -> shop
         t=22.037342 operator b answers offer 2
         t=42.914749 call 2 hangs up
         t=76.91797 log in operator a
         t=78.715833 call -> shop
         t=94.715834 call -> shop step 1
         t=101.715833 operator b hangs up
         t=112.715834 wait",
    );
    let offered: Vec<u32> = found
        .iter()
        .filter_map(|event| match event {
            Event::OfferMade { work: Work::Call(call), .. } => Some(call.number()),
            _ => None,
        })
        .collect();
    assert_eq!(offered.last(), Some(&3), "call 3 came before call 4: {offered:?}");
}

/// The record of a call that an operator handed on to a number outside named nobody.
#[test]
fn record_names_who_handed_the_call_on() {
    let found = events(
        "floor
           service shop inbound outbound
             flow: queue billing
             set login ready
           queue billing
           operator ann phone id ann number 201 queues billing
         t=0 log in operator ann
         t=1 call 1 -> shop
         t=2 operator ann answers
         t=5 operator ann transfers to number +81399990000
         t=8 target of call 1 answers
         t=9 call 1 hangs up",
    );
    let record = found.iter().find_map(|event| match event {
        Event::CallEnded(record) => Some(*record),
        _ => None,
    });
    let record = record.expect("the call ended");
    assert_eq!((record.cause, record.operator.map(|operator| operator.0)), (EndCause::TransferredOut, Some(0)));
}
