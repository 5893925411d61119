//! Another configuration for a running floor: nobody's status changes, no call is dropped.

use alloc::format;
use alloc::string::String;

use crate::call::Stage;
use crate::config::{EngineConfig, Step};
use crate::desk::Desk;
use crate::engine::{Engine, Outcome, QueueState};
use crate::id::OperatorId;
use crate::place::ABSENT;
use crate::rejection::Rejection;
use crate::routing::Router;

impl Engine {
    pub(crate) fn reconfigure(&mut self, config: EngineConfig) -> Outcome {
        self.usable(&config).map_err(Rejection::Configuration)?;
        let clocks = self.stop_clocks_for(&config);
        // The index is made anew: everything that waits and everybody who is idle enters it again.
        self.router = Router::new(&config);
        self.config = config;
        self.start_clocks(&clocks);
        self.desks.resize_with(self.config.operators.len(), Desk::new);
        self.queues.resize_with(self.config.queues.len(), QueueState::default);
        let mut waiting: alloc::vec::Vec<_> = self.places.iter().map(|(index, _)| index).collect();
        // In the order in which they began to wait: a slot's number decides nothing.
        waiting.sort_unstable_by_key(|&index| self.places[index].key.sequence);
        for &index in &waiting {
            let place = &mut self.places[index];
            let was_waiting = core::mem::replace(&mut place.position, ABSENT) != ABSENT;
            // The new relaxations count from the wait so far.
            let relax = &self.config.queues[place.queue.index()].relax;
            let waited = self.now - place.queued_at;
            let relaxed = relax.iter().take_while(|step| step.after <= waited).count();
            place.relaxed = u8::try_from(relaxed).expect("a queue has fewer than 256 relaxations");
            self.deadlines.cancel(&mut place.relax);
            if let Some(step) = relax.get(relaxed) {
                place.relax = self.deadlines.set(place.queued_at + step.after, crate::deadline::Due::Relax, index);
            }
            self.reclassify(index);
            if was_waiting {
                self.insert_waiting(index);
            }
        }
        for index in 0..self.desks.len() {
            self.desks[index].idle = [false; 3];
            self.touch(OperatorId(crate::routing::small(index)));
        }
        Ok(())
    }

    /// What a new configuration lacks of what is in use.
    fn usable(&self, new: &EngineConfig) -> Result<(), String> {
        let counts = [
            ("services", self.config.services.len(), new.services.len()),
            ("queues", self.config.queues.len(), new.queues.len()),
            ("operators", self.config.operators.len(), new.operators.len()),
            ("skills", self.config.skills.len(), new.skills.len()),
        ];
        for (what, had, has) in counts {
            if has < had {
                return Err(format!("it has {has} {what}, the running floor {had}: keep them, in their order"));
            }
        }
        for (old, new) in self.config.queues.iter().zip(&new.queues) {
            if old.channel != new.channel || old.service != new.service {
                return Err(format!("queue {:?} has another channel or service", old.name));
            }
        }
        for (call, found) in self.calls.iter() {
            let steps =
                |config: &EngineConfig| config.services[found.service.index()].flow.get(found.step.index()).cloned();
            let kind = |step: Option<Step>| step.map(|step| core::mem::discriminant(&step));
            if matches!(found.stage, Stage::Flow | Stage::Forwarding | Stage::Queued)
                && kind(steps(&self.config)) != kind(steps(new))
            {
                return Err(format!("{call} is at {}, which is another step or none in the new flow", found.step));
            }
        }
        if new.blending != self.config.blending {
            return Err(String::from("points and interruptions cannot change while the floor runs"));
        }
        for (index, (old, new)) in self.config.operators.iter().zip(&new.operators).enumerate() {
            let operator = OperatorId(crate::routing::small(index));
            if self.points_at_most(operator) > u32::from(new.points) {
                return Err(format!("{operator} has more work in hand than {} points allow", new.points));
            }
            if old.services.first() != new.services.first() {
                return Err(format!("{operator} has another first service"));
            }
            let desk = &self.desks[index];
            if desk.chat_load() > u32::from(new.chat_limit) || desk.ticket_load() > u32::from(new.ticket_limit) {
                return Err(format!("{operator} has more chats or tickets in hand than the new limits allow"));
            }
        }
        Ok(())
    }
}
