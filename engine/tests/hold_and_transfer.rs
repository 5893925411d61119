//! Hold, consult and transfer, with every way in which they can fail.

mod support;
use support::{check, check_only, on_floor};

const TALK: &str = "
floor
  service shop inbound outbound
    flow: queue billing
    favourite boss +8177
    set login ready
  queue billing
  operator 1
  operator 2
  operator 3
t=0 log in operator 1; log in operator 2
t=1 call 7 -> shop
t=2 operator 1 answers
";

#[test]
fn p19_p21_p35_p36_p56_p57_hold_plays_music_and_release_reconnects() {
    check(
        &format!(
            "{TALK}t=10 operator 1 holds\nt=11 operator 1 holds\nt=15 operator 1 releases\nt=16 operator 1 releases"
        ),
        "...
         t=10 play music 1 to customer of call 7
         operator 1: Talking -> Holding (call 7)
         operator 1 held call 7
         t=11 refused: operator 1 cannot hold in status Holding
         t=15 connect customer of call 7 and operator 1
         operator 1: Holding -> Talking (call 7)
         operator 1 released call 7
         t=16 refused: operator 1 cannot release in status Talking",
    );
}

#[test]
fn p20_p29_p30_p33_p48_p51_p52_consult_an_operator_and_connect_the_customer() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2
             t=11 operator 1 connects customer
             t=12 operator 2 answers
             t=20 operator 1 connects customer
             t=30 call 7 hangs up"
        ),
        &["operator 1", "operator 2", "call 7", "ticket"],
        "...
         t=10 play music 1 to customer of call 7
         operator 1: Talking -> Holding (call 7)
         ...
         ring operator 2 for call 7 until 00:00:40.000 (offer 2)
         ...
         t=11 refused: whom operator 1 consults has not answered yet
         t=12 offer 2 of call 7 to operator 2 accepted after 2 s
         operator 2: Ringing -> Talking (call 7)
         ...
         operator 1: Holding -> Consulting (call 7)
         ...
         t=20 consult of operator 1 about call 7 ended: customer connected
         operator 1 transferred call 7 to operator 2
         connect customer of call 7 and operator 2
         hang up operator 1
         ticket 1 (version 2): owner operator 1 -> operator 2
         operator 1: Consulting -> AfterCallWork (call 7)
         t=30 call 7 ended: customer hung up; wait 1 s, talk 18 s, hold 2 s, consult 8 s, operator 2, queue billing
         hang up operator 2
         operator 2: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn p52_the_target_owns_the_ticket_and_the_first_goes_to_after_call_work() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2
             t=12 operator 2 answers
             t=20 operator 1 connects customer
             t=30 call 7 hangs up"
        ),
        &["operator 1: ", "operator 2: ", "ticket", "connect ", "transferred", "ended: customer"],
        "...
         t=20 consult of operator 1 about call 7 ended: customer connected
         operator 1 transferred call 7 to operator 2
         connect customer of call 7 and operator 2
         ticket 1 (version 2): owner operator 1 -> operator 2
         operator 1: Consulting -> AfterCallWork (call 7)
         t=30 call 7 ended: customer hung up; wait 1 s, talk 18 s, hold 2 s, consult 8 s, operator 2, queue billing
         operator 2: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn p34_p53_p54_cancel_leads_to_holding_and_release_reconnects() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2
             t=12 operator 2 answers
             t=15 operator 1 cancels consult
             t=16 operator 1 cancels consult
             t=18 operator 1 releases"
        ),
        &["operator 1: ", "operator 2: ", "connect customer", "refused", "hang up", "consult of"],
        "...
         t=12 operator 2: Ringing -> Talking (call 7)
         operator 1: Holding -> Consulting (call 7)
         consult of operator 1 about call 7 answered
         t=15 hang up operator 2
         operator 2: Talking -> AfterCallWork (call 7)
         consult of operator 1 about call 7 ended: cancelled
         operator 1: Consulting -> Holding (call 7)
         t=16 refused: operator 1 does not consult anybody
         t=18 connect customer of call 7 and operator 1
         operator 1: Holding -> Talking (call 7)",
    );
}

#[test]
fn p51_p53_cancelling_while_the_target_rings_is_allowed_too() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2\nt=13 operator 1 cancels consult\nt=14 operator 1 releases"
        ),
        &["operator 1: ", "operator 2: ", "offer 2", "consult of"],
        "...
         t=13 offer 2 of call 7 to operator 2 was rescinded after 3 s
         ...
         operator 2: Ringing -> Ready
         consult of operator 1 about call 7 ended: cancelled
         t=14 operator 1: Holding -> Talking (call 7)",
    );
}

