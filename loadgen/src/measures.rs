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

/// Every count that a run may have, in order, with its meaning. Calls and chats are customers' own, redials among them.
pub const COUNTS: &[(&str, &str)] = &[
    ("calls", "calls that customers began, redials among them"),
    ("redials", "of those and of chats, another try of a customer who had given up or was turned away"),
    ("answered", "calls that were answered by the system called"),
    ("served", "calls that spoke with an operator; of a SIP system, that were answered"),
    ("served_in_silence", "served calls that heard nothing at all"),
    ("abandoned", "calls that the customer ended when they had waited long enough"),
    ("balked", "of those, customers who would not wait at all"),
    ("turned_away", "calls that the far end ended before they were served"),
    ("hung_up_by_far_end", "calls that the far end ended by BYE, served or not"),
    ("cancelled", "calls that were given up before an answer, by CANCEL"),
    ("refused", "calls that were refused by a final response of 3xx to 6xx"),
    ("timed_out", "calls without a final response in 32 s"),
    ("unfinished", "calls and chats that were not over when the run was, and web forms that had no answer"),
    ("answers_without_audio", "answers from which no stream of audio came about"),
    (
        "audio_elsewhere",
        "answers whose audio was to go to an address that is not ours to load (--i-may-load): none was sent",
    ),
    ("keys_pressed", "keys that customers pressed in menus and offers"),
    ("keys_not_taken", "keys that could not be sent: the far end takes none"),
    ("voicemails", "messages that customers began to leave"),
    ("connections_broken", "times that a connection for SIP over TCP or TLS broke"),
    ("chats", "chats that customers began, redials among them"),
    ("chats_answered", "chats that an operator took, as the customers' pages say"),
    ("chats_abandoned", "chats that the customer left when they had waited long enough"),
    ("chats_turned_away", "chats that ended by the queue's maximum wait"),
    ("chats_refused", "chats that were not opened"),
    ("chats_lost", "chats that a customer's page lost sight of for good"),
    ("chat_lines_of_customers", "lines that customers wrote, but for the first of each chat"),
    ("chat_lines_of_operators", "lines that operators wrote in chats"),
    ("chat_offers", "chats that were shown to operators for acceptance, each time"),
    ("chats_taken", "chats that operators had in hand"),
    ("tickets", "web forms that customers sent"),
    ("tickets_refused", "web forms that were refused, or had no answer"),
    ("ticket_offers", "tickets that were shown to operators for acceptance, each time"),
    ("tickets_taken", "tickets that operators had in hand"),
    ("tickets_solved", "of those, that were solved"),
    ("tickets_not_solved", "of those, whose solution was refused, or had no answer"),
    ("records", "calls of which the server has a record; absent where its records could not be read"),
    ("records_missing", "calls that the server took and has no record of"),
    ("records_twice", "calls of which the server has several records"),
    ("records_of_nobody", "records of played customers whose calls nobody of this run made"),
    ("chat_records", "chats of which the server has a record; absent where its records could not be read"),
    ("chat_records_missing", "chats that the server took and has no record of"),
    ("chat_records_twice", "chats of which the server has several records"),
    ("chat_records_of_nobody", "records of played customers whose chats nobody of this run made"),
    ("chat_records_answered", "records of chats that an operator had"),
    ("chat_records_abandoned", "records of chats that the customer left before an operator came"),
    ("chat_records_maximum-wait", "records of chats that ended by the queue's maximum wait"),
    ("chat_records_customer-left", "records of chats that the customer ended"),
    ("chat_records_operator-ended", "records of chats that the operator ended"),
    ("chat_records_open", "records of chats that were not over"),
    ("ticket_records", "web forms of which the server has a ticket; absent where its records could not be read"),
    ("ticket_records_missing", "web forms that the server took and has no ticket of"),
    ("ticket_records_twice", "web forms of which the server has several tickets"),
    ("ticket_records_of_nobody", "tickets of played customers whose web forms nobody of this run sent"),
    ("ticket_records_answered", "tickets that an operator had"),
    ("ticket_records_new", "tickets that nobody had taken"),
    ("ticket_records_open", "tickets that somebody worked on"),
    ("ticket_records_pending", "tickets that waited for somebody else"),
    ("ticket_records_solved", "tickets that were solved"),
    ("ticket_records_closed", "tickets that were closed"),
    ("logins", "operators' logins that were ordered"),
    ("telephones_rang", "calls that rang at operators' telephones"),
    ("telephones_busy", "of those, that found another call there"),
    (
        "telephones_hung_up",
        "calls that operators ended at their telephone because it was still up when the screen said it was over",
    ),
    ("offers_missed", "calls, chats and tickets that operators let pass, as their scenario says"),
    ("offers_declined", "calls, chats and tickets that operators declined, as their scenario says"),
    ("talks", "talks that operators began"),
    ("strangers", "calls, chats and tickets at operators' desks from nobody who is played here"),
    ("operators_in_silence", "answered calls in which an operator heard nothing at all"),
    ("holds", "holds that were ordered"),
    ("consults", "consultations that were ordered"),
    ("transfers", "customers who were handed on to somebody else"),
    ("forced_ends", "forced ends that were ordered"),
    ("turns_not_taken", "consultations and forced ends that the server refused: the talk went on"),
    ("breaks", "breaks that were due"),
    ("outside_calls", "calls of the server to parties outside"),
    ("outside_answers", "of those, that were answered"),
    ("registrations_failed", "registrations of operators' telephones that came to nothing"),
    ("screens_lost", "event streams of operators that broke; each is taken up again after its last event"),
    ("screens_gaps", "event streams of operators of which a part was lost for ever"),
    ("api_requests", "orders of operators over HTTP, each once however often it was given"),
    ("api_refusals", "of those, that were refused in the end, or had no answer"),
    ("api_asked_again", "times that an order had to be given again: 429, 503 or no answer; in the order's latency"),
    ("asked_again_before", "times that the server was asked again while it was prepared: 429 or 503; in no latency"),
    ("packets_late", "packets of audio that went out more than a packet's length after their time"),
    ("rate_changes", "changes of the pace by hand"),
    ("pauses", "pauses by hand"),
];

