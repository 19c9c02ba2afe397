//! Alert grouping settings: how the alerts of a service are grouped, as a thing of its own with an id and a name. Its spans are in
//! seconds, where those of a service's own fields are in minutes.

use serde_json::{Value, json};
use tocsin_domain::id::ServiceId;
use tocsin_domain::intake::{
    GROUP_DESCRIPTION_CHARS_MAX, GROUP_MS_MAX, GROUP_NAME_CHARS_MAX, GroupBy,
};

use super::body::{self, Fields, Wrong};
use super::grouping::{by_content, word};
use super::refusal::Refusal;

const SECOND_MS: u64 = 1_000;
/// The object in a body.
const WRAPPER: &str = "alert_grouping_setting";
/// Characters of the word for a kind at most.
const KIND_CHARS_MAX: usize = 64;
const TIME: &str = "time";
const CONTENT: &str = "content_based";

/// A setting to make or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What it is called; empty when that is taken away.
    pub name: Option<String>,
    /// What it is for; empty when that is taken away.
    pub description: Option<String>,
    /// The ids of its services.
    pub services: Option<Vec<String>>,
    /// Which alerts make one incident.
    pub grouping: Option<GroupBy>,
}

/// The id of the setting of a service: that of the service, but for its first letter.
#[must_use]
pub fn id_of(service: ServiceId) -> String {
    service.as_str().replacen('Q', "P", 1)
}

/// The service whose setting has this id.
#[must_use]
pub fn service_of(id: &str) -> Option<ServiceId> {
    let rest = id.strip_prefix('P')?;
    format!("Q{rest}").parse().ok()
}

/// Reads the body of `POST /alert_grouping_settings` or `PUT /alert_grouping_settings/{id}`; `known` is how the alerts are grouped so
/// far. What was shown and is written back changes nothing.
///
/// # Errors
/// Everything that is wrong with it.
pub fn setting(bytes: &[u8], known: Option<&GroupBy>) -> Result<Setting, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, WRAPPER)?;
    let mut wrong = Wrong::default();
    let setting = Setting {
        name: text(&fields, &mut wrong, "name", GROUP_NAME_CHARS_MAX),
        description: text(
            &fields,
            &mut wrong,
            "description",
            GROUP_DESCRIPTION_CHARS_MAX,
        ),
        services: fields.ids(&mut wrong, "services", "service"),
        grouping: grouping(&fields, &mut wrong, known),
    };
    wrong.outcome(Some(setting))
}

fn text(fields: &Fields<'_>, wrong: &mut Wrong, name: &str, max: usize) -> Option<String> {
    let said = fields.readable_if_any(wrong, name, max);
    fields.has(name).then(|| said.unwrap_or_default())
}

fn grouping(fields: &Fields<'_>, wrong: &mut Wrong, known: Option<&GroupBy>) -> Option<GroupBy> {
    let is_silent = fields.value("type").is_none() && fields.value("config").is_none();
    if is_silent && known.is_some() {
        return None;
    }
    let kind = fields.required(wrong, "type", KIND_CHARS_MAX)?;
    let written = fields.value("config");
    if let Some(known) = known.filter(|known| says_the_same(&kind, written, known)) {
        return Some(known.clone());
    }
    let config = fields.object(wrong, "config");
    match kind.as_str() {
        TIME => by_time(config.as_ref(), wrong),
        CONTENT => {
            let window = config.as_ref();
            let window = window.and_then(|config| config.number(wrong, "time_window"));
            if window.is_some_and(|seconds| seconds > 0) {
                let path = fields.path("config.time_window");
                wrong.add(format!(
                    "'{path}' is not supported: alerts join as long as their incident is open; leave it out"
                ));
            }
            by_content(config.as_ref(), WRAPPER, wrong)
        }
        _ => {
            let path = fields.path("type");
            wrong.add(format!(
                "'{path}' is not supported: alerts are grouped by {TIME}, or {CONTENT}; Tocsin finds no groups by itself"
            ));
            None
        }
    }
}

/// Zero, or nothing, is as long as the incident is open, which is at most a day here.
fn by_time(config: Option<&Fields<'_>>, wrong: &mut Wrong) -> Option<GroupBy> {
    let timeout_s = config.and_then(|config| config.number(wrong, "timeout"));
    let within_ms = timeout_s.unwrap_or(0).saturating_mul(SECOND_MS);
    if within_ms > GROUP_MS_MAX {
        wrong.add(format!(
            "'{WRAPPER}.config.timeout' is invalid: it is at most {} seconds",
            GROUP_MS_MAX / SECOND_MS
        ));
        return None;
    }
    let rolling = within_ms == 0;
    Some(GroupBy::Time {
        within_ms: if rolling { GROUP_MS_MAX } else { within_ms },
        rolling,
    })
}

