//! Places in queues, kept from the first wait to the answer, whatever rings in between.

use callfloor_engine::{Event, FlowOut, Instant, OperatorId, PriorityRule, QueueId, SkillNeed, Span, Status, Work};

use super::{Model, Timer};

#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub(super) work: Work,
    pub(super) queue: QueueId,
    pub(super) priority: u8,
    /// Beside the queue's.
    pub(super) needs: Vec<SkillNeed>,
    pub(super) queued_at: Instant,
    pub(super) number: u64,
    /// Before all others of its priority.
    pub(super) head: bool,
    pub(super) reserved_for: Option<OperatorId>,
    pub(super) reservation: Option<Timer>,
    pub(super) maximum_wait: Option<Timer>,
    /// The maximum wait passed while it rang.
    pub(super) overdue: bool,
    pub(super) relaxed: usize,
    pub(super) relax: Option<Timer>,
    /// Whoever becomes free joins in.
    pub(super) rings_all: bool,
    pub(super) ring_step: Option<Timer>,
    /// Missed it and stayed Ready.
    pub(super) missed_by: Vec<OperatorId>,
    /// Is to be looked at.
    pub(super) unmatched: bool,
}

impl Model {
    pub(super) fn find_spot(&mut self, work: Work) -> Option<&mut Spot> {
        self.spots.iter_mut().find(|spot| spot.work == work)
    }

    pub(super) fn spot(&mut self, work: Work) -> &mut Spot {
        self.find_spot(work).expect("what waits has a place")
    }

    pub(super) fn see_spot(&self, work: Work) -> &Spot {
        self.spots.iter().find(|spot| spot.work == work).expect("what waits has a place")
    }

    pub(super) const fn next_place(&mut self) -> u64 {
        self.made.places += 1;
        self.made.places
    }

    /// Work begins to wait, in a new place or in one that it has kept. Returns the place.
    #[expect(clippy::too_many_arguments, reason = "everything that a place says")]
    pub(super) fn begin_waiting(
        &mut self,
        work: Work,
        queue: QueueId,
        priority: u8,
        needs: Vec<SkillNeed>,
        kept: Option<(Instant, u64)>,
        head: bool,
        preferred: Option<OperatorId>,
    ) -> (Instant, u64) {
        let (queued_at, number) = kept.unwrap_or_else(|| (self.now, self.next_place()));
        let config = &self.floor.queues[queue.index()];
        let waited = self.now - queued_at;
        let relaxed = config.relax.iter().filter(|step| step.after <= waited).count();
        let next = config.relax.get(relaxed).map(|step| queued_at + step.after);
        let (maximum, window) = (config.maximum_wait, config.last_operator);
        // Who was already served is not sent away again.
        let maximum_wait = maximum.filter(|_| !head).and_then(|maximum| self.timer(maximum));
        let relax = next.and_then(|at| self.timer_at(at));
        self.spots.push(Spot {
            work,
            queue,
            priority,
            needs,
            queued_at,
            number,
            head,
            reserved_for: None,
            reservation: None,
            maximum_wait,
            overdue: false,
            relaxed,
            relax,
            rings_all: false,
            ring_step: None,
            missed_by: Vec::new(),
            unmatched: false,
        });
        // The customer waits a while for their last operator, who serves them, is logged in and not on Break.
        if let (Some(operator), Some(window)) = (preferred, window)
            && let Some(desk) = self.desks.get(operator.index())
            && !matches!(desk.status, Status::LoggedOut | Status::Break)
            && self.suits(self.see_spot(work), operator).is_some()
        {
            let reservation = self.timer(window);
            let spot = self.spot(work);
            (spot.reserved_for, spot.reservation) = (Some(operator), reservation);
        }
        self.look_at(work);
        (queued_at, number)
    }

    /// It is to be matched when the command is done.
    pub(super) fn look_at(&mut self, work: Work) {
        if !core::mem::replace(&mut self.spot(work).unmatched, true) {
            self.pending.push(work);
        }
    }

