//! Who gets what: whoever became free takes work, then what began to wait goes to somebody.

use callfloor_engine::{
    Channel, ChatStatus, IdleSince, OperatorId, Policy, QueueId, Relaxation, SkillNeed, Status, Work,
};

use super::Model;
use super::desk::Desk;
use super::wait::Spot;
use crate::random::SplitMix64;

pub(super) const CHANNELS: [Channel; 3] = [Channel::Phone, Channel::Chat, Channel::Ticket];

pub(super) const fn lane(channel: Channel) -> usize {
    channel as usize
}

/// How an operator suits waiting work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Suit {
    /// Membership level.
    level: u8,
    /// The operator's own.
    preference: u8,
    /// What lacks to full proficiency in every skill that is asked for.
    lack: u32,
}

impl Model {
    pub(super) fn match_all(&mut self) {
        while !(self.freed.is_empty() && self.pending.is_empty()) {
            let mut next = 0;
            while let Some(&operator) = self.freed.get(next) {
                next += 1;
                self.find_work(operator);
            }
            self.freed.clear();
            let mut next = 0;
            while let Some(&work) = self.pending.get(next) {
                next += 1;
                self.find_operators(work);
            }
            self.pending.clear();
        }
    }

    fn find_work(&mut self, operator: OperatorId) {
        self.desk(operator).unmatched = false;
        for channel in CHANNELS {
            while !self.desk(operator).open[lane(channel)] && self.is_free(operator, channel) {
                match self.work_for(operator, channel) {
                    Some(work) => self.offer(work, operator),
                    None => self.desk(operator).open[lane(channel)] = true,
                }
            }
        }
    }

    fn find_operators(&mut self, work: Work) {
        self.spot(work).unmatched = false;
        if self.rings(work) {
            // What rings everybody rings also those whom its changed needs let in.
            while self.see_spot(work).rings_all
                && let Some(operator) = self.first_of(work, |spot, operator| !spot.missed_by.contains(&operator))
            {
                self.offer(work, operator);
            }
            return;
        }
        let spot = self.see_spot(work);
        let everybody = self.floor.queues[spot.queue.index()].policy == Policy::RingAll && spot.reserved_for.is_none();
        while let Some(operator) = self.operator_for(work) {
            self.offer(work, operator);
            if !everybody {
                break;
            }
        }
    }

    /// Follows a change of an operator's state: who is no longer free is no longer considered, who has become free is
    /// looked at when the command is done.
    pub(super) fn notice(&mut self, operator: OperatorId) {
        for channel in CHANNELS {
            let free = self.is_free(operator, channel);
            let desk = self.desk(operator);
            let open = &mut desk.open[lane(channel)];
            if *open && !free {
                *open = false;
            } else if free && !*open && !desk.unmatched {
                desk.unmatched = true;
                self.freed.push(operator);
            }
        }
    }

    // ---- capacity ---------------------------------------------------------------------------------------------

    fn offers_of(&self, operator: OperatorId, channel: Channel) -> u32 {
        let theirs = self.offers.iter().filter(|offer| offer.operator == operator);
        u32::try_from(theirs.filter(|offer| offer.work.channel() == channel).count()).expect("few offers")
    }

    /// Chats in hand or offered.
    pub(super) fn chat_load(&self, operator: OperatorId) -> u32 {
        let held = self.chats.iter().filter(|chat| chat.operator == Some(operator)).count();
        u32::try_from(held).expect("few chats") + self.offers_of(operator, Channel::Chat)
    }

    /// Tickets in hand by assignment, or offered.
    pub(super) fn ticket_load(&self, operator: OperatorId) -> u32 {
        let held = self.desks[operator.index()].tickets.len();
        u32::try_from(held).expect("few tickets") + self.offers_of(operator, Channel::Ticket)
    }

    /// Points in use with so many chats and tickets, and with a call or without.
    pub(super) fn points(&self, call: bool, chats: u32, tickets: u32) -> u32 {
        let blending = &self.floor.blending;
        let chats_rest = call && blending.phone_interrupts_chats;
        let tickets_rest =
            (call && blending.phone_interrupts_tickets) || (chats > 0 && blending.chat_interrupts_tickets);
        let cost = |rests: bool, number: u32, points: u16| if rests { 0 } else { number * u32::from(points) };
        cost(!call, 1, blending.phone_points)
            + cost(chats_rest, chats, blending.chat_points)
            + cost(tickets_rest, tickets, blending.ticket_points)
    }

    /// Whether an operator who has no call has the points for one, also when their chats are over.
    pub(super) fn has_room_for_call(&self, operator: OperatorId) -> bool {
        let points = u32::from(self.floor.operators[operator.index()].points);
        let (chats, tickets) = (self.chat_load(operator), self.ticket_load(operator));
        self.points(true, chats, tickets) <= points && self.points(true, 0, tickets) <= points
    }

