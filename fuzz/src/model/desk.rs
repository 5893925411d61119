//! Operators: presence, statuses, after-call work, devices.

use callfloor_engine::{
    CallId, ChatStatus, DeviceLostRule, EndCause, Event, Instant, OfferEnd, OperatorId, ReasonId, Span, Status,
    StatusChoice, SupervisionEnd, TicketId, Work, reason,
};

use super::call::Stage;
use super::{Model, Timer};

#[derive(Clone, Debug)]
pub(super) struct Desk {
    pub(super) status: Status,
    pub(super) reason: ReasonId,
    pub(super) since: Instant,
    pub(super) chat_status: ChatStatus,
    pub(super) device_lost: bool,
    pub(super) grace: Option<Timer>,
    pub(super) call: Option<CallId>,
    /// Chosen while it rings.
    pub(super) chosen: Option<StatusChoice>,
    /// Chosen for after the call.
    pub(super) next: Option<StatusChoice>,
    /// The status before a dial; `None` for after-call work.
    pub(super) before_dial: Option<StatusChoice>,
    /// The ticket that after-call work is about.
    pub(super) wrap_up: Option<TicketId>,
    pub(super) after_call: Option<Timer>,
    pub(super) prompt: Option<Timer>,
    pub(super) then: StatusChoice,
    /// After-call work cannot be left by hand.
    pub(super) timed: bool,
    /// Tickets in hand by assignment, in the order of acceptance.
    pub(super) tickets: Vec<TicketId>,
    pub(super) last_call: Instant,
    pub(super) ready_since: Instant,
    pub(super) ready_order: u64,
    /// The number of the last offer.
    pub(super) last_offer: u32,
    pub(super) calls: u64,
    pub(super) misses: u16,
    pub(super) times: [Span; 10],
    /// Free in a channel, and nothing was found for them.
    pub(super) open: [bool; 3],
    /// Became free in this command, and is not looked at yet.
    pub(super) unmatched: bool,
}

impl Desk {
    pub(super) const fn new() -> Self {
        Self {
            status: Status::LoggedOut,
            reason: reason::NONE,
            since: Instant::ZERO,
            chat_status: ChatStatus::Away,
            device_lost: false,
            grace: None,
            call: None,
            chosen: None,
            next: None,
            before_dial: None,
            wrap_up: None,
            after_call: None,
            prompt: None,
            then: StatusChoice::Ready,
            timed: false,
            tickets: Vec::new(),
            last_call: Instant::ZERO,
            ready_since: Instant::ZERO,
            ready_order: 0,
            last_offer: 0,
            calls: 0,
            misses: 0,
            times: [Span::ZERO; 10],
            open: [false; 3],
            unmatched: false,
        }
    }

    /// Whether calls come to them sooner or later without their asking: Ready, or busy with one.
    pub(super) const fn takes_calls(&self) -> bool {
        !matches!(self.status, Status::LoggedOut | Status::Work | Status::Break)
    }
}

pub(super) const fn parts(choice: StatusChoice) -> (Status, ReasonId) {
    match choice {
        StatusChoice::Work(reason) => (Status::Work, reason),
        StatusChoice::Ready => (Status::Ready, reason::NONE),
        StatusChoice::Break(reason) => (Status::Break, reason),
    }
}

impl Model {
    /// The one place in which a status changes.
    pub(super) fn become_status(&mut self, operator: OperatorId, to: Status, reason: ReasonId) {
        if to == Status::Ready {
            self.last_among_ready(operator);
        }
        self.return_to(operator, to, reason);
    }

    /// As they were before it rang: who is Ready again keeps their place among the Ready.
    pub(super) fn return_to(&mut self, operator: OperatorId, to: Status, reason: ReasonId) {
        let now = self.now;
        let supervises = self.supervised(operator).is_some();
        let desk = self.desk(operator);
        let (from, took_calls) = (desk.status, desk.takes_calls());
        if from != Status::LoggedOut {
            desk.times[from as usize] += now - desk.since;
        }
        (desk.status, desk.reason, desk.since) = (to, reason, now);
        let (call, takes_calls) = (desk.call.filter(|_| !supervises), desk.takes_calls());
        self.say(Event::StatusChanged { operator, from, to, reason, call });
        // Who stops taking calls may leave nobody but those who missed one.
        if (took_calls && !takes_calls) || to == Status::Break {
            self.look_again_at_missed();
        }
        // Nobody waits for a last operator who is away.
        if matches!(to, Status::Break | Status::LoggedOut) {
            self.wait_no_more_for(operator);
        }
        self.notice(operator);
    }

