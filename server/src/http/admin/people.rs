//! Operators: rights, CTI ids and numbers, skills, memberships, capacity, devices.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callfloor_engine::{EngineConfig, Membership, Operator, OperatorId, OperatorSkill, QueueId, ServiceId, SkillId};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Change, READERS, WRITERS, change, name};
use crate::auth::{Caller, Row};
use crate::host::Documents;
use crate::http::operators::number;
use crate::http::{App, At, Body, Problem};
use crate::organisations::Limits;
use crate::phone::{Device, Telephone, put_telephone};

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/floor/operators", access: WRITERS },
    Row { method: "GET", path: "/floor/operators/{number}", access: READERS },
    Row { method: "PUT", path: "/floor/operators/{number}", access: WRITERS },
    Row { method: "PUT", path: "/floor/operators/{number}/telephone", access: WRITERS },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(get, replace)).routes(routes!(set_password))
}

/// An operator, as configured.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OperatorConfig {
    /// For screens and reports.
    pub name: String,
    /// Services; the first one's settings hold at login, and it cannot be changed.
    pub services: Vec<u16>,
    /// The phone right (P3).
    #[serde(default)]
    pub phone: bool,
    /// CTI id: the login name (P5).
    #[serde(default)]
    pub cti_id: Option<String>,
    /// CTI number: the extension (P6).
    #[serde(default)]
    pub cti_number: Option<String>,
    /// Skills.
    #[serde(default)]
    pub skills: Vec<HasSkill>,
    /// Queues that they serve.
    #[serde(default)]
    pub queues: Vec<Serves>,
    /// Capacity points.
    #[serde(default = "points")]
    pub points: u16,
    /// Most chats at once.
    #[serde(default)]
    pub chat_limit: u8,
    /// Most tickets worked on at once by assignment.
    #[serde(default)]
    pub ticket_limit: u8,
    /// The device answers by itself.
    #[serde(default)]
    pub auto_answer: bool,
    /// What rings.
    #[serde(default)]
    pub device: Device,
}

const fn points() -> u16 {
    100
}

/// A skill of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HasSkill {
    /// Which.
    pub skill: u16,
    /// 1 to 10.
    pub proficiency: u8,
}

/// That an operator serves a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Serves {
    /// Which.
    pub queue: u16,
    /// Lower levels are asked first.
    #[serde(default)]
    pub level: u8,
    /// Work of a lower preference is taken first.
    #[serde(default)]
    pub preference: u8,
}

impl OperatorConfig {
    pub(super) fn of(documents: &mut Documents, config: &EngineConfig, at: usize) -> Result<Self, Problem> {
        let person = &config.operators[at];
        let device = crate::http::desk::device(documents, OperatorId(u32::try_from(at).unwrap_or(u32::MAX)))?;
        Ok(Self {
            name: person.name.clone(),
            services: person.services.iter().map(|service| service.0).collect(),
            phone: person.phone,
            cti_id: person.cti_id.clone(),
            cti_number: person.cti_number.map(|number| number.to_string()),
            skills: person
                .skills
                .iter()
                .map(|it| HasSkill { skill: it.skill.0, proficiency: it.proficiency })
                .collect(),
            queues: person
                .queues
                .iter()
                .map(|it| Serves { queue: it.queue.0, level: it.level, preference: it.preference })
                .collect(),
            points: person.points,
            chat_limit: person.chat_limit,
            ticket_limit: person.ticket_limit,
            auto_answer: person.auto_answer,
            device,
        })
    }

    fn operator(&self, change: &mut Change<'_>, at: usize) -> Result<Operator, Problem> {
        let own_name = name("name", &self.name)?;
        if self.services.len() > 1_000 || self.queues.len() > 1_000 || self.skills.len() > 1_000 {
            return Err(Problem::wrong("lists", "at most 1000 services, queues and skills are right"));
        }
        // The telephone registers with the CTI id; its password goes with a new one.
        let user = self.cti_id.clone().unwrap_or_default();
        let known = change.documents.get::<Telephone>(at as u64 + 1)?.filter(|known| known.user == user);
        let none = Telephone { id: at as u64 + 1, device: self.device, user, md5: None, sha256: None };
        put_telephone(change.documents, &Telephone { device: self.device, ..known.unwrap_or(none) })?;
        Ok(Operator {
            name: own_name,
            services: self.services.iter().map(|&service| ServiceId(service)).collect(),
            phone: self.phone,
            cti_id: self.cti_id.as_deref().map(|id| name("cti_id", id)).transpose()?,
            cti_number: self.cti_number.as_deref().map(|text| number("cti_number", text)).transpose()?,
            skills: self
                .skills
                .iter()
                .map(|it| OperatorSkill { skill: SkillId(it.skill), proficiency: it.proficiency })
                .collect(),
            queues: self
                .queues
                .iter()
                .map(|it| Membership { queue: QueueId(it.queue), level: it.level, preference: it.preference })
                .collect(),
            points: self.points,
            chat_limit: self.chat_limit,
            ticket_limit: self.ticket_limit,
            auto_answer: self.auto_answer,
        })
    }
}

