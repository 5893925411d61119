//! What happens when: a scenario's customers in the order of their intended instants.
//!
//! The people are the simulator's own ([`Behaviour`]): customer 4711 of a class has the same patience, talk time and mind here
//! as there, and with [`Pace::Scenario`] the same instant of arrival.

use callfloor_scenario::{Channel, Horizon, Scenario};
use callfloor_sim::arrival::{Arrival, ArrivalProcess, customer_id};
use callfloor_sim::behaviour::{Behaviour, Person};
use callfloor_sim::model::Model;

use crate::pace::{Instants, Pace};

/// How scenario time relates to real time. Scenario time is in microseconds since the first midnight (or since the first moment
/// of a steady state), real time in microseconds since the run's start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timescale {
    /// The scenario's time at the run's start.
    pub start_us: u64,
    /// Every duration of the scenario is divided by this; 1 or more.
    pub speed: f64,
}

impl Timescale {
    /// A length of scenario time in real time.
    #[must_use]
    pub fn real_us(&self, scenario_us: u64) -> u64 {
        scaled(scenario_us, 1.0 / self.speed)
    }

    /// A length of real time in scenario time.
    #[must_use]
    pub fn scenario_us(&self, real_us: u64) -> u64 {
        scaled(real_us, self.speed)
    }

    /// When a moment of the scenario comes in the run; 0 for one before its start.
    #[must_use]
    pub fn real_at(&self, scenario_us: u64) -> u64 {
        self.real_us(scenario_us.saturating_sub(self.start_us))
    }

    /// Which moment of the scenario it is.
    #[must_use]
    pub fn scenario_at(&self, real_us: u64) -> u64 {
        self.start_us + self.scenario_us(real_us)
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; lengths are not negative")]
fn scaled(us: u64, by: f64) -> u64 {
    // Exact where nothing is scaled.
    if by.to_bits() == 1.0_f64.to_bits() { us } else { (us as f64 * by).round() as u64 }
}

/// One of several processes that share the customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shard {
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

impl Shard {
    /// Everybody.
    pub const ALL: Self = Self { number: 1, of: 1 };

    /// The most shards of a run.
    pub const MOST: u32 = 10_000;

    /// Whether a customer is this shard's.
    #[must_use]
    pub fn has(&self, person: &Person) -> bool {
        let place = person.number().wrapping_add(u64::from(person.source));
        place % u64::from(self.of.max(1)) == u64::from(self.number.saturating_sub(1))
    }

    /// Whether an operator is this shard's.
    #[must_use]
    pub fn has_operator(&self, operator: u32) -> bool {
        operator % self.of.max(1) == self.number.saturating_sub(1)
    }
}

/// A customer who is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coming {
    /// When, in microseconds of real time since the run's start.
    pub at_us: u64,
    /// Who.
    pub person: Person,
}

/// Customers in the order in which they come.
#[derive(Debug)]
pub struct Plan<'m> {
    behaviour: Behaviour<'m>,
    source: Source<'m>,
    timescale: Timescale,
    shard: Shard,
    left: u64,
}

#[derive(Debug)]
enum Source<'m> {
    /// Each class's own arrivals, with the next of each.
    Scenario(Vec<(ArrivalProcess<'m>, Option<Arrival>)>),
    Rates {
        instants: Instants,
        mix: Mix,
    },
}

/// Classes in proportion to their arrivals, as evenly as whole customers allow.
#[derive(Debug)]
struct Mix {
    shares: Vec<f64>,
    /// What each class is owed.
    credit: Vec<f64>,
    /// Customers of each class so far.
    taken: Vec<u64>,
}

impl Mix {
    fn new(scenario: &Scenario, comes: impl Fn(u16) -> bool) -> Self {
        let weight = |class: &callfloor_scenario::CustomerClass| match &class.arrivals {
            callfloor_scenario::Arrivals::Rates { pieces, .. } => pieces.iter().map(|piece| piece.expected()).sum(),
            callfloor_scenario::Arrivals::Trace { arrivals } => arrivals.len() as f64,
        };
        let coming: Vec<bool> = (0..).zip(&scenario.classes).map(|(class, _)| comes(class)).collect();
        let weights: Vec<f64> = scenario
            .classes
            .iter()
            .zip(&coming)
            .map(|(class, comes)| if *comes { weight(class) } else { 0.0 })
            .collect();
        let sum: f64 = weights.iter().sum();
        let even = 1.0 / coming.iter().filter(|comes| **comes).count().max(1) as f64;
        let share = |(weight, comes): (&f64, &bool)| match (sum > 0.0, comes) {
            (true, _) => weight / sum,
            (false, true) => even,
            (false, false) => 0.0,
        };
        let shares = weights.iter().zip(&coming).map(share).collect();
        Self { shares, credit: vec![0.0; weights.len()], taken: vec![0; weights.len()] }
    }

    fn next(&mut self) -> Option<(u16, u64)> {
        self.credit.iter_mut().zip(&self.shares).for_each(|(credit, share)| *credit += share);
        let (class, _) = self.credit.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))?;
        self.credit[class] -= 1.0;
        self.taken[class] += 1;
        Some((u16::try_from(class).ok()?, self.taken[class] - 1))
    }
}

