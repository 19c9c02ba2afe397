//! One alert or a list of them as the body of one request; what an alert holds is not known here.

use std::fmt;

use axum::extract::{FromRequest, Request};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tocsin_wire::{json, misread};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};

use super::alert::AlertRequest;
use super::body::{self, BODY_BYTES_MAX};
use super::problem::Problem;

/// Alerts of one request at most.
const ALERTS_MAX: usize = 1_000;

/// One alert, or several in a list.
#[derive(Debug)]
pub(crate) enum AlertRequests {
    One(Box<AlertRequest>),
    Many(Vec<Result<AlertRequest, Unreadable>>),
}

/// One of a list that is no alert.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// The key that it has nevertheless.
    pub(crate) dedup_key: Option<String>,
    /// What is wrong with it.
    pub(crate) why: String,
}

impl utoipa::PartialSchema for AlertRequests {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(AlertRequest::name());
        let many = ArrayBuilder::new().items(one.clone());
        let many = many
            .max_items(Some(ALERTS_MAX))
            .description(Some("Decided in this order and made durable together"));
        OneOfBuilder::new().item(one).item(many).into()
    }
}

impl ToSchema for AlertRequests {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        let one = <AlertRequest as utoipa::PartialSchema>::schema();
        schemas.push((AlertRequest::name().into_owned(), one));
        AlertRequest::schemas(schemas);
    }
}

impl<S: Sync> FromRequest<S> for AlertRequests {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let bytes = body::json_bytes(request, BODY_BYTES_MAX).await?;
        let read = Self::read(body::or_nothing(&bytes));
        read.map_err(|error| body::unread(&error))
    }
}

impl AlertRequests {
    /// Reads them. None is lost because somebody cut a text in the middle of a character, or wrote it in another set of them.
    fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        let is_list = bytes.trim_ascii_start().starts_with(b"[");
        // Of nearly every list all can be read, at once. Otherwise each is read as a value first, so that it costs no other.
        let whole = is_list.then(|| serde_json::from_slice::<AtOnce>(bytes));
        match whole {
            Some(Ok(AtOnce(all))) => Ok(Self::Many(all)),
            Some(Err(_)) | None => json::read(bytes),
        }
    }
}

/// A list of which each is an alert.
struct AtOnce(Vec<Result<AlertRequest, Unreadable>>);

impl<'de> Deserialize<'de> for AtOnce {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = AtOnce;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of alerts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<AtOnce, A::Error> {
                list_of(seq, |InFields(one)| Ok(one)).map(AtOnce)
            }
        }

        deserializer.deserialize_seq(List)
    }
}

/// An alert that is an object: a list would be read as the fields of an alert in their order.
struct InFields(AlertRequest);

impl<'de> Deserialize<'de> for InFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = InFields;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an alert")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InFields, A::Error> {
                AlertRequest::deserialize(MapAccessDeserializer::new(map)).map(InFields)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

impl<'de> Deserialize<'de> for AlertRequests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

/// Reads an alert, so that an error names the place, or a list of them, of which one that cannot be read costs no other.
struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = AlertRequests;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an alert or a list of alerts")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<AlertRequests, A::Error> {
        let one = AlertRequest::deserialize(MapAccessDeserializer::new(map))?;
        Ok(AlertRequests::One(Box::new(one)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<AlertRequests, A::Error> {
        list_of(seq, read_one).map(AlertRequests::Many)
    }
}

/// What is read of each of a list, which is not too long.
fn list_of<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(
    mut seq: A,
    read: impl Fn(T) -> Result<AlertRequest, Unreadable>,
) -> Result<Vec<Result<AlertRequest, Unreadable>>, A::Error> {
    let mut many = Vec::new();
    while let Some(one) = seq.next_element()? {
        if many.len() == ALERTS_MAX {
            let told = format!("at most {ALERTS_MAX} alerts in one request");
            return Err(serde::de::Error::custom(told));
        }
        many.push(read(one));
    }
    Ok(many)
}

fn read_one(one: Value) -> Result<AlertRequest, Unreadable> {
    let dedup_key = one.get("dedup_key").and_then(Value::as_str);
    let dedup_key = dedup_key.map(str::to_owned);
    let read = match one {
        // A list would be read as the fields of an alert in their order.
        Value::Object(fields) => AlertRequest::deserialize(Value::Object(fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(serde::de::Error::custom("it is not an object"))
        }
    };
    read.map_err(|error| Unreadable {
        dedup_key,
        why: format!("the alert cannot be read: {}", misread::json(&error)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of a list at once, if it can be, and what is read of it one by one.
    fn read_both(list: &str) -> (Option<String>, String) {
        let at_once = serde_json::from_slice(list.as_bytes()).ok();
        let at_once = at_once.map(|AtOnce(all)| format!("{:?}", AlertRequests::Many(all)));
        let one_by_one = json::read::<AlertRequests>(list.as_bytes());
        (at_once, format!("{:?}", one_by_one.unwrap()))
    }

    #[test]
    fn a_list_that_is_read_at_once_is_what_is_read_of_it_one_by_one() {
        let whole = r#"{"action":"trigger","severity":"error","summary":"d\u00e9j\u00e0 \\","source":null,
            "dedup_key":"a","service_id":"x","details":{"b":[1.5,-0,null,18446744073709551616],"a":{"c":"d"},"b":2}}"#;
        for list in [
            "[]".to_owned(),
            " [ ]".to_owned(),
            format!("[{whole}]"),
            format!("[{whole},\n{whole}, {{\"action\":\"resolve\"}}]"),
        ] {
            let (at_once, one_by_one) = read_both(&list);
            assert_eq!(at_once.as_deref(), Some(one_by_one.as_str()), "{list}");
        }
    }

    #[test]
    fn one_that_cannot_be_read_is_left_to_the_way_that_costs_no_other() {
        let good = r#"{"action":"resolve","dedup_key":"a"}"#;
        for bad in [
            "1",
            "null",
            r#"["x","a","resolve"]"#,
            r#"{"dedup_key":"b"}"#,
            r#"{"action":"resolve","dedup_key":"b","more":1}"#,
            r#"{"action":"Resolve","dedup_key":"b"}"#,
            r#"{"action":"resolve","dedup_key":1}"#,
        ] {
            let list = format!("[{good},{bad},{good}]");
            assert_eq!(read_both(&list).0, None, "{list}");
            let AlertRequests::Many(all) = AlertRequests::read(list.as_bytes()).unwrap() else {
                panic!("{list} is a list");
            };
            let which: Vec<bool> = all.iter().map(Result::is_ok).collect();
            assert_eq!(which, [true, false, true], "{list}");
        }
        // The last of two counts, as everywhere.
        let twice = r#"[{"action":"resolve","dedup_key":"b","dedup_key":"c"}]"#;
        assert_eq!(read_both(twice).0, None);
        let read = format!("{:?}", AlertRequests::read(twice.as_bytes()).unwrap());
        assert!(read.contains(r#"Some("c")"#), "{read}");
    }

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        let list = |count: usize| format!("[{}]", vec![r#"{"action":"resolve"}"#; count].join(","));
        assert!(AlertRequests::read(list(ALERTS_MAX).as_bytes()).is_ok());
        let refused = AlertRequests::read(list(ALERTS_MAX + 1).as_bytes());
        let told = refused.unwrap_err().to_string();
        assert!(told.contains("at most 1000 alerts"), "{told}");
    }
}
