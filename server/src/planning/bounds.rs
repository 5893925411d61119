//! How large a scenario may be here, so that a planner's mistake takes neither the memory nor the hours of a live server.

use std::num::NonZeroUsize;

use callfloor_measure::Results;
use callfloor_scenario::clock::HOUR_US;
use callfloor_scenario::{Arrivals, Horizon, Scenario};

/// Most contacts that one replication may expect. All of them waiting at once take about half a gigabyte, and that is the most
/// for all threads together: a large replication has fewer beside it.
pub(super) const MOST_CONTACTS: f64 = 1_000_000.0;
/// Most operators on the floor.
pub(super) const MOST_OPERATORS: u64 = 20_000;
/// Longest period, in days.
pub(super) const MOST_DAYS: u32 = 400;
/// Most memory of the results of one plan: a year by half-hours of some queues and groups, or thousands of replications of a
/// day of many.
pub(super) const MOST_BYTES: usize = 192 << 20;
/// Most replications of a run.
pub(super) const MOST_REPLICATIONS: u32 = 10_000;

/// What about a scenario is too large here; such a one can be run with `callfloor simulate` on another machine.
pub(super) fn too_large(scenario: &Scenario, replications: u32) -> Result<(), String> {
    let elsewhere = "run it with `callfloor simulate` on another machine";
    let days = scenario.days();
    if days > MOST_DAYS {
        return Err(format!("{days} days: at most {MOST_DAYS} can be simulated here; {elsewhere}"));
    }
    let contacts = contacts(scenario);
    if contacts > MOST_CONTACTS {
        return Err(format!(
            "{contacts:.0} contacts in a replication: at most {MOST_CONTACTS:.0} can be simulated here; {elsewhere}"
        ));
    }
    let peak = |group: &callfloor_scenario::Group| u64::from(group.peak(days, |day| scenario.clock.weekday(day)));
    let operators: u64 = scenario.groups.iter().map(peak).sum();
    if operators > MOST_OPERATORS {
        return Err(format!("{operators} operators: at most {MOST_OPERATORS} can be simulated here; {elsewhere}"));
    }
    let (queues, groups) = (scenario.queues.len(), scenario.groups.len());
    let intervals = u64::from(days).saturating_mul((24 * HOUR_US).div_ceil(scenario.interval_us.max(1)));
    let intervals = usize::try_from(intervals).unwrap_or(usize::MAX);
    let bytes = Results::bytes_of(queues, groups, intervals, replications as usize);
    if bytes > MOST_BYTES {
        return Err(format!(
            "{intervals} intervals and {replications} replications of {queues} queues and {groups} groups: their results \
             take {} MiB, and at most {} can be kept here; longer intervals or fewer replications are right, or {elsewhere}",
            bytes >> 20,
            MOST_BYTES >> 20
        ));
    }
    Ok(())
}

/// How many of these threads may work on a scenario at once: no more contacts are in memory than of one of the largest.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a quotient of positive numbers; saturates"
)]
pub(super) fn threads_for(scenario: &Scenario, all: NonZeroUsize) -> NonZeroUsize {
    let fit = (MOST_CONTACTS / contacts(scenario).max(1.0)) as usize;
    NonZeroUsize::new(fit).unwrap_or(NonZeroUsize::MIN).min(all)
}

/// Contacts that a replication is expected to see, redials aside.
fn contacts(scenario: &Scenario) -> f64 {
    if let Horizon::Calls { count, .. } = scenario.horizon {
        return count as f64;
    }
    let days = scenario.days();
    let of_class = |arrivals: &Arrivals| match arrivals {
        Arrivals::Trace { arrivals } => arrivals.len() as f64,
        Arrivals::Rates { pieces, .. } => (0..days)
            .flat_map(|day| pieces.iter().filter(move |piece| piece.days.contains(day, scenario.clock.weekday(day))))
            .map(callfloor_scenario::RatePiece::expected)
            .sum(),
    };
    scenario.classes.iter().map(|class| of_class(&class.arrivals)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use callfloor_scenario::{NoFiles, template};

    fn day() -> Scenario {
        let ready = template("support-line").expect("it is in the library");
        Scenario::parse("support-line.toml", ready.text, &NoFiles).expect("it is right")
    }

    #[test]
    fn results_that_would_take_the_memory_are_refused_whatever_makes_them_so_large() {
        let day = day();
        assert_eq!(too_large(&day, 10_000), Ok(()));
        let bytes = Results::bytes_of(day.queues.len(), day.groups.len(), 48, 10_000);
        assert!(bytes < 16 << 20, "{bytes}: thousands of replications of a plain day are little");
        // A year by half-hours of five queues and five groups has room; by minutes it has none.
        assert!(Results::bytes_of(5, 5, 365 * 48, 50) <= MOST_BYTES);
        assert!(Results::bytes_of(5, 5, 365 * 1_440, 50) > MOST_BYTES);
        // Nor have many queues many times.
        assert!(Results::bytes_of(300, 300, 48, 10_000) > MOST_BYTES);
    }

    #[test]
    fn a_large_replication_has_fewer_beside_it() {
        let (day, all) = (day(), NonZeroUsize::new(15).expect("15"));
        assert_eq!(threads_for(&day, all), all);
        let large = Scenario { horizon: Horizon::Calls { count: 400_000, warm_up: 0 }, ..day.clone() };
        assert_eq!(threads_for(&large, all).get(), 2);
        let largest = Scenario { horizon: Horizon::Calls { count: 1_000_000, warm_up: 0 }, ..day };
        assert_eq!(threads_for(&largest, all).get(), 1);
    }
}
