//! Reads fields of a JSON object and gathers what is wrong with them; it does not know which fields an event has.

use serde_json::{Map, Value};

use super::{ATTACHMENTS_MAX, FIELD_CHARS_MAX};
use crate::page_message::web_address;
use crate::plain::is_plain;

/// Broken rules and notes that are kept; an attacker's thousandth is of no use to anyone.
const REMARKS_MAX: usize = 50;

/// What is wrong with an event so far.
#[derive(Debug, Default)]
pub(super) struct Check {
    pub(super) errors: Vec<String>,
    pub(super) notes: Vec<String>,
}

impl Check {
    pub(super) fn error(&mut self, error: String) {
        if self.errors.len() < REMARKS_MAX {
            self.errors.push(error);
        }
    }

    pub(super) fn note(&mut self, note: String) {
        if self.notes.len() < REMARKS_MAX {
            self.notes.push(note);
        }
    }

    /// Whether an error about that field was already found.
    pub(super) fn names(&self, field: &str) -> bool {
        let quoted = format!("'{field}'");
        self.errors.iter().any(|error| error.starts_with(&quoted))
    }

    /// The text with a blank for every control character but newline and tab, and a note when there was one. Clients do not
    /// repeat what is refused, so such a character must not cost the alert.
    pub(super) fn printable(&mut self, field: &str, text: &str) -> String {
        if is_plain(text) {
            return text.to_owned();
        }
        let unprintable =
            |character: char| character.is_control() && character != '\n' && character != '\t';
        if text.contains(unprintable) {
            self.note(format!("control characters in {field} became blanks"));
        }
        text.replace(unprintable, " ")
    }

    /// The same of what is shown in one line: new lines and tabs in it are blanks too.
    pub(super) fn one_line(&mut self, field: &str, text: &str) -> String {
        let text = self.printable(field, text);
        if is_plain(&text) {
            return text;
        }
        text.replace(['\n', '\t'], " ")
    }

    /// The address if it is one of the web, else a note.
    pub(super) fn web_address(&mut self, field: &str, text: &str) -> Option<String> {
        let address = web_address(text).map(str::to_owned);
        if address.is_none() {
            self.note(format!(
                "{field} was dropped: it is not an http or https address of at most 2048 bytes"
            ));
        }
        address
    }
}

/// The fields of one object and where it stands in the event.
pub(super) struct Fields<'a> {
    place: String,
    object: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(place: &str, object: &'a Map<String, Value>) -> Self {
        Self {
            place: place.to_owned(),
            object,
        }
    }

    /// The field's name with its place: `payload.summary`.
    pub(super) fn path(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    /// The field, if it is there and not null.
    pub(super) fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// A text that may be absent; anything but text is an error.
    pub(super) fn text(&self, check: &mut Check, name: &str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::Array(_)
            | Value::Object(_) => {
                check.error(format!("'{}' is invalid: it is a string", self.path(name)));
                None
            }
        }
    }

    /// A text that must be there and not blank.
    pub(super) fn required(&self, check: &mut Check, name: &str) -> Option<String> {
        let found = check.errors.len();
        let text = self
            .text(check, name)
            .filter(|text| !text.trim().is_empty());
        if text.is_none() && check.errors.len() == found {
            check.error(format!("'{}' is missing or blank", self.path(name)));
        }
        text
    }

    /// An ornamental text: dropped with a note when it is none, cut with a note when it is too long.
    pub(super) fn short(&self, check: &mut Check, name: &str) -> Option<String> {
        let Value::String(text) = self.value(name)? else {
            let path = self.path(name);
            check.note(format!("{path} was dropped: it is not a string"));
            return None;
        };
        if text.trim().is_empty() {
            return None;
        }
        if text.chars().count() > FIELD_CHARS_MAX && web_address(text).is_none() {
            let path = self.path(name);
            check.note(format!("{path} was cut to {FIELD_CHARS_MAX} characters"));
            return Some(text.chars().take(FIELD_CHARS_MAX).collect());
        }
        Some(text.clone())
    }

    /// An object that may be absent; anything else is an error.
    pub(super) fn object(&self, check: &mut Check, name: &str) -> Option<Fields<'a>> {
        match self.value(name)? {
            Value::Object(object) => Some(Fields {
                place: self.path(name),
                object,
            }),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => {
                check.error(format!("'{}' is invalid: it is an object", self.path(name)));
                None
            }
        }
    }

    /// The objects of a list that may be absent; anything else is dropped with a note, since a list only adorns.
    pub(super) fn objects(&self, check: &mut Check, name: &str) -> Vec<Fields<'a>> {
        let Some(value) = self.value(name) else {
            return Vec::new();
        };
        let path = self.path(name);
        let list = match value {
            Value::Array(list) => list,
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => {
                check.note(format!("{path} was dropped: it is not an array of objects"));
                return Vec::new();
            }
        };
        if list.len() > ATTACHMENTS_MAX {
            check.note(format!("{path} was cut to {ATTACHMENTS_MAX} entries"));
        }
        let mut objects = Vec::new();
        for (index, value) in list.iter().take(ATTACHMENTS_MAX).enumerate() {
            let place = format!("{path}[{index}]");
            match value.as_object() {
                Some(object) => objects.push(Fields { place, object }),
                None => check.note(format!("{place} was dropped: it is not an object")),
            }
        }
        objects
    }
}
