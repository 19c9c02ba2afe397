//! The language itself: what mappings say and make, what is refused and where, and that nothing hostile makes it panic or run on.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn mapping(value: &Value) -> Mapping {
    Mapping::of(value).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn applied(value: &Value, body: &Value) -> Vec<Mapped> {
    mapping(value).apply(body).unwrap().alerts
}

fn mistakes(value: &Value) -> Vec<String> {
    let mistakes = Mapping::of(value).unwrap_err();
    mistakes.iter().map(ToString::to_string).collect()
}

#[test]
fn one_body_makes_as_many_alerts_as_its_list_has() {
    let body = json!({"host": "db-1", "checks": [
        {"name": "disk", "state": "CRIT", "id": 1},
        {"name": "load", "state": "ok", "id": 2},
        {"name": "swap", "state": "off", "id": 3},
    ]});
    let said = json!({
        "each": "$.checks[*]",
        "when": "state != 'off'",
        "action": {"from": "{{ .state }}", "map": {"ok": "resolve"}, "default": "trigger"},
        "dedup_key": "{{ $.host }}/{{ .id }}",
        "title": "{{ .name | upper }} on {{ $.host }}",
        "severity": {"from": "{{ .state }}", "map": {"crit": "critical"}, "default": "warning"},
    });
    let outcome = mapping(&said).apply(&body).unwrap();
    assert_eq!(outcome.ignored, 1);
    let shown: Vec<_> = outcome
        .alerts
        .iter()
        .map(|one| {
            (
                one.action,
                one.dedup_key.as_str(),
                one.title.as_str(),
                one.severity,
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (
                Action::Trigger,
                "db-1/1",
                "DISK on db-1",
                Severity::Critical
            ),
            (Action::Resolve, "db-1/2", "LOAD on db-1", Severity::Warning),
        ]
    );
}

#[test]
fn templates_put_in_what_paths_find() {
    let body = json!({"a": {"b c": [10, "x", null, {"d": true}]}, "e": "  two\n words ", "f": "", "{{": 1, "t": "{{ .e }}"});
    let check = |template: &str, expected: &str| {
        let said = json!({"title": "t", "summary": template});
        assert_eq!(applied(&said, &body)[0].summary, expected, "{template}");
    };
    check("plain", "plain");
    check("{{ .a[\"b c\"][0] }}-{{ $.a['b c'][1] }}", "10-x");
    check("{{ .a['b c'][*] }}", "10, x, {\"d\":true}");
    check("{{ .a['b c'][*] | join '/' | upper }}", "10/X/{\"D\":TRUE}");
    check("{{ .a['b c'][2] | json }}", "null");
    check("{{ .a[*][0] }}", "10");
    check("{{.e|line}}", "two words");
    check("<{{ .e | trim | cut 3 }}>", "<two>");
    check("{{ .f | default .missing | default 'none' }}", "none");
    check("{{ .missing.deep[3] }}", "");
    check("{{ '{{' }} and }}", "{{ and }}");
    check("{{ .t }}", "{{ .e }}");
    check("{{ .[\"{{\"] }}", "1");
    check("{{ \"a\\\"b\\nc\" }}", "a\"b\nc");
}

#[test]
fn conditions_compare_values() {
    let body = json!({"status": "resolved", "n": 5, "s": "5", "yes": true, "no": false, "list": ["a", "b"], "empty": [],
        "deep": {"x-y": "High CPU"}, "and_then": 1});
    let check = |condition: &str, expected: bool| {
        let said = json!({"title": "t", "action": [{"when": condition, "then": "resolve"}]});
        let action = applied(&said, &body)[0].action;
        assert_eq!(action == Action::Resolve, expected, "{condition}");
    };
    for (condition, expected) in [
        ("status == \"resolved\"", true),
        ("status != 'resolved'", false),
        ("$.status == .status", true),
        ("n == 5 and s == 5", true),
        ("n > 4.5 and n >= 5 and n <= 5 and not n < 5", true),
        ("n > -1", true),
        ("s > 4", true),
        ("status > 4", false),
        ("yes", true),
        ("no or empty or missing or null", false),
        ("yes == true and missing == null and and_then", true),
        ("list contains 'b'", true),
        ("list[*] == 'b'", true),
        ("list[*] == 'c'", false),
        (
            "deep.x-y contains 'cpu' and deep['x-y'] starts_with \"high\"",
            true,
        ),
        ("not (n == 5 or yes) or (no)", false),
        ("deep == deep", false),
        ("'a' < 'b'", false),
    ] {
        check(condition, expected);
    }
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "a table: each mistake with what is said of it"
)]
fn what_cannot_be_read_is_told_with_its_place() {
    let check = |field: &str, value: Value, expected: &str| {
        let mut said = json!({"title": "t"});
        said[field] = value;
        let found = mistakes(&said);
        assert!(
            found.iter().any(|one| one.starts_with(expected)),
            "{found:?}"
        );
    };
    check(
        "each",
        json!("alerts"),
        "each, character 1: a path begins with $",
    );
    check(
        "each",
        json!("$.a[x]"),
        "each, character 5: in brackets stands",
    );
    check("each", json!("$.a[1"), "each, character 6: a closing ]");
    check(
        "each",
        json!("$.a."),
        "each, character 5: a name stands after the dot",
    );
    check("each", json!("$.a b"), "each, character 5: the path ends");
    check(
        "each",
        json!("$[*][*][*][*]"),
        "each, character 14: a path has at most",
    );
    check(
        "title",
        json!("é {{ .a "),
        "title, character 3: the {{ that begins here",
    );
    check("title", json!("{{ a }}"), "title, character 4: a path ($");
    check(
        "title",
        json!("{{ .a | shout }}"),
        "title, character 9: the filters are",
    );
    check(
        "title",
        json!("{{ .a | upper | join ', ' }}"),
        "title, character 17: join and json",
    );
    check(
        "title",
        json!("{{ .a | cut x }}"),
        "title, character 13: cut takes a number",
    );
    check(
        "title",
        json!("{{ 'a }}"),
        "title, character 4: the text that begins here",
    );
    check("title", json!(5), "title: is a text");
    check(
        "when",
        json!("a == "),
        "when, character 6: a path, a number",
    );
    check("when", json!("(a"), "when, character 3: a closing )");
    check(
        "when",
        json!("a = b"),
        "when, character 3: and, or, an operator",
    );
    check(
        "action",
        json!({"map": {"x": "stop"}}),
        "action.from: is needed",
    );
    check(
        "action",
        json!({"from": "x", "map": {"x": "stop"}}),
        "action.map: its words are trigger",
    );
    check(
        "severity",
        json!([{"when": "a", "then": "loud"}]),
        "severity[0].then: its words are critical",
    );
    check(
        "severity",
        json!([{"wenn": "a", "then": "info"}]),
        "severity[0]: has no field \"wenn\"",
    );
    check(
        "severity",
        json!(vec![json!({"then": "info"}); 21]),
        "severity: has at most 20 rules",
    );
    check("details", json!({"A": "{{"}), "details.A, character 3");
    check(
        "details_from",
        json!([".a", "b"]),
        "details_from[1], character 1",
    );
    check("nonsense", json!(1), "mapping: has no field \"nonsense\"");
    assert_eq!(mistakes(&json!([])), ["mapping: is a JSON object"]);
    assert!(mistakes(&json!({}))[0].starts_with("title: is needed"));
    assert!(Mapping::parse(&"x".repeat(MAPPING_BYTES_MAX + 1)).is_err());
    assert!(Mapping::parse("{").is_err());
}

