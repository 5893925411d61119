//! Chats with customers: who writes with whom, what was written, and what the customer thought of it. The engine decides
//! who is offered a chat; texts are documents, written in the commit of whatever they belong to.

mod customers;
mod live;
mod operators;
mod presence;
mod projection;
mod stream;
mod writing;

use callfloor_engine::ChatId;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use customers::TOKEN as CUSTOMER_TOKEN;
pub use live::{ChatNotice, LiveChats};
pub use presence::keep_presence;
pub use projection::ChatHistory;
pub(crate) use writing::{text, transcript};

use crate::auth::Row;
use crate::document::Document;
use crate::http::{App, ChatRef, TicketRef};
use crate::storage::{IndexKey, Kind, key_of};

/// Rows of the routes of chats.
pub(crate) fn permissions() -> impl Iterator<Item = &'static Row> {
    [customers::PERMISSIONS, stream::PERMISSIONS, operators::PERMISSIONS].into_iter().flatten()
}

/// The routes of chats.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(customers::router()).merge(stream::router()).merge(operators::router())
}

/// Longest text of a message, in characters.
pub(crate) const TEXT_LIMIT: usize = 4_000;
/// Longest comment of an evaluation, in characters.
pub(crate) const COMMENT_LIMIT: usize = 1_000;
/// Most messages of one chat.
pub(crate) const MESSAGES_LIMIT: u64 = 2_000;
/// Numbers of messages that one chat has: room for the lines that the engine's events add.
const MESSAGES_OF_A_CHAT: u64 = 1 << 16;
/// How long a customer's token reads and evaluates a chat that is over, in microseconds: a week.
const TOKEN_LIFE_US: u64 = 7 * 24 * 3_600 * 1_000_000;

/// Where a chat stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChatState {
    /// In a queue, or shown to an operator who has not taken it yet.
    Waiting,
    /// With an operator.
    Talking,
    /// Over.
    Ended,
}

/// How a chat came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChatEnding {
    /// The customer left before an operator came.
    Abandoned,
    /// The queue's maximum wait passed.
    MaximumWait,
    /// The customer left, or lost the connection for longer than the grace.
    CustomerLeft,
    /// The operator ended it.
    OperatorEnded,
}

/// The record that a chat is under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ChatCustomer {
    /// The record's number.
    pub record: u64,
    /// How they are known.
    pub by: KnownBy,
}

/// How a chat's customer is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// They named a telephone number that the record has: nobody has proved that it is theirs.
    Number,
    /// They held the token of an earlier chat under it.
    EarlierChat,
    /// They are a member: the organisation's own system said so of their token.
    Member,
    /// An operator or supervisor entered it.
    Desk,
}

/// What a customer thought of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Evaluation {
    /// 1 (bad) to 5 (good).
    pub score: u8,
    /// In their own words.
    pub comment: Option<String>,
    /// When, in microseconds since 1970.
    pub at_us: u64,
}

/// A chat, live or over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    /// Its number.
    pub id: u64,
    /// Hash of the customer's token.
    pub token: String,
    /// What the engine calls it; `None` only within the turn that opens it.
    pub chat: Option<ChatRef>,
    /// Its last queue.
    pub queue: u16,
    /// That queue's service.
    pub service: u16,
    /// What the customer calls themselves.
    pub name: String,
    /// The customer's record, and how they are known.
    #[serde(default)]
    pub customer: Option<ChatCustomer>,
    /// Where it stands.
    pub state: ChatState,
    /// Who has it, or had it last.
    pub operator: Option<u32>,
    /// Its ticket: made when the first operator takes it.
    pub ticket: Option<TicketRef>,
    /// The number of its last message; messages are numbered from 1 without gaps.
    pub messages: u64,
    /// When it was opened, in microseconds since 1970.
    pub opened_us: u64,
    /// When an operator first took it.
    pub answered_us: Option<u64>,
    /// When it ended.
    pub ended_us: Option<u64>,
    /// How it ended.
    pub ending: Option<ChatEnding>,
    /// What the customer thought of it.
    pub evaluation: Option<Evaluation>,
}

