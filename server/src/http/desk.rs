//! An operator's desk: everything that a screen shows, as it is after a reload.

use callfloor_engine::{
    Asked, CallView, Engine, NumberState, OperatorId, OperatorView, Rejection, ServiceId, SupervisorView, Work,
};
use serde::{Deserialize, Serialize};

use super::{CallRef, ChatRef, OfferRef, Problem, TicketRef};
use crate::floor::{OwnFavourite, Reason, ReasonOf, STANDING_REASONS};
use crate::host::{Documents, Turn};
use crate::phone::{Device, Telephone};
use crate::storage::StorageError;
use crate::wire::{ChatStatus, Party, Place, Status, StatusChoice, Supervision, WorkRef, shown};

/// An operator's desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Desk {
    /// Events after this number are not in it yet: `GET /events?after=` goes on from here without a gap.
    pub as_of: u64,
    /// Now, in microseconds since 1970.
    pub now_us: u64,
    /// Who.
    pub operator: u32,
    /// Their name.
    pub name: String,
    /// Their extension (P6).
    pub cti_number: Option<String>,
    /// What rings.
    pub device: Device,
    /// Whether the device is lost.
    pub device_lost: bool,
    /// The phone's status.
    pub status: Status,
    /// As the Japanese screen shows it.
    pub status_japanese: String,
    /// The reason's number, in Work and Break.
    pub reason: u16,
    /// Since when, in microseconds since 1970.
    pub since_us: u64,
    /// The status for chats.
    pub chat_status: ChatStatus,
    /// The status that follows when the ticket is handled.
    pub next: Option<StatusChoice>,
    /// The call in hand.
    pub call: Option<DeskCall>,
    /// What rings or is shown for acceptance.
    pub offers: Vec<DeskOffer>,
    /// The ticket of the call, or of after-call work.
    pub ticket: Option<TicketRef>,
    /// Chats in hand.
    pub chats: Vec<ChatRef>,
    /// Tickets worked on by assignment.
    pub tickets: Vec<TicketRef>,
    /// Calls answered since login.
    pub calls_answered: u32,
    /// Services, with what the dial and transfer dialogs offer.
    pub services: Vec<DeskService>,
    /// The operator's own favourites (P11).
    pub own_favourites: Vec<Favourite>,
    /// Reasons to choose from.
    pub reasons: Vec<ReasonChoice>,
    /// Every button, active or with the rule that would refuse it.
    pub buttons: Vec<Button>,
}

/// A call on a desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeskCall {
    /// Which.
    pub call: CallRef,
    /// The service.
    pub service: u16,
    /// Where it is.
    pub place: Place,
    /// Whether we dialled it.
    pub outbound: bool,
    /// The customer's number, if shown.
    pub number: Option<String>,
    /// The customer's record.
    pub customer: Option<u64>,
    /// The queue that it came from.
    pub queue: Option<u16>,
    /// When it was first queued, in microseconds since 1970.
    pub queued_us: Option<u64>,
    /// When it came or was dialled, in microseconds since 1970.
    pub arrived_us: u64,
    /// The operator's leg.
    pub leg: Option<u16>,
    /// Whether this operator is the consulted one: the call is another's.
    pub consulted: bool,
    /// What this operator's part in the call is, where they supervise it: the call is another's.
    pub supervision: Option<Supervisor>,
    /// Whom they consult.
    pub target: Option<DeskTarget>,
}

/// A consulted party.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeskTarget {
    /// Who.
    pub party: Party,
    /// Their leg.
    pub leg: u16,
    /// Whether they answered.
    pub answered: bool,
}

/// A supervisor in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Supervisor {
    /// Who: the operator that they are.
    pub operator: u32,
    /// Who hears them.
    pub mode: Supervision,
    /// Whether their device has answered: they hear the call.
    pub joined: bool,
}

impl From<SupervisorView> for Supervisor {
    fn from(view: SupervisorView) -> Self {
        Self { operator: view.operator.0, mode: view.mode.into(), joined: view.joined }
    }
}