    pub(super) fn last_among_ready(&mut self, operator: OperatorId) {
        self.made.ready += 1;
        let (now, order) = (self.now, self.made.ready);
        let desk = self.desk(operator);
        (desk.ready_since, desk.ready_order) = (now, order);
    }

    pub(super) fn choose(&mut self, operator: OperatorId, choice: StatusChoice) {
        let (to, reason) = parts(choice);
        self.become_status(operator, to, reason);
    }

    pub(super) fn log_in(&mut self, operator: OperatorId) -> Option<()> {
        let config = self.floor.operators.get(operator.index())?;
        let has_rights = config.phone && config.cti_id.is_some() && config.cti_number.is_some();
        let choice = self.settings(config.services[0]).login_status;
        if self.status(operator) != Status::LoggedOut || !has_rights {
            return None;
        }
        let now = self.now;
        let desk = self.desk(operator);
        (desk.last_call, desk.since, desk.calls, desk.misses, desk.device_lost) = (now, now, 0, 0, false);
        desk.times = [Span::ZERO; 10];
        self.choose(operator, choice);
        Some(())
    }

    pub(super) fn log_out(&mut self, operator: OperatorId) -> Option<()> {
        self.known_operator(operator)?;
        let desk = self.desk(operator);
        match desk.status {
            Status::Work | Status::Ready | Status::Break => {}
            Status::AfterCallWork if !desk.timed => {}
            _ => return None,
        }
        self.leave(operator);
        Some(())
    }

    fn leave(&mut self, operator: OperatorId) {
        self.wrap_up(operator);
        let desk = self.desk(operator);
        (desk.next, desk.call, desk.grace) = (None, None, None);
        self.tickets_of_leaver(operator);
        self.become_status(operator, Status::LoggedOut, reason::NONE);
    }

    /// Offered tickets wait again in their places, assigned ones in their queues.
    fn tickets_of_leaver(&mut self, operator: OperatorId) {
        let is_ticket = |work: Work| matches!(work, Work::Ticket(_));
        while let Some(offer) = self.offers.iter().find(|o| o.operator == operator && is_ticket(o.work)) {
            let work = offer.work;
            self.stop_ringing(work, OfferEnd::Rescinded);
            self.look_at(work);
        }
        while let Some(&ticket) = self.desk(operator).tickets.first() {
            self.give_back(ticket);
        }
    }

