//! Administration of the floor: every change is one `Reconfigure` with the documents beside it, in one turn, so that
//! nobody's status changes and no call is dropped.

mod audio;
mod lists;
mod people;
mod queues;
mod services;
mod steps;

use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callfloor_engine::{AudioId, Command, ConfigError, EngineConfig, Floor, Instant, Span};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::version::{Versioned, must_see};
use super::{App, Problem};
use crate::auth::{Access, Caller, Role, Row};
use crate::floor::{NumberPlan, Organisation, is_audio};
use crate::host::{Documents, Turn};
use crate::tenant::Tenant;

pub(crate) use people::OperatorConfig;
pub(crate) use queues::QueueConfig;
pub(crate) use services::ServiceConfig;

/// Who may look at the configuration.
const READERS: Access = Access::Roles(&[Role::Supervisor, Role::Planner, Role::Administrator, Role::Auditor]);
/// Who may change it.
const WRITERS: Access = Access::Roles(&[Role::Administrator]);
/// Most reasons that an administrator can add.
pub(super) const MOST_REASONS: u64 = 500;

/// Rows of this module's routes.
pub(crate) fn permissions() -> impl Iterator<Item = &'static Row> {
    [
        PERMISSIONS,
        services::PERMISSIONS,
        queues::PERMISSIONS,
        people::PERMISSIONS,
        lists::PERMISSIONS,
        audio::PERMISSIONS,
    ]
    .into_iter()
    .flatten()
}

const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/floor", access: READERS },
    Row { method: "PUT", path: "/floor/organisation", access: WRITERS },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(floor))
        .routes(routes!(set_organisation))
        .merge(services::router())
        .merge(queues::router())
        .merge(people::router())
        .merge(lists::router())
        .merge(audio::router())
}

/// A name: 1 to 60 characters, none of which is a control character.
pub(crate) fn name(field: &str, text: &str) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if !(1..=60).contains(&length) || text.chars().any(char::is_control) {
        return Err(Problem::wrong(
            field,
            format!("a name of {length} characters: 1 to 60 without control characters are right"),
        ));
    }
    Ok(text.to_owned())
}

/// Milliseconds of the wire as the engine's time; at most 100 years.
fn span(ms: u64) -> Span {
    Span::from_millis(ms.min(3_155_760_000_000))
}

/// The engine's time in milliseconds.
const fn ms(span: Span) -> u64 {
    span.as_micros() / 1_000
}

impl From<ConfigError> for Problem {
    fn from(wrong: ConfigError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration", wrong.to_string())
    }
}

/// What a change of the floor works on.
struct Change<'a> {
    floor: Floor,
    organisation: Organisation,
    documents: &'a mut Documents,
    now: Instant,
}

/// Changes the floor: `change` is given a copy, which is checked and put to use in this turn.
async fn change<T: Serialize + DeserializeOwned + Send + 'static>(
    caller: &Caller,
    headers: &HeaderMap,
    change: impl FnOnce(&mut Change<'_>) -> Result<T, Problem> + Send + 'static,
) -> Result<Versioned<T>, Problem> {
    let seen = must_see(headers, "the floor")?;
    let changed = caller
        .write(move |turn| {
            let found = Organisation::now(turn.documents())?;
            if found.version != seen {
                let detail =
                    format!("the floor was changed meanwhile: version {}, not {seen}; look at it again", found.version);
                return Err(Problem::new(StatusCode::PRECONDITION_FAILED, "floor-version", detail));
            }
            let before = turn.engine().config().clone();
            let now = turn.now();
            let mut work =
                Change { floor: before.clone().into_floor(), organisation: found, documents: turn.documents(), now };
            let answer = change(&mut work)?;
            let Change { floor, mut organisation, .. } = work;
            let config = EngineConfig::new(floor)?;
            organisation.version += 1;
            turn.documents().put(&organisation);
            if config != before {
                turn.apply(Command::Reconfigure(Box::new(config)))?;
            }
            Ok(Versioned { version: organisation.version, answer })
        })
        .await?;
    caller.principal.tenant.floor_changes.send_replace(());
    Ok(changed)
}

/// What is played changed: the telephones play it from now on.
async fn tell_phones(caller: &Caller, audio: Option<u64>) {
    let audio = audio.and_then(|audio| u32::try_from(audio).ok()).map(AudioId);
    if let Some(phones) = &caller.principal.tenant.phones {
        phones.audio_changed(audio).await;
    }
}

/// The organisation's own settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganisationConfig {
    /// As people see it.
    pub name: String,
    /// The domain of SIP addresses (P4).
    pub sip_domain: String,
    /// Which numbers may be dialled (P4).
    pub numbers: NumberPlan,
    /// The recording that is heard while a number rings; without one a tone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring_back: Option<u32>,
}

