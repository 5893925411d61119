//! Services: contract flags, hours, flow, outgoing numbers, favourites, settings.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callfloor_engine::{
    AfterCall, AudioId, CallbackSettings, DeviceLostRule, EngineConfig, Favourite, MissRule, NumberState, OpeningHours,
    OutboundTicket, OutgoingNumber, Service, ServiceId, Settings, TicketSettings,
};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::steps::{StepConfig, flow};
use super::{Change, READERS, WRITERS, change, ms, name, span};
use crate::auth::{Caller, Row};
use crate::dialling::Caps;
use crate::floor::{HOURS_AHEAD_DAYS, HelpCentre, Schedule, ServiceExtra, expand, is_audio};
use crate::host::Documents;
use crate::http::operators::number;
use crate::http::{App, At, Body, Problem};
use crate::issues::{Escalation, ServiceKind};
use crate::organisations::Limits;
use crate::wire::StatusChoice;

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/floor/services", access: WRITERS },
    Row { method: "GET", path: "/floor/services/{service}", access: READERS },
    Row { method: "PUT", path: "/floor/services/{service}", access: WRITERS },
    Row { method: "PUT", path: "/floor/services/{service}/contract", access: WRITERS },
    Row { method: "PUT", path: "/floor/services/{service}/outgoing-numbers", access: WRITERS },
    Row { method: "PUT", path: "/floor/services/{service}/favourites", access: WRITERS },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .routes(routes!(get, replace))
        .routes(routes!(set_contract))
        .routes(routes!(set_outgoing))
        .routes(routes!(set_favourites))
}

/// Most services, queues, operators and entries of a list.
const MOST: usize = 10_000;

/// A service, as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceConfig {
    /// For screens and reports.
    pub name: String,
    /// Contract flag: inbound calls are taken (P1).
    pub inbound: bool,
    /// Contract flag: dials are allowed (P2).
    pub outbound: bool,
    /// Weekly hours, holidays and time zone; `null`: day and night.
    #[serde(default)]
    pub schedule: Option<Schedule>,
    /// The time zone of its reports; the schedule's where it has one.
    #[serde(default = "zone")]
    pub zone: String,
    /// The call flow (P14).
    pub flow: Vec<StepConfig>,
    /// Registered caller ids, in the order in which they are shown (P7).
    #[serde(default)]
    pub outgoing: Vec<Outgoing>,
    /// Favourite transfer numbers (P11).
    #[serde(default)]
    pub favourites: Vec<NamedNumber>,
    /// Everything with a default.
    #[serde(default)]
    pub settings: SettingsConfig,
    /// What it takes; it stays what it was made.
    #[serde(default)]
    pub kind: ServiceKind,
    /// What becomes of its tickets that are escalated.
    #[serde(default)]
    pub escalation: Escalation,
    /// Most numbers that are dialled for it, in an hour and in a day of its clock.
    #[serde(default)]
    pub dial_caps: Caps,
    /// What everybody is shown of it: nothing unless switched on.
    #[serde(default)]
    pub help_centre: HelpCentre,
}

fn zone() -> String {
    ServiceExtra::default().zone
}

/// A registered caller id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Outgoing {
    /// The number.
    pub number: String,
    /// Only a confirmed one can be used.
    pub state: Registration,
    /// Most dials under it in an hour of the service's clock; `null`: as many as one likes.
    #[serde(default)]
    pub per_hour: Option<u32>,
    /// Most dials under it in a day.
    #[serde(default)]
    pub per_day: Option<u32>,
}

/// How far a registration has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Registration {
    /// Applied for.
    New,
    /// May be used.
    Confirmed,
    /// Refused.
    Rejected,
}

/// A number with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NamedNumber {
    /// What operators see.
    pub name: String,
    /// What is dialled.
    pub number: String,
}