#[test]
fn depth_and_size_of_a_mapping_are_bounded() {
    let refused = |field: &str, text: String| {
        let mut said = json!({"title": "t"});
        said[field] = json!(text);
        assert!(Mapping::of(&said).is_err(), "{field}");
    };
    refused("when", "(".repeat(1_000));
    refused("when", "not ".repeat(400));
    refused("when", vec!["a"; 100].join(" or "));
    refused("when", "x".repeat(3_000));
    refused("title", "{{.a}}".repeat(65));
    refused("title", "x".repeat(5_000));
    refused("title", format!("{{{{ .a {} }}}}", "| trim ".repeat(9)));
    refused("each", format!("${}", ".a".repeat(17)));
    refused("each", format!("$.{}", "a".repeat(201)));
    refused("each", "$[99999999999999999999]".to_owned());
}

#[test]
fn an_unknown_word_never_hides_an_alert() {
    let body = json!({"severity": "odd", "action": "odd"});
    let said = json!({"title": "t", "severity": "{{ .severity }}", "action": "{{ .action }}"});
    let alert = &applied(&said, &body)[0];
    assert_eq!(
        (alert.action, alert.severity),
        (Action::Trigger, Severity::Critical)
    );
    assert_eq!(alert.notes.len(), 2);
    let empty = &applied(&said, &json!({}))[0];
    assert_eq!(
        (empty.action, empty.severity),
        (Action::Trigger, Severity::Critical)
    );
    assert!(empty.notes.is_empty());
    let known = &applied(
        &said,
        &json!({"severity": " Info ", "action": "ACKNOWLEDGE"}),
    )[0];
    assert_eq!(
        (known.action, known.severity),
        (Action::Acknowledge, Severity::Info)
    );
}

