//! The YAML as it stands. Keys that nothing is made of are not looked at.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// A whole configuration.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Config {
    pub(super) global: Option<Value>,
    pub(super) route: Option<Route>,
    pub(super) receivers: Vec<Receiver>,
    pub(super) inhibit_rules: Vec<Value>,
    pub(super) templates: Vec<Value>,
    pub(super) time_intervals: Vec<TimeInterval>,
    pub(super) mute_time_intervals: Vec<TimeInterval>,
}

/// A route with those in it.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Route {
    pub(super) receiver: Option<String>,
    pub(super) group_by: Vec<String>,
    pub(super) group_wait: Option<Value>,
    pub(super) group_interval: Option<Value>,
    pub(super) repeat_interval: Option<Value>,
    pub(super) r#match: BTreeMap<String, String>,
    pub(super) match_re: BTreeMap<String, String>,
    pub(super) matchers: Vec<String>,
    #[serde(rename = "continue")]
    pub(super) go_on: bool,
    pub(super) mute_time_intervals: Vec<String>,
    pub(super) active_time_intervals: Vec<String>,
    pub(super) routes: Vec<Self>,
}

/// Who is told, and how.
#[derive(Deserialize)]
pub(super) struct Receiver {
    pub(super) name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

/// Times by name.
#[derive(Deserialize)]
pub(super) struct TimeInterval {
    pub(super) name: String,
    #[serde(default)]
    pub(super) time_intervals: Vec<Times>,
}

/// Some times.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Times {
    pub(super) times: Vec<TimeRange>,
    pub(super) weekdays: Vec<String>,
    pub(super) days_of_month: Vec<Value>,
    pub(super) months: Vec<Value>,
    pub(super) years: Vec<Value>,
    pub(super) location: Option<String>,
}

/// From a time of day until another.
#[derive(Deserialize)]
pub(super) struct TimeRange {
    pub(super) start_time: String,
    pub(super) end_time: String,
}

impl Receiver {
    /// Where it mails to, in small letters.
    pub(super) fn mails(&self) -> Vec<String> {
        let configs = self.rest.get("email_configs").and_then(Value::as_array);
        let lists = configs.into_iter().flatten();
        let lists = lists.filter_map(|config| config.get("to").and_then(Value::as_str));
        let mut mails: Vec<String> = lists
            .flat_map(|list| list.split(','))
            .map(|address| address.trim().to_lowercase())
            .filter(|address| !address.is_empty())
            .collect();
        mails.sort();
        mails.dedup();
        mails
    }

    /// What else it has, and how many of each.
    pub(super) fn others(&self) -> Vec<(&str, usize)> {
        let others = self
            .rest
            .iter()
            .filter(|(kind, _)| *kind != "email_configs");
        let count = |value: &Value| value.as_array().map_or(1, Vec::len);
        others
            .map(|(kind, value)| (kind.as_str(), count(value)))
            .collect()
    }
}

/// Reads the YAML.
pub(super) fn read(text: &str) -> Result<Config, String> {
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
