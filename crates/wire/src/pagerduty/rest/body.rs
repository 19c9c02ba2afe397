//! Reads bodies: the object inside its wrapper, its fields, and every reason why one is wrong. It does not know which fields
//! there are.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use super::time;
use tocsin_domain::text::shows_nothing;
use tocsin_domain::time::Timestamp;

/// Bytes of a body at most.
pub const BODY_BYTES_MAX: usize = 1024 * 1024;
/// Entries of one list in a body at most, where nothing else is said.
pub const ENTRIES_MAX: usize = 1_000;

/// The fields of one object, and what was found wrong with them so far.
#[derive(Debug)]
pub struct Fields<'a> {
    place: String,
    object: &'a Map<String, Value>,
}

/// What is wrong with a body, gathered while it is read.
#[derive(Debug, Default)]
pub struct Wrong(Vec<String>);

impl Wrong {
    /// One more reason.
    pub fn add(&mut self, reason: impl Into<String>) {
        self.0.push(reason.into());
    }

    /// The outcome: what was read, or every reason why not. `None` without a reason is a body that lacks something.
    ///
    /// # Errors
    /// Something was wrong.
    pub fn outcome<T>(self, read: Option<T>) -> Result<T, Refusal> {
        match read {
            Some(read) if self.0.is_empty() => Ok(read),
            Some(_) | None => Err(Refusal::invalid(self.0)),
        }
    }
}

/// Reads JSON that is an object.
///
/// # Errors
/// It is something else.
pub fn object(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Refusal::missing("the body is missing"));
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => Err(Refusal::bad("the body is not a JSON object")),
        Err(error) => Err(Refusal::bad(format!("the body is not JSON: {error}"))),
    }
}

/// The object under its name in the body.
///
/// # Errors
/// There is none.
pub fn wrapped<'a>(body: &'a Map<String, Value>, name: &str) -> Result<Fields<'a>, Refusal> {
    match body.get(name) {
        Some(Value::Object(object)) => Ok(Fields::new(name, object)),
        Some(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        )
        | None => Err(Refusal::missing(format!(
            "'{name}' is missing: it is an object"
        ))),
    }
}

/// The objects of the list under its name in the body.
///
/// # Errors
/// There is none, it is empty, or one of its entries is no object. More than `max` is too large.
pub fn wrapped_list<'a>(
    body: &'a Map<String, Value>,
    name: &str,
    max: usize,
) -> Result<Vec<Fields<'a>>, Refusal> {
    let Some(list) = body.get(name).and_then(Value::as_array) else {
        return Err(Refusal::missing(format!(
            "'{name}' is missing: it is an array"
        )));
    };
    if list.is_empty() {
        return Err(Refusal::missing(format!("'{name}' is empty")));
    }
    if list.len() > max {
        return Err(Refusal::too_large(format!(
            "'{name}' has more than {max} entries"
        )));
    }
    let object = |(index, entry): (usize, &'a Value)| {
        let place = format!("{name}[{index}]");
        let wrong = || Refusal::bad(format!("'{place}' is invalid: it is an object"));
        let object = entry.as_object().ok_or_else(wrong)?;
        Ok(Fields::new(&place, object))
    };
    list.iter().enumerate().map(object).collect()
}

impl<'a> Fields<'a> {
    /// The fields of an object that stands at `place`.
    #[must_use]
    pub fn new(place: &str, object: &'a Map<String, Value>) -> Self {
        Self {
            place: place.to_owned(),
            object,
        }
    }

