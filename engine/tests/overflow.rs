//! Queues that are full, too slow or unattended: where their calls go.

mod support;
use support::check_only;

fn floor(step: &str, queue: &str) -> String {
    format!(
        "service shop inbound
           flow: {step}; queue billing full -> full timeout -> late; end; full: announcement 2s; end; late: queue spare; end; other: queue spare
           set login ready
         queue billing {queue}
         queue spare
         operator 1 queues billing
         operator 2 queues spare
         "
    )
}

#[test]
fn b4_a_full_queue_leads_elsewhere() {
    check_only(
        &format!("{}t=0 call a -> shop; call b -> shop; call c -> shop", floor("priority 0", "limit 2")),
        &["queued", "full", "entered"],
        "t=0 call a queued in queue billing
         call b queued in queue billing
         queue billing was full for call c
         call c entered step 3",
    );
}

#[test]
fn b10_the_maximum_wait_keeps_the_place_in_the_next_queue() {
    // a comes over after 30 s and is served before b, who was there first but came later.
    check_only(
        &format!(
            "{}t=0 call a -> shop
             t=5 call b -> shop step other
             t=31 log in operator 2",
            floor("priority 0", "max-wait 30s")
        ),
        &["left", "queued", "ring operator"],
        "t=0 call a queued in queue billing
         t=5 call b queued in queue spare
         t=30 call a left queue billing after 30 s: maximum wait
         call a queued in queue spare
         t=31 ring operator 2 for call a until 00:00:46.000 (offer 1)",
    );
}

#[test]
fn b4_the_maximum_wait_does_not_cut_a_ring() {
    check_only(
        &format!(
            "{}t=0 call a -> shop\nt=25 log in operator 1\nt=38 operator 1 answers",
            floor("priority 0", "max-wait 30s")
        ),
        &["left", "answered"],
        "t=38 operator 1 answered call a from queue billing after 38 s",
    );
    check_only(
        &format!("{}t=0 call a -> shop\nt=25 log in operator 1\nt=99 wait", floor("priority 0", "max-wait 30s")),
        &["left", "timed out"],
        "t=40 offer 1 of call a to operator 1 timed out after 15 s
         call a left queue billing after 40 s: maximum wait",
    );
}

#[test]
fn p14_overflow_by_length_by_wait_by_presence() {
    check_only(
        &format!("{}t=0 call a -> shop; call b -> shop", floor("overflow billing waiting 1 -> other", "")),
        &["queued"],
        "t=0 call a queued in queue billing
         call b queued in queue spare",
    );
    check_only(
        &format!(
            "{}t=0 call a -> shop\nt=19.999999 call b -> shop\nt=20 call c -> shop",
            floor("overflow billing longest 20s -> other", "")
        ),
        &["queued"],
        "t=0 call a queued in queue billing
         t=19.999999 call b queued in queue billing
         t=20 call c queued in queue spare",
    );
    check_only(
        &format!(
            "{}t=0 call a -> shop\nt=1 log in operator 1; operator 1 break; call b -> shop",
            floor("overflow billing nobody-logged-in -> other", "")
        ),
        &["queued"],
        "t=0 call a queued in queue spare
         t=1 call b queued in queue billing",
    );
    check_only(
        &format!(
            "{}t=1 log in operator 1; operator 1 break; call b -> shop\nt=2 operator 1 ready; call c -> shop",
            floor("overflow billing nobody-ready -> other", "")
        ),
        &["queued"],
        "t=1 call b queued in queue spare
         t=2 call c queued in queue billing",
    );
}

#[test]
fn b7_without_another_way_the_call_ends_and_says_why() {
    let floor =
        |option: &str| format!("service shop inbound\n  flow: queue billing\nqueue billing {option}\noperator 1\n");
    check_only(
        &format!("{}t=0 call a -> shop; call b -> shop", floor("limit 1")),
        &["ended"],
        "t=0 call b ended: queue full",
    );
    check_only(
        &format!("{}t=0 call a -> shop\nt=99 wait", floor("max-wait 30s")),
        &["ended"],
        "t=30 call a ended: maximum wait; wait 30 s, queue billing",
    );
}
