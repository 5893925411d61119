//! What supervisors see and steer: calls in progress, queues, offers, and why the engine chose as it did.

use axum::Json;
use callfloor_engine::{
    CallView, Channel, Command, Engine, Instant, OperatorId, QueueId, QueueView, Rejection, SkillId, Verdict, Work,
};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Supervisor;
use super::{App, Asking, At, Body, CallRef, CallbackRef, ChatRef, OfferRef, Problem, TicketRef};
use crate::audit::{self, Act};
use crate::auth::{Access, Caller, Role, Row};
use crate::estimate::Estimate;
use crate::host::{Documents, Turn};
use crate::phone::OutOfReach;
use crate::stats::Line;
use crate::wire::{Party, Place, Supervision, WorkRef, shown};

const SUPERVISORS: Access = Access::Roles(&[Role::Supervisor]);
/// Who sees lengths of queues, without anybody's data.
const LOOKERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor, Role::Planner, Role::Administrator]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/calls", access: SUPERVISORS },
    Row { method: "GET", path: "/calls/{call}", access: SUPERVISORS },
    Row { method: "PUT", path: "/calls/{call}/priority", access: SUPERVISORS },
    Row { method: "PUT", path: "/calls/{call}/skills/{skill}", access: SUPERVISORS },
    Row { method: "PUT", path: "/calls/{call}/supervision", access: SUPERVISORS },
    Row { method: "DELETE", path: "/calls/{call}/supervision", access: SUPERVISORS },
    Row { method: "POST", path: "/calls/{call}/take-over", access: SUPERVISORS },
    Row { method: "GET", path: "/queues", access: LOOKERS },
    Row { method: "GET", path: "/queues/{queue}", access: SUPERVISORS },
    Row { method: "DELETE", path: "/offers/{offer}", access: SUPERVISORS },
    Row { method: "GET", path: "/explain", access: SUPERVISORS },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(calls))
        .routes(routes!(call))
        .routes(routes!(set_priority))
        .routes(routes!(set_skill))
        .routes(routes!(supervise, stop_supervising))
        .routes(routes!(take_over))
        .routes(routes!(queues))
        .routes(routes!(queue))
        .routes(routes!(withdraw))
        .routes(routes!(explain))
}

/// A call in progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct LiveCall {
    /// Which.
    pub call: CallRef,
    /// The service.
    pub service: u16,
    /// Where it is.
    pub place: Place,
    /// Whether we dialled it.
    pub outbound: bool,
    /// The customer's number.
    pub number: Option<String>,
    /// The customer's record.
    pub customer: Option<u64>,
    /// 0 is ordinary; greater is more urgent.
    pub priority: u8,
    /// The step of the flow.
    pub step: u16,
    /// Its queue.
    pub queue: Option<u16>,
    /// When it was first queued, in microseconds since 1970.
    pub queued_us: Option<u64>,
    /// Who has it.
    pub operator: Option<u32>,
    /// Whom they consult or hand on to.
    pub target: Option<Party>,
    /// Whether the target answered.
    pub target_answered: bool,
    /// The supervisor who is in it, or whose device is being called.
    pub supervisor: Option<Supervisor>,
    /// Its ticket.
    pub ticket: Option<TicketRef>,
    /// When it came or was dialled, in microseconds since 1970.
    pub arrived_us: u64,
}

impl LiveCall {
    fn of(call: &CallView) -> Self {
        Self {
            call: call.call.into(),
            service: call.service.0,
            place: call.place.into(),
            outbound: call.outbound,
            number: call.number.map(|number| shown(number, true)),
            customer: call.customer.map(|customer| customer.0),
            priority: call.priority,
            step: call.step.0,
            queue: call.queue.map(|queue| queue.0),
            queued_us: call.queued.map(Instant::as_micros),
            operator: call.operator.map(|operator| operator.0),
            target: call.target.map(|target| Party::of(target.party, true)),
            target_answered: call.target.is_some_and(|target| target.answered),
            supervisor: call.supervisor.map(Supervisor::from),
            ticket: call.ticket.map(TicketRef::from),
            arrived_us: call.arrived.as_micros(),
        }
    }
}

