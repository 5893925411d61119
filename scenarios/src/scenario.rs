//! The whole scenario, and the indices by which its parts name each other.

use callfloor_measure::Metric;

use crate::campaign::Campaign;
use crate::clock::Clock;
use crate::customer::CustomerClass;
use crate::flow::Flow;
use crate::operator::Group;
use crate::queue::Queue;
use crate::service::{Blending, Service};
use crate::threshold::Threshold;

/// Defines an index type: the place of a part in its list of the [`Scenario`].
macro_rules! index {
    ($(#[$doc:meta])* $name:ident, $list:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(
            #[doc = concat!("Place in `", $list, "`, from 0.")]
            pub usize,
        );
    };
}

index!(
    /// A skill, by its place in [`Scenario::skills`].
    SkillIndex, "Scenario::skills"
);
index!(
    /// A service, by its place in [`Scenario::services`].
    ServiceIndex, "Scenario::services"
);
index!(
    /// A queue, by its place in [`Scenario::queues`].
    QueueIndex, "Scenario::queues"
);
index!(
    /// A call flow, by its place in [`Scenario::flows`].
    FlowIndex, "Scenario::flows"
);
index!(
    /// A step of one flow, by its place in [`Flow::steps`].
    StepIndex, "Flow::steps"
);
index!(
    /// A group of operators, by its place in [`Scenario::groups`].
    GroupIndex, "Scenario::groups"
);
index!(
    /// A class of customers, by its place in [`Scenario::classes`].
    ClassIndex, "Scenario::classes"
);
index!(
    /// An outbound campaign, by its place in [`Scenario::campaigns`].
    CampaignIndex, "Scenario::campaigns"
);

/// A checked scenario: every reference resolves and every number is in its range.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenario {
    /// Short name, shown in reports.
    pub name: String,
    /// What the scenario models, in a sentence or a few; may be empty.
    pub description: String,
    /// Seed of every random stream.
    pub seed: u64,
    /// How many independent runs, or how precise they must become.
    pub replications: Replications,
    /// What one replication covers.
    pub horizon: Horizon,
    /// Date and time zone of the first day.
    pub clock: Clock,
    /// Length of a statistics interval in microseconds; divides a day.
    pub interval_us: u64,
    /// What contacts cost of an operator's capacity.
    pub blending: Blending,
    /// Skills that queues ask for and operators have.
    pub skills: Vec<Skill>,
    /// Lines of business; at least one.
    pub services: Vec<Service>,
    /// Waiting lines; at least one.
    pub queues: Vec<Queue>,
    /// Call flows; a class of customers may go straight to a queue without one.
    pub flows: Vec<Flow>,
    /// Who calls, writes or chats.
    pub classes: Vec<CustomerClass>,
    /// Who answers.
    pub groups: Vec<Group>,
    /// Outbound campaigns.
    pub campaigns: Vec<Campaign>,
    /// Targets that decide the exit code.
    pub thresholds: Vec<Threshold>,
}

/// A skill's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    /// Name, unique in the scenario.
    pub name: String,
}

/// How many independent runs are made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replications {
    /// Number of runs; with a precision target, the first batch.
    pub count: u32,
    /// Goes on until this precision is reached.
    pub precision: Option<Precision>,
}

/// Sequential stopping: replications are added until a 95 % interval is narrow enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Precision {
    /// The metric whose interval decides, over the whole scenario.
    pub metric: Metric,
    /// Wanted half-width in the metric's own unit.
    pub half_width: Option<f64>,
    /// Wanted half-width as a share of the mean, in (0, 1).
    pub relative: Option<f64>,
    /// Stops here even if the precision was not reached.
    pub max_replications: u32,
}

/// What one replication covers. Time 0 of a replication is the first local midnight for [`Horizon::Days`] and
/// the first moment otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Horizon {
    /// Whole working days, one after another: customers arrive from `from_us` to `to_us` of each day.
    Days {
        /// Number of consecutive days, at least 1.
        count: u32,
        /// Opening time of day, in microseconds since midnight.
        from_us: u64,
        /// Closing time of day; calls that are in by then are served to their end (if the queue stays staffed).
        to_us: u64,
        /// Days at the start that are simulated but not counted; less than `count`.
        warm_up_days: u32,
    },
    /// Exactly this many arrivals from an empty system, all served to their end.
    Calls {
        /// Number of arrivals over all classes together.
        count: u64,
        /// Arrivals at the start that are simulated but not counted; less than `count`.
        warm_up: u64,
    },
    /// A span of steady state: rates of time of day still apply, and repeat after 24 hours.
    Steady {
        /// Simulated but not counted, in microseconds.
        warm_up_us: u64,
        /// Counted, in microseconds; greater than 0.
        length_us: u64,
    },
}
