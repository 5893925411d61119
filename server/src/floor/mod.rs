//! What an administrator sets that the engine has no field for: documents beside the configuration, written in the same
//! turn as the command that changes it.

mod audio;
mod hours;
mod renewal;

use std::collections::BTreeMap;

use callfloor_engine::{AudioId, PhoneNumber, QueueId, ServiceId, StepId};
use serde::{Deserialize, Serialize};

pub use audio::{AudioData, Encoding, Recording, WavError, read_wav};
pub use hours::{Day, Holiday, Schedule, ScheduleError, expand};
pub use renewal::{HOURS_AHEAD_DAYS, keep_hours, renew_hours};

use crate::dialling::Caps;
use crate::document::Document;
use crate::host::{Documents, Turn};
use crate::issues::{Escalation, ServiceKind};
use crate::storage::{IndexKey, Kind, StorageError};

/// The organisation's own settings, and the version of the whole floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Organisation {
    /// Raised by every change of the floor: what `If-Match` is compared with.
    pub version: u64,
    /// As people see it.
    pub name: String,
    /// The domain of SIP addresses (P4).
    pub sip_domain: String,
    /// Which numbers may be dialled (P4).
    pub numbers: NumberPlan,
    /// The recording that is heard while a number rings; `None`: a tone.
    #[serde(default)]
    pub ring_back: Option<u32>,
}

/// Which numbers may be dialled, and how they are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NumberPlan {
    /// The country's code, without `+`: `81`.
    pub country_code: String,
    /// What stands for the country's code in numbers of the country: `0`.
    pub national_prefix: String,
    /// What begins a number of another country: `010`.
    pub international_prefix: String,
    /// Whether numbers of other countries may be dialled.
    pub international: bool,
    /// Beginnings, in national form, that may not be dialled: premium services.
    pub barred: Vec<String>,
}

impl Default for NumberPlan {
    /// Japan's: no other countries, no premium services (Dial Q2, Navi Dial, disaster and directory lines with fees).
    fn default() -> Self {
        Self {
            country_code: "81".into(),
            national_prefix: "0".into(),
            international_prefix: "010".into(),
            international: false,
            barred: ["0990", "0570", "0180"].map(String::from).into(),
        }
    }
}

/// Why a number may not be dialled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// It is of another country.
    International,
    /// It begins with what is barred.
    Prefix(String),
}

impl NumberPlan {
    /// A number in the form in which it is dialled within the country; one of another country begins with `+`.
    #[must_use]
    pub fn national(&self, number: PhoneNumber) -> String {
        let text = number.to_string();
        let home = format!("+{}", self.country_code);
        if let Some(rest) = text.strip_prefix(&home) {
            return format!("{}{rest}", self.national_prefix);
        }
        match text.strip_prefix(self.international_prefix.as_str()) {
            Some(rest) if !self.international_prefix.is_empty() => match rest.strip_prefix(&self.country_code) {
                Some(rest) => format!("{}{rest}", self.national_prefix),
                None => format!("+{rest}"),
            },
            _ => text,
        }
    }

    /// Whether a number may be dialled.
    ///
    /// # Errors
    /// Why not.
    pub fn allows(&self, number: PhoneNumber) -> Result<(), Barred> {
        let national = self.national(number);
        if national.starts_with('+') && !self.international {
            return Err(Barred::International);
        }
        match self.barred.iter().find(|barred| !barred.is_empty() && national.starts_with(barred.as_str())) {
            Some(barred) => Err(Barred::Prefix(barred.clone())),
            None => Ok(()),
        }
    }
}

impl Default for Organisation {
    fn default() -> Self {
        Self {
            version: 1,
            name: "Main".into(),
            sip_domain: "localhost".into(),
            numbers: NumberPlan::default(),
            ring_back: None,
        }
    }
}

impl Document for Organisation {
    const KIND: Kind = "organisation";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        1
    }
}

impl Organisation {
    /// As it is now; the default where nothing was set yet.
    ///
    /// # Errors
    /// What storage says.
    pub fn now(documents: &mut Documents) -> Result<Self, StorageError> {
        Ok(documents.get::<Self>(1)?.unwrap_or_default())
    }
}

