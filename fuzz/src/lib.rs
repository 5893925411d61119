//! Random floors and command sequences against the engine, beside a slow, obvious [model](Model)
//! of the whole floor, with every invariant checked after every command. See the
//! README for what is checked, and how often.

mod audit;
mod floor;
mod generate;
mod ids;
mod model;
mod random;
mod report;
mod run;
mod shrink;
mod simplify;
mod subject;
mod view;

pub use audit::Audit;
pub use floor::{changed_floor, extension, number, outgoing, random_floor};
pub use generate::{Mix, Step, next_step};
pub use model::{Model, SeenTicket};
pub use random::SplitMix64;
pub use report::describe;
pub use run::{Failure, Settings, Tally, engine, run_seed, run_steps, shrink_failure};
pub use shrink::shrink;
pub use subject::{Fault, Faulty, Rule, Subject};
pub use view::{SeenOffer, View};
