//! Open-loop load from a scenario: its customers and operators played against a live server, measured from the intended
//! instants.
//!
//! [`plan`] says what happens when; the people in it are the simulator's own. [`sip`] and [`media`] speak to telephones, without
//! I/O of their own.

pub mod media;
pub mod number;
pub mod pace;
pub mod plan;
pub mod sip;
pub mod voice;
