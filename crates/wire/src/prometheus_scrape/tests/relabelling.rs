//! Each action of relabelling, over tables of labels.

use super::*;

const GIVEN: &[(&str, &str)] = &[("a", "foo"), ("b", "bar"), ("c", "baz")];

/// Rules as YAML, over labels; none when the labels are dropped.
fn check(rules: &str, given: &[(&str, &str)], expected: Option<&[(&str, &str)]>) {
    let texts: Vec<RuleText> = serde_saphyr::from_str(rules).unwrap();
    let rules: Vec<Rule> = texts
        .into_iter()
        .map(|text| Rule::new(text, false).unwrap())
        .collect();
    let mut changed = labels(given);
    let kept = relabel(&mut changed, &rules);
    assert_eq!(
        kept.then_some(changed),
        expected.map(labels),
        "{rules:?} on {given:?}"
    );
}

#[test]
fn replace_writes_what_the_pattern_found() {
    check(
        "[{source_labels: [a], regex: 'f(.*)', target_label: d, replacement: 'ch${1}-ch${1}'}]",
        GIVEN,
        Some(&[("a", "foo"), ("b", "bar"), ("c", "baz"), ("d", "choo-choo")]),
    );
    check(
        "[{source_labels: [a, b], regex: 'f(.*);(.*)r', target_label: a, replacement: 'b$1${2}m'}]",
        &[("a", "foo"), ("b", "bar")],
        // `$1` ends at the next sign that is no letter, digit or underscore.
        Some(&[("a", "boobam"), ("b", "bar")]),
    );
    check(
        "[{source_labels: [a], target_label: d}]",
        &[("a", "x\ny")],
        Some(&[("a", "x\ny"), ("d", "x\ny")]),
    );
}

#[test]
fn replace_leaves_all_as_it_is_when_the_whole_value_does_not_match() {
    for regex in ["fo", "oo", "f", "x.*"] {
        check(
            &format!(
                "[{{source_labels: [a], regex: '{regex}', target_label: b, replacement: new}}]"
            ),
            GIVEN,
            Some(GIVEN),
        );
    }
}

#[test]
fn replace_with_nothing_removes_the_label() {
    check(
        "[{source_labels: [a], regex: foo, target_label: b, replacement: ''}]",
        GIVEN,
        Some(&[("a", "foo"), ("c", "baz")]),
    );
    check(
        "[{target_label: b, replacement: ''}]",
        GIVEN,
        Some(&[("a", "foo"), ("c", "baz")]),
    );
    check(
        "[{target_label: fixed, replacement: always}]",
        &[],
        Some(&[("fixed", "always")]),
    );
}

#[test]
fn replace_may_name_its_target_by_a_group() {
    check(
        "[{source_labels: [tag], regex: '([^=]+)=(.*)', target_label: 'tag_$1', replacement: '$2'}]",
        &[("tag", "zone=eu")],
        Some(&[("tag", "zone=eu"), ("tag_zone", "eu")]),
    );
    check(
        "[{source_labels: [tag], regex: '(x)?(.*)', target_label: '$1', replacement: '$2'}]",
        &[("tag", "zone")],
        Some(&[("tag", "zone")]),
    );
}

#[test]
fn the_separator_stands_between_the_values_even_of_missing_labels() {
    check(
        "[{source_labels: [a, nothing, b], target_label: d}]",
        &[("a", "1"), ("b", "2")],
        Some(&[("a", "1"), ("b", "2"), ("d", "1;;2")]),
    );
    check(
        "[{source_labels: [a, b], separator: '', target_label: d}]",
        &[("a", "1"), ("b", "2")],
        Some(&[("a", "1"), ("b", "2"), ("d", "12")]),
    );
}

#[test]
fn keep_and_drop_look_at_the_whole_value() {
    check(
        "[{source_labels: [a], regex: 'f.*', action: keep}]",
        GIVEN,
        Some(GIVEN),
    );
    check(
        "[{source_labels: [a], regex: 'f', action: keep}]",
        GIVEN,
        None,
    );
    check(
        "[{source_labels: [a], regex: 'f.*', action: drop}]",
        GIVEN,
        None,
    );
    check(
        "[{source_labels: [a], regex: 'f', action: DROP}]",
        GIVEN,
        Some(GIVEN),
    );
    check(
        "[{source_labels: [nothing], regex: '', action: drop}]",
        GIVEN,
        None,
    );
    check(
        "[{source_labels: [a, b], regex: 'foo;bar', action: keep}]",
        GIVEN,
        Some(GIVEN),
    );
}

#[test]
fn what_follows_a_drop_is_not_done_and_what_went_before_counts() {
    check(
        "[{source_labels: [a], target_label: d}, {source_labels: [d], regex: foo, action: drop}, {target_label: e, replacement: x}]",
        GIVEN,
        None,
    );
}

