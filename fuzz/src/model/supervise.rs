//! Supervisors in calls.

use callfloor_engine::{
    CallId, ConsultEnd, Event, LegId, OperatorId, Party, Status, StatusChoice, Supervision, SupervisionEnd, reason,
};

use super::call::{Spending, Stage, Supervisor};
use super::{Model, desk};

impl Model {
    /// The call that an operator supervises, joined or not.
    pub(super) fn supervised(&self, operator: OperatorId) -> Option<CallId> {
        self.calls
            .iter()
            .find(|call| call.supervisor.is_some_and(|found| found.operator == operator))
            .map(|call| call.id)
    }

    pub(super) fn supervise(&mut self, operator: OperatorId, call: CallId, mode: Supervision) -> Option<()> {
        self.known_operator(operator)?;
        let found = self.find_call(call)?;
        if let Some(now) = found.supervisor {
            if now.operator != operator {
                return None;
            }
            if now.joined && now.mode != mode {
                self.say(Event::SupervisionChanged { call, supervisor: operator, mode });
            }
            self.call(call).supervisor = Some(Supervisor { mode, ..now });
            return Some(());
        }
        let (stage, service) = (found.stage, found.service);
        let desk = self.desks.get(operator.index())?;
        let before = match desk.status {
            Status::Work => StatusChoice::Work(desk.reason),
            Status::Ready => StatusChoice::Ready,
            Status::Break => StatusChoice::Break(desk.reason),
            _ => return None,
        };
        let possible = matches!(stage, Stage::Talking | Stage::Holding | Stage::Conference);
        if !possible || desk.device_lost || !self.has_room_for_call(operator) {
            return None;
        }
        let limit = self.timer(self.settings(service).consult_limit);
        let found = self.call(call);
        let leg = found.new_leg();
        found.supervisor = Some(Supervisor { operator, leg, mode, joined: false, limit });
        let desk = self.desk(operator);
        (desk.call, desk.before_dial) = (Some(call), Some(before));
        self.become_status(operator, Status::Dialing, reason::NONE);
        Some(())
    }

    pub(super) fn supervisor_joined(&mut self, leg: LegId) -> Option<()> {
        let call = leg.call;
        let found = self.calls.iter_mut().find(|found| found.id == call)?;
        let operator = found.operator;
        let supervisor = found.supervisor.as_mut().filter(|found| found.leg == leg.leg && !found.joined)?;
        (supervisor.joined, supervisor.limit) = (true, None);
        let (who, mode) = (supervisor.operator, supervisor.mode);
        self.become_status(who, Status::Talking, reason::NONE);
        let operator = operator.expect("a supervised call has an operator");
        self.say(Event::SupervisionStarted { call, supervisor: who, operator, mode });
        Some(())
    }

    /// Whoever supervises a call is back where they came from, or in the status that they chose meanwhile.
    pub(super) fn supervision_over(&mut self, call: CallId, end: SupervisionEnd) {
        let Some(found) = self.call(call).supervisor.take() else { return };
        let operator = found.operator;
        if found.joined {
            self.say(Event::SupervisionEnded { call, supervisor: operator, end });
        }
        let desk = self.desk(operator);
        let choice = desk.next.take().or(desk.before_dial).expect("a supervisor came from a status");
        let lost = desk.device_lost && choice == StatusChoice::Ready;
        desk.call = None;
        let (status, reason) = desk::parts(if lost { StatusChoice::Work(reason::DEVICE_LOST) } else { choice });
        self.become_status(operator, status, reason);
    }

    pub(super) fn take_over(&mut self, operator: OperatorId) -> Option<()> {
        let call = self.supervised(operator)?;
        let found = self.find_call(call)?;
        let (stage, target) = (found.stage, found.target);
        let possible = matches!(stage, Stage::Talking | Stage::Holding | Stage::Conference);
        if !found.supervisor?.joined || !possible {
            return None;
        }
        if stage == Stage::Holding && target.is_some() {
            self.consult_stopped(call, ConsultEnd::OperatorLeft);
        }
        let now = self.now;
        let found = self.call(call);
        let first = found.operator.expect("a supervised call has an operator");
        (found.operator, found.supervisor) = (Some(operator), None);
        found.spend(now, Spending::Talk);
        if stage != Stage::Conference {
            found.stage = Stage::Talking;
        }
        self.say(Event::SupervisionEnded { call, supervisor: operator, end: SupervisionEnd::TookOver });
        self.say(Event::CallTransferred { call, from: first, to: Party::Operator(operator), blind: false });
        self.desk(operator).calls += 1;
        self.own_ticket_of_call(call, operator);
        self.part_over(first, call);
        Some(())
    }
}
