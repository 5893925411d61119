//! What a service tells of itself: its name, notices, FAQ, and what an inquiry form needs.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::OpenScope;
use super::article::{Article, ArticleKind, language};
use super::door::Asker;
use crate::auth::{Access, Row};
use crate::document::{Document, Read};
use crate::http::listing::{Over, Page, Window};
use crate::http::{App, Asking, At, Problem};
use crate::storage::{Range, Reader};
use crate::tickets::{Category, CustomField, FieldKind};
use crate::words::searched;

const READ: Access = Access::Signed(OpenScope::ContentRead);

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/open/v1/services", access: READ },
    Row { method: "GET", path: "/open/v1/services/{service}/notices", access: READ },
    Row { method: "GET", path: "/open/v1/services/{service}/faq", access: READ },
    Row { method: "GET", path: "/open/v1/services/{service}/categories", access: READ },
    Row { method: "GET", path: "/open/v1/services/{service}/fields", access: READ },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(services))
        .routes(routes!(notices))
        .routes(routes!(faq))
        .routes(routes!(categories))
        .routes(routes!(fields))
}

/// A service.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct OpenService {
    /// Its number: what the addresses of the rest name.
    service: u16,
    /// Its name.
    name: String,
    /// Whether its business hours are running.
    open_now: bool,
}

/// The services that the key opens.
#[utoipa::path(get, path = "/services", tag = "open API", responses(
    (status = 200, description = "by number", body = Vec<OpenService>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn services(asker: Asker) -> Result<Json<Vec<OpenService>>, Problem> {
    let mut wanted = asker.services.clone();
    wanted.sort_unstable();
    let found = asker.look(move |turn| {
        let (engine, now) = (turn.engine(), turn.now());
        let services = wanted.into_iter().filter_map(|service| {
            let found = engine.config().services.get(usize::from(service))?;
            Some(OpenService { service, name: found.name.clone(), open_now: found.hours.is_open(now) })
        });
        Ok(services.collect())
    });
    found.await.map(Json)
}

/// Which articles.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// Only those in this language.
    pub language: Option<String>,
    /// Only those with this text in them.
    pub q: Option<String>,
    /// At most so many; 50 unless said, 500 at most.
    pub limit: Option<usize>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// An article, as everybody sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct OpenArticle {
    /// Its number.
    id: u64,
    /// Of its texts.
    language: String,
    /// The title, or the question.
    title: String,
    /// The text, or the answer.
    text: String,
    /// Shown from this time on, in microseconds since 1970.
    from_us: u64,
    /// Shown until this time.
    until_us: Option<u64>,
    /// When it was last changed.
    changed_us: u64,
}

/// Reads the articles of a service that everybody is shown now.
///
/// # Errors
/// Where the language is none.
pub(super) fn shown(
    kind: ArticleKind,
    service: u16,
    which: Which,
) -> Result<impl FnOnce(&mut dyn Reader) -> Result<Page<OpenArticle>, Problem> + Send + 'static, Problem> {
    let wanted = which.language.as_deref().map(language).transpose()?;
    let text = which.q.map(|text| searched(&text));
    let now_us = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
    let fits = move |article: &Article| {
        let written = &article.written;
        let has = |text: &String| searched(&written.title).contains(text) || searched(&written.text).contains(text);
        article.is_shown(now_us)
            && wanted.as_ref().is_none_or(|language| *language == written.language)
            && text.as_ref().is_none_or(has)
    };
    let window = Window { limit: which.limit, after: which.after };
    let over = Over::rising("place", Article::shelf(kind, service));
    Ok(move |reader: &mut dyn Reader| Ok(window.page(reader, &over, fits)?.map(OpenArticle::from)))
}

impl From<Article> for OpenArticle {
    fn from(Article { id, changed_us, written, .. }: Article) -> Self {
        Self {
            id,
            language: written.language,
            title: written.title,
            text: written.text,
            from_us: written.from_us,
            until_us: written.until_us,
            changed_us,
        }
    }
}

/// The notices of a service that are shown now, in their order.
#[utoipa::path(get, path = "/services/{service}/notices", tag = "open API",
    params(Which, ("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "a page", body = inline(Page<OpenArticle>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn notices(
    asker: Asker,
    At(service): At<u16>,
    Asking(which): Asking<Which>,
) -> Result<Json<Page<OpenArticle>>, Problem> {
    asker.read(shown(ArticleKind::Notice, service, which)?).await.map(Json)
}

/// The FAQ of a service, in its order.
#[utoipa::path(get, path = "/services/{service}/faq", tag = "open API",
    params(Which, ("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "a page", body = inline(Page<OpenArticle>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn faq(
    asker: Asker,
    At(service): At<u16>,
    Asking(which): Asking<Which>,
) -> Result<Json<Page<OpenArticle>>, Problem> {
    asker.read(shown(ArticleKind::Faq, service, which)?).await.map(Json)
}

/// A category to choose.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct OpenCategory {
    /// Its number: what an inquiry names.
    category: u64,
    /// What people see.
    name: String,
    /// The category of which it is a part.
    under: Option<u64>,
}

/// Categories of inquiries: those of tickets that are offered for choice.
#[utoipa::path(get, path = "/services/{service}/categories", tag = "open API",
    params(("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "by number", body = Vec<OpenCategory>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn categories(asker: Asker) -> Result<Json<Vec<OpenCategory>>, Problem> {
    asker.read(OpenCategory::offered).await.map(Json)
}

impl OpenCategory {
    /// Those that are offered for choice.
    ///
    /// # Errors
    /// What storage says.
    pub(super) fn offered(reader: &mut dyn Reader) -> Result<Vec<Self>, Problem> {
        let all = reader.documents::<Category>(&Range::all(Category::KIND, usize::MAX))?;
        let offered = all.into_iter().filter(|category| !category.retired);
        Ok(offered.map(|Category { id, name, under, .. }| Self { category: id, name, under }).collect())
    }
}

/// A field to fill in.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct OpenField {
    /// Its number: what an inquiry names.
    field: u64,
    /// What people see.
    name: String,
    /// What can stand in it.
    kind: FieldKind,
}

/// Fields of inquiries: those of tickets that are offered.
#[utoipa::path(get, path = "/services/{service}/fields", tag = "open API",
    params(("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "by number", body = Vec<OpenField>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn fields(asker: Asker) -> Result<Json<Vec<OpenField>>, Problem> {
    asker.read(OpenField::offered).await.map(Json)
}

impl OpenField {
    /// Those that are offered.
    ///
    /// # Errors
    /// What storage says.
    pub(super) fn offered(reader: &mut dyn Reader) -> Result<Vec<Self>, Problem> {
        let all = reader.documents::<CustomField>(&Range::all(CustomField::KIND, usize::MAX))?;
        let offered = all.into_iter().filter(|field| !field.retired);
        Ok(offered.map(|CustomField { id, name, kind, .. }| Self { field: id, name, kind }).collect())
    }
}
