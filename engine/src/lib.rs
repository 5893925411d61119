//! The contact centre's rules, as one deterministic state machine: commands in, actions and events out.
//!
//! No I/O, no clock, no randomness, no threads: the host owns those. See [`Engine`] for the contract.
#![no_std]
#![deny(clippy::float_arithmetic)]

extern crate alloc;

mod arena;
mod command;
mod config;
mod engine;
mod id;
mod number;
mod output;
mod rejection;
pub mod script;
mod status;
mod time;

pub use command::*;
pub use config::*;
pub use engine::Engine;
pub use id::*;
pub use number::{NumberError, PhoneNumber};
pub use output::*;
pub use rejection::{Asked, Object, Range, Rejection};
pub use status::{Input, Resting, Status};
pub use time::{Instant, Span};
