//! What the readers of all parts share: the names that a scenario declares, and how to look them up.

use std::ops::Range;

use super::Files;
use super::csv::{Columns, Csv};
use super::document::{Notes, View, printable};
use super::run::Run;
use crate::clock::Days;
use crate::problem::{Source, suggestion};
use crate::queue::SkillRequirement;
use crate::scenario::{FlowIndex, GroupIndex, QueueIndex, ServiceIndex, SkillIndex};
use callfloor_engine::PhoneNumber;

/// Declared names and the run's frame.
pub(crate) struct Names<'a, 'd> {
    /// Where problems go.
    pub(crate) notes: &'a Notes<'a>,
    files: &'a dyn Files,
    /// Date, hours, interval.
    pub(crate) run: &'a Run,
    /// Declared skills.
    pub(crate) skills: Vec<&'d str>,
    /// Services; `main` if none is declared.
    pub(crate) services: Vec<&'d str>,
    /// Queues.
    pub(crate) queues: Vec<&'d str>,
    /// Flows.
    pub(crate) flows: Vec<&'d str>,
    /// Groups of operators.
    pub(crate) groups: Vec<&'d str>,
    /// Classes of customers.
    pub(crate) classes: Vec<&'d str>,
}

impl<'a, 'd> Names<'a, 'd> {
    pub(crate) fn new(root: &View<'d>, notes: &'a Notes<'a>, files: &'a dyn Files, run: &'a Run) -> Self {
        let names = |key: &str| root.map(key).iter().map(|named| named.name).collect::<Vec<_>>();
        let mut skills: Vec<&str> = Vec::new();
        for item in root.items("skills") {
            if let Some(name) = item.text() {
                if skills.contains(&name) {
                    notes.add(item.span, format!("the skill `{}` is declared twice", printable(name)), None);
                } else {
                    skills.push(name);
                }
            }
        }
        let mut services = names("service");
        if services.is_empty() {
            services.push("main");
        }
        for (key, what) in [("queue", "queue"), ("operators", "group of operators")] {
            if root.node(key).is_some_and(|node| node.is_empty_table()) {
                notes.add(root.key_place(key), format!("at least one {what} is needed"), None);
            }
        }
        Self {
            notes,
            files,
            run,
            skills,
            services,
            queues: names("queue"),
            flows: names("flow"),
            groups: names("operators"),
            classes: names("customers"),
        }
    }

    /// The place of a name in a list; an unknown name is noted.
    pub(crate) fn find(&self, kind: &str, names: &[&str], name: &str, at: Range<usize>) -> Option<usize> {
        let found = names.iter().position(|known| *known == name);
        if found.is_none() {
            let help = if names.is_empty() {
                Some(format!("the file declares no {kind}"))
            } else {
                suggestion(name, names.iter().copied())
            };
            self.notes.add(at, format!("there is no {kind} `{}`", printable(name)), help);
        }
        found
    }

    pub(crate) fn skill(&self, name: &str, at: Range<usize>) -> Option<SkillIndex> {
        if self.skills.is_empty() {
            let message = format!("there is no skill `{}`", printable(name));
            self.notes.add(at, message, Some(format!("declare it at the top: skills = [\"{}\"]", printable(name))));
            return None;
        }
        self.find("skill", &self.skills, name, at).map(SkillIndex)
    }

    pub(crate) fn queue(&self, view: &View<'_>, key: &str) -> Option<QueueIndex> {
        self.find("queue", &self.queues, view.text(key)?, view.place(key)).map(QueueIndex)
    }

    pub(crate) fn flow(&self, view: &View<'_>, key: &str) -> Option<FlowIndex> {
        self.find("flow", &self.flows, view.text(key)?, view.place(key)).map(FlowIndex)
    }

    pub(crate) fn group(&self, view: &View<'_>, key: &str) -> Option<GroupIndex> {
        self.find("group of operators", &self.groups, view.text(key)?, view.place(key)).map(GroupIndex)
    }

    /// The service that a table names, or the only one. A wrong name reads as the first, so that reading goes on.
    pub(crate) fn service(&self, view: &View<'_>) -> ServiceIndex {
        match view.text("service") {
            Some(name) => ServiceIndex(self.find("service", &self.services, name, view.place("service")).unwrap_or(0)),
            None => {
                if self.services.len() > 1 && !view.has("service") {
                    let help = suggestion("", self.services.iter().copied());
                    let message = "there are several services: say which with `service`";
                    self.notes.add(view.span.clone(), message, help);
                }
                ServiceIndex(0)
            }
        }
    }

    /// Skills as a list of names, all at `level`, or as a table of levels.
    pub(crate) fn skill_levels(&self, view: &View<'_>, key: &str, level: u8) -> Vec<(SkillIndex, u8)> {
        let listed = view.items(key).into_iter().filter_map(|item| Some((item.text()?.to_owned(), item.span, level)));
        let mapped = view
            .map(key)
            .into_iter()
            .filter_map(|named| Some((named.name.to_owned(), named.span, u8::try_from(named.node.integer()?).ok()?)));
        let mut levels: Vec<(SkillIndex, u8)> = Vec::new();
        for (name, span, level) in listed.chain(mapped) {
            let Some(skill) = self.skill(&name, span.clone()) else { continue };
            if levels.iter().any(|(known, _)| *known == skill) {
                self.notes.add(span, format!("the skill `{}` is named twice", printable(&name)), None);
            } else {
                levels.push((skill, level));
            }
        }
        levels
    }

