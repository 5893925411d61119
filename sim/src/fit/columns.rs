//! Which column of a call log holds what.
//!
//! A log has a header line. Its columns are found by Callfloor's own names, by names that the caller maps to them, or by
//! a built-in profile that is recognised by the header. The profile so far: the Anonymous Bank call-by-call data of
//! Guedj and Mandelbaum (Technion, 2000).

use std::fmt;

/// What a call log can tell about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// When the call began to want an operator: date and time, or a time of day where there is a date column.
    Arrival,
    /// The day of the call, where the arrival is only a time of day.
    Date,
    /// Time in the queue, ringing included, until the answer or until the caller left.
    Wait,
    /// Answered or abandoned; a call without it was answered if its service is given.
    Outcome,
    /// Time with the operator.
    Service,
    /// When the service began; arrival plus wait where absent.
    Answered,
    /// Who served it.
    Operator,
    /// Type of call.
    Type,
    /// Priority, a whole number; the higher, the sooner served.
    Priority,
}

impl Field {
    /// Every field, with the name of its column and whether a log can do without.
    pub const ALL: [(Self, &'static str, bool); 9] = [
        (Self::Arrival, "arrival", true),
        (Self::Date, "date", false),
        (Self::Wait, "wait_s", true),
        (Self::Outcome, "outcome", false),
        (Self::Service, "service_s", true),
        (Self::Answered, "answered", false),
        (Self::Operator, "operator", false),
        (Self::Type, "type", false),
        (Self::Priority, "priority", false),
    ];

    /// The name of its column in a log of Callfloor's own form.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A mapping from fields to the headers of a log, such as `arrival=start_time,wait_s=queue_seconds`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mapping(Vec<(Field, String)>);

/// Why a mapping or a header cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnError(pub(super) String);

impl fmt::Display for ColumnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ColumnError {}

impl Mapping {
    /// Reads `field=header` pairs, separated by commas.
    ///
    /// # Errors
    /// If a pair has no `=`, a field is unknown, or a field is mapped twice.
    ///
    /// ```
    /// use callfloor_sim::fit::columns::Mapping;
    /// assert!(Mapping::parse("arrival=start_time,wait_s=queue_seconds").is_ok());
    /// let error = Mapping::parse("arival=start_time").unwrap_err();
    /// assert!(error.to_string().contains("no field `arival`"));
    /// ```
    pub fn parse(text: &str) -> Result<Self, ColumnError> {
        let mut pairs: Vec<(Field, String)> = Vec::new();
        for pair in text.split(',').map(str::trim).filter(|p| !p.is_empty()) {
            let Some((name, header)) = pair.split_once('=') else {
                return Err(ColumnError(format!(
                    "`{pair}` names no header; it must read field=header, such as arrival=start_time"
                )));
            };
            let (name, header) = (name.trim(), header.trim());
            let Some(&(field, ..)) = Field::ALL.iter().find(|(_, known, _)| *known == name) else {
                let known: Vec<_> = Field::ALL.iter().map(|(_, known, _)| *known).collect();
                return Err(ColumnError(format!("no field `{name}`; a log can have {}", known.join(", "))));
            };
            if pairs.iter().any(|(other, _)| *other == field) {
                return Err(ColumnError(format!("field `{name}` is mapped twice")));
            }
            pairs.push((field, header.to_owned()));
        }
        Ok(Self(pairs))
    }

    fn header_of(&self, field: Field) -> &str {
        self.0.iter().find(|(own, _)| *own == field).map_or(field.name(), |(_, header)| header)
    }
}

/// Where the columns of one file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Layout {
    /// Callfloor's own columns, by place.
    Own(OwnLayout),
    /// The Anonymous Bank data.
    AnonymousBank(BankLayout),
}

/// Places of Callfloor's own columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OwnLayout([Option<usize>; Field::ALL.len()]);

impl OwnLayout {
    pub(super) fn at(&self, field: Field) -> Option<usize> {
        self.0[field as usize]
    }
}

/// Places of the Anonymous Bank's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BankLayout {
    pub(super) priority: usize,
    pub(super) kind: usize,
    pub(super) date: usize,
    pub(super) vru_entry: usize,
    pub(super) vru_exit: usize,
    pub(super) q_start: usize,
    pub(super) q_time: usize,
    pub(super) outcome: usize,
    pub(super) ser_start: usize,
    pub(super) ser_time: usize,
    pub(super) server: usize,
}

impl Layout {
    /// Finds the columns in a header.
    pub(super) fn find(header: &[String], mapping: &Mapping) -> Result<Self, ColumnError> {
        if mapping.0.is_empty()
            && let Some(bank) = BankLayout::find(header)
        {
            return Ok(Self::AnonymousBank(bank));
        }
        let mut places = [None; Field::ALL.len()];
        for (i, &(field, name, needed)) in Field::ALL.iter().enumerate() {
            let wanted = mapping.header_of(field);
            places[i] = header.iter().position(|h| h == wanted);
            let mapped = mapping.0.iter().any(|(own, _)| *own == field);
            if places[i].is_none() && (needed || mapped) {
                return Err(ColumnError(format!(
                    "no column `{wanted}` for {name}; the header has {}; name the column with --columns {name}=HEADER",
                    header.join(", ")
                )));
            }
        }
        Ok(Self::Own(OwnLayout(places)))
    }
}

impl BankLayout {
    fn find(header: &[String]) -> Option<Self> {
        let at = |name: &str| header.iter().position(|h| h == name);
        Some(Self {
            priority: at("priority")?,
            kind: at("type")?,
            date: at("date")?,
            vru_entry: at("vru_entry")?,
            vru_exit: at("vru_exit")?,
            q_start: at("q_start")?,
            q_time: at("q_time")?,
            outcome: at("outcome")?,
            ser_start: at("ser_start")?,
            ser_time: at("ser_time")?,
            server: at("server")?,
        })
    }
}
