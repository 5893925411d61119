//! Offers: work presented to operators, and the eight ways in which that ends.

use callfloor_engine::{
    CallId, Channel, ChatStatus, ConsultEnd, DeviceFault, EndCause, Event, Instant, MissRule, OfferEnd, OfferId,
    OperatorId, Party, Policy, QueueId, ServiceId, Span, Status, StatusChoice, SupervisionEnd, Work, reason,
};

use super::call::{Spending, Stage};
use super::desk::parts;
use super::route::lane;
use super::{Model, Timer};

#[derive(Clone, Copy, Debug)]
pub(super) struct Offer {
    pub(super) id: OfferId,
    pub(super) work: Work,
    pub(super) operator: OperatorId,
    /// Not from a queue: a consult, or a blind transfer.
    pub(super) direct: bool,
    pub(super) made: Instant,
    pub(super) limit: Timer,
}

impl Model {
    /// Whether queued work rings at anybody.
    pub(super) fn rings(&self, work: Work) -> bool {
        self.offers.iter().any(|offer| offer.work == work && !offer.direct)
    }

    pub(super) fn phone_offer(&self, operator: OperatorId) -> Option<Offer> {
        let phone = |work: Work| work.channel() == Channel::Phone;
        self.offers.iter().find(|offer| offer.operator == operator && phone(offer.work)).copied()
    }

    /// Offers queued work to an operator who is free for it.
    pub(super) fn offer(&mut self, work: Work, operator: OperatorId) {
        let first = !self.rings(work);
        let queue = self.spot(work).queue;
        let config = &self.floor.queues[queue.index()];
        let policy = config.policy;
        let limit = config.ring_limit.unwrap_or_else(|| self.settings(config.service).ring_limit);
        if first {
            let step = match policy {
                Policy::RingProgressive { step } => self.timer(step),
                _ => None,
            };
            let spot = self.spot(work);
            // A customer's last operator is rung alone, until they miss it.
            (spot.rings_all, spot.ring_step) = (policy == Policy::RingAll && spot.reserved_for.is_none(), step);
            (spot.reserved_for, spot.reservation) = (None, None);
        }
        self.make_offer(work, operator, Some(queue), limit);
    }

    pub(super) fn make_offer(&mut self, work: Work, operator: OperatorId, queue: Option<QueueId>, limit: Span) -> u16 {
        self.made.offers += 1;
        let offer = OfferId::from_parts(self.made.offers, 0);
        let leg = if let Work::Call(call) = work { self.call(call).new_leg() } else { 0 };
        let limit = self.timer(limit).expect("a limit is a moment");
        self.offers.push(Offer { id: offer, work, operator, direct: queue.is_none(), made: self.now, limit });
        self.say(Event::OfferMade { offer, work, operator, queue, until: limit.at });
        let desk = self.desk(operator);
        desk.last_offer = offer.number();
        match work {
            Work::Call(call) => desk.call = Some(call),
            Work::Callback(_) => desk.call = None,
            Work::Chat(_) | Work::Ticket(_) => {
                // They have less room now, and are looked at anew.
                desk.open[lane(work.channel())] = false;
                self.notice(operator);
                return leg;
            }
        }
        self.become_status(operator, Status::Ringing, reason::NONE);
        leg
    }

    fn close(&mut self, offer: Offer, end: OfferEnd) {
        self.offers.retain(|open| open.id != offer.id);
        let Offer { id, work, operator, made, .. } = offer;
        self.say(Event::OfferEnded { offer: id, work, operator, end, rang: self.now - made });
    }

    /// An offer ends without the operator's doing: they are as they were, or what they chose meanwhile.
    pub(super) fn end_unheard(&mut self, offer: Offer, end: OfferEnd) {
        self.close(offer, end);
        if offer.work.channel() != Channel::Phone {
            return self.notice(offer.operator);
        }
        let desk = self.desk(offer.operator);
        desk.call = None;
        let (to, reason) = parts(desk.chosen.take().unwrap_or(StatusChoice::Ready));
        self.return_to(offer.operator, to, reason);
    }

    /// Queued work stops ringing everywhere.
    pub(super) fn stop_ringing(&mut self, work: Work, end: OfferEnd) {
        while let Some(offer) = self.offers.iter().find(|offer| offer.work == work && !offer.direct).copied() {
            self.end_unheard(offer, end);
        }
        self.rings_no_more(work);
    }

    fn rings_no_more(&mut self, work: Work) {
        let spot = self.spot(work);
        (spot.rings_all, spot.ring_step) = (false, None);
    }

    pub(super) fn ring_one_more(&mut self, work: Work) {
        self.spot(work).ring_step = None;
        let queue = self.spot(work).queue;
        if let Policy::RingProgressive { step } = self.floor.queues[queue.index()].policy {
            let timer = self.timer(step);
            self.spot(work).ring_step = timer;
            if let Some(operator) = self.operator_for(work) {
                self.offer(work, operator);
            }
        }
    }

