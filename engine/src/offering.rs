//! Offers: work presented to operators, and the eight ways in which that ends.

use alloc::vec::Vec;

use crate::call::{Stage, TargetParty};
use crate::command::{ChatStatus, DeviceFault};
use crate::config::{Channel, MissRule, Policy, StatusChoice, reason};
use crate::deadline::{Due, Timer};
use crate::desk::{Offer, lane};
use crate::engine::{Engine, Outcome};
use crate::id::{CallId, OfferId, OperatorId, ReasonId, ServiceId};
use crate::output::{Action, ConsultEnd, EndCause, Event, OfferEnd, Party, SupervisionEnd, Work};
use crate::place::PlaceIndex;
use crate::rejection::{Object, Rejection};
use crate::status::{Input, Resting};
use crate::time::Span;

impl Engine {
    /// Offers queued work to an operator who is free for it.
    pub(crate) fn offer_place(&mut self, index: PlaceIndex, operator: OperatorId) {
        let place = &self.places[index];
        let (work, queue) = (place.work, place.queue);
        let (first, reserved) = (place.is_waiting(), place.reserved_for.is_some());
        if first {
            self.remove_waiting(index);
            self.queues[queue.index()].waiting -= 1;
            match self.config.queues[queue.index()].policy {
                // It rings a customer's last operator alone, until they miss it.
                Policy::RingAll if !reserved => self.queues[queue.index()].ringing_all.push(index),
                Policy::RingProgressive { step } => {
                    self.places[index].ring_step = self.deadlines.set(self.now + step, Due::RingStep, index);
                }
                _ => {}
            }
        }
        let limit = self.config.queues[queue.index()]
            .ring_limit
            .unwrap_or_else(|| self.settings(self.config.queues[queue.index()].service).ring_limit);
        let offer = self.make_offer(work, operator, Some(index), limit);
        self.places[index].offers.push(offer);
    }

    pub(crate) fn make_offer(
        &mut self,
        work: Work,
        operator: OperatorId,
        place: Option<PlaceIndex>,
        limit: Span,
    ) -> OfferId {
        let until = self.now + limit;
        let leg = match work {
            Work::Call(call) => self.calls[call].new_leg(),
            _ => 0,
        };
        let offer = self.offers.insert(Offer { work, operator, place, leg, made: self.now, timer: Timer::NONE });
        self.offers[offer].timer = self.deadlines.set(until, Due::Ring, offer.slot());
        self.offer_sequence += 1;
        self.desks[operator.index()].last_offer = self.offer_sequence;
        let queue = place.map(|place| self.places[place].queue);
        self.emit(Event::OfferMade { offer, work, operator, queue, until });
        let call = match work {
            Work::Call(call) => Some(call),
            _ => None,
        };
        match work.channel() {
            Channel::Phone => {
                let desk = &mut self.desks[operator.index()];
                desk.offer = Some(offer);
                desk.call = call;
                self.step(operator, Input::Ring, reason::NONE);
            }
            channel @ (Channel::Chat | Channel::Ticket) => {
                let desk = &mut self.desks[operator.index()];
                if channel == Channel::Chat {
                    desk.chat_offers += 1
                } else {
                    desk.ticket_offers += 1
                }
                // Their place among the idle changes with the offer: they are matched and placed anew.
                if core::mem::take(&mut desk.idle[lane(channel)]) {
                    self.router.remove(operator, channel);
                }
                self.touch(operator);
            }
        }
        self.act(Action::Ring {
            operator,
            offer,
            work,
            leg: call.map(|call| call.leg(leg)),
            until,
            auto_answer: self.router.seat(operator).auto_answer,
        });
        offer
    }

    /// Forgets an offer and frees what it reserved of an operator's capacity for chats and tickets; an operator who
    /// rings still does.
    fn close_offer(&mut self, offer: OfferId, end: OfferEnd) -> Offer {
        let mut closed = self.offers.remove(offer).expect("an offer ends once");
        self.deadlines.cancel(&mut closed.timer);
        let rang = self.now - closed.made;
        self.emit(Event::OfferEnded { offer, work: closed.work, operator: closed.operator, end, rang });
        if end != OfferEnd::Accepted {
            self.act(Action::StopRinging { operator: closed.operator, offer });
        }
        let desk = &mut self.desks[closed.operator.index()];
        match closed.work.channel() {
            Channel::Phone => desk.offer = None,
            Channel::Chat => desk.chat_offers -= 1,
            Channel::Ticket => desk.ticket_offers -= 1,
        }
        if let Some(index) = closed.place {
            self.places[index].offers.retain(|&open| open != offer);
        }
        closed
    }

    /// Ends an offer without the operator's doing: they are as they were before it.
    fn end_unheard(&mut self, offer: OfferId, end: OfferEnd) {
        let closed = self.close_offer(offer, end);
        self.ring_gone(closed.operator, closed.work.channel());
    }

