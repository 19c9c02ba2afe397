//! Alerts of rules that fire according to the journal: how they are told to the core, and found there again after a restart.

use tocsin_domain::alert::AlertSource;
pub(crate) use tocsin_domain::intake::ANNOTATION;
use tocsin_domain::state;
use tocsin_promql::{Labels, stable_hash};

use super::ALERT_NAME;

/// Bytes of a key that are labels in plain text; longer ones are cut and end in a hash.
const KEY_LABELS_MAX: usize = 140;
/// Bytes of a group's name in a key.
const KEY_GROUP_MAX: usize = 60;

/// An alert that fires according to the journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The key that it was raised under.
    pub key: String,
    /// The group of its rule.
    pub group: String,
    /// Its rule.
    pub rule: String,
    /// Its labels.
    pub labels: Labels,
    /// Since when it fires, milliseconds.
    pub fired_at_ms: i64,
    /// The expression's value then.
    pub value: f64,
}

/// The alerts of rules that fire according to the state.
#[must_use]
pub fn known_of(state: &state::State) -> Vec<Known> {
    let firing = state.firing.values();
    firing
        .filter_map(|alert| {
            let alert = state.alerts.get(alert)?;
            let AlertSource::Rule { group, rule } = &alert.source else {
                return None;
            };
            let labels = alert.details.iter();
            let labels = labels.filter(|(name, _)| !name.starts_with(ANNOTATION));
            Some(Known {
                key: alert.dedup_key.clone(),
                group: group.clone(),
                rule: rule.clone(),
                labels: labels
                    .map(|(name, value)| (name.as_str(), value.as_str()))
                    .collect(),
                fired_at_ms: alert.opened_at.as_millis(),
                value: alert
                    .evidence
                    .last()
                    .map_or(f64::NAN, |sample| sample.value),
            })
        })
        .collect()
}

/// The key that an alert with these labels is raised under: the same at every time, another for every other alert.
pub(crate) fn key_of(group: &str, labels: &Labels) -> String {
    let name = labels.get(ALERT_NAME);
    let rest = labels.filtered(|one| one != ALERT_NAME).to_string();
    let plain = format!("{group}/{name}{rest}");
    if plain.len() <= KEY_GROUP_MAX + KEY_LABELS_MAX {
        return plain;
    }
    let whole = [("group", group)].into_iter().chain(labels.iter());
    let hash = stable_hash(whole);
    let other = stable_hash([("labels", plain.as_str())].into_iter());
    format!(
        "{}/{}#{hash:016x}{other:016x}",
        cut(group, KEY_GROUP_MAX),
        cut(&format!("{name}{rest}"), KEY_LABELS_MAX)
    )
}

/// The beginning of a text, whole characters only.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    #[test]
    fn a_key_is_plain_text_when_it_is_short_and_differs_for_other_labels_when_it_is_long() {
        let short = key_of("web", &labels(&[("alertname", "Down"), ("instance", "a")]));
        assert_eq!(short, r#"web/Down{instance="a"}"#);
        let long = |last: &str| {
            let value = format!("{}{last}", "é".repeat(300));
            key_of("web", &labels(&[("alertname", "Down"), ("path", &value)]))
        };
        assert!(long("a").len() <= 255, "{}", long("a").len());
        assert_ne!(long("a"), long("b"));
        assert_eq!(long("a"), long("a"));
    }

    #[test]
    fn a_key_holds_no_control_characters_so_that_none_can_be_taken_for_another() {
        let with = |value: &str| key_of("g", &labels(&[("alertname", "A"), ("x", value)]));
        assert!(!with("a\u{1}b").chars().any(char::is_control));
        assert_ne!(with("a\u{1}b"), with("a b"));
    }
}
