//! Every invariant of the design, looked at from both sides. Slow and plain: for tests, fuzzers and `--check`.

use alloc::format;
use alloc::string::String;
use core::fmt;

use crate::call::{Call, Stage, TargetParty};
use crate::command::TicketStatus;
use crate::config::Channel;
use crate::desk::{Desk, lane};
use crate::engine::Engine;
use crate::id::{CallId, OperatorId};
use crate::output::Work;
use crate::place::ABSENT;
use crate::status::Status;
use crate::time::Span;

/// An invariant that does not hold: a fault of the engine, never of its host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's number in the design.
    pub invariant: u8,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invariant {} does not hold: {}", self.invariant, self.found)
    }
}

impl core::error::Error for Violation {}

type Checked = Result<(), Violation>;

fn hold(invariant: u8, holds: bool, found: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Violation { invariant, found: found() }) }
}

impl Engine {
    /// Looks at every invariant. O(operators × waiting work): not for steady use.
    ///
    /// # Errors
    /// The first invariant that does not hold.
    pub fn check(&self) -> Checked {
        hold(4, self.unsettled_operators.is_empty() && self.unsettled_places.is_empty(), || "unsettled".into())?;
        for (index, desk) in self.desks.iter().enumerate() {
            self.check_desk(OperatorId(crate::routing::small(index)), desk)?;
        }
        for (id, call) in self.calls.iter() {
            self.check_call(id, call)?;
        }
        self.check_queues()?;
        self.check_tickets()?;
        let counted = self.calls.iter().filter(|(_, call)| call.stage != Stage::Internal).count() as u64;
        hold(5, self.calls_begun == self.calls_ended + counted, || {
            format!("{} calls begun, {} ended, {counted} live", self.calls_begun, self.calls_ended)
        })
    }

    fn check_desk(&self, operator: OperatorId, desk: &Desk) -> Checked {
        let points = u32::from(self.config.operators[operator.index()].points);
        let used = self.points_in_use(operator);
        hold(1, used <= points, || format!("{operator} uses {used} of {points} points"))?;
        hold(1, desk.offer.is_some() == (desk.status == Status::Ringing), || {
            format!("{operator} in {} has phone offer {:?}", desk.status, desk.offer)
        })?;
        if let Some(offer) = desk.offer {
            let known = self.offers.get(offer);
            hold(1, known.is_some_and(|offer| offer.operator == operator && offer.timer.is_set()), || {
                format!("{operator} rings for {offer}, which is not theirs or has no limit")
            })?;
        }
        let in_call = desk.status.has_leg() && desk.status != Status::Ringing;
        let call = desk.call.and_then(|call| self.calls.get(call));
        hold(4, !in_call || call.is_some(), || format!("{operator} in {} has no live call", desk.status))?;
        if let (true, Some(call)) = (in_call, call) {
            let supervisor = call.supervisor.map(|supervisor| supervisor.operator);
            let theirs = [call.operator, call.consulted_operator(), supervisor].contains(&Some(operator));
            hold(2, theirs, || format!("{operator} in {} has a call that does not have them", desk.status))?;
        }
        for channel in [Channel::Phone, Channel::Chat, Channel::Ticket] {
            let (idle, eligible) = (desk.idle[lane(channel)], self.is_eligible(operator, channel));
            hold(3, idle == eligible, || format!("{operator} idle {idle}, eligible {eligible} for {channel:?}"))?;
        }
        if desk.status != Status::LoggedOut {
            let spent = desk.times.iter().fold(Span::ZERO, |sum, &time| sum + time) + (self.now - desk.since);
            let logged = self.now - desk.logged_in;
            hold(8, spent == logged, || format!("{operator} spent {spent} of {logged}"))?;
        }
        hold(4, !desk.timed || desk.after_call.is_set(), || format!("{operator} has timed work without a limit"))?;
        let theirs = |id| self.chats.get(id).is_some_and(|chat| chat.operator == Some(operator));
        hold(2, desk.chats.iter().all(|&id| theirs(id)), || format!("{operator} holds a chat that is not theirs"))?;
        let theirs = |id| self.tickets.get(id).is_some_and(|ticket| ticket.worked_by == Some(operator));
        hold(2, desk.tickets.iter().all(|&id| theirs(id)), || format!("{operator} works on a ticket not theirs"))
    }

