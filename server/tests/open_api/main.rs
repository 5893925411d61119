//! The open API over real HTTP: systems that sign, and the organisation's own system as a real peer that is asked.

mod content;
mod example;
#[path = "../support/floor.rs"]
mod floor;
mod inquiries;
mod linked;
mod signatures;
#[path = "../support/mod.rs"]
mod support;
#[path = "../support/system.rs"]
mod system;
