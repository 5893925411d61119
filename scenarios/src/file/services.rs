//! Services and queues.

use callfloor_measure::EarlyAbandons;

use super::document::{View, printable};
use super::names::Names;
use crate::clock::{DAY_US, OpenSpan, OpeningHours, SECOND_US};
use crate::queue::{
    IdleSince, LastOperator, Overflow, Policy, PriorityRule, Queue, Relax, RelaxStep, ServiceLevelTarget,
};
use crate::scenario::{QueueIndex, ServiceIndex};
use crate::service::{
    Blending, Channel, DeviceLost, Favourite, LoginStatus, MissRule, NextStatus, OutboundTicket, Service, Settings,
};

/// Reads `[service.NAME]`; without any, one service with the defaults.
pub(crate) fn services(root: &View<'_>, names: &Names<'_, '_>) -> Vec<Service> {
    let views: Vec<_> = root.map("service").into_iter().map(|named| (named.name, named.node.table())).collect();
    if views.is_empty() {
        return vec![Service {
            name: "main".into(),
            inbound: true,
            outbound: false,
            hours: OpeningHours::default(),
            settings: Settings::default(),
            outgoing_numbers: Vec::new(),
            favourites: Vec::new(),
        }];
    }
    let read = |(name, view): (&str, Option<View<'_>>)| match view {
        Some(view) => service(name, &view, names),
        None => Service {
            name: name.to_owned(),
            inbound: true,
            outbound: false,
            hours: OpeningHours::default(),
            settings: Settings::default(),
            outgoing_numbers: Vec::new(),
            favourites: Vec::new(),
        },
    };
    views.into_iter().map(read).collect()
}

fn service(name: &str, view: &View<'_>, names: &Names<'_, '_>) -> Service {
    let outgoing = view.items("outgoing_numbers").into_iter().filter_map(|item| names.number(item.text()?, item.span));
    let favourites = view.map("favourites").into_iter().filter_map(|named| {
        let number = names.number(named.node.text()?, named.node.span)?;
        Some(Favourite { name: named.name.to_owned(), number })
    });
    Service {
        name: name.to_owned(),
        inbound: view.flag("inbound"),
        outbound: view.flag("outbound"),
        hours: opening_hours(view, names),
        settings: settings(view, names),
        outgoing_numbers: outgoing.collect(),
        favourites: favourites.collect(),
    }
}

fn opening_hours(view: &View<'_>, names: &Names<'_, '_>) -> OpeningHours {
    let mut spans = Vec::new();
    for entry in view.tables("hours") {
        let (Some(from_us), Some(to_us)) = (entry.time("from"), entry.time("to")) else { continue };
        if from_us >= to_us {
            names.notes.add(
                entry.place("to"),
                "`to` must be later than `from`",
                Some("hours over midnight are two entries".into()),
            );
            continue;
        }
        spans.extend(names.days(&entry).into_iter().map(|days| OpenSpan { days, from_us, to_us }));
    }
    let mut holidays: Vec<_> = view.items("holidays").iter().filter_map(super::document::Node::date).collect();
    if !holidays.is_empty() && !names.run.clock.dated {
        names.notes.add(view.place("holidays"), "holidays need `date` in [run], which says when the run starts", None);
    }
    holidays.sort_unstable();
    OpeningHours { spans, holidays }
}

fn settings(view: &View<'_>, names: &Names<'_, '_>) -> Settings {
    let default = Settings::default();
    let seconds = |key: &str, default: u64| view.micros(key, SECOND_US).unwrap_or(default);
    let stay_ready = view.text("miss_rule") == Some("stay-ready");
    if !stay_ready {
        names.refuse(view, &["break_after_misses"], "it goes with miss_rule = \"stay-ready\"");
    }
    if !view.has("after_call_limit_s") {
        names.refuse(view, &["after_call_fixed"], "it goes with `after_call_limit_s`");
    }
    Settings {
        login_status: match view.text("login_status") {
            Some("ready") => LoginStatus::Ready,
            Some("break") => LoginStatus::Break,
            _ => LoginStatus::Work,
        },
        ring_limit_us: seconds("ring_limit_s", default.ring_limit_us),
        miss_rule: if stay_ready {
            MissRule::StayReady { break_after: view.whole("break_after_misses") }
        } else {
            MissRule::Work
        },
        outbound_ticket: match view.text("outbound_ticket") {
            Some("at-dial") => OutboundTicket::AtDial,
            _ => OutboundTicket::AtConnect,
        },
        dial_limit_us: seconds("dial_limit_s", default.dial_limit_us),
        consult_limit_us: seconds("consult_limit_s", default.consult_limit_us),
        after_call_limit_us: view.micros("after_call_limit_s", SECOND_US),
        after_call_fixed: view.flag("after_call_fixed"),
        next_status: match view.text("next_status") {
            Some("work") => NextStatus::Work,
            Some("break") => NextStatus::Break,
            _ => NextStatus::Ready,
        },
        forced_end_announcement_us: seconds("forced_end_announcement_s", default.forced_end_announcement_us),
        device_lost: match view.text("device_lost") {
            Some("end") => DeviceLost::End,
            _ => DeviceLost::Requeue,
        },
        device_grace_us: seconds("device_grace_s", default.device_grace_us),
        solve_at_wrap_up: view.flag("solve_at_wrap_up"),
        ticket_close_us: view.micros("ticket_close_days", DAY_US).unwrap_or(default.ticket_close_us),
        callback_attempts: view.whole("callback_attempts").unwrap_or(default.callback_attempts),
        callback_retry_us: seconds("callback_retry_s", default.callback_retry_us),
    }
}

