//! A silence as `POST /api/v2/silences` brings it. Whether it can be made or changed so is not known here.

use serde::Deserialize;
use tocsin_domain::intake::{LabelMatcher, LabelTest, MATCHERS_MAX};
use tocsin_domain::time::Timestamp;

use super::fault::Fault;
use super::time;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    id: Option<String>,
    #[serde(deserialize_with = "given")]
    matchers: Option<Vec<BodyMatcher>>,
    #[serde(rename = "startsAt", deserialize_with = "timed")]
    starts_at: Option<Option<Timestamp>>,
    #[serde(rename = "endsAt", deserialize_with = "timed")]
    ends_at: Option<Option<Timestamp>>,
    #[serde(rename = "createdBy")]
    created_by: Option<String>,
    comment: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct BodyMatcher {
    name: Option<String>,
    value: Option<String>,
    #[serde(rename = "isRegex")]
    is_regex: Option<bool>,
    /// True where it is left out: older clients do not know it.
    #[serde(rename = "isEqual")]
    is_equal: Option<bool>,
}

/// A silence that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostedSilence {
    /// Which it changes, if one.
    pub id: Option<String>,
    /// Each must hold.
    pub matchers: Vec<LabelMatcher>,
    /// From when; now when none.
    pub starts_at: Option<Timestamp>,
    /// Until when.
    pub ends_at: Option<Timestamp>,
    /// Whoever asks, by their own account.
    pub created_by: String,
    /// What for.
    pub comment: String,
}

/// A list of which an item may be `null`, which Go takes for an empty one.
fn given<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<BodyMatcher>>, D::Error> {
    let list = Option::<Vec<Option<BodyMatcher>>>::deserialize(deserializer)?;
    Ok(list.map(|list| list.into_iter().map(Option::unwrap_or_default).collect()))
}

fn timed<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Timestamp>>, D::Error> {
    time::optional(deserializer).map(Some)
}

/// Reads a silence.
///
/// # Errors
/// It cannot be read, or lacks what it must have.
pub fn parse_silence(bytes: &[u8]) -> Result<PostedSilence, Fault> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Fault::required("silence"));
    }
    let body: Option<Body> =
        serde_json::from_slice(bytes).map_err(|why| Fault::body("silence", why))?;
    let Some(body) = body else {
        return Err(Fault::required("silence"));
    };
    let required = Fault::required;
    let comment = body.comment.ok_or_else(|| required("comment"))?;
    let created_by = body.created_by.ok_or_else(|| required("createdBy"))?;
    let ends_at = body.ends_at.ok_or_else(|| required("endsAt"))?;
    let given = body.matchers.ok_or_else(|| required("matchers"))?;
    let starts_at = body.starts_at.ok_or_else(|| required("startsAt"))?;
    if given.is_empty() {
        return Err(Fault::Unread {
            code: 612,
            message: "matchers in body should have at least 1 items".to_owned(),
        });
    }
    if given.len() > MATCHERS_MAX {
        return Err(Fault::bad(format!("more than {MATCHERS_MAX} matchers")));
    }
    let mut matchers = Vec::with_capacity(given.len());
    for (index, one) in given.into_iter().enumerate() {
        let required = |field: &str| required(&format!("matchers.{index}.{field}"));
        let name = one.name.ok_or_else(|| required("name"))?;
        let value = one.value.ok_or_else(|| required("value"))?;
        let is_regex = one.is_regex.ok_or_else(|| required("isRegex"))?;
        let test = LabelTest::of(one.is_equal.unwrap_or(true), is_regex);
        let invalid = |why| {
            Fault::bad(format!(
                "silence invalid: invalid label matcher {index}: {why}"
            ))
        };
        matchers.push(LabelMatcher::new(name, test, value).map_err(invalid)?);
    }
    // As Alertmanager keeps them, so that the same conditions in another order are the same.
    matchers.sort();
    Ok(PostedSilence {
        id: body.id.filter(|id| !id.is_empty()),
        matchers,
        starts_at,
        ends_at,
        created_by,
        comment,
    })
}
