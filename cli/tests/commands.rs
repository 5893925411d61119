//! The small commands, and what every command does with wrong input.

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};

fn callfloor() -> Command {
    let mut command = Command::cargo_bin("callfloor").unwrap();
    command.env_remove("COLUMNS").env("NO_COLOR", "1");
    command
}

#[test]
fn help_lists_the_commands_and_the_exit_codes() {
    let commands = ["simulate", "compare", "report", "theory", "init", "schema", "completions"];
    let mut help = callfloor().arg("--help").assert().success().stdout(contains("Exit codes: 0 done"));
    for command in commands {
        help = help.stdout(contains(command));
        callfloor().args([command, "--help"]).assert().success().stdout(contains("Usage: callfloor"));
    }
}

#[test]
fn a_wrong_command_line_is_wrong_input() {
    callfloor().arg("simulat").assert().code(2).stderr(contains("simulate"));
    callfloor().args(["simulate"]).assert().code(2).stderr(contains("<FILE>"));
    callfloor().args(["simulate", "x.toml", "--replications", "0"]).assert().code(2);
    callfloor()
        .args(["simulate", "x.toml", "--precision", "servce_level=0.1"])
        .assert()
        .code(2)
        .stderr(contains("did you mean \"service_level\"?"));
}

#[test]
fn a_scenario_that_is_not_there_is_named() {
    callfloor().args(["simulate", "nowhere.toml"]).assert().code(2).stderr(contains("nowhere.toml"));
}

#[test]
fn a_mistake_in_a_scenario_is_shown_at_its_place_with_what_was_meant() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("plan.toml");
    let text = callfloor_scenario::template("support-line").unwrap().text;
    std::fs::write(&file, text.replacen("threshold_s = 20", "treshold_s = 20", 1)).unwrap();
    let line = text.lines().position(|line| line.contains("threshold_s")).unwrap() + 1;
    let column = text.lines().nth(line - 1).unwrap().find("threshold_s").unwrap() + 1;
    callfloor().arg("simulate").arg(&file).assert().code(2).stdout("").stderr(
        contains(format!("plan.toml:{line}:{column}: error: ")).and(contains("threshold_s")).and(contains("^^^^")),
    );
}

#[test]
fn init_writes_every_ready_scenario_and_keeps_what_is_there() {
    for template in callfloor_scenario::TEMPLATES {
        let folder = tempfile::tempdir().unwrap();
        let init = || {
            let mut command = callfloor();
            command.args(["init", template.name, "--output"]).arg(folder.path());
            command
        };
        init().assert().success().stdout(contains("Next: callfloor simulate "));
        let written = folder.path().join(format!("{}.toml", template.name));
        assert_eq!(std::fs::read_to_string(&written).unwrap(), template.text);
        for (name, text) in template.files {
            assert_eq!(std::fs::read_to_string(folder.path().join(name)).unwrap(), *text);
        }
        std::fs::write(&written, "mine").unwrap();
        init().assert().code(2).stderr(contains("exists already"));
        assert_eq!(std::fs::read_to_string(&written).unwrap(), "mine");
    }
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("new").join("mine.toml");
    callfloor().args(["init", "--output"]).arg(&mine).assert().success().stdout(contains("mine.toml. Next: "));
    assert!(mine.is_file());
    callfloor().args(["init", "no-such"]).assert().code(2).stderr(contains("support-line"));
    callfloor().args(["init", "--list"]).assert().success().stdout(contains("mm50m"));
}

#[test]
fn schema_is_json_and_its_reference_is_for_people() {
    let output = callfloor().arg("schema").assert().success().get_output().stdout.clone();
    let schema: serde_json::Value = serde_json::from_slice(&output).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    callfloor().args(["schema", "--reference"]).assert().success().stdout(contains("service_level"));
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        callfloor().args(["completions", shell]).assert().success().stdout(contains("simulate"));
    }
    callfloor().args(["completions", "csh"]).assert().code(2);
}

#[test]
fn a_results_file_that_is_none_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("broken.json");
    std::fs::write(&file, "{\n  \"format\": 3\n}").unwrap();
    callfloor().arg("report").arg(&file).assert().code(2).stderr(contains("broken.json:2:"));
    callfloor().arg("compare").arg(&file).arg(&file).assert().code(2).stderr(contains("broken.json:2:"));
    callfloor().args(["report", "nowhere.json"]).assert().code(2).stderr(starts_with("nowhere.json: cannot read it"));
}