    // ---- misses -----------------------------------------------------------------------------------------------

    pub(super) fn ring_limit_passed(&mut self, offer: OfferId) {
        let offer = *self.offers.iter().find(|open| open.id == offer).expect("an offer's limit goes with it");
        self.missed(offer, OfferEnd::TimedOut);
    }

    /// An operator let an offer go by, or their device did.
    pub(super) fn missed(&mut self, offer: Offer, end: OfferEnd) {
        self.close(offer, end);
        let why = match end {
            OfferEnd::Declined => reason::DECLINED,
            OfferEnd::TimedOut => reason::MISSED,
            _ if self.desk(offer.operator).device_lost => reason::DEVICE_LOST,
            _ => reason::DEVICE_FAILED,
        };
        let rule = self.settings(self.service_of(offer.work)).on_miss;
        let stayed = if offer.work.channel() == Channel::Chat {
            self.chat_missed(offer.operator, rule)
        } else {
            self.phone_or_ticket_missed(offer, rule, why)
        };
        match offer.work {
            Work::Call(call) if offer.direct => {
                let how = match end {
                    OfferEnd::Declined => ConsultEnd::Declined,
                    OfferEnd::TimedOut => ConsultEnd::NoAnswer,
                    OfferEnd::Busy => ConsultEnd::Busy,
                    _ => ConsultEnd::Failed,
                };
                self.target_gone(call, how);
            }
            work => self.recover(work, stayed.then_some(offer.operator)),
        }
    }

    /// Whether this miss sends the operator to Break, and whether it sends them away at all.
    fn count_miss(&mut self, operator: OperatorId, rule: MissRule) -> (bool, bool) {
        let desk = self.desk(operator);
        desk.misses = desk.misses.saturating_add(1);
        match rule {
            MissRule::LeaveReady => (false, true),
            MissRule::StayReady { break_after } => {
                let too_many = break_after > 0 && desk.misses >= break_after;
                if too_many {
                    desk.misses = 0;
                }
                (too_many, too_many)
            }
        }
    }

    /// A missed chat makes its operator Away for chats. Whether they stayed.
    fn chat_missed(&mut self, operator: OperatorId, rule: MissRule) -> bool {
        let (_, leaves) = self.count_miss(operator, rule);
        if leaves {
            self.desk(operator).misses = 0;
            self.chat_status(operator, ChatStatus::Away);
        } else {
            self.notice(operator);
        }
        !leaves
    }

    fn phone_or_ticket_missed(&mut self, offer: Offer, rule: MissRule, why: callfloor_engine::ReasonId) -> bool {
        let operator = offer.operator;
        let phone = offer.work.channel() == Channel::Phone;
        let (to_break, leaves) = self.count_miss(operator, rule);
        let now = self.now;
        let desk = self.desk(operator);
        // The newest intent wins; a lost device allows no other.
        let chosen = if phone { desk.chosen.take().filter(|choice| *choice != StatusChoice::Ready) } else { None };
        let leave = if desk.device_lost {
            Some(StatusChoice::Work(reason::DEVICE_LOST))
        } else if to_break {
            chosen.or(Some(StatusChoice::Break(why)))
        } else if leaves {
            chosen.or(Some(StatusChoice::Work(why)))
        } else {
            chosen
        };
        // Last in the idle order.
        desk.last_call = now;
        self.last_among_ready(operator);
        if phone {
            self.desk(operator).call = None;
            let (to, reason) = parts(leave.unwrap_or(StatusChoice::Ready));
            self.return_to(operator, to, reason);
        } else {
            match leave {
                Some(choice) if self.status(operator) == Status::Ready => self.choose(operator, choice),
                _ => self.notice(operator),
            }
        }
        leave.is_none()
    }

    /// Missed work waits again in its place, unless it still rings elsewhere.
    fn recover(&mut self, work: Work, stayed: Option<OperatorId>) {
        let spot = self.spot(work);
        if let Some(operator) = stayed
            && !spot.missed_by.contains(&operator)
        {
            spot.missed_by.push(operator);
        }
        if self.rings(work) {
            return;
        }
        self.rings_no_more(work);
        let spot = self.spot(work);
        let (queue, overdue) = (spot.queue, spot.overdue);
        if let Work::Call(call) = work {
            self.say(Event::CallRecovered { call, queue });
        }
        if overdue {
            return self.waited_too_long(work);
        }
        self.look_at(work);
    }

    fn service_of(&self, work: Work) -> ServiceId {
        let of_queue = |queue: QueueId| self.floor.queues[queue.index()].service;
        match work {
            Work::Call(call) => self.find_call(call).expect("what is offered is live").service,
            Work::Ticket(ticket) => self.find_ticket(ticket).expect("what is offered is live").service,
            Work::Chat(chat) => of_queue(self.find_chat(chat).expect("what is offered is live").queue),
            Work::Callback(callback) => of_queue(self.find_callback(callback).expect("what is offered is live").queue),
        }
    }

