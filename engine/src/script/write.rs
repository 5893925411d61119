//! Floors and commands back into the language, so that a failing run can be printed as a script that repeats it.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Display;

use super::say::{fault_word, forced, resolution_word};
use super::words::{moment, name, seconds};
use crate::command::{
    ChatStatus, Command, ConsultTarget, DeviceFault, Supervision, TicketStatus, TicketTarget, TransferTarget,
};
use crate::config::{
    Channel, DeviceLostRule, Floor, IdleSince, MissRule, NumberState, OpeningHours, OutboundTicket, OverflowWhen,
    Policy, PriorityRule, Queue, Relaxation, Service, SkillNeed, StatusChoice, Step, reason,
};
use crate::id::{CustomerId, LegId, OperatorId, QueueId, ReasonId, ServiceId, SkillId, StepId};
use crate::time::{Instant, Span};

/// A floor as the head of a script. Names that are not unique, or cannot be quoted, are replaced by running numbers;
/// names of CTI ids and favourites must not hold a quote.
#[must_use]
pub fn write_floor(floor: &Floor) -> String {
    let mut text = String::from("floor\n");
    write_statements(floor, "  ", &mut text);
    text
}

/// A command as a line of a script on `floor`. Live things are named by their running numbers, which are what they
/// are called in a script that gives no names itself.
#[must_use]
pub fn write_command(floor: &Floor, at: Instant, command: &Command) -> String {
    format!("t={} {}", moment(at), Writer::new(floor).sentence(command))
}

struct Writer {
    skills: Vec<String>,
    services: Vec<String>,
    queues: Vec<String>,
    operators: Vec<String>,
}

/// The names of a list, if they can be told apart; else running numbers from 1.
fn labels<'n>(names: impl Iterator<Item = &'n String> + Clone) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let usable = |text: &String| !text.is_empty() && !text.starts_with('@') && !text.contains(['"', '\n', '\r']);
    if names.clone().all(|text| usable(text) && seen.insert(text)) {
        names.map(|text| name(text)).collect()
    } else {
        (1..).zip(names).map(|(number, _)| number.to_string()).collect()
    }
}

fn label(all: &[String], index: usize) -> String {
    all.get(index).cloned().unwrap_or_else(|| format!("@{index}"))
}

fn list(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    if all.is_empty() { "none".to_string() } else { all.join(", ") }
}

fn or_none(span: Option<Span>) -> String {
    span.map_or_else(|| "none".to_string(), seconds)
}

fn version(version: Option<u32>) -> String {
    version.map_or_else(String::new, |version| format!(" version {version}"))
}

fn key(digit: char) -> String {
    if digit == '#' { "\"#\"".to_string() } else { name(&digit.to_string()) }
}

fn phone(number: impl Display) -> String {
    name(&number.to_string())
}

fn status(choice: StatusChoice) -> String {
    let why = |reason: ReasonId| if reason == reason::NONE { String::new() } else { format!(" for {}", reason.0) };
    match choice {
        StatusChoice::Work(reason) => format!("work{}", why(reason)),
        StatusChoice::Ready => "ready".to_string(),
        StatusChoice::Break(reason) => format!("break{}", why(reason)),
    }
}

fn flag(set: bool, word: &str) -> String {
    if set { word.to_string() } else { format!("no-{word}") }
}

fn write_statements(floor: &Floor, indent: &str, text: &mut String) {
    let writer = Writer::new(floor);
    let mut line = |statement: String| {
        text.push_str(indent);
        text.push_str(&statement);
        text.push('\n');
    };
    line(format!("seed {}", floor.seed));
    let blending = floor.blending;
    line(format!(
        "blending phone {} chat {} ticket {} {} {} {}",
        blending.phone_points,
        blending.chat_points,
        blending.ticket_points,
        flag(blending.phone_interrupts_tickets, "phone-interrupts-tickets"),
        flag(blending.phone_interrupts_chats, "phone-interrupts-chats"),
        flag(blending.chat_interrupts_tickets, "chat-interrupts-tickets"),
    ));
    if !writer.skills.is_empty() {
        line(format!("skill {}", writer.skills.join(", ")));
    }
    for (at, service) in floor.services.iter().enumerate() {
        writer.service(at, service, &mut line);
    }
    for (at, queue) in floor.queues.iter().enumerate() {
        line(writer.queue_statement(at, queue));
    }
    for (at, operator) in floor.operators.iter().enumerate() {
        line(format!(
            "operator {} of {} {} id {} number {} skills {} queues {} points {} chats {} tickets {} {}",
            writer.operators[at],
            list(operator.services.iter().map(|&service| writer.service_name(service))),
            flag(operator.phone, "phone"),
            operator.cti_id.as_deref().map_or_else(
                || "none".to_string(),
                |id| { if id == "none" { "\"none\"".to_string() } else { name(id) } }
            ),
            operator.cti_number.map_or_else(|| "none".to_string(), phone),
            list(operator.skills.iter().map(|skill| format!(
                "{}={}",
                label(&writer.skills, skill.skill.index()),
                skill.proficiency
            ))),
            list(operator.queues.iter().map(|membership| format!(
                "{} level {} preference {}",
                writer.queue_name(membership.queue),
                membership.level,
                membership.preference
            ))),
            operator.points,
            operator.chat_limit,
            operator.ticket_limit,
            flag(operator.auto_answer, "auto-answer"),
        ));
    }
}

