//! Everything that an operator does by the widget (P24–P60). Each order is answered with the desk as it is then.

use axum::Json;
use callfloor_engine::{
    AudioId, Command, ConsultTarget, OperatorId, PhoneNumber, QueueId, Rejection, ServiceId, Status as S,
    TransferTarget, Work,
};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::{Favourite, finish_refusal, view};
use super::{App, Asking, At, Body, ClientAddress, Desk, OfferRef, Problem};
use crate::auth::{Access, Caller, Role, Row};
use crate::dialling::{first_confirmed, may_call_back, may_dial, may_reach};
use crate::floor::{OWN_FAVOURITES, OwnFavourite, TEXT_LIMIT, audio_of_text, is_audio};
use crate::host::Turn;
use crate::phone::{AnswerRefused, BrowserRefused};
use crate::wire::{ChatStatus, ForcedEndReason, Status, StatusChoice};

const SUPERVISED: Access = Access::OwnOr(&[Role::Supervisor]);
/// What only the operator themselves can do: their voice is in it.
const OWN: Access = Access::OwnOr(&[]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/operators", access: Access::Roles(&[Role::Operator, Role::Supervisor]) },
    Row { method: "GET", path: "/operators/{operator}/desk", access: SUPERVISED },
    Row { method: "POST", path: "/operators/{operator}/login", access: SUPERVISED },
    Row { method: "POST", path: "/operators/{operator}/logout", access: SUPERVISED },
    Row { method: "PUT", path: "/operators/{operator}/status", access: SUPERVISED },
    Row { method: "PUT", path: "/operators/{operator}/next-status", access: SUPERVISED },
    Row { method: "PUT", path: "/operators/{operator}/chat-status", access: SUPERVISED },
    Row { method: "POST", path: "/operators/{operator}/answer", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/audio", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/decline", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/dial", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/hold", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/release", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/consult", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/connect-customer", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/cancel-consult", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/conference", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/transfer", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/force-end", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/hang-up", access: OWN },
    Row { method: "POST", path: "/operators/{operator}/finish-after-call", access: OWN },
    Row { method: "GET", path: "/operators/{operator}/favourites", access: SUPERVISED },
    Row { method: "POST", path: "/operators/{operator}/favourites", access: OWN },
    Row { method: "DELETE", path: "/operators/{operator}/favourites/{favourite}", access: OWN },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(desk))
        .routes(routes!(connect_audio))
        .routes(routes!(log_in))
        .routes(routes!(log_out))
        .routes(routes!(set_status))
        .routes(routes!(set_next_status))
        .routes(routes!(set_chat_status))
        .routes(routes!(answer))
        .routes(routes!(decline))
        .routes(routes!(dial))
        .routes(routes!(hold))
        .routes(routes!(release))
        .routes(routes!(consult))
        .routes(routes!(connect_customer))
        .routes(routes!(cancel_consult))
        .routes(routes!(conference))
        .routes(routes!(transfer))
        .routes(routes!(force_end))
        .routes(routes!(hang_up))
        .routes(routes!(finish_after_call))
        .routes(routes!(favourites, add_favourite))
        .routes(routes!(remove_favourite))
}

