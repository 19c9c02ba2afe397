//! The schema in the documentation says what is read: each field stands in it, and what is written fits it.

use serde_json::Value;
use tocsin_domain::code::Document;

use super::*;

const SCHEMA: &str = include_str!("../../../../../docs/schema/tocsin-code.schema.json");

/// Checks a value against the part of JSON Schema that ours uses.
fn faults(root: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let target = root.pointer(name.trim_start_matches('#')).unwrap();
        faults(root, target, value, place, found);
        return;
    }
    if let Some(options) = schema["oneOf"].as_array() {
        let fits = options.iter().filter(|option| {
            let mut inner = Vec::new();
            faults(root, option, value, place, &mut inner);
            inner.is_empty()
        });
        if fits.count() != 1 {
            found.push(format!(
                "{place}: fits not exactly one of the forms: {value}"
            ));
        }
        return;
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if schema["type"].as_str() != Some(kind) {
        found.push(format!("{place}: {kind}, not {}", schema["type"]));
        return;
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{place}: {value} is none of {words:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        faults(root, &schema["items"], item, &format!("{place}[]"), found);
    }
    for name in schema["required"].as_array().into_iter().flatten() {
        if value.get(name.as_str().unwrap()).is_none() {
            found.push(format!("{place}: {name} is missing"));
        }
    }
    for (name, inner) in value.as_object().into_iter().flatten() {
        match schema["properties"].get(name) {
            Some(known) => faults(root, known, inner, &format!("{place}.{name}"), found),
            None => found.push(format!("{place}: {name} is not in the schema")),
        }
    }
}

fn faults_of(value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut found = Vec::new();
    faults(&schema, &schema, value, "", &mut found);
    found
}

pub(super) fn check(document: &Document) {
    let found = faults_of(&serde_json::to_value(document).unwrap());
    assert!(found.is_empty(), "{found:?}");
}

/// Whether a table of the schema lets no other key in.
fn closed(schema: &Value) -> bool {
    match schema {
        Value::Object(table) => {
            let is_table = table.get("type") == Some(&Value::from("object"));
            let is_closed = table.get("additionalProperties") == Some(&Value::Bool(false));
            (!is_table || is_closed) && table.values().all(closed)
        }
        Value::Array(items) => items.iter().all(closed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

#[test]
fn the_schema_lets_no_unknown_key_in_as_the_reader_does_not() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    assert!(closed(&schema));
}

/// Every key that the schema has is one that the reader takes, since the reader's own refusal lists what it knows.
#[test]
fn the_schema_has_no_key_that_the_reader_does_not_know() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    for (name, table) in [
        ("", &schema),
        ("users", &schema["$defs"]["user"]),
        ("teams", &schema["$defs"]["team"]),
        ("schedules", &schema["$defs"]["schedule"]),
        ("escalation_policies", &schema["$defs"]["escalation_policy"]),
        ("services", &schema["$defs"]["service"]),
        ("alert_rules", &schema["$defs"]["rule"]),
        ("heartbeats", &schema["$defs"]["heartbeat"]),
        ("monitors", &schema["$defs"]["monitor"]),
        (
            "maintenance_windows",
            &schema["$defs"]["maintenance_window"],
        ),
    ] {
        let head = if name.is_empty() {
            String::new()
        } else {
            format!("[[{name}]]\n")
        };
        let refused = read(&one(&format!("{head}no_such_key = 1\n"))).unwrap_err();
        let (_, known) = refused[0].what.split_once("the fields: ").unwrap();
        let mut wanted: Vec<&str> = table["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let mut found: Vec<&str> = known.split(", ").collect();
        wanted.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, wanted, "{name}: {}", refused[0].what);
    }
}

#[test]
fn what_a_new_installation_exports_fits_the_schema() {
    check(&Installation::new(1).export());
    let wrong = serde_json::json!({"users": [{"email": "a", "name": "b", "role": "king"}]});
    assert_eq!(faults_of(&wrong).len(), 1);
    let person = serde_json::json!({"users": [{"email": "a"}]});
    assert_eq!(
        faults_of(&person),
        Vec::<String>::new(),
        "an address is enough"
    );
    let job = serde_json::json!({"name": "h", "service": "s", "every": "1d", "grace": "1h"});
    let job = serde_json::json!({"heartbeats": [job]});
    assert_eq!(
        faults_of(&job),
        Vec::<String>::new(),
        "severity may be left out"
    );
}
