//! Chats: their own status, one capacity rule with the phone, and the same router.

mod support;
use support::{check, check_only};

const FLOOR: &str = "
service shop inbound
  flow: queue billing
  set login ready
queue billing
queue talk chat
queue other chat
operator 1 chats 2 queues talk, billing
operator 2 chats 2 queues other, billing
";

#[test]
fn p39_a_chat_from_arrival_to_its_end() {
    check(
        &format!(
            "{FLOOR}t=0 log in operator 1
             t=1 chat a -> talk
             t=2 operator 1 chats available
             t=5 operator 1 answers
             t=60 operator 1 ends chat a"
        ),
        "t=0 operator 1: LoggedOut -> Ready
         t=1 chat a waits in queue talk
         t=2 operator 1: chats available
         offer 1 of chat a to operator 1 from queue talk until 00:00:17.000
         ring operator 1 for chat a until 00:00:17.000 (offer 1)
         t=5 offer 1 of chat a to operator 1 accepted after 3 s
         operator 1 took chat a from queue talk after 4 s
         ticket 1 created for service shop from chat a, owner operator 1
         t=60 chat a ended: operator ended it; wait 4 s, handled 55 s, operator 1, queue talk",
    );
}

#[test]
fn b2_chats_never_pass_their_limit_and_a_call_fits_only_beside_enough_points() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1; operator 1 chats available
             t=1 chat a -> talk; chat b -> talk; chat c -> talk
             t=2 operator 1 answers chat a; operator 1 answers chat b
             t=3 call 7 -> shop
             t=9 operator 1 ends chat a
             t=10 operator 1 ends chat b; chat c leaves"
        ),
        &["ring operator"],
        "t=1 ring operator 1 for chat a until 00:00:16.000 (offer 1)
         ring operator 1 for chat b until 00:00:16.000 (offer 2)
         t=9 ring operator 1 for chat c until 00:00:24.000 (offer 3)
         t=10 ring operator 1 for call 7 until 00:00:25.000 (offer 4)",
    );
}

#[test]
fn p59_no_chat_during_a_call_or_after_call_work_unless_capacity_allows() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1; operator 1 chats available; call 7 -> shop; operator 1 answers
             t=1 chat a -> talk
             t=5 call 7 hangs up
             t=9 operator 1 work"
        ),
        &["ring operator"],
        "t=0 ring operator 1 for call 7 until 00:00:15.000 (offer 1)
         t=9 ring operator 1 for chat a until 00:00:24.000 (offer 2)",
    );
}

#[test]
fn p39_no_chat_on_break_and_a_missed_chat_puts_its_status_away() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1; operator 1 chats available; operator 1 break
             t=1 chat a -> talk
             t=2 operator 1 ready
             t=17 wait
             t=20 operator 1 chats available"
        ),
        &["ring operator", "chats"],
        "t=0 operator 1: chats available
         t=2 ring operator 1 for chat a until 00:00:17.000 (offer 1)
         t=17 operator 1: chats away
         t=20 operator 1: chats available
         ring operator 1 for chat a until 00:00:35.000 (offer 2)",
    );
}

#[test]
fn b6_b7_a_customer_who_leaves_ends_the_chat_wherever_it_is() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1
             t=1 chat a -> talk
             t=3 chat a leaves
             t=4 operator 1 chats available; chat b -> talk
             t=6 chat b leaves
             t=7 chat c -> talk
             t=8 operator 1 answers
             t=18 chat c leaves; chat c leaves"
        ),
        &["ended", "refused", "offer 1 of chat b to operator 1 was"],
        "t=3 chat a ended: abandoned; wait 2 s, queue talk
         t=6 offer 1 of chat b to operator 1 was abandoned after 2 s
         chat b ended: abandoned; wait 2 s, queue talk
         t=18 chat c ended: customer left; wait 1 s, handled 10 s, operator 1, queue talk
         refused: chat c does not exist, or no longer",
    );
}

#[test]
fn b10_a_chat_that_is_handed_on_waits_at_the_head() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1; operator 1 chats available; log in operator 2
             t=1 chat a -> other
             t=2 chat b -> talk
             t=3 operator 1 answers chat b
             t=5 operator 1 transfers chat b to queue other
             t=6 operator 2 chats available"
        ),
        &["ring operator", "handed"],
        "t=2 ring operator 1 for chat b until 00:00:17.000 (offer 1)
         t=5 operator 1 handed chat b on to queue other
         t=6 ring operator 2 for chat b until 00:00:21.000 (offer 2)
         ring operator 2 for chat a until 00:00:21.000 (offer 3)",
    );
}

#[test]
fn p39_a_chat_for_the_phone_queue_is_refused() {
    check(&format!("{FLOOR}t=0 chat a -> billing"), "t=0 refused: queue billing is not for channel Chat");
}

/// Three operators for chats, of different queues, and one who serves none for chats.
const DESKS: &str = "
service shop inbound
  flow: queue billing
  set login ready
queue billing
queue talk chat
queue other chat
operator 1 chats 2 queues talk, billing
operator 2 chats 1 queues other, billing
operator 3 chats 1 queues talk
operator 4 chats 1 queues billing
";

