//! Call flows.

use super::document::{View, printable, rounded};
use super::names::Names;
use crate::clock::SECOND_US;
use crate::flow::{BusyWhen, Flow, MenuOption, Step, StepKind};
use crate::problem::suggestion;
use crate::queue::{Overflow, Queue};
use crate::scenario::{QueueIndex, ServiceIndex, StepIndex};
use crate::service::Channel;

/// The menus of one flow: step, and the share of customers who press each of its options.
pub(crate) type Menus = Vec<(StepIndex, Vec<f64>)>;

/// Keys of a step, and for which kinds of step each has a meaning.
const STEP_KEYS: &[(&str, &[&str])] = &[
    ("next", &["hours", "announcement", "set-skills", "set-priority", "queue-check"]),
    ("closed", &["hours"]),
    ("length_s", &["announcement", "menu", "callback", "voicemail"]),
    ("text", &["announcement"]),
    ("options", &["menu"]),
    ("timeout_s", &["menu"]),
    ("otherwise", &["menu"]),
    ("skills", &["set-skills"]),
    ("priority", &["set-priority"]),
    ("queue", &["queue", "queue-check", "callback", "voicemail"]),
    ("overflow", &["queue"]),
    ("when", &["queue-check"]),
    ("busy_from", &["queue-check"]),
    ("busy_wait_s", &["queue-check"]),
    ("busy", &["queue-check"]),
    ("accept", &["callback"]),
    ("declined", &["callback"]),
    ("limit_s", &["voicemail"]),
    ("number", &["forward"]),
];

/// Keys that a kind of step cannot do without.
const NEEDED: &[(&str, &[&str])] = &[
    ("hours", &["closed"]),
    ("menu", &["options"]),
    ("set-skills", &["skills"]),
    ("set-priority", &["priority"]),
    ("queue", &["queue"]),
    ("queue-check", &["queue", "busy"]),
    ("callback", &["queue"]),
    ("forward", &["number"]),
];

/// Reads `[flow.NAME]`; the menus of each flow beside it.
pub(crate) fn flows(root: &View<'_>, names: &Names<'_, '_>, queues: &[Queue]) -> (Vec<Flow>, Vec<Menus>) {
    let mut flows = Vec::new();
    let mut menus = Vec::new();
    for named in root.map("flow") {
        let (flow, flow_menus) = match named.node.table() {
            Some(view) => Reader::new(named.name, &view, names, queues).read(),
            None => (Flow { name: named.name.to_owned(), service: ServiceIndex(0), steps: Vec::new() }, Vec::new()),
        };
        flows.push(flow);
        menus.push(flow_menus);
    }
    (flows, menus)
}

/// Reads one flow.
struct Reader<'r, 'a, 'd> {
    name: &'r str,
    view: &'r View<'d>,
    views: Vec<View<'d>>,
    /// Names of the steps, given or made up.
    steps: Vec<String>,
    names: &'r Names<'a, 'd>,
    queues: &'r [Queue],
    menus: Menus,
}

impl<'r, 'a, 'd> Reader<'r, 'a, 'd> {
    fn new(name: &'r str, view: &'r View<'d>, names: &'r Names<'a, 'd>, queues: &'r [Queue]) -> Self {
        let views = view.tables("steps");
        let mut steps: Vec<String> = Vec::new();
        for (i, step) in views.iter().enumerate() {
            let made_up = || format!("{} {}", step.text("do").unwrap_or("step"), i + 1);
            let step_name = step.text("name").map_or_else(made_up, str::to_owned);
            if steps.contains(&step_name) {
                let message = format!("the flow has two steps `{}`", printable(&step_name));
                names.notes.add(step.place("name"), message, None);
            }
            steps.push(step_name);
        }
        if views.is_empty() && view.has("steps") && view.items("steps").is_empty() {
            names.notes.add(view.place("steps"), "a flow needs at least one step", None);
        }
        Self { name, view, views, steps, names, queues, menus: Vec::new() }
    }

    fn read(mut self) -> (Flow, Menus) {
        let service = self.names.service(self.view);
        let mut steps = Vec::new();
        for i in 0..self.views.len() {
            let view = self.views[i].clone();
            self.check_keys(&view);
            // A step that is wrong reads as an end, so that the numbers of the others stay.
            let kind = self.kind(i, &view).unwrap_or(StepKind::End);
            steps.push(Step { name: self.steps[i].clone(), kind });
        }
        let flow = Flow { name: self.name.to_owned(), service, steps };
        if self.names.notes.is_empty() {
            self.check_circles(&flow);
        }
        (flow, self.menus)
    }