/// Gives the engine a command that `make` decides on, and answers with the desk.
async fn order(
    caller: Caller,
    operator: u32,
    make: impl FnOnce(&mut Turn<'_>, OperatorId) -> Result<Command, Problem> + Send + 'static,
) -> Result<Json<Desk>, Problem> {
    let operator = OperatorId(operator);
    let telephones = caller.principal.tenant.phones.is_some();
    let desk = caller
        .write(move |turn| {
            view(turn.engine(), operator)?;
            let command = make(turn, operator)?;
            turn.apply(command)?;
            Desk::of(turn, operator, telephones)
        })
        .await?;
    shows(&caller, operator, &desk).await?;
    Ok(Json(desk))
}

/// Writes in the audit log that somebody looks at another's desk with a call on it. Whose desk it is has the customer in hand.
async fn shows(caller: &Caller, operator: OperatorId, desk: &Desk) -> Result<(), Problem> {
    if caller.principal.operator != Some(operator) && desk.call.is_some() {
        caller.watches_numbers().await?;
    }
    Ok(())
}

/// A button that carries nothing.
macro_rules! button {
    ($($(#[doc = $doc:literal])+ $name:ident, $path:literal, $command:ident;)*) => {$(
        $(#[doc = $doc])+
        #[utoipa::path(post, path = $path, tag = "operators", params(("operator" = u32, Path, description = "whose desk")),
            responses(
                (status = 200, description = "done; the desk as it is then", body = Desk),
                (status = "4XX", description = "refused", body = Problem),
                (status = 503, description = "try again", body = Problem),
            ))]
        async fn $name(caller: Caller, At(operator): At<u32>) -> Result<Json<Desk>, Problem> {
            order(caller, operator, |_, operator| Ok(Command::$command { operator })).await
        }
    )*};
}

button! {
    /// CTI login (P25): refused without the phone right, a CTI id or a CTI number (P3, P5, P6).
    log_in, "/operators/{operator}/login", LogIn;
    /// CTI logout (P38).
    log_out, "/operators/{operator}/logout", LogOut;
    /// Hold 保留 (P36, P56).
    hold, "/operators/{operator}/hold", Hold;
    /// Release 解除 (P35, P54, P57).
    release, "/operators/{operator}/release", Release;
    /// Connect customer 顧客接続 (P33, P52).
    connect_customer, "/operators/{operator}/connect-customer", ConnectCustomer;
    /// Cancel キャンセル (P34, P53), also while the target rings.
    cancel_consult, "/operators/{operator}/cancel-consult", CancelConsult;
    /// Joins customer, operator and the consulted party.
    conference, "/operators/{operator}/conference", Conference;
    /// Hangs up (P38).
    hang_up, "/operators/{operator}/hang-up", HangUp;
}

/// Which operators are listed.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// Part of a name, CTI id or extension.
    q: Option<String>,
    /// Only those in this status; `ready` are the transfer targets.
    status: Option<Status>,
    /// Only those of this service.
    service: Option<u16>,
    /// Only those with this skill.
    skill: Option<u16>,
    /// At most so many; 100 unless said, 1000 at most.
    limit: Option<usize>,
    /// After this operator.
    after: Option<u32>,
}

/// An operator, as colleagues see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct Colleague {
    /// Who.
    pub operator: u32,
    /// Their name.
    pub name: String,
    /// Their extension.
    pub cti_number: Option<String>,
    /// The phone's status.
    pub status: Status,
    /// Since when, in microseconds since 1970.
    pub since_us: u64,
    /// The reason's number, in Work and Break.
    pub reason: u16,
    /// The status for chats.
    pub chat_status: ChatStatus,
    /// Their skills.
    pub skills: Vec<SkillLevel>,
    /// Their services.
    pub services: Vec<u16>,
}

/// A skill with how well it is had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(crate) struct SkillLevel {
    /// Which skill.
    pub skill: u16,
    /// Its name.
    pub name: String,
    /// 1 to 10.
    pub proficiency: u8,
}

/// Operators, for whoever looks for somebody to transfer to (P49): an operator sees those who share a service.
#[utoipa::path(get, path = "/operators", tag = "operators", params(Search), responses(
    (status = 200, description = "operators, in their order", body = Vec<Colleague>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(search): Asking<Search>) -> Result<Json<Vec<Colleague>>, Problem> {
    let own = caller.principal.operator.filter(|_| caller.principal.role == Role::Operator);
    let is_operator = caller.principal.role == Role::Operator;
    let limit = search.limit.unwrap_or(100);
    if !(1..=1_000).contains(&limit) {
        return Err(Problem::wrong("limit", format!("a limit of {limit}: 1 to 1000 is right")));
    }
    let found = caller
        .look(move |turn| {
            let engine = turn.engine();
            let floor = engine.config();
            let shared = own.and_then(|own| floor.operators.get(own.index())).map(|own| own.services.clone());
            let wanted = search.q.map(|q| q.to_lowercase());
            let contains = |text: &str| wanted.as_ref().is_none_or(|wanted| text.to_lowercase().contains(wanted));
            let first = search.after.map_or(0, |after| after.saturating_add(1));
            let people = (first..).map(OperatorId).zip(floor.operators.iter().skip(first as usize));
            let found = people
                .filter(|(_, person)| match &shared {
                    Some(shared) => person.services.iter().any(|service| shared.contains(service)),
                    None => !is_operator,
                })
                .filter(|(_, person)| {
                    contains(&person.name)
                        || person.cti_id.as_deref().is_some_and(contains)
                        || person.cti_number.is_some_and(|number| contains(&number.to_string()))
                })
                .filter(|(_, person)| search.service.is_none_or(|it| person.services.contains(&ServiceId(it))))
                .filter(|(_, person)| {
                    search.skill.is_none_or(|skill| person.skills.iter().any(|has| has.skill.0 == skill))
                })
                .filter_map(|(operator, person)| Some((engine.operator(operator)?, person)))
                .filter(|(view, _)| search.status.is_none_or(|status| Status::from(view.status) == status))
                .take(limit)
                .map(|(view, person)| Colleague {
                    operator: view.operator.0,
                    name: person.name.clone(),
                    cti_number: person.cti_number.map(|number| number.to_string()),
                    status: view.status.into(),
                    since_us: view.since.as_micros(),
                    reason: view.reason.0,
                    chat_status: view.chat_status.into(),
                    skills: person
                        .skills
                        .iter()
                        .map(|has| SkillLevel {
                            skill: has.skill.0,
                            name: floor.skills[has.skill.index()].clone(),
                            proficiency: has.proficiency,
                        })
                        .collect(),
                    services: person.services.iter().map(|service| service.0).collect(),
                })
                .collect();
            Ok(found)
        })
        .await?;
    Ok(Json(found))
}

