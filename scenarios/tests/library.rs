//! The scenarios of the library are right, and become the floor that they describe.

use std::collections::BTreeSet;
use std::path::Path;

use callfloor_scenario::{Scenario, TEMPLATES};

#[test]
fn every_scenario_is_right_and_becomes_a_floor() {
    let mut seen = BTreeSet::new();
    for entry in std::fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") && !path.ends_with("Cargo.toml") {
            let scenario = Scenario::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
            assert!(!scenario.description.is_empty(), "{} says nothing about itself", path.display());
            let plan = scenario.floor_plan().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(plan.entries.len(), scenario.classes.len());
            seen.insert(path.file_stem().unwrap().to_string_lossy().into_owned());
        }
    }
    for template in TEMPLATES {
        assert!(seen.contains(template.name), "{} is no file", template.name);
    }
    assert!(seen.len() >= 9, "only {seen:?}");
}

#[test]
fn templates_are_the_files() {
    for template in TEMPLATES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("{}.toml", template.name));
        let from_disk = Scenario::load(&path).unwrap_or_else(|problems| panic!("{problems}"));
        let embedded = Scenario::parse(&path.display().to_string(), template.text, template);
        assert_eq!(embedded.unwrap_or_else(|problems| panic!("{problems}")), from_disk);
    }
}

#[test]
fn the_readme_lists_every_template_with_its_summary() {
    let readme = include_str!("../README.md");
    for template in TEMPLATES.iter().filter(|template| template.files.is_empty()) {
        let row = format!("| `{}.toml` | {} |", template.name, template.summary);
        assert!(readme.contains(&row), "no row {row}");
    }
}
