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

/// How operator 1 comes into each status, and into the situations within one that the contract tells apart. Operator 2 is
/// Ready at the end, where they have no part in it.
const SITUATIONS: [(&str, Status, &str); 19] = [
    ("LoggedOut", Status::LoggedOut, ""),
    ("Work", Status::Work, "t=0 operator 1 logs in"),
    ("Ready", Status::Ready, "t=0 operator 1 logs in; operator 1 ready"),
    ("Break", Status::Break, "t=0 operator 1 logs in; operator 1 break"),
    ("Ringing", Status::Ringing, "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop"),
    ("Dialing", Status::Dialing, "t=0 operator 1 logs in; operator 1 dials 9 from 5"),
    ("Talking", Status::Talking, "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers"),
    (
        "Consulting",
        Status::Consulting,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers
         t=0 operator 2 logs in; operator 2 ready; operator 1 consults operator 2; operator 2 answers",
    ),
    (
        "Holding",
        Status::Holding,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers; operator 1 holds",
    ),
    (
        "AfterCallWork",
        Status::AfterCallWork,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers; operator 1 hangs up",
    ),
    (
        "being-consulted",
        Status::Ringing,
        "t=0 operator 2 logs in; operator 2 ready; call 7 -> shop; operator 2 answers
         t=0 operator 1 logs in; operator 1 ready; operator 2 consults operator 1",
    ),
    (
        "consulted",
        Status::Talking,
        "t=0 operator 2 logs in; operator 2 ready; call 7 -> shop; operator 2 answers
         t=0 operator 1 logs in; operator 1 ready; operator 2 consults operator 1; operator 1 answers",
    ),
    (
        "target-rings",
        Status::Holding,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers
         t=0 operator 2 logs in; operator 2 ready; operator 1 consults operator 2",
    ),
    (
        "conference",
        Status::Talking,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers
         t=0 operator 2 logs in; operator 2 ready; operator 1 consults operator 2; operator 2 answers
         t=0 operator 1 joins conference",
    ),
    (
        "ending",
        Status::Talking,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers; operator 1 forces end abuse",
    ),
    (
        "customer-gone",
        Status::Consulting,
        "t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers
         t=0 operator 2 logs in; operator 2 ready; operator 1 consults operator 2; operator 2 answers
         t=0 call 7 hangs up",
    ),
    (
        "timed",
        Status::AfterCallWork,
        "t=0 reconfigure
           service shop
             set after-call 1000s timed then ready
         t=0 operator 1 logs in; operator 1 ready; call 7 -> shop; operator 1 answers; operator 1 hangs up",
    ),
    (
        "called-to-supervise",
        Status::Dialing,
        "t=0 operator 2 logs in; operator 2 ready; call 7 -> shop; operator 2 answers
         t=0 operator 1 logs in; operator 1 listens to call 7",
    ),
    (
        "supervising",
        Status::Talking,
        "t=0 operator 2 logs in; operator 2 ready; call 7 -> shop; operator 2 answers
         t=0 operator 1 logs in; operator 1 listens to call 7; supervisor of call 7 joins",
    ),
];

/// The contract, command by command, from the design's section 4 and the checklist's P-numbers: in which situations a
/// command leads to which status, where it is refused by which rule, and what holds `else`.
const CONTRACT: &str = "
operator 1 logs in                    # P25, P10: login leads to Work unless set otherwise
  LoggedOut -> Work
  else WrongStatus
operator 1 logs out                   # P38: not with a call in hand; timed after-call work is not left by hand
  Work, Ready, Break, AfterCallWork -> LoggedOut
  timed -> AfterCallTimed
  else WrongStatus
operator 1 ready                      # P16, P26, P60; B15: chosen while it rings, it holds when the ringing is over
  Work, Ready, Break, AfterCallWork -> Ready
  Ringing, being-consulted -> Ringing
  timed -> AfterCallTimed
  else WrongStatus
operator 1 work                       # P15, P26, P60, B15
  Work, Ready, Break, AfterCallWork -> Work
  Ringing, being-consulted -> Ringing
  timed -> AfterCallTimed
  else WrongStatus
operator 1 break                      # P17, P26, P60, B15
  Work, Ready, Break, AfterCallWork -> Break
  Ringing, being-consulted -> Ringing
  timed -> AfterCallTimed
  else WrongStatus
operator 1 next break                 # settings: the next status is chosen during a call, or while its ticket is handled
  Dialing, called-to-supervise -> Dialing
  Talking, consulted, conference, ending, supervising -> Talking
  Consulting, customer-gone -> Consulting
  Holding, target-rings -> Holding
  AfterCallWork, timed -> AfterCallWork
  else WrongStatus
operator 1 chats available            # beside the phone desk: chats have their own status, which moves no other
  else same
operator 1 loses device               # P42, P43: who cannot be rung leaves Ready; transfer: the call goes on without them
  LoggedOut -> WrongStatus
  Work, Ready, Ringing, being-consulted, Dialing, called-to-supervise, supervising -> Work
  Break -> Break
  else AfterCallWork
operator 1 regains device             # only who has lost it
  else WrongStatus
operator 1 answers offer 1            # P27, P40: what rings, by whom it rings at; later it is over
  Ringing -> Talking
  being-consulted -> OfferOver
  else OfferOver
operator 1 declines offer 1           # P43: leaves Ready for Work, by default
  Ringing -> Work
  else OfferOver
offer 1 fails                         # an offer that the device could not ring is missed: P42
  Ringing -> Work
  else Unknown
withdraw offer 1                      # nobody's doing: the operator is as before
  Ringing -> Ready
  else Unknown
