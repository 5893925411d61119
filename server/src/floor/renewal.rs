//! Opening hours are expanded some way ahead, and anew every day.

use std::time::Duration;

use callfloor_engine::{Command, EngineConfig, ServiceId};

use super::{ServiceExtra, expand};
use crate::host::{Handle, Turn};
use crate::http::Problem;

/// So far ahead are weekly hours and holidays expanded.
pub const HOURS_AHEAD_DAYS: u16 = 400;
const DAY_US: u64 = 86_400_000_000;

/// Renews hours for as long as the host takes jobs: at once, then every hour where a day has passed.
pub async fn keep_hours(host: Handle) {
    let mut hourly = tokio::time::interval(Duration::from_secs(3_600));
    loop {
        hourly.tick().await;
        match host.run(renew_hours).await {
            Ok(Ok(renewed)) => {
                if renewed > 0 {
                    tracing::info!(services = renewed, "opening hours expanded anew");
                }
            }
            Ok(Err(problem)) => tracing::warn!(%problem, "opening hours could not be expanded"),
            Err(crate::host::Unavailable::Stopped(_)) => return,
            Err(problem) => tracing::warn!(%problem, "opening hours could not be expanded now"),
        }
    }
}

/// Expands the hours of every service whose last expansion is a day old; how many.
///
/// # Errors
/// What storage says, or a schedule that a later time-zone database no longer reads.
pub fn renew_hours(turn: &mut Turn<'_>) -> Result<usize, Problem> {
    let now = turn.now();
    let wanted = now.as_micros() + u64::from(HOURS_AHEAD_DAYS - 1) * DAY_US;
    let before = turn.engine().config().clone();
    let mut floor = before.clone().into_floor();
    let mut renewed = 0;
    for (at, service) in (0u16..).zip(&mut floor.services) {
        let mut extra = ServiceExtra::of(turn.documents(), ServiceId(at))?;
        let Some(schedule) = extra.schedule.clone().filter(|_| extra.expanded_until_us < wanted) else { continue };
        service.hours = expand(&schedule, now, HOURS_AHEAD_DAYS)
            .map_err(|wrong| Problem::conflict("configuration", format!("service {:?}: {wrong}", service.name)))?;
        extra.expanded_until_us = now.as_micros() + u64::from(HOURS_AHEAD_DAYS) * DAY_US;
        turn.documents().put(&extra);
        renewed += 1;
    }
    let config = EngineConfig::new(floor)?;
    if config != before {
        turn.apply(Command::Reconfigure(Box::new(config)))?;
    }
    Ok(renewed)
}
