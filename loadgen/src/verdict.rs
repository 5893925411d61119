//! Verdicts for machines: JUnit's XML, and annotations of GitHub's workflows.

use std::fmt::Write as _;
use std::time::Duration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use crate::figure::Judgement;
use crate::results::LoadResults;

/// One test case for each demand, and two for the run itself.
///
/// # Errors
/// Those of the document's writer.
pub fn to_junit(results: &LoadResults, judgements: &[Judgement]) -> Result<String, quick_junit::SerializeError> {
    let mut report = Report::new("callfloor load");
    let mut suite = TestSuite::new(results.settings.scenario.clone());
    let lasted = results.parts.iter().map(|part| part.lasted_us).max().unwrap_or(0);
    suite.set_time(Duration::from_micros(lasted));
    let mut add = |name: &str, met: bool, why: String| {
        let mut status = TestCaseStatus::success();
        if !met {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(why);
        }
        suite.add_test_case(TestCase::new(name, status));
    };
    let void = results.void();
    add("the run is not void", void.is_none(), void.unwrap_or_default());
    let missing = results.missing();
    add("every shard is here", missing.is_empty(), format!("missing: {missing:?}"));
    for judgement in judgements {
        add(&judgement.demand, judgement.met, judgement.to_string());
    }
    report.add_test_suite(suite);
    report.to_string()
}

/// One line for each demand that was missed, as GitHub's workflows read them from standard output.
#[must_use]
pub fn to_github(results: &LoadResults, judgements: &[Judgement]) -> String {
    let mut out = String::new();
    let mut annotate = |level: &str, title: &str, text: &str| {
        // A string takes what is written.
        let _ = writeln!(out, "::{level} title={title}::{}", escape(text));
    };
    let missing = results.missing();
    if !missing.is_empty() {
        annotate("error", "load run incomplete", &format!("nothing is here of shard {missing:?}"));
    }
    if let Some(void) = results.void() {
        annotate("error", "load run void", &void);
    }
    for judgement in judgements.iter().filter(|judgement| !judgement.met) {
        annotate("error", "load threshold missed", &judgement.to_string());
    }
    out
}

/// As GitHub's own toolkit escapes: line ends and `%`.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figure::{Demand, judge};
    use crate::results::tests::results;

    #[test]
    fn machines_are_told() {
        let results = results(1, 2, &[50_000; 10]);
        let demands = ["lag_p99_ms<=20", "count_calls>=10"].iter().map(|text| text.parse().expect("a demand"));
        let judged = judge(&results, &demands.collect::<Vec<Demand>>()).expect("judged");
        let xml = to_junit(&results, &judged).expect("a document");
        assert!(xml.contains("tests=\"4\"") && xml.contains("failures=\"4\""), "{xml}");
        assert!(xml.contains("lag_p99_ms &lt;= 20"), "{xml}");
        let github = to_github(&results, &judged);
        assert!(github.contains("::error title=load threshold missed::MISSED lag_p99_ms <= 20: 5"), "{github}");
        assert!(github.starts_with("::error title=load run incomplete::nothing is here of shard [2]\n"), "{github}");
        assert!(github.contains("::error title=load run void::the generator itself was late: 1 %25 of"), "{github}");
        assert_eq!(github.lines().count(), 4);
    }
}
