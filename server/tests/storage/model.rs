//! Random batches and questions, beside a model that keeps everything in ordered maps.

use std::collections::{BTreeMap, BTreeSet};

use callfloor_server::storage::{Batch, Entry, IndexKey, Listed, Range, StorageError, Stored, Write, key_of};

use crate::support::{Address, Place, Random, both, entry_of, journal};

both!(random_batches_and_questions);

const KINDS: [&str; 3] = ["ticket", "customer", "ticket-note"];
const INDEXES: [&str; 3] = ["state", "name", "at"];
const WORDS: [&str; 12] = ["", "a", "A", "aa", "a\0", "ä", "ab", "b", "中", "\u{10ffff}", "00000000000000000007", "z"];
const SEEDS: u64 = 8;
const STEPS: u64 = 250;

/// A body, and what it is found by.
type Document = (String, BTreeSet<(&'static str, String)>);

struct Model {
    journal: Vec<Entry>,
    documents: BTreeMap<(&'static str, u64), Document>,
}

impl Model {
    fn commit(&mut self, batch: &Batch) {
        self.journal.extend(batch.entries.iter().cloned());
        for write in &batch.writes {
            match write {
                Write::Put { kind, id, body, keys } => {
                    let keys = keys.iter().map(|key| (key.index, key.key.clone())).collect();
                    self.documents.insert((kind, *id), (body.clone(), keys));
                }
                Write::Delete { kind, id } => {
                    self.documents.remove(&(*kind, *id));
                }
            }
        }
    }

    /// Everything in a range but for its cursor and limit, by looking at every document.
    fn within(&self, range: &Range<'_>) -> Vec<Listed> {
        let mut found: Vec<Listed> = Vec::new();
        for ((kind, id), (body, keys)) in &self.documents {
            if *kind != range.kind {
                continue;
            }
            let keys: Vec<String> = match range.index {
                None => vec![key_of(*id)],
                Some(index) => keys.iter().filter(|key| key.0 == index).map(|key| key.1.clone()).collect(),
            };
            for key in keys {
                let inside = match (range.from, range.to) {
                    (Some(from), Some("")) => key == from,
                    (from, to) => from.is_none_or(|from| &*key >= from) && to.is_none_or(|to| &*key < to),
                };
                if inside {
                    found.push(Listed { key, document: Stored { id: *id, body: body.clone() } });
                }
            }
        }
        found.sort_by(|a, b| (a.key.as_bytes(), a.document.id).cmp(&(b.key.as_bytes(), b.document.id)));
        found
    }

    fn list(&self, range: &Range<'_>) -> Vec<Listed> {
        let mut found = self.within(range);
        if let Some(after) = range.after {
            found.retain(|one| {
                let here = (one.key.as_str(), one.document.id);
                if range.descending { here < after } else { here > after }
            });
        }
        if range.descending {
            found.reverse();
        }
        found.truncate(range.limit);
        found
    }
}

fn pick<T: Copy>(random: &mut Random, from: &[T]) -> T {
    from[usize::try_from(random.below(from.len() as u64)).expect("small")]
}

fn some_batch(random: &mut Random, model: &Model) -> Batch {
    let mut batch = Batch::default();
    let mut sequence = model.journal.len() as u64;
    for _ in 0..random.below(5) {
        sequence += 1;
        batch.entries.push(entry_of(sequence, random.next().to_le_bytes().to_vec()));
    }
    for _ in 0..random.below(8) {
        let (kind, id) = (pick(random, &KINDS), random.below(20));
        batch.writes.push(if random.below(4) == 0 {
            Write::Delete { kind, id }
        } else {
            let keys =
                (0..random.below(5)).map(|_| IndexKey::new(pick(random, &INDEXES), pick(random, &WORDS))).collect();
            Write::Put { kind, id, body: format!("{{\"n\":{}}}", random.next()), keys }
        });
    }
    batch
}

fn random_batches_and_questions(place: &Place) {
    let seeds = if matches!(place.address, Address::Sqlite(_)) { SEEDS } else { SEEDS / 4 };
    for seed in 0..seeds {
        run(place, seed);
    }
}

fn run(place: &Place, seed: u64) {
    let mut random = Random(seed);
    let mut writer = place.writer();
    let mut reader = place.reader();
    // The journal stays from seed to seed, documents go.
    let mut model = Model { journal: journal(&mut *reader, 0), documents: BTreeMap::new() };
    for kind in KINDS {
        let clear = reader.list(&Range::all(kind, usize::MAX)).expect("reads");
        let writes = clear.iter().map(|one| Write::Delete { kind, id: one.document.id }).collect();
        writer.commit(&Batch { entries: vec![], writes }).expect("commits");
    }
    for step in 0..STEPS {
        let words = format!("seed {seed}, step {step}");
        let mut batch = some_batch(&mut random, &model);
        match random.below(20) {
            0 => {
                // A gap anywhere in it: nothing of it may stay.
                batch.entries.push(entry_of(model.journal.len() as u64 + 100, vec![]));
                let refused = writer.commit(&batch);
                assert!(matches!(refused, Err(StorageError::Sequence { .. })), "{words}: {refused:?}");
            }
            1 => {
                let mut older = std::mem::replace(&mut writer, place.writer());
                let refused = older.commit(&batch);
                assert!(matches!(refused, Err(StorageError::Fenced { .. })), "{words}: {refused:?}");
            }
            _ => {
                writer.commit(&batch).expect("commits");
                model.commit(&batch);
            }
        }
        for _ in 0..4 {
            let key = |random: &mut Random| match random.below(3) {
                0 => Some(pick(random, &WORDS).to_owned()),
                1 => Some(key_of(random.below(20))),
                _ => None,
            };
            let (from, to, cursor) = (key(&mut random), key(&mut random), key(&mut random));
            let range = Range {
                kind: pick(&mut random, &KINDS),
                index: (random.below(3) > 0).then(|| pick(&mut random, &INDEXES)),
                from: from.as_deref(),
                to: to.as_deref(),
                after: cursor.as_deref().map(|key| (key, random.below(20))),
                descending: random.below(2) == 0,
                limit: pick(&mut random, &[0, 1, 3, 1_000]),
            };
            assert_eq!(reader.list(&range).expect("reads"), model.list(&range), "{words}: {range:?}");
            let count = reader.count(&range).expect("reads");
            assert_eq!(count, model.within(&range).len() as u64, "{words}: {range:?}");
            assert_eq!(reader.count_up_to(&range, 2).expect("reads"), count.min(2), "{words}: {range:?}");
        }
        let (kind, id) = (pick(&mut random, &KINDS), random.below(20));
        let expected = model.documents.get(&(kind, id)).map(|(body, _)| Stored { id, body: body.clone() });
        assert_eq!(reader.get(kind, id).expect("reads"), expected, "{words}");
        let last = model.documents.keys().filter(|key| key.0 == kind).map(|key| key.1).max().unwrap_or(0);
        assert_eq!(reader.last_id(kind).expect("reads"), last, "{words}");
        let last = model.journal.len() as u64;
        assert_eq!(writer.last_sequence().expect("reads"), last, "{words}");
        let after = random.below(last + 2);
        let expected = model.journal.get(usize::try_from(after).expect("small")..).unwrap_or_default();
        assert_eq!(journal(&mut *reader, after), expected, "{words}");
    }
}
