//! How much work a choice costs, counted in this crate's tests alone: steps through the index of routing, through lists
//! of operators and places that it goes over, and through the heap of deadlines. Elsewhere counting compiles to nothing.

/// One step.
#[inline(always)]
pub(crate) fn step() {
    #[cfg(test)]
    counted::STEPS.set(counted::STEPS.get() + 1);
}

#[cfg(test)]
mod counted {
    extern crate std;

    use core::cell::Cell;

    std::thread_local! {
        pub(super) static STEPS: Cell<u64> = const { Cell::new(0) };
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::collections::VecDeque;
    use alloc::vec::Vec;
    use alloc::{format, vec};

    use super::counted::STEPS;
    use crate::*;

    struct Bench {
        engine: Engine,
        now: Instant,
        commands: u64,
        talking: VecDeque<CallId>,
        out: Vec<Output>,
    }

    impl Bench {
        /// Everybody serves `own` queues of all, is logged in and Ready, and 19 of 20 have a call.
        fn new(operators: u32, queues: u16, own: u16, on_miss: MissRule) -> Self {
            let settings = Settings {
                login_status: StatusChoice::Ready,
                after_call: AfterCall { limit: Some(Span::ZERO), ..AfterCall::default() },
                tickets: TicketSettings {
                    solve_at_wrap_up: true,
                    close_after: Span::ZERO,
                    ..TicketSettings::default()
                },
                on_miss,
                ..Settings::default()
            };
            let queue = |at: u16| Queue {
                name: format!("{at}"),
                service: ServiceId(0),
                channel: Channel::Phone,
                policy: Policy::LongestIdle(IdleSince::LastCall),
                needs: vec![],
                priority: PriorityRule::Strict,
                first_level: 255,
                relax: vec![],
                ring_limit: None,
                limit: None,
                maximum_wait: Some(Span::from_seconds(10_000)),
                last_operator: None,
            };
            let service = Service {
                name: "shop".into(),
                inbound: true,
                outbound: false,
                hours: OpeningHours::Always,
                flow: (0..queues)
                    .map(|at| Step::Queue { queue: QueueId(at), on_full: None, on_timeout: None })
                    .collect(),
                outgoing: vec![],
                favourites: vec![],
                settings,
            };
            let serves = |at: u32| {
                let first = u16::try_from(at % u32::from(queues)).unwrap();
                (0..own).map(move |next| Membership {
                    queue: QueueId((first + next) % queues),
                    level: 0,
                    preference: 0,
                })
            };
            let operator = |at: u32| Operator {
                name: format!("{at}"),
                services: vec![ServiceId(0)],
                phone: true,
                cti_id: Some(format!("{at}")),
                cti_number: Some(format!("{at}").parse().unwrap()),
                skills: vec![],
                queues: serves(at).collect(),
                points: 100,
                chat_limit: 0,
                ticket_limit: 0,
                auto_answer: false,
            };
            let floor = Floor {
                services: vec![service],
                queues: (0..queues).map(queue).collect(),
                operators: (0..operators).map(operator).collect(),
                ..Floor::default()
            };
            let mut bench = Self {
                engine: Engine::new(EngineConfig::new(floor).unwrap()),
                now: Instant::ZERO,
                commands: 0,
                talking: VecDeque::new(),
                out: Vec::new(),
            };
            for operator in (0..operators).map(OperatorId) {
                bench.apply(Command::LogIn { operator });
            }
            for at in 0..operators * 19 / 20 {
                bench.arrive(StepId(u16::try_from(at % u32::from(queues)).unwrap()));
                bench.answer();
            }
            bench
        }

        fn apply(&mut self, command: Command) {
            self.now = self.now + Span::from_micros(1_000);
            self.engine.advance(self.now, &mut self.out);
            self.out.clear();
            self.engine.apply(self.now, command, &mut self.out).unwrap();
            self.commands += 1;
        }

        fn arrive(&mut self, entry: StepId) {
            let (service, customer, from, priority, preferred, reference) = (ServiceId(0), None, None, 0, None, 0);
            self.apply(Command::CallArrived { service, entry, customer, from, priority, preferred, reference });
        }

        fn ringing(&self) -> Option<(OperatorId, OfferId, CallId)> {
            self.out.iter().find_map(|output| match *output {
                Output::Event(Event::OfferMade { operator, offer, work: Work::Call(call), .. }) => {
                    Some((operator, offer, call))
                }
                _ => None,
            })
        }

        fn answer(&mut self) {
            if let Some((operator, offer, call)) = self.ringing() {
                self.apply(Command::Answer { operator, offer });
                self.talking.push_back(call);
            }
        }

        /// Steps in 1,000 commands, over calls that come, are answered and end.
        fn steps(&mut self, queues: u16) -> u64 {
            STEPS.set(0);
            let before = self.commands;
            for at in 0..3_000u16 {
                self.arrive(StepId(at.wrapping_mul(7) % queues));
                self.answer();
                let call = self.talking.pop_front().unwrap();
                self.apply(Command::CustomerHungUp { call });
                self.answer();
            }
            self.engine.check().unwrap();
            1_000 * STEPS.get() / (self.commands - before)
        }
    }

    fn steps(operators: u32, queues: u16, own: u16) -> u64 {
        Bench::new(operators, queues, own, MissRule::LeaveReady).steps(queues)
    }

    /// From 100 operators to 10,000, and from 10 queues to 1,000 (10,000 times as many pairs of both): a logarithm of
    /// 100 is twice that of 10,000, so twice the steps would be right; a scan would take a hundred times as many.
    #[test]
    fn b19_cost_does_not_grow_as_queues_times_members() {
        let small = steps(100, 10, 3);
        let members = steps(10_000, 10, 3);
        let both = steps(10_000, 1_000, 3);
        assert!(small > 1_000, "{small} steps in 1,000 commands: nothing is counted");
        std::println!("steps in 1,000 commands: {small}; {members} with more members; {both} with more queues too");
        assert!(2 * members < 5 * small, "{small} steps in 1,000 commands with 100 members, {members} with 10,000");
        assert!(2 * both < 5 * small, "{small} steps in 1,000 commands with 10 queues, {both} with 1,000");
    }

    /// What an operator serves costs its share: three times the queues, three times the lists in which they are.
    #[test]
    fn b19_cost_grows_no_faster_than_the_queues_that_an_operator_serves() {
        let (few, many) = (steps(1_000, 100, 3), steps(1_000, 100, 30));
        std::println!("steps in 1,000 commands: {few} with 3 queues each, {many} with 30");
        assert!(many < 15 * few, "{few} steps in 1,000 commands with 3 queues each, {many} with 30");
    }

    /// The counter sees a scan where there is one by design: a call that somebody missed is compared with all idle.
    #[test]
    fn the_counter_sees_a_scan() {
        let missed = |operators: u32| {
            let mut bench = Bench::new(operators, 1, 1, MissRule::StayReady { break_after: 0 });
            bench.arrive(StepId(0));
            let (operator, offer, _) = bench.ringing().unwrap();
            STEPS.set(0);
            bench.apply(Command::Decline { operator, offer });
            STEPS.get()
        };
        let (few, many) = (missed(100), missed(10_000));
        assert!(many > 20 * few, "{few} steps among 5 idle, {many} among 500");
    }
}