impl Writer {
    fn new(floor: &Floor) -> Self {
        Self {
            skills: labels(floor.skills.iter()),
            services: labels(floor.services.iter().map(|service| &service.name)),
            queues: labels(floor.queues.iter().map(|queue| &queue.name)),
            operators: labels(floor.operators.iter().map(|operator| &operator.name)),
        }
    }

    fn service_name(&self, id: ServiceId) -> String {
        label(&self.services, id.index())
    }

    fn queue_name(&self, id: QueueId) -> String {
        label(&self.queues, id.index())
    }

    fn operator(&self, id: OperatorId) -> String {
        format!("operator {}", label(&self.operators, id.index()))
    }

    fn need(&self, skill: SkillId, min: u8) -> String {
        format!("{}>={min}", label(&self.skills, skill.index()))
    }

    fn service(&self, at: usize, service: &Service, line: &mut impl FnMut(String)) {
        let hours = match &service.hours {
            OpeningHours::Always => "always".to_string(),
            OpeningHours::Periods(periods) if periods.is_empty() => "never".to_string(),
            OpeningHours::Periods(periods) => {
                list(periods.iter().map(|&(from, to)| format!("{} to {}", moment(from), moment(to))))
            }
        };
        line(format!(
            "service {} {} {} hours {hours}",
            self.services[at],
            flag(service.inbound, "inbound"),
            flag(service.outbound, "outbound"),
        ));
        if !service.flow.is_empty() {
            let steps: Vec<String> = service.flow.iter().map(|step| self.step(step)).collect();
            line(format!("  flow: {}", steps.join("; ")));
        }
        for number in &service.outgoing {
            let state = match number.state {
                NumberState::New => "new",
                NumberState::Confirmed => "confirmed",
                NumberState::Rejected => "rejected",
            };
            line(format!("  outgoing {} {state}", phone(number.number)));
        }
        for favourite in &service.favourites {
            line(format!("  favourite {} {}", name(&favourite.name), phone(favourite.number)));
        }
        line(settings(service));
    }

    fn step(&self, step: &Step) -> String {
        let to = |word: &str, target: &Option<StepId>| {
            target.map_or_else(String::new, |StepId(target)| format!(" {word} -> {target}"))
        };
        match step {
            Step::Hours { closed } => format!("hours closed -> {}", closed.0),
            Step::Announcement { audio, limit } => format!("announcement {} audio {}", seconds(*limit), audio.0),
            Step::Menu { audio, options, limit, otherwise } => {
                let mut text = format!("menu {} audio {}", seconds(*limit), audio.0);
                for &(digit, StepId(target)) in options {
                    text.push_str(&format!(", {} -> {target}", key(digit)));
                }
                text + &format!(", else -> {}", otherwise.0)
            }
            Step::SetSkill { skill, min } => format!("skill {}", self.need(*skill, *min)),
            Step::SetPriority { priority } => format!("priority {priority}"),
            Step::Queue { queue, on_full, on_timeout } => {
                format!("queue {}{}{}", self.queue_name(*queue), to("full", on_full), to("timeout", on_timeout))
            }
            Step::Overflow { queue, when, to } => {
                let when = match when {
                    OverflowWhen::Waiting(most) => format!("waiting {most}"),
                    OverflowWhen::LongestWait(wait) => format!("longest {}", seconds(*wait)),
                    OverflowWhen::NobodyLoggedIn => "nobody-logged-in".to_string(),
                    OverflowWhen::NobodyReady => "nobody-ready".to_string(),
                };
                format!("overflow {} {when} -> {}", self.queue_name(*queue), to.0)
            }
            Step::CallbackOffer { audio, digit, limit, queue } => format!(
                "callback {} digit {} {} audio {}",
                self.queue_name(*queue),
                key(*digit),
                seconds(*limit),
                audio.0
            ),
            Step::Voicemail { limit, queue } => {
                let queue = queue.map_or_else(String::new, |queue| format!(" queue {}", self.queue_name(queue)));
                format!("voicemail {}{queue}", seconds(*limit))
            }
            Step::Forward { number } => format!("forward {}", phone(number)),
            Step::GoTo { step } => format!("goto {}", step.0),
            Step::End => "end".to_string(),
        }
    }