    fn check_keys(&self, view: &View<'_>) {
        let Some(kind) = view.text("do") else { return };
        for (key, kinds) in STEP_KEYS {
            if !kinds.contains(&kind) {
                let why = format!("it is for steps that do {}", super::csv::list(kinds).replace(" and ", " or "));
                self.names.refuse(view, &[key], &why);
            }
        }
        for (_, keys) in NEEDED.iter().filter(|(of, _)| *of == kind) {
            for key in keys.iter().filter(|key| !view.has(key)) {
                let message = format!("a step that does `{kind}` needs `{key}`");
                self.names.notes.add(view.span.clone(), message, None);
            }
        }
        if view.text("when").unwrap_or("waiting") != "waiting" {
            self.names.refuse(view, &["busy_from"], "it goes with when = \"waiting\"");
        }
        if view.text("when") != Some("longest-wait") && kind == "queue-check" {
            self.names.refuse(view, &["busy_wait_s"], "it goes with when = \"longest-wait\"");
        }
    }

    /// The step that a key names.
    fn target(&self, view: &View<'_>, key: &str) -> Option<StepIndex> {
        let name = view.text(key)?;
        let found = self.steps.iter().position(|step| step == name);
        if found.is_none() {
            let help = suggestion(name, self.steps.iter().map(String::as_str).collect::<Vec<_>>());
            let message = format!("the flow has no step `{}`", printable(name));
            self.names.notes.add(view.place(key), message, help);
        }
        found.map(StepIndex)
    }

    /// The step that a key names, or the following one.
    fn target_or_next(&self, i: usize, view: &View<'_>, key: &str) -> Option<StepIndex> {
        if view.has(key) {
            return self.target(view, key);
        }
        if i + 1 < self.views.len() {
            return Some(StepIndex(i + 1));
        }
        let message = format!("no step follows this one: add one, or name another with `{key}`");
        self.names.notes.add(view.span.clone(), message, Some("do = \"end\" ends the call".into()));
        None
    }

    /// The queue that a step names, which must be of a channel.
    fn queue(&self, view: &View<'_>, channel: Channel) -> Option<QueueIndex> {
        let queue = self.names.queue(view, "queue")?;
        if self.queues[queue.0].channel != channel {
            let wanted = if channel == Channel::Ticket { "tickets" } else { "calls" };
            let message = format!("`{}` is no queue of {wanted}", self.names.queues[queue.0]);
            self.names.notes.add(view.place("queue"), message, None);
            return None;
        }
        Some(queue)
    }

    fn kind(&mut self, i: usize, view: &View<'_>) -> Option<StepKind> {
        let span = |key: &str, default: u64| view.micros(key, SECOND_US).unwrap_or(default);
        Some(match view.text("do")? {
            "hours" => {
                let open = self.target_or_next(i, view, "next");
                StepKind::Hours { closed: self.target(view, "closed")?, open: open? }
            }
            "announcement" => StepKind::Announcement {
                length_us: span("length_s", 0),
                text: view.text("text").unwrap_or_default().to_owned(),
                next: self.target_or_next(i, view, "next")?,
            },
            "menu" => self.menu(i, view)?,
            "set-skills" => {
                let next = self.target_or_next(i, view, "next");
                StepKind::SetSkills { skills: self.names.requirements(view, "skills"), next: next? }
            }
            "set-priority" => {
                let next = self.target_or_next(i, view, "next");
                StepKind::SetPriority { priority: view.whole("priority")?, next: next? }
            }
            "queue" => {
                let overflow = self.target(view, "overflow");
                StepKind::Queue { queue: self.queue(view, Channel::Phone)?, overflow }
            }
            "queue-check" => {
                let next = self.target_or_next(i, view, "next");
                let busy = self.target(view, "busy");
                StepKind::QueueCheck {
                    queue: self.queue(view, Channel::Phone)?,
                    when: match view.text("when")? {
                        "longest-wait" => BusyWhen::LongestWait(span("busy_wait_s", 60 * SECOND_US)),
                        "nobody-logged-in" => BusyWhen::NobodyLoggedIn,
                        "nobody-ready" => BusyWhen::NobodyReady,
                        _ => BusyWhen::Waiting(view.whole("busy_from")?),
                    },
                    busy: busy?,
                    next: next?,
                }
            }
            "callback" => {
                let declined = self.target_or_next(i, view, "declined");
                StepKind::CallbackOffer {
                    queue: self.queue(view, Channel::Phone)?,
                    prompt_us: span("length_s", 0),
                    accept: view.number("accept")?,
                    declined: declined?,
                }
            }
            "voicemail" => {
                let limit_us = span("limit_s", 120 * SECOND_US);
                let queue = if view.has("queue") { Some(self.queue(view, Channel::Ticket)?) } else { None };
                StepKind::Voicemail { limit_us, length_us: span("length_s", 20 * SECOND_US).min(limit_us), queue }
            }
            "forward" => StepKind::Forward { number: self.names.number(view.text("number")?, view.place("number"))? },
            _ => StepKind::End,
        })
    }

