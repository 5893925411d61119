//! A failing sequence as a script that `callfloor script` runs.

use callfloor_engine::script::{write_command, write_floor};
use callfloor_engine::{Command, EngineConfig};

use crate::generate::Step;

/// The floor and the steps in the engine's script language.
#[must_use]
pub fn describe(config: &EngineConfig, steps: &[Step]) -> String {
    let mut text = write_floor(config);
    let mut config = config;
    for step in steps {
        match &step.command {
            Some(command) => text.push_str(&write_command(config, step.now, command)),
            None => text.push_str(&format!("# until t={}", step.now)),
        }
        text.push('\n');
        if let Some(Command::Reconfigure(other)) = &step.command {
            config = other;
        }
    }
    text
}
