//! What may stand in a scenario file, as data: the check of a file, its JSON Schema and its documentation all
//! come from one description, so that none of them can go stale.

/// What may stand at a place.
#[derive(Debug)]
pub(crate) enum Shape {
    /// A string that is not empty.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number in these bounds, both included.
    Integer(i64, i64),
    /// A number.
    Number(Bounds),
    /// True or false.
    Flag,
    /// A time of day: `"08:30"`, `"08:30:15"` or `"24:00"`.
    Time,
    /// A date: `2026-03-02`.
    Date,
    /// A list of things of one shape.
    List(&'static Self),
    /// A table with these keys.
    Table(&'static Table),
    /// A table whose keys are names that the file chooses; the text says what they name.
    Map(&'static Self, &'static str),
    /// One of several, told apart by their TOML type.
    Either(&'static [Self]),
}

/// Bounds of a number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Bounds {
    /// At least 0.
    NotNegative,
    /// Greater than 0.
    Positive,
    /// A share in [0, 1].
    Share,
    /// A share in (0, 1].
    PositiveShare,
    /// A share in [0, 1).
    ShareBelowOne,
    /// Any finite number.
    Any,
}

/// The greatest number that a key takes: about 32,000 years in seconds, far from any overflow in microseconds.
pub(crate) const GREATEST: f64 = 1e12;

impl Bounds {
    /// Whether a value lies within.
    pub(crate) fn hold(self, value: f64) -> bool {
        value.abs() <= GREATEST
            && match self {
                Self::NotNegative => value >= 0.0,
                Self::Positive => value > 0.0,
                Self::Share => (0.0..=1.0).contains(&value),
                Self::PositiveShare => value > 0.0 && value <= 1.0,
                Self::ShareBelowOne => (0.0..1.0).contains(&value),
                Self::Any => true,
            }
    }

    /// What is expected, for a message.
    pub(crate) const fn expected(self) -> &'static str {
        match self {
            Self::NotNegative => "a number of at least 0",
            Self::Positive => "a number greater than 0",
            Self::Share => "a share from 0 to 1",
            Self::PositiveShare => "a share greater than 0 and at most 1",
            Self::ShareBelowOne => "a share of at least 0 and less than 1",
            Self::Any => "a number",
        }
    }

    /// Whether it is a share, which some write in per cent.
    pub(crate) const fn is_share(self) -> bool {
        matches!(self, Self::Share | Self::PositiveShare | Self::ShareBelowOne)
    }
}

/// A table's keys.
#[derive(Debug)]
pub(crate) struct Table {
    /// Name in the documentation and the schema.
    pub(crate) name: &'static str,
    /// What it describes.
    pub(crate) doc: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [Key],
}

/// One key of a table.
#[derive(Debug)]
pub(crate) struct Key {
    /// The key; its unit ends it.
    pub(crate) name: &'static str,
    /// What may stand there.
    pub(crate) shape: Shape,
    /// Whether it must be there.
    pub(crate) required: bool,
    /// What holds without it.
    pub(crate) default: Default,
    /// What it means.
    pub(crate) doc: &'static str,
}

/// What holds where a key is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Default {
    /// Nothing.
    None,
    /// This number.
    Number(f64),
    /// This whole number.
    Integer(i64),
    /// This flag.
    Flag(bool),
    /// This word.
    Text(&'static str),
    /// What these words say.
    Words(&'static str),
}

/// A key that may be left out.
pub(crate) const fn key(name: &'static str, shape: Shape, doc: &'static str) -> Key {
    Key { name, shape, required: false, default: Default::None, doc }
}

impl Key {
    /// The same key, which must be there.
    pub(crate) const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same key with a default.
    pub(crate) const fn or(self, default: Default) -> Self {
        Self { default, ..self }
    }
}

impl Table {
    /// The key of a name.
    pub(crate) fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

impl Shape {
    /// What is expected, for a message.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text => "a string".into(),
            Self::Choice(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                if words.len() == 1 { words[0].clone() } else { format!("one of {}", words.join(", ")) }
            }
            Self::Integer(low, i64::MAX) => format!("a whole number of at least {low}"),
            Self::Integer(low, high) => format!("a whole number from {low} to {high}"),
            Self::Number(bounds) => bounds.expected().into(),
            Self::Flag => "true or false".into(),
            Self::Time => "a time of day such as \"08:30\"".into(),
            Self::Date => "a date such as 2026-03-02".into(),
            Self::List(of) => format!("a list, each entry {}", of.expected()),
            Self::Table(table) => format!("a table ({})", table.name),
            Self::Map(_, names) => format!("a table of {names}"),
            Self::Either(shapes) => {
                let shapes: Vec<String> = shapes.iter().map(Self::expected).collect();
                shapes.join(", or ")
            }
        }
    }
}
