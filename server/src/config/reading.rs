//! From the text of a file and the environment to a configuration, with what is wrong at its place.

use std::ops::Range;

use toml::de::DeTable;

use super::{Config, ConfigError};

impl Config {
    /// Reads a file's text, and the environment over it.
    ///
    /// # Errors
    /// The first thing that is wrong, at its place.
    pub fn read(
        name: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|problem| told(name, text, problem.span(), problem.message()))?;
        let config = config.overlaid(text, environment)?;
        config.check(name, text)?;
        Ok(config)
    }

    /// The same with variables of the environment in place of what the file says.
    fn overlaid(
        self,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = text.parse().expect("the text was read before");
        let mut config = self;
        let mut variables: Vec<_> = environment.into_iter().collect();
        variables.sort();
        for (variable, value) in variables {
            let Some(path) = variable.strip_prefix("CALLFLOOR_") else { continue };
            let path = path.to_lowercase();
            let sections = ["data", "http", "limits", "sip", "media", "chat", "open", "log"];
            let Some((section, key)) = path.split_once('_').filter(|(section, _)| sections.contains(section)) else {
                continue;
            };
            let entry = table.entry(section).or_insert_with(|| toml::Table::new().into());
            let Some(entry) = entry.as_table_mut() else { continue };
            // Numbers and truth values as they are, everything else as text.
            let parsed = format!("x = {value}").parse::<toml::Table>().ok().and_then(|mut one| one.remove("x"));
            let parsed = parsed.filter(|parsed| parsed.is_integer() || parsed.is_bool());
            entry.insert(key.to_owned(), parsed.unwrap_or_else(|| value.clone().into()));
            config = table.clone().try_into().map_err(|problem: toml::de::Error| {
                ConfigError(format!("environment variable {variable}={value}: {}", problem.message()))
            })?;
        }
        Ok(config)
    }

    fn check(&self, name: &str, text: &str) -> Result<(), ConfigError> {
        let (first, last) = (self.media.first_port, self.media.last_port);
        let at = |key| place(text, "media", key);
        if first < 1024 || first % 2 != 0 {
            let what = format!("{first} is no first RTP port: an even one from 1024 is right");
            return Err(told(name, text, at("first_port"), &what));
        }
        if last.saturating_sub(first) < 3 {
            let what = format!("{last} leaves no room for one call's ports after {first}");
            return Err(told(name, text, at("last_port"), &what));
        }
        if let Some((key, what)) = self.limits.fault() {
            return Err(told(name, text, place(text, "limits", key), &what));
        }
        for (what, certificate, key) in
            [("[http]", &self.http.certificate, &self.http.key), ("[sip]", &self.sip.certificate, &self.sip.key)]
        {
            if certificate.is_some() != key.is_some() {
                let what = format!("{what} needs both `certificate` and `key`, or neither");
                return Err(told(name, text, None, &what));
            }
        }
        Ok(())
    }
}

/// Where a value stands in the file; `None` where it is a default or comes from the environment.
fn place(text: &str, section: &str, key: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    Some(table.get_ref().get(section)?.get_ref().as_table()?.get(key)?.span())
}

/// `FILE:LINE:COLUMN: what`, with the line and a mark.
fn told(name: &str, text: &str, at: Option<Range<usize>>, what: &str) -> ConfigError {
    let Some(at) = at else { return ConfigError(format!("{name}: {what}")) };
    let mut start = at.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let number = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let width = text.get(start..at.end).map_or(1, |found| found.lines().next().unwrap_or_default().chars().count());
    let mark = format!("{}{}", " ".repeat(column - 1), "^".repeat(width.max(1)));
    ConfigError(format!("{name}:{number}:{column}: {what}\n  {line}\n  {mark}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read("server.toml", text, environment).map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(read("", &[]), Ok(Config::default()));
        assert!(Config::default().http.address.ip().is_loopback(), "nothing is public unless somebody says so");
        assert!(Config::default().sip.address.ip().is_loopback());
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let text = "[http]\naddress = \"127.0.0.1:9000\"\n[media]\nfirst_port = 30000\nlast_port = 30999\n";
        let config = read(text, &[("CALLFLOOR_HTTP_ADDRESS", "[::1]:9001"), ("CALLFLOOR_MEDIA_LAST_PORT", "31001")]);
        let config = config.unwrap();
        assert_eq!(config.http.address, "[::1]:9001".parse().unwrap());
        assert_eq!((config.media.first_port, config.media.last_port), (30000, 31001));
        let config = read("", &[("CALLFLOOR_LIMITS_READS_PER_SECOND", "7")]).unwrap();
        assert_eq!(config.limits.reads_per_second, 7);
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let wrong = read("[http]\nadress = \"127.0.0.1:1\"\n", &[]).unwrap_err();
        assert!(wrong.starts_with("server.toml:2:1: unknown field `adress`"), "{wrong}");
        assert!(wrong.contains("address"), "says what would be right: {wrong}");
        let wrong = read("[media]\nfirst_port = 20001\n", &[]).unwrap_err();
        assert!(wrong.starts_with("server.toml:2:14: 20001 is no first RTP port"), "{wrong}");
        assert!(wrong.ends_with("first_port = 20001\n               ^^^^^"), "{wrong}");
        let wrong = read("", &[("CALLFLOOR_HTTP_ADDRESS", "nowhere")]).unwrap_err();
        assert!(wrong.starts_with("environment variable CALLFLOOR_HTTP_ADDRESS=nowhere"), "{wrong}");
        let wrong = read("[limits]\nreads_per_second = 5\nwrites_burst = 0\n", &[]).unwrap_err();
        assert!(wrong.starts_with("server.toml:3:16: writes_burst = 0 lets nobody"), "{wrong}");
        let wrong = read("[limits]\nreads_per_second = -1\n", &[]).unwrap_err();
        assert!(wrong.starts_with("server.toml:2:20: "), "{wrong}");
        let wrong = read("[limits]\nconnections = 10\naddress_connections = 11\n", &[]).unwrap_err();
        assert!(wrong.starts_with("server.toml:3:23: 11 connections of one address"), "{wrong}");
        let wrong = read("[http]\ncertificate = \"c.pem\"\n", &[]).unwrap_err();
        assert!(wrong.contains("needs both"), "{wrong}");
    }
}
