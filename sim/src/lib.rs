//! The discrete-event simulator around the engine.

pub mod arrival;
pub mod calendar;
mod collect;
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
mod roster;
pub mod stream;
pub mod theory;
pub mod validate;
pub mod ziggurat;

pub use replication::{CallRow, Options, Outcome, Progress, SimulationError, fast_path_objection, simulate};
