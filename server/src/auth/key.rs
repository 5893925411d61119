//! Keys of machines: made by an administrator, shown once, kept as a hash, good for a few routes and for a time.

use axum::Json;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Access, Caller, NewSecret, Role, Row, Shown};
use crate::audit::{self, Act};
use crate::document::{Document, Read};
use crate::http::{App, At, Body, Problem};
use crate::storage::{IndexKey, Kind, Range};

/// Most keys that an organisation can have, those that are over among them.
const MOST: u64 = 1_000;
/// Longest life of a key, in days.
const MOST_DAYS: u16 = 366;
/// A day in microseconds.
const DAY_US: u64 = 86_400 * 1_000_000;

/// What a key opens: these routes and no others. None of them tells of customers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
pub enum Scope {
    /// Reads statistics.
    #[serde(rename = "statistics:read")]
    StatisticsRead,
    /// Reads the figures for Prometheus.
    #[serde(rename = "metrics:read")]
    MetricsRead,
    /// Reads the configuration.
    #[serde(rename = "floor:read")]
    FloorRead,
    /// Changes services, queues, operators and lists.
    #[serde(rename = "floor:write")]
    FloorWrite,
    /// Reads and verifies the audit log.
    #[serde(rename = "audit:read")]
    AuditRead,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 5] =
        [Self::StatisticsRead, Self::MetricsRead, Self::FloorRead, Self::FloorWrite, Self::AuditRead];

    /// What a key is on the routes of this scope; the rows of the access table hold for it as for a person.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::StatisticsRead | Self::MetricsRead | Self::FloorRead => Role::Planner,
            Self::FloorWrite => Role::Administrator,
            Self::AuditRead => Role::Auditor,
        }
    }

    /// The rows of the access table that it opens: method, and path as it stands in the table.
    #[must_use]
    pub const fn rows(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::StatisticsRead => &[("GET", "/statistics/queues"), ("GET", "/statistics/operators")],
            Self::MetricsRead => &[("GET", "/metrics")],
            Self::FloorRead => &[
                ("GET", "/floor"),
                ("GET", "/floor/services/{service}"),
                ("GET", "/floor/operators/{number}"),
                ("GET", "/floor/inbound-numbers"),
                ("GET", "/floor/audio"),
                ("GET", "/floor/reasons"),
            ],
            Self::FloorWrite => &[
                ("POST", "/floor/services"),
                ("PUT", "/floor/services/{service}"),
                ("POST", "/floor/queues"),
                ("PUT", "/floor/queues/{queue}"),
                ("POST", "/floor/operators"),
                ("PUT", "/floor/operators/{number}"),
                ("PUT", "/floor/skills"),
                ("POST", "/floor/reasons"),
                ("PUT", "/floor/reasons/{reason}"),
            ],
            Self::AuditRead => &[("GET", "/audit"), ("GET", "/audit/verification")],
        }
    }

    /// Whether it opens a row.
    #[must_use]
    pub fn opens(self, method: &str, path: &str) -> bool {
        self.rows().contains(&(method, path))
    }
}

/// A machine's key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its number.
    pub id: u64,
    /// For people: which machine has it.
    pub name: String,
    /// Hash of its token.
    pub token: String,
    /// What it opens.
    pub scopes: Vec<Scope>,
    /// The account that made it.
    pub made_by: u64,
    /// When it was made, in microseconds since 1970.
    pub made_us: u64,
    /// When it ends.
    pub until_us: u64,
    /// When it was taken back.
    pub revoked_us: Option<u64>,
}

impl Document for Key {
    const KIND: Kind = "api-key";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("token", self.token.as_str())]
    }
}

impl Key {
    /// Whether it opens anything at this time.
    #[must_use]
    pub const fn is_good(&self, now_us: u64) -> bool {
        self.revoked_us.is_none() && now_us < self.until_us
    }
}

/// A key that is wanted.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewKey {
    /// Which machine will have it: 1 to 60 characters.
    name: String,
    /// What it opens; at least one.
    scopes: Vec<Scope>,
    /// It ends after so many days: 1 to 366, 90 unless said.
    days: Option<u16>,
}

/// A key, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ListedKey)]
struct Listed {
    /// Its number.
    id: u64,
    /// Which machine has it.
    name: String,
    /// What it opens.
    scopes: Vec<Scope>,
    /// The account that made it.
    made_by: u64,
    /// When it was made, in microseconds since 1970.
    made_us: u64,
    /// When it ends.
    until_us: u64,
    /// When it was taken back.
    revoked_us: Option<u64>,
}

