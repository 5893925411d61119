//! `callfloor compare` of two load runs.

use std::path::Path;

use callfloor_load::compare::{compare, to_text};
use callfloor_load::{FORMAT, LoadResults};

use crate::ending::{Ending, Failure, print, write_file};

/// The results of a load run, where the file is one of them by its name and its format.
pub(crate) fn read(path: &Path) -> Result<Option<LoadResults>, Failure> {
    if path.extension().is_none_or(|extension| !extension.eq_ignore_ascii_case("json")) {
        return Ok(None);
    }
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, "read", &error))?;
    let format =
        |text: &str| serde_json::from_str::<serde_json::Value>(text).ok()?["format"].as_str().map(str::to_owned);
    if format(&text).is_none_or(|format| format != FORMAT) {
        return Ok(None);
    }
    LoadResults::from_json(&text).map(Some).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))
}

/// Compares B with A; as JSON to `json`, else as text.
pub(crate) fn run(a: &LoadResults, b: &LoadResults, json: Option<&Path>, quiet: bool) -> Result<Ending, Failure> {
    let differences = compare(a, b).map_err(Failure::input)?;
    let document = || serde_json::to_string_pretty(&differences).map_err(|error| Failure::Fault(error.to_string()));
    match json {
        Some(file) if file == Path::new("-") => print(&document()?)?,
        Some(file) => {
            write_file(file, &document()?)?;
            if !quiet {
                print(&to_text(&differences))?;
            }
        }
        None if quiet => {}
        None => print(&to_text(&differences))?,
    }
    Ok(Ending::Met)
}
