//! What the configuration says, and what it says about mistakes.

use std::net::Ipv4Addr;

use super::*;

fn parsed(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("/etc/tocsin/tocsin.toml"))
}

/// The mistakes of a file, as their writer reads them, without the file's name.
fn check(text: &str, expected: &[&str]) {
    let told = parsed(text).map(|config| format!("{config:?}"));
    let told = told.unwrap_err().to_string();
    let lines: Vec<&str> = told
        .lines()
        .map(|line| {
            line.strip_prefix("/etc/tocsin/tocsin.toml: ")
                .unwrap_or(line)
        })
        .collect();
    assert_eq!(lines, expected, "{text}");
}

#[test]
fn an_empty_file_is_the_default() {
    assert_eq!(parsed("").unwrap(), Config::default());
    assert_eq!(
        parsed("# nothing\n[watch]\n[egress]\n[tls]\n").unwrap(),
        Config::default()
    );
}

#[test]
fn every_key_is_read_and_relative_paths_are_meant_from_the_file() {
    let text = r#"
        listen = "0.0.0.0:443"
        data = "data"
        public_url = "https://tocsin.example.org/"
        key_file = "/run/keys/vault"
        behind_proxy = true
        retention = "90d"
        retention_size = "50GB"
        [tls]
        cert = "cert.pem"
        key = "../key.pem"
        [egress]
        allow = ["127.0.0.0/8", "10.1.2.3", "fd00::/8", "Ntfy.internal"]
        [watch]
        enabled = false
        discover = false
        only = ["/etc/apache2", "/srv/www/conf"]
        tier_field = "X-User-Tier"
        user_field = "X-User"
        [prometheus]
        config = "prometheus.yml"
        rule_files = ["rules/*.yml", "/srv/rules.yml"]
        evaluation_interval = "1m"
    "#;
    let block = |address: [u8; 4], bits| Allowed::Block(IpAddr::V4(Ipv4Addr::from(address)), bits);
    let expected = Config {
        listen: "0.0.0.0:443".parse().unwrap(),
        data: "/etc/tocsin/data".into(),
        public_url: Some("https://tocsin.example.org".to_owned()),
        key_file: Some("/run/keys/vault".into()),
        tls: Tls::Files {
            cert: "/etc/tocsin/cert.pem".into(),
            key: "/etc/tocsin/../key.pem".into(),
        },
        egress_allow: vec![
            block([127, 0, 0, 0], 8),
            block([10, 1, 2, 3], 32),
            Allowed::Block("fd00::".parse().unwrap(), 8),
            Allowed::Host("ntfy.internal".to_owned()),
        ],
        watch: Watch {
            enabled: false,
            discover: false,
            only: vec!["/etc/apache2".into(), "/srv/www/conf".into()],
            tier_field: Some("X-User-Tier".to_owned()),
            user_field: Some("X-User".to_owned()),
        },
        behind_proxy: true,
        retention: Retention::Days(90),
        retention_bytes: Some(50_000_000_000),
        prometheus: Prometheus {
            config: Some("/etc/tocsin/prometheus.yml".into()),
            rule_files: vec!["/etc/tocsin/rules/*.yml".into(), "/srv/rules.yml".into()],
            evaluation_interval_ms: Some(60_000),
        },
        mail_intake: None,
    };
    assert_eq!(parsed(text).unwrap(), expected);
    assert_eq!(
        parsed("tls.self_signed = true").unwrap().tls,
        Tls::SelfSigned
    );
    assert_eq!(parsed("tls.self_signed = false").unwrap().tls, Tls::Off);
    assert_eq!(
        parsed("retention = 'forever'").unwrap().retention,
        Retention::Forever
    );
}

#[test]
fn an_unknown_key_names_the_nearest_one() {
    check(
        "lisen = '127.0.0.1:1'",
        &["line 1, column 1: lisen: there is no such key; did you mean listen?"],
    );
    check(
        "\n  public-url = 'x'",
        &["line 2, column 3: public-url: there is no such key; did you mean public_url?"],
    );
    check(
        "[tls]\ncertt = 'x'",
        &["line 2, column 1: tls.certt: there is no such key; did you mean cert?"],
    );
    check(
        "[watsh]",
        &["line 1, column 2: watsh: there is no such section; did you mean watch?"],
    );
    check(
        "[watch]\ncolour = 'red'",
        &[concat!(
            "line 2, column 1: watch.colour: there is no such key; ",
            "expected one of enabled, discover, only, tier_field, user_field"
        )],
    );
}

