//! Queueing theory: what exact formulas say about a pool of operators.
//!
//! The simulator is checked against these, and a planner gets an answer from them in microseconds where a model's
//! assumptions hold: Poisson arrivals at a constant rate, exponential handle times, one pool, first come first served,
//! steady state. Each model is one file; [`Model`] names them all, and [`staffing`] turns them round to find operators.
//!
//! Times are in seconds and rates per second; [`Demand::per_hour`] is the edge for calls per hour. Shares are in [0, 1].
//!
//! ```
//! use callfloor_sim::theory::{Demand, Model, Thresholds};
//!
//! // 200 calls an hour of 180 s each, 14 operators, callers who would wait 5 min on average.
//! let demand = Demand::per_hour(200.0, 180.0)?;
//! let figures = Model::ErlangA { patience_s: 300.0 }.figures(demand, 14, Thresholds::default())?;
//! assert!((figures.abandonment_raw - 0.013984).abs() < 5e-7);
//! # Ok::<(), callfloor_sim::theory::TheoryError>(())
//! ```

mod error;
mod figures;
mod quadrature;
mod special;

pub mod erlang_a;
pub mod erlang_b;
pub mod erlang_c;
pub mod finite_queue;
pub mod general_patience;
pub mod staffing;

pub use error::TheoryError;
pub use figures::{Demand, Figures, Outcomes, ServiceLevels, Thresholds};
pub use general_patience::{Branch, HazardPiece, Patience};

/// A queueing model with everything it needs beside demand, operators and thresholds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Model {
    /// M/M/n/n: no waiting; a call that finds all operators busy is blocked.
    ErlangB,
    /// M/M/n: callers wait for ever.
    ErlangC,
    /// M/M/n+M: patience is exponential.
    ErlangA {
        /// Mean patience in seconds.
        patience_s: f64,
    },
    /// M/M/n+G: patience of any kind.
    GeneralPatience(Patience),
    /// M/M/s/r, or M/M/s/r+M where patience is given: a limited number of waiting places.
    Finite {
        /// Places to wait in, operators not counted.
        waiting_places: u32,
        /// Mean of the exponential patience in seconds; `None`: callers wait for ever.
        patience_s: Option<f64>,
    },
}

impl Model {
    /// The steady state of `operators` under `demand`.
    ///
    /// # Errors
    /// No operators, a value out of its range, or a queue that would grow without end.
    pub fn figures(&self, demand: Demand, operators: u32, thresholds: Thresholds) -> Result<Figures, TheoryError> {
        match self {
            Self::ErlangB => erlang_b::figures(demand, operators),
            Self::ErlangC => erlang_c::figures(demand, operators, thresholds),
            Self::ErlangA { patience_s } => erlang_a::figures(demand, *patience_s, operators, thresholds),
            Self::GeneralPatience(patience) => general_patience::figures(demand, patience, operators, thresholds),
            Self::Finite { waiting_places, patience_s } => {
                finite_queue::figures(demand, *patience_s, operators, *waiting_places, thresholds)
            }
        }
    }
}
