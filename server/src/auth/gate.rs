//! The one door of the API: finds out who asks, and whether the route is for them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, MatchedPath, RawPathParams, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use callfloor_engine::OperatorId;
use sha2::{Digest, Sha256};

use super::caller::{Change, SessionNumber};
use super::once::{Repeatable, idempotency_key};
use super::session::COOKIE;
use super::{Account, Key, Principal, Role, Scope, Session, Token};
use crate::audit;
use crate::document::Read;
use crate::http::{App, ClientAddress, PREFIX, Problem, Who, in_time};
use crate::open_api::{self, OpenScope};
use crate::tenant::{Tenant, Tenants};

/// For whom a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody; nobody need be signed in.
    Public,
    /// Whoever is signed in.
    SignedIn,
    /// These roles.
    Roles(&'static [Role]),
    /// Systems of the customer's, whose requests are signed by a key with this scope.
    Signed(OpenScope),
    /// The operator whom the path's `{operator}` names, and these roles for everybody.
    OwnOr(&'static [Role]),
}

impl Access {
    /// Whether nobody need be signed in.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public)
    }
}

/// A row of the table: a route and for whom it is.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `GET`, `POST`, …
    pub method: &'static str,
    /// As it stands in the router, under `/api/v1`; of the open API, whole.
    pub path: &'static str,
    /// For whom.
    pub access: Access,
}

/// Largest body that is read to recognise a repeated request, in bytes.
const FINGERPRINTED: usize = 2 << 20;

/// Lets a request through, with who asks, or refuses it.
pub async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let open = request.uri().path().starts_with(open_api::PREFIX);
    match admit(&app, &mut request).await {
        Ok(()) => next.run(request).await,
        Err(problem) => {
            let mut response = problem.into_response();
            if open && response.status() == StatusCode::UNAUTHORIZED {
                let challenge = HeaderValue::from_static(open_api::CHALLENGE);
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
            }
            response
        }
    }
}

async fn admit(app: &App, request: &mut Request) -> Result<(), Problem> {
    let matched = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let path = matched.ok_or_else(|| Problem::unknown("there is no such route"))?;
    let access = app.access(request.method().as_str(), &path);
    let access = access.ok_or_else(|| Problem::forbidden("this route is for nobody"))?;
    let stranger = Who::at(ClientAddress::of(request, &app.proxies));
    match access {
        Access::Public => return app.limits.admit(&stranger, request.method()),
        Access::Signed(scope) => {
            app.limits.admit(&stranger, request.method())?;
            return open_api::admit(app, request, scope).await;
        }
        Access::SignedIn | Access::Roles(_) | Access::OwnOr(_) => {}
    }
    let route = path.strip_prefix(PREFIX).unwrap_or(&path);
    let principal = match whoever(app, request, route).await {
        Ok(principal) => principal,
        Err(Refused { who, problem }) => {
            // Guesses cost the address; who has nothing left there is told to wait.
            app.limits.admit(&who.unwrap_or(stranger), request.method())?;
            return Err(problem);
        }
    };
    app.limits.admit(&Who::is(&principal), request.method())?;
    let own = own_operator(request).await;
    let allowed = match access {
        Access::Signed(_) => false,
        Access::Public | Access::SignedIn => true,
        Access::Roles(roles) => roles.contains(&principal.role),
        Access::OwnOr(roles) => {
            roles.contains(&principal.role)
                || (matches!(principal.role, Role::Operator | Role::Supervisor)
                    && own.is_some()
                    && own == principal.operator)
        }
    };
    if !allowed {
        return Err(Problem::forbidden(format!("this is not for the role {:?}", principal.role)));
    }
    request.extensions_mut().insert(principal);
    if audit::is_configuration(request.method().as_str(), route) {
        let asked = request.uri().path();
        let change = format!("{} {}", request.method(), asked.strip_prefix(PREFIX).unwrap_or(asked));
        request.extensions_mut().insert(Change(change));
    }
    fingerprint(request).await
}

/// Somebody who is not let in.
struct Refused {
    /// Who it is, where that is known.
    who: Option<Who>,
    problem: Problem,
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self { who: None, problem }
    }
}

/// Who asks, by what they sent to prove it.
async fn whoever(app: &App, request: &mut Request, route: &str) -> Result<Principal, Refused> {
    let sent = sent(request.headers());
    let sent = sent.ok_or_else(|| Problem::unauthenticated("sign in first: POST /api/v1/sessions"))?;
    if sent.is_key() {
        return machine(app, sent, request.method().as_str(), route).await;
    }
    let (principal, session) = person(app, sent).await?;
    request.extensions_mut().insert(SessionNumber(session));
    Ok(principal)
}

