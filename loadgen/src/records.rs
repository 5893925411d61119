//! The server's call records after a run: every call that was made is there once, and when it was queued is known.

use std::collections::HashMap;

use hyper::Method;
use serde_json::Value;

use crate::http::{Connection, HttpError};
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
/// No answer.
pub(crate) async fn since(connection: &mut Connection, from_us: i64) -> Result<Vec<Record>, HttpError> {
    let mut found = Vec::new();
    let mut after = String::new();
    for _ in 0..PAGES {
        let path = format!("/call-records?from_us={}&limit={PAGE}{after}", from_us.max(0));
        let answer = connection.ask(Method::GET, &path, None).await?;
        for item in answer.body["items"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let customer = item["number"].as_str().and_then(CallerNumber::parse);
            // Calls to customers are none of theirs.
            if let (Some(customer), Some(call), false) = (customer, item["id"].as_u64(), item["outbound"] == true) {
                found.push(Record { call, customer: customer.id });
            }
        }
        match answer.body["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    Ok(found)
}

/// Joins records with the calls that were made (customer to intended instant) and with when the event stream told that a call was
/// queued. Counts calls without a record, with more than one, and records of nobody's call.
pub(crate) fn join(
    records: &[Record],
    calls: &HashMap<u64, Micros>,
    queued: &HashMap<u64, Micros>,
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
    let missing = calls.keys().filter(|customer| !times.contains_key(*customer)).count() as u64;
    let twice = times.values().filter(|count| **count > 1).count() as u64;
    // A call that the server refused or never took has no record, and need not have one.
    let untaken = measures.count("refused") + measures.count("timed_out") + measures.count("cancelled");
    let mut count = |name: &str, value: u64| *measures.counts.entry(name.to_owned()).or_default() += value;
    count("records", times.len() as u64);
    count("records_missing", missing.saturating_sub(untaken));
    count("records_twice", twice);
    if !others_call_too {
        count("records_of_nobody", strangers);
    }
}

/// What was begun: customer to intended instant.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) calls: HashMap<u64, Micros>,
    pub(crate) chats: HashMap<u64, Micros>,
    pub(crate) tickets: HashMap<u64, Micros>,
}

/// A chat or a ticket from a web form: its number on the server, its customer, and what the server says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    number: u64,
    customer: u64,
    /// Of a chat, how it ended; of a ticket, where it stands.
    stands: String,
    /// Whether an operator had it.
    answered: bool,
}

