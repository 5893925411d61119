//! What a run measures: latencies by kind from the intended instant, counts, traffic and sound. Everything is a whole number and
//! merging is addition, so that parts of a run merge to the very figures of the whole.

use std::collections::BTreeMap;

use callfloor_measure::Histogram;
use serde::{Deserialize, Serialize};

use crate::media::Sound;
use crate::sip::{Micros, Traffic};

macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal,)+) => {
        /// A kind of latency. All are real time, in microseconds, whatever the speed; all begin at the *intended* instant of their
        /// cause, so that a server (or a generator) that stands still for a second is seen by everybody who was due in it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[doc = $doc])+ $variant,)+ }

        impl Kind {
            /// All kinds, in order.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its name in results and thresholds.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What it is, in a sentence.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_start(),)+ }
            }
        }
    };
}

kinds! {
    /// How late the generator itself was: intended instant to the moment at which it acted.
    Lag "lag",
    /// A customer's INVITE to its first response.
    CallToResponse "call_to_response",
    /// A customer's INVITE to the 200.
    CallToAnswer "call_to_answer",
    /// A customer's INVITE to the first sound heard.
    CallToSound "call_to_sound",
    /// A customer's INVITE to the call being queued, as told by the event stream; classes without a flow of their own.
    CallToQueue "call_to_queue",
    /// What made an assignment possible (the customer's INVITE, or the operator's becoming Ready) to the operator's telephone being
    /// told.
    Assignment "assignment",
    /// The engine's decision that somebody is to ring, to the INVITE at their telephone.
    DeviceTold "device_told",
    /// The engine's decision that somebody is to ring, to the event on their screen.
    ScreenTold "screen_told",
    /// An operator's 200 to the first sound of the operator at the customer's ear.
    AnswerToCustomer "answer_to_customer",
    /// An operator's 200 to the first sound of the customer at the operator's ear.
    AnswerToOperator "answer_to_operator",
    /// The order to hold, to music at the customer's ear.
    HoldToMusic "hold_to_music",
    /// The order to release, to the operator's voice at the customer's ear.
    ReleaseToVoice "release_to_voice",
    /// An operator's 200 to the answer as the server dates it.
    AnswerTaken "answer_taken",
    /// An operator's 200 to the ticket's event on their screen.
    TicketVisible "ticket_visible",
    /// A BYE to its answer.
    Bye "bye",
    /// A CANCEL to the end of its INVITE.
    Cancel "cancel",
    /// A REGISTER to its answer, challenge included.
    Register "register",
    /// CTI login over HTTP.
    LogIn "api_login",
    /// CTI logout over HTTP.
    LogOut "api_logout",
    /// A status button over HTTP.
    SetStatus "api_status",
    /// Answering, accepting or declining over HTTP.
    AnswerOffer "api_answer",
    /// Hold over HTTP.
    Hold "api_hold",
    /// Release over HTTP.
    Release "api_release",
    /// Consult over HTTP.
    Consult "api_consult",
    /// Connect customer over HTTP.
    Connect "api_connect",
    /// Cancel consult over HTTP.
    CancelConsult "api_cancel_consult",
    /// Blind transfer over HTTP.
    Transfer "api_transfer",
    /// Force end over HTTP.
    ForceEnd "api_force_end",
    /// The end of after-call work over HTTP.
    FinishAfterCall "api_finish_after_call",
    /// A customer's coming to a chat, to the page that says that it is open.
    ChatOpened "chat_opened",
    /// A customer's coming to a chat, to the chat being queued, as told by the event stream.
    ChatToQueue "chat_to_queue",
    /// An operator's acceptance of a chat, to the customer's page that shows it.
    ChatTaken "chat_taken",
    /// What an operator writes, to the customer's page that shows it.
    ChatToCustomer "chat_to_customer",
    /// What a customer writes, to the operator who has read it on being told.
    ChatToOperator "chat_to_operator",
    /// An operator's end of a chat, to the customer's page that shows it.
    ChatClosed "chat_closed",
    /// A customer's leaving of a chat, to the page that says that it is over.
    ChatLeft "chat_left",
    /// A customer's sending of a web form, to the answer that names their ticket.
    TicketEntered "ticket_entered",
    /// A customer's sending of a web form, to their ticket being queued, as told by the event stream.
    TicketToQueue "ticket_to_queue",
    /// The status for chats over HTTP.
    SetChatStatus "api_chat_status",
    /// Looking at a chat or ticket that is offered, over HTTP.
    Look "api_look",
    /// Reading a chat's lines over HTTP.
    ReadChat "api_chat_read",
    /// Writing to a chat's customer over HTTP.
    WriteChat "api_chat_write",
    /// The end of a chat over HTTP.
    EndChat "api_chat_end",
    /// A reply to a ticket, and its being solved, over HTTP.
    SolveTicket "api_ticket_solve",
}

