//! The discrete-event simulator around the engine.

pub mod distribution;
pub mod stream;
pub mod ziggurat;
