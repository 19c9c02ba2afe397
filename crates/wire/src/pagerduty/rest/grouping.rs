//! How the alerts of a service are grouped, in PagerDuty's words and in ours.

use serde_json::{Value, json};
use tocsin_domain::intake::{Field, GROUP_FIELDS_MAX, GROUP_MS_MAX, GroupBy};

use super::body::{Fields, Wrong};

const MINUTE_MS: u64 = 60_000;
/// What a field of an event's details begins with there.
const DETAIL: &str = "custom_details.";
/// The object that says it.
const PARAMETERS: &str = "alert_grouping_parameters";

/// The field that has this name there.
#[must_use]
pub fn field(word: &str) -> Option<Field> {
    if let Some(name) = word.strip_prefix(DETAIL) {
        let name = name.trim();
        return (!name.is_empty()).then(|| Field::Detail(name.to_owned()));
    }
    let named = match word {
        // What an event calls its summary is the title here.
        "summary" | "title" => Field::Title,
        "severity" => Field::Severity,
        "source" => Field::Source,
        "component" => Field::Component,
        "group" => Field::Group,
        "class" => Field::Class,
        _ => return None,
    };
    Some(named)
}

/// The name of a field there. Some have none: theirs can be read, and written back as it is.
fn word(field: &Field) -> String {
    let word = match field {
        Field::Title => "summary",
        Field::Summary => "tocsin.summary",
        Field::Severity => "severity",
        Field::Source => "source",
        Field::Component => "component",
        Field::Group => "group",
        Field::Class => "class",
        Field::Detail(name) => return format!("{DETAIL}{name}"),
        Field::Integration => "tocsin.integration",
        Field::Service => "tocsin.service",
    };
    word.to_owned()
}

/// How it is told.
#[must_use]
pub fn shown(by: &GroupBy) -> Value {
    match by {
        GroupBy::Nothing => json!({"type": null, "config": null}),
        GroupBy::Time { within_ms, rolling } => {
            // Zero is as long as the incident is open, which is at most a day here.
            let goes_on = *rolling && *within_ms == GROUP_MS_MAX;
            let minutes = if goes_on {
                0
            } else {
                within_ms.div_ceil(MINUTE_MS)
            };
            let config = json!({
                "timeout": minutes, "aggregate": null, "fields": null, "time_window": null,
            });
            json!({"type": "time", "config": config})
        }
        GroupBy::Content { fields } => {
            let fields: Vec<String> = fields.iter().map(word).collect();
            let config = json!({
                "timeout": null, "aggregate": "all", "fields": fields, "time_window": null,
            });
            json!({"type": "content_based", "config": config})
        }
    }
}

/// Reads how alerts of a service shall be grouped; none when nothing is said of it. What was shown and is written back changes
/// nothing, also where it cannot say all that is known.
pub fn read(service: &Fields<'_>, wrong: &mut Wrong, known: &GroupBy) -> Option<GroupBy> {
    let given = service.object(wrong, PARAMETERS);
    let kind = given
        .as_ref()
        .and_then(|given| given.text(wrong, "type", 64));
    // The older fields say the same where the newer ones say nothing.
    let older = service.text(wrong, "alert_grouping", 64);
    let Some(kind) = kind.or(older) else {
        return given.map(|_| GroupBy::Nothing);
    };
    if service
        .value(PARAMETERS)
        .is_some_and(|given| says_the_same(given, &shown(known)))
    {
        return Some(known.clone());
    }
    let config = given
        .as_ref()
        .and_then(|given| given.object(wrong, "config"));
    match kind.as_str() {
        "time" => by_time(service, config.as_ref(), wrong),
        "content_based" => by_content(config.as_ref(), wrong),
        _ => {
            let path = service.path(PARAMETERS);
            wrong.add(format!(
                "'{path}.type' is not supported: alerts are grouped by time or content_based"
            ));
            None
        }
    }
}

fn says_the_same(given: &Value, shown: &Value) -> bool {
    let (config, known) = (&given["config"], &shown["config"]);
    let aggregate = &config["aggregate"];
    given["type"] == shown["type"]
        && config["timeout"] == known["timeout"]
        && config["fields"] == known["fields"]
        && config["time_window"].is_null()
        && (aggregate.is_null() || *aggregate == known["aggregate"])
}

