//! Applies a mapping to a body. What is merely ornamental never costs an alert: it is cut or left out, and noted.

use std::borrow::Cow;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tocsin_domain::monitor::Severity;
use tocsin_domain::text::{NO_TITLE, shows_nothing};
use tocsin_domain::time::Timestamp;

use super::choice::Chosen;
use super::template::Template;
use super::work::{Scope, Work};
use super::{
    ALERTS_MAX, Action, DEDUP_KEY_CHARS_MAX, DETAIL_CHARS_MAX, DETAILS_MAX, Failure, Mapped,
    Mapping, OUTPUT_BYTES_MAX, Outcome, SUMMARY_CHARS_MAX, TITLE_CHARS_MAX,
};
use crate::plain::{cut, is_plain, is_plain_line};

/// Levels of nested fields that become details of their own.
const DETAIL_DEPTH_MAX: usize = 8;
/// Hexadecimal digits of the hash that stands for the rest of a long key.
const HASH_DIGITS: usize = 32;
/// No sender means an earlier time than this: 2001-01-01.
const EARLIEST_MS: i64 = 978_307_200_000;

impl Mapping {
    /// The alerts that a body makes.
    ///
    /// # Errors
    /// When there is nothing where alerts should be, or more than the limits let through; nothing of it is kept then.
    pub fn apply(&self, body: &Value) -> Result<Outcome, Failure> {
        let mut work = Work::new();
        let whole = Scope { body, item: body };
        let items = self.each.find(&whole, &mut work)?;
        if items.len() > ALERTS_MAX {
            return Err(Failure::TooMany);
        }
        if items.is_empty() && !self.is_empty_list(&whole, &mut work)? {
            return Err(Failure::Nothing {
                path: self.each.text().to_owned(),
            });
        }
        let mut outcome = Outcome::default();
        let mut bytes = 0;
        for item in items {
            let scope = Scope { body, item };
            match self.one(&scope, &mut work)? {
                Some(alert) => {
                    bytes += size_of(&alert);
                    if bytes > OUTPUT_BYTES_MAX {
                        return Err(Failure::TooMuchOutput);
                    }
                    outcome.alerts.push(alert);
                }
                None => outcome.ignored += 1,
            }
        }
        Ok(outcome)
    }

    /// Whether the list of alerts is there and empty, which is no mistake.
    fn is_empty_list(&self, whole: &Scope<'_>, work: &mut Work) -> Result<bool, Failure> {
        let Some(list) = self.each.list() else {
            return Ok(false);
        };
        let found = list.find(whole, work)?;
        Ok(found
            .iter()
            .any(|value| value.as_array().is_some_and(Vec::is_empty)))
    }

    fn one(&self, scope: &Scope<'_>, work: &mut Work) -> Result<Option<Mapped>, Failure> {
        if let Some(when) = &self.when
            && !when.holds(scope, work)?
        {
            return Ok(None);
        }
        let mut notes = Vec::new();
        let action = match self.action.choose(scope, work)? {
            Chosen::One(Action::Ignore) => return Ok(None),
            Chosen::One(action) => action,
            Chosen::None => Action::Trigger,
            Chosen::Unknown(text) => {
                notes.push(format!(
                    "the action {:?} is unknown: it fails",
                    cut(&text, 80)
                ));
                Action::Trigger
            }
        };
        let severity = match self.severity.choose(scope, work)? {
            Chosen::One(severity) => severity,
            Chosen::None => Severity::Critical,
            Chosen::Unknown(text) => {
                notes.push(format!(
                    "the severity {:?} is unknown and counts as critical",
                    cut(&text, 80)
                ));
                Severity::Critical
            }
        };
        let said = one_line(&self.title.render(scope, work)?);
        let mut dedup_key = rendered(self.dedup_key.as_ref(), scope, work)?;
        if dedup_key.trim().is_empty() {
            dedup_key.clone_from(&said);
        }
        let summary = rendered(self.summary.as_ref(), scope, work)?;
        let (details, named) = self.all_details(scope, work, &mut notes)?;
        let at = self.time(scope, work, &mut notes)?;
        let summary = cut(clean(&summary).trim(), SUMMARY_CHARS_MAX);
        Ok(Some(Mapped {
            action,
            dedup_key: key(&dedup_key),
            title: title(&said, &summary),
            summary,
            severity,
            details,
            named,
            at,
            notes,
        }))
    }

    /// The details, and how many of them the mapping names.
    fn all_details(
        &self,
        scope: &Scope<'_>,
        work: &mut Work,
        notes: &mut Vec<String>,
    ) -> Result<(Vec<(String, String)>, usize), Failure> {
        let mut details = Vec::new();
        for (name, template) in &self.details {
            let text = template.render(scope, work)?;
            if !text.trim().is_empty() {
                details.push(detail(name.clone(), text));
            }
        }
        let named = details.len();
        for path in &self.details_from {
            for value in path.find(scope, work)? {
                flatten(String::new(), value, 0, work, &mut details)?;
            }
        }
        if details.len() > DETAILS_MAX {
            details.truncate(DETAILS_MAX);
            notes.push(format!("only the first {DETAILS_MAX} details were kept"));
        }
        Ok((details, named))
    }

