//! What the engine wishes, done in the world.

use callfloor_engine::{
    Action, CallId, Command, ConsultEnd, DeviceFault, Event, FarEndFault, LegId, OfferId, OperatorId, Output,
    RefusalCause, Work,
};
use callfloor_sip::media::Recording;
use tokio::sync::oneshot;

use super::{AnswerRefused, Dial, Hears, Leg, Owner, Role, State, Switchboard, WidgetAnswer};
use crate::host::{Happened, Turn};
use crate::http::{Desk, Problem};
use crate::phone::Device;

/// Gives the engine an answer, and the desk to whoever asked at the widget.
type Job = Box<dyn FnOnce(&mut Turn<'_>) -> Result<Option<Desk>, Problem> + Send>;

/// Whoever asked at the widget is told.
fn tell(
    told: Option<oneshot::Sender<Result<Result<Desk, Problem>, AnswerRefused>>>,
    outcome: Option<Result<Option<Desk>, Problem>>,
) {
    let Some(told) = told else { return };
    let answer = match outcome {
        Some(Ok(Some(desk))) => Ok(Ok(desk)),
        Some(Err(problem)) => Ok(Err(problem)),
        Some(Ok(None)) | None => Err(AnswerRefused::NoAnswer),
    };
    // Who asked may have gone.
    let _ = told.send(answer);
}

impl Switchboard {
    pub(super) async fn perform(&mut self, happened: &Happened) {
        match happened.output {
            Output::Action(action) => self.act(action).await,
            Output::Event(event) => self.note(event).await,
            // A kind of output that concerns no telephone.
            _ => {}
        }
    }

    async fn act(&mut self, action: Action) {
        match action {
            Action::RefuseCall { reference, cause } => {
                if let Some(coming) = self.coming.remove(&reference) {
                    let code = match cause {
                        RefusalCause::NoInboundContract => 403,
                    };
                    self.refuse(coming.leg, code);
                }
            }
            Action::Ring { operator, offer, work: Work::Call(call), leg: Some(leg), auto_answer, .. } => {
                self.ring(operator, offer, call, leg, auto_answer).await;
            }
            Action::StopRinging { offer, .. } => {
                self.refuse_widget(offer, AnswerRefused::NotRinging);
                let ringing = self.legs.iter().find(|(_, leg)| leg.state == State::Ringing(offer)).map(|(id, _)| *id);
                if let Some(leg) = ringing {
                    self.drop_leg(leg);
                }
            }
            Action::Connect { a, b } => {
                self.attach_line(a);
                self.attach_line(b);
                self.let_hear(a, Hears::Leg(b));
                self.let_hear(b, Hears::Leg(a));
            }
            Action::Join { call } => self.join(call),
            Action::PlayMusic { leg, audio } => {
                self.silence_listeners(leg);
                self.let_hear(leg, Hears::Music(audio));
            }
            Action::PlayAnnouncement { leg, audio, .. } => {
                self.silence_listeners(leg);
                self.let_hear(leg, Hears::Announcement(audio));
                if self.legs.get(&leg).is_none_or(|leg| leg.session.is_none()) {
                    // Nobody hears it: it is over at once.
                    self.tell(Command::PlaybackFinished { call: leg.call }).await;
                }
            }
            Action::RecordVoicemail { leg, limit } => self.record(leg, limit).await,
            Action::Dial { leg, to, from } => {
                self.dial(leg, to.to_string(), from.map(|from| from.to_string())).await;
            }
            Action::HangUp { leg } => self.drop_leg(leg),
            Action::CallSupervisor { operator, leg } => self.call_supervisor(operator, leg).await,
            Action::Supervise { leg, operator, mode } => self.supervise(leg, operator, mode).await,
            // Chats, tickets and callbacks ring on the screen; a later kind of action is not for telephones.
            _ => {}
        }
    }

    /// Facts that the switchboard needs to know whose leg is whose.
    async fn note(&mut self, event: Event) {
        match event {
            Event::CallArrived { call, reference, .. } => {
                let Some(coming) = self.coming.remove(&reference) else { return };
                let id = call.customer_leg();
                if let Some(sip) = coming.leg.sip {
                    self.by_sip.insert(sip, Owner::Leg(id));
                }
                if let Some(session) = coming.leg.session {
                    self.by_session.insert(session, Owner::Leg(id));
                }
                self.numbers.insert(call, coming.caller);
                self.legs.insert(id, coming.leg);
                if coming.gone {
                    self.legs.remove(&id);
                    self.tell(Command::CustomerHungUp { call }).await;
                }
            }
            Event::DialStarted { call, operator, .. } => {
                self.dials.insert(call, Dial { operator, to: None });
            }
            Event::ConsultStarted { call, operator, .. } => {
                if let Some(leg) = self.leg_of(call, operator) {
                    self.let_hear(leg, Hears::RingBack);
                }
            }
            // Where the customer has hung up, they and who was consulted go on talking.
            Event::ConsultEnded { end: ConsultEnd::CustomerHungUp, .. } => {}
            Event::ConsultEnded { call, operator, .. } => {
                // Where a conference is over they hear the customer again already.
                if let Some(leg) = self.leg_of(call, operator)
                    && self.legs.get(&leg).is_some_and(|leg| leg.hears != Hears::Leg(call.customer_leg()))
                {
                    self.let_hear(leg, Hears::Nothing);
                }
            }
            Event::SupervisionEnded { call, .. } => self.end_supervision(call),
            Event::CallEnded(record) => {
                // A dial that nobody answered: the operator's telephone was up for it.
                if let Some(dial) = self.dials.remove(&record.call) {
                    self.drop_line(dial.operator);
                    if let Some(session) = self.browsers.get(&dial.operator).map(|browser| browser.session) {
                        self.hang_up(None, Some(session), &State::Connected);
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn leg_of(&self, call: CallId, operator: OperatorId) -> Option<LegId> {
        self.legs_of(call).find(|(_, leg)| leg.role == Role::Operator(operator)).map(|(id, _)| id)
    }

    async fn ring(&mut self, operator: OperatorId, offer: OfferId, call: CallId, id: LegId, by_widget: bool) {
        let mut leg = Leg::new(Role::Operator(operator), State::Ringing(offer));
        // A telephone that answers by itself is called when the widget answers; until then the screen rings.
        let on_screen = self.device(operator) == Device::Browser || by_widget;
        if !on_screen {
            let caller = self.numbers.get(&call).cloned().unwrap_or_else(|| "anonymous".into());
            let Some((sip, session)) = self.call_telephone(operator, caller, false, Owner::Leg(id)) else {
                return self.tell(Command::OfferFailed { offer, cause: DeviceFault::Failed }).await;
            };
            (leg.sip, leg.session) = (Some(sip), Some(session));
        } else if let Some(browser) = self.browsers.get(&operator) {
            leg.session = Some(browser.session);
            self.by_session.insert(browser.session, Owner::Leg(id));
        }
        self.legs.insert(id, leg);
    }

    /// The widget's answer.
    pub(super) async fn widget_answer(&mut self, operator: OperatorId, offer: OfferId, answer: WidgetAnswer) {
        let ringing = self.legs.iter().find(|(_, leg)| leg.state == State::Ringing(offer)).map(|(id, _)| *id);
        let Some(id) = ringing.filter(|id| self.legs[id].role == Role::Operator(operator)) else {
            return answer.refuse(AnswerRefused::NotRinging);
        };
        if self.device(operator) == Device::Browser {
            self.widget.entry(offer).or_default().push(answer);
            return self.answer(operator, offer, id).await;
        }
        if let Some(waiting) = self.widget.get_mut(&offer) {
            // The telephone is being called for an answer that came before.
            return waiting.push(answer);
        }
        if self.legs[&id].sip.is_some() {
            return answer.refuse(AnswerRefused::AnswerOnPhone);
        }
        let caller = self.numbers.get(&id.call).cloned().unwrap_or_else(|| "anonymous".into());
        let Some((sip, session)) = self.call_telephone(operator, caller, true, Owner::Leg(id)) else {
            return answer.refuse(AnswerRefused::NoAnswer);
        };
        let leg = self.legs.get_mut(&id).expect("it was found");
        (leg.sip, leg.session) = (Some(sip), Some(session));
        self.widget.insert(offer, vec![answer]);
    }

    /// Whoever wants to answer at the widget is told that it comes to nothing.
    pub(super) fn refuse_widget(&mut self, offer: OfferId, why: AnswerRefused) {
        for answer in self.widget.remove(&offer).unwrap_or_default() {
            answer.refuse(why);
        }
    }

    /// An operator's device has answered: the engine decides whether in time.
    pub(super) async fn answer(&mut self, operator: OperatorId, offer: OfferId, id: LegId) {
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.state = State::Connected;
        }
        let mut waiting = self.widget.remove(&offer).unwrap_or_default().into_iter();
        let (job, told): (Job, _) = match waiting.next() {
            Some(WidgetAnswer { job, told }) => (Box::new(move |turn| job(turn).map(Some)), Some(told)),
            None => (
                Box::new(move |turn| {
                    turn.apply(Command::Answer { operator, offer })?;
                    Ok(None)
                }),
                None,
            ),
        };
        let own = self.own.clone();
        self.run_answer(job, move |outcome| {
            if !matches!(outcome, Some(Ok(_))) {
                // A switchboard that has ended has hung up already.
                let _ = own.orders.send(super::Order::Done(super::Done::AnswerRefused { leg: id }));
            }
            tell(told, outcome);
        })
        .await;
        // The same request again is answered the same; another one finds the offer over.
        for WidgetAnswer { job, told } in waiting {
            self.run_answer(Box::new(move |turn| job(turn).map(Some)), move |outcome| tell(Some(told), outcome)).await;
        }
    }

    /// Runs a job that gives the engine an answer; its outcome is told after the commit, `None` where there is none.
    async fn run_answer(&self, job: Job, done: impl FnOnce(Option<Result<Option<Desk>, Problem>>) + Send + 'static) {
        self.host.post_then(job, |answer| done(answer.ok())).await;
    }

    /// Customer, operator and target hear each other.
    fn join(&mut self, call: CallId) {
        if self.mix_of(call).is_none() {
            return;
        }
        let members = self.legs_of(call).filter(|(_, leg)| leg.state == State::Connected);
        let members: Vec<LegId> = members.map(|(id, _)| id).collect();
        for member in members {
            self.let_hear(member, Hears::Conference(call));
        }
    }

    async fn record(&mut self, leg: LegId, limit: callfloor_engine::Span) {
        self.let_hear(leg, Hears::Nothing);
        let session = self.legs.get(&leg).and_then(|leg| leg.session);
        let name = format!("{}-{}.wav", leg.call.number(), jiff::Timestamp::now().as_microsecond());
        let recording = Recording {
            path: self.extension.voicemail.join(name),
            limit: std::time::Duration::from_micros(limit.as_micros()),
            silence: Some(std::time::Duration::from_secs(5)),
            stop_key: Some('#'),
        };
        let begun = session.is_some_and(|session| match self.media.record(session, recording) {
            Ok(()) => true,
            Err(problem) => {
                tracing::error!(%problem, "a caller's message cannot be recorded");
                false
            }
        });
        if !begun {
            self.tell(Command::PlaybackFinished { call: leg.call }).await;
        }
    }

    async fn dial(&mut self, id: LegId, to: String, from: Option<String>) {
        let customer = id == id.call.customer_leg();
        let operator = self.dials.get(&id.call).map(|dial| dial.operator).filter(|_| customer);
        if let Some(operator) = operator {
            self.numbers.insert(id.call, to.clone());
            if self.device(operator) == Device::SipPhone {
                self.dials.insert(id.call, Dial { operator, to: Some((id, to, from)) });
                return self.raise_line(id.call, operator).await;
            }
        }
        if let Some(browser) = operator.and_then(|operator| self.browsers.get(&operator)) {
            let ring_back = callfloor_sip::media::Source::Clip { clip: self.clips.ring_back(), repeat: true };
            if let Err(problem) = self.media.hear(browser.session, ring_back) {
                tracing::warn!(%problem, "audio");
            }
        }
        self.dial_out(id, &to, from, customer).await;
    }

    /// Gets the operator's own telephone up ahead of their dial.
    async fn raise_line(&mut self, call: CallId, operator: OperatorId) {
        match self.lines.get_mut(&operator) {
            // They dialled on the telephone itself.
            Some(line) if line.offer.is_some() => self.answer_line(operator),
            Some(line) if line.up => {}
            Some(_) => return,
            None => {
                let caller = self.numbers.get(&call).cloned().unwrap_or_default();
                let Some((sip, session)) = self.call_telephone(operator, caller, true, Owner::Line(operator)) else {
                    return self.tell(Command::DialFailed { call, cause: FarEndFault::Failed }).await;
                };
                self.lines.insert(operator, super::Line { sip, session, up: false, offer: None });
                return;
            }
        }
        self.line_is_up(operator).await;
    }

    /// Answers an operator who called us to dial.
    fn answer_line(&mut self, operator: OperatorId) {
        let Some(line) = self.lines.get_mut(&operator) else { return };
        let Some(offer) = line.offer.take() else { return };
        line.up = true;
        let (sip, session) = (line.sip, line.session);
        let sdp = match offer {
            Some(offer) => self.media.answer(session, &offer),
            None => self.media.offer(session),
        };
        match sdp {
            Ok(sdp) => self.sent(self.endpoint.answer(sip, sdp)),
            Err(_) => self.sent(self.endpoint.reject(sip, 488, None)),
        }
    }

    /// The operator's telephone is up: now the number.
    pub(super) async fn line_is_up(&mut self, operator: OperatorId) {
        let waiting = self.dials.values_mut().find(|dial| dial.operator == operator).and_then(|dial| dial.to.take());
        if let Some((id, to, from)) = waiting {
            if let Some(line) = self.lines.get(&operator) {
                let ring_back = callfloor_sip::media::Source::Clip { clip: self.clips.ring_back(), repeat: true };
                if let Err(problem) = self.media.hear(line.session, ring_back) {
                    tracing::warn!(%operator, %problem, "audio");
                }
            }
            self.dial_out(id, &to, from, true).await;
        }
    }

    async fn dial_out(&mut self, id: LegId, to: &str, from: Option<String>, customer: bool) {
        let role = if customer { Role::Customer } else { Role::Target };
        match self.call_number(to, from, Owner::Leg(id)) {
            Some((sip, session)) => {
                let mut leg = Leg::new(role, State::Dialled);
                (leg.sip, leg.session) = (Some(sip), Some(session));
                self.legs.insert(id, leg);
            }
            None => self.not_reached(id, customer, FarEndFault::Failed).await,
        }
    }

    /// A number was not reached.
    pub(super) async fn not_reached(&mut self, id: LegId, customer: bool, cause: FarEndFault) {
        if customer {
            self.tell(Command::DialFailed { call: id.call, cause }).await;
        } else {
            self.tell(Command::TargetFailed { leg: id, cause }).await;
        }
    }

    /// The operator's leg of a dial is their line.
    fn attach_line(&mut self, id: LegId) {
        if self.legs.contains_key(&id) {
            return;
        }
        let Some(operator) = self.dials.get(&id.call).map(|dial| dial.operator) else { return };
        self.dials.remove(&id.call);
        let mut leg = Leg::new(Role::Operator(operator), State::Connected);
        if let Some(line) = self.lines.remove(&operator) {
            (leg.sip, leg.session) = (Some(line.sip), Some(line.session));
            self.by_sip.insert(line.sip, Owner::Leg(id));
            self.by_session.insert(line.session, Owner::Leg(id));
        } else if let Some(browser) = self.browsers.get(&operator) {
            leg.session = Some(browser.session);
            self.by_session.insert(browser.session, Owner::Leg(id));
        }
        self.legs.insert(id, leg);
    }
}
