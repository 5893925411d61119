//! Records of calls as rows of CSV.

use super::{CallRow, Direction};
use callfloor_engine::{EndCause, FarEndFault, ForcedEndReason};
use callfloor_scenario::{Clock, FloorPlan, Scenario};
use std::io::Write as _;

/// Writes calls as CSV: UTF-8, comma, line feed, names in quotes where they need them.
#[derive(Debug, Clone)]
pub struct CallTable {
    services: Vec<String>,
    queues: Vec<String>,
    /// Classes, then campaigns.
    types: Vec<String>,
    /// `[operator]`: group and name.
    operators: Vec<(String, String)>,
    clock: Clock,
    /// The first midnight.
    origin_us: i64,
}

impl CallTable {
    /// The columns, in their order.
    pub const COLUMNS: [&str; 24] = [
        "replication",
        "call",
        "service",
        "queue",
        "type",
        "direction",
        "attempt",
        "arrival",
        "arrival_s",
        "wait_s",
        "outcome",
        "end_cause",
        "ring_s",
        "rings",
        "missed_rings",
        "talk_s",
        "hold_s",
        "consult_s",
        "service_s",
        "after_call_s",
        "holds",
        "consults",
        "transfers",
        "operator",
    ];

    /// The table of the calls of a scenario, whose floor is `plan`.
    #[must_use]
    pub fn new(scenario: &Scenario, plan: &FloorPlan) -> Self {
        let classes = scenario.classes.iter().map(|class| &class.name);
        let types = classes.chain(scenario.campaigns.iter().map(|campaign| &campaign.name));
        let operators = scenario.groups.iter().zip(&plan.groups).flat_map(|(group, ids)| {
            (1..=ids.len()).map(|number| (cell(&group.name), cell(&format!("{} {number}", group.name))))
        });
        let midnight = scenario.clock.start.to_zoned(scenario.clock.time_zone.clone());
        Self {
            services: scenario.services.iter().map(|service| cell(&service.name)).collect(),
            queues: scenario.queues.iter().map(|queue| cell(&queue.name)).collect(),
            types: types.map(|name| cell(name)).collect(),
            operators: operators.collect(),
            // Only at the very ends of the calendar is there none.
            origin_us: midnight.map_or(0, |midnight| midnight.timestamp().as_microsecond()),
            clock: scenario.clock.clone(),
        }
    }

    /// The header line.
    #[must_use]
    pub fn header() -> String {
        Self::COLUMNS.join(",") + "\n"
    }

    /// Adds the line of one call.
    pub fn write(&self, row: &CallRow<'_>, out: &mut Vec<u8>) {
        let record = row.record;
        let name = |names: &[String], place: usize| names.get(place).cloned().unwrap_or_default();
        let direction = match row.direction {
            Direction::Inbound => "in",
            Direction::Outbound => "out",
            Direction::Callback => "callback",
        };
        let arrived_us = record.arrived.as_micros();
        let operator = record.operator.map(|operator| self.operators[operator.index()].1.as_str());
        let [wait, ring, talk, hold, consult] = [
            record.wait.as_micros(),
            row.ring_us,
            record.talk.as_micros(),
            record.hold.as_micros(),
            record.consult.as_micros(),
        ];
        writeln!(
            out,
            "{},{},{},{},{},{direction},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}",
            row.replication,
            record.call.number(),
            name(&self.services, record.service.index()),
            record.queue.map(|queue| name(&self.queues, queue.index())).unwrap_or_default(),
            name(&self.types, usize::from(row.source)),
            row.attempt,
            self.local(arrived_us),
            Seconds(arrived_us),
            Seconds(wait),
            outcome(row),
            cause(record.cause),
            Seconds(ring),
            row.rings,
            row.missed_rings,
            Seconds(talk),
            Seconds(hold),
            Seconds(consult),
            Seconds(talk + hold + consult),
            Seconds(row.after_call_us),
            row.holds,
            row.consults,
            row.transfers,
            operator.unwrap_or_default(),
        )
        .expect("memory takes every row");
    }

    /// Date and time of day of a moment of the run.
    fn local(&self, at_us: u64) -> String {
        let at = i64::try_from(at_us).ok().and_then(|at| self.origin_us.checked_add(at));
        let moment = at.and_then(|at| jiff::Timestamp::from_microsecond(at).ok());
        moment.map_or_else(String::new, |moment| self.clock.time_zone.to_datetime(moment).to_string())
    }
}

/// Whole microseconds as seconds, without needless zeros.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, rest) = (self.0 / 1_000_000, self.0 % 1_000_000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let digits = format!("{rest:06}");
        write!(f, "{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// A name as a cell.
fn cell(name: &str) -> String {
    if name.contains([',', '"', '\n', '\r']) { format!("\"{}\"", name.replace('"', "\"\"")) } else { name.to_owned() }
}

/// What became of the customer's wish for an operator.
fn outcome(row: &CallRow<'_>) -> &'static str {
    if row.answered {
        return "answered";
    }
    match row.record.cause {
        EndCause::AbandonedInFlow | EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging => "abandoned",
        EndCause::DialFailed(_) | EndCause::DialCancelled => "not_reached",
        EndCause::QueueFull | EndCause::MaximumWait => "refused",
        _ => "flowed_out",
    }
}

fn cause(cause: EndCause) -> &'static str {
    match cause {
        EndCause::AbandonedInFlow => "abandoned_in_flow",
        EndCause::AbandonedInQueue => "abandoned_in_queue",
        EndCause::AbandonedWhileRinging => "abandoned_while_ringing",
        EndCause::CustomerHungUp => "customer_hung_up",
        EndCause::OperatorHungUp => "operator_hung_up",
        EndCause::ForcedByOperator(ForcedEndReason::Abuse) => "forced_for_abuse",
        EndCause::ForcedByOperator(ForcedEndReason::Threat) => "forced_for_threat",
        EndCause::ForcedByOperator(ForcedEndReason::Other) => "forced",
        EndCause::FlowEnded => "flow_ended",
        EndCause::QueueFull => "queue_full",
        EndCause::MaximumWait => "maximum_wait",
        EndCause::CallbackAccepted => "callback_accepted",
        EndCause::Voicemail => "voicemail",
        EndCause::Forwarded => "forwarded",
        EndCause::TransferredOut => "transferred_out",
        EndCause::TransferFailed => "transfer_failed",
        EndCause::DeviceLost => "device_lost",
        EndCause::DialFailed(FarEndFault::Busy) => "dial_busy",
        EndCause::DialFailed(FarEndFault::NoAnswer) => "dial_not_answered",
        EndCause::DialFailed(FarEndFault::Failed) => "dial_failed",
        EndCause::DialCancelled => "dial_cancelled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_exact_and_names_stay_one_cell() {
        let shown = [0, 1, 1_500_000, 20_000_000, 86_399_999_999].map(|us| Seconds(us).to_string());
        assert_eq!(shown, ["0", "0.000001", "1.5", "20", "86399.999999"]);
        assert_eq!(
            [cell("plain"), cell("a, b"), cell("the \"big\" one")],
            ["plain", "\"a, b\"", "\"the \"\"big\"\" one\""]
        );
    }
}