macro_rules! beside {
    ($($(#[$doc:meta])* $name:ident, $kind:literal, $of:ty { $($(#[$field_doc:meta])* $field:ident: $type:ty,)+ })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        pub struct $name {
            /// The number in the configuration, plus one.
            pub id: u64,
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl Document for $name {
            const KIND: Kind = $kind;
            const IS_REMEMBERED: bool = true;

            fn id(&self) -> u64 {
                self.id
            }
        }

        impl $name {
            /// Of this one; the default where nothing was set.
            ///
            /// # Errors
            /// What storage says.
            pub fn of(documents: &mut Documents, of: $of) -> Result<Self, StorageError> {
                let id = u64::from(of.0) + 1;
                Ok(documents.get::<Self>(id)?.unwrap_or_else(|| Self { id, ..Self::default() }))
            }
        }
    )*};
}

beside! {
    /// Of a service.
    ServiceExtra, "service-extra", ServiceId {
        /// Weekly hours, holidays and time zone; `None`: day and night.
        schedule: Option<Schedule>,
        /// Until when they are expanded into the engine's configuration, in microseconds since 1970.
        expanded_until_us: u64,
        /// The time zone of its reports where it has no schedule.
        zone: String,
        /// What it takes.
        #[serde(default)]
        kind: ServiceKind,
        /// What becomes of its tickets that are escalated.
        #[serde(default)]
        escalation: Escalation,
        /// How many numbers may be dialled for it.
        #[serde(default)]
        dial_caps: Caps,
        /// How many under each of its outgoing numbers; without an entry as many as one likes.
        #[serde(default)]
        number_caps: BTreeMap<String, Caps>,
        /// What everybody is shown of it.
        #[serde(default)]
        help_centre: HelpCentre,
    }

    /// Of a queue.
    QueueExtra, "queue-extra", QueueId {
        /// T: waits up to this are in time, in milliseconds.
        target_wait_ms: u32,
        /// s: abandonments up to this are short, in milliseconds.
        short_ms: u32,
        /// How early abandonments enter the service level.
        rule: callfloor_measure::EarlyAbandons,
        /// The share that is aimed at.
        target_level: Option<f64>,
    }
}

/// What everybody is shown of a service without signing in: nothing unless it is switched on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HelpCentre {
    /// Its notices and FAQ.
    pub articles: bool,
    /// The form for inquiries.
    pub inquiries: bool,
}

impl HelpCentre {
    /// Whether there is one.
    #[must_use]
    pub const fn is_on(self) -> bool {
        self.articles || self.inquiries
    }
}

impl Default for ServiceExtra {
    fn default() -> Self {
        Self {
            id: 1,
            schedule: None,
            expanded_until_us: 0,
            zone: "Asia/Tokyo".into(),
            kind: ServiceKind::default(),
            escalation: Escalation::default(),
            dial_caps: Caps::default(),
            number_caps: BTreeMap::new(),
            help_centre: HelpCentre::default(),
        }
    }
}

impl Default for QueueExtra {
    fn default() -> Self {
        Self { id: 1, target_wait_ms: 20_000, short_ms: 5_000, rule: Default::default(), target_level: Some(0.8) }
    }
}

/// A reason for Work or Break, as an administrator names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// The number that the engine carries; from 16 on.
    pub id: u64,
    /// For which statuses it can be chosen.
    pub of: ReasonOf,
    /// In Japanese.
    pub japanese: String,
    /// In English.
    pub english: String,
    /// Whether it is no longer offered for choice; old records keep its name.
    pub retired: bool,
}

/// For which statuses a reason can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ReasonOf {
    /// Work.
    Work,
    /// Break.
    Break,
    /// Only the engine gives it.
    System,
}

impl Document for Reason {
    const KIND: Kind = "reason";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }
}

/// A reason that every organisation has.
#[derive(Clone, Copy, Debug)]
pub struct StandingReason {
    /// Its number.
    pub id: u64,
    of: ReasonOf,
    japanese: &'static str,
    english: &'static str,
}

/// The engine's own reasons, and those of the product (P15, P17), as they are until an administrator changes them.
pub const STANDING_REASONS: [StandingReason; 13] = {
    const fn standing(id: u16, of: ReasonOf, japanese: &'static str, english: &'static str) -> StandingReason {
        StandingReason { id: id as u64, of, japanese, english }
    }
    const OWN: u16 = callfloor_engine::reason::FIRST_OWN.0;
    [
        standing(0, ReasonOf::System, "理由なし", "no reason"),
        standing(1, ReasonOf::System, "不応答", "missed call"),
        standing(2, ReasonOf::System, "拒否", "declined"),
        standing(3, ReasonOf::System, "端末異常", "device failed"),
        standing(4, ReasonOf::System, "端末切断", "device lost"),
        standing(OWN, ReasonOf::Work, "教育", "education"),
        standing(OWN + 1, ReasonOf::Work, "報告", "report"),
        standing(OWN + 2, ReasonOf::Work, "会議", "meeting"),
        standing(OWN + 3, ReasonOf::Work, "チケット", "ticket"),
        standing(OWN + 4, ReasonOf::Work, "チャット", "chat"),
        standing(OWN + 5, ReasonOf::Work, "モニタリング", "monitor"),
        standing(OWN + 6, ReasonOf::Break, "休憩", "rest"),
        standing(OWN + 7, ReasonOf::Break, "食事", "meal"),
    ]
};

impl From<&StandingReason> for Reason {
    fn from(standing: &StandingReason) -> Self {
        let &StandingReason { id, of, japanese, english } = standing;
        Self { id, of, japanese: japanese.into(), english: english.into(), retired: false }
    }
}

