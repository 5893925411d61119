//! What becomes of call and operator when a ring is missed, declined, failed or taken back.

mod support;
use support::{check_only, on_floor};

fn floor(settings: &str, queue: &str) -> String {
    format!(
        "service shop inbound
           flow: queue billing
           set login ready; {settings}
         queue billing {queue}
         operator 1
         operator 2
         operator 3
         "
    )
}

#[test]
fn p42_not_answered_goes_back_to_the_queue_with_its_place() {
    // Call a is ahead of b although it was offered, missed, and came back later.
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 call a -> shop
             t=2 call b -> shop
             t=17 log in operator 2
             t=18 operator 2 answers
             t=19 log in operator 3",
            floor("ring-limit 15s", "")
        ),
        &["ring operator", "back"],
        "t=1 ring operator 1 for call a until 00:00:16.000 (offer 1)
         t=16 call a went back to queue billing
         t=17 ring operator 2 for call a until 00:00:32.000 (offer 2)
         t=19 ring operator 3 for call b until 00:00:34.000 (offer 3)",
    );
}

#[test]
fn p38_p43_declining_does_the_same_with_its_own_reason() {
    on_floor(
        "t=0 log in operator 1
         t=1 call 7 -> shop
         t=4 operator 1 declines; operator 1 declines",
        "...
         t=4 offer 1 of call 7 to operator 1 declined after 3 s
         stop ringing operator 1 (offer 1)
         operator 1: Ringing -> Work for declined
         call 7 went back to queue billing
         refused: operator 1 cannot answer or decline offer 1: it is over",
    );
}

#[test]
fn p42_p43_by_setting_they_stay_ready_and_another_is_asked_first() {
    check_only(
        &format!(
            "{}t=0 log in operator 1; log in operator 2
             t=1 call 7 -> shop
             t=40 wait",
            floor("miss stays-ready", "")
        ),
        &["ring operator", "-> Work", "-> Ready"],
        "t=0 operator 1: LoggedOut -> Ready
         operator 2: LoggedOut -> Ready
         t=1 ring operator 1 for call 7 until 00:00:16.000 (offer 1)
         t=16 operator 1: Ringing -> Ready
         ring operator 2 for call 7 until 00:00:31.000 (offer 2)
         t=31 operator 2: Ringing -> Ready
         ring operator 1 for call 7 until 00:00:46.000 (offer 3)",
    );
}

#[test]
fn b5_not_offered_again_to_who_missed_it_while_another_could_take_it() {
    // 2 talks, and could take it afterwards: 1 is not rung again, but is for another call.
    check_only(
        &format!(
            "{}t=0 log in operator 2
             t=1 call a -> shop
             t=2 operator 2 answers; log in operator 1
             t=3 call b -> shop
             t=18 wait
             t=30 call c -> shop
             t=31 operator 1 answers
             t=40 operator 2 hangs up; operator 2 ready",
            floor("miss stays-ready", "")
        ),
        &["ring operator"],
        "t=1 ring operator 2 for call a until 00:00:16.000 (offer 1)
         t=3 ring operator 1 for call b until 00:00:18.000 (offer 2)
         t=30 ring operator 1 for call c until 00:00:45.000 (offer 3)
         t=40 ring operator 2 for call b until 00:00:55.000 (offer 4)",
    );
}

#[test]
fn b5_the_last_one_standing_is_asked_again_and_break_after_n_misses_is_visible() {
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 call 7 -> shop
             t=90 wait
             t=100 operator 1 ready
             t=101 operator 1 answers",
            floor("miss stays-ready break after 3", "")
        ),
        &["ring operator", "operator 1:"],
        "t=0 operator 1: LoggedOut -> Ready
         t=1 operator 1: Ready -> Ringing (call 7)
         ring operator 1 for call 7 until 00:00:16.000 (offer 1)
         t=16 operator 1: Ringing -> Ready
         operator 1: Ready -> Ringing (call 7)
         ring operator 1 for call 7 until 00:00:31.000 (offer 2)
         t=31 operator 1: Ringing -> Ready
         operator 1: Ready -> Ringing (call 7)
         ring operator 1 for call 7 until 00:00:46.000 (offer 3)
         t=46 operator 1: Ringing -> Break for missed
         t=100 operator 1: Break -> Ready
         operator 1: Ready -> Ringing (call 7)
         ring operator 1 for call 7 until 00:01:55.000 (offer 4)
         t=101 operator 1: Ringing -> Talking (call 7)",
    );
}