/// An operator who was added.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct NewOperator {
    /// Their number.
    operator: u32,
}

/// Adds an operator. An account that may sign in for them is made separately.
#[utoipa::path(post, path = "/floor/operators", tag = "administration", request_body = OperatorConfig,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 201, description = "added; the floor's version is the ETag", body = NewOperator),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add(caller: Caller, headers: HeaderMap, Body(body): Body<OperatorConfig>) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = change.floor.operators.len();
        let number = u32::try_from(at).ok().filter(|number| *number < 200_000);
        let number =
            number.ok_or_else(|| Problem::conflict("too-many", format!("there are {at} operators already")))?;
        Limits::of(change.documents)?.admit_operator(at)?;
        let operator = body.operator(change, at)?;
        change.floor.operators.push(operator);
        Ok(NewOperator { operator: number })
    })
    .await?;
    Ok(changed.respond(StatusCode::CREATED))
}

/// One operator.
#[utoipa::path(get, path = "/floor/operators/{number}", tag = "administration",
    params(("number" = u32, Path, description = "which")), responses(
    (status = 200, description = "the operator", body = OperatorConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn get(caller: Caller, At(number): At<u32>) -> Result<axum::Json<OperatorConfig>, Problem> {
    let found = caller
        .look(move |turn| {
            let config = turn.engine().config().clone();
            if number as usize >= config.operators.len() {
                return Err(Problem::unknown(format!("there is no operator {number}")));
            }
            OperatorConfig::of(turn.documents(), &config, number as usize)
        })
        .await?;
    Ok(axum::Json(found))
}

/// Changes an operator. Their status does not change, and what they have in hand stays with them.
#[utoipa::path(put, path = "/floor/operators/{number}", tag = "administration", request_body = OperatorConfig,
    params(("number" = u32, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = OperatorConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn replace(
    caller: Caller,
    headers: HeaderMap,
    At(number): At<u32>,
    Body(body): Body<OperatorConfig>,
) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = number as usize;
        if at >= change.floor.operators.len() {
            return Err(Problem::unknown(format!("there is no operator {number}")));
        }
        change.floor.operators[at] = body.operator(change, at)?;
        Ok(body)
    })
    .await?;
    tell_telephone(&caller, number).await?;
    Ok(changed.respond(StatusCode::OK))
}

/// The switchboard learns of a changed telephone.
async fn tell_telephone(caller: &Caller, operator: u32) -> Result<(), Problem> {
    let Some(phones) = caller.principal.tenant.phones.clone() else { return Ok(()) };
    let telephone = caller.look(move |turn| Ok(turn.documents().get::<Telephone>(u64::from(operator) + 1)?)).await?;
    if let Some(telephone) = telephone {
        phones.changed(telephone);
    }
    Ok(())
}

/// A telephone's password.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct TelephonePassword {
    /// 8 to 64 characters.
    #[schema(format = Password)]
    password: String,
}

impl std::fmt::Debug for TelephonePassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TelephonePassword").finish_non_exhaustive()
    }
}

/// Sets the password with which an operator's SIP telephone registers; its user name is the CTI id (P5).
#[utoipa::path(put, path = "/floor/operators/{number}/telephone", tag = "administration", request_body = TelephonePassword,
    params(("number" = u32, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "set; the floor's version is the ETag", body = OperatorConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_password(
    caller: Caller,
    headers: HeaderMap,
    At(number): At<u32>,
    Body(body): Body<TelephonePassword>,
) -> Result<Response, Problem> {
    if !(8..=64).contains(&body.password.chars().count()) || body.password.chars().any(char::is_control) {
        return Err(Problem::wrong("password", "a telephone's password has 8 to 64 characters"));
    }
    let realm = caller.principal.tenant.realm.clone();
    let changed = change(&caller, &headers, move |change| {
        let person = change.floor.operators.get(number as usize);
        let person = person.ok_or_else(|| Problem::unknown(format!("there is no operator {number}")))?;
        let operator = OperatorId(number);
        let user = person.cti_id.clone();
        let user = user.ok_or_else(|| Problem::from(callfloor_engine::Rejection::NoCtiId(operator)))?;
        let device = crate::http::desk::device(change.documents, operator)?;
        let telephone = Telephone { device, ..Telephone::sip(operator, &user, &realm, &body.password) };
        put_telephone(change.documents, &telephone)?;
        let config = EngineConfig::new(change.floor.clone())?;
        OperatorConfig::of(change.documents, &config, number as usize)
    })
    .await?;
    tell_telephone(&caller, number).await?;
    Ok(changed.respond(StatusCode::OK))
}
