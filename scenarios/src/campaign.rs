//! Outbound campaigns.

use crate::arrivals::RatePiece;
use crate::customer::Handling;
use crate::distribution::Distribution;
use crate::scenario::{GroupIndex, ServiceIndex};

/// Calls that operators of some groups make.
#[derive(Debug, Clone, PartialEq)]
pub struct Campaign {
    /// Name, unique among campaigns.
    pub name: String,
    /// Service with an outbound contract.
    pub service: ServiceIndex,
    /// Groups that dial.
    pub groups: Vec<GroupIndex>,
    /// Registered caller id, by its place in the service's list.
    pub outgoing_number: usize,
    /// Customers on the list for each day; without end if absent.
    pub list_size: Option<u32>,
    /// When somebody dials.
    pub pacing: Pacing,
    /// Looking at the record before the dial, in status Work.
    pub preview: Distribution,
    /// Span from the dial to the customer's answer.
    pub ring: Distribution,
    /// Probability that a customer answers, in [0, 1].
    pub connect: f64,
    /// Probability of a busy line, in [0, 1 − connect]; what is left is no answer.
    pub busy: f64,
    /// Dials for one customer in all; at least 1.
    pub max_attempts: u32,
    /// Span before the next dial to a customer who was not reached.
    pub retry_delay: Distribution,
    /// The conversation, for those who answer.
    pub handling: Handling,
}

/// When an operator dials.
#[derive(Debug, Clone, PartialEq)]
pub enum Pacing {
    /// At these rates of the whole campaign, where an operator of its groups is Ready.
    Rates(Vec<RatePiece>),
    /// Whoever has been Ready for a span, while enough others stay Ready.
    WhenIdle {
        /// Span in Ready before dialling, in microseconds.
        after_us: u64,
        /// Others of the group who must stay Ready.
        keep_ready: u32,
    },
}
