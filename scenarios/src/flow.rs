//! Call flows: what a contact meets before an operator.

use callfloor_engine::PhoneNumber;

use crate::queue::SkillRequirement;
use crate::scenario::{QueueIndex, ServiceIndex, StepIndex};

/// A list of steps; a contact starts at the first.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// Name, unique in the scenario.
    pub name: String,
    /// Service that it belongs to.
    pub service: ServiceIndex,
    /// Steps; at least one.
    pub steps: Vec<Step>,
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Name, unique in its flow.
    pub name: String,
    /// What it does, and where it goes on.
    pub kind: StepKind,
}

/// What a step does. Each `next` is the following step unless the file names another.
#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// Branches by the service's opening hours.
    Hours {
        /// Step while open.
        open: StepIndex,
        /// Step while closed.
        closed: StepIndex,
    },
    /// Plays an announcement.
    Announcement {
        /// Length in microseconds.
        length_us: u64,
        /// Text, for documentation and for a live system; may be empty.
        text: String,
        /// Step after it.
        next: StepIndex,
    },
    /// Asks for a key.
    Menu {
        /// Length of the prompt in microseconds, after which a key is pressed.
        prompt_us: u64,
        /// Span without a key after which `otherwise` is taken, in microseconds.
        timeout_us: u64,
        /// The keys.
        options: Vec<MenuOption>,
        /// Step for no key or another key.
        otherwise: StepIndex,
    },
    /// Adds skills that the contact needs.
    SetSkills {
        /// The skills.
        skills: Vec<SkillRequirement>,
        /// Step after it.
        next: StepIndex,
    },
    /// Sets the contact's priority.
    SetPriority {
        /// The new priority.
        priority: u8,
        /// Step after it.
        next: StepIndex,
    },
    /// Waits in a queue. Overflow to another queue is the queue's own rule; otherwise the flow goes on at
    /// `overflow` where set.
    Queue {
        /// The queue.
        queue: QueueIndex,
        /// Step for a contact that finds it full or has waited too long; without it the queue's rule holds.
        overflow: Option<StepIndex>,
    },
    /// Branches on the state of a queue: a step that lets a flow overflow before it waits.
    QueueCheck {
        /// The queue that is looked at.
        queue: QueueIndex,
        /// When it counts as busy.
        when: BusyWhen,
        /// Step when busy.
        busy: StepIndex,
        /// Step otherwise.
        next: StepIndex,
    },
    /// Offers a callback that keeps the place in the queue.
    CallbackOffer {
        /// The queue in which the callback waits.
        queue: QueueIndex,
        /// Length of the offer in microseconds.
        prompt_us: u64,
        /// Share of customers who accept, in [0, 1].
        accept: f64,
        /// Step for those who decline.
        declined: StepIndex,
    },
    /// Takes a message.
    Voicemail {
        /// Longest message in microseconds.
        limit_us: u64,
        /// Length of a message in microseconds, at most the limit.
        length_us: u64,
        /// Queue of tickets in which it waits; without one it waits to be pulled.
        queue: Option<QueueIndex>,
    },
    /// Forwards to an outside number, which always answers.
    Forward {
        /// The number.
        number: PhoneNumber,
    },
    /// Ends the contact.
    End,
}

/// When a queue counts as busy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BusyWhen {
    /// At least this many contacts wait.
    Waiting(u32),
    /// The longest-waiting contact has waited at least this long, in microseconds.
    LongestWait(u64),
    /// Nobody who serves it is logged in.
    NobodyLoggedIn,
    /// Nobody who serves it is Ready.
    NobodyReady,
}

/// A key of a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MenuOption {
    /// One of `0`–`9`, `*`, `#`.
    pub key: char,
    /// Step for it.
    pub next: StepIndex,
}
