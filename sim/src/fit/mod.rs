//! Calibration: from a call log to a scenario.
//!
//! [`log`] reads the calls; each other file estimates one part of a scenario from them.

pub mod answer;
pub mod arrivals;
pub mod calibration;
pub mod columns;
pub mod duty;
pub mod handling;
pub mod log;
pub mod patience;
pub mod print;
pub mod statistics;

/// A file of the shared data, or `None` with a message where it is absent.
///
/// The data lies where `CALLFLOOR_DATA` says, else beside the repository.
#[cfg(test)]
pub(crate) fn test_data(file: &str) -> Option<std::path::PathBuf> {
    let beside = || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = std::env::var_os("CALLFLOOR_DATA").map_or_else(beside, std::path::PathBuf::from).join(file);
    if path.is_file() {
        return Some(path);
    }
    println!("skipped: no data at {}", path.display());
    None
}
