//! The page of a customer who chats: the chat opened over HTTP, followed on the customers' stream, as the widget does it.
//!
//! It decides nothing: what the customer writes, and that they leave, is ordered; what the page shows is told back.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use hyper::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::clock::Clock;
use crate::http::{Connection, HttpError, Server, Session, Stream};
use crate::note::{Note, Post};

/// How long to wait before a lost connection is made again.
const AGAIN: Duration = Duration::from_millis(200);
/// How often that is tried.
const TRIES: u32 = 50;

/// What a customer wants of their page.
#[derive(Debug)]
pub(crate) enum Wish {
    /// Writes a text.
    Say(String),
    /// Leaves.
    Leave,
}

/// What a customer's page tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// The chat is open, and waits.
    Opened,
    /// It was not opened: status (0: no answer) and the rule.
    Refused(u16, String),
    /// Somebody has taken it.
    Taken,
    /// An operator wrote this.
    Said(String),
    /// It is over: how, and whether anybody had taken it.
    Over { ending: String, answered: bool },
    /// The page lost it for good.
    Lost,
}

/// A customer who comes to chat.
#[derive(Debug)]
pub(crate) struct Visit {
    /// The key of their streams.
    pub(crate) id: u64,
    /// The queue's number on the server.
    pub(crate) queue: u16,
    /// What they call themselves: their number, by which whoever answers knows them.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// The address that a customer has: of the network for measurements (RFC 2544), each another as far as it reaches. A server
/// believes it where the generator's machine is one of its proxies.
pub(crate) fn address(id: u64) -> IpAddr {
    let mixed = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 47;
    let place = u32::try_from(mixed & 0x1_ffff).unwrap_or(0);
    Ipv4Addr::from(u32::from(Ipv4Addr::new(198, 18, 0, 0)) | place).into()
}

/// The header in which a proxy says for whom it asks.
pub(crate) const FORWARDED: &str = "x-forwarded-for";
const TOKEN: &str = "callfloor-customer-token";

/// What the stream tells.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Told {
    Chat {
        chat: Chat,
    },
    Line {
        line: Line,
    },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Chat {
    state: String,
    answered_us: Option<u64>,
    ending: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Line {
    sequence: u64,
    from: String,
    #[serde(default)]
    text: String,
}

struct Page {
    server: Server,
    visit: Visit,
    clock: Clock,
    post: Post,
    connection: Connection,
    token: String,
    from: String,
    /// The last line that was shown.
    after: u64,
    taken: bool,
    /// They want to leave.
    leaves: bool,
}

/// Opens a chat, and stays until it is over.
pub(crate) async fn come(server: Server, visit: Visit, clock: Clock, post: Post, wishes: UnboundedReceiver<Wish>) {
    let id = visit.id;
    let tell = |news: News| post.send(Note::Chat { id, at_us: clock.now(), news });
    let from = address(id).to_string();
    let body = json!({ "queue": visit.queue, "name": visit.name, "text": visit.text }).to_string();
    let asked = async {
        let mut connection = server.connect().await?;
        let headers = [(FORWARDED, from.as_str())];
        let answer = connection.send(Method::POST, "/api/v1/customer/chats", &headers, body.into_bytes()).await?;
        Ok::<_, HttpError>((connection, answer))
    };
    let Ok((connection, answer)) = asked.await else { return tell(News::Refused(0, "no-answer".into())) };
    let token = answer.body["token"].as_str().map(str::to_owned);
    let Some(token) = token.filter(|_| answer.is_success()) else {
        return tell(News::Refused(answer.status, answer.rule().to_owned()));
    };
    tell(News::Opened);
    Page { server, visit, clock, post, connection, token, from, after: 0, taken: false, leaves: false }
        .stay(wishes)
        .await;
}

impl Page {
    fn tell(&self, news: News) {
        self.post.send(Note::Chat { id: self.visit.id, at_us: self.clock.now(), news });
    }

    async fn stay(mut self, mut wishes: UnboundedReceiver<Wish>) {
        for _ in 0..TRIES {
            if let Ok(mut stream) = self.follow().await
                && self.listen(&mut stream, &mut wishes).await == Shown::Over
            {
                return;
            }
            if self.post.is_closed() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
        self.tell(News::Lost);
    }

    async fn follow(&self) -> Result<WebSocketStream<Box<dyn Stream>>, HttpError> {
        let headers = [(FORWARDED, self.from.as_str())];
        let mut stream = self.server.stream("/api/v1/customer/chat/stream", &headers).await?;
        let hello = json!({ "token": self.token, "after": self.after }).to_string();
        stream
            .send(Message::text(hello))
            .await
            .map_err(|error| HttpError::Broken { url: self.server.url.to_string(), problem: error.to_string() })?;
        Ok(stream)
    }

    async fn listen(
        &mut self,
        stream: &mut WebSocketStream<Box<dyn Stream>>,
        wishes: &mut UnboundedReceiver<Wish>,
    ) -> Shown {
        loop {
            if self.leaves && self.leave().await {
                return Shown::Over;
            }
            if self.leaves {
                return Shown::Broken;
            }
            tokio::select! {
                frame = stream.next() => match frame {
                    Some(Ok(Message::Text(text))) => {
                        if self.shows(&text) {
                            return Shown::Over;
                        }
                    }
                    Some(Ok(Message::Close(_)) | Err(_)) | None => return Shown::Broken,
                    Some(Ok(_)) => {}
                },
                wish = wishes.recv() => match wish {
                    Some(Wish::Say(text)) => {
                        if stream.send(Message::text(json!({ "text": text }).to_string())).await.is_err() {
                            return Shown::Broken;
                        }
                    }
                    Some(Wish::Leave) => self.leaves = true,
                    // Nobody plays them any more.
                    None => return Shown::Over,
                },
            }
        }
    }

    /// Leaves; whether the server said that the chat is over.
    async fn leave(&mut self) -> bool {
        let headers = [(TOKEN, self.token.as_str()), (FORWARDED, self.from.as_str())];
        let left = self.connection.send(Method::POST, "/api/v1/customer/chat/end", &headers, Vec::new()).await;
        let chat = left.ok().filter(crate::http::Answer::is_success);
        let chat = chat.and_then(|answer| serde_json::from_value::<Chat>(answer.body).ok());
        chat.is_some_and(|chat| self.is_over(&chat))
    }

    fn is_over(&self, chat: &Chat) -> bool {
        let over = chat.state == "ended";
        if over {
            let ending = chat.ending.clone().unwrap_or_default();
            self.tell(News::Over { ending, answered: chat.answered_us.is_some() });
        }
        over
    }

    /// Something is shown; whether the chat is over.
    fn shows(&mut self, text: &str) -> bool {
        match serde_json::from_str(text) {
            Ok(Told::Chat { chat }) => {
                if chat.answered_us.is_some() && !std::mem::replace(&mut self.taken, true) {
                    self.tell(News::Taken);
                }
                self.is_over(&chat)
            }
            Ok(Told::Line { line }) => {
                self.after = self.after.max(line.sequence);
                if line.from == "operator" {
                    self.tell(News::Said(line.text));
                }
                false
            }
            Ok(Told::Other) | Err(_) => false,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Shown {
    Over,
    Broken,
}

/// A customer's ticket from a web form, entered on a connection of their own with the session of whoever runs the form.
pub(crate) async fn write(server: Server, session: Session, ticket: Value, id: u64, clock: Clock, post: Post) {
    let asked = async {
        let mut connection = server.connect().await?.of(session);
        connection.ask(Method::POST, "/tickets", Some(&ticket)).await
    };
    let entered = match asked.await {
        Ok(answer) if answer.is_success() => match answer.body["id"].as_u64() {
            Some(number) => Ok(number),
            None => Err((answer.status, "no-number".to_owned())),
        },
        Ok(answer) => Err((answer.status, answer.rule().to_owned())),
        Err(_) => Err((0, "no-answer".to_owned())),
    };
    post.send(Note::Entered { id, at_us: clock.now(), entered });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn customers_have_addresses_of_their_own() {
        let addresses: std::collections::BTreeSet<_> = (0..1_000).map(|n| address(n | 3 << 48)).collect();
        assert!(addresses.len() > 980, "{}", addresses.len());
        let outside = |it: &IpAddr| !matches!(it, IpAddr::V4(it) if it.octets()[0] == 198 && it.octets()[1] & !1 == 18);
        assert_eq!(addresses.iter().find(|it| outside(it)), None);
    }

    #[test]
    fn what_the_stream_tells_is_understood() {
        let read = |text: &str| serde_json::from_str::<Told>(text).expect("a message");
        let chat = r#"{"event":"chat","chat":{"state":"waiting","position":1,"messages":1,"opened_us":5,"answered_us":null,"ended_us":null,"ending":null,"evaluation":null}}"#;
        assert!(matches!(read(chat), Told::Chat { chat } if chat.state == "waiting" && chat.answered_us.is_none()));
        let line = r#"{"event":"line","line":{"sequence":2,"at_us":5,"from":"operator","text":"Good day"}}"#;
        assert!(matches!(read(line), Told::Line { line } if (line.sequence, &*line.text) == (2, "Good day")));
        assert!(matches!(read(r#"{"event":"written","key":null,"sequence":3}"#), Told::Other));
    }
}
