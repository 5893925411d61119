//! The same commands give the same bytes, from the beginning and from every snapshot.

mod support;

use callfloor_engine::script::Script;
use callfloor_engine::{Engine, Event, Output, RestoreError};

/// A busy floor: every kind of work, every kind of end.
const BUSY: &str = "
skill english
service shop inbound outbound
  flow: announcement 3s; callback billing digit 1 4s; queue billing timeout -> out; end; out: voicemail 10s queue mail
  outgoing 5
  set login ready; miss stays-ready break after 2; after-call 20s prompt 10s; return-after 90s; callback-retry 30s
  set first-response 40s; resolution 80s; close-after 100s
queue billing needs english>=2 head-start 30s relax after 15s proficiency 1 max-wait 120s last-operator 10s
queue team ring-all
queue talk chat least-occupied
queue mail ticket round-robin
operator 1 skills english=5 chats 2 tickets 1
operator 2 skills english=1 chats 1 tickets 2
operator 3 skills english=9 tickets 1
t=0 log in operator 1; log in operator 2; log in operator 3; operator 1 chats available; operator 2 chats available
t=1 call a -> shop customer 9; chat x -> talk; ticket m -> shop queue mail
t=2 call b -> shop step 2 priority 1; call c -> shop step 2; call d -> shop from +8190
t=3 operator 1 answers
t=4 call d playback ends
t=5 call d presses 1; operator 2 answers chat x
t=6 operator 3 answers
t=9 operator 3 holds
t=10 operator 3 consults operator 2
t=12 operator 3 cancels consult
t=13 operator 3 releases
t=20 wait
t=25 operator 3 forces end abuse
t=28 operator 1 loses device
t=33 operator 1 regains device
t=40 operator 2 break
t=45 call e -> shop step 2 prefers operator 3
t=60 operator 3 ready
t=61 operator 3 answers
t=70 operator 3 transfers to number 77
t=75 target of call e answers
t=80 reconfigure
  operator 4 skills english=3
t=81 log in operator 4
t=85 operator 4 answers
t=90 call e hangs up
t=99 operator 4 dials 88 from 5
t=120 operator 1 ready; operator 2 ready
t=150 operator 2 answers
t=300 wait
";

#[test]
fn b8_a_restart_at_every_point_changes_no_output() {
    let script = Script::parse(BUSY).unwrap();
    let whole = script.run_checked();
    assert!(whole.len() > 150, "the floor is busy: {}", whole.len());
    for point in 0..=script.len() {
        let mut player = script.play();
        player.check_always();
        for _ in 0..point {
            assert!(player.step());
        }
        player.restart().unwrap();
        while player.step() {}
        let lines = player.into_lines();
        if lines != whole {
            let first = lines.iter().zip(&whole).find(|(a, b)| a != b);
            panic!("restarted after {point} commands, the first difference is {first:?}");
        }
    }
}

#[test]
fn b8_a_snapshot_of_a_restored_engine_is_the_same_bytes() {
    let script = Script::parse(BUSY).unwrap();
    let mut player = script.play();
    while player.step() {
        let bytes = player.engine().snapshot();
        assert!(Engine::restore(&bytes).unwrap().snapshot() == bytes);
    }
}

#[test]
fn b20_two_runs_are_the_same_bytes() {
    let script = Script::parse(BUSY).unwrap();
    let end = || {
        let mut player = script.play();
        while player.step() {}
        (player.engine().snapshot(), player.into_lines())
    };
    assert!(end() == end());
}

#[test]
fn b8_a_damaged_snapshot_is_refused() {
    let script = Script::parse(BUSY).unwrap();
    let mut player = script.play();
    for _ in 0..25 {
        player.step();
    }
    let bytes = player.engine().snapshot();
    assert!(Engine::restore(&bytes).is_ok());
    assert_eq!(Engine::restore(&[]).err(), Some(RestoreError::Foreign));
    assert_eq!(Engine::restore(b"not a snapshot at all").err(), Some(RestoreError::Foreign));
    for length in 0..bytes.len() {
        assert!(Engine::restore(&bytes[..length]).is_err(), "cut to {length} of {}", bytes.len());
    }
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 1 << (place % 8);
        assert!(Engine::restore(&damaged).is_err(), "a bit of byte {place} flipped");
    }
    let mut newer = bytes.clone();
    newer[4] = 99;
    assert!(matches!(Engine::restore(&newer), Err(RestoreError::Version { found: 99, .. })));
}

#[test]
fn b7_the_counts_are_identities() {
    let lines = support::run(BUSY);
    let events = || {
        lines.iter().filter_map(|line| match &line.said {
            callfloor_engine::script::Said::Output(Output::Event(event)) => Some(event),
            _ => None,
        })
    };
    let begun = events().filter(|e| matches!(e, Event::CallArrived { .. } | Event::DialStarted { .. })).count();
    let ended: Vec<_> =
        events().filter_map(|e| if let Event::CallEnded(record) = e { Some(record.call) } else { None }).collect();
    let mut once = ended.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), ended.len(), "each call ends once");
    let script = Script::parse(BUSY).unwrap();
    let mut player = script.play();
    while player.step() {}
    assert_eq!(begun, ended.len() + player.engine().live_calls(), "begun = ended + live");
    let offers = events().filter(|e| matches!(e, Event::OfferMade { .. })).count();
    let over = events().filter(|e| matches!(e, Event::OfferEnded { .. })).count();
    assert!(offers >= over && over > 10, "{offers} {over}");
}