impl From<Organisation> for OrganisationConfig {
    fn from(organisation: Organisation) -> Self {
        let Organisation { name, sip_domain, numbers, ring_back, .. } = organisation;
        Self { name, sip_domain, numbers, ring_back }
    }
}

impl OrganisationConfig {
    /// With the name and domain that the server's administrators gave the organisation, where they keep them.
    fn as_kept(&mut self, tenant: &Tenant) {
        if let Some(shown) = tenant.shown() {
            (self.name, self.sip_domain) = (shown, tenant.realm.clone());
        }
    }
}

/// The whole floor, as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
struct FloorConfig {
    /// Raised by every change; the `ETag` too.
    version: u64,
    /// The organisation.
    organisation: OrganisationConfig,
    /// Services; their place is their number.
    services: Vec<ServiceConfig>,
    /// Queues.
    queues: Vec<QueueConfig>,
    /// Operators.
    operators: Vec<OperatorConfig>,
    /// Names of skills.
    skills: Vec<String>,
}

/// The whole floor.
#[utoipa::path(get, path = "/floor", tag = "administration", responses(
    (status = 200, description = "the floor; its version is the ETag", body = FloorConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn floor(caller: Caller) -> Result<Response, Problem> {
    let mut floor = caller.look(whole).await?;
    floor.organisation.as_kept(&caller.principal.tenant);
    Ok(Versioned { version: floor.version, answer: floor }.respond(StatusCode::OK))
}

fn whole(turn: &mut Turn<'_>) -> Result<FloorConfig, Problem> {
    let config = turn.engine().config().clone();
    let documents = turn.documents();
    let organisation = Organisation::now(documents)?;
    let version = organisation.version;
    let mut services = Vec::new();
    for at in 0..config.services.len() {
        services.push(ServiceConfig::of(documents, &config, at)?);
    }
    let mut queues = Vec::new();
    for at in 0..config.queues.len() {
        queues.push(QueueConfig::of(documents, &config, at)?);
    }
    let mut operators = Vec::new();
    for at in 0..config.operators.len() {
        operators.push(OperatorConfig::of(documents, &config, at)?);
    }
    Ok(FloorConfig {
        version,
        organisation: organisation.into(),
        services,
        queues,
        operators,
        skills: config.skills.clone(),
    })
}

/// Whether this is a domain or an address.
pub(crate) fn is_domain(domain: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    domain.parse::<std::net::IpAddr>().is_ok() || (domain.len() <= 253 && domain.split('.').all(label))
}

/// Changes the organisation's own settings; the name and domain of an organisation beside the main one are kept by the
/// server's administrators.
#[utoipa::path(put, path = "/floor/organisation", tag = "administration", request_body = OrganisationConfig,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 200, description = "changed", body = OrganisationConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_organisation(
    caller: Caller,
    headers: HeaderMap,
    super::Body(body): super::Body<OrganisationConfig>,
) -> Result<Response, Problem> {
    let own_name = name("name", &body.name)?;
    let domain = body.sip_domain.clone();
    let tenant = Arc::clone(&caller.principal.tenant);
    if let Some(shown) = tenant.shown()
        && (own_name != shown || domain != tenant.realm)
    {
        let detail =
            format!("this organisation is {shown:?} at {:?}: the server's administrators keep both", tenant.realm);
        return Err(Problem::conflict("kept-by-the-server", detail));
    }
    if !is_domain(&domain) {
        return Err(Problem::wrong(
            "sip_domain",
            format!("{domain:?} is no domain: one as in sip.example.jp is right"),
        ));
    }
    let plan = &body.numbers;
    let digits = |text: &str| text.len() <= 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    let all = [&plan.country_code, &plan.national_prefix, &plan.international_prefix];
    if plan.country_code.is_empty() || !all.into_iter().chain(&plan.barred).all(|text| digits(text)) {
        return Err(Problem::wrong("numbers", "prefixes are of at most 8 digits, and the country's code is not empty"));
    }
    if plan.barred.len() > 500 {
        return Err(Problem::wrong("numbers", "at most 500 barred beginnings are right"));
    }
    let changed = change(&caller, &headers, move |change| {
        (change.organisation.name, change.organisation.sip_domain) = (own_name, domain);
        change.organisation.numbers = body.numbers;
        if let Some(audio) = body.ring_back
            && !is_audio(change.documents, AudioId(audio))?
        {
            return Err(Problem::unknown(format!("there is no audio {audio} to be heard while a number rings")));
        }
        change.organisation.ring_back = body.ring_back;
        let mut config = OrganisationConfig::from(change.organisation.clone());
        config.as_kept(&tenant);
        Ok(config)
    })
    .await?;
    tell_phones(&caller, None).await;
    Ok(changed.respond(StatusCode::OK))
}