    /// Takes work that does not ring out of its queue. Returns how long it was there.
    pub(super) fn leave_queue(&mut self, work: Work) -> Span {
        let queued_at = self.spot(work).queued_at;
        self.spots.retain(|spot| spot.work != work);
        self.pending.retain(|pending| *pending != work);
        self.now - queued_at
    }

    /// Order of service: lower goes first.
    pub(super) fn order(&self, spot: &Spot) -> (i64, i128, u64) {
        let priority = i64::from(spot.priority);
        let queued_at = if spot.head { i128::MIN / 2 } else { i128::from(spot.queued_at.as_micros()) };
        match self.floor.queues[spot.queue.index()].priority {
            PriorityRule::Strict => (-priority, queued_at, spot.number),
            PriorityRule::HeadStart { per_level } => {
                (0, queued_at - i128::from(per_level.as_micros()) * i128::from(priority), spot.number)
            }
        }
    }

    /// What it asks for has changed.
    pub(super) fn changed(&mut self, work: Work) {
        let spot = self.see_spot(work);
        if let Some(operator) = spot.reserved_for
            && self.suits(spot, operator).is_none()
        {
            self.wait_for_anybody(work);
        }
        self.look_at(work);
    }

    fn wait_for_anybody(&mut self, work: Work) {
        let spot = self.spot(work);
        (spot.reserved_for, spot.reservation) = (None, None);
        self.look_at(work);
    }

    pub(super) fn reservation_passed(&mut self, work: Work) {
        self.wait_for_anybody(work);
    }

    /// What waited for this operator alone waits for everybody from now on, in the order of reservation.
    pub(super) fn wait_no_more_for(&mut self, operator: OperatorId) {
        let mut theirs: Vec<(Option<Timer>, Work)> = self
            .spots
            .iter()
            .filter(|spot| spot.reserved_for == Some(operator))
            .map(|spot| (spot.reservation, spot.work))
            .collect();
        theirs.sort_by_key(|(timer, _)| timer.map(|timer| timer.set));
        for (_, work) in theirs {
            self.wait_for_anybody(work);
        }
    }

    /// Work that others missed is looked at again, in the order of service.
    pub(super) fn look_again_at_missed(&mut self) {
        let missed = self.spots.iter().filter(|spot| !spot.missed_by.is_empty() && !self.rings(spot.work));
        let mut missed: Vec<_> = missed.map(|spot| (self.order(spot), spot.work)).collect();
        missed.sort_unstable();
        for (_, work) in missed {
            self.look_at(work);
        }
    }

    pub(super) fn relax(&mut self, work: Work) {
        let spot = self.spot(work);
        spot.relaxed += 1;
        let (steps, queue, queued_at) = (spot.relaxed, spot.queue, spot.queued_at);
        let next = self.floor.queues[queue.index()].relax.get(steps).map(|step| queued_at + step.after);
        let timer = next.and_then(|at| self.timer_at(at));
        self.spot(work).relax = timer;
        self.changed(work);
        self.say(Event::NeedsRelaxed { work, steps: u8::try_from(steps).expect("few relaxations") });
    }

    /// What rings is not cut; if nobody answers, the wait is over then.
    pub(super) fn maximum_wait_passed(&mut self, work: Work) {
        let rings = self.rings(work);
        let spot = self.spot(work);
        (spot.maximum_wait, spot.overdue) = (None, rings);
        if !rings {
            self.waited_too_long(work);
        }
    }

    pub(super) fn waited_too_long(&mut self, work: Work) {
        let queue = self.spot(work).queue;
        let wait = self.leave_queue(work);
        match work {
            Work::Call(call) => {
                self.call(call).wait = wait;
                self.say(Event::CallFlowedOut { call, queue, how: FlowOut::MaximumWait, wait });
                self.leave_queue_step(call);
            }
            Work::Chat(chat) => self.chat_waited_too_long(chat, wait),
            // It stays in the service, to be pulled.
            Work::Ticket(_) => {}
            Work::Callback(callback) => self.callback_over(callback, callfloor_engine::CallbackEnd::GivenUp),
        }
    }
}