/// Which calls are listed.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CallSearch {
    /// Only those of this service.
    service: Option<u16>,
    /// Only those at this place.
    place: Option<Place>,
    /// After the call with this number.
    after: Option<u32>,
    /// At most so many; 100 unless said, 1000 at most.
    limit: Option<usize>,
}

/// Calls in progress, oldest first.
#[utoipa::path(get, path = "/calls", tag = "floor", params(CallSearch), responses(
    (status = 200, description = "calls in progress", body = Vec<LiveCall>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn calls(caller: Caller, Asking(search): Asking<CallSearch>) -> Result<Json<Vec<LiveCall>>, Problem> {
    let limit = search.limit.unwrap_or(100);
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::wrong("limit", format!("a limit of {limit}: 1 to 1000 is right")));
    }
    let found = caller
        .look(move |turn| {
            let mut found: Vec<_> = turn
                .engine()
                .calls()
                .filter(|call| search.service.is_none_or(|service| call.service.0 == service))
                .filter(|call| search.place.is_none_or(|place| Place::from(call.place) == place))
                .filter(|call| search.after.is_none_or(|after| call.call.number() > after))
                .collect();
            found.sort_unstable_by_key(|call| call.call.number());
            found.truncate(limit);
            Ok(found.iter().map(LiveCall::of).collect::<Vec<_>>())
        })
        .await?;
    watched(&caller, &found).await?;
    Ok(Json(found))
}

/// One call in progress.
#[utoipa::path(get, path = "/calls/{call}", tag = "floor", params(("call" = CallRef, Path, description = "which")), responses(
    (status = 200, description = "the call", body = LiveCall),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn call(caller: Caller, At(call): At<CallRef>) -> Result<Json<LiveCall>, Problem> {
    let found = caller.look(move |turn| live(turn.engine(), call)).await?;
    watched(&caller, std::slice::from_ref(&found)).await?;
    Ok(Json(found))
}

/// Writes in the audit log whose numbers are about to be shown.
async fn watched(caller: &Caller, calls: &[LiveCall]) -> Result<(), Problem> {
    let outside = |call: &LiveCall| call.number.is_some() || matches!(call.target, Some(Party::Number(_)));
    if calls.iter().any(outside) { caller.watches_numbers().await } else { Ok(()) }
}

fn live(engine: &Engine, call: CallRef) -> Result<LiveCall, Problem> {
    let found = engine.call(call.0).as_ref().map(LiveCall::of);
    found.ok_or_else(|| Problem::unknown(format!("call {call} is not in progress")))
}

/// A priority.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Priority {
    /// 0 is ordinary; greater is more urgent.
    priority: u8,
}