/// The whole state of a desk, for a screen after a reload.
#[utoipa::path(get, path = "/operators/{operator}/desk", tag = "operators",
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "the desk", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn desk(caller: Caller, At(operator): At<u32>) -> Result<Json<Desk>, Problem> {
    let telephones = caller.principal.tenant.phones.is_some();
    let desk = caller.look(move |turn| Desk::of(turn, OperatorId(operator), telephones)).await?;
    shows(&caller, OperatorId(operator), &desk).await?;
    Ok(Json(desk))
}

/// A status button (P26). In Ringing it is kept for when the ringing ends; in after-call work it ends it (P60).
#[utoipa::path(put, path = "/operators/{operator}/status", tag = "operators", request_body = StatusChoice,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_status(
    caller: Caller,
    At(operator): At<u32>,
    Body(to): Body<StatusChoice>,
) -> Result<Json<Desk>, Problem> {
    order(caller, operator, move |turn, operator| {
        known_reason(turn, to)?;
        Ok(Command::SetStatus { operator, to: to.into() })
    })
    .await
}

/// A chosen reason must be one that can be chosen.
fn known_reason(turn: &mut Turn<'_>, choice: StatusChoice) -> Result<(), Problem> {
    use crate::floor::ReasonOf;
    let (wanted, of) = match choice {
        StatusChoice::Work { reason } => (reason, ReasonOf::Work),
        StatusChoice::Break { reason } => (reason, ReasonOf::Break),
        StatusChoice::Ready => return Ok(()),
    };
    if wanted == 0 {
        return Ok(());
    }
    let found = super::desk::reason(turn.documents(), u64::from(wanted))?;
    match found.filter(|reason| !reason.retired) {
        Some(found) if found.of == of => Ok(()),
        Some(found) => Err(Problem::wrong("reason", format!("reason {wanted} is for {:?}, not for {of:?}", found.of))),
        None => {
            Err(Problem::wrong("reason", format!("there is no reason {wanted}: the desk lists those that there are")))
        }
    }
}

/// The status that follows.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NextStatus {
    /// `null` takes the choice back.
    next: Option<StatusChoice>,
}

/// Chooses, during a call or after-call work, the status that follows when the ticket is handled.
#[utoipa::path(put, path = "/operators/{operator}/next-status", tag = "operators", request_body = NextStatus,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_next_status(
    caller: Caller,
    At(operator): At<u32>,
    Body(body): Body<NextStatus>,
) -> Result<Json<Desk>, Problem> {
    order(caller, operator, move |turn, operator| {
        if let Some(next) = body.next {
            known_reason(turn, next)?;
        }
        Ok(Command::SetNextStatus { operator, next: body.next.map(Into::into) })
    })
    .await
}

/// The status for chats.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ChatStatusChoice {
    /// Whether chats may be offered.
    status: ChatStatus,
}

