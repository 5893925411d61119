//! Why a call waits or rings where it does.

mod support;
use support::check_only;

#[test]
fn b4_every_operator_has_a_verdict_and_the_first_is_who_gets_it() {
    check_only(
        "
skill english
service shop inbound
  flow: queue billing
  set login ready
queue billing needs english>=3 first-level 1 fixed-order
queue talk chat
operator 1 skills english=5
operator 2 skills english=2
operator 3 skills english=5
operator 4 skills english=5 queues billing level 2
operator 5 skills english=5 queues talk
operator 6 skills english=5
t=0 log in operator 1; operator 1 break
t=0 log in operator 2; log in operator 4; log in operator 5; log in operator 6; operator 6 work
t=1 call a -> shop
t=2 call b -> shop
t=3 explain call b
t=4 log in operator 3
t=5 explain call a
t=6 explain call 9",
        &[
            "ahead",
            "operator 1: no",
            "operator 2: no",
            ": rings",
            "operator 3: no",
            "operator 4: no",
            "operator 5: no",
            "operator 6: no",
            "refused",
        ],
        "t=3 call b in queue billing, 1 ahead, policy FixedOrder
         operator 3: no: status LoggedOut
         operator 6: no: status Work
         operator 1: no: status Break
         operator 4: no: level 2, asked up to 1
         operator 2: no: english 2, asked 3
         operator 5: no: does not serve the queue
         t=5 call a in queue billing, 0 ahead, policy FixedOrder
         operator 3: rings
         ...
         t=6 refused: call 9 does not exist, or no longer",
    );
}

#[test]
fn b5_who_missed_it_and_for_whom_it_is_kept() {
    check_only(
        "
service shop inbound
  flow: queue billing
  set login ready; miss stays-ready
queue billing last-operator 60s
operator 1
operator 2
t=0 log in operator 2; call a -> shop; operator 2 answers; log in operator 1
t=1 call b -> shop
t=2 operator 1 declines
t=3 explain call b
t=4 call c -> shop prefers operator 2
t=5 explain call c",
        &["operator 1: no: k", "operator 1: no: m", "operator 2: no"],
        "t=3 operator 1: no: missed it, and somebody else could take it
         operator 2: no: status Talking
         t=5 operator 1: no: kept for operator 2
         operator 2: no: status Talking",
    );
}
