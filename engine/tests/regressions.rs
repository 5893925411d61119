//! Faults that random runs once found, each as the short script that showed it.

mod support;

use callfloor_engine::script::{Said, Script};
use callfloor_engine::{EndCause, Event, Output, Span, Work};
use support::check_only;

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

/// Leaving Pending set the first-response limit anew, as if no time had been counted, so that it passed twice; and the
/// clock ran on in Pending, where both clocks stand.
#[test]
fn b16_first_response_limit_of_a_reopened_ticket_counts_what_has_passed() {
    check_only(
        "service shop inbound
           flow: queue billing
           set first-response 20s
         queue billing
         operator 1
         t=0 ticket a -> shop
         t=5 ticket a pending
         t=15 ticket a open
         t=35 ticket a solved
         t=40 ticket a open
         t=100 wait",
        &["late"],
        "t=30 ticket a (version 4): the first reply is late",
    );
}

/// Relaxations that the old configuration had applied were counted against the new one's list.
#[test]
fn new_relaxations_count_from_the_wait_so_far() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing first-level 0 relax after 5s level 1
         operator 1 queues billing level 1
         t=0 call a -> shop
         t=6 reconfigure
           queue billing relax after 60s level 1
         t=7 log in operator 1
         t=61 wait",
        &["ring operator"],
        "t=60 ring operator 1 for call a until 00:01:15.000 (offer 1)",
    );
}

/// A call that was queued before its queue had a maximum wait was thrown out at its next missed ring.
#[test]
fn new_maximum_wait_ends_nobodys_wait_after_a_missed_ring() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready; ring-limit 10s
         queue billing
         operator 1
         t=0 log in operator 1; call a -> shop
         t=5 reconfigure
           queue billing max-wait 60s
         t=100 wait",
        &["call a"],
        "t=0 call a arrived at service shop
         call a queued in queue billing
         play music 1 to customer of call a
         offer 1 of call a to operator 1 from queue billing until 00:00:10.000
         operator 1: Ready -> Ringing (call a)
         ring operator 1 for call a until 00:00:10.000 (offer 1)
         t=10 offer 1 of call a to operator 1 timed out after 10 s
         call a went back to queue billing",
    );
}

/// Who was idle for calls kept their place among the idle when a chat was offered to them: round robin counted the
/// offers of one channel only.
#[test]
fn offered_chat_makes_an_operator_last_in_the_round_of_calls_too() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing round-robin
         queue talk chat round-robin
         operator 1 points 200 chats 1
         operator 2 points 200 chats 1
         t=0 log in operator 1; log in operator 2; operator 1 chats available
         t=1 chat a -> talk
         t=2 call b -> shop",
        &["ring operator"],
        "t=1 ring operator 1 for chat a until 00:00:16.000 (offer 1)
         t=2 ring operator 2 for call b until 00:00:17.000 (offer 2)",
    );
}

/// Ticket offers of somebody who logged out ended in the order of their slots in memory.
#[test]
fn ticket_offers_of_a_leaver_end_in_the_order_of_offering() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready; miss stays-ready
         queue billing
         queue mail ticket
         operator 1 tickets 2
         t=0 log in operator 1
         t=1 ticket a -> shop queue mail; ticket b -> shop queue mail
         t=2 operator 1 declines ticket a
         t=3 log out operator 1",
        &["rescinded"],
        "t=3 offer 2 of ticket b to operator 1 was rescinded after 2 s
         offer 3 of ticket a to operator 1 was rescinded after 1 s",
    );
}

/// Tickets that rested during a call were not counted when a new configuration took points away; they passed what was
/// left as soon as the call was over.
#[test]
fn points_are_not_taken_away_from_work_that_rests() {
    check_only(
        "floor
           blending phone 60 ticket 100
           service shop inbound
             flow: queue billing
             set login ready
           queue billing
           queue mail ticket
           operator 1 points 200 tickets 2
         t=0 log in operator 1
         t=1 ticket a -> shop queue mail; ticket b -> shop queue mail
         t=2 operator 1 answers ticket a; operator 1 answers ticket b
         t=3 call c -> shop
         t=4 operator 1 answers call c
         t=5 reconfigure
           operator 1 points 100
         t=6 operator 1 hangs up
         t=7 operator 1 ready",
        &["refused"],
        "t=5 refused: the new configuration cannot be used: operator 1 has more work in hand than 100 points allow",
    );
}