    /// A chat must fit beside what is in hand, also where that rests while a call goes on.
    fn has_room_for_chat(&self, operator: OperatorId) -> bool {
        let config = &self.floor.operators[operator.index()];
        let (points, blending) = (u32::from(config.points), &self.floor.blending);
        let (chats, tickets) = (self.chat_load(operator) + 1, self.ticket_load(operator));
        let busy = self.status(operator).is_busy();
        let chat_points = chats * u32::from(blending.chat_points);
        let full_chats = if busy && blending.phone_interrupts_chats { chat_points } else { 0 };
        self.chat_load(operator) < u32::from(config.chat_limit)
            && self.points(false, chats, tickets) <= points
            && self.points(busy, chats, tickets) + full_chats <= points
    }

    /// A ticket is taken up by who has room for it beside all that is in hand; nothing rests for it.
    fn has_room_for_ticket(&self, operator: OperatorId) -> bool {
        let config = &self.floor.operators[operator.index()];
        let (chats, tickets) = (self.chat_load(operator), self.ticket_load(operator) + 1);
        let blending = &self.floor.blending;
        let points = chats * u32::from(blending.chat_points) + tickets * u32::from(blending.ticket_points);
        tickets <= u32::from(config.ticket_limit) && points <= u32::from(config.points)
    }

    /// Whether work of a channel may be offered to an operator now.
    pub(super) fn is_free(&self, operator: OperatorId, channel: Channel) -> bool {
        let channel_of = |queue: QueueId| self.floor.queues[queue.index()].channel;
        let desk = &self.desks[operator.index()];
        let status = match channel {
            Channel::Phone | Channel::Ticket => desk.status == Status::Ready,
            Channel::Chat => desk.chat_status == ChatStatus::Available && desk.status != Status::Break,
        };
        status
            && self.floor.operators[operator.index()].queues.iter().any(|own| channel_of(own.queue) == channel)
            && match channel {
                Channel::Phone => self.has_room_for_call(operator),
                Channel::Chat => self.has_room_for_chat(operator),
                Channel::Ticket => self.has_room_for_ticket(operator),
            }
    }

    // ---- who suits what ---------------------------------------------------------------------------------------

    /// The level that is asked, and the skills.
    fn asked(&self, queue: QueueId, own: &[SkillNeed], relaxed: usize) -> (u8, Vec<SkillNeed>) {
        let config = &self.floor.queues[queue.index()];
        let (mut level, mut needs) = (config.first_level, config.needs.clone());
        for need in own {
            match needs.iter_mut().find(|known| known.skill == need.skill) {
                Some(known) => known.min = known.min.max(need.min),
                None => needs.push(*need),
            }
        }
        for step in config.relax.iter().take(relaxed) {
            match step.change {
                Relaxation::DropSkill(skill) => needs.retain(|need| need.skill != skill),
                Relaxation::MinProficiency(most) => needs.iter_mut().for_each(|need| need.min = need.min.min(most)),
                Relaxation::Widen(to) => level = level.max(to),
            }
        }
        (level, needs)
    }

    fn suits_needs(&self, queue: QueueId, own: &[SkillNeed], relaxed: usize, operator: OperatorId) -> Option<Suit> {
        let config = &self.floor.operators[operator.index()];
        let membership = config.queues.iter().find(|membership| membership.queue == queue)?;
        let (level, needs) = self.asked(queue, own, relaxed);
        let mut lack = 0;
        for need in &needs {
            let skill =
                config.skills.iter().find(|skill| skill.skill == need.skill && skill.proficiency >= need.min)?;
            lack += 10 - u32::from(skill.proficiency);
        }
        (membership.level <= level).then_some(Suit { level: membership.level, preference: membership.preference, lack })
    }

    pub(super) fn suits(&self, spot: &Spot, operator: OperatorId) -> Option<Suit> {
        self.suits_needs(spot.queue, &spot.needs, spot.relaxed, operator)
    }

    fn everybody(&self) -> impl Iterator<Item = OperatorId> + use<> {
        (0..u32::try_from(self.desks.len()).expect("few operators")).map(OperatorId)
    }

    /// Whether a queue takes no more: as many wait as may, and nobody is free for one more.
    pub(super) fn is_full(&self, queue: QueueId, needs: &[SkillNeed]) -> bool {
        let config = &self.floor.queues[queue.index()];
        let open = |operator: OperatorId| self.desks[operator.index()].open[lane(config.channel)];
        config.limit.is_some_and(|limit| self.waiting(queue) >= limit as usize)
            && !self.everybody().any(|o| open(o) && self.suits_needs(queue, needs, 0, o).is_some())
    }

    /// Who missed work and stayed does not get it again while anybody else could take it.
    fn may_have(&self, spot: &Spot, operator: OperatorId) -> bool {
        let channel = spot.work.channel();
        let could_take = |other: OperatorId| {
            let (desk, config) = (&self.desks[other.index()], &self.floor.operators[other.index()]);
            let blending = &self.floor.blending;
            match channel {
                Channel::Phone => desk.takes_calls() && config.points >= blending.phone_points,
                Channel::Ticket => {
                    desk.takes_calls() && config.ticket_limit > 0 && config.points >= blending.ticket_points
                }
                Channel::Chat => {
                    desk.chat_status == ChatStatus::Available
                        && desk.status != Status::Break
                        && config.chat_limit > 0
                        && config.points >= blending.chat_points
                }
            }
        };
        !spot.missed_by.contains(&operator)
            || !self
                .everybody()
                .any(|other| !spot.missed_by.contains(&other) && could_take(other) && self.suits(spot, other).is_some())
    }

