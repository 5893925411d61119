//! What supervisors and operators see of callbacks. Whole numbers are for the operator who dials, on their desk.

use std::collections::BTreeSet;

use axum::Json;
use callfloor_engine::{Command, OperatorId, PhoneNumber};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Callback, CallbackState};
use crate::auth::{Access, Caller, Principal, Role, Row};
use crate::document::{Document, Read};
use crate::host::Turn;
use crate::http::{App, Asking, At, CallRef, CallbackRef, Problem, TicketRef};
use crate::storage::Range;
use crate::wire::shown;

const STAFF: Access = Access::Roles(&[Role::Operator, Role::Supervisor]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/callbacks", access: STAFF },
    Row { method: "GET", path: "/callbacks/{callback}", access: STAFF },
    Row { method: "DELETE", path: "/callbacks/{callback}", access: STAFF },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one, cancel))
}

/// A callback as staff see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct StaffCallback {
    /// Its number, in paths and lists.
    id: u64,
    /// What events call it.
    callback: Option<CallbackRef>,
    /// The queue in which it waits.
    queue: u16,
    /// That queue's service.
    service: u16,
    /// The customer's number: its last two digits.
    number: String,
    /// What the customer wrote.
    wish: Option<String>,
    /// Where it stands.
    state: CallbackState,
    /// To whom it is shown, who dials, or who reached the customer.
    operator: Option<u32>,
    /// The call whose place it keeps, where a call's flow offered it.
    from_call: Option<CallRef>,
    /// The last dial.
    call: Option<CallRef>,
    /// The ticket of the call that reached the customer.
    ticket: Option<TicketRef>,
    /// Dials made.
    attempts: u8,
    /// When it was asked for, in microseconds since 1970.
    requested_us: u64,
    /// When an operator was first shown it.
    assigned_us: Option<u64>,
    /// When the customer was last dialled.
    dialled_us: Option<u64>,
    /// When it was over.
    ended_us: Option<u64>,
}

impl From<Callback> for StaffCallback {
    fn from(found: Callback) -> Self {
        let number: Result<PhoneNumber, _> = found.number.parse();
        Self {
            id: found.id,
            callback: found.callback,
            queue: found.queue,
            service: found.service,
            number: number.map(|number| shown(number, false)).unwrap_or_default(),
            wish: found.wish,
            state: found.state,
            operator: found.operator,
            from_call: found.from_call,
            call: found.call,
            ticket: found.ticket,
            attempts: found.attempts,
            requested_us: found.requested_us,
            assigned_us: found.assigned_us,
            dialled_us: found.dialled_us,
            ended_us: found.ended_us,
        }
    }
}

/// Whose callbacks somebody sees.
#[derive(Clone, Debug)]
enum Scope {
    /// Every queue's.
    All,
    /// Those of the queues that the operator serves.
    Queues(BTreeSet<u16>),
}

impl Scope {
    fn of(turn: &Turn<'_>, role: Role, operator: Option<OperatorId>) -> Self {
        if role == Role::Supervisor {
            return Self::All;
        }
        let person = operator.and_then(|operator| turn.engine().config().operators.get(operator.index()));
        Self::Queues(person.into_iter().flat_map(|person| &person.queues).map(|of| of.queue.0).collect())
    }

    fn has(&self, queue: u16) -> bool {
        match self {
            Self::All => true,
            Self::Queues(queues) => queues.contains(&queue),
        }
    }
}

/// Role and operator of who asks.
const fn who(principal: &Principal) -> (Role, Option<OperatorId>) {
    (principal.role, principal.operator)
}

fn unknown(id: u64) -> Problem {
    Problem::unknown(format!("there is no callback {id} in your queues"))
}

/// Which callbacks are listed.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Only those that stand so; without it those that are not over.
    state: Option<CallbackState>,
    /// Only those of this queue.
    queue: Option<u16>,
    /// After the callback with this number.
    after: Option<u64>,
    /// At most so many; 100 unless said, 1000 at most.
    limit: Option<usize>,
}

/// Callbacks, oldest first: a supervisor's of every queue, an operator's of the queues that they serve.
#[utoipa::path(get, path = "/callbacks", tag = "callbacks", params(Search), responses(
    (status = 200, description = "callbacks", body = Vec<StaffCallback>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(search): Asking<Search>) -> Result<Json<Vec<StaffCallback>>, Problem> {
    let limit = search.limit.unwrap_or(100);
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::wrong("limit", format!("a limit of {limit}: 1 to 1000 is right")));
    }
    let (role, operator) = who(&caller.principal);
    let scope = caller.look(move |turn| Ok(Scope::of(turn, role, operator))).await?;
    let found = caller.read(move |reader| {
        let (index, key) = search.state.map_or(("live", ""), |state| ("state", state.word()));
        let mut range = Range {
            after: search.after.map(|after| (key, after)),
            ..Range::with_key(Callback::KIND, index, key, 1_000)
        };
        let mut found = Vec::new();
        loop {
            let page = reader.documents::<Callback>(&range)?;
            let last = page.last().map(|last| last.id);
            let ended = page.len() < range.limit;
            let wanted = |one: &Callback| scope.has(one.queue) && search.queue.is_none_or(|queue| queue == one.queue);
            found.extend(page.into_iter().filter(wanted).take(limit - found.len()).map(StaffCallback::from));
            match last.filter(|_| !ended && found.len() < limit) {
                Some(last) => range.after = Some((key, last)),
                None => return Ok(found),
            }
        }
    });
    Ok(Json(found.await?))
}

/// One callback.
#[utoipa::path(get, path = "/callbacks/{callback}", tag = "callbacks",
    params(("callback" = u64, Path, description = "its number")), responses(
    (status = 200, description = "the callback", body = StaffCallback),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(caller: Caller, At(id): At<u64>) -> Result<Json<StaffCallback>, Problem> {
    let (role, operator) = who(&caller.principal);
    let found = caller.look(move |turn| {
        let scope = Scope::of(turn, role, operator);
        let found = turn.documents().get::<Callback>(id)?.filter(|found| scope.has(found.queue));
        found.map(StaffCallback::from).ok_or_else(|| unknown(id))
    });
    Ok(Json(found.await?))
}

/// Cancels a callback for the customer. One that is over stays as it is; while the customer is dialled it is too late
/// (`wrong-stage`).
#[utoipa::path(delete, path = "/callbacks/{callback}", tag = "callbacks",
    params(("callback" = u64, Path, description = "its number")), responses(
    (status = 200, description = "over", body = StaffCallback),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn cancel(caller: Caller, At(id): At<u64>) -> Result<Json<StaffCallback>, Problem> {
    let (role, operator) = who(&caller.principal);
    let found = caller.write(move |turn| {
        let scope = Scope::of(turn, role, operator);
        turn.documents().get::<Callback>(id)?.filter(|found| scope.has(found.queue)).ok_or_else(|| unknown(id))?;
        Callback::cancel(turn, id)?.map(StaffCallback::from).ok_or_else(|| unknown(id))
    });
    Ok(Json(found.await?))
}

impl Callback {
    /// Cancels one that is not over; gives it as it is then, `None` where there is none.
    pub(super) fn cancel(turn: &mut Turn<'_>, id: u64) -> Result<Option<Self>, Problem> {
        let Some(found) = turn.documents().get::<Self>(id)? else { return Ok(None) };
        match found.callback.filter(|_| found.state.is_live()) {
            Some(live) => turn.apply(Command::CancelCallback { callback: live.0 }).map(drop)?,
            None => return Ok(Some(found)),
        }
        Ok(turn.documents().get::<Self>(id)?)
    }
}