#[test]
fn titles_keys_and_times_fit_what_the_core_takes() {
    let said = json!({"title": "{{ .t }}", "summary": "{{ .s }}", "dedup_key": "{{ .k }}", "at": "{{ .at }}"});
    let one = |body: Value| applied(&said, &body).remove(0);
    assert_eq!(one(json!({"t": "a\u{0}b\n c"})).title, "a b c");
    assert_eq!(one(json!({"s": "first\nsecond"})).title, "first");
    assert_eq!(one(json!({})).title, "An alert without a title");
    let unseen = "\u{feff}\u{200b}";
    assert_eq!(
        one(json!({"t": unseen, "s": unseen})).title,
        "An alert without a title"
    );
    assert_eq!(one(json!({"t": unseen, "s": "full"})).title, "full");
    assert_eq!(
        one(json!({"t": "x".repeat(5_000)})).title.len(),
        TITLE_CHARS_MAX
    );
    assert_eq!(one(json!({"t": "same"})).dedup_key, "same");
    let (a, b) = ("k".repeat(300), format!("{}x", "k".repeat(300)));
    let (a, b) = (
        one(json!({"k": a})).dedup_key,
        one(json!({"k": b})).dedup_key,
    );
    assert_eq!((a.len(), b.len()), (255, 255));
    assert_ne!(a, b);
    let at = |value: Value| one(json!({"at": value})).at.map(Timestamp::to_rfc3339);
    assert_eq!(at(json!("2026-11-27T09:51:03Z")), at(json!(1_795_773_063)));
    assert_eq!(
        at(json!("2026-11-27T09:51:03Z")),
        at(json!(1_795_773_063_000_u64))
    );
    for none in [
        json!("0001-01-01T00:00:00Z"),
        json!("soon"),
        json!(0),
        json!(-1),
        json!(1e300),
        json!("NaN"),
    ] {
        assert_eq!(at(none.clone()), None, "{none}");
    }
}

#[test]
fn details_are_flat_and_bounded() {
    let said = json!({"title": "t", "details": {"Where": "{{ .host }}", "Gone": "{{ .gone }}"}, "details_from": [".labels", "$.more[*]"]});
    let body = json!({"host": "h\u{1b}[0m", "labels": {"a": 1, "b": {"c": ["x", null]}}, "more": [{"d": true}, "e"]});
    let expected = [
        ("Where", "h [0m"),
        ("a", "1"),
        ("b.c.0", "x"),
        ("d", "true"),
        ("value", "e"),
    ];
    let expected = expected.map(|(name, text)| (name.to_owned(), text.to_owned()));
    assert_eq!(applied(&said, &body)[0].details, expected);
    let many = json!({"labels": vec!["x"; 10_000]});
    let alert = &applied(&said, &many)[0];
    assert_eq!((alert.details.len(), alert.notes.len()), (DETAILS_MAX, 1));
}

#[test]
fn nothing_where_alerts_should_be_is_told_and_an_empty_list_is_none() {
    let said = mapping(&json!({"title": "t", "each": "$.alerts[*]"}));
    let nothing = Failure::Nothing {
        path: "$.alerts[*]".to_owned(),
    };
    assert_eq!(said.apply(&json!({})), Err(nothing.clone()));
    assert_eq!(said.apply(&json!({"alerts": "x"})), Err(nothing));
    assert_eq!(said.apply(&json!({"alerts": []})), Ok(Outcome::default()));
    let many = json!({"alerts": vec![1; ALERTS_MAX + 1]});
    assert_eq!(said.apply(&many), Err(Failure::TooMany));
}

#[test]
fn a_hostile_mapping_ends_by_its_limit_of_work() {
    let details: serde_json::Map<String, Value> = (0..DETAILS_MAX)
        .map(|index| {
            (
                index.to_string(),
                json!("{{ $ | json }}{{ $.a[*][*] }}{{ $ | default $ }}"),
            )
        })
        .collect();
    let said = mapping(
        &json!({"title": "{{ $ }}", "each": "$.a[*]", "details": details,
        "when": "$.a[*] != $.a[*] or $.a[*] contains $.a[*] or true"}),
    );
    let body = json!({"a": vec![json!({"x": "y".repeat(900)}); 900]});
    assert_eq!(said.apply(&body), Err(Failure::TooMuchWork));
    let texts =
        mapping(&json!({"title": "{{ $.a[*] | upper | lower | upper }}", "each": "$.a[*]"}));
    let body = json!({"a": vec!["ŉ".repeat(1_000); 500]});
    assert_eq!(texts.apply(&body), Err(Failure::TooMuchWork));
}

