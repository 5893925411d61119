//! What a [`Range`] means, once for every backend: the positions `(key, id)` strictly between two others.

use super::limits::cut;
use super::{Range, key_of};

/// A position that no document has: it lies before number 0 of its key.
pub(super) const BEFORE: i64 = -1;

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Bounds {
    /// Nothing can lie in the range.
    Nothing,
    /// Documents with numbers from the first to the second, both included.
    Numbers(i64, i64),
    /// Index entries after `lower` and, where there is one, before `upper`.
    Keys { index: String, lower: (String, i64), upper: Option<(String, i64)> },
}

impl Bounds {
    /// Of a list: what is left after its cursor.
    pub(super) fn of(range: &Range<'_>) -> Self {
        Self::read(range, range.after)
    }

    /// Of a count, which has no cursor.
    pub(super) fn of_whole(range: &Range<'_>) -> Self {
        Self::read(range, None)
    }

    fn read(range: &Range<'_>, after: Option<(&str, u64)>) -> Self {
        let mut lower = (cut(range.from.unwrap_or_default()).to_owned(), BEFORE);
        let mut upper = match (range.from, range.to) {
            // The least string after `from` in the order of bytes: only `from` itself lies before it.
            (Some(from), Some("")) => Some((format!("{}\0", cut(from)), BEFORE)),
            (_, to) => to.map(|to| (cut(to).to_owned(), BEFORE)),
        };
        if let Some((key, id)) = after {
            // A number that cannot be stored lies behind every one that can.
            let cursor = (key.to_owned(), i64::try_from(id).unwrap_or(i64::MAX));
            if range.descending {
                upper = Some(upper.map_or(cursor.clone(), |upper| upper.min(cursor)));
            } else {
                lower = lower.max(cursor);
            }
        }
        if upper.as_ref().is_some_and(|upper| *upper <= lower) {
            return Self::Nothing;
        }
        match range.index {
            Some(index) => Self::Keys { index: index.to_owned(), lower, upper },
            None => Self::numbers(&lower, upper.as_ref()),
        }
    }

    /// A document without an index lies at `(key_of(id), id)`, which rises with `id`.
    fn numbers(lower: &(String, i64), upper: Option<&(String, i64)>) -> Self {
        let position = |id: i64| (key_of(id.unsigned_abs()), id);
        let first = least(|id| position(id) > *lower);
        let end = upper.and_then(|upper| least(|id| position(id) >= *upper));
        match (first, end) {
            (Some(first), None) => Self::Numbers(first, i64::MAX),
            (Some(first), Some(end)) if first < end => Self::Numbers(first, end - 1),
            _ => Self::Nothing,
        }
    }
}

/// The least number of which `holds` is true; it is true of every greater one.
fn least(holds: impl Fn(i64) -> bool) -> Option<i64> {
    if !holds(i64::MAX) {
        return None;
    }
    let (mut low, mut high) = (0, i64::MAX);
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Some(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(from: Option<&str>, to: Option<&str>, after: Option<(&str, u64)>, descending: bool) -> Bounds {
        Bounds::of(&Range { from, to, after, descending, ..Range::all("ticket", 10) })
    }

    #[test]
    fn numbers_are_bounded_as_their_keys_are() {
        let (three, nine) = (key_of(3), key_of(9));
        assert_eq!(numbers(None, None, None, false), Bounds::Numbers(0, i64::MAX));
        assert_eq!(numbers(Some(&three), Some(&nine), None, false), Bounds::Numbers(3, 8));
        assert_eq!(numbers(Some(&three), Some(""), None, false), Bounds::Numbers(3, 3));
        assert_eq!(numbers(Some(&nine), Some(&three), None, false), Bounds::Nothing);
        assert_eq!(numbers(None, Some(""), None, false), Bounds::Nothing);
        assert_eq!(numbers(Some(&three), None, Some((&nine, 9)), false), Bounds::Numbers(10, i64::MAX));
        assert_eq!(numbers(Some(&three), None, Some((&nine, 9)), true), Bounds::Numbers(3, 8));
        assert_eq!(numbers(None, None, Some((&key_of(0), 0)), true), Bounds::Nothing);
        assert_eq!(numbers(Some("x"), None, None, false), Bounds::Nothing);
        assert_eq!(numbers(Some("0"), Some("x"), None, false), Bounds::Numbers(0, i64::MAX));
    }
}