/// Another priority for a call that is not yet answered.
#[utoipa::path(put, path = "/calls/{call}/priority", tag = "floor", request_body = Priority,
    params(("call" = CallRef, Path, description = "which")), responses(
    (status = 200, description = "the call as it is then", body = LiveCall),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_priority(
    caller: Caller,
    At(call): At<CallRef>,
    Body(body): Body<Priority>,
) -> Result<Json<LiveCall>, Problem> {
    ordered(&caller, call, Command::ChangePriority { call: call.0, priority: body.priority }).await
}

async fn ordered(caller: &Caller, call: CallRef, command: Command) -> Result<Json<LiveCall>, Problem> {
    change(caller, call, move |turn| Ok(turn.apply(command).map(drop)?)).await
}

/// Does something to a call; the answer is the call as it is then.
async fn change(
    caller: &Caller,
    call: CallRef,
    job: impl FnOnce(&mut Turn<'_>) -> Result<(), Problem> + Send + 'static,
) -> Result<Json<LiveCall>, Problem> {
    let changed = caller.write(move |turn| {
        job(turn)?;
        live(turn.engine(), call)
    });
    let changed = changed.await?;
    watched(caller, std::slice::from_ref(&changed)).await?;
    Ok(Json(changed))
}

/// A skill that is asked for.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Need {
    /// Least proficiency, 1 to 10; 0: no longer asked for.
    min: u8,
}

/// Another skill for a call that is not yet answered.
#[utoipa::path(put, path = "/calls/{call}/skills/{skill}", tag = "floor", request_body = Need,
    params(("call" = CallRef, Path, description = "which"), ("skill" = u16, Path, description = "which skill")), responses(
    (status = 200, description = "the call as it is then", body = LiveCall),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_skill(
    caller: Caller,
    At((call, skill)): At<(CallRef, u16)>,
    Body(body): Body<Need>,
) -> Result<Json<LiveCall>, Problem> {
    ordered(&caller, call, Command::ChangeSkill { call: call.0, skill: SkillId(skill), min: body.min }).await
}

/// In which way.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct HowToSupervise {
    /// Who hears the supervisor.
    mode: Supervision,
}

/// The operator that a supervisor is: with whose telephone or browser they hear a call.
fn own_operator(caller: &Caller) -> Result<OperatorId, Problem> {
    caller.principal.operator.ok_or_else(|| {
        let detail = "this account has no operator, and so nothing to listen with: an administrator can give it one";
        Problem::conflict("no-operator", detail)
    })
}

/// Writes down that a supervisor asks for something, in the same commit as what comes of it.
fn note_asked(turn: &mut Turn<'_>, who: &str, what: String) -> Result<(), Problem> {
    let at_us = turn.now().as_micros();
    Ok(audit::append(turn.documents(), at_us, who, Act::CallSupervised, what)?)
}

/// Listens to a call that is with an operator, whispers to the operator or barges in; again with another mode: goes on in
/// that way. The supervisor's own device is called and joins by answering; a browser joins at once. Refused where the device could
/// not be called: a telephone that is not registered, a browser without audio, no room for the audio of one more.
#[utoipa::path(put, path = "/calls/{call}/supervision", tag = "floor", request_body = HowToSupervise,
    params(("call" = CallRef, Path, description = "which")), responses(
    (status = 200, description = "the call as it is then", body = LiveCall),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn supervise(
    caller: Caller,
    At(call): At<CallRef>,
    Body(body): Body<HowToSupervise>,
) -> Result<Json<LiveCall>, Problem> {
    let (operator, who) = (own_operator(&caller)?, caller.principal.who());
    let phones = caller.principal.tenant.phones.clone();
    let is_in_it = move |turn: &mut Turn<'_>| {
        let supervisor = turn.engine().call(call.0).and_then(|call| call.supervisor);
        Ok(supervisor.is_some_and(|supervisor| supervisor.operator == operator))
    };
    if let Some(phones) = &phones
        && !caller.look(is_in_it).await?
    {
        phones.reach(operator, call.0).await.map_err(|out| {
            let rule = match out {
                OutOfReach::NoBrowserAudio => "no-browser-audio",
                OutOfReach::NotRegistered => "telephone-not-registered",
                OutOfReach::NoRoom => "no-room-for-audio",
            };
            Problem::conflict(rule, out.to_string())
        })?;
    }
    let telephones = phones.is_some();
    change(&caller, call, move |turn| {
        turn.apply(Command::Supervise { operator, call: call.0, mode: body.mode.into() })?;
        note_asked(turn, &who, format!("{}: asks to {}", call.0, body.mode.verb()))?;
        let supervisor = turn.engine().call(call.0).and_then(|call| call.supervisor);
        if let Some(supervisor) = supervisor.filter(|supervisor| !telephones && !supervisor.joined) {
            // Without telephones there is nothing to wait for.
            turn.apply(Command::SupervisorJoined { leg: supervisor.leg })?;
        }
        Ok(())
    })
    .await
}

/// Leaves a call that one supervises.
#[utoipa::path(delete, path = "/calls/{call}/supervision", tag = "floor",
    params(("call" = CallRef, Path, description = "which")), responses(
    (status = 200, description = "the call as it is then", body = LiveCall),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn stop_supervising(caller: Caller, At(call): At<CallRef>) -> Result<Json<LiveCall>, Problem> {
    let operator = own_operator(&caller)?;
    change(&caller, call, move |turn| {
        theirs(turn.engine(), call, operator)?;
        Ok(turn.apply(Command::HangUp { operator }).map(drop)?)
    })
    .await
}

/// That it is this operator who supervises the call.
fn theirs(engine: &Engine, call: CallRef, operator: OperatorId) -> Result<(), Problem> {
    let found = live(engine, call)?;
    match found.supervisor {
        Some(supervisor) if supervisor.operator == operator.0 => Ok(()),
        _ => Err(Rejection::NotSupervising(operator).into()),
    }
}

/// Takes over a call that one supervises: the customer and the ticket are the supervisor's, and after-call work begins for
/// the operator.
#[utoipa::path(post, path = "/calls/{call}/take-over", tag = "floor",
    params(("call" = CallRef, Path, description = "which")), responses(
    (status = 200, description = "the call as it is then", body = LiveCall),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn take_over(caller: Caller, At(call): At<CallRef>) -> Result<Json<LiveCall>, Problem> {
    let (operator, who) = (own_operator(&caller)?, caller.principal.who());
    change(&caller, call, move |turn| {
        theirs(turn.engine(), call, operator)?;
        turn.apply(Command::TakeOver { operator })?;
        note_asked(turn, &who, format!("{}: takes it over", call.0))
    })
    .await
}

impl Supervision {
    /// As it stands after "asks to".
    const fn verb(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::Whisper => "whisper",
            Self::Barge => "barge in",
        }
    }
}

/// The channel of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum QueueChannel {
    /// Calls and callbacks.
    Phone,
    /// Chats.
    Chat,
    /// Tickets.
    Ticket,
}

impl From<Channel> for QueueChannel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Phone => Self::Phone,
            Channel::Chat => Self::Chat,
            Channel::Ticket => Self::Ticket,
        }
    }
}

