//! Configurations that are accepted, and what they mean.

use super::*;

#[test]
fn a_job_inherits_what_the_file_says_globally() {
    let config = read_config(
        "global:
  scrape_interval: 15s
  scrape_timeout: 8s
  evaluation_interval: 30s
  external_labels: {site: berlin}
  sample_limit: 1500
  body_size_limit: 15MB
  scrape_protocols: [PrometheusText0.0.4]
rule_files: [first.rules, 'rules/*.yml']
scrape_config_files: ['jobs/*.yml']
scrape_configs:
  - job_name: web
    static_configs:
      - targets: ['a:9100', 'b:9100']
        labels: {env: live, rack: 007}
  - job_name: fast
    scrape_interval: 5s
    sample_limit: 10
    follow_redirects: false
    honor_timestamps: false
    enable_compression: no
    scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0]
    fallback_scrape_protocol: PrometheusText0.0.4
    file_sd_configs: [{files: [t/*.json, one.yml], refresh_interval: 10m}]
",
    )
    .unwrap();
    assert_eq!(config.rule_files, ["first.rules", "rules/*.yml"]);
    assert_eq!(config.job_files, ["jobs/*.yml"]);
    assert_eq!(config.global.evaluation_interval.ms, 30_000);
    assert_eq!(config.global.external_labels["site"], "berlin");
    let [web, fast] = config.jobs.as_slice() else {
        panic!("{:?}", config.jobs)
    };
    assert_eq!(
        (web.scrape_interval.ms, web.scrape_timeout.ms),
        (15_000, 8_000)
    );
    assert_eq!(
        (web.limits.samples, web.limits.body_bytes),
        (1_500, 15 << 20)
    );
    assert_eq!(web.static_groups[0].targets, ["a:9100", "b:9100"]);
    assert_eq!(
        web.static_groups[0].labels,
        labels(&[("env", "live"), ("rack", "007")])
    );
    assert_eq!(web.protocols, [Protocol::Text0]);
    assert!(web.http.follow_redirects && web.honor_timestamps && web.compression);
    // The global timeout is cut to the job's own interval.
    assert_eq!(
        (fast.scrape_interval.ms, fast.scrape_timeout.ms),
        (5_000, 5_000)
    );
    assert_eq!(fast.limits.samples, 10);
    assert_eq!(fast.protocols, [Protocol::Protobuf, Protocol::OpenMetrics1]);
    assert_eq!(fast.fallback_protocol, Some(Protocol::Text0));
    assert!(!fast.http.follow_redirects && !fast.honor_timestamps && !fast.compression);
    assert_eq!(fast.file_discovery[0].files, ["t/*.json", "one.yml"]);
    assert_eq!(fast.file_discovery[0].refresh_interval.ms, 600_000);
}

#[test]
fn an_empty_file_and_empty_sections_have_every_default() {
    for text in ["", "# nothing\n", "global:\nscrape_configs:\n", "{}"] {
        let config = read_config(text).unwrap();
        assert_eq!(config, PrometheusConfig::default(), "{text:?}");
    }
    let job = job("");
    assert_eq!(
        (job.scrape_interval.ms, job.scrape_timeout.ms),
        (60_000, 10_000)
    );
    assert_eq!(job.metrics_path, "/metrics");
    assert_eq!(job.protocols[0], Protocol::OpenMetrics1);
    assert_eq!(job.escaping, Escaping::AllowUtf8);
}

#[test]
fn credentials_are_read_and_not_printed() {
    let basic = job("    basic_auth: {username: admin, password_file: /run/pw}\n");
    let Auth::Basic { username, password } = &basic.http.auth else {
        panic!("{:?}", basic.http.auth)
    };
    assert_eq!(
        *username,
        SecretSource::Given(Secret::from("admin".to_owned()))
    );
    assert_eq!(*password, SecretSource::File("/run/pw".to_owned()));
    let bearer = job("    bearer_token: hush\n");
    let custom = job("    authorization: {credentials: hush}\n");
    assert_eq!(bearer.http.auth, custom.http.auth);
    let with_headers = job(
        "    authorization: {type: Token, credentials_file: t}\n    http_headers: {X-Org: {values: [a], secrets: [hush]}}\n",
    );
    assert_eq!(with_headers.http.headers["X-Org"].len(), 2);
    for job in [basic, bearer, custom, with_headers] {
        assert!(!format!("{job:?}").contains("hush"));
    }
}

#[test]
fn encryption_is_read() {
    let job = job(
        "    scheme: https\n    tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, server_name: inner, insecure_skip_verify: true}\n",
    );
    assert_eq!(job.http.tls.ca_file.as_deref(), Some("ca.pem"));
    assert!(job.http.tls.own.is_some() && job.http.tls.insecure_skip_verify);
    assert_eq!(job.http.tls.server_name.as_deref(), Some("inner"));
}

#[test]
fn legacy_names_ask_for_underscores() {
    let of = |lines: &str| {
        let job = job(lines);
        (job.names, job.escaping)
    };
    assert_eq!(
        of("    metric_name_validation_scheme: legacy\n"),
        (Names::Legacy, Escaping::Underscores)
    );
    assert_eq!(
        of("    metric_name_escaping_scheme: dots\n"),
        (Names::Utf8, Escaping::Dots)
    );
}

#[test]
fn native_histograms_are_asked_for_first_and_told_to_be_left_out() {
    let text = "scrape_configs:\n  - job_name: web\n    scrape_native_histograms: true\n    always_scrape_classic_histograms: false\n";
    let config = read_config(text).unwrap();
    assert_eq!(config.jobs[0].protocols[0], Protocol::Protobuf);
    let told: Vec<(u64, &str)> = config
        .ignored
        .iter()
        .map(|one| (one.line, one.key.as_str()))
        .collect();
    assert_eq!(told, [(3, "scrape_configs: web: scrape_native_histograms")]);
}

#[test]
fn what_is_not_done_is_told_by_name_and_line() {
    let config = read_config(
        "alerting:
  alertmanagers: [{static_configs: [{targets: [am:9093]}]}]
remote_write: [{url: http://x/}]
global:
  query_log_file: q.log
  external_labels: {a: b}
scrape_configs:
  - job_name: web
    consul_sd_configs: [{server: c:8500}]
    kubernetes_sd_configs:
      - role: pod
    oauth2: {client_id: x}
    tls_config: {min_version: TLS13}
",
    )
    .unwrap();
    let told: Vec<(u64, &str)> = config
        .ignored
        .iter()
        .map(|one| (one.line, one.key.as_str()))
        .collect();
    assert_eq!(
        told,
        [
            (2, "alerting"),
            (3, "remote_write"),
            (5, "global: query_log_file"),
            (6, "global: external_labels"),
            (9, "scrape_configs: web: consul_sd_configs"),
            (11, "scrape_configs: web: kubernetes_sd_configs"),
            (12, "scrape_configs: web: oauth2"),
            (13, "scrape_configs: web: tls_config: min_version"),
        ]
    );
}

#[test]
fn files_of_jobs_and_of_targets_are_read() {
    let global = Global::default();
    let (jobs, ignored) = read_job_file(
        "scrape_configs: [{job_name: more, http_sd_configs: []}]",
        &global,
    )
    .unwrap();
    assert_eq!((jobs[0].name.as_str(), ignored.len()), ("more", 1));
    assert_eq!(check_job_names(&jobs), Ok(()));
    assert_eq!(
        check_job_names(&[jobs[0].clone(), jobs[0].clone()]),
        Err("more".to_owned())
    );

    let expected = [TargetGroup {
        targets: vec!["a:1".to_owned(), "b:2".to_owned()],
        labels: labels(&[("env", "live")]),
    }];
    let json = r#"[{"targets": ["a:1", "b:2"], "labels": {"env": "live"}}]"#;
    assert_eq!(
        read_target_groups(json, FileFormat::Json).unwrap(),
        expected
    );
    let yaml = "- targets: ['a:1', b:2]\n  labels: {env: live}\n";
    assert_eq!(
        read_target_groups(yaml, FileFormat::Yaml).unwrap(),
        expected
    );
    assert_eq!(read_target_groups("", FileFormat::Yaml), Ok(Vec::new()));
    assert_eq!(FileFormat::of_name("/a/t.JSON"), Some(FileFormat::Json));
    assert_eq!(FileFormat::of_name("/a.yml/t"), None);
}
