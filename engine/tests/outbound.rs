//! Dialling customers: from which statuses, with which numbers, and when the ticket is made.

mod support;
use support::{check, check_only, on_floor, run, transcript};

fn floor(settings: &str) -> String {
    format!(
        "service shop inbound outbound
           flow: queue billing
           outgoing +81311112222
           set {settings}
         queue billing
         operator 1
         operator 2
         "
    )
}

#[test]
fn p18_p28_p44_p45_p46_a_dial_rings_the_customer_and_makes_the_ticket_when_connected() {
    check(
        &format!(
            "{}t=0 operator 1 dials +8190 from +81311112222
             t=1 log in operator 1
             t=2 operator 1 dials +8190 from +81311112222 as call 7 customer 5
             t=9 call 7 answers
             t=20 call 7 hangs up",
            floor("outbound-ticket at-connect")
        ),
        "t=0 refused: operator 1 cannot dial in status LoggedOut
         t=1 operator 1: LoggedOut -> Work
         t=2 operator 1: Work -> Dialing (call 7)
         operator 1 dials call 7 for service shop
         dial +8190 for call 7, showing +81311112222
         t=9 operator 1: Dialing -> Talking (call 7)
         connect customer of call 7 and operator 1
         customer of call 7 answered operator 1 after 7 s
         ticket 1 created for service shop from outbound call 7, owner operator 1
         t=20 call 7 ended: customer hung up; talk 11 s, operator 1
         hang up operator 1
         operator 1: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn p8_p47_with_the_setting_the_ticket_comes_at_the_dial_and_keeps_the_failure() {
    check_only(
        &format!(
            "{}t=1 log in operator 1
             t=2 operator 1 dials +8190 from +81311112222 as call 7
             t=9 call 7 fails busy",
            floor("outbound-ticket at-dial")
        ),
        &["ticket", "ended", "operator 1: "],
        "t=1 operator 1: LoggedOut -> Work
         t=2 operator 1: Work -> Dialing (call 7)
         ticket 1 created for service shop from outbound call 7, owner operator 1
         t=9 ticket 1 (version 2): the dial failed: busy
         call 7 ended: dial failed, busy, operator 1
         operator 1: Dialing -> AfterCallWork (call 7)",
    );
}

#[test]
fn p8_never_two_tickets_for_one_call() {
    for setting in ["at-dial", "at-connect"] {
        let lines = run(&format!(
            "{}t=1 log in operator 1
             t=2 operator 1 dials +8190 from +81311112222 as call 7
             t=9 call 7 answers
             t=11 operator 1 holds
             t=12 operator 1 releases
             t=20 call 7 hangs up",
            floor(&format!("outbound-ticket {setting}"))
        ));
        let tickets = lines.iter().filter(|line| line.text.contains("created")).count();
        assert_eq!(tickets, 1, "{setting}\n{}", transcript(&lines));
    }
}

#[test]
fn p46_a_dial_that_fails_without_a_ticket_leads_back_to_the_status_before() {
    check_only(
        &format!(
            "{}t=1 log in operator 1; operator 1 break
             t=2 operator 1 dials +8190 from +81311112222 as call a
             t=3 call a fails no-answer
             t=4 operator 1 ready
             t=5 operator 1 dials +8190 from +81311112222 as call b
             t=65 wait
             t=66 operator 1 work
             t=67 operator 1 dials +8190 from +81311112222 as call c
             t=68 operator 1 hangs up",
            floor("dial-limit 60s")
        ),
        &["operator 1: ", "ended"],
        "t=1 operator 1: LoggedOut -> Work
         operator 1: Work -> Break
         t=2 operator 1: Break -> Dialing (call a)
         t=3 call a ended: dial failed, no-answer, operator 1
         operator 1: Dialing -> Break
         t=4 operator 1: Break -> Ready
         t=5 operator 1: Ready -> Dialing (call b)
         t=65 call b ended: dial failed, no-answer, operator 1
         operator 1: Dialing -> Ready
         t=66 operator 1: Ready -> Work
         t=67 operator 1: Work -> Dialing (call c)
         t=68 call c ended: dial cancelled, operator 1
         operator 1: Dialing -> Work",
    );
}

#[test]
fn p44_no_dial_while_ringing_talking_or_dialling() {
    on_floor(
        "t=0 log in operator 1
         t=1 call 7 -> shop
         t=2 operator 1 dials +8190 from +81311112222
         t=3 operator 1 answers
         t=4 operator 1 dials +8190 from +81311112222
         t=5 operator 1 holds
         t=6 operator 1 dials +8190 from +81311112222
         t=7 operator 1 hangs up
         t=8 operator 1 dials +8190 from +81311112222
         t=9 operator 1 dials +8190 from +81311112222",
        "...
         t=2 refused: operator 1 cannot dial in status Ringing
         ...
         t=4 refused: operator 1 cannot dial in status Talking
         ...
         t=6 refused: operator 1 cannot dial in status Holding
         ...
         t=8 operator 1: AfterCallWork -> Dialing (call 2)
         operator 1 dials call 2 for service shop
         ...
         t=9 refused: operator 1 cannot dial in status Dialing",
    );
}

#[test]
fn b13_a_ready_operator_who_dials_in_vain_is_ready_again_because_they_were() {
    check_only(
        &format!(
            "{}t=1 log in operator 1; operator 1 ready
             t=2 operator 1 dials +8190 from +81311112222 as call a
             t=3 call 8 -> shop
             t=5 call a fails failed",
            floor("login work")
        ),
        &["operator 1: ", "ring operator"],
        "t=1 operator 1: LoggedOut -> Work
         operator 1: Work -> Ready
         t=2 operator 1: Ready -> Dialing (call a)
         t=5 operator 1: Dialing -> Ready
         operator 1: Ready -> Ringing (call 8)
         ring operator 1 for call 8 until 00:00:20.000 (offer 1)",
    );
}