#[test]
fn an_interval_that_is_none_is_refused() {
    check(
        "[prometheus]\nevaluation_interval = '5'",
        &[concat!(
            "line 2, column 23: prometheus.evaluation_interval: \"5\" is no duration; expected numbers with units, ",
            "the longest unit first, such as 30s, 5m or 1h30m"
        )],
    );
    check(
        "[prometheus]\nevaluation_interval = '1ms'",
        &["line 2, column 23: prometheus.evaluation_interval: the shortest is 100ms"],
    );
}

#[test]
fn a_key_in_the_wrong_place_names_the_right_one() {
    check(
        "only = ['/etc']",
        &["line 1, column 1: only: this key belongs under [watch]"],
    );
    check(
        "[watch]\nlisten = '127.0.0.1:1'",
        &[
            "line 2, column 1: watch.listen: this key belongs at the top of the file, above the first [section]",
        ],
    );
    check(
        "[tls]\nretentoin = '30d'",
        &[
            "line 2, column 1: tls.retentoin: there is no such key; did you mean retention, at the top of the file?",
        ],
    );
    check(
        "alow = []",
        &["line 1, column 1: alow: there is no such key; did you mean allow under [egress]?"],
    );
}

#[test]
fn a_wrong_type_names_what_was_expected() {
    check(
        "listen = 8700",
        &[
            "line 1, column 10: listen: the number 8700 stands here; expected text in quotes such as \"127.0.0.1:8700\"",
        ],
    );
    check(
        "behind_proxy = \"yes\"",
        &[
            "line 1, column 16: behind_proxy: \"yes\" stands here; expected true or false, without quotes",
        ],
    );
    check(
        "[egress]\nallow = '127.0.0.0/8'",
        &[
            "line 2, column 9: egress.allow: \"127.0.0.0/8\" stands here; expected a list in square brackets",
        ],
    );
    check(
        "watch = true",
        &["line 1, column 9: watch: true stands here; expected a section [watch]"],
    );
    check(
        "retention = 30",
        &[
            "line 1, column 13: retention: the number 30 stands here; expected text in quotes such as \"30d\"",
        ],
    );
}

#[test]
fn a_bad_address_names_the_likely_one() {
    let expected = "is not an address to listen on; expected IP:PORT such as \"127.0.0.1:8700\"";
    let listen = |given: &str, hint: &str| {
        let line = format!("line 1, column 10: listen: \"{given}\" {expected}{hint}");
        check(&format!("listen = \"{given}\""), &[&line]);
    };
    listen("8700", "; did you mean \"127.0.0.1:8700\"?");
    listen(":9000", "; did you mean \"127.0.0.1:9000\"?");
    listen("localhost:9000", "; did you mean \"127.0.0.1:9000\"?");
    listen("10.0.0.1", "; did you mean \"10.0.0.1:8700\"?");
    listen("::1", "; did you mean \"[::1]:8700\"?");
    listen("127.0.0.1:99999", "");
    listen("somewhere", "");
}

#[test]
fn a_bad_public_url_names_what_is_too_much() {
    let expected = "expected scheme and host alone, such as \"https://tocsin.example.org\" or \"http://10.0.0.5:8700\"";
    let url = |given: &str, what: &str| {
        let line = format!("line 1, column 14: public_url: {what}; {expected}");
        check(&format!("public_url = \"{given}\""), &[&line]);
    };
    url("tocsin.example.org", "\"tocsin.example.org\" is not a URL");
    url(
        "ftp://tocsin.example.org",
        "\"ftp://tocsin.example.org\" is not an http or https URL",
    );
    url(
        "https://example.org/tocsin",
        "\"https://example.org/tocsin\" has more than a host",
    );
    url(
        "https://u:p@example.org",
        "it holds a name or a password, which every link would show",
    );
}

