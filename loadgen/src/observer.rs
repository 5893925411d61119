//! A supervisor who watches the floor under load, from before the first call to after the last.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_tungstenite::tungstenite;

use crate::clock::{Clock, Offset};
use crate::floor::Counter;
use crate::http::{HttpError, Server, Session};
use crate::plan::Timescale;
use crate::screen::{self, Event, Message};
use crate::sip::Micros;

/// What was observed.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) counter: Counter,
    /// When the observer was told that a call was queued for the first time, by the call's number on the server.
    pub(crate) queued: HashMap<u64, Micros>,
    /// The same of chats.
    pub(crate) chats: HashMap<u64, Micros>,
    /// The same of tickets.
    pub(crate) tickets: HashMap<u64, Micros>,
    /// Whether a part of the stream was lost for ever.
    pub(crate) gap: bool,
}

/// Who watches.
#[derive(Debug)]
pub(crate) struct Observer {
    pub(crate) server: Server,
    pub(crate) session: Session,
    pub(crate) clock: Clock,
    pub(crate) offset: Offset,
    pub(crate) timescale: Timescale,
    pub(crate) counter: Counter,
    /// Contacts that wait, for whoever plays operators.
    pub(crate) waiting: Arc<AtomicU64>,
    /// What happens later than this by the run's clock is not the run's any more.
    pub(crate) until: Arc<AtomicU64>,
    pub(crate) stop: Arc<AtomicBool>,
    /// When something came from the server last, by the run's clock.
    pub(crate) alive_us: Arc<AtomicU64>,
}

/// How long a stream that says nothing is listened to before it is asked whether the run is over.
const LOOK: Duration = Duration::from_millis(100);

impl Observer {
    /// Watches until it is stopped. A stream that breaks is taken up after the last event; `watching` is told when it begins.
    ///
    /// # Errors
    /// That it cannot be begun.
    pub(crate) async fn watch(mut self, watching: tokio::sync::oneshot::Sender<()>) -> Result<Observed, HttpError> {
        let mut queued = HashMap::new();
        let (mut chats, mut tickets) = (HashMap::new(), HashMap::new());
        let (mut last, mut gap, mut watching) = (None, false, Some(watching));
        while !self.stop.load(Ordering::Relaxed) {
            let asked = tokio::select! {
                asked = self.server.events(&self.session, last) => asked,
                // A server that takes the question and says nothing holds nobody up.
                () = stopped(&self.stop) => break,
            };
            let mut events = match asked {
                Ok(events) => events,
                Err(error) if watching.is_some() => return Err(error),
                Err(_) => {
                    tokio::time::sleep(LOOK).await;
                    continue;
                }
            };
            while !self.stop.load(Ordering::Relaxed) {
                let Ok(next) = tokio::time::timeout(LOOK, events.next()).await else { continue };
                let Some(Ok(frame)) = next else { break };
                self.alive_us.fetch_max(self.clock.now(), Ordering::Relaxed);
                let tungstenite::Message::Text(text) = frame else { continue };
                let Some(Message { number, at_us, event }) = screen::read(&text) else { continue };
                match &event {
                    Event::Hello { newest } => {
                        last = last.or(Some(*newest));
                        if let Some(watching) = watching.take() {
                            // Who waited may have given up.
                            let _ = watching.send(());
                        }
                        continue;
                    }
                    Event::TooOld {} => {
                        (gap, last) = (true, None);
                        break;
                    }
                    Event::CallQueued { call, .. } => {
                        queued.entry(call.number).or_insert(self.clock.now());
                    }
                    Event::ChatArrived { chat, .. } => {
                        chats.entry(chat.number).or_insert(self.clock.now());
                    }
                    Event::TicketQueued { ticket, .. } => {
                        tickets.entry(ticket.number).or_insert(self.clock.now());
                    }
                    _ => {}
                }
                last = if number > 0 { Some(number) } else { last };
                self.take(at_us, &event);
            }
        }
        Ok(Observed { counter: self.counter, queued, chats, tickets, gap })
    }

    /// Counts an event of the run.
    fn take(&mut self, at_us: i64, event: &Event) {
        let at = self.clock.of_wall(self.offset.ours(at_us));
        if at <= self.until.load(Ordering::Acquire) {
            self.counter.take(self.timescale.scenario_at(self.clock.since_begin(at)), event);
            self.waiting.store(self.counter.waiting(), Ordering::Relaxed);
        }
    }
}

/// Returns when `stop` is set.
async fn stopped(stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(LOOK).await;
    }
}

/// How often a server is asked whether it is there that has said nothing for so long, and how long it may take to answer.
const SILENT_US: Micros = 2_000_000;
const TAKES: Duration = Duration::from_secs(5);

/// Keeps `alive_us` at the time at which the server last said anything; one that has nothing to say is asked.
pub(crate) async fn feel_the_pulse(server: Server, clock: Clock, alive_us: Arc<AtomicU64>) {
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let silent = clock.now().saturating_sub(alive_us.load(Ordering::Relaxed)) > SILENT_US;
        if silent && server.answers(TAKES).await {
            alive_us.fetch_max(clock.now(), Ordering::Relaxed);
        }
    }
}