#[test]
fn b1_b2_a_chat_handed_to_a_named_operator_rings_them_alone() {
    // Operator 3 serves the chat's queue and is free; operator 2 does not serve it, and is the one who was named.
    check(
        &format!(
            "{DESKS}t=0 log in operator 1; operator 1 chats available; chat a -> talk; operator 1 answers
             t=1 operator 2 chats available; operator 3 chats available
             t=2 operator 1 transfers chat a to operator 2
             t=5 operator 2 answers
             t=60 operator 2 ends chat a"
        ),
        "t=0 operator 1: LoggedOut -> Ready
         operator 1: chats available
         chat a waits in queue talk
         offer 1 of chat a to operator 1 from queue talk until 00:00:15.000
         ring operator 1 for chat a until 00:00:15.000 (offer 1)
         offer 1 of chat a to operator 1 accepted after 0 s
         operator 1 took chat a from queue talk after 0 s
         ticket 1 created for service shop from chat a, owner operator 1
         t=1 operator 2: chats available
         operator 3: chats available
         t=2 operator 1 handed chat a on to operator 2
         offer 2 of chat a to operator 2 from queue talk until 00:00:17.000
         ring operator 2 for chat a until 00:00:17.000 (offer 2)
         t=5 offer 2 of chat a to operator 2 accepted after 3 s
         operator 2 took chat a from queue talk after 3 s
         ticket 1 (version 2): owner operator 1 -> operator 2
         t=60 chat a ended: operator ended it; handled 57 s, operator 2, queue talk",
    );
}

#[test]
fn b2_b18_whoever_cannot_take_a_chat_is_handed_none() {
    check_only(
        &format!(
            "{DESKS}t=0 log in operator 1; operator 1 chats available; chat a -> talk; operator 1 answers
             t=1 operator 1 transfers chat a to operator 1
             t=2 operator 1 transfers chat a to operator 4
             t=3 operator 1 transfers chat a to operator 3
             t=4 log in operator 3; operator 3 chats available; operator 3 break
             t=5 operator 1 transfers chat a to operator 3
             t=6 operator 3 ready; chat b -> talk; chat c -> talk; operator 3 answers
             t=7 operator 1 transfers chat a to operator 3
             t=8 operator 2 transfers chat a to operator 3
             t=9 operator 1 ends chat a; operator 1 transfers chat a to operator 3"
        ),
        &["refused", "handed"],
        "t=1 refused: operator 1 cannot be their own target
         t=2 refused: operator 4 cannot be given a chat: they serve no queue for chats
         t=3 refused: operator 3 cannot be given a chat: chats Away, status LoggedOut
         t=5 refused: operator 3 cannot be given a chat: chats Available, status Break
         t=7 refused: operator 3 cannot be reached: no capacity left for it
         t=8 refused: chat a is not with operator 2
         t=9 refused: chat a does not exist, or no longer",
    );
}

#[test]
fn b4_b5_a_chat_that_the_named_operator_misses_goes_to_whoever_is_free() {
    check_only(
        &format!(
            "{DESKS}t=0 log in operator 1; operator 1 chats available; chat a -> talk; operator 1 answers
             t=1 operator 2 chats available; operator 3 chats available
             t=2 operator 1 transfers chat a to operator 2
             t=3 operator 1 chats away
             t=17 wait"
        ),
        &["ring operator", "chats away"],
        "t=0 ring operator 1 for chat a until 00:00:15.000 (offer 1)
         t=2 ring operator 2 for chat a until 00:00:17.000 (offer 2)
         t=3 operator 1: chats away
         t=17 operator 2: chats away
         ring operator 3 for chat a until 00:00:32.000 (offer 3)",
    );
}

#[test]
fn b6_b10_a_chat_that_is_handed_on_is_over_when_its_customer_leaves_and_waits_at_the_head_otherwise() {
    check_only(
        &format!(
            "{DESKS}t=0 log in operator 1; operator 1 chats available; chat a -> talk; operator 1 answers; chat b -> talk
             t=1 operator 1 answers; operator 2 chats available; chat c -> talk
             t=2 operator 1 transfers chat a to operator 2
             t=3 operator 2 declines
             t=4 operator 2 chats available
             t=5 operator 1 transfers chat b to operator 2
             t=6 chat b leaves"
        ),
        &["ring operator", "ended", "declined", "abandoned"],
        "t=0 ring operator 1 for chat a until 00:00:15.000 (offer 1)
         ring operator 1 for chat b until 00:00:15.000 (offer 2)
         t=2 ring operator 1 for chat c until 00:00:17.000 (offer 3)
         ring operator 2 for chat a until 00:00:17.000 (offer 4)
         t=3 offer 4 of chat a to operator 2 declined after 1 s
         t=5 ring operator 1 for chat a until 00:00:20.000 (offer 5)
         ring operator 2 for chat b until 00:00:20.000 (offer 6)
         t=6 offer 6 of chat b to operator 2 was abandoned after 1 s
         chat b ended: customer left; wait 1 s, handled 4 s, queue talk",
    );
}
