//! How a plan's time runs on in a run whose pace is changed while it goes on.
//!
//! Whoever was due before a change keeps their instant, however late the generator is with them: no change of the pace and no pause
//! forgives lateness.

use std::collections::VecDeque;

use crate::sip::Micros;

/// From a time of the plan on, which comes at a moment of the run, the plan runs at a pace; until the next part.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    plan_us: Micros,
    run_us: Micros,
    /// So many times as fast as planned; 0: it stands still.
    factor: f64,
}

/// When what a plan says comes in the run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Course {
    /// In order; never empty.
    parts: VecDeque<Part>,
}

impl Course {
    /// The plan as it is, from `begin` on.
    pub(crate) fn new(begin: Micros) -> Self {
        Self { parts: VecDeque::from([Part { plan_us: 0, run_us: begin, factor: 1.0 }]) }
    }

    /// When something of the plan comes; `None`: while the plan stands still, never.
    pub(crate) fn instant(&self, plan_us: Micros) -> Option<Micros> {
        // What was due in the very moment of a change was due before it.
        let later = self.parts.iter().rev().find(|part| part.plan_us < plan_us);
        let Part { plan_us: from, run_us, factor } = *later.or(self.parts.front())?;
        let behind = plan_us.saturating_sub(from);
        if factor == 1.0 || behind == 0 {
            return Some(run_us.saturating_add(behind));
        }
        (factor > 0.0).then(|| run_us.saturating_add(scaled(behind, 1.0 / factor)))
    }

    /// From `at` on the plan runs `factor` times as fast as planned; with 0 it stands still.
    pub(crate) fn change(&mut self, at: Micros, factor: f64) {
        let Some(last) = self.parts.back().copied() else { return };
        // A change is no older than the one before, and none before the beginning shifts the beginning.
        let run_us = at.max(last.run_us);
        let since = run_us - last.run_us;
        let plan_us = last.plan_us.saturating_add(if last.factor == 1.0 { since } else { scaled(since, last.factor) });
        if plan_us == last.plan_us {
            // Nothing was due in the part before: it never was.
            self.parts.pop_back();
        }
        self.parts.push_back(Part { plan_us, run_us, factor });
    }

    /// Nobody asks for a time of the plan before this one any more.
    pub(crate) fn forget_before(&mut self, plan_us: Micros) {
        while self.parts.get(1).is_some_and(|second| second.plan_us < plan_us) {
            self.parts.pop_front();
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; lengths are not negative")]
fn scaled(us: Micros, by: f64) -> Micros {
    (us as f64 * by).round() as Micros
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Micros = 1_000_000;

    #[test]
    fn the_plan_as_it_is() {
        let course = Course::new(BEGIN);
        assert_eq!([0, 1, 5_000_000].map(|plan| course.instant(plan)), [BEGIN, BEGIN + 1, 6_000_000].map(Some));
    }

    /// The generator stood still from 2 s to 5 s of the plan, and the pace is changed before it has made up for it: whoever was due
    /// meanwhile is as late as they are.
    #[test]
    fn a_change_of_the_pace_forgives_no_lateness() {
        let mut course = Course::new(BEGIN);
        course.change(BEGIN + 5_000_000, 2.0);
        for due in [2_000_000, 3_500_000, 5_000_000] {
            assert_eq!(course.instant(due), Some(BEGIN + due));
        }
        assert_eq!(course.instant(7_000_000), Some(BEGIN + 6_000_000));
    }

    #[test]
    fn a_pause_forgives_no_lateness_and_shifts_only_whoever_comes_after_it() {
        let mut course = Course::new(BEGIN);
        course.change(BEGIN + 5_000_000, 0.0);
        assert_eq!(course.instant(4_000_000), Some(BEGIN + 4_000_000));
        assert_eq!(course.instant(5_000_001), None);
        course.change(BEGIN + 25_000_000, 1.0);
        assert_eq!(course.instant(4_000_000), Some(BEGIN + 4_000_000));
        // What was left of the way to the next one is still to go.
        assert_eq!(course.instant(5_600_000), Some(BEGIN + 25_600_000));
    }

    #[test]
    fn changes_follow_each_other_and_what_is_past_is_forgotten() {
        let mut course = Course::new(BEGIN);
        course.change(BEGIN + 10_000_000, 0.5);
        course.change(BEGIN + 14_000_000, 4.0);
        course.change(BEGIN + 14_000_000, 2.0);
        let asked = [9_000_000, 11_000_000, 12_000_000, 14_000_000];
        let right = [9_000_000, 12_000_000, 14_000_000, 15_000_000].map(|at| Some(BEGIN + at));
        assert_eq!(asked.map(|plan| course.instant(plan)), right);
        course.forget_before(12_500_000);
        assert_eq!((course.parts.len(), course.instant(14_000_000)), (1, Some(BEGIN + 15_000_000)));
    }

    #[test]
    fn before_the_beginning_nothing_but_the_pace_changes() {
        let mut course = Course::new(BEGIN);
        course.change(10, 2.0);
        assert_eq!(course.instant(4_000_000), Some(BEGIN + 2_000_000));
        course.change(20, 0.0);
        assert_eq!(course.instant(1), None);
        course.change(BEGIN + 3_000_000, 2.0);
        assert_eq!(course.instant(4_000_000), Some(BEGIN + 5_000_000));
    }
}
