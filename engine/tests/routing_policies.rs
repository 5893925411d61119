//! Who gets the call: every policy, levels, preferences, skills and the last operator.

mod support;
use support::check_only;

/// Operators 1, 2 and 3 log in one second after another; each call is answered after 1 s and lasts 10 s.
fn rings(queue: &str, operators: &str, commands: &str, expected: &str) {
    let floor = format!(
        "
skill english
service shop inbound
  flow: queue billing
  set login ready; after-call none
queue billing {queue}
{operators}
t=0 log in operator 1
t=1 log in operator 2
t=2 log in operator 3
"
    );
    check_only(&format!("{floor}{commands}"), &["ring operator"], expected);
}

const PLAIN: &str = "operator 1\noperator 2\noperator 3";
/// Three calls, one after another, each by whoever was rung.
const THREE: &str = "
t=10 call a -> shop
t=11 operator 1 answers
t=12 call b -> shop
t=13 operator 2 answers
t=14 call b hangs up
t=20 call a hangs up
t=30 call c -> shop
";

#[test]
fn p39_longest_idle_since_the_last_call() {
    rings(
        "longest-idle since last-call",
        PLAIN,
        &format!("{THREE}t=31 operator 3 answers\nt=32 call d -> shop"),
        "t=10 ring operator 1 for call a until 00:00:25.000 (offer 1)
         t=12 ring operator 2 for call b until 00:00:27.000 (offer 2)
         t=30 ring operator 3 for call c until 00:00:45.000 (offer 3)
         t=32 ring operator 2 for call d until 00:00:47.000 (offer 4)",
    );
}

#[test]
fn p39_longest_idle_since_ready_starts_again_with_every_ready() {
    let late = "t=5 operator 1 break\nt=6 operator 1 ready\nt=10 call a -> shop";
    rings("longest-idle since ready", PLAIN, late, "t=10 ring operator 2 for call a until 00:00:25.000 (offer 1)");
    rings("longest-idle since last-call", PLAIN, late, "t=10 ring operator 1 for call a until 00:00:25.000 (offer 1)");
}

#[test]
fn b10_fewest_calls_shares_fairly() {
    rings(
        "fewest-calls",
        PLAIN,
        &format!("{THREE}t=31 operator 3 answers; call c hangs up\nt=40 call d -> shop"),
        "t=10 ring operator 1 for call a until 00:00:25.000 (offer 1)
         t=12 ring operator 2 for call b until 00:00:27.000 (offer 2)
         t=30 ring operator 3 for call c until 00:00:45.000 (offer 3)
         t=40 ring operator 2 for call d until 00:00:55.000 (offer 4)",
    );
}

#[test]
fn b10_least_occupied_goes_before_who_has_worked_more() {
    // 1 talked 9 s of 20, 2 talked 1 s of 13: 3, never busy, goes first; then 2.
    rings(
        "least-occupied",
        PLAIN,
        &format!("{THREE}t=31 call d -> shop"),
        "t=10 ring operator 1 for call a until 00:00:25.000 (offer 1)
         t=12 ring operator 2 for call b until 00:00:27.000 (offer 2)
         t=30 ring operator 3 for call c until 00:00:45.000 (offer 3)
         t=31 ring operator 2 for call d until 00:00:46.000 (offer 4)",
    );
}

#[test]
fn p39_highest_proficiency_in_the_needed_skill() {
    rings(
        "highest-proficiency needs english>=3",
        "operator 1 skills english=4\noperator 2 skills english=9\noperator 3 skills english=2",
        "t=10 call a -> shop; call b -> shop; call c -> shop",
        "t=10 ring operator 2 for call a until 00:00:25.000 (offer 1)
         ring operator 1 for call b until 00:00:25.000 (offer 2)",
    );
}

#[test]
fn p39_fixed_order_takes_the_first_who_is_ready() {
    rings(
        "fixed-order",
        PLAIN,
        "t=5 operator 1 break\nt=10 call a -> shop\nt=11 operator 2 answers; call a hangs up\nt=12 call b -> shop\nt=13 operator 2 answers; call b hangs up; operator 1 ready\nt=14 call c -> shop",
        "t=10 ring operator 2 for call a until 00:00:25.000 (offer 1)
         t=12 ring operator 2 for call b until 00:00:27.000 (offer 2)
         t=14 ring operator 1 for call c until 00:00:29.000 (offer 3)",
    );
}

#[test]
fn b10_round_robin_goes_round_by_offers() {
    rings(
        "round-robin",
        PLAIN,
        "t=10 call a -> shop\nt=11 call a hangs up\nt=12 call b -> shop\nt=13 call b hangs up\nt=14 call c -> shop\nt=15 call c hangs up\nt=16 call d -> shop",
        "t=10 ring operator 1 for call a until 00:00:25.000 (offer 1)
         t=12 ring operator 2 for call b until 00:00:27.000 (offer 2)
         t=14 ring operator 3 for call c until 00:00:29.000 (offer 3)
         t=16 ring operator 1 for call d until 00:00:31.000 (offer 4)",
    );
}