#[test]
fn b3_a_device_that_cannot_ring_ends_the_offer_at_once() {
    check_only(
        &format!(
            "{}t=0 log in operator 1; log in operator 2
             t=1 call 7 -> shop
             t=2 offer of operator 1 fails
             t=3 offer of operator 2 busy
             t=4 offer of operator 2 busy",
            floor("", "")
        ),
        &["offer", "operator 1:", "operator 2:"],
        "...
         t=2 offer 1 of call 7 to operator 1 failed after 1 s
         ...
         operator 1: Ringing -> Work for device-failed
         offer 2 of call 7 to operator 2 from queue billing until 00:00:17.000
         ...
         t=3 offer 2 of call 7 to operator 2 was busy after 1 s
         ...
         operator 2: Ringing -> Work for device-failed
         t=4 refused: offer 2 does not exist, or no longer",
    );
}

#[test]
fn b3_a_device_lost_while_ringing_frees_the_call_and_logs_out_after_its_grace() {
    check_only(
        &format!(
            "{}t=0 log in operator 1; log in operator 2
             t=1 call 7 -> shop
             t=5 operator 1 loses device
             t=6 operator 2 answers
             t=99 wait",
            floor("device-grace 20s", "")
        ),
        &["offer 1 ", "operator 1:", "back", "ring operator 2"],
        "t=0 operator 1: LoggedOut -> Ready
         t=1 offer 1 of call 7 to operator 1 from queue billing until 00:00:16.000
         operator 1: Ready -> Ringing (call 7)
         t=5 offer 1 of call 7 to operator 1 failed after 4 s
         operator 1: Ringing -> Work for device-lost
         call 7 went back to queue billing
         ring operator 2 for call 7 until 00:00:20.000 (offer 2)
         t=25 operator 1: Work -> LoggedOut",
    );
}

#[test]
fn p42_a_supervisor_takes_an_offer_back_without_blame() {
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 call 7 -> shop
             t=5 operator 1 break
             t=6 withdraw offer of operator 1",
            floor("", "")
        ),
        &["operator 1:", "withdrawn", "back"],
        "t=0 operator 1: LoggedOut -> Ready
         t=1 operator 1: Ready -> Ringing (call 7)
         t=6 offer 1 of call 7 to operator 1 was withdrawn after 5 s
         operator 1: Ringing -> Break
         call 7 went back to queue billing",
    );
}

#[test]
fn b15_leaving_ready_while_ringing_is_kept_and_the_newest_intent_wins() {
    // Answered all the same: it becomes the next status. Not answered: it holds at once.
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 call a -> shop
             t=2 operator 1 break; operator 1 work
             t=3 operator 1 answers
             t=9 call a hangs up",
            floor("after-call 10s", "")
        ),
        &["operator 1:"],
        "t=0 operator 1: LoggedOut -> Ready
         t=1 operator 1: Ready -> Ringing (call a)
         t=3 operator 1: Ringing -> Talking (call a)
         t=9 operator 1: Talking -> AfterCallWork (call a)",
    );
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 call a -> shop
             t=2 operator 1 break
             t=3 call a hangs up",
            floor("", "")
        ),
        &["operator 1:"],
        "t=0 operator 1: LoggedOut -> Ready
         t=1 operator 1: Ready -> Ringing (call a)
         t=3 operator 1: Ringing -> Break",
    );
}

#[test]
fn b15_after_an_answer_the_status_asked_for_while_ringing_follows_after_call_work() {
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 call a -> shop
             t=2 operator 1 break
             t=3 operator 1 answers
             t=9 call a hangs up
             t=60 wait",
            floor("after-call 10s then ready", "")
        ),
        &["AfterCallWork ->"],
        "t=19 operator 1: AfterCallWork -> Break",
    );
}