/// Something offered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeskOffer {
    /// Which.
    pub offer: OfferRef,
    /// What.
    pub work: WorkRef,
    /// From which queue; `null` for a consult or a blind transfer.
    pub queue: Option<u16>,
    /// Since when, in microseconds since 1970.
    pub made_us: u64,
    /// The last moment to answer is just before this one (P9).
    pub until_us: u64,
}

/// A service on a desk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct DeskService {
    /// Which.
    pub service: u16,
    /// Its name.
    pub name: String,
    /// Contract flag: inbound (P1).
    pub inbound: bool,
    /// Contract flag: outbound (P2).
    pub outbound: bool,
    /// Confirmed outgoing numbers in their order; the first is preselected (P7).
    pub outgoing: Vec<String>,
    /// Its favourites (P11).
    pub favourites: Vec<Favourite>,
}

/// A transfer number with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Favourite {
    /// Its number in the list: what *consult* names.
    pub id: u64,
    /// What operators see.
    pub name: String,
    /// What is dialled.
    pub number: String,
}

/// A reason to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ReasonChoice {
    /// Its number.
    pub reason: u64,
    /// For which status.
    pub of: ReasonOf,
    /// In Japanese.
    pub japanese: String,
    /// In English.
    pub english: String,
}

/// Something that can be done by a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ButtonName {
    /// CTI login (P25).
    Login,
    /// CTI logout (P38).
    Logout,
    /// Status buttons (P26).
    Status,
    /// The status that follows.
    NextStatus,
    /// Answer 応答 (P27).
    Answer,
    /// Decline (P38).
    Decline,
    /// Dial かける (P28).
    Dial,
    /// Hold 保留 (P36).
    Hold,
    /// Release 解除 (P35).
    Release,
    /// Consult 協議通話, connect 接続 (P30, P32).
    Consult,
    /// Connect customer 顧客接続 (P33).
    ConnectCustomer,
    /// Cancel キャンセル (P34).
    CancelConsult,
    /// Conference.
    Conference,
    /// Blind transfer.
    Transfer,
    /// Force end 強制終了 (P37).
    ForceEnd,
    /// Hang up (P38).
    HangUp,
    /// The end of after-call work (P60).
    FinishAfterCall,
}

/// A button, and why it is not active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Button {
    /// Which.
    pub button: ButtonName,
    /// Whether it would be obeyed.
    pub active: bool,
    /// The rule that would refuse it.
    pub rule: Option<String>,
    /// The same for people.
    pub detail: Option<String>,
}

/// Each button and what the engine is asked of it; answering and declining have offers instead.
const ASKED: [(ButtonName, Asked); 14] = [
    (ButtonName::Login, Asked::LogIn),
    (ButtonName::Logout, Asked::LogOut),
    (ButtonName::Status, Asked::ChangeStatus),
    (ButtonName::NextStatus, Asked::ChooseNextStatus),
    (ButtonName::Dial, Asked::Dial),
    (ButtonName::Hold, Asked::Hold),
    (ButtonName::Release, Asked::Release),
    (ButtonName::Consult, Asked::Consult),
    (ButtonName::ConnectCustomer, Asked::ConnectCustomer),
    (ButtonName::CancelConsult, Asked::CancelConsult),
    (ButtonName::Conference, Asked::Conference),
    (ButtonName::Transfer, Asked::BlindTransfer),
    (ButtonName::ForceEnd, Asked::ForceEnd),
    (ButtonName::HangUp, Asked::HangUp),
];

fn button(button: ButtonName, refused: Option<Problem>) -> Button {
    let active = refused.is_none();
    let (rule, detail) = refused.map_or((None, None), |problem| (Some(problem.rule), Some(problem.detail)));
    Button { button, active, rule, detail }
}

