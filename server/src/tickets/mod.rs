//! Tickets: what the engine does not need to decide about them. The engine has status, owner, clocks and queue of those
//! that are not Closed; here are subject, texts, fields and the whole history, of closed ones too.

mod clocks;
mod follow_up;
mod histories;
mod line;
mod lists;
mod nobodys;
mod search;

use std::collections::BTreeMap;

use callfloor_engine::{OperatorId, TicketId};
use serde::{Deserialize, Serialize};

pub use clocks::Clocks;
pub use follow_up::created;
pub(crate) use follow_up::{customer_wrote, link};
pub(crate) use histories::Histories;
pub use line::{Line, LineKind};
pub use lists::{Category, CustomField, FieldKind, Template};
pub(crate) use lists::{MOST_LISTED, missing_field};
pub(crate) use nobodys::{COUNTED, NOBODYS, count, index_nobodys};
pub(crate) use search::{Found, search};

use crate::document::Document;
use crate::host::Documents;
use crate::http::{CallRef, ChatRef};
use crate::issues::Outcome;
use crate::storage::{IndexKey, Kind, StorageError, key_of};
use crate::wire::{Resolution, TicketStatus};
use crate::words::grams;

/// A ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Ticket {
    /// Its running number: what people say.
    pub id: u64,
    /// Where the engine keeps it while it is not Closed.
    #[serde(default)]
    pub slot: u32,
    /// Raised by every change, of the engine's part and of ours: the `ETag`.
    pub revision: u64,
    /// The service.
    pub service: u16,
    /// Where it comes from.
    pub origin: Origin,
    /// In a line.
    pub subject: String,
    /// A category's number.
    pub category: Option<u64>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Values of custom fields, by the fields' numbers.
    #[schema(value_type = BTreeMap<String, String>)]
    pub fields: BTreeMap<u64, String>,
    /// The customer's record.
    pub customer: Option<u64>,
    /// Whose it is.
    pub owner: Option<u32>,
    /// The queue in which it waits, or from which it was assigned.
    pub queue: Option<u16>,
    /// Where it stands.
    pub status: TicketStatus,
    /// Why it was solved or closed.
    pub resolution: Option<Resolution>,
    /// Greater goes first.
    pub priority: u8,
    /// When it was made, in microseconds since 1970.
    pub created_us: u64,
    /// When anything last happened to it.
    pub changed_us: u64,
    /// What its clocks had counted when the engine last changed it.
    pub clocks: Clocks,
    /// When that was, in microseconds since 1970.
    pub clocks_at_us: u64,
    /// When a reply first went to the customer.
    pub first_reply_us: Option<u64>,
    /// When it was last solved.
    pub solved_us: Option<u64>,
    /// When it was closed for good.
    pub closed_us: Option<u64>,
    /// Whether the first reply was late.
    pub first_response_late: bool,
    /// Whether the resolution was late.
    pub resolution_late: bool,
    /// How often it was opened again.
    pub reopened: u32,
    /// The customer's score, 1 to 5.
    pub score: Option<u8>,
    /// Tickets that it concerns.
    pub linked: Vec<u64>,
    /// The ticket that it became part of.
    pub merged_into: Option<u64>,
    /// Tickets that became part of it.
    pub absorbed: Vec<u64>,
    /// The ticket that was escalated to make this one: this one is an issue then.
    #[serde(default)]
    pub escalated_from: Option<u64>,
    /// Issues that were made of it.
    #[serde(default)]
    pub issues: Vec<u64>,
    /// How it ended, where it is an issue that has.
    #[serde(default)]
    pub outcome: Option<Outcome>,
    /// Of the command that made it.
    pub reference: u64,
}

/// Where a ticket comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// An inbound call.
    PhoneIn(CallRef),
    /// An outbound call.
    PhoneOut(CallRef),
    /// A chat.
    Chat(ChatRef),
    /// A message left by a caller.
    Voicemail(CallRef),
    /// Mail or a web form.
    Written,
}

impl From<callfloor_engine::TicketOrigin> for Origin {
    fn from(origin: callfloor_engine::TicketOrigin) -> Self {
        use callfloor_engine::TicketOrigin as O;
        match origin {
            O::PhoneIn(call) => Self::PhoneIn(call.into()),
            O::PhoneOut(call) => Self::PhoneOut(call.into()),
            O::Chat(chat) => Self::Chat(chat.into()),
            O::Voicemail(call) => Self::Voicemail(call.into()),
            O::Written => Self::Written,
        }
    }
}

/// A status as it stands in keys and addresses.
#[must_use]
pub const fn status_word(status: TicketStatus) -> &'static str {
    match status {
        TicketStatus::New => "new",
        TicketStatus::Open => "open",
        TicketStatus::Pending => "pending",
        TicketStatus::Solved => "solved",
        TicketStatus::Closed => "closed",
    }
}

/// An owner as they stand in keys: `none` for nobody.
#[must_use]
pub fn owner_word(owner: Option<u32>) -> String {
    owner.map_or_else(|| "none".to_owned(), |owner| owner.to_string())
}

impl Document for Ticket {
    const KIND: Kind = "ticket";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }

    fn is_over(&self) -> bool {
        self.status == TicketStatus::Closed
    }

    fn keys(&self) -> Vec<IndexKey> {
        let at = key_of(self.changed_us);
        let under = |index, of: &str| IndexKey::new(index, format!("{of}:{at}"));
        let (status, owner) = (status_word(self.status), owner_word(self.owner));
        let mut keys = vec![
            IndexKey::new("changed", at.as_str()),
            under("status", status),
            under("owner", &owner),
            under("owner-status", &format!("{owner}/{status}")),
            under("service-status", &format!("{}/{status}", self.service)),
        ];
        keys.extend(nobodys::key(self, &at));
        keys.extend(self.customer.map(|customer| under("customer", &customer.to_string())));
        keys.extend(self.category.map(|category| under("category", &category.to_string())));
        keys.extend(self.tags.iter().map(|tag| under("tag", tag)));
        let texts = [self.subject.as_str()].into_iter().chain(self.fields.values().map(String::as_str));
        let found = grams(texts.chain(self.tags.iter().map(String::as_str)));
        keys.extend(found.into_iter().map(|gram| IndexKey::new("gram", format!("{gram}:{}", key_of(self.id)))));
        keys
    }
}

impl Ticket {
    /// The engine's id of a ticket that is not Closed.
    #[must_use]
    pub fn live(&self) -> Option<TicketId> {
        let number = u32::try_from(self.id).ok().filter(|_| self.status != TicketStatus::Closed)?;
        Some(TicketId::from_parts(number, self.slot))
    }

    /// Changes what is kept of a ticket, under a new revision.
    ///
    /// # Errors
    /// What storage says.
    pub fn edit(
        documents: &mut Documents,
        id: u64,
        now_us: u64,
        edit: impl FnOnce(&mut Self),
    ) -> Result<(), StorageError> {
        documents.edit(id, |ticket: &mut Self| {
            edit(ticket);
            ticket.revision += 1;
            ticket.changed_us = now_us;
        })
    }

    /// Whose desk it is on.
    #[must_use]
    pub fn owned_by(&self, operator: OperatorId) -> bool {
        self.owner == Some(operator.0)
    }
}
