//! The main job from the command line: scenario in, answer out, exit code by the thresholds.

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use callfloor_measure::{Metric, Scope};
use callfloor_reports::read_json;
use predicates::prelude::*;
use predicates::str::{contains, starts_with};

fn callfloor() -> Command {
    let mut command = Command::cargo_bin("callfloor").unwrap();
    command.env_remove("COLUMNS").env("NO_COLOR", "1");
    command
}

fn library(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios").join(format!("{name}.toml"))
}

/// The support line in a file of its own, with some text replaced.
fn changed(folder: &Path, name: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut text = callfloor_scenario::template("support-line").unwrap().text.to_owned();
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn every_ready_scenario_gives_an_answer() {
    for template in callfloor_scenario::TEMPLATES.iter().filter(|template| template.name != "mm50m") {
        let output = callfloor()
            .arg("simulate")
            .arg(library(template.name))
            .args(["--replications", "2", "--quiet", "--check", "--json"])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}: {:?} {error}", template.name, output.status);
        let results = read_json(&String::from_utf8(output.stdout).unwrap()).unwrap();
        assert_eq!(results.replications().len(), 2, "{}", template.name);
        assert_eq!(results.failed_identities(), [], "{}", template.name);
        let counts = results.counts(Scope::All);
        assert!(counts.answered > 0 && counts.offered >= counts.answered, "{}: {counts:?}", template.name);
        let occupancy = results.estimate(Metric::Occupancy, Scope::All).unwrap().value;
        assert!(occupancy > 0.05 && occupancy < 1.0, "{}: occupancy {occupancy}", template.name);
    }
}

#[test]
fn the_answer_comes_first() {
    callfloor()
        .arg("simulate")
        .arg(library("support-line"))
        .args(["--replications", "3", "--seed", "9"])
        .assert()
        .stderr("")
        .stdout(
            starts_with("Support line: Service level ")
                .and(contains("target 80 %: "))
                .and(contains("3 replications, seed 9")),
        );
}

#[test]
fn threads_do_not_change_a_byte() {
    let run = |threads: &str| {
        let arguments = ["--replications", "4", "--json", "--threads", threads];
        callfloor().arg("simulate").arg(library("support-line")).args(arguments).output().unwrap().stdout
    };
    let (one, two) = (run("1"), run("2"));
    assert!(!one.is_empty() && one == two);
}

#[test]
fn parts_of_a_run_merge_to_the_bytes_of_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, first: &str, count: &str| {
        let file = folder.path().join(name);
        let arguments = ["--quiet", "--first-replication", first, "--replications", count, "--json"];
        callfloor().arg("simulate").arg(library("support-line")).args(arguments).arg(&file).output().unwrap();
        file
    };
    let (whole, head, tail) = (part("whole", "0", "5"), part("head", "0", "2"), part("tail", "2", "3"));
    let merged = callfloor().arg("report").args([&tail, &head]).arg("--json").output().unwrap();
    assert_eq!(String::from_utf8(merged.stdout).unwrap(), std::fs::read_to_string(&whole).unwrap());
    callfloor().arg("report").args([&head, &head]).assert().code(2).stderr(contains("both results have replication 0"));
}

#[test]
fn the_exit_code_is_the_thresholds_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let code = |name: &str, least: &str, most: &str| {
        let thresholds = [("min = 0.8", least), ("max = 0.05", most)];
        let file = changed(folder.path(), name, &thresholds);
        callfloor()
            .arg("simulate")
            .arg(file)
            .args(["--replications", "2", "--quiet"])
            .assert()
            .stdout("")
            .get_output()
            .status
            .code()
    };
    assert_eq!(code("easy.toml", "min = 0.01", "max = 0.99"), Some(0));
    assert_eq!(code("hard.toml", "min = 0.01", "max = 0.0001"), Some(1));
}

#[test]
fn documents_go_where_they_are_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let (json, csv, html) = (folder.path().join("r.json"), folder.path().join("r.csv"), folder.path().join("r.html"));
    let mut command = callfloor();
    command.arg("simulate").arg(library("support-line")).args(["--replications", "2"]);
    command.arg("--json").arg(&json).arg("--csv").arg(&csv).arg("--html").arg(&html);
    command.assert().stdout(starts_with("Support line: "));

    let results = read_json(&std::fs::read_to_string(&json).unwrap()).unwrap();
    assert_eq!(results.replications().len(), 2);
    let csv = std::fs::read_to_string(&csv).unwrap();
    assert!(
        csv.starts_with("of,name,interval,start_s,figure,")
            && csv.contains("queue,support,08:30,30600,service_level,share,"),
        "{}",
        &csv[..300]
    );
    let html = std::fs::read_to_string(&html).unwrap();
    for outside in ["http://", "https://", "src=", "href=", "<script"] {
        assert!(!html.contains(outside), "{outside} in the report");
    }

    callfloor().arg("report").arg(&json).arg("--csv").assert().stdout(csv);
    let both = ["--json", "--csv"];
    callfloor().arg("report").arg(&json).args(both).assert().code(2).stderr(contains("only one of"));
    callfloor().arg("report").arg(&json).arg("--html").arg(&json).assert().code(2).stderr(contains("this is an input"));
    assert!(read_json(&std::fs::read_to_string(&json).unwrap()).is_ok(), "the input is still there");
}