    fn ring_gone(&mut self, operator: OperatorId, channel: Channel) {
        if channel != Channel::Phone {
            return self.touch(operator);
        }
        let desk = &mut self.desks[operator.index()];
        desk.call = None;
        match desk.chosen.take() {
            None | Some(StatusChoice::Ready) => self.step(operator, Input::RingGone, reason::NONE),
            Some(choice) => self.leave_ringing(operator, choice),
        }
    }

    fn leave_ringing(&mut self, operator: OperatorId, choice: StatusChoice) {
        self.step(operator, Input::RingLeft(choice.resting()), choice.reason());
    }

    /// Ends every offer of a place; the work is waiting then, but in no index: the caller says what becomes of it.
    pub(crate) fn stop_all_offers(&mut self, index: PlaceIndex, end: OfferEnd) {
        if self.places[index].is_waiting() {
            return;
        }
        while let Some(&offer) = self.places[index].offers.first() {
            self.end_unheard(offer, end);
        }
        self.no_longer_rings(index);
    }

    /// The last offer of a place is over: it counts as waiting again.
    fn no_longer_rings(&mut self, index: PlaceIndex) {
        self.deadlines.cancel(&mut self.places[index].ring_step);
        let queue = &mut self.queues[self.places[index].queue.index()];
        queue.ringing_all.retain(|&ringing| ringing != index);
        queue.waiting += 1;
    }

    /// An operator let an offer go by, or their device did.
    fn miss(&mut self, offer: OfferId, end: OfferEnd) {
        let closed = self.close_offer(offer, end);
        let operator = closed.operator;
        let why = match end {
            OfferEnd::Declined => reason::DECLINED,
            OfferEnd::TimedOut => reason::MISSED,
            _ if self.desks[operator.index()].device_lost => reason::DEVICE_LOST,
            _ => reason::DEVICE_FAILED,
        };
        let rule = self.settings(self.service_of(closed.work)).on_miss;
        let stayed = self.after_miss(operator, closed.work.channel(), rule, why);
        match closed.place {
            Some(index) => self.recover(index, stayed.then_some(operator)),
            None => self.direct_offer_missed(closed, end),
        }
    }

    /// What a miss does to the operator. Whether they are still offered work.
    fn after_miss(&mut self, operator: OperatorId, channel: Channel, rule: MissRule, why: ReasonId) -> bool {
        let now = self.now;
        let desk = &mut self.desks[operator.index()];
        desk.misses = desk.misses.saturating_add(1);
        let stay = match rule {
            MissRule::LeaveReady => None,
            MissRule::StayReady { break_after } => Some(break_after > 0 && desk.misses >= break_after),
        };
        if channel == Channel::Chat {
            if stay == Some(false) {
                self.touch(operator);
                return true;
            }
            desk.chat_status = ChatStatus::Away;
            desk.misses = 0;
            self.emit(Event::ChatStatusChanged { operator, to: ChatStatus::Away });
            self.touch(operator);
            self.reconsider_missed();
            return false;
        }
        let lost = desk.device_lost;
        let chosen = if channel == Channel::Phone { desk.chosen.take() } else { None };
        let leave = match (chosen, stay) {
            _ if lost => Some(StatusChoice::Work(reason::DEVICE_LOST)),
            (Some(choice @ (StatusChoice::Work(_) | StatusChoice::Break(_))), _) => Some(choice),
            (_, None) => Some(StatusChoice::Work(why)),
            (_, Some(true)) => Some(StatusChoice::Break(why)),
            (_, Some(false)) => None,
        };
        if stay == Some(true) {
            desk.misses = 0;
        }
        // Last in the idle order.
        desk.last_call = now;
        desk.ready_since = now;
        self.ready_sequence += 1;
        desk.ready_sequence = self.ready_sequence;
        if channel == Channel::Phone {
            self.desks[operator.index()].call = None;
            match leave {
                Some(choice) => self.leave_ringing(operator, choice),
                None => self.step(operator, Input::RingGone, reason::NONE),
            }
        } else if let Some(choice) = leave {
            // A ticket was offered to somebody who was Ready; if they are still, the miss takes them out of it.
            if self.desks[operator.index()].status == crate::status::Status::Ready {
                self.step(operator, Input::Choose(choice.resting()), choice.reason());
            } else {
                self.touch(operator);
            }
        } else {
            self.touch(operator);
        }
        leave.is_none()
    }

