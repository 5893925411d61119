//! The discrete-event simulator around the engine.

pub mod arrival;
pub mod behaviour;
pub mod calendar;
pub mod call_log;
pub mod change;
pub mod collect;
mod customer;
mod digest;
pub mod distribution;
pub mod fit;
mod host;
mod incomplete_gamma;
pub mod model;
mod near;
mod one_pool;
mod operator;
pub mod replication;
pub mod roster;
pub mod stream;
pub mod theory;
pub mod validate;
pub mod what_if;
pub mod ziggurat;

pub use call_log::{CallLog, CallRow, CallRows, CallTable};
pub use replication::{Options, Outcome, Progress, SimulationError, fast_path_objection, simulate};