/// A service's settings; what is left out has its default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SettingsConfig {
    /// Status at CTI login (P10).
    pub login_status: StatusChoice,
    /// Call-recovery time 呼回収時間 (P9), in milliseconds.
    pub ring_limit_ms: u64,
    /// What a missed or declined offer does to the operator (P42, P43).
    pub on_miss: OnMiss,
    /// When a dial makes its ticket (P8).
    pub outbound_ticket: OutboundTicketAt,
    /// How long an outbound dial rings, in milliseconds.
    pub dial_limit_ms: u64,
    /// How long a consulted or forwarded number rings, in milliseconds.
    pub consult_limit_ms: u64,
    /// Longest after-call work, in milliseconds; `null`: left by hand (P60).
    pub after_call_limit_ms: Option<u64>,
    /// Status at that limit.
    pub after_call_then: StatusChoice,
    /// Whether it may be left before the limit.
    pub after_call_early_exit: bool,
    /// When the operator is reminded, in milliseconds.
    pub after_call_prompt_ms: Option<u64>,
    /// The announcement of a forced end (P12).
    pub forced_end_audio: u32,
    /// When it is cut, in milliseconds (P55).
    pub forced_end_limit_ms: u64,
    /// Hold and queue music (P13).
    pub hold_music: u32,
    /// What becomes of a customer whose operator's device is lost.
    pub on_device_lost: OnDeviceLost,
    /// When a lost device logs its operator out, in milliseconds.
    pub device_grace_ms: u64,
    /// The end of after-call work solves the call's ticket.
    pub solve_at_wrap_up: bool,
    /// Solved becomes Closed after this time, in milliseconds.
    pub close_after_ms: u64,
    /// Business time to the first reply, in milliseconds.
    pub first_response_ms: Option<u64>,
    /// Business time to the resolution, in milliseconds.
    pub resolution_ms: Option<u64>,
    /// When an assigned ticket returns, in milliseconds.
    pub return_after_ms: Option<u64>,
    /// Dials of a callback.
    pub callback_attempts: u8,
    /// Time between them, in milliseconds.
    pub callback_retry_ms: u64,
}

/// What a missed offer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum OnMiss {
    /// The operator leaves Ready.
    LeaveReady,
    /// They stay Ready; Break after so many misses in a row, 0 for never.
    StayReady(u16),
}

/// When a dial makes its ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OutboundTicketAt {
    /// When the customer is connected (P46).
    Connect,
    /// At the dial (P47).
    Dial,
}

/// What becomes of a customer whose operator's device is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OnDeviceLost {
    /// Back to the head of the queue.
    Requeue,
    /// The call ends.
    End,
}

impl Default for SettingsConfig {
    fn default() -> Self {
        Self::of(&Settings {
            forced_end_audio: crate::demo::audio::FORCED_END,
            hold_music: crate::demo::audio::MUSIC,
            ..Settings::default()
        })
    }
}

impl SettingsConfig {
    fn of(settings: &Settings) -> Self {
        Self {
            login_status: settings.login_status.into(),
            ring_limit_ms: ms(settings.ring_limit),
            on_miss: match settings.on_miss {
                MissRule::LeaveReady => OnMiss::LeaveReady,
                MissRule::StayReady { break_after } => OnMiss::StayReady(break_after),
            },
            outbound_ticket: match settings.outbound_ticket {
                OutboundTicket::AtConnect => OutboundTicketAt::Connect,
                OutboundTicket::AtDial => OutboundTicketAt::Dial,
            },
            dial_limit_ms: ms(settings.dial_limit),
            consult_limit_ms: ms(settings.consult_limit),
            after_call_limit_ms: settings.after_call.limit.map(ms),
            after_call_then: settings.after_call.then.into(),
            after_call_early_exit: settings.after_call.early_exit,
            after_call_prompt_ms: settings.after_call.prompt_after.map(ms),
            forced_end_audio: settings.forced_end_audio.0,
            forced_end_limit_ms: ms(settings.forced_end_limit),
            hold_music: settings.hold_music.0,
            on_device_lost: match settings.on_device_lost {
                DeviceLostRule::Requeue => OnDeviceLost::Requeue,
                DeviceLostRule::End => OnDeviceLost::End,
            },
            device_grace_ms: ms(settings.device_grace),
            solve_at_wrap_up: settings.tickets.solve_at_wrap_up,
            close_after_ms: ms(settings.tickets.close_after),
            first_response_ms: settings.tickets.first_response.map(ms),
            resolution_ms: settings.tickets.resolution.map(ms),
            return_after_ms: settings.tickets.return_after.map(ms),
            callback_attempts: settings.callback.attempts,
            callback_retry_ms: ms(settings.callback.retry_after),
        }
    }

