//! The reference tables, which are data beside the repository: each test that reads one says so where it is absent.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// A row by column name.
pub(crate) type Row = BTreeMap<String, String>;

/// The path of a reference file, or `None` (and a line saying so) where the data is absent.
pub(crate) fn path(name: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CALLFLOOR_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let path = root.join("reference").join(name);
    if path.exists() {
        return Some(path);
    }
    println!("skipped: no data at {}", path.display());
    None
}

/// The rows of a table; none (and a line saying so) where the data is absent.
pub(crate) fn table(name: &str) -> Vec<Row> {
    let Some(path) = path(name) else { return Vec::new() };
    let mut reader = csv::Reader::from_path(&path).expect("a readable table");
    let rows: Vec<_> = reader.deserialize().collect::<Result<_, _>>().expect("a well-formed table");
    assert!(!rows.is_empty(), "{name} has rows");
    rows
}

/// A number of a row.
pub(crate) fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{}: {column} {:?}", row["id"], row[column]))
}

/// A whole number of a row.
pub(crate) fn whole(row: &Row, column: &str) -> u32 {
    row[column].parse().unwrap_or_else(|_| panic!("{}: {column} {:?}", row["id"], row[column]))
}
