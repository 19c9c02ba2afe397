//! The YAML as it stands. Keys that nothing is made of are not looked at.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

/// A whole configuration.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Config {
    pub(super) global: Option<Value>,
    pub(super) route: Option<Route>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) receivers: Vec<Receiver>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) inhibit_rules: Vec<Value>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) templates: Vec<Value>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) time_intervals: Vec<TimeInterval>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) mute_time_intervals: Vec<TimeInterval>,
}

/// A route with those in it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Route {
    receiver: Option<Spanned<String>>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) group_by: Vec<String>,
    pub(super) group_wait: Option<Value>,
    pub(super) group_interval: Option<Value>,
    pub(super) repeat_interval: Option<Value>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) r#match: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) match_re: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) matchers: Vec<String>,
    #[serde(rename = "continue", deserialize_with = "or_empty")]
    pub(super) go_on: bool,
    #[serde(deserialize_with = "or_empty")]
    pub(super) mute_time_intervals: Vec<String>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) active_time_intervals: Vec<String>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) routes: Vec<Self>,
}

/// Who is told, and how.
#[derive(Deserialize)]
pub(super) struct Receiver {
    pub(super) name: Spanned<String>,
    #[serde(default, deserialize_with = "or_empty")]
    email_configs: Vec<EmailConfig>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// One mail to some addresses.
#[derive(Deserialize)]
struct EmailConfig {
    #[serde(default)]
    to: Option<Spanned<String>>,
}

/// Times by name.
#[derive(Deserialize)]
pub(super) struct TimeInterval {
    pub(super) name: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) time_intervals: Vec<Times>,
}

/// Some times.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Times {
    #[serde(deserialize_with = "or_empty")]
    pub(super) times: Vec<TimeRange>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) weekdays: Vec<String>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) days_of_month: Vec<Value>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) months: Vec<Value>,
    #[serde(deserialize_with = "or_empty")]
    pub(super) years: Vec<Value>,
    pub(super) location: Option<String>,
}

/// From a time of day until another.
#[derive(Deserialize)]
pub(super) struct TimeRange {
    pub(super) start_time: String,
    pub(super) end_time: String,
}

impl Route {
    /// The receiver that it names itself; that of the route around it when none.
    pub(super) fn named(&self) -> Option<&Spanned<String>> {
        let named = self.receiver.as_ref();
        named.filter(|name| !name.value.is_empty())
    }
}

impl Receiver {
    /// The lists of addresses that it mails to.
    pub(super) fn lists(&self) -> impl Iterator<Item = &Spanned<String>> {
        let configs = self.email_configs.iter();
        configs.filter_map(|config| config.to.as_ref())
    }

    /// What it has besides mail, and how many of each.
    pub(super) fn others(&self) -> Vec<(&str, usize)> {
        let count = |value: &Value| match value {
            Value::Null => 0,
            Value::Array(list) => list.len(),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => 1,
        };
        let others = self.rest.iter();
        others
            .map(|(kind, value)| (kind.as_str(), count(value)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// Whether it has no way to tell anybody: such a receiver is there to keep alerts quiet.
    pub(super) fn is_silent(&self) -> bool {
        self.email_configs.is_empty() && self.others().is_empty()
    }
}

/// What is null is empty, as it is where the key is not there at all: so Alertmanager takes it.
fn or_empty<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The line that a value stands in; 0 where it is not known.
pub(super) fn line<T>(value: &Spanned<T>) -> u64 {
    value.referenced.line()
}

/// Reads the YAML.
pub(super) fn read(text: &str) -> Result<Config, String> {
    let says_nothing = |line: &str| line.trim().is_empty() || line.trim_start().starts_with('#');
    if text.lines().all(says_nothing) {
        return Err("nothing stands in it".to_owned());
    }
    let options = serde_saphyr::options! {
        with_snippet: false,
    };
    let config: Result<Option<Config>, _> = serde_saphyr::from_str_with_options(text, options);
    match config {
        Ok(config) => Ok(config.unwrap_or_default()),
        Err(error) => {
            let line = error.location().map_or(0, |location| location.line());
            let what = error.without_snippet().to_string();
            let first = what.lines().next().unwrap_or_default();
            Err(format!("line {line}: {first}"))
        }
    }
}
