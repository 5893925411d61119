//! Telephone numbers, packed: small enough to copy, with no text handling in the engine.

use core::fmt;
use core::num::NonZero;
use core::str::FromStr;

use serde::{Deserialize, Serialize};

/// A telephone number or extension: 1 to 16 of the characters `0`–`9`, `*`, `#`, `+` (E.164 has at most 15 digits).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PhoneNumber(NonZero<u64>);

/// Why a text is no [`PhoneNumber`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberError {
    /// No characters.
    Empty,
    /// More than 16 characters.
    TooLong,
    /// This character cannot be dialled.
    Character(char),
}

const ALPHABET: &[u8; 13] = b"0123456789*#+";

impl FromStr for PhoneNumber {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let mut packed = 0u64;
        let mut length = 0;
        for c in text.chars() {
            let Some(code) = ALPHABET.iter().position(|&a| char::from(a) == c) else {
                return Err(NumberError::Character(c));
            };
            length += 1;
            if length > 16 {
                return Err(NumberError::TooLong);
            }
            packed = packed << 4 | (code as u64 + 1);
        }
        // No character has the code 0.
        NonZero::new(packed).map(Self).ok_or(NumberError::Empty)
    }
}

impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..16).rev() {
            let code = (self.0.get() >> (4 * place) & 15) as usize;
            if let Some(&c) = code.checked_sub(1).and_then(|i| ALPHABET.get(i)) {
                write!(f, "{}", char::from(c))?;
            }
        }
        Ok(())
    }
}

/// Only the last two characters, so that no log shows a customer's number.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "…{}", Self(NonZero::new(self.0.get() & 0xff).unwrap_or(self.0)))
    }
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("an empty text is no telephone number: 1 to 16 of 0-9 * # + are needed"),
            Self::TooLong => f.write_str("a telephone number has at most 16 characters"),
            Self::Character(c) => write!(f, "{c:?} cannot be dialled: a telephone number is made of 0-9 * # +"),
        }
    }
}

impl core::error::Error for NumberError {}

#[cfg(test)]
mod tests {
    use alloc::{format, string::ToString};

    use super::*;

    #[test]
    fn every_form_survives() {
        for text in ["0", "+81312345678", "*21#", "+123456789012345", "0000"] {
            assert_eq!(text.parse::<PhoneNumber>().unwrap().to_string(), text);
        }
        assert_eq!(format!("{:?}", "+81312345678".parse::<PhoneNumber>().unwrap()), "…78");
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!("".parse::<PhoneNumber>(), Err(NumberError::Empty));
        assert_eq!("12a".parse::<PhoneNumber>(), Err(NumberError::Character('a')));
        assert_eq!("12345678901234567".parse::<PhoneNumber>(), Err(NumberError::TooLong));
    }
}
