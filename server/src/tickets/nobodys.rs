//! Nobody's tickets by service: the index by which they are counted, which stores of before did not have.

use super::{Ticket, owner_word, status_word};
use crate::document::{Document as _, Read as _};
use crate::host::{Handle, Turn};
use crate::http::Problem;
use crate::storage::{IndexKey, Range, Reader, StorageError};
use crate::wire::TicketStatus;

/// `SERVICE/STATUS:CHANGED` of a ticket that is nobody's and not closed.
pub(crate) const NOBODYS: &str = "nobodys";
/// What is counted.
pub(crate) const COUNTED: [TicketStatus; 4] =
    [TicketStatus::New, TicketStatus::Open, TicketStatus::Pending, TicketStatus::Solved];
/// Tickets that are put again in one turn.
const AT_ONCE: usize = 1_000;

pub(super) fn key(ticket: &Ticket, at: &str) -> Option<IndexKey> {
    let of = format!("{}/{}:{at}", ticket.service, status_word(ticket.status));
    (ticket.owner.is_none() && COUNTED.contains(&ticket.status)).then(|| IndexKey::new(NOBODYS, of))
}

/// How many tickets have keys of an index that begin so.
pub(crate) fn count(reader: &mut dyn Reader, index: &str, of: &str) -> Result<u64, StorageError> {
    let (from, to) = (format!("{of}:"), format!("{of};"));
    reader.count(&Range { index: Some(index), from: Some(&from), to: Some(&to), ..Range::all(Ticket::KIND, 0) })
}

/// Those that the index lacks, where it lacks any.
fn lacking(reader: &mut dyn Reader) -> Result<Vec<u64>, StorageError> {
    let of = COUNTED.map(|status| format!("{}/{}", owner_word(None), status_word(status)));
    let mut all = 0;
    for of in &of {
        all += count(reader, "owner-status", of)?;
    }
    if reader.count(&Range { index: Some(NOBODYS), ..Range::all(Ticket::KIND, 0) })? == all {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for of in &of {
        let (from, to) = (format!("{of}:"), format!("{of};"));
        let all = Range::all(Ticket::KIND, usize::MAX);
        let range = Range { index: Some("owner-status"), from: Some(&from), to: Some(&to), ..all };
        found.extend(reader.documents::<Ticket>(&range)?.iter().map(|ticket| ticket.id));
    }
    Ok(found)
}

/// Puts tickets again that a version of before kept without this index; where there are none, nothing is done.
///
/// # Errors
/// What storage says.
pub(crate) async fn index_nobodys(host: &Handle) -> Result<(), Problem> {
    let lacking = host.read(|reader| lacking(reader)).await?;
    for part in lacking.chunks(AT_ONCE) {
        let part = part.to_vec();
        let put = move |turn: &mut Turn<'_>| {
            for id in part {
                let ticket = turn.documents().get::<Ticket>(id)?;
                ticket.inspect(|ticket| turn.documents().put(ticket));
            }
            Ok::<_, StorageError>(())
        };
        host.tell(put).await??;
    }
    Ok(())
}
