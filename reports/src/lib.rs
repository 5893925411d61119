//! Results to documents: a terminal page, CSV, JSON, one HTML file, the comparison of two plans, and that of theory,
//! simulation and a live run.
//!
//! No figure is computed here: each comes from `callfloor-measure` with its interval, and is only put into words.

mod compare;
mod compare_html;
mod csv;
mod day;
mod figure;
mod html;
mod json;
mod plot;
mod summary;
mod table;
mod twin;

pub use compare::{CompareError, Comparison, compare};
pub use csv::to_csv;
pub use day::{DayPart, DayStretch, RecordedDay};
pub use html::to_html;
pub use json::{read_json, to_json};
pub use summary::{Run, answer_sentence};
pub use table::{Page, to_text};
pub use twin::{Phase, Row, Theory, Twin, Verdict};
