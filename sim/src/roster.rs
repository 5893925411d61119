//! Who is on duty when: a day's shifts as boundaries in order of time.

use callfloor_scenario::Scenario;
use callfloor_scenario::clock::DAY_US;

/// A moment at which a shift of a group starts or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Boundary {
    /// Microseconds since the start of the replication.
    pub at_us: u64,
    /// Ends sort before starts: who leaves makes room for who comes.
    pub starts: bool,
    /// Place of the group in the scenario.
    pub group: u16,
    /// Place of the shift in its group.
    pub shift: u16,
}

/// The boundaries of one day. Shifts that end at midnight end with the next day's first boundaries, so that a shift which
/// goes on there goes on without a break; they are in `over_midnight` until then.
#[derive(Debug, Default, Clone)]
pub struct Roster {
    /// In order of time; ends before starts.
    pub boundaries: Vec<Boundary>,
    over_midnight: Vec<Boundary>,
}

impl Roster {
    /// Lays out `day`.
    pub fn plan(&mut self, scenario: &Scenario, day: u32) {
        let midnight = scenario.clock.instant_us(day, 0);
        let weekday = scenario.clock.weekday(day);
        self.boundaries.clear();
        self.boundaries.extend(self.over_midnight.drain(..).map(|end| Boundary { at_us: midnight, ..end }));
        for (group, g) in (0_u16..).zip(&scenario.groups) {
            for (shift, s) in (0_u16..).zip(&g.shifts) {
                if s.count.rostered.max(s.count.present) == 0 || !s.days.contains(day, weekday) {
                    continue;
                }
                let at = |time| scenario.clock.instant_us(day, time);
                self.boundaries.push(Boundary { at_us: at(s.from_us), starts: true, group, shift });
                let end = Boundary { at_us: at(s.to_us), starts: false, group, shift };
                if s.to_us == DAY_US {
                    self.over_midnight.push(end);
                } else {
                    self.boundaries.push(end);
                }
            }
        }
        self.boundaries.sort_unstable();
    }

    /// After the last day: only what reached over its midnight ends.
    pub fn end(&mut self) {
        self.boundaries.clear();
        self.boundaries.append(&mut self.over_midnight);
    }

    /// Whether a shift reaches over the midnight to come.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        !self.over_midnight.is_empty()
    }
}
