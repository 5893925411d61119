//! Reading a scenario file: TOML to a checked [`Scenario`], with every mistake told at its place.

mod arrivals;
mod csv;
mod customers;
mod document;
#[cfg(test)]
mod every_key;
mod flows;
mod names;
mod operators;
mod run;
mod services;
pub(crate) mod shape;
pub(crate) mod spans;
pub(crate) mod tables;

use std::path::{Path, PathBuf};

use toml::de::DeTable;

use crate::problem::{Problem, Problems, Source};
use crate::scenario::Scenario;
use document::{Notes, View};
use names::Names;

/// Where the files come from that a scenario names.
pub trait Files {
    /// The text of a file, by its name as in the scenario.
    ///
    /// # Errors
    /// Why it cannot be read, in a few words.
    fn read(&self, name: &str) -> Result<String, String>;
}

/// Files in a folder, usually that of the scenario.
#[derive(Debug, Clone)]
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn read(&self, name: &str) -> Result<String, String> {
        read_text(&self.0.join(name))
    }
}

/// No files at all: a scenario that names one is refused.
#[derive(Debug, Clone, Copy)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Result<String, String> {
        Err("no other files are available here".into())
    }
}

fn read_text(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("it is not UTF-8 (line {line}): save it as UTF-8")
    })
}

impl Scenario {
    /// Reads a scenario file; the CSV files that it names are looked for beside it.
    ///
    /// # Errors
    /// Everything that is wrong with the files, each with file, line and column.
    pub fn load(path: &Path) -> Result<Self, Problems> {
        let name = path.display().to_string();
        let text = read_text(path).map_err(|error| Problems(vec![Problem::of_file(&name, error)]))?;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Self::parse(&name, &text, &Folder(folder))
    }

    /// Reads the text of a scenario file; `name` is for messages.
    ///
    /// # Errors
    /// Everything that is wrong, each with file, line and column.
    pub fn parse(name: &str, text: &str, files: &dyn Files) -> Result<Self, Problems> {
        let source = Source::new(name, text);
        let notes = Notes::new(&source);
        let (document, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            let end = source.text.len();
            let span = error.span().unwrap_or(end..end);
            notes.add(span.clone(), syntax_message(error.message(), source.text.get(span).unwrap_or_default()), None);
        }
        if !notes.is_empty() {
            return Err(notes.into_problems());
        }
        let root = View::root(&tables::SCENARIO, &document);
        root.check(&notes);
        match read(&root, &notes, files) {
            Some(scenario) if notes.is_empty() => Ok(scenario),
            Some(_) => Err(notes.into_problems()),
            None => {
                if notes.is_empty() {
                    notes.add(0..0, "the file does not describe a scenario", None);
                }
                Err(notes.into_problems())
            }
        }
    }
}

/// The TOML reader's message, in our words where its own mislead.
fn syntax_message(message: &str, marked: &str) -> String {
    match message.trim() {
        "duplicate key" => format!("`{}` is there already", document::printable(marked)),
        quoted if quoted.starts_with("string values must be quoted") => {
            if marked.is_empty() {
                "a value is missing".into()
            } else {
                "this is no value: words stand in quotes".into()
            }
        }
        other => other.replace('\n', "; "),
    }
}

/// Reads every part, as far as it is right. `None` only with a note of what is missing.
fn read(root: &View<'_>, notes: &Notes<'_>, files: &dyn Files) -> Option<Scenario> {
    let run = run::read(root, notes);
    let names = Names::new(root, notes, files, &run);
    let services = services::services(root, &names);
    let queues = services::queues(root, &names, &services);
    services::check_overflow(root, &names, &queues);
    let (flows, menus) = flows::flows(root, &names, &queues);
    let groups = operators::groups(root, &names, &queues, services::blending(root));
    let world =
        customers::World { services: &services, queues: &queues, flows: &flows, menus: &menus, groups: &groups };
    let classes = customers::classes(root, &names, &world);
    let campaigns = customers::campaigns(root, &names, &world);
    if classes.is_empty() && campaigns.is_empty() && notes.is_empty() {
        notes.add(0..0, "nobody calls: add [customers.NAME] or [campaign.NAME]", None);
    }
    let thresholds = run::thresholds(root, &names);
    let name = root.text("name").map_or_else(|| file_stem(&notes.source.name), str::to_owned);
    let skills = names.skills.iter().map(|name| crate::Skill { name: (*name).to_owned() }).collect();
    Some(Scenario {
        name,
        description: root.text("description").unwrap_or_default().to_owned(),
        seed: run.seed,
        replications: run.replications,
        horizon: run.horizon,
        clock: run.clock,
        interval_us: run.interval_us,
        blending: services::blending(root),
        skills,
        services,
        queues,
        flows,
        classes,
        groups,
        campaigns,
        thresholds,
    })
}

/// The file's name without folders and ending.
fn file_stem(name: &str) -> String {
    let stem = Path::new(name).file_stem().map(|stem| stem.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| name.to_owned())
}
