//! `refusal` says of every button what `apply` then does, over random walks of a small floor.

use callfloor_engine::{
    Asked, AudioId, Channel, Command, ConsultTarget, Engine, EngineConfig, FarEndFault, Floor, ForcedEndReason,
    IdleSince, Instant, LegId, Membership, NumberState, OpeningHours, Operator, OperatorId, OutgoingNumber, Policy,
    PriorityRule, Queue, QueueId, Rejection, Service, ServiceId, Settings, Span, Status, StatusChoice, Step, StepId,
    Supervision, TransferTarget, reason,
};

fn floor() -> EngineConfig {
    let mut settings = Settings { login_status: StatusChoice::Ready, ..Settings::default() };
    settings.after_call.limit = Some(Span::from_seconds(20));
    settings.after_call.early_exit = false;
    let service = Service {
        name: "shop".into(),
        inbound: true,
        outbound: true,
        hours: OpeningHours::Always,
        flow: vec![Step::Queue { queue: QueueId(0), on_full: None, on_timeout: None }],
        outgoing: vec![OutgoingNumber { number: "03".parse().unwrap(), state: NumberState::Confirmed }],
        favourites: vec![],
        settings,
    };
    let queue = Queue {
        name: "calls".into(),
        service: ServiceId(0),
        channel: Channel::Phone,
        policy: Policy::LongestIdle(IdleSince::LastCall),
        needs: vec![],
        priority: PriorityRule::Strict,
        first_level: 255,
        relax: vec![],
        ring_limit: None,
        limit: None,
        maximum_wait: None,
        last_operator: None,
    };
    let operator = |at: u32| Operator {
        name: at.to_string(),
        services: vec![ServiceId(0)],
        phone: at != 3,
        cti_id: Some(at.to_string()),
        cti_number: Some((201 + at).to_string().parse().unwrap()),
        skills: vec![],
        queues: vec![Membership { queue: QueueId(0), level: 0, preference: 0 }],
        points: 100,
        chat_limit: 0,
        ticket_limit: 0,
        auto_answer: false,
    };
    EngineConfig::new(Floor {
        services: vec![service],
        queues: vec![queue],
        operators: (0..4).map(operator).collect(),
        ..Floor::default()
    })
    .unwrap()
}

/// The command of a button, with targets that are always there: a number outside, a queue.
fn command(operator: OperatorId, asked: Asked) -> Command {
    let outside = "09012345678".parse().unwrap();
    match asked {
        Asked::LogIn => Command::LogIn { operator },
        Asked::LogOut => Command::LogOut { operator },
        Asked::ChangeStatus => Command::SetStatus { operator, to: StatusChoice::Work(reason::NONE) },
        Asked::ChooseNextStatus => Command::SetNextStatus { operator, next: None },
        Asked::Dial => Command::Dial {
            operator,
            service: ServiceId(0),
            to: outside,
            from: "03".parse().unwrap(),
            customer: None,
            reference: 0,
        },
        Asked::HangUp => Command::HangUp { operator },
        Asked::Hold => Command::Hold { operator },
        Asked::Release => Command::Release { operator },
        Asked::Consult => Command::Consult { operator, target: ConsultTarget::Number(outside) },
        Asked::ConnectCustomer => Command::ConnectCustomer { operator },
        Asked::CancelConsult => Command::CancelConsult { operator },
        Asked::Conference => Command::Conference { operator },
        Asked::BlindTransfer => Command::BlindTransfer { operator, target: TransferTarget::Queue(QueueId(0)) },
        Asked::ForceEnd => {
            Command::ForceEnd { operator, reason: ForcedEndReason::Abuse, announcement: Some(AudioId(0)) }
        }
        Asked::TakeOver => Command::TakeOver { operator },
        other => unreachable!("{other:?} is no button"),
    }
}

const BUTTONS: [Asked; 15] = [
    Asked::LogIn,
    Asked::LogOut,
    Asked::ChangeStatus,
    Asked::ChooseNextStatus,
    Asked::Dial,
    Asked::HangUp,
    Asked::Hold,
    Asked::Release,
    Asked::Consult,
    Asked::ConnectCustomer,
    Asked::CancelConsult,
    Asked::Conference,
    Asked::BlindTransfer,
    Asked::ForceEnd,
    Asked::TakeOver,
];

/// SplitMix64.
fn draw(state: &mut u64, below: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) % below as u64).unwrap()
}