#[test]
fn b10_random_is_fair_within_a_stated_tolerance_and_depends_on_the_seed_alone() {
    let shares = |seed: u32| {
        let mut script = format!(
            "seed {seed}\nservice shop inbound\n  flow: queue billing\n  set login ready\nqueue billing random\n\
             operator 1\noperator 2\noperator 3\nt=0 log in operator 1; log in operator 2; log in operator 3\n"
        );
        for call in 1..=600 {
            script.push_str(&format!("t={call} call {call} -> shop\nt={call}.5 call {call} hangs up\n"));
        }
        let lines = support::run(&script);
        let rung =
            |operator: u32| lines.iter().filter(|l| l.text.starts_with(&format!("ring operator {operator} "))).count();
        [rung(1), rung(2), rung(3)]
    };
    let first = shares(1);
    assert_eq!(first, shares(1), "the same seed, the same choices");
    assert_ne!(first, shares(2), "another seed, other choices");
    // 600 draws of 1/3: mean 200, standard deviation 11.5; four of them are 46.
    assert!(first.iter().all(|&rung| rung.abs_diff(200) <= 46), "{first:?}");
}

#[test]
fn b1_ring_all_and_ring_progressive_have_exactly_one_winner() {
    rings(
        "ring-all",
        PLAIN,
        "t=10 call a -> shop\nt=11 operator 3 answers; operator 1 answers; operator 2 answers",
        "t=10 ring operator 1 for call a until 00:00:25.000 (offer 1)
         ring operator 2 for call a until 00:00:25.000 (offer 2)
         ring operator 3 for call a until 00:00:25.000 (offer 3)",
    );
    rings(
        "ring-progressive 4s",
        PLAIN,
        "t=10 call a -> shop\nt=19 operator 2 answers",
        "t=10 ring operator 1 for call a until 00:00:25.000 (offer 1)
         t=14 ring operator 2 for call a until 00:00:29.000 (offer 2)
         t=18 ring operator 3 for call a until 00:00:33.000 (offer 3)",
    );
}

#[test]
fn p39_lower_levels_are_asked_first_whatever_the_policy() {
    rings(
        "longest-idle",
        "operator 1 queues billing level 2\noperator 2 queues billing level 1\noperator 3 queues billing level 1",
        "t=10 call a -> shop; call b -> shop; call c -> shop",
        "t=10 ring operator 2 for call a until 00:00:25.000 (offer 1)
         ring operator 3 for call b until 00:00:25.000 (offer 2)
         ring operator 1 for call c until 00:00:25.000 (offer 3)",
    );
}

#[test]
fn b10_no_overtaking_within_a_class_and_priority_goes_first() {
    rings(
        "strict",
        "operator 1 queues none\noperator 2 queues none\noperator 3",
        "t=3 operator 3 break
         t=10 call a -> shop
         t=11 call b -> shop priority 2
         t=12 call c -> shop priority 2
         t=13 call d -> shop
         t=14 call d priority 2
         t=20 operator 3 ready
         t=21 call b hangs up
         t=22 call c hangs up
         t=23 call d hangs up",
        "t=20 ring operator 3 for call b until 00:00:35.000 (offer 1)
         t=21 ring operator 3 for call c until 00:00:36.000 (offer 2)
         t=22 ring operator 3 for call d until 00:00:37.000 (offer 3)
         t=23 ring operator 3 for call a until 00:00:38.000 (offer 4)",
    );
}

#[test]
fn b10_with_ageing_every_wait_is_bounded() {
    // A head start of 90 s for a level: c, priority 1, comes 91 s after a and goes after it, but before b.
    rings(
        "head-start 90s",
        "operator 1 queues none\noperator 2 queues none\noperator 3",
        "t=3 operator 3 break
         t=10 call a -> shop
         t=12 call b -> shop
         t=101 call c -> shop priority 1
         t=200 operator 3 ready
         t=201 call a hangs up
         t=202 call c hangs up",
        "t=200 ring operator 3 for call a until 00:03:35.000 (offer 1)
         t=201 ring operator 3 for call c until 00:03:36.000 (offer 2)
         t=202 ring operator 3 for call b until 00:03:37.000 (offer 3)",
    );
}

#[test]
fn p39_the_last_operator_is_waited_for_a_while() {
    // 3 is preferred and talks: reserved for 20 s, then anybody.
    rings(
        "last-operator 20s",
        PLAIN,
        "t=3 operator 1 break; operator 2 break; call a -> shop
         t=4 operator 3 answers; operator 1 ready
         t=10 call b -> shop prefers operator 3
         t=15 call a hangs up
         t=16 operator 3 answers
         t=20 call c -> shop prefers operator 3
         t=60 wait",
        "t=3 ring operator 3 for call a until 00:00:18.000 (offer 1)
         t=15 ring operator 3 for call b until 00:00:30.000 (offer 2)
         t=40 ring operator 1 for call c until 00:00:55.000 (offer 3)",
    );
}
