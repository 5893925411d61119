//! What has happened, to whoever listens: ordered, resumable from a number, bounded for each listener.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use callfloor_engine::{Instant, Output};
use tokio::sync::broadcast;

/// One output of the engine, durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// 1 for a tenant's first output; no gaps; the same after a restart.
    pub number: u64,
    /// When.
    pub at: Instant,
    /// What.
    pub output: Output,
}

/// Outputs that are kept for listeners that lost their connection.
const KEPT: usize = 65_536;
/// How far a listener may fall behind before it is cut.
const BEHIND: usize = 8_192;

/// Fans outputs out.
#[derive(Debug)]
pub struct Hub {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    recent: VecDeque<Happened>,
    live: broadcast::Sender<Happened>,
}

/// Where a listener goes on.
#[derive(Debug)]
pub struct Subscription {
    /// What happened since the number that was asked.
    pub backlog: Vec<Happened>,
    /// What happens from now on; [`broadcast::error::RecvError::Lagged`] is the end of a listener that is too slow.
    pub live: broadcast::Receiver<Happened>,
    /// The number of the newest output, 0 before the first.
    pub newest: u64,
}

/// The outputs after the number that was asked for are no longer kept: the listener must look at the whole again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("events after {asked} are no longer kept (oldest: {oldest}): read the state anew")]
pub struct TooOld {
    /// What was asked.
    pub asked: u64,
    /// The oldest that is kept.
    pub oldest: u64,
}

impl Default for Hub {
    fn default() -> Self {
        let (live, _) = broadcast::channel(BEHIND);
        Self { state: Mutex::new(State { recent: VecDeque::new(), live }) }
    }
}

impl Hub {
    /// Listens: to what happened after `after` where given, and to what happens from now on, with no gap between.
    ///
    /// # Errors
    /// [`TooOld`] where some of it is no longer kept.
    pub fn subscribe(self: &Arc<Self>, after: Option<u64>) -> Result<Subscription, TooOld> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = state.recent.back().map_or(0, |last| last.number);
        let mut backlog = Vec::new();
        if let Some(after) = after {
            let oldest = state.recent.front().map_or(1, |first| first.number);
            if after + 1 < oldest || after > newest {
                return Err(TooOld { asked: after, oldest });
            }
            backlog.extend(state.recent.iter().filter(|happened| happened.number > after));
        }
        Ok(Subscription { backlog, live: state.live.subscribe(), newest })
    }

    pub(super) fn publish(&self, happened: &[Happened]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for &one in happened {
            if state.recent.len() == KEPT {
                state.recent.pop_front();
            }
            state.recent.push_back(one);
            // Nobody may be listening.
            let _ = state.live.send(one);
        }
    }
}
