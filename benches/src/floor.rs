//! A floor kept at a steady load by hand, so that the engine alone is measured: no random numbers, no calendar.

use std::collections::VecDeque;

use callfloor_engine::{
    AfterCall, Blending, CallId, Channel, Command, Engine, EngineConfig, Event, Floor, IdleSince, Instant, Membership,
    OfferId, OpeningHours, Operator, OperatorId, OperatorSkill, Output, PhoneNumber, Policy, PriorityRule, Queue,
    QueueId, Service, ServiceId, Settings, SkillId, SkillNeed, Span, StatusChoice, Step, StepId, TicketSettings,
};

/// How a floor is built.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Operators.
    pub operators: u32,
    /// Skills, each with a queue that asks for it.
    pub skills: u16,
    /// Distinct sets of skills among the operators, each of about half of them; 1: everybody has all.
    pub skill_sets: u32,
}

/// An engine with a floor, and the calls in progress.
#[derive(Debug)]
pub struct SteadyFloor {
    engine: Engine,
    now: Instant,
    talking: VecDeque<CallId>,
    out: Vec<Output>,
    next_entry: u16,
    entries: u16,
    /// Commands that were applied.
    pub commands: u64,
}

impl SteadyFloor {
    /// Everybody logged in and Ready, then as many calls as keep 19 of 20 operators busy.
    ///
    /// # Panics
    /// If the floor is not as the engine wants it: a fault here.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        let config = EngineConfig::new(floor(shape)).expect("the floor is right");
        let mut steady = Self {
            engine: Engine::new(config),
            now: Instant::ZERO,
            talking: VecDeque::with_capacity(shape.operators as usize),
            out: Vec::with_capacity(64),
            next_entry: 0,
            entries: shape.skills,
            commands: 0,
        };
        for operator in 0..shape.operators {
            steady.apply(Command::LogIn { operator: OperatorId(operator) });
        }
        for _ in 0..shape.operators * 19 / 20 {
            steady.arrive();
        }
        steady
    }

    fn apply(&mut self, command: Command) {
        self.now = self.now + Span::from_micros(1000);
        self.out.clear();
        self.engine.advance(self.now, &mut self.out);
        self.engine.apply(self.now, command, &mut self.out).expect("the command is right");
        self.commands += 1;
    }

    fn arrive(&mut self) {
        let entry = StepId(2 * self.next_entry);
        self.next_entry = (self.next_entry + 1) % self.entries;
        self.apply(Command::CallArrived {
            service: ServiceId(0),
            entry,
            customer: None,
            from: None,
            priority: 0,
            preferred: None,
            reference: 0,
        });
        let offer = self.out.iter().find_map(|output| match *output {
            Output::Event(Event::OfferMade { offer, operator, .. }) => Some((offer, operator)),
            _ => None,
        });
        if let Some((offer, operator)) = offer {
            self.answer(offer, operator);
        }
    }

    fn answer(&mut self, offer: OfferId, operator: OperatorId) {
        self.apply(Command::Answer { operator, offer });
        let answered = self.out.iter().find_map(|output| match *output {
            Output::Event(Event::CallAnswered { call, .. }) => Some(call),
            _ => None,
        });
        self.talking.extend(answered);
    }

    /// The longest call ends, and another arrives: three commands, or four where one was waiting.
    pub fn turn(&mut self) {
        if let Some(call) = self.talking.pop_front() {
            self.apply(Command::CustomerHungUp { call });
            let offer = self.out.iter().find_map(|output| match *output {
                Output::Event(Event::OfferMade { offer, operator, .. }) => Some((offer, operator)),
                _ => None,
            });
            if let Some((offer, operator)) = offer {
                self.answer(offer, operator);
            }
        }
        self.arrive();
    }
}

fn floor(shape: Shape) -> Floor {
    let settings = Settings {
        login_status: StatusChoice::Ready,
        after_call: AfterCall { limit: Some(Span::ZERO), ..AfterCall::default() },
        tickets: TicketSettings { solve_at_wrap_up: true, close_after: Span::ZERO, ..TicketSettings::default() },
        ..Settings::default()
    };
    let queue = |skill: u16| Queue {
        name: format!("queue {skill}"),
        service: ServiceId(0),
        channel: Channel::Phone,
        policy: Policy::LongestIdle(IdleSince::LastCall),
        needs: vec![SkillNeed { skill: SkillId(skill), min: 1 }],
        priority: PriorityRule::Strict,
        first_level: 255,
        relax: vec![],
        ring_limit: None,
        limit: None,
        maximum_wait: None,
        last_operator: None,
    };
    let flow = (0..shape.skills)
        .flat_map(|skill| [Step::Queue { queue: QueueId(skill), on_full: None, on_timeout: None }, Step::End])
        .collect();
    let operator = |index: u32| {
        // Set 0 has every skill, so that every queue is served; the others are told apart by the bits of a mixed number.
        let set = u64::from(index % shape.skill_sets);
        let bits = set.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let has = |skill: u16| set == 0 || bits >> skill & 1 == 1;
        Operator {
            name: format!("operator {index}"),
            services: vec![ServiceId(0)],
            phone: true,
            cti_id: Some(format!("op{index}")),
            cti_number: Some(format!("{}", 100_000 + index).parse::<PhoneNumber>().expect("digits")),
            skills: (0..shape.skills)
                .filter(|&skill| has(skill))
                .map(|skill| OperatorSkill { skill: SkillId(skill), proficiency: 5 })
                .collect(),
            queues: (0..shape.skills)
                .map(|skill| Membership { queue: QueueId(skill), level: 0, preference: 0 })
                .collect(),
            points: 100,
            chat_limit: 0,
            ticket_limit: 0,
            auto_answer: false,
        }
    };
    Floor {
        seed: 1,
        skills: (0..shape.skills).map(|skill| format!("skill {skill}")).collect(),
        services: vec![Service {
            name: "service".into(),
            inbound: true,
            outbound: false,
            hours: OpeningHours::Always,
            flow,
            outgoing: vec![],
            favourites: vec![],
            settings,
        }],
        queues: (0..shape.skills).map(queue).collect(),
        operators: (0..shape.operators).map(operator).collect(),
        blending: Blending::default(),
    }
}