/// The status for chats, beside the phone's.
#[utoipa::path(put, path = "/operators/{operator}/chat-status", tag = "operators", request_body = ChatStatusChoice,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_chat_status(
    caller: Caller,
    At(operator): At<u32>,
    Body(body): Body<ChatStatusChoice>,
) -> Result<Json<Desk>, Problem> {
    order(caller, operator, move |_, operator| Ok(Command::SetChatStatus { operator, to: body.status.into() })).await
}

/// Which offer.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Offered {
    /// As the desk shows it.
    offer: OfferRef,
}

/// Answer 応答 (P27, P40); accepts a chat, ticket or callback. At the very ring limit it is late (P9).
#[utoipa::path(post, path = "/operators/{operator}/answer", tag = "operators", request_body = Offered,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn answer(caller: Caller, At(operator): At<u32>, Body(body): Body<Offered>) -> Result<Json<Desk>, Problem> {
    let offer = body.offer.0;
    let by_telephone = match caller.principal.tenant.phones.clone() {
        // What rings at a device is answered there: the browser at once, a telephone where it answers by itself.
        Some(phones) => {
            let earlier = caller.earlier::<Desk>();
            let looked = caller.look(move |turn| Ok((earlier(turn)?, turn.engine().offer(offer)))).await?;
            let (None, found) = looked else {
                // The same request again: no telephone is called for it.
                return order(caller, operator, move |_, operator| Ok(Command::Answer { operator, offer })).await;
            };
            let own = found.filter(|found| found.operator == OperatorId(operator));
            own.filter(|found| matches!(found.work, Work::Call(_))).map(|_| phones)
        }
        None => None,
    };
    let Some(phones) = by_telephone else {
        return order(caller, operator, move |turn, operator| {
            let offered = turn.engine().offer(offer).filter(|found| found.operator == operator);
            if let Some(Work::Callback(callback)) = offered.map(|found| found.work) {
                may_call_back(turn, callback)?;
            }
            Ok(Command::Answer { operator, offer })
        })
        .await;
    };
    let operator = OperatorId(operator);
    let job = caller.once(move |turn| {
        turn.apply(Command::Answer { operator, offer })?;
        Desk::of(turn, operator, true)
    });
    let problem = match phones.answer(operator, offer, job).await {
        Ok(answered) => return answered.map(Json),
        Err(refused @ AnswerRefused::AnswerOnPhone) => Problem::conflict("answer-at-the-phone", refused.to_string()),
        Err(refused @ AnswerRefused::NoAnswer) => Problem::conflict("telephone-did-not-answer", refused.to_string()),
        Err(refused @ AnswerRefused::NotRinging) => {
            // The same request may have been answered in the moment between.
            if let Some(desk) = caller.look(caller.earlier()).await? {
                return Ok(Json(desk));
            }
            Problem::conflict("offer-over", refused.to_string())
        }
    };
    Err(problem)
}

/// A session description (SDP, RFC 8829).
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct SessionDescription {
    /// The description.
    sdp: String,
}

/// Connects the audio of an operator whose device is a browser: the browser's offer, with its candidates, is answered. The
/// connection serves every call for as long as it is open; another takes its place. A browser that is gone for 10 s is a lost
/// device.
#[utoipa::path(post, path = "/operators/{operator}/audio", tag = "operators", request_body = SessionDescription,
    params(("operator" = u32, Path, description = "whose browser")), responses(
    (status = 200, description = "the answer", body = SessionDescription),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn connect_audio(
    caller: Caller,
    ClientAddress(peer): ClientAddress,
    At(operator): At<u32>,
    Body(body): Body<SessionDescription>,
) -> Result<Json<SessionDescription>, Problem> {
    let operator = OperatorId(operator);
    caller.look(move |turn| view(turn.engine(), operator).map(drop)).await?;
    let phones = caller.principal.tenant.phones.clone();
    let phones = phones
        .ok_or_else(|| Problem::conflict("no-telephones", "telephones are not served here: set [sip] enabled"))?;
    let answer = phones.connect_browser(operator, body.sdp, peer).await.map_err(|refused| match refused {
        BrowserRefused::OtherDevice => Problem::conflict("other-device", refused.to_string()),
        BrowserRefused::Offer(_) => Problem::wrong("sdp", refused.to_string()),
        BrowserRefused::NoRoom(_) | BrowserRefused::Stopped => {
            Problem::new(axum::http::StatusCode::SERVICE_UNAVAILABLE, "no-room", refused.to_string())
        }
    })?;
    Ok(Json(SessionDescription { sdp: answer }))
}

/// Declines an offer (P38, P43).
#[utoipa::path(post, path = "/operators/{operator}/decline", tag = "operators", request_body = Offered,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn decline(caller: Caller, At(operator): At<u32>, Body(body): Body<Offered>) -> Result<Json<Desk>, Problem> {
    order(caller, operator, move |_, operator| Ok(Command::Decline { operator, offer: body.offer.0 })).await
}

