//! Notices and FAQ, as an administrator keeps them; whoever serves customers reads them too.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::article::{Article, ArticleKind, ArticleText};
use crate::auth::{Access, Caller, Role, Row};
use crate::document::Document;
use crate::host::Documents;
use crate::http::listing::{Over, Page, Window};
use crate::http::version::{Versioned, must_see, same};
use crate::http::{App, Asking, At, Body, Problem};
use crate::storage::Range;

const READERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor, Role::Administrator]);
const WRITERS: Access = Access::Roles(&[Role::Administrator]);
/// Most articles of an organisation.
const MOST: u64 = 5_000;

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/articles", access: READERS },
    Row { method: "POST", path: "/articles", access: WRITERS },
    Row { method: "GET", path: "/articles/{article}", access: READERS },
    Row { method: "PUT", path: "/articles/{article}", access: WRITERS },
    Row { method: "DELETE", path: "/articles/{article}", access: WRITERS },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(one, change, remove))
}

/// Which articles.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those of this service.
    service: Option<u16>,
    /// Only these.
    kind: Option<ArticleKind>,
    /// At most so many; 50 unless said, 500 at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Notices and FAQ, those that are not shown yet or any more among them: of one service and kind in their order, else the
/// newest first.
#[utoipa::path(get, path = "/articles", tag = "open API: administration", params(Which), responses(
    (status = 200, description = "a page", body = inline(Page<Article>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(which): Asking<Which>) -> Result<Json<Page<Article>>, Problem> {
    let over = match (which.kind, which.service) {
        (Some(kind), Some(service)) => Over::rising("place", Article::shelf(kind, service)),
        _ => Over::all("all"),
    };
    let window = Window { limit: which.limit, after: which.after };
    let fits = move |article: &Article| {
        which.service.is_none_or(|service| article.written.service == service)
            && which.kind.is_none_or(|kind| article.written.kind == kind)
    };
    Ok(Json(caller.read(move |reader| window.page(reader, &over, fits)).await?))
}

fn found(documents: &mut Documents, id: u64) -> Result<Article, Problem> {
    documents.get::<Article>(id)?.ok_or_else(|| Problem::unknown(format!("there is no article {id}")))
}

/// One notice or entry of the FAQ.
#[utoipa::path(get, path = "/articles/{article}", tag = "open API: administration",
    params(("article" = u64, Path, description = "its number")), responses(
    (status = 200, description = "the article; its version is the ETag", body = Article),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(caller: Caller, At(id): At<u64>) -> Result<Response, Problem> {
    let article = caller.look(move |turn| found(turn.documents(), id)).await?;
    Ok(Versioned { version: article.version, answer: article }.respond(StatusCode::OK))
}

/// Adds a notice or an entry of the FAQ.
#[utoipa::path(post, path = "/articles", tag = "open API: administration", request_body = ArticleText, responses(
    (status = 201, description = "added; its version is the ETag", body = Article),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add(caller: Caller, Body(body): Body<ArticleText>) -> Result<Response, Problem> {
    let all = Range::with_key(Article::KIND, "all", "", 0);
    if caller.read(move |reader| Ok(reader.count(&all)?)).await? >= MOST {
        return Err(Problem::conflict("too-many", format!("there are {MOST} articles: that is the most; remove some")));
    }
    let added = caller
        .write(move |turn| {
            let written = body.checked(turn.engine().config().services.len())?;
            let changed_us = turn.now().as_micros();
            let documents = turn.documents();
            let id = documents.next_id::<Article>()?;
            let article = Article { id, version: 1, changed_us, written };
            documents.put(&article);
            Ok(Versioned { version: 1, answer: article })
        })
        .await?;
    Ok(added.respond(StatusCode::CREATED))
}

/// Changes a notice or an entry of the FAQ.
#[utoipa::path(put, path = "/articles/{article}", tag = "open API: administration", request_body = ArticleText,
    params(("article" = u64, Path, description = "its number"),
        ("If-Match" = String, Header, description = "the article's version")), responses(
    (status = 200, description = "changed; its version is the ETag", body = Article),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn change(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<ArticleText>,
) -> Result<Response, Problem> {
    let seen = must_see(&headers, "an article")?;
    let changed = caller
        .write(move |turn| {
            let written = body.checked(turn.engine().config().services.len())?;
            let changed_us = turn.now().as_micros();
            let documents = turn.documents();
            let before = found(documents, id)?;
            same(&format!("article {id}"), seen, before.version)?;
            let article = Article { id, version: before.version + 1, changed_us, written };
            documents.put(&article);
            Ok(Versioned { version: article.version, answer: article })
        })
        .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// Removes a notice or an entry of the FAQ.
#[utoipa::path(delete, path = "/articles/{article}", tag = "open API: administration",
    params(("article" = u64, Path, description = "its number")), responses(
    (status = 204, description = "removed"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn remove(caller: Caller, At(id): At<u64>) -> Result<StatusCode, Problem> {
    caller
        .write(move |turn| {
            found(turn.documents(), id)?;
            turn.documents().delete::<Article>(id);
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
