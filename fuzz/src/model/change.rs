//! Another configuration for a running floor: nobody's status changes, no call is dropped.

use callfloor_engine::{EngineConfig, Floor, OperatorId, ServiceId, StepId, Work};

use super::Model;
use super::call::Stage;
use super::desk::Desk;

impl Model {
    pub(super) fn reconfigure(&mut self, config: &EngineConfig) -> Option<()> {
        if !self.keeps_what_is_in_use(config) {
            return None;
        }
        // Clocks count by the old hours until now, and by the new ones from here.
        let running = self.stop_clocks_for(config);
        self.floor = config.clone().into_floor();
        self.start_clocks(&running);
        self.desks.resize_with(self.floor.operators.len(), Desk::new);
        // What waits is looked at anew, in the order in which it began to wait.
        let mut waiting: Vec<(u64, Work)> = self.spots.iter().map(|spot| (spot.number, spot.work)).collect();
        waiting.sort_unstable_by_key(|&(number, _)| number);
        for (_, work) in waiting {
            let spot = self.see_spot(work);
            let (queue, queued_at) = (spot.queue, spot.queued_at);
            let relax = &self.floor.queues[queue.index()].relax;
            let relaxed = relax.iter().filter(|step| step.after <= self.now - queued_at).count();
            let next = relax.get(relaxed).map(|step| queued_at + step.after);
            let timer = next.and_then(|at| self.timer_at(at));
            let spot = self.spot(work);
            (spot.relaxed, spot.relax) = (relaxed, timer);
            self.changed(work);
        }
        for at in 0..self.desks.len() {
            self.desks[at].open = [false; 3];
            self.notice(OperatorId(u32::try_from(at).expect("few operators")));
        }
        Some(())
    }

    /// Things may be changed and added, but none that is in use may vanish.
    fn keeps_what_is_in_use(&self, new: &Floor) -> bool {
        let old = &self.floor;
        let fewer = new.services.len() < old.services.len()
            || new.queues.len() < old.queues.len()
            || new.operators.len() < old.operators.len()
            || new.skills.len() < old.skills.len();
        let moved = old
            .queues
            .iter()
            .zip(&new.queues)
            .any(|(old, new)| old.channel != new.channel || old.service != new.service);
        if fewer || moved || old.blending != new.blending {
            return false;
        }
        // A call in the flow, or queued from it, finds the same kind of step.
        let kind = |floor: &Floor, service: ServiceId, step: StepId| {
            floor.services[service.index()].flow.get(step.index()).map(core::mem::discriminant)
        };
        let steps_stay = self
            .calls
            .iter()
            .filter(|call| matches!(call.stage, Stage::Flow | Stage::Forwarding | Stage::Queued))
            .all(|call| kind(old, call.service, call.step) == kind(new, call.service, call.step));
        // Nobody has more in hand than they may.
        let loads_fit = old.operators.iter().zip(&new.operators).enumerate().all(|(at, (old, new))| {
            let operator = OperatorId(u32::try_from(at).expect("few operators"));
            let (chats, tickets) = (self.chat_load(operator), self.ticket_load(operator));
            old.services.first() == new.services.first()
                && self.fits_whatever_ends(operator, chats, tickets, u32::from(new.points))
                && chats <= u32::from(new.chat_limit)
                && tickets <= u32::from(new.ticket_limit)
        });
        steps_stay && loads_fit
    }

    /// What rests now goes on when what interrupts it ends, and must fit then too.
    fn fits_whatever_ends(&self, operator: OperatorId, chats: u32, tickets: u32, points: u32) -> bool {
        let busy = self.status(operator).is_busy();
        [(busy, chats), (busy, 0), (false, chats), (false, 0)]
            .into_iter()
            .all(|(call, chats)| self.points(call, chats, tickets) <= points)
    }
}
