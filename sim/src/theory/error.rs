//! Why a question to the theory has no answer.

use core::fmt;

/// Why a model gives no figures. Its text names what was found and what would be right.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TheoryError {
    /// A number is outside its range.
    OutOfRange {
        /// What the number is, as a planner would say it.
        what: &'static str,
        /// What was given.
        found: f64,
        /// The range that would be right.
        right: &'static str,
    },
    /// Fewer than one operator.
    NoOperators,
    /// The offered load is not below the number of operators, and nobody abandons or is refused.
    Unstable {
        /// Arrival rate × mean handle time, in erlangs.
        offered_load_erl: f64,
        /// The operators asked about.
        operators: u32,
    },
    /// No targets were given to staff for.
    NoTargets,
    /// No number of operators up to the limit of the search meets the targets.
    Unreachable {
        /// The largest number of operators tried.
        tried: u32,
    },
}

impl fmt::Display for TheoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { what, found, right } => {
                write!(f, "{what} is {found}: it must be {right}")
            }
            Self::NoOperators => write!(f, "operators is 0: it must be at least 1"),
            Self::Unstable { offered_load_erl, operators } => {
                let needed = offered_load_erl.floor() + 1.0;
                write!(
                    f,
                    "the queue grows without end: {offered_load_erl} erlangs of offered load on {operators} operators, \
                     and nobody abandons; take at least {needed} operators, or Erlang A with the callers' mean patience"
                )
            }
            Self::NoTargets => {
                write!(f, "no target to staff for: give at least a service level or a largest occupancy")
            }
            Self::Unreachable { tried } => {
                write!(f, "no number of operators up to {tried} meets the targets: lower them")
            }
        }
    }
}

impl core::error::Error for TheoryError {}

/// `value`, if it is finite and above zero.
pub(super) fn positive(what: &'static str, value: f64) -> Result<f64, TheoryError> {
    if value.is_finite() && value > 0.0 {
        Ok(value)
    } else {
        Err(TheoryError::OutOfRange { what, found: value, right: "a finite number above 0" })
    }
}

/// `value`, if it is finite and not negative.
pub(super) fn not_negative(what: &'static str, value: f64) -> Result<f64, TheoryError> {
    if value.is_finite() && value >= 0.0 {
        Ok(value)
    } else {
        Err(TheoryError::OutOfRange { what, found: value, right: "a finite number, 0 or more" })
    }
}

/// `value`, if it is a share in [0, 1).
pub(super) fn share_below_one(what: &'static str, value: f64) -> Result<f64, TheoryError> {
    if (0.0..1.0).contains(&value) {
        Ok(value)
    } else {
        Err(TheoryError::OutOfRange { what, found: value, right: "a share in [0, 1)" })
    }
}
