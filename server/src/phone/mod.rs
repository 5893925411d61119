//! Telephones: what the engine wishes is done in the world, what the world does is told to the engine.

mod restart;

pub use restart::let_go_of_lost_calls;
