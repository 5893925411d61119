//! Operators: shifts, offers and what they do with them, breaks, and what follows a call.

use super::{Happening, Host, Reaction, is_at_floor};
use crate::behaviour::Fate;
use crate::calendar::Entry;
use crate::collect::NO_ROW;
use crate::operator::{Errand, NO_SHIFT, Ringing};
use callfloor_engine::{
    CallId, ChatStatus, Command, OfferEnd, OfferId, OperatorId, QueueId, ReasonId, Resolution, Status, StatusChoice,
    TicketId, TicketStatus, Work, reason,
};
use callfloor_scenario::{Horizon, NextStatus};

/// The reason of a break that is due.
const BREAK: ReasonId = ReasonId(reason::FIRST_OWN.0);
/// The reason of looking at a campaign's next customer.
pub(super) const PREVIEW: ReasonId = ReasonId(reason::FIRST_OWN.0 + 1);

impl Host<'_> {
    // ---- offers ---------------------------------------------------------------------------------------------------

    #[inline]
    pub(super) fn offer_made(&mut self, offer: OfferId, operator: u32, queue: Option<QueueId>, work: Work) {
        let row = queue.map_or_else(|| self.row_of_work(work), |queue| queue.0);
        if matches!(work, Work::Call(_) | Work::Callback(_)) {
            self.operators[operator as usize].offer_row = row;
        }
        let slot = offer.slot() as usize;
        if slot >= self.ringing.len() {
            self.ringing.resize(slot + 1, Ringing::NONE);
        }
        self.ringing[slot] = Ringing { offer: Some(offer), operator, row, reaction: Entry::NONE };
        if let Some(counts) = self.collector.now(row) {
            counts.rings += 1;
        }
        if self.ahead.is_some() {
            self.bring_next_in_line(queue);
        }
    }

    fn row_of_work(&self, work: Work) -> u16 {
        match work {
            Work::Call(call) => self.row_of(call).unwrap_or(NO_ROW),
            _ => NO_ROW,
        }
    }

    #[inline]
    pub(super) fn ring(&mut self, operator: u32, offer: OfferId, work: Work, until_us: u64, auto_answer: bool) {
        let group = self.operators[operator as usize].group;
        let (owner, nth) = self.count_ring(work);
        if self.behaviour.answers_at_once(group, auto_answer) {
            self.reactions.push_back(Reaction::Answer(offer));
            return;
        }
        let slot = offer.slot();
        let (delay_us, reaction) = match self.behaviour.fate(group, operator, owner, nth, auto_answer) {
            Fate::Missed => return,
            Fate::Answered(delay_us) => (delay_us, Happening::Answers(slot)),
            Fate::Declined(delay_us) => (delay_us, Happening::Declines(slot)),
        };
        let at = self.now.saturating_add(delay_us);
        if at < until_us
            && let Some(ringing) = self.ringing.get_mut(slot as usize)
        {
            ringing.reaction = self.calendar.schedule(at, reaction);
        }
    }

    /// Whose stream an offer draws from, and the how manieth of that customer it is.
    fn count_ring(&mut self, work: Work) -> (u64, u16) {
        let (id, rings) = match work {
            Work::Call(call) => match self.callers.get_mut(call.slot() as usize) {
                Some(caller) => (caller.id, &mut caller.rings),
                None => return (0, 0),
            },
            Work::Chat(chat) => match self.chats.get_mut(chat.slot() as usize) {
                Some(chatter) => (chatter.id, &mut chatter.rings),
                None => return (0, 0),
            },
            Work::Ticket(ticket) => match self.tickets.get_mut(ticket.slot() as usize) {
                Some(ticket) => (ticket.id, &mut ticket.rings),
                None => return (0, 0),
            },
            Work::Callback(callback) => match self.callbacks.get_mut(callback.slot() as usize) {
                Some(callback) => (callback.id, &mut callback.rings),
                None => return (0, 0),
            },
        };
        *rings = rings.wrapping_add(1);
        (id, *rings)
    }

    /// The operator answers what rings in this slot.
    pub(super) fn answers(&mut self, slot: u32) {
        let ringing = &mut self.ringing[slot as usize];
        ringing.reaction = Entry::NONE;
        let Ringing { offer, operator, .. } = *ringing;
        if let Some(offer) = offer {
            self.apply(Command::Answer { operator: OperatorId(operator), offer });
        }
    }

    pub(super) fn declines(&mut self, slot: u32) {
        let ringing = &mut self.ringing[slot as usize];
        ringing.reaction = Entry::NONE;
        let Ringing { offer, operator, .. } = *ringing;
        if let Some(offer) = offer {
            self.apply(Command::Decline { operator: OperatorId(operator), offer });
        }
    }

    /// Answers at once, if it rings yet.
    pub(super) fn answers_at_once(&mut self, offer: OfferId) {
        if self.ringing.get(offer.slot() as usize).is_some_and(|ringing| ringing.offer == Some(offer)) {
            self.answers(offer.slot());
        }
    }

    #[inline]
    pub(super) fn offer_ended(&mut self, offer: OfferId, end: OfferEnd) {
        self.stop_ringing(offer);
        let Some(ringing) = self.ringing.get_mut(offer.slot() as usize) else { return };
        ringing.offer = None;
        if matches!(end, OfferEnd::Declined | OfferEnd::TimedOut | OfferEnd::DeviceFailed | OfferEnd::Busy)
            && let Some(counts) = self.collector.now(ringing.row)
        {
            counts.missed_rings += 1;
        }
    }

    #[inline]
    pub(super) fn stop_ringing(&mut self, offer: OfferId) {
        if let Some(ringing) = self.ringing.get_mut(offer.slot() as usize)
            && ringing.offer == Some(offer)
        {
            let entry = std::mem::take(&mut ringing.reaction);
            if entry != Entry::NONE {
                self.calendar.withdraw(entry);
            }
        }
    }

    // ---- status ---------------------------------------------------------------------------------------------------

    #[inline]
    pub(super) fn status_changed(&mut self, operator: u32, from: Status, to: Status, call: Option<CallId>) {
        let place = operator as usize;
        let row = call.and_then(|call| self.row_of(call)).unwrap_or(match to {
            Status::Ringing => self.operators[place].offer_row,
            _ => NO_ROW,
        });
        self.close_status(place, self.now);
        let state = &mut self.operators[place];
        debug_assert_eq!(state.status, from, "operator {operator}");
        (state.status, state.row) = (to, row);
        state.errand.set(Errand::UNPLANNED, false);
        let ticket = if from == Status::AfterCallWork { state.ticket.take() } else { None };
        let rest = std::mem::take(&mut state.rest);
        if rest != Entry::NONE {
            self.calendar.withdraw(rest);
        }
        if let Some(ticket) = ticket
            && !self.model.groups[usize::from(state.group)].solve_at_wrap_up
        {
            self.reactions.push_back(Reaction::Solve(operator, ticket, Resolution::ByCall));
        }
        match to {
            Status::Ready => {
                let (away, group) = (state.errand.calls_away(), state.group);
                if away {
                    self.reactions.push_back(Reaction::Free(operator));
                } else if self.model.groups[usize::from(group)].idle_campaign.is_some() {
                    self.wait_idle(operator);
                }
            }
            Status::AfterCallWork => {
                let length_us = std::mem::take(&mut state.after_call_us);
                if length_us == 0 {
                    self.reactions.push_back(Reaction::Rested(operator));
                } else {
                    state.rest = self.calendar.schedule(self.now + length_us, Happening::Rested(operator));
                }
            }
            Status::Work | Status::Break => self.came_to_rest(operator, from, to),
            Status::Talking if from == Status::Ringing => {
                if let Some(call) = call {
                    self.taken_over(call, operator);
                }
            }
            Status::LoggedOut => {
                state.errand = Errand::default();
                self.agendas[place].preview = None;
            }
            _ => {}
        }
    }

    /// In Work or Break: for how long, and why.
    fn came_to_rest(&mut self, operator: u32, from: Status, to: Status) {
        let place = operator as usize;
        let (state, agenda) = (&mut self.operators[place], &mut self.agendas[place]);
        if let Some(preview) = agenda.preview.filter(|_| to == Status::Work && from != Status::Dialing) {
            let length = self.preview_length(preview);
            let entry = self.after(length, Happening::Rested(operator));
            self.operators[operator as usize].rest = entry;
            return;
        }
        agenda.preview = None;
        if to == Status::Break && state.errand.has(Errand::BREAK) {
            self.begin_break(operator);
        } else if matches!(from, Status::LoggedOut | Status::Dialing | Status::AfterCallWork) {
            self.reactions.push_back(Reaction::Free(operator));
        } else if !state.errand.has(Errand::LEAVING) && !state.errand.has(Errand::FINISHES) {
            state.errand.set(Errand::UNPLANNED, true);
            agenda.occasions = agenda.occasions.wrapping_add(1);
            let nth = agenda.occasions;
            let away_us = self.behaviour.back_after_miss_us(state.group, operator, nth);
            state.rest = self.calendar.schedule(self.now + away_us, Happening::Rested(operator));
        }
    }

    fn begin_break(&mut self, operator: u32) {
        let (state, agenda) = (&mut self.operators[operator as usize], &self.agendas[operator as usize]);
        state.errand.set(Errand::BREAK, false);
        state.errand.set(Errand::UNPLANNED, agenda.break_unplanned);
        state.rest = self.calendar.schedule(self.now + agenda.break_us, Happening::Rested(operator));
    }

    /// Books the time in the present status up to `now`.
    #[inline]
    pub(super) fn close_status(&mut self, place: usize, now: u64) {
        let state = &mut self.operators[place];
        let since = std::mem::replace(&mut state.since, now);
        // With a roster, what is worked after the shift is paid on top of it.
        let pays = self.pays_by_login || state.errand.has(Errand::LEAVING);
        self.collector.status_span(state.group, state.row, state.status, since, now, pays);
        if state.errand.has(Errand::UNPLANNED) && !self.pays_by_login {
            self.collector.out_of_roster(state.group, since, now);
        }
    }

    /// After-call work, a break, a preview or a span in Work is over.
    pub(super) fn rested(&mut self, operator: u32) {
        let state = &mut self.operators[operator as usize];
        match state.status {
            Status::AfterCallWork => {
                let ticket = state.ticket.take();
                let group = &self.model.groups[usize::from(state.group)];
                if let Some(ticket) = ticket.filter(|_| !group.solve_at_wrap_up) {
                    self.solve(operator, ticket, Resolution::ByCall);
                }
                self.free(operator);
            }
            Status::Work => {
                if let Some(preview) = self.agendas[operator as usize].preview.take() {
                    self.dial_campaign(operator, preview);
                } else {
                    self.free(operator);
                }
            }
            Status::Break => self.free(operator),
            _ => {}
        }
    }

    pub(super) fn solve(&mut self, operator: u32, ticket: TicketId, resolution: Resolution) {
        let by = Some(OperatorId(operator));
        let status = TicketStatus::Solved;
        self.apply(Command::SetTicketStatus { ticket, by, status, resolution, version: None });
    }

    /// What an operator without a call does next: leaves, has a break, or is Ready.
    #[inline]
    pub(super) fn free(&mut self, operator: u32) {
        if !self.operators[operator as usize].is_free() {
            return;
        }
        let id = OperatorId(operator);
        if self.operators[operator as usize].errand.has(Errand::RELIEVES) {
            self.relieve(operator);
        }
        let state = self.operators[operator as usize];
        if state.errand.has(Errand::LEAVING) {
            if self.agendas[operator as usize].in_hand > 0 {
                self.finish_what_is_in_hand(operator);
                return;
            }
            if self.may_leave() {
                if self.apply(Command::LogOut { operator: id }) {
                    return;
                }
            } else {
                self.staying = true;
            }
        }
        if state.rest != Entry::NONE {
            // A break, a preview or a span in Work goes on; its end comes back here.
            return;
        }
        let choice = if state.errand.has(Errand::BREAK) {
            if self.agendas[operator as usize].in_hand > 0 {
                self.finish_what_is_in_hand(operator);
                return;
            }
            if state.status == Status::Break {
                // It fell due during another.
                self.close_status(operator as usize, self.now);
                self.begin_break(operator);
                return;
            }
            StatusChoice::Break(BREAK)
        } else {
            if state.errand.has(Errand::FINISHES) && !state.errand.has(Errand::LEAVING) {
                self.operators[operator as usize].errand.set(Errand::FINISHES, false);
                if self.model.groups[usize::from(state.group)].chats {
                    self.apply(Command::SetChatStatus { operator: id, to: ChatStatus::Available });
                }
            }
            let next = self.model.groups[usize::from(state.group)].next_status;
            match (state.status, next) {
                (Status::Ready, _) => return,
                (Status::AfterCallWork, NextStatus::Work) => StatusChoice::Work(reason::NONE),
                (Status::AfterCallWork, NextStatus::Break) => StatusChoice::Break(reason::NONE),
                _ => StatusChoice::Ready,
            }
        };
        self.apply(Command::SetStatus { operator: id, to: choice });
    }

    /// The crew shrank, and somebody who ought to have gone has a call in hand: they stay on, and who is free goes.
    fn relieve(&mut self, operator: u32) {
        let place = operator as usize;
        if self.agendas[place].in_hand > 0 {
            return;
        }
        self.operators[place].errand.set(Errand::RELIEVES, false);
        let shift = self.agendas[place].shift;
        if shift == NO_SHIFT {
            return;
        }
        let group = usize::from(self.operators[place].group);
        while let Some(other) = self.overstaying[group].pop() {
            let state = &self.operators[other as usize];
            // Some have gone, or have taken up another shift, since the boundary.
            if state.errand.has(Errand::LEAVING) && !state.is_free() && is_at_floor(state.status) {
                for (id, leaves) in [(other, false), (operator, true)] {
                    self.close_status(id as usize, self.now);
                    let errand = &mut self.operators[id as usize].errand;
                    errand.set(Errand::LEAVING, leaves);
                    errand.set(Errand::RELIEVES, !leaves);
                    self.agendas[id as usize].shift = if leaves { NO_SHIFT } else { shift };
                }
                return;
            }
        }
    }

    /// Leaves, or has a break, when the chats and tickets in hand are done, and takes no more until then.
    fn finish_what_is_in_hand(&mut self, operator: u32) {
        let id = OperatorId(operator);
        let state = self.operators[operator as usize];
        self.operators[operator as usize].errand.set(Errand::FINISHES, true);
        if self.model.groups[usize::from(state.group)].chats && !state.errand.has(Errand::FINISHES) {
            self.apply(Command::SetChatStatus { operator: id, to: ChatStatus::Away });
        }
        if state.status != Status::Work {
            self.apply(Command::SetStatus { operator: id, to: StatusChoice::Work(reason::NONE) });
        }
    }

    /// After closing time the queue is worked off first.
    fn may_leave(&self) -> bool {
        !(self.now >= self.closing_us && self.collector.waiting_in_all() > 0)
    }

    /// The queue is worked off: whoever stayed for it leaves.
    pub(super) fn let_go(&mut self) {
        self.staying = false;
        for id in 0..self.operators.len() {
            if self.operators[id].errand.has(Errand::LEAVING) {
                self.reactions.push_back(Reaction::Free(u32::try_from(id).expect("the engine counts so")));
            }
        }
    }

    // ---- shifts and breaks ----------------------------------------------------------------------------------------

    pub(super) fn day(&mut self, day: u32) {
        let scenario = self.model.scenario;
        self.today = day;
        if let Horizon::Days { from_us, to_us, count, .. } = scenario.horizon
            && day < count
        {
            self.opening_us = scenario.clock.instant_us(day, from_us);
            self.closing_us = scenario.clock.instant_us(day, to_us);
        }
        let last = matches!(scenario.horizon, Horizon::Days { count, .. } if day >= count);
        if last {
            self.roster.end();
        } else {
            self.roster.plan(scenario, day);
        }
        for campaign in &mut self.campaigns {
            campaign.new_day();
        }
        let next_day = match scenario.horizon {
            Horizon::Days { count, .. } => day + 1 < count || (day + 1 == count && self.roster.goes_on()),
            _ => true,
        };
        if next_day {
            self.calendar.schedule(scenario.clock.instant_us(day + 1, 0), Happening::Day(day + 1));
        }
        let mut before = None;
        for (first, boundary) in self.roster.boundaries.iter().enumerate() {
            if before != Some(boundary.at_us) {
                before = Some(boundary.at_us);
                let first = u32::try_from(first).expect("a day's shifts");
                if boundary.at_us > self.now {
                    self.calendar.schedule(boundary.at_us, Happening::Shift(first));
                }
            }
        }
        if self.roster.boundaries.first().is_some_and(|boundary| boundary.at_us <= self.now) {
            self.shift(0);
        }
    }

    /// All boundaries of one instant, from number `first` on.
    pub(super) fn shift(&mut self, first: usize) {
        let at_us = self.roster.boundaries[first].at_us;
        let (mut touched, mut shrunk) = (Vec::new(), Vec::new());
        for i in first..self.roster.boundaries.len() {
            let boundary = self.roster.boundaries[i];
            if boundary.at_us != at_us {
                break;
            }
            let ids = self.model.plan.groups[usize::from(boundary.group)].clone();
            if boundary.starts {
                self.shift_starts(boundary.group, boundary.shift);
            } else {
                shrunk.push(boundary.group);
                for id in ids {
                    if self.agendas[id as usize].shift == boundary.shift {
                        self.close_status(id as usize, self.now);
                        self.agendas[id as usize].shift = NO_SHIFT;
                        self.operators[id as usize].errand.set(Errand::LEAVING, true);
                        touched.push(id);
                    }
                }
            }
        }
        for &id in &touched {
            if self.operators[id as usize].errand.has(Errand::LEAVING) {
                self.reactions.push_back(Reaction::Free(id));
            }
        }
        shrunk.dedup();
        for group in shrunk {
            self.shrink(usize::from(group), &touched);
        }
    }

    /// A shift has ended. The operators of a group are alike, so if others stay on, whoever is free first goes; except where
    /// breaks are planned from the shift's start and make them differ.
    fn shrink(&mut self, group: usize, touched: &[u32]) {
        if !self.model.groups[group].planned_breaks.is_empty() {
            return;
        }
        let ids = self.model.plan.groups[group].clone();
        let overstays = |id: &&u32| {
            let state = &self.operators[**id as usize];
            ids.contains(*id) && state.errand.has(Errand::LEAVING) && !state.is_free() && is_at_floor(state.status)
        };
        let earlier = std::mem::take(&mut self.overstaying[group]);
        self.overstaying[group] = earlier.iter().chain(touched).filter(overstays).copied().collect();
        if self.overstaying[group].is_empty() {
            return;
        }
        for id in ids {
            if self.agendas[id as usize].shift != NO_SHIFT {
                self.operators[id as usize].errand.set(Errand::RELIEVES, true);
                self.reactions.push_back(Reaction::Free(id));
            }
        }
    }

    fn shift_starts(&mut self, group: u16, shift: u16) {
        let scenario = self.model.scenario;
        let worked = scenario.groups[usize::from(group)].shifts[usize::from(shift)];
        let length_us = worked.to_us - worked.from_us;
        let present = worked.count.present;
        if !self.pays_by_login {
            self.collector.roster_span(group, worked.count.rostered, present, self.now, self.now + length_us);
        }
        // Who is still there goes on, so that no post is filled twice; then who is at home.
        let ids = self.model.plan.groups[usize::from(group)].clone();
        let mut left = present;
        for at_floor in [true, false] {
            for id in ids.clone() {
                let place = id as usize;
                let unassigned = self.agendas[place].shift == NO_SHIFT;
                if left > 0 && unassigned && is_at_floor(self.operators[place].status) == at_floor {
                    left -= 1;
                    self.take_up(id, shift);
                }
            }
        }
    }

    fn take_up(&mut self, operator: u32, shift: u16) {
        self.close_status(operator as usize, self.now);
        let state = &mut self.operators[operator as usize];
        let goes_on = is_at_floor(state.status);
        let finishes = goes_on && state.errand.has(Errand::LEAVING);
        state.errand.set(Errand::LEAVING, false);
        state.errand.set(Errand::RELIEVES, false);
        let agenda = &mut self.agendas[operator as usize];
        agenda.shift = shift;
        if !goes_on {
            agenda.stint = agenda.stint.wrapping_add(1);
        }
        let stint = agenda.stint;
        let group = &self.model.groups[usize::from(state.group)];
        for (plan, &(after_us, _)) in (0_u16..).zip(&group.planned_breaks) {
            self.calendar.schedule(self.now + after_us, Happening::BreakDue { operator, plan, stint });
        }
        if finishes {
            // Whoever only finished what was in hand takes calls and chats again.
            self.reactions.push_back(Reaction::Free(operator));
        }
        if !goes_on {
            if self.apply(Command::LogIn { operator: OperatorId(operator) }) && group.chats {
                self.apply(Command::SetChatStatus { operator: OperatorId(operator), to: ChatStatus::Available });
            }
            let plans = group.random_breaks.len();
            for plan in 0..plans {
                self.next_random_break(operator, plan);
            }
        }
    }

    fn next_random_break(&mut self, operator: u32, plan: usize) {
        let agenda = &mut self.agendas[operator as usize];
        agenda.occasions = agenda.occasions.wrapping_add(1);
        let (nth, stint) = (agenda.occasions, agenda.stint);
        let group = self.operators[operator as usize].group;
        let wait_us = self.behaviour.next_break_us(group, plan, operator, nth);
        let plan = u16::try_from(self.behaviour.planned_breaks(group).len() + plan).expect("a few");
        self.calendar.schedule(self.now + wait_us, Happening::BreakDue { operator, plan, stint });
    }

    /// A break is due: by plan, or for the numbers from there on, at random.
    pub(super) fn break_due(&mut self, operator: u32, plan: u16, stint: u16) {
        let place = operator as usize;
        let (state, agenda) = (&mut self.operators[place], &mut self.agendas[place]);
        if agenda.stint != stint || !is_at_floor(state.status) {
            // Went home since: the next login plans anew.
            return;
        }
        let group = &self.model.groups[usize::from(state.group)];
        let random = usize::from(plan).checked_sub(group.planned_breaks.len());
        if agenda.shift == NO_SHIFT {
            // About to go: no break now, but whoever takes up another shift has them as before.
            if let Some(random) = random {
                self.next_random_break(operator, random);
            }
            return;
        }
        let length_us = match random {
            None => group.planned_breaks[usize::from(plan)].1,
            Some(random) => self.behaviour.break_us(state.group, random, operator, agenda.occasions),
        };
        if length_us > 0 {
            agenda.break_us = if state.errand.has(Errand::BREAK) { agenda.break_us.max(length_us) } else { length_us };
            agenda.break_unplanned = random.is_some();
            state.errand.set(Errand::BREAK, true);
            if state.status == Status::Ready {
                self.reactions.push_back(Reaction::Free(operator));
            }
        }
        if let Some(random) = random {
            self.next_random_break(operator, random);
        }
    }
}
