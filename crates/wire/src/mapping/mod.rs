//! The mapping language: how a JSON body of any shape becomes alerts, without code. It knows no route and no state.
//!
//! A mapping is a JSON object. `each` is the path of the things that become one alert each; all other fields are looked for in
//! such a thing (paths that begin with `.`) or in the whole body (`$`). Texts are templates; `action` and `severity` choose
//! one of a few words by a value map or by conditions. `docs/guide/intake.md` describes it for people. Everything is bounded:
//! the mapping, the work for one body, the alerts of one body and what they hold.

mod apply;
mod choice;
mod condition;
mod cursor;
mod path;
pub mod presets;
mod read;
mod template;
mod work;

use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;

use choice::Choice;
use condition::Condition;
use path::Path;
use template::Template;

/// Bytes of a mapping.
pub const MAPPING_BYTES_MAX: usize = 32 * 1_024;
/// Bytes of a body.
pub const BODY_BYTES_MAX: usize = 1_024 * 1_024;
/// Alerts that one body makes.
pub const ALERTS_MAX: usize = 1_000;
/// Bytes of all that the alerts of one body hold.
pub const OUTPUT_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// Details of one alert.
pub const DETAILS_MAX: usize = 64;
/// Characters of a title; the core takes no more.
pub const TITLE_CHARS_MAX: usize = 1_024;
/// Characters of a summary.
pub const SUMMARY_CHARS_MAX: usize = 4_000;
/// Characters of a detail's name and of its value.
pub const DETAIL_CHARS_MAX: usize = 1_000;
/// Characters of a dedup key; the core takes no more.
pub const DEDUP_KEY_CHARS_MAX: usize = 255;

/// How a body becomes alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct Mapping {
    each: Path,
    when: Option<Condition>,
    action: Choice<Action>,
    dedup_key: Option<Template>,
    title: Template,
    summary: Option<Template>,
    severity: Choice<Severity>,
    details: Vec<(String, Template)>,
    details_from: Vec<Path>,
    at: Option<Template>,
}

/// What is wrong with a mapping.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}{}: {why}", character.map(|at| format!(", character {at}")).unwrap_or_default())]
pub struct Mistake {
    /// The field of the mapping, as a path (`severity.map`).
    pub field: String,
    /// The character of its text, counted from 1.
    pub character: Option<usize>,
    /// What is wrong, and what was expected.
    pub why: String,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Something fails.
    Trigger,
    /// Somebody works on it.
    Acknowledge,
    /// It is over.
    Resolve,
    /// Nothing: it is passed over.
    Ignore,
}

impl Action {
    /// Its word in a mapping.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trigger => "trigger",
            Self::Acknowledge => "acknowledge",
            Self::Resolve => "resolve",
            Self::Ignore => "ignore",
        }
    }
}

/// One alert that a body makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// What is asked for; never [`Action::Ignore`].
    pub action: Action,
    /// Which alert it is; empty when the body names none and has no title either.
    pub dedup_key: String,
    /// What fails, in one line; never empty.
    pub title: String,
    /// More about it.
    pub summary: String,
    /// How bad it is.
    pub severity: Severity,
    /// Further fields.
    pub details: Vec<(String, String)>,
    /// How many of them, from the first on, the mapping names; the others are called as the body calls them.
    pub named: usize,
    /// When the sender saw it.
    pub at: Option<Timestamp>,
    /// What was left out or assumed.
    pub notes: Vec<String>,
}

/// All that a body makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The alerts, in the order of the body.
    pub alerts: Vec<Mapped>,
    /// How many things were passed over, by `when` or by the action `ignore`.
    pub ignored: usize,
}

/// Why a body makes no alerts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Nothing is where the alerts should be.
    #[error("nothing was found at {path}, where the mapping looks for alerts")]
    Nothing {
        /// The mapping's `each`.
        path: String,
    },
    /// More than one body may hold.
    #[error("the body holds more than {ALERTS_MAX} alerts; nothing was kept")]
    TooMany,
    /// The mapping looks at too many values.
    #[error("the mapping takes too much work on this body; nothing was kept")]
    TooMuchWork,
    /// The alerts hold too much text.
    #[error("the alerts would hold more than {OUTPUT_BYTES_MAX} bytes; nothing was kept")]
    TooMuchOutput,
}

/// A text as a dedup key: in one line, and with a hash for the rest where it is longer than the core takes.
#[must_use]
pub fn key_of(text: &str) -> String {
    apply::key(text)
}

#[cfg(test)]
mod tests;
