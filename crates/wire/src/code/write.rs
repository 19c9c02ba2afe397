//! Writes a document as TOML, the same each time: keys in one order, one thing below the other, so that it can be compared
//! line by line.

use serde_json::{Map, Value};
use tocsin_domain::code::{Document, Kind};

use crate::plain::is_hostile;

/// One file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct File {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub text: String,
}

impl File {
    /// Whether nothing stands in it but what it is for.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        let mut lines = self.text.lines();
        lines.all(|line| line.is_empty() || line.starts_with('#'))
    }
}

/// The order of keys within a table; others follow by their names.
const ORDER: [&str; 28] = [
    "email",
    "slug",
    "reason",
    "name",
    "description",
    "team",
    "role",
    "enabled",
    "time_zone",
    "start",
    "from",
    "until",
    "first",
    "lasts",
    "hand_off",
    "every",
    "unit",
    "repeat",
    "acknowledgement_timeout",
    "escalation_policy",
    "delay",
    "targets",
    "members",
    "field",
    "op",
    "text",
    "when",
    "then",
];

/// Lists that are written as tables of their own below the thing that has them.
const OWN_TABLES: [&str; 4] = ["layers", "levels", "integrations", "rules"];

/// Which kinds stand in which file.
const FILES: [(&str, Kind); 10] = [
    ("installation.toml", Kind::Installation),
    ("users.toml", Kind::Users),
    ("teams.toml", Kind::Teams),
    ("schedules.toml", Kind::Schedules),
    ("escalation-policies.toml", Kind::EscalationPolicies),
    ("services.toml", Kind::Services),
    ("alert-rules.toml", Kind::AlertRules),
    ("heartbeats.toml", Kind::Heartbeats),
    ("monitors.toml", Kind::Monitors),
    ("maintenance-windows.toml", Kind::MaintenanceWindows),
];

/// The files of a document. Each is there, also when it says nothing.
#[must_use]
pub fn write(document: &Document) -> Vec<File> {
    let whole = as_table(document);
    let files = FILES.iter().map(|(name, kind)| {
        let mut text = format!("# Tocsin: {}\n", kind.word().replace('_', " "));
        if let Some(value) = whole.get(kind.word()) {
            section(&mut text, kind.word(), value);
        }
        File {
            name: (*name).to_owned(),
            text,
        }
    });
    files.collect()
}

/// A document as one text, from which its fingerprint is taken.
#[must_use]
pub fn canonical(document: &Document) -> String {
    let texts = write(document).into_iter().map(|file| file.text);
    texts.collect::<Vec<_>>().join("\n")
}

pub(super) fn as_table(document: &Document) -> Map<String, Value> {
    // All keys are text, so that it always has this form.
    match serde_json::to_value(document) {
        Ok(Value::Object(table)) => table,
        Ok(_) | Err(_) => Map::new(),
    }
}

fn section(text: &mut String, path: &str, value: &Value) {
    match value {
        Value::Object(table) => {
            text.push_str(&format!("\n[{path}]\n"));
            fields(text, path, table);
        }
        Value::Array(items) => {
            for item in items {
                text.push_str(&format!("\n[[{path}]]\n"));
                if let Value::Object(table) = item {
                    fields(text, path, table);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn fields(text: &mut String, path: &str, table: &Map<String, Value>) {
    let (below, beside): (Vec<_>, Vec<_>) = in_order(table)
        .into_iter()
        .partition(|(key, _)| OWN_TABLES.contains(key));
    for (key, value) in beside {
        text.push_str(&format!("{key} = {}\n", inline(value)));
    }
    for (key, value) in below {
        // A list without anything in it would not be there when it is read.
        if value.as_array().is_some_and(Vec::is_empty) {
            continue;
        }
        section(text, &format!("{path}.{key}"), value);
    }
}

pub(super) fn in_order(table: &Map<String, Value>) -> Vec<(&str, &Value)> {
    let place = |key: &str| ORDER.iter().position(|known| *known == key);
    let mut fields: Vec<(&str, &Value)> = table
        .iter()
        .map(|(key, value)| (key.as_str(), value))
        .collect();
    fields.sort_by_key(|(key, _)| (place(key).unwrap_or(ORDER.len()), *key));
    fields
}

/// A value within a line.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::Null => "\"\"".to_owned(),
        Value::Bool(answer) => answer.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(table) => {
            let fields = in_order(table).into_iter();
            let fields: Vec<String> = fields
                .map(|(key, value)| format!("{key} = {}", inline(value)))
                .collect();
            if fields.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {} }}", fields.join(", "))
            }
        }
    }
}

/// A basic string of TOML. What no eye sees, or a terminal obeys, is an escape in it: it would be lost where a file is shown, and
/// what was copied from there would be another name.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            other if is_hostile(other) => quoted.push_str(&escaped(other)),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn escaped(letter: char) -> String {
    let number = u32::from(letter);
    if number > 0xFFFF {
        format!("\\U{number:08X}")
    } else {
        format!("\\u{number:04X}")
    }
}
