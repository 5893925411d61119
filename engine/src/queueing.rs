//! Waiting and matching: places in queues, who is free for them, and the settlement at the end of every command.

use crate::command::ChatStatus;
use crate::config::{Channel, Policy, PriorityRule};
use crate::deadline::{Due, Timer};
use crate::desk::lane;
use crate::engine::Engine;
use crate::id::{CallId, OperatorId, QueueId, SkillId};
use crate::output::{Event, FlowOut, Work};
use crate::place::{ABSENT, Place, PlaceIndex};
use crate::rejection::{Asked, Object, Range, Rejection};
use crate::routing::{Key, Needs};
use crate::status::Status;
use crate::time::Instant;

/// What is to wait in a queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    pub(crate) work: Work,
    pub(crate) queue: QueueId,
    pub(crate) priority: u8,
    pub(crate) needs: Needs,
    /// A place that was kept; `None` for a new one.
    pub(crate) kept: Option<(Instant, u64)>,
    /// Before all others of its priority.
    pub(crate) head: bool,
    pub(crate) preferred: Option<OperatorId>,
}

impl Engine {
    /// Puts work in a queue, to be matched when the command is done. Returns the place, and what it keeps.
    pub(crate) fn enqueue(&mut self, entry: Entry) -> (PlaceIndex, (Instant, u64)) {
        let (queued_at, sequence) = entry.kept.unwrap_or_else(|| {
            self.place_sequence += 1;
            (self.now, self.place_sequence)
        });
        let config = &self.config.queues[entry.queue.index()];
        let waited = self.now - queued_at;
        let relaxed = config.relax.iter().take_while(|step| step.after <= waited).count();
        let next_relax = config.relax.get(relaxed).map(|step| queued_at + step.after);
        let relaxed = u8::try_from(relaxed).expect("a queue has fewer than 256 relaxations");
        // Whoever was already served is not sent away again.
        let limit = config.maximum_wait.filter(|_| !entry.head).map(|limit| self.now + limit);
        let window = config.last_operator;
        let class = self.router.class_of(&self.config, entry.queue, &entry.needs, relaxed);
        let index = self.places.insert(Place {
            work: entry.work,
            queue: entry.queue,
            class,
            key: Key { class: 0, at: 0, sequence },
            position: ABSENT,
            queued_at,
            priority: entry.priority,
            needs: entry.needs,
            relaxed,
            head: entry.head,
            reserved_for: None,
            maximum_wait: Timer::NONE,
            overdue: false,
            relax: Timer::NONE,
            reservation: Timer::NONE,
            ring_step: Timer::NONE,
            offers: alloc::vec::Vec::new(),
            missed_by: alloc::vec::Vec::new(),
            unsettled: false,
        });
        self.places[index].key = self.key(index);
        if let Some(at) = limit {
            self.places[index].maximum_wait = self.deadlines.set(at, Due::MaximumWait, index);
        }
        if let Some(at) = next_relax {
            self.places[index].relax = self.deadlines.set(at, Due::Relax, index);
        }
        self.queues[entry.queue.index()].waiting += 1;
        match entry.preferred.zip(window) {
            Some((operator, window)) if self.may_wait_for(class, operator) => {
                self.places[index].reserved_for = Some(operator);
                self.places[index].reservation = self.deadlines.set(self.now + window, Due::Reservation, index);
                self.desks[operator.index()].reserved.push(index);
            }
            // It stands in line from the end of the command on, unless it is offered to somebody at once.
            _ => {}
        }
        self.unsettle_place(index);
        (index, (queued_at, sequence))
    }

    /// Keeps work that waits for an operator who is free for it: the end of the command offers it to them. Missed, it waits
    /// for everybody.
    pub(crate) fn keep_for(&mut self, index: PlaceIndex, operator: OperatorId) {
        self.remove_waiting(index);
        self.places[index].reserved_for = Some(operator);
        self.desks[operator.index()].reserved.push(index);
    }

    /// Whether a customer can wait for their last operator: who serves them, is logged in and not on Break.
    fn may_wait_for(&self, class: u32, operator: OperatorId) -> bool {
        operator.index() < self.desks.len()
            && !matches!(self.desks[operator.index()].status, Status::LoggedOut | Status::Break)
            && self.router.accepts(class, operator)
    }

