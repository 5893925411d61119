//! The script language's own documentation holds.

mod support;

use callfloor_engine::script::Script;

const DOCUMENT: &str = include_str!("../SCRIPT.md");

fn block(kind: &str) -> &'static str {
    let fence = format!("```{kind}\n");
    let start = DOCUMENT.find(&fence).expect("the block is there") + fence.len();
    &DOCUMENT[start..start + DOCUMENT[start..].find("```").expect("the block ends")]
}

#[test]
fn the_documented_example_prints_what_is_documented() {
    let lines = Script::parse(block("script")).unwrap().run_checked();
    let printed: String = lines.iter().map(|line| format!("{line}\n")).collect();
    assert_eq!(printed, block("output"));
}

#[test]
fn reconfigure_changes_what_it_names_and_a_restart_changes_nothing() {
    support::check(
        &format!(
            "{}t=0 log in operator 1\nt=1 reconfigure\n  service shop no-outbound\nt=2 restart\n\
             t=3 operator 1 dials +8190 from +81311112222\nt=4 explain call 1\nt=5 call a -> shop\nt=6 explain call a\n",
            support::FLOOR
        ),
        "t=0 operator 1: LoggedOut -> Ready
         t=3 refused: service shop has no contract for outbound calls
         t=4 refused: call 1 does not exist, or no longer
         ...
         t=6 call a in queue billing, 0 ahead, policy LongestIdle(LastCall)
         operator 1: rings
         operator 2: no: status LoggedOut
         operator 3: no: status LoggedOut",
    );
}
