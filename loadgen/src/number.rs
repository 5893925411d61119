//! The number that a played customer shows, from which whoever answers knows which customer it is.
//!
//! `7`, class (3 digits), customer (9), attempt (2): 15 digits, as many as E.164 allows.

use std::fmt;

use callfloor_sim::arrival::customer_id;

/// A customer's number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CallerNumber {
    /// Key of the customer's random streams, with the attempt in it.
    pub id: u64,
}

const CLASSES: u64 = 1_000;
const CUSTOMERS: u64 = 1_000_000_000;
const ATTEMPTS: u64 = 100;

impl CallerNumber {
    /// The customer behind a number; `None` for a number of nobody whom we play.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('7').filter(|digits| digits.len() == 14)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (class, rest) = digits.split_at(3);
        let (number, attempt) = rest.split_at(9);
        let id = customer_id(class.parse().ok()?, number.parse().ok()?, attempt.parse().ok()?);
        Some(Self { id })
    }

    /// The same of a scenario with so many classes: a number of any other class is a stranger's, whose behaviour nobody knows.
    #[must_use]
    pub fn parse_of(text: &str, classes: usize) -> Option<Self> {
        Self::parse(text).filter(|number| usize::try_from(number.id >> 48).is_ok_and(|class| class < classes))
    }
}

impl fmt::Display for CallerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, attempt, number) = (self.id >> 48, self.id >> 40 & 0xff, self.id & ((1 << 40) - 1));
        write!(f, "7{:03}{:09}{:02}", class % CLASSES, number % CUSTOMERS, attempt % ATTEMPTS)
    }
}

/// Only the last two digits, as in every log.
impl fmt::Debug for CallerNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{:02}", self.id >> 40 & 0xff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_its_customer() {
        for (class, number, attempt) in [(0, 0, 0), (7, 4_711, 3), (999, 999_999_999, 99)] {
            let id = customer_id(class, number, attempt);
            let text = CallerNumber { id }.to_string();
            assert_eq!(text.len(), 15);
            assert!(text.parse::<callfloor_engine::PhoneNumber>().is_ok());
            assert_eq!(CallerNumber::parse(&text), Some(CallerNumber { id }));
        }
        for other in ["", "0312345678", "7123", "70000000000000x", "anonymous", "8000000000000000"] {
            assert_eq!(CallerNumber::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_number_of_a_class_that_is_none_of_the_scenarios_is_a_strangers() {
        let text = CallerNumber { id: customer_id(2, 4_711, 0) }.to_string();
        assert_eq!(CallerNumber::parse_of(&text, 3), CallerNumber::parse(&text));
        assert_eq!(CallerNumber::parse_of(&text, 2), None);
        assert_eq!(CallerNumber::parse_of("799900000000000", 2), None);
        assert_eq!(CallerNumber::parse_of("0312345678", 2), None);
    }
}
