//! A played operator's desk: a browser's two connections to the server, requests on one and events on the other.
//!
//! It decides nothing: orders come from the operator who is played, and what came of them and what the screen shows is told back.

use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use hyper::Method;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite;

use crate::clock::{Clock, Offset};
use crate::http::{Answer, Connection, HttpError, Server, Session};
use crate::measures::Kind;
use crate::note::{Done, Note, Post};
use crate::screen::{self, Event, Message, Work};
use crate::sip::Micros;

/// A status to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice {
    Ready,
    Work,
    /// With the reason's number on the server.
    Break(u16),
}

impl Choice {
    fn json(self) -> Value {
        match self {
            Self::Ready => json!({ "status": "ready" }),
            Self::Work => json!({ "status": "work" }),
            Self::Break(reason) => json!({ "status": "break", "reason": reason }),
        }
    }
}

/// Whom to consult, or to hand a customer on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whom {
    /// Whoever of these operators (numbers on the server) is Ready the longest.
    ReadyOf(std::ops::Range<u32>),
    Number(String),
    Favourite(u16),
    Queue(u16),
}

/// What an operator does at their desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    LogIn,
    LogOut,
    SetStatus(Choice),
    FinishAfterCall(Choice),
    Answer(String),
    Decline(String),
    Hold,
    Release,
    Consult(Whom),
    ConnectCustomer,
    CancelConsult,
    Transfer(Whom),
    ForceEnd,
    /// There for chats, or not.
    SetChatStatus(bool),
    /// Looks at a chat or ticket that is offered.
    Look(Work),
    /// Reads a chat's lines after a number.
    ReadChat(Work, u64),
    WriteChat(Work, String),
    EndChat(Work),
    /// Replies to a ticket and solves it.
    SolveTicket(Work),
}

/// An act, and when it was meant to be done.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) act: Act,
    pub(crate) intended_us: Micros,
}

impl Act {
    const fn kind(&self) -> Kind {
        match self {
            Self::LogIn => Kind::LogIn,
            Self::LogOut => Kind::LogOut,
            Self::SetStatus(_) => Kind::SetStatus,
            Self::FinishAfterCall(_) => Kind::FinishAfterCall,
            Self::Answer(_) | Self::Decline(_) => Kind::AnswerOffer,
            Self::Hold => Kind::Hold,
            Self::Release => Kind::Release,
            Self::Consult(_) => Kind::Consult,
            Self::ConnectCustomer => Kind::Connect,
            Self::CancelConsult => Kind::CancelConsult,
            Self::Transfer(_) => Kind::Transfer,
            Self::ForceEnd => Kind::ForceEnd,
            Self::SetChatStatus(_) => Kind::SetChatStatus,
            Self::Look(_) => Kind::Look,
            Self::ReadChat(..) => Kind::ReadChat,
            Self::WriteChat(..) => Kind::WriteChat,
            Self::EndChat(_) => Kind::EndChat,
            Self::SolveTicket(_) => Kind::SolveTicket,
        }
    }

    const fn about(&self) -> Option<Work> {
        match self {
            Self::Look(work)
            | Self::ReadChat(work, _)
            | Self::WriteChat(work, _)
            | Self::EndChat(work)
            | Self::SolveTicket(work) => Some(*work),
            _ => None,
        }
    }

    /// Whether doing it twice is doing it once.
    const fn is_idempotent(&self) -> bool {
        matches!(
            self,
            Self::LogIn
                | Self::LogOut
                | Self::SetStatus(_)
                | Self::FinishAfterCall(_)
                | Self::SetChatStatus(_)
                | Self::Look(_)
                | Self::ReadChat(..)
                | Self::EndChat(_)
        )
    }
}

/// Who sits at a desk, and where.
#[derive(Debug, Clone)]
pub(crate) struct Seat {
    /// The operator's number in the scenario.
    pub(crate) operator: u32,
    /// Their number on the server.
    pub(crate) number: u32,
    pub(crate) login: String,
    pub(crate) password: String,
}

/// How long to wait before a lost connection is made again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long somebody goes on pressing a button that does nothing because the server is asked too much, or does not answer, and
/// after how long they press it again where the server does not say.
const INSISTS: Duration = Duration::from_secs(60);
const PRESSES_AGAIN: Duration = Duration::from_secs(1);
/// How long whoever is there from an earlier run may take to leave.
const LEAVES: Duration = Duration::from_secs(30);

/// Signs in, and keeps both connections until the orders end.
///
/// # Errors
/// That signing in did not come about: nothing goes on then.
pub(crate) async fn open(
    server: Server,
    seat: Seat,
    clock: Clock,
    offset: Offset,
    post: Post,
    orders: mpsc::UnboundedReceiver<Order>,
) -> Result<(), HttpError> {
    let mut connection = server.connect().await?;
    let answer = connection.sign_in(&seat.login, &seat.password).await?;
    let Some(session) = connection.session().cloned() else {
        let problem = format!("operator {} cannot sign in: {}", seat.login, answer.detail());
        return Err(HttpError::Broken { url: server.url.to_string(), problem });
    };
    leave_the_desk(&mut connection, &seat).await?;
    tokio::spawn(watch(server, session, seat.clone(), clock.clone(), offset, post.clone()));
    tokio::spawn(work(connection, seat, clock, post, orders));
    Ok(())
}

