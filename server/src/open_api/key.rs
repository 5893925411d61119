//! Keys of the customer's own systems: made by an administrator, with what they open in which service. Their secrets sign
//! requests, so they are kept as [`Vault`](crate::secrets::Vault) keeps them and not as hashes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Act};
use crate::auth::{Access, Caller, NewSecret, Role, Row, Shown};
use crate::document::{Document, Read};
use crate::http::{App, At, Body, Problem, name};
use crate::storage::{Kind, Range};

/// Most keys that an organisation can have, those that are over among them.
const MOST: u64 = 1_000;
/// Longest life of a key, in days: systems are given a new one each year or two.
const MOST_DAYS: u16 = 732;
/// A day in microseconds.
const DAY_US: u64 = 86_400 * 1_000_000;

/// What a key opens in a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum OpenScope {
    /// Reads the service, its notices, its FAQ, and what an inquiry form needs.
    #[serde(rename = "content:read")]
    ContentRead,
    /// Reads the inquiries of members.
    #[serde(rename = "inquiries:read")]
    InquiriesRead,
    /// Makes inquiries and goes on with them.
    #[serde(rename = "inquiries:write")]
    InquiriesWrite,
    /// Has tokens of members checked.
    #[serde(rename = "members:check")]
    MembersCheck,
}

impl OpenScope {
    /// Every scope.
    pub const ALL: [Self; 4] = [Self::ContentRead, Self::InquiriesRead, Self::InquiriesWrite, Self::MembersCheck];
}

/// What a key opens in one service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Which service.
    pub service: u16,
    /// What; at least one.
    pub scopes: Vec<OpenScope>,
}

/// A key of a customer's system.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenKey {
    pub id: u64,
    /// For people: which system has it.
    pub name: String,
    /// As the vault keeps it.
    secret: String,
    pub grants: Vec<Grant>,
    made_by: u64,
    made_us: u64,
    until_us: u64,
    revoked_us: Option<u64>,
}

impl Document for OpenKey {
    const KIND: Kind = "open-key";

    fn id(&self) -> u64 {
        self.id
    }
}

/// A key, for the log and for the vault: `open key 3`.
pub(super) fn known_as(id: u64) -> String {
    format!("open key {id}")
}

impl OpenKey {
    /// Whether it opens anything at this time.
    pub(super) const fn is_good(&self, now_us: u64) -> bool {
        self.revoked_us.is_none() && now_us < self.until_us
    }

    /// Whether it opens this in a service; without one: in any.
    pub(super) fn opens(&self, scope: OpenScope, service: Option<u16>) -> bool {
        self.grants.iter().any(|grant| service.is_none_or(|it| it == grant.service) && grant.scopes.contains(&scope))
    }

    /// Its secret.
    ///
    /// # Errors
    /// Where the server's own key does not open it.
    pub(super) fn secret(&self, app: &App) -> Result<String, Problem> {
        app.open.vault.open(&known_as(self.id), &self.secret).map_err(sealed)
    }
}

/// What is told where a secret cannot be opened: the log says more.
pub(super) fn sealed(problem: String) -> Problem {
    tracing::error!(problem, "a secret cannot be used");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "secret-sealed", "the server cannot read its secrets at present")
}

/// A key that is wanted.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewOpenKey {
    /// Which system will have it: 1 to 60 characters.
    name: String,
    /// What it opens, by service; at least one.
    grants: Vec<Grant>,
    /// It ends after so many days: 1 to 732, 366 unless said.
    days: Option<u16>,
}

/// A key, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct ListedOpenKey {
    /// Its number: what `Callfloor-Key` says.
    id: u64,
    /// Which system has it.
    name: String,
    /// What it opens.
    grants: Vec<Grant>,
    /// The account that made it.
    made_by: u64,
    /// When it was made, in microseconds since 1970.
    made_us: u64,
    /// When it ends.
    until_us: u64,
    /// When it was taken back.
    revoked_us: Option<u64>,
}

impl From<OpenKey> for ListedOpenKey {
    fn from(key: OpenKey) -> Self {
        let OpenKey { id, name, secret: _, grants, made_by, made_us, until_us, revoked_us } = key;
        Self { id, name, grants, made_by, made_us, until_us, revoked_us }
    }
}

/// A key that was made.
#[derive(Serialize, utoipa::ToSchema)]
struct MadeOpenKey {
    /// The secret that signs, shown this once.
    #[schema(value_type = String)]
    secret: Shown,
    /// What is listed of it.
    #[serde(flatten)]
    key: ListedOpenKey,
}

const ADMINISTRATOR: Access = Access::Roles(&[Role::Administrator]);

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/open-keys", access: Access::Roles(&[Role::Administrator, Role::Auditor]) },
    Row { method: "POST", path: "/open-keys", access: ADMINISTRATOR },
    Row { method: "DELETE", path: "/open-keys/{key}", access: ADMINISTRATOR },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// Keys of the open API, without their secrets; those that are over stay listed.
