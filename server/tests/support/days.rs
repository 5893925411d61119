//! A journal of many days on the demonstration's floor, by random orders: calls that go over midnight, operators in every
//! status at every hour, dials, queues of callers who leave, a floor that is changed in between.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::path::Path;

use callfloor_engine::{
    CallId, Command, Engine, EngineConfig, Event, Instant, OperatorId, Output, PhoneNumber, ServiceId, StatusChoice,
    StepId, reason,
};
use callfloor_server::host::{Digest, Input};
use callfloor_server::storage::sqlite::SqliteStorage;
use callfloor_server::storage::{Batch, Entry, Kind, Listed, Range, Reader, StorageError, Stored, Writer as _};

pub const DAY_US: u64 = 86_400_000_000;
/// Midnight of 27 February 2026, UTC.
pub const BEGIN_US: u64 = 1_772_150_400_000_000;

/// What is random here.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

struct Floor {
    engine: Engine,
    entries: Vec<Entry>,
    digest: Digest,
    calls: Vec<CallId>,
}

impl Floor {
    fn hear(&mut self, at: Instant, outputs: &[Output]) {
        for output in outputs {
            self.digest.add(at, output);
            match output {
                Output::Event(Event::CallArrived { call, .. } | Event::DialStarted { call, .. }) => {
                    self.calls.push(*call)
                }
                Output::Event(Event::CallEnded(record)) => self.calls.retain(|call| *call != record.call),
                _ => {}
            }
        }
    }

    /// Gives an order; one that is refused is in no journal.
    fn order(&mut self, now: u64, command: Command) {
        let (at, mut out) = (Instant::from_micros(now), Vec::new());
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= at) {
            self.engine.advance(due, &mut out);
            let told = std::mem::take(&mut out);
            self.hear(due, &told);
        }
        let done = self.engine.apply(at, command.clone(), &mut out).is_ok();
        let told = std::mem::take(&mut out);
        self.hear(at, &told);
        if done || self.digest.value() != Digest::default().value() {
            let input = if done { Input::Command(command) } else { Input::Advance };
            let (sequence, digest) = (self.entries.len() as u64 + 1, std::mem::take(&mut self.digest));
            self.entries.push(Entry { sequence, at, input: input.encode(digest) });
        }
    }
}

/// Writes [`entries`] into a directory; gives how many.
pub fn write(directory: &Path, seed: u64, days: u64, orders_a_day: u64) -> u64 {
    let entries = entries(seed, days, orders_a_day);
    let count = entries.len() as u64;
    let mut writer = SqliteStorage::open(directory).expect("a store");
    writer.commit(&Batch { entries, ..Batch::default() }).expect("it commits");
    count
}

/// A journal of so many days, about so many orders each; the last hour of the last day is quiet.
pub fn entries(seed: u64, days: u64, orders_a_day: u64) -> Vec<Entry> {
    let config = callfloor_server::demo::floor().expect("a floor");
    let begin = Input::Begin(Box::new(config.clone())).encode(Digest::default());
    let mut floor = Floor {
        engine: Engine::new(config.clone()),
        entries: vec![Entry { sequence: 1, at: Instant::from_micros(BEGIN_US), input: begin }],
        digest: Digest::default(),
        calls: Vec::new(),
    };
    let mut random = Random(seed);
    let number: PhoneNumber = "0312345678".parse().expect("a number");
    let end = BEGIN_US + days * DAY_US - 3_600_000_000;
    let mut now = BEGIN_US;
    loop {
        let ringing = (0..4).map(OperatorId).find_map(|who| Some((who, floor.engine.operator(who)?.offer?)));
        // What rings is looked at while it does.
        now += random.below(if ringing.is_some() { 20_000_000 } else { 2 * DAY_US / orders_a_day });
        if now > end {
            break;
        }
        let operator = OperatorId(u32::try_from(random.below(4)).expect("small"));
        let call = (!floor.calls.is_empty())
            .then(|| floor.calls[usize::try_from(random.below(floor.calls.len() as u64)).expect("small")]);
        let command = match random.below(100) {
            0..8 => Command::CallArrived {
                service: ServiceId(0),
                entry: StepId(u16::try_from(random.below(2)).expect("small")),
                customer: None,
                from: Some(number),
                priority: 0,
                preferred: None,
                reference: now,
            },
            8..14 => match call {
                Some(call) => Command::CustomerHungUp { call },
                None => Command::LogIn { operator },
            },
            14..55 => match ringing {
                Some((operator, offer)) => Command::Answer { operator, offer },
                None => Command::SetStatus { operator, to: StatusChoice::Ready },
            },
            55..58 => match ringing {
                Some((operator, offer)) => Command::Decline { operator, offer },
                None => Command::LogIn { operator },
            },
            58..70 => Command::SetStatus { operator, to: StatusChoice::Ready },
            70..72 => Command::SetStatus { operator, to: StatusChoice::Work(reason::NONE) },
            72..74 => Command::SetStatus { operator, to: StatusChoice::Break(reason::NONE) },
            74..78 => Command::LogIn { operator },
            78 => Command::LogOut { operator },
            79..81 => Command::Hold { operator },
            81..83 => Command::Release { operator },
            83..91 => Command::HangUp { operator },
            91..93 => {
                let (customer, service, reference) = (None, ServiceId(0), now);
                Command::Dial { operator, service, to: number, from: number, customer, reference }
            }
            93..95 => match call {
                Some(call) => Command::CustomerAnswered { call },
                None => Command::LogIn { operator },
            },
            95 => Command::DeviceLost { operator },
            96 => Command::DeviceRestored { operator },
            97 => {
                let mut changed = config.clone().into_floor();
                changed.queues[1].name = format!("chats of {}", random.below(10));
                Command::Reconfigure(Box::new(EngineConfig::new(changed).expect("a floor")))
            }
            _ => match call {
                Some(call) => Command::PlaybackFinished { call },
                None => Command::LogIn { operator },
            },
        };
        floor.order(now, command);
    }
    floor.entries
}

/// A reader that counts the entries that it gives.
pub struct Counting {
    pub reader: Box<dyn Reader>,
    pub given: u64,
}

impl Reader for Counting {
    fn get(&mut self, kind: Kind, id: u64) -> Result<Option<Stored>, StorageError> {
        self.reader.get(kind, id)
    }

    fn list(&mut self, range: &Range<'_>) -> Result<Vec<Listed>, StorageError> {
        self.reader.list(range)
    }

    fn count(&mut self, range: &Range<'_>) -> Result<u64, StorageError> {
        self.reader.count(range)
    }

    fn count_up_to(&mut self, range: &Range<'_>, most: u64) -> Result<u64, StorageError> {
        self.reader.count_up_to(range, most)
    }

    fn last_id(&mut self, kind: Kind) -> Result<u64, StorageError> {
        self.reader.last_id(kind)
    }

    fn entries(&mut self, after: u64, each: &mut dyn FnMut(Entry) -> bool) -> Result<(), StorageError> {
        self.reader.entries(after, &mut |entry| {
            self.given += 1;
            each(entry)
        })
    }
}