impl From<QueueChannel> for Channel {
    fn from(channel: QueueChannel) -> Self {
        match channel {
            QueueChannel::Phone => Self::Phone,
            QueueChannel::Chat => Self::Chat,
            QueueChannel::Ticket => Self::Ticket,
        }
    }
}

/// A queue, as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct LiveQueue {
    /// Which.
    pub queue: u16,
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: u16,
    /// What waits in it.
    pub channel: QueueChannel,
    /// Waiting.
    pub waiting: u32,
    /// Ringing at an operator.
    pub ringing: u32,
    /// How long the first has waited, in microseconds.
    pub longest_wait_us: u64,
    /// Members who are Ready, and who are logged in.
    pub ready: u32,
    /// Members who are logged in.
    pub logged_in: u32,
    /// The wait of one who comes now, with a band that holds for nine in ten; `null` while too little was seen.
    pub estimate: Option<Estimate>,
    /// Whether its service is open.
    pub open: bool,
}

/// How many members of each queue are Ready, and logged in.
fn staffing(engine: &Engine) -> Vec<(u32, u32)> {
    let mut found = vec![(0, 0); engine.config().queues.len()];
    for (operator, person) in (0..).map(OperatorId).zip(&engine.config().operators) {
        let status = engine.operator_status(operator);
        for membership in &person.queues {
            let (ready, logged_in) = &mut found[membership.queue.index()];
            *ready += u32::from(status == callfloor_engine::Status::Ready);
            *logged_in += u32::from(status != callfloor_engine::Status::LoggedOut);
        }
    }
    found
}

