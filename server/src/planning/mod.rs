//! The planner's twin: scenarios and days of the journal, simulated beside the live floor and compared with it.
//!
//! This module alone of the server knows the simulator. Runs are done one after the other by threads of low priority, which
//! leave a processor free for calls; whoever runs this server shares them.

mod answer;
mod bounds;
mod day;
mod day_page;
mod http;
mod http_runs;
mod kept;
mod marks;
mod runs;

pub use day::{DayTrouble, FIGURES, Recorded, day_json, recorded};
pub use day_page::day_html;
pub(crate) use http::{permissions, router};
pub use kept::{KeptChange, KeptRun, KeptScenario, KeptText, What};
pub use marks::Marks;
pub(crate) use marks::keep_marks;
pub use runs::Planner;