    /// Missed work goes back to its place in the queue, unless it still rings elsewhere.
    fn recover(&mut self, index: PlaceIndex, stayed: Option<OperatorId>) {
        let place = &mut self.places[index];
        if let Some(operator) = stayed
            && !place.missed_by.contains(&operator)
        {
            if place.missed_by.is_empty() {
                self.exclusions += 1;
            }
            place.missed_by.push(operator);
        }
        if !place.is_waiting() {
            return;
        }
        let (work, queue) = (place.work, place.queue);
        self.no_longer_rings(index);
        if let Work::Call(call) = work {
            self.emit(Event::CallRecovered { call, queue });
        }
        if self.places[index].overdue {
            return self.give_up_waiting(index);
        }
        self.insert_waiting(index);
        self.unsettle_place(index);
    }

    /// A consulted operator, or the target of a blind transfer, did not answer.
    fn direct_offer_missed(&mut self, closed: Offer, end: OfferEnd) {
        let Work::Call(call) = closed.work else { unreachable!("only calls are offered outside a queue") };
        let how = match end {
            OfferEnd::Declined => ConsultEnd::Declined,
            OfferEnd::TimedOut => ConsultEnd::NoAnswer,
            OfferEnd::Busy => ConsultEnd::Busy,
            _ => ConsultEnd::Failed,
        };
        self.target_gone(call, how);
    }

    pub(crate) fn ring_expired(&mut self, offer: OfferId) {
        self.offers[offer].timer = Timer::NONE;
        self.miss(offer, OfferEnd::TimedOut);
    }

    /// A progressive ring: one more operator, if one is free.
    pub(crate) fn ring_next(&mut self, index: PlaceIndex) {
        self.places[index].ring_step = Timer::NONE;
        let queue = self.places[index].queue;
        if let Policy::RingProgressive { step } = self.config.queues[queue.index()].policy {
            self.places[index].ring_step = self.deadlines.set(self.now + step, Due::RingStep, index);
            if let Some(operator) = self.choose_operator(index) {
                self.offer_place(index, operator);
            }
        }
    }

    /// The offer, if it is live and this operator's.
    fn own_offer(&self, operator: OperatorId, offer: OfferId) -> Result<Offer, Rejection> {
        self.known_operator(operator)?;
        let Some(&found) = self.offers.get(offer) else { return Err(Rejection::OfferOver { operator, offer }) };
        if found.operator == operator {
            Ok(found)
        } else {
            Err(Rejection::OtherOperatorsOffer { operator, offer, to: found.operator })
        }
    }

    pub(crate) fn decline(&mut self, operator: OperatorId, offer: OfferId) -> Outcome {
        self.own_offer(operator, offer)?;
        self.miss(offer, OfferEnd::Declined);
        Ok(())
    }

    pub(crate) fn offer_failed(&mut self, offer: OfferId, cause: DeviceFault) -> Outcome {
        if self.offers.get(offer).is_none() {
            return Err(Rejection::Unknown(Object::Offer(offer)));
        }
        let end = match cause {
            DeviceFault::Failed => OfferEnd::DeviceFailed,
            DeviceFault::Busy => OfferEnd::Busy,
        };
        self.miss(offer, end);
        Ok(())
    }

    /// The device of an operator is lost while it rings.
    pub(crate) fn device_failed(&mut self, offer: OfferId) {
        self.miss(offer, OfferEnd::DeviceFailed);
    }

    pub(crate) fn withdraw_offer(&mut self, offer: OfferId) -> Outcome {
        let Some(&found) = self.offers.get(offer) else { return Err(Rejection::Unknown(Object::Offer(offer))) };
        match found.place {
            None => {
                self.end_unheard(offer, OfferEnd::Withdrawn);
                let Work::Call(call) = found.work else { unreachable!("only calls are offered outside a queue") };
                self.target_gone(call, ConsultEnd::Failed);
            }
            Some(index) => {
                // Not to the same operator again while another could take it, or nothing would come of it.
                self.end_unheard(offer, OfferEnd::Withdrawn);
                self.recover(index, Some(found.operator));
            }
        }
        Ok(())
    }

    /// Ends the offer of a target that no longer rings for anybody.
    pub(crate) fn rescind(&mut self, offer: OfferId, end: OfferEnd) {
        self.end_unheard(offer, end);
    }

    pub(crate) fn answer(&mut self, operator: OperatorId, offer: OfferId) -> Outcome {
        let found = self.own_offer(operator, offer)?;
        self.close_offer(offer, OfferEnd::Accepted);
        let desk = &mut self.desks[operator.index()];
        desk.misses = 0;
        if found.work.channel() == Channel::Phone
            && let Some(choice) = desk.chosen.take()
        {
            desk.next = Some(choice);
        }
        let Some(index) = found.place else {
            let Work::Call(call) = found.work else { unreachable!("only calls are offered outside a queue") };
            self.target_operator_answered(call, operator);
            return Ok(());
        };
        // Whoever else rings for it is let go.
        while let Some(&other) = self.places[index].offers.first() {
            self.end_unheard(other, OfferEnd::Rescinded);
        }
        let wait = self.now - self.leave_queue(index);
        match found.work {
            Work::Call(call) => self.call_answered(call, operator, found.leg, wait),
            Work::Chat(chat) => self.chat_answered(chat, operator, wait),
            Work::Ticket(ticket) => self.ticket_accepted(ticket, operator, wait),
            Work::Callback(callback) => self.dial_callback(callback, operator),
        }
        Ok(())
    }

