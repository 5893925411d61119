//! What any storage must do, run against real ones: SQLite in a directory, and PostgreSQL started from the installed
//! binaries (skipped with a message where there are none).

mod conformance;
mod damage;
#[path = "../support/days.rs"]
mod days;
mod kill;
mod model;
mod network;
mod organisations;
mod room;
mod support;
