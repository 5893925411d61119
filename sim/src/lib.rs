//! The discrete-event simulator around the engine.

pub mod distribution;
pub mod stream;
pub mod theory;
pub mod ziggurat;