/// Whom to dial.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct DialOrder {
    /// The customer's number.
    to: String,
    /// For which service; the operator's first unless said.
    service: Option<u16>,
    /// One of the service's Confirmed outgoing numbers; the first of them unless said (P7).
    from: Option<String>,
    /// The customer's record, if known.
    customer: Option<u64>,
}

/// A number as it was written, spaces, hyphens and brackets left out.
pub(crate) fn number(field: &str, text: &str) -> Result<PhoneNumber, Problem> {
    let bare: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    bare.parse().map_err(|wrong: callfloor_engine::NumberError| Problem::wrong(field, wrong.to_string()))
}

/// Dial かける (P28, P44): from Ready, Work, Break or after-call work.
#[utoipa::path(post, path = "/operators/{operator}/dial", tag = "operators", request_body = DialOrder,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn dial(caller: Caller, At(operator): At<u32>, Body(body): Body<DialOrder>) -> Result<Json<Desk>, Problem> {
    let to = number("to", &body.to)?;
    let from = body.from.as_deref().map(|from| number("from", from)).transpose()?;
    order(caller, operator, move |turn, operator| {
        let floor = turn.engine().config();
        let first = floor.operators[operator.index()].services[0];
        let service = body.service.map_or(first, ServiceId);
        let confirmed = first_confirmed(floor, service);
        let outbound = floor.services.get(service.index()).is_some_and(|service| service.outbound);
        let from = match from.or(confirmed) {
            Some(from) => from,
            None if outbound => return Err(Rejection::OutgoingNumber { service, found: None }.into()),
            // The engine says first what else is wrong: no such service, no contract.
            None => to,
        };
        if turn.engine().refusal(operator, callfloor_engine::Asked::Dial).is_none() {
            may_dial(turn, service, Some(from), to)?;
        }
        let customer = body.customer.map(callfloor_engine::CustomerId);
        Ok(Command::Dial { operator, service, to, from, customer, reference: 0 })
    })
    .await
}

/// Whom to consult: one of the three ways (P49, P50), or a favourite of one's own.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum ConsultOrder {
    /// A typed number; an operator's own means that operator.
    Number(String),
    /// A favourite of the call's service, by its number in the list.
    Favourite(u16),
    /// A favourite of one's own, by its number.
    OwnFavourite(u64),
    /// A Ready operator.
    Operator(u32),
}

/// The number that a target stands for, where it is one.
fn outside(turn: &Turn<'_>, operator: OperatorId, target: ConsultTarget) -> Option<PhoneNumber> {
    match target {
        ConsultTarget::Number(number) => Some(number),
        ConsultTarget::Operator(_) => None,
        ConsultTarget::Favourite(favourite) => {
            let engine = turn.engine();
            let service = engine.call(engine.operator(operator)?.call?)?.service;
            let favourites = &engine.config().services[service.index()].favourites;
            favourites.get(usize::from(favourite)).map(|favourite| favourite.number)
        }
    }
}

