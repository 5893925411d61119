//! One line of a ticket's history: what happened, when, and who asked for it. Lines are only ever added.

use serde::{Deserialize, Serialize};

use super::Origin;
use crate::document::Document;
use crate::host::Documents;
use crate::issues::{Kept, Verdict};
use crate::storage::{IndexKey, Kind, StorageError, key_of};
use crate::wire::{FarEndFault, Resolution, TicketStatus};
use crate::words::grams;

/// A line of a ticket's history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = TicketLine)]
pub struct Line {
    /// Its number: later lines have greater ones.
    pub id: u64,
    /// Which ticket.
    pub ticket: u64,
    /// When, in microseconds since 1970.
    pub at_us: u64,
    /// The account that asked for it; `null` for the customer, the telephones and time.
    pub by: Option<u64>,
    /// What.
    #[serde(flatten)]
    pub kind: LineKind,
}

/// What happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "line", rename_all = "kebab-case")]
pub enum LineKind {
    /// It was made.
    Created {
        /// From what.
        origin: Origin,
        /// With this owner.
        owner: Option<u32>,
    },
    /// The matter, as it was written down when the ticket was made.
    Description {
        /// The text.
        text: String,
    },
    /// Another status.
    Status {
        /// Before.
        from: TicketStatus,
        /// Now.
        to: TicketStatus,
        /// Why, where it is Solved or Closed.
        resolution: Option<Resolution>,
    },
    /// Another owner.
    Owner {
        /// Before.
        from: Option<u32>,
        /// Now.
        to: Option<u32>,
    },
    /// Another priority.
    Priority {
        /// Now.
        priority: u8,
    },
    /// It waits in a queue.
    Queued {
        /// Which.
        queue: u16,
    },
    /// A queue gave it to an operator.
    Assigned {
        /// Which queue.
        queue: u16,
        /// To whom.
        operator: u32,
    },
    /// It was not worked on in time and went back to its queue.
    Returned {
        /// Which.
        queue: u16,
    },
    /// The dial of its call came to nothing.
    DialFailed {
        /// Why.
        cause: FarEndFault,
    },
    /// A reply went to the customer.
    Replied {
        /// Who replied.
        operator: u32,
    },
    /// The customer wrote.
    CustomerReplied,
    /// A note for operators.
    Note {
        /// The text.
        text: String,
    },
    /// A reply's text.
    Reply {
        /// The text.
        text: String,
    },
    /// A customer's text.
    CustomerReply {
        /// The text.
        text: String,
    },
    /// Subject, category, tags or fields were changed.
    Changed {
        /// Which of them.
        what: Vec<String>,
    },
    /// Another ticket became part of it.
    Absorbed {
        /// Which.
        other: u64,
    },
    /// It became part of another and is Closed.
    MergedInto {
        /// Which.
        other: u64,
    },
    /// It concerns another.
    Linked {
        /// Which.
        other: u64,
    },
    /// An issue was made of it.
    Escalated {
        /// Which.
        issue: u64,
        /// Of which service.
        service: u16,
    },
    /// It is an issue, made of another ticket.
    EscalatedFrom {
        /// Which.
        other: u64,
    },
    /// An issue ended: the line stands with the issue and with the ticket that it was made of.
    IssueSettled {
        /// Which.
        issue: u64,
        /// How.
        verdict: Verdict,
        /// Why, in the words of who ended it.
        reason: String,
        /// Why the ticket's status did not follow; `null` where it did, and with the issue.
        kept: Option<Kept>,
    },
    /// An issue that had ended was opened again: with the issue and with the ticket that it was made of.
    IssueReopened {
        /// Which.
        issue: u64,
    },
    /// The customer's score.
    Rated {
        /// 1 to 5.
        score: u8,
    },
    /// A file came from the customer.
    Attached {
        /// Which.
        attachment: u64,
        /// What it is called.
        name: String,
    },
    /// The first reply is late.
    FirstResponseLate,
    /// The resolution is late.
    ResolutionLate,
}

impl Document for Line {
    const KIND: Kind = "ticket-line";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys = vec![IndexKey::new("ticket", format!("{}:{}", self.ticket, key_of(self.id)))];
        let found = grams(self.text());
        keys.extend(found.into_iter().map(|gram| IndexKey::new("gram", format!("{gram}:{}", key_of(self.ticket)))));
        keys
    }
}

impl Line {
    /// Adds a line; who acts in this turn has asked for it.
    ///
    /// # Errors
    /// What storage says.
    pub fn add(documents: &mut Documents, ticket: u64, at_us: u64, kind: LineKind) -> Result<(), StorageError> {
        let line = Self { id: documents.next_id::<Self>()?, ticket, at_us, by: documents.actor(), kind };
        documents.put(&line);
        Ok(())
    }

    /// What somebody wrote, if the line is a text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            LineKind::Description { text }
            | LineKind::Note { text }
            | LineKind::Reply { text }
            | LineKind::CustomerReply { text }
            | LineKind::IssueSettled { reason: text, .. } => Some(text),
            _ => None,
        }
    }
}
