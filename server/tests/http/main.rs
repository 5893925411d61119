//! The server over real HTTP, as the console, an administrator, a machine with a key and a customer's browser use it.

mod administration;
mod callbacks;
mod chats;
mod dialling;
mod events;
#[path = "../support/floor.rs"]
mod floor;
mod help_centre;
mod issues;
mod limits;
mod operators;
mod planning;
mod recordings;
mod records;
mod search;
mod sessions;
mod statistics;
#[path = "../support/mod.rs"]
mod support;
mod surveys;
#[path = "../support/telephone.rs"]
mod telephone;
mod tickets;
mod tls;
