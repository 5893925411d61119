//! Notices and entries of the FAQ: what a service tells everybody.

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::http::Problem;
use crate::storage::{IndexKey, Kind, key_of};

/// What an article is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ArticleKind {
    /// Something to know now.
    Notice,
    /// A question that is asked often, and its answer.
    Faq,
}

/// A notice, or an entry of the FAQ, as an administrator writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ArticleText {
    /// What it is.
    pub kind: ArticleKind,
    /// Whose: the service.
    pub service: u16,
    /// Of its texts, as in `ja` or `zh-hant` (BCP 47).
    pub language: String,
    /// Lesser goes first.
    #[serde(default)]
    pub order: u32,
    /// The title, or the question: 1 to 200 characters.
    pub title: String,
    /// The text, or the answer: 1 to 20,000 characters.
    pub text: String,
    /// Shown from this time on, in microseconds since 1970.
    #[serde(default)]
    pub from_us: u64,
    /// Shown until this time, in microseconds since 1970; without one for as long as it is there.
    #[serde(default)]
    pub until_us: Option<u64>,
}

/// A notice, or an entry of the FAQ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct Article {
    /// Its number.
    pub id: u64,
    /// Raised by every change: the `ETag`.
    pub version: u64,
    /// When it was last changed, in microseconds since 1970.
    pub changed_us: u64,
    /// What is written.
    #[serde(flatten)]
    pub written: ArticleText,
}

impl Document for Article {
    const KIND: Kind = "article";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let place =
            format!("{}:{}", Self::shelf(self.written.kind, self.written.service), key_of(self.written.order.into()));
        vec![IndexKey::new("place", place), IndexKey::new("all", "")]
    }
}

impl Article {
    /// Where the articles of a kind and service stand, in the order in which they are shown.
    pub(super) fn shelf(kind: ArticleKind, service: u16) -> String {
        format!("{kind:?}/{service}")
    }

    /// Whether everybody is shown it at this time.
    pub(super) fn is_shown(&self, now_us: u64) -> bool {
        self.written.from_us <= now_us && self.written.until_us.is_none_or(|until| now_us < until)
    }
}

/// A language as it is kept: small letters.
///
/// # Errors
/// Where it is none.
pub(super) fn language(text: &str) -> Result<String, Problem> {
    let mut parts = text.split('-');
    let first = |part: &str| (2..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let later = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if text.len() > 35 || !parts.next().is_some_and(first) || !parts.all(later) {
        return Err(Problem::wrong("language", format!("{text:?}: a language as in ja, en or zh-Hant is right")));
    }
    Ok(text.to_ascii_lowercase())
}

impl ArticleText {
    /// What is kept of it.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn checked(mut self, services: usize) -> Result<Self, Problem> {
        if usize::from(self.service) >= services {
            return Err(Problem::wrong("service", format!("there are {services} services, from 0")));
        }
        self.language = language(&self.language)?;
        let title = self.title.trim();
        if !(1..=200).contains(&title.chars().count()) || title.chars().any(char::is_control) {
            return Err(Problem::wrong("title", "1 to 200 characters in one line are right"));
        }
        if !(1..=20_000).contains(&self.text.trim().chars().count()) {
            return Err(Problem::wrong("text", "1 to 20000 characters are right"));
        }
        if self.until_us.is_some_and(|until| until <= self.from_us) {
            return Err(Problem::wrong("until_us", "an end after the beginning, from_us, is right"));
        }
        (self.title, self.text) = (title.to_owned(), self.text.trim().to_owned());
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages() {
        assert_eq!(language("zh-Hant").as_deref(), Ok("zh-hant"));
        assert_eq!(language("ja").as_deref(), Ok("ja"));
        for wrong in ["", "j", "japanese", "ja-", "ja_JP", "-ja", "日本"] {
            assert!(language(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn shown_from_the_beginning_until_before_the_end() {
        let written = ArticleText {
            kind: ArticleKind::Notice,
            service: 0,
            language: "EN".into(),
            order: 0,
            title: " Closed on Monday ".into(),
            text: "We are back on Tuesday.".into(),
            from_us: 10,
            until_us: Some(20),
        };
        let written = written.checked(1).unwrap();
        assert_eq!((written.title.as_str(), written.language.as_str()), ("Closed on Monday", "en"));
        assert_eq!(ArticleText { until_us: Some(10), ..written.clone() }.checked(1).unwrap_err().rule, "until_us");
        assert_eq!(ArticleText { service: 1, ..written.clone() }.checked(1).unwrap_err().rule, "service");
        assert_eq!(ArticleText { title: "a\nb".into(), ..written.clone() }.checked(1).unwrap_err().rule, "title");
        let article = Article { id: 1, version: 1, changed_us: 0, written };
        assert_eq!([9, 10, 19, 20].map(|now| article.is_shown(now)), [false, true, true, false]);
    }
}
