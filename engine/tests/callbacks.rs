//! Callbacks: the place is kept, the operator accepts, the customer is dialled, and it is tried again.

mod support;
use support::{check, check_only};

const FLOOR: &str = "
service shop inbound outbound
  flow: callback billing digit 1 8s; queue billing; end; direct: queue billing
  outgoing 5
  set login ready; callback-attempts 2; callback-retry 60s
queue billing
operator 1
operator 2
";

#[test]
fn p45_p46_a_callback_from_the_flow_to_the_customer() {
    check(
        &format!(
            "{FLOOR}t=0 call a -> shop from +8190
             t=3 call a presses 1
             t=10 log in operator 1
             t=12 operator 1 answers
             t=20 call 2 answers
             t=30 call 2 hangs up"
        ),
        "t=0 call a arrived at service shop
         call a entered step 0
         play announcement 0 to customer of call a, listening for digits
         t=3 callback 1 waits in queue billing in the place of call a
         hang up customer of call a
         call a ended: callback accepted
         t=10 operator 1: LoggedOut -> Ready
         offer 1 of callback 1 to operator 1 from queue billing until 00:00:25.000
         operator 1: Ready -> Ringing
         ring operator 1 for callback 1 until 00:00:25.000 (offer 1)
         t=12 offer 1 of callback 1 to operator 1 accepted after 2 s
         operator 1: Ringing -> Dialing (call 2)
         operator 1 dials call 2 for service shop and callback 1
         dial +8190 for call 2, showing 5
         t=20 operator 1: Dialing -> Talking (call 2)
         connect customer of call 2 and operator 1
         customer of call 2 answered operator 1 after 8 s
         ticket 1 created for service shop from outbound call 2, owner operator 1
         callback 1 ended after 1 attempts: completed
         t=30 call 2 ended: customer hung up; talk 10 s, operator 1
         hang up operator 1
         operator 1: Talking -> AfterCallWork (call 2)",
    );
}

#[test]
fn b10_the_callback_keeps_the_callers_place() {
    // b queued after a had come, but before a accepted the callback: a goes first all the same.
    check_only(
        &format!(
            "{FLOOR}t=0 call a -> shop from +8190
             t=1 call b -> shop step direct
             t=3 call a presses 1
             t=10 log in operator 1; log in operator 2"
        ),
        &["ring operator"],
        "t=10 ring operator 1 for callback 1 until 00:00:25.000 (offer 1)
         ring operator 2 for call b until 00:00:25.000 (offer 2)",
    );
}

#[test]
fn b4_a_callback_that_is_not_reached_is_tried_again_and_then_given_up() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1; callback a -> billing to +8190
             t=1 operator 1 answers
             t=5 call 1 fails busy
             t=66 operator 1 answers
             t=70 call 2 fails no-answer
             t=999 wait"
        ),
        &["ended", "ring operator"],
        "t=0 ring operator 1 for callback a until 00:00:15.000 (offer 1)
         t=5 call 1 ended: dial failed, busy, operator 1
         t=65 ring operator 1 for callback a until 00:01:20.000 (offer 2)
         t=70 call 2 ended: dial failed, no-answer, operator 1
         callback a ended after 2 attempts: given up",
    );
}

#[test]
fn b7_a_cancelled_callback_is_gone_even_while_it_rings() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1; callback a -> billing to +8190\nt=1 cancel callback a; operator 1 answers; cancel callback a"
        ),
        &["callback a ended", "refused", "-> Ready"],
        "t=0 operator 1: LoggedOut -> Ready
         t=1 operator 1: Ringing -> Ready
         callback a ended after 0 attempts: cancelled
         refused: operator 1 cannot answer or decline offer 1: it is over
         refused: callback a does not exist, or no longer",
    );
}
