//! Reads a mapping from its JSON, and gathers all that is wrong with it.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use tocsin_domain::monitor::Severity;

use super::choice::{Choice, Word};
use super::condition::Condition;
use super::cursor::Wrong;
use super::path::Path;
use super::template::Template;
use super::{Action, DETAILS_MAX, MAPPING_BYTES_MAX, Mapping, Mistake};

/// Entries of a value map.
const MAP_ENTRIES_MAX: usize = 100;
/// Rules of a choice.
const RULES_MAX: usize = 20;
/// Paths whose fields all become details.
const DETAILS_FROM_MAX: usize = 10;
/// Mistakes that are told.
const MISTAKES_MAX: usize = 20;
/// The name of the whole.
const WHOLE: &str = "mapping";

const KEYS: &[&str] = &[
    "each",
    "when",
    "action",
    "dedup_key",
    "title",
    "summary",
    "severity",
    "details",
    "details_from",
    "at",
];

impl Mapping {
    /// Reads a mapping from its JSON text.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Vec<Mistake>> {
        if text.len() > MAPPING_BYTES_MAX {
            return Err(vec![mistake(
                WHOLE,
                format!("at most {MAPPING_BYTES_MAX} bytes"),
            )]);
        }
        let value: Value = serde_json::from_str(text)
            .map_err(|error| vec![mistake(WHOLE, format!("is not JSON: {error}"))])?;
        Self::of(&value)
    }

    /// Reads a mapping. Whoever gives it has bounded its size.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn of(value: &Value) -> Result<Self, Vec<Mistake>> {
        let Value::Object(object) = value else {
            return Err(vec![mistake(WHOLE, "is a JSON object")]);
        };
        let mut reader = Reader {
            object,
            mistakes: Vec::new(),
        };
        let mapping = reader.mapping();
        let mut mistakes = reader.mistakes;
        mistakes.truncate(MISTAKES_MAX);
        match mapping {
            Some(mapping) if mistakes.is_empty() => Ok(mapping),
            _ => Err(mistakes),
        }
    }
}

fn mistake(field: &str, why: impl Into<String>) -> Mistake {
    Mistake {
        field: field.to_owned(),
        character: None,
        why: why.into(),
    }
}

struct Reader<'m> {
    object: &'m Map<String, Value>,
    mistakes: Vec<Mistake>,
}

impl<'m> Reader<'m> {
    /// The mapping as far as it can be read; where something is missing, there is a mistake.
    fn mapping(&mut self) -> Option<Mapping> {
        self.known(WHOLE, self.object, KEYS);
        let each = match self.value("each") {
            None => Some(Path::body()),
            Some(value) => self.text("each", value, Path::whole),
        };
        let when = self.optional("when", Condition::read);
        let action = match self.value("action") {
            None => Some(Choice::Rules(vec![(None, Action::Trigger)])),
            Some(value) => self.choice("action", value),
        };
        let severity = match self.value("severity") {
            None => Some(Choice::Rules(vec![(None, Severity::Critical)])),
            Some(value) => self.choice("severity", value),
        };
        let dedup_key = self.optional("dedup_key", Template::read);
        let title = self.optional("title", Template::read);
        if self.value("title").is_none() {
            self.wrong(
                "title",
                "is needed: a template of the line that people read",
            );
        }
        let summary = self.optional("summary", Template::read);
        let details = self.details();
        let details_from = self.details_from();
        let at = self.optional("at", Template::read);
        Some(Mapping {
            each: each?,
            when,
            action: action?,
            dedup_key,
            title: title?,
            summary,
            severity: severity?,
            details,
            details_from,
            at,
        })
    }