/// Chats and tickets of played customers that came since `from_us` by the server's clock, as a supervisor sees them.
///
/// # Errors
/// No answer.
pub(crate) async fn written(
    connection: &mut Connection,
    from_us: i64,
    made: &Made,
) -> Result<[Vec<Written>; 2], HttpError> {
    let mut found = [Vec::new(), Vec::new()];
    let is_late = |item: &Value, name: &str| item[name].as_i64().is_some_and(|at| at >= from_us);
    let customer = |item: &Value, name: &str| item[name].as_str().and_then(CallerNumber::parse).map(|it| it.id);
    let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
    let pages = |begun: &HashMap<u64, Micros>| if begun.is_empty() { 0 } else { PAGES };
    let mut before = String::new();
    for _ in 0..pages(&made.chats) {
        let answer = connection.ask(Method::GET, &format!("/chats?limit=200{before}"), None).await?;
        let items = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut page = items.iter().filter(|item| is_late(item, "opened_us")).peekable();
        if page.peek().is_none() {
            break;
        }
        for item in page {
            let number = item["chat"].as_str().and_then(|chat| chat.split_once('-')?.0.parse().ok());
            if let (Some(customer), Some(number)) = (customer(item, "name"), number) {
                let answered = item["answered_us"].is_u64();
                found[0].push(Written { number, customer, stands: text(item, "ending"), answered });
            }
        }
        let last = items.last().and_then(|item| item["number"].as_u64());
        before = last.map(|last| format!("&before={last}")).unwrap_or_default();
    }
    let mut after = String::new();
    for _ in 0..pages(&made.tickets) {
        let path = format!("/tickets?channel=written&limit={PAGE}{after}");
        let answer = connection.ask(Method::GET, &path, None).await?;
        let items = answer.body["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        for item in items.iter().filter(|item| is_late(item, "created_us")) {
            if let (Some(customer), Some(number)) = (customer(item, "subject"), item["id"].as_u64()) {
                let answered = item["owner"].is_u64();
                found[1].push(Written { number, customer, stands: text(item, "status"), answered });
            }
        }
        match answer.body["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    Ok(found)
}

/// Joins chats and tickets with those that were begun and with when the event stream told that they were queued; counts as
/// [`join`] does.
pub(crate) fn join_written(
    found: &[Vec<Written>; 2],
    made: &Made,
    (chats, tickets): (&HashMap<u64, Micros>, &HashMap<u64, Micros>),
    others_come_too: bool,
    measures: &mut Measures,
) {
    let kinds = [
        ("chat", &found[0], &made.chats, chats, Kind::ChatToQueue),
        ("ticket", &found[1], &made.tickets, tickets, Kind::TicketToQueue),
    ];
    for (what, found, begun, queued, kind) in kinds {
        let mut times: HashMap<u64, u64> = HashMap::with_capacity(found.len());
        let (mut strangers, mut answered) = (0, 0);
        let mut stands: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
        for written in found {
            let Some(intended) = begun.get(&written.customer) else {
                strangers += 1;
                continue;
            };
            *times.entry(written.customer).or_default() += 1;
            *stands.entry(&written.stands).or_default() += 1;
            answered += u64::from(written.answered);
            if let Some(queued) = queued.get(&written.number) {
                let latencies = measures.latencies.entry(kind.name().to_owned()).or_default();
                latencies.record(queued.saturating_sub(*intended));
            }
        }
        if begun.is_empty() {
            continue;
        }
        let missing = begun.keys().filter(|customer| !times.contains_key(*customer)).count() as u64;
        let twice = times.values().filter(|count| **count > 1).count() as u64;
        let untaken = measures.count(&format!("{what}s_refused"));
        let mut count = |name: String, value: u64| *measures.counts.entry(name).or_default() += value;
        count(format!("{what}_records"), times.len() as u64);
        count(format!("{what}_records_missing"), missing.saturating_sub(untaken));
        count(format!("{what}_records_twice"), twice);
        count(format!("{what}_records_answered"), answered);
        for (stands, times) in stands {
            count(format!("{what}_records_{stands}"), times);
        }
        if !others_come_too {
            count(format!("{what}_records_of_nobody"), strangers);
        }
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
        measures.counts.insert("refused".into(), 1);
        join(&records, &calls, &queued, false, &mut measures, |id| id == 1);
        let names = ["records", "records_missing", "records_twice", "records_of_nobody"];
        assert_eq!(names.map(|name| measures.count(name)), [2, 1, 1, 1]);
        let latency = measures.latency(Kind::CallToQueue).expect("one");
        assert_eq!((latency.count(), latency.max_us()), (1, 1_000));
    }

    #[test]
    fn chats_and_tickets_are_joined_as_calls_are() {
        let written =
            |number, customer, stands: &str| Written { number, customer, stands: stands.into(), answered: true };
        let made = Made {
            chats: HashMap::from([(1, 100), (2, 200), (3, 300)]),
            tickets: HashMap::from([(7, 700)]),
            ..Made::default()
        };
        let found = [
            vec![written(11, 1, "abandoned"), written(12, 2, "operator-ended"), written(13, 2, "operator-ended")],
            vec![written(21, 7, "solved"), written(22, 9, "open")],
        ];
        let (chats, tickets) = (HashMap::from([(11, 1_100)]), HashMap::from([(21, 900)]));
        let mut measures = Measures::default();
        join_written(&found, &made, (&chats, &tickets), false, &mut measures);
        let of = |names: [&str; 3]| names.map(|name| measures.count(name));
        assert_eq!(of(["chat_records", "chat_records_missing", "chat_records_twice"]), [2, 1, 1]);
        assert_eq!(of(["chat_records_abandoned", "chat_records_operator-ended", "chat_records_of_nobody"]), [1, 2, 0]);
        assert_eq!(of(["ticket_records", "ticket_records_missing", "ticket_records_of_nobody"]), [1, 0, 1]);
        let latency = |kind| measures.latency(kind).map(callfloor_measure::Histogram::max_us);
        assert_eq!((latency(Kind::ChatToQueue), latency(Kind::TicketToQueue)), (Some(1_000), Some(200)));
    }
}
