//! The event stream over WebSocket: ordered, resumable, bounded. `docs/events.md` is its description.

use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message as Frame, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use callfloor_engine::{OperatorId, Output, Work};
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{App, Asking, ChatRef, Problem, Who};
use crate::auth::{Access, Caller, Role, Row, Session};
use crate::chat::{Author, ChatNotice};
use crate::document::Read;
use crate::host::{Happened, Subscription};
use crate::wire::{Memory, Message, Scope, Sight, concerns, is_own, unknown};

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[Row {
    method: "GET",
    path: "/events",
    access: Access::Roles(&[Role::Operator, Role::Supervisor, Role::Planner, Role::Administrator]),
}];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events))
}

/// How often we ask whether the client is still there.
const PING_EVERY: Duration = Duration::from_secs(20);
/// A client that says nothing for this long is cut.
const SILENCE: Duration = Duration::from_secs(60);
/// A client that does not take a message for this long is cut.
const STUCK: Duration = Duration::from_secs(10);
/// Longest message that a client may send, in bytes; none means anything.
const CLIENT_MESSAGE: usize = 4_096;

/// Close codes of our own (RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications).
mod close {
    /// The server goes down.
    pub(super) const GOING_AWAY: u16 = 1001;
    /// The session is over.
    pub(super) const SIGNED_OUT: u16 = 4401;
    /// The client is too slow.
    pub(super) const TOO_SLOW: u16 = 4408;
    /// The client does not answer.
    pub(super) const SILENT: u16 = 4409;
    /// What was asked for is no longer kept.
    pub(super) const TOO_OLD: u16 = 4410;
}

/// Where to begin.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct From {
    /// The number of the last event that the client knows; without it: from now on.
    after: Option<u64>,
    /// Orders to the world too, such as ringing a device.
    #[serde(default)]
    actions: bool,
}

/// What the server says of the stream itself.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Notice {
    /// The stream begins.
    Hello {
        /// The number of the newest event.
        newest: u64,
    },
    /// Some of what was asked for is no longer kept: read the state anew, then ask for what follows it.
    TooOld {
        /// What was asked for.
        asked: u64,
        /// The oldest that is kept.
        oldest: u64,
    },
    /// A line of a chat, beside the engine's events and without their numbers: `GET /chats/{chat}/messages?after=` has
    /// its text, and whatever was written while nobody listened.
    ChatLine {
        /// Which chat.
        chat: ChatRef,
        /// The line's number.
        sequence: u64,
        /// Who wrote it.
        from: Author,
    },
    /// Some chat lines were not told: read the chats anew.
    ChatLinesMissed,
    /// The floor is configured otherwise: read anew what of it is shown.
    FloorChanged,
}

/// Events as they become durable, as WebSocket text messages.
#[utoipa::path(get, path = "/events", tag = "events", params(From), responses(
    (status = 101, description = "the stream begins: see docs/events.md"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn events(
    caller: Caller,
    Asking(from): Asking<From>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
    State(app): State<App>,
) -> Result<Response, Problem> {
    same_origin(&headers)?;
    let place = app.limits.stream(Who::is(&caller.principal))?;
    let upgrade = upgrade.map_err(|wrong| Problem::wrong("upgrade", wrong.to_string()))?;
    let upgrade = upgrade.max_message_size(CLIENT_MESSAGE).max_frame_size(CLIENT_MESSAGE);
    Ok(upgrade.on_upgrade(move |socket| async move {
        Stream { caller, from, socket }.run().await;
        drop(place);
    }))
}

/// A browser's page of another site may not open the stream with the user's cookie.
fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let of = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, host)| host);
    if of.is_some() && of == host { Ok(()) } else { Err(Problem::forbidden("the stream is for our own pages alone")) }
}

struct Stream {
    caller: Caller,
    from: From,
    socket: WebSocket,
}

/// Why a stream ended: what the client is told, if it can be told anything.
enum End {
    Gone,
    Told(u16, String),
}

/// What a client is shown.
struct View {
    operator: Option<OperatorId>,
    /// Of an operator; everybody else is shown everything.
    scope: Option<Scope>,
    everything: bool,
    sight: Sight,
    actions: bool,
    memory: Memory,
}

