//! Ending a call for abuse or threats: announcement first, then the end.

mod support;
use support::{check, check_only};

const TALK: &str = "
audio farewell
audio edited
floor
  service shop inbound
    flow: queue billing
    set login ready; forced-end-audio farewell; forced-end-limit 20s
  queue billing
  operator 1
  operator 2
t=0 log in operator 1; log in operator 2
t=1 call 7 -> shop
t=2 operator 1 answers
";

#[test]
fn p12_p37_p55_the_announcement_reaches_the_customer_and_then_the_call_ends() {
    check(
        &format!(
            "{TALK}t=10 operator 1 forces end abuse
             t=11 operator 1 holds; operator 1 hangs up; operator 1 forces end other
             t=15 call 7 playback ends"
        ),
        "...
         t=10 operator 1 forces the end of call 7: abuse
         play announcement farewell to customer of call 7
         t=11 refused: the call of operator 1 is being ended by force
         refused: the call of operator 1 is being ended by force
         refused: the call of operator 1 is being ended by force
         t=15 hang up customer of call 7
         call 7 ended: forced by the operator, abuse; wait 1 s, talk 13 s, operator 1, queue billing
         ...
         operator 1: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn p12_p55_the_dialogs_announcement_from_holding_and_its_limit() {
    check_only(
        &format!("{TALK}t=10 operator 1 holds\nt=12 operator 1 forces end threat audio edited\nt=99 wait"),
        &["announcement", "call 7 ended", "Holding ->"],
        "t=12 play announcement edited to customer of call 7
         t=32 call 7 ended: forced by the operator, threat; wait 1 s, talk 8 s, hold 22 s, operator 1, queue billing
         operator 1: Holding -> AfterCallWork (call 7)",
    );
}

#[test]
fn p55_refused_while_consulting_and_with_no_call() {
    check_only(
        &format!(
            "{TALK}t=10 operator 1 consults operator 2
             t=11 operator 1 forces end other
             t=12 operator 2 answers
             t=13 operator 1 forces end other; operator 2 forces end other
             t=14 operator 1 cancels consult
             t=15 operator 2 forces end other"
        ),
        &["refused", "forces"],
        "t=11 refused: operator 1 already consults: cancel that first
         t=13 refused: operator 1 cannot force the end in status Consulting
         ...
         t=15 refused: operator 2 cannot force the end in status AfterCallWork",
    );
}

#[test]
fn b6_the_customer_who_goes_during_the_announcement_ends_it_there() {
    check_only(
        &format!("{TALK}t=10 operator 1 forces end other\nt=13 call 7 hangs up\nt=99 wait"),
        &["call 7 ended", "AfterCallWork"],
        "t=13 call 7 ended: customer hung up; wait 1 s, talk 11 s, operator 1, queue billing
         operator 1: Talking -> AfterCallWork (call 7)",
    );
}