    fn menu(&mut self, i: usize, view: &View<'_>) -> Option<StepKind> {
        let otherwise = self.target_or_next(i, view, "otherwise");
        let mut options: Vec<MenuOption> = Vec::new();
        let mut shares = Vec::new();
        for entry in view.tables("options") {
            let (Some(key), Some(next)) = (entry.text("key"), self.target(&entry, "next")) else { continue };
            let key = key.chars().next().unwrap_or('0');
            if options.iter().any(|option| option.key == key) {
                self.names.notes.add(entry.place("key"), format!("the menu has the key {key} twice"), None);
            }
            options.push(MenuOption { key, next });
            shares.push(entry.number("share"));
        }
        if view.has("options") && view.items("options").is_empty() {
            self.names.notes.add(view.place("options"), "a menu needs at least one key", None);
        }
        let given: f64 = shares.iter().flatten().sum();
        if given > 1.0 + 1e-9 {
            let message = format!("the shares of the menu's keys sum to {}: at most 1 is possible", rounded(given));
            self.names.notes.add(view.place("options"), message, None);
        }
        let open = shares.iter().filter(|share| share.is_none()).count();
        #[expect(clippy::cast_precision_loss, reason = "a menu has at most twelve keys")]
        let rest = (1.0 - given).max(0.0) / open.max(1) as f64;
        self.menus.push((StepIndex(i), shares.into_iter().map(|share| share.unwrap_or(rest)).collect()));
        let span = |key: &str, default: u64| view.micros(key, SECOND_US).unwrap_or(default);
        Some(StepKind::Menu {
            prompt_us: span("length_s", 0),
            timeout_us: span("timeout_s", 5 * SECOND_US),
            options,
            otherwise: otherwise?,
        })
    }

    /// Notes steps that lead back to themselves in no time: a call would go round for ever in one instant.
    fn check_circles(&self, flow: &Flow) {
        // 0: not seen, 1: on the way, 2: done.
        let mut state = vec![0_u8; flow.steps.len()];
        for start in 0..flow.steps.len() {
            let mut stack = vec![(start, 0_usize)];
            while let Some((step, edge)) = stack.pop() {
                if edge == 0 {
                    if state[step] != 0 {
                        continue;
                    }
                    state[step] = 1;
                }
                match self.instant_edges(&flow.steps[step].kind).get(edge) {
                    Some(next) => {
                        stack.push((step, edge + 1));
                        if state[next.0] == 1 {
                            let message = format!(
                                "step `{}` leads back to step `{}` without any time passing",
                                printable(&self.steps[step]),
                                printable(&self.steps[next.0])
                            );
                            let help = "put an announcement with a length into the circle".to_owned();
                            self.names.notes.add(self.views[step].span.clone(), message, Some(help));
                        } else if state[next.0] == 0 {
                            stack.push((next.0, 0));
                        }
                    }
                    None => state[step] = 2,
                }
            }
        }
    }

    /// Steps to which a step can lead in the same instant.
    fn instant_edges(&self, kind: &StepKind) -> Vec<StepIndex> {
        match kind {
            StepKind::Hours { open, closed } => vec![*open, *closed],
            StepKind::Announcement { length_us: 0, next, .. }
            | StepKind::SetSkills { next, .. }
            | StepKind::SetPriority { next, .. } => vec![*next],
            StepKind::QueueCheck { busy, next, .. } => vec![*busy, *next],
            // A full queue overflows at once; the queue's own rule never comes back to the flow.
            StepKind::Queue { overflow: Some(step), .. } => vec![*step],
            StepKind::CallbackOffer { prompt_us: 0, declined, .. } => vec![*declined],
            _ => Vec::new(),
        }
    }
}

/// Queues that a flow can reach by its own steps and the queues' overflow.
pub(crate) fn reached(flow: &Flow, queues: &[Queue]) -> Vec<QueueIndex> {
    let mut found: Vec<QueueIndex> = Vec::new();
    for step in &flow.steps {
        let mut next = match &step.kind {
            StepKind::Queue { queue, .. } | StepKind::CallbackOffer { queue, .. } => Some(*queue),
            _ => None,
        };
        while let Some(queue) = next.filter(|queue| !found.contains(queue)) {
            found.push(queue);
            next = match queues[queue.0].overflow {
                Overflow::Queue(other) => Some(other),
                _ => None,
            };
        }
    }
    found
}
