//! Long lists in pages: in the order of an index, from a cursor, with a bound on what is looked at.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Problem;
use crate::document::{Document, decode};
use crate::storage::{Range, Reader};

/// Where a page begins and how long it is.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Window {
    /// At most so many; 50 unless said, 500 at most.
    pub limit: Option<usize>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// A page of a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// Where the next page begins; `null` at the end.
    pub next: Option<String>,
    /// Whether a search found more places than it could look at: more of the text finds better.
    pub cut: bool,
}

/// Most documents that are looked at for one page: a filter that finds little gives short pages.
const LOOKED_AT: usize = 5_000;

/// What a list goes over: an index, with the beginning that its keys have.
#[derive(Clone, Debug)]
pub(crate) struct Over {
    pub index: &'static str,
    /// Empty for all keys.
    pub prefix: String,
    /// The first first, where the rest has the last first.
    pub rising: bool,
}

impl Over {
    /// Everything in an index.
    pub(crate) const fn all(index: &'static str) -> Self {
        Self { index, prefix: String::new(), rising: false }
    }

    /// Keys that begin with `of:`.
    pub(crate) fn of(index: &'static str, of: impl std::fmt::Display) -> Self {
        Self { index, prefix: format!("{of}:"), rising: false }
    }

    /// Keys that begin with `of:`, the first first.
    pub(crate) fn rising(index: &'static str, of: impl std::fmt::Display) -> Self {
        Self { rising: true, ..Self::of(index, of) }
    }
}

impl Window {
    /// How long the page may be.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(50) {
            limit @ 1..=500 => Ok(limit),
            limit => Err(Problem::wrong("limit", format!("a limit of {limit}: 1 to 500 is right"))),
        }
    }

    fn cursor(&self) -> Result<Option<(String, u64)>, Problem> {
        let Some(text) = &self.after else { return Ok(None) };
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let parts = bytes.as_deref().and_then(|text| text.split_once('~'));
        let cursor = parts.and_then(|(id, key)| Some((key.to_owned(), id.parse().ok()?)));
        cursor.map(Some).ok_or_else(|| Problem::wrong("after", "the `next` of a page is right here"))
    }

    /// The page of the documents that `keep` keeps.
    pub(crate) fn page<D: Document>(
        &self,
        reader: &mut dyn Reader,
        over: &Over,
        mut keep: impl FnMut(&D) -> bool,
    ) -> Result<Page<D>, Problem> {
        let (limit, mut cursor) = (self.limit()?, self.cursor()?);
        let end = over.prefix.strip_suffix(':').map(|of| format!("{of};"));
        let mut items = Vec::new();
        let mut looked_at = 0;
        loop {
            let range = Range {
                kind: D::KIND,
                index: Some(over.index),
                from: (!over.prefix.is_empty()).then_some(over.prefix.as_str()),
                to: end.as_deref(),
                after: cursor.as_ref().map(|(key, id)| (key.as_str(), *id)),
                descending: !over.rising,
                limit: limit.max(100),
            };
            let found = reader.list(&range)?;
            let is_last = found.len() < limit.max(100);
            for listed in found {
                looked_at += 1;
                let document = decode::<D>(&listed.document)?;
                cursor = Some((listed.key, listed.document.id));
                if keep(&document) {
                    items.push(document);
                }
                if items.len() == limit {
                    return Ok(Page { items, next: cursor.map(|(key, id)| encode(&key, id)), cut: false });
                }
            }
            if is_last {
                return Ok(Page { items, next: None, cut: false });
            }
            if looked_at >= LOOKED_AT {
                return Ok(Page { items, next: cursor.map(|(key, id)| encode(&key, id)), cut: false });
            }
        }
    }
}

fn encode(key: &str, id: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{id}~{key}"))
}

impl<T> Page<T> {
    /// The same page of what `of` makes of each.
    pub(crate) fn map<U>(self, of: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(of).collect(), next: self.next, cut: self.cut }
    }
}
