//! Supervisors in calls: whose audio goes to whom.
//!
//! A call that is supervised is mixed: who would hear another directly hears the mix, and so does the supervisor, whom
//! each of the others hears as the mode says. Everybody else in the call goes on as the engine ordered: who is on hold hears
//! music and is in no mix, so that nobody hears them either.

use callfloor_engine::{CallId, CallView, Command, LegId, OperatorId, Supervision};
use callfloor_sip::media::{MixId, SessionId};

use super::{Hears, Leg, Owner, Role, State, Switchboard};
use crate::phone::Device;
use crate::phone::leg::Heard;

/// A supervisor who hears a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Supervised {
    /// The supervisor's leg.
    pub(super) leg: LegId,
    /// The leg that alone hears a whisper.
    operator: LegId,
    mode: Supervision,
}

impl Supervised {
    /// How loud a leg hears the supervisor.
    fn gain(&self, listener: LegId) -> f32 {
        match self.mode {
            Supervision::Barge => 1.0,
            Supervision::Whisper if listener == self.operator => 1.0,
            Supervision::Listen | Supervision::Whisper => 0.0,
        }
    }
}

/// Whether a leg that was called for a supervisor is in a call: as a supervisor's, or as its operator's since they took it over.
fn is_in(call: &CallView, leg: LegId) -> bool {
    call.supervisor.is_some_and(|supervisor| supervisor.leg == leg) || call.operator_leg == Some(leg)
}

impl Switchboard {
    /// Calls a supervisor's device: a browser is there at once, a telephone rings.
    pub(super) async fn call_supervisor(&mut self, operator: OperatorId, id: LegId) {
        let mut leg = Leg::new(Role::Operator(operator), State::Supervisor);
        if self.device(operator) == Device::Browser {
            let Some(session) = self.browsers.get(&operator).map(|browser| browser.session) else {
                tracing::info!(%operator, "a supervisor's browser has no audio");
                return self.leave_supervision(operator, id).await;
            };
            leg.session = Some(session);
            self.by_session.insert(session, Owner::Leg(id));
            self.legs.insert(id, leg);
            return self.tell(Command::SupervisorJoined { leg: id }).await;
        }
        let caller = self.numbers.get(&id.call).cloned().unwrap_or_else(|| "anonymous".into());
        let Some((sip, session)) = self.call_telephone(operator, caller, false, Owner::Leg(id)) else {
            tracing::info!(%operator, "a supervisor's telephone cannot be called");
            return self.leave_supervision(operator, id).await;
        };
        (leg.sip, leg.session) = (Some(sip), Some(session));
        self.legs.insert(id, leg);
    }

    /// A supervisor's device is not, or no longer, in the call; where the engine knows so, nothing is to be done.
    pub(super) async fn leave_supervision(&self, operator: OperatorId, id: LegId) {
        let told = self.host.post(move |turn| match turn.engine().call(id.call) {
            Some(call) if is_in(&call, id) => turn.apply(Command::HangUp { operator }).map(drop),
            _ => Ok(()),
        });
        if told.await.is_err() {
            tracing::warn!("the engine has stopped: a fact of the world is lost");
        }
    }

    /// A supervisor hears a call from now on, or is heard by others than before. For whom there is no room in the mix leaves it:
    /// silence would say nothing.
    pub(super) async fn supervise(&mut self, leg: LegId, operator: LegId, mode: Supervision) {
        let Some(supervisor) = self.legs.get_mut(&leg) else { return };
        (supervisor.state, supervisor.hears) = (State::Connected, Hears::Conference(leg.call));
        if self.mix_of(leg.call).is_none() {
            if let Role::Operator(supervisor) = self.legs[&leg].role {
                self.leave_supervision(supervisor, leg).await;
            }
            return;
        }
        self.supervised.insert(leg.call, Supervised { leg, operator, mode });
        self.refresh_hearing(leg.call);
    }

    /// The supervisor of a call leaves it, or takes it over: whoever is left hears the others directly.
    pub(super) fn end_supervision(&mut self, call: CallId) {
        let Some(gone) = self.supervised.remove(&call) else { return };
        // Out of the mix first: whom nobody was to hear is not heard for a moment either.
        if let Some(leg) = self.legs.get_mut(&gone.leg) {
            leg.hears = Hears::Nothing;
            self.apply_hearing(gone.leg);
        }
        if let (Some(mix), Some(session)) = (self.mixes.get(&call).copied(), self.session_at(gone.leg)) {
            for (_, other) in self.sessions_of(call) {
                self.set_gain(mix, session, other, 1.0);
            }
        }
        self.refresh_hearing(call);
    }

    /// The mix of a call, opened where there is none.
    pub(super) fn mix_of(&mut self, call: CallId) -> Option<MixId> {
        if let Some(mix) = self.mixes.get(&call) {
            return Some(*mix);
        }
        match self.media.open_mix() {
            Ok(mix) => {
                self.mixes.insert(call, mix);
                Some(mix)
            }
            Err(problem) => {
                tracing::warn!(%call, %problem, "no room for a mix of a call's audio");
                None
            }
        }
    }

