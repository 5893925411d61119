//! How a line comes into a chat, and how lines are read.

use serde::{Deserialize, Serialize};

use super::{Author, Chat, ChatLine, ChatMessage, ChatNotice, ChatState, MESSAGES_LIMIT, TEXT_LIMIT};
use crate::document::Read;
use crate::host::{Documents, Turn};
use crate::http::Problem;
use crate::storage::{Range, Reader, key_of};

/// Most lines that one request reads.
pub(super) const PAGE: usize = 200;

/// A line of a chat as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ChatMessage)]
pub(super) struct Line {
    /// 1 for the chat's first line; no gaps.
    pub(super) sequence: u64,
    /// When, in microseconds since 1970.
    pub(super) at_us: u64,
    /// Who wrote it.
    pub(super) from: Author,
    /// Which operator, by number; customers are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) operator: Option<u32>,
    /// What was written; empty where something happened.
    pub(super) text: String,
    /// What happened to the chat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<ChatLine>,
}

impl Line {
    fn of(message: ChatMessage, for_customer: bool) -> Self {
        let ChatMessage { sequence, at_us, from, operator, text, line, .. } = message;
        Self { sequence, at_us, from, operator: operator.filter(|_| !for_customer), text, line }
    }
}

/// Where to go on reading.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Cursor {
    /// The number of the last line that is known; 0: from the first.
    #[serde(default)]
    pub(super) after: u64,
    /// At most so many lines: 1 to 200.
    pub(super) limit: Option<usize>,
}

/// A message to be written.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Writing {
    /// 1 to 4 000 characters.
    #[schema(min_length = 1, max_length = 4000)]
    pub(super) text: String,
}

/// Lines of a chat after the cursor, from what is committed.
pub(super) fn lines(
    reader: &mut dyn Reader,
    chat: u64,
    cursor: Cursor,
    for_customer: bool,
) -> Result<Vec<Line>, Problem> {
    let limit = cursor.limit.unwrap_or(PAGE).clamp(1, PAGE);
    let last = ChatMessage::number(chat + 1, 0);
    let from = key_of(ChatMessage::number(chat, 1).saturating_add(cursor.after).min(last));
    let to = key_of(last);
    let range = Range {
        from: Some(&from),
        to: Some(&to),
        ..Range::all(<ChatMessage as crate::document::Document>::KIND, limit)
    };
    let found = reader.documents::<ChatMessage>(&range)?;
    Ok(found.into_iter().map(|message| Line::of(message, for_customer)).collect())
}

/// Everything that was written in a chat and happened to it, in order.
pub(crate) fn transcript(reader: &mut dyn Reader, chat: u64) -> Result<Vec<ChatMessage>, Problem> {
    let (from, to) = (key_of(ChatMessage::number(chat, 0)), key_of(ChatMessage::number(chat + 1, 0)));
    let all = Range::all(<ChatMessage as crate::document::Document>::KIND, usize::MAX);
    Ok(reader.documents::<ChatMessage>(&Range { from: Some(&from), to: Some(&to), ..all })?)
}

/// A text that can be kept: not empty, not too long, without control characters but line breaks and tabs.
pub(crate) fn text(field: &str, text: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if !(1..=most).contains(&length) {
        return Err(Problem::wrong(field, format!("a text of {length} characters: 1 to {most} are right")));
    }
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Problem::wrong(
            field,
            "control characters other than line breaks and tabs are not right in a text",
        ));
    }
    Ok(text.to_owned())
}

/// Who writes: the author, and the operator's number.
#[derive(Clone, Copy, Debug)]
pub(super) struct By {
    pub(super) author: Author,
    pub(super) operator: Option<u32>,
}

impl Chat {
    /// The next line, which is then no longer free.
    pub(super) fn next_message(&mut self, at_us: u64, from: Author, text: String) -> ChatMessage {
        self.messages += 1;
        ChatMessage {
            id: ChatMessage::number(self.id, self.messages),
            chat: self.id,
            sequence: self.messages,
            at_us,
            from,
            operator: None,
            text,
            line: None,
            key: None,
        }
    }

    /// The message that was sent under a key before.
    pub(super) fn sent_before(
        &self,
        documents: &mut Documents,
        from: Author,
        key: Option<&str>,
        wanted: &str,
    ) -> Result<Option<ChatMessage>, Problem> {
        let Some(key) = key else { return Ok(None) };
        let found = documents.find::<ChatMessage>("name", &ChatMessage::name(self.id, from, key))?;
        if found.as_ref().is_some_and(|found| found.text != wanted) {
            return Err(Problem::new(
                axum::http::StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "this idempotency key was used for another message: take a new one",
            ));
        }
        Ok(found)
    }

    /// Writes a message into a live chat; one that was sent under its key before is written once.
    pub(super) fn write(
        mut self,
        turn: &mut Turn<'_>,
        by: By,
        wanted: &str,
        key: Option<String>,
    ) -> Result<(Line, Option<ChatNotice>), Problem> {
        let wanted = text("text", wanted, TEXT_LIMIT)?;
        let for_customer = by.author == Author::Customer;
        if let Some(before) = self.sent_before(turn.documents(), by.author, key.as_deref(), &wanted)? {
            return Ok((Line::of(before, for_customer), None));
        }
        let Some(chat) = self.chat.filter(|_| self.state != ChatState::Ended) else {
            return Err(Problem::conflict("chat-ended", "this chat is over: open another one"));
        };
        if self.messages >= MESSAGES_LIMIT {
            let detail = format!("this chat has {MESSAGES_LIMIT} messages, and no more are taken: open another one");
            return Err(Problem::conflict("chat-too-long", detail));
        }
        let mut message = self.next_message(turn.now().as_micros(), by.author, wanted);
        message.operator = by.operator;
        message.key = key;
        let operator = self.operator.filter(|_| self.state == ChatState::Talking);
        let documents = turn.documents();
        documents.put(&message);
        documents.put(&self);
        let notice = ChatNotice {
            chat: chat.0,
            sequence: message.sequence,
            from: by.author,
            operator: operator.map(callfloor_engine::OperatorId),
        };
        Ok((Line::of(message, for_customer), Some(notice)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_bounds() {
        assert_eq!(text("text", "  Good day\n", TEXT_LIMIT).unwrap(), "Good day");
        assert_eq!(text("text", " \n", TEXT_LIMIT).unwrap_err().rule, "text");
        assert!(text("text", &"あ".repeat(TEXT_LIMIT), TEXT_LIMIT).is_ok(), "characters are counted, not bytes");
        assert!(text("text", &"あ".repeat(TEXT_LIMIT + 1), TEXT_LIMIT).is_err());
        assert!(text("text", "a\u{7}b", TEXT_LIMIT).is_err());
    }
}