/// Its kind and its configuration; none where alerts are not grouped.
#[must_use]
pub fn shown(by: &GroupBy) -> Option<(&'static str, Value)> {
    match by {
        GroupBy::Nothing => None,
        GroupBy::Time { within_ms, rolling } => {
            let is_open = *rolling && *within_ms == GROUP_MS_MAX;
            let timeout_s = if is_open {
                0
            } else {
                within_ms.div_ceil(SECOND_MS)
            };
            Some((TIME, json!({ "timeout": timeout_s })))
        }
        GroupBy::Content { fields } => {
            let fields: Vec<String> = fields.iter().map(word).collect();
            let config = json!({
                "aggregate": "all", "fields": fields, "time_window": 0, "recommended_time_window": null,
            });
            Some((CONTENT, config))
        }
    }
}

fn says_the_same(kind: &str, config: Option<&Value>, known: &GroupBy) -> bool {
    let Some((known_kind, known)) = shown(known) else {
        return false;
    };
    let given = |name: &str| config.map_or(&Value::Null, |config| &config[name]);
    let is_so = |name: &str| *given(name) == known[name];
    let is_left_out = |name: &str| given(name).is_null();
    kind == known_kind
        && is_so("timeout")
        && is_so("fields")
        && (is_so("aggregate") || is_left_out("aggregate"))
        && (is_so("time_window") || is_left_out("time_window"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tocsin_domain::intake::Field;

    use super::*;

    fn read(given: Value, known: Option<&GroupBy>) -> Result<Setting, Refusal> {
        let body = json!({ "alert_grouping_setting": given });
        setting(body.to_string().as_bytes(), known)
    }

    #[test]
    fn the_id_of_a_setting_names_its_service() {
        let service: ServiceId = "QABCDEFGHIJKQM".parse().unwrap();
        assert_eq!(id_of(service), "PABCDEFGHIJKQM");
        assert_eq!(service_of("PABCDEFGHIJKQM"), Some(service));
        for none in ["", "P", "QABCDEFGHIJKQM", "PXPGF42"] {
            assert_eq!(service_of(none), None, "{none}");
        }
    }

    #[test]
    fn a_setting_is_read_in_seconds_and_shown_so() {
        let time = |within_ms, rolling| GroupBy::Time { within_ms, rolling };
        let content = GroupBy::Content {
            fields: vec![Field::Title, Field::Detail("host".to_owned())],
        };
        let fields = json!({"time_window": 0, "aggregate": "all", "fields": ["summary", "custom_details.host"]});
        for (kind, config, expected) in [
            ("time", json!({"timeout": 300}), time(300_000, false)),
            ("time", json!({"timeout": 0}), time(GROUP_MS_MAX, true)),
            ("time", json!(null), time(GROUP_MS_MAX, true)),
            ("content_based", fields, content),
        ] {
            let given = json!({"name": "Web", "type": kind, "config": config,
                "services": [{"id": "QA"}]});
            let read = read(given, None).unwrap();
            assert_eq!(read.grouping, Some(expected));
            assert_eq!(read.name.as_deref(), Some("Web"));
            assert_eq!(read.description, None);
            assert_eq!(read.services, Some(vec!["QA".to_owned()]));
        }
        assert_eq!(shown(&GroupBy::Nothing), None);
    }

    #[test]
    fn what_is_shown_and_written_back_changes_nothing() {
        for known in [
            GroupBy::Time {
                within_ms: 90_500,
                rolling: true,
            },
            GroupBy::Time {
                within_ms: GROUP_MS_MAX,
                rolling: true,
            },
            GroupBy::Content {
                fields: vec![Field::Summary, Field::Integration],
            },
        ] {
            let (kind, config) = shown(&known).unwrap();
            let back = json!({"type": kind, "config": config});
            let read = read(back, Some(&known)).unwrap();
            assert_eq!(read.grouping, Some(known));
        }
        let known = GroupBy::Nothing;
        let named = read(json!({"name": null}), Some(&known)).unwrap();
        assert_eq!((named.name.as_deref(), named.grouping), (Some(""), None));
    }

    #[test]
    fn what_tocsin_has_not_is_refused_with_its_place() {
        for (wrong, place) in [
            (
                json!({"type": "intelligent", "config": {"time_window": 300}}),
                "type",
            ),
            (json!({"type": "content_based_intelligent"}), "type"),
            (json!({"config": {"timeout": 5}}), "type"),
            (
                json!({"type": "time", "config": {"timeout": 86_401}}),
                "config.timeout",
            ),
            (json!({"type": "content_based"}), "config"),
            (
                json!({"type": "content_based", "config": {"fields": ["weather"]}}),
                "config.fields",
            ),
            (
                json!({"type": "content_based", "config": {"fields": ["source"], "time_window": 300}}),
                "config.time_window",
            ),
        ] {
            let refusal = read(wrong.clone(), None).unwrap_err();
            let place = format!("'alert_grouping_setting.{place}'");
            assert!(refusal.errors[0].contains(&place), "{wrong}: {refusal}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = setting(&body, None);
        }
    }
}
