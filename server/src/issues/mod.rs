//! Issues: tickets that a desk escalates to a service of the second kind. An issue is a ticket of its own, linked with the
//! one it was made of; how it ends changes that one's status as a setting of its service says, and both histories tell it.

mod follow;
mod open;

use serde::{Deserialize, Serialize};

pub(crate) use follow::{apply, is_above};
pub(crate) use open::{Wanted, open, reopen};

use crate::wire::{Resolution, TicketStatus};

/// What a service takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// What customers bring: calls, chats, callbacks, tickets.
    #[default]
    Desk,
    /// Escalated tickets alone.
    Issues {
        /// What its operators are shown beside what is written in the issue.
        shows: Shows,
    },
}

impl ServiceKind {
    /// Whether it takes escalated tickets alone.
    #[must_use]
    pub const fn is_issues(self) -> bool {
        matches!(self, Self::Issues { .. })
    }

    /// What its operators are shown of customers: everything on a desk.
    #[must_use]
    pub const fn shows(self) -> Shows {
        match self {
            Self::Desk => Shows::Case,
            Self::Issues { shows } => shows,
        }
    }
}

/// What operators of an issue service are shown, beside what is written in the issue. Each includes the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shows {
    /// Nothing: the issue bears no customer.
    Nothing,
    /// The customer's record.
    Customer,
    /// The escalated ticket with its history too.
    Case,
}

/// What becomes of a service's ticket whose issue is opened, solved or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Escalation {
    /// While an issue of it is open: when it is escalated, and when an issue is opened again.
    pub while_open: Then,
    /// When its last open issue is solved.
    pub on_solved: Then,
    /// When its last open issue is refused.
    pub on_refused: Then,
}

impl Default for Escalation {
    /// Its clocks stand while somebody else is at work; then the desk tells the customer.
    fn default() -> Self {
        Self { while_open: Then::Pending, on_solved: Then::Open, on_refused: Then::Open }
    }
}

impl Escalation {
    const fn on(self, verdict: Verdict) -> Then {
        match verdict {
            Verdict::Solved => self.on_solved,
            Verdict::Refused => self.on_refused,
        }
    }
}

/// What a ticket's status becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// As it was.
    Stays,
    /// To be worked on.
    Open,
    /// Its clocks stand.
    Pending,
    /// Done.
    Solved,
}

/// How an issue ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// What was asked for is done.
    Solved,
    /// It is not done.
    Refused,
}

/// The end of an issue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Outcome {
    /// How it ended.
    pub verdict: Verdict,
    /// Why, in the words of who ended it; empty where they gave none.
    pub reason: String,
    /// When, in microseconds since 1970.
    pub at_us: u64,
}

impl Outcome {
    /// Of an issue that was solved as any other ticket is.
    fn of(resolution: Option<Resolution>, at_us: u64) -> Self {
        let verdict = match resolution {
            Some(Resolution::Spam | Resolution::Abuse | Resolution::Test | Resolution::Duplicate) => Verdict::Refused,
            Some(Resolution::Answered | Resolution::ByCall | Resolution::ByChat) | None => Verdict::Solved,
        };
        Self { verdict, reason: String::new(), at_us }
    }
}

/// Why a ticket's status did not follow its issue's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// Another issue of it is open.
    OtherIssue,
    /// It was solved already.
    Solved,
    /// It is closed for good.
    Closed,
    /// It cannot be solved without a field that is empty: it is open.
    FieldRequired,
}

/// Whether nobody works on a ticket that stands so.
pub(crate) const fn is_settled(status: TicketStatus) -> bool {
    matches!(status, TicketStatus::Solved | TicketStatus::Closed)
}
