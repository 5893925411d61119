//! The reference of the scenario format as a page of Markdown, made from the same description as the checks.

use callfloor_measure::{Metric, Unit};

use crate::file::shape::{Default, Key, Shape};
use crate::file::tables::TABLES;

/// The text around the tables of keys.
const INTRODUCTION: &str = include_str!("reference/introduction.md");
const CSV_FILES: &str = include_str!("reference/csv.md");

/// The page `docs/scenario-format.md`: every table and key with unit and default, the CSV files, the figures.
///
/// A test compares the page in the repository with it, so that the page cannot go stale.
#[must_use]
pub fn format_reference() -> String {
    let mut page = INTRODUCTION.to_owned();
    for table in TABLES {
        page.push_str(&format!("\n### {}\n\n{}\n\n", heading(table.name), table.doc));
        page.push_str("| key | what stands there | without it | meaning |\n|---|---|---|---|\n");
        for key in table.keys {
            let row = format!("| `{}` | {} | {} | {} |\n", key.name, what(&key.shape), default(key), key.doc);
            page.push_str(&row);
        }
        if table.name == "distribution" {
            page.push_str("\n| kind | takes |\n|---|---|\n");
            for (kind, keys) in crate::file::spans::kinds_in_words() {
                page.push_str(&format!("| `{kind}` | {keys} |\n"));
            }
        }
    }
    page.push('\n');
    page.push_str(CSV_FILES);
    page.push_str("\n## Figures\n\nNames for thresholds and for the precision of a run.\n\n");
    page.push_str("| name | unit | of | definition |\n|---|---|---|---|\n");
    for metric in Metric::ALL {
        let unit = match metric.unit() {
            Unit::Share => "share",
            Unit::Seconds => "seconds",
            Unit::Count => "number",
            Unit::Erlangs => "erlangs",
        };
        let of = if metric.of_operators() { "operators" } else { "contacts" };
        page.push_str(&format!("| `{}` | {unit} | {of} | {} |\n", metric.name(), metric.definition()));
    }
    page
}

/// Where a table stands in a file, for the heading.
fn heading(name: &str) -> String {
    match name {
        "scenario" => "The file".into(),
        "run" | "blending" => format!("`[{name}]`"),
        "precision" => "`[run.precision]`".into(),
        "service" | "queue" | "flow" | "customers" | "operators" | "campaign" => format!("`[{name}.NAME]`"),
        "threshold" => "`[[thresholds]]`".into(),
        "distribution" => "Distributions".into(),
        _ => name.replace('_', " "),
    }
}

/// What may stand at a place, in words.
fn what(shape: &Shape) -> String {
    match shape {
        Shape::Text => "string".into(),
        Shape::Choice(words) => words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", "),
        Shape::List(of) => format!("list of: {}", what(of)),
        Shape::Table(table) => format!("[{}](#{})", table.name, anchor(&heading(table.name))),
        Shape::Map(of, names) => match of {
            Shape::Table(_) => format!("table of {names}: {}", what(of)),
            _ => format!("table: {names}"),
        },
        Shape::Either(shapes) => shapes.iter().map(what).collect::<Vec<_>>().join("; or "),
        Shape::Time => "time of day, `\"08:30\"`".into(),
        Shape::Date => "date, `2026-03-02`".into(),
        other => other.expected(),
    }
}

/// The anchor that renderers make of a heading: lower case, spaces to hyphens, no punctuation.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

fn default(key: &Key) -> String {
    match key.default {
        _ if key.required => "an error".into(),
        Default::None => "—".into(),
        Default::Number(number) => format!("{number}"),
        Default::Integer(number) => format!("{number}"),
        Default::Flag(flag) => format!("{flag}"),
        Default::Text(text) => format!("`\"{text}\"`"),
        Default::Words(words) => words.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_in_the_repository_is_this_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/scenario-format.md");
        if std::env::var_os("CALLFLOOR_RENEW").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs")).unwrap();
            std::fs::write(path, format_reference()).unwrap();
        }
        let page = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            page == format_reference(),
            "docs/scenario-format.md is stale; renew it with CALLFLOOR_RENEW=1 cargo test -p callfloor-scenario reference"
        );
    }

    #[test]
    fn the_smallest_scenario_of_the_page_is_right_and_short() {
        let page = format_reference();
        let example = page.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
        let scenario = crate::Scenario::parse("smallest.toml", example, &crate::NoFiles);
        assert_eq!(scenario.unwrap_or_else(|problems| panic!("{problems}")).name, "smallest");
        assert!(example.lines().count() < 20);
    }

    #[test]
    fn every_link_of_the_page_has_its_heading() {
        let page = format_reference();
        let anchors: Vec<String> = page
            .lines()
            .filter_map(|line| line.strip_prefix("### ").or(line.strip_prefix("## ")))
            .map(anchor)
            .collect();
        for link in page.split("](#").skip(1) {
            let target = link.split(')').next().unwrap();
            assert!(anchors.iter().any(|anchor| anchor == target), "no heading for #{target}");
        }
    }
}