/// Whoever an earlier run left at the desk goes: everybody who is played comes by the roster. What rings there may take a moment to
/// end, for nobody takes it.
async fn leave_the_desk(connection: &mut Connection, seat: &Seat) -> Result<(), HttpError> {
    let path = |what: &str| format!("/api/v1/operators/{}/{what}", seat.number);
    let until = Instant::now() + LEAVES;
    loop {
        let desk = connection.patiently(Method::GET, &path("desk"), &[], Vec::new()).await?;
        let Some((what, body)) = to_leave(desk.body["status"].as_str().unwrap_or_default()) else { return Ok(()) };
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        let answer = connection.patiently(Method::POST, &path(what), &[], body).await?;
        if Instant::now() > until {
            let detail = answer.detail();
            let problem = format!("operator {} is logged in from before, and does not get away: {detail}", seat.login);
            return Err(HttpError::Broken { url: connection.server().url.to_string(), problem });
        }
        tokio::time::sleep(if answer.is_success() { AGAIN } else { PRESSES_AGAIN }).await;
    }
}

/// What somebody in a status orders next on their way out; `None` where they are.
fn to_leave(status: &str) -> Option<(&'static str, Option<Value>)> {
    match status {
        "logged-out" => None,
        "dialing" | "talking" | "consulting" | "holding" => Some(("hang-up", None)),
        "after-call-work" => Some(("finish-after-call", Some(json!({ "to": Choice::Work.json() })))),
        _ => Some(("logout", None)),
    }
}

/// Does what is ordered, one after another.
async fn work(
    mut connection: Connection,
    seat: Seat,
    clock: Clock,
    post: Post,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    while let Some(Order { act, intended_us }) = orders.recv().await {
        let (kind, about) = (act.kind(), act.about());
        let until = Instant::now() + INSISTS;
        let (outcome, body) = loop {
            let (after, refused, body) = match obey(&mut connection, &seat, act.clone()).await {
                Ok(answer) if answer.is_success() => break (Ok(()), answer.body),
                Ok(answer) => (answer.again_after(), (answer.status, answer.rule().to_owned()), answer.body),
                // What may have been done all the same is not done twice.
                Err(_) => (act.is_idempotent().then_some(PRESSES_AGAIN), (0, "no-answer".to_owned()), Value::Null),
            };
            let Some(after) = after.filter(|after| Instant::now() + *after < until && !post.is_closed()) else {
                break (Err(refused), body);
            };
            let (status, rule) = refused;
            post.send(Note::Again { status, rule });
            tokio::time::sleep(after).await;
        };
        let about = about.map(|work| (work, body));
        let done = Done { kind, intended_us, done_us: clock.now(), outcome, about };
        post.send(Note::Done { operator: seat.operator, done });
    }
}

async fn obey(connection: &mut Connection, seat: &Seat, act: Act) -> Result<Answer, HttpError> {
    let own = |what: &str| format!("/operators/{}/{what}", seat.number);
    let (method, path, body) = match act {
        Act::LogIn => (Method::POST, own("login"), None),
        Act::LogOut => (Method::POST, own("logout"), None),
        Act::SetStatus(choice) => (Method::PUT, own("status"), Some(choice.json())),
        Act::FinishAfterCall(choice) => (Method::POST, own("finish-after-call"), Some(json!({ "to": choice.json() }))),
        Act::Answer(offer) => (Method::POST, own("answer"), Some(json!({ "offer": offer }))),
        Act::Decline(offer) => (Method::POST, own("decline"), Some(json!({ "offer": offer }))),
        Act::Hold => (Method::POST, own("hold"), None),
        Act::Release => (Method::POST, own("release"), None),
        Act::ConnectCustomer => (Method::POST, own("connect-customer"), None),
        Act::CancelConsult => (Method::POST, own("cancel-consult"), None),
        Act::ForceEnd => (Method::POST, own("force-end"), Some(json!({ "reason": "abuse" }))),
        Act::SetChatStatus(there) => {
            let status = if there { "available" } else { "away" };
            (Method::PUT, own("chat-status"), Some(json!({ "status": status })))
        }
        Act::Look(work) => (Method::GET, place(work), None),
        Act::ReadChat(work, after) => (Method::GET, format!("{}/messages?after={after}", place(work)), None),
        Act::WriteChat(work, text) => (Method::POST, place(work) + "/messages", Some(json!({ "text": text }))),
        Act::EndChat(work) => (Method::POST, place(work) + "/end", None),
        Act::SolveTicket(work) => return solve(connection, work).await,
        Act::Consult(whom) => match target(connection, seat, whom).await? {
            Ok(target) => (Method::POST, own("consult"), Some(target)),
            Err(nobody) => return Ok(nobody),
        },
        Act::Transfer(whom) => match target(connection, seat, whom).await? {
            Ok(target) => (Method::POST, own("transfer"), Some(target)),
            Err(nobody) => return Ok(nobody),
        },
    };
    connection.ask(method, &path, body.as_ref()).await
}