    // ---- commands ---------------------------------------------------------------------------------------------

    fn own_offer(&self, operator: OperatorId, offer: OfferId) -> Option<Offer> {
        self.offers.iter().find(|open| open.id == offer && open.operator == operator).copied()
    }

    pub(super) fn decline(&mut self, operator: OperatorId, offer: OfferId) -> Option<()> {
        let offer = self.own_offer(operator, offer)?;
        self.missed(offer, OfferEnd::Declined);
        Some(())
    }

    pub(super) fn offer_failed(&mut self, offer: OfferId, cause: DeviceFault) -> Option<()> {
        let offer = *self.offers.iter().find(|open| open.id == offer)?;
        let end = match cause {
            DeviceFault::Failed => OfferEnd::DeviceFailed,
            DeviceFault::Busy => OfferEnd::Busy,
        };
        self.missed(offer, end);
        Some(())
    }

    pub(super) fn withdraw(&mut self, offer: OfferId) -> Option<()> {
        let offer = *self.offers.iter().find(|open| open.id == offer)?;
        self.end_unheard(offer, OfferEnd::Withdrawn);
        match offer.work {
            Work::Call(call) if offer.direct => self.target_gone(call, ConsultEnd::Failed),
            work => self.recover(work, Some(offer.operator)),
        }
        Some(())
    }

    pub(super) fn answer(&mut self, operator: OperatorId, offer: OfferId) -> Option<()> {
        let offer = self.own_offer(operator, offer)?;
        self.close(offer, OfferEnd::Accepted);
        let desk = self.desk(operator);
        desk.misses = 0;
        if offer.work.channel() == Channel::Phone
            && let Some(choice) = desk.chosen.take()
        {
            desk.next = Some(choice);
        }
        if let (Work::Call(call), true) = (offer.work, offer.direct) {
            self.target_operator_answered(call, operator);
            return Some(());
        }
        // Whoever else rings for it is let go.
        self.stop_ringing(offer.work, OfferEnd::Rescinded);
        let wait = self.leave_queue(offer.work);
        match offer.work {
            Work::Call(call) => self.call_answered(call, operator, wait),
            Work::Chat(chat) => self.chat_answered(chat, operator, wait),
            Work::Ticket(ticket) => self.ticket_accepted(ticket, operator, wait),
            Work::Callback(callback) => self.dial_callback(callback, operator),
        }
        Some(())
    }

    fn call_answered(&mut self, call: CallId, operator: OperatorId, wait: Span) {
        let now = self.now;
        let found = self.call(call);
        (found.stage, found.operator) = (Stage::Talking, Some(operator));
        found.spend(now, Spending::Talk);
        let again = core::mem::replace(&mut found.answered, true);
        if !again {
            found.wait = wait;
        }
        let queue = found.queue.expect("it was queued");
        self.desk(operator).calls += 1;
        self.become_status(operator, Status::Talking, reason::NONE);
        self.say(if again {
            Event::CallResumed { call, queue, operator }
        } else {
            Event::CallAnswered { call, queue, operator, wait }
        });
        self.own_ticket_of_call(call, operator);
    }

    // ---- targets of consults and transfers --------------------------------------------------------------------

    /// The consult or blind transfer of a call has lost its target.
    pub(super) fn target_gone(&mut self, call: CallId, how: ConsultEnd) {
        let now = self.now;
        let found = self.call(call);
        found.target = None;
        if found.stage == Stage::Blind {
            return match found.queue {
                Some(queue) => self.back_to_head(call, queue),
                None => self.over(call, EndCause::TransferFailed),
            };
        }
        let operator = found.operator.expect("an operator consults");
        self.say(Event::ConsultEnded { call, operator, end: how });
        if self.status(operator) == Status::Consulting {
            self.call(call).spend(now, Spending::Hold);
            self.become_status(operator, Status::Holding, reason::NONE);
        }
    }

    /// A customer who was already served waits again, before all others of their priority.
    pub(super) fn back_to_head(&mut self, call: CallId, queue: QueueId) {
        self.supervision_over(call, SupervisionEnd::OperatorLeft);
        let now = self.now;
        let found = self.call(call);
        (found.stage, found.operator, found.target) = (Stage::Queued, None, None);
        found.spend(now, Spending::Nothing);
        let (priority, needs, kept) = (found.caller.priority, found.needs.clone(), found.place);
        let _ = self.begin_waiting(Work::Call(call), queue, priority, needs, kept, true, None);
        self.say(Event::CallRecovered { call, queue });
    }

    /// A target stops ringing.
    pub(super) fn stop_target(&mut self, call: CallId, end: OfferEnd) {
        if let Some(target) = self.call(call).target.take()
            && let Party::Operator(_) = target.who
        {
            let offer = self.offers.iter().find(|offer| offer.work == Work::Call(call) && offer.direct).copied();
            self.end_unheard(offer.expect("an operator who is rung has an offer"), end);
        }
    }
}