    fn settings(&self) -> Settings {
        Settings {
            login_status: self.login_status.into(),
            ring_limit: span(self.ring_limit_ms),
            on_miss: match self.on_miss {
                OnMiss::LeaveReady => MissRule::LeaveReady,
                OnMiss::StayReady(break_after) => MissRule::StayReady { break_after },
            },
            outbound_ticket: match self.outbound_ticket {
                OutboundTicketAt::Connect => OutboundTicket::AtConnect,
                OutboundTicketAt::Dial => OutboundTicket::AtDial,
            },
            dial_limit: span(self.dial_limit_ms),
            consult_limit: span(self.consult_limit_ms),
            after_call: AfterCall {
                limit: self.after_call_limit_ms.map(span),
                then: self.after_call_then.into(),
                early_exit: self.after_call_early_exit,
                prompt_after: self.after_call_prompt_ms.map(span),
            },
            forced_end_audio: AudioId(self.forced_end_audio),
            forced_end_limit: span(self.forced_end_limit_ms),
            hold_music: AudioId(self.hold_music),
            on_device_lost: match self.on_device_lost {
                OnDeviceLost::Requeue => DeviceLostRule::Requeue,
                OnDeviceLost::End => DeviceLostRule::End,
            },
            device_grace: span(self.device_grace_ms),
            tickets: TicketSettings {
                solve_at_wrap_up: self.solve_at_wrap_up,
                close_after: span(self.close_after_ms),
                first_response: self.first_response_ms.map(span),
                resolution: self.resolution_ms.map(span),
                return_after: self.return_after_ms.map(span),
            },
            callback: CallbackSettings { attempts: self.callback_attempts, retry_after: span(self.callback_retry_ms) },
        }
    }
}

impl ServiceConfig {
    pub(super) fn of(documents: &mut Documents, config: &EngineConfig, at: usize) -> Result<Self, Problem> {
        let service = &config.services[at];
        let extra = ServiceExtra::of(documents, id(at))?;
        Ok(Self {
            name: service.name.clone(),
            inbound: service.inbound,
            outbound: service.outbound,
            outgoing: outgoing_of(service, &extra),
            schedule: extra.schedule,
            zone: extra.zone,
            flow: service.flow.iter().map(StepConfig::of).collect(),
            favourites: favourites_of(service),
            settings: SettingsConfig::of(&service.settings),
            kind: extra.kind,
            escalation: extra.escalation,
            dial_caps: extra.dial_caps,
            help_centre: extra.help_centre,
        })
    }

    /// The engine's service; what the engine has no field for goes into the documents.
    fn service(&self, change: &mut Change<'_>, at: usize) -> Result<Service, Problem> {
        let service_name = name("name", &self.name)?;
        let wrong =
            |problem: String| callfloor_engine::ConfigError { place: format!("service {service_name:?}"), problem };
        let zone = self.schedule.as_ref().map_or(&self.zone, |schedule| &schedule.zone);
        jiff::tz::TimeZone::get(zone)
            .map_err(|_| wrong(format!("there is no time zone {zone:?}: one as in Asia/Tokyo is right")))?;
        let hours = match &self.schedule {
            None => OpeningHours::Always,
            Some(schedule) => expand(schedule, change.now, HOURS_AHEAD_DAYS).map_err(|it| wrong(it.to_string()))?,
        };
        for audio in [self.settings.forced_end_audio, self.settings.hold_music] {
            if !is_audio(change.documents, AudioId(audio))? {
                return Err(wrong(format!("audio {audio} does not exist: GET /floor/audio lists what does")).into());
            }
        }
        if self.settings.ring_limit_ms == 0 {
            return Err(wrong("a ring limit of 0 ms lets nobody answer: give at least 1000".into()).into());
        }
        takes_only_issues(self.kind, self.inbound, self.outbound)?;
        if self.kind.is_issues() && self.help_centre.is_on() {
            return Err(
                wrong("a service for issues has no customers of its own: its help centre stays off".into()).into()
            );
        }
        let flow = flow(change.documents, &service_name, &self.flow)?;
        change.documents.put(&ServiceExtra {
            id: at as u64 + 1,
            schedule: self.schedule.clone(),
            expanded_until_us: change.now.as_micros() + u64::from(HOURS_AHEAD_DAYS) * 86_400_000_000,
            zone: zone.clone(),
            kind: self.kind,
            escalation: self.escalation,
            dial_caps: self.dial_caps,
            number_caps: number_caps(&self.outgoing)?,
            help_centre: self.help_centre,
        });
        Ok(Service {
            name: service_name,
            inbound: self.inbound,
            outbound: self.outbound,
            hours,
            flow,
            outgoing: outgoing(&self.outgoing)?,
            favourites: favourites(&self.favourites)?,
            settings: self.settings.settings(),
        })
    }
}

