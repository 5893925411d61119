//! Inquiries at an operator's desk: whom a ticket is from, and the files under it.

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::attachment::{self, Attachment};
use super::inquiry::Inquiry;
use crate::auth::{Access, Caller, Role, Row};
use crate::document::Read;
use crate::http::tickets::visible;
use crate::http::{App, At, Problem};

/// Operators those of their services.
const DESK: Access = Access::Roles(&[Role::Operator, Role::Supervisor]);

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/tickets/{ticket}/inquiry", access: DESK },
    Row { method: "GET", path: "/tickets/{ticket}/attachments/{attachment}", access: DESK },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(inquiry)).routes(routes!(file))
}

/// What came with a ticket from the customer's own system.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct ShownInquiry {
    /// Whom it is from.
    #[serde(flatten)]
    inquiry: Inquiry,
    /// The files under it.
    attachments: Vec<Attachment>,
}

async fn see(caller: &Caller, ticket: u64) -> Result<(), Problem> {
    let who = caller.principal.clone();
    caller.look(move |turn| visible(turn, &who, ticket).map(drop)).await
}

/// Whom a ticket is from that came by the open API, and which files are under it.
#[utoipa::path(get, path = "/tickets/{ticket}/inquiry", tag = "tickets",
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "the inquiry", body = ShownInquiry),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn inquiry(caller: Caller, At(id): At<u64>) -> Result<Json<ShownInquiry>, Problem> {
    see(&caller, id).await?;
    let found = caller.read(move |reader| {
        let inquiry = reader.document::<Inquiry>(id)?;
        let inquiry = inquiry.ok_or_else(|| Problem::unknown(format!("ticket {id} did not come by the open API")))?;
        Ok(ShownInquiry { inquiry, attachments: attachment::of(reader, id)? })
    });
    let found = found.await?;
    let numbers = usize::from(found.inquiry.from.phone.is_some());
    caller.reads_numbers(numbers, format!("the inquiry of ticket {id}")).await?;
    Ok(Json(found))
}

/// A file under a ticket.
#[utoipa::path(get, path = "/tickets/{ticket}/attachments/{attachment}", tag = "tickets",
    params(("ticket" = u64, Path, description = "its number"), ("attachment" = u64, Path, description = "which file")),
    responses(
    (status = 200, description = "its content", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn file(State(app): State<App>, caller: Caller, At((ticket, file)): At<(u64, u64)>) -> Result<Response, Problem> {
    see(&caller, ticket).await?;
    let file = caller.read(move |reader| attachment::one(reader, ticket, file)).await?;
    attachment::send(&app, &caller.principal.tenant, file).await
}
