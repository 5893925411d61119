//! The table of statuses: every pair of status and input, and every pair of status and command through the engine.

mod support;

use callfloor_engine::script::{Said, Script};
use callfloor_engine::{Input, OperatorId, Rejection, Resting, Status};

const FLOOR: &str = "
service shop inbound outbound
  flow: queue billing
  outgoing 5
  set ring-limit 1000s; consult-limit 1000s; dial-limit 1000s
queue billing
operator 1
operator 2
";

/// How operator 1 comes into each status; operator 2 is Ready but for Consulting, where they are the target.
const STATUSES: [(Status, &str); 10] = [
    (Status::LoggedOut, ""),
    (Status::Work, "t=0 operator 1 logs in"),
    (Status::Ready, "t=0 operator 1 logs in; operator 1 ready"),
    (Status::Break, "t=0 operator 1 logs in; operator 1 break"),
    (Status::Ringing, "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop"),
    (Status::Dialing, "t=0 operator 1 logs in; operator 1 dials 9 from 5"),
    (Status::Talking, "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers"),
    (
        Status::Consulting,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers
         t=0 operator 2 logs in; operator 2 ready; operator 1 consults operator 2; operator 2 answers",
    ),
    (Status::Holding, "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers; operator 1 holds"),
    (
        Status::AfterCallWork,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers; operator 1 hangs up",
    ),
];

