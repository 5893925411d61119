//! How large a scenario may be here, so that a planner's mistake takes neither the memory nor the hours of a live server.

use callfloor_scenario::clock::HOUR_US;
use callfloor_scenario::{Arrivals, Horizon, Scenario};

/// Most contacts that one replication may expect. All of them waiting at once take about half a gigabyte.
pub(super) const MOST_CONTACTS: f64 = 1_000_000.0;
/// Most operators on the floor.
pub(super) const MOST_OPERATORS: u64 = 20_000;
/// Longest period, in days.
pub(super) const MOST_DAYS: u32 = 400;
/// Most cells of the results: intervals times queues and groups.
pub(super) const MOST_CELLS: u64 = 200_000;
/// Most replications of a run.
pub(super) const MOST_REPLICATIONS: u32 = 10_000;

/// What about a scenario is too large here; such a one can be run with `callfloor simulate` on another machine.
pub(super) fn too_large(scenario: &Scenario) -> Result<(), String> {
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
    let rows = (scenario.queues.len() + scenario.groups.len()) as u64;
    let cells = u64::from(days) * (24 * HOUR_US).div_ceil(scenario.interval_us.max(1)) * rows;
    if cells > MOST_CELLS {
        return Err(format!(
            "{cells} intervals of queues and groups: at most {MOST_CELLS} can be kept here; longer intervals are right, or {elsewhere}"
        ));
    }
    Ok(())
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