operator 1 dials 9 from 5             # P18, P44, P45: from Ready, Work, Break, AfterCallWork
  Work, Ready, Break, AfterCallWork, timed -> Dialing
  else WrongStatus
operator 1 hangs up                   # P58: any end is AfterCallWork; an unanswered dial leads back to the status before
  Dialing, called-to-supervise, supervising -> Work
  Talking, Consulting, Holding -> AfterCallWork
  consulted, target-rings, conference, customer-gone -> AfterCallWork
  ending -> Ending
  else WrongStatus
operator 1 holds                      # P36, P56: Talking to Holding
  Talking -> Holding
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 releases                   # P35, P57: Holding to Talking; in a consult, cancel comes first (P53, P54)
  Holding -> Talking
  Consulting, target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 consults operator 2        # P48, P49: from Talking or Holding; until the answer the operator is Holding (P51)
  Talking, Holding -> Holding
  Consulting, target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 consults number 9          # P30, P50
  Talking, Holding -> Holding
  Consulting, target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 consults favourite 0       # P31, P50: the service has none
  Talking, Holding -> UnknownFavourite
  Consulting, target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 connects customer          # P33, P52: once the target has answered
  Consulting -> AfterCallWork
  Talking, Holding -> NoConsult
  target-rings -> ConsultNotAnswered
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 cancels consult            # P34, P53: back to Holding, also while the target rings
  Consulting, target-rings -> Holding
  Talking, Holding -> NoConsult
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> AfterCallWork
  else WrongStatus
operator 1 joins conference           # three-way conference: the same legs
  Consulting -> Talking
  Talking, Holding -> NoConsult
  target-rings -> ConsultNotAnswered
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 transfers to operator 2    # blind transfer: the operator's part is over at once
  Talking, Holding -> AfterCallWork
  Consulting, target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 transfers to number 9
  Talking, Holding -> AfterCallWork
  Consulting, target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 transfers to queue billing
  Talking, Holding -> AfterCallWork
  Consulting, target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 forces end other           # P37, P55: from Talking and Holding, refused while Consulting; the announcement plays
  Talking -> Talking
  Holding -> Holding
  target-rings -> ConsultGoingOn
  consulted -> Consulted
  supervising -> Supervising
  conference -> InConference
  ending -> Ending
  customer-gone -> CustomerGone
  else WrongStatus
operator 1 listens to call 7          # a supervisor: from Work, Ready and Break; the call must be there
  called-to-supervise -> Dialing
  supervising -> Talking
  Ringing, being-consulted, Talking, Consulting, Holding, consulted, target-rings -> WrongStatus
  conference, ending, customer-gone -> WrongStatus
  else Unknown
operator 1 takes over                 # once the supervisor's device has answered
  called-to-supervise -> WrongStatus
  supervising -> Talking
  else NotSupervising
";

/// The commands of [`CONTRACT`], each with what it comes to in each of [`SITUATIONS`].
fn contract() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut table: Vec<(&str, Vec<Option<&str>>)> = Vec::new();
    for line in CONTRACT.lines().filter(|line| !line.is_empty()) {
        let Some(rule) = line.strip_prefix("  ") else {
            table.push((line.split('#').next().unwrap().trim(), vec![None; SITUATIONS.len()]));
            continue;
        };
        let row = &mut table.last_mut().unwrap().1;
        if let Some(outcome) = rule.strip_prefix("else ") {
            for (found, (_, status, _)) in row.iter_mut().zip(SITUATIONS) {
                let same = Status::ALL.iter().position(|&s| s == status).map(|at| SITUATIONS[at].0);
                found.get_or_insert(if outcome == "same" { same.unwrap() } else { outcome });
            }
            continue;
        }
        let (names, outcome) = rule.split_once(" -> ").unwrap();
        for name in names.split(", ") {
            let at = SITUATIONS.iter().position(|situation| situation.0 == name).unwrap_or_else(|| panic!("{name}?"));
            assert_eq!(row[at].replace(outcome), None, "{name} is said twice: {line}");
        }
    }
    let whole = |row: Vec<Option<&'static str>>| row.into_iter().map(|outcome| outcome.expect("an else")).collect();
    table.into_iter().map(|(command, row)| (command, whole(row))).collect()
}

#[test]
fn p15_p16_p17_p18_p19_p20_p21_p22_p23_every_status_and_command_has_its_result() {
    let mut wrong = Vec::new();
    let table = contract();
    assert_eq!(table.len(), 29);
    for (command, row) in table {
        for ((name, status, prefix), expected) in SITUATIONS.into_iter().zip(row) {
            let found = outcome(status, prefix, command);
            if found != expected {
                wrong.push(format!("{name}: {command}: the contract says {expected}, the engine {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn outcome(status: Status, prefix: &str, command: &str) -> String {
    let two = if prefix.contains("operator 2") { "" } else { "t=1 operator 2 logs in; operator 2 ready" };
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

/// The rejection's name.
fn rule(rejection: &Rejection) -> String {
    let debug = format!("{rejection:?}");
    debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

const INPUTS: [(Input, [Option<Status>; 10]); 25] = {
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
        (Input::SupervisionEnded(Resting::Work), [NO, NO, NO, NO, NO, NO, to(Work), NO, NO, NO]),
        (Input::SupervisionEnded(Resting::Ready), [NO, NO, NO, NO, NO, NO, to(Ready), NO, NO, NO]),
        (Input::SupervisionEnded(Resting::Break), [NO, NO, NO, NO, NO, NO, to(Break), NO, NO, NO]),
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
