//! Signing in and out: opaque sessions that can be taken back.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Access, Account, Caller, Role, Row, Token};
use crate::audit::{self, Act};
use crate::document::{Document, Read};
use crate::http::{App, Body, ClientAddress, Problem};
use crate::storage::{IndexKey, Kind};
use crate::tenant::{Tenant, Tenants};

/// The cookie of browsers.
pub(super) const COOKIE: &str = "callfloor_session";
/// A session ends this long after it began, in microseconds: 12 hours.
const LIFE_US: u64 = 12 * 3_600 * 1_000_000;

/// Somebody signed in somewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its number.
    pub id: u64,
    /// Hash of its token.
    pub token: String,
    /// Whose.
    pub account: u64,
    /// When it ends, in microseconds since 1970.
    pub until_us: u64,
}

impl Document for Session {
    const KIND: Kind = "session";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("token", self.token.as_str()), IndexKey::new("account", self.account.to_string())]
    }
}

/// Who wants to sign in.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SignIn {
    /// The organisation; without it the one that the login names behind its last `@`, else `main`.
    pub organisation: Option<String>,
    /// The account's login: `anna`, or `anna@acme` for the organisation `acme`.
    pub login: String,
    /// Its password.
    #[schema(format = Password)]
    pub password: String,
}

impl std::fmt::Debug for SignIn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignIn").field("login", &self.login).finish_non_exhaustive()
    }
}

impl SignIn {
    /// The organisation that is meant, and the login in it.
    fn meant(&self, tenants: &Tenants) -> (String, String) {
        if let Some(organisation) = &self.organisation {
            return (organisation.clone(), self.login.clone());
        }
        let named = self.login.rsplit_once('@').filter(|(_, name)| tenants.is_known(name));
        let (login, organisation) = named.unwrap_or((&self.login, Tenants::MAIN));
        (organisation.to_owned(), login.to_owned())
    }
}

/// A session that began.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct SignedIn {
    /// For programs: `Authorization: Bearer TOKEN`. Browsers have the cookie.
    pub token: String,
    /// What the account is.
    pub role: Role,
    /// The operator that the account is.
    pub operator: Option<u32>,
    /// When the session ends, in microseconds since 1970.
    pub until_us: u64,
}

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/sessions", access: Access::Public },
    Row { method: "GET", path: "/sessions/current", access: Access::SignedIn },
    Row { method: "DELETE", path: "/sessions/current", access: Access::SignedIn },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(sign_in)).routes(routes!(who_am_i, sign_out))
}

/// Signs in.
#[utoipa::path(post, path = "/sessions", tag = "sessions", request_body = SignIn, responses(
    (status = 201, description = "signed in; the session's cookie is set", body = SignedIn),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn sign_in(
    State(app): State<App>,
    ClientAddress(peer): ClientAddress,
    Body(body): Body<SignIn>,
) -> Result<Response, Problem> {
    let refused = || Problem::unauthenticated("login or password is wrong");
    let (organisation, login) = body.meant(app.tenants());
    let of = tried(&organisation, &login);
    app.sign_in_limits.admit(peer, &of, Instant::now())?;
    if app.tenants().is_closed(&organisation) {
        return Err(Problem::not_served(&organisation));
    }
    let tenant = app.tenants().named(Some(&organisation));
    let wanted = login.clone();
    let account = match &tenant {
        Some(tenant) => tenant.host.read(move |reader| reader.find::<Account>("login", &wanted)).await?,
        None => None,
    };
    // Without an account, a password is verified all the same: the time taken tells nobody which logins exist.
    let (nobody, password) = (app.nobody.clone(), body.password);
    let verified = app.sign_in_limits.in_turn(move || {
        let account = account.filter(|account| !account.disabled);
        let right = account.as_ref().unwrap_or(&nobody).verify(&password);
        (account, right)
    });
    let (account, right) = verified.await?;
    let (Some(account), Some(tenant)) = (account.filter(|_| right), &tenant) else {
        app.sign_in_limits.failed(peer, &of, Instant::now());
        if let Some(tenant) = &tenant {
            note_failure(tenant, login).await?;
        }
        return Err(refused());
    };
    app.sign_in_limits.succeeded(peer, &of, Instant::now());
    let token = Token::random(&tenant.name);
    let (hash, id, who) = (token.hash(), account.id, account.who());
    let until_us = tenant
        .host
        .run(move |turn| {
            let now_us = turn.now().as_micros();
            let until_us = now_us + LIFE_US;
            let documents = turn.documents();
            for over in documents.with_key::<Session>("account", &id.to_string(), 100)? {
                if over.until_us <= now_us {
                    documents.delete::<Session>(over.id);
                }
            }
            let session = Session { id: documents.next_id::<Session>()?, token: hash, account: id, until_us };
            audit::append(documents, now_us, &who, Act::SignedIn, format!("session {}", session.id))?;
            documents.put(&session);
            Ok::<_, Problem>(until_us)
        })
        .await??;
    let cookie = format!(
        "{COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={}{}",
        token.reveal(),
        LIFE_US / 1_000_000,
        if app.secure { "; Secure" } else { "" }
    );
    let answer =
        SignedIn { token: token.reveal().to_owned(), role: account.role, operator: account.operator, until_us };
    let mut headers = HeaderMap::new();
    headers.insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).expect("a token is plain text"));
    Ok((StatusCode::CREATED, headers, Json(answer)).into_response())
}

/// A login, as tries to sign in are counted.
pub(super) fn tried(organisation: &str, login: &str) -> String {
    format!("{organisation}/{login}")
}

/// The log tells which login was tried; what was typed into the wrong field may be a password, so an unknown one is not
/// repeated there.
async fn note_failure(tenant: &Tenant, login: String) -> Result<(), Problem> {
    let noted = tenant.host.run(move |turn| {
        let now_us = turn.now().as_micros();
        let documents = turn.documents();
        let account = documents.find::<Account>("login", &login)?;
        let who = account.map_or_else(|| "an unknown login".to_owned(), |account| account.who());
        Ok::<_, Problem>(audit::append(documents, now_us, &who, Act::SignInFailed, String::new())?)
    });
    noted.await?
}

/// Who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct WhoAmI {
    /// The organisation.
    pub organisation: String,
    /// The account's login.
    pub login: String,
    /// Its role.
    pub role: Role,
    /// The operator that the account is.
    pub operator: Option<u32>,
}

/// Who is signed in.
#[utoipa::path(get, path = "/sessions/current", tag = "sessions", responses(
    (status = 200, description = "who asks", body = WhoAmI),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn who_am_i(caller: Caller) -> Json<WhoAmI> {
    let principal = caller.principal;
    Json(WhoAmI {
        organisation: principal.tenant.name.clone(),
        login: principal.login,
        role: principal.role,
        operator: principal.operator.map(|operator| operator.0),
    })
}

/// Signs out: the session ends.
#[utoipa::path(delete, path = "/sessions/current", tag = "sessions", responses(
    (status = 204, description = "signed out"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn sign_out(caller: Caller) -> Result<StatusCode, Problem> {
    if let Some(session) = caller.session {
        let who = caller.principal.who();
        caller
            .write(move |turn| {
                let now_us = turn.now().as_micros();
                audit::append(turn.documents(), now_us, &who, Act::SignedOut, format!("session {session}"))?;
                turn.documents().delete::<Session>(session);
                Ok(())
            })
            .await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