    fn value(&self, key: &str) -> Option<&'m Value> {
        self.object.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, field: &str, why: impl Into<String>) {
        self.mistakes.push(mistake(field, why));
    }

    fn known(&mut self, field: &str, object: &Map<String, Value>, keys: &[&str]) {
        for key in object.keys().filter(|key| !keys.contains(&key.as_str())) {
            let key: String = key.chars().take(40).collect();
            self.wrong(
                field,
                format!("has no field {key:?}; its fields are {}", keys.join(", ")),
            );
        }
    }

    fn optional<T>(&mut self, key: &str, read: fn(&str) -> Result<T, Wrong>) -> Option<T> {
        let value = self.value(key)?;
        self.text(key, value, read)
    }

    fn text<T>(
        &mut self,
        field: &str,
        value: &Value,
        read: fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let Value::String(text) = value else {
            self.wrong(field, "is a text");
            return None;
        };
        match read(text) {
            Ok(one) => Some(one),
            Err(Wrong { at, why }) => {
                self.mistakes.push(Mistake {
                    field: field.to_owned(),
                    character: Some(at),
                    why,
                });
                None
            }
        }
    }

    fn choice<T: Word>(&mut self, field: &str, value: &Value) -> Option<Choice<T>> {
        match value {
            Value::String(_) => Some(Choice::Mapped {
                from: self.text(field, value, Template::read)?,
                map: BTreeMap::new(),
                default: None,
            }),
            Value::Object(object) => self.mapped(field, object),
            Value::Array(rules) => self.rules(field, rules),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                self.wrong(
                    field,
                    "is a template, {\"from\", \"map\", \"default\"}, or a list of {\"when\", \"then\"}",
                );
                None
            }
        }
    }

    fn mapped<T: Word>(&mut self, field: &str, object: &Map<String, Value>) -> Option<Choice<T>> {
        self.known(field, object, &["from", "map", "default"]);
        let below = |name: &str| format!("{field}.{name}");
        let from = match object.get("from") {
            Some(value) => self.text(&below("from"), value, Template::read),
            None => {
                self.wrong(
                    &below("from"),
                    "is needed: a template of what the map looks up",
                );
                None
            }
        };
        let mut map = BTreeMap::new();
        match object.get("map") {
            None | Some(Value::Null) => {}
            Some(Value::Object(entries)) if entries.len() <= MAP_ENTRIES_MAX => {
                for (text, word) in entries {
                    let word = self.word(&below("map"), word);
                    map.extend(word.map(|word| (text.trim().to_lowercase(), word)));
                }
            }
            Some(_) => self.wrong(
                &below("map"),
                format!("is an object of at most {MAP_ENTRIES_MAX} texts and what they stand for"),
            ),
        }
        let default = match object.get("default") {
            None | Some(Value::Null) => None,
            Some(word) => self.word(&below("default"), word),
        };
        Some(Choice::Mapped {
            from: from?,
            map,
            default,
        })
    }

    fn rules<T: Word>(&mut self, field: &str, rules: &[Value]) -> Option<Choice<T>> {
        if rules.len() > RULES_MAX {
            self.wrong(field, format!("has at most {RULES_MAX} rules"));
            return None;
        }
        let mut read = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            let place = format!("{field}[{index}]");
            let Value::Object(object) = rule else {
                self.wrong(&place, "is an object of when and then");
                continue;
            };
            self.known(&place, object, &["when", "then"]);
            let condition = match object.get("when") {
                None | Some(Value::Null) => Some(None),
                Some(value) => self
                    .text(&format!("{place}.when"), value, Condition::read)
                    .map(Some),
            };
            let word = match object.get("then") {
                Some(word) => self.word(&format!("{place}.then"), word),
                None => {
                    self.wrong(&format!("{place}.then"), format!("is {}", T::ALL));
                    None
                }
            };
            read.extend(condition.zip(word));
        }
        Some(Choice::Rules(read))
    }

    fn word<T: Word>(&mut self, field: &str, value: &Value) -> Option<T> {
        let word = value.as_str().and_then(|text| T::of(&text.to_lowercase()));
        if word.is_none() {
            self.wrong(field, format!("its words are {}", T::ALL));
        }
        word
    }

    fn details(&mut self) -> Vec<(String, Template)> {
        let object = match self.value("details") {
            None => return Vec::new(),
            Some(Value::Object(object)) if object.len() <= DETAILS_MAX => object,
            Some(_) => {
                self.wrong(
                    "details",
                    format!("is an object of at most {DETAILS_MAX} names and templates"),
                );
                return Vec::new();
            }
        };
        let mut details = Vec::new();
        for (name, value) in object {
            let shown: String = name.chars().take(40).collect();
            let template = self.text(&format!("details.{shown}"), value, Template::read);
            details.extend(template.map(|template| (name.clone(), template)));
        }
        details
    }

    fn details_from(&mut self) -> Vec<Path> {
        let list = match self.value("details_from") {
            None => return Vec::new(),
            Some(Value::Array(list)) if list.len() <= DETAILS_FROM_MAX => list,
            Some(_) => {
                self.wrong(
                    "details_from",
                    format!("is a list of at most {DETAILS_FROM_MAX} paths"),
                );
                return Vec::new();
            }
        };
        let mut paths = Vec::new();
        for (index, value) in list.iter().enumerate() {
            paths.extend(self.text(&format!("details_from[{index}]"), value, Path::whole));
        }
        paths
    }
}