/// The key of the engine's name for a chat.
pub(crate) fn chat_key(chat: ChatId) -> String {
    ChatRef(chat).to_string()
}

impl Document for Chat {
    const KIND: Kind = "chat";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys = vec![IndexKey::new("token", self.token.as_str()), IndexKey::new("all", "")];
        keys.extend(self.chat.map(|chat| IndexKey::new("chat", chat.to_string())));
        keys.extend(self.ticket.map(|ticket| IndexKey::new("ticket", ticket.to_string())));
        keys.push(IndexKey::new("service", self.service.to_string()));
        let customer = self.customer.map(|known| format!("{}:{}", known.record, key_of(self.opened_us)));
        keys.extend(customer.map(|customer| IndexKey::new("customer", customer)));
        keys.extend(self.operator.map(|operator| IndexKey::new("operator", operator.to_string())));
        if self.state != ChatState::Ended {
            keys.push(IndexKey::new("live-all", ""));
            keys.push(IndexKey::new("live", self.service.to_string()));
            keys.extend(self.operator.map(|operator| IndexKey::new("live-operator", operator.to_string())));
        }
        keys
    }
}

/// Who wrote a line of a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Author {
    /// The customer.
    Customer,
    /// The operator who had the chat.
    Operator,
    /// Nobody: the line says what happened to the chat.
    System,
}

/// What happened to a chat, as a line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ChatLine {
    /// An operator took it.
    Answered,
    /// It was handed on, and waits again.
    Transferred,
    /// It is over.
    Ended,
}

/// A line of a chat.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Made of the chat's number and the line's.
    pub id: u64,
    /// Whose chat.
    pub chat: u64,
    /// 1 for the chat's first line; no gaps.
    pub sequence: u64,
    /// When, in microseconds since 1970.
    pub at_us: u64,
    /// Who.
    pub from: Author,
    /// Which operator.
    pub operator: Option<u32>,
    /// What was written; empty where something happened.
    pub text: String,
    /// What happened.
    pub line: Option<ChatLine>,
    /// The name that the client gave the message, so that it is kept once however often it is sent.
    pub key: Option<String>,
}

impl Chat {
    /// Whether the customer's token still opens it: until a week after its end.
    pub(crate) fn token_opens(&self, now_us: u64) -> bool {
        self.ended_us.is_none_or(|ended| now_us < ended.saturating_add(TOKEN_LIFE_US))
    }
}

impl ChatMessage {
    /// The number of a line's document.
    #[must_use]
    pub const fn number(chat: u64, sequence: u64) -> u64 {
        chat * MESSAGES_OF_A_CHAT + sequence
    }

    /// The key by which a message is known again.
    #[must_use]
    pub fn name(chat: u64, from: Author, key: &str) -> String {
        format!("{}:{from:?}:{key}", key_of(chat))
    }
}

impl Document for ChatMessage {
    const KIND: Kind = "chat-message";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let named = self.key.as_ref().map(|key| IndexKey::new("name", Self::name(self.chat, self.from, key)));
        named.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_opens_its_chat_until_a_week_after_its_end() {
        let mut chat = Chat {
            id: 1,
            token: String::new(),
            chat: None,
            queue: 0,
            service: 0,
            name: String::new(),
            customer: None,
            state: ChatState::Waiting,
            operator: None,
            ticket: None,
            messages: 0,
            opened_us: 0,
            answered_us: None,
            ended_us: None,
            ending: None,
            evaluation: None,
        };
        assert!(chat.token_opens(u64::MAX), "it goes on");
        chat.ended_us = Some(10);
        assert_eq!([9 + TOKEN_LIFE_US, 10 + TOKEN_LIFE_US].map(|now| chat.token_opens(now)), [true, false]);
    }
}
