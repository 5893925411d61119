//! The contact centre's rules, as one deterministic state machine: commands in, actions and events out.
//!
//! No I/O, no clock, no randomness, no threads: the host owns those. See [`Engine`] for the contract.
#![no_std]
#![deny(clippy::float_arithmetic)]

extern crate alloc;

mod allowed;
mod arena;
mod call;
mod chat;
mod chats;
mod check;
mod command;
mod config;
mod deadline;
mod desk;
mod dialing;
mod effort;
mod engine;
mod explain;
mod flow;
mod id;
mod number;
mod offering;
mod output;
mod place;
mod presence;
mod queueing;
mod reconfigure;
mod rejection;
mod routing;
pub mod script;
mod snapshot;
mod status;
mod storage;
mod supervision;
mod talking;
mod ticket;
mod tickets;
mod time;
mod view;

pub use check::Violation;
pub use command::*;
pub use config::*;
pub use engine::Engine;
pub use explain::{Candidate, Explanation, Verdict};
pub use id::*;
pub use number::{NumberError, PhoneNumber};
pub use output::*;
pub use rejection::{Asked, Object, Range, Rejection};
pub use snapshot::RestoreError;
pub use status::{Input, Resting, Status};
pub use tickets::TicketTimes;
pub use time::{Instant, Span};
pub use view::*;