    pub(super) fn set_status(&mut self, operator: OperatorId, to: StatusChoice) -> Option<()> {
        self.known_operator(operator)?;
        let desk = self.desk(operator);
        if desk.device_lost && to == StatusChoice::Ready {
            return None;
        }
        match desk.status {
            Status::Ringing => desk.chosen = Some(to),
            Status::AfterCallWork if !desk.timed => self.leave_after_call(operator, to),
            Status::Work | Status::Ready | Status::Break => {
                if (desk.status, desk.reason) != parts(to) {
                    self.choose(operator, to);
                }
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn set_next_status(&mut self, operator: OperatorId, next: Option<StatusChoice>) -> Option<()> {
        self.known_operator(operator)?;
        let desk = self.desk(operator);
        match desk.status {
            Status::Dialing | Status::Talking | Status::Consulting | Status::Holding | Status::AfterCallWork => {
                desk.next = next;
                Some(())
            }
            _ => None,
        }
    }

    pub(super) fn set_chat_status(&mut self, operator: OperatorId, to: ChatStatus) -> Option<()> {
        self.known_operator(operator)?;
        if self.desk(operator).chat_status != to {
            self.chat_status(operator, to);
        }
        Some(())
    }

    pub(super) fn chat_status(&mut self, operator: OperatorId, to: ChatStatus) {
        self.desk(operator).chat_status = to;
        self.say(Event::ChatStatusChanged { operator, to });
        self.notice(operator);
        if to == ChatStatus::Away {
            self.look_again_at_missed();
        }
    }

    // ---- after-call work --------------------------------------------------------------------------------------

    /// An operator's part in a call is over.
    pub(super) fn part_over(&mut self, operator: OperatorId, call: CallId) {
        let now = self.now;
        let call = self.call(call);
        call.last_operator = Some(operator);
        let (service, ticket) = (call.service, call.ticket);
        let own = ticket.filter(|&id| self.find_ticket(id).is_some_and(|ticket| ticket.owner == Some(operator)));
        let rule = self.settings(service).after_call;
        let desk = self.desk(operator);
        (desk.last_call, desk.then, desk.wrap_up) = (now, rule.then, own);
        desk.timed = rule.limit.is_some() && !rule.early_exit;
        self.become_status(operator, Status::AfterCallWork, reason::NONE);
        self.desk(operator).call = None;
        if rule.limit == Some(Span::ZERO) {
            return self.after_call_over(operator);
        }
        let limit = rule.limit.and_then(|limit| self.timer(limit));
        let prompt = rule.prompt_after.and_then(|after| self.timer(after));
        let desk = self.desk(operator);
        (desk.after_call, desk.prompt) = (limit, prompt);
    }

    pub(super) fn after_call_limit_passed(&mut self, operator: OperatorId) {
        self.desk(operator).after_call = None;
        self.after_call_over(operator);
    }

    pub(super) fn after_call_over(&mut self, operator: OperatorId) {
        let desk = self.desk(operator);
        let choice = desk.next.unwrap_or(desk.then);
        self.leave_after_call(operator, choice);
    }

    fn leave_after_call(&mut self, operator: OperatorId, choice: StatusChoice) {
        self.wrap_up(operator);
        let desk = self.desk(operator);
        desk.next = None;
        let choice = if desk.device_lost && choice == StatusChoice::Ready {
            StatusChoice::Work(reason::DEVICE_LOST)
        } else {
            choice
        };
        self.choose(operator, choice);
    }

    /// Deadlines and ticket of after-call work are left behind.
    pub(super) fn wrap_up(&mut self, operator: OperatorId) {
        let desk = self.desk(operator);
        (desk.timed, desk.after_call, desk.prompt) = (false, None, None);
        if let Some(ticket) = desk.wrap_up.take() {
            self.wrapped_up(ticket);
        }
    }

    // ---- devices ----------------------------------------------------------------------------------------------

    pub(super) fn device_lost(&mut self, operator: OperatorId) -> Option<()> {
        self.known_operator(operator)?;
        let desk = self.desk(operator);
        if desk.status == Status::LoggedOut || desk.device_lost {
            return None;
        }
        let (status, call) = (desk.status, desk.call);
        desk.device_lost = true;
        let service = self.floor.operators[operator.index()].services[0];
        let grace = self.timer(self.settings(service).device_grace);
        self.desk(operator).grace = grace;
        if let Some(call) = self.supervised(operator) {
            self.supervision_over(call, SupervisionEnd::DeviceLost);
            return Some(());
        }
        let lost = StatusChoice::Work(reason::DEVICE_LOST);
        match status {
            Status::Ready => self.choose(operator, lost),
            Status::Ringing => {
                let offer = self.phone_offer(operator).expect("who rings has an offer");
                self.missed(offer, OfferEnd::DeviceFailed);
            }
            Status::Dialing => {
                self.desk(operator).before_dial = Some(lost);
                self.dial_over(call.expect("who dials has a call"), EndCause::DialCancelled);
            }
            Status::Talking | Status::Consulting | Status::Holding => {
                self.lost_in_call(operator, call.expect("who talks has a call"));
            }
            Status::LoggedOut | Status::Work | Status::Break | Status::AfterCallWork => {}
        }
        Some(())
    }

    /// The customer is connected to an answered target, else goes back to the head of the queue or is let go.
    fn lost_in_call(&mut self, operator: OperatorId, call: CallId) {
        use callfloor_engine::ConsultEnd;
        let found = self.call(call);
        let (owner, stage, target, service, queue) =
            (found.operator, found.stage, found.target, found.service, found.queue);
        if owner != Some(operator) {
            return self.consulted_leaves(call, ConsultEnd::Failed);
        }
        match stage {
            Stage::Internal => self.both_done(call),
            Stage::Ending(_) => {
                self.supervision_over(call, SupervisionEnd::OperatorLeft);
                self.call(call).operator = None;
                self.part_over(operator, call);
            }
            _ if target.is_some_and(|target| target.answered) => self.hand_over(call, ConsultEnd::OperatorLeft),
            _ => {
                self.drop_consult(call, ConsultEnd::OperatorLeft, OfferEnd::Rescinded);
                match (self.settings(service).on_device_lost, queue) {
                    (DeviceLostRule::Requeue, Some(queue)) => {
                        self.back_to_head(call, queue);
                        self.part_over(operator, call);
                    }
                    _ => {
                        self.end(call, EndCause::DeviceLost);
                        self.part_over(operator, call);
                        self.forget(call);
                    }
                }
            }
        }
    }

    pub(super) fn device_restored(&mut self, operator: OperatorId) -> Option<()> {
        self.known_operator(operator)?;
        let desk = self.desk(operator);
        if !desk.device_lost {
            return None;
        }
        (desk.device_lost, desk.grace) = (false, None);
        Some(())
    }

    pub(super) fn grace_passed(&mut self, operator: OperatorId) {
        self.desk(operator).device_lost = false;
        self.leave(operator);
    }
}