#[test]
fn p49_p50_typed_numbers_favourites_and_operators_are_the_targets() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults number +8155
             t=11 target of call 7 fails busy
             t=12 operator 1 consults favourite boss
             t=13 target of call 7 answers
             t=14 operator 1 cancels consult
             t=15 operator 1 consults favourite 1
             t=16 operator 1 consults operator 2"
        ),
        &["consult", "dial", "favourite"],
        "t=10 operator 1 consults +8155 about call 7
         dial +8155 for leg 2 of call 7
         t=11 consult of operator 1 about call 7 ended: busy
         t=12 operator 1 consults +8177 about call 7
         dial +8177 for leg 3 of call 7
         t=13 consult of operator 1 about call 7 answered
         t=14 consult of operator 1 about call 7 ended: cancelled
         t=15 refused: service shop has no favourite 1
         t=16 operator 1 consults operator 2 about call 7",
    );
}

#[test]
fn p49_an_operators_own_number_means_that_operator_and_obeys_the_ready_rule() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults number 203
             t=11 operator 1 consults number 202
             t=12 operator 1 consults number 202"
        ),
        &["refused", "consults", "dial"],
        "t=10 refused: operator 3 cannot be reached: status LoggedOut, not Ready
         t=11 operator 1 consults operator 2 about call 7
         t=12 refused: operator 1 already consults: cancel that first",
    );
}

#[test]
fn p31_p11_a_favourite_added_during_the_call_can_be_connected_at_once() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults favourite 1
             t=11 reconfigure
               service shop
                 favourite desk +8166
             t=12 operator 1 consults favourite desk"
        ),
        &["favourite", "dial "],
        "t=10 refused: service shop has no favourite 1
         t=12 dial +8166 for leg 2 of call 7",
    );
}

#[test]
fn p32_p52_an_external_target_leaves_the_ticket_with_the_first() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults number +8155
             t=12 target of call 7 answers
             t=14 operator 1 connects customer
             t=60 target of call 7 hangs up"
        ),
        &["ticket", "connect customer", "operator 1: ", " transferred call"],
        "...
         t=2 operator 1: Ringing -> Talking (call 7)
         connect customer of call 7 and operator 1
         ticket 1 created for service shop from inbound call 7, owner operator 1
         t=10 operator 1: Talking -> Holding (call 7)
         t=12 operator 1: Holding -> Consulting (call 7)
         t=14 operator 1 transferred call 7 to +8155
         connect customer of call 7 and +8155
         operator 1: Consulting -> AfterCallWork (call 7)",
    );
}

#[test]
fn b12_every_failure_of_a_consult_ends_in_holding() {
    let ends = [
        ("operator 1 consults operator 2\nt=12 operator 2 declines", "declined"),
        ("operator 1 consults operator 2\nt=99 wait", "no answer"),
        ("operator 1 consults operator 2\nt=12 offer of operator 2 busy", "busy"),
        ("operator 1 consults operator 2\nt=12 offer of operator 2 fails", "failed"),
        ("operator 1 consults operator 2\nt=12 operator 2 answers\nt=13 operator 2 hangs up", "target hung up"),
        ("operator 1 consults operator 2\nt=12 operator 2 answers\nt=13 operator 2 loses device", "failed"),
        ("operator 1 consults number 9\nt=12 target of call 7 fails busy", "busy"),
        ("operator 1 consults number 9\nt=12 target of call 7 fails no-answer", "no answer"),
        ("operator 1 consults number 9\nt=12 target of call 7 fails failed", "failed"),
        ("operator 1 consults number 9\nt=99 wait", "no answer"),
        (
            "operator 1 consults number 9\nt=12 target of call 7 answers\nt=13 target of call 7 hangs up",
            "target hung up",
        ),
    ];
    for (commands, end) in ends {
        check(
            &format!("{TALK}t=10 {commands}\nt=100 operator 1 releases\nt=101 operator 1 holds"),
            &format!(
                "...
                 consult of operator 1 about call 7 ended: {end}
                 ...
                 t=100 connect customer of call 7 and operator 1
                 operator 1: Holding -> Talking (call 7)
                 operator 1 released call 7
                 ..."
            ),
        );
    }
}

#[test]
fn b14_no_refusal_ends_the_customers_call() {
    check_only(
        &format!(
            "{TALK}t=3 operator 1 consults operator 1; operator 1 consults operator 3; operator 1 connects customer
             t=4 operator 1 cancels consult; operator 1 joins conference; operator 1 transfers to operator 3
             t=5 operator 1 releases; operator 1 dials 1 from 2; operator 2 hangs up; operator 1 answers
             t=6 target of call 7 answers; leg 5 of call 7 hangs up; call 7 answers; call 7 playback ends
             t=7 operator 1 consults operator 2
             t=8 operator 2 declines
             t=9 operator 1 releases
             t=20 call 7 hangs up"
        ),
        &["call 7 ended: c", "hang up customer"],
        "t=20 call 7 ended: customer hung up; wait 1 s, talk 16 s, hold 2 s, operator 1, queue billing",
    );
}

