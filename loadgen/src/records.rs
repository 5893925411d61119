//! The server's call records after a run: every call that was made is there once, and when it was queued is known.

use std::collections::{HashMap, HashSet};

use crate::http::Connection;
use crate::measures::{Kind, Measures};
use crate::number::CallerNumber;
use crate::sip::Micros;

/// A record: the call's number on the server, and the customer, by the key of their streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record {
    call: u64,
    customer: u64,
}

/// Records of a page.
const PAGE: usize = 500;
/// Most pages that are read: a million calls.
const PAGES: usize = 2_000;

/// Records of played customers whose calls came since `from_us` by the server's clock, as a supervisor sees them.
///
/// # Errors
/// Why they cannot be read, in words: no answer, a refusal, or too many.
pub(crate) async fn since(connection: &mut Connection, from_us: i64) -> Result<Vec<Record>, String> {
    let mut found = Vec::new();
    let mut after = String::new();
    for _ in 0..PAGES {
        let path = format!("/call-records?from_us={}&limit={PAGE}{after}", from_us.max(0));
        let answer = connection.get(&path).await.map_err(|error| error.to_string())?;
        if !answer.is_success() {
            return Err(format!("{}: the call records are refused: {}", connection.server().url, answer.detail()));
        }
        for item in answer.body["items"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let customer = item["number"].as_str().and_then(CallerNumber::parse);
            // Calls to customers are none of theirs.
            if let (Some(customer), Some(call), false) = (customer, item["id"].as_u64(), item["outbound"] == true) {
                found.push(Record { call, customer: customer.id });
            }
        }
        match answer.body["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(found),
        }
    }
    Err(format!("there are more than {} call records", PAGE * PAGES))
}

/// Joins records with the calls that were made (customer to intended instant) and with when the event stream told that a call was
/// queued. Counts calls without a record, with more than one, and records of nobody's call. One of the `untaken`, which the server
/// refused or never answered, need not have a record.
pub(crate) fn join(
    records: &[Record],
    calls: &HashMap<u64, Micros>,
    queued: &HashMap<u64, Micros>,
    untaken: &HashSet<u64>,
    others_call_too: bool,
    measures: &mut Measures,
    is_direct: impl Fn(u64) -> bool,
) {
    let mut times: HashMap<u64, u64> = HashMap::with_capacity(records.len());
    let mut strangers = 0;
    for record in records {
        let Some(intended) = calls.get(&record.customer) else {
            strangers += 1;
            continue;
        };
        *times.entry(record.customer).or_default() += 1;
        if let Some(queued) = queued.get(&record.call).filter(|_| is_direct(record.customer)) {
            let latencies = measures.latencies.entry(Kind::CallToQueue.name().to_owned()).or_default();
            latencies.record(queued.saturating_sub(*intended));
        }
    }
    let is_missing = |customer: &&u64| !times.contains_key(*customer) && !untaken.contains(*customer);
    let missing = calls.keys().filter(is_missing).count() as u64;
    let twice = times.values().filter(|count| **count > 1).count() as u64;
    let mut count = |name: &str, value: u64| *measures.counts.entry(name.to_owned()).or_default() += value;
    count("records", times.len() as u64);
    count("records_missing", missing);
    count("records_twice", twice);
    if !others_call_too {
        count("records_of_nobody", strangers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_and_doubled_calls_are_found() {
        let calls = HashMap::from([(1, 100), (2, 200), (3, 300), (4, 400)]);
        let queued = HashMap::from([(11, 1_100), (12, 900)]);
        let record = |call, customer| Record { call, customer };
        let records = [record(11, 1), record(12, 2), record(13, 2), record(14, 9)];
        let mut measures = Measures::default();
        // One that was refused and has a record all the same makes up for no other.
        join(&records, &calls, &queued, &HashSet::from([2, 4]), false, &mut measures, |id| id == 1);
        let names = ["records", "records_missing", "records_twice", "records_of_nobody"];
        assert_eq!(names.map(|name| measures.count(name)), [2, 1, 1, 1]);
        let latency = measures.latency(Kind::CallToQueue).expect("one");
        assert_eq!((latency.count(), latency.max_us()), (1, 1_000));
    }
}