    /// Skills that are asked for, at proficiency 1 unless the file says more.
    pub(crate) fn requirements(&self, view: &View<'_>, key: &str) -> Vec<SkillRequirement> {
        let levels = self.skill_levels(view, key, 1).into_iter();
        levels.map(|(skill, min_proficiency)| SkillRequirement { skill, min_proficiency }).collect()
    }

    /// A phone number.
    pub(crate) fn number(&self, text: &str, at: Range<usize>) -> Option<PhoneNumber> {
        match text.parse() {
            Ok(number) => Some(number),
            Err(error) => {
                self.notes.add(at, format!("\"{}\" is no phone number: {error}", printable(text)), None);
                None
            }
        }
    }

    /// The days that a table's `days` names; every day without it.
    pub(crate) fn days(&self, view: &View<'_>) -> Vec<Days> {
        if !view.has("days") {
            return vec![Days::All];
        }
        let items = view.items("days");
        let mut mask = 0;
        let mut days = Vec::new();
        for item in &items {
            let Some(text) = item.text() else { continue };
            match day(text) {
                Some(Day::Weekdays(some)) => mask |= some,
                Some(Day::Date(date)) => match self.run.day_of(date) {
                    Ok(day) => days.push(Days::One(day)),
                    Err(why) => self.notes.add(item.span.clone(), why, None),
                },
                None => {
                    let message = format!("\"{}\" is no day", printable(text));
                    let known = WEEKDAYS.iter().chain(&["weekdays", "weekend"]).copied();
                    let help = suggestion(text, known.collect::<Vec<_>>())
                        .map(|help| format!("{help}; or a date such as 2026-03-02"));
                    self.notes.add(item.span.clone(), message, help);
                }
            }
        }
        if mask == ALL_WEEK {
            days.push(Days::All);
        } else if mask != 0 {
            days.push(Days::Weekdays(mask));
        }
        if items.is_empty() {
            self.notes.add(view.place("days"), "`days` must name at least one day", None);
        }
        days
    }

    /// A CSV file that a key names.
    pub(crate) fn csv(&self, view: &View<'_>, key: &str, columns: Columns) -> Option<Csv> {
        let name = view.text(key)?;
        let mentioned = view.place(key);
        match self.files.read(name) {
            Ok(text) => {
                let source = Source::new(beside(&self.notes.source.name, name), text);
                Csv::read(source, columns, self.notes, &mentioned)
            }
            Err(error) => {
                let message = format!("the file \"{}\" cannot be read: {error}", printable(name));
                let help = "file names are relative to the scenario's folder".to_owned();
                self.notes.add(mentioned, message, Some(help));
                None
            }
        }
    }

    /// Of keys that exclude each other, the one that is given; none or several are noted. `needed` says whether one
    /// must be there.
    pub(crate) fn one_of<'k>(&self, view: &View<'_>, keys: &[&'k str], needed: bool) -> Option<&'k str> {
        let given = view.given(keys);
        let quoted = super::csv::list(keys).replace(" and ", " or ");
        match given.as_slice() {
            [] => {
                if needed {
                    let message = format!("the table {} needs one of {quoted}", view.shape.name);
                    self.notes.add(view.span.clone(), message, None);
                }
                None
            }
            [one] => Some(one),
            [first, second, ..] => {
                let message = format!("`{second}` stands beside `{first}`: give one of {quoted}");
                self.notes.add(view.key_place(second), message, None);
                Some(first)
            }
        }
    }

    /// Notes keys that have no meaning here.
    pub(crate) fn refuse(&self, view: &View<'_>, keys: &[&str], why: &str) {
        for key in view.given(keys) {
            self.notes.add(view.key_place(key), format!("`{key}` has no meaning here: {why}"), None);
        }
    }
}

/// A day as it is written.
pub(crate) enum Day {
    /// Days of the week, as a mask.
    Weekdays(u8),
    /// A date.
    Date(jiff::civil::Date),
}

/// Names of the days of the week, Monday first.
pub(crate) const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const ALL_WEEK: u8 = 0b0111_1111;

/// A day: `mon`, `weekdays`, `weekend` or a date.
pub(crate) fn day(text: &str) -> Option<Day> {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "weekdays" => Some(Day::Weekdays(0b0001_1111)),
        "weekend" => Some(Day::Weekdays(0b0110_0000)),
        _ => match WEEKDAYS.iter().position(|name| *name == text) {
            Some(place) => Some(Day::Weekdays(1 << place)),
            None => super::document::parse_date(&text).map(Day::Date),
        },
    }
}

/// The name of a file in the same folder as another, for messages.
fn beside(file: &str, name: &str) -> String {
    match std::path::Path::new(file).parent() {
        Some(folder) => folder.join(name).display().to_string(),
        None => name.to_owned(),
    }
}
