//! Groups of operators: skills, rosters and habits.

use crate::clock::{DAY_US, Days};
use crate::distribution::Distribution;
use crate::scenario::{QueueIndex, ServiceIndex, SkillIndex};

/// Operators who are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Name, unique in the scenario.
    pub name: String,
    /// Services that they belong to; at least one.
    pub services: Vec<ServiceIndex>,
    /// Skills with proficiency.
    pub skills: Vec<SkillLevel>,
    /// Queues that they serve; a queue not listed is never offered to them.
    pub queues: Vec<QueueLevel>,
    /// How many are on duty when.
    pub shifts: Vec<Shift>,
    /// Span from the start of ringing to the answer.
    pub answer_delay: Distribution,
    /// Probability that an offer is not answered at all, in [0, 1].
    pub miss: f64,
    /// Probability that an offer is declined, in [0, 1 − miss].
    pub decline: f64,
    /// Span in Work before an operator is Ready again after a missed or declined offer.
    pub back_after_miss: Distribution,
    /// Breaks beside the shrinkage.
    pub breaks: Vec<BreakPlan>,
    /// What an operator can hold at once.
    pub capacity: Capacity,
    /// Phones answer by themselves, at once.
    pub auto_answer: bool,
    /// Multiplies every talk and after-call span, greater than 0; 1 is the class's own model.
    pub handling_factor: f64,
}

impl Shift {
    /// Whether it is worked day and night: nobody comes or goes at midnight.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.days == Days::All && self.from_us == 0 && self.to_us == DAY_US
    }
}

impl Group {
    /// A group without shifts or queues, with every default.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            services: Vec::new(),
            skills: Vec::new(),
            queues: Vec::new(),
            shifts: Vec::new(),
            answer_delay: Distribution::Constant { value_s: 3.0 },
            miss: 0.0,
            decline: 0.0,
            back_after_miss: Distribution::Constant { value_s: 60.0 },
            breaks: Vec::new(),
            auto_answer: false,
            capacity: Capacity { points: 100, chat_limit: 3, ticket_limit: 1 },
            handling_factor: 1.0,
        }
    }

    /// The most operators on duty at once on any of the first `days` days; `weekday` gives the day of the week of
    /// a simulated day. So many distinct operators are configured.
    #[must_use]
    pub fn peak(&self, days: u32, weekday: impl Fn(u32) -> jiff::civil::Weekday) -> u32 {
        let mut peak = 0;
        for day in 0..days.max(1) {
            let weekday = weekday(day);
            let today = self.shifts.iter().filter(|shift| shift.days.contains(day, weekday));
            let mut changes: Vec<(u64, i64)> = today
                .flat_map(|shift| {
                    let present = i64::from(shift.count.present);
                    [(shift.from_us, present), (shift.to_us, -present)]
                })
                .collect();
            // At one moment those who come are counted before those who go: a call may keep somebody beyond the
            // end of a shift.
            changes.sort_unstable_by_key(|&(at, change)| (at, std::cmp::Reverse(change)));
            let mut on_duty = 0_i64;
            for (_, change) in changes {
                on_duty += change;
                peak = peak.max(on_duty);
            }
        }
        u32::try_from(peak).unwrap_or(u32::MAX)
    }
}

/// A skill and how well it is mastered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkillLevel {
    /// The skill.
    pub skill: SkillIndex,
    /// Proficiency from 1 to 10.
    pub proficiency: u8,
}

/// A queue that a group serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLevel {
    /// The queue.
    pub queue: QueueIndex,
    /// The queue's view: operators of level 1 are asked first.
    pub level: u8,
    /// The operators' view: contacts of queues of preference 1 are taken first.
    pub preference: u8,
}

/// So many operators of a group on duty for a part of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// Days on which it is worked.
    pub days: Days,
    /// Start as a time of day in microseconds.
    pub from_us: u64,
    /// End as a time of day in microseconds, greater than the start.
    pub to_us: u64,
    /// Operators.
    pub count: Rostered,
}

/// Rostered operators and those of them who are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rostered {
    /// On the roster and paid.
    pub rostered: u32,
    /// Logged in: rostered × (1 − shrinkage), to the nearest whole operator.
    pub present: u32,
}

/// Breaks of every operator of a group.
#[derive(Debug, Clone, PartialEq)]
pub enum BreakPlan {
    /// A break at a fixed span after the shift's start, taken at the next moment without a call.
    Scheduled {
        /// From the shift's start to the break, in microseconds.
        after_us: u64,
        /// Length in microseconds.
        length_us: u64,
    },
    /// Breaks at random while Ready or after a call.
    Random {
        /// Breaks per operator and hour on duty.
        per_hour: f64,
        /// Length of each.
        length: Distribution,
    },
}

/// What an operator can hold at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Points of an operator; what each kind of contact costs is in [`Blending`](crate::Blending).
    pub points: u16,
    /// Most chats at once.
    pub chat_limit: u8,
    /// Most tickets at once.
    pub ticket_limit: u8,
}
