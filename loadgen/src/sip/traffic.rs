//! What went over the wire, in the field's terms.

use serde::{Deserialize, Serialize};

/// Counts of messages. Merging is addition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Traffic {
    /// Messages sent, retransmissions among them.
    pub sent: u64,
    /// Messages received, retransmissions among them.
    pub received: u64,
    /// Of those sent, once more because no answer came in time.
    pub retransmitted: u64,
    /// Of those received, seen before.
    pub received_again: u64,
    /// Responses received, by class: 1xx to 6xx.
    pub responses: [u64; 6],
    /// Requests that were given up after 32 s without an answer.
    pub timeouts: u64,
    /// Messages that belong to no call that we know, or cannot be read.
    pub unexpected: u64,
    /// Datagrams that the system did not take.
    pub send_errors: u64,
}

impl Traffic {
    /// Counts a response.
    pub(super) fn response(&mut self, code: u16) {
        if let Some(count) = self.responses.get_mut(usize::from(code / 100).wrapping_sub(1)) {
            *count += 1;
        }
    }
}

impl std::ops::AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
        self.retransmitted += other.retransmitted;
        self.received_again += other.received_again;
        self.responses.iter_mut().zip(other.responses).for_each(|(sum, count)| *sum += count);
        self.timeouts += other.timeouts;
        self.unexpected += other.unexpected;
        self.send_errors += other.send_errors;
    }
}
