//! A test for every key: it can be read, leaving it out changes something, and a wrong value is told at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use toml::{Table as TomlTable, Value};

use super::Folder;
use super::shape::{Shape, Table};
use super::tables::{SCENARIO, TABLES};
use crate::Scenario;

/// A step from a value to one inside it.
#[derive(Debug, Clone)]
enum Into {
    Key(String),
    Item(usize),
}

/// Where a described key stands in a sample.
#[derive(Debug, Clone)]
struct Place {
    table: &'static str,
    key: &'static str,
    path: Vec<Into>,
}

fn places(table: &'static Table, value: &TomlTable, path: &[Into], found: &mut Vec<Place>) {
    for key in table.keys {
        if let Some(inner) = value.get(key.name) {
            let mut path = path.to_vec();
            path.push(Into::Key(key.name.to_owned()));
            found.push(Place { table: table.name, key: key.name, path: path.clone() });
            inside(&key.shape, inner, &path, found);
        }
    }
}

fn inside(shape: &'static Shape, value: &Value, path: &[Into], found: &mut Vec<Place>) {
    match (shape, value) {
        (Shape::Table(table), Value::Table(inner)) => places(table, inner, path, found),
        (Shape::List(of), Value::Array(items)) => {
            for (i, item) in items.iter().enumerate() {
                let mut path = path.to_vec();
                path.push(Into::Item(i));
                inside(of, item, &path, found);
            }
        }
        (Shape::Map(of, _), Value::Table(entries)) => {
            for (name, entry) in entries {
                let mut path = path.to_vec();
                path.push(Into::Key(name.clone()));
                inside(of, entry, &path, found);
            }
        }
        (Shape::Either(shapes), _) => shapes.iter().for_each(|shape| inside(shape, value, path, found)),
        _ => {}
    }
}

/// The value at a path, but for its last step, which must be a key.
fn parent<'v>(value: &'v mut TomlTable, path: &[Into]) -> &'v mut TomlTable {
    let Some((Into::Key(first), rest)) = path.split_first() else { panic!("a path begins with a key") };
    if rest.is_empty() {
        return value;
    }
    let mut inner = value.get_mut(first).unwrap();
    for step in &rest[..rest.len() - 1] {
        inner = match step {
            Into::Key(key) => inner.get_mut(key).unwrap(),
            Into::Item(i) => inner.get_mut(*i).unwrap(),
        };
    }
    inner.as_table_mut().unwrap()
}

fn samples() -> Vec<(String, TomlTable)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    let read = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        (name.to_owned(), text.parse::<TomlTable>().unwrap())
    };
    ["phone.toml", "blended.toml", "steady.toml"].map(read).to_vec()
}

fn parse(sample: &TomlTable) -> Result<Scenario, crate::Problems> {
    let folder = Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples"));
    Scenario::parse("sample.toml", &toml::to_string(sample).unwrap(), &folder)
}

#[test]
fn leaving_out_any_key_changes_the_scenario_or_is_told() {
    let mut without_effect: BTreeSet<(&str, &str)> =
        TABLES.iter().flat_map(|table| table.keys.iter().map(|key| (table.name, key.name))).collect();
    for (name, sample) in samples() {
        let whole = parse(&sample).unwrap_or_else(|problems| panic!("{name}: {problems}"));
        let mut found = Vec::new();
        places(&SCENARIO, &sample, &[], &mut found);
        for place in found {
            let mut less = sample.clone();
            parent(&mut less, &place.path).remove(place.key);
            if parse(&less).map_or(true, |other| other != whole) {
                without_effect.remove(&(place.table, place.key));
            }
        }
    }
    assert!(without_effect.is_empty(), "in no sample has leaving it out an effect: {without_effect:?}");
}

#[test]
fn a_wrong_type_of_any_key_is_told_at_its_place() {
    let mut untested: BTreeSet<(&str, &str)> =
        TABLES.iter().flat_map(|table| table.keys.iter().map(|key| (table.name, key.name))).collect();
    for (_, sample) in samples() {
        let mut found = Vec::new();
        places(&SCENARIO, &sample, &[], &mut found);
        for place in found {
            let mut wrong = sample.clone();
            let table = parent(&mut wrong, &place.path);
            let value = if table[place.key].is_bool() { Value::Integer(1) } else { Value::Boolean(true) };
            table.insert(place.key.to_owned(), value);
            let problems = parse(&wrong).expect_err(place.key);
            let told = |problem: &crate::Problem| {
                problem.message.contains(&format!("`{}` must be ", place.key)) && problem.source.contains(place.key)
            };
            assert!(problems.0.iter().any(told), "{place:?}: {problems}");
            untested.remove(&(place.table, place.key));
        }
    }
    assert!(untested.is_empty(), "in no sample: {untested:?}");
}

#[test]
fn every_default_is_a_value_that_the_key_takes() {
    for table in TABLES {
        let mut seen = BTreeMap::new();
        for key in table.keys {
            assert!(seen.insert(key.name, ()).is_none(), "{} has `{}` twice", table.name, key.name);
            let right = match (&key.default, &key.shape) {
                (super::shape::Default::None | super::shape::Default::Words(_), _) => true,
                (super::shape::Default::Number(value), Shape::Number(bounds)) => bounds.hold(*value),
                (super::shape::Default::Integer(value), Shape::Integer(low, high)) => (low..=high).contains(&value),
                (super::shape::Default::Text(word), Shape::Choice(words)) => words.contains(word),
                (super::shape::Default::Text(time), Shape::Time) => super::document::parse_time(time).is_some(),
                (super::shape::Default::Text(_), Shape::Text) | (super::shape::Default::Flag(_), Shape::Flag) => true,
                _ => false,
            };
            assert!(right, "the default of `{}` in {} is no value of it", key.name, table.name);
        }
    }
}
