//! The customer's side over WebSocket: lines as they become durable, resumable from a line's number; messages in.
//! `docs/events.md` is its description.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::customers::{Customer, CustomerChat, known_key, unknown_token, wrong_key};
use super::writing::{Cursor, Line, PAGE, lines};
use super::{Chat, ChatState, TEXT_LIMIT};
use crate::auth::{Access, Row};
use crate::document::Read;
use crate::http::{App, ClientAddress, Problem, Who};

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[Row { method: "GET", path: "/customer/chat/stream", access: Access::Public }];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(stream))
}

/// A client says within this time which chat it is about.
const FIRST: Duration = Duration::from_secs(10);
/// How often we ask whether the client is still there.
const PING_EVERY: Duration = Duration::from_secs(15);
/// A client that says nothing for this long is cut: the grace then begins.
const SILENCE: Duration = Duration::from_secs(40);
/// A client that does not take a message for this long is cut.
const STUCK: Duration = Duration::from_secs(10);
/// Longest frame that a client may send, in bytes: a text whose characters are all escaped.
const FRAME: usize = TEXT_LIMIT * 12 + 1_024;

/// Close codes (RFC 6455 section 7.4; 4000 to 4999 are for applications).
mod close {
    /// The chat is over and everything was told.
    pub(super) const OVER: u16 = 1000;
    /// The server goes down.
    pub(super) const GOING_AWAY: u16 = 1001;
    /// What the client says cannot be understood.
    pub(super) const WRONG: u16 = 4400;
    /// The token opens nothing.
    pub(super) const UNKNOWN: u16 = 4401;
    /// The customer holds too many connections already.
    pub(super) const TOO_MANY: u16 = 4429;
    /// The client does not answer, or does not take what it is told.
    pub(super) const SILENT: u16 = 4409;
}

/// The first frame of a client.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    token: String,
    #[serde(default)]
    after: u64,
}

/// Every later frame: a message.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    text: String,
    key: Option<String>,
}

/// What a customer's client is told.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Told {
    /// How the chat stands: at first, and whenever it changes.
    Chat { chat: CustomerChat },
    /// A line.
    Line { line: Line },
    /// A message of the client's own is written.
    Written { key: Option<String>, sequence: u64 },
    /// A message of the client's own is not written.
    Refused { key: Option<String>, problem: Problem },
}

