//! One alert or a list of them as the body of one request; what an alert holds is not known here.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
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
    Many(Vec<AlertRequest>),
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

/// Reads an alert or a list of them in one pass, so that an error names the place.
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
        while let Some(alert) = seq.next_element()? {
            if many.len() == ALERTS_MAX {
                let told = format!("at most {ALERTS_MAX} alerts in one request");
                return Err(serde::de::Error::custom(told));
            }
            many.push(alert);
        }
        Ok(AlertRequests::Many(many))
    }
}
