//! What every test of behaviour uses: a script, and what it must print.
#![allow(dead_code, reason = "each test file uses its own part")]

use callfloor_engine::script::{Line, Said, Script};
use callfloor_engine::{Instant, Span};

/// One service with one queue and operators 1, 2 and 3, who log in as Ready.
pub(crate) const FLOOR: &str = "
floor
  service shop inbound outbound
    flow: queue billing
    outgoing +81311112222
    set login ready
  queue billing
  operator 1
  operator 2
  operator 3
";

/// What a script says, its own commands left out; every invariant holds after every command and deadline.
pub(crate) fn run(script: &str) -> Vec<Line> {
    let script = Script::parse(script).unwrap_or_else(|error| panic!("{error}\n{script}"));
    let lines = script.run_checked();
    if let Some(Line { said: Said::Broken, text, .. }) = lines.last() {
        panic!("{text}, after\n{}", transcript(&lines));
    }
    lines
}

pub(crate) fn transcript(lines: &[Line]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// The script on [`FLOOR`] says exactly this; see [`check`].
pub(crate) fn on_floor(commands: &str, expected: &str) {
    check(&format!("{FLOOR}{commands}"), expected);
}

/// The script says exactly this, commands left out. `t=15 text` is at 15 s; a line without a time is at the time of the
/// line before; `...` stands for any lines, and the line after it needs no time.
pub(crate) fn check(script: &str, expected: &str) {
    let lines = run(script);
    let said: Vec<&Line> = lines.iter().filter(|line| !matches!(line.said, Said::Command { .. })).collect();
    compare(&said, expected, &lines);
}

/// Like [`check`], of those lines alone that contain one of `words`.
pub(crate) fn check_only(script: &str, words: &[&str], expected: &str) {
    let lines = run(script);
    let said: Vec<&Line> = lines
        .iter()
        .filter(|line| !matches!(line.said, Said::Command { .. }) && words.iter().any(|word| line.text.contains(word)))
        .collect();
    compare(&said, expected, &lines);
}

enum Want<'a> {
    Any,
    Line { at: Option<Instant>, same: bool, text: &'a str },
}

fn compare(said: &[&Line], expected: &str, all: &[Line]) {
    let mut want = Vec::new();
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        want.push(if line == "..." {
            Want::Any
        } else if let Some((at, text)) = line.strip_prefix("t=").and_then(|rest| rest.split_once(' ')) {
            Want::Line { at: Some(moment(at)), same: false, text: text.trim() }
        } else {
            let same = matches!(want.last(), Some(Want::Line { .. }));
            assert!(same || !want.is_empty(), "the first expected line needs a time: {line}");
            Want::Line { at: None, same, text: line }
        });
    }
    assert!(want.iter().any(|want| matches!(want, Want::Line { .. })), "nothing is expected: that proves nothing");
    let mut furthest = 0;
    if !matches(&want, said, None, 0, &mut furthest) {
        let missing = match want.get(furthest) {
            Some(Want::Line { text, .. }) => text,
            _ => "the end",
        };
        panic!("expected, and not found in its place: {missing}\n--- all that was said:\n{}", transcript(all));
    }
}

fn matches(want: &[Want<'_>], said: &[&Line], before: Option<Instant>, at: usize, furthest: &mut usize) -> bool {
    *furthest = (*furthest).max(at);
    match want.get(at) {
        None => said.is_empty(),
        Some(Want::Any) => (0..=said.len()).any(|skip| matches(want, &said[skip..], None, at + 1, furthest)),
        Some(Want::Line { at: time, same, text }) => said.split_first().is_some_and(|(line, rest)| {
            line.text == *text
                && time.is_none_or(|time| time == line.at)
                && (!same || before == Some(line.at))
                && matches(want, rest, Some(line.at), at + 1, furthest)
        }),
    }
}

fn moment(text: &str) -> Instant {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let micros: u64 = format!("{fraction:0<6}").parse().expect("at most six decimals");
    let seconds = Span::from_seconds(whole.parse().expect("seconds"));
    Instant::ZERO + seconds + Span::from_micros(micros)
}
