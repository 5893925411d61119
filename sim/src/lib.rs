//! The discrete-event simulator around the engine.

pub mod arrival;
pub mod calendar;
pub mod distribution;
pub mod fit;
mod incomplete_gamma;
pub mod stream;
pub mod theory;
pub mod ziggurat;
