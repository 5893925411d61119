//! The audit log over HTTP.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Broken, Entry, Verified, verify};
use crate::auth::{Access, Caller, Role, Row};
use crate::document::{Document, Read};
use crate::http::{App, Asking, Problem};
use crate::storage::{Range, key_of};

const READERS: Access = Access::Roles(&[Role::Administrator, Role::Auditor]);

/// Rows of this module's routes.
pub const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/audit", access: READERS },
    Row { method: "GET", path: "/audit/verification", access: READERS },
];

/// This module's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verification))
}

/// Which entries.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Those before this number, newest first; without it: from the newest.
    before: Option<u64>,
    /// At most so many; 100 unless said, 1000 at most.
    limit: Option<usize>,
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Search), responses(
    (status = 200, description = "entries, newest first", body = Vec<Entry>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(search): Asking<Search>) -> Result<Json<Vec<Entry>>, Problem> {
    let limit = search.limit.unwrap_or(100);
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::wrong("limit", format!("a limit of {limit}: 1 to 1000 is right")));
    }
    let entries = caller
        .read(move |reader| {
            let to = search.before.map(key_of);
            let range = Range { to: to.as_deref(), descending: true, ..Range::all(Entry::KIND, limit) };
            Ok(reader.documents::<Entry>(&range)?)
        })
        .await?;
    Ok(Json(entries))
}

/// Whether the chain of the log holds.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Verification {
    /// What holds; `null` where a link is broken.
    verified: Option<Verified>,
    /// The first link that does not hold.
    broken: Option<Broken>,
}

/// Verifies the whole log.
#[utoipa::path(get, path = "/audit/verification", tag = "audit", responses(
    (status = 200, description = "verified, or the first broken link", body = Verification),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn verification(caller: Caller) -> Result<Json<Verification>, Problem> {
    let found = caller.read(|reader| Ok(verify(reader, None)?)).await?;
    Ok(Json(match found {
        Ok(verified) => Verification { verified: Some(verified), broken: None },
        Err(broken) => Verification { verified: None, broken: Some(broken) },
    }))
}
