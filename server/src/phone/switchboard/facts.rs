//! What the world does, told to the engine.

use callfloor_engine::{
    Channel, Command, DeviceFault, FarEndFault, LegId, OperatorId, PhoneNumber, ServiceId, TransferTarget,
};
use callfloor_sip::media::MediaEvent;
use callfloor_sip::{Bound, Cause, Event, Incoming, ReferTarget, RegisterRequest, RequestId};

use crate::dialling::{first_confirmed, may_dial, may_reach};
use crate::organisations::Limits;

use super::{Coming, Done, Hears, Leg, Line, Owner, Registration, Role, State, Switchboard, number};

/// A SIP status of a failed call, in the engine's words.
const fn far_end(cause: &Cause) -> FarEndFault {
    match cause {
        Cause::Failed { code: 486 | 600, .. } => FarEndFault::Busy,
        Cause::Failed { code: 408 | 480 | 487, .. } | Cause::NoResponse => FarEndFault::NoAnswer,
        _ => FarEndFault::Failed,
    }
}

impl Switchboard {
    pub(super) async fn sip(&mut self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(*incoming).await,
            Event::Register(request) => self.register(*request).await,
            Event::Confirmed { leg, sdp: Some(sdp) } => {
                if let Some(session) = self.session_of(leg)
                    && let Err(problem) = self.media.accept(session, &sdp)
                {
                    tracing::info!(%leg, %problem, "an answer cannot be spoken");
                    self.sent(self.endpoint.hang_up(leg));
                }
            }
            Event::Ringing { leg, .. } => self.far_end_rings(leg),
            Event::EarlyMedia { leg, sdp } => self.early_media(leg, &sdp),
            Event::Answered { leg, sdp } => self.answered(leg, sdp.as_deref()).await,
            Event::Offer { leg, sdp } => self.new_offer(leg, sdp.as_deref()).await,
            Event::OfferAccepted { leg, sdp: Some(sdp) } => {
                if let Some(session) = self.session_of(leg)
                    && let Err(problem) = self.media.accept(session, &sdp)
                {
                    tracing::info!(%leg, %problem, "an answer cannot be spoken");
                }
            }
            Event::Dtmf { leg, key, .. } => self.key(self.by_sip.get(&leg).copied(), key).await,
            Event::Refer { leg, request, target } => self.refer(leg, request, &target).await,
            Event::Ended { leg, cause } => self.ended(leg, &cause).await,
            // What needs nothing of us.
            _ => {}
        }
    }

    pub(super) async fn heard(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Dtmf { session, key, .. } => self.key(self.by_session.get(&session).copied(), key).await,
            MediaEvent::ClipFinished { session } | MediaEvent::RecordingEnded { session, .. } => {
                if let Some(Owner::Leg(leg)) = self.by_session.get(&session).copied() {
                    if let Some(found) = self.legs.get_mut(&leg)
                        && matches!(found.hears, Hears::Announcement(_))
                    {
                        found.hears = Hears::Nothing;
                    }
                    self.tell(Command::PlaybackFinished { call: leg.call }).await;
                }
            }
            // What needs nothing of us.
            _ => {}
        }
    }

    fn session_of(&self, leg: callfloor_sip::LegId) -> Option<callfloor_sip::media::SessionId> {
        match *self.by_sip.get(&leg)? {
            Owner::Coming(reference) => self.coming.get(&reference)?.leg.session,
            Owner::Leg(id) => self.legs.get(&id)?.session,
            Owner::Line(operator) => self.lines.get(&operator).map(|line| line.session),
        }
    }

    // ---- calls that come in -----------------------------------------------------------------------------------

    async fn incoming(&mut self, incoming: Incoming) {
        if let Some(operator) = self.bindings.at(&incoming.flow) {
            return self.operator_calls(operator, incoming).await;
        }
        if incoming.replaces.is_some() {
            // Only operators take calls over, and only their own.
            return self.sent(self.endpoint.reject(incoming.leg, 603, None));
        }
        if !self.extension.trunks.admits(incoming.flow.remote.ip()) {
            tracing::info!(from = %incoming.flow.remote, "a call from nobody whom we know");
            return self.sent(self.endpoint.reject(incoming.leg, 403, None));
        }
        let Ok(session) = self.extension.open() else {
            return self.sent(self.endpoint.reject(incoming.leg, 503, Some(5)));
        };
        self.references += 1;
        let reference = self.references;
        let owner = Owner::Coming(reference);
        self.by_sip.insert(incoming.leg, owner);
        self.by_session.insert(session, owner);
        let mut leg = Leg::new(Role::Customer, State::Calling(incoming.offer));
        (leg.sip, leg.session) = (Some(incoming.leg), Some(session));
        let number: Option<PhoneNumber> = incoming.caller.parse().ok();
        let called = incoming.called;
        self.coming.insert(reference, Coming { leg, caller: incoming.caller, gone: false });
        self.sent(self.endpoint.ring(incoming.leg));
        self.ask(
            move |turn| {
                let (service, entry) = crate::phone::route(turn, &called).ok_or(404u16)?;
                let limits = Limits::of(turn.documents()).map_err(|problem| {
                    tracing::error!(%problem, "a call is not taken");
                    500u16
                })?;
                if !limits.let_wait(turn.engine(), Channel::Phone) {
                    tracing::info!("a call is not taken: as many wait as the organisation may have");
                    return Err(486);
                }
                let (customer, preferred) = crate::phone::customer(turn, number);
                let arrived =
                    Command::CallArrived { service, entry, customer, from: number, priority: 0, preferred, reference };
                turn.apply(arrived).map(drop).map_err(|refused| {
                    tracing::info!(%refused, "a call is not taken");
                    404
                })
            },
            move |outcome| outcome.err().map(|code| Done::NotTaken { reference, code }),
        )
        .await;
    }

    /// An operator's telephone calls: to dial, or to take over what another of theirs has.
    async fn operator_calls(&mut self, operator: OperatorId, incoming: Incoming) {
        let known = self.telephones.get(&operator).map(super::super::telephone::Telephone::secret);
        let Some(proof) = &incoming.proof else {
            return self.sent(self.endpoint.challenge(incoming.leg, self.extension.domain.as_str()));
        };
        if !known.is_some_and(|secret| proof.verify(&secret)) {
            return self.sent(self.endpoint.reject(incoming.leg, 403, None));
        }
        match incoming.replaces {
            Some(replaced) => self.operator_takes_over(operator, incoming, replaced).await,
            None => self.operator_dials(operator, incoming).await,
        }
    }

    /// Another telephone of an operator takes the place of one that has a call or rings (RFC 3891): it is connected as that
    /// one was, which is hung up. To the engine nothing changes but that a ringing call is answered.
    async fn operator_takes_over(&mut self, operator: OperatorId, incoming: Incoming, replaced: callfloor_sip::LegId) {
        let found = match self.by_sip.get(&replaced) {
            Some(Owner::Leg(id)) => self.legs.get(id).map(|leg| (*id, leg.role, leg.state.clone())),
            _ => None,
        };
        let Some((id, state)) = found.and_then(|(id, role, state)| {
            let takes = matches!(state, State::Connected | State::Ringing(_));
            (role == Role::Operator(operator) && takes).then_some((id, state))
        }) else {
            return self.sent(self.endpoint.reject(incoming.leg, 603, None));
        };
        let Ok(session) = self.extension.open() else {
            return self.sent(self.endpoint.reject(incoming.leg, 503, Some(5)));
        };
        let answer = match &incoming.offer {
            Some(offer) => self.media.answer(session, offer),
            None => self.media.offer(session),
        };
        let Ok(sdp) = answer else {
            self.extension.close(session);
            return self.sent(self.endpoint.reject(incoming.leg, 488, None));
        };
        self.sent(self.endpoint.answer(incoming.leg, sdp));
        self.by_sip.insert(incoming.leg, Owner::Leg(id));
        self.by_session.insert(session, Owner::Leg(id));
        let leg = self.legs.get_mut(&id).expect("it was found");
        let before = (leg.sip.replace(incoming.leg), leg.session.replace(session));
        self.hang_up(before.0, before.1, &state);
        self.apply_hearing(id);
        for listener in self.listeners_of(id) {
            self.apply_hearing(listener);
        }
        if let State::Ringing(offer) = state {
            self.answer(operator, offer, id).await;
        }
    }

    /// An operator dials on the telephone itself.
    async fn operator_dials(&mut self, operator: OperatorId, incoming: Incoming) {
        if self.lines.contains_key(&operator) {
            return self.sent(self.endpoint.reject(incoming.leg, 403, None));
        }
        let Ok(to) = incoming.called.parse::<PhoneNumber>() else {
            return self.sent(self.endpoint.reject(incoming.leg, 404, None));
        };
        let Ok(session) = self.extension.open() else {
            return self.sent(self.endpoint.reject(incoming.leg, 503, Some(5)));
        };
        let owner = Owner::Line(operator);
        self.by_sip.insert(incoming.leg, owner);
        self.by_session.insert(session, owner);
        let line = Line { sip: incoming.leg, session, up: false, offer: Some(incoming.offer) };
        self.lines.insert(operator, line);
        self.sent(self.endpoint.ring(incoming.leg));
        self.ask(
            move |turn| {
                let config = turn.engine().config();
                let service: Option<ServiceId> =
                    config.operators.get(operator.index()).and_then(|operator| operator.services.first().copied());
                let service = service.ok_or(403u16)?;
                let from = first_confirmed(config, service).ok_or(403u16)?;
                may_dial(turn, service, Some(from), to).map_err(|refused| {
                    tracing::info!(rule = refused.rule, "an operator's dial is refused");
                    403u16
                })?;
                let dial = Command::Dial { operator, service, to, from, customer: None, reference: 0 };
                turn.apply(dial).map(drop).map_err(|refused| {
                    tracing::info!(%refused, "an operator's dial is refused");
                    403
                })
            },
            move |outcome| outcome.err().map(|_| Done::DialRefused { operator }),
        )
        .await;
    }

    // ---- legs that we called ----------------------------------------------------------------------------------

    fn far_end_rings(&mut self, sip: callfloor_sip::LegId) {
        // An operator who consults or dials hears ring-back from the moment of the order.
        tracing::trace!(%sip, "rings");
    }

    fn early_media(&mut self, sip: callfloor_sip::LegId, sdp: &str) {
        let Some(Owner::Leg(id)) = self.by_sip.get(&sip).copied() else { return };
        let Some(session) = self.legs.get(&id).and_then(|leg| leg.session) else { return };
        if self.media.accept(session, sdp).is_err() {
            return;
        }
        // Who waits for this number hears what it sends in place of our ring-back.
        let waiting = self.legs_of(id.call).filter(|(_, leg)| leg.hears == Hears::RingBack);
        let waiting: Vec<LegId> = waiting.map(|(other, _)| other).collect();
        for other in waiting {
            self.let_hear(other, Hears::Leg(id));
        }
        let line = self.dials.get(&id.call).and_then(|dial| self.lines.get(&dial.operator));
        if let Some(line) = line
            && let Err(problem) = self.media.hear(line.session, callfloor_sip::media::Source::Peer(session))
        {
            tracing::warn!(leg = %id, %problem, "audio");
        }
    }

    async fn answered(&mut self, sip: callfloor_sip::LegId, sdp: Option<&str>) {
        let spoken = match (self.session_of(sip), sdp) {
            (Some(session), Some(sdp)) => self.media.accept(session, sdp),
            _ => Ok(()),
        };
        let owner = self.by_sip.get(&sip).copied();
        if let Err(problem) = spoken {
            tracing::info!(%sip, %problem, "an answer cannot be spoken");
            self.sent(self.endpoint.hang_up(sip));
            return self.ended(sip, &Cause::Failed { code: 488, reason: String::new(), retry_after_s: None }).await;
        }
        match owner {
            Some(Owner::Line(operator)) => {
                if let Some(line) = self.lines.get_mut(&operator) {
                    line.up = true;
                }
                self.line_is_up(operator).await;
            }
            Some(Owner::Leg(id)) => {
                let Some(leg) = self.legs.get_mut(&id) else { return };
                match (leg.role, leg.state.clone()) {
                    (Role::Operator(operator), State::Ringing(offer)) => {
                        self.answer(operator, offer, id).await;
                    }
                    (Role::Operator(_), State::Supervisor) => {
                        self.tell(Command::SupervisorJoined { leg: id }).await;
                    }
                    (role, State::Dialled) => {
                        leg.state = State::Connected;
                        self.tell(if role == Role::Customer {
                            Command::CustomerAnswered { call: id.call }
                        } else {
                            Command::TargetAnswered { leg: id }
                        })
                        .await;
                    }
                    _ => {}
                }
            }
            // The leg was given up meanwhile.
            Some(Owner::Coming(_)) | None => self.sent(self.endpoint.hang_up(sip)),
        }
    }

    /// The far end changes the session: hold and resume on an operator's telephone are the widget's Hold and Release.
    async fn new_offer(&mut self, sip: callfloor_sip::LegId, sdp: Option<&str>) {
        let Some(session) = self.session_of(sip) else { return self.sent(self.endpoint.refuse_offer(sip, 488)) };
        let answer = match sdp {
            Some(offer) => self.media.answer(session, offer),
            None => self.media.offer(session),
        };
        match answer {
            Ok(answer) => self.sent(self.endpoint.accept_offer(sip, answer)),
            Err(problem) => {
                tracing::info!(%sip, %problem, "an offer cannot be spoken");
                return self.sent(self.endpoint.refuse_offer(sip, 488));
            }
        }
        let Some(Owner::Leg(id)) = self.by_sip.get(&sip).copied() else { return };
        let Some(Role::Operator(operator)) = self.legs.get(&id).map(|leg| leg.role) else { return };
        let Some(sdp) = sdp else { return };
        let held = sdp.lines().any(|line| matches!(line.trim_end(), "a=sendonly" | "a=inactive"));
        self.tell(if held { Command::Hold { operator } } else { Command::Release { operator } }).await;
    }

    async fn refer(&mut self, sip: callfloor_sip::LegId, request: RequestId, target: &ReferTarget) {
        let owner = self.by_sip.get(&sip).copied();
        let operator = match owner {
            Some(Owner::Leg(id)) => self.legs.get(&id).and_then(|leg| match leg.role {
                Role::Operator(operator) => Some(operator),
                Role::Customer | Role::Target => None,
            }),
            _ => None,
        };
        // Only operators transfer.
        let Some(operator) = operator else { return self.sent(self.endpoint.answer_refer(request, 603)) };
        let command = if target.replaces.is_some() {
            Command::ConnectCustomer { operator }
        } else {
            let Ok(number) = target.user.parse::<PhoneNumber>() else {
                return self.sent(self.endpoint.answer_refer(request, 404));
            };
            Command::BlindTransfer { operator, target: TransferTarget::Number(number) }
        };
        self.sent(self.endpoint.answer_refer(request, 202));
        self.ask(
            move |turn| {
                if let Command::BlindTransfer { target: TransferTarget::Number(to), .. } = command {
                    may_reach(turn, operator, to).map_err(|refused| {
                        tracing::info!(rule = refused.rule, "a telephone's transfer is refused");
                        603u16
                    })?;
                }
                turn.apply(command).map(drop).map_err(|refused| {
                    tracing::info!(%refused, "a telephone's transfer is refused");
                    603
                })
            },
            move |outcome| Some(Done::Referred { request, done: outcome.is_ok() }),
        )
        .await;
    }

    async fn key(&mut self, owner: Option<Owner>, digit: char) {
        if let Some(Owner::Leg(id)) = owner
            && id == id.call.customer_leg()
        {
            self.tell(Command::DigitPressed { call: id.call, digit }).await;
        }
    }

    // ---- ends -------------------------------------------------------------------------------------------------

    async fn ended(&mut self, sip: callfloor_sip::LegId, cause: &Cause) {
        let Some(owner) = self.by_sip.remove(&sip) else { return };
        match owner {
            Owner::Coming(reference) => {
                if let Some(coming) = self.coming.get_mut(&reference) {
                    coming.gone = true;
                    coming.leg.sip = None;
                    if let Some(session) = coming.leg.session.take() {
                        self.by_session.remove(&session);
                        self.extension.close(session);
                    }
                }
            }
            Owner::Line(operator) => {
                if let Some(line) = self.lines.remove(&operator) {
                    self.by_session.remove(&line.session);
                    self.extension.close(line.session);
                }
                let waiting = self.dials.iter().find(|(_, dial)| dial.operator == operator).map(|(call, _)| *call);
                if let Some(call) = waiting {
                    self.dials.remove(&call);
                    self.drop_leg(call.customer_leg());
                    // Before the telephone was up the dial has failed; after it, its operator has hung up.
                    let command = if matches!(cause, Cause::PeerHungUp | Cause::CallerCancelled) {
                        Command::HangUp { operator }
                    } else {
                        Command::DialFailed { call, cause: FarEndFault::Failed }
                    };
                    self.tell(command).await;
                }
            }
            Owner::Leg(id) => self.leg_ended(id, cause).await,
        }
    }

    async fn leg_ended(&mut self, id: LegId, cause: &Cause) {
        let supervises = self.supervised.get(&id.call).is_some_and(|supervised| supervised.leg == id);
        self.supervisor_gone(id);
        let Some(leg) = self.legs.remove(&id) else { return };
        self.silence_listeners(id);
        if let Some(session) = leg.session {
            self.by_session.remove(&session);
            self.extension.close(session);
        }
        let lost = matches!(
            cause,
            Cause::NoResponse
                | Cause::SessionExpired
                | Cause::PeerLost { .. }
                | Cause::Unreachable { .. }
                | Cause::NoAck
        );
        let command = match (leg.role, leg.state) {
            (Role::Operator(operator), State::Ringing(offer)) => {
                self.refuse_widget(offer, super::AnswerRefused::NoAnswer);
                match cause {
                    Cause::Failed { code: 603 | 607, .. } => Command::Decline { operator, offer },
                    Cause::Failed { code: 486 | 600, .. } => Command::OfferFailed { offer, cause: DeviceFault::Busy },
                    _ => Command::OfferFailed { offer, cause: DeviceFault::Failed },
                }
            }
            (Role::Operator(operator), state) if supervises || state == State::Supervisor => {
                return self.leave_supervision(operator, id).await;
            }
            (Role::Operator(operator), _) if lost => Command::DeviceLost { operator },
            (Role::Operator(operator), _) => Command::HangUp { operator },
            (role @ (Role::Customer | Role::Target), State::Dialled) => {
                return self.not_reached(id, role == Role::Customer, far_end(cause)).await;
            }
            (Role::Customer, _) => Command::CustomerHungUp { call: id.call },
            (Role::Target, _) => Command::TargetHungUp { leg: id },
        };
        self.tell(command).await;
    }

    // ---- registrations ----------------------------------------------------------------------------------------

    async fn register(&mut self, request: RegisterRequest) {
        let found = self.telephones.values().find(|telephone| telephone.user == request.proof.user);
        let Some(telephone) = found.filter(|telephone| request.proof.verify(&telephone.secret())) else {
            tracing::info!(from = %request.flow.remote, "a registration with an unknown user or a wrong password");
            return self.sent(self.endpoint.refuse(request.id, 403));
        };
        let operator = telephone.operator();
        if request.user != telephone.user {
            return self.sent(self.endpoint.refuse(request.id, 403));
        }
        let bound = self.bindings.update(operator, &request.contacts, request.remove_all, &request.flow);
        let bound: Vec<Bound> = bound.into_iter().map(|(uri, expires_s)| Bound { uri, expires_s }).collect();
        let kept = Registration::of(operator, self.bindings.all_of(operator));
        let command = if bound.is_empty() {
            self.bindings.forget(operator);
            Command::DeviceLost { operator }
        } else {
            Command::DeviceRestored { operator }
        };
        // Who only asks what is bound changes nothing.
        let changes = request.remove_all || !request.contacts.is_empty();
        let (request, gone) = (request.id, bound.is_empty());
        self.ask(
            move |turn| {
                match changes {
                    true if gone => turn.documents().delete::<Registration>(number(operator)),
                    true => turn.documents().put(&kept),
                    false => {}
                }
                // Refused where it was lost, or not lost, already: then nothing changes.
                let _ = turn.apply(command);
                Ok(())
            },
            move |outcome| Some(Done::Registered { request, bound, kept: outcome.is_ok() }),
        )
        .await;
    }
}