#[test]
fn keepequal_and_dropequal_compare_with_the_target_label() {
    let port = "[{source_labels: [port], target_label: wanted, action: keepequal}]";
    check(
        port,
        &[("port", "80"), ("wanted", "80")],
        Some(&[("port", "80"), ("wanted", "80")]),
    );
    check(port, &[("port", "80"), ("wanted", "8")], None);
    check(port, &[], Some(&[]));
    let same = "[{source_labels: [port], target_label: wanted, action: dropequal}]";
    check(same, &[("port", "80"), ("wanted", "80")], None);
    check(same, &[("port", "80")], Some(&[("port", "80")]));
}

#[test]
fn hashmod_takes_the_lower_half_of_the_md5_sum() {
    // md5("baz") is 73feffa4b7f6bb68e44cf984c85f6e88: e44cf984c85f6e88 mod 1000 is 976.
    check(
        "[{source_labels: [c], target_label: d, action: hashmod, modulus: 1000}]",
        GIVEN,
        Some(&[("a", "foo"), ("b", "bar"), ("c", "baz"), ("d", "976")]),
    );
    check(
        "[{source_labels: [a, b], target_label: d, action: hashmod, modulus: 1000}]",
        &[("a", "foo"), ("b", "bar")],
        // Of the joined "foo;bar" the sum is 2d00e96b8b7d9e32ddadc4ed9df31f3e.
        Some(&[("a", "foo"), ("b", "bar"), ("d", "750")]),
    );
}

#[test]
fn labelmap_copies_under_new_names() {
    check(
        "[{regex: '__meta_(.*)', action: labelmap}]",
        &[("__meta_zone", "eu"), ("a", "1")],
        Some(&[("__meta_zone", "eu"), ("a", "1"), ("zone", "eu")]),
    );
    check(
        "[{regex: 'm_(.+)', replacement: 'n_${1}', action: labelmap}]",
        &[("m_a", "1"), ("n_a", "2")],
        Some(&[("m_a", "1"), ("n_a", "1")]),
    );
}

#[test]
fn labeldrop_and_labelkeep_look_at_names() {
    check(
        "[{regex: '(b|c)', action: labeldrop}]",
        GIVEN,
        Some(&[("a", "foo")]),
    );
    check(
        "[{regex: 'b|c', action: labelkeep}]",
        GIVEN,
        Some(&[("b", "bar"), ("c", "baz")]),
    );
}

#[test]
fn lowercase_and_uppercase_change_the_joined_values() {
    check(
        "[{source_labels: [a], target_label: u, action: uppercase}, {source_labels: [u, b], target_label: l, action: lowercase}]",
        &[("a", "ÄbC"), ("b", "X")],
        Some(&[("a", "ÄbC"), ("b", "X"), ("u", "ÄBC"), ("l", "äbc;x")]),
    );
}

#[test]
fn a_rule_that_contradicts_itself_is_refused() {
    let check = |rule: &str, legacy: bool, expected: &str| {
        let text: RuleText = serde_saphyr::from_str(rule).unwrap();
        match Rule::new(text, legacy) {
            Ok(_) => assert_eq!(expected, "", "{rule}"),
            Err(bad) => assert!(
                !expected.is_empty() && bad.to_string().contains(expected),
                "{rule}: {bad}"
            ),
        }
    };
    check("{action: replace}", false, "replace needs target_label");
    check("{action: rewrite}", false, "no action \"rewrite\"");
    check(
        "{action: hashmod, target_label: a}",
        false,
        "a modulus above 0",
    );
    check(
        "{action: keep, regex: '('}",
        false,
        "the pattern \"(\" cannot be used",
    );
    // It would not be anchored.
    check("{action: keep, regex: 'a)|(b'}", false, "unopened");
    check("{action: labelkeep, regex: 'a)|(b'}", true, "unopened");
    check(
        "{action: keep, regex: '(?:a{1000}){1000}'}",
        false,
        "cannot be used",
    );
    check(
        "{action: labeldrop, regex: a, source_labels: [b]}",
        false,
        "labeldrop takes no source_labels",
    );
    check(
        "{action: labelkeep, regex: a, replacement: b}",
        false,
        "labelkeep takes no replacement",
    );
    check(
        "{action: keepequal, target_label: a, regex: b}",
        false,
        "keepequal takes no regex",
    );
    check(
        "{action: lowercase, target_label: a, replacement: b}",
        false,
        "lowercase takes no replacement",
    );
    check(
        "{action: labelmap, replacement: ''}",
        false,
        "no name of a label",
    );
    check("{target_label: 'a-b'}", false, "");
    check(
        "{target_label: 'a-b'}",
        true,
        "\"a-b\" is no name of a label",
    );
    check("{target_label: 'a-$1'}", true, "is no name of a label");
    check("{target_label: 'a_${1}'}", true, "");
    check(
        "{action: uppercase, target_label: '1a'}",
        true,
        "is no name of a label",
    );
}
