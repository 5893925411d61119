//! The words of the traits, one by one.

use callfloor_engine::Instant;
use callfloor_server::storage::{
    Batch, Entry, KEY_LIMIT, Listed, Range, Reader, Snapshot, StorageError, Write, key_of,
};

use crate::support::{Place, batch, both, entry, entry_of, journal, put};

both!(
    entries_come_back_in_order_and_stop_when_told,
    a_gap_or_a_repetition_is_refused,
    a_refused_batch_leaves_nothing,
    an_older_writer_is_fenced,
    a_put_replaces_body_and_keys,
    deletes_take_the_keys_along,
    of_two_changes_of_one_document_the_later_counts,
    lists_are_ordered_by_bytes_and_go_on_after_a_cursor,
    ranges_are_half_open_and_exact_keys_are_exact,
    documents_are_listed_by_number,
    long_keys_are_cut,
    great_numbers,
    long_lists,
    snapshots_the_newest_whole_one,
    snapshots_of_a_fenced_writer_are_refused,
    readers_see_only_what_is_committed,
    large_bodies_and_inputs,
    kinds_do_not_mix,
    nothing_in_nothing_out,
);

fn keys(found: &[Listed]) -> Vec<(&str, u64)> {
    found.iter().map(|one| (one.key.as_str(), one.document.id)).collect()
}

fn list(reader: &mut dyn Reader, range: &Range<'_>) -> Vec<Listed> {
    reader.list(range).expect("reads")
}

fn entries_come_back_in_order_and_stop_when_told(place: &Place) {
    let mut writer = place.writer();
    assert_eq!(writer.last_sequence().expect("reads"), 0);
    // More than any page.
    for first in (1..=5_000).step_by(500) {
        writer.commit(&batch(first..first + 500, vec![])).expect("commits");
    }
    assert_eq!(writer.last_sequence().expect("reads"), 5_000);
    let mut reader = place.reader();
    let all: Vec<Entry> = (1..=5_000).map(entry).collect();
    assert_eq!(journal(&mut *reader, 0), all);
    assert_eq!(journal(&mut *reader, 4_321), all[4_321..]);
    assert_eq!(journal(&mut *reader, 5_000), []);
    assert_eq!(journal(&mut *reader, u64::MAX), []);
    let mut found = 0;
    reader
        .entries(0, &mut |_| {
            found += 1;
            found < 1_500
        })
        .expect("reads");
    assert_eq!(found, 1_500);
    drop(writer);
    assert_eq!(journal(&mut *place.writer().reader().expect("opens"), 0), all);
}

fn a_gap_or_a_repetition_is_refused(place: &Place) {
    let mut writer = place.writer();
    writer.commit(&batch(1..=3, vec![])).expect("commits");
    for (sequence, last) in [(3, 3), (5, 3), (1, 3), (0, 3), (u64::MAX, 3)] {
        let refused = writer.commit(&batch([sequence], vec![]));
        assert!(
            matches!(refused, Err(StorageError::Sequence { last: l, found }) if l == last && found == sequence),
            "{sequence}: {refused:?}"
        );
    }
    writer.commit(&batch([4], vec![])).expect("commits");
    let early = Entry { sequence: 5, at: Instant::from_micros(3_999), input: vec![] };
    writer.commit(&Batch { entries: vec![early], writes: vec![] }).expect_err("its time is before that of entry 4");
    writer.commit(&batch([5], vec![])).expect("commits");
    assert_eq!(journal(&mut *place.reader(), 0).len(), 5);
}

fn a_refused_batch_leaves_nothing(place: &Place) {
    let mut writer = place.writer();
    writer.commit(&batch([1], vec![put("ticket", 1, "{}", &[("state", "new")])])).expect("commits");
    let writes = vec![put("ticket", 1, "[]", &[("state", "open")]), put("ticket", 2, "{}", &[])];
    writer.commit(&batch([2, 4], writes)).expect_err("entry 3 is missing");
    let bad = vec![put("ticket", 1, "[]", &[]), put("ticket", u64::MAX, "{}", &[])];
    writer.commit(&batch([2], bad)).expect_err("the number cannot be stored");
    let mut reader = place.reader();
    assert_eq!(journal(&mut *reader, 0), [entry(1)]);
    assert_eq!(reader.get("ticket", 1).expect("reads").expect("is there").body, "{}");
    assert_eq!(reader.get("ticket", 2).expect("reads"), None);
    assert_eq!(keys(&list(&mut *reader, &Range::with_key("ticket", "state", "new", 9))), [("new", 1)]);
    writer.commit(&batch([2], vec![])).expect("commits");
}

