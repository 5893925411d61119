//! What a run was: scenario, seed, intervals, queues, groups and what it must reach.

use serde::{Deserialize, Serialize};

use crate::{EarlyAbandons, Grid, Threshold};

/// What a queue carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Inbound calls.
    Phone,
    /// Outbound dials of a campaign.
    Outbound,
    /// Chats.
    Chat,
    /// Tickets: mail, web form.
    Ticket,
}

/// A queue as results know it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Queue {
    /// Its name in the scenario.
    pub name: String,
    /// What it carries.
    pub channel: Channel,
    /// T: a wait up to this many µs is in time.
    pub target_wait_us: u64,
    /// s: an abandonment after at most this many µs is short.
    pub short_us: u64,
    /// How early abandonments enter its service level.
    pub rule: EarlyAbandons,
    /// The service level that it should reach, in [0, 1].
    pub target_level: Option<f64>,
}

impl Queue {
    /// A queue with T = 20 s, s = 5 s, the default rule and no target.
    #[must_use]
    pub fn new(name: impl Into<String>, channel: Channel) -> Self {
        let rule = EarlyAbandons::default();
        Self { name: name.into(), channel, target_wait_us: 20_000_000, short_us: 5_000_000, rule, target_level: None }
    }
}

/// A group of operators as results know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name in the scenario.
    pub name: String,
}

/// The interval in which a call counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CountedBy {
    /// That of its arrival in the queue, as forecasts do. The default.
    #[default]
    Arrival,
    /// That in which it left the queue: by an answer, an abandonment or a flow-out. Offered are then those that left.
    Answer,
}

/// What was simulated at the start and not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarmUp {
    /// This many µs; 0 for none.
    SpanUs(u64),
    /// This many arrivals.
    Calls(u64),
}

/// What a run was: all that must be equal for two results to be parts of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// What was simulated before counting began.
    pub warm_up: WarmUp,
    /// The intervals. They start at the end of the warm-up, or later where nothing happens until then.
    pub grid: Grid,
    /// The interval in which a call counts.
    #[serde(default)]
    pub counted_by: CountedBy,
    /// A label for each interval, such as `Mon 08:30`; hours and minutes from the start where empty.
    pub interval_labels: Vec<String>,
    /// The queues, in the scenario's order.
    pub queues: Vec<Queue>,
    /// The groups of operators, in the scenario's order.
    pub groups: Vec<Group>,
    /// The service level that the whole floor should reach, in [0, 1].
    pub target_level: Option<f64>,
    /// What the run must reach.
    pub thresholds: Vec<Threshold>,
    /// Remarks that every report must show, such as a data source's acknowledgement.
    pub notes: Vec<String>,
}

impl Header {
    /// A header with one interval of an hour and nothing in it, to be filled with `..Header::new(name, seed)`.
    #[must_use]
    pub fn new(scenario: impl Into<String>, seed: u64) -> Self {
        Self {
            scenario: scenario.into(),
            seed,
            warm_up: WarmUp::SpanUs(0),
            grid: Grid::new(0, 3_600_000_000, 1),
            counted_by: CountedBy::default(),
            interval_labels: Vec::new(),
            queues: Vec::new(),
            groups: Vec::new(),
            target_level: None,
            thresholds: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The label of an interval.
    #[must_use]
    pub fn label(&self, interval: usize) -> String {
        self.interval_labels.get(interval).cloned().unwrap_or_else(|| {
            let minutes = self.grid.interval_us * interval as u64 / 60_000_000;
            format!("{:02}:{:02}", minutes / 60, minutes % 60)
        })
    }
}
