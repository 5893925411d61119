//! Open-loop load from a scenario: its customers and operators played against a live server, measured from the intended
//! instants.
//!
//! - [`plan`] says what happens when; the people in it are the simulator's own, so that customer 4711 is the same in both worlds.
//! - [`run()`] makes a target ready and plays the plan against it, without waiting for answers before it goes on.
//! - [`LoadResults`] are what it measured. Parts of several processes merge exactly; [`figure`] names every figure and judges.
//!
//! [`sip`], [`media`] and [`voice`] speak to telephones without I/O of their own.

mod at_end;
mod cases;
mod chat;
pub mod clock;
pub mod compare;
mod control;
mod course;
pub mod csv;
mod desk;
pub mod figure;
mod floor;
pub mod http;
pub mod limits;
pub mod measures;
pub mod media;
mod note;
pub mod number;
mod observer;
pub mod pace;
pub mod plan;
mod play;
mod prepare;
mod records;
mod results;
mod road;
mod run;
mod screen;
pub mod search;
pub mod sip;
mod stage;
pub mod summary;
pub mod target;
pub mod verdict;
pub mod voice;

pub use at_end::AtEnd;
pub use control::Control;
pub use pace::{Leg, Pace};
pub use prepare::PrepareError;
pub use results::{FORMAT, LoadMergeError, LoadResults, Part, Settings};
pub use run::{LoadError, Options, Snapshot, Target, run};