/// Beginnings of the names of counts that are made: what follows is a code or the rule that refused.
pub const COUNTS_MADE: &[(&str, &str)] = &[
    (
        "refused_",
        "calls refused with a SIP code (refused_486), or orders refused over HTTP by status and rule (refused_409_…)",
    ),
    ("chat_refused_", "chats that were not opened, by status and rule (chat_refused_429_…)"),
    ("ticket_refused_", "web forms that were refused, by status and rule (ticket_refused_403_…)"),
    ("asked_again_", "orders that had to be given again, by status and rule (asked_again_429_…)"),
];

/// Whether a run may have a count of that name.
#[must_use]
pub fn is_count(name: &str) -> bool {
    let made = |(start, _): &(&str, &str)| {
        name.strip_prefix(start).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    };
    COUNTS.iter().any(|(known, _)| *known == name) || COUNTS_MADE.iter().any(made)
}

/// What a run, or a part of it, measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Measures {
    /// Latencies by the name of their [`Kind`], in microseconds.
    pub latencies: BTreeMap<String, Histogram>,
    /// What customers and operators did and met: see [`COUNTS`].
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
    fn counts_are_known_by_name_or_by_the_beginning_of_it() {
        for known in
            ["calls", "records_twice", "refused_486", "refused_409_not-ready", "asked_again_429_too-many-requests"]
        {
            assert!(is_count(known), "{known}");
        }
        for unknown in ["", "call", "abandonned", "refused_", "refused_often", "asked_again_"] {
            assert!(!is_count(unknown), "{unknown}");
        }
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