#[test]
fn p53_the_customer_goes_during_an_answered_consult_and_the_operators_talk_on() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2
             t=12 operator 2 answers
             t=15 call 7 hangs up
             t=16 operator 1 connects customer
             t=20 operator 2 hangs up"
        ),
        &["operator 1: ", "operator 2: ", "hung up; ", "refused"],
        "...
         t=12 operator 2: Ringing -> Talking (call 7)
         operator 1: Holding -> Consulting (call 7)
         t=15 call 7 ended: customer hung up; wait 1 s, talk 8 s, hold 2 s, consult 3 s, operator 1, queue billing
         t=16 refused: the customer of operator 1 has hung up
         t=20 operator 1: Consulting -> AfterCallWork (call 7)
         operator 2: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn b3_the_first_operators_device_is_lost_and_the_answered_target_has_the_customer() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2
             t=12 operator 2 answers
             t=15 operator 1 loses device
             t=60 call 7 hangs up"
        ),
        &["operator 1: ", "operator 2: ", "connect customer", "ticket", "call 7 ended"],
        "...
         t=15 connect customer of call 7 and operator 2
         ...
         t=60 call 7 ended: customer hung up; wait 1 s, talk 53 s, hold 2 s, consult 3 s, operator 2, queue billing
         operator 2: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn b3_a_lost_device_in_mid_call_sends_the_customer_to_the_head_of_the_queue() {
    // Calls 8 and 9 wait already; 7 goes before them.
    check_only(
        &format!(
            "{TALK}t=3 operator 2 break; call 8 -> shop; call 9 -> shop
             t=10 operator 1 loses device
             t=20 operator 2 ready
             t=21 operator 2 answers
             t=22 operator 2 hangs up; operator 2 ready"
        ),
        &["ring operator 2", "back", "call 7 ended"],
        "t=10 call 7 went back to queue billing
         t=20 ring operator 2 for call 7 until 00:00:35.000 (offer 2)
         t=22 call 7 ended: operator hung up; wait 1 s, talk 9 s, operator 2, queue billing
         ring operator 2 for call 8 until 00:00:37.000 (offer 3)",
    );
    check_only(
        &TALK
            .replace("login ready", "login ready; device-lost ends")
            .replace("t=2 ", "t=2 operator 1 answers; operator 1 loses device #"),
        &["call 7 ended"],
        "t=2 call 7 ended: device lost; wait 1 s, operator 1, queue billing",
    );
}

#[test]
fn p29_blind_transfer_is_a_separate_command_to_number_operator_or_queue() {
    check_only(
        &format!("{TALK}t=10 operator 1 transfers to operator 2\nt=12 operator 2 answers"),
        &["operator 1", "ring operator", "ticket", "connect"],
        "...
         t=10 operator 1 transferred call 7 to operator 2 without asking
         ...
         t=10 ring operator 2 for call 7 until 00:00:40.000 (offer 2)
         ...
         t=12 connect customer of call 7 and operator 2
         ticket 1 (version 3): owner nobody -> operator 2",
    );
    check_only(
        &format!("{TALK}t=10 operator 1 transfers to queue billing\nt=12 operator 2 answers"),
        &["transferred", "queued", "answered"],
        "...
         t=10 operator 1 transferred call 7 to queue billing without asking
         call 7 queued in queue billing
         t=12 operator 2 answered call 7 from queue billing after 2 s",
    );
    check_only(
        &format!(
            "{TALK}t=10 operator 1 transfers to number +8155\nt=12 target of call 7 answers\nt=20 call 7 hangs up"
        ),
        &["transferred", "dial", "connect customer", "call 7 ended: transferred"],
        "...
         t=10 operator 1 transferred call 7 to +8155 without asking
         dial +8155 for leg 2 of call 7
         t=12 connect customer of call 7 and +8155
         ...",
    );
}

#[test]
fn p48_consult_from_holding_too() {
    on_floor(
        "t=0 log in operator 1; log in operator 2
         t=1 call 7 -> shop
         t=2 operator 1 answers
         t=3 operator 1 holds
         t=4 operator 1 consults operator 2
         t=5 operator 1 releases",
        "...
         t=4 operator 1 consults operator 2 about call 7
         ...
         ring operator 2 for call 7 until 00:00:34.000 (offer 2)
         t=5 refused: operator 1 already consults: cancel that first",
    );
}

#[test]
fn b2_a_consulted_operator_is_reserved_at_once_and_gets_no_second_call() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2; call 8 -> shop\nt=11 operator 2 answers\nt=12 operator 3 logs in"
        ),
        &["ring operator"],
        "t=1 ring operator 1 for call 7 until 00:00:16.000 (offer 1)
         t=10 ring operator 2 for call 7 until 00:00:40.000 (offer 2)
         t=12 ring operator 3 for call 8 until 00:00:27.000 (offer 3)",
    );
}
