//! Classes of customers: how they arrive, how long they would wait, and what serving them takes.

use callfloor_engine::PhoneNumber;

use crate::arrivals::{Arrivals, MeanHandling};
use crate::distribution::Distribution;
use crate::queue::SkillRequirement;
use crate::scenario::{FlowIndex, GroupIndex, QueueIndex, ServiceIndex, StepIndex};
use crate::service::Channel;

/// A class of customers who behave alike.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomerClass {
    /// Name, unique in the scenario.
    pub name: String,
    /// Service that they call.
    pub service: ServiceIndex,
    /// How they reach it.
    pub channel: Channel,
    /// Where their contacts go first.
    pub entry: Entry,
    /// Priority: 0 is ordinary; the higher, the sooner served.
    pub priority: u8,
    /// Skills that they need, beside those of the queue; callers only.
    pub skills: Vec<SkillRequirement>,
    /// When they arrive.
    pub arrivals: Arrivals,
    /// Average handle time by time of day, from a forecast or from intervals; empty where the handling model holds all day.
    pub mean_handling: Vec<MeanHandling>,
    /// Who they are.
    pub identity: Identity,
    /// Wait in the queue that a customer would bear before leaving.
    pub patience: Distribution,
    /// Time from an operator's answer until the customer notices it, in seconds, during which patience runs on. No key of a file:
    /// a live system has it, and who compares with one sets it.
    pub answer_heard_s: f64,
    /// Share who leave at once when they would have to wait, in [0, 1].
    pub balking: f64,
    /// Whether they call again after giving up or being refused.
    pub redial: Option<Redial>,
    /// Which menu keys they press.
    pub menus: Vec<MenuShare>,
    /// What serving them takes.
    pub handling: Handling,
}

/// Where a contact goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Through a flow, from its first step; callers only.
    Flow(FlowIndex),
    /// Straight into a queue.
    Queue(QueueIndex),
}

/// How recognisable customers are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Identity {
    /// Share of contacts from a known customer, in [0, 1].
    pub known_share: f64,
    /// Number of known customers; each known contact is from one of them, equally likely.
    pub population: u32,
}

/// Calling again.
#[derive(Debug, Clone, PartialEq)]
pub struct Redial {
    /// Probability after each failed attempt, in [0, 1].
    pub probability: f64,
    /// Span from the failure to the next attempt.
    pub delay: Distribution,
    /// Attempts in all, the first included; at least 2.
    pub max_attempts: u32,
    /// What beside abandonment makes them call again.
    pub after: AfterRefusal,
}

/// Whether a refusal (queue full, closed) counts as a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterRefusal {
    /// Only abandoned calls are repeated.
    AbandonedOnly,
    /// Refused calls are repeated too.
    AbandonedOrRefused,
}

/// Which keys the customers of a class press at one menu.
#[derive(Debug, Clone, PartialEq)]
pub struct MenuShare {
    /// The menu's flow.
    pub flow: FlowIndex,
    /// The menu step in it.
    pub step: StepIndex,
    /// Share of each of the menu's options, in its order; the rest press nothing.
    pub shares: Vec<f64>,
}

impl CustomerClass {
    /// The average handle time in seconds at a time of day, where one is given for it.
    #[must_use]
    pub fn handle_time_at(&self, day: u32, weekday: jiff::civil::Weekday, time_us: u64) -> Option<f64> {
        self.mean_handling
            .iter()
            .find(|piece| (piece.from_us..piece.to_us).contains(&time_us) && piece.days.contains(day, weekday))
            .map(|piece| piece.aht_s)
    }
}

/// What serving a contact takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Handling {
    /// Talk time without holds and consultations; for a ticket, the work on it.
    pub talk: Distribution,
    /// Putting the customer on hold.
    pub hold: Option<Hold>,
    /// Consulting a third party.
    pub consult: Option<Consult>,
    /// Blind transfer at the end of the talk.
    pub transfer: Option<Transfer>,
    /// Probability that the operator ends the call for abuse or threats, in [0, 1].
    pub forced_end: f64,
    /// Work after the call.
    pub after_call: Distribution,
}

impl Handling {
    /// Mean handle time of one operator in seconds: talk + hold + consult + after-call work.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        let hold = self.hold.as_ref().map_or(0.0, |hold| hold.probability * hold.length.mean_s());
        let consult = self.consult.as_ref().map_or(0.0, |consult| consult.probability * consult.length.mean_s());
        self.talk.mean_s() + hold + consult + self.after_call.mean_s()
    }
}

/// Holding the customer once during the talk.
#[derive(Debug, Clone, PartialEq)]
pub struct Hold {
    /// Probability in [0, 1].
    pub probability: f64,
    /// How long the customer hears music.
    pub length: Distribution,
}

/// Consulting a third party while the customer is on hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Consult {
    /// Probability in [0, 1].
    pub probability: f64,
    /// Whom the operator asks.
    pub target: ConsultTarget,
    /// Until an external number answers; an operator answers after the group's own delay.
    pub answer_delay: Distribution,
    /// Probability that an external number does not answer, in [0, 1].
    pub no_answer: f64,
    /// Conversation of the two before the customer is connected or the consultation is cancelled.
    pub length: Distribution,
    /// Share of answered consultations that end with *connect customer*; the rest are cancelled, in [0, 1].
    pub connect: f64,
    /// The customer's talk with the target after *connect customer*.
    pub talk_after: Distribution,
}

/// Whom an operator consults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsultTarget {
    /// A Ready operator of a group; where none is Ready, the call goes on without.
    Group(GroupIndex),
    /// One of the service's favourite numbers, by its place in the list.
    Favourite(usize),
    /// A typed number.
    Number(PhoneNumber),
}

/// A blind transfer.
#[derive(Debug, Clone, PartialEq)]
pub struct Transfer {
    /// Probability in [0, 1].
    pub probability: f64,
    /// Where the customer goes.
    pub target: TransferTarget,
    /// Handling at the target, where it is a queue or a group.
    pub talk_after: Distribution,
}

/// Where a blind transfer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferTarget {
    /// Into a queue.
    Queue(QueueIndex),
    /// To a Ready operator of a group.
    Group(GroupIndex),
    /// To an outside number: the call ends for us.
    Number(PhoneNumber),
}