    /// The field's name with its place: `incident.title`.
    #[must_use]
    pub fn path(&self, name: &str) -> String {
        if self.place.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.place)
        }
    }

    /// Whether the field is there, also as null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.object.contains_key(name)
    }

    /// The field, if it is there and not null.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    /// The names of all fields that are there, also as null.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.object.keys().map(String::as_str)
    }

    fn expect<T>(
        &self,
        wrong: &mut Wrong,
        name: &str,
        what: &str,
        read: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let found = read(self.value(name)?);
        if found.is_none() {
            wrong.add(format!("'{}' is invalid: it is {what}", self.path(name)));
        }
        found
    }

    /// A text of at most `max` characters that may be absent, as one is of which nothing can be seen; blanks around it are none of it.
    pub fn text(&self, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
        let text = self.expect(wrong, name, "a string", Value::as_str)?.trim();
        if text.chars().count() > max {
            let path = self.path(name);
            wrong.add(format!(
                "'{path}' is too long (maximum is {max} characters)"
            ));
            return None;
        }
        (!shows_nothing(text)).then(|| text.to_owned())
    }

    /// The same; empty where it is there and shows nothing, also as null, which takes back what was said before.
    pub fn text_or_empty(&self, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
        let text = self.text(wrong, name, max).unwrap_or_default();
        self.has(name).then_some(text)
    }

    /// A text of at most `max` characters as it was written, with its blanks; empty when it is null. Of control characters, it has those
    /// alone with which lines end, and tabs.
    pub fn words(&self, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
        if !self.has(name) {
            return None;
        }
        let read = self.expect(wrong, name, "a string", Value::as_str);
        let text = read.unwrap_or_default();
        if text.chars().count() > max {
            let path = self.path(name);
            wrong.add(format!(
                "'{path}' is too long (maximum is {max} characters)"
            ));
            return None;
        }
        self.without_control(wrong, name, text)?;
        Some(text.to_owned())
    }

    /// A text that must be there.
    pub fn required(&self, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
        let before = wrong.0.len();
        let text = self.text(wrong, name, max);
        if text.is_none() && wrong.0.len() == before {
            wrong.add(format!("'{}' is missing or blank", self.path(name)));
        }
        text
    }

    /// A name that may be absent; one that is there shows something.
    pub fn name(&self, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
        self.value(name)?;
        self.required(wrong, name, max)
    }

    /// A text that must be there and that can be read: of control characters, it has new lines and tabs alone.
    pub fn readable(&self, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
        let text = self.required(wrong, name, max)?;
        self.without_control(wrong, name, &text)
    }

    /// The same of a text that may be absent.
    pub fn readable_if_any(&self, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
        let text = self.text(wrong, name, max)?;
        self.without_control(wrong, name, &text)
    }

    /// Lines may end as they do in other systems.
    fn without_control(&self, wrong: &mut Wrong, name: &str, text: &str) -> Option<String> {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        if text
            .chars()
            .any(|one| one.is_control() && !"\n\t".contains(one))
        {
            let path = self.path(name);
            wrong.add(format!("'{path}' is invalid: it has control characters"));
            return None;
        }
        Some(text)
    }

    /// A whole number, also one that is written as text.
    pub fn number(&self, wrong: &mut Wrong, name: &str) -> Option<u64> {
        let read = |value: &Value| match value {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.trim().parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        self.expect(wrong, name, "a whole number", read)
    }

    /// Yes or no.
    pub fn flag(&self, wrong: &mut Wrong, name: &str) -> Option<bool> {
        self.expect(wrong, name, "true or false", Value::as_bool)
    }

    /// An instant.
    pub fn time(&self, wrong: &mut Wrong, name: &str) -> Option<Timestamp> {
        let read = |value: &Value| time::parse(value.as_str()?);
        self.expect(wrong, name, "an ISO 8601 time", read)
    }

    /// One of some words.
    pub fn word<T: Copy>(&self, wrong: &mut Wrong, name: &str, words: &[(&str, T)]) -> Option<T> {
        let read = |value: &Value| {
            let text = value.as_str()?;
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, meaning)| *meaning)
        };
        let found = read(self.value(name)?);
        if found.is_some() {
            return found;
        }
        // Only who hears what is wrong needs all words in one text.
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let what = format!("one of {}", list.join(", "));
        self.expect(wrong, name, &what, read)
    }

    /// An object that may be absent.
    pub fn object(&self, wrong: &mut Wrong, name: &str) -> Option<Fields<'a>> {
        let object = self.expect(wrong, name, "an object", Value::as_object)?;
        Some(Fields::new(&self.path(name), object))
    }

    /// The objects of a list that may be absent.
    pub fn objects(&self, wrong: &mut Wrong, name: &str) -> Option<Vec<Fields<'a>>> {
        let list = self.expect(wrong, name, "an array of objects", Value::as_array)?;
        let path = self.path(name);
        if list.len() > ENTRIES_MAX {
            wrong.add(format!("'{path}' has more than {ENTRIES_MAX} entries"));
            return None;
        }
        let mut objects = Vec::new();
        for (index, entry) in list.iter().enumerate() {
            let place = format!("{path}[{index}]");
            match entry.as_object() {
                Some(object) => objects.push(Fields::new(&place, object)),
                None => wrong.add(format!("'{place}' is invalid: it is an object")),
            }
        }
        Some(objects)
    }

    /// The type of this object without `_reference`; empty when none is told.
    fn kind(&self, wrong: &mut Wrong) -> String {
        let kind = self.text(wrong, "type", 64).unwrap_or_default();
        kind.strip_suffix("_reference").unwrap_or(&kind).to_owned()
    }

    /// Whether this object is of a kind, as one is that does not tell its type.
    pub fn is_of(&self, wrong: &mut Wrong, kind: &str) -> bool {
        let told = self.kind(wrong);
        let is_it = told.is_empty() || told == kind;
        if !is_it {
            let path = self.path("type");
            wrong.add(format!("'{path}' is invalid: it is {kind}_reference"));
        }
        is_it
    }

    /// The id and the type of this object.
    pub fn named(&self, wrong: &mut Wrong) -> Option<Named> {
        let id = self.required(wrong, "id", 64)?;
        let kind = self.kind(wrong);
        Some(Named { id, kind })
    }

    /// The id of this object, which is of that kind unless it tells another.
    pub fn id(&self, wrong: &mut Wrong, kind: &str) -> Option<String> {
        let id = self.required(wrong, "id", 64);
        let is_it = self.is_of(wrong, kind);
        id.filter(|_| is_it)
    }

    /// The id of what a field refers to, which is of that kind.
    pub fn reference(&self, wrong: &mut Wrong, name: &str, kind: &str) -> Option<String> {
        let object = self.object(wrong, name)?;
        object.id(wrong, kind)
    }

    /// The ids of what a list of references refers to, all of that kind.
    pub fn references(&self, wrong: &mut Wrong, name: &str, kind: &str) -> Option<Vec<String>> {
        let objects = self.objects(wrong, name)?;
        let ids = objects.iter().filter_map(|one| one.id(wrong, kind));
        Some(ids.collect())
    }

    /// The ids of what a list refers to, all of that kind; none where it is left out, and no ids where it is null, as Go's clients write an empty list.
    pub fn ids(&self, wrong: &mut Wrong, name: &str, kind: &str) -> Option<Vec<String>> {
        let ids = self.references(wrong, name, kind).unwrap_or_default();
        self.has(name).then_some(ids)
    }

    /// Says of each of these fields that is given that Tocsin keeps nothing of it.
    pub fn refuse(&self, wrong: &mut Wrong, names: &[&str]) {
        for name in names {
            if self.value(name).is_some() {
                let path = self.path(name);
                wrong.add(format!(
                    "'{path}' is not supported: Tocsin has nothing of the kind"
                ));
            }
        }
    }
}