impl From<Key> for Listed {
    fn from(key: Key) -> Self {
        let Key { id, name, token: _, scopes, made_by, made_us, until_us, revoked_us } = key;
        Self { id, name, scopes, made_by, made_us, until_us, revoked_us }
    }
}

/// A key that was made.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = MadeKey)]
struct Made {
    /// The secret, shown this once: `Authorization: Bearer SECRET`.
    #[schema(value_type = String)]
    secret: Shown,
    /// What is listed of it.
    #[serde(flatten)]
    key: Listed,
}

const ADMINISTRATOR: Access = Access::Roles(&[Role::Administrator]);

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/keys", access: Access::Roles(&[Role::Administrator, Role::Auditor]) },
    Row { method: "POST", path: "/keys", access: ADMINISTRATOR },
    Row { method: "DELETE", path: "/keys/{key}", access: ADMINISTRATOR },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(revoke))
}

/// Keys of machines, without their secrets; those that are over stay listed.
#[utoipa::path(get, path = "/keys", tag = "keys", responses(
    (status = 200, description = "in the order in which they were made", body = Vec<Listed>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller) -> Result<Json<Vec<Listed>>, Problem> {
    let keys = caller.read(|reader| Ok(reader.documents::<Key>(&Range::all(Key::KIND, usize::MAX))?)).await?;
    Ok(Json(keys.into_iter().map(Into::into).collect()))
}

/// Makes a key. Its secret is in this answer alone: a repeated request with the same idempotency key is refused.
#[utoipa::path(post, path = "/keys", tag = "keys", request_body = NewKey, responses(
    (status = 201, description = "made; the secret is shown this once", body = Made),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn make(caller: Caller, Body(body): Body<NewKey>) -> Result<(StatusCode, Json<Made>), Problem> {
    let name = super::account::name(&body.name)?;
    let days = body.days.unwrap_or(90);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::wrong("days", format!("{days} days: 1 to {MOST_DAYS} are right")));
    }
    let mut scopes = body.scopes;
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Problem::wrong("scopes", "a key without a scope opens nothing: name at least one"));
    }
    let (secret, account) = (NewSecret::key(&caller.principal.tenant.name), caller.principal.account);
    let who = caller.principal.who();
    let (key, kept) = secret
        .keep(&caller, move |turn, secret| {
            let made_us = turn.now().as_micros();
            let until_us = made_us + u64::from(days) * DAY_US;
            let documents = turn.documents();
            let id = documents.next_id::<Key>()?;
            if id > MOST {
                return Err(Problem::conflict("too-many-keys", format!("an organisation has at most {MOST} keys")));
            }
            let key =
                Key { id, name, token: secret.hash(), scopes, made_by: account, made_us, until_us, revoked_us: None };
            let about = format!("key {id} {:?}: {}, {days} days", key.name, words(&key.scopes));
            audit::append(documents, made_us, &who, Act::KeyMade, about)?;
            documents.put(&key);
            Ok(Listed::from(key))
        })
        .await?;
    let secret = kept.show(|| format!("revoke key {}, and make another", key.id))?;
    Ok((StatusCode::CREATED, Json(Made { secret, key })))
}

fn words(scopes: &[Scope]) -> String {
    let words = scopes.iter().filter_map(|scope| serde_json::to_value(scope).ok());
    words.filter_map(|word| word.as_str().map(str::to_owned)).collect::<Vec<_>>().join(" ")
}

/// Takes a key back, at once and for good.
#[utoipa::path(delete, path = "/keys/{key}", tag = "keys", params(("key" = u64, Path, description = "which")), responses(
    (status = 200, description = "it opens nothing any more", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn revoke(caller: Caller, At(number): At<u64>) -> Result<Json<Listed>, Problem> {
    let who = caller.principal.who();
    let key = caller
        .write(move |turn| {
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            let key = documents.get::<Key>(number)?;
            let mut key = key.ok_or_else(|| Problem::unknown(format!("there is no key {number}")))?;
            if key.revoked_us.is_none() {
                key.revoked_us = Some(now_us);
                audit::append(documents, now_us, &who, Act::KeyRevoked, format!("key {number} {:?}", key.name))?;
                documents.put(&key);
            }
            Ok(Listed::from(key))
        })
        .await?;
    Ok(Json(key))
}
