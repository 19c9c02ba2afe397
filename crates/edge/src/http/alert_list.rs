//! One alert or a list of them as the body of one request; what an alert holds is not known here.

use std::fmt;

use axum::extract::{FromRequest, Request};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
    /// Reads them. None is lost because somebody cut a text in the middle of a character, or wrote it in another set of them; and of a
    /// list, one that cannot be read costs no other.
    fn read(bytes: &[u8]) -> serde_json::Result<Self> {
        if !bytes.trim_ascii_start().starts_with(b"[") {
            let read = json::read(bytes);
            return read.map(|InFields(one)| Self::One(Box::new(one)));
        }
        // Of nearly every list all can be read, at once.
        if let Ok(List(all)) = serde_json::from_slice(bytes) {
            return Ok(Self::Many(all));
        }
        let all = json::entries(bytes)?;
        if all.len() > ALERTS_MAX {
            return Err(too_long());
        }
        Ok(Self::Many(all.into_iter().map(read_one).collect()))
    }
}

fn too_long<E: serde::de::Error>() -> E {
    E::custom(format!("at most {ALERTS_MAX} alerts in one request"))
}

/// Reads one of a list as if it were alone.
fn read_one(text: &[u8]) -> Result<AlertRequest, Unreadable> {
    let read = if text.starts_with(b"{") {
        json::read(text).map_err(|error| misread::json(&error))
    } else {
        Err("it is not an object".to_owned())
    };
    let InFields(one) = read.map_err(|what| Unreadable {
        dedup_key: key_of(text),
        why: format!("the alert cannot be read: {what}"),
    })?;
    Ok(one)
}

/// The key of something that may be no alert.
fn key_of(text: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Keyed {
        dedup_key: Option<String>,
    }

    let is_object = text.starts_with(b"{");
    let keyed: Option<Keyed> = is_object.then(|| json::read(text).ok())?;
    keyed?.dedup_key
}

/// A list of which each is an alert, and which is not too long.
struct List(Vec<Result<AlertRequest, Unreadable>>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = List;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of alerts")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<List, A::Error> {
                let mut all = Vec::new();
                while let Some(InFields(one)) = seq.next_element()? {
                    if all.len() == ALERTS_MAX {
                        return Err(too_long());
                    }
                    all.push(Ok(one));
                }
                Ok(List(all))
            }
        }

        deserializer.deserialize_seq(Entries)
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
                formatter.write_str("an alert or a list of alerts")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<InFields, A::Error> {
                AlertRequest::deserialize(MapAccessDeserializer::new(map)).map(InFields)
            }
        }

        // Whatever else it is, is told.
        deserializer.deserialize_any(Fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"action":"resolve","dedup_key":"a"}"#;

    fn many(list: &str) -> Vec<Result<AlertRequest, Unreadable>> {
        match AlertRequests::read(list.as_bytes()) {
            Ok(AlertRequests::Many(all)) => all,
            other => panic!("{list}: {other:?}"),
        }
    }

    #[test]
    fn a_list_is_read_at_once_as_each_of_it_is_alone() {
        let whole = r#"{"action":"trigger","severity":"error","summary":"d\u00e9j\u00e0 \\","source":null,
            "dedup_key":"a","service_id":"x","details":{"b":[1.5,-0,null,18446744073709551616],"a":{"c":"d"},"b":2}}"#;
        let list = format!(" [{whole},\n{whole}, {GOOD}]");
        let List(at_once) = serde_json::from_str(&list).unwrap();
        let at_once = at_once
            .iter()
            .map(|one| format!("{:?}", one.as_ref().unwrap()));
        let at_once: Vec<String> = at_once.collect();
        let alone =
            [whole, whole, GOOD].map(|one| format!("{:?}", read_one(one.as_bytes()).unwrap()));
        assert_eq!(at_once, alone);
        assert_eq!(many(&list).len(), 3);
        assert!(many("[ ]").is_empty());
    }

    #[test]
    fn one_that_cannot_be_read_costs_no_other_and_is_refused_as_alone() {
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        let with = |fields: &str| format!(r#"{{"action":"resolve","dedup_key":"b",{fields}}}"#);
        let twice = with(r#""dedup_key":"c""#);
        for (bad, key) in [
            ("1".to_owned(), None),
            ("null".to_owned(), None),
            (r#"["x","a","resolve"]"#.to_owned(), None),
            (r#"{"dedup_key":"b"}"#.to_owned(), Some("b")),
            (
                r#"{"action":"Resolve","dedup_key":"b"}"#.to_owned(),
                Some("b"),
            ),
            (r#"{"action":"resolve","dedup_key":1}"#.to_owned(), None),
            (with(r#""more":1"#), Some("b")),
            (with(r#""details":{"n":1e999}"#), Some("b")),
            (with(&format!(r#""details":{}"#, deep(5_000))), Some("b")),
            (twice, None),
        ] {
            let all = many(&format!("[{GOOD},{bad},{GOOD}]"));
            let which: Vec<bool> = all.iter().map(Result::is_ok).collect();
            assert_eq!(which, [true, false, true], "{bad}");
            let refused = all[1].as_ref().unwrap_err();
            assert_eq!(refused.dedup_key.as_deref(), key, "{bad}");
            assert!(AlertRequests::read(bad.as_bytes()).is_err() || bad.starts_with('['));
        }
        // What is taken alone is taken among others that cannot be read.
        let deep = with(&format!(r#""details":{}"#, deep(126)));
        assert!(AlertRequests::read(deep.as_bytes()).is_ok());
        let all = many(&format!("[{deep},1,{deep}]"));
        assert!(all[0].is_ok() && all[2].is_ok());
    }

    #[test]
    fn a_list_that_is_too_long_is_refused() {
        let list = |count: usize| format!("[{}]", vec![GOOD; count].join(","));
        assert_eq!(many(&list(ALERTS_MAX)).len(), ALERTS_MAX);
        let refused = AlertRequests::read(list(ALERTS_MAX + 1).as_bytes());
        let told = refused.unwrap_err().to_string();
        assert!(told.contains("at most 1000 alerts"), "{told}");
    }
}
