//! Figures for Prometheus, in its text format 0.0.4, and the record that is kept of every request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use callfloor_engine::Status;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::address::is_brought;
use super::{App, Problem};
use crate::auth::{Access, Caller, Principal, Role, Row};
use crate::host::Figures;
use crate::tenant::Tenant;

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[Row {
    method: "GET",
    path: "/metrics",
    access: Access::Roles(&[
        Role::Supervisor,
        Role::Planner,
        Role::Administrator,
        Role::Auditor,
        Role::ServerAdministrator,
    ]),
}];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(metrics))
}

/// Upper ends of the histogram's classes, in milliseconds.
const CLASSES_MS: [u64; 11] = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500];

/// Requests of one route.
#[derive(Debug, Default)]
struct Requests {
    /// In each class, and beyond the last.
    classes: [AtomicU64; 12],
    sum_us: AtomicU64,
    /// By the first digit of the status: 1 to 5.
    statuses: [AtomicU64; 5],
}

/// What is known of requests.
#[derive(Debug, Default)]
pub(crate) struct HttpFigures {
    /// By method and route, as it stands in the router: no path of a request, so that no number gets here.
    routes: RwLock<BTreeMap<(String, String), Requests>>,
}

/// Most routes that are told apart; the rest is one.
const ROUTES: usize = 2_000;

impl HttpFigures {
    fn note(&self, method: &str, route: &str, status: u16, took_us: u64) {
        let key = (method.to_owned(), route.to_owned());
        let count = |requests: &Requests| {
            let class = CLASSES_MS.iter().position(|most| took_us <= most * 1_000).unwrap_or(CLASSES_MS.len());
            requests.classes[class].fetch_add(1, Ordering::Relaxed);
            requests.sum_us.fetch_add(took_us, Ordering::Relaxed);
            if let Some(of_status) = requests.statuses.get((usize::from(status) / 100).saturating_sub(1)) {
                of_status.fetch_add(1, Ordering::Relaxed);
            }
        };
        if let Some(requests) = self.routes.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return count(requests);
        }
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        let key = if routes.len() < ROUTES { key } else { (String::new(), "other".into()) };
        count(routes.entry(key).or_default());
    }

    fn print(&self, out: &mut String) {
        let routes = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        head(out, "callfloor_http_request_duration_seconds", "histogram", "Time from a request to its answer.");
        for ((method, route), requests) in routes.iter() {
            let labels = format!("method=\"{method}\",route=\"{}\"", escape(route));
            let mut below = 0;
            for (most, count) in CLASSES_MS.iter().zip(&requests.classes) {
                below += count.load(Ordering::Relaxed);
                let _ = writeln!(
                    out,
                    "callfloor_http_request_duration_seconds_bucket{{{labels},le=\"{}\"}} {below}",
                    seconds(most * 1_000)
                );
            }
            below += requests.classes[CLASSES_MS.len()].load(Ordering::Relaxed);
            let sum = seconds(requests.sum_us.load(Ordering::Relaxed));
            let _ = writeln!(out, "callfloor_http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} {below}");
            let _ = writeln!(out, "callfloor_http_request_duration_seconds_sum{{{labels}}} {sum}");
            let _ = writeln!(out, "callfloor_http_request_duration_seconds_count{{{labels}}} {below}");
        }
        head(out, "callfloor_http_requests_total", "counter", "Requests answered, by class of status.");
        for ((method, route), requests) in routes.iter() {
            for (class, count) in (1..).zip(&requests.statuses) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let _ = writeln!(
                        out,
                        "callfloor_http_requests_total{{method=\"{method}\",route=\"{}\",status=\"{class}xx\"}} {count}",
                        escape(route)
                    );
                }
            }
        }
    }
}

/// A label's value (exposition format 0.0.4).
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of a run are far below 2^53")]
fn seconds(us: u64) -> f64 {
    us as f64 * 1e-6
}

/// Notes every request: its route, never its path or body, since these may hold customers' numbers.
pub(super) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let method = request.method().as_str().to_owned();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let begun = Instant::now();
    let response = next.run(request).await;
    let took_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let status = response.status().as_u16();
    app.figures.note(&method, &route, status, took_us);
    tracing::info!(target: "callfloor::http", method, route, status, took_us, "request");
    response
}

/// What the engine shows of a tenant.
struct Floor {
    waiting: Vec<(String, u32, u32, u64)>,
    operators: [u32; 10],
    calls: usize,
    events: u64,
}

async fn floor(tenant: &Tenant) -> Result<Floor, Problem> {
    let looked = tenant.host.run(|turn| {
        let (engine, now) = (turn.engine(), turn.now());
        let config = engine.config();
        let mut waiting = Vec::with_capacity(config.queues.len());
        for (queue, seen) in config.queues.iter().zip(engine.queues()) {
            let longest = seen.oldest.map_or(0, |oldest| now.since(oldest).as_micros());
            waiting.push((queue.name.clone(), seen.waiting, seen.ringing, longest));
        }
        let mut operators = [0; 10];
        for at in (0..).take(config.operators.len()).map(callfloor_engine::OperatorId) {
            operators[engine.operator_status(at) as usize] += 1;
        }
        Ok::<_, Problem>(Floor { waiting, operators, calls: engine.live_calls(), events: turn.events() })
    });
    looked.await?
}

