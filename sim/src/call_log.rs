//! A record of every call, for those who want to see single calls: who keeps it, and how it is gathered.
//!
//! The ledger reads what the engine puts out and nothing else, so that a run without a log does no work for it. It keeps
//! live calls only; a call goes to the log when the last operator has finished the after-call work on it.

mod table;

pub use table::CallTable;

use callfloor_engine::{CallId, CallRecord, CallbackId, Event, OfferEnd, OperatorId, Output, Span, Status, Work};
use std::collections::BTreeMap;
use std::fmt;

/// Where the records of calls go. Replications run on several threads: each gets a part of the log for itself.
pub trait CallLog: Sync {
    /// The part of replication number `replication`, asked for on the thread that will run it. The numbers are consecutive,
    /// and each is asked for once; a thread asks for its next when it has finished or dropped the one before.
    fn replication(&self, replication: u32) -> Box<dyn CallRows + '_>;
}

/// The calls of one replication. Dropped without [`CallRows::finish`], it belongs to a replication that was given up.
pub trait CallRows {
    /// A call is over, and so is the after-call work on it.
    fn call(&mut self, row: &CallRow<'_>);
    /// The replication has come to its end.
    fn finish(self: Box<Self>);
}

/// How a call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    /// The customer called.
    #[default]
    Inbound,
    /// An operator dialled for a campaign.
    Outbound,
    /// An operator dialled a customer who had asked for it.
    Callback,
}

/// A call that is over.
#[derive(Debug, Clone, Copy)]
pub struct CallRow<'a> {
    /// In which replication.
    pub replication: u32,
    /// When it ended for the customer, in microseconds.
    pub ended_us: u64,
    /// The place of the customer's class in the scenario; from the number of classes on, of the campaign.
    pub source: u16,
    /// How it began.
    pub direction: Direction,
    /// Attempts of the same customer before this one: redials, or dials to reach them.
    pub attempt: u8,
    /// Whether an operator and the customer spoke.
    pub answered: bool,
    /// Offers to operators.
    pub rings: u16,
    /// Of those: not answered, declined, or failed.
    pub missed_rings: u16,
    /// Time for which operators' devices rang, added up, in microseconds.
    pub ring_us: u64,
    /// Holds for the customer's sake.
    pub holds: u16,
    /// Consultations begun.
    pub consults: u16,
    /// Transfers completed or handed on without asking.
    pub transfers: u16,
    /// After-call work of all operators who had the call, in microseconds.
    pub after_call_us: u64,
    /// The engine's own record: queue, last operator, cause of the end, wait, talk, hold, consult.
    pub record: &'a CallRecord,
}

/// A call that is not over, or on which somebody still works.
#[derive(Default)]
struct Open {
    source: u16,
    direction: Direction,
    attempt: u8,
    answered: bool,
    rings: u16,
    missed_rings: u16,
    ring_us: u64,
    holds: u16,
    consults: u16,
    transfers: u16,
    after_call_us: u64,
    /// Operators who have it in hand.
    in_hand: u16,
    ended: Option<(u64, CallRecord)>,
}

/// What an operator does with a call.
#[derive(Clone, Copy)]
struct Hand {
    call: CallId,
    /// After-call work since then.
    after_call_since: Option<u64>,
}

/// Gathers the calls of one replication from the engine's outputs.
pub(crate) struct Ledger<'l> {
    rows: Box<dyn CallRows + 'l>,
    replication: u32,
    open: BTreeMap<CallId, Open>,
    /// `[operator]`
    hands: Vec<Option<Hand>>,
    /// Class of the customer, and dials so far.
    callbacks: BTreeMap<CallbackId, (u16, u8)>,
    /// Calls that may be ready to be written.
    touched: Vec<CallId>,
}

impl fmt::Debug for Ledger<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("replication", &self.replication).finish_non_exhaustive()
    }
}

impl<'l> Ledger<'l> {
    pub(crate) fn new(rows: Box<dyn CallRows + 'l>, replication: u32, operators: usize) -> Self {
        Self {
            rows,
            replication,
            open: BTreeMap::new(),
            hands: vec![None; operators],
            callbacks: BTreeMap::new(),
            touched: Vec::new(),
        }
    }

    /// Takes what one command or deadline put out at `now`.
    pub(crate) fn note(&mut self, now: u64, outputs: &[Output]) {
        let mut held = None;
        for output in outputs {
            let Output::Event(event) = output else { continue };
            match *event {
                Event::CallHeld { call, .. } => {
                    self.count(call, |open| open.holds += 1);
                    held = Some(call);
                    continue;
                }
                // The hold that a consultation brings is none of its own.
                Event::ConsultStarted { call, .. } => self.count(call, |open| {
                    open.consults += 1;
                    open.holds -= u16::from(held == Some(call));
                }),
                ref event => self.event(now, event),
            }
            held = None;
        }
        for call in std::mem::take(&mut self.touched) {
            self.write_if_over(call);
        }
    }