fn buttons(engine: &Engine, view: &OperatorView, answers: &Result<(), Problem>, offered: bool) -> Vec<Button> {
    let operator = view.operator;
    let mut all: Vec<Button> =
        ASKED.iter().map(|&(name, asked)| button(name, engine.refusal(operator, asked).map(Problem::from))).collect();
    let nothing = || (!offered).then(|| Problem::conflict("no-offer", format!("nothing is offered to {operator}")));
    all.push(button(ButtonName::Answer, nothing().or_else(|| answers.clone().err())));
    all.push(button(ButtonName::Decline, nothing()));
    all.push(button(ButtonName::FinishAfterCall, finish_refusal(engine, view)));
    all.sort_by_key(|button| button.button);
    let services = &engine.config().operators[operator.index()].services;
    let may_dial = |service: &&ServiceId| engine.config().services[service.index()].outbound;
    // Without a service that may dial, the dial button is not active in any status.
    if let (None, Some(first)) = (services.iter().find(may_dial), services.first()) {
        let refusal = Problem::from(Rejection::NoOutboundContract(*first));
        let dial = all.iter_mut().find(|button| button.button == ButtonName::Dial).expect("every button is there");
        if dial.active {
            *dial = button(ButtonName::Dial, Some(refusal));
        }
    }
    all
}

/// Why after-call work cannot be ended: there is none, or it is timed.
pub(super) fn finish_refusal(engine: &Engine, view: &OperatorView) -> Option<Problem> {
    if view.status != callfloor_engine::Status::AfterCallWork {
        let detail = format!("{} is in status {}, not in after-call work", view.operator, view.status);
        return Some(Problem::conflict("wrong-status", detail));
    }
    engine.refusal(view.operator, Asked::ChangeStatus).map(Problem::from)
}

/// What an operator speaks with.
pub(super) fn device(documents: &mut Documents, operator: OperatorId) -> Result<Device, StorageError> {
    let telephone = documents.get::<Telephone>(u64::from(operator.0) + 1)?;
    Ok(telephone.map_or_else(Device::default, |telephone| telephone.device))
}

/// Whether what rings can be answered by the widget: a call that rings at a SIP phone is answered there, unless the
/// phone answers by itself.
fn answers_here(device: Device, auto_answer: bool, work: Option<Work>, operator: OperatorId) -> Result<(), Problem> {
    if matches!(work, Some(Work::Call(_))) && device == Device::SipPhone && !auto_answer {
        let detail = format!("{operator} has a SIP phone that does not answer by itself: lift its receiver");
        return Err(Problem::conflict("answer-at-the-phone", detail));
    }
    Ok(())
}

/// An operator who is known, as they are now.
pub(super) fn view(engine: &Engine, operator: OperatorId) -> Result<OperatorView, Problem> {
    engine.operator(operator).ok_or_else(|| Rejection::Unknown(callfloor_engine::Object::Operator(operator)).into())
}

fn call_on_desk(call: &CallView, operator: OperatorId) -> DeskCall {
    DeskCall {
        call: call.call.into(),
        service: call.service.0,
        place: call.place.into(),
        outbound: call.outbound,
        number: call.number.map(|number| shown(number, true)),
        customer: call.customer.map(|customer| customer.0),
        queue: call.queue.map(|queue| queue.0),
        queued_us: call.queued.map(callfloor_engine::Instant::as_micros),
        arrived_us: call.arrived.as_micros(),
        leg: call.operator_leg.filter(|_| call.operator == Some(operator)).map(|leg| leg.leg),
        consulted: call.operator.is_some_and(|owner| owner != operator)
            && call.target.is_some_and(|target| target.party == callfloor_engine::Party::Operator(operator)),
        supervision: call.supervisor.filter(|it| it.operator == operator).map(Supervisor::from),
        target: call.target.filter(|_| call.operator == Some(operator)).map(|target| DeskTarget {
            party: Party::of(target.party, true),
            leg: target.leg.leg,
            answered: target.answered,
        }),
    }
}

/// Reasons that can be chosen: an administrator's over the standing ones.
pub(super) fn reasons(documents: &mut Documents) -> Result<Vec<Reason>, StorageError> {
    let mut found = Vec::with_capacity(STANDING_REASONS.len());
    for standing in &STANDING_REASONS {
        found.push(documents.get(standing.id)?.unwrap_or_else(|| standing.into()));
    }
    let first_own = STANDING_REASONS[STANDING_REASONS.len() - 1].id + 1;
    for id in first_own..first_own + crate::http::admin::MOST_REASONS {
        match documents.get::<Reason>(id)? {
            Some(reason) => found.push(reason),
            None => break,
        }
    }
    Ok(found)
}