#[test]
fn a_bad_egress_entry_is_told_at_its_own_place() {
    let expected = "expected a block such as \"10.0.0.0/8\", an address, or a host name";
    let entry = |given: &str, what: &str| {
        let line = format!("line 3, column 3: egress.allow: \"{given}\" {what}; {expected}");
        check(
            &format!("[egress]\nallow = ['127.0.0.1',\n  '{given}']"),
            &[&line],
        );
    };
    entry("10.1.2.3/8", "begins inside the block 10.0.0.0/8");
    entry("fd00::1/8", "begins inside the block fd00::/8");
    entry("10.0.0.0/33", "has more than 32 bits");
    entry("10.0.0.0/x", "has no number of bits");
    entry("ntfy/8", "is not a block of addresses");
    entry("https://ntfy.internal", "is a URL");
    entry("not a host", "is neither");
    entry("10.0.0", "is neither");
    assert!(parsed("egress.allow = ['0.0.0.0/0', '::/0']").is_ok());
}

#[test]
fn relative_folders_to_watch_are_refused() {
    for given in ["apache2", "./conf", "/etc/../root"] {
        let line = format!(
            "line 1, column 15: watch.only: \"{given}\" is relative; expected an absolute path such as \"/etc/apache2\", \
             without .."
        );
        check(&format!("watch.only = [\"{given}\"]"), &[&line]);
    }
}

#[test]
fn nonsense_paths_are_refused() {
    check(
        "data = ''",
        &[
            "line 1, column 8: data: empty text is no path; expected a path such as \"/var/lib/tocsin\"",
        ],
    );
    check(
        "data = '~/tocsin'",
        &[
            "line 1, column 8: data: \"~/tocsin\": ~ is not replaced here; expected a path such as \"/var/lib/tocsin\"",
        ],
    );
}

#[test]
fn a_bad_retention_names_its_range() {
    for given in ["0d", "30", "d", "-1d", "36501d", "a month"] {
        let line = format!(
            "line 1, column 13: retention: \"{given}\" is not a time to keep; expected days such as \"30d\" (1 to 36500), or \
             \"forever\""
        );
        check(&format!("retention = '{given}'"), &[&line]);
    }
}

#[test]
fn a_bad_log_field_is_refused() {
    check(
        "watch.tier_field = 'two words'",
        &[concat!(
            "line 1, column 20: watch.tier_field: \"two words\" is not the name of a log field; ",
            "expected one word such as \"X-User-Tier\""
        )],
    );
}

#[test]
fn half_a_certificate_is_told() {
    check(
        "[tls]\ncert = 'c.pem'",
        &[
            "line 2, column 1: tls.cert: there is no key for this certificate; expected key = \"FILE\" beside it",
        ],
    );
    check(
        "[tls]\nkey = 'k.pem'",
        &[
            "line 2, column 1: tls.key: there is no certificate for this key; expected cert = \"FILE\" beside it",
        ],
    );
    check(
        "[tls]\ncert = 'c'\nkey = 'k'\nself_signed = true",
        &[
            "line 4, column 1: tls.self_signed: goes without cert and key; expected one or the other",
        ],
    );
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_the_file() {
    check(
        "retention = 'x'\nfoo = 1\n[watch]\nenabled = 1\n",
        &[
            concat!(
                "line 1, column 13: retention: \"x\" is not a time to keep; ",
                "expected days such as \"30d\" (1 to 36500), or \"forever\""
            ),
            concat!(
                "line 2, column 1: foo: there is no such key; expected one of ",
                "listen, data, public_url, key_file, behind_proxy, retention, retention_size, tls, egress, watch, prometheus, mail_intake"
            ),
            "line 4, column 11: watch.enabled: the number 1 stands here; expected true or false, without quotes",
        ],
    );
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    for (text, place) in [
        ("listen = 127.0.0.1:8700", "line 1, column "),
        (
            "data = 'x'\ndata = 'y'",
            "line 2, column 1: this is not TOML: ",
        ),
        ("data = \"x", "line 1, column "),
        ("\n\n[watch", "line 3, column "),
    ] {
        let told = parsed(text).unwrap_err().to_string();
        let prefix = format!("/etc/tocsin/tocsin.toml: {place}");
        assert!(
            told.starts_with(&prefix) && told.contains("this is not TOML: "),
            "{text}: {told}"
        );
    }
}

#[test]
fn what_a_terminal_would_obey_is_not_repeated() {
    let told = parsed("\"\\u001b[2Jx\" = 1\nretention = \"\\u001b]0;x\\u0007\"")
        .unwrap_err()
        .to_string();
    assert!(!told.contains(['\u{1b}', '\u{7}']), "{told:?}");
}

#[test]
fn a_named_file_must_exist_and_the_usual_one_need_not() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("none.toml");
    let told = Config::load(Some(&missing)).unwrap_err().to_string();
    assert!(
        told.starts_with(&format!("{}: cannot be read: ", missing.display())),
        "{told}"
    );
    let present = folder.path().join("tocsin.toml");
    std::fs::write(&present, "data = 'kept'\n").unwrap();
    assert_eq!(
        Config::load(Some(&present)).unwrap().data,
        folder.path().join("kept")
    );
    std::fs::write(&present, b"data = 'x'\nkey_file = '\xff'\n").unwrap();
    let told = Config::load(Some(&present)).unwrap_err().to_string();
    assert!(
        told.ends_with("line 2, column 13: this is not UTF-8 text; save the file as UTF-8"),
        "{told}"
    );
}