/// The operator whom the path names.
async fn own_operator(request: &mut Request) -> Option<OperatorId> {
    let (mut parts, body) = std::mem::take(request).into_parts();
    let found = RawPathParams::from_request_parts(&mut parts, &()).await.ok().and_then(|parameters| {
        parameters.iter().find(|(name, _)| *name == "operator").and_then(|(_, value)| value.parse().ok())
    });
    *request = Request::from_parts(parts, body);
    found.map(OperatorId)
}

/// A request with an idempotency key is known again by its method, path and body.
async fn fingerprint(request: &mut Request) -> Result<(), Problem> {
    let Some(key) = idempotency_key(request.headers())? else { return Ok(()) };
    let (parts, body) = std::mem::take(request).into_parts();
    let bytes = in_time(body, |body| axum::body::to_bytes(body, FINGERPRINTED)).await?.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "a body of at most 2 MiB is right here")
    })?;
    let mut digest = Sha256::new();
    digest.update(parts.method.as_str());
    digest.update(parts.uri.to_string());
    digest.update(&bytes);
    let fingerprint = format!("{:x}", digest.finalize());
    *request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(Repeatable { key, fingerprint });
    Ok(())
}

/// What was sent to prove who asks: a bearer token, or a browser's cookie. A machine's key is never a cookie.
fn sent(headers: &HeaderMap) -> Option<Token> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(Token::sent);
    let cookie = || {
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .find_map(|all| all.split(';').find_map(|one| one.trim().strip_prefix(COOKIE)?.strip_prefix('=')))
            .map(Token::sent)
            .filter(|token| !token.is_key())
    };
    bearer.or_else(cookie)
}

fn now_us() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0)
}

/// The organisation that a token names, where it is served now.
fn tenant_of(app: &App, token: &Token) -> Result<Option<Arc<Tenant>>, Problem> {
    let Some(name) = token.organisation() else { return Ok(None) };
    if app.tenants().is_closed(name) {
        return Err(Problem::not_served(name));
    }
    Ok(app.tenants().named(Some(name)))
}

/// A person, and their session's number.
async fn person(app: &App, token: Token) -> Result<(Principal, u64), Problem> {
    let expired = || Problem::unauthenticated("the session is unknown or over: sign in again");
    let tenant = tenant_of(app, &token)?.ok_or_else(expired)?;
    let found = session(&tenant, token.hash()).await?;
    let now_us = now_us();
    let (session, account) =
        found.filter(|(session, account)| session.until_us > now_us && !account.disabled).ok_or_else(expired)?;
    if account.role == Role::ServerAdministrator && tenant.name != Tenants::MAIN {
        // Whatever another organisation's store says: nobody in it has to do with the server.
        return Err(Problem::forbidden("administrators of the server are of the main organisation alone"));
    }
    let principal = Principal {
        tenant,
        account: account.id,
        machine: false,
        login: account.login,
        role: account.role,
        operator: account.operator.map(OperatorId),
    };
    Ok((principal, session.id))
}

/// The session of a token, with its account.
async fn session(tenant: &Tenant, hash: String) -> Result<Option<(Session, Account)>, Problem> {
    // Ahead of the look: what changes during it is looked up again.
    let changes = tenant.host.changes_of_credentials();
    if let Some(found) = tenant.sessions.get(&hash, changes) {
        return Ok(Some(found));
    }
    let token = hash.clone();
    let found = tenant.host.read(move |reader| {
        let Some(session) = reader.find::<Session>("token", &token)? else { return Ok(None) };
        let account = reader.document::<Account>(session.account)?;
        Ok::<_, Problem>(account.map(|account| (session, account)))
    });
    let found = found.await?;
    if let Some(found) = &found {
        tenant.sessions.put(hash, changes, found.clone());
    }
    Ok(found)
}

/// A machine, where its key opens this route.
async fn machine(app: &App, token: Token, method: &str, route: &str) -> Result<Principal, Refused> {
    let over = || Problem::unauthenticated("the key is unknown, taken back or over: ask an administrator for another");
    let tenant = tenant_of(app, &token)?.ok_or_else(over)?;
    let hash = token.hash();
    let key = tenant.host.read(move |reader| Ok::<_, Problem>(reader.find::<Key>("token", &hash)?)).await?;
    let key = key.filter(|key| key.is_good(now_us())).ok_or_else(over)?;
    let scope = key.scopes.iter().copied().find(|scope| scope.opens(method, route));
    let scope: Scope = scope.ok_or_else(|| Refused {
        who: Some(Who::Key(tenant.name.clone(), key.id)),
        problem: Problem::forbidden("this key has no scope that opens this route"),
    })?;
    Ok(Principal { tenant, account: key.id, machine: true, login: key.name, role: scope.role(), operator: None })
}
