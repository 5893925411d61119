//! One change of many tickets: each has its own result, and one that is refused stops no other.

use axum::Json;
use callfloor_engine::Command;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{Forward, Move, hand_on, move_to};
use super::{DESK, live, order, visible};
use crate::auth::{Caller, Row};
use crate::http::{App, Body, Problem};

pub(super) const PERMISSIONS: &[Row] = &[Row { method: "POST", path: "/tickets/batch", access: DESK }];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(batch))
}

/// Most tickets of a batch.
const MOST: usize = 200;

/// A change of many tickets.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Batch {
    /// Their numbers, at most 200.
    tickets: Vec<u64>,
    /// What is done to each.
    order: Order,
}

/// What is done to each ticket.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Order {
    /// Moves it to another status.
    Status(Move),
    /// Hands it on.
    Forward(Forward),
    /// Sets its priority.
    Priority(u8),
    /// The operator who asks becomes its owner.
    Pull,
}

/// What became of one ticket.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Done {
    /// Which.
    ticket: u64,
    /// Why not; `null` where it was done.
    refused: Option<Problem>,
}

/// Does the same to many tickets; each has its own result.
#[utoipa::path(post, path = "/tickets/batch", tag = "tickets", request_body = Batch, responses(
    (status = 200, description = "what became of each, in their order", body = Vec<Done>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn batch(caller: Caller, Body(body): Body<Batch>) -> Result<Json<Vec<Done>>, Problem> {
    if !(1..=MOST).contains(&body.tickets.len()) {
        return Err(Problem::wrong("tickets", format!("{} tickets: 1 to {MOST} are right", body.tickets.len())));
    }
    let who = caller.principal.clone();
    let done = caller
        .write(move |turn| {
            let mut done = Vec::with_capacity(body.tickets.len());
            for id in body.tickets {
                let mut once = || -> Result<(), Problem> {
                    let ticket = visible(turn, &who, id)?;
                    match body.order {
                        Order::Status(to) => move_to(turn, &who, &ticket, to),
                        Order::Forward(to) => hand_on(turn, &ticket, to),
                        Order::Priority(priority) => {
                            order(turn, Command::SetTicketPriority { ticket: live(&ticket)?, priority, version: None })
                        }
                        Order::Pull => {
                            let none = || Problem::conflict("no-operator", "this account is no operator's");
                            let operator = who.operator.ok_or_else(none)?;
                            order(turn, Command::PullTicket { operator, ticket: live(&ticket)?, version: None })
                        }
                    }
                };
                done.push(Done { ticket: id, refused: once().err() });
            }
            Ok(done)
        })
        .await?;
    Ok(Json(done))
}