/// One of the [`reasons`].
pub(super) fn reason(documents: &mut Documents, id: u64) -> Result<Option<Reason>, StorageError> {
    let standing = || STANDING_REASONS.iter().find(|standing| standing.id == id).map(Reason::from);
    Ok(documents.get(id)?.or_else(standing))
}

impl Desk {
    /// An operator's desk as it is in this turn; `telephones`: whether they are served.
    ///
    /// # Errors
    /// Where there is no such operator, or storage cannot be read.
    pub fn of(turn: &mut Turn<'_>, operator: OperatorId, telephones: bool) -> Result<Self, Problem> {
        let (as_of, now_us) = (turn.events(), turn.now().as_micros());
        let documents = turn.documents();
        let device = device(documents, operator)?;
        let own =
            documents.with_key::<OwnFavourite>("operator", &operator.0.to_string(), crate::floor::OWN_FAVOURITES)?;
        let reasons = reasons(documents)?;
        let engine = turn.engine();
        let view = view(engine, operator)?;
        let config = engine.config();
        let person = &config.operators[operator.index()];
        let call = view.call.and_then(|call| engine.call(call));
        let mut offers: Vec<_> = engine.offers().filter(|offer| offer.operator == operator).collect();
        offers.sort_by_key(|offer| (offer.made, offer.offer));
        let phone = view.offer.and_then(|offer| engine.offer(offer)).map(|offer| offer.work);
        let answers = match telephones {
            true => answers_here(device, person.auto_answer, phone, operator),
            false => Ok(()),
        };
        let buttons = buttons(engine, &view, &answers, !offers.is_empty());
        let ticket = view.ticket.or_else(|| call.as_ref().filter(|it| it.operator == Some(operator))?.ticket);
        Ok(Self {
            as_of,
            now_us,
            operator: operator.0,
            name: person.name.clone(),
            cti_number: person.cti_number.map(|number| number.to_string()),
            device,
            device_lost: view.device_lost,
            status: view.status.into(),
            status_japanese: view.status.japanese().into(),
            reason: view.reason.0,
            since_us: view.since.as_micros(),
            chat_status: view.chat_status.into(),
            next: view.next.map(StatusChoice::from),
            call: call.as_ref().map(|call| call_on_desk(call, operator)),
            offers: offers
                .iter()
                .map(|offer| DeskOffer {
                    offer: offer.offer.into(),
                    work: offer.work.into(),
                    queue: offer.queue.map(|queue| queue.0),
                    made_us: offer.made.as_micros(),
                    until_us: offer.until.as_micros(),
                })
                .collect(),
            ticket: ticket.map(TicketRef::from),
            chats: view.chats.iter().copied().map(ChatRef::from).collect(),
            tickets: view.tickets.iter().copied().map(TicketRef::from).collect(),
            calls_answered: view.calls,
            services: person.services.iter().map(|&service| service_on_desk(config, service)).collect(),
            own_favourites: own
                .into_iter()
                .map(|own| Favourite { id: own.id, name: own.name, number: own.number })
                .collect(),
            reasons: reasons
                .into_iter()
                .filter(|reason| !reason.retired && reason.of != ReasonOf::System)
                .map(|it| ReasonChoice { reason: it.id, of: it.of, japanese: it.japanese, english: it.english })
                .collect(),
            buttons,
        })
    }
}

fn service_on_desk(config: &callfloor_engine::EngineConfig, service: ServiceId) -> DeskService {
    let found = &config.services[service.index()];
    let confirmed = found.outgoing.iter().filter(|outgoing| outgoing.state == NumberState::Confirmed);
    DeskService {
        service: service.0,
        name: found.name.clone(),
        inbound: found.inbound,
        outbound: found.outbound,
        outgoing: confirmed.map(|outgoing| outgoing.number.to_string()).collect(),
        favourites: (0..)
            .zip(&found.favourites)
            .map(|(id, favourite)| Favourite { id, name: favourite.name.clone(), number: favourite.number.to_string() })
            .collect(),
    }
}
