//! Tickets: from where they come, who owns them, their clocks, versions and end.

mod support;
use support::{check, check_only};

fn floor(settings: &str) -> String {
    format!(
        "service shop inbound outbound hours 0 to 10000
           flow: queue billing
           set login ready; {settings}
         queue billing
         queue mail ticket
         operator 1 tickets 2
         operator 2 tickets 2
         "
    )
}

#[test]
fn p41_exactly_one_ticket_for_each_connected_call_and_none_without() {
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 call a -> shop
             t=2 operator 1 declines
             t=3 operator 1 ready
             t=4 operator 1 answers
             t=5 operator 1 holds
             t=6 operator 1 releases
             t=7 call a hangs up
             t=8 call b -> shop
             t=9 call b hangs up",
            floor("")
        ),
        &["created"],
        "t=4 ticket 1 created for service shop from inbound call a, owner operator 1",
    );
}

#[test]
fn b18_a_written_ticket_is_offered_to_the_ready_alone_and_returns_on_its_deadline() {
    check_only(
        &format!(
            "{}t=0 log in operator 1; operator 1 break
             t=1 ticket a -> shop queue mail
             t=5 operator 1 ready
             t=6 operator 1 answers
             t=66 wait",
            floor("return-after 60s; miss leaves-ready")
        ),
        &["ticket a", "operator 1: "],
        "t=0 operator 1: LoggedOut -> Ready
         operator 1: Ready -> Break
         t=1 ticket a created for service shop from writing, owner nobody
         ticket a waits in queue mail
         t=5 operator 1: Break -> Ready
         offer 1 of ticket a to operator 1 from queue mail until 00:00:20.000
         ring operator 1 for ticket a until 00:00:20.000 (offer 1)
         t=6 offer 1 of ticket a to operator 1 accepted after 1 s
         operator 1 took ticket a from queue mail after 5 s
         ...
         t=66 ticket a (version 4): owner operator 1 -> nobody
         ...",
    );
}

#[test]
fn b18_no_ticket_goes_to_who_is_logged_out_or_on_break() {
    check_only(
        &format!(
            "{}t=0 log in operator 1; log in operator 2; operator 2 work
             t=1 operator 1 break; ticket a -> shop queue mail
             t=2 log out operator 1
             t=3 ticket b -> shop queue mail
             t=500 operator 2 ready",
            floor("")
        ),
        &["ring operator"],
        "t=500 ring operator 2 for ticket a until 00:08:35.000 (offer 1)
         ring operator 2 for ticket b until 00:08:35.000 (offer 2)",
    );
}

#[test]
fn b2_tickets_never_pass_their_limit() {
    check_only(
        &format!(
            "{}t=0 log in operator 1
             t=1 ticket a -> shop queue mail; ticket b -> shop queue mail; ticket c -> shop queue mail
             t=2 operator 1 answers ticket a; operator 1 answers ticket b
             t=9 operator 1 finishes ticket a",
            floor("")
        ),
        &["ring operator"],
        "t=1 ring operator 1 for ticket a until 00:00:16.000 (offer 1)
         ring operator 1 for ticket b until 00:00:16.000 (offer 2)
         t=9 ring operator 1 for ticket c until 00:00:24.000 (offer 3)",
    );
}

#[test]
fn p52_b17_ownership_moves_with_its_history_and_versions_guard_every_write() {
    check(
        &format!(
            "{}t=1 ticket a -> shop
             t=2 operator 1 pulls ticket a version 1
             t=3 ticket a forwarded to operator 2 version 1
             t=4 ticket a forwarded to operator 2
             t=5 ticket a forwarded to nobody",
            floor("")
        ),
        "t=1 ticket a created for service shop from writing, owner nobody
         t=2 ticket a (version 2): owner nobody -> operator 1
         ticket a (version 3): New -> Open
         t=3 refused: ticket a was changed by somebody else: version 3, not 1; look at it again
         t=4 ticket a (version 4): owner operator 1 -> operator 2
         t=5 ticket a (version 5): owner operator 2 -> nobody",
    );
}

#[test]
fn p52_new_open_pending_solved_closed_and_open_again() {
    check(
        &format!(
            "{}t=1 ticket a -> shop
             t=2 operator 1 pulls ticket a
             t=3 ticket a pending by operator 1
             t=4 ticket a customer replies
             t=5 ticket a solved by operator 1 as by-call
             t=6 ticket a customer replies
             t=7 ticket a solved as spam
             t=8 ticket a rated 5
             t=107 wait
             t=108 ticket a open",
            floor("close-after 100s")
        ),
        "t=1 ticket a created for service shop from writing, owner nobody
         t=2 ticket a (version 2): owner nobody -> operator 1
         ticket a (version 3): New -> Open
         t=3 ticket a (version 4): Open -> Pending
         t=4 ticket a (version 5): the customer replied
         ticket a (version 6): Pending -> Open
         t=5 ticket a (version 7): Open -> Solved, by-call
         t=6 ticket a (version 8): the customer replied
         ticket a (version 9): Solved -> Open
         t=7 ticket a (version 10): Open -> Solved, spam
         t=8 ticket a (version 11): rated 5
         t=107 ticket a (version 12): Solved -> Closed
         t=108 refused: ticket a does not exist, or no longer",
    );
}

#[test]
fn b7_clocks_are_late_in_business_time_and_stand_while_pending() {
    check(
        &format!(
            "{}t=1 ticket a -> shop
             t=2 operator 1 pulls ticket a
             t=11 operator 1 replies to ticket a
             t=12 ticket a pending
             t=112 ticket a open
             t=200 wait",
            floor("first-response 9s; resolution 60s")
        ),
        "t=1 ticket a created for service shop from writing, owner nobody
         t=2 ticket a (version 2): owner nobody -> operator 1
         ticket a (version 3): New -> Open
         t=10 ticket a (version 4): the first reply is late
         t=11 ticket a (version 5): operator 1 replied
         t=12 ticket a (version 6): Open -> Pending
         t=112 ticket a (version 7): Pending -> Open
         t=161 ticket a (version 8): the resolution is late",
    );
}

#[test]
fn p52_merging_and_linking() {
    check(
        &format!(
            "{}t=1 ticket a -> shop; ticket b -> shop; ticket c -> shop
             t=2 ticket a links ticket c
             t=3 ticket a absorbs ticket b
             t=4 ticket b priority 3
             t=5 ticket a priority 3; ticket a absorbs ticket a; ticket a rated 6",
            floor("")
        ),
        "...
         t=2 ticket a (version 2): linked with ticket c
         ticket c (version 2): linked with ticket a
         t=3 ticket a (version 3): absorbed ticket b
         ticket b (version 2): became part of ticket a
         ticket b (version 3): New -> Closed, duplicate
         t=4 refused: ticket b does not exist, or no longer
         t=5 ticket a (version 4): priority 3
         refused: ticket a cannot go from New to Closed
         refused: cannot rate with 6: 1 to 5 is right",
    );
}