    fn check_call(&self, id: CallId, call: &Call) -> Checked {
        let status = call.operator.map(|operator| self.desks[operator.index()].status);
        let has_operator = |statuses: &[Status]| status.is_some_and(|status| statuses.contains(&status));
        let answered = call.target.is_some_and(|target| target.answered);
        let timed = call.timer.is_set();
        let right = match call.stage {
            Stage::Flow => call.operator.is_none() && call.target.is_none() && timed,
            Stage::Forwarding | Stage::BlindRinging => call.operator.is_none() && call.target.is_some() && !answered,
            Stage::Queued => call.operator.is_none() && call.target.is_none() && call.place.is_some(),
            Stage::Dialing => has_operator(&[Status::Dialing]) && timed,
            Stage::Talking => has_operator(&[Status::Talking]) && call.target.is_none(),
            Stage::Holding => has_operator(&[if answered { Status::Consulting } else { Status::Holding }]),
            Stage::Conference => has_operator(&[Status::Talking]) && answered,
            Stage::Outside { .. } => call.operator.is_none() && answered,
            Stage::Internal => has_operator(&[Status::Talking, Status::Consulting]) && answered,
            Stage::Ending(_) => {
                timed && call.operator.is_none_or(|_| has_operator(&[Status::Talking, Status::Holding]))
            }
        };
        hold(2, right, || {
            format!("{id} in {:?} with operator {:?}, target {:?}", call.stage, call.operator, call.target)
        })?;
        hold(2, call.place.is_some() == (call.stage == Stage::Queued), || {
            format!("{id} has a place in {:?}", call.stage)
        })?;
        if let Some(operator) = call.operator {
            let same = self.desks[operator.index()].call == Some(id);
            hold(2, same, || format!("{id} has {operator}, who does not have it"))?;
        }
        if let Some(supervisor) = call.supervisor {
            let desk = &self.desks[supervisor.operator.index()];
            let status = if supervisor.joined { Status::Talking } else { Status::Dialing };
            let bound = desk.status == status && desk.call == Some(id) && desk.before_dial.is_some();
            let with_operator = call.operator.is_some_and(|operator| operator != supervisor.operator);
            let right = bound && with_operator && supervisor.joined != supervisor.timer.is_set();
            hold(2, right, || format!("{id} in {:?} has a supervisor {supervisor:?}", call.stage))?;
            hold(2, call.stage != Stage::Internal, || format!("{id} is supervised after its end"))?;
        }
        if let Some(target) = call.target {
            let right = match target.who {
                TargetParty::Operator(operator, Some(offer)) => {
                    !target.answered && self.desks[operator.index()].offer == Some(offer)
                }
                TargetParty::Operator(operator, None) => {
                    target.answered
                        && self.desks[operator.index()].status == Status::Talking
                        && self.desks[operator.index()].call == Some(id)
                }
                TargetParty::Number(_) => target.answered != target.timer.is_set(),
            };
            hold(4, right, || format!("{id} has a target {target:?} that is neither ringing nor there"))?;
        }
        hold(6, !call.stage.is_connected() || call.ticket.is_some(), || format!("{id} is connected without a ticket"))
    }

