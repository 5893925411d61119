//! Tickets as CSV.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::SUPERVISORS;
use super::list::{TicketPage, Which, find};
use crate::audit::Act;
use crate::auth::{Caller, Row};
use crate::http::records::field;
use crate::http::{App, Asking, Problem};
use crate::tickets::status_word;

pub(super) const PERMISSIONS: &[Row] = &[Row { method: "GET", path: "/tickets.csv", access: SUPERVISORS }];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(csv))
}

/// Tickets as CSV, the last changed first; `next` of the page is in the header `Next`.
#[utoipa::path(get, path = "/tickets.csv", tag = "tickets", params(Which), responses(
    (status = 200, description = "a header line and a line for each ticket", body = String, content_type = "text/csv"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn csv(caller: Caller, Asking(which): Asking<Which>) -> Result<Response, Problem> {
    caller.audited(Act::DataExported, "tickets as CSV".to_owned()).await?;
    let TicketPage { page, .. } = find(&caller, Which { limit: which.limit.or(Some(500)), ..which }).await?;
    let mut text = String::from(
        "ticket,service,status,resolution,owner,queue,customer,subject,category,tags,priority,created_us,changed_us,\
         first_reply_us,solved_us,closed_us,first_response_late,resolution_late,reopened,score\n",
    );
    let maybe = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    for ticket in page.items {
        let resolution = ticket.resolution.and_then(|resolution| serde_json::to_value(resolution).ok());
        let fields = [
            ticket.id.to_string(),
            ticket.service.to_string(),
            status_word(ticket.status).to_owned(),
            resolution.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
            maybe(ticket.owner.map(u64::from)),
            maybe(ticket.queue.map(u64::from)),
            maybe(ticket.customer),
            field(&ticket.subject),
            maybe(ticket.category),
            field(&ticket.tags.join(" ")),
            ticket.priority.to_string(),
            ticket.created_us.to_string(),
            ticket.changed_us.to_string(),
            maybe(ticket.first_reply_us),
            maybe(ticket.solved_us),
            maybe(ticket.closed_us),
            ticket.first_response_late.to_string(),
            ticket.resolution_late.to_string(),
            ticket.reopened.to_string(),
            maybe(ticket.score.map(u64::from)),
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response();
    if let Some(next) = page.next.and_then(|next| next.parse().ok()) {
        response.headers_mut().insert("next", next);
    }
    Ok(response)
}