/// Consult 協議通話, connect 接続 (P30, P32, P48–P51): the customer waits on hold meanwhile.
#[utoipa::path(post, path = "/operators/{operator}/consult", tag = "operators", request_body = ConsultOrder,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn consult(caller: Caller, At(operator): At<u32>, Body(body): Body<ConsultOrder>) -> Result<Json<Desk>, Problem> {
    let typed = match &body {
        ConsultOrder::Number(text) => Some(number("number", text)?),
        _ => None,
    };
    order(caller, operator, move |turn, operator| {
        let target = match body {
            ConsultOrder::Number(_) => ConsultTarget::Number(typed.expect("it was read above")),
            ConsultOrder::Favourite(favourite) => ConsultTarget::Favourite(favourite),
            ConsultOrder::Operator(target) => ConsultTarget::Operator(OperatorId(target)),
            ConsultOrder::OwnFavourite(id) => {
                let found = turn.documents().get::<OwnFavourite>(id)?.filter(|found| found.operator == operator.0);
                let found = found.ok_or_else(|| Problem::unknown(format!("you have no favourite {id}")))?;
                ConsultTarget::Number(number("number", &found.number)?)
            }
        };
        if let Some(number) = outside(turn, operator, target)
            && turn.engine().refusal(operator, callfloor_engine::Asked::Consult).is_none()
        {
            may_reach(turn, operator, number)?;
        }
        Ok(Command::Consult { operator, target })
    })
    .await
}

/// Where a blind transfer goes.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum TransferOrder {
    /// A number; an operator's own means that operator.
    Number(String),
    /// A Ready operator.
    Operator(u32),
    /// A phone queue.
    Queue(u16),
}

/// Blind transfer: hands the customer on without asking first.
#[utoipa::path(post, path = "/operators/{operator}/transfer", tag = "operators", request_body = TransferOrder,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn transfer(
    caller: Caller,
    At(operator): At<u32>,
    Body(body): Body<TransferOrder>,
) -> Result<Json<Desk>, Problem> {
    let target = match body {
        TransferOrder::Number(text) => TransferTarget::Number(number("number", &text)?),
        TransferOrder::Operator(operator) => TransferTarget::Operator(OperatorId(operator)),
        TransferOrder::Queue(queue) => TransferTarget::Queue(QueueId(queue)),
    };
    order(caller, operator, move |turn, operator| {
        if let TransferTarget::Number(number) = target
            && turn.engine().refusal(operator, callfloor_engine::Asked::BlindTransfer).is_none()
        {
            may_reach(turn, operator, number)?;
        }
        Ok(Command::BlindTransfer { operator, target })
    })
    .await
}

/// How to force the end.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ForceEndOrder {
    /// Why.
    reason: ForcedEndReason,
    /// What the customer hears first; the service's announcement unless said (P12).
    announcement: Option<Announcement>,
}

/// What is played.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Announcement {
    /// A recording, by its number.
    Audio(u32),
    /// Text to be spoken, as edited in the dialog.
    Text(String),
}

/// Force end 強制終了 (P37, P55): the announcement reaches the customer, then the call ends.
#[utoipa::path(post, path = "/operators/{operator}/force-end", tag = "operators", request_body = ForceEndOrder,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn force_end(
    caller: Caller,
    At(operator): At<u32>,
    Body(body): Body<ForceEndOrder>,
) -> Result<Json<Desk>, Problem> {
    let announcement = match body.announcement {
        None => None,
        Some(Announcement::Audio(audio)) => Some(AudioId(audio)),
        Some(Announcement::Text(text)) => Some(spoken(&caller, OperatorId(operator), &text).await?),
    };
    order(caller, operator, move |turn, operator| {
        may_force_end(turn, operator)?;
        if let Some(audio) = announcement
            && !is_audio(turn.documents(), audio)?
        {
            return Err(Problem::unknown(format!("there is no {audio} to play")));
        }
        Ok(Command::ForceEnd { operator, reason: body.reason.into(), announcement })
    })
    .await
}

fn may_force_end(turn: &mut Turn<'_>, operator: OperatorId) -> Result<(), Problem> {
    view(turn.engine(), operator)?;
    turn.engine().refusal(operator, callfloor_engine::Asked::ForceEnd).map_or(Ok(()), |refused| Err(refused.into()))
}

/// The recording of a text. A new text is kept ahead of the order: when the call is ended, it is ready to be heard.
async fn spoken(caller: &Caller, operator: OperatorId, text: &str) -> Result<AudioId, Problem> {
    let text = text.trim().to_owned();
    if text.is_empty() || text.chars().count() > TEXT_LIMIT {
        return Err(Problem::wrong("announcement", format!("an announcement has 1 to {TEXT_LIMIT} characters")));
    }
    let kept = caller.look(move |turn| {
        may_force_end(turn, operator)?;
        Ok(audio_of_text(turn.documents(), &text)?)
    });
    let (audio, is_new) = kept.await?;
    if let Some(phones) = caller.principal.tenant.phones.as_ref().filter(|_| is_new) {
        phones.audio_changed(Some(audio)).await;
    }
    Ok(audio)
}

