//! Shrinking: the shortest list of steps that still fails the same way.

/// Delta debugging (Zeller, Hildebrandt: "Simplifying and isolating failure-inducing input", 2002), complements only:
/// leaves out ever smaller pieces while `fails` says that what is left still does. At most `budget` trials.
pub fn shrink<T: Clone>(items: &[T], mut budget: usize, mut fails: impl FnMut(&[T]) -> bool) -> Vec<T> {
    let mut left = items.to_vec();
    let mut pieces = 2;
    while left.len() > 1 {
        let size = left.len().div_ceil(pieces);
        let mut shorter = false;
        let mut from = 0;
        while from < left.len() {
            if budget == 0 {
                return left;
            }
            budget -= 1;
            let to = (from + size).min(left.len());
            let mut candidate = left[..from].to_vec();
            candidate.extend_from_slice(&left[to..]);
            if !candidate.is_empty() && fails(&candidate) {
                // The piece after the one that was left out now begins here.
                left = candidate;
                shorter = true;
            } else {
                from = to;
            }
        }
        if size == 1 {
            if !shorter {
                break;
            }
        } else {
            pieces = if shorter { pieces.max(2) } else { pieces * 2 }.min(left.len());
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_two_that_matter() {
        let items: Vec<u32> = (0..1000).collect();
        let mut trials = 0;
        let left = shrink(&items, 10_000, |list| {
            trials += 1;
            list.contains(&17) && list.contains(&801)
        });
        assert_eq!(left, [17, 801]);
        assert!(trials < 300, "{trials} trials");
    }

    #[test]
    fn keeps_to_its_budget() {
        let items: Vec<u32> = (0..1000).collect();
        let mut trials = 0;
        let _ = shrink(&items, 5, |_| {
            trials += 1;
            false
        });
        assert_eq!(trials, 5);
    }
}
