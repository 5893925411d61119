//! A call from arrival to answer: every step of the flow, the queue, the connection and its ticket.

mod support;
use support::{check, check_only, on_floor};

#[test]
fn p9_p27_p40_p41_answer_connects_and_makes_the_ticket_and_the_limit_itself_is_late() {
    on_floor(
        "t=0 log in operator 1; log in operator 2
         t=1 call 7 -> shop
         t=16 operator 1 answers
         t=30.999999 operator 2 answers",
        "t=0 operator 1: LoggedOut -> Ready
         operator 2: LoggedOut -> Ready
         t=1 call 7 arrived at service shop
         call 7 queued in queue billing
         play music 1 to customer of call 7
         offer 1 of call 7 to operator 1 from queue billing until 00:00:16.000
         operator 1: Ready -> Ringing (call 7)
         ring operator 1 for call 7 until 00:00:16.000 (offer 1)
         t=16 offer 1 of call 7 to operator 1 timed out after 15 s
         stop ringing operator 1 (offer 1)
         operator 1: Ringing -> Work for missed
         call 7 went back to queue billing
         offer 2 of call 7 to operator 2 from queue billing until 00:00:31.000
         operator 2: Ready -> Ringing (call 7)
         ring operator 2 for call 7 until 00:00:31.000 (offer 2)
         refused: operator 1 cannot answer or decline offer 1: it is over
         t=30.999999 offer 2 of call 7 to operator 2 accepted after 14.999999 s
         operator 2: Ringing -> Talking (call 7)
         connect customer of call 7 and operator 2
         operator 2 answered call 7 from queue billing after 29.999999 s
         ticket 1 created for service shop from inbound call 7, owner operator 2",
    );
}

#[test]
fn p9_a_queue_has_its_own_ring_limit() {
    check_only(
        "service shop inbound
           flow: queue billing
           set ring-limit 15s; login ready
         queue billing ring 7s
         operator 1
         t=0 log in operator 1
         t=1 call 7 -> shop
         t=60 wait",
        &["timed out"],
        "t=8 offer 1 of call 7 to operator 1 timed out after 7 s",
    );
}

#[test]
fn p13_p14_the_flow_ends_in_a_queue_with_music_and_recovery_skips_the_menu() {
    check(
        "
         audio jazz
         audio welcome
         service shop inbound
           flow: announcement 5s audio welcome; menu 9s audio welcome, 1 -> line, else -> line; line: queue billing
           set hold-music jazz; login ready
         queue billing
         operator 1
         t=0 log in operator 1
         t=1 call 7 -> shop
         t=4 call 7 playback ends
         t=5 call 7 presses 1
         t=20 operator 1 ready
         t=21 operator 1 answers",
        "...
         t=1 call 7 arrived at service shop
         call 7 entered step 0
         play announcement welcome to customer of call 7
         t=4 call 7 entered step 1
         play announcement welcome to customer of call 7, listening for digits
         t=5 call 7 queued in queue billing
         play music jazz to customer of call 7
         offer 1 of call 7 to operator 1 from queue billing until 00:00:20.000
         operator 1: Ready -> Ringing (call 7)
         ring operator 1 for call 7 until 00:00:20.000 (offer 1)
         t=20 offer 1 of call 7 to operator 1 timed out after 15 s
         stop ringing operator 1 (offer 1)
         operator 1: Ringing -> Work for missed
         call 7 went back to queue billing
         operator 1: Work -> Ready
         offer 2 of call 7 to operator 1 from queue billing until 00:00:35.000
         ...
         t=21 offer 2 of call 7 to operator 1 accepted after 1 s
         ...
         operator 1 answered call 7 from queue billing after 16 s
         ...",
    );
}

const STEPS: &str = "
skill english
service shop inbound hours 0 to 100
  flow:
    hours closed -> night
    announcement 5s
    menu 10s, 1 -> english, 9 -> bye, else -> late
    english: skill english>=3
    priority 2
    queue billing
    late: announcement 3s
    bye: end
    night: voicemail 60s queue mail
  set login ready
queue billing
queue mail ticket
operator 1
operator 2 skills english=3
";

#[test]
fn p14_menu_skill_and_priority() {
    check_only(
        &format!(
            "{STEPS}t=0 log in operator 1; log in operator 2
             t=1 call 7 -> shop
             t=2 call 7 playback ends; call 7 presses 1"
        ),
        &["step", "queued", "ring "],
        "t=1 call 7 entered step 1
         t=2 call 7 entered step 2
         call 7 queued in queue billing with priority 2
         ring operator 2 for call 7 until 00:00:17.000 (offer 1)",
    );
}

#[test]
fn p14_an_announcement_that_does_not_end_and_a_menu_without_an_answer_go_on_by_their_limits() {
    check(
        &format!("{STEPS}t=0 call 7 -> shop\nt=99 wait"),
        "t=0 call 7 arrived at service shop
         call 7 entered step 1
         play announcement 0 to customer of call 7
         t=5 call 7 entered step 2
         play announcement 0 to customer of call 7, listening for digits
         t=15 call 7 entered step 6
         play announcement 0 to customer of call 7
         t=18 hang up customer of call 7
         call 7 ended: the flow ended it",
    );
}

#[test]
fn p14_a_wrong_key_leads_elsewhere_and_an_end_ends() {
    check_only(
        &format!(
            "{STEPS}t=0 call 7 -> shop; call 8 -> shop\nt=1 call 7 playback ends; call 8 playback ends; call 7 presses 5; call 8 presses 9"
        ),
        &["step 6", "ended"],
        "t=1 call 7 entered step 6
         call 8 ended: the flow ended it",
    );
}

