//! Runs a script: the host's loop around one engine, and what was said.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;

use super::Script;
use super::directory::Directory;
use super::order::{Act, Kind};
use super::say::Speaker;
use crate::command::Command;
use crate::engine::Engine;
use crate::output::{Output, Work};
use crate::rejection::Rejection;
use crate::snapshot::RestoreError;
use crate::time::Instant;

/// One thing said, at its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When.
    pub at: Instant,
    /// In words.
    pub text: String,
    /// As the engine has it.
    pub said: Said,
}

/// What a [`Line`] is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum Said {
    /// The script's own command, as a heading.
    Command {
        /// Its line in the script.
        line: u32,
    },
    /// An output of the engine.
    Output(Output),
    /// The command was refused.
    Refused(Rejection),
    /// The command could not be made, since a name in it stands for nothing yet.
    Unnamed,
    /// Part of an answer to `explain`.
    Explained,
    /// An invariant of the engine does not hold: its fault. The last line.
    Broken,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.said {
            Said::Command { .. } => write!(f, "{} > {}", self.at, self.text),
            _ => write!(f, "{} {}", self.at, self.text),
        }
    }
}

/// A script in the middle of its run.
#[derive(Debug)]
pub struct Player<'a> {
    script: &'a Script,
    engine: Engine,
    directory: Directory,
    next: usize,
    lines: Vec<Line>,
    out: Vec<Output>,
    checks: bool,
    broken: bool,
}

impl<'a> Player<'a> {
    pub(super) fn new(script: &'a Script) -> Self {
        Self {
            script,
            engine: Engine::new(script.config.clone()),
            directory: Directory::new(script.orders.given.clone()),
            next: 0,
            lines: Vec::new(),
            out: Vec::new(),
            checks: false,
            broken: false,
        }
    }

    /// From here on, every invariant is checked after each command and deadline.
    pub const fn check_always(&mut self) {
        self.checks = true;
    }

    /// Throws the engine away and goes on with one that is restored from its snapshot.
    ///
    /// # Errors
    /// Where the engine does not accept its own snapshot.
    pub fn restart(&mut self) -> Result<(), RestoreError> {
        self.engine = Engine::restore(&self.engine.snapshot())?;
        Ok(())
    }

    /// The engine as it is now.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What was said so far.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// What was said.
    #[must_use]
    pub fn into_lines(self) -> Vec<Line> {
        self.lines
    }

    /// Does the next command, after every deadline up to it; false when there was none.
    ///
    /// # Panics
    /// If the engine leaves a deadline that is due, or refuses its own snapshot: both are faults of the engine.
    pub fn step(&mut self) -> bool {
        let script = self.script;
        let Some(order) = script.orders.all.get(self.next).filter(|_| !self.broken) else { return false };
        self.next += 1;
        self.advance(order.at);
        if self.broken {
            return false;
        }
        self.lines.push(Line { at: order.at, text: order.text.clone(), said: Said::Command { line: order.line } });
        match &order.act {
            Act::Do(command, name) => match self.directory.resolve(&script.orders.meanings, command) {
                Ok(command) => self.apply(order.at, command, name.clone()),
                Err(problem) => self.remark(order.at, &problem),
            },
            Act::Wait => {}
            Act::Restart => self.restart().expect("an engine accepts its own snapshot"),
            Act::Explain(work) => match self.directory.resolve_work(&script.orders.meanings, *work) {
                Ok(work) => self.explain(order.at, work),
                Err(problem) => self.remark(order.at, &problem),
            },
        }
        self.verify(order.at);
        true
    }

    /// Fires every deadline up to `now`, each at its own instant.
    fn advance(&mut self, now: Instant) {
        while let Some(due) = self.engine.next_deadline().filter(|&due| due <= now) {
            self.engine.advance(due, &mut self.out);
            assert!(
                self.engine.next_deadline().is_none_or(|next| next > due),
                "advance({due}) left a deadline that is due"
            );
            self.tell(due, None);
            if !self.verify(due) {
                return;
            }
        }
        self.engine.advance(now, &mut self.out);
        self.tell(now, None);
    }

    fn apply(&mut self, now: Instant, command: Command, name: Option<(Kind, String)>) {
        match self.engine.apply(now, command, &mut self.out) {
            Ok(()) => self.tell(now, name),
            Err(rejection) => {
                let text = self.directory.rename(self.engine.config(), &rejection.to_string());
                self.lines.push(Line { at: now, text: format!("refused: {text}"), said: Said::Refused(rejection) });
            }
        }
    }

    /// Puts the engine's outputs into words.
    fn tell(&mut self, at: Instant, mut name: Option<(Kind, String)>) {
        let arriving = name.clone().map(|(_, name)| name);
        let said = core::mem::take(&mut self.out);
        for output in &said {
            self.directory.hear(output, &mut name);
        }
        for output in said {
            let text = self.speaker(arriving.as_deref()).say(&output);
            self.lines.push(Line { at, text, said: Said::Output(output) });
        }
    }

    fn speaker<'s>(&'s self, arriving: Option<&'s str>) -> Speaker<'s> {
        Speaker {
            floor: self.engine.config(),
            directory: &self.directory,
            audio: &self.script.audio,
            reasons: &self.script.reasons,
            arriving,
        }
    }

    fn explain(&mut self, at: Instant, work: Work) {
        match self.engine.explain(work) {
            Ok(explanation) => {
                for text in self.speaker(None).explanation(&explanation) {
                    self.lines.push(Line { at, text, said: Said::Explained });
                }
            }
            Err(rejection) => {
                let text = self.directory.rename(self.engine.config(), &rejection.to_string());
                self.lines.push(Line { at, text: format!("refused: {text}"), said: Said::Refused(rejection) });
            }
        }
    }

    /// Whether every invariant holds, as far as that is looked at.
    fn verify(&mut self, at: Instant) -> bool {
        if self.checks
            && let Err(violation) = self.engine.check()
        {
            self.lines.push(Line { at, text: violation.to_string(), said: Said::Broken });
            self.broken = true;
        }
        !self.broken
    }

    fn remark(&mut self, at: Instant, text: &str) {
        self.lines.push(Line { at, text: text.to_owned(), said: Said::Unnamed });
    }
}