    fn call_answered(&mut self, call: CallId, operator: OperatorId, leg: u16, wait: Span) {
        let now = self.now;
        let found = &mut self.calls[call];
        found.place = None;
        found.stage = Stage::Talking;
        found.operator = Some(operator);
        found.operator_leg = leg;
        found.spend(now, crate::call::Spending::Talk);
        let resumed = core::mem::replace(&mut found.answered, true);
        if !resumed {
            found.wait = wait;
        }
        let queue = found.queue.expect("a call that was queued has a queue");
        let desk = &mut self.desks[operator.index()];
        desk.calls += 1;
        self.step(operator, Input::Answer, reason::NONE);
        self.act(Action::Connect { a: call.customer_leg(), b: call.leg(leg) });
        if resumed {
            self.emit(Event::CallResumed { call, queue, operator });
        } else {
            self.emit(Event::CallAnswered { call, queue, operator, wait });
        }
        self.own_call_ticket(call, operator);
    }

    /// The service whose settings hold for some work.
    pub(crate) fn service_of(&self, work: Work) -> ServiceId {
        let queue = match work {
            Work::Call(call) => return self.calls[call].service,
            Work::Ticket(ticket) => return self.tickets[ticket].service,
            Work::Chat(chat) => self.chats[chat].queue,
            Work::Callback(callback) => self.callbacks[callback].queue,
        };
        self.config.queues[queue.index()].service
    }

    /// The consult or blind transfer of a call has lost its target.
    pub(crate) fn target_gone(&mut self, call: CallId, how: ConsultEnd) {
        self.calls[call].target = None;
        match self.calls[call].stage {
            Stage::BlindRinging => self.blind_failed(call),
            Stage::Holding => {
                let operator = self.calls[call].operator.expect("a held call has an operator");
                self.emit(Event::ConsultEnded { call, operator, end: how });
                if self.desks[operator.index()].status == crate::status::Status::Consulting {
                    let now = self.now;
                    self.calls[call].spend(now, crate::call::Spending::Hold);
                    self.step(operator, Input::ConsultEnded, reason::NONE);
                }
            }
            _ => unreachable!("a target rings in a consult or a blind transfer"),
        }
    }

    /// The target of a blind transfer was not reached: back to the queue that the call came from, with its place.
    fn blind_failed(&mut self, call: CallId) {
        match self.calls[call].queue {
            Some(queue) => self.requeue_at_head(call, queue),
            None => self.end_from_flow(call, EndCause::TransferFailed),
        }
    }

    /// A customer who was already served waits again, before all others of their priority.
    pub(crate) fn requeue_at_head(&mut self, call: CallId, queue: crate::id::QueueId) {
        self.end_supervision(call, SupervisionEnd::OperatorLeft);
        let now = self.now;
        let found = &mut self.calls[call];
        found.stage = Stage::Queued;
        found.operator = None;
        found.target = None;
        found.spend(now, crate::call::Spending::Nothing);
        let entry = crate::queueing::Entry {
            work: Work::Call(call),
            queue,
            priority: found.priority,
            needs: found.needs,
            kept: found.queued,
            head: true,
            preferred: None,
        };
        let service = found.service;
        let (place, _) = self.enqueue(entry);
        self.calls[call].place = Some(place);
        self.emit(Event::CallRecovered { call, queue });
        let audio = self.settings(service).hold_music;
        self.act(Action::PlayMusic { leg: call.customer_leg(), audio });
    }

    /// The offers that ring at operators for one work, in order of making; for screens.
    #[must_use]
    pub fn ringing_for(&self, work: Work) -> Vec<OperatorId> {
        self.offers.iter().filter(|(_, offer)| offer.work == work).map(|(_, offer)| offer.operator).collect()
    }

    /// The party of a target.
    pub(crate) fn party(&self, who: TargetParty) -> Party {
        match who {
            TargetParty::Operator(operator, _) => Party::Operator(operator),
            TargetParty::Number(number) => Party::Number(number),
        }
    }
}

impl StatusChoice {
    pub(crate) const fn reason(self) -> ReasonId {
        match self {
            Self::Work(reason) | Self::Break(reason) => reason,
            Self::Ready => reason::NONE,
        }
    }

    pub(crate) const fn is_ready(self) -> bool {
        matches!(self.resting(), Resting::Ready)
    }
}
