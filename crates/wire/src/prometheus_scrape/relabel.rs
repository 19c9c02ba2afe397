//! Relabelling, as Prometheus 3 does it: rules that change a set of labels one after the other, or drop it. It does not know
//! whether the labels are a target's or a sample's.

use md5::{Digest, Md5};
use regex::Regex;
use serde::Deserialize;
use tocsin_domain::pattern::{Dot, anchored};

use super::labels::LabelSet;
use super::template::Template;

/// Bytes that a compiled pattern may take.
const REGEX_BYTES_MAX: usize = 1 << 20;
const DEFAULT_SEPARATOR: &str = ";";
const DEFAULT_REGEX: &str = "(.*)";
const DEFAULT_REPLACEMENT: &str = "$1";

/// A rule as written; what is missing has Prometheus' default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleText {
    /// `replace` when missing; capitals do not matter.
    pub action: Option<String>,
    /// Labels whose values are joined.
    pub source_labels: Option<Vec<String>>,
    /// What stands between them; `;` when missing.
    pub separator: Option<String>,
    /// The label that is written or compared.
    pub target_label: Option<String>,
    /// The pattern, anchored at both ends; everything when missing.
    pub regex: Option<String>,
    /// What a hash is divided by.
    pub modulus: Option<u64>,
    /// What is put in the place of a match; the first group when missing.
    pub replacement: Option<String>,
}

/// Why a rule cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    /// There is no such action.
    #[error(
        "there is no action {0:?}; expected replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase or uppercase"
    )]
    UnknownAction(String),
    /// A key is missing.
    #[error("{action} needs {key}")]
    Missing {
        /// The action.
        action: &'static str,
        /// The key that it needs.
        key: &'static str,
    },
    /// A key does not go with the action.
    #[error("{action} takes no {key}")]
    Superfluous {
        /// The action.
        action: &'static str,
        /// The key that it does not take.
        key: &'static str,
    },
    /// A label's name that is none.
    #[error("{0:?} is no name of a label")]
    BadName(String),
    /// A pattern that is no regular expression, or too large a one.
    #[error("the pattern {pattern:?} cannot be used: {reason}")]
    BadPattern {
        /// As written.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
}

/// What a rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Writes the replacement into the target label, when the pattern matches.
    Replace,
    /// Drops everything that does not match.
    Keep,
    /// Drops everything that matches.
    Drop,
    /// Drops everything whose joined values differ from the target label.
    KeepEqual,
    /// Drops everything whose joined values equal the target label.
    DropEqual,
    /// Writes the rest of the joined values' hash by the modulus into the target label.
    HashMod,
    /// Copies labels whose names match under new names.
    LabelMap,
    /// Removes labels whose names match.
    LabelDrop,
    /// Removes labels whose names do not match.
    LabelKeep,
    /// Writes the joined values in small letters.
    Lowercase,
    /// Writes the joined values in capitals.
    Uppercase,
}

const ACTIONS: [(Action, &str); 11] = [
    (Action::Replace, "replace"),
    (Action::Keep, "keep"),
    (Action::Drop, "drop"),
    (Action::KeepEqual, "keepequal"),
    (Action::DropEqual, "dropequal"),
    (Action::HashMod, "hashmod"),
    (Action::LabelMap, "labelmap"),
    (Action::LabelDrop, "labeldrop"),
    (Action::LabelKeep, "labelkeep"),
    (Action::Lowercase, "lowercase"),
    (Action::Uppercase, "uppercase"),
];

/// One rule, ready to be used.
#[derive(Clone, Debug)]
pub struct Rule {
    action: Action,
    source_labels: Vec<String>,
    separator: String,
    target_label: Template,
    pattern: Regex,
    modulus: u64,
    replacement: Template,
    /// Whether the pattern is the one that matches everything.
    matches_all: bool,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.action == other.action
            && self.source_labels == other.source_labels
            && self.separator == other.separator
            && self.target_label == other.target_label
            && self.pattern.as_str() == other.pattern.as_str()
            && self.modulus == other.modulus
            && self.replacement == other.replacement
    }
}

