//! The server's records after a run: every call, chat and ticket that was made is there once, and when it was queued is known.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::http::{Answer, Connection};
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
/// Chats of a page.
const CHATS: usize = 200;
/// Most pages that are read: a million calls.
const PAGES: usize = 2_000;

/// Records of played customers whose calls came since `from_us` by the server's clock, as a supervisor sees them.
///
/// # Errors
/// Why they cannot be read, in words: no answer, a refusal, or too many.
async fn since(connection: &mut Connection, from_us: i64) -> Result<Vec<Record>, String> {
    let mut found = Vec::new();
    let mut after = String::new();
    for _ in 0..PAGES {
        let path = format!("/call-records?from_us={}&limit={PAGE}{after}", from_us.max(0));
        let answer = read(connection, &path, "call records").await?;
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

/// A page of what the server has.
async fn read(connection: &mut Connection, path: &str, what: &str) -> Result<Answer, String> {
    let answer = connection.get(path).await.map_err(|error| error.to_string())?;
    if answer.is_success() {
        return Ok(answer);
    }
    Err(format!("{}: the {what} are refused: {}", connection.server().url, answer.detail()))
}

/// Everything that the server has of played customers who came since `from_us` by its clock.
///
/// # Errors
/// Why it cannot be read, in words.
pub(crate) async fn all(
    connection: &mut Connection,
    from_us: i64,
    made: &Made,
) -> Result<(Vec<Record>, [Vec<Written>; 2]), String> {
    Ok((since(connection, from_us).await?, written(connection, from_us, made).await?))
}

/// Joins records with the calls that were made and with when the event stream told that a call was queued. Counts calls without a
/// record, with more than one, and records of nobody's call.
pub(crate) fn join(
    records: &[Record],
    made: &Made,
    queued: &HashMap<u64, Micros>,
    others_call_too: bool,
    measures: &mut Measures,
    is_direct: impl Fn(u64) -> bool,
) {
    let mut times: HashMap<u64, u64> = HashMap::with_capacity(records.len());
    let mut strangers = 0;
    for record in records {
        let Some(intended) = made.calls.get(&record.customer) else {
            strangers += 1;
            continue;
        };
        *times.entry(record.customer).or_default() += 1;
        if let Some(queued) = queued.get(&record.call).filter(|_| is_direct(record.customer)) {
            let latencies = measures.latencies.entry(Kind::CallToQueue.name().to_owned()).or_default();
            latencies.record(queued.saturating_sub(*intended));
        }
    }
    let missing = made.missing(&made.calls, &times);
    let twice = times.values().filter(|count| **count > 1).count() as u64;
    let mut count = |name: &str, value: u64| *measures.counts.entry(name.to_owned()).or_default() += value;
    count("records", times.len() as u64);
    count("records_missing", missing);
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
    /// Of all those, whom the system refused or never answered: it need not have a record of them.
    pub(crate) untaken: HashSet<u64>,
}

impl Made {
    pub(crate) fn add(&mut self, other: Self) {
        self.calls.extend(other.calls);
        self.chats.extend(other.chats);
        self.tickets.extend(other.tickets);
        self.untaken.extend(other.untaken);
    }

    /// How many of `begun` were to be found, and were no time.
    fn missing(&self, begun: &HashMap<u64, Micros>, times: &HashMap<u64, u64>) -> u64 {
        begun.keys().filter(|customer| !times.contains_key(*customer) && !self.untaken.contains(*customer)).count()
            as u64
    }
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
/// Why they cannot be read, in words: no answer, a refusal, or too many.
async fn written(connection: &mut Connection, from_us: i64, made: &Made) -> Result<[Vec<Written>; 2], String> {
    let chats = if made.chats.is_empty() { Vec::new() } else { chats(connection, from_us).await? };
    let tickets = if made.tickets.is_empty() { Vec::new() } else { tickets(connection, from_us).await? };
    Ok([chats, tickets])
}

fn is_late(item: &Value, name: &str, from_us: i64) -> bool {
    item[name].as_i64().is_some_and(|at| at >= from_us)
}

fn customer(item: &Value, name: &str) -> Option<u64> {
    item[name].as_str().and_then(CallerNumber::parse).map(|it| it.id)
}

async fn chats(connection: &mut Connection, from_us: i64) -> Result<Vec<Written>, String> {
    let mut found = Vec::new();
    let mut before = String::new();
    for _ in 0..PAGES {
        let answer = read(connection, &format!("/chats?limit={CHATS}{before}"), "chats").await?;
        let items = answer.body.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut page = items.iter().filter(|item| is_late(item, "opened_us", from_us)).peekable();
        if page.peek().is_none() {
            return Ok(found);
        }
        for item in page {
            let number = item["chat"].as_str().and_then(|chat| chat.split_once('-')?.0.parse().ok());
            if let (Some(customer), Some(number)) = (customer(item, "name"), number) {
                let answered = item["answered_us"].is_u64();
                let stands = item["ending"].as_str().unwrap_or("open").to_owned();
                found.push(Written { number, customer, stands, answered });
            }
        }
        let last = items.last().and_then(|item| item["number"].as_u64());
        before = last.map(|last| format!("&before={last}")).unwrap_or_default();
    }
    Err(format!("there are more than {} chats", CHATS * PAGES))
}

async fn tickets(connection: &mut Connection, from_us: i64) -> Result<Vec<Written>, String> {
    let mut found = Vec::new();
    let mut after = String::new();
    for _ in 0..PAGES {
        let answer = read(connection, &format!("/tickets?channel=written&limit={PAGE}{after}"), "tickets").await?;
        let items = answer.body["items"].as_array().map(Vec::as_slice).unwrap_or_default();
        for item in items.iter().filter(|item| is_late(item, "created_us", from_us)) {
            if let (Some(customer), Some(number)) = (customer(item, "subject"), item["id"].as_u64()) {
                let answered = item["owner"].is_u64();
                let stands = item["status"].as_str().unwrap_or_default().to_owned();
                found.push(Written { number, customer, stands, answered });
            }
        }
        match answer.body["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return Ok(found),
        }
    }
    Err(format!("there are more than {} tickets", PAGE * PAGES))
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
        let missing = made.missing(begun, &times);
        let twice = times.values().filter(|count| **count > 1).count() as u64;
        let mut count = |name: String, value: u64| *measures.counts.entry(name).or_default() += value;
        count(format!("{what}_records"), times.len() as u64);
        count(format!("{what}_records_missing"), missing);
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
        let made = Made {
            calls: HashMap::from([(1, 100), (2, 200), (3, 300), (4, 400)]),
            untaken: HashSet::from([2, 4]),
            ..Made::default()
        };
        let queued = HashMap::from([(11, 1_100), (12, 900)]);
        let record = |call, customer| Record { call, customer };
        let records = [record(11, 1), record(12, 2), record(13, 2), record(14, 9)];
        let mut measures = Measures::default();
        // One that was refused and has a record all the same makes up for no other.
        join(&records, &made, &queued, false, &mut measures, |id| id == 1);
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
            chats: HashMap::from([(1, 100), (2, 200), (3, 300), (4, 400)]),
            // One that was refused and has a record all the same makes up for no other.
            untaken: HashSet::from([2, 4]),
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
