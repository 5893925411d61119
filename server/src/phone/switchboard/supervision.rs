//! Supervisors in calls: whose audio goes to whom.
//!
//! A call that is supervised is mixed: who would hear another directly hears the mix, and so does the supervisor, whom
//! each of the others hears as the mode says. Everybody else in the call goes on as the engine ordered: who is on hold hears
//! music and is in no mix, so that nobody hears them either.

use callfloor_engine::{CallId, Command, LegId, OperatorId, Supervision};
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
        let told = self.host.post(move |turn| {
            let supervisor = turn.engine().call(id.call).and_then(|call| call.supervisor);
            match supervisor {
                Some(supervisor) if supervisor.leg == id => turn.apply(Command::HangUp { operator }).map(drop),
                _ => Ok(()),
            }
        });
        if told.await.is_err() {
            tracing::warn!("the engine has stopped: a fact of the world is lost");
        }
    }

    /// A supervisor hears a call from now on, or is heard by others than before.
    pub(super) fn supervise(&mut self, leg: LegId, operator: LegId, mode: Supervision) {
        let Some(supervisor) = self.legs.get_mut(&leg) else { return };
        (supervisor.state, supervisor.hears) = (State::Connected, Hears::Conference(leg.call));
        if self.mix_of(leg.call).is_none() {
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
        let legs: Vec<LegId> = self.legs.keys().filter(|id| id.call == call).copied().collect();
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
        let found = self.legs.iter().filter(|(id, _)| id.call == call);
        found.filter_map(|(id, leg)| Some((*id, leg.session?))).collect()
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