/// What a reference names that may be of several kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// Its type without `_reference`; empty when none was told.
    pub kind: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_that_is_none_has_its_reason() {
        for (body, status, code) in [
            ("", 400, 2003),
            ("{", 400, 2001),
            ("[]", 400, 2001),
            ("null", 400, 2001),
        ] {
            let refusal = object(body.as_bytes()).unwrap_err();
            assert_eq!((refusal.status, refusal.code), (status, code), "{body}");
        }
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(object(deep.as_bytes()).is_err());
    }

    #[test]
    fn a_list_is_bounded_and_holds_objects() {
        let body = json!({"incidents": [{}, {}, {}]});
        let body = body.as_object().unwrap();
        assert_eq!(wrapped_list(body, "incidents", 3).unwrap().len(), 3);
        assert_eq!(wrapped_list(body, "incidents", 2).unwrap_err().status, 413);
        assert_eq!(wrapped_list(body, "alerts", 2).unwrap_err().code, 2003);
        let body = json!({"incidents": [1]});
        assert!(wrapped_list(body.as_object().unwrap(), "incidents", 3).is_err());
    }

    #[test]
    fn every_reason_is_told_with_its_place() {
        let body = json!({"title": 5, "service": {"type": "service_reference"}, "urgency": "loud", "at": "noon"});
        let fields = Fields::new("incident", body.as_object().unwrap());
        let mut wrong = Wrong::default();
        assert_eq!(fields.required(&mut wrong, "title", 10), None);
        assert_eq!(fields.reference(&mut wrong, "service", "service"), None);
        assert_eq!(
            fields.word(&mut wrong, "urgency", &[("high", 1), ("low", 0)]),
            None
        );
        assert_eq!(fields.time(&mut wrong, "at"), None);
        fields.refuse(&mut wrong, &["title", "absent"]);
        let refusal = wrong.outcome::<()>(None).unwrap_err();
        assert_eq!(
            refusal.errors,
            [
                "'incident.title' is invalid: it is a string",
                "'incident.service.id' is missing or blank",
                "'incident.urgency' is invalid: it is one of high, low",
                "'incident.at' is invalid: it is an ISO 8601 time",
                "'incident.title' is not supported: Tocsin has nothing of the kind",
            ]
        );
    }

    #[test]
    fn a_reference_is_of_the_kind_that_it_tells_or_of_the_one_that_it_can_be() {
        let body = json!({
            "one": {"id": "QA", "type": "user_reference"}, "other": {"id": "QB", "type": "user"},
            "silent": {"id": "QC"}, "blank": {"id": "QD", "type": ""},
        });
        let fields = Fields::new("", body.as_object().unwrap());
        let mut wrong = Wrong::default();
        for (name, kind) in [("one", "user"), ("other", "user"), ("silent", "")] {
            let object = fields.object(&mut wrong, name).unwrap();
            assert_eq!(object.named(&mut wrong).unwrap().kind, kind);
        }
        for name in ["one", "other", "silent", "blank"] {
            assert!(fields.reference(&mut wrong, name, "user").is_some());
        }
        assert_eq!(wrong.outcome(Some(())), Ok(()));
        let mut wrong = Wrong::default();
        assert_eq!(fields.reference(&mut wrong, "one", "schedule"), None);
        let refusal = wrong.outcome::<()>(None).unwrap_err();
        assert_eq!(
            refusal.errors,
            ["'one.type' is invalid: it is schedule_reference"]
        );
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = object(&body);
        }
    }
}