#[test]
fn a_wanted_precision_adds_replications_until_it_is_reached() {
    let run = |precision: &str| {
        let arguments = ["--replications", "4", "--json", "--precision", precision];
        let output = callfloor().arg("simulate").arg(library("support-line")).args(arguments).output().unwrap();
        read_json(&String::from_utf8(output.stdout).unwrap()).unwrap()
    };
    let (coarse, fine) = (run("0.9"), run("0.01"));
    assert_eq!(coarse.replications().len(), 4);
    let half = fine.estimate(Metric::ServiceLevel, Scope::All).unwrap().interval.unwrap().half_width();
    assert!(half <= 0.01 && fine.replications().len() > 4, "{half} after {}", fine.replications().len());
}

#[test]
fn a_comparison_uses_the_same_customers() {
    let folder = tempfile::tempdir().unwrap();
    let more = changed(
        folder.path(),
        "more-people.toml",
        &[("[13, 18, 21, 20, 17, 18, 20, 19, 16, 13, 10, 8]", "[15, 20, 23, 22, 19, 20, 22, 21, 18, 15, 12, 10]")],
    );
    let compare = |a: &Path, b: &Path| {
        let output = callfloor()
            .arg("compare")
            .args([a, b])
            .args(["--replications", "6", "--quiet", "--json"])
            .assert()
            .success();
        serde_json::from_slice::<serde_json::Value>(&output.get_output().stdout).unwrap()
    };
    let found = compare(&library("support-line"), &more);
    assert_eq!((&found["a"], &found["b"]), (&"support-line".into(), &"more-people".into()));
    let level = &found["differences"][0];
    assert_eq!(level["metric"], "service_level");
    assert!(level["difference"]["interval"]["low"].as_f64().unwrap() > 0.0, "more people answer sooner: {level}");
    assert!(level["sentence"].as_str().unwrap().starts_with("\"more-people\" answers "));

    let results = folder.path().join("a.json");
    let arguments = ["--replications", "6", "--quiet", "--json"];
    callfloor().arg("simulate").arg(library("support-line")).args(arguments).arg(&results).output().unwrap();
    assert_eq!(
        compare(&results, &more)["differences"][0]["difference"],
        level["difference"],
        "results do as well as their scenario"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_reports_what_is_done() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let child = Command::new(assert_cmd::cargo::cargo_bin("callfloor"))
        .arg("simulate")
        .arg(library("support-line"))
        .args(["--replications", "1000000", "--threads", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The handler is in place once its thread runs beside the first.
    let tasks = format!("/proc/{}/task", child.id());
    let limit = Instant::now() + Duration::from_secs(20);
    while std::fs::read_dir(&tasks).map_or(0, Iterator::count) < 2 {
        assert!(Instant::now() < limit, "no handler after 20 s");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}: {text}", output.status);
    assert!(text.contains("Stopped early"), "{text}");
}

#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("callfloor"));
    let mut child = command
        .arg("schema")
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

/// Rows of a file of calls, by the names of the columns.
fn calls(text: &str) -> Vec<std::collections::HashMap<String, String>> {
    let mut lines = text.lines();
    let head: Vec<&str> = lines.next().unwrap().split(',').collect();
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        assert_eq!(cells.len(), head.len(), "{line}");
        head.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect()
    };
    lines.map(row).collect()
}

fn sum(rows: &[std::collections::HashMap<String, String>], column: &str) -> f64 {
    rows.iter().map(|row| row[column].parse::<f64>().unwrap()).sum()
}

#[test]
fn every_call_is_a_row_and_the_rows_are_the_results() {
    for name in ["ring-no-answer", "heavy-transfers", "peak-overflow-callback", "outbound-blended"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("calls.csv");
        let output = callfloor()
            .arg("simulate")
            .arg(library(name))
            .args(["--replications", "3", "--quiet", "--json", "--calls-csv"])
            .arg(&file)
            .output()
            .unwrap();
        let results = read_json(&String::from_utf8(output.stdout).unwrap()).unwrap();
        let rows = calls(&std::fs::read_to_string(&file).unwrap());
        let queues = results.header().queues.iter().enumerate();
        let phone = queues.filter(|(_, queue)| {
            !matches!(queue.channel, callfloor_measure::Channel::Chat | callfloor_measure::Channel::Ticket)
        });
        let mut counts = callfloor_measure::Counts::default();
        phone.for_each(|(at, _)| counts += &results.counts(Scope::Queue(at)));
        let with = |column: &str, value: &str| rows.iter().filter(|row| row[column] == value).count() as u64;
        let abandoned = with("end_cause", "abandoned_in_queue") + with("end_cause", "abandoned_while_ringing");
        assert_eq!(abandoned, counts.abandoned, "{name}");
        let dialled = with("direction", "out") + with("direction", "callback");
        assert_eq!(dialled, counts.dials, "{name}");
        // A callback rings at an operator before there is a call.
        if counts.callbacks_accepted == 0 {
            assert_eq!(sum(&rows, "rings"), counts.rings as f64, "{name}");
            assert_eq!(sum(&rows, "missed_rings"), counts.missed_rings as f64, "{name}");
            let ring_us = sum(&rows, "ring_s") * 1e6;
            assert!((ring_us - counts.ring_us as f64).abs() < 1e3, "{name}: {ring_us} {}", counts.ring_us);
        }
        assert_eq!(sum(&rows, "transfers"), counts.transfers as f64, "{name}");
        assert_eq!(sum(&rows, "consults"), counts.consults as f64, "{name}");
        assert_eq!(sum(&rows, "holds"), counts.holds as f64, "{name}");
        let after_call_us = sum(&rows, "after_call_s") * 1e6;
        let close = (after_call_us - counts.after_call_us as f64).abs() < 1e3;
        assert!(close, "{name}: {after_call_us} {}", counts.after_call_us);
        if counts.transfers == 0 && counts.callbacks_accepted == 0 && counts.dials == 0 {
            assert_eq!(with("outcome", "answered"), counts.answered, "{name}");
            let talk_us = sum(&rows, "talk_s") * 1e6;
            assert!((talk_us - counts.talk_us as f64).abs() < 1e3, "{name}: {talk_us} {}", counts.talk_us);
        }
        let replications: Vec<u32> = rows.iter().map(|row| row["replication"].parse().unwrap()).collect();
        assert!(replications.is_sorted() && replications.last() == Some(&2), "{name}");
    }
}

#[test]
fn rows_of_calls_are_the_same_bytes_for_any_threads_plain_and_gzipped() {
    use std::io::Read as _;
    let folder = tempfile::tempdir().unwrap();
    let bytes = |name: &str, threads: &str| {
        let file = folder.path().join(name);
        let arguments = ["--replications", "9", "--quiet", "--threads", threads, "--calls-csv"];
        callfloor().arg("simulate").arg(library("support-line")).args(arguments).arg(&file).output().unwrap();
        std::fs::read(&file).unwrap()
    };
    let plain = bytes("a.csv", "1");
    assert!(plain == bytes("b.csv", "2") && plain == bytes("c.csv", "4"));
    let packed = bytes("a.csv.gz", "1");
    assert!(packed == bytes("b.csv.gz", "3"));
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut text).unwrap();
    assert!(text == plain, "the gzipped rows are the plain ones");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 5, "no part is left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_of_calls_that_cannot_be_written_is_an_error_and_no_half_file() {
    let simulate = |file: &Path| {
        let mut command = callfloor();
        command.arg("simulate").arg(library("support-line")).args(["--replications", "2", "--calls-csv"]).arg(file);
        command
    };
    simulate(Path::new("/nowhere/calls.csv"))
        .assert()
        .code(2)
        .stderr(starts_with("/nowhere/calls.csv: cannot write it"));
    simulate(Path::new("/dev/full")).assert().code(2).stdout("").stderr(contains("/dev/full: cannot write it"));
    simulate(Path::new("-")).assert().code(2).stderr(contains("needs a FILE"));
    simulate(&library("support-line")).assert().code(2).stderr(contains("this is an input"));

    // The disk is full in the middle of the run: what was there before is still whole.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("calls.csv");
    std::fs::write(&file, "mine\n").unwrap();
    let program = assert_cmd::cargo::cargo_bin("callfloor");
    let line = format!(
        "trap '' XFSZ; ulimit -f 200; exec '{}' simulate '{}' --replications 50 --threads 2 --calls-csv '{}'",
        program.display(),
        library("support-line").display(),
        file.display()
    );
    Command::new("bash").args(["-c", &line]).assert().code(2).stdout("").stderr(contains("calls.csv: cannot write it"));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine\n");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no part is left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_takes_nothing_is_no_fault_of_the_input() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("callfloor"));
    let output = command.arg("schema").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot write to stdout"));
}

#[test]
fn intervals_can_be_longer_and_calls_counted_by_their_answer() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("r.html");
    let run = |more: &[&str]| {
        let mut command = callfloor();
        command.arg("simulate").arg(library("support-line")).args(["--replications", "3"]).args(more);
        command
    };
    let hourly = run(&["--interval", "1h", "--by", "answer", "--html", html.to_str().unwrap()]).assert();
    let text = String::from_utf8(hourly.get_output().stdout.clone()).unwrap();
    assert!(text.contains("Calls count in the interval in which they were answered"), "{text}");
    assert!(text.contains("\n09:00 ") && !text.contains("\n09:30 "), "{text}");
    assert!(std::fs::read_to_string(&html).unwrap().contains("in which they were answered"));
    run(&["--interval", "45m"]).assert().code(2).stderr(contains("a multiple of it is needed"));
    run(&["--interval", "week"]).assert().code(2).stderr(contains("write 15m, 30m, 1h or day"));
    run(&["--by", "anwser"]).assert().code(2).stderr(contains("'answer'"));
}
