//! Who gets what: idle operators and waiting work, indexed so that a choice costs O(log n).
//!
//! Operators with equal skills and memberships form a [`Pool`]; work in one queue with equal needs forms a [`Class`].
//! A pool accepts a class or it does not, for all its operators alike. Each pool keeps its idle operators in the order
//! of each policy that it serves ([`Line`]); each class keeps a tournament over the heads of its pools' lines
//! ([`Tournament`]) and its waiting work in the order of service ([`Waiting`]).

mod line;
mod tournament;
mod waiting;

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use self::line::Line;
pub(crate) use self::line::{IdleKeys, Order};
use self::tournament::{Head, Tournament};
pub(crate) use self::waiting::Key;
use self::waiting::Waiting;
use crate::config::{Channel, Floor, Membership, OperatorSkill, Policy, Relaxation, SkillNeed};
use crate::effort::step;
use crate::id::{OperatorId, QueueId, SkillId};

/// The needs of a call beside its queue's; few, so that calls carry them without allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Needs {
    items: [SkillNeed; Self::MOST],
    count: u8,
}

impl Needs {
    /// Most skills that a call may ask for beside its queue's.
    pub(crate) const MOST: usize = 8;
    pub(crate) const NONE: Self = Self { items: [SkillNeed { skill: SkillId(0), min: 0 }; Self::MOST], count: 0 };

    pub(crate) fn as_slice(&self) -> &[SkillNeed] {
        &self.items[..usize::from(self.count)]
    }

    /// Asks for a skill of at least `min`; 0 takes it back. `false` where there is no room.
    pub(crate) fn set(&mut self, skill: SkillId, min: u8) -> bool {
        let count = usize::from(self.count);
        let at = self.items[..count].partition_point(|need| need.skill < skill);
        let there = at < count && self.items[at].skill == skill;
        match (there, min) {
            (true, 0) => {
                self.items.copy_within(at + 1..count, at);
                self.count -= 1;
                self.items[count - 1] = Self::NONE.items[0];
            }
            (true, _) => self.items[at].min = min,
            (false, 0) => {}
            (false, _) if count == Self::MOST => return false,
            (false, _) => {
                self.items.copy_within(at..count, at + 1);
                self.items[at] = SkillNeed { skill, min };
                self.count += 1;
            }
        }
        true
    }
}

/// Operators of equal skills and memberships.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pool {
    queues: Vec<Membership>,
    skills: Vec<OperatorSkill>,
    pub(crate) operators: Vec<OperatorId>,
    lines: Vec<Line>,
    /// Of each line, where its head is a leaf: (class, leaf).
    feeds: Vec<Vec<(u32, u32)>>,
    /// Channels of its lines: phone, chat, ticket.
    channels: [bool; 3],
    /// Classes that the pool accepts, with the operator's preference: (preference, class).
    accepts: Vec<(u8, u32)>,
}

/// Work of one queue with equal needs.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Class {
    pub(crate) queue: QueueId,
    pub(crate) channel: Channel,
    pub(crate) random: bool,
    needs: Vec<SkillNeed>,
    level: u8,
    /// Pools that accept it, and which of their lines it follows; the leaf of the tournament has the same index.
    pools: Vec<Source>,
    tournament: Tournament,
    pub(crate) waiting: Waiting,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Source {
    pool: u32,
    line: u32,
    /// Membership level, then lack of proficiency: compared before the line's key.
    rank: u32,
}

/// What every call asks about an operator's configuration, close together: a quarter of a line of the cache.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Seat {
    pool: u32,
    /// In the pool's list.
    place: u32,
    pub(crate) points: u16,
    pub(crate) chat_limit: u8,
    pub(crate) ticket_limit: u8,
    pub(crate) auto_answer: bool,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Router {
    pub(crate) pools: Vec<Pool>,
    pub(crate) classes: Vec<Class>,
    /// Whether any queue's policy asks who is least occupied.
    pub(crate) by_occupancy: bool,
    seats: Vec<Seat>,
    /// Of each queue: the classes made so far, by the call's needs and the number of relaxations.
    known: Vec<Vec<(Needs, u8, u32)>>,
}