#[test]
fn flags_go_before_the_file() {
    let file = parsed("listen = '127.0.0.1:1'\ndata = '/a'\nretention = '1d'\nbehind_proxy = true\npublic_url = 'https://a.example'")
        .unwrap();
    let flags = Overrides {
        listen: Some("[::1]:2".parse().unwrap()),
        data: Some("/b".into()),
        tls: Some(Tls::SelfSigned),
        retention: Some(Retention::Forever),
        ..Overrides::default()
    };
    let merged = file.clone().merge(flags).unwrap();
    assert_eq!(
        (merged.listen.port(), merged.data, merged.behind_proxy),
        (2, PathBuf::from("/b"), true)
    );
    assert_eq!(
        (merged.tls, merged.retention),
        (Tls::SelfSigned, Retention::Forever)
    );
    assert_eq!(file.clone().merge(Overrides::default()).unwrap(), file);
}

#[test]
fn other_machines_are_served_only_with_encryption() {
    let listen = |listen: &str, flags: Overrides| {
        let flags = Overrides {
            listen: Some(listen.parse().unwrap()),
            public_url: Some("https://tocsin.example.org".to_owned()),
            ..flags
        };
        Config::default().merge(flags).is_ok()
    };
    assert!(listen("127.0.0.1:1", Overrides::default()));
    assert!(listen("[::1]:1", Overrides::default()));
    assert!(listen("[::ffff:127.0.0.1]:1", Overrides::default()));
    assert!(!listen("0.0.0.0:1", Overrides::default()));
    assert!(!listen("[::]:1", Overrides::default()));
    assert!(listen(
        "0.0.0.0:1",
        Overrides {
            tls: Some(Tls::SelfSigned),
            ..Overrides::default()
        }
    ));
    assert!(listen(
        "0.0.0.0:1",
        Overrides {
            behind_proxy: Some(true),
            ..Overrides::default()
        }
    ));
}

#[test]
fn links_lead_somewhere() {
    let merged = |listen: &str, behind_proxy: bool, url: Option<&str>| {
        let flags = Overrides {
            listen: Some(listen.parse().unwrap()),
            tls: Some(Tls::SelfSigned),
            behind_proxy: Some(behind_proxy),
            public_url: url.map(str::to_owned),
            ..Overrides::default()
        };
        Config::default().merge(flags)
    };
    for (listen, behind_proxy) in [
        ("0.0.0.0:1", false),
        ("[::]:1", false),
        ("127.0.0.1:1", true),
    ] {
        let refused = merged(listen, behind_proxy, None).unwrap_err().to_string();
        assert!(refused.contains("Set public_url"), "{refused}");
        assert!(merged(listen, behind_proxy, Some("https://a.example")).is_ok());
    }
    assert!(merged("192.0.2.1:1", false, None).is_ok());
}

#[test]
fn the_tls_flag_takes_two_files_or_one_word() {
    let words = |words: &[&str]| {
        Tls::from_words(
            &words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>(),
        )
    };
    assert_eq!(words(&["self-signed"]), Ok(Tls::SelfSigned));
    assert_eq!(
        words(&["c", "k"]),
        Ok(Tls::Files {
            cert: "c".into(),
            key: "k".into()
        })
    );
    assert!(words(&["c"]).is_err());
    assert!(words(&[]).is_err());
}