/// What follows after-call work.
#[derive(Clone, Copy, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Finish {
    /// The status that follows; the one chosen during the call unless said, else Ready (P38: OK).
    to: Option<StatusChoice>,
}

/// Ends after-call work (P60).
#[utoipa::path(post, path = "/operators/{operator}/finish-after-call", tag = "operators", request_body = Finish,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "done; the desk as it is then", body = Desk),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn finish_after_call(
    caller: Caller,
    At(operator): At<u32>,
    Body(body): Body<Finish>,
) -> Result<Json<Desk>, Problem> {
    order(caller, operator, move |turn, operator| {
        if let Some(to) = body.to {
            known_reason(turn, to)?;
        }
        let view = view(turn.engine(), operator)?;
        if let Some(refused) = finish_refusal(turn.engine(), &view) {
            return Err(refused);
        }
        debug_assert_eq!(view.status, S::AfterCallWork, "anything else was refused");
        let to = body.to.map(Into::into).or(view.next).unwrap_or(callfloor_engine::StatusChoice::Ready);
        Ok(Command::SetStatus { operator, to })
    })
    .await
}

/// An operator's own favourites; the service's are on the desk.
#[utoipa::path(get, path = "/operators/{operator}/favourites", tag = "operators",
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "in the order in which they were added", body = Vec<Favourite>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn favourites(caller: Caller, At(operator): At<u32>) -> Result<Json<Vec<Favourite>>, Problem> {
    let own = caller
        .look(move |turn| {
            view(turn.engine(), OperatorId(operator))?;
            Ok(turn.documents().with_key::<OwnFavourite>("operator", &operator.to_string(), OWN_FAVOURITES)?)
        })
        .await?;
    Ok(Json(own.into_iter().map(|own| Favourite { id: own.id, name: own.name, number: own.number }).collect()))
}

/// A favourite to add.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewFavourite {
    /// What the operator sees: 1 to 60 characters.
    name: String,
    /// What is dialled.
    number: String,
}

/// Add favourite 追加 (P11, P31).
#[utoipa::path(post, path = "/operators/{operator}/favourites", tag = "operators", request_body = NewFavourite,
    params(("operator" = u32, Path, description = "whose desk")), responses(
    (status = 200, description = "added", body = Favourite),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_favourite(
    caller: Caller,
    At(operator): At<u32>,
    Body(body): Body<NewFavourite>,
) -> Result<Json<Favourite>, Problem> {
    let dialled = number("number", &body.number)?.to_string();
    let name = super::admin::name("name", &body.name)?;
    let added = caller
        .write(move |turn| {
            view(turn.engine(), OperatorId(operator))?;
            let documents = turn.documents();
            let own = documents.with_key::<OwnFavourite>("operator", &operator.to_string(), OWN_FAVOURITES + 1)?;
            if own.len() >= OWN_FAVOURITES {
                let detail = format!("you have {OWN_FAVOURITES} favourites: remove one first");
                return Err(Problem::conflict("too-many", detail));
            }
            let id = documents.next_id::<OwnFavourite>()?;
            documents.put(&OwnFavourite { id, operator, name: name.clone(), number: dialled.clone() });
            Ok(Favourite { id, name, number: dialled })
        })
        .await?;
    Ok(Json(added))
}

/// Removes a favourite of one's own.
#[utoipa::path(delete, path = "/operators/{operator}/favourites/{favourite}", tag = "operators",
    params(("operator" = u32, Path, description = "whose desk"), ("favourite" = u64, Path, description = "which")),
    responses(
    (status = 204, description = "removed"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn remove_favourite(
    caller: Caller,
    At((operator, favourite)): At<(u32, u64)>,
) -> Result<axum::http::StatusCode, Problem> {
    caller
        .write(move |turn| {
            let documents = turn.documents();
            let found = documents.get::<OwnFavourite>(favourite)?.filter(|found| found.operator == operator);
            found.ok_or_else(|| Problem::unknown(format!("you have no favourite {favourite}")))?;
            documents.delete::<OwnFavourite>(favourite);
            Ok(())
        })
        .await?;
    Ok(axum::http::StatusCode::NO_CONTENT)
}