/// Where the API has a chat or a ticket.
fn place(work: Work) -> String {
    match work {
        Work::Chat(chat) => format!("/chats/{chat}"),
        Work::Ticket(it) | Work::Call(it) | Work::Callback(it) => format!("/tickets/{}", it.number),
    }
}

/// Replies to a ticket, and solves it as it is then.
async fn solve(connection: &mut Connection, ticket: Work) -> Result<Answer, HttpError> {
    let reply = json!({ "text": "This is what we found." });
    let replied = connection.ask(Method::POST, &format!("{}/replies", place(ticket)), Some(&reply)).await?;
    let Some(version) = replied.etag.clone().filter(|_| replied.is_success()) else { return Ok(replied) };
    let (path, solved) = (format!("/api/v1{}/status", place(ticket)), json!({ "status": "solved" }));
    let headers = [("if-match", version.as_str())];
    // Where that is too often, the reply is not given once more.
    connection.patiently(Method::POST, &path, &headers, solved.to_string().into_bytes()).await
}

/// The target of a consult or a transfer as the API names it; whoever is Ready is looked for in the list, as on a real screen.
async fn target(connection: &mut Connection, seat: &Seat, whom: Whom) -> Result<Result<Value, Answer>, HttpError> {
    let numbers = match whom {
        Whom::Number(number) => return Ok(Ok(json!({ "number": number }))),
        Whom::Favourite(favourite) => return Ok(Ok(json!({ "favourite": favourite }))),
        Whom::Queue(queue) => return Ok(Ok(json!({ "queue": queue }))),
        Whom::ReadyOf(numbers) => numbers,
    };
    let found = connection.ask(Method::GET, "/operators?status=ready&limit=1000", None).await?;
    if !found.is_success() {
        return Ok(Err(found));
    }
    let own = u64::from(seat.number);
    let all = found.body.as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |colleague: &Value| colleague["operator"].as_u64();
    let fits = |number: u64| number != own && (u64::from(numbers.start)..u64::from(numbers.end)).contains(&number);
    let ready = all.iter().filter(|colleague| of(colleague).is_some_and(fits));
    match ready.min_by_key(|colleague| colleague["since_us"].as_u64()).and_then(of) {
        Some(operator) => Ok(Ok(json!({ "operator": operator }))),
        None => {
            let body = json!({ "rule": "nobody-ready", "detail": "nobody of the group is Ready" });
            Ok(Err(Answer { status: 409, etag: None, retry_after: None, body }))
        }
    }
}

/// Tells what the screen shows, until nobody listens. A stream that breaks is taken up after the last event.
async fn watch(server: Server, session: Session, seat: Seat, clock: Clock, offset: Offset, post: Post) {
    let mut last = None;
    let mut first = true;
    while !post.is_closed() {
        let events = server.events(&session, last).await;
        let was_there = events.is_ok();
        if let Ok(mut events) = events {
            while let Some(Ok(frame)) = events.next().await {
                let tungstenite::Message::Text(text) = frame else { continue };
                let seen_us = clock.now();
                let Some(Message { number, at_us, event }) = screen::read(&text) else { continue };
                if let Event::TooOld {} = event {
                    // What is not kept any more is lost: what follows is shown.
                    last = None;
                    post.send(Note::ScreenGap);
                    break;
                }
                if let Event::Hello { newest } = event {
                    last = last.or(Some(newest));
                    if std::mem::take(&mut first) {
                        post.send(Note::Watching { operator: seat.operator });
                    }
                    continue;
                }
                last = if number > 0 { Some(number) } else { last };
                if event.concerns(seat.number) {
                    let at_us = clock.of_wall(offset.ours(at_us));
                    post.send(Note::Screen { operator: seat.operator, at_us, seen_us, event });
                }
            }
        }
        // A loss is one however often the stream is asked for in vain.
        if was_there && !post.is_closed() && !first {
            post.send(Note::ScreenLost);
        }
        tokio::time::sleep(AGAIN).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_done_is_done_again_only_where_that_is_harmless() {
        let work: Work = serde_json::from_str(r#"{"chat":"12-3"}"#).expect("a chat");
        assert!(Act::EndChat(work).is_idempotent());
        for act in [Act::WriteChat(work, "Good day".into()), Act::Hold, Act::Release, Act::SolveTicket(work)] {
            assert!(!act.is_idempotent(), "{act:?}");
        }
    }

    #[test]
    fn whoever_is_still_at_a_desk_leaves_it() {
        let order = |status| to_leave(status).map(|(what, _)| what);
        assert_eq!(order("logged-out"), None);
        assert_eq!(order("ready"), Some("logout"));
        assert_eq!(order("holding"), Some("hang-up"));
        assert_eq!(order("after-call-work"), Some("finish-after-call"));
    }
}
