//! `callfloor replay --operators`: the same bytes with marks in the journal and without, and the report as one page.

#[path = "../../server/tests/support/days.rs"]
mod days;

use std::path::Path;

use assert_cmd::cargo::cargo_bin;
use callfloor_server::planning::Marks;
use callfloor_server::storage::sqlite::SqliteReader;
use predicates::prelude::predicate;

fn replay(directory: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
    command.arg("replay").arg(directory).args(["--operators", "calls=+1", "--replications", "5"]).args(more).assert()
}

#[test]
fn a_day_is_answered_with_the_same_bytes_from_a_mark_and_its_report_is_one_page() {
    let made = tempfile::tempdir().unwrap();
    let directory = made.path().join("main");
    days::write(&directory, 5, 8, 4_000);
    let asked: [&[&str]; 3] =
        [&["--json"], &["--json", "--date", "2026-03-03"], &["--json", "--date", "2026-03-04", "--zone", "Asia/Tokyo"]];
    let said = || asked.map(|more| replay(&directory, more).success().get_output().stdout.clone());
    let page = made.path().join("day.html");
    let html = ["--date", "2026-03-03", "--html", page.to_str().unwrap()];
    let without = said();
    replay(&directory, &html).success();
    let page_without = std::fs::read_to_string(&page).unwrap();
    assert!(!directory.join("days").exists(), "a replay changes nothing");
    Marks::beside(&directory).catch_up(&mut SqliteReader::open(&directory).unwrap(), None).unwrap();
    assert!(said() == without, "another answer");

    // The text is printed beside the page; the page is the same too.
    let text = replay(&directory, &html).success();
    text.stdout(predicate::str::starts_with("2026-03-03, "));
    let html_text = std::fs::read_to_string(&page).unwrap();
    assert!(html_text == page_without, "another page");
    for outside in ["http://", "https://", "src=", "href=", "url(", "@import", "<script", "<link", "<img", "//"] {
        assert!(!html_text.contains(outside), "{outside} in the report");
    }
    assert!(html_text.find("class=\"answer").unwrap() < html_text.find("<svg").unwrap(), "the answer comes first");
    assert_eq!(html_text.matches("<svg class=\"wide\"").count(), 4);
    assert!(html_text.contains("<h1>2026-03-03, ") && html_text.contains("1 more for &#34;calls"), "{html_text}");
    assert!(html_text.contains("<title>00:00\nhappened: "), "hovering tells the numbers");
    // The figures are those of the document.
    let told: serde_json::Value = serde_json::from_slice(&without[1]).unwrap();
    let in_time = told["actual"]["answered_in_time_share"].as_f64().unwrap() * 100.0;
    assert!(html_text.contains(&format!("<td>{in_time:.1}</td>")), "{in_time}");
    if let Ok(path) = std::env::var("CALLFLOOR_REPORT") {
        std::fs::write(path, &html_text).unwrap();
    }
}

#[test]
fn a_page_that_cannot_be_written_is_said_before_the_day_is_read() {
    let made = tempfile::tempdir().unwrap();
    let directory = made.path().join("main");
    days::write(&directory, 5, 2, 500);
    let nowhere = made.path().join("nowhere").join("day.html");
    replay(&directory, &["--html", nowhere.to_str().unwrap()]).failure().stderr(predicate::str::contains("day.html"));
    let both = replay(&directory, &["--json", "--html", "-"]).failure();
    both.stderr(predicate::str::contains("only one of --json and --html can go to stdout"));
    let mut alone = assert_cmd::Command::new(cargo_bin("callfloor"));
    alone.arg("replay").arg(&directory).args(["--html", "day.html"]).assert().failure();
}
