//! The simulator against exact answers, by its public path: a scenario's text in, results out.
//!
//! A simulated value must have the reference inside its own 99.9 % interval. Seeds are fixed, so that a failure is a change
//! of the product and not of the dice.

mod contact_centers;
mod coverage;
mod day;
mod priority;
mod replay;
mod skills;
mod steady;
mod support;

#[path = "../reference/mod.rs"]
mod reference;
