//! Every point of the phone desk and every bug class has a test that names it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Points with nothing for the engine to do: P4 is the organisation's SIP domain, trunk and number plan, which the
/// server owns.
const ELSEWHERE: [u32; 1] = [4];
/// Bug classes of the engine. B9 and B11 are the server's and the simulator's.
const BUGS: [u32; 18] = [1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 17, 18, 19, 20];

/// The numbers after `letter` at the head of the names of tests: `p9_p27_answer…` names 9 and 27.
fn named(letter: char) -> BTreeSet<u32> {
    let mut all = BTreeSet::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in ["tests", "src"].into_iter().flat_map(|folder| fs::read_dir(root.join(folder)).unwrap()) {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines().map(str::trim_start);
        while let Some(line) = lines.next() {
            let Some(name) = lines.clone().next().and_then(|next| next.strip_prefix("fn ")) else { continue };
            if line != "#[test]" {
                continue;
            }
            for word in name.split('_') {
                match word.strip_prefix(['p', 'b']).and_then(|number| number.parse().ok()) {
                    Some(number) if word.starts_with(letter) => all.insert(number),
                    Some(_) => false,
                    None => break,
                };
            }
        }
    }
    all
}

#[test]
fn every_point_of_the_phone_desk_has_a_test() {
    let named = named('p');
    let missing: Vec<u32> = (1..=60).filter(|point| !named.contains(point) && !ELSEWHERE.contains(point)).collect();
    assert!(missing.is_empty(), "no test names P{missing:?}");
    assert!(named.iter().all(|point| (1..=60).contains(point)), "{named:?}");
}

#[test]
fn every_bug_class_of_the_engine_has_a_test() {
    let named = named('b');
    let missing: Vec<u32> = BUGS.into_iter().filter(|class| !named.contains(class)).collect();
    assert!(missing.is_empty(), "no test names B{missing:?}");
}
