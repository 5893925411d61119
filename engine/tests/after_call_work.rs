//! What follows a call: nothing is offered until it is left by hand, by limit or to the status chosen before.

mod support;
use support::check_only;

fn call(rule: &str, then: &str) -> String {
    format!(
        "service shop inbound
           flow: queue billing
           set login ready; after-call {rule}
         queue billing
         operator 1
         t=0 log in operator 1
         t=1 call 7 -> shop
         t=2 operator 1 answers
         t=10 call 7 hangs up
         {then}"
    )
}

#[test]
fn p22_p58_p59_p60_nothing_is_offered_until_it_is_left_by_hand() {
    check_only(
        &call("by-hand", "t=11 call 8 -> shop\nt=9000 operator 1 ready"),
        &["operator 1: ", "ring operator"],
        "t=0 operator 1: LoggedOut -> Ready
         t=1 operator 1: Ready -> Ringing (call 7)
         ring operator 1 for call 7 until 00:00:16.000 (offer 1)
         t=2 operator 1: Ringing -> Talking (call 7)
         t=10 operator 1: Talking -> AfterCallWork (call 7)
         t=9000 operator 1: AfterCallWork -> Ready
         operator 1: Ready -> Ringing (call 8)
         ring operator 1 for call 8 until 02:30:15.000 (offer 2)",
    );
}

#[test]
fn p60_by_hand_to_work_or_break_too() {
    check_only(
        &call("by-hand", "t=11 operator 1 work"),
        &["AfterCallWork ->"],
        "t=11 operator 1: AfterCallWork -> Work",
    );
    check_only(
        &call("by-hand", "t=11 operator 1 break"),
        &["AfterCallWork ->"],
        "t=11 operator 1: AfterCallWork -> Break",
    );
}

#[test]
fn p60_the_limit_leads_to_the_setting_and_a_prompt_comes_before() {
    check_only(
        &call("30s then work prompt 20s", "t=99 wait"),
        &["AfterCallWork", "reminded"],
        "t=10 operator 1: Talking -> AfterCallWork (call 7)
         t=30 operator 1 is reminded of after-call work
         t=40 operator 1: AfterCallWork -> Work",
    );
    check_only(
        &call("30s capped prompt 20s", "t=11 operator 1 ready\nt=99 wait"),
        &["AfterCallWork ->", "reminded"],
        "t=11 operator 1: AfterCallWork -> Ready",
    );
}

#[test]
fn p60_timed_after_call_work_is_not_left_by_hand() {
    check_only(
        &call("30s timed then ready", "t=20 operator 1 ready\nt=99 wait"),
        &["AfterCallWork ->", "refused"],
        "t=20 refused: operator 1 cannot change status: after-call work is timed and ends at 00:00:40.000
         t=40 operator 1: AfterCallWork -> Ready",
    );
}

#[test]
fn p60_without_after_call_work_the_next_status_follows_in_the_same_instant() {
    check_only(
        &call("none then ready", ""),
        &["AfterCallWork"],
        "t=10 operator 1: Talking -> AfterCallWork (call 7)
         operator 1: AfterCallWork -> Ready",
    );
}

#[test]
fn p26_p60_the_next_status_chosen_during_the_call_is_taken_and_can_be_taken_back() {
    let during =
        |choice: &str| call("30s then ready", "t=99 wait").replace("t=10 ", &format!("t=5 {choice}\n         t=10 "));
    check_only(&during("operator 1 next break"), &["AfterCallWork ->"], "t=40 operator 1: AfterCallWork -> Break");
    check_only(
        &during("operator 1 next break; operator 1 next none"),
        &["AfterCallWork ->"],
        "t=40 operator 1: AfterCallWork -> Ready",
    );
}

#[test]
fn p38_hang_up_by_the_operator_ends_the_call_in_after_call_work() {
    check_only(
        &call("by-hand", "").replace("call 7 hangs up", "operator 1 hangs up"),
        &["ended", "AfterCallWork"],
        "t=10 call 7 ended: operator hung up; wait 1 s, talk 8 s, operator 1, queue billing
         operator 1: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn b13_the_end_of_a_call_makes_nobody_ready() {
    check_only(
        &call("by-hand", "t=90000 wait"),
        &["AfterCallWork"],
        "t=10 operator 1: Talking -> AfterCallWork (call 7)",
    );
}
