//! Choices of one of a few words: by a value map, or by the first condition that holds.

use std::collections::BTreeMap;

use tocsin_domain::monitor::Severity;

use super::condition::Condition;
use super::template::Template;
use super::work::{Scope, Work};
use super::{Action, Failure};

/// How one of a few words is chosen.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Choice<T> {
    /// The word that a text stands for; the words themselves need no entry.
    Mapped {
        from: Template,
        /// By the text in small letters.
        map: BTreeMap<String, T>,
        default: Option<T>,
    },
    /// The word of the first condition that holds; no condition holds always.
    Rules(Vec<(Option<Condition>, T)>),
}

/// What can be chosen.
pub(super) trait Word: Copy {
    /// All words, for people.
    const ALL: &'static str;

    /// What a word in small letters stands for.
    fn of(word: &str) -> Option<Self>;
}

impl Word for Action {
    const ALL: &'static str = "trigger, acknowledge, resolve or ignore";

    fn of(word: &str) -> Option<Self> {
        match word {
            "trigger" => Some(Self::Trigger),
            "acknowledge" => Some(Self::Acknowledge),
            "resolve" => Some(Self::Resolve),
            "ignore" => Some(Self::Ignore),
            _ => None,
        }
    }
}

impl Word for Severity {
    const ALL: &'static str = "critical, error, warning or info";

    fn of(word: &str) -> Option<Self> {
        match word {
            "critical" => Some(Self::Critical),
            "error" => Some(Self::Error),
            "warning" => Some(Self::Warning),
            "info" => Some(Self::Info),
            _ => None,
        }
    }
}

/// What was chosen.
pub(super) enum Chosen<T> {
    One(T),
    /// No condition held, or the text was empty.
    None,
    /// The text has no meaning here.
    Unknown(String),
}

impl<T: Word> Choice<T> {
    pub(super) fn choose(&self, scope: &Scope<'_>, work: &mut Work) -> Result<Chosen<T>, Failure> {
        match self {
            Self::Mapped { from, map, default } => {
                let text = from.render(scope, work)?;
                let word = text.trim().to_lowercase();
                let known = map.get(&word).copied().or_else(|| T::of(&word));
                Ok(match known.or(*default) {
                    Some(one) => Chosen::One(one),
                    None if word.is_empty() => Chosen::None,
                    None => Chosen::Unknown(text),
                })
            }
            Self::Rules(rules) => {
                for (condition, word) in rules {
                    let holds = match condition {
                        Some(condition) => condition.holds(scope, work)?,
                        None => true,
                    };
                    if holds {
                        return Ok(Chosen::One(*word));
                    }
                }
                Ok(Chosen::None)
            }
        }
    }
}
