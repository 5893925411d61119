//! The scenario: what a planner writes down about a contact centre, checked before anything runs.
//!
//! A scenario file is TOML. This crate turns it into a [`Scenario`], in which every name is an index, every
//! share lies in \[0, 1\], and every distribution has sensible parameters.
//!
//! Units: a fixed span is a whole number of microseconds and its field ends in `_us`; a parameter of a random
//! quantity is in seconds as `f64` and ends in `_s`; a time of day is microseconds since local midnight.

pub mod arrivals;
pub mod campaign;
pub mod clock;
pub mod customer;
pub mod distribution;
mod file;
pub mod floor;
pub mod flow;
mod library;
pub mod operator;
mod problem;
pub mod queue;
mod reference;
pub mod scenario;
mod schema;
pub mod service;
pub mod threshold;

pub use arrivals::{Arrivals, DayFactor, IntervalFactor, MeanHandling, RatePiece, TraceArrival};
pub use campaign::{Campaign, Pacing};
pub use clock::{Clock, Days, OpenSpan, OpeningHours};
pub use customer::{
    AfterRefusal, Consult, ConsultTarget, CustomerClass, Entry, Handling, Hold, Identity, MenuShare, Redial, Transfer,
    TransferTarget,
};
pub use distribution::{Branch, Distribution, HazardPiece, Part, QuantilePoint};
pub use file::{Files, Folder, NoFiles};
pub use floor::{Audio, AudioKind, ClassEntry, FloorPlan};
pub use flow::{BusyWhen, Flow, MenuOption, Step, StepKind};
pub use library::{TEMPLATES, Template, template};
pub use operator::{BreakPlan, Capacity, Group, QueueLevel, Rostered, Shift, SkillLevel};
pub use problem::{Problem, Problems};
pub use queue::{
    IdleSince, LastOperator, Overflow, Policy, PriorityRule, Queue, Relax, RelaxStep, ServiceLevelTarget,
    SkillRequirement,
};
pub use reference::format_reference;
pub use scenario::{
    CampaignIndex, ClassIndex, FlowIndex, GroupIndex, Horizon, Precision, QueueIndex, Replications, Scenario,
    ServiceIndex, Skill, SkillIndex, StepIndex,
};
pub use schema::json_schema;
pub use service::{
    Blending, Channel, DeviceLost, Favourite, LoginStatus, MissRule, NextStatus, OutboundTicket, Service, Settings,
};
pub use threshold::{Threshold, ThresholdScope};