impl Router {
    pub(crate) fn new(floor: &Floor) -> Self {
        let mut pools: Vec<Pool> = Vec::new();
        let mut seats = Vec::with_capacity(floor.operators.len());
        for (index, operator) in floor.operators.iter().enumerate() {
            let mut queues = operator.queues.clone();
            queues.sort_unstable();
            let mut skills = operator.skills.clone();
            skills.sort_unstable();
            let pool =
                pools.iter().position(|pool| pool.queues == queues && pool.skills == skills).unwrap_or_else(|| {
                    let mut lines: Vec<Line> = Vec::new();
                    for membership in &queues {
                        let queue = &floor.queues[membership.queue.index()];
                        let order = Order::of(queue.policy);
                        if !lines.iter().any(|line| line.channel == queue.channel && line.order == order) {
                            lines.push(Line::new(queue.channel, order));
                        }
                    }
                    let feeds = vec![Vec::new(); lines.len()];
                    let channels = [Channel::Phone, Channel::Chat, Channel::Ticket]
                        .map(|channel| lines.iter().any(|line| line.channel == channel));
                    pools.push(Pool {
                        queues,
                        skills,
                        operators: Vec::new(),
                        lines,
                        feeds,
                        channels,
                        accepts: Vec::new(),
                    });
                    pools.len() - 1
                });
            let members = &mut pools[pool].operators;
            seats.push(Seat {
                pool: small(pool),
                place: small(members.len()),
                points: operator.points,
                chat_limit: operator.chat_limit,
                ticket_limit: operator.ticket_limit,
                auto_answer: operator.auto_answer,
            });
            members.push(OperatorId(small(index)));
        }
        for pool in &mut pools {
            let size = pool.operators.len();
            for line in &mut pool.lines {
                line.reserve(size);
            }
        }
        let known = vec![Vec::new(); floor.queues.len()];
        let by_occupancy = floor.queues.iter().any(|queue| queue.policy == Policy::LeastOccupied);
        let mut router = Self { pools, classes: Vec::new(), by_occupancy, seats, known };
        for queue in 0..floor.queues.len() {
            router.class_of(floor, QueueId(u16::try_from(queue).expect("fewer than 2^16 queues")), &Needs::NONE, 0);
        }
        router
    }

    /// The class of work in `queue` with these needs after `relaxed` relaxations.
    pub(crate) fn class_of(&mut self, floor: &Floor, queue: QueueId, needs: &Needs, relaxed: u8) -> u32 {
        let known = &self.known[queue.index()];
        if relaxed == 0
            && needs.count == 0
            && let Some(&(.., class)) = known.first()
        {
            // Made first, before anything waited.
            return class;
        }
        if let Some(&(_, _, class)) = known.iter().find(|entry| entry.1 == relaxed && entry.0 == *needs) {
            return class;
        }
        let class = self.make_class(floor, queue, needs, relaxed);
        self.known[queue.index()].push((*needs, relaxed, class));
        class
    }

    fn make_class(&mut self, floor: &Floor, queue: QueueId, own: &Needs, relaxed: u8) -> u32 {
        let config = &floor.queues[queue.index()];
        let (level, needs) = asked(floor, queue, own, relaxed);
        let index = small(self.classes.len());
        let order = Order::of(config.policy);
        let mut pools = Vec::new();
        for (at, pool) in self.pools.iter_mut().enumerate() {
            let Some(membership) = pool.queues.iter().find(|m| m.queue == queue && m.level <= level) else { continue };
            let Some(proficiency) = proficiency(&pool.skills, &needs) else { continue };
            let line = pool
                .lines
                .iter()
                .position(|line| line.channel == config.channel && line.order == order)
                .expect("a pool has a line for the policy of each of its queues");
            let lack =
                if config.policy == Policy::HighestProficiency { 10 * small(needs.len()) - proficiency } else { 0 };
            pool.feeds[line].push((index, small(pools.len())));
            pool.accepts.push((membership.preference, index));
            pools.push(Source { pool: small(at), line: small(line), rank: u32::from(membership.level) << 16 | lack });
        }
        let heads = pools.iter().map(|source| self.head(*source)).collect();
        self.classes.push(Class {
            queue,
            channel: config.channel,
            random: config.policy == Policy::Random,
            needs,
            level,
            pools,
            tournament: Tournament::new(heads),
            waiting: Waiting::default(),
        });
        index
    }

    fn head(&self, source: Source) -> Head {
        Head::of(&self.pools[source.pool as usize].lines[source.line as usize], source.rank)
    }

