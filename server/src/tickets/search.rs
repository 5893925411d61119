//! Search in subjects, fields, tags and texts.

use std::collections::BTreeSet;

use super::{Line, Ticket};
use crate::document::{Document, Read, decode};
use crate::http::Problem;
use crate::storage::{Range, Reader};
use crate::words::{grams, searched};

/// Most entries of the index that are looked at for one search.
const LOOKED_AT: usize = 5_000;
/// Most pairs that are counted to find the rarest.
const COUNTED: usize = 6;

/// What was found: the tickets, the newest first, and whether there may be more than could be looked at.
pub(crate) struct Found {
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) cut: bool,
}

/// Tickets in which a text occurs, in words next to each other, whatever the case or width of its letters.
///
/// # Errors
/// Where the text is too short, or storage cannot be read.
pub(crate) fn search(reader: &mut dyn Reader, text: &str) -> Result<Found, Problem> {
    let wanted = searched(text);
    let pairs = grams([wanted.as_str()]);
    if pairs.is_empty() {
        return Err(Problem::wrong("q", "two characters next to each other, or more, are right"));
    }
    let mut cut = false;
    let mut ids = BTreeSet::new();
    for (kind, is_line) in [(Ticket::KIND, false), (Line::KIND, true)] {
        let mut rarest: Option<(u64, &String)> = None;
        for pair in pairs.iter().take(COUNTED) {
            let (from, to) = (format!("{pair}:"), format!("{pair};"));
            let range = Range { index: Some("gram"), from: Some(&from), to: Some(&to), ..Range::all(kind, 0) };
            let count = reader.count(&range)?;
            if rarest.is_none_or(|(least, _)| count < least) {
                rarest = Some((count, pair));
            }
        }
        let Some((count, pair)) = rarest.filter(|(count, _)| *count > 0) else { continue };
        cut |= count > LOOKED_AT as u64;
        let (from, to) = (format!("{pair}:"), format!("{pair};"));
        let all = Range::all(kind, LOOKED_AT);
        let range = Range { index: Some("gram"), from: Some(&from), to: Some(&to), descending: true, ..all };
        for listed in reader.list(&range)? {
            if is_line {
                let line = decode::<Line>(&listed.document)?;
                if line.text().is_some_and(|text| searched(text).contains(&wanted)) {
                    ids.insert(line.ticket);
                }
            } else {
                let ticket = decode::<Ticket>(&listed.document)?;
                let mut texts = [&ticket.subject].into_iter().chain(ticket.fields.values()).chain(&ticket.tags);
                if texts.any(|text| searched(text).contains(&wanted)) {
                    ids.insert(ticket.id);
                }
            }
        }
    }
    let mut tickets = Vec::new();
    for id in ids {
        tickets.extend(reader.document::<Ticket>(id)?);
    }
    tickets.sort_by_key(|ticket| std::cmp::Reverse((ticket.changed_us, ticket.id)));
    Ok(Found { tickets, cut })
}