fn an_older_writer_is_fenced(place: &Place) {
    let mut older = place.writer();
    older.commit(&batch([1], vec![])).expect("commits");
    let mut newer = place.writer();
    assert!(newer.epoch() > older.epoch());
    let (ours, newest) = (older.epoch(), newer.epoch());
    let fenced = |result: Result<(), StorageError>| {
        assert!(
            matches!(result, Err(StorageError::Fenced { ours: o, found }) if o == ours && found == newest),
            "{result:?}"
        );
    };
    fenced(older.commit(&batch([2], vec![])));
    fenced(older.commit(&batch([], vec![put("ticket", 1, "{}", &[])])));
    newer.commit(&batch([2], vec![])).expect("commits");
    fenced(older.commit(&batch([3], vec![])));
    assert_eq!(place.reader().get("ticket", 1).expect("reads"), None);
    assert_eq!(newer.last_sequence().expect("reads"), 2);
}

fn a_put_replaces_body_and_keys(place: &Place) {
    let mut writer = place.writer();
    let first = put("ticket", 7, r#"{"a":1}"#, &[("state", "new"), ("word", "alpha"), ("word", "beta")]);
    writer.commit(&batch([], vec![first])).expect("commits");
    let second =
        put("ticket", 7, r#"{"a":2}"#, &[("state", "open"), ("word", "beta"), ("word", "gamma"), ("word", "beta")]);
    writer.commit(&batch([], vec![second])).expect("commits");
    let mut reader = place.reader();
    assert_eq!(reader.get("ticket", 7).expect("reads").expect("is there").body, r#"{"a":2}"#);
    let whole = |index| Range { index: Some(index), ..Range::all("ticket", 9) };
    assert_eq!(keys(&list(&mut *reader, &whole("state"))), [("open", 7)]);
    assert_eq!(keys(&list(&mut *reader, &whole("word"))), [("beta", 7), ("gamma", 7)]);
    assert_eq!(reader.count(&whole("word")).expect("reads"), 2);
    assert_eq!(reader.count(&Range::all("ticket", 0)).expect("reads"), 1);
}

fn deletes_take_the_keys_along(place: &Place) {
    let mut writer = place.writer();
    let writes = (1..=3).map(|id| put("ticket", id, "{}", &[("state", "new")])).collect();
    writer.commit(&batch([], writes)).expect("commits");
    let delete = |id| Write::Delete { kind: "ticket", id };
    writer.commit(&batch([1], vec![delete(2), delete(3), delete(99), delete(u64::MAX)])).expect("commits");
    let mut reader = place.reader();
    assert_eq!(keys(&list(&mut *reader, &Range::with_key("ticket", "state", "new", 9))), [("new", 1)]);
    assert_eq!(reader.get("ticket", 2).expect("reads"), None);
    assert_eq!(reader.last_id("ticket").expect("reads"), 1);
}

fn of_two_changes_of_one_document_the_later_counts(place: &Place) {
    let mut writer = place.writer();
    let delete = |id| Write::Delete { kind: "ticket", id };
    let writes = vec![
        put("ticket", 1, "1", &[("word", "a")]),
        put("ticket", 1, "2", &[("word", "b")]),
        put("ticket", 2, "1", &[("word", "a")]),
        delete(2),
        delete(3),
        put("ticket", 3, "3", &[("word", "c")]),
    ];
    writer.commit(&batch([], writes)).expect("commits");
    let mut reader = place.reader();
    let found = list(&mut *reader, &Range { index: Some("word"), ..Range::all("ticket", 9) });
    assert_eq!(keys(&found), [("b", 1), ("c", 3)]);
    assert_eq!(found[0].document.body, "2");
    assert_eq!(reader.count(&Range::all("ticket", 9)).expect("reads"), 2);
}

fn lists_are_ordered_by_bytes_and_go_on_after_a_cursor(place: &Place) {
    let mut writer = place.writer();
    // A language's own order would place these otherwise; U+FFFD precedes U+10000 in bytes, and follows it in UTF-16.
    let words = ["", "B", "a", "a\0", "a b", "a-b", "ab", "b", "z", "ß", "ä", "Ω", "я", "中", "\u{fffd}", "\u{10000}"];
    let mut expected: Vec<(&str, u64)> = Vec::new();
    let mut writes = Vec::new();
    for (number, word) in words.iter().enumerate() {
        for copy in 0..2 {
            let id = 100 - 2 * number as u64 + copy;
            writes.push(put("customer", id, "{}", &[("name", word)]));
            expected.push((word, id));
        }
    }
    writer.commit(&batch([], writes)).expect("commits");
    expected.sort_by(|a, b| (a.0.as_bytes(), a.1).cmp(&(b.0.as_bytes(), b.1)));
    let mut reader = place.reader();
    for descending in [false, true] {
        if descending {
            expected.reverse();
        }
        for limit in [1, 3, 7, 100] {
            let mut found: Vec<(String, u64)> = Vec::new();
            loop {
                let last = found.last().cloned();
                let after = last.as_ref().map(|(key, id)| (key.as_str(), *id));
                let range = Range { index: Some("name"), after, descending, ..Range::all("customer", limit) };
                let page = list(&mut *reader, &range);
                assert!(page.len() <= limit);
                if page.is_empty() {
                    break;
                }
                found.extend(page.into_iter().map(|one| (one.key, one.document.id)));
            }
            let found: Vec<(&str, u64)> = found.iter().map(|(key, id)| (key.as_str(), *id)).collect();
            assert_eq!(found, expected, "descending {descending}, limit {limit}");
        }
    }
}

fn ranges_are_half_open_and_exact_keys_are_exact(place: &Place) {
    let mut writer = place.writer();
    let words = ["", "a", "a\0", "aa", "ab", "b", "b\u{1}", "ba", "c"];
    let writes = (1..).zip(words).map(|(id, word)| put("ticket", id, "{}", &[("word", word)])).collect();
    writer.commit(&batch([], writes)).expect("commits");
    let mut reader = place.reader();
    for word in words {
        let exact = Range::with_key("ticket", "word", word, 9);
        assert_eq!(keys(&list(&mut *reader, &exact)).iter().map(|found| found.0).collect::<Vec<_>>(), [word]);
        assert_eq!(reader.count(&exact).expect("reads"), 1, "{word:?}");
    }
    assert_eq!(list(&mut *reader, &Range::with_key("ticket", "word", "nothing", 9)), []);
    for from in [None, Some(""), Some("a"), Some("aab"), Some("b"), Some("z")] {
        for to in [None, Some("a"), Some("ab"), Some("b\0"), Some("zz")] {
            for descending in [false, true] {
                let range = Range { index: Some("word"), from, to, descending, ..Range::all("ticket", 99) };
                let mut expected: Vec<&str> = words
                    .into_iter()
                    .filter(|word| from.is_none_or(|from| *word >= from) && to.is_none_or(|to| *word < to))
                    .collect();
                if descending {
                    expected.reverse();
                }
                let found = list(&mut *reader, &range);
                let found: Vec<&str> = found.iter().map(|one| one.key.as_str()).collect();
                assert_eq!(found, expected, "{range:?}");
                // Neither cursor nor limit counts.
                let counted = Range { after: Some(("b", 6)), limit: 1, ..range };
                assert_eq!(reader.count(&counted).expect("reads"), expected.len() as u64, "{range:?}");
                for most in [0, 2, 99, u64::MAX] {
                    let found = reader.count_up_to(&counted, most).expect("reads");
                    assert_eq!(found, most.min(expected.len() as u64), "{range:?} up to {most}");
                }
            }
        }
    }
    assert_eq!(list(&mut *reader, &Range { limit: 0, ..Range::all("ticket", 0) }), []);
    assert_eq!(list(&mut *reader, &Range { index: Some("other"), ..Range::all("ticket", 9) }), []);
}

fn documents_are_listed_by_number(place: &Place) {
    let mut writer = place.writer();
    let numbers = [0, 1, 2, 9, 10, 11, 100];
    let writes = numbers.map(|id| put("ticket", id, &format!("{id}"), &[])).to_vec();
    writer.commit(&batch([], writes)).expect("commits");
    let mut reader = place.reader();
    let found = list(&mut *reader, &Range::all("ticket", 99));
    let expected: Vec<(String, u64)> = numbers.iter().map(|&id| (key_of(id), id)).collect();
    assert_eq!(found.iter().map(|one| (one.key.clone(), one.document.id)).collect::<Vec<_>>(), expected);
    let (two, eleven) = (key_of(2), key_of(11));
    let range = Range { from: Some(&two), to: Some(&eleven), ..Range::all("ticket", 99) };
    let numbers = |found: Vec<Listed>| found.iter().map(|one| one.document.id).collect::<Vec<_>>();
    assert_eq!(numbers(list(&mut *reader, &range)), [2, 9, 10]);
    assert_eq!(numbers(list(&mut *reader, &Range { descending: true, ..range.clone() })), [10, 9, 2]);
    let nine = key_of(9);
    assert_eq!(numbers(list(&mut *reader, &Range { after: Some((&nine, 9)), ..range.clone() })), [10]);
    let below = Range { after: Some((&nine, 9)), descending: true, ..range.clone() };
    assert_eq!(numbers(list(&mut *reader, &below)), [2]);
    assert_eq!(numbers(list(&mut *reader, &Range { to: Some(""), ..range.clone() })), [2]);
    assert_eq!(reader.count(&range).expect("reads"), 3);
    assert_eq!(reader.last_id("ticket").expect("reads"), 100);
    assert_eq!(reader.last_id("customer").expect("reads"), 0);
}

fn long_keys_are_cut(place: &Place) {
    let mut writer = place.writer();
    let long = "ä".repeat(KEY_LIMIT);
    writer.commit(&batch([], vec![put("ticket", 1, "{}", &[("word", &long)])])).expect("commits");
    let mut reader = place.reader();
    let found = list(&mut *reader, &Range::with_key("ticket", "word", &long, 9));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].key, "ä".repeat(KEY_LIMIT / 2));
    writer.commit(&batch([], vec![put("ticket", 1, "{}", &[])])).expect("commits");
    assert_eq!(list(&mut *reader, &Range::with_key("ticket", "word", &long, 9)), []);
}

fn great_numbers(place: &Place) {
    let mut writer = place.writer();
    let greatest = i64::MAX.unsigned_abs();
    writer.commit(&batch([], vec![put("ticket", greatest, "{}", &[("word", "a")])])).expect("commits");
    let mut reader = place.reader();
    assert_eq!(reader.last_id("ticket").expect("reads"), greatest);
    assert_eq!(keys(&list(&mut *reader, &Range::with_key("ticket", "word", "a", 9))), [("a", greatest)]);
    assert_eq!(list(&mut *reader, &Range::all("ticket", usize::MAX)).len(), 1);
    assert_eq!(reader.get("ticket", u64::MAX).expect("reads"), None);
    writer.commit(&batch([], vec![put("ticket", greatest + 1, "{}", &[])])).expect_err("too great");
}

fn long_lists(place: &Place) {
    const MANY: u64 = 100_000;
    let mut writer = place.writer();
    for first in (0..MANY).step_by(5_000) {
        let writes = (first..first + 5_000)
            .map(|id| put("customer", id, "{}", &[("parity", if id % 2 == 0 { "even" } else { "odd" })]))
            .collect();
        writer.commit(&batch([], writes)).expect("commits");
    }
    let mut reader = place.reader();
    assert_eq!(reader.count(&Range::all("customer", 0)).expect("reads"), MANY);
    let odd = Range::with_key("customer", "parity", "odd", usize::MAX);
    assert_eq!(reader.count(&odd).expect("reads"), MANY / 2);
    let found = list(&mut *reader, &odd);
    assert!(found.iter().map(|one| one.document.id).eq((1..MANY).step_by(2)));
    assert_eq!(list(&mut *reader, &Range::all("customer", usize::MAX)).len(), 100_000);
    // The middle is found without what lies before it: a thousand pages from there take no longer than they should.
    let begun = std::time::Instant::now();
    for id in (50_001..52_001).step_by(2) {
        let page = list(&mut *reader, &Range { after: Some(("odd", id)), limit: 10, ..odd.clone() });
        assert_eq!(page[0].document.id, id + 2);
        let page = list(&mut *reader, &Range { after: Some(("odd", id)), limit: 10, descending: true, ..odd.clone() });
        assert_eq!(page[0].document.id, id - 2);
    }
    assert!(begun.elapsed().as_secs() < 20, "2,000 pages of 10 took {:?}: is the index used?", begun.elapsed());
}

fn snapshots_the_newest_whole_one(place: &Place) {
    let mut writer = place.writer();
    assert_eq!(writer.latest_snapshot().expect("reads"), None);
    let snapshot = |sequence: u64, length: usize| Snapshot {
        sequence,
        bytes: (0..length).map(|at| u8::try_from((at as u64 * 31 + sequence) % 251).expect("small")).collect(),
    };
    writer.put_snapshot(&snapshot(0, 10)).expect("keeps");
    assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(0, 10)));
    writer.commit(&batch(1..=9, vec![])).expect("commits");
    for (sequence, length) in [(3, 0), (5, 9_000_000), (9, 5)] {
        writer.put_snapshot(&snapshot(sequence, length)).expect("keeps");
        assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(sequence, length)));
    }
    // The same one again, as after a restart; and by a keeper, on a thread of its own.
    writer.put_snapshot(&snapshot(9, 6)).expect("keeps");
    let mut keeper = writer.keeper().expect("opens");
    let kept = std::thread::spawn(move || keeper.put(&snapshot(8, 3)));
    kept.join().expect("ends").expect("keeps");
    let refused = writer.put_snapshot(&snapshot(10, 5));
    assert!(matches!(refused, Err(StorageError::Sequence { last: 9, found: 10 })), "{refused:?}");
    drop(writer);
    let mut writer = place.writer();
    assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(9, 6)));
    writer.put_snapshot(&snapshot(9, 7)).expect("keeps");
    assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(9, 7)));
    assert_eq!(journal(&mut *place.reader(), 0).len(), 9, "the journal stays whole");
}