    pub(crate) fn seat(&self, operator: OperatorId) -> &Seat {
        &self.seats[operator.index()]
    }

    /// Adds an operator to the idle of a channel.
    pub(crate) fn insert(&mut self, operator: OperatorId, channel: Channel, keys: &IdleKeys) {
        let &Seat { pool, place: seat, .. } = self.seat(operator);
        let Pool { lines, feeds, .. } = &mut self.pools[pool as usize];
        for (line, feeds) in lines.iter_mut().zip(feeds).filter(|(line, _)| line.channel == channel) {
            if line.insert(seat, operator.0, keys.key(line.order, operator)) {
                refeed(line, feeds, &mut self.classes);
            }
        }
    }

    /// Takes an operator out of the idle of a channel.
    pub(crate) fn remove(&mut self, operator: OperatorId, channel: Channel) {
        let &Seat { pool, place: seat, .. } = self.seat(operator);
        let Pool { lines, feeds, .. } = &mut self.pools[pool as usize];
        for (line, feeds) in lines.iter_mut().zip(feeds).filter(|(line, _)| line.channel == channel) {
            if line.remove(seat) {
                refeed(line, feeds, &mut self.classes);
            }
        }
    }

    /// Whether somebody is idle who could take new work of `queue` with these needs. O(pools): asked where a queue is full.
    pub(crate) fn anybody_idle(&self, floor: &Floor, queue: QueueId, needs: &Needs) -> bool {
        let channel = floor.queues[queue.index()].channel;
        let (level, needs) = asked(floor, queue, needs, 0);
        self.pools.iter().inspect(|_| step()).any(|pool| {
            pool.queues.iter().any(|m| m.queue == queue && m.level <= level)
                && proficiency(&pool.skills, &needs).is_some()
                && pool.lines.iter().any(|line| line.channel == channel && line.first().is_some())
        })
    }

    /// The idle operator whom a queue's policy puts first, where a call asks for nothing beside the queue.
    pub(crate) fn first_idle(&self, queue: QueueId) -> Option<OperatorId> {
        self.known.get(queue.index())?.first().and_then(|&(.., class)| self.best(class))
    }

    /// The idle operator whom the class's policy puts first.
    pub(crate) fn best(&self, class: u32) -> Option<OperatorId> {
        self.classes[class as usize].tournament.winner().map(OperatorId)
    }

    /// The idle operator whom the class's policy puts first among those whom `allowed` allows. O(n) in idle operators.
    pub(crate) fn best_of(&self, class: u32, mut allowed: impl FnMut(OperatorId) -> bool) -> Option<OperatorId> {
        self.idle(class).filter(|&(_, _, operator)| allowed(operator)).min().map(|(_, _, operator)| operator)
    }

    /// One idle operator of the lowest level, by `draw` (any number), among those whom `allowed` allows. O(n).
    pub(crate) fn drawn(
        &self,
        class: u32,
        draw: u64,
        mut allowed: impl FnMut(OperatorId) -> bool,
    ) -> Option<OperatorId> {
        let level = self.idle(class).filter(|&(_, _, operator)| allowed(operator)).map(|(rank, ..)| rank).min()?;
        let mut equals: Vec<OperatorId> = self
            .idle(class)
            .filter(|&(rank, _, operator)| rank == level && allowed(operator))
            .map(|(.., operator)| operator)
            .collect();
        // By operator, so that the answer does not depend on how the index is laid out.
        equals.sort_unstable();
        let nth = draw % equals.len() as u64;
        equals.get(usize::try_from(nth).ok()?).copied()
    }

