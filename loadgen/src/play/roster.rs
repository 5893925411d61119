//! Who is on duty when: shifts and breaks, as the simulator has them.

use std::ops::Range;
use std::sync::atomic::Ordering;

use callfloor_engine::Status;
use callfloor_scenario::Horizon;
use callfloor_sim::roster::Roster;

use super::{Happening, Player};
use crate::desk::Act;
use crate::sip::Micros;

/// The day's roster and how far it has come.
#[derive(Debug, Default)]
pub(super) struct Duty {
    roster: Roster,
    /// The present day's number.
    pub(super) day: u32,
    /// Operators whose shift is over work the queue off.
    pub(super) staying: bool,
    posts: Posts,
}

/// Which shift has which operator's place, everybody's of the scenario: alike in every thread and process, whomever it plays.
#[derive(Debug, Default)]
struct Posts {
    /// `[group][place]`
    shifts: Vec<Vec<Option<u16>>>,
}

impl Posts {
    fn new(groups: &[Range<u32>]) -> Self {
        Self { shifts: groups.iter().map(|ids| vec![None; ids.len()]).collect() }
    }

    fn end(&mut self, group: u16, shift: u16) {
        for post in self.shifts.get_mut(usize::from(group)).into_iter().flatten() {
            post.take_if(|of| *of == shift);
        }
    }

    /// The first `present` places that no shift has take this one; which they are.
    fn start(&mut self, group: u16, shift: u16, present: u32) -> Vec<u32> {
        let posts = self.shifts.get_mut(usize::from(group)).into_iter().flatten();
        let free = (0_u32..).zip(posts).filter(|(_, post)| post.is_none()).take(present as usize);
        let taken = free.map(|(place, post)| {
            *post = Some(shift);
            place
        });
        taken.collect()
    }
}

impl Player<'_, '_> {
    pub(super) fn begin_roster(&mut self) {
        if !self.operators.is_empty() {
            self.roster.posts = Posts::new(&self.setup.model.plan.groups);
            self.day(0);
        }
    }

    pub(super) fn day(&mut self, day: u32) {
        let scenario = self.setup.model.scenario;
        self.roster.day = day;
        self.roster.roster.plan(scenario, day);
        if !matches!(scenario.horizon, Horizon::Days { .. }) {
            let at = self.real_at(scenario.clock.instant_us(day + 1, 0));
            self.calendar.schedule(at, Happening::Day(day + 1));
        }
        let mut before = None;
        for first in 0..self.roster.roster.boundaries.len() {
            let instant = self.roster.roster.boundaries[first].at_us;
            if before.replace(instant) != Some(instant) {
                let at = self.real_at(instant);
                self.calendar.schedule(at, Happening::Shift(u32::try_from(first).unwrap_or(u32::MAX)));
            }
        }
    }

    /// All boundaries of one instant, from number `first` on.
    pub(super) fn shift(&mut self, at: Micros, first: u32) {
        let later = self.roster.roster.boundaries.get(first as usize..).unwrap_or_default();
        let here: Vec<_> = later.iter().take_while(|boundary| boundary.at_us == later[0].at_us).copied().collect();
        let mut touched = Vec::new();
        for boundary in here {
            if boundary.starts {
                self.shift_starts(at, boundary.group, boundary.shift);
                continue;
            }
            self.roster.posts.end(boundary.group, boundary.shift);
            for (id, operator) in &mut self.operators {
                if operator.group == boundary.group && operator.shift == Some(boundary.shift) {
                    operator.shift = None;
                    operator.errand.leaving = true;
                    touched.push(*id);
                }
            }
        }
        touched.sort_unstable();
        for id in touched {
            if self.operators.get(&id).is_some_and(|operator| operator.errand.leaving) {
                self.free(id, at);
            }
        }
    }

    /// Who is still there goes on, so that no post is filled twice; then who is at home. Where several threads or processes share
    /// the operators and none sees them all, free posts go by number.
    fn shift_starts(&mut self, at: Micros, group: u16, shift: u16) {
        let worked = self.setup.model.scenario.groups[usize::from(group)].shifts[usize::from(shift)];
        let ids = self.setup.model.plan.groups[usize::from(group)].clone();
        let present = worked.count.present;
        if self.setup.shard.of > 1 || self.threads > 1 {
            for place in self.roster.posts.start(group, shift, present) {
                // Where somebody else plays them, nothing happens here.
                self.take_up(at, ids.start + place, shift);
            }
            return;
        }
        let mut left = present;
        for at_floor in [true, false] {
            for id in ids.clone() {
                let Some(operator) = self.operators.get(&id) else { continue };
                let here = operator.status != Status::LoggedOut;
                if left > 0 && operator.shift.is_none() && here == at_floor {
                    left -= 1;
                    self.take_up(at, id, shift);
                }
            }
        }
    }