    fn queue_statement(&self, at: usize, queue: &Queue) -> String {
        let channel = match queue.channel {
            Channel::Phone => "phone",
            Channel::Chat => "chat",
            Channel::Ticket => "ticket",
        };
        let policy = match queue.policy {
            Policy::LongestIdle(IdleSince::LastCall) => "longest-idle since last-call".to_string(),
            Policy::LongestIdle(IdleSince::Ready) => "longest-idle since ready".to_string(),
            Policy::FewestCalls => "fewest-calls".to_string(),
            Policy::LeastOccupied => "least-occupied".to_string(),
            Policy::HighestProficiency => "highest-proficiency".to_string(),
            Policy::FixedOrder => "fixed-order".to_string(),
            Policy::RoundRobin => "round-robin".to_string(),
            Policy::Random => "random".to_string(),
            Policy::RingAll => "ring-all".to_string(),
            Policy::RingProgressive { step } => format!("ring-progressive {}", seconds(step)),
        };
        let priority = match queue.priority {
            PriorityRule::Strict => "strict".to_string(),
            PriorityRule::HeadStart { per_level } => format!("head-start {}", seconds(per_level)),
        };
        let relax = list(queue.relax.iter().map(|step| {
            let change = match step.change {
                Relaxation::DropSkill(skill) => format!("drop {}", label(&self.skills, skill.index())),
                Relaxation::MinProficiency(most) => format!("proficiency {most}"),
                Relaxation::Widen(level) => format!("level {level}"),
            };
            format!("after {} {change}", seconds(step.after))
        }));
        format!(
            "queue {} of {} {channel} {policy} needs {} {priority} first-level {} relax {relax} ring {} limit {} \
             max-wait {} last-operator {}",
            self.queues[at],
            self.service_name(queue.service),
            list(queue.needs.iter().map(|&SkillNeed { skill, min }| self.need(skill, min))),
            queue.first_level,
            queue.ring_limit.map_or_else(|| "by-service".to_string(), seconds),
            queue.limit.map_or_else(|| "none".to_string(), |limit| limit.to_string()),
            or_none(queue.maximum_wait),
            or_none(queue.last_operator),
        )
    }

