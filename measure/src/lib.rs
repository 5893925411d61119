//! The one definition of every printed figure.
//!
//! Primitives (exact integers for each queue and interval) are counted in a [`Tally`], one for each replication. Tallies
//! are added to [`Results`], which merge exactly: results of replications 0–4 merged with those of 5–9 are, byte for
//! byte, the results of one run of 0–9. Every ratio is a [`Metric`] that is derived from the primitives and comes as an
//! [`Estimate`], a value with its interval.
//!
//! ```
//! use callfloor_measure::{Channel, Grid, Header, Metric, Queue, Results, Scope, Tally};
//!
//! let header = Header {
//!     grid: Grid::new(0, 1_800_000_000, 2),
//!     queues: vec![Queue::new("support", Channel::Phone)],
//!     ..Header::new("example", 1)
//! };
//! let mut tally = Tally::new(&header);
//! tally.offered(0, Some(0));
//! tally.answered(0, Some(0), Some(0), 12_000_000);
//! let mut results = Results::new(header);
//! results.add(0, &tally);
//! let level = results.estimate(Metric::ServiceLevel, Scope::All).unwrap();
//! assert_eq!(level.value, 1.0);
//! assert_eq!(level.interval, None, "one replication has no interval");
//! ```

mod cell;
mod count;
mod estimate;
mod grid;
mod header;
mod histogram;
mod metric;
mod results;
mod staff;
mod student;
mod tally;
mod threshold;

pub use count::{Counts, EarlyAbandons, HandlePart, Primitive};
pub use estimate::{Estimate, Interval, Ratio, mean_difference, mean_interval, wilson};
pub use grid::Grid;
pub use header::{Channel, CountedBy, Group, Header, Queue, WarmUp};
pub use histogram::Histogram;
pub use metric::{Direction, Metric, Unit, UnknownMetric};
pub use results::{
    IdentityFailure, MergeError, QueueTotals, ReadError, ReplicationTotals, Results, Scope, WAIT_QUANTILES,
};
pub use staff::{StaffTimes, Status};
pub use student::{normal_quantile, t_quantile};
pub use tally::Tally;
pub use threshold::{Bound, Threshold, Verdict};
