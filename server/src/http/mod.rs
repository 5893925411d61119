//! The API under `/api/v1`: routers of its modules, one door, one OpenAPI document made from the code.

mod address;
mod admin;
mod customers;
pub mod desk;
mod events;
mod extract;
mod ids;
mod limits;
mod lingering;
pub(crate) mod listing;
mod metrics;
mod operators;
mod pace;
mod problem;
mod records;
mod sheet;
mod statistics;
mod supervision;
pub(crate) mod tickets;
pub(crate) mod version;

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;

pub(crate) use address::ClientAddress;
pub(crate) use admin::{is_domain, name};
pub(crate) use customers::within_reach;
pub use desk::Desk;
pub(crate) use extract::{Asking, At, Body, File};
pub use ids::{CallRef, CallbackRef, ChatRef, OfferRef, TicketRef};
pub(crate) use limits::{Limits, Who};
pub(crate) use metrics::HttpFigures;
pub(crate) use operators::number;
pub(crate) use pace::in_time;
pub use problem::{Instead, Problem};

use crate::auth::{self, Access, Account, Role, Row};
use crate::certificates::Certificates;
use crate::open_api::{self, OpenApi as Open};
use crate::organisations::{self, Organisations};
use crate::planning::{self, Planner};
use crate::tenant::Tenants;
use crate::{audit, config};

/// What every handler can reach. A request's way copies it at every layer: one count, not one for each part.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

impl std::ops::Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

/// The parts of an [`App`].
#[derive(Clone, Debug)]
pub struct Parts {
    /// The organisations.
    pub organisations: Arc<Organisations>,
    /// What is shown by TLS.
    pub certificates: Arc<Certificates>,
    /// Whether browsers reach us by TLS: cookies are then marked so.
    pub secure: bool,
    /// Whose password is verified where a login is unknown.
    pub(crate) nobody: Arc<Account>,
    /// What is known of requests.
    pub(crate) figures: Arc<HttpFigures>,
    /// What everybody may ask for.
    pub(crate) limits: Arc<Limits>,
    /// Proxies in front of us.
    pub(crate) proxies: Arc<[IpAddr]>,
    /// How often signing in may fail.
    pub(crate) sign_in_limits: Arc<auth::SignInLimits>,
    /// What the open API needs.
    pub(crate) open: Open,
    /// Does the planner's runs.
    pub(crate) planner: Arc<Planner>,
    table: Arc<HashMap<(&'static str, String), Access>>,
}

impl App {
    /// An API for these organisations.
    ///
    /// # Panics
    /// If two rows of the table are about one route.
    #[must_use]
    pub fn new(
        organisations: Arc<Organisations>,
        certificates: Arc<Certificates>,
        limits: config::Limits,
        proxies: Vec<IpAddr>,
    ) -> Self {
        let mut table = HashMap::new();
        for row in rows() {
            let before = table.insert((row.method, address(row.path)), row.access);
            assert!(before.is_none(), "two rows for {} {}", row.method, row.path);
        }
        let password = auth::Token::random("nobody").reveal().to_owned();
        let nobody = Account {
            id: 0,
            login: String::new(),
            name: String::new(),
            password: Account::hash(&password).expect("a random token is long enough"),
            role: Role::Auditor,
            operator: None,
            disabled: true,
        };
        Self(Arc::new(Parts {
            organisations,
            secure: certificates.of_http().is_some(),
            certificates,
            nobody: Arc::new(nobody),
            figures: Arc::default(),
            limits: Arc::new(Limits::new(limits)),
            proxies: proxies.into(),
            sign_in_limits: Arc::default(),
            open: Open::new(Default::default(), Default::default()),
            planner: Arc::default(),
            table: Arc::new(table),
        }))
    }

    /// The organisations that are served.
    #[must_use]
    pub fn tenants(&self) -> &Tenants {
        self.organisations.tenants()
    }

    /// With an open API of these means.
    #[must_use]
    pub fn with_open(self, open: Open) -> Self {
        Self(Arc::new(Parts { open, ..Arc::unwrap_or_clone(self.0) }))
    }

