//! Who may log in, dial and be called: contract flags, rights, ids, numbers and the statuses that people choose.

mod support;
use support::{check, check_only, on_floor};

#[test]
fn p1_an_inbound_call_without_the_contract_is_refused_before_the_flow() {
    check(
        "service shop no-inbound outbound
           flow: queue billing
         queue billing
         operator 1
         t=0 call 7 -> shop",
        "t=0 call 7 was refused by service shop
         refuse call 7: no contract for inbound calls",
    );
}

#[test]
fn p1_turned_off_in_mid_call_running_calls_finish_and_new_ones_are_refused() {
    on_floor(
        "t=0 log in operator 1
         t=1 call 7 -> shop
         t=2 operator 1 answers
         t=3 reconfigure
           service shop no-inbound
         t=4 call 8 -> shop
         t=5 operator 1 holds
         t=6 operator 1 releases
         t=9 call 7 hangs up",
        "...
         t=4 call 8 was refused by service shop
         refuse call 8: no contract for inbound calls
         ...
         t=9 call 7 ended: customer hung up; wait 1 s, talk 6 s, hold 1 s, operator 1, queue billing
         ...",
    );
}

#[test]
fn p2_a_dial_without_the_outbound_contract_is_refused_and_names_the_flag() {
    check(
        "service shop inbound
           flow: queue billing
           outgoing +81311112222
         queue billing
         operator 1
         t=0 log in operator 1
         t=1 operator 1 dials +8190 from +81311112222",
        "t=0 operator 1: LoggedOut -> Work
         t=1 refused: service shop has no contract for outbound calls",
    );
}

#[test]
fn p2_turned_off_in_mid_call_the_outbound_call_finishes() {
    on_floor(
        "t=0 log in operator 1; operator 1 dials +8190 from +81311112222 as call 7
         t=5 call 7 answers
         t=6 reconfigure
           service shop no-outbound
         t=9 call 7 hangs up",
        "...
         t=9 call 7 ended: customer hung up; talk 4 s, operator 1
         ...",
    );
}

#[test]
fn p3_no_phone_right_no_cti_login() {
    check(
        "service shop
         operator 1 no-phone
         t=0 log in operator 1",
        "t=0 refused: operator 1 cannot log in: the phone right is not granted",
    );
}

#[test]
fn p5_a_missing_cti_id_is_named() {
    check(
        "service shop
         operator 1 id none
         t=0 log in operator 1",
        "t=0 refused: operator 1 cannot log in: a CTI id is missing",
    );
}

#[test]
fn p6_a_missing_cti_number_is_named() {
    check(
        "service shop
         operator 1 number none
         t=0 log in operator 1",
        "t=0 refused: operator 1 cannot log in: a CTI number is missing",
    );
}

#[test]
fn p5_p6_ids_and_numbers_are_unique() {
    use callfloor_engine::script::Script;
    let error = |text: &str| Script::parse(text).unwrap_err().to_string();
    assert_eq!(
        error("service shop\noperator 1 id x\noperator 2 id x"),
        "1:1: operators: CTI id \"x\" is given twice: it must be unique"
    );
    assert_eq!(
        error("service shop\noperator 1 number 9\noperator 2 number 9"),
        "1:1: operators: CTI number 9 is given twice: it must be unique"
    );
}

#[test]
fn p7_only_confirmed_outgoing_numbers_can_be_used() {
    check(
        "service shop outbound
           outgoing 1 confirmed
           outgoing 2 new
           outgoing 3 rejected
         operator 1
         t=0 log in operator 1
         t=1 operator 1 dials 90 from 2; operator 1 dials 90 from 3; operator 1 dials 90 from 4
         t=2 operator 1 dials 90 from 1 as call 7",
        "t=0 operator 1: LoggedOut -> Work
         t=1 refused: the outgoing number of service shop is New: only Confirmed ones can be used
         refused: the outgoing number of service shop is Rejected: only Confirmed ones can be used
         refused: the outgoing number is not registered for service shop: choose one of its confirmed numbers
         ...
         dial 90 for call 7, showing 1
         ...",
    );
}

