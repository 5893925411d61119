//! The library of ready scenarios, for `callfloor init`.

/// A ready scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Template {
    /// Its name: the file's name without `.toml`.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub summary: &'static str,
    /// Its text.
    pub text: &'static str,
    /// The CSV files that it names: name and text.
    pub files: &'static [(&'static str, &'static str)],
}

macro_rules! template {
    ($name:literal, $summary:literal $(, $file:literal)*) => {
        Template {
            name: $name,
            summary: $summary,
            text: include_str!(concat!("../", $name, ".toml")),
            files: &[$(($file, include_str!(concat!("../", $file)))),*],
        }
    };
}

/// Every ready scenario, the simplest first.
pub const TEMPLATES: &[Template] = &[
    template!("support-line", "one inbound queue, a forecast by half-hour, one team"),
    template!("multi-skill", "two topics, two languages, three teams"),
    template!("priority-customers", "priority with ageing, last operator preferred, redials"),
    template!("peak-overflow-callback", "a morning peak with callback offer, overflow and voicemail"),
    template!("heavy-transfers", "holds, consultations and transfers to a second level"),
    template!("ring-no-answer", "a team that lets phones ring"),
    template!("outbound-blended", "an outbound list in the gaps of inbound calls"),
    template!(
        "chat-tickets-blended",
        "calls, chats and mail from a forecast and a roster",
        "forecast.csv",
        "roster.csv"
    ),
    template!("mm50m", "M/M/50+M, the benchmark with an exact answer"),
];

/// The ready scenario of a name.
///
/// ```
/// let template = callfloor_scenario::template("support-line").unwrap();
/// assert!(template.text.contains("[queue.support]"));
/// ```
#[must_use]
pub fn template(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

/// The files of a template, for reading it without a disk.
impl crate::Files for Template {
    fn read(&self, name: &str) -> Result<String, String> {
        let found = self.files.iter().find(|(file, _)| *file == name);
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| "the template has no such file".to_owned())
    }
}