#[test]
fn p14_closed_a_message_is_taken_and_becomes_a_ticket() {
    check(
        &format!("{STEPS}t=100 call 7 -> shop\nt=130 call 7 playback ends"),
        "t=100 call 7 arrived at service shop
         call 7 entered step 8
         record a message of customer of call 7, at most 60 s
         ...
         t=130 ticket 1 created for service shop from the message of call 7, owner nobody
         ...
         call 7 ended: message left
         ...",
    );
}

#[test]
fn p14_a_forward_that_is_not_answered_goes_on_and_one_that_is_connects() {
    let floor = "service shop inbound
                   flow: forward +8155; end
                 operator 1
                 ";
    check(
        &format!("{floor}t=0 call 7 -> shop\nt=2 target of call 7 fails busy"),
        "t=0 call 7 arrived at service shop
         call 7 entered step 0
         ...
         dial +8155 for leg 1 of call 7
         ...
         t=2 call 7 ended: the flow ended it
         ...",
    );
    check_only(
        &format!("{floor}t=0 call 7 -> shop\nt=2 target of call 7 answers\nt=8 target of call 7 hangs up"),
        &["connect", "ended", "hang up"],
        "t=2 connect customer of call 7 and +8155
         t=8 hang up customer of call 7
         call 7 ended: forwarded",
    );
    check_only(
        &format!("{floor}t=0 call 7 -> shop\nt=99 wait"),
        &["hang up +8155", "ended"],
        "t=30 hang up +8155
         call 7 ended: the flow ended it",
    );
}

#[test]
fn p24_ringing_is_told_to_the_widget_and_its_end_too() {
    check_only(
        &format!("{}t=0 log in operator 1\nt=1 call 7 -> shop\nt=5 call 7 hangs up", support::FLOOR),
        &["ring operator", "stop ringing"],
        "t=1 ring operator 1 for call 7 until 00:00:16.000 (offer 1)
         t=5 stop ringing operator 1 (offer 1)",
    );
}

#[test]
fn b6_the_customer_goes_and_every_ring_stops_in_the_same_step() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing ring-all
         operator 1
         operator 2
         operator 3
         t=0 log in operator 1; log in operator 2; log in operator 3
         t=1 call 7 -> shop
         t=5 call 7 hangs up; operator 2 answers; call 7 hangs up
         t=900 wait",
        &["stop ringing", "abandoned", "-> Ready", "refused", "timed out"],
        "t=0 operator 1: LoggedOut -> Ready
         operator 2: LoggedOut -> Ready
         operator 3: LoggedOut -> Ready
         ...
         t=5 stop ringing operator 3 (offer 3)
         ...
         refused: operator 2 cannot answer or decline offer 2: it is over
         refused: call 7 does not exist, or no longer",
    );
}

#[test]
fn b7_every_hang_up_of_a_customer_is_recorded_as_what_it_is() {
    check_only(
        "service shop inbound
           flow: announcement 5s; queue billing
           set login ready
         queue billing
         operator 1
         t=0 call a -> shop
         t=2 call a hangs up
         t=10 call b -> shop
         t=15 wait
         t=18 call b hangs up
         t=20 log in operator 1; call c -> shop
         t=27 call c hangs up
         t=30 call d -> shop
         t=36 operator 1 answers
         t=39 call d hangs up
         t=40 operator 1 ready; call e -> shop
         t=46 operator 1 answers
         t=47 operator 1 holds
         t=49 call e hangs up",
        &["ended"],
        "t=2 call a ended: abandoned in the flow
         t=18 call b ended: abandoned in the queue; wait 3 s, queue billing
         t=27 call c ended: abandoned while ringing; wait 2 s, queue billing
         t=39 call d ended: customer hung up; wait 1 s, talk 3 s, operator 1, queue billing
         t=49 call e ended: customer hung up; wait 1 s, talk 1 s, hold 2 s, operator 1, queue billing",
    );
}

#[test]
fn b1_one_of_two_answers_wins_and_the_other_is_refused() {
    check_only(
        "service shop inbound
           flow: queue billing
           set login ready
         queue billing ring-all
         operator 1
         operator 2
         t=0 log in operator 1; log in operator 2
         t=1 call 7 -> shop
         t=5 operator 2 answers; operator 1 answers",
        &["connect", "refused", "rescinded", "Ringing ->"],
        "...
         t=5 offer 1 of call 7 to operator 1 was rescinded after 4 s
         ...
         operator 2: Ringing -> Talking (call 7)
         connect customer of call 7 and operator 2
         ...
         refused: operator 1 cannot answer or decline offer 1: it is over",
    );
}

#[test]
fn b4_nobody_waits_while_somebody_is_ready() {
    // A call that nobody may take becomes acceptable by a supervisor's change, a reload, a priority, a login.
    check_only(
        &format!(
            "{STEPS}t=0 log in operator 1
             t=1 call 7 -> shop
             t=2 call 7 playback ends; call 7 presses 1
             t=9 call 7 needs english>=0"
        ),
        &["ring "],
        "t=9 ring operator 1 for call 7 until 00:00:24.000 (offer 1)",
    );
    check_only(
        &format!(
            "{STEPS}t=0 log in operator 1
             t=1 call 7 -> shop
             t=2 call 7 playback ends; call 7 presses 1
             t=9 reconfigure
               operator 1 skills english=4"
        ),
        &["ring "],
        "t=9 ring operator 1 for call 7 until 00:00:24.000 (offer 1)",
    );
}
