//! A text that is wrong in very many places is told in moments: whoever sent it may have sent it to a server.

use std::time::{Duration, Instant};

use callfloor_scenario::{NoFiles, Scenario, template};

#[test]
fn a_long_line_full_of_mistakes_is_read_in_moments() {
    let ready = template("support-line").expect("it is in the library");
    let wrong = "\"x\", ".repeat(20_000);
    let text = ready.text.replacen("counts = [", &format!("counts = [{wrong}"), 1);
    assert!(text.len() > 100_000);
    let begun = Instant::now();
    let problems = Scenario::parse("x.toml", &text, &NoFiles).expect_err("it is wrong");
    let took = begun.elapsed();
    assert!((1..=100).contains(&problems.0.len()), "{} mistakes are told", problems.0.len());
    assert!(problems.render(false).len() < 100_000);
    assert!(took < Duration::from_secs(10), "{took:?}");
}