    fn event(&mut self, now: u64, event: &Event) {
        match *event {
            Event::CallArrived { call, reference, .. } => {
                let (source, attempt) = of_reference(reference);
                self.open.insert(call, Open { source, attempt, ..Open::default() });
            }
            Event::DialStarted { call, callback, reference, .. } => {
                let (direction, (source, attempt)) = match callback {
                    None => (Direction::Outbound, of_reference(reference)),
                    Some(callback) => {
                        let (source, dials) = self.callbacks.entry(callback).or_default();
                        *dials = dials.saturating_add(1);
                        (Direction::Callback, (*source, *dials - 1))
                    }
                };
                let open = self.open.entry(call).or_default();
                (open.source, open.direction, open.attempt) = (source, direction, attempt);
            }
            Event::CallbackReceived { callback, call, .. } => {
                let source = call.and_then(|call| self.open.get(&call)).map_or(0, |open| open.source);
                self.callbacks.insert(callback, (source, 0));
            }
            Event::CallbackEnded { callback, .. } => {
                self.callbacks.remove(&callback);
            }
            Event::OfferMade { work: Work::Call(call), .. } => self.count(call, |open| open.rings += 1),
            Event::OfferEnded { work: Work::Call(call), end, rang, .. } => self.offer_ended(call, end, rang),
            Event::CallAnswered { call, .. } | Event::DialAnswered { call, .. } => {
                self.count(call, |open| open.answered = true);
            }
            Event::CallTransferred { call, .. } => self.count(call, |open| open.transfers += 1),
            Event::StatusChanged { operator, to, call, .. } => self.status_changed(now, operator, to, call),
            Event::CallEnded(record) => {
                if let Some(open) = self.open.get_mut(&record.call) {
                    open.ended = Some((now, record));
                    self.touched.push(record.call);
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, call: CallId, add: impl FnOnce(&mut Open)) {
        if let Some(open) = self.open.get_mut(&call) {
            add(open);
        }
    }

    fn offer_ended(&mut self, call: CallId, end: OfferEnd, rang: Span) {
        let missed = matches!(end, OfferEnd::Declined | OfferEnd::TimedOut | OfferEnd::DeviceFailed | OfferEnd::Busy);
        self.count(call, |open| {
            open.ring_us += rang.as_micros();
            open.missed_rings += u16::from(missed);
        });
    }

    fn status_changed(&mut self, now: u64, operator: OperatorId, to: Status, call: Option<CallId>) {
        let has_it = matches!(
            to,
            Status::Dialing | Status::Talking | Status::Holding | Status::Consulting | Status::AfterCallWork
        );
        let after_call_since = (to == Status::AfterCallWork).then_some(now);
        let next = call.filter(|_| has_it).map(|call| Hand { call, after_call_since });
        if let Some(hand) = next {
            if to == Status::Dialing {
                // The operator's status is told before the call itself is.
                self.open.entry(hand.call).or_default();
            }
            self.count(hand.call, |open| open.in_hand += 1);
        }
        if let Some(before) = std::mem::replace(&mut self.hands[operator.index()], next) {
            self.let_go(now, before);
        }
    }

    fn let_go(&mut self, now: u64, hand: Hand) {
        self.count(hand.call, |open| {
            open.in_hand -= 1;
            open.after_call_us += hand.after_call_since.map_or(0, |since| now - since);
        });
        self.touched.push(hand.call);
    }

    fn write_if_over(&mut self, call: CallId) {
        if self.open.get(&call).is_some_and(|open| open.in_hand == 0 && open.ended.is_some())
            && let Some(open) = self.open.remove(&call)
        {
            self.write(&open);
        }
    }

    fn write(&mut self, open: &Open) {
        let Some((ended_us, record)) = &open.ended else { return };
        self.rows.call(&CallRow {
            replication: self.replication,
            ended_us: *ended_us,
            source: open.source,
            direction: open.direction,
            attempt: open.attempt,
            answered: open.answered,
            rings: open.rings,
            missed_rings: open.missed_rings,
            ring_us: open.ring_us,
            holds: open.holds,
            consults: open.consults,
            transfers: open.transfers,
            after_call_us: open.after_call_us,
            record,
        });
    }

    /// The run is over at `now`: calls that have ended are written with the after-call work until then.
    pub(crate) fn finish(mut self, now: u64) {
        for hand in std::mem::take(&mut self.hands).into_iter().flatten() {
            self.let_go(now, hand);
        }
        for (_, open) in std::mem::take(&mut self.open) {
            self.write(&open);
        }
        self.rows.finish();
    }
}

/// The class or campaign, and the attempts before, of the reference that the simulator gives a call.
fn of_reference(reference: u64) -> (u16, u8) {
    let source = u16::try_from(reference >> 48).expect("16 bits");
    (source, u8::try_from(reference >> 40 & 0xff).expect("8 bits"))
}