    fn time(
        &self,
        scope: &Scope<'_>,
        work: &mut Work,
        notes: &mut Vec<String>,
    ) -> Result<Option<Timestamp>, Failure> {
        let text = rendered(self.at.as_ref(), scope, work)?;
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let at = instant(text);
        if at.is_none() {
            notes.push(format!(
                "the time {:?} was left out: it is none",
                cut(text, 80)
            ));
        }
        Ok(at)
    }
}

/// RFC 3339, or the seconds or milliseconds since 1970.
fn instant(text: &str) -> Option<Timestamp> {
    let at = Timestamp::parse_rfc3339(text).or_else(|| {
        let number: f64 = text.parse().ok()?;
        // Seconds reach this in the year 5138, milliseconds in March 1973.
        let ms = if number < 1e11 {
            number * 1_000.0
        } else {
            number
        };
        #[expect(
            clippy::cast_possible_truncation,
            reason = "within what milliseconds of the calendar can hold"
        )]
        (ms.is_finite() && (0.0..2.5e14).contains(&ms)).then(|| Timestamp::from_millis(ms as i64))
    })?;
    (at.as_millis() >= EARLIEST_MS).then_some(at)
}

fn rendered(
    template: Option<&Template>,
    scope: &Scope<'_>,
    work: &mut Work,
) -> Result<String, Failure> {
    template.map_or(Ok(String::new()), |template| template.render(scope, work))
}

/// What is nested gets a dotted name; no more is made than is kept.
fn flatten(
    name: String,
    value: &Value,
    depth: usize,
    work: &mut Work,
    found: &mut Vec<(String, String)>,
) -> Result<(), Failure> {
    if found.len() > DETAILS_MAX {
        return Ok(());
    }
    work.take(1)?;
    let below = |key: &str| match name.is_empty() {
        true => cut(key, DETAIL_CHARS_MAX),
        false => cut(&format!("{name}.{key}"), DETAIL_CHARS_MAX),
    };
    match value {
        Value::Object(fields) if depth < DETAIL_DEPTH_MAX => {
            for (key, value) in fields.iter().take(DETAILS_MAX + 1) {
                flatten(below(key), value, depth + 1, work, found)?;
            }
        }
        Value::Array(items) if depth < DETAIL_DEPTH_MAX => {
            for (index, value) in items.iter().take(DETAILS_MAX + 1).enumerate() {
                flatten(below(&index.to_string()), value, depth + 1, work, found)?;
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {
            let mut text = String::new();
            work.write_value(&mut text, value)?;
            if !text.trim().is_empty() {
                found.push(detail(name, text));
            }
        }
    }
    Ok(())
}

/// A detail as it is kept. Nearly all come so, and are moved.
fn detail(name: String, text: String) -> (String, String) {
    let name = if name.trim().is_empty() {
        "value".to_owned()
    } else {
        name
    };
    let is_kept = |text: &str| text.len() <= DETAIL_CHARS_MAX && is_plain(text);
    let name = if is_kept(&name) {
        name
    } else {
        cut(&clean(&name), DETAIL_CHARS_MAX)
    };
    let is_wide = text.starts_with(' ') || text.ends_with(' ');
    let text = if is_kept(&text) && !is_wide {
        text
    } else {
        cut(clean(&text).trim(), DETAIL_CHARS_MAX)
    };
    (name, text)
}

/// The title, or the beginning of what is said instead of it.
fn title(said: &str, summary: &str) -> String {
    if !shows_nothing(said) {
        return cut(said, TITLE_CHARS_MAX);
    }
    let first_line = one_line(summary.lines().next().unwrap_or_default());
    let title = if shows_nothing(&first_line) {
        NO_TITLE
    } else {
        first_line.as_str()
    };
    cut(title, TITLE_CHARS_MAX)
}

/// A key that is no longer than the core takes: a hash stands for the rest of a longer one.
pub(super) fn key(text: &str) -> String {
    let text = one_line(text);
    if text.chars().count() <= DEDUP_KEY_CHARS_MAX {
        return text;
    }
    let hash: String = Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let begin = cut(&text, DEDUP_KEY_CHARS_MAX - HASH_DIGITS - 1);
    format!("{begin}#{}", cut(&hash, HASH_DIGITS))
}

/// In one line, without control characters.
fn one_line(text: &str) -> String {
    if is_plain_line(text) {
        return text.to_owned();
    }
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A blank for every control character but new lines and tabs.
fn clean(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let unprintable =
        |character: char| character.is_control() && character != '\n' && character != '\t';
    Cow::Owned(text.replace(unprintable, " "))
}

fn size_of(alert: &Mapped) -> usize {
    let details = alert.details.iter();
    let details: usize = details.map(|(name, text)| name.len() + text.len()).sum();
    alert.dedup_key.len() + alert.title.len() + alert.summary.len() + details
}