/// Lines of the chat as they become durable. The first frame says `{"token": …, "after": …}`, every later one is a
/// message `{"text": …, "key": …}`.
#[utoipa::path(get, path = "/customer/chat/stream", tag = "customers' chats", responses(
    (status = 101, description = "the stream begins: see docs/events.md"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn stream(
    State(app): State<App>,
    from: ClientAddress,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let place = app.limits.stream(Who::at(from))?;
    let upgrade = upgrade.map_err(|wrong| Problem::wrong("upgrade", wrong.to_string()))?;
    let upgrade = upgrade.max_message_size(FRAME).max_frame_size(FRAME);
    Ok(upgrade.on_upgrade(move |socket| async move {
        Stream { socket, after: 0, shown: None }.run(&app).await;
        drop(place);
    }))
}

/// Why a stream ended: what the client is told, if it can be told anything.
enum End {
    Gone,
    Told(u16, String),
}

struct Stream {
    socket: WebSocket,
    /// The last line that the client was told.
    after: u64,
    /// The chat as the client was told last.
    shown: Option<CustomerChat>,
}

impl Stream {
    async fn run(mut self, app: &App) {
        if let Err(End::Told(code, reason)) = self.serve(app).await {
            let frame = CloseFrame { code, reason: reason.into() };
            // Who is gone need not be told.
            let _ = tokio::time::timeout(STUCK, self.socket.send(Frame::Close(Some(frame)))).await;
        }
    }

    async fn serve(&mut self, app: &App) -> Result<(), End> {
        let silent = || End::Told(close::SILENT, "the first message says the token".into());
        let first = tokio::time::timeout(FIRST, self.socket.recv()).await.map_err(|_| silent())?;
        let Some(Ok(Frame::Text(first))) = first else { return Err(End::Gone) };
        let hello: Hello = serde_json::from_str(&first).map_err(wrong)?;
        let mut customer = Customer::with_token(app, &hello.token).await.map_err(refused)?;
        self.after = hello.after;
        let live = customer.chat.chat.filter(|_| customer.chat.state != ChatState::Ended);
        let tenant = customer.tenant.clone();
        let Some(live) = live else { return self.last(&mut customer).await };
        let connection = tenant.chats.connect(live.0);
        let mut connection = connection
            .ok_or_else(|| End::Told(close::TOO_MANY, "this chat has too many connections already".into()))?;
        // What was written between the look-up and now is read here; whatever follows wakes us.
        self.catch_up(&mut customer).await?;
        let mut ping = tokio::time::interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = Instant::now();
        while customer.chat.state != ChatState::Ended {
            tokio::select! {
                changed = connection.changes.changed() => {
                    self.catch_up(&mut customer).await?;
                    if changed.is_err() {
                        break;
                    }
                }
                frame = self.socket.recv() => match frame {
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => return Err(End::Gone),
                    Some(Ok(Frame::Text(text))) => {
                        heard = Instant::now();
                        self.take(&customer, &text).await?;
                    }
                    Some(Ok(_)) => heard = Instant::now(),
                },
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return Err(End::Told(close::SILENT, "no answer to pings".into()));
                    }
                    if !tenant.host.is_ready() {
                        return Err(End::Told(close::GOING_AWAY, "the server goes down".into()));
                    }
                    self.send(Frame::Ping(Vec::new().into())).await?;
                    // The place in the queue moves without a line.
                    self.catch_up(&mut customer).await?;
                }
            }
        }
        drop(connection);
        self.last(&mut customer).await
    }

    /// Tells what is left of a chat that is over, and ends.
    async fn last(&mut self, customer: &mut Customer) -> Result<(), End> {
        self.catch_up(customer).await?;
        Err(End::Told(close::OVER, "the chat is over".into()))
    }

    /// A message of the client's.
    async fn take(&mut self, customer: &Customer, frame: &str) -> Result<(), End> {
        let Sent { text, key } = serde_json::from_str(frame).map_err(wrong)?;
        let written = match &key {
            Some(key) if known_key(key).is_none() => Err(wrong_key()),
            _ => customer.write(text, key.clone()).await,
        };
        let told = match written {
            Ok(line) => Told::Written { key, sequence: line.sequence },
            Err(problem) => Told::Refused { key, problem },
        };
        self.tell(&told).await
    }

    /// Tells the lines that the client has not seen, then how the chat stands if that changed.
    async fn catch_up(&mut self, customer: &mut Customer) -> Result<(), End> {
        let id = customer.chat.id;
        loop {
            let cursor = Cursor { after: self.after, limit: None };
            let read = customer.tenant.host.read(move |reader| {
                let chat = reader.document::<Chat>(id)?.ok_or_else(unknown_token)?;
                Ok::<_, Problem>((chat, lines(reader, id, cursor, true)?))
            });
            let (chat, found) = read.await.map_err(refused)?;
            let whole = found.len() < PAGE;
            for line in found {
                self.after = line.sequence;
                self.tell(&Told::Line { line }).await?;
            }
            customer.chat = chat;
            if whole {
                break;
            }
        }
        let chat = customer.view().await.map_err(refused)?;
        if self.shown.as_ref() != Some(&chat) {
            self.shown = Some(chat.clone());
            self.tell(&Told::Chat { chat }).await?;
        }
        Ok(())
    }

    async fn tell(&mut self, told: &Told) -> Result<(), End> {
        let text = serde_json::to_string(told).expect("what is told has a form in JSON");
        self.send(Frame::Text(text.into())).await
    }

    async fn send(&mut self, frame: Frame) -> Result<(), End> {
        match tokio::time::timeout(STUCK, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Told(close::SILENT, "a message was not taken in 10 s".into())),
        }
    }
}

fn wrong(problem: serde_json::Error) -> End {
    // A close frame's reason has room for 123 bytes.
    let reason: String = problem.to_string().chars().filter(char::is_ascii).take(120).collect();
    End::Told(close::WRONG, reason)
}

fn refused(problem: Problem) -> End {
    let code = if problem.status == 401 { close::UNKNOWN } else { close::GOING_AWAY };
    End::Told(code, problem.rule)
}