    /// The order of service of a place.
    fn key(&self, index: PlaceIndex) -> Key {
        const HEAD: i64 = i64::MIN / 2;
        let place = &self.places[index];
        let micros = |value: u64| i64::try_from(value).unwrap_or(i64::MAX / 4);
        let sequence = place.key.sequence;
        let queued_at = micros(place.queued_at.as_micros());
        match self.config.queues[place.queue.index()].priority {
            PriorityRule::Strict => {
                Key { class: -i16::from(place.priority), at: if place.head { HEAD } else { queued_at }, sequence }
            }
            PriorityRule::HeadStart { per_level } => {
                let head_start = micros(per_level.times(u64::from(place.priority)).as_micros());
                Key { class: 0, at: if place.head { HEAD } else { queued_at } - head_start, sequence }
            }
        }
    }

    /// Lets a place that waits for everybody stand in line, if it does not yet.
    fn stand_in_line(&mut self, index: PlaceIndex) {
        let place = &self.places[index];
        if place.position == ABSENT && place.is_waiting() && place.reserved_for.is_none() {
            self.insert_waiting(index);
        }
    }

    pub(crate) fn insert_waiting(&mut self, index: PlaceIndex) {
        let place = &self.places[index];
        let (class, key) = (place.class, place.key);
        let places = &mut self.places;
        self.router.classes[class as usize].waiting.insert(key, index, |place, at| places[place].position = at);
    }

    pub(crate) fn remove_waiting(&mut self, index: PlaceIndex) {
        let place = &mut self.places[index];
        if place.position != ABSENT {
            let at = core::mem::replace(&mut place.position, ABSENT);
            let class = place.class;
            let places = &mut self.places;
            self.router.classes[class as usize].waiting.remove(at, |place, at| places[place].position = at);
        }
        if let Some(operator) = self.places[index].reserved_for.take() {
            self.deadlines.cancel(&mut self.places[index].reservation);
            self.desks[operator.index()].reserved.retain(|&reserved| reserved != index);
        }
    }

    /// Takes work whose offers are over out of its queue for good. Returns when it was queued.
    pub(crate) fn leave_queue(&mut self, index: PlaceIndex) -> Instant {
        self.remove_waiting(index);
        let place = &mut self.places[index];
        self.deadlines.cancel(&mut place.maximum_wait);
        self.deadlines.cancel(&mut place.relax);
        self.deadlines.cancel(&mut place.ring_step);
        if !place.missed_by.is_empty() {
            self.exclusions -= 1;
        }
        let (queued_at, queue) = (place.queued_at, place.queue);
        if core::mem::take(&mut place.unsettled) {
            self.unsettled_places.retain(|&unsettled| unsettled != index);
        }
        self.queues[queue.index()].ringing_all.retain(|&ringing| ringing != index);
        self.places.remove(index);
        queued_at
    }

    /// Takes waiting (not ringing) work out of its queue.
    pub(crate) fn leave_while_waiting(&mut self, index: PlaceIndex) -> Instant {
        self.queues[self.places[index].queue.index()].waiting -= 1;
        self.leave_queue(index)
    }

    pub(crate) fn unsettle_place(&mut self, index: PlaceIndex) {
        if !core::mem::replace(&mut self.places[index].unsettled, true) {
            self.unsettled_places.push(index);
        }
    }

    /// Follows a change of an operator's state: takes them out of the idle of every channel in which they are no
    /// longer eligible, and has them matched where they have become so.
    #[inline]
    pub(crate) fn touch(&mut self, operator: OperatorId) {
        let desk = &self.desks[operator.index()];
        if desk.status == Status::Ready || desk.chat_status != ChatStatus::Away || desk.idle != [false; 3] {
            self.follow(operator);
        }
    }

    #[inline(never)]
    fn follow(&mut self, operator: OperatorId) {
        let served = self.router.channels_of(operator);
        for channel in [Channel::Phone, Channel::Chat, Channel::Ticket] {
            let lane = lane(channel);
            if !served[lane] {
                continue;
            }
            let eligible = self.is_free_for(operator, channel);
            let desk = &mut self.desks[operator.index()];
            if desk.idle[lane] {
                // Who stays idle has another place among the idle: by their last offer, their last call.
                self.router.remove(operator, channel);
                desk.idle[lane] = eligible;
                if eligible {
                    self.router.insert(operator, channel, &desk.idle_keys(self.router.by_occupancy));
                }
            } else if eligible && !desk.unsettled {
                desk.unsettled = true;
                self.unsettled_operators.push(operator);
            }
        }
    }

