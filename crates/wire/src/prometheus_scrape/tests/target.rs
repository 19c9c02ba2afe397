//! What becomes of a discovered address.

use super::*;

/// Labels and URL.
type Expected<'a> = (&'a [(&'a str, &'a str)], &'a str);

fn check(lines: &str, given: &[(&str, &str)], expected: Result<Option<Expected<'_>>, &str>) {
    let job = job(lines);
    let found = populate(&job, "host:9100", &labels(given));
    match (found, expected) {
        (Ok(Populated::Kept(target)), Ok(Some((wanted, url)))) => {
            assert_eq!(target.labels, labels(wanted), "{lines}");
            assert_eq!(target.url, url, "{lines}");
        }
        (Ok(Populated::Dropped(_)), Ok(None)) => {}
        (Err(fault), Err(words)) => assert!(fault.to_string().contains(words), "{fault}"),
        (found, expected) => panic!("{lines}: {found:?} instead of {expected:?}"),
    }
}

#[test]
fn a_target_gets_job_and_instance_and_the_url_of_its_parts() {
    check(
        "",
        &[("env", "live")],
        Ok(Some((
            &[("env", "live"), ("instance", "host:9100"), ("job", "web")],
            "http://host:9100/metrics",
        ))),
    );
    check(
        "    scheme: https\n    metrics_path: /a b/metrics\n    params: {module: [http, icmp], 'x y': [a&b]}\n",
        &[("job", "other"), ("instance", "named")],
        Ok(Some((
            &[("instance", "named"), ("job", "other")],
            "https://host:9100/a%20b/metrics?module=http&module=icmp&x%20y=a%26b",
        ))),
    );
}

#[test]
fn relabelling_moves_the_address_into_a_parameter_as_the_blackbox_exporter_needs() {
    check(
        "    metrics_path: /probe
    params: {module: [http_2xx]}
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: '127.0.0.1:9115'}
",
        &[],
        Ok(Some((
            &[("instance", "host:9100"), ("job", "web")],
            "http://127.0.0.1:9115/probe?module=http_2xx&target=host%3A9100",
        ))),
    );
}

#[test]
fn a_parameter_of_a_label_replaces_the_first_value_only() {
    check(
        "    params: {collect: [cpu, disk]}\n",
        &[("__param_collect", "mem")],
        Ok(Some((
            &[("instance", "host:9100"), ("job", "web")],
            "http://host:9100/metrics?collect=mem&collect=disk",
        ))),
    );
}

#[test]
fn meta_and_temporary_labels_are_gone_afterwards() {
    check(
        "    relabel_configs:
      - {source_labels: [__meta_filepath], target_label: __tmp_file}
      - {source_labels: [__tmp_file], target_label: file}
",
        &[("__meta_filepath", "/etc/t.yml"), ("__internal", "x")],
        Ok(Some((
            &[
                ("file", "/etc/t.yml"),
                ("instance", "host:9100"),
                ("job", "web"),
            ],
            "http://host:9100/metrics",
        ))),
    );
}

#[test]
fn interval_and_timeout_can_come_from_labels() {
    let job = job("    scrape_interval: 30s\n");
    let given = labels(&[("__scrape_interval__", "5s"), ("__scrape_timeout__", "2s")]);
    let Ok(Populated::Kept(target)) = populate(&job, "host:1", &given) else {
        panic!("it was not kept");
    };
    assert_eq!((target.interval.ms, target.timeout.ms), (5_000, 2_000));
    assert_eq!(target.discovered.get("__scrape_interval__"), "5s");
    assert_eq!(target.discovered.get("__address__"), "host:1");
}

#[test]
fn what_cannot_be_scraped_says_why() {
    let rule = |label: &str, value: &str| {
        format!("    relabel_configs:\n      - {{target_label: {label}, replacement: '{value}'}}\n")
    };
    check(&rule("__address__", ""), &[], Err("has no address"));
    check(
        &rule("__address__", "http://x/y"),
        &[],
        Err("is no address"),
    );
    check(&rule("__address__", "user@host"), &[], Err("is no address"));
    check(
        &rule("__scheme__", "ftp"),
        &[],
        Err("expected http or https"),
    );
    check(
        &rule("__scrape_interval__", "0s"),
        &[],
        Err("__scrape_interval__"),
    );
    check(
        &rule("__scrape_timeout__", "soon"),
        &[],
        Err("__scrape_timeout__"),
    );
    check(
        &rule("__scrape_timeout__", "2m"),
        &[],
        Err("longer than the interval 1m"),
    );
    check(
        "    relabel_configs: [{source_labels: [env], regex: live, action: keep}]\n",
        &[],
        Ok(None),
    );
}

#[test]
fn the_spread_is_the_same_for_the_same_target_and_differs_between_targets() {
    let job = job("");
    let spread = |address: &str| match populate(&job, address, &LabelSet::default()) {
        Ok(Populated::Kept(target)) => target.spread(),
        other => panic!("{other:?}"),
    };
    assert_eq!(spread("a:1"), spread("a:1"));
    let tenths: std::collections::BTreeSet<u64> = (0..100)
        .map(|port| spread(&format!("a:{port}")) % 10)
        .collect();
    assert_eq!(
        tenths.len(),
        10,
        "a hundred targets reach every tenth of the interval"
    );
}