/// Reads `[blending]`.
pub(crate) fn blending(root: &View<'_>) -> Blending {
    let default = Blending::default();
    let Some(view) = root.table("blending") else { return default };
    Blending {
        phone_points: view.whole("phone_points").unwrap_or(default.phone_points),
        chat_points: view.whole("chat_points").unwrap_or(default.chat_points),
        ticket_points: view.whole("ticket_points").unwrap_or(default.ticket_points),
        phone_interrupts_tickets: view.flag("phone_interrupts_tickets"),
        phone_interrupts_chats: view.flag("phone_interrupts_chats"),
        chat_interrupts_tickets: view.flag("chat_interrupts_tickets"),
    }
}

/// The channel that a table names, if any.
fn channel(view: &View<'_>) -> Option<Channel> {
    match view.text("channel")? {
        "chat" => Some(Channel::Chat),
        "ticket" => Some(Channel::Ticket),
        _ => Some(Channel::Phone),
    }
}

/// Reads `[queue.NAME]`.
pub(crate) fn queues(root: &View<'_>, names: &Names<'_, '_>, services: &[Service]) -> Vec<Queue> {
    let read = |named: super::document::Named<'_>| match named.node.table() {
        Some(view) => queue(named.name, &view, names),
        None => Queue::new(named.name, ServiceIndex(0)),
    };
    let queues: Vec<Queue> = root.map("queue").into_iter().map(read).collect();
    debug_assert!(queues.iter().all(|queue| queue.service.0 < services.len()));
    queues
}

fn queue(name: &str, view: &View<'_>, names: &Names<'_, '_>) -> Queue {
    let notes = names.notes;
    let channel = channel(view).unwrap_or(Channel::Phone);
    let policy = view.text("policy").unwrap_or("longest-idle");
    if channel != Channel::Phone {
        if matches!(policy, "ring-all" | "ring-progressively") {
            notes.add(
                view.place("policy"),
                "ringing several operators is for queues of calls: choose another policy",
                None,
            );
        }
        let why = "it is for queues of calls";
        names.refuse(view, &["overflow", "overflow_queue", "overflow_number", "max_wait_s"], why);
    }
    if policy != "longest-idle" {
        names.refuse(view, &["idle_since"], "it goes with policy = \"longest-idle\"");
    }
    if policy != "ring-progressively" {
        names.refuse(view, &["ring_step_s"], "it goes with policy = \"ring-progressively\"");
    }
    Queue {
        channel,
        policy: match policy {
            "fewest-calls" => Policy::FewestCalls,
            "least-occupied" => Policy::LeastOccupied,
            "highest-proficiency" => Policy::HighestProficiency,
            "fixed-order" => Policy::FixedOrder,
            "round-robin" => Policy::RoundRobin,
            "random" => Policy::Random,
            "ring-all" => Policy::RingAll,
            "ring-progressively" => Policy::RingProgressively {
                step_us: view.micros("ring_step_s", SECOND_US).unwrap_or(5 * SECOND_US).max(1),
            },
            _ => Policy::LongestIdle {
                since: if view.text("idle_since") == Some("ready") { IdleSince::Ready } else { IdleSince::LastCall },
            },
        },
        skills: names.requirements(view, "skills"),
        priority: match view.micros("head_start_s", SECOND_US) {
            Some(head_start_us) => PriorityRule::Ageing { head_start_us },
            None => PriorityRule::Strict,
        },
        relax: relax(view, names),
        ring_limit_us: view.micros("ring_limit_s", SECOND_US).map(|us| us.max(1)),
        limit: view.whole("limit"),
        max_wait_us: view.micros("max_wait_s", SECOND_US),
        overflow: overflow(view, names),
        last_operator: view.micros("last_operator_wait_s", SECOND_US).map(|wait_us| LastOperator { wait_us }),
        service_level: service_level(view),
        ..Queue::new(name, names.service(view))
    }
}