    /// Whether work of a channel may be offered to an operator now.
    pub(crate) fn is_eligible(&self, operator: OperatorId, channel: Channel) -> bool {
        self.router.channels_of(operator)[lane(channel)] && self.is_free_for(operator, channel)
    }

    /// As [`is_eligible`](Self::is_eligible), of an operator who serves the channel.
    #[inline]
    fn is_free_for(&self, operator: OperatorId, channel: Channel) -> bool {
        let desk = &self.desks[operator.index()];
        match channel {
            Channel::Phone => desk.status == Status::Ready && self.fits_call(operator),
            Channel::Chat => {
                desk.chat_status == ChatStatus::Available
                    && desk.status != Status::Break
                    && desk.chat_load() < u32::from(self.router.seat(operator).chat_limit)
                    && self.fits_chat(operator)
            }
            Channel::Ticket => {
                desk.status == Status::Ready
                    && desk.ticket_load() < u32::from(self.router.seat(operator).ticket_limit)
                    && self.fits_ticket(operator)
            }
        }
    }

    /// Whether an operator who has no call has the points for one, also if their chats end before it: tickets that rest
    /// under chats go on then.
    pub(crate) fn fits_call(&self, operator: OperatorId) -> bool {
        let desk = &self.desks[operator.index()];
        let points = u32::from(self.router.seat(operator).points);
        let (chats, tickets) = (desk.chat_load(), desk.ticket_load());
        if chats == 0 && tickets == 0 {
            return u32::from(self.config.blending.phone_points) <= points;
        }
        self.points_of(true, chats, tickets) <= points && (chats == 0 || self.points_of(true, 0, tickets) <= points)
    }

    fn fits_chat(&self, operator: OperatorId) -> bool {
        let desk = &self.desks[operator.index()];
        let blending = self.config.blending;
        let points = u32::from(self.router.seat(operator).points);
        let chats = (desk.chat_load() + 1) * u32::from(blending.chat_points);
        let tickets =
            if blending.chat_interrupts_tickets { 0 } else { desk.ticket_load() * u32::from(blending.ticket_points) };
        if chats + tickets > points {
            return false;
        }
        if !desk.status.is_busy() {
            return true;
        }
        let tickets = if blending.phone_interrupts_tickets { 0 } else { tickets };
        u32::from(blending.phone_points) + chats + tickets <= points
    }

    fn fits_ticket(&self, operator: OperatorId) -> bool {
        let desk = &self.desks[operator.index()];
        let blending = self.config.blending;
        let chats = desk.chat_load() * u32::from(blending.chat_points);
        let tickets = (desk.ticket_load() + 1) * u32::from(blending.ticket_points);
        chats + tickets <= u32::from(self.router.seat(operator).points)
    }

    /// Points of an operator's capacity that are in use: reserved by offers and held by work that does not rest.
    pub(crate) fn points_in_use(&self, operator: OperatorId) -> u32 {
        let desk = &self.desks[operator.index()];
        self.points_of(desk.status.is_busy(), desk.chat_load(), desk.ticket_load())
    }

    /// The most points that the work in hand takes, whichever part of it ends first: what rests now goes on then.
    pub(crate) fn points_at_most(&self, operator: OperatorId) -> u32 {
        let desk = &self.desks[operator.index()];
        let (phone, chats, tickets) = (desk.status.is_busy(), desk.chat_load(), desk.ticket_load());
        let left = [(phone, chats), (phone, 0), (false, chats), (false, 0)];
        left.into_iter().map(|(phone, chats)| self.points_of(phone, chats, tickets)).fold(0, u32::max)
    }

    fn points_of(&self, phone: bool, chats: u32, tickets: u32) -> u32 {
        let blending = self.config.blending;
        let chats_rest = phone && blending.phone_interrupts_chats;
        let tickets_rest =
            (phone && blending.phone_interrupts_tickets) || (chats > 0 && blending.chat_interrupts_tickets);
        u32::from(phone) * u32::from(blending.phone_points)
            + if chats_rest { 0 } else { chats * u32::from(blending.chat_points) }
            + if tickets_rest { 0 } else { tickets * u32::from(blending.ticket_points) }
    }