fn snapshots_of_a_fenced_writer_are_refused(place: &Place) {
    let mut older = place.writer();
    older.commit(&batch([1, 2], vec![])).expect("commits");
    let mut keeper = older.keeper().expect("opens");
    let snapshot = |sequence, byte| Snapshot { sequence, bytes: vec![byte; 100] };
    keeper.put(&snapshot(1, 1)).expect("keeps");
    let mut newer = place.writer();
    for refused in [older.put_snapshot(&snapshot(2, 2)), keeper.put(&snapshot(2, 2))] {
        assert!(matches!(refused, Err(StorageError::Fenced { .. })), "{refused:?}");
    }
    assert_eq!(newer.latest_snapshot().expect("reads"), Some(snapshot(1, 1)));
}

fn readers_see_only_what_is_committed(place: &Place) {
    let mut writer = place.writer();
    let mut reader = writer.reader().expect("opens");
    let writes =
        |round: u64| (1..=50).map(|id| put("ticket", id, &format!("{round}"), &[("round", &key_of(round))])).collect();
    writer.commit(&batch([1], writes(1))).expect("commits");
    let reading = std::thread::spawn(move || {
        let mut rounds = 0;
        loop {
            let found = reader.list(&Range { index: Some("round"), ..Range::all("ticket", 99) }).expect("reads");
            let bodies: std::collections::BTreeSet<&str> = found.iter().map(|one| one.document.body.as_str()).collect();
            assert_eq!((found.len(), bodies.len()), (50, 1), "half a commit was read");
            rounds += 1;
            if bodies.contains("60") {
                return rounds;
            }
        }
    });
    for round in 2..=60 {
        writer.commit(&batch([round], writes(round))).expect("commits");
    }
    assert!(reading.join().expect("ends") > 0);
}