/// Counts of a run by name; absent is 0.
pub type Counts = BTreeMap<String, u64>;

/// What a run, or a part of it, measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Measures {
    /// Latencies by the name of their [`Kind`], in microseconds.
    pub latencies: BTreeMap<String, Histogram>,
    /// What customers and operators did and met: see `docs/load.md`.
    pub counts: Counts,
    /// Messages of customers.
    pub customers: Traffic,
    /// Messages of telephones: operators' and those of parties outside.
    pub telephones: Traffic,
    /// What customers said and heard.
    pub customers_sound: Sound,
    /// What operators said and heard.
    pub operators_sound: Sound,
}

impl Measures {
    /// Adds another part.
    pub fn merge(&mut self, other: &Self) {
        for (kind, histogram) in &other.latencies {
            self.latencies.entry(kind.clone()).or_default().merge(histogram);
        }
        for (name, count) in &other.counts {
            *self.counts.entry(name.clone()).or_default() += count;
        }
        self.customers += other.customers;
        self.telephones += other.telephones;
        self.customers_sound += other.customers_sound;
        self.operators_sound += other.operators_sound;
    }

    /// The latencies of a kind; `None` where there are none.
    #[must_use]
    pub fn latency(&self, kind: Kind) -> Option<&Histogram> {
        self.latencies.get(kind.name()).filter(|histogram| histogram.count() > 0)
    }

    /// A count; 0 where nothing of that name was counted.
    #[must_use]
    pub fn count(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }
}

/// Takes measurements while a run goes on, by place and not by name.
#[derive(Debug)]
pub struct Recorder {
    latencies: Vec<Option<Box<Histogram>>>,
    counts: BTreeMap<std::borrow::Cow<'static, str>, u64>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self { latencies: vec![None; Kind::ALL.len()], counts: BTreeMap::new() }
    }
}

impl Recorder {
    /// Something that was intended for `from` came about at `to`.
    #[inline]
    pub fn latency(&mut self, kind: Kind, from: Micros, to: Micros) {
        self.latencies[kind as usize].get_or_insert_default().record(to.saturating_sub(from));
    }

    /// Counts one.
    pub fn count(&mut self, name: &'static str) {
        self.add(name, 1);
    }

    /// Counts several.
    pub fn add(&mut self, name: &'static str, count: u64) {
        *self.counts.entry(name.into()).or_default() += count;
    }

    /// Counts one under a name that is made.
    pub fn count_named(&mut self, name: String) {
        *self.counts.entry(name.into()).or_default() += 1;
    }

    /// How many were counted so far.
    #[must_use]
    pub fn counted(&self, name: &str) -> u64 {
        self.counts.get(name).copied().unwrap_or(0)
    }

    /// The latencies of a kind so far.
    #[must_use]
    pub fn latencies(&self, kind: Kind) -> Option<&Histogram> {
        self.latencies[kind as usize].as_deref()
    }

    /// What was taken.
    #[must_use]
    pub fn finish(self) -> Measures {
        let named = Kind::ALL.iter().zip(self.latencies);
        let latencies = named.filter_map(|(kind, found)| Some((kind.name().to_owned(), *found?))).collect();
        let counts = self.counts.into_iter().map(|(name, count)| (name.into_owned(), count)).collect();
        Measures { latencies, counts, ..Measures::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_merge_to_the_whole_in_any_order() {
        let take = |values: &[u64]| {
            let mut recorder = Recorder::default();
            for value in values {
                recorder.latency(Kind::Bye, 10, 10 + value);
                recorder.count("calls");
            }
            recorder.finish()
        };
        let (one, two, whole) = (take(&[1, 5_000, 9]), take(&[70_000]), take(&[1, 5_000, 9, 70_000]));
        for (first, second) in [(&one, &two), (&two, &one)] {
            let mut merged = first.clone();
            merged.merge(second);
            assert_eq!(merged, whole);
            let text = serde_json::to_string(&merged).expect("a form in JSON");
            assert_eq!(serde_json::from_str::<Measures>(&text).expect("read back"), whole);
        }
        assert_eq!((whole.count("calls"), whole.count("none")), (4, 0));
        assert_eq!(whole.latency(Kind::Bye).map(Histogram::max_us), Some(70_000));
        assert_eq!(whole.latency(Kind::Hold), None);
    }

    #[test]
    fn kinds_have_names_of_their_own() {
        let names: std::collections::BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        for (place, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, place);
            assert!(kind.meaning().len() > 10);
        }
    }
}
