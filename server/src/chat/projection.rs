//! Chats' documents follow the engine: who took a chat, where it was handed on, its ticket, its end.

use callfloor_engine::{ChatEnd, ChatId, Engine, Event, Instant, Output, TicketOrigin};

use super::{Author, Chat, ChatEnding, ChatLine, ChatState, chat_key};
use crate::host::{Documents, Projection};
use crate::http::{ChatRef, TicketRef};
use crate::storage::StorageError;
use crate::tickets::Ticket;

/// Keeps chats' documents in step with the engine.
#[derive(Debug, Default)]
pub struct ChatHistory(());

impl Projection for ChatHistory {
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        let Output::Event(event) = *output else { return Ok(()) };
        let at_us = at.as_micros();
        match event {
            // The command's reference is the document's number; a chat that has no document came some other way.
            Event::ChatArrived { chat, reference, .. } => {
                if let Some(mut found) = documents.get::<Chat>(reference)?.filter(|found| found.chat.is_none()) {
                    found.chat = Some(ChatRef(chat));
                    documents.put(&found);
                }
                Ok(())
            }
            Event::ChatAnswered { chat, operator, .. } => change(documents, chat, |documents, found| {
                found.state = ChatState::Talking;
                found.operator = Some(operator.0);
                found.answered_us.get_or_insert(at_us);
                found.add_line(documents, at_us, ChatLine::Answered, Some(operator.0));
            }),
            Event::ChatTransferred { chat, from, to } => change(documents, chat, |documents, found| {
                found.state = ChatState::Waiting;
                found.queue = to.0;
                found.service = engine.config().queues[to.index()].service.0;
                found.add_line(documents, at_us, ChatLine::Transferred, Some(from.0));
            }),
            Event::ChatTransferredToOperator { chat, from, .. } => change(documents, chat, |documents, found| {
                found.state = ChatState::Waiting;
                found.add_line(documents, at_us, ChatLine::Transferred, Some(from.0));
            }),
            Event::ChatEnded { chat, operator, end, .. } => change(documents, chat, |documents, found| {
                found.state = ChatState::Ended;
                found.ended_us = Some(at_us);
                found.ending = Some(match end {
                    ChatEnd::Abandoned => ChatEnding::Abandoned,
                    ChatEnd::MaximumWait => ChatEnding::MaximumWait,
                    ChatEnd::CustomerLeft => ChatEnding::CustomerLeft,
                    ChatEnd::OperatorEnded => ChatEnding::OperatorEnded,
                });
                found.add_line(documents, at_us, ChatLine::Ended, operator.map(|operator| operator.0));
            }),
            Event::TicketCreated { ticket, origin: TicketOrigin::Chat(chat), customer, .. } => {
                let mut entered = None;
                change(documents, chat, |_, found| {
                    found.ticket = Some(TicketRef(ticket));
                    entered = found.customer.map(|known| known.record);
                })?;
                // Somebody at the desk may have entered whose chat it is while it waited.
                if entered != customer.map(|customer| customer.0) {
                    let id = u64::from(ticket.number());
                    Ticket::edit(documents, id, at_us, |ticket| ticket.customer = entered)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn change(
    documents: &mut Documents,
    chat: ChatId,
    change: impl FnOnce(&mut Documents, &mut Chat),
) -> Result<(), StorageError> {
    if let Some(mut found) = documents.find::<Chat>("chat", &chat_key(chat))? {
        change(documents, &mut found);
        documents.put(&found);
    }
    Ok(())
}

impl Chat {
    fn add_line(&mut self, documents: &mut Documents, at_us: u64, line: ChatLine, operator: Option<u32>) {
        let mut message = self.next_message(at_us, Author::System, String::new());
        message.operator = operator;
        message.line = Some(line);
        documents.put(&message);
    }
}