fn large_bodies_and_inputs(place: &Place) {
    let mut writer = place.writer();
    let body = format!("\"{}\"", "Grüße \u{1f600} \\u0000 ".repeat(100_000));
    let input: Vec<u8> = (0..3_000_000_u32).map(|at| at.to_le_bytes()[1]).collect();
    let entries = vec![entry_of(1, input), entry_of(2, vec![])];
    writer.commit(&Batch { entries: entries.clone(), writes: vec![put("note", 1, &body, &[])] }).expect("commits");
    let mut reader = place.reader();
    assert_eq!(journal(&mut *reader, 0), entries);
    assert_eq!(reader.get("note", 1).expect("reads").expect("is there").body, body);
}

fn kinds_do_not_mix(place: &Place) {
    let mut writer = place.writer();
    let writes =
        vec![put("a", 1, "1", &[("x", "k"), ("y", "k")]), put("b", 1, "2", &[("x", "k")]), put("ab", 1, "3", &[])];
    writer.commit(&batch([], writes)).expect("commits");
    writer.commit(&batch([], vec![Write::Delete { kind: "b", id: 1 }])).expect("commits");
    let mut reader = place.reader();
    assert_eq!(reader.get("a", 1).expect("reads").expect("is there").body, "1");
    assert_eq!(reader.get("b", 1).expect("reads"), None);
    for index in ["x", "y"] {
        assert_eq!(keys(&list(&mut *reader, &Range::with_key("a", index, "k", 9))), [("k", 1)]);
    }
    assert_eq!(list(&mut *reader, &Range::with_key("b", "x", "k", 9)), []);
    assert_eq!(reader.count(&Range::all("ab", 9)).expect("reads"), 1);
}

fn nothing_in_nothing_out(place: &Place) {
    let mut writer = place.writer();
    writer.commit(&Batch::default()).expect("commits nothing");
    let mut reader = place.reader();
    assert_eq!(journal(&mut *reader, 0), []);
    assert_eq!(list(&mut *reader, &Range::all("ticket", 9)), []);
    assert_eq!(reader.count(&Range::all("ticket", 9)).expect("reads"), 0);
    drop(place.writer());
    // Even nothing is refused where another has taken over: the caller learns it at once.
    assert!(matches!(writer.commit(&Batch::default()), Err(StorageError::Fenced { .. })));
}
