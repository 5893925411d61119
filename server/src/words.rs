//! Words to search by: pairs of neighbouring characters, which need no dictionary and serve Japanese as well as English.

use std::collections::BTreeSet;

/// Most pairs that are kept of one document: of a longer text the later part may not be found.
const MOST: usize = 2_000;

/// A text as it is searched: small letters, full-width forms of ASCII narrowed, white space collapsed.
#[must_use]
pub(crate) fn searched(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    };
    let lower: String = text.chars().map(narrow).flat_map(char::to_lowercase).collect();
    lower.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The pairs of some texts, each once.
pub(crate) fn grams<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in texts {
        let text: Vec<char> = searched(text).chars().collect();
        for pair in text.windows(2).filter(|pair| !pair.iter().any(|c| c.is_whitespace() || c.is_control())) {
            if found.len() == MOST {
                return found;
            }
            found.insert(pair.iter().collect());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_both_languages() {
        assert_eq!(searched("  ＡＢＣ　Def\n x"), "abc def x");
        let pairs: Vec<_> = grams(["請求書 no", "NO"]).into_iter().collect();
        assert_eq!(pairs, ["no", "求書", "請求"]);
    }
}
