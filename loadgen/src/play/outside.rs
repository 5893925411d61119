//! Parties outside whom the floor calls: those that operators consult, those to whom callers are forwarded, and customers who
//! asked to be called back. The server reaches them by a trunk that leads to the telephones' address.

use super::{Happening, Player};
use crate::media::{Agreed, Heard, StreamKey, description};
use crate::play::sockets::Line;
use crate::sip::{CallKey, Event, Micros};
use crate::voice::Voice;

/// A customer who asked to be called back answers after this time, in microseconds of the scenario.
const CALLBACK_RING_US: u64 = 5_000_000;

/// A party outside.
#[derive(Debug)]
pub(super) struct Outsider {
    /// A customer who is called back.
    is_customer: bool,
    stream: Option<StreamKey>,
    sdp: Option<String>,
}

impl Player<'_, '_> {
    pub(super) fn outside_rings(&mut self, call: CallKey, called: &str, sdp: Option<String>) {
        self.recorder.count("outside_calls");
        let is_customer = self.customer_who_shows(called).is_some();
        let behaviour = self.setup.behaviour;
        let consulted = || {
            let person = behaviour.again(self.setup.cases.take_expected(called)?);
            behaviour.consulted_outside(&person)
        };
        let (answers, delay) = if is_customer {
            (true, CALLBACK_RING_US)
        } else {
            // Forwarded: nobody here asked for it, and it answers.
            consulted().map_or((true, 0), |outside| (outside.answers, outside.delay_us))
        };
        self.outsiders.insert(call, Outsider { is_customer, stream: None, sdp });
        if answers {
            let at = self.now + self.real(delay);
            self.calendar.schedule(at, Happening::Outside(call));
        }
    }

    /// A party outside answers what rings.
    pub(super) fn outside_acts(&mut self, at: Micros, call: CallKey) {
        let session = self.session();
        let Ok(local) = self.sockets.address(Line::TelephonesSound) else { return };
        let (now, sound) = (self.now, self.setup.sound);
        let offered = self.outsiders.get(&call).and_then(|outsider| outsider.sdp.as_deref());
        let agreed = self.audible(offered.and_then(Agreed::of));
        let Some(outsider) = self.outsiders.get_mut(&call) else { return };
        let says = if outsider.is_customer { Voice::Customer } else { Voice::Outside };
        if sound && let Some(agreed) = agreed {
            outsider.stream = Some(self.telephones_media.open(now, agreed, says));
        }
        self.lag(at);
        self.telephones.advance(now);
        self.telephones.answer(call, description(local, session));
        self.recorder.count("outside_answers");
    }

    pub(super) fn outside_event(&mut self, call: CallKey, event: &Event) {
        if matches!(event, Event::GivenUp | Event::HungUp | Event::Left { .. } | Event::Failed(_)) {
            let Some(outsider) = self.outsiders.remove(&call) else { return };
            if let Some(stream) = outsider.stream {
                self.telephones_media.close(stream);
            }
        }
    }

    /// Whether what was heard was heard by a party outside.
    pub(super) fn outsider_hears(&self, heard: &Heard) -> bool {
        self.outsiders.values().any(|outsider| outsider.stream == Some(heard.stream))
    }
}