fn live_queue(
    engine: &Engine,
    (seen, (ready, logged_in)): (QueueView, (u32, u32)),
    line: Option<&Line>,
    at: QueueId,
    now: Instant,
) -> LiveQueue {
    let config = &engine.config().queues[at.index()];
    let position = seen.waiting.saturating_add(seen.ringing).saturating_add(1);
    LiveQueue {
        queue: at.0,
        name: config.name.clone(),
        service: config.service.0,
        channel: config.channel.into(),
        waiting: seen.waiting,
        ringing: seen.ringing,
        longest_wait_us: seen.oldest.map_or(0, |oldest| now.since(oldest).as_micros()),
        ready,
        logged_in,
        estimate: line.and_then(|line| line.pace.estimate(position, now.as_micros())),
        open: engine.config().services[config.service.index()].hours.is_open(now),
    }
}

/// Every queue as it is now. Operators see those of their services.
#[utoipa::path(get, path = "/queues", tag = "floor", responses(
    (status = 200, description = "queues, in their order", body = Vec<LiveQueue>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn queues(caller: Caller) -> Result<Json<Vec<LiveQueue>>, Problem> {
    let operator = (caller.principal.role == Role::Operator).then_some(caller.principal.operator).flatten();
    let all = caller.principal.role != Role::Operator;
    let found = caller
        .look(move |turn| {
            let now = turn.now();
            let config = turn.engine().config();
            let own = operator.and_then(|operator| config.operators.get(operator.index()));
            let own = own.map(|own| own.services.clone()).unwrap_or_default();
            let wanted: Vec<_> = (0..)
                .map(QueueId)
                .zip(&config.queues)
                .filter(|(_, queue)| all || own.contains(&queue.service))
                .map(|(at, _)| at)
                .collect();
            let seen: Vec<_> = turn.engine().queues().into_iter().zip(staffing(turn.engine())).collect();
            let mut found = Vec::with_capacity(wanted.len());
            for at in wanted {
                let line = Line::of(turn.documents(), at)?;
                found.push(live_queue(turn.engine(), seen[at.index()], line.as_ref(), at, now));
            }
            Ok(found)
        })
        .await?;
    Ok(Json(found))
}

/// A queue with everything in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
struct QueueWithLine {
    /// The queue.
    #[serde(flatten)]
    queue: LiveQueue,
    /// What is in it, in the order in which it is served; at most 1000.
    line: Vec<Waiting>,
}

/// Something in a queue.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
struct Waiting {
    /// What.
    work: WorkRef,
    /// 1 is served next.
    position: u32,
    /// 0 is ordinary; greater is more urgent.
    priority: u8,
    /// Since when, in microseconds since 1970.
    queued_us: u64,
    /// Operators at whom it rings.
    ringing: u32,
    /// The rest of the wait, with a band that holds for nine in ten; `null` while too little was seen.
    estimate: Option<Estimate>,
}

/// One queue with its line.
#[utoipa::path(get, path = "/queues/{queue}", tag = "floor", params(("queue" = u16, Path, description = "which")), responses(
    (status = 200, description = "the queue", body = QueueWithLine),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn queue(caller: Caller, At(queue): At<u16>) -> Result<Json<QueueWithLine>, Problem> {
    let found = caller
        .look(move |turn| {
            let (now, at) = (turn.now(), QueueId(queue));
            if at.index() >= turn.engine().config().queues.len() {
                return Err(Problem::unknown(format!("there is no {at}")));
            }
            let seen = Line::of(turn.documents(), at)?;
            let estimate = |position| seen.as_ref()?.pace.estimate(position, now.as_micros());
            let line = (1..).zip(turn.engine().line(at)).take(1_000).map(|(position, one)| Waiting {
                work: one.work.into(),
                position,
                priority: one.priority,
                queued_us: one.queued.as_micros(),
                ringing: one.ringing,
                estimate: estimate(position),
            });
            let line = line.collect();
            let engine = turn.engine();
            let full = (engine.queues()[at.index()], staffing(engine)[at.index()]);
            Ok(QueueWithLine { queue: live_queue(engine, full, seen.as_ref(), at, now), line })
        })
        .await?;
    Ok(Json(found))
}

/// Takes an offer back; what was offered waits again in its place.
#[utoipa::path(delete, path = "/offers/{offer}", tag = "floor", params(("offer" = OfferRef, Path, description = "which")), responses(
    (status = 204, description = "withdrawn"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn withdraw(caller: Caller, At(offer): At<OfferRef>) -> Result<axum::http::StatusCode, Problem> {
    caller
        .write(move |turn| {
            turn.apply(Command::WithdrawOffer { offer: offer.0 })?;
            Ok(())
        })
        .await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}

/// What is to be explained: one of these.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct WhichWork {
    /// A call.
    call: Option<CallRef>,
    /// A chat.
    chat: Option<ChatRef>,
    /// A ticket.
    ticket: Option<TicketRef>,
    /// A callback.
    callback: Option<CallbackRef>,
}

impl WhichWork {
    fn work(self) -> Result<Work, Problem> {
        let given = [
            self.call.map(|call| Work::Call(call.0)),
            self.chat.map(|chat| Work::Chat(chat.0)),
            self.ticket.map(|ticket| Work::Ticket(ticket.0)),
            self.callback.map(|callback| Work::Callback(callback.0)),
        ];
        let mut given = given.into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(work), None) => Ok(work),
            _ => Err(Problem::wrong("query", "exactly one of call, chat, ticket and callback is right")),
        }
    }
}