impl View {
    /// Supervisors are told of every chat's lines, operators of those that they have.
    fn shows(&self, notice: &ChatNotice) -> bool {
        self.sight.numbers || (self.operator.is_some() && self.operator == notice.operator)
    }
}

impl Stream {
    async fn run(mut self) {
        let end = self.stream().await;
        if let End::Told(code, reason) = end {
            let frame = CloseFrame { code, reason: reason.into() };
            // Who is gone need not be told.
            let _ = tokio::time::timeout(STUCK, self.socket.send(Frame::Close(Some(frame)))).await;
        }
    }

    async fn stream(&mut self) -> End {
        let host = self.caller.principal.tenant.host.clone();
        let role = self.caller.principal.role;
        let subscription = host.hub().subscribe(self.from.after);
        let mut notices = self.caller.principal.tenant.chats.notices();
        let mut floor = self.caller.principal.tenant.floor_changes.subscribe();
        let Subscription { backlog, mut live, newest } = match subscription {
            Ok(subscription) => subscription,
            Err(too_old) => {
                let notice = Notice::TooOld { asked: too_old.asked, oldest: too_old.oldest };
                return match self.tell(&notice).await {
                    Ok(()) => End::Told(close::TOO_OLD, "read the state anew".into()),
                    Err(end) => end,
                };
            }
        };
        let mut view = match Self::view(&self.caller, role, self.from.actions).await {
            Ok(view) => view,
            Err(end) => return end,
        };
        if let Err(end) = Self::watched(&self.caller, &view).await {
            return end;
        }
        if let Err(end) = self.tell(&Notice::Hello { newest }).await {
            return end;
        }
        for happened in backlog {
            if let Err(end) = self.show(&mut view, &happened).await {
                return end;
            }
        }
        let mut ping = tokio::time::interval_at(tokio::time::Instant::now() + PING_EVERY, PING_EVERY);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut heard = tokio::time::Instant::now();
        loop {
            tokio::select! {
                happened = live.recv() => {
                    let outcome = match happened {
                        Ok(happened) => self.show(&mut view, &happened).await,
                        Err(RecvError::Lagged(missed)) => {
                            Err(End::Told(close::TOO_SLOW, format!("too slow: {missed} events were not taken in time")))
                        }
                        Err(RecvError::Closed) => Err(End::Told(close::GOING_AWAY, "the server goes down".into())),
                    };
                    if let Err(end) = outcome {
                        return end;
                    }
                }
                notice = notices.recv() => {
                    let told = match notice {
                        Ok(notice) if view.shows(&notice) => Notice::ChatLine {
                            chat: notice.chat.into(),
                            sequence: notice.sequence,
                            from: notice.from,
                        },
                        Ok(_) => continue,
                        Err(RecvError::Lagged(_)) => Notice::ChatLinesMissed,
                        Err(RecvError::Closed) => return End::Told(close::GOING_AWAY, "the server goes down".into()),
                    };
                    if let Err(end) = self.tell(&told).await {
                        return end;
                    }
                }
                changed = floor.changed() => {
                    if changed.is_err() {
                        return End::Told(close::GOING_AWAY, "the server goes down".into());
                    }
                    Self::look_at_scope(&self.caller, &mut view).await;
                    if let Err(end) = self.tell(&Notice::FloorChanged).await {
                        return end;
                    }
                }
                frame = self.socket.recv() => match frame {
                    Some(Ok(Frame::Close(_)) | Err(_)) | None => return End::Gone,
                    // Pongs, pings and whatever else a client says show that it is there; nothing it says means anything.
                    Some(Ok(_)) => heard = tokio::time::Instant::now(),
                },
                _ = ping.tick() => {
                    if heard.elapsed() > SILENCE {
                        return End::Told(close::SILENT, "no answer to pings".into());
                    }
                    if !host.is_ready() {
                        return End::Told(close::GOING_AWAY, "the server goes down".into());
                    }
                    match Self::still_signed_in(&self.caller).await {
                        true => {}
                        false => return End::Told(close::SIGNED_OUT, "the session is over".into()),
                    }
                    if let Err(end) = Self::watched(&self.caller, &view).await {
                        return end;
                    }
                    Self::look_at_scope(&self.caller, &mut view).await;
                    if let Err(end) = self.send(Frame::Ping(Vec::new().into())).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Writes in the audit log that numbers are shown from now on.
    async fn watched(caller: &Caller, view: &View) -> Result<(), End> {
        if !view.sight.numbers {
            return Ok(());
        }
        caller.watches_numbers().await.map_err(|problem| End::Told(close::GOING_AWAY, problem.rule))
    }

    /// What an operator is shown of may have changed.
    async fn look_at_scope(caller: &Caller, view: &mut View) {
        if let (Some(operator), Ok(scope)) = (view.operator, Self::scope(caller, view.operator).await) {
            debug_assert_eq!(scope.is_some(), view.scope.is_some(), "operator {operator} stays one");
            view.scope = scope;
        }
    }

    async fn scope(caller: &Caller, operator: Option<OperatorId>) -> Result<Option<Scope>, Problem> {
        caller.look(move |turn| Ok(operator.map(|operator| Scope::of(turn.engine().config(), operator)))).await
    }

    /// What the client may see, and which live things belong to which service.
    async fn view(caller: &Caller, role: Role, actions: bool) -> Result<View, End> {
        let operator = caller.principal.operator.filter(|_| role == Role::Operator);
        let looked = caller
            .look(move |turn| {
                let engine = turn.engine();
                let calls = engine.calls().map(|call| (Work::Call(call.call), call.service));
                let chats = engine
                    .chats()
                    .map(|chat| (Work::Chat(chat.chat), engine.config().queues[chat.queue.index()].service));
                let scope = operator.map(|operator| Scope::of(engine.config(), operator));
                Ok((scope, calls.chain(chats).collect::<Vec<_>>()))
            })
            .await;
        let (scope, lives) = looked.map_err(|problem| End::Told(close::GOING_AWAY, problem.detail))?;
        let mut memory = Memory::default();
        lives.into_iter().for_each(|(work, service)| memory.note(work, service));
        Ok(View {
            operator,
            scope,
            everything: role != Role::Operator,
            sight: Sight { numbers: role == Role::Supervisor },
            actions,
            memory,
        })
    }

    async fn show(&mut self, view: &mut View, happened: &Happened) -> Result<(), End> {
        if matches!(happened.output, Output::Action(_)) && !view.actions {
            return Ok(());
        }
        let mut sight = view.sight;
        if !view.everything {
            let (Some(operator), Some(scope)) = (view.operator, &view.scope) else { return Ok(()) };
            if let Some(work) = unknown(&happened.output, scope, &view.memory)
                && let Some(service) = Self::service_of(&self.caller, work).await
            {
                view.memory.note(work, service);
            }
            if !concerns(&happened.output, scope, &mut view.memory) {
                return Ok(());
            }
            sight.numbers = is_own(&happened.output, operator);
        }
        self.tell(&Message::of(happened, sight)).await
    }

    /// Of something live that was not seen to begin.
    async fn service_of(caller: &Caller, work: Work) -> Option<callfloor_engine::ServiceId> {
        let looked = caller.look(move |turn| {
            let engine = turn.engine();
            let of_queue = |queue: callfloor_engine::QueueId| engine.config().queues[queue.index()].service;
            Ok(match work {
                Work::Call(call) => engine.call(call).map(|call| call.service),
                Work::Chat(chat) => engine.chat(chat).map(|chat| of_queue(chat.queue)),
                Work::Ticket(ticket) => engine.ticket(ticket).map(|ticket| ticket.service),
                Work::Callback(callback) => engine.callback(callback).map(|callback| of_queue(callback.queue)),
            })
        });
        looked.await.ok().flatten()
    }

    async fn still_signed_in(caller: &Caller) -> bool {
        let Some(session) = caller.session else { return true };
        let found = caller.read(move |reader| Ok(reader.document::<Session>(session)?)).await;
        let now_us = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
        // Storage that does not answer now signs nobody out.
        found.map_or(true, |session| session.is_some_and(|session| session.until_us > now_us))
    }

    async fn tell<T: Serialize + Sync>(&mut self, message: &T) -> Result<(), End> {
        let text = serde_json::to_string(message).expect("a message has a form in JSON");
        self.send(Frame::Text(text.into())).await
    }

    async fn send(&mut self, frame: Frame) -> Result<(), End> {
        match tokio::time::timeout(STUCK, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Gone),
            Err(_) => Err(End::Told(close::TOO_SLOW, "too slow: a message was not taken in 10 s".into())),
        }
    }
}
