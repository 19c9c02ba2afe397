//! One alert or a list of them as the body of one request; what an alert holds is not known here.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use tocsin_wire::misread;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};

use super::alert::AlertRequest;

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

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<AlertRequests, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = seq.next_element()? {
            if many.len() == ALERTS_MAX {
                let told = format!("at most {ALERTS_MAX} alerts in one request");
                return Err(serde::de::Error::custom(told));
            }
            many.push(read(one));
        }
        Ok(AlertRequests::Many(many))
    }
}

fn read(one: Value) -> Result<AlertRequest, Unreadable> {
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