    /// What an operator who has become free takes: theirs alone first, then by preference and order of service, then a
    /// call that rings everybody.
    fn work_for(&self, operator: OperatorId, channel: Channel) -> Option<Work> {
        let waiting = || self.spots.iter().filter(|spot| spot.work.channel() == channel && !self.rings(spot.work));
        let mine = waiting().filter(|spot| spot.reserved_for == Some(operator));
        if let Some(spot) = mine.min_by_key(|spot| self.order(spot)) {
            return Some(spot.work);
        }
        // What they have just missed may go to somebody else first.
        let just_missed = |spot: &Spot| spot.unmatched && spot.missed_by.contains(&operator);
        let best = waiting()
            .filter(|spot| spot.reserved_for.is_none() && !just_missed(spot) && self.may_have(spot, operator))
            .filter_map(|spot| Some((self.suits(spot, operator)?.preference, self.order(spot), spot.work)))
            .min();
        let ringing = || {
            self.spots
                .iter()
                .filter(|spot| spot.rings_all && !spot.missed_by.contains(&operator) && channel == Channel::Phone)
                .filter_map(|spot| Some((self.suits(spot, operator)?.preference, self.order(spot), spot.work)))
                .min()
        };
        best.or_else(ringing).map(|(.., work)| work)
    }

    /// To whom waiting work goes, of those who are free and have nothing else.
    pub(super) fn operator_for(&self, work: Work) -> Option<OperatorId> {
        let spot = self.see_spot(work);
        let open = |operator: OperatorId| self.desks[operator.index()].open[lane(work.channel())];
        if let Some(operator) = spot.reserved_for {
            return open(operator).then_some(operator);
        }
        if self.floor.queues[spot.queue.index()].policy == Policy::Random {
            let free = self.free_for(spot, |operator| self.may_have(spot, operator));
            let level = free.iter().map(|(suit, _)| suit.level).min()?;
            let equals: Vec<OperatorId> =
                free.iter().filter(|(suit, _)| suit.level == level).map(|&(_, operator)| operator).collect();
            let draw = SplitMix64::new(self.floor.seed ^ SplitMix64::new(u64::from(number(work))).bits()).bits();
            return equals.get(usize::try_from(draw % equals.len() as u64).ok()?).copied();
        }
        self.first_of(work, |spot, operator| self.may_have(spot, operator))
    }

    /// Who is free for work and suits it, of those who may have it.
    fn free_for(&self, spot: &Spot, may_have: impl Fn(OperatorId) -> bool) -> Vec<(Suit, OperatorId)> {
        let open = |operator: OperatorId| self.desks[operator.index()].open[lane(spot.work.channel())];
        let free = self.everybody().filter(|&operator| open(operator) && may_have(operator));
        free.filter_map(|operator| Some((self.suits(spot, operator)?, operator))).collect()
    }

    /// The first of those by the queue's policy.
    fn first_of(&self, work: Work, may_have: impl Fn(&Spot, OperatorId) -> bool) -> Option<OperatorId> {
        let spot = self.see_spot(work);
        let policy = self.floor.queues[spot.queue.index()].policy;
        let key = |(suit, operator): &(Suit, OperatorId)| {
            (suit.level, key(policy, *suit, &self.desks[operator.index()]), *operator)
        };
        let free = self.free_for(spot, |operator| may_have(spot, operator));
        free.iter().min_by_key(|entry| key(entry)).map(|&(_, operator)| operator)
    }
}

/// The policy's key: lower is rung first.
fn key(policy: Policy, suit: Suit, desk: &Desk) -> (u64, u64) {
    let last_call = desk.last_call.as_micros();
    match policy {
        Policy::LongestIdle(IdleSince::Ready) => (desk.ready_since.as_micros(), 0),
        Policy::FewestCalls => (desk.calls, desk.ready_order),
        Policy::LeastOccupied => {
            let sum = |busy: bool| -> u128 {
                let of = Status::ALL.iter().zip(&desk.times).filter(|(status, _)| !busy || status.is_busy());
                of.map(|(_, time)| u128::from(time.as_micros())).sum()
            };
            // In millionths.
            let share = (sum(true) * 1_000_000).checked_div(sum(false)).unwrap_or(0);
            (u64::try_from(share).unwrap_or(u64::MAX), desk.ready_order)
        }
        Policy::HighestProficiency => (u64::from(suit.lack), last_call),
        Policy::FixedOrder | Policy::Random => (0, 0),
        Policy::RoundRobin => (u64::from(desk.last_offer), 0),
        Policy::LongestIdle(IdleSince::LastCall) | Policy::RingAll | Policy::RingProgressive { .. } => (last_call, 0),
    }
}

const fn number(work: Work) -> u32 {
    match work {
        Work::Call(id) => id.number(),
        Work::Chat(id) => id.number(),
        Work::Ticket(id) => id.number(),
        Work::Callback(id) => id.number(),
    }
}