    fn sentence(&self, command: &Command) -> String {
        let of = |operator: &OperatorId| self.operator(*operator);
        match command {
            Command::Reconfigure(config) => {
                let mut text = String::from("reconfigure anew\n");
                write_statements(config, "  ", &mut text);
                text.trim_end().to_string()
            }
            Command::LogIn { operator } => format!("log in {}", of(operator)),
            Command::LogOut { operator } => format!("log out {}", of(operator)),
            Command::SetStatus { operator, to } => format!("{} {}", of(operator), status(*to)),
            Command::SetNextStatus { operator, next } => {
                format!("{} next {}", of(operator), next.map_or_else(|| "none".to_string(), status))
            }
            Command::SetChatStatus { operator, to: ChatStatus::Available } => {
                format!("{} chats available", of(operator))
            }
            Command::SetChatStatus { operator, to: ChatStatus::Away } => format!("{} chats away", of(operator)),
            Command::DeviceLost { operator } => format!("{} loses device", of(operator)),
            Command::DeviceRestored { operator } => format!("{} regains device", of(operator)),
            Command::Answer { operator, offer } => format!("{} answers {offer}", of(operator)),
            Command::Decline { operator, offer } => format!("{} declines {offer}", of(operator)),
            Command::OfferFailed { offer, cause: DeviceFault::Failed } => format!("{offer} fails"),
            Command::OfferFailed { offer, cause: DeviceFault::Busy } => format!("{offer} busy"),
            Command::WithdrawOffer { offer } => format!("withdraw {offer}"),
            Command::Dial { operator, service, to, from, customer, reference } => format!(
                "{} dials {} from {} for {}{}{}",
                of(operator),
                phone(to),
                phone(from),
                self.service_name(*service),
                who(*customer),
                noted(*reference)
            ),
            Command::HangUp { operator } => format!("{} hangs up", of(operator)),
            Command::Hold { operator } => format!("{} holds", of(operator)),
            Command::Release { operator } => format!("{} releases", of(operator)),
            Command::Consult { operator, target } => {
                let target = match target {
                    ConsultTarget::Number(number) => format!("number {}", phone(number)),
                    ConsultTarget::Favourite(number) => format!("favourite {number}"),
                    ConsultTarget::Operator(target) => of(target),
                };
                format!("{} consults {target}", of(operator))
            }
            Command::ConnectCustomer { operator } => format!("{} connects customer", of(operator)),
            Command::CancelConsult { operator } => format!("{} cancels consult", of(operator)),
            Command::Conference { operator } => format!("{} joins conference", of(operator)),
            Command::BlindTransfer { operator, target } => {
                let target = match target {
                    TransferTarget::Number(number) => format!("number {}", phone(number)),
                    TransferTarget::Operator(target) => of(target),
                    TransferTarget::Queue(queue) => format!("queue {}", self.queue_name(*queue)),
                };
                format!("{} transfers to {target}", of(operator))
            }
            Command::ForceEnd { operator, reason, announcement } => {
                let audio = announcement.map_or_else(String::new, |audio| format!(" audio {}", audio.0));
                format!("{} forces end {}{audio}", of(operator), forced(*reason))
            }
            Command::ChangePriority { call, priority } => format!("{call} priority {priority}"),
            Command::ChangeSkill { call, skill, min } => format!("{call} needs {}", self.need(*skill, *min)),
            Command::CallArrived { service, entry, customer, from, priority, preferred, reference } => {
                let step = if entry.0 == 0 { String::new() } else { format!(" step {}", entry.0) };
                let from = from.map_or_else(String::new, |from| format!(" from {}", phone(from)));
                format!(
                    "call -> {}{step}{}{from}{}{}{}",
                    self.service_name(*service),
                    who(*customer),
                    urgent(*priority),
                    self.prefers(*preferred),
                    noted(*reference)
                )
            }
            Command::CustomerHungUp { call } => format!("{call} hangs up"),
            Command::DigitPressed { call, digit } => format!("{call} presses {}", key(*digit)),
            Command::PlaybackFinished { call } => format!("{call} playback ends"),
            Command::CustomerAnswered { call } => format!("{call} answers"),
            Command::DialFailed { call, cause } => format!("{call} fails {}", fault_word(*cause)),
            Command::TargetAnswered { leg } => format!("{} answers", leg_name(*leg)),
            Command::TargetFailed { leg, cause } => format!("{} fails {}", leg_name(*leg), fault_word(*cause)),
            Command::TargetHungUp { leg } => format!("{} hangs up", leg_name(*leg)),
            Command::CallbackRequested { queue, to, customer, priority, reference } => format!(
                "callback -> {} to {}{}{}{}",
                self.queue_name(*queue),
                phone(to),
                who(*customer),
                urgent(*priority),
                noted(*reference)
            ),
            Command::CancelCallback { callback } => format!("cancel {callback}"),
            Command::ChatArrived { queue, customer, priority, preferred, reference } => format!(
                "chat -> {}{}{}{}{}",
                self.queue_name(*queue),
                who(*customer),
                urgent(*priority),
                self.prefers(*preferred),
                noted(*reference)
            ),
            Command::CustomerLeftChat { chat } => format!("{chat} leaves"),
            Command::EndChat { operator, chat } => format!("{} ends {chat}", of(operator)),
            Command::TransferChat { operator, chat, to } => {
                format!("{} transfers {chat} to queue {}", of(operator), self.queue_name(*to))
            }
            Command::Supervise { operator, call, mode } => format!(
                "{} {} {call}",
                of(operator),
                match mode {
                    Supervision::Listen => "listens to",
                    Supervision::Whisper => "whispers to",
                    Supervision::Barge => "barges into",
                }
            ),
            Command::SupervisorJoined { leg } => format!("{} joins", leg_name(*leg)),
            Command::TakeOver { operator } => format!("{} takes over", of(operator)),
            Command::TransferChatToOperator { operator, chat, to } => {
                format!("{} transfers {chat} to {}", of(operator), of(to))
            }
            Command::TicketArrived { service, queue, customer, priority, reference } => {
                let queue = queue.map_or_else(String::new, |queue| format!(" queue {}", self.queue_name(queue)));
                format!(
                    "ticket -> {}{queue}{}{}{}",
                    self.service_name(*service),
                    who(*customer),
                    urgent(*priority),
                    noted(*reference)
                )
            }
            Command::PullTicket { operator, ticket, version: seen } => {
                format!("{} pulls {ticket}{}", of(operator), version(*seen))
            }
            Command::ForwardTicket { ticket, to, version: seen } => {
                let to = match to {
                    TicketTarget::Operator(target) => of(target),
                    TicketTarget::Queue(queue) => format!("queue {}", self.queue_name(*queue)),
                    TicketTarget::Unassigned => "nobody".to_string(),
                };
                format!("{ticket} forwarded to {to}{}", version(*seen))
            }
            Command::SetTicketStatus { ticket, by, status, resolution, version: seen } => {
                let status = match status {
                    TicketStatus::New => "new",
                    TicketStatus::Open => "open",
                    TicketStatus::Pending => "pending",
                    TicketStatus::Solved => "solved",
                    TicketStatus::Closed => "closed",
                };
                let by = by.map_or_else(String::new, |by| format!(" by {}", of(&by)));
                format!("{ticket} {status}{by} as {}{}", resolution_word(*resolution), version(*seen))
            }
            Command::SetTicketPriority { ticket, priority, version: seen } => {
                format!("{ticket} priority {priority}{}", version(*seen))
            }
            Command::ReplyToTicket { ticket, by } => format!("{} replies to {ticket}", of(by)),
            Command::CustomerReplied { ticket } => format!("{ticket} customer replies"),
            Command::FinishTicketWork { operator, ticket } => format!("{} finishes {ticket}", of(operator)),
            Command::MergeTickets { into, from } => format!("{into} absorbs {from}"),
            Command::LinkTickets { ticket, other } => format!("{ticket} links {other}"),
            Command::RateTicket { ticket, score } => format!("{ticket} rated {score}"),
        }
    }

