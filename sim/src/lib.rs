//! The discrete-event simulator around the engine.

pub mod calendar;
pub mod distribution;
pub mod stream;
pub mod theory;
pub mod ziggurat;
