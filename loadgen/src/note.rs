//! What the tasks and threads of a run tell each other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::chat::News;
use crate::measures::Kind;
use crate::play::Waker;
use crate::screen::{Event, Work};
use crate::sip::Micros;
use serde_json::Value;

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) kind: Kind,
    pub(crate) intended_us: Micros,
    pub(crate) done_us: Micros,
    /// Otherwise status (0: no answer) and the rule that refused it.
    pub(crate) outcome: Result<(), (u16, String)>,
    /// The chat or ticket that the order was about, and what the server said of it.
    pub(crate) about: Option<(Work, Value)>,
}

/// What an operator's side tells a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tell {
    /// They are served: patience is no matter any more.
    Served { answered_us: Micros },
    /// They were put on hold: music is to be heard.
    Held { intended_us: Micros },
    /// The hold is over: the operator is to be heard.
    Released { intended_us: Micros },
    /// They were handed on without being asked, at this moment.
    HandedOn { at_us: Micros },
    /// The talk is over: they hang up.
    HangUp { intended_us: Micros },
    /// Their chat was ended.
    Closed { intended_us: Micros },
}

/// A message to a thread that plays.
#[derive(Debug)]
pub(crate) enum Note {
    /// An operator's screen shows events from now on.
    Watching { operator: u32 },
    /// An operator's screen lost its stream.
    ScreenLost,
    /// An operator's screen lost a part of its stream for ever.
    ScreenGap,
    /// An order has to be given again: the server is asked too much (429, 503), or did not answer (0).
    Again { status: u16, rule: String },
    /// An event on an operator's screen: when by the server, when it was seen.
    Screen { operator: u32, at_us: Micros, seen_us: Micros, event: Event },
    /// An order is done.
    Done { operator: u32, done: Done },
    /// To a customer, by the key of their streams.
    Customer { id: u64, tell: Tell },
    /// A customer's page shows something of their chat.
    Chat { id: u64, at_us: Micros, news: News },
    /// A customer's ticket was entered, under this number; or status (0: no answer) and the rule that refused it.
    Entered { id: u64, at_us: Micros, entered: Result<u64, (u16, String)> },
    /// A task failed before the run began.
    Failed { problem: String },
    /// From this moment of the run on the plan runs so many times as fast as it says; with 0 nobody new comes.
    Pace { at_us: Micros, factor: f64 },
    /// The run is to end: nobody new comes, and everybody leaves.
    Stop,
}

/// Where a thread's messages are put in.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    sender: Sender<Note>,
    waker: Arc<Waker>,
    closed: Arc<std::sync::atomic::AtomicBool>,
}

/// Where a thread takes its messages out.
#[derive(Debug)]
pub(crate) struct Letters {
    receiver: Receiver<Note>,
    closed: Arc<std::sync::atomic::AtomicBool>,
}

/// A way for messages to a thread that `waker` wakes.
pub(crate) fn post(waker: &Arc<Waker>) -> (Post, Letters) {
    let (sender, receiver) = channel();
    let closed = Arc::new(std::sync::atomic::AtomicBool::new(false));
    (Post { sender, waker: Arc::clone(waker), closed: Arc::clone(&closed) }, Letters { receiver, closed })
}

impl Post {
    /// Sends; to a thread that has ended, nothing.
    pub(crate) fn send(&self, note: Note) {
        if self.sender.send(note).is_ok() {
            self.waker.wake();
        }
    }

    /// Sends what can wait until the thread is awake anyway.
    pub(crate) fn leave(&self, note: Note) {
        // To a thread that has ended, nothing.
        let _ = self.sender.send(note);
    }

    /// Whether the thread has ended.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Letters {
    /// The next message, if there is one.
    pub(crate) fn next(&self) -> Option<Note> {
        self.receiver.try_recv().ok()
    }

    /// No message is taken from now on.
    pub(crate) fn close(&self) {
        self.closed.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}
