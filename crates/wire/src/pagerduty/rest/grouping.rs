//! How the alerts of a service are grouped, in PagerDuty's words and in ours.

use serde_json::{Value, json};
use tocsin_domain::intake::{Field, GROUP_FIELDS_MAX, GROUP_MS_MAX, GroupBy};

use super::body::{Fields, Wrong};

const MINUTE_MS: u64 = 60_000;
/// What a field of an event's details begins with there.
const DETAIL: &str = "custom_details.";
/// The object that says it.
const PARAMETERS: &str = "alert_grouping_parameters";
/// The fields that said it before there was that object.
const BEFORE: &str = "alert_grouping";
const BEFORE_MINUTES: &str = "alert_grouping_timeout";
/// Characters of the word for a kind at most.
const KIND_CHARS_MAX: usize = 64;

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
pub(super) fn word(field: &Field) -> String {
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
            let config = json!({
                "timeout": minutes(*within_ms, *rolling), "aggregate": null, "fields": null,
                "time_window": null,
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

/// Zero is as long as the incident is open, which is at most a day here.
const fn minutes(within_ms: u64, rolling: bool) -> u64 {
    if rolling && within_ms == GROUP_MS_MAX {
        0
    } else {
        within_ms.div_ceil(MINUTE_MS)
    }
}

/// Reads how alerts of a service shall be grouped; none when nothing is said of it. What was shown and is written back changes
/// nothing, also where it cannot say all that is known. The older fields count only where the newer form names no kind: clients
/// send on what they have read of them once.
pub fn read(service: &Fields<'_>, wrong: &mut Wrong, known: &GroupBy) -> Option<GroupBy> {
    let Some(given) = service.object(wrong, PARAMETERS) else {
        return by_older_fields(service, false, wrong, known);
    };
    match given.text(wrong, "type", KIND_CHARS_MAX) {
        Some(kind) => by_parameters(service, &given, &kind, wrong, known),
        None => {
            // Nothing is grouped whatever it says, which clients send on.
            given.object(wrong, "config");
            by_older_fields(service, true, wrong, known).or(Some(GroupBy::Nothing))
        }
    }
}

/// What the newer form says.
fn by_parameters(
    service: &Fields<'_>,
    given: &Fields<'_>,
    kind: &str,
    wrong: &mut Wrong,
    known: &GroupBy,
) -> Option<GroupBy> {
    let written = service.value(PARAMETERS);
    if written.is_some_and(|given| says_the_same(given, &shown(known))) {
        return Some(known.clone());
    }
    let config = given.object(wrong, "config");
    match kind {
        "time" => {
            let timeout = config.as_ref().and_then(|one| one.number(wrong, "timeout"));
            let path = format!("{}.config.timeout", service.path(PARAMETERS));
            by_time(timeout.unwrap_or(0), &path, wrong)
        }
        "content_based" => {
            if let Some(config) = &config {
                config.refuse(wrong, &["time_window"]);
            }
            by_content(config.as_ref(), &service.path(PARAMETERS), wrong)
        }
        _ => {
            not_so(&format!("{}.type", service.path(PARAMETERS)), wrong);
            None
        }
    }
}

/// What the older fields say, which know of time alone. They are shown as null whatever is known, so that null says nothing; nor
/// do minutes alone beside the newer form.
fn by_older_fields(
    service: &Fields<'_>,
    has_newer: bool,
    wrong: &mut Wrong,
    known: &GroupBy,
) -> Option<GroupBy> {
    let before = match known {
        GroupBy::Time { within_ms, rolling } => Some(minutes(*within_ms, *rolling)),
        GroupBy::Nothing | GroupBy::Content { .. } => None,
    };
    let path = service.path(BEFORE_MINUTES);
    let kind = service.text(wrong, BEFORE, KIND_CHARS_MAX);
    let timeout = service.number(wrong, BEFORE_MINUTES);
    let wanted = match (kind.as_deref(), timeout) {
        (Some("time"), timeout) => timeout.or(before).unwrap_or(0),
        (Some(_), _) => {
            not_so(&service.path(BEFORE), wrong);
            return None;
        }
        (None, Some(minutes)) if !has_newer && before.is_some() => minutes,
        (None, Some(minutes)) => {
            if !has_newer && minutes > 0 {
                wrong.add(format!(
                    "'{path}' is not supported: the alerts are not grouped by time"
                ));
            }
            return None;
        }
        (None, None) => return None,
    };
    if before == Some(wanted) {
        return Some(known.clone());
    }
    by_time(wanted, &path, wrong)
}

fn not_so(path: &str, wrong: &mut Wrong) {
    wrong.add(format!(
        "'{path}' is not supported: alerts are grouped by time, or content_based by '{PARAMETERS}'; Tocsin finds no groups by itself"
    ));
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

fn by_time(minutes: u64, path: &str, wrong: &mut Wrong) -> Option<GroupBy> {
    let within_ms = minutes.saturating_mul(MINUTE_MS);
    if within_ms > GROUP_MS_MAX {
        wrong.add(format!(
            "'{path}' is invalid: it is at most {} minutes",
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

/// By what alerts have in common, as the `config` of the object at `place` says.
pub(super) fn by_content(
    config: Option<&Fields<'_>>,
    place: &str,
    wrong: &mut Wrong,
) -> Option<GroupBy> {
    let Some(config) = config else {
        wrong.add(format!("'{place}.config' is missing"));
        return None;
    };
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

    /// What the older fields say beside nothing newer, or beside it.
    fn said_before(body: &Value, known: &GroupBy) -> Result<Option<GroupBy>, Refusal> {
        let fields = Fields::new("service", body.as_object().unwrap());
        let mut wrong = Wrong::default();
        let read = read(&fields, &mut wrong, known);
        wrong.outcome(Some(read))
    }

    fn time(minutes: u64) -> GroupBy {
        GroupBy::Time {
            within_ms: minutes * MINUTE_MS,
            rolling: false,
        }
    }

    #[test]
    fn the_older_fields_are_read_where_they_stand_alone_and_null_says_nothing() {
        let all_day = GroupBy::Time {
            within_ms: GROUP_MS_MAX,
            rolling: true,
        };
        let uneven = GroupBy::Time {
            within_ms: 4 * MINUTE_MS + 500,
            rolling: true,
        };
        let none = GroupBy::Nothing;
        for (body, known, expected) in [
            (
                json!({"alert_grouping": "time", "alert_grouping_timeout": 5}),
                &none,
                Some(time(5)),
            ),
            (
                json!({"alert_grouping": "time", "alert_grouping_timeout": null}),
                &none,
                Some(all_day.clone()),
            ),
            (json!({"alert_grouping": "time"}), &time(5), Some(time(5))),
            (
                json!({"alert_grouping": "time", "alert_grouping_timeout": null}),
                &time(5),
                Some(time(5)),
            ),
            (
                json!({"alert_grouping": "time", "alert_grouping_timeout": 5}),
                &uneven,
                Some(uneven.clone()),
            ),
            (
                json!({"alert_grouping_timeout": 7}),
                &time(5),
                Some(time(7)),
            ),
            (
                json!({"alert_grouping_timeout": 0}),
                &time(5),
                Some(all_day.clone()),
            ),
            (json!({"alert_grouping_timeout": 0}), &none, None),
            (
                json!({"alert_grouping": null, "alert_grouping_timeout": null}),
                &time(5),
                None,
            ),
            (json!({}), &time(5), None),
        ] {
            assert_eq!(said_before(&body, known), Ok(expected), "{body}");
        }
    }

    #[test]
    fn the_newer_form_counts_whatever_a_client_has_kept_of_the_older_fields() {
        let content = GroupBy::Content {
            fields: vec![Field::Source],
        };
        let kept = [
            json!({"alert_grouping": "time", "alert_grouping_timeout": 5}),
            json!({"alert_grouping": "time", "alert_grouping_timeout": null}),
            json!({"alert_grouping": "intelligent", "alert_grouping_timeout": "null"}),
            json!({"alert_grouping": null, "alert_grouping_timeout": 5}),
        ];
        for mut body in kept {
            for (known, wanted) in [
                (&time(5), &content),
                (&time(5), &time(7)),
                (&content, &content),
                (&GroupBy::Nothing, &time(7)),
            ] {
                body["alert_grouping_parameters"] = shown(wanted);
                let read = said_before(&body, known);
                assert_eq!(read, Ok(Some(wanted.clone())), "{body}");
            }
        }
    }

    #[test]
    fn the_older_fields_are_read_beside_a_newer_form_that_names_no_kind() {
        let read = |mut body: Value, known: &GroupBy| {
            body["alert_grouping_parameters"] = json!({"type": null, "config": null});
            said_before(&body, known)
        };
        let five = json!({"alert_grouping": "time", "alert_grouping_timeout": 5});
        assert_eq!(read(five, &GroupBy::Nothing), Ok(Some(time(5))));
        for nothing in [
            json!({"alert_grouping": null, "alert_grouping_timeout": null}),
            json!({"alert_grouping": null, "alert_grouping_timeout": 5}),
            json!({}),
        ] {
            let read = read(nothing.clone(), &time(5));
            assert_eq!(read, Ok(Some(GroupBy::Nothing)), "{nothing}");
        }
    }

    #[test]
    fn what_tocsin_cannot_group_by_is_refused_with_words_in_either_form() {
        for (body, path) in [
            (
                json!({"alert_grouping": "intelligent"}),
                "'service.alert_grouping'",
            ),
            (
                json!({"alert_grouping": "content_based"}),
                "'service.alert_grouping'",
            ),
            (
                json!({"alert_grouping_parameters": {"type": "intelligent", "config": {"time_window": 300}}}),
                "'service.alert_grouping_parameters.type'",
            ),
            (
                json!({"alert_grouping_timeout": 5}),
                "'service.alert_grouping_timeout'",
            ),
            (
                json!({"alert_grouping": "time", "alert_grouping_timeout": u64::MAX}),
                "'service.alert_grouping_timeout'",
            ),
        ] {
            let refused = said_before(&body, &GroupBy::Nothing).unwrap_err();
            assert!(refused.errors[0].contains(path), "{refused}");
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