impl Rule {
    /// Checks a rule and makes it ready. `legacy_names` asks for names of letters, digits and underscores.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(text: RuleText, legacy_names: bool) -> Result<Self, BadRule> {
        let action = action_of(text.action.as_deref())?;
        check_keys(action, &text)?;
        let pattern = text.regex.as_deref().unwrap_or(DEFAULT_REGEX);
        let rule = Self {
            action,
            source_labels: text.source_labels.unwrap_or_default(),
            separator: text
                .separator
                .unwrap_or_else(|| DEFAULT_SEPARATOR.to_owned()),
            target_label: Template::new(text.target_label.as_deref().unwrap_or_default()),
            pattern: compile(pattern)?,
            modulus: text.modulus.unwrap_or_default(),
            replacement: Template::new(text.replacement.as_deref().unwrap_or(DEFAULT_REPLACEMENT)),
            matches_all: pattern == DEFAULT_REGEX,
        };
        rule.check_names(legacy_names)?;
        Ok(rule)
    }

    fn check_names(&self, legacy_names: bool) -> Result<(), BadRule> {
        let template = match self.action {
            Action::Replace
            | Action::HashMod
            | Action::Lowercase
            | Action::Uppercase
            | Action::KeepEqual
            | Action::DropEqual => &self.target_label,
            Action::LabelMap => &self.replacement,
            Action::Keep | Action::Drop | Action::LabelDrop | Action::LabelKeep => return Ok(()),
        };
        let may_have_groups = matches!(self.action, Action::Replace | Action::LabelMap);
        let name = template.text();
        let good = if may_have_groups && template.has_dollar() {
            !legacy_names
                || name
                    .bytes()
                    .all(|byte| is_word(byte) || b"${}".contains(&byte))
        } else if legacy_names {
            is_legacy_name(name)
        } else {
            !name.is_empty()
        };
        if good {
            Ok(())
        } else {
            Err(BadRule::BadName(name.to_owned()))
        }
    }
}

/// Applies rules in their order. False when one of them drops what the labels belong to.
#[must_use]
pub fn relabel(labels: &mut LabelSet, rules: &[Rule]) -> bool {
    rules.iter().all(|rule| apply(labels, rule))
}

fn apply(labels: &mut LabelSet, rule: &Rule) -> bool {
    let joined = joined(labels, rule);
    match rule.action {
        Action::Keep => return rule.pattern.is_match(&joined),
        Action::Drop => return !rule.pattern.is_match(&joined),
        Action::KeepEqual => return labels.get(rule.target_label.text()) == joined,
        Action::DropEqual => return labels.get(rule.target_label.text()) != joined,
        Action::Replace => replace(labels, rule, &joined),
        Action::Lowercase => labels.set(rule.target_label.text(), joined.to_lowercase()),
        Action::Uppercase => labels.set(rule.target_label.text(), joined.to_uppercase()),
        Action::HashMod => labels.set(
            rule.target_label.text(),
            (hash(&joined) % rule.modulus).to_string(),
        ),
        Action::LabelMap => map_names(labels, rule),
        Action::LabelDrop => labels.retain(|name| !rule.pattern.is_match(name)),
        Action::LabelKeep => labels.retain(|name| rule.pattern.is_match(name)),
    }
    true
}

fn joined(labels: &LabelSet, rule: &Rule) -> String {
    match rule.source_labels.as_slice() {
        [] => String::new(),
        [one] => labels.get(one).to_owned(),
        several => {
            let values: Vec<&str> = several.iter().map(|name| labels.get(name)).collect();
            values.join(&rule.separator)
        }
    }
}

fn replace(labels: &mut LabelSet, rule: &Rule, joined: &str) {
    // What matches everything needs no match where nothing of it is used.
    if rule.matches_all && !rule.target_label.has_dollar() && !rule.replacement.has_dollar() {
        labels.set(rule.target_label.text(), rule.replacement.text());
        return;
    }
    let Some(found) = rule.pattern.captures(joined) else {
        return;
    };
    let name = rule.target_label.expand(&found);
    // A name that comes out empty is no name: the labels stay as they are.
    if !name.is_empty() {
        labels.set(&name, rule.replacement.expand(&found));
    }
}