    fn check_queues(&self) -> Checked {
        let mut waiting = alloc::vec![0u32; self.queues.len()];
        let mut exclusions = 0;
        for (index, place) in self.places.iter() {
            exclusions += u32::from(!place.missed_by.is_empty());
            let owner = match place.work {
                Work::Call(id) => self.calls.get(id).and_then(|call| call.place),
                Work::Chat(id) => self.chats.get(id).and_then(|chat| chat.place),
                Work::Ticket(id) => self.tickets.get(id).and_then(|ticket| ticket.place),
                Work::Callback(id) => self.callbacks.get(id).and_then(|callback| callback.place),
            };
            hold(2, owner == Some(index), || format!("{} does not know its place", place.work))?;
            for &offer in &place.offers {
                let known = self.offers.get(offer).is_some_and(|offer| offer.place == Some(index));
                hold(2, known, || format!("{} rings with an {offer} that is over", place.work))?;
            }
            let channel = self.router.classes[place.class as usize].channel;
            // Idle is eligible, as was seen of every desk.
            let mut idle = (0..).map(OperatorId).take(self.desks.len()).filter(|&operator| {
                self.desks[operator.index()].idle[lane(channel)] && self.router.accepts(place.class, operator)
            });
            if !place.is_waiting() {
                hold(2, place.position == ABSENT, || format!("{} both rings and waits", place.work))?;
                let rings_all = self.queues[place.queue.index()].ringing_all.contains(&index);
                let silent = idle.find(|operator| rings_all && !place.missed_by.contains(operator));
                hold(4, silent.is_none(), || {
                    format!("{} rings everybody but {}", place.work, silent.unwrap_or(OperatorId(0)))
                })?;
                continue;
            }
            waiting[place.queue.index()] += 1;
            hold(2, (place.position == ABSENT) == place.reserved_for.is_some(), || {
                format!("{} waits in no index", place.work)
            })?;
            hold(4, place.reserved_for.is_some() == place.reservation.is_set(), || {
                format!("{} waits for one operator without a limit", place.work)
            })?;
            let free = idle.find(|&operator| {
                place.reserved_for.is_none_or(|kept| kept == operator) && self.may_have(index, operator)
            });
            hold(4, free.is_none(), || {
                format!("{} waits while {} could take it", place.work, free.unwrap_or(OperatorId(0)))
            })?;
        }
        hold(5, exclusions == self.exclusions, || format!("{exclusions} exclusions, {} counted", self.exclusions))?;
        for (queue, (state, waiting)) in self.queues.iter().zip(waiting).enumerate() {
            hold(5, state.waiting == waiting, || format!("queue {queue} counts {}, {waiting} wait", state.waiting))?;
        }
        for (id, offer) in self.offers.iter() {
            hold(3, offer.timer.is_set(), || format!("{id} has no limit"))?;
            let ringing = self.desks[offer.operator.index()].status == Status::Ringing;
            let phone = offer.work.channel() == Channel::Phone;
            hold(3, !phone || ringing, || format!("{id} rings {}, who is not Ringing", offer.operator))?;
        }
        Ok(())
    }

    fn check_tickets(&self) -> Checked {
        for (id, ticket) in self.tickets.iter() {
            let runs = ticket.resolution.running_since.is_some();
            hold(6, runs == ticket.status.clock_runs(), || format!("{id} in {:?}, clock runs {runs}", ticket.status))?;
            let (waits, runs) = (runs && !ticket.replied, ticket.first_response.running_since.is_some());
            hold(6, runs == waits, || format!("{id} in {:?}, first response's clock runs {runs}", ticket.status))?;
            let left = ticket.place.is_none() && ticket.worked_by.is_none();
            hold(6, left || ticket.status != TicketStatus::Solved, || {
                format!("{id} is Solved and waits or is worked on")
            })?;
            let held = ticket.worked_by.is_none_or(|operator| self.desks[operator.index()].tickets.contains(&id));
            hold(6, held, || format!("{id} is worked on by {:?}, who does not hold it", ticket.worked_by))?;
            let call = ticket.call.is_none_or(|call| self.calls.get(call).is_some_and(|call| call.ticket == Some(id)));
            hold(6, call, || format!("{id} has a call that does not have it"))?;
        }
        Ok(())
    }
}

impl Stage {
    const fn is_connected(self) -> bool {
        matches!(self, Self::Talking | Self::Holding | Self::Conference)
    }
}