/// A service for issues has no telephones.
fn takes_only_issues(kind: ServiceKind, inbound: bool, outbound: bool) -> Result<(), Problem> {
    if kind.is_issues() && (inbound || outbound) {
        let detail = "a service for issues takes and makes no calls: inbound and outbound are false";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration", detail));
    }
    Ok(())
}

fn id(at: usize) -> ServiceId {
    ServiceId(u16::try_from(at).unwrap_or(u16::MAX))
}

fn outgoing_of(service: &Service, extra: &ServiceExtra) -> Vec<Outgoing> {
    let state = |state| match state {
        NumberState::New => Registration::New,
        NumberState::Confirmed => Registration::Confirmed,
        NumberState::Rejected => Registration::Rejected,
    };
    let each = |it: &OutgoingNumber| {
        let number = it.number.to_string();
        let Caps { per_hour, per_day } = extra.number_caps.get(&number).copied().unwrap_or(Caps::NONE);
        Outgoing { number, state: state(it.state), per_hour, per_day }
    };
    service.outgoing.iter().map(each).collect()
}

/// The caps of those that have any.
fn number_caps(list: &[Outgoing]) -> Result<BTreeMap<String, Caps>, Problem> {
    let capped = list.iter().filter(|it| it.per_hour.is_some() || it.per_day.is_some());
    let each = |it: &Outgoing| {
        let caps = Caps { per_hour: it.per_hour, per_day: it.per_day };
        Ok((number("outgoing", &it.number)?.to_string(), caps))
    };
    capped.map(each).collect()
}

fn favourites_of(service: &Service) -> Vec<NamedNumber> {
    service.favourites.iter().map(|it| NamedNumber { name: it.name.clone(), number: it.number.to_string() }).collect()
}

fn outgoing(list: &[Outgoing]) -> Result<Vec<OutgoingNumber>, Problem> {
    limit("outgoing", list.len())?;
    let mut found: Vec<OutgoingNumber> = Vec::with_capacity(list.len());
    for entry in list {
        let number = number("outgoing", &entry.number)?;
        if found.iter().any(|other| other.number == number) {
            return Err(Problem::wrong("outgoing", format!("the number {number} is in the list twice")));
        }
        let state = match entry.state {
            Registration::New => NumberState::New,
            Registration::Confirmed => NumberState::Confirmed,
            Registration::Rejected => NumberState::Rejected,
        };
        found.push(OutgoingNumber { number, state });
    }
    Ok(found)
}

fn favourites(list: &[NamedNumber]) -> Result<Vec<Favourite>, Problem> {
    limit("favourites", list.len())?;
    let each = |entry: &NamedNumber| {
        Ok(Favourite { name: name("favourites", &entry.name)?, number: number("favourites", &entry.number)? })
    };
    list.iter().map(each).collect()
}

fn limit(field: &str, found: usize) -> Result<(), Problem> {
    if found > 1_000 { Err(Problem::wrong(field, format!("{found} entries: at most 1000 are right"))) } else { Ok(()) }
}

/// A service that was added.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct NewService {
    /// Its number.
    service: u16,
}

