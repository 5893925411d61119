//! A scenario becomes the engine's configuration that it describes.

use callfloor_engine as engine;
use callfloor_scenario::{AudioKind, ClassEntry, FloorPlan, NoFiles, Scenario};
use engine::{QueueId, ServiceId, SkillId, Span, Step, StepId};

fn plan(text: &str) -> (Scenario, FloorPlan) {
    let scenario = Scenario::parse("plan.toml", text, &NoFiles).unwrap_or_else(|problems| panic!("{problems}"));
    let plan = scenario.floor_plan().unwrap();
    (scenario, plan)
}

const FLOOR: &str = r#"
skills = ["french"]

[service.shop]
hours = [{ days = ["weekdays"], from = "09:00", to = "12:00" }, { from = "12:00", to = "17:00" }]

[run]
date = 2026-03-27
days = 4
time_zone = "Europe/Paris"

[queue.main]
limit = 5
overflow = "queue"
overflow_queue = "spare"
relax = [{ after_s = 30, level = 2 }]

[queue.spare]
max_wait_s = 60
overflow = "forward"
overflow_number = "119"

[queue.chats]
channel = "chat"

[flow.day]
steps = [
    { do = "hours", closed = "bye" },
    { do = "announcement", length_s = 4, next = "wait" },
    { name = "bye", do = "end" },
    { name = "wait", do = "queue", queue = "main" },
]

[customers.walk-in]
flow = "day"
skills = ["french"]
arrivals = { per_hour = 10 }
handling = { talk = { mean_s = 100 } }

[customers.direct]
queue = "spare"
arrivals = { per_hour = 10 }
handling = { talk = { mean_s = 100 } }

[customers.chatters]
queue = "chats"
arrivals = { per_hour = 10 }
handling = { talk = { mean_s = 100 } }

[operators.early]
skills = { french = 7 }
shifts = [{ from = "09:00", to = "13:00", count = 3 }, { from = "12:00", to = "17:00", count = 2 }, { from = "13:00", to = "17:00", count = 1 }]

[operators.late]
queues = [{ queue = "main", level = 2, preference = 3 }]
skills = { french = 1 }
count = 2
"#;

#[test]
fn flows_overflow_and_entries_lie_one_after_another() {
    let (_, plan) = plan(FLOOR);
    let queue =
        |queue, to| Step::Queue { queue: QueueId(queue), on_full: Some(StepId(to)), on_timeout: Some(StepId(to)) };
    let announcement = plan.audio.iter().position(|audio| audio.kind == AudioKind::Announcement).unwrap();
    assert_eq!(plan.audio[announcement].length_us, 4_000_000);
    let audio = engine::AudioId(u32::try_from(announcement).unwrap());
    let expected = vec![
        // The flow: closed leads to `bye`, the announcement past it.
        Step::Hours { closed: StepId(3) },
        Step::Announcement { audio, limit: Span::from_seconds(5) },
        Step::GoTo { step: StepId(4) },
        Step::End,
        queue(0, 5),
        // What overflows from `main`, and from `spare`.
        queue(1, 6),
        Step::Forward { number: "119".parse().unwrap() },
        Step::End,
        // Where `walk-in` and `direct` enter.
        Step::SetSkill { skill: SkillId(0), min: 1 },
        Step::GoTo { step: StepId(0) },
        queue(1, 6),
    ];
    assert_eq!(plan.config.services[0].flow, expected);
    let call = |entry| ClassEntry::Call { service: ServiceId(0), entry: StepId(entry) };
    assert_eq!(plan.entries, [call(8), call(10), ClassEntry::Chat { queue: QueueId(2) }]);
    let origins: Vec<Option<usize>> = plan.origins[0].iter().map(|origin| origin.map(|(_, step)| step.0)).collect();
    assert_eq!(origins, [Some(0), Some(1), Some(1), Some(2), Some(3), None, None, None, None, None, None]);
}