    /// For whom a route is; `None` for a route without a row.
    pub(crate) fn access(&self, method: &str, path: &str) -> Option<Access> {
        let method = ["GET", "POST", "PUT", "PATCH", "DELETE"].into_iter().find(|known| *known == method)?;
        self.table.get(&(method, path.to_owned())).copied()
    }
}

/// Where the API begins.
pub const PREFIX: &str = "/api/v1";

/// Where a row's path is: those of the open API have its own beginning already.
#[must_use]
pub fn address(path: &str) -> String {
    if path.starts_with(open_api::PREFIX) { path.to_owned() } else { format!("{PREFIX}{path}") }
}

/// Every row of the table of access: one for each route.
pub fn rows() -> impl Iterator<Item = Row> {
    [
        crate::callbacks::PERMISSIONS,
        crate::dialling::PERMISSIONS,
        crate::surveys::PERMISSIONS,
        audit::PERMISSIONS,
        crate::certificates::PERMISSIONS,
        events::PERMISSIONS,
        metrics::PERMISSIONS,
        organisations::PERMISSIONS,
        operators::PERMISSIONS,
        records::PERMISSIONS,
        statistics::PERMISSIONS,
        supervision::PERMISSIONS,
    ]
    .into_iter()
    .flatten()
    .chain(admin::permissions())
    .chain(customers::permissions())
    .chain(tickets::permissions())
    .chain(crate::chat::permissions())
    .chain(auth::permissions())
    .chain(planning::permissions())
    .chain(open_api::permissions())
    .copied()
}

#[derive(OpenApi)]
#[openapi(info(
    title = "Callfloor",
    description = "The contact centre's engine, for operators, administrators and programs."
))]
struct Base;

fn api() -> OpenApiRouter<App> {
    let modules = OpenApiRouter::new()
        .merge(audit::router())
        .merge(auth::router())
        .merge(admin::router())
        .merge(crate::callbacks::router())
        .merge(crate::certificates::router())
        .merge(crate::dialling::router())
        .merge(crate::surveys::router())
        .merge(crate::chat::router())
        .merge(events::router())
        .merge(metrics::router())
        .merge(open_api::router())
        .merge(operators::router())
        .merge(organisations::router())
        .merge(planning::router())
        .merge(records::router())
        .merge(statistics::router())
        .merge(supervision::router())
        .merge(customers::router())
        .merge(tickets::router());
    let base = OpenApiRouter::with_openapi(Base::openapi());
    base.nest(PREFIX, modules).nest(open_api::PREFIX, open_api::open_router())
}

/// The OpenAPI 3.1 document of the API.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    with_problems(api().to_openapi())
}

/// Problems have a media type of their own (RFC 9457), which handlers do not repeat at each refusal.
fn with_problems(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    use utoipa::openapi::RefOr;
    open_api::document_signatures(&mut document);
    let operations = document.paths.paths.values_mut().flat_map(|path| {
        [&mut path.get, &mut path.put, &mut path.post, &mut path.delete, &mut path.patch].into_iter().flatten()
    });
    for response in operations.flat_map(|operation| operation.responses.responses.values_mut()) {
        let RefOr::T(response) = response else { continue };
        let is_problem = response.content.get("application/json").is_some_and(|content| {
            let RefOr::T(content) = content else { return false };
            matches!(&content.schema, Some(RefOr::Ref(schema)) if schema.ref_location.ends_with("/Problem"))
        });
        if is_problem && let Some(content) = response.content.swap_remove("application/json") {
            response.content.insert("application/problem+json".to_owned(), content);
        }
    }
    document
}

/// The whole service.
pub fn router(app: App) -> Router {
    let (routes, document) = api().split_for_parts();
    let document = Arc::new(with_problems(document).to_json().expect("the document has a form in JSON"));
    let served = Arc::clone(&document);
    let ready = app.clone();
    let around = Router::new()
        .route(
            "/api/openapi.json",
            get(move || {
                let body = served.as_str().to_owned();
                async move { ([(axum::http::header::CONTENT_TYPE, "application/json")], body) }
            }),
        )
        .merge(crate::console::router())
        .route("/metrics", get(metrics::local_metrics))
        .fallback(|| async { Problem::unknown("there is nothing at this address") })
        .layer(axum::middleware::from_fn_with_state(app.clone(), limits::by_address));
    // Who asks for health is never told to wait.
    Router::new()
        .merge(routes.route_layer(axum::middleware::from_fn_with_state(app.clone(), auth::gate)))
        .merge(around)
        .route("/healthz", get(|| async { "ok\n" }))
        .route(
            "/readyz",
            get(move || {
                // The main organisation's: another one in trouble takes nobody else with it, and shows it in the figures.
                let ready = ready.tenants().named(None).is_some_and(|main| main.host.is_ready());
                async move {
                    if ready { (StatusCode::OK, "ready\n") } else { (StatusCode::SERVICE_UNAVAILABLE, "not ready\n") }
                }
            }),
        )
        .layer(axum::middleware::from_fn_with_state(app.clone(), metrics::observe))
        .layer(axum::middleware::map_request(async |request: axum::extract::Request| lingering::lingers(request)))
        .with_state(app)
}