/// Adds a service.
#[utoipa::path(post, path = "/floor/services", tag = "administration", request_body = ServiceConfig,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 201, description = "added; the floor's version is the ETag", body = NewService),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add(caller: Caller, headers: HeaderMap, Body(body): Body<ServiceConfig>) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = change.floor.services.len();
        if at >= MOST {
            return Err(Problem::conflict("too-many", format!("there are {at} services already")));
        }
        Limits::of(change.documents)?.admit_service(at)?;
        let service = body.service(change, at)?;
        change.floor.services.push(service);
        Ok(NewService { service: id(at).0 })
    })
    .await?;
    Ok(changed.respond(StatusCode::CREATED))
}

fn known(change: &Change<'_>, service: u16) -> Result<usize, Problem> {
    let at = usize::from(service);
    if at < change.floor.services.len() {
        Ok(at)
    } else {
        Err(Problem::unknown(format!("there is no service {service}")))
    }
}

/// One service.
#[utoipa::path(get, path = "/floor/services/{service}", tag = "administration",
    params(("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "the service", body = ServiceConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn get(caller: Caller, At(service): At<u16>) -> Result<axum::Json<ServiceConfig>, Problem> {
    let found = caller
        .look(move |turn| {
            let config = turn.engine().config().clone();
            if usize::from(service) >= config.services.len() {
                return Err(Problem::unknown(format!("there is no service {service}")));
            }
            ServiceConfig::of(turn.documents(), &config, usize::from(service))
        })
        .await?;
    Ok(axum::Json(found))
}

/// Changes a service. Calls in its flow stay at their step, which must be of the same kind afterwards.
#[utoipa::path(put, path = "/floor/services/{service}", tag = "administration", request_body = ServiceConfig,
    params(("service" = u16, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = ServiceConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn replace(
    caller: Caller,
    headers: HeaderMap,
    At(service): At<u16>,
    Body(body): Body<ServiceConfig>,
) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = known(change, service)?;
        let before = ServiceExtra::of(change.documents, ServiceId(service))?.kind;
        if before.is_issues() != body.kind.is_issues() {
            let detail = format!("service {service} stays what it was made: add another one");
            return Err(Problem::conflict("service-kind", detail));
        }
        change.floor.services[at] = body.service(change, at)?;
        Ok(body)
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// Contract flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Contract {
    /// Inbound calls are taken (P1).
    inbound: bool,
    /// Dials are allowed (P2).
    outbound: bool,
}

/// Changes contract flags (P1, P2): running calls finish, new ones are refused.
#[utoipa::path(put, path = "/floor/services/{service}/contract", tag = "administration", request_body = Contract,
    params(("service" = u16, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = Contract),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_contract(
    caller: Caller,
    headers: HeaderMap,
    At(service): At<u16>,
    Body(body): Body<Contract>,
) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = known(change, service)?;
        let kind = ServiceExtra::of(change.documents, ServiceId(service))?.kind;
        takes_only_issues(kind, body.inbound, body.outbound)?;
        (change.floor.services[at].inbound, change.floor.services[at].outbound) = (body.inbound, body.outbound);
        Ok(body)
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// Changes outgoing numbers, their states and their order (P7).
#[utoipa::path(put, path = "/floor/services/{service}/outgoing-numbers", tag = "administration", request_body = Vec<Outgoing>,
    params(("service" = u16, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = Vec<Outgoing>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_outgoing(
    caller: Caller,
    headers: HeaderMap,
    At(service): At<u16>,
    Body(body): Body<Vec<Outgoing>>,
) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = known(change, service)?;
        change.floor.services[at].outgoing = outgoing(&body)?;
        let mut extra = ServiceExtra::of(change.documents, ServiceId(service))?;
        extra.number_caps = number_caps(&body)?;
        change.documents.put(&extra);
        Ok(outgoing_of(&change.floor.services[at], &extra))
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// Changes a service's favourites (P11).
#[utoipa::path(put, path = "/floor/services/{service}/favourites", tag = "administration", request_body = Vec<NamedNumber>,
    params(("service" = u16, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = Vec<NamedNumber>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_favourites(
    caller: Caller,
    headers: HeaderMap,
    At(service): At<u16>,
    Body(body): Body<Vec<NamedNumber>>,
) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = known(change, service)?;
        change.floor.services[at].favourites = favourites(&body)?;
        Ok(favourites_of(&change.floor.services[at]))
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}