#[test]
fn p10_p25_the_status_at_login_is_a_setting() {
    for (setting, status) in [
        ("work", "Work"),
        ("ready", "Ready"),
        ("break for lunch", "Break for lunch"),
        ("work for report", "Work for report"),
    ] {
        check(
            &format!(
                "
                 reason lunch
                 reason report
                 service shop
                   set login {setting}
                 operator 1
                 t=0 log in operator 1
                 t=1 log in operator 1"
            ),
            &format!(
                "t=0 operator 1: LoggedOut -> {status}
                 t=1 refused: operator 1 cannot log in in status {}",
                status.split(' ').next().unwrap()
            ),
        );
    }
}

#[test]
fn p15_p16_p17_p26_status_buttons_with_reasons() {
    check(
        "
         reason meeting
         reason meal
         service shop
         operator 1
         t=0 log in operator 1
         t=1 operator 1 work for meeting
         t=2 operator 1 ready
         t=3 operator 1 break for meal
         t=4 operator 1 work
         t=5 log out operator 1
         t=6 operator 1 ready",
        "t=0 operator 1: LoggedOut -> Work
         t=1 operator 1: Work -> Work for meeting
         t=2 operator 1: Work -> Ready
         t=3 operator 1: Ready -> Break for meal
         t=4 operator 1: Break -> Work
         t=5 operator 1: Work -> LoggedOut
         t=6 refused: operator 1 cannot change status in status LoggedOut",
    );
}

#[test]
fn p23_p38_logout_is_refused_with_a_call_in_hand_and_logged_out_is_never_rung() {
    on_floor(
        "t=0 log in operator 1
         t=1 call 7 -> shop
         t=2 log out operator 1
         t=3 operator 1 answers
         t=4 log out operator 1
         t=5 operator 1 hangs up
         t=6 log out operator 1
         t=7 call 8 -> shop
         t=99 wait",
        "...
         t=2 refused: operator 1 cannot log out in status Ringing
         ...
         t=4 refused: operator 1 cannot log out in status Talking
         ...
         t=6 operator 1: AfterCallWork -> LoggedOut
         t=7 call 8 arrived at service shop
         call 8 queued in queue billing
         play music 1 to customer of call 8",
    );
}

#[test]
fn p39_only_ready_is_offered_calls() {
    // 1 is in Work, 2 on Break, 3 logged out: the call waits until somebody is Ready.
    check_only(
        &format!(
            "{}t=0 log in operator 1; operator 1 work; log in operator 2; operator 2 break
             t=1 call 7 -> shop
             t=50 operator 2 ready",
            support::FLOOR
        ),
        &["ring ", "queued"],
        "t=1 call 7 queued in queue billing
         t=50 ring operator 2 for call 7 until 00:01:05.000 (offer 1)",
    );
}

#[test]
fn b8_a_reload_changes_nobodys_status() {
    on_floor(
        "t=0 log in operator 1; log in operator 2; operator 2 break
         t=1 call 7 -> shop
         t=2 operator 1 answers
         t=3 reconfigure
           service shop
             set login work; ring-limit 99s
           operator 4
         t=4 operator 1 holds
         t=5 log in operator 1; log in operator 2; log in operator 4",
        "...
         t=4 play music 1 to customer of call 7
         operator 1: Talking -> Holding (call 7)
         operator 1 held call 7
         t=5 refused: operator 1 cannot log in in status Holding
         refused: operator 2 cannot log in in status Break
         operator 4: LoggedOut -> Work",
    );
}

#[test]
fn b8_a_reload_that_drops_what_is_in_use_is_refused_whole() {
    check(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing
         operator 1
         operator 2
         t=0 log in operator 1; log in operator 2
         t=1 reconfigure anew
           service shop inbound
             flow: queue billing
           queue billing
           operator 1
         t=2 log in operator @1",
        "t=0 operator 1: LoggedOut -> Ready
         operator 2: LoggedOut -> Ready
         ...
         t=2 refused: operator 2 cannot log in in status Ready",
    );
}

#[test]
fn b13_nobody_becomes_ready_who_did_not_say_so() {
    // Work, Break and the end of a missed ring: after hours only those are Ready who chose it.
    check_only(
        &format!(
            "{}t=0 log in operator 1; operator 1 work; log in operator 2; operator 2 break; log in operator 3
             t=1 call 7 -> shop
             t=20 operator 3 loses device
             t=25 operator 3 regains device
             t=9000 wait",
            support::FLOOR
        ),
        &["-> Ready"],
        "t=0 operator 1: LoggedOut -> Ready
         operator 2: LoggedOut -> Ready
         operator 3: LoggedOut -> Ready",
    );
}
