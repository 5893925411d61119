//! Satisfaction surveys: what customers are asked after a call, chat or ticket, what they answered, and what that says.

mod http;
mod results;

use serde::{Deserialize, Serialize};

pub(crate) use http::{PERMISSIONS, router};

use crate::document::Document;
use crate::storage::{IndexKey, Kind, key_of};

/// After what customers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SurveyChannel {
    /// A call.
    Phone,
    /// A chat.
    Chat,
    /// A ticket.
    Ticket,
}

/// How a question is answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum QuestionKind {
    /// 1 (bad) to 5 (good).
    Score,
    /// One of these.
    Choice(Vec<String>),
    /// In their own words: at most 1 000 characters.
    Text,
}

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked: 1 to 200 characters.
    pub text: String,
    /// How it is answered.
    pub kind: QuestionKind,
    /// Whether it must be answered.
    #[serde(default)]
    pub required: bool,
}

/// A survey. Its questions stay as they are, so that its results are about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Survey {
    /// Its number.
    #[serde(rename = "survey")]
    pub id: u64,
    /// For which service.
    pub service: u16,
    /// After what.
    pub channel: SurveyChannel,
    /// As customers see it.
    pub title: String,
    /// What is asked.
    pub questions: Vec<Question>,
    /// Whether customers are asked at present: one survey of a service and channel.
    pub active: bool,
}

impl Document for Survey {
    const KIND: Kind = "survey";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let active = self.active.then(|| IndexKey::new("active", Self::of(self.service, self.channel)));
        active.into_iter().collect()
    }
}

impl Survey {
    /// The key of the active survey of a service and channel.
    fn of(service: u16, channel: SurveyChannel) -> String {
        format!("{service}:{channel:?}")
    }
}

/// What was answered to one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Given {
    /// 1 to 5.
    Score(u8),
    /// Which of the choices, from 0.
    Choice(u16),
    /// In their own words.
    Text(String),
}

/// One customer's invitation, and their answers once they are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reply {
    id: u64,
    /// Hash of the token that answers.
    token: String,
    survey: u64,
    queue: Option<u16>,
    operator: Option<u32>,
    invited_us: u64,
    answered_us: Option<u64>,
    /// One for each question.
    answers: Vec<Option<Given>>,
}

impl Document for Reply {
    const KIND: Kind = "survey-reply";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys = vec![IndexKey::new("token", self.token.as_str())];
        let answered = self.answered_us.map(|at| IndexKey::new("answered", Self::answered(self.survey, at)));
        keys.extend(answered);
        keys
    }
}

impl Reply {
    /// The key of a survey's replies in the order of their answers.
    fn answered(survey: u64, at_us: u64) -> String {
        format!("{}:{}", key_of(survey), key_of(at_us))
    }
}