fn map_names(labels: &mut LabelSet, rule: &Rule) {
    let mapped: Vec<(String, String)> = labels
        .iter()
        .filter_map(|(name, value)| {
            let found = rule.pattern.captures(name)?;
            Some((rule.replacement.expand(&found), value.to_owned()))
        })
        .collect();
    for (name, value) in mapped {
        if !name.is_empty() {
            labels.set(&name, value);
        }
    }
}

/// The lower half of the MD5 sum, as Prometheus takes it, so that shards that both share stay the same.
pub(super) fn hash(text: &str) -> u64 {
    let sum = Md5::digest(text.as_bytes());
    sum.iter()
        .skip(8)
        .fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// Compiles a pattern as Prometheus means it.
fn compile(text: &str) -> Result<Regex, BadRule> {
    anchored(text, Dot::OfText, REGEX_BYTES_MAX).map_err(|error| BadRule::BadPattern {
        pattern: text.to_owned(),
        reason: error.to_string(),
    })
}

fn action_of(word: Option<&str>) -> Result<Action, BadRule> {
    let word = word.unwrap_or("replace");
    let small = word.to_ascii_lowercase();
    let known = ACTIONS.iter().find(|(_, name)| *name == small);
    known
        .map(|(action, _)| *action)
        .ok_or_else(|| BadRule::UnknownAction(word.to_owned()))
}

/// Which keys go with an action.
fn check_keys(action: Action, text: &RuleText) -> Result<(), BadRule> {
    let name = ACTIONS
        .iter()
        .find(|(one, _)| *one == action)
        .map_or("", |(_, name)| *name);
    let written = |key: &'static str, is_written: bool| {
        if is_written {
            Err(BadRule::Superfluous { action: name, key })
        } else {
            Ok(())
        }
    };
    let differs = |value: &Option<String>, default: &str| {
        value.as_deref().is_some_and(|value| value != default)
    };
    let needs_target = match action {
        Action::Replace | Action::HashMod => true,
        Action::Lowercase | Action::Uppercase => {
            written(
                "replacement",
                differs(&text.replacement, DEFAULT_REPLACEMENT),
            )?;
            true
        }
        Action::KeepEqual | Action::DropEqual => {
            written("regex", differs(&text.regex, DEFAULT_REGEX))?;
            written("modulus", text.modulus.is_some_and(|modulus| modulus != 0))?;
            written("separator", differs(&text.separator, DEFAULT_SEPARATOR))?;
            written(
                "replacement",
                differs(&text.replacement, DEFAULT_REPLACEMENT),
            )?;
            true
        }
        Action::LabelDrop | Action::LabelKeep => {
            let has_sources = text
                .source_labels
                .as_ref()
                .is_some_and(|all| !all.is_empty());
            written("source_labels", has_sources)?;
            written("target_label", differs(&text.target_label, ""))?;
            written("modulus", text.modulus.is_some_and(|modulus| modulus != 0))?;
            written("separator", differs(&text.separator, DEFAULT_SEPARATOR))?;
            written(
                "replacement",
                differs(&text.replacement, DEFAULT_REPLACEMENT),
            )?;
            false
        }
        Action::Keep | Action::Drop | Action::LabelMap => false,
    };
    if needs_target && text.target_label.as_deref().unwrap_or_default().is_empty() {
        return Err(BadRule::Missing {
            action: name,
            key: "target_label",
        });
    }
    if action == Action::HashMod && text.modulus.unwrap_or_default() == 0 {
        return Err(BadRule::Missing {
            action: name,
            key: "a modulus above 0",
        });
    }
    Ok(())
}

/// Whether a name has letters, digits and underscores only, and does not begin with a digit.
pub(super) fn is_legacy_name(name: &str) -> bool {
    name.bytes().all(is_word)
        && name
            .bytes()
            .next()
            .is_some_and(|first| !first.is_ascii_digit())
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
