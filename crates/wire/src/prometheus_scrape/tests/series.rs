//! The labels that a scraped series ends up with.

use super::*;

fn check(
    lines: &str,
    target: &[(&str, &str)],
    exposed: &[(&str, &str)],
    expected: Result<Option<&[(&str, &str)]>, &str>,
) {
    let found = series_labels(&job(lines), &labels(target), exposed.iter().copied());
    match (found, expected) {
        (Ok(found), Ok(wanted)) => assert_eq!(found, wanted.map(labels), "{lines}"),
        (Err(fault), Err(words)) => assert!(fault.to_string().contains(words), "{fault}"),
        (found, expected) => panic!("{lines}: {found:?} instead of {expected:?}"),
    }
}

const TARGET: &[(&str, &str)] = &[("instance", "host:1"), ("job", "web")];

#[test]
fn labels_of_the_target_go_first_and_the_exporters_live_on() {
    check(
        "",
        TARGET,
        &[("__name__", "up_to"), ("job", "inner")],
        Ok(Some(&[
            ("__name__", "up_to"),
            ("exported_job", "inner"),
            ("instance", "host:1"),
            ("job", "web"),
        ])),
    );
    check(
        "",
        &[("job", "web"), ("exported_job", "given")],
        &[("__name__", "m"), ("job", "1"), ("exported_job", "2")],
        Ok(Some(&[
            ("__name__", "m"),
            ("exported_exported_exported_job", "2"),
            ("exported_exported_job", "1"),
            ("exported_job", "given"),
            ("job", "web"),
        ])),
    );
}

#[test]
fn honoured_labels_of_the_exporter_stay_and_an_empty_one_keeps_the_targets_away() {
    check(
        "    honor_labels: true\n",
        TARGET,
        &[("__name__", "m"), ("instance", ""), ("job", "inner")],
        Ok(Some(&[("__name__", "m"), ("job", "inner")])),
    );
    check(
        "    honor_labels: true\n",
        TARGET,
        &[("__name__", "m")],
        Ok(Some(&[
            ("__name__", "m"),
            ("instance", "host:1"),
            ("job", "web"),
        ])),
    );
}

#[test]
fn metric_relabelling_sees_the_targets_labels_and_may_drop_or_rename() {
    let drop = "    metric_relabel_configs: [{source_labels: [__name__, job], regex: 'go_.*;web', action: drop}]\n";
    check(drop, TARGET, &[("__name__", "go_gc")], Ok(None));
    let rename = "    metric_relabel_configs: [{source_labels: [__name__], regex: 'old_(.*)', target_label: __name__, replacement: 'new_$1'}]\n";
    check(
        rename,
        &[],
        &[("__name__", "old_x"), ("le", "1")],
        Ok(Some(&[("__name__", "new_x"), ("le", "1")])),
    );
    let nameless = "    metric_relabel_configs: [{regex: __name__, action: labeldrop}]\n";
    check(
        nameless,
        TARGET,
        &[("__name__", "m")],
        Err("no metric name"),
    );
    let all = "    metric_relabel_configs: [{regex: '.*', action: labeldrop}]\n";
    check(all, TARGET, &[("__name__", "m")], Ok(None));
}

#[test]
fn limits_and_the_validation_scheme_fail_the_scrape() {
    let exposed = &[("__name__", "m"), ("zone", "europe")];
    check(
        "    label_limit: 4\n",
        TARGET,
        exposed,
        Ok(Some(&[
            ("__name__", "m"),
            ("instance", "host:1"),
            ("job", "web"),
            ("zone", "europe"),
        ])),
    );
    check(
        "    label_limit: 3\n",
        TARGET,
        exposed,
        Err("has 4 labels; label_limit is 3"),
    );
    check(
        "    label_name_length_limit: 7\n",
        TARGET,
        exposed,
        Err("label_name_length_limit is 7"),
    );
    check(
        "    label_value_length_limit: 5\n",
        &[],
        exposed,
        Err("a value of 6 bytes"),
    );
    check(
        "    metric_name_validation_scheme: legacy\n",
        &[],
        &[("__name__", "a.b")],
        Err("\"a.b\" is no valid name"),
    );
    check(
        "    metric_name_validation_scheme: legacy\n",
        &[],
        &[("__name__", "a:b"), ("x-y", "1")],
        Err("\"x-y\" is no valid name"),
    );
    check(
        "",
        &[],
        &[("__name__", "a.b")],
        Ok(Some(&[("__name__", "a.b")])),
    );
}
