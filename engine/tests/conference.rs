//! Customer, operator and a third party joined, and how each may leave.

mod support;
use support::check_only;

const JOINED: &str = "
floor
  service shop inbound
    flow: queue billing
    set login ready
  queue billing
  operator 1
  operator 2
t=0 log in operator 1; log in operator 2
t=1 call 7 -> shop
t=2 operator 1 answers
t=3 operator 1 joins conference
t=10 operator 1 consults operator 2
t=11 operator 1 joins conference
t=12 operator 2 answers
t=15 operator 1 joins conference
";

#[test]
fn p29_a_conference_joins_all_three_after_an_answered_consult() {
    check_only(
        JOINED,
        &["refused", "join all", "conference", "Consulting ->"],
        "t=3 refused: operator 1 does not consult anybody
         t=11 refused: whom operator 1 consults has not answered yet
         t=15 join all of call 7
         operator 1: Consulting -> Talking (call 7)
         operator 1 began a conference about call 7",
    );
}

#[test]
fn b12_in_a_conference_hold_consult_and_forced_end_are_refused() {
    check_only(
        &format!(
            "{JOINED}t=16 operator 1 holds; operator 1 consults number 5; operator 1 forces end other; operator 1 joins conference"
        ),
        &["refused: operator 1 is"],
        "t=16 refused: operator 1 is in a conference: hang up to leave it
         refused: operator 1 is in a conference: hang up to leave it
         refused: operator 1 is in a conference: hang up to leave it
         refused: operator 1 is in a conference: hang up to leave it",
    );
}

#[test]
fn b14_either_operator_may_leave_and_the_customer_talks_on() {
    for (leaver, stays) in [(1, 2), (2, 1)] {
        check_only(
            &format!("{JOINED}t=20 operator {leaver} hangs up\nt=30 operator {stays} holds\nt=31 operator {stays} releases\nt=40 call 7 hangs up"),
            &["-> AfterCallWork", "Holding -> T", "hung up; "],
            &format!(
                "t=20 operator {leaver}: Talking -> AfterCallWork (call 7)
                 t=31 operator {stays}: Holding -> Talking (call 7)
                 t=40 call 7 ended: customer hung up; wait 1 s, talk 32 s, hold 3 s, consult 3 s, operator {stays}, queue billing
                 operator {stays}: Talking -> AfterCallWork (call 7)"
            ),
        );
    }
}

#[test]
fn b6_the_customer_leaves_the_conference_and_the_call_is_over() {
    check_only(
        &format!("{JOINED}t=40 call 7 hangs up\nt=50 operator 1 hangs up; operator 2 hangs up"),
        &["hung up; ", "AfterCallWork"],
        "t=40 call 7 ended: customer hung up; wait 1 s, talk 33 s, hold 2 s, consult 3 s, operator 1, queue billing
         t=50 operator 1: Talking -> AfterCallWork (call 7)
         operator 2: Talking -> AfterCallWork (call 7)
         refused: operator 2 cannot hang up in status AfterCallWork",
    );
}
