//! One logged day through the engine: its arrivals, operators' plans, and drawn patience and handling.
//!
//! The loop is the engine's contract, as in the simulator's own host; what differs is that operators follow plans to the
//! second instead of a roster.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use callfloor_engine::{
    Action, CallId, Command, Engine, EngineConfig, Event, Instant, OfferId, OperatorId, Output, StatusChoice, reason,
};

use crate::fit::duty::{Duty, Plan, TURN_S};
use callfloor_scenario::floor::ClassEntry;

/// One caller of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Caller {
    /// Arrival in microseconds since midnight.
    pub at_us: u64,
    /// Where the call enters the floor.
    pub entry: ClassEntry,
    /// Priority; 0 is ordinary.
    pub priority: u8,
    /// Wait that the caller would bear; `None`: for ever.
    pub patience_us: Option<u64>,
    /// From the offer to the answer, if answered: part of the wait, in which the operator is busy and the caller stays.
    pub answer_us: u64,
    /// Talk, if answered.
    pub talk_us: u64,
    /// After-call work, if answered.
    pub after_call_us: u64,
}

/// What became of a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// Whether an operator answered.
    pub answered: bool,
    /// Wait until then, or until the caller left.
    pub wait_us: u64,
}

/// Kinds of event; at one instant the earlier kind goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    TalkEnds(usize),
    Rested(usize),
    Comes(usize),
    Due(usize, usize),
    GivesUp(usize),
    Arrives(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Out,
    Ready,
    Busy,
    Resting,
}

struct Operator {
    state: State,
    /// Duties that are due, by place in the plan.
    due: Vec<usize>,
}

struct Day<'a> {
    engine: Engine,
    callers: &'a [Caller],
    plans: &'a [Plan],
    operators: Vec<Operator>,
    ids: Vec<Option<CallId>>,
    outcomes: Vec<Option<Outcome>>,
    /// Who serves each caller.
    served_by: Vec<usize>,
    events: BinaryHeap<Reverse<(u64, Happening)>>,
    answers: Vec<(OperatorId, OfferId)>,
    out: Vec<Output>,
    now: u64,
}

/// Runs a day; `config` has an operator for each plan, in their order. One outcome for each caller.
///
/// # Panics
/// If the engine refuses a command of this host, which is a fault of ours.
#[must_use]
pub fn replay(config: &EngineConfig, callers: &[Caller], plans: &[Plan]) -> Vec<Outcome> {
    let mut day = Day {
        engine: Engine::new(config.clone()),
        callers,
        plans,
        operators: plans.iter().map(|_| Operator { state: State::Out, due: Vec::new() }).collect(),
        ids: vec![None; callers.len()],
        outcomes: vec![None; callers.len()],
        served_by: vec![0; callers.len()],
        events: BinaryHeap::new(),
        answers: Vec::new(),
        out: Vec::new(),
        now: 0,
    };
    for (i, caller) in callers.iter().enumerate() {
        day.events.push(Reverse((caller.at_us, Happening::Arrives(i))));
    }
    for (o, plan) in plans.iter().enumerate() {
        for (d, duty) in plan.duties.iter().enumerate() {
            let (at_s, happening) = match *duty {
                Duty::Comes { at_s } => (at_s, Happening::Comes(o)),
                Duty::Break { due_s, .. } | Duty::Goes { due_s } => (due_s, Happening::Due(o, d)),
            };
            day.events.push(Reverse((micros(at_s), happening)));
        }
    }
    while let Some(Reverse((at, happening))) = day.events.pop() {
        day.until(at);
        day.happens(happening);
    }
    day.finish()
}

fn micros(seconds: i64) -> u64 {
    u64::try_from(seconds.max(0)).unwrap_or(0) * 1_000_000
}

fn id(operator: usize) -> OperatorId {
    OperatorId(u32::try_from(operator).expect("fewer operators than 2^32"))
}