/// Something that happens in the world or at a desk.
fn anything(engine: &Engine, state: &mut u64) -> Option<Command> {
    let operator = OperatorId(u32::try_from(draw(state, 4)).unwrap());
    let calls: Vec<_> = engine.calls().collect();
    let call = (!calls.is_empty()).then(|| calls[draw(state, calls.len())]);
    let target = call.and_then(|call| call.target.filter(|_| draw(state, 2) == 0)).map(|target| target.leg);
    Some(match draw(state, 14) {
        0 | 1 => Command::CallArrived {
            service: ServiceId(0),
            entry: StepId(0),
            customer: None,
            from: None,
            priority: 0,
            preferred: None,
            reference: 0,
        },
        2 | 3 | 11 => {
            let mut ringing = (0..4).filter_map(|at| Some((OperatorId(at), engine.operator(OperatorId(at))?.offer?)));
            let (operator, offer) = ringing.next_back()?;
            Command::Answer { operator, offer }
        }
        4 => Command::CustomerHungUp { call: call?.call },
        5 => Command::TargetAnswered { leg: target? },
        6 => match draw(state, 3) {
            0 => Command::TargetFailed { leg: target?, cause: FarEndFault::Busy },
            1 => Command::TargetHungUp { leg: target? },
            _ => Command::CustomerAnswered { call: LegId { call: call?.call, leg: 0 }.call },
        },
        7 => {
            if draw(state, 4) == 0 {
                Command::DeviceLost { operator }
            } else {
                Command::DeviceRestored { operator }
            }
        }
        8 => Command::SetStatus { operator, to: StatusChoice::Ready },
        9 => {
            let ready = |at: &u32| engine.operator_status(OperatorId(*at)) == Status::Ready;
            let talking = |at: &u32| engine.refusal(OperatorId(*at), Asked::Consult).is_none();
            let operator = OperatorId((0..4).find(talking)?);
            Command::Consult { operator, target: ConsultTarget::Operator(OperatorId((0..4).find(ready)?)) }
        }
        10 => {
            let consulting = |at: &u32| engine.refusal(OperatorId(*at), Asked::Conference).is_none();
            let operator = OperatorId((0..4).find(consulting)?);
            if draw(state, 2) == 0 {
                Command::Conference { operator }
            } else {
                Command::CustomerHungUp { call: call?.call }
            }
        }
        _ => command(operator, BUTTONS[draw(state, BUTTONS.len() - 1)]),
    })
}

#[test]
fn every_button_does_what_it_is_said_to_do() {
    let (mut allowed, mut refused) = (0u32, std::collections::BTreeSet::new());
    for seed in 0..40 {
        let mut state = seed;
        let mut engine = Engine::new(floor());
        let (mut now, mut out) = (0, Vec::new());
        for _ in 0..250 {
            now += 1 + draw(&mut state, 2_000_000) as u64;
            let instant = Instant::from_micros(now);
            engine.advance(instant, &mut out);
            if let Some(command) = anything(&engine, &mut state) {
                // Some of it is refused: that is part of the walk.
                let _ = engine.apply(instant, command, &mut out);
            }
            let later = Instant::from_micros(now + 1);
            engine.advance(later, &mut out);
            now += 1;
            for (operator, asked) in (0..4).flat_map(|at| BUTTONS.map(|asked| (OperatorId(at), asked))) {
                let said = engine.refusal(operator, asked);
                let done = engine.clone().apply(later, command(operator, asked), &mut out).err();
                assert_eq!(said, done, "seed {seed}, {asked:?} of {operator}");
                match said {
                    None => allowed += 1,
                    Some(Rejection::WrongStatus { .. }) => {}
                    Some(other) => {
                        refused.insert(format!("{other:?}").split(['(', ' ', '{']).next().unwrap().to_owned());
                    }
                }
            }
        }
    }
    assert!(allowed > 10_000, "{allowed} active buttons");
    for rule in [
        "NoPhoneRight",
        "AfterCallTimed",
        "ConsultGoingOn",
        "NoConsult",
        "ConsultNotAnswered",
        "Consulted",
        "DeviceLost",
        "CustomerGone",
        "InConference",
        "Ending",
        "NotSupervising",
    ] {
        assert!(refused.contains(rule), "{rule} is not among {refused:?}");
    }
}

#[test]
fn what_a_supervisor_may_do_is_what_the_engine_says() {
    let (boss, operator) = (OperatorId(1), OperatorId(0));
    let mut engine = Engine::new(floor());
    let mut now = 0;
    let mut out = Vec::new();
    let mut does = |engine: &mut Engine, command: Command| {
        now += 1_000_000;
        engine.advance(Instant::from_micros(now), &mut out);
        engine.apply(Instant::from_micros(now), command, &mut out).unwrap();
        for (operator, asked) in (0..4).flat_map(|at| BUTTONS.map(|asked| (OperatorId(at), asked))) {
            let done = engine.clone().apply(Instant::from_micros(now), self::command(operator, asked), &mut out).err();
            assert_eq!(engine.refusal(operator, asked), done, "{asked:?} of {operator}");
        }
    };
    does(&mut engine, Command::LogIn { operator });
    does(
        &mut engine,
        Command::CallArrived {
            service: ServiceId(0),
            entry: StepId(0),
            customer: None,
            from: None,
            priority: 0,
            preferred: None,
            reference: 0,
        },
    );
    let offer = engine.operator(operator).unwrap().offer.unwrap();
    does(&mut engine, Command::Answer { operator, offer });
    does(&mut engine, Command::LogIn { operator: boss });
    let call = engine.calls().next().unwrap().call;
    does(&mut engine, Command::Supervise { operator: boss, call, mode: Supervision::Listen });
    assert!(matches!(engine.refusal(boss, Asked::TakeOver), Some(Rejection::WrongStatus { .. })));
    let leg = engine.call(call).unwrap().supervisor.unwrap().leg;
    does(&mut engine, Command::SupervisorJoined { leg });
    assert_eq!(engine.refusal(boss, Asked::Hold), Some(Rejection::Supervising(boss)));
    assert_eq!(engine.refusal(boss, Asked::TakeOver), None);
    assert_eq!(engine.refusal(operator, Asked::TakeOver), Some(Rejection::NotSupervising(operator)));
    does(&mut engine, Command::TakeOver { operator: boss });
    assert_eq!(engine.refusal(boss, Asked::Hold), None);
}