/// A transfer number of an operator's own (P11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFavourite {
    /// Its number.
    pub id: u64,
    /// Whose.
    pub operator: u32,
    /// As they named it.
    pub name: String,
    /// What is dialled.
    pub number: String,
}

impl Document for OwnFavourite {
    const KIND: Kind = "own-favourite";
    const IS_REMEMBERED: bool = true;
    const LISTS_ARE_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("operator", self.operator.to_string())]
    }
}

/// Most favourites of one operator.
pub const OWN_FAVOURITES: usize = 200;

/// A number that customers dial, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InboundNumber {
    /// Its number in the list.
    pub id: u64,
    /// As dialled, in national form.
    pub number: String,
    /// Which service.
    pub service: u16,
    /// At which step of its flow.
    pub step: u16,
}

impl Document for InboundNumber {
    const KIND: Kind = "inbound-number";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("number", self.number.as_str()), IndexKey::new("all", "")]
    }
}

/// Where a dialled number leads: the service and the step of its flow at which the call enters.
///
/// Numbers are compared in national form: `+81312345678` and `0312345678` are one. `None` for a number that nobody
/// registered, or whose service or step is no longer there. Until the first number is registered, every number (and
/// what is none) leads to the first service.
///
/// # Errors
/// What storage says.
pub fn route_for(
    turn: &mut Turn<'_>,
    dialled: Option<PhoneNumber>,
) -> Result<Option<(ServiceId, StepId)>, StorageError> {
    let documents = turn.documents();
    let plan = Organisation::now(documents)?.numbers;
    let found = match dialled {
        Some(dialled) => documents.find::<InboundNumber>("number", &plan.national(dialled))?,
        None => None,
    };
    let none_registered = found.is_none() && documents.find::<InboundNumber>("all", "")?.is_none();
    let services = &turn.engine().config().services;
    if none_registered {
        return Ok((!services.is_empty()).then_some((ServiceId(0), StepId(0))));
    }
    let is_there = |found: &InboundNumber| {
        services.get(usize::from(found.service)).is_some_and(|service| usize::from(found.step) < service.flow.len())
    };
    Ok(found.filter(is_there).map(|found| (ServiceId(found.service), StepId(found.step))))
}

/// Something that can be played: uploaded, or a text to be spoken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audio {
    /// The number that the engine carries; from 16 on.
    pub id: u64,
    /// As administrators see it.
    pub name: String,
    /// What it is.
    pub content: AudioContent,
}

/// What a recording holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AudioContent {
    /// Sound, in an [`AudioData`] of the same number.
    Recording(Recording),
    /// Text to be spoken.
    Text(String),
}

impl Document for Audio {
    const KIND: Kind = "audio";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        match &self.content {
            AudioContent::Text(text) => vec![IndexKey::new("text", text.as_str())],
            AudioContent::Recording(_) => Vec::new(),
        }
    }
}

/// Longest text that is spoken, in characters.
pub const TEXT_LIMIT: usize = 1_000;

/// The recording of a text: the one that says it already, or a new one; and whether it is new.
///
/// # Errors
/// What storage says.
pub fn audio_of_text(documents: &mut Documents, text: &str) -> Result<(AudioId, bool), StorageError> {
    let found = documents.find::<Audio>("text", text)?;
    let is_new = found.is_none();
    let id = match found {
        Some(found) => found.id,
        None => {
            let id = documents.next_id_from::<Audio>(crate::demo::audio::FIRST_OWN.0.into())?;
            let name = text.chars().take(40).collect();
            documents.put(&Audio { id, name, content: AudioContent::Text(text.to_owned()) });
            id
        }
    };
    Ok((AudioId(u32::try_from(id).unwrap_or(u32::MAX)), is_new))
}

/// Whether a recording is there to be played: a built-in one or an uploaded one.
///
/// # Errors
/// What storage says.
pub fn is_audio(documents: &mut Documents, audio: AudioId) -> Result<bool, StorageError> {
    Ok(audio.0 <= crate::demo::audio::GREETING.0 || documents.get::<Audio>(u64::from(audio.0))?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> PhoneNumber {
        text.parse().unwrap()
    }

    /// P4: the number plan. Other countries and premium services are off by default.
    #[test]
    fn numbers_are_read_by_the_plan() {
        let plan = NumberPlan::default();
        for text in ["+81312345678", "0312345678", "01081312345678"] {
            assert_eq!(plan.national(number(text)), "0312345678", "{text}");
            assert_eq!(plan.allows(number(text)), Ok(()));
        }
        for text in ["+14155550100", "01014155550100"] {
            assert_eq!(plan.national(number(text)), "+14155550100", "{text}");
            assert_eq!(plan.allows(number(text)), Err(Barred::International));
        }
        for text in ["0990512345", "+81990512345"] {
            assert_eq!(plan.allows(number(text)), Err(Barred::Prefix("0990".into())), "{text}");
        }
        assert_eq!(NumberPlan { international: true, ..plan }.allows(number("+14155550100")), Ok(()));
    }
}