#[utoipa::path(get, path = "/open-keys", tag = "open API: administration", responses(
    (status = 200, description = "in the order in which they were made", body = Vec<ListedOpenKey>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller) -> Result<Json<Vec<ListedOpenKey>>, Problem> {
    let keys = caller.read(|reader| Ok(reader.documents::<OpenKey>(&Range::all(OpenKey::KIND, usize::MAX))?)).await?;
    Ok(Json(keys.into_iter().map(Into::into).collect()))
}

/// Each service once, each scope once.
fn grants(asked: Vec<Grant>, services: usize) -> Result<Vec<Grant>, Problem> {
    let wrong = |detail: String| Err(Problem::wrong("grants", detail));
    let mut grants: Vec<Grant> = Vec::new();
    for Grant { service, mut scopes } in asked {
        scopes.sort_unstable();
        scopes.dedup();
        if usize::from(service) >= services {
            return wrong(format!("there is no service {service}: there are {services}, from 0"));
        }
        if scopes.is_empty() {
            return wrong(format!("service {service} has no scope: name at least one"));
        }
        if grants.iter().any(|before| before.service == service) {
            return wrong(format!("service {service} stands there twice: put its scopes together"));
        }
        grants.push(Grant { service, scopes });
    }
    if grants.is_empty() {
        return wrong("a key without a service opens nothing: name at least one".into());
    }
    Ok(grants)
}

/// Makes a key. Its secret is in this answer alone: a repeated request with the same idempotency key is refused.
#[utoipa::path(post, path = "/open-keys", tag = "open API: administration", request_body = NewOpenKey, responses(
    (status = 201, description = "made; the secret is shown this once", body = MadeOpenKey),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn make(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewOpenKey>,
) -> Result<(StatusCode, Json<MadeOpenKey>), Problem> {
    let name = name("name", &body.name)?;
    let days = body.days.unwrap_or(366);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::wrong("days", format!("{days} days: 1 to {MOST_DAYS} are right")));
    }
    let (made_by, who) = (caller.principal.account, caller.principal.who());
    let vault = app.open.vault.clone();
    let (key, kept) = NewSecret::signing()
        .keep(&caller, move |turn, secret| {
            let grants = grants(body.grants, turn.engine().config().services.len())?;
            let made_us = turn.now().as_micros();
            let until_us = made_us + u64::from(days) * DAY_US;
            let documents = turn.documents();
            let id = documents.next_id::<OpenKey>()?;
            if id > MOST {
                return Err(Problem::conflict("too-many-keys", format!("an organisation has at most {MOST} keys")));
            }
            let secret = secret.sealed(&vault, &known_as(id));
            let key = OpenKey { id, name, secret, grants, made_by, made_us, until_us, revoked_us: None };
            let about = format!("{} {:?}: {}, {days} days", known_as(id), key.name, words(&key.grants));
            audit::append(documents, made_us, &who, Act::KeyMade, about)?;
            documents.put(&key);
            Ok(ListedOpenKey::from(key))
        })
        .await?;
    let secret = kept.show(|| format!("revoke key {}, and make another", key.id))?;
    Ok((StatusCode::CREATED, Json(MadeOpenKey { secret, key })))
}

fn words(grants: &[Grant]) -> String {
    let of = |grant: &Grant| {
        let scopes = grant.scopes.iter().filter_map(|scope| serde_json::to_value(scope).ok());
        let scopes: Vec<_> = scopes.filter_map(|word| word.as_str().map(str::to_owned)).collect();
        format!("service {}: {}", grant.service, scopes.join(" "))
    };
    grants.iter().map(of).collect::<Vec<_>>().join("; ")
}

/// Takes a key back, at once and for good.
#[utoipa::path(delete, path = "/open-keys/{key}", tag = "open API: administration",
    params(("key" = u64, Path, description = "which")), responses(
    (status = 200, description = "it opens nothing any more", body = ListedOpenKey),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn revoke(caller: Caller, At(id): At<u64>) -> Result<Json<ListedOpenKey>, Problem> {
    let who = caller.principal.who();
    let key = caller
        .write(move |turn| {
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            let key = documents.get::<OpenKey>(id)?;
            let mut key = key.ok_or_else(|| Problem::unknown(format!("there is no key {id} of the open API")))?;
            if key.revoked_us.is_none() {
                key.revoked_us = Some(now_us);
                // Nothing is signed by it any more: nothing is kept of it.
                key.secret = String::new();
                let about = format!("{} {:?}", known_as(id), key.name);
                audit::append(documents, now_us, &who, Act::KeyRevoked, about)?;
                documents.put(&key);
            }
            Ok(ListedOpenKey::from(key))
        })
        .await?;
    Ok(Json(key))
}
