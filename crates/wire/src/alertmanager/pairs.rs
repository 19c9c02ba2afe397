//! Labels and annotations of an alert while they are read: no more of them are kept than can be of use, however many come. What
//! they mean is not known here.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};
use tocsin_domain::intake::ANNOTATION;

use super::alert::{GENERATOR_URL, LABELS_MAX, NAME_BYTES_MAX, TEXT_BYTES_MAX};

/// Labels as they came. A label without value is no label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Labels {
    known: BTreeMap<String, String>,
    /// Then none is kept.
    are_too_many: bool,
}

impl Labels {
    fn take(&mut self, name: String, value: String) {
        if self.are_too_many {
            return;
        }
        if value.is_empty() {
            self.known.remove(&name);
            return;
        }
        self.known.insert(name, value);
        if self.known.len() > LABELS_MAX {
            *self = Self {
                known: BTreeMap::new(),
                are_too_many: true,
            };
        }
    }

    /// Each with a good name and a value within the limits, or why an alert cannot have them.
    pub(super) fn settled(self) -> Result<BTreeMap<String, String>, String> {
        if self.are_too_many {
            return Err(format!(
                "invalid label set: it has more than {LABELS_MAX} labels"
            ));
        }
        for (name, value) in &self.known {
            if !is_name(name) {
                let shown = cut(name, NAME_BYTES_MAX);
                return Err(format!("invalid label set: invalid name {shown:?}"));
            }
            if value.len() > TEXT_BYTES_MAX {
                return Err(format!(
                    "invalid label set: the value of {name:?} has more than {TEXT_BYTES_MAX} bytes"
                ));
            }
        }
        if self.known.is_empty() {
            return Err("at least one label pair required".to_owned());
        }
        Ok(self.known)
    }
}

/// Reads labels; none where there is `null`.
pub(super) fn labels<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Labels>, D::Error> {
    let mut labels = Labels::default();
    let are_there = each(deserializer, |name, value| labels.take(name, value))?;
    Ok(are_there.then_some(labels))
}

/// Reads annotations. They are ornament: what is too much of them is left out, and the alert goes on. The first by name stay.
pub(super) fn annotations<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let is_own = |name: &str| GENERATOR_URL.strip_prefix(ANNOTATION) == Some(name);
    let mut annotations = BTreeMap::new();
    each(deserializer, |name, value| {
        if is_name(&name) && !is_own(&name) {
            annotations.insert(name, cut(&value, TEXT_BYTES_MAX).to_owned());
        }
        if annotations.len() > LABELS_MAX {
            annotations.pop_last();
        }
    })?;
    Ok(annotations)
}

/// Whether a name can be one: what begins as our annotations do would be taken for one.
fn is_name(name: &str) -> bool {
    let is_read = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
    is_read && !name.chars().any(char::is_control) && !name.starts_with(ANNOTATION)
}

/// The first bytes of a text, whole characters of it.
fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Hands over each pair of an object as it is read, and tells whether there is an object. Go takes `null` for an empty text.
fn each<'de, D: Deserializer<'de>>(
    deserializer: D,
    take: impl FnMut(String, String),
) -> Result<bool, D::Error> {
    deserializer.deserialize_option(Each(take))
}

struct Each<F>(F);

impl<'de, F: FnMut(String, String)> Visitor<'de> for Each<F> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_none<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_unit<E: Error>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_map(self)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<bool, A::Error> {
        while let Some((name, value)) = map.next_entry::<String, Option<String>>()? {
            (self.0)(name, value.unwrap_or_default());
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many pairs, the last first.
    fn many(count: usize) -> String {
        let pairs = (0..count).rev();
        let pairs: Vec<String> = pairs
            .map(|number| format!("\"l{number:06}\":\"x\""))
            .collect();
        format!("{{{}}}", pairs.join(","))
    }

    fn labels_of(text: &str) -> Labels {
        let mut reader = serde_json::Deserializer::from_str(text);
        labels(&mut reader).unwrap().unwrap()
    }

    #[test]
    fn of_very_many_labels_none_is_kept() {
        let read = labels_of(&many(100_000));
        assert_eq!(read.known.len(), 0);
        assert!(read.settled().unwrap_err().contains("more than 64 labels"));
        assert_eq!(
            labels_of(&many(LABELS_MAX)).settled().unwrap().len(),
            LABELS_MAX
        );
    }

    #[test]
    fn labels_without_value_count_for_nothing() {
        let empty = many(1_000).replace("\"x\"", "null");
        let text = format!("{{\"a\":\"b\",{}", &empty[1..]);
        assert_eq!(labels_of(&text).settled().unwrap().len(), 1);
        assert!(labels_of(r#"{"a":"b","a":""}"#).settled().is_err());
    }

    #[test]
    fn of_very_many_annotations_the_first_by_name_are_kept() {
        let text = many(1_000);
        let mut reader = serde_json::Deserializer::from_str(&text);
        let read = annotations(&mut reader).unwrap();
        assert_eq!(read.len(), LABELS_MAX);
        assert!(read.contains_key("l000000") && read.contains_key("l000063"));
    }
}
