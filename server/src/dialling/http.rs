//! What a service has dialled this hour and day, and what is left of its caps.

use axum::Json;
use callfloor_engine::ServiceId;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Caps, DialCounts, Period, caps};
use crate::auth::{Access, Caller, Role, Row};
use crate::floor::ServiceExtra;
use crate::host::Turn;
use crate::http::{App, At, Problem};

const READERS: Access = Access::Roles(&[Role::Supervisor, Role::Planner, Role::Administrator]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[Row { method: "GET", path: "/services/{service}/dials", access: READERS }];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(dials))
}

/// What was dialled, by the service's clock.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Dialled {
    /// The outgoing number; `null` for the whole service, consults, transfers and forwards outside included.
    number: Option<String>,
    /// This hour.
    hour: Standing,
    /// This day.
    day: Standing,
}

/// How a count stands to its cap.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = DialStanding)]
struct Standing {
    /// Dials so far.
    dials: u32,
    /// The most that are allowed; `null`: as many as one likes.
    most: Option<u32>,
    /// When the next period begins, in microseconds since 1970.
    next_us: u64,
}

/// What a service and each of its outgoing numbers have dialled this hour and this day.
#[utoipa::path(get, path = "/services/{service}/dials", tag = "services",
    params(("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "the whole service first, then its numbers in their order", body = Vec<Dialled>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn dials(caller: Caller, At(service): At<u16>) -> Result<Json<Vec<Dialled>>, Problem> {
    caller.look(move |turn| dialled(turn, ServiceId(service))).await.map(Json)
}

fn dialled(turn: &mut Turn<'_>, service: ServiceId) -> Result<Vec<Dialled>, Problem> {
    let found = turn.engine().config().services.get(service.index());
    let found = found.ok_or_else(|| Problem::unknown(format!("there is no service {}", service.0)))?;
    let numbers: Vec<_> = found.outgoing.iter().map(|outgoing| outgoing.number).collect();
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    let extra = ServiceExtra::of(documents, service)?;
    let zone = caps::zone(&extra)?;
    let mut all = Vec::with_capacity(numbers.len() + 1);
    for number in [None].into_iter().chain(numbers.into_iter().map(Some)) {
        let counts = DialCounts::of(documents, service, number)?;
        let caps = match number {
            None => extra.dial_caps,
            Some(number) => extra.number_caps.get(&number.to_string()).copied().unwrap_or(Caps::NONE),
        };
        let standing = |period: Period| {
            let (begun, next_us) = period.bounds(&zone, now_us)?;
            Ok::<_, Problem>(Standing { dials: counts.in_period(period, begun), most: caps.most(period), next_us })
        };
        let (hour, day) = (standing(Period::Hour)?, standing(Period::Day)?);
        all.push(Dialled { number: number.map(|number| number.to_string()), hour, day });
    }
    Ok(all)
}
