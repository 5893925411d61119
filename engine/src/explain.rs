//! Why: for something that waits or rings, every operator and what the rules say of them now.

use alloc::vec::Vec;
use core::fmt;

use crate::config::{Channel, Policy};
use crate::engine::Engine;
use crate::id::{OperatorId, QueueId, SkillId};
use crate::output::Work;
use crate::place::PlaceIndex;
use crate::rejection::{Object, Rejection};
use crate::routing::{Order, Refusal};
use crate::status::Status;

/// What the rules say of each operator for one call, chat, ticket or callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What waits or rings.
    pub work: Work,
    /// Where.
    pub queue: QueueId,
    /// The queue's policy.
    pub policy: Policy,
    /// Relaxations that apply.
    pub relaxed: u8,
    /// How many in the queue's order are served before it.
    pub ahead: u32,
    /// Every operator of the queue's service, the one to be chosen first.
    pub candidates: Vec<Candidate>,
}

/// One operator, as the rules see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// What the rules say.
    pub verdict: Verdict,
    /// Who.
    pub operator: OperatorId,
}

/// What the rules say of an operator for some work. In the order of choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It rings there.
    Offered,
    /// Could be chosen: smaller goes first.
    Acceptable {
        /// Membership level, then lack of proficiency.
        rank: u32,
        /// The policy's key.
        key: u64,
    },
    /// Kept for the customer's last operator.
    KeptForAnother(OperatorId),
    /// Missed or declined it, and somebody else could take it.
    MissedIt,
    /// Not in a status in which this is offered.
    Status(Status),
    /// Capacity or limit is reached.
    NoCapacity,
    /// Of a level that is not asked yet.
    Level {
        /// Highest that is asked now.
        asked: u8,
        /// The operator's.
        found: u8,
    },
    /// A skill is missing or too low.
    Skill {
        /// Which.
        skill: SkillId,
        /// Least proficiency asked.
        asked: u8,
        /// The operator's; 0 for none.
        found: u8,
    },
    /// Does not serve the queue.
    NotMember,
}

impl Engine {
    /// Explains who would get some waiting work, or why it rings where it does.
    ///
    /// # Errors
    /// [`Rejection::Unknown`] where it is not in a queue.
    pub fn explain(&self, work: Work) -> Result<Explanation, Rejection> {
        let place = match work {
            Work::Call(call) => self.calls.get(call).and_then(|call| call.place),
            Work::Chat(chat) => self.chats.get(chat).and_then(|chat| chat.place),
            Work::Ticket(ticket) => self.tickets.get(ticket).and_then(|ticket| ticket.place),
            Work::Callback(callback) => self.callbacks.get(callback).and_then(|callback| callback.place),
        };
        let index = place.ok_or(Rejection::Unknown(match work {
            Work::Call(call) => Object::Call(call),
            Work::Chat(chat) => Object::Chat(chat),
            Work::Ticket(ticket) => Object::Ticket(ticket),
            Work::Callback(callback) => Object::Callback(callback),
        }))?;
        let place = &self.places[index];
        let config = &self.config.queues[place.queue.index()];
        let mut candidates: Vec<Candidate> = (0..)
            .map(OperatorId)
            .take(self.desks.len())
            .filter(|operator| self.config.operators[operator.index()].services.contains(&config.service))
            .map(|operator| Candidate { verdict: self.verdict(index, operator), operator })
            .collect();
        candidates.sort_unstable();
        let ahead = self
            .places
            .iter()
            .filter(|(_, other)| other.queue == place.queue && other.is_waiting() && other.key < place.key)
            .count();
        Ok(Explanation {
            work,
            queue: place.queue,
            policy: config.policy,
            relaxed: place.relaxed,
            ahead: crate::routing::small(ahead),
            candidates,
        })
    }

    fn verdict(&self, index: PlaceIndex, operator: OperatorId) -> Verdict {
        let place = &self.places[index];
        let desk = &self.desks[operator.index()];
        if place.offers.iter().any(|&offer| self.offers[offer].operator == operator) {
            return Verdict::Offered;
        }
        match self.router.refusal(place.class, operator) {
            Some(Refusal::NotMember) => return Verdict::NotMember,
            Some(Refusal::Level { asked, found }) => return Verdict::Level { asked, found },
            Some(Refusal::Skill { need, found }) => {
                return Verdict::Skill { skill: need.skill, asked: need.min, found };
            }
            None => {}
        }
        let channel = self.router.classes[place.class as usize].channel;
        if !self.is_eligible(operator, channel) {
            let right = match channel {
                Channel::Phone | Channel::Ticket => desk.status == Status::Ready,
                Channel::Chat => {
                    desk.status != Status::Break && desk.chat_status == crate::command::ChatStatus::Available
                }
            };
            return if right { Verdict::NoCapacity } else { Verdict::Status(desk.status) };
        }
        if let Some(kept) = place.reserved_for
            && kept != operator
        {
            return Verdict::KeptForAnother(kept);
        }
        if !self.may_have(index, operator) {
            return Verdict::MissedIt;
        }
        let order = Order::of(self.config.queues[place.queue.index()].policy);
        let rank =
            self.router.idle(place.class).find(|&(_, _, idle)| idle == operator).map_or(u32::MAX, |(rank, _, _)| rank);
        Verdict::Acceptable { rank, key: desk.idle_keys(true).key(order, operator) }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Offered => f.write_str("it rings there"),
            Self::Acceptable { rank, key } => write!(f, "acceptable, rank {rank}, key {key}"),
            Self::KeptForAnother(operator) => write!(f, "kept for {operator}, who served the customer last"),
            Self::MissedIt => f.write_str("missed it, and somebody else could take it"),
            Self::Status(status) => write!(f, "in status {status}"),
            Self::NoCapacity => f.write_str("has no capacity left"),
            Self::Level { asked, found } => write!(f, "of level {found}, while level {asked} is asked"),
            Self::Skill { skill, asked, found } => write!(f, "has {skill} at {found}, while {asked} is asked"),
            Self::NotMember => f.write_str("does not serve the queue"),
        }
    }
}