impl<'m> Plan<'m> {
    /// The customers of a scenario under `behaviour`, for one shard. A rate is that of the classes that `comes` says yes of: the
    /// target has a way for them.
    #[must_use]
    pub fn new(
        model: &Model<'m>,
        behaviour: Behaviour<'m>,
        pace: &Pace,
        timescale: Timescale,
        shard: Shard,
        comes: impl Fn(u16) -> bool,
    ) -> Self {
        let scenario = model.scenario;
        let source = match pace {
            Pace::Scenario => {
                let classes = 0..u16::try_from(scenario.classes.len()).expect("checked by the model");
                let mut processes: Vec<_> = classes.map(|class| (behaviour.arrivals(class), None)).collect();
                for (process, next) in &mut processes {
                    *next = process.next_arrival();
                }
                Source::Scenario(processes)
            }
            Pace::Rates(legs) => {
                Source::Rates { instants: Instants::new(legs.clone()), mix: Mix::new(scenario, comes) }
            }
        };
        let left = match (scenario.horizon, pace) {
            (Horizon::Calls { count, .. }, Pace::Scenario) => count,
            _ => u64::MAX,
        };
        Self { behaviour, source, timescale, shard, left }
    }

    /// The next customer of any shard.
    fn next_of_all(&mut self) -> Option<Coming> {
        match &mut self.source {
            Source::Scenario(processes) => {
                let (class, (process, next)) = processes
                    .iter_mut()
                    .enumerate()
                    .filter(|(_, (_, next))| next.is_some())
                    .min_by_key(|(class, (_, next))| (next.map(|next| next.at_us), *class))?;
                let arrival = next.take()?;
                *next = process.next_arrival();
                let person = Person::arriving(u16::try_from(class).ok()?, &arrival);
                Some(Coming { at_us: self.timescale.real_at(arrival.at_us), person })
            }
            Source::Rates { instants, mix } => {
                let at_us = instants.next()?;
                let (class, number) = mix.next()?;
                Some(Coming { at_us, person: self.behaviour.again(customer_id(class, number, 0)) })
            }
        }
    }
}

impl Iterator for Plan<'_> {
    type Item = Coming;

    fn next(&mut self) -> Option<Coming> {
        while self.left > 0 {
            self.left -= 1;
            let coming = self.next_of_all()?;
            if self.shard.has(&coming.person) {
                return Some(coming);
            }
        }
        None
    }
}

/// When a run of a scenario begins: its opening, or the start of the first shift where that is earlier.
#[must_use]
pub fn start_us(scenario: &Scenario) -> u64 {
    let Horizon::Days { from_us, .. } = scenario.horizon else { return 0 };
    let weekday = scenario.clock.weekday(0);
    let shifts = scenario.groups.iter().flat_map(|group| &group.shifts);
    let staffed = shifts.filter(|shift| shift.days.contains(0, weekday) && shift.count.present > 0);
    let first = staffed.filter(|shift| shift.to_us > from_us).map(|shift| shift.from_us).min();
    scenario.clock.instant_us(0, first.map_or(from_us, |first| first.min(from_us)))
}

/// Whether a class is played by telephone.
#[must_use]
pub fn is_phone(scenario: &Scenario, source: u16) -> bool {
    scenario.classes.get(usize::from(source)).is_some_and(|class| class.channel == Channel::Phone)
}