    fn prefers(&self, preferred: Option<OperatorId>) -> String {
        preferred.map_or_else(String::new, |operator| format!(" prefers {}", self.operator(operator)))
    }
}

fn settings(service: &Service) -> String {
    let all = &service.settings;
    let miss = match all.on_miss {
        MissRule::LeaveReady => "leaves-ready".to_string(),
        MissRule::StayReady { break_after } => format!("stays-ready break after {break_after}"),
    };
    let after = match all.after_call.limit {
        None => "by-hand".to_string(),
        Some(limit) => seconds(limit),
    };
    let prompt = all.after_call.prompt_after.map_or_else(String::new, |after| format!(" prompt {}", seconds(after)));
    format!(
        "  set login {}; ring-limit {}; miss {miss}; outbound-ticket {}; dial-limit {}; consult-limit {}; \
         after-call {after} {} then {}{prompt}; forced-end-audio {}; forced-end-limit {}; hold-music {}; \
         device-lost {}; device-grace {}; {}; close-after {}; first-response {}; resolution {}; return-after {}; \
         callback-attempts {}; callback-retry {}",
        status(all.login_status),
        seconds(all.ring_limit),
        match all.outbound_ticket {
            OutboundTicket::AtConnect => "at-connect",
            OutboundTicket::AtDial => "at-dial",
        },
        seconds(all.dial_limit),
        seconds(all.consult_limit),
        if all.after_call.early_exit { "capped" } else { "timed" },
        status(all.after_call.then),
        all.forced_end_audio.0,
        seconds(all.forced_end_limit),
        all.hold_music.0,
        match all.on_device_lost {
            DeviceLostRule::Requeue => "requeues",
            DeviceLostRule::End => "ends",
        },
        seconds(all.device_grace),
        if all.tickets.solve_at_wrap_up { "solve-at-wrap-up" } else { "keep-open-at-wrap-up" },
        seconds(all.tickets.close_after),
        or_none(all.tickets.first_response),
        or_none(all.tickets.resolution),
        or_none(all.tickets.return_after),
        all.callback.attempts,
        seconds(all.callback.retry_after),
    )
}

fn who(customer: Option<CustomerId>) -> String {
    customer.map_or_else(String::new, |CustomerId(id)| format!(" customer {id}"))
}

fn urgent(priority: u8) -> String {
    if priority == 0 { String::new() } else { format!(" priority {priority}") }
}

fn noted(reference: u64) -> String {
    if reference == 0 { String::new() } else { format!(" reference {reference}") }
}

fn leg_name(leg: LegId) -> String {
    format!("leg {} of {}", leg.leg, leg.call)
}