/// Figures of these organisations.
async fn text(tenants: &[Arc<Tenant>]) -> String {
    let mut out = String::new();
    type Counter = (&'static str, &'static str, fn(&Figures) -> u64);
    let counters: [Counter; 5] = [
        ("callfloor_commands_total", "Commands that the engine accepted.", |figures| load(&figures.commands)),
        ("callfloor_refusals_total", "Commands that the engine refused.", |figures| load(&figures.refused)),
        ("callfloor_commits_total", "Commits to storage.", |figures| load(&figures.commits)),
        ("callfloor_engine_microseconds_total", "Time in the engine and its documents.", |figures| {
            load(&figures.engine_us)
        }),
        ("callfloor_commit_microseconds_total", "Time that storage took for commits.", |figures| {
            load(&figures.commit_us)
        }),
    ];
    for (name, help, value) in counters {
        head(&mut out, name, "counter", help);
        for tenant in tenants {
            let _ =
                writeln!(out, "{name}{{organisation=\"{}\"}} {}", escape(&tenant.name), value(tenant.host.figures()));
        }
    }
    head(&mut out, "callfloor_ready", "gauge", "1 where jobs and writes are taken.");
    for tenant in tenants {
        let ready = u8::from(tenant.host.is_ready());
        let _ = writeln!(out, "callfloor_ready{{organisation=\"{}\"}} {ready}", escape(&tenant.name));
    }
    let mut floors = Vec::new();
    for tenant in tenants {
        // A tenant that does not answer now shows that by callfloor_ready.
        if let Ok(floor) = floor(tenant).await {
            floors.push((escape(&tenant.name), floor));
        }
    }
    head(&mut out, "callfloor_events_total", "counter", "Outputs of the engine.");
    for (tenant, floor) in &floors {
        let _ = writeln!(out, "callfloor_events_total{{organisation=\"{tenant}\"}} {}", floor.events);
    }
    head(&mut out, "callfloor_live_calls", "gauge", "Calls in progress.");
    for (tenant, floor) in &floors {
        let _ = writeln!(out, "callfloor_live_calls{{organisation=\"{tenant}\"}} {}", floor.calls);
    }
    head(&mut out, "callfloor_operators", "gauge", "Operators by status.");
    for (tenant, floor) in &floors {
        for (status, count) in Status::ALL.iter().zip(floor.operators) {
            let _ = writeln!(out, "callfloor_operators{{organisation=\"{tenant}\",status=\"{status}\"}} {count}");
        }
    }
    head(&mut out, "callfloor_queue_waiting", "gauge", "Waiting in a queue, not ringing.");
    for (tenant, floor) in &floors {
        for (queue, waiting, ..) in &floor.waiting {
            let queue = escape(queue);
            let _ = writeln!(out, "callfloor_queue_waiting{{organisation=\"{tenant}\",queue=\"{queue}\"}} {waiting}");
        }
    }
    head(&mut out, "callfloor_queue_ringing", "gauge", "Of a queue and ringing.");
    for (tenant, floor) in &floors {
        for (queue, _, ringing, _) in &floor.waiting {
            let queue = escape(queue);
            let _ = writeln!(out, "callfloor_queue_ringing{{organisation=\"{tenant}\",queue=\"{queue}\"}} {ringing}");
        }
    }
    head(&mut out, "callfloor_queue_longest_wait_seconds", "gauge", "How long the first has waited.");
    for (tenant, floor) in &floors {
        for (queue, _, _, longest) in &floor.waiting {
            let (queue, longest) = (escape(queue), seconds(*longest));
            let _ = writeln!(
                out,
                "callfloor_queue_longest_wait_seconds{{organisation=\"{tenant}\",queue=\"{queue}\"}} {longest}"
            );
        }
    }
    out
}

/// Figures of the whole server.
async fn whole_text(app: &App) -> String {
    let mut out = text(&app.tenants().all()).await;
    head(&mut out, "callfloor_in_trouble", "gauge", "1 where an organisation is to be served and cannot.");
    for name in app.tenants().names() {
        let trouble = u8::from(app.organisations.trouble(&name).is_some());
        let _ = writeln!(out, "callfloor_in_trouble{{organisation=\"{}\"}} {trouble}", escape(&name));
    }
    app.figures.print(&mut out);
    out
}

fn load(figure: &AtomicU64) -> u64 {
    figure.load(Ordering::Relaxed)
}

fn exposition(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

/// Figures for Prometheus: of the caller's organisation; to an administrator of the server, of all organisations and of HTTP.
/// This machine itself may ask `GET /metrics` for the same without signing in.
#[utoipa::path(get, path = "/metrics", tag = "metrics", responses(
    (status = 200, description = "text format 0.0.4", body = String, content_type = "text/plain"),
    (status = "4XX", description = "refused", body = Problem),
))]
async fn metrics(State(app): State<App>, caller: Caller) -> Response {
    let Principal { tenant, role, .. } = caller.principal;
    exposition(if role == Role::ServerAdministrator { whole_text(&app).await } else { text(&[tenant]).await })
}

/// `/metrics`, for this machine alone: not for whoever a proxy on it brings.
pub(super) async fn local_metrics(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if !peer.ip().to_canonical().is_loopback() || is_brought(&headers) {
        return Err(Problem::forbidden("figures are for this machine alone here; others sign in: GET /api/v1/metrics"));
    }
    Ok(exposition(whole_text(&app).await))
}
