//! Requirements that relax as the wait grows, while the place is kept.

mod support;
use support::check_only;

const FLOOR: &str = "
skill english
skill german
service shop inbound
  flow: queue billing
  set login ready
queue billing needs english>=5, german>=1 first-level 1 relax after 10s proficiency 2, after 20s drop german, after 30s level 3
operator 1 skills english=9, german=9 queues billing level 2
operator 2 skills english=2 queues billing level 1
operator 3 skills english=3, german=2 queues billing level 1
";

#[test]
fn b4_each_relaxation_is_tried_at_its_own_moment() {
    check_only(
        &format!(
            "{FLOOR}t=0 log in operator 1; log in operator 2; log in operator 3\nt=1 call a -> shop; call b -> shop; call c -> shop\nt=12 operator 3 answers\nt=22 operator 2 answers\nt=32 operator 1 answers\nt=99 wait"
        ),
        &["relaxed", "ring operator"],
        "t=11 needs of call a relaxed 1×
         ring operator 3 for call a until 00:00:26.000 (offer 1)
         needs of call b relaxed 1×
         needs of call c relaxed 1×
         t=21 needs of call b relaxed 2×
         ring operator 2 for call b until 00:00:36.000 (offer 2)
         needs of call c relaxed 2×
         t=31 needs of call c relaxed 3×
         ring operator 1 for call c until 00:00:46.000 (offer 3)",
    );
}

#[test]
fn b10_the_place_is_kept_over_every_relaxation() {
    // b asks for less from the start of its relaxation, but a came first.
    check_only(
        &format!("{FLOOR}t=0 call a -> shop\nt=5 call b -> shop\nt=40 log in operator 2; log in operator 1"),
        &["ring operator"],
        "t=40 ring operator 2 for call a until 00:00:55.000 (offer 1)
         ring operator 1 for call b until 00:00:55.000 (offer 2)",
    );
}

#[test]
fn b4_a_call_that_is_recovered_asks_for_no_more_than_before() {
    check_only(
        &format!("{FLOOR}t=0 log in operator 3; call a -> shop\nt=40 log in operator 1"),
        &["ring operator", "back"],
        "t=10 ring operator 3 for call a until 00:00:25.000 (offer 1)
         t=25 call a went back to queue billing
         t=40 ring operator 1 for call a until 00:00:55.000 (offer 2)",
    );
}