fn by_time(
    service: &Fields<'_>,
    config: Option<&Fields<'_>>,
    wrong: &mut Wrong,
) -> Option<GroupBy> {
    let newer = config.and_then(|config| config.number(wrong, "timeout"));
    let older = service.number(wrong, "alert_grouping_timeout");
    let minutes = newer.or(older).unwrap_or(0);
    let within_ms = minutes.saturating_mul(MINUTE_MS);
    if within_ms > GROUP_MS_MAX {
        let path = service.path(PARAMETERS);
        wrong.add(format!(
            "'{path}.config.timeout' is invalid: it is at most {} minutes",
            GROUP_MS_MAX / MINUTE_MS
        ));
        return None;
    }
    Some(GroupBy::Time {
        within_ms: if minutes == 0 {
            GROUP_MS_MAX
        } else {
            within_ms
        },
        rolling: minutes == 0,
    })
}

fn by_content(config: Option<&Fields<'_>>, wrong: &mut Wrong) -> Option<GroupBy> {
    let Some(config) = config else {
        wrong.add(format!("'service.{PARAMETERS}.config' is missing"));
        return None;
    };
    config.refuse(wrong, &["time_window"]);
    let words = config.value("fields").and_then(Value::as_array);
    let words = words.map_or(&[][..], Vec::as_slice);
    let path = config.path("fields");
    if words.is_empty() || words.len() > GROUP_FIELDS_MAX {
        wrong.add(format!(
            "'{path}' is invalid: 1 to {GROUP_FIELDS_MAX} fields"
        ));
        return None;
    }
    let mut fields: Vec<Field> = Vec::new();
    for word in words {
        match word.as_str().and_then(field) {
            Some(field) if fields.contains(&field) => {}
            Some(field) => fields.push(field),
            None => wrong.add(format!("'{path}' is invalid: there is no field {word}")),
        }
    }
    let aggregate = [("all", false), ("any", true)];
    let is_any = config.word(wrong, "aggregate", &aggregate);
    if is_any == Some(true) && fields.len() > 1 {
        let path = config.path("aggregate");
        wrong.add(format!(
            "'{path}' is not supported: alerts are grouped that have all in common"
        ));
    }
    Some(GroupBy::Content { fields })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pagerduty::rest::Refusal;

    fn said(parameters: &Value, known: &GroupBy) -> Result<Option<GroupBy>, Refusal> {
        let body = json!({ "alert_grouping_parameters": parameters });
        let fields = Fields::new("service", body.as_object().unwrap());
        let mut wrong = Wrong::default();
        let read = read(&fields, &mut wrong, known);
        wrong.outcome(Some(read))
    }

    #[test]
    fn what_is_shown_and_written_back_changes_nothing() {
        let fields = |all: &[Field]| GroupBy::Content {
            fields: all.to_vec(),
        };
        for known in [
            GroupBy::Nothing,
            GroupBy::Time {
                within_ms: 90_500,
                rolling: true,
            },
            GroupBy::Time {
                within_ms: GROUP_MS_MAX,
                rolling: true,
            },
            fields(&[Field::Source, Field::Detail("host".to_owned())]),
            fields(&[Field::Summary, Field::Integration]),
        ] {
            assert_eq!(said(&shown(&known), &known), Ok(Some(known)));
        }
    }

    #[test]
    fn alerts_are_grouped_by_time_and_by_what_they_have_in_common() {
        let read = |parameters: Value| said(&parameters, &GroupBy::Nothing);
        let time = |within_ms, rolling| Ok(Some(GroupBy::Time { within_ms, rolling }));
        assert_eq!(
            read(json!({"type": "time", "config": {"timeout": 5}})),
            time(300_000, false)
        );
        assert_eq!(
            read(json!({"type": "time", "config": {"timeout": 0}})),
            time(GROUP_MS_MAX, true)
        );
        let fields = json!({"aggregate": "all", "fields": ["summary", "custom_details.host"]});
        assert_eq!(
            read(json!({"type": "content_based", "config": fields})),
            Ok(Some(GroupBy::Content {
                fields: vec![Field::Title, Field::Detail("host".to_owned())]
            }))
        );
        assert_eq!(read(json!(null)), Ok(None));
        for wrong in [
            json!({"type": "intelligent"}),
            json!({"type": "time", "config": {"timeout": 3_600}}),
            json!({"type": "content_based", "config": {"fields": ["weather"]}}),
            json!({"type": "content_based", "config": {"fields": []}}),
            json!({"type": "content_based", "config": {"fields": ["source"], "time_window": 300}}),
            json!({"type": "content_based", "config": {"fields": ["source", "class"], "aggregate": "any"}}),
        ] {
            assert!(read(wrong.clone()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn minutes_are_shown_as_they_were_written(minutes in 0_u64..=1_440) {
            let written = json!({"type": "time", "config": {"timeout": minutes}});
            let read = said(&written, &GroupBy::Nothing).unwrap().unwrap();
            prop_assert_eq!(&shown(&read)["config"]["timeout"], &json!(minutes));
        }
    }
}