#[test]
fn grafanas_webhook_makes_one_alert_for_each_of_its_own() {
    let body: Value = serde_json::from_str(include_str!("testdata/grafana.json")).unwrap();
    let alerts = presets::grafana().unwrap().apply(&body).unwrap().alerts;
    assert_eq!(alerts.len(), 2);
    let disk = &alerts[0];
    assert_eq!(disk.action, Action::Trigger);
    assert_eq!(disk.dedup_key, "c6eadffa33fcdf37");
    assert_eq!(disk.title, "db-1 runs out of disk");
    assert_eq!(disk.summary, "/var has 3 % left");
    assert_eq!(disk.severity, Severity::Error);
    assert_eq!(disk.at.unwrap().to_rfc3339(), "2026-11-27T07:51:03.157Z");
    let detail = |name: &str| {
        disk.details
            .iter()
            .find(|one| one.0 == name)
            .map(|one| one.1.as_str())
    };
    assert_eq!(detail("Values"), Some("[ var='B' value=97.2 ]"));
    assert_eq!(detail("instance"), Some("db-1:9100"));
    assert_eq!(detail("Panel"), None);
    let load = &alerts[1];
    assert_eq!(
        (load.action, load.title.as_str()),
        (Action::Resolve, "High load")
    );
}

#[test]
fn all_presets_can_be_read() {
    for text in [presets::GRAFANA, presets::OPSGENIE, presets::EMAIL] {
        Mapping::parse(text).unwrap();
    }
    assert!(presets::opsgenie().is_some() && presets::email().is_some());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-d]", inner), 0..6)
                .prop_map(|all| Value::Object(all.into_iter().collect())),
        ]
    })
}

fn any_path() -> impl Strategy<Value = String> {
    ("[$.]", "(\\.[a-d]|\\[[0-3*]\\]|\\['[a-d]'\\]){0,3}").prop_map(|(root, steps)| {
        match root.as_str() {
            "." if steps.starts_with('.') => steps,
            _ => format!("{root}{steps}"),
        }
    })
}

proptest! {
    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC{0,60}", pieces in "[a-c .$\\[\\]{}|*'\"()=!<>0-9é\\\\-]{0,60}") {
        for text in [text, pieces] {
            drop(Template::read(&text));
            drop(Condition::read(&text));
            drop(Path::whole(&text));
            drop(Mapping::parse(&text));
            drop(Mapping::of(&json!({"title": text, "when": text, "each": text, "details": {text.clone(): text}})));
        }
    }

    #[test]
    fn whatever_is_applied_to_whatever_stays_within_the_limits(
        each in any_path(), one in any_path(), other in any_path(), body in any_json(),
    ) {
        let said = json!({
            "each": each,
            "when": format!("{one} == {other} or {one} contains {other} or not {other} > 1"),
            "action": format!("{{{{ {one} }}}}"),
            "severity": {"from": format!("{{{{ {other} | lower }}}}")},
            "title": format!("{{{{ {one} | join '-' | default {other} | upper | cut 900 }}}}"),
            "dedup_key": format!("{{{{ {other} | json }}}}"),
            "details": {"a": format!("{{{{ {one} }}}}")},
            "details_from": [other],
            "at": format!("{{{{ {one} }}}}"),
        });
        if let Ok(said) = Mapping::of(&said) && let Ok(outcome) = said.apply(&body) {
            for alert in outcome.alerts {
                prop_assert!(!alert.title.is_empty() && alert.title.chars().count() <= TITLE_CHARS_MAX);
                prop_assert!(!alert.title.contains(char::is_control));
                prop_assert!(!alert.dedup_key.is_empty() || alert.title == "An alert without a title");
                prop_assert!(alert.dedup_key.chars().count() <= DEDUP_KEY_CHARS_MAX);
                prop_assert!(alert.details.len() <= DETAILS_MAX);
                prop_assert!(alert.action != Action::Ignore);
            }
        }
    }

    #[test]
    fn a_path_that_was_read_is_read_again_from_its_own_text(text in any_path(), body in any_json()) {
        let path = Path::whole(&text).unwrap();
        let again = Path::whole(path.text()).unwrap();
        let scope = work::Scope { body: &body, item: &body };
        let (one, other) = (path.find(&scope, &mut work::Work::new()), again.find(&scope, &mut work::Work::new()));
        prop_assert_eq!(one, other);
    }
}
