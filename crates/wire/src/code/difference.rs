//! What is different between two documents: what comes, what goes, and each field that changes.

use serde_json::{Map, Value};
use tocsin_domain::code::{Document, Kind};

use super::write::{as_table, in_order, inline};

/// Characters of a value that are shown.
const SHOWN_CHARS_MAX: usize = 400;

/// What becomes of a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It comes.
    Added,
    /// Some of its fields change.
    Changed,
    /// It goes.
    Removed,
}

/// A thing that is different.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What becomes of it.
    pub what: What,
    /// Of which kind it is.
    pub kind: Kind,
    /// Its key; empty when there is only one of its kind.
    pub name: String,
    /// Its fields, when it changes. Of a person who comes too, since files may leave out what they are called and may do.
    pub fields: Vec<FieldChange>,
}

/// A field that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldChange {
    /// Its path within the thing: `layers[0].members`.
    pub path: String,
    /// As it was, in TOML; none when it was not there.
    pub before: Option<String>,
    /// As it will be; none when it will not be there.
    pub after: Option<String>,
}

/// What is different in `after`, kind by kind, in the order of the keys.
#[must_use]
pub fn differences(before: &Document, after: &Document) -> Vec<Change> {
    let (before, after) = (as_table(before), as_table(after));
    let mut found = Vec::new();
    for kind in Kind::ALL {
        let (old, new) = (before.get(kind.word()), after.get(kind.word()));
        if kind.is_single() {
            let what = match (old, new) {
                (None, None) => continue,
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(_)) => What::Changed,
                (None, Some(_)) => What::Added,
                (Some(_), None) => What::Removed,
            };
            let mut fields = Vec::new();
            compare("", old, new, &mut fields);
            found.push(change(what, kind, "", fields));
        } else {
            things(kind, &by_key(kind, old), &by_key(kind, new), &mut found);
        }
    }
    found
}

fn change(what: What, kind: Kind, name: &str, fields: Vec<FieldChange>) -> Change {
    let name = name.to_owned();
    Change {
        what,
        kind,
        name,
        fields,
    }
}

fn by_key(kind: Kind, list: Option<&Value>) -> Vec<(&str, &Map<String, Value>)> {
    let things = list.and_then(Value::as_array).into_iter().flatten();
    let things = things.filter_map(|thing| {
        let table = thing.as_object()?;
        Some((table.get(kind.key())?.as_str()?, table))
    });
    things.collect()
}

fn things(
    kind: Kind,
    old: &[(&str, &Map<String, Value>)],
    new: &[(&str, &Map<String, Value>)],
    found: &mut Vec<Change>,
) {
    let of = |all: &[(&str, &Map<String, Value>)], name: &str| {
        all.iter().position(|(known, _)| *known == name)
    };
    let mut names: Vec<&str> = old.iter().chain(new).map(|(name, _)| *name).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        match (of(old, name), of(new, name)) {
            (Some(before), Some(after)) => {
                let mut fields = Vec::new();
                tables("", old[before].1, new[after].1, &mut fields);
                if !fields.is_empty() {
                    found.push(change(What::Changed, kind, name, fields));
                }
            }
            (None, Some(after)) => {
                let mut fields = Vec::new();
                if kind == Kind::Users {
                    tables("", &Map::new(), new[after].1, &mut fields);
                    fields.retain(|field| field.path != kind.key());
                }
                found.push(change(What::Added, kind, name, fields));
            }
            (Some(_), None) => found.push(change(What::Removed, kind, name, Vec::new())),
            (None, None) => {}
        }
    }
}

fn tables(
    path: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    fields: &mut Vec<FieldChange>,
) {
    let mut keys: Vec<&str> = in_order(old).into_iter().map(|(key, _)| key).collect();
    let others = in_order(new).into_iter().map(|(key, _)| key);
    keys.extend(others.filter(|key| !old.contains_key(*key)));
    for key in keys {
        let inner = if path.is_empty() {
            key.to_owned()
        } else {
            format!("{path}.{key}")
        };
        compare(&inner, old.get(key), new.get(key), fields);
    }
}

/// Lists of tables of the same length are compared one by one; other values as a whole.
fn compare(path: &str, old: Option<&Value>, new: Option<&Value>, fields: &mut Vec<FieldChange>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Some(Value::Object(old)), Some(Value::Object(new))) => tables(path, old, new, fields),
        (Some(Value::Array(old)), Some(Value::Array(new)))
            if old.len() == new.len() && old.iter().chain(new).all(Value::is_object) =>
        {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}[{index}]"), Some(old), Some(new), fields);
            }
        }
        (old, new) => fields.push(FieldChange {
            path: path.to_owned(),
            before: old.map(shown),
            after: new.map(shown),
        }),
    }
}

fn shown(value: &Value) -> String {
    let whole = inline(value);
    if whole.chars().count() <= SHOWN_CHARS_MAX {
        return whole;
    }
    let mut cut: String = whole.chars().take(SHOWN_CHARS_MAX).collect();
    cut.push('…');
    cut
}
