//! How many more operators each hour of the day would have needed.

use super::{Setup, Sums, ValidateError};

/// An hour of the day that missed the target.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Need {
    /// Hour of the day.
    pub hour: usize,
    /// Operators to add on every day.
    pub extra: u32,
    /// Counts as staffed.
    pub before: Sums,
    /// Counts with the additions of all hours.
    pub after: Sums,
}

/// Most operators that are added to an hour before it is given up.
const MOST: u32 = 40;

/// The least additions, hour by hour, that bring every hour to `target`: answered in time ÷ all calls, over all days.
///
/// Operators are added to every hour below the target until none is; then each hour gives one back where the target holds
/// without. Hours hand waiting callers on to the next, so the additions belong together.
///
/// # Errors
/// As [`Setup::run`].
pub fn needed(setup: &Setup<'_>, target: f64, replications: u32) -> Result<Vec<Need>, ValidateError> {
    let level = |sums: &Sums| sums.figures()[2];
    let mut extra = [0_u32; 24];
    let before = setup.by_hour(replications, &extra)?;
    let mut after = before;
    loop {
        let low: Vec<usize> =
            (0..24).filter(|h| after[*h].n > 0.0 && level(&after[*h]) < target && extra[*h] < MOST).collect();
        if low.is_empty() {
            break;
        }
        for h in low {
            // Far from the target several at once.
            extra[h] += if target - level(&after[h]) > 0.3 { 2 } else { 1 };
        }
        after = setup.by_hour(replications, &extra)?;
    }
    for h in 0..24 {
        if extra[h] > 0 {
            let mut fewer = extra;
            fewer[h] -= 1;
            let sums = setup.by_hour(replications, &fewer)?;
            if (0..24).all(|i| sums[i].n == 0.0 || level(&sums[i]) >= target.min(level(&after[i]))) {
                (extra, after) = (fewer, sums);
            }
        }
    }
    Ok((0..24)
        .filter(|h| before[*h].n > 0.0)
        .map(|h| Need { hour: h, extra: extra[h], before: before[h], after: after[h] })
        .collect())
}
