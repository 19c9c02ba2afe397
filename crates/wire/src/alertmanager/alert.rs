//! Alerts as `POST /api/v2/alerts` brings them, and what is made of each: its fingerprint, its times, its words for people. Which
//! of them are known already is not known here.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use tocsin_domain::alert::RESOLVE_TIMEOUT_MS;
use tocsin_domain::intake::ANNOTATION;
use tocsin_domain::monitor::Severity;
use tocsin_domain::text::shows_nothing;
use tocsin_domain::time::Timestamp;

use super::fault::Fault;
use super::fingerprint::fingerprint_text;
use super::pairs::{self, Labels};
use super::time;
use crate::plain::is_plain_line;

/// Alerts of one request that are taken.
pub const ALERTS_MAX: usize = 4_096;
/// Labels of an alert, and annotations.
pub const LABELS_MAX: usize = 64;
/// Bytes of the name of a label or an annotation.
pub const NAME_BYTES_MAX: usize = 512;
/// Bytes of a value; that of an annotation is cut, that of a label refused.
pub const TEXT_BYTES_MAX: usize = 4_096;
/// Characters of a title.
const TITLE_CHARS_MAX: usize = 400;
/// Reasons of one request that are told.
const REASONS_MAX: usize = 20;

/// An alert as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PostedAlert {
    #[serde(deserialize_with = "pairs::labels")]
    labels: Option<Labels>,
    #[serde(deserialize_with = "pairs::annotations")]
    annotations: BTreeMap<String, String>,
    #[serde(rename = "startsAt", deserialize_with = "time::optional")]
    starts_at: Option<Timestamp>,
    #[serde(rename = "endsAt", deserialize_with = "time::optional")]
    ends_at: Option<Timestamp>,
    #[serde(rename = "generatorURL")]
    generator_url: Option<String>,
}

/// An alert that can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValidAlert {
    /// What it is known by.
    pub fingerprint: String,
    /// Its labels, by name.
    pub labels: BTreeMap<String, String>,
    /// Its annotations, by name.
    pub annotations: BTreeMap<String, String>,
    /// Since when it fires.
    pub starts_at: Timestamp,
    /// When it is over, if it is not said again.
    pub ends_at: Timestamp,
    /// Where its sender tells more.
    pub generator_url: Option<String>,
}

/// Reads the alerts of a request: those that can be taken, and why the others cannot.
///
/// # Errors
/// Nothing of the request can be taken.
pub fn parse_alerts(bytes: &[u8], now: Timestamp) -> Result<(Vec<ValidAlert>, Vec<String>), Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::required("alerts"));
    }
    let posted: Option<Posted> =
        crate::json::read(bytes).map_err(|why| Fault::body("alerts", why))?;
    let Posted { first, left_out } = posted.unwrap_or_default();
    for (index, alert) in first.iter().enumerate() {
        if alert.as_ref().is_none_or(|alert| alert.labels.is_none()) {
            return Err(Fault::required(&format!("{index}.labels")));
        }
    }
    let (mut valid, mut reasons) = (Vec::new(), Vec::new());
    if left_out > 0 {
        reasons.push(format!(
            "more than {ALERTS_MAX} alerts in one request: the last {left_out} were left out"
        ));
    }
    for alert in first.into_iter().flatten() {
        match alert.settled(now) {
            Ok(alert) => valid.push(alert),
            Err(why) if reasons.len() < REASONS_MAX => reasons.push(why),
            Err(_) => {}
        }
    }
    Ok((valid, reasons))
}

/// The first alerts, and how many came after them, which were passed over.
#[derive(Default)]
struct Posted {
    first: Vec<Option<PostedAlert>>,
    left_out: usize,
}

impl<'de> Deserialize<'de> for Posted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Counted)
    }
}

struct Counted;

impl<'de> Visitor<'de> for Counted {
    type Value = Posted;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of alerts")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Posted, A::Error> {
        let mut posted = Posted::default();
        while posted.first.len() < ALERTS_MAX {
            let Some(alert) = list.next_element()? else {
                return Ok(posted);
            };
            posted.first.push(alert);
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            posted.left_out += 1;
        }
        Ok(posted)
    }
}