#[test]
fn a_group_has_as_many_operators_as_are_ever_there_at_once() {
    let (scenario, plan) = plan(FLOOR);
    // Three come at nine, two at twelve; whoever comes at 13:00 takes no seat of somebody still talking then.
    assert_eq!(plan.groups, [0..6, 6..8]);
    let first = &plan.config.operators[0];
    assert_eq!(first.name, "early 1");
    assert_eq!((first.cti_id.as_deref(), first.phone), (Some("early 1"), true));
    assert_eq!(first.skills, [engine::OperatorSkill { skill: SkillId(0), proficiency: 7 }]);
    assert_eq!(first.queues.len(), scenario.queues.len());
    let late = engine::Membership { queue: QueueId(0), level: 2, preference: 3 };
    assert_eq!(plan.config.operators[7].queues, [late]);
    assert_eq!(plan.group_of(engine::OperatorId(6)).map(|group| group.0), Some(1));
    assert_eq!(plan.group_of(engine::OperatorId(8)), None);
}

#[test]
fn a_queue_that_widens_begins_with_level_one() {
    let (_, plan) = plan(FLOOR);
    assert_eq!(plan.config.queues[0].first_level, 1);
    assert_eq!(plan.config.queues[0].relax[0].change, engine::Relaxation::Widen(2));
    assert_eq!(plan.config.queues[1].first_level, 255);
    assert_eq!(plan.config.queues[1].maximum_wait, Some(Span::from_seconds(60)));
}

#[test]
fn opening_hours_are_periods_over_the_change_of_the_clock() {
    let (_, plan) = plan(FLOOR);
    let engine::OpeningHours::Periods(periods) = &plan.config.services[0].hours else { panic!("always open") };
    let hours: Vec<(u64, u64)> =
        periods.iter().map(|(from, to)| (from.as_micros() / 3_600_000_000, to.as_micros() / 3_600_000_000)).collect();
    // Friday; Saturday and Sunday from noon, Sunday one hour nearer; Monday.
    assert_eq!(hours, [(9, 17), (36, 41), (59, 64), (80, 88)]);
}

#[test]
fn a_service_without_hours_is_always_open_and_holidays_close_it() {
    let text = FLOOR.replace("hours = [", "holidays = [2026-03-28]\nhours = [");
    let (_, plan) = plan(&text);
    let engine::OpeningHours::Periods(periods) = &plan.config.services[0].hours else { panic!("always open") };
    assert_eq!(periods.len(), 3);
    let lines: Vec<&str> = FLOOR.lines().filter(|line| !line.starts_with("hours = [")).collect();
    let (_, always) = self::plan(&lines.join("\n"));
    assert_eq!(always.config.services[0].hours, engine::OpeningHours::Always);
}

#[test]
fn settings_arrive_in_the_engine() {
    let text = include_str!("samples/phone.toml");
    let (_, plan) = plan(text);
    let settings = &plan.config.services[0].settings;
    assert_eq!(settings.login_status, engine::StatusChoice::Ready);
    assert_eq!(settings.ring_limit, Span::from_seconds(20));
    assert_eq!(settings.on_miss, engine::MissRule::StayReady { break_after: 3 });
    assert_eq!(settings.outbound_ticket, engine::OutboundTicket::AtDial);
    assert_eq!(settings.dial_limit, Span::from_seconds(40));
    assert_eq!(settings.consult_limit, Span::from_seconds(25));
    assert_eq!(settings.after_call.limit, Some(Span::from_seconds(90)));
    assert!(!settings.after_call.early_exit);
    assert_eq!(settings.on_device_lost, engine::DeviceLostRule::End);
    assert_eq!(settings.callback.attempts, 2);
    assert_eq!(settings.tickets.close_after, Span::from_seconds(7 * 86_400));
    assert_eq!(plan.config.services[0].favourites[0].name, "expert");
    let first = &plan.config.queues[0];
    assert_eq!(first.policy, engine::Policy::RingProgressive { step: Span::from_seconds(4) });
    assert_eq!(first.priority, engine::PriorityRule::HeadStart { per_level: Span::from_seconds(60) });
    assert_eq!(first.needs, [engine::SkillNeed { skill: SkillId(0), min: 2 }]);
    assert_eq!(first.last_operator, Some(Span::from_seconds(15)));
    assert_eq!(first.limit, Some(30));
}
