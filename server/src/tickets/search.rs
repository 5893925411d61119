//! Search in subjects, fields, tags and texts: bounded, however many tickets there are.

use std::collections::BTreeSet;

use super::{Line, Ticket};
use crate::document::{Document, Read, decode};
use crate::http::Problem;
use crate::storage::{Kind, Listed, Range, Reader, StorageError};
use crate::words::{grams, searched};

/// Most entries of each index that are looked at for one search, the newest tickets first.
const LOOKED_AT: usize = 5_000;
/// So many are read at a time.
const AT_A_TIME: usize = 500;
/// Most tickets that are found: who wants to see more gives more of the text.
const MOST: usize = 1_000;
/// Most pairs that are counted to find the rarest.
const COUNTED: usize = 6;

/// What was found.
#[derive(Debug)]
pub(crate) struct Found {
    /// The tickets, the last changed first.
    pub(crate) tickets: Vec<Ticket>,
    /// Whether there may be more than were looked at.
    pub(crate) at_least: bool,
}

/// Tickets that fit, and in which a text occurs in words next to each other, whatever the case or width of its letters.
///
/// At most 5,000 tickets and 5,000 lines that have the text's rarest pair of characters are looked at, and at most 1,000
/// tickets found: O(1) in the number of tickets.
///
/// # Errors
/// Where the text is too short, or storage cannot be read.
pub(crate) fn search(reader: &mut dyn Reader, text: &str, fits: impl Fn(&Ticket) -> bool) -> Result<Found, Problem> {
    let wanted = searched(text);
    let pairs = grams([wanted.as_str()]);
    if pairs.is_empty() {
        return Err(Problem::wrong("q", "two characters next to each other, or more, are right"));
    }
    let mut search = Search { wanted, seen: BTreeSet::new(), tickets: Vec::new(), at_least: false };
    search.go_over::<Ticket>(reader, &pairs, |search, _, ticket| {
        let mut others = ticket.fields.values().chain(&ticket.tags);
        let is_in = search.is_in(&ticket.subject) || others.any(|text| search.is_in(text));
        if is_in && search.seen.insert(ticket.id) && fits(&ticket) {
            search.tickets.push(ticket);
        }
        Ok(())
    })?;
    search.go_over::<Line>(reader, &pairs, |search, reader, line| {
        if line.text().is_some_and(|text| search.is_in(text)) && search.seen.insert(line.ticket) {
            search.tickets.extend(reader.document::<Ticket>(line.ticket)?.filter(|ticket| fits(ticket)));
        }
        Ok(())
    })?;
    let Search { mut tickets, at_least, .. } = search;
    tickets.sort_by_key(|ticket| std::cmp::Reverse((ticket.changed_us, ticket.id)));
    Ok(Found { tickets, at_least })
}

struct Search {
    wanted: String,
    /// Tickets in which the text occurs, whether they fit or not.
    seen: BTreeSet<u64>,
    /// Those that fit.
    tickets: Vec<Ticket>,
    at_least: bool,
}

impl Search {
    fn is_in(&self, text: &str) -> bool {
        searched(text).contains(&self.wanted)
    }

    /// Goes over the documents of a kind that have the rarest of the pairs.
    fn go_over<D: Document>(
        &mut self,
        reader: &mut dyn Reader,
        pairs: &BTreeSet<String>,
        mut each: impl FnMut(&mut Self, &mut dyn Reader, D) -> Result<(), StorageError>,
    ) -> Result<(), StorageError> {
        let Some(pair) = rarest(reader, D::KIND, pairs)? else { return Ok(()) };
        let (from, to) = (format!("{pair}:"), format!("{pair};"));
        let mut after: Option<(String, u64)> = None;
        let mut looked_at = 0;
        loop {
            let range = Range {
                index: Some("gram"),
                from: Some(&from),
                to: Some(&to),
                after: after.as_ref().map(|(key, id)| (key.as_str(), *id)),
                descending: true,
                ..Range::all(D::KIND, AT_A_TIME)
            };
            let listed = reader.list(&range)?;
            looked_at += listed.len();
            let is_last = listed.len() < AT_A_TIME;
            for Listed { key, document } in listed {
                after = Some((key, document.id));
                each(self, reader, decode(&document)?)?;
            }
            if is_last {
                return Ok(());
            }
            if looked_at >= LOOKED_AT || self.tickets.len() >= MOST {
                self.at_least = true;
                return Ok(());
            }
        }
    }
}

/// The pair that the fewest documents of a kind have; `None` where one of them is in none.
fn rarest<'a>(
    reader: &mut dyn Reader,
    kind: Kind,
    pairs: &'a BTreeSet<String>,
) -> Result<Option<&'a str>, StorageError> {
    let mut rarest: Option<(u64, &str)> = None;
    for pair in pairs.iter().take(COUNTED) {
        let (from, to) = (format!("{pair}:"), format!("{pair};"));
        let range = Range { index: Some("gram"), from: Some(&from), to: Some(&to), ..Range::all(kind, 0) };
        // More than are looked at is enough to know of a pair that is common.
        let most = rarest.map_or(LOOKED_AT as u64 + 1, |(least, _)| least);
        let count = reader.count_up_to(&range, most)?;
        if rarest.is_none_or(|(least, _)| count < least) {
            rarest = Some((count, pair));
        }
        if count == 0 {
            return Ok(None);
        }
    }
    Ok(rarest.map(|(_, pair)| pair))
}