    /// Matches whoever became free and whatever began to wait during the command.
    #[inline]
    pub(crate) fn settle(&mut self) {
        if !(self.unsettled_operators.is_empty() && self.unsettled_places.is_empty()) {
            self.match_unsettled();
        }
    }

    #[inline(never)]
    fn match_unsettled(&mut self) {
        while !(self.unsettled_operators.is_empty() && self.unsettled_places.is_empty()) {
            if !self.unsettled_operators.is_empty() {
                // Whoever became free chooses among all that waits.
                for next in 0..self.unsettled_places.len() {
                    self.stand_in_line(self.unsettled_places[next]);
                }
            }
            let mut next = 0;
            while next < self.unsettled_operators.len() {
                self.settle_operator(self.unsettled_operators[next]);
                next += 1;
            }
            self.unsettled_operators.clear();
            let mut next = 0;
            while next < self.unsettled_places.len() {
                self.settle_place(self.unsettled_places[next]);
                next += 1;
            }
            self.unsettled_places.clear();
        }
    }

    fn settle_operator(&mut self, operator: OperatorId) {
        self.desks[operator.index()].unsettled = false;
        let served = self.router.channels_of(operator);
        for channel in [Channel::Phone, Channel::Chat, Channel::Ticket] {
            while served[lane(channel)]
                && !self.desks[operator.index()].idle[lane(channel)]
                && self.is_free_for(operator, channel)
            {
                match self.choose_work(operator, channel) {
                    Some(place) => self.offer_place(place, operator),
                    None => {
                        let desk = &mut self.desks[operator.index()];
                        desk.idle[lane(channel)] = true;
                        self.router.insert(operator, channel, &desk.idle_keys(self.router.by_occupancy));
                    }
                }
            }
        }
    }

    fn settle_place(&mut self, index: PlaceIndex) {
        self.places[index].unsettled = false;
        let (queue, waiting) = (self.places[index].queue, self.places[index].is_waiting());
        if !waiting {
            return self.ring_more(index);
        }
        match self.config.queues[queue.index()].policy {
            Policy::RingAll if self.places[index].reserved_for.is_none() => {
                while let Some(operator) = self.choose_operator(index) {
                    self.offer_place(index, operator);
                }
            }
            _ => {
                if let Some(operator) = self.choose_operator(index) {
                    self.offer_place(index, operator);
                }
            }
        }
        self.stand_in_line(index);
    }

    /// What rings everybody rings also those whom its changed needs let in.
    fn ring_more(&mut self, index: PlaceIndex) {
        if !self.queues[self.places[index].queue.index()].ringing_all.contains(&index) {
            return;
        }
        loop {
            let place = &self.places[index];
            let next = self.router.best_of(place.class, |operator| !place.missed_by.contains(&operator));
            let Some(operator) = next else { return };
            self.offer_place(index, operator);
        }
    }

    /// The idle operator to whom the place goes, by its queue's policy.
    pub(crate) fn choose_operator(&self, index: PlaceIndex) -> Option<OperatorId> {
        let place = &self.places[index];
        let class = &self.router.classes[place.class as usize];
        if let Some(operator) = place.reserved_for {
            return self.desks[operator.index()].idle[lane(class.channel)].then_some(operator);
        }
        match (class.random, place.missed_by.is_empty()) {
            (false, true) => self.router.best(place.class),
            (false, false) => self.router.best_of(place.class, |operator| self.may_have(index, operator)),
            (true, _) => {
                let draw = mix(self.config.seed ^ mix(u64::from(place.work.number())));
                self.router.drawn(place.class, draw, |operator| self.may_have(index, operator))
            }
        }
    }