    /// Who is in a supervised call hears the mix where they would hear another; before it, who hears the supervisor is set.
    pub(super) fn supervised_hearing(&self, id: LegId) -> Option<MixId> {
        let supervised = self.supervised.get(&id.call)?;
        let mix = *self.mixes.get(&id.call)?;
        let mixed = match self.legs.get(&id)?.hears {
            Hears::Conference(_) => true,
            Hears::Leg(other) => self.legs.get(&other).is_some_and(|other| other.hears == Hears::Leg(id)),
            // A whisper reaches the operator also while the customer is on hold.
            Hears::Nothing => id == supervised.operator,
            Hears::Music(_) | Hears::Announcement(_) | Hears::RingBack => false,
        };
        if !mixed {
            return None;
        }
        if let Some(supervisor) = self.session_at(supervised.leg) {
            for (leg, session) in self.sessions_of(id.call) {
                self.set_gain(mix, supervisor, session, supervised.gain(leg));
            }
        }
        Some(mix)
    }

    /// Applies what legs of a call hear of each other, where that is another way than before.
    pub(super) fn refresh_hearing(&mut self, call: CallId) {
        let legs: Vec<LegId> = self.legs_of(call).map(|(id, _)| id).collect();
        for id in legs {
            let leg = &self.legs[&id];
            if !matches!(leg.hears, Hears::Leg(_) | Hears::Conference(_) | Hears::Nothing) {
                continue;
            }
            let wanted = match (self.supervised_hearing(id), leg.hears) {
                (Some(mix), _) => Heard::Mix(mix),
                (None, Hears::Leg(other)) => match self.session_at(other) {
                    Some(session) => Heard::Peer(session),
                    None => Heard::Else,
                },
                (None, Hears::Conference(call)) => match self.mixes.get(&call) {
                    Some(mix) => Heard::Mix(*mix),
                    None => Heard::Else,
                },
                (None, _) => Heard::Else,
            };
            if leg.session.is_some_and(|session| leg.heard != Some((session, wanted))) {
                self.apply_hearing(id);
            }
        }
    }

    fn session_at(&self, id: LegId) -> Option<SessionId> {
        self.legs.get(&id)?.session
    }

    fn sessions_of(&self, call: CallId) -> Vec<(LegId, SessionId)> {
        self.legs_of(call).filter_map(|(id, leg)| Some((id, leg.session?))).collect()
    }

    fn set_gain(&self, mix: MixId, speaker: SessionId, listener: SessionId, gain: f32) {
        if speaker == listener {
            return;
        }
        if let Err(problem) = self.media.gain(mix, speaker, listener, gain) {
            tracing::warn!(%problem, "audio");
        }
    }
}

#[cfg(test)]
mod tests {
    use callfloor_engine::{CallPlace, Event, Output, ServiceId, Status, StatusChoice, StepId};

    use super::*;
    use crate::host::{Host, Opening, Turn};
    use crate::http::Problem;
    use crate::storage::sqlite::SqliteStorage;

    fn apply(turn: &mut Turn<'_>, command: Command) -> Vec<Output> {
        turn.apply(command).unwrap_or_else(|refused| panic!("{refused}")).to_vec()
    }

    /// A supervisor's telephone hangs up at the moment at which they take the call over: it is theirs, and ends.
    #[tokio::test]
    async fn the_leg_of_who_took_a_call_over_is_in_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let writer = Box::new(SqliteStorage::open(directory.path()).expect("opens"));
        let host = Host::open(writer, Opening::new(crate::demo::floor().expect("a floor"))).expect("opens");
        let job = host.handle().run(|turn| {
            let (first, boss) = (OperatorId(0), OperatorId(1));
            for operator in [first, boss] {
                apply(turn, Command::LogIn { operator });
            }
            apply(turn, Command::SetStatus { operator: first, to: StatusChoice::Ready });
            let (service, entry) = (ServiceId(0), StepId(0));
            let arrived = Command::CallArrived {
                service,
                entry,
                customer: None,
                from: None,
                priority: 0,
                preferred: None,
                reference: 1,
            };
            let mut outputs = apply(turn, arrived);
            let call = turn.engine().calls().next().expect("it came").call;
            while turn.engine().call(call).is_some_and(|call| call.place == CallPlace::Flow) {
                outputs.extend(apply(turn, Command::PlaybackFinished { call }));
            }
            let offer = outputs.iter().find_map(|output| match output {
                Output::Event(Event::OfferMade { offer, .. }) => Some(*offer),
                _ => None,
            });
            apply(turn, Command::Answer { operator: first, offer: offer.expect("it rings") });
            apply(turn, Command::Supervise { operator: boss, call, mode: Supervision::Listen });
            let view = |turn: &Turn<'_>| turn.engine().call(call).expect("it goes on");
            let leg = view(turn).supervisor.expect("it is supervised").leg;
            let (own, other) = (view(turn).operator_leg.expect("it has an operator"), call.customer_leg());
            assert!(is_in(&view(turn), leg) && !is_in(&view(turn), other));
            apply(turn, Command::SupervisorJoined { leg });
            apply(turn, Command::TakeOver { operator: boss });
            assert!(is_in(&view(turn), leg) && !is_in(&view(turn), own), "it is the operator's now");
            apply(turn, Command::HangUp { operator: boss });
            assert!(turn.engine().call(call).is_none(), "it is over with its operator");
            assert_eq!(turn.engine().operator_status(boss), Status::AfterCallWork);
            Ok::<_, Problem>(())
        });
        job.await.expect("is durable").expect("nothing is refused");
        host.close();
    }
}