    /// Every idle operator that the class accepts: (rank, key, operator), in no order.
    pub(crate) fn idle(&self, class: u32) -> impl Iterator<Item = (u32, u64, OperatorId)> + '_ {
        self.classes[class as usize].pools.iter().flat_map(|source| {
            self.pools[source.pool as usize].lines[source.line as usize]
                .iter()
                .map(move |(key, operator)| (source.rank, key, OperatorId(operator)))
        })
    }

    /// Every operator whom the class accepts, idle or not.
    pub(crate) fn accepted(&self, class: u32) -> impl Iterator<Item = OperatorId> + '_ {
        self.classes[class as usize]
            .pools
            .iter()
            .flat_map(|source| self.pools[source.pool as usize].operators.iter().copied().inspect(|_| step()))
    }

    /// Whether the class accepts an operator.
    pub(crate) fn accepts(&self, class: u32, operator: OperatorId) -> bool {
        let pool = self.seat(operator).pool;
        self.pools[pool as usize].accepts.iter().any(|&(_, accepted)| accepted == class)
    }

    /// Why a class does not accept an operator: no member, a level not yet asked, or a skill.
    pub(crate) fn refusal(&self, class: u32, operator: OperatorId) -> Option<Refusal> {
        let pool = &self.pools[self.seat(operator).pool as usize];
        let class = &self.classes[class as usize];
        match pool.queues.iter().find(|m| m.queue == class.queue) {
            None => Some(Refusal::NotMember),
            Some(m) if m.level > class.level => Some(Refusal::Level { asked: class.level, found: m.level }),
            Some(_) => class.needs.iter().find_map(|need| {
                let found = pool.skills.iter().find(|s| s.skill == need.skill).map_or(0, |s| s.proficiency);
                (found < need.min).then_some(Refusal::Skill { need: *need, found })
            }),
        }
    }

    /// Classes of a channel that an operator is accepted by and in which something waits: (preference, class).
    pub(crate) fn work_for(&self, operator: OperatorId, channel: Channel) -> impl Iterator<Item = (u8, u32)> + '_ {
        let pool = self.seat(operator).pool;
        self.pools[pool as usize].accepts.iter().copied().inspect(|_| step()).filter(move |&(_, class)| {
            let class = &self.classes[class as usize];
            class.channel == channel && !class.waiting.is_empty()
        })
    }

    /// In which channels an operator serves any queue: phone, chat, ticket.
    pub(crate) fn channels_of(&self, operator: OperatorId) -> [bool; 3] {
        self.pools[self.seat(operator).pool as usize].channels
    }

    /// Whether an operator serves the queue at all.
    pub(crate) fn serves(&self, operator: OperatorId, queue: QueueId) -> bool {
        let pool = self.seat(operator).pool;
        self.pools[pool as usize].queues.iter().any(|m| m.queue == queue)
    }
}

impl Head {
    /// The first of a line, as a class ranks them.
    fn of(line: &Line, rank: u32) -> Self {
        line.first().map_or(Self::NOBODY, |(key, operator)| Self { rank, key, operator })
    }
}

/// Tells the tournaments that a line feeds that it has another head.
fn refeed(line: &Line, feeds: &[(u32, u32)], classes: &mut [Class]) {
    for &(class, leaf) in feeds {
        step();
        let class = &mut classes[class as usize];
        let rank = class.pools[leaf as usize].rank;
        class.tournament.update(leaf, Head::of(line, rank));
    }
}

/// Why an operator is not acceptable to a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    NotMember,
    Level { asked: u8, found: u8 },
    Skill { need: SkillNeed, found: u8 },
}

/// The membership level and the skills that work in a queue asks for after `relaxed` relaxations.
fn asked(floor: &Floor, queue: QueueId, own: &Needs, relaxed: u8) -> (u8, Vec<SkillNeed>) {
    let config = &floor.queues[queue.index()];
    let mut level = config.first_level;
    let mut needs = config.needs.clone();
    for need in own.as_slice() {
        match needs.iter_mut().find(|known| known.skill == need.skill) {
            Some(known) => known.min = known.min.max(need.min),
            None => needs.push(*need),
        }
    }
    for step in &config.relax[..usize::from(relaxed)] {
        match step.change {
            Relaxation::DropSkill(skill) => needs.retain(|need| need.skill != skill),
            Relaxation::MinProficiency(most) => needs.iter_mut().for_each(|need| need.min = need.min.min(most)),
            Relaxation::Widen(to) => level = level.max(to),
        }
    }
    (level, needs)
}

/// Sum of proficiency in the needed skills, or `None` where one is missing or too low.
fn proficiency(skills: &[OperatorSkill], needs: &[SkillNeed]) -> Option<u32> {
    needs.iter().try_fold(0, |sum, need| {
        let skill = skills.iter().find(|skill| skill.skill == need.skill && skill.proficiency >= need.min)?;
        Some(sum + u32::from(skill.proficiency))
    })
}

/// Counts of configured things fit in 32 bits: their ids do.
pub(crate) fn small(n: usize) -> u32 {
    u32::try_from(n).expect("fewer than 2^32 of a kind")
}