impl Day<'_> {
    fn until(&mut self, at: u64) {
        while let Some(deadline) = self.engine.next_deadline() {
            if deadline.as_micros() > at {
                break;
            }
            self.now = deadline.as_micros();
            self.engine.advance(deadline, &mut self.out);
            self.perform();
        }
        self.now = at;
    }

    fn command(&mut self, command: Command) {
        let now = Instant::from_micros(self.now);
        self.engine.advance(now, &mut self.out);
        if let Err(rejection) = self.engine.apply(now, command, &mut self.out) {
            panic!("the engine refused the replay's own command: {rejection}");
        }
        self.perform();
    }

    fn perform(&mut self) {
        let out = std::mem::take(&mut self.out);
        for output in &out {
            match output {
                Output::Action(Action::Ring { operator, offer, .. }) => self.answers.push((*operator, *offer)),
                Output::Event(Event::CallArrived { call, reference, .. }) => {
                    let i = usize::try_from(*reference).expect("a caller's place");
                    self.ids[i] = Some(*call);
                }
                Output::Event(Event::CallAnswered { call, operator, wait, .. }) => {
                    let i = self.ids.iter().rposition(|c| *c == Some(*call)).expect("an answered call has arrived");
                    self.outcomes[i] =
                        Some(Outcome { answered: true, wait_us: wait.as_micros() + self.callers[i].answer_us });
                    self.operators[operator.0 as usize].state = State::Busy;
                    self.events.push(Reverse((
                        self.now + self.callers[i].answer_us + self.callers[i].talk_us,
                        Happening::TalkEnds(i),
                    )));
                    self.served_by[i] = operator.0 as usize;
                }
                _ => {}
            }
        }
        self.out = out;
        self.out.clear();
        while let Some((operator, offer)) = self.answers.pop() {
            self.command(Command::Answer { operator, offer });
        }
    }

    fn happens(&mut self, happening: Happening) {
        match happening {
            Happening::Arrives(i) => {
                let caller = self.callers[i];
                let ClassEntry::Call { service, entry } = caller.entry else { unreachable!("a log has calls alone") };
                self.command(Command::CallArrived {
                    service,
                    entry,
                    customer: None,
                    from: None,
                    priority: caller.priority,
                    preferred: None,
                    reference: i as u64,
                });
                if self.outcomes[i].is_none()
                    && let Some(patience) = caller.patience_us
                {
                    self.events.push(Reverse((self.now + patience, Happening::GivesUp(i))));
                }
            }
            Happening::GivesUp(i) => {
                if self.outcomes[i].is_none() {
                    let call = self.ids[i].expect("a caller who gives up has arrived");
                    self.outcomes[i] = Some(Outcome { answered: false, wait_us: self.now - self.callers[i].at_us });
                    self.command(Command::CustomerHungUp { call });
                }
            }
            Happening::TalkEnds(i) => {
                let call = self.ids[i].expect("a caller who talks has arrived");
                self.command(Command::CustomerHungUp { call });
                // A break that is due was measured from the end of a service: the work after the call is in it.
                let o = self.served_by[i];
                let work =
                    if self.operators[o].due.is_empty() { self.callers[i].after_call_us } else { micros(TURN_S) };
                self.events.push(Reverse((self.now + work, Happening::Rested(o))));
            }
            Happening::Rested(o) => self.free(o),
            Happening::Comes(o) => {
                self.command(Command::LogIn { operator: id(o) });
                self.free(o);
            }
            Happening::Due(o, duty) => {
                self.operators[o].due.push(duty);
                if self.operators[o].state == State::Ready {
                    self.free(o);
                }
            }
        }
    }

    /// An operator without a call: takes what is due, or is Ready.
    fn free(&mut self, o: usize) {
        if self.operators[o].due.is_empty() {
            self.operators[o].state = State::Ready;
            self.command(Command::SetStatus { operator: id(o), to: StatusChoice::Ready });
            return;
        }
        let duty = self.operators[o].due.remove(0);
        match self.plans[o].duties[duty] {
            Duty::Break { length_s, .. } => {
                self.operators[o].state = State::Resting;
                self.command(Command::SetStatus { operator: id(o), to: StatusChoice::Break(reason::NONE) });
                self.events.push(Reverse((self.now + micros(length_s), Happening::Rested(o))));
            }
            Duty::Goes { .. } | Duty::Comes { .. } => {
                self.operators[o].state = State::Out;
                self.command(Command::LogOut { operator: id(o) });
            }
        }
    }

    /// Callers without end of patience who are never answered have waited until the last event.
    fn finish(self) -> Vec<Outcome> {
        let now = self.now;
        let callers = self.callers.iter();
        self.outcomes
            .iter()
            .zip(callers)
            .map(|(o, c)| o.unwrap_or(Outcome { answered: false, wait_us: now - c.at_us }))
            .collect()
    }
}
