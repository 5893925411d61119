//! The engine: one owner of all state, and its contract with the host.

use alloc::vec::Vec;

use crate::command::Command;
use crate::config::EngineConfig;
use crate::output::Output;
use crate::rejection::Rejection;
use crate::time::Instant;

/// A contact centre's state.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
}

impl Engine {
    /// A floor with nobody logged in and no calls.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        Self { config }
    }

    /// The configuration in use.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// When [`advance`](Self::advance) has something to do next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// Fires every deadline that is due at `now`, in a fixed order.
    pub fn advance(&mut self, _now: Instant, _out: &mut Vec<Output>) {}

    /// Applies one command at `now`; outputs are appended to `out`.
    ///
    /// # Errors
    /// A [`Rejection`]; nothing was changed.
    pub fn apply(&mut self, now: Instant, _command: Command, _out: &mut Vec<Output>) -> Result<(), Rejection> {
        Err(Rejection::TimeRanBack { now, latest: Instant::MAX })
    }
}
