//! Things of one instant: a deadline beats a command, and deadlines fire in a fixed order.

mod support;
use support::{check, check_only, on_floor};

#[test]
fn p9_b20_an_answer_at_the_very_end_of_the_ring_is_late_and_a_microsecond_before_is_not() {
    for (at, end) in [("16", "timed out after 15 s"), ("15.999999", "accepted after 14.999999 s")] {
        check_only(
            &format!("{}t=0 log in operator 1\nt=1 call 7 -> shop\nt={at} operator 1 answers", support::FLOOR),
            &["offer 1 of call 7 to operator 1 a", "offer 1 of call 7 to operator 1 t"],
            &format!("t={at} offer 1 of call 7 to operator 1 {end}"),
        );
    }
}

#[test]
fn b20_times_are_whole_microseconds_and_nothing_happens_between_deadlines() {
    on_floor(
        "t=0.000001 log in operator 1
         t=0.000003 call 7 -> shop
         t=15.000002 wait
         t=15.000003 wait",
        "t=0.000001 operator 1: LoggedOut -> Ready
         ...
         t=15.000003 offer 1 of call 7 to operator 1 timed out after 15 s
         ...",
    );
}

#[test]
fn b1_a_hang_up_before_an_answer_of_the_same_instant_wins_and_the_other_way_round() {
    check_only(
        &format!(
            "{}t=0 log in operator 1\nt=1 call 7 -> shop\nt=5 call 7 hangs up; operator 1 answers",
            support::FLOOR
        ),
        &["ended", "refused"],
        "t=5 call 7 ended: abandoned while ringing; wait 4 s, queue billing
         refused: operator 1 cannot answer or decline offer 1: it is over",
    );
    check_only(
        &format!(
            "{}t=0 log in operator 1\nt=1 call 7 -> shop\nt=5 operator 1 answers; call 7 hangs up",
            support::FLOOR
        ),
        &["ended", "refused"],
        "t=5 call 7 ended: customer hung up; wait 4 s, operator 1, queue billing",
    );
}

#[test]
fn p60_after_call_works_limit_beats_a_button_of_the_same_instant() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready; after-call 10s then work
         queue billing
         operator 1
         t=0 log in operator 1; call 7 -> shop; operator 1 answers
         t=5 call 7 hangs up
         t=15 operator 1 ready",
        &["AfterCallWork", "Work ->"],
        "t=5 operator 1: Talking -> AfterCallWork (call 7)
         t=15 operator 1: AfterCallWork -> Work
         operator 1: Work -> Ready",
    );
}

#[test]
fn p55_the_announcements_limit_beats_its_end_of_the_same_instant() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready; forced-end-limit 10s
         queue billing
         operator 1
         t=0 log in operator 1; call 7 -> shop; operator 1 answers
         t=5 operator 1 forces end other
         t=15 call 7 playback ends",
        &["ended", "refused"],
        "t=15 call 7 ended: forced by the operator, other; talk 15 s, operator 1, queue billing
         refused: call 7 does not exist, or no longer",
    );
}

#[test]
fn b10_two_rings_that_expire_at_once_go_back_in_the_order_of_arrival() {
    check(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing
         operator 1
         operator 2
         operator 3
         t=0 log in operator 1; log in operator 2; call a -> shop; call b -> shop
         t=15 wait
         t=16 log in operator 3",
        "...
         t=15 offer 1 of call a to operator 1 timed out after 15 s
         ...
         call a went back to queue billing
         t=15 offer 2 of call b to operator 2 timed out after 15 s
         ...
         t=16 ring operator 3 for call a until 00:00:31.000 (offer 3)",
    );
}

#[test]
fn b20_time_that_runs_back_is_refused() {
    use callfloor_engine::script::Script;
    use callfloor_engine::{Command, Engine, Instant, OperatorId, Rejection};
    let script = Script::parse(support::FLOOR).unwrap();
    let mut engine = Engine::new(script.config().clone());
    let mut out = Vec::new();
    let at = Instant::from_micros;
    engine.apply(at(5), Command::LogIn { operator: OperatorId(0) }, &mut out).unwrap();
    let before = engine.snapshot();
    let refused = engine.apply(at(4), Command::LogIn { operator: OperatorId(1) }, &mut out);
    assert_eq!(refused, Err(Rejection::TimeRanBack { now: at(4), latest: at(5) }));
    assert!(engine.snapshot() == before);
}