fn relax(view: &View<'_>, names: &Names<'_, '_>) -> Vec<RelaxStep> {
    let mut steps: Vec<RelaxStep> = Vec::new();
    for entry in view.tables("relax") {
        let change = match names.one_of(&entry, &["drop_skill", "min_proficiency", "level"], true) {
            Some("drop_skill") => entry
                .text("drop_skill")
                .and_then(|skill| names.skill(skill, entry.place("drop_skill")))
                .map(Relax::DropSkill),
            Some("min_proficiency") => entry.whole("min_proficiency").map(Relax::MinProficiency),
            Some("level") => entry.whole("level").map(Relax::WidenToLevel),
            _ => None,
        };
        let Some(after_us) = entry.micros("after_s", SECOND_US) else { continue };
        if let Some(last) = steps.last()
            && after_us <= last.after_us
        {
            names.notes.add(entry.place("after_s"), "steps must be in ascending order of `after_s`", None);
        }
        steps.extend(change.map(|change| RelaxStep { after_us, change }));
    }
    steps
}

fn overflow(view: &View<'_>, names: &Names<'_, '_>) -> Overflow {
    let kind = view.text("overflow").unwrap_or("end");
    for (key, of) in [("overflow_queue", "queue"), ("overflow_number", "forward")] {
        if kind == of && !view.has(key) {
            let message = format!("overflow = \"{kind}\" needs `{key}`");
            names.notes.add(view.place("overflow"), message, None);
        } else if kind != of {
            names.refuse(view, &[key], &format!("it goes with overflow = \"{of}\""));
        }
    }
    if kind != "end" && view.given(&["limit", "max_wait_s"]).is_empty() {
        let message = "nothing overflows without `limit` or `max_wait_s`";
        names.notes.add(view.key_place("overflow"), message, None);
    }
    match kind {
        "voicemail" => Overflow::Voicemail,
        "queue" => names.queue(view, "overflow_queue").map_or(Overflow::End, Overflow::Queue),
        "forward" => {
            let number =
                view.text("overflow_number").and_then(|text| names.number(text, view.place("overflow_number")));
            number.map_or(Overflow::End, Overflow::Forward)
        }
        _ => Overflow::End,
    }
}

fn service_level(view: &View<'_>) -> ServiceLevelTarget {
    let default = ServiceLevelTarget::default();
    let Some(view) = view.table("service_level") else { return default };
    ServiceLevelTarget {
        threshold_us: view.micros("threshold_s", SECOND_US).unwrap_or(default.threshold_us),
        target: view.number("target").unwrap_or(default.target),
        rule: match view.text("rule") {
            Some("ignore") => EarlyAbandons::Ignore,
            Some("negative") => EarlyAbandons::Negative,
            Some("positive") => EarlyAbandons::Positive,
            Some("handled") => EarlyAbandons::Handled,
            _ => EarlyAbandons::Short,
        },
        short_abandon_us: view.micros("short_abandon_s", SECOND_US).unwrap_or(default.short_abandon_us),
    }
}

/// Checks that overflow leads to queues of calls, and in no circle.
pub(crate) fn check_overflow(root: &View<'_>, names: &Names<'_, '_>, queues: &[Queue]) {
    for (start, named) in root.map("queue").into_iter().enumerate() {
        let Some(view) = named.node.table() else { continue };
        let Some(Overflow::Queue(first)) = queues.get(start).map(|queue| &queue.overflow) else { continue };
        let at = view.place("overflow_queue");
        if queues[first.0].channel != Channel::Phone {
            let message = format!(
                "calls cannot overflow into `{}`, which is no queue of calls",
                printable(names.queues[first.0])
            );
            names.notes.add(at, message, None);
            continue;
        }
        let mut next = Some(*first);
        for _ in 0..queues.len() {
            let Some(QueueIndex(queue)) = next else { break };
            if queue == start {
                let message = format!("the overflow of `{}` comes back to it", printable(named.name));
                names.notes.add(
                    at,
                    message,
                    Some("a full circle of queues would send a call round without end".into()),
                );
                break;
            }
            next = match queues[queue].overflow {
                Overflow::Queue(other) => Some(other),
                _ => None,
            };
        }
    }
}
