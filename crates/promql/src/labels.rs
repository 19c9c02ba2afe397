//! The labels of a series: a small sorted list that is cheap to share; it knows no index.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The label that holds the metric's name.
pub const METRIC_NAME: &str = "__name__";

/// Names and values of a series' labels, sorted by name, each name once, no empty value. Cloning shares them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Default for Labels {
    fn default() -> Self {
        Self(Arc::from([]))
    }
}

impl Labels {
    /// From pairs in any order. Of a name given twice the later value stays; an empty value is the same as no label.
    #[must_use]
    pub fn new(pairs: impl IntoIterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            let sorted: BTreeMap<_, _> = pairs.drain(..).collect();
            pairs.extend(sorted);
        }
        pairs.retain(|(_, value)| !value.is_empty());
        Self(pairs.into())
    }

    /// The value of a label; empty when there is no such label.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        match self.0.binary_search_by(|(other, _)| (**other).cmp(name)) {
            Ok(at) => self.0.get(at).map_or("", |(_, value)| value),
            Err(_) => "",
        }
    }

    /// The metric's name; empty when there is none.
    #[must_use]
    pub fn metric_name(&self) -> &str {
        self.get(METRIC_NAME)
    }

    /// Names and values in the order of names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> + Clone {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Names and values that can be shared instead of copied.
    pub fn iter_shared(&self) -> impl ExactSizeIterator<Item = &(Arc<str>, Arc<str>)> {
        self.0.iter()
    }

    /// How many labels there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no label.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// These labels as an owned map.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// The same labels without the metric's name.
    #[must_use]
    pub fn without_name(&self) -> Self {
        if self.metric_name().is_empty() {
            return self.clone();
        }
        self.filtered(|name| name != METRIC_NAME)
    }

    /// The labels whose name passes `keep`.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        if self.0.iter().all(|(name, _)| keep(name)) {
            return self.clone();
        }
        Self(
            self.0
                .iter()
                .filter(|(name, _)| keep(name))
                .cloned()
                .collect(),
        )
    }

    /// The same labels with one set to `value` (removed when that is empty).
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        if self.get(name) == value {
            return self.clone();
        }
        let mut pairs: Vec<_> = self
            .0
            .iter()
            .filter(|(other, _)| &**other != name)
            .cloned()
            .collect();
        if !value.is_empty() {
            let at = pairs.partition_point(|(other, _)| &**other < name);
            pairs.insert(at, (Arc::from(name), Arc::from(value)));
        }
        Self(pairs.into())
    }

    /// A hash that is the same on every run and machine.
    #[must_use]
    pub fn stable_hash(&self) -> u64 {
        stable_hash(self.iter())
    }
}

/// The hash of labels that are not [`Labels`] yet, given in the order of names and without empty values: the same as
/// [`Labels::stable_hash`] (FNV-1a with a final mix).
pub fn stable_hash<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> u64 {
    const SEPARATOR: u8 = 0xff;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |byte: u8| {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    };
    for (name, value) in pairs {
        name.bytes().for_each(&mut feed);
        feed(SEPARATOR);
        value.bytes().for_each(&mut feed);
        feed(SEPARATOR);
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

impl From<&BTreeMap<String, String>> for Labels {
    fn from(map: &BTreeMap<String, String>) -> Self {
        Self::new(
            map.iter()
                .map(|(name, value)| (Arc::from(name.as_str()), Arc::from(value.as_str()))),
        )
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Labels {
    fn from_iter<T: IntoIterator<Item = (&'a str, &'a str)>>(pairs: T) -> Self {
        Self::new(
            pairs
                .into_iter()
                .map(|(name, value)| (Arc::from(name), Arc::from(value))),
        )
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.metric_name())?;
        let mut rest = self.iter().filter(|(name, _)| *name != METRIC_NAME);
        let Some((name, value)) = rest.next() else {
            return if self.metric_name().is_empty() {
                formatter.write_str("{}")
            } else {
                Ok(())
            };
        };
        write!(formatter, "{{{name}={value:?}")?;
        for (name, value) in rest {
            write!(formatter, ", {name}={value:?}")?;
        }
        formatter.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_and_an_empty_value_is_no_label() {
        let labels: Labels = [("b", "2"), ("a", "1"), ("c", "")].into_iter().collect();
        assert_eq!(labels.to_string(), r#"{a="1", b="2"}"#);
        assert_eq!(labels.get("c"), "");
        assert_eq!(labels.with("a", "").to_string(), r#"{b="2"}"#);
        assert_eq!(
            labels.with("__name__", "up").to_string(),
            r#"up{a="1", b="2"}"#
        );
    }
}