/// Why something waits or rings where it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct Explained {
    /// What waits or rings.
    work: WorkRef,
    /// In which queue.
    queue: u16,
    /// Relaxations that apply.
    relaxed: u8,
    /// How many are served before it.
    ahead: u32,
    /// Every operator of the service, whoever would be chosen first at the top.
    candidates: Vec<Candidate>,
}

/// What the rules say of an operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct Candidate {
    /// Who.
    operator: u32,
    /// The rule: `offered`, `acceptable`, `kept-for-another`, `missed-it`, `status`, `no-capacity`, `level`, `skill`,
    /// `not-member`.
    rule: String,
    /// In words.
    detail: String,
    /// Of those who are acceptable: membership level, then lack of proficiency; smaller goes first.
    rank: Option<u32>,
    /// Of those who are acceptable: the policy's key; smaller goes first.
    key: Option<u64>,
}

const fn rule_of(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Offered => "offered",
        Verdict::Acceptable { .. } => "acceptable",
        Verdict::KeptForAnother(_) => "kept-for-another",
        Verdict::MissedIt => "missed-it",
        Verdict::Status(_) => "status",
        Verdict::NoCapacity => "no-capacity",
        Verdict::Level { .. } => "level",
        Verdict::Skill { .. } => "skill",
        Verdict::NotMember => "not-member",
    }
}

/// Why was this operator chosen, or why is nobody: what the rules say of everybody now.
#[utoipa::path(get, path = "/explain", tag = "floor", params(WhichWork), responses(
    (status = 200, description = "what the rules say", body = Explained),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn explain(caller: Caller, Asking(which): Asking<WhichWork>) -> Result<Json<Explained>, Problem> {
    let work = which.work()?;
    let found = caller
        .look(move |turn| {
            let explanation = turn.engine().explain(work)?;
            let candidates = explanation.candidates.iter().map(|candidate| {
                let (rank, key) = match candidate.verdict {
                    Verdict::Acceptable { rank, key } => (Some(rank), Some(key)),
                    _ => (None, None),
                };
                let (rule, detail) = (rule_of(&candidate.verdict).to_owned(), candidate.verdict.to_string());
                Candidate { operator: candidate.operator.0, rule, detail, rank, key }
            });
            Ok(Explained {
                work: explanation.work.into(),
                queue: explanation.queue.0,
                relaxed: explanation.relaxed,
                ahead: explanation.ahead,
                candidates: candidates.collect(),
            })
        })
        .await?;
    Ok(Json(found))
}

impl Line {
    /// How a queue's line moved, if anything was seen.
    pub(crate) fn of(documents: &mut Documents, queue: QueueId) -> Result<Option<Self>, Problem> {
        Ok(documents.get::<Self>(u64::from(queue.0) + 1)?)
    }
}
