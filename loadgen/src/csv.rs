//! The results of a load run as CSV: one row for each figure and each count.

use std::fmt::Write as _;

use crate::figure::{Figure, names};
use crate::results::LoadResults;

/// Columns `figure` and `value`, under the names that thresholds use; a figure that the run has nothing to take of has no row.
#[must_use]
pub fn to_csv(results: &LoadResults) -> String {
    let mut text = String::from("figure,value\n");
    // Counts are those that there are, below.
    let figures = names().into_iter().filter(|(name, _)| !name.starts_with("count_"));
    let figures = figures.filter_map(|(name, _)| name.parse::<Figure>().ok());
    for figure in figures {
        if let Some(value) = figure.of(results) {
            // A string takes what is written.
            let _ = writeln!(text, "{figure},{value}");
        }
    }
    for (name, count) in &results.measures().counts {
        let _ = writeln!(text, "count_{name},{count}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::results::tests::results;

    #[test]
    fn a_row_for_each_figure_that_there_is() {
        let text = to_csv(&results(1, 1, &[1_000, 3_000]));
        assert!(text.starts_with("figure,value\nasked_per_s,10\nbegun_share,1\n"), "{text}");
        assert!(text.contains("\nlag_max_ms,3\n") && text.ends_with("count_calls,10\n"), "{text}");
        assert!(!text.contains("service_level") && !text.contains("bye_p50_ms"), "{text}");
        let names: Vec<&str> = text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert!(names.iter().all(|name| name.parse::<Figure>().is_ok()));
    }
}