    /// The waiting work that an operator who has become free takes: theirs alone first, then by preference and order of
    /// service, then a call that rings everybody.
    fn choose_work(&self, operator: OperatorId, channel: Channel) -> Option<PlaceIndex> {
        let desk = &self.desks[operator.index()];
        if !desk.reserved.is_empty() {
            let mine = desk.reserved.iter().copied().filter(|&index| self.places[index].work.channel() == channel);
            if let Some(index) = mine.min_by_key(|&index| self.places[index].key) {
                return Some(index);
            }
        }
        let mut best: Option<(u8, Key, PlaceIndex)> = None;
        for (preference, class) in self.router.work_for(operator, channel) {
            let waiting = &self.router.classes[class as usize].waiting;
            let first = if self.exclusions == 0 {
                waiting.first()
            } else {
                // What they have missed and is about to be settled may go to somebody who did not miss it last.
                let left = |place: &Place| place.unsettled && place.missed_by.contains(&operator);
                let waiting = waiting.iter().filter(|&(_, index)| !left(&self.places[index]));
                waiting.filter(|&(_, index)| self.may_have(index, operator)).min()
            };
            if let Some((key, index)) = first
                && best.is_none_or(|best| (preference, key, index) < best)
            {
                best = Some((preference, key, index));
            }
        }
        if best.is_none() && channel == Channel::Phone {
            return self.choose_ringing(operator);
        }
        best.map(|(_, _, index)| index)
    }

    /// A call that rings everybody and does not yet ring this operator.
    fn choose_ringing(&self, operator: OperatorId) -> Option<PlaceIndex> {
        if self.queues.iter().all(|queue| queue.ringing_all.is_empty()) {
            return None;
        }
        self.config.operators[operator.index()]
            .queues
            .iter()
            .flat_map(|membership| {
                self.queues[membership.queue.index()].ringing_all.iter().map(|&index| (membership.preference, index))
            })
            .filter(|&(_, index)| {
                let place = &self.places[index];
                self.router.accepts(place.class, operator) && !place.missed_by.contains(&operator)
            })
            .min_by_key(|&(preference, index)| (preference, self.places[index].key))
            .map(|(_, index)| index)
    }

    /// Whether an operator may have work that somebody missed: those who missed it only when nobody else could take it.
    pub(crate) fn may_have(&self, index: PlaceIndex, operator: OperatorId) -> bool {
        let place = &self.places[index];
        !place.missed_by.contains(&operator)
            || !self.router.accepted(place.class).any(|other| {
                let takes = self.could_take(other, place.work.channel());
                takes && !place.missed_by.contains(&other)
            })
    }

    /// Whether work of a channel can come to an operator without their doing anything but finishing what they do.
    fn could_take(&self, operator: OperatorId, channel: Channel) -> bool {
        let (desk, config) = (&self.desks[operator.index()], &self.config.operators[operator.index()]);
        let blending = self.config.blending;
        match channel {
            Channel::Phone => desk.takes_calls() && config.points >= blending.phone_points,
            Channel::Ticket => desk.takes_calls() && config.ticket_limit > 0 && config.points >= blending.ticket_points,
            Channel::Chat => {
                desk.chat_status == ChatStatus::Available
                    && desk.status != Status::Break
                    && config.chat_limit > 0
                    && config.points >= blending.chat_points
            }
        }
    }

    /// After somebody stopped taking calls: work that others missed may have to go back to them.
    pub(crate) fn reconsider_missed(&mut self) {
        if self.exclusions == 0 {
            return;
        }
        let mut waiting: alloc::vec::Vec<PlaceIndex> = self
            .places
            .iter()
            .filter(|(_, place)| !place.missed_by.is_empty() && place.is_waiting())
            .map(|(index, _)| index)
            .collect();
        // In the order of service: a slot's number decides nothing.
        waiting.sort_unstable_by_key(|&index| self.places[index].key);
        for index in waiting {
            self.unsettle_place(index);
        }
    }

    /// Work that waited for this operator alone waits for everybody from now on.
    pub(crate) fn release_reserved(&mut self, operator: OperatorId) {
        while let Some(&index) = self.desks[operator.index()].reserved.first() {
            self.reservation_over(index);
        }
    }

    fn reservation_over(&mut self, index: PlaceIndex) {
        self.remove_waiting(index);
        self.insert_waiting(index);
        self.unsettle_place(index);
    }

    pub(crate) fn reservation_expired(&mut self, index: PlaceIndex) {
        self.places[index].reservation = Timer::NONE;
        self.reservation_over(index);
    }

    pub(crate) fn relax(&mut self, index: PlaceIndex) {
        let place = &mut self.places[index];
        place.relax = Timer::NONE;
        place.relaxed += 1;
        let (work, steps, queued_at) = (place.work, place.relaxed, place.queued_at);
        let next = self.config.queues[place.queue.index()].relax.get(usize::from(steps));
        if let Some(at) = next.map(|step| queued_at + step.after) {
            self.places[index].relax = self.deadlines.set(at, Due::Relax, index);
        }
        self.reclassify(index);
        self.emit(Event::NeedsRelaxed { work, steps });
    }

