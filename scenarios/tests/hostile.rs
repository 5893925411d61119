//! Whatever the bytes: an answer or a list of problems with places inside the file, never a panic.

use callfloor_scenario::{Files, NoFiles, Scenario, TEMPLATES};
use proptest::prelude::*;

/// Every file has the same text.
struct Same(String);

impl Files for Same {
    fn read(&self, _: &str) -> Result<String, String> {
        Ok(self.0.clone())
    }
}

/// Reads a text and checks that every problem lies inside the files and can be shown.
fn survive(text: &str, files: &dyn Files) {
    match Scenario::parse("x.toml", text, files) {
        Ok(scenario) => {
            // What is accepted becomes a floor that the engine accepts (unless it is too large to try here).
            let count = |group: &callfloor_scenario::Group| u64::from(group.peak(7, |day| scenario.clock.weekday(day)));
            if scenario.groups.iter().map(count).sum::<u64>() < 10_000 {
                scenario.floor_plan().unwrap_or_else(|error| panic!("{error}\n{text}"));
            }
        }
        Err(problems) => {
            assert!(!problems.0.is_empty());
            for problem in &problems.0 {
                if problem.file == "x.toml" {
                    assert!(problem.line >= 1 && problem.line <= text.matches('\n').count() + 1, "{problem:?}");
                }
                assert!(!problem.message.is_empty());
                assert!(problem.render(true).len() < 4000, "{}", problem.render(true).len());
            }
        }
    }
}

/// The library, and the samples that use every key.
fn texts() -> Vec<&'static str> {
    let samples =
        [include_str!("samples/phone.toml"), include_str!("samples/blended.toml"), include_str!("samples/steady.toml")];
    TEMPLATES.iter().map(|template| template.text).chain(samples).collect()
}

/// The files that library and samples name.
struct Known;

impl Files for Known {
    fn read(&self, name: &str) -> Result<String, String> {
        let template = TEMPLATES.iter().find(|template| template.name == "chat-tickets-blended").unwrap();
        Ok(match name {
            "trace.csv" => include_str!("samples/trace.csv"),
            "values.csv" => include_str!("samples/values.csv"),
            "histogram.csv" => include_str!("samples/histogram.csv"),
            _ => return template.read(name),
        }
        .to_owned())
    }
}

/// Pieces of TOML that are put into a scenario.
const PIECES: &[&str] = &[
    "\"",
    "'''",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\n",
    "\r\n",
    "#",
    "-1",
    "0",
    "1e308",
    "1e-320",
    "nan",
    "inf",
    "99999999999999999999",
    "0x7fffffffffffffff",
    "true",
    "2026-03-02",
    "24:00",
    "\"24:00\"",
    "待機",
    "\u{feff}",
    "\t",
    "\0",
    "[queue.x]\n",
    "[customers.x]\n",
    "overflow_queue = \"main\"\n",
    "[flow.main]\nsteps = []\n",
    "level = 2",
    "[run]\n",
    "\"\" = 1",
    "queue = \"\"",
    "days = [\"mon\", \"mon\"]",
    "weight = 1e-300",
    "shape = 1e12",
    "k",
    "_s = 1\n",
];

fn mutated() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0_usize..30, prop::sample::select(PIECES), any::<bool>());
    (prop::sample::select(texts()), prop::collection::vec(edit, 1..6)).prop_map(|(text, edits)| {
        let mut text = text.to_owned();
        for (at, length, piece, keep) in edits {
            let mut start = at.index(text.len() + 1);
            while !text.is_char_boundary(start) {
                start -= 1;
            }
            let mut end = (start + if keep { 0 } else { length }).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            text.replace_range(start..end, piece);
        }
        text
    })
}

/// A right scenario in which one value, found by its place, is another.
fn another_value() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just("0".to_owned()),
        Just("\"x\"".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("true".to_owned()),
        any::<f64>().prop_map(|value| format!("{value:e}")),
        any::<i64>().prop_map(|value| value.to_string()),
        (0_u32..40).prop_map(|value| value.to_string()),
        prop::sample::select(vec!["queue", "end", "chat", "ticket", "never", "hazard", "menu", "main", "ring-all"])
            .prop_map(|word| format!("\"{word}\"")),
    ];
    (prop::sample::select(texts()), any::<prop::sample::Index>(), value).prop_map(|(text, which, value)| {
        let places: Vec<usize> = text.match_indices("= ").map(|(at, _)| at + 2).collect();
        let start = places[which.index(places.len())];
        let end = text[start..].find([',', '\n', '}']).map_or(text.len(), |i| start + i);
        format!("{}{value}{}", &text[..start], &text[end..])
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutations_of_the_library(text in mutated()) {
        survive(&text, &Known);
    }

    #[test]
    fn other_values_in_the_library(text in another_value()) {
        survive(&text, &Known);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        survive(&String::from_utf8_lossy(&bytes), &NoFiles);
    }

    #[test]
    fn any_csv(csv in "[a-z_]{0,3}(interval|time|start|value_s|probability|from_s)?,(volume|end|count|to_s)?,?(count)?\r?\n([0-9:,.\"\\-\n# eT待]|2026-03-02|09:00|nan|1e400){0,60}", which in 0..6_usize) {
        let (base, key) = [
            ("", "arrivals = { forecast = \"f\" }"),
            ("[run]\ndate = 2026-03-02\n", "arrivals = { forecast = \"f\" }"),
            ("", "arrivals = { trace = \"f\" }"),
            ("", "arrivals = { per_hour = 1 }\npatience = { kind = \"empirical\", csv = \"f\" }"),
            ("", "arrivals = { per_hour = 1 }\npatience = { kind = \"quantiles\", csv = \"f\" }"),
            ("", "arrivals = { per_hour = 1 }"),
        ][which];
        let staff = if which == 5 { "roster = \"f\"" } else { "count = 1" };
        let text = format!("{base}[queue.q]\n[customers.c]\n{key}\nhandling = {{ talk = {{ mean_s = 60 }} }}\n[operators.o]\n{staff}\n");
        survive(&text, &Same(csv));
    }
}

#[test]
fn deep_nesting_is_told_not_overflown() {
    for depth in [10, 1000, 100_000] {
        let talk = "{ kind = \"mixture\", parts = [{ weight = 1, of = ".repeat(depth)
            + "{ mean_s = 1 }"
            + &" }] }".repeat(depth);
        survive(&format!("[queue.q]\n[customers.c]\nhandling = {{ talk = {talk} }}\n"), &NoFiles);
        survive(&("[".repeat(depth) + "a"), &NoFiles);
        survive(&("a = ".to_owned() + &"[".repeat(depth)), &NoFiles);
    }
}
