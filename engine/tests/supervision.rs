//! A supervisor in somebody's call: how they come in, what each change of the call means for them, and taking it over.

mod support;
use support::{check, check_only};

/// Operator 1 talks to call 7; boss is the supervisor, Ready; operator 2 is in Work.
const TALKING: &str = "
floor
  service shop inbound outbound
    flow: queue billing
    outgoing +81311112222
    set consult-limit 20s
  queue billing
  operator 1
  operator 2
  operator boss queues none
t=0 log in operator 1; log in operator 2; log in operator boss; operator 1 ready; operator boss ready
t=1 call 7 -> shop
t=2 operator 1 answers
";

/// What concerns the supervisor, the operator's status and the customer.
const CONCERNS: [&str; 7] =
    ["operator boss", "AfterCallWork", "connect", "join all", "transferred", "owner", "refused"];

#[test]
fn a_supervisor_is_called_joins_changes_the_way_and_leaves_as_they_came() {
    check(
        &format!(
            "{TALKING}t=5 operator boss listens to call 7
             t=6 operator boss whispers to call 7
             t=7 supervisor of call 7 joins
             t=8 operator boss barges into call 7; operator boss barges into call 7
             t=9 operator boss listens to call 7
             t=10 operator boss hangs up
             t=11 call 7 hangs up"
        ),
        "...
         t=5 operator boss: Ready -> Dialing
         call operator boss to supervise call 7
         t=7 operator boss: Dialing -> Talking
         operator boss supervises call 7 of operator 1: whispers
         let operator boss hear call 7, heard by operator 1
         t=8 operator boss goes on in call 7: barged in
         let operator boss hear call 7, heard by all
         t=9 operator boss goes on in call 7: listens
         let operator boss hear call 7, heard by nobody
         t=10 operator boss no longer supervises call 7: stopped
         hang up operator boss
         operator boss: Talking -> Ready
         t=11 call 7 ended: customer hung up; wait 1 s, talk 9 s, operator 1, queue billing
         hang up operator 1
         operator 1: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn a_device_that_does_not_answer_in_time_or_is_given_up_leaves_no_trace_in_the_call() {
    check_only(
        &format!(
            "{TALKING}t=5 operator boss listens to call 7
             t=30 operator boss work; operator boss listens to call 7
             t=31 operator boss hangs up
             t=32 operator boss break; operator boss barges into call 7
             t=33 operator boss loses device
             t=34 operator boss listens to call 7"
        ),
        &CONCERNS,
        "...
         t=5 operator boss: Ready -> Dialing
         call operator boss to supervise call 7
         t=25 hang up operator boss
         operator boss: Dialing -> Ready
         t=30 operator boss: Ready -> Work
         operator boss: Work -> Dialing
         call operator boss to supervise call 7
         t=31 hang up operator boss
         operator boss: Dialing -> Work
         t=32 operator boss: Work -> Break
         operator boss: Break -> Dialing
         call operator boss to supervise call 7
         t=33 hang up operator boss
         operator boss: Dialing -> Break
         t=34 refused: operator boss has lost their device: wait until it is back",
    );
}

#[test]
fn taking_over_frees_the_operator_and_gives_the_call_and_its_ticket_to_the_supervisor() {
    check(
        &format!(
            "{TALKING}t=5 operator boss listens to call 7
             t=6 operator boss takes over
             t=7 supervisor of call 7 joins
             t=10 operator boss takes over
             t=12 operator boss holds
             t=15 operator boss releases
             t=20 call 7 hangs up"
        ),
        "...
         t=6 refused: operator boss cannot take a call over in status Dialing
         t=7 operator boss: Dialing -> Talking
         operator boss supervises call 7 of operator 1: listens
         let operator boss hear call 7, heard by nobody
         t=10 operator boss no longer supervises call 7: took over
         operator 1 transferred call 7 to operator boss
         hang up operator 1
         connect customer of call 7 and operator boss
         ticket 1 (version 2): owner operator 1 -> operator boss
         operator 1: Talking -> AfterCallWork (call 7)
         t=12 play music 1 to customer of call 7
         operator boss: Talking -> Holding (call 7)
         operator boss held call 7
         t=15 connect customer of call 7 and operator boss
         operator boss: Holding -> Talking (call 7)
         operator boss released call 7
         t=20 call 7 ended: customer hung up; wait 1 s, talk 15 s, hold 3 s, operator boss, queue billing
         hang up operator boss
         operator boss: Talking -> AfterCallWork (call 7)",
    );
}

#[test]
fn a_held_call_is_taken_over_and_the_customer_hears_the_supervisor() {
    check_only(
        &format!(
            "{TALKING}t=3 operator boss listens to call 7; supervisor of call 7 joins; operator 1 holds\nt=8 operator boss takes over"
        ),
        &CONCERNS,
        "...
         t=8 operator boss no longer supervises call 7: took over
         operator 1 transferred call 7 to operator boss
         connect customer of call 7 and operator boss
         ticket 1 (version 2): owner operator 1 -> operator boss
         operator 1: Holding -> AfterCallWork (call 7)",
    );
}

#[test]
fn taking_over_ends_a_consult_whether_its_target_rings_or_talks() {
    for (answers, before) in [("", "Holding"), ("operator 2 answers", "Holding")] {
        check_only(
            &format!(
                "{TALKING}t=3 operator boss barges into call 7; supervisor of call 7 joins; operator 2 ready
                 t=4 operator 1 consults operator 2
                 t=5 wait; {}
                 t=8 operator boss takes over",
                if answers.is_empty() { "wait" } else { answers }
            ),
            &["consult of operator 1", "-> AfterCallWork", "was rescinded", "connect customer"],
            &if answers.is_empty() {
                format!(
                    "t=2 connect customer of call 7 and operator 1
                     t=8 offer 2 of call 7 to operator 2 was rescinded after 4 s
                     consult of operator 1 about call 7 ended: operator left
                     connect customer of call 7 and operator boss
                     operator 1: {before} -> AfterCallWork (call 7)"
                )
            } else {
                format!(
                    "t=2 connect customer of call 7 and operator 1
                     t=5 consult of operator 1 about call 7 answered
                     t=8 operator 2: Talking -> AfterCallWork (call 7)
                     consult of operator 1 about call 7 ended: operator left
                     connect customer of call 7 and operator boss
                     operator 1: {before} -> AfterCallWork (call 7)"
                )
            },
        );
    }
}

#[test]
fn a_conference_goes_on_with_the_supervisor_in_the_operators_place() {
    check_only(
        &format!(
            "{TALKING}t=3 operator boss whispers to call 7; supervisor of call 7 joins
             t=4 operator 1 consults number 5
             t=5 target of call 7 answers; operator 1 joins conference
             t=8 operator boss takes over
             t=9 target of call 7 hangs up"
        ),
        &CONCERNS,
        "...
         t=5 join all of call 7
         t=8 operator boss no longer supervises call 7: took over
         operator 1 transferred call 7 to operator boss
         join all of call 7
         ticket 1 (version 2): owner operator 1 -> operator boss
         operator 1: Talking -> AfterCallWork (call 7)
         t=9 connect customer of call 7 and operator boss
         consult of operator boss about call 7 ended: target hung up",
    );
}

#[test]
fn supervision_goes_with_the_call_to_the_operator_to_whom_it_is_transferred() {
    check_only(
        &format!(
            "{TALKING}t=3 operator boss whispers to call 7; supervisor of call 7 joins; operator 2 ready
             t=4 operator 1 consults operator 2
             t=5 operator 2 answers
             t=6 operator 1 connects customer
             t=9 call 7 hangs up"
        ),
        &["operator boss"],
        "...
         t=3 operator boss: Dialing -> Talking
         operator boss supervises call 7 of operator 1: whispers
         let operator boss hear call 7, heard by operator 1
         t=6 let operator boss hear call 7, heard by operator 2
         t=9 operator boss no longer supervises call 7: call ended
         hang up operator boss
         operator boss: Talking -> Ready",
    );
}

#[test]
fn it_ends_where_no_operator_has_the_call_any_more_or_it_ends() {
    for (what, how) in [
        ("operator 1 transfers to number 5", "operator left"),
        ("operator 1 transfers to queue billing", "operator left"),
        ("operator 1 loses device", "operator left"),
        ("operator 1 consults number 5; target of call 7 answers; operator 1 connects customer", "operator left"),
        ("operator 1 forces end abuse; operator 1 loses device", "operator left"),
        ("operator 1 forces end abuse; call 7 playback ends", "call ended"),
        ("operator 1 hangs up", "call ended"),
        ("call 7 hangs up", "call ended"),
        ("operator 1 consults number 5; target of call 7 answers; call 7 hangs up", "call ended"),
        ("operator boss loses device", "device lost"),
    ] {
        let back = if how == "device lost" { "Work for device-lost" } else { "Ready" };
        check_only(
            &format!("{TALKING}t=3 operator boss listens to call 7; supervisor of call 7 joins\nt=9 {what}\nt=10 wait"),
            &["operator boss no", "operator boss: Talking"],
            &format!(
                "t=9 operator boss no longer supervises call 7: {how}
                 operator boss: Talking -> {back}"
            ),
        );
    }
}

#[test]
fn a_supervisor_who_comes_back_ready_is_matched_and_a_chosen_next_status_holds() {
    check_only(
        "
        floor
          service shop inbound
            flow: queue billing
          queue billing
          operator 1
          operator boss
        t=0 log in operator 1; log in operator boss; operator 1 ready
        t=1 call 7 -> shop
        t=2 operator 1 answers; operator boss listens to call 7; supervisor of call 7 joins
        t=3 call 8 -> shop; operator boss next ready
        t=9 operator boss hangs up",
        &["operator boss"],
        "...
         t=9 operator boss no longer supervises call 7: stopped
         hang up operator boss
         operator boss: Talking -> Ready
         offer 2 of call 8 to operator boss from queue billing until 00:00:24.000
         operator boss: Ready -> Ringing (call 8)
         ring operator boss for call 8 until 00:00:24.000 (offer 2)",
    );
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    check_only(
        &format!(
            "{TALKING}t=3 operator 1 listens to call 7; operator boss takes over; operator boss listens to call 9
             t=4 operator boss listens to call 7; supervisor of call 7 joins; supervisor of call 7 joins
             t=5 operator 2 listens to call 7; operator boss holds; operator boss consults number 5
             t=6 operator boss transfers to number 5; operator boss forces end other; operator boss dials 5 from +81311112222
             t=7 operator 1 forces end abuse; operator boss takes over
             t=8 operator boss hangs up; operator boss listens to call 7
             t=9 leg 9 of call 7 joins
             t=10 call 8 -> shop
             t=11 operator boss listens to call 8"
        ),
        &["refused"],
        "t=3 refused: operator 1 cannot supervise a call in status Talking
         refused: operator boss supervises no call: listen to one first
         refused: call 9 does not exist, or no longer
         t=4 refused: leg 2 of call 7 is not at a point where this can happen
         t=5 refused: call 7 is supervised by operator boss: one supervisor at a time
         refused: operator boss supervises the call: take it over first, or hang up to leave it
         refused: operator boss supervises the call: take it over first, or hang up to leave it
         t=6 refused: operator boss supervises the call: take it over first, or hang up to leave it
         refused: operator boss supervises the call: take it over first, or hang up to leave it
         refused: operator boss cannot dial in status Talking
         t=7 refused: call 7 cannot be taken over at this point
         t=8 refused: call 7 cannot be supervised at this point
         t=9 refused: leg 9 of call 7 does not exist, or no longer
         t=11 refused: call 8 cannot be supervised at this point",
    );
}

#[test]
fn a_restart_in_mid_supervision_changes_nothing() {
    let what = "operator boss barges into call 7
                t=6 operator boss takes over
                t=9 call 7 hangs up";
    let plain =
        support::run(&format!("{TALKING}t=3 operator boss listens to call 7; supervisor of call 7 joins\nt=5 {what}"));
    let restarted = support::run(&format!(
        "{TALKING}t=3 operator boss listens to call 7; restart; supervisor of call 7 joins\nt=5 restart; {what}"
    ));
    let said = |lines: &[callfloor_engine::script::Line]| {
        lines.iter().map(ToString::to_string).filter(|line| !line.contains("> ")).collect::<Vec<_>>()
    };
    assert_eq!(said(&plain), said(&restarted));
}