    /// Gives a place the class that its needs now ask for, and the key that its priority now gives.
    pub(crate) fn reclassify(&mut self, index: PlaceIndex) {
        let was_waiting = self.places[index].position != ABSENT;
        if was_waiting {
            let at = core::mem::replace(&mut self.places[index].position, ABSENT);
            let class = self.places[index].class;
            let places = &mut self.places;
            self.router.classes[class as usize].waiting.remove(at, |place, at| places[place].position = at);
        }
        let place = &self.places[index];
        let (queue, needs, relaxed) = (place.queue, place.needs, place.relaxed);
        let class = self.router.class_of(&self.config, queue, &needs, relaxed);
        self.places[index].class = class;
        self.places[index].key = self.key(index);
        if was_waiting {
            self.insert_waiting(index);
        }
        if let Some(operator) = self.places[index].reserved_for
            && !self.router.accepts(class, operator)
        {
            self.reservation_over(index);
        }
        self.unsettle_place(index);
    }

    pub(crate) fn wait_expired(&mut self, index: PlaceIndex) {
        self.places[index].maximum_wait = Timer::NONE;
        // What rings is not cut; if nobody answers, the wait is over then.
        if !self.places[index].is_waiting() {
            self.places[index].overdue = true;
            return;
        }
        self.give_up_waiting(index);
    }

    /// The maximum wait is over: the work goes on elsewhere, or ends.
    pub(crate) fn give_up_waiting(&mut self, index: PlaceIndex) {
        let (work, queue) = (self.places[index].work, self.places[index].queue);
        let wait = self.now - self.leave_while_waiting(index);
        match work {
            Work::Call(call) => {
                self.calls[call].place = None;
                self.calls[call].wait = wait;
                self.emit(Event::CallFlowedOut { call, queue, how: FlowOut::MaximumWait, wait });
                self.leave_queue_step(call);
            }
            Work::Chat(chat) => self.chat_waited_too_long(chat),
            // A ticket stays in the service, to be pulled; a callback is given up.
            Work::Ticket(ticket) => self.tickets[ticket].place = None,
            Work::Callback(callback) => self.callback_waited_too_long(callback),
        }
    }

    pub(crate) fn change_priority(&mut self, call: CallId, priority: u8) -> Result<(), Rejection> {
        let found = self.unanswered(call, Asked::ChangePriority)?;
        self.calls[call].priority = priority;
        if let Some(index) = found {
            self.places[index].priority = priority;
            self.reclassify(index);
        }
        Ok(())
    }

    pub(crate) fn change_skill(&mut self, call: CallId, skill: SkillId, min: u8) -> Result<(), Rejection> {
        let found = self.unanswered(call, Asked::ChangeSkill)?;
        if skill.index() >= self.config.skills.len() {
            return Err(Rejection::Unknown(Object::Skill(skill)));
        }
        if min > 10 {
            return Err(Rejection::OutOfRange {
                what: Asked::ChangeSkill,
                found: u32::from(min),
                right: Range { least: 0, most: 10 },
            });
        }
        let mut needs = self.calls[call].needs;
        if !needs.set(skill, min) {
            let most = crate::routing::small(Needs::MOST);
            return Err(Rejection::OutOfRange {
                what: Asked::ChangeSkill,
                found: most + 1,
                right: Range { least: 0, most },
            });
        }
        self.calls[call].needs = needs;
        if let Some(index) = found {
            self.places[index].needs = needs;
            self.reclassify(index);
        }
        Ok(())
    }

    /// The place of a call that no operator has answered yet, if it has one already.
    fn unanswered(&self, call: CallId, asked: Asked) -> Result<Option<PlaceIndex>, Rejection> {
        use crate::call::Stage;
        let found = self.known_call(call)?;
        match found.stage {
            Stage::Flow | Stage::Forwarding | Stage::Queued => Ok(found.place),
            _ => Err(Rejection::WrongStage { call, asked }),
        }
    }
}

impl Work {
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Call(id) => id.number(),
            Self::Chat(id) => id.number(),
            Self::Ticket(id) => id.number(),
            Self::Callback(id) => id.number(),
        }
    }
}

/// SplitMix64's finaliser (Steele, Lea and Flood 2014): a number that looks drawn, the same everywhere.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