/// For each command, what it comes to in each of [`STATUSES`]: the status after it, or the rejection in capitals.
#[rustfmt::skip]
const TABLE: &[(&str, [&str; 10])] = &[
    ("operator 1 logs in", ["Work", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS"]),
    ("operator 1 logs out", ["WRONGSTATUS", "LoggedOut", "LoggedOut", "LoggedOut", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "LoggedOut"]),
    ("operator 1 ready", ["WRONGSTATUS", "Ready", "Ready", "Ready", "Ringing", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Ready"]),
    ("operator 1 work", ["WRONGSTATUS", "Work", "Work", "Work", "Ringing", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Work"]),
    ("operator 1 break", ["WRONGSTATUS", "Break", "Break", "Break", "Ringing", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Break"]),
    ("operator 1 next break", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Dialing", "Talking", "Consulting", "Holding", "AfterCallWork"]),
    ("operator 1 chats available", ["LoggedOut", "Work", "Ready", "Break", "Ringing", "Dialing", "Talking", "Consulting", "Holding", "AfterCallWork"]),
    ("operator 1 loses device", ["WRONGSTATUS", "Work", "Work", "Break", "Work", "Work", "AfterCallWork", "AfterCallWork", "AfterCallWork", "AfterCallWork"]),
    ("operator 1 regains device", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS"]),
    ("operator 1 answers offer 1", ["OFFEROVER", "OFFEROVER", "OFFEROVER", "OFFEROVER", "Talking", "OFFEROVER", "OFFEROVER", "OFFEROVER", "OFFEROVER", "OFFEROVER"]),
    ("operator 1 declines offer 1", ["OFFEROVER", "OFFEROVER", "OFFEROVER", "OFFEROVER", "Work", "OFFEROVER", "OFFEROVER", "OFFEROVER", "OFFEROVER", "OFFEROVER"]),
    ("offer 1 fails", ["UNKNOWN", "UNKNOWN", "UNKNOWN", "UNKNOWN", "Work", "UNKNOWN", "UNKNOWN", "UNKNOWN", "UNKNOWN", "UNKNOWN"]),
    ("withdraw offer 1", ["UNKNOWN", "UNKNOWN", "UNKNOWN", "UNKNOWN", "Ready", "UNKNOWN", "UNKNOWN", "UNKNOWN", "UNKNOWN", "UNKNOWN"]),
    ("operator 1 dials 9 from 5", ["WRONGSTATUS", "Dialing", "Dialing", "Dialing", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Dialing"]),
    ("operator 1 hangs up", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Work", "AfterCallWork", "AfterCallWork", "AfterCallWork", "WRONGSTATUS"]),
    ("operator 1 holds", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Holding", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS"]),
    ("operator 1 releases", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "CONSULTGOINGON", "Talking", "WRONGSTATUS"]),
    ("operator 1 consults operator 2", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Holding", "CONSULTGOINGON", "Holding", "WRONGSTATUS"]),
    ("operator 1 consults number 9", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Holding", "CONSULTGOINGON", "Holding", "WRONGSTATUS"]),
    ("operator 1 consults favourite 0", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "UNKNOWNFAVOURITE", "CONSULTGOINGON", "UNKNOWNFAVOURITE", "WRONGSTATUS"]),
    ("operator 1 connects customer", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "NOCONSULT", "AfterCallWork", "NOCONSULT", "WRONGSTATUS"]),
    ("operator 1 cancels consult", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "NOCONSULT", "Holding", "NOCONSULT", "WRONGSTATUS"]),
    ("operator 1 joins conference", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "NOCONSULT", "Talking", "NOCONSULT", "WRONGSTATUS"]),
    ("operator 1 transfers to operator 2", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "AfterCallWork", "CONSULTGOINGON", "AfterCallWork", "WRONGSTATUS"]),
    ("operator 1 transfers to number 9", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "AfterCallWork", "CONSULTGOINGON", "AfterCallWork", "WRONGSTATUS"]),
    ("operator 1 transfers to queue billing", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "AfterCallWork", "CONSULTGOINGON", "AfterCallWork", "WRONGSTATUS"]),
    ("operator 1 forces end other", ["WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "WRONGSTATUS", "Talking", "WRONGSTATUS", "Holding", "WRONGSTATUS"]),
];

#[test]
fn p15_p16_p17_p18_p19_p20_p21_p22_p23_every_status_and_command_has_its_result() {
    let mut wrong = Vec::new();
    for &(command, row) in TABLE {
        let mut found = Vec::new();
        for (status, prefix) in STATUSES {
            found.push(outcome(status, prefix, command));
        }
        if found != row {
            wrong.push(format!("    ({command:?}, {found:?}),"));
        }
    }
    assert!(wrong.is_empty(), "found instead:\n{}", wrong.join("\n"));
}

fn outcome(status: Status, prefix: &str, command: &str) -> String {
    let two = if status == Status::Consulting { "" } else { "t=1 operator 2 logs in; operator 2 ready" };
    let text = format!("{FLOOR}{prefix}\n{two}\nt=2 wait\nt=2 {command}");
    let script = Script::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let mut player = script.play();
    player.check_always();
    for _ in 1..script.len() {
        assert!(player.step(), "{text}");
    }
    assert_eq!(player.engine().operator_status(OperatorId(0)), status, "{text}");
    let before = player.engine().snapshot();
    assert!(player.step());
    let after = player.engine();
    match player.lines().last().map(|line| &line.said) {
        Some(Said::Refused(rejection)) => {
            assert!(after.snapshot() == before, "a refusal changed something: {text}");
            rule(rejection)
        }
        Some(Said::Broken | Said::Unnamed) => panic!("{:?}\n{text}", player.lines().last()),
        _ => after.operator_status(OperatorId(0)).to_string(),
    }
}

/// The rejection's name in capitals.
fn rule(rejection: &Rejection) -> String {
    let debug = format!("{rejection:?}");
    debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_uppercase()
}

const INPUTS: [(Input, [Option<Status>; 10]); 22] = {
    use Status::{AfterCallWork, Break, Consulting, Dialing, Holding, LoggedOut, Ready, Ringing, Talking, Work};
    const NO: Option<Status> = None;
    const fn to(status: Status) -> Option<Status> {
        Some(status)
    }
    // LoggedOut, Work, Ready, Break, Ringing, Dialing, Talking, Consulting, Holding, AfterCallWork
    [
        (Input::LogIn(Resting::Work), [to(Work), NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (Input::LogIn(Resting::Ready), [to(Ready), NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (Input::LogIn(Resting::Break), [to(Break), NO, NO, NO, NO, NO, NO, NO, NO, NO]),
        (Input::LogOut, [NO, to(LoggedOut), to(LoggedOut), to(LoggedOut), NO, NO, NO, NO, NO, to(LoggedOut)]),
        (Input::Choose(Resting::Work), [NO, to(Work), to(Work), to(Work), NO, NO, NO, NO, NO, to(Work)]),
        (Input::Choose(Resting::Ready), [NO, to(Ready), to(Ready), to(Ready), NO, NO, NO, NO, NO, to(Ready)]),
        (Input::Choose(Resting::Break), [NO, to(Break), to(Break), to(Break), NO, NO, NO, NO, NO, to(Break)]),
        (Input::Ring, [NO, NO, to(Ringing), NO, NO, NO, NO, NO, NO, NO]),
        (Input::RingGone, [NO, NO, NO, NO, to(Ready), NO, NO, NO, NO, NO]),
        (Input::RingLeft(Resting::Work), [NO, NO, NO, NO, to(Work), NO, NO, NO, NO, NO]),
        (Input::RingLeft(Resting::Break), [NO, NO, NO, NO, to(Break), NO, NO, NO, NO, NO]),
        (Input::Answer, [NO, NO, NO, NO, to(Talking), NO, NO, NO, NO, NO]),
        (Input::Dial, [NO, to(Dialing), to(Dialing), to(Dialing), to(Dialing), NO, NO, NO, NO, to(Dialing)]),
        (Input::DialAnswered, [NO, NO, NO, NO, NO, to(Talking), NO, NO, NO, NO]),
        (Input::DialBack(Resting::Ready), [NO, NO, NO, NO, NO, to(Ready), NO, NO, NO, NO]),
        (Input::DialBack(Resting::Break), [NO, NO, NO, NO, NO, to(Break), NO, NO, NO, NO]),
        (Input::Hold, [NO, NO, NO, NO, NO, NO, to(Holding), NO, to(Holding), NO]),
        (Input::Release, [NO, NO, NO, NO, NO, NO, NO, NO, to(Talking), NO]),
        (Input::ConsultAnswered, [NO, NO, NO, NO, NO, NO, NO, NO, to(Consulting), NO]),
        (Input::ConsultEnded, [NO, NO, NO, NO, NO, NO, NO, to(Holding), NO, NO]),
        (Input::Join, [NO, NO, NO, NO, NO, NO, NO, to(Talking), NO, NO]),
        (
            Input::CallEnded,
            [NO, NO, NO, NO, NO, to(AfterCallWork), to(AfterCallWork), to(AfterCallWork), to(AfterCallWork), NO],
        ),
    ]
};

#[test]
fn p15_p16_p17_p18_p19_p20_p21_p22_p23_the_table_itself() {
    for (input, row) in INPUTS {
        for (status, expected) in Status::ALL.into_iter().zip(row) {
            assert_eq!(status.next(input), expected, "{status} and {input:?}");
        }
    }
}