    fn take_up(&mut self, at: Micros, id: u32, shift: u16) {
        let behaviour = self.setup.behaviour;
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let was_leaving = std::mem::take(&mut operator.errand.leaving);
        operator.shift = Some(shift);
        let (group, here) = (operator.group, operator.status != Status::LoggedOut);
        if !here {
            operator.stint = operator.stint.wrapping_add(1);
        }
        let stint = operator.stint;
        for (plan, &(after, _)) in (0_u16..).zip(behaviour.planned_breaks(group)) {
            let due = at + self.setup.timescale.real_us(after);
            self.calendar.schedule(due, Happening::BreakDue { operator: id, plan, stint });
        }
        if here {
            if was_leaving {
                // Whoever only finished what was in hand takes calls and chats again.
                self.free(id, at);
            }
            return;
        }
        operator.order(Act::LogIn, at);
        self.recorder.count("logins");
        self.take_chats(id, at);
        for plan in 0..behaviour.random_breaks(group) {
            self.next_random_break(at, id, plan);
        }
    }

    fn next_random_break(&mut self, at: Micros, id: u32, plan: usize) {
        let behaviour = self.setup.behaviour;
        let Some(operator) = self.operators.get_mut(&id) else { return };
        operator.occasions = operator.occasions.wrapping_add(1);
        let wait = behaviour.next_break_us(operator.group, plan, id, operator.occasions);
        let (stint, number) = (operator.stint, behaviour.planned_breaks(operator.group).len() + plan);
        let due = at + self.real(wait);
        let plan = u16::try_from(number).unwrap_or(u16::MAX);
        self.calendar.schedule(due, Happening::BreakDue { operator: id, plan, stint });
    }

    /// A break is due: by plan, or for the numbers from there on, at random.
    pub(super) fn break_due(&mut self, at: Micros, id: u32, plan: u16, stint: u16) {
        let behaviour = self.setup.behaviour;
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if operator.stint != stint || operator.status == Status::LoggedOut {
            // Went home since: the next login plans anew.
            return;
        }
        let planned = behaviour.planned_breaks(operator.group);
        let random = usize::from(plan).checked_sub(planned.len());
        if operator.shift.is_none() {
            // About to go: no break now, but whoever takes up another shift has them as before.
            if let Some(random) = random {
                self.next_random_break(at, id, random);
            }
            return;
        }
        let length = match random {
            None => planned[usize::from(plan)].1,
            Some(random) => behaviour.break_us(operator.group, random, id, operator.occasions),
        };
        if length > 0 {
            operator.errand.break_us = Some(operator.errand.break_us.unwrap_or(0).max(length));
            self.recorder.count("breaks");
            if self.operators.get(&id).is_some_and(|operator| operator.status == Status::Ready) {
                self.free(id, at);
            }
        }
        if let Some(random) = random {
            self.next_random_break(at, id, random);
        }
    }

    /// After closing time the queue is worked off first.
    pub(super) fn may_leave(&self, at: Micros) -> bool {
        let Horizon::Days { to_us, .. } = self.setup.model.scenario.horizon else { return true };
        let closing = self.real_at(self.setup.model.scenario.clock.instant_us(self.roster.day, to_us));
        self.is_stopping() || at < closing || self.setup.waiting.load(Ordering::Relaxed) == 0
    }

    /// Whoever stayed to work the queue off leaves when it is empty.
    pub(super) fn let_go(&mut self) {
        if !self.roster.staying || self.setup.waiting.load(Ordering::Relaxed) > 0 {
            return;
        }
        self.roster.staying = false;
        let now = self.now;
        let leaving = self.operators.iter().filter(|(_, operator)| operator.errand.leaving);
        let mut ids: Vec<u32> = leaving.map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.into_iter().for_each(|id| self.free(id, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shifts_that_overlap_have_people_of_their_own() {
        let mut posts = Posts::new(&[0..5, 5..7]);
        assert_eq!(posts.start(0, 0, 2), [0, 1]);
        assert_eq!(posts.start(0, 1, 2), [2, 3], "whoever has a shift keeps it, and the next ones come");
        assert_eq!(posts.start(1, 0, 1), [0]);
        posts.end(0, 0);
        assert_eq!(posts.start(0, 2, 3), [0, 1, 4], "who was let go is free again");
        assert!(posts.start(0, 3, 1).is_empty(), "nobody is left");
        posts.end(0, 1);
        assert_eq!(posts.start(0, 3, 9), [2, 3]);
        assert_eq!(posts.start(1, 1, 1), [1], "another group's posts are its own");
    }
}