/// A call was offered to somebody whose tickets rested under a chat alone; the chat ended first, and call and tickets
/// passed their points.
#[test]
fn b2_a_call_fits_beside_tickets_that_rest_under_chats_alone() {
    check_only(
        "floor
           blending phone 30 chat 20 ticket 40 no-phone-interrupts-tickets phone-interrupts-chats
           service shop inbound
             flow: queue billing
             set login ready
           queue billing
           queue mail ticket
           queue talk chat
           operator 1 points 60 tickets 1 chats 1
         t=0 log in operator 1; operator 1 chats available
         t=1 ticket a -> shop queue mail
         t=2 operator 1 answers ticket a
         t=3 chat b -> talk
         t=4 operator 1 answers chat b
         t=5 call c -> shop
         t=6 chat b leaves
         t=7 operator 1 finishes ticket a",
        &["ring operator"],
        "t=1 ring operator 1 for ticket a until 00:00:16.000 (offer 1)
         t=3 ring operator 1 for chat b until 00:00:18.000 (offer 2)
         t=7 ring operator 1 for call c until 00:00:22.000 (offer 3)",
    );
}

/// A call that came by a transfer was not counted in the order of those idle for chats: the fewest calls were taken from
/// before it.
#[test]
fn transferred_call_counts_among_the_calls_of_who_is_idle_for_chats() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing
         queue talk chat fewest-calls
         operator 1 queues talk points 200 chats 1
         operator 2 queues talk points 200 chats 1
         operator 3 queues billing
         t=0 log in operator 1; operator 1 chats available
         t=1 log in operator 2; operator 2 chats available
         t=2 log in operator 3; call a -> shop
         t=3 operator 3 answers; operator 3 transfers to operator 1
         t=4 operator 1 answers
         t=5 chat b -> talk",
        &["for chat b"],
        "t=5 ring operator 2 for chat b until 00:00:20.000 (offer 3)",
    );
}

/// A call that rang everybody did not ring an idle operator whom a relaxation let in.
#[test]
fn a_relaxation_lets_an_idle_operator_into_what_rings_everybody() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         skill german
         queue billing ring-all needs german>=5 relax after 5s drop german ring 30s
         operator 1 skills german=9 queues billing
         operator 2 queues billing
         t=0 log in operator 1; log in operator 2
         t=1 call a -> shop
         t=9 operator 2 answers",
        &["ring operator", "answered"],
        "t=1 ring operator 1 for call a until 00:00:31.000 (offer 1)
         t=6 ring operator 2 for call a until 00:00:36.000 (offer 2)
         t=9 operator 2 answered call a from queue billing after 8 s",
    );
}

/// In a queue that rings everybody a customer's last operator was to be rung first, and others rang or not by the order
/// in which they had become free.
#[test]
fn a_last_operator_is_rung_alone_also_where_everybody_rings() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing ring-all last-operator 60s
         operator 1
         operator 2
         t=0 log in operator 1; log in operator 2
         t=1 call a -> shop prefers operator 2
         t=16 wait",
        &["ring operator"],
        "t=1 ring operator 2 for call a until 00:00:16.000 (offer 1)
         t=16 ring operator 1 for call a until 00:00:31.000 (offer 2)",
    );
}

/// Two had after-call work on one ticket, and the first in the configuration moved on, whoever had handled it.
#[test]
fn who_handles_the_ticket_goes_where_they_chose() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing
         operator 1
         operator 2
         t=0 log in operator 1; log in operator 2
         t=1 call a -> shop
         t=2 operator 1 answers
         t=3 operator 1 next break
         t=4 operator 1 loses device
         t=5 operator 2 answers
         t=6 operator 2 next break
         t=7 call a hangs up
         t=8 ticket 1 solved by operator 2",
        &["operator 1: AfterCallWork", "operator 2: AfterCallWork"],
        "t=8 operator 2: AfterCallWork -> Break",
    );
}

/// B16: a server renews its opening hours every day and keeps those of a day back; a clock that had run for longer lost
/// what it had counted by the older ones, and its limit stayed where the old hours had put it.
#[test]
fn b16_clocks_keep_what_they_counted_when_the_hours_are_renewed() {
    check_only(
        "service shop hours 0 to 10
           set resolution 15s
         queue mail ticket
         t=0 ticket a -> shop
         t=30 reconfigure
           service shop hours 40 to 60
         t=70 wait",
        &["is late"],
        "t=45 ticket a (version 2): the resolution is late",
    );
}