impl PostedAlert {
    /// The alert with everything that Alertmanager would fill in at `now`.
    fn settled(self, now: Timestamp) -> Result<ValidAlert, String> {
        let starts_at = self.starts_at.or(self.ends_at).unwrap_or(now);
        let ends_at = self.ends_at;
        let ends_at = ends_at.unwrap_or_else(|| now.plus_ms(RESOLVE_TIMEOUT_MS));
        if ends_at < starts_at {
            return Err("start time must be before end time".to_owned());
        }
        let labels = self.labels.unwrap_or_default().settled()?;
        let pairs = labels.iter();
        let pairs = pairs.map(|(name, value)| (name.as_str(), value.as_str()));
        Ok(ValidAlert {
            fingerprint: fingerprint_text(pairs),
            labels,
            annotations: self.annotations,
            starts_at,
            ends_at,
            generator_url: self
                .generator_url
                .filter(|url| !url.is_empty() && url.len() <= TEXT_BYTES_MAX),
        })
    }
}

impl ValidAlert {
    fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    fn said(&self, name: &str) -> Option<&str> {
        let text = self.annotations.get(name)?;
        Some(text.as_str()).filter(|text| !shows_nothing(text))
    }

    /// What fails, in one line.
    #[must_use]
    pub fn title(&self) -> String {
        let own = self.said("summary").or_else(|| self.said("title"));
        let own = own
            .or_else(|| self.said("message"))
            .map(on_one_line)
            .filter(|line| !line.is_empty());
        own.unwrap_or_else(|| self.untitled())
    }

    /// Its name with the label that tells most about what fails.
    fn untitled(&self) -> String {
        let name = on_one_line(self.label("alertname"));
        let name = if shows_nothing(&name) {
            let first = self.labels.iter().next();
            first.map_or_else(String::new, |(name, value)| {
                on_one_line(&format!("{name}={value}"))
            })
        } else {
            name
        };
        let telling = ["instance", "target", "service", "job"];
        let found = telling.iter().map(|name| on_one_line(self.label(name)));
        let title = match found.into_iter().find(|value| !shows_nothing(value)) {
            Some(value) => on_one_line(&format!("{name} on {value}")),
            None => name,
        };
        // Labels of nothing but control characters are labels all the same.
        if shows_nothing(&title) {
            "an alert without a name".to_owned()
        } else {
            title
        }
    }

    /// More about it.
    #[must_use]
    pub fn summary(&self) -> String {
        let about = self
            .said("description")
            .or_else(|| self.said("message"))
            .unwrap_or_default();
        let keep = |one: char| !one.is_control() || one == '\n' || one == '\t';
        let text = about.chars();
        let text: String = text.map(|one| if keep(one) { one } else { ' ' }).collect();
        text.trim().to_owned()
    }

    /// How bad, by its label. A word that is not known pages: nothing is made less urgent by a slip of the pen.
    #[must_use]
    pub fn severity(&self) -> Severity {
        match self.label("severity").to_ascii_lowercase().as_str() {
            "critical" | "page" | "emergency" | "fatal" | "disaster" | "p1" => Severity::Critical,
            "warning" | "warn" | "minor" | "low" | "ticket" | "p3" => Severity::Warning,
            "info" | "information" | "informational" | "notice" | "debug" | "none" | "p4"
            | "p5" => Severity::Info,
            _ => Severity::Error,
        }
    }

    /// Its labels, then its annotations and where its sender tells more, each after [`ANNOTATION`].
    #[must_use]
    pub fn into_details(self) -> Vec<(String, String)> {
        let texts = self.annotations.into_iter();
        let texts = texts.map(|(name, text)| (format!("{ANNOTATION}{name}"), text));
        let url = self.generator_url.into_iter();
        let url = url.map(|url| (GENERATOR_URL.to_owned(), url));
        self.labels.into_iter().chain(texts).chain(url).collect()
    }
}

/// The further field that is the address where the sender of an alert tells more. No annotation can have this name.
pub const GENERATOR_URL: &str = "annotation generatorURL";

fn on_one_line(text: &str) -> String {
    if text.len() <= TITLE_CHARS_MAX && is_plain_line(text) {
        return text.to_owned();
    }
    let words = text.split(|one: char| one.is_control() || one == ' ');
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().take(TITLE_CHARS_MAX).collect()
}
