//! Configurations that are refused, with the line.

use super::*;

/// The line and words of the refusal of a file.
fn check(text: &str, line: u64, words: &str) {
    match read_config(text) {
        Ok(config) => panic!("{text} was read as {config:?}"),
        Err(fault) => {
            assert_eq!(fault.line, line, "{fault}\n{text}");
            assert!(fault.what.contains(words), "{fault}\n{text}");
        }
    }
}

/// The same for the lines of a job, which begin at line 3 of the file.
fn check_job(lines: &str, line: u64, words: &str) {
    check(
        &format!("scrape_configs:\n  - job_name: web\n{lines}"),
        line,
        words,
    );
}

#[test]
fn unknown_keys_are_refused_with_their_line() {
    check(
        "global:\n  scrape_intervall: 5s\n",
        2,
        "there is no key \"scrape_intervall\"",
    );
    check(
        "scrape_config: []\n",
        1,
        "there is no key \"scrape_config\"",
    );
    check_job(
        "    static_config: []\n",
        3,
        "there is no key \"static_config\"",
    );
    check_job(
        "    relabel_configs:\n      - target_label: a\n        replace: b\n",
        5,
        "there is no key \"replace\"",
    );
    check_job(
        "    tls_config:\n      ca_fil: x\n",
        4,
        "there is no key \"ca_fil\"",
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused_with_their_line() {
    check(
        "global:\n  scrape_interval: 15\n",
        2,
        "\"15\" is no duration",
    );
    check_job("    scrape_interval: soon\n", 3, "\"soon\" is no duration");
    check_job("    body_size_limit: 15\n", 3, "\"15\" is no size");
    check_job("    scheme: gopher\n", 3, "gopher");
    check_job("    scrape_protocols: [Carrier]\n", 3, "Carrier");
    check_job("    sample_limit: -1\n", 3, "");
    check_job("    static_configs: a:9100\n", 3, "");
    check_job("    honor_labels: maybe\n", 3, "");
    check("scrape_configs:\n  - job_name: [a\n", 2, "");
    check("scrape_configs:\n  - metrics_path: /x\n", 2, "job_name");
}

#[test]
fn contradictions_are_refused_with_their_line() {
    check(
        "global: {scrape_interval: 5s, scrape_timeout: 6s}\n",
        1,
        "longer than scrape_interval 5s",
    );
    check_job(
        "    scrape_interval: 5s\n    scrape_timeout: 6s\n",
        4,
        "longer than scrape_interval 5s",
    );
    check(
        "scrape_configs:\n  - job_name: a\n  - job_name: a\n",
        3,
        "two jobs of the name \"a\"",
    );
    check(
        "scrape_configs:\n  - job_name: ''\n",
        2,
        "job_name is empty",
    );
    check_job(
        "    static_configs:\n      - targets: ['http://a/metrics']\n",
        4,
        "is no address",
    );
    check_job(
        "    relabel_configs:\n      - action: keep\n        regex: '['\n",
        4,
        "the pattern",
    );
    check_job(
        "    metric_relabel_configs:\n      - action: replace\n",
        4,
        "needs target_label",
    );
}

#[test]
fn contradictions_about_requests_and_files_are_refused_with_their_line() {
    check_job(
        "    bearer_token: a\n    basic_auth: {username: b}\n",
        2,
        "one is used at most",
    );
    check_job(
        "    basic_auth: {password: a, password_file: b}\n",
        3,
        "password_file one is used at most",
    );
    check_job(
        "    authorization: {type: Basic, credentials: a}\n",
        3,
        "use basic_auth",
    );
    check_job(
        "    http_headers: {Host: {values: [a]}}\n",
        3,
        "set by Tocsin itself",
    );
    check_job(
        "    tls_config: {cert_file: a}\n",
        3,
        "expected both or neither",
    );
    check_job("    scrape_protocols: []\n", 3, "at least one format");
    check_job(
        "    scrape_protocols: [PrometheusProto, PrometheusProto]\n",
        3,
        "none twice",
    );
    check_job(
        "    file_sd_configs: [{files: []}]\n",
        3,
        "at least one file",
    );
    check_job(
        "    file_sd_configs: [{files: [a.txt]}]\n",
        3,
        "ends in none of",
    );
    check_job(
        "    file_sd_configs: [{files: ['*/a.yml']}]\n",
        3,
        "in the last part",
    );
    check_job(
        "    metric_name_validation_scheme: legacy\n    metric_name_escaping_scheme: allow-utf-8\n",
        4,
        "does not go with",
    );
    check("rule_files: ['*/x.yml']\n", 1, "in the last part");
}

#[test]
fn what_is_no_yaml_is_refused_and_bombs_are_not_unpacked() {
    check("scrape_configs: [\n", 1, "unclosed bracket");
    check("a: b: c\n", 1, "");
    // The reader names the end of the first document or the beginning of the second.
    let two = read_config("global: {}\n---\nglobal: {}\n").unwrap_err();
    assert!((2..=3).contains(&two.line), "{two}");
    assert!(two.what.contains("multiple YAML documents"), "{two}");
    check("global: {}\nglobal: {}\n", 2, "duplicate");
    let mut bomb = String::from("x0: &x0 [a, a, a, a, a, a, a, a, a, a]\n");
    for level in 1..12 {
        let last = level - 1;
        bomb.push_str(&format!(
            "x{level}: &x{level} [{}]\n",
            vec![format!("*x{last}"); 10].join(", ")
        ));
    }
    assert!(read_config(&bomb).is_err());
    let deep = format!("remote_read: {}", "[".repeat(100_000));
    assert!(read_config(&deep).is_err());
}

#[test]
fn broken_files_of_targets_are_refused_with_their_line() {
    let check = |text: &str, format: FileFormat, words: &str| {
        let fault = read_target_groups(text, format).unwrap_err();
        assert!(fault.contains(words), "{fault}");
    };
    check(
        "[{\"targets\": [\"a:1\"]},\n {\"target\": []}]",
        FileFormat::Json,
        "line 2",
    );
    check(
        "[{\"targets\": [1]}]",
        FileFormat::Json,
        "expected a string",
    );
    check(
        "- targets: [a:1]\n  label: {}\n",
        FileFormat::Yaml,
        "line 2",
    );
    check("{}", FileFormat::Json, "expected a sequence");
    let many = format!(
        "[{{\"targets\": [{}]}}]",
        vec!["\"a:1\""; 100_001].join(",")
    );
    check(&many, FileFormat::Json, "at most 100000");
}
