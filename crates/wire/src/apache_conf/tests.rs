//! Recorded dumps and configurations, and configurations in memory, with what must be found in them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::apache_log::{FieldNames, LogFormat};

/// Reads a configuration whose files are in memory; `*` is understood in the last part of a pattern.
fn read_memory(main: &str, files: &[(&str, &str)], start: &Start) -> Config {
    let texts: BTreeMap<&str, &str> = files.iter().copied().collect();
    let read_one = |path: &str| {
        let text = texts.get(path).map(|text| (*text).to_owned());
        text.ok_or_else(|| "no such file".to_owned())
    };
    let expand = |pattern: &str| -> Vec<String> {
        let (before, after) = pattern.split_once('*').unwrap_or((pattern, ""));
        let whole = pattern.contains('*');
        let matches = |path: &&str| {
            let inner = path
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after));
            if whole {
                inner.is_some_and(|inner| !inner.contains('/'))
            } else {
                *path == pattern
            }
        };
        texts
            .keys()
            .copied()
            .filter(matches)
            .map(str::to_owned)
            .collect()
    };
    read(
        main,
        start,
        &Files {
            read: &read_one,
            expand: &expand,
        },
    )
}

/// The way Debian and its kin arrange files.
const DEBIAN: &[(&str, &str)] = &[
    (
        "/etc/apache2/apache2.conf",
        "DefaultRuntimeDir ${APACHE_RUN_DIR}\nPidFile ${APACHE_PID_FILE}\nUser ${APACHE_RUN_USER}\nGroup ${APACHE_RUN_GROUP}\n\
         ErrorLog ${APACHE_LOG_DIR}/error.log\nIncludeOptional mods-enabled/*.load\nIncludeOptional mods-enabled/*.conf\n\
         Include ports.conf\n\
         LogFormat \"%v:%p %h %l %u %t \\\"%r\\\" %>s %O \\\"%{Referer}i\\\" \\\"%{User-Agent}i\\\"\" vhost_combined\n\
         LogFormat \"%h %l %u %t \\\"%r\\\" %>s %O\" common\n\
         IncludeOptional conf-enabled/*.conf\nIncludeOptional sites-enabled/*.conf\n",
    ),
    (
        "/etc/apache2/ports.conf",
        "Listen 80\n<IfModule ssl_module>\n\tListen 443\n</IfModule>\n<IfModule mod_gnutls.c>\n\tListen 8443\n</IfModule>\n",
    ),
    (
        "/etc/apache2/mods-enabled/mpm_event.load",
        "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n",
    ),
    (
        "/etc/apache2/mods-enabled/mpm_event.conf",
        "# event\nStartServers 2\nMaxRequestWorkers 150\n",
    ),
    (
        "/etc/apache2/mods-enabled/ssl.load",
        "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n",
    ),
    (
        "/etc/apache2/mods-enabled/status.load",
        "LoadModule status_module /usr/lib/apache2/modules/mod_status.so\n",
    ),
    (
        "/etc/apache2/mods-enabled/status.conf",
        "<IfModule mod_status.c>\n<Location \"/server-status\">\n<RequireAny>\nRequire local\nRequire ip 192.0.2.1\n</RequireAny>\n\
         SetHandler server-status\n</Location>\nExtendedStatus On\n</IfModule>\n",
    ),
    (
        "/etc/apache2/conf-enabled/other-vhosts-access-log.conf",
        "CustomLog ${APACHE_LOG_DIR}/other_vhosts_access.log vhost_combined\n",
    ),
    (
        "/etc/apache2/sites-enabled/000-default.conf",
        "<VirtualHost *:80>\n  ServerName www.example.org\n  ServerAlias example.org\n  ErrorLog ${APACHE_LOG_DIR}/www-error.log\n\
         \n  CustomLog ${APACHE_LOG_DIR}/www-access.log \\\n    \"%h %{X-User-Tier}i %>s\" env=!dontlog\n</VirtualHost>\n",
    ),
];

fn debian_start() -> Start {
    let variables = [
        ("APACHE_RUN_DIR", "/var/run/apache2"),
        ("APACHE_PID_FILE", "/var/run/apache2/apache2.pid"),
        ("APACHE_RUN_USER", "www-data"),
        ("APACHE_RUN_GROUP", "www-data"),
        ("APACHE_LOG_DIR", "/var/log/apache2"),
    ];
    Start {
        server_root: "/etc/apache2".to_owned(),
        variables: variables
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

fn file(path: &str) -> LogTarget {
    LogTarget::File(path.to_owned())
}

#[test]
fn a_debian_layout_is_followed_through_its_files() {
    let config = read_memory("/etc/apache2/apache2.conf", DEBIAN, &debian_start());
    assert_eq!(config.problems, []);
    assert_eq!(config.files.len(), DEBIAN.len());
    assert_eq!(
        config.pid_file.as_deref(),
        Some("/var/run/apache2/apache2.pid")
    );
    assert_eq!(
        (config.user.as_deref(), config.group.as_deref()),
        (Some("www-data"), Some("www-data"))
    );
    assert_eq!(config.max_request_workers, Some(150));
    assert_eq!(config.extended_status, Some(true));
    let ports: Vec<_> = config
        .listens
        .iter()
        .map(|listen| (listen.port, listen.is_tls()))
        .collect();
    assert_eq!(
        ports,
        [(80, false), (443, true)],
        "8443 is for a module that is not loaded"
    );
    assert!(
        config
            .include_patterns
            .contains(&"/etc/apache2/sites-enabled/*.conf".to_owned())
    );
}

#[test]
fn logs_are_found_with_their_formats_and_hosts() {
    let config = read_memory("/etc/apache2/apache2.conf", DEBIAN, &debian_start());
    let [other, www] = config.access_logs.as_slice() else {
        panic!("{:?}", config.access_logs);
    };
    assert_eq!(
        (&other.target, other.virtual_host),
        (&file("/var/log/apache2/other_vhosts_access.log"), None)
    );
    assert!(
        config
            .format_of(other)
            .unwrap()
            .starts_with("%v:%p %h %l %u %t \"%r\"")
    );
    assert_eq!(
        (&www.target, www.virtual_host),
        (&file("/var/log/apache2/www-access.log"), Some(0))
    );
    assert_eq!(config.format_of(www), Some("%h %{X-User-Tier}i %>s"));
    assert_eq!(www.condition.as_deref(), Some("env=!dontlog"));
    assert_eq!(
        www.place.to_string(),
        "/etc/apache2/sites-enabled/000-default.conf:6"
    );
    assert_eq!(
        config.virtual_hosts[0].server_name.as_deref(),
        Some("www.example.org")
    );
    let errors: Vec<_> = config
        .error_logs
        .iter()
        .map(|log| (&log.target, log.virtual_host))
        .collect();
    assert_eq!(
        errors,
        [
            (&file("/var/log/apache2/error.log"), None),
            (&file("/var/log/apache2/www-error.log"), Some(0))
        ]
    );
    for log in &config.access_logs {
        let format = config.format_of(log).unwrap();
        assert!(
            LogFormat::compile(format, &FieldNames::default()).is_ok(),
            "{format}"
        );
    }
}

#[test]
fn the_status_page_is_found_with_who_may_see_it() {
    let config = read_memory("/etc/apache2/apache2.conf", DEBIAN, &debian_start());
    let [page] = config.status_pages.as_slice() else {
        panic!("{:?}", config.status_pages);
    };
    assert_eq!(
        (page.path.as_str(), page.is_pattern, page.virtual_host),
        ("/server-status", false, None)
    );
    assert_eq!(page.requires, ["local", "ip 192.0.2.1"]);
}

#[test]
fn a_recorded_configuration_is_read() {
    let text = include_str!("testdata/event_apache.conf");
    let config = read_memory(
        "/srv/event/apache.conf",
        &[("/srv/event/apache.conf", text)],
        &Start::default(),
    );
    assert_eq!(config.problems, []);
    assert_eq!(config.server_root, "/srv/event");
    assert_eq!(config.server_name.as_deref(), Some("webserver-01"));
    assert_eq!(config.pid_file.as_deref(), Some("/srv/event/apache.pid"));
    assert_eq!(config.listens[0].address.as_deref(), Some("127.0.0.1"));
    assert_eq!(config.max_request_workers, Some(10));
    assert_eq!(config.status_pages[0].path, "/server-status");
    assert!(config.modules.contains("mpm_event_module"));
    assert_eq!(config.access_logs.len(), 6);
    let drill = config
        .access_logs
        .iter()
        .find(|log| log.target == file("/srv/event/access_drill.log"))
        .unwrap();
    let format =
        LogFormat::compile(config.format_of(drill).unwrap(), &FieldNames::default()).unwrap();
    let recorded = include_bytes!("../apache_log/testdata/event_access_drill.log");
    let first = recorded.split(|byte| *byte == b'\n').next().unwrap();
    assert_eq!(
        format.parse_line(first).unwrap().tier.as_deref(),
        Some("premium")
    );
}

fn read_one(text: &str) -> Config {
    let start = Start {
        server_root: "/srv/a".to_owned(),
        ..Start::default()
    };
    read_memory("/m", &[("/m", text)], &start)
}

#[test]
fn definitions_conditions_and_macros_are_honoured() {
    let config = read_one(
        "Define DIR /logs\n<IfDefine DIR>\nErrorLog ${DIR}/e\n</IfDefine>\nUnDefine DIR\n<IfDefine DIR>\nErrorLog x\n</IfDefine>\n\
         <Macro Host $n>\nErrorLog $n\n</Macro>\nUse Host a\nServerName ${NOWHERE}\n",
    );
    assert_eq!(config.error_logs.len(), 1);
    assert_eq!(config.error_logs[0].target, file("/logs/e"));
    assert_eq!(config.problems.len(), 3, "{:?}", config.problems);
    assert!(config.problems[2].what.contains("${NOWHERE}"));
}

#[test]
fn logs_that_are_no_files_are_told_apart() {
    let config = read_one(
        "CustomLog \"|$/usr/bin/rotatelogs -l /logs/a.%Y 86400\" combined\nErrorLog syslog:local1\nErrorLog logs/error_log\n\
         TransferLog logs/t\nLogFormat \"%h %>s\"\nGlobalLog logs/g nothing\n",
    );
    assert_eq!(
        config.access_logs[0].target,
        LogTarget::Pipe("/usr/bin/rotatelogs -l /logs/a.%Y 86400".to_owned())
    );
    assert_eq!(
        config.error_logs[0].target,
        LogTarget::Other("syslog:local1".to_owned())
    );
    assert_eq!(config.error_logs[1].target, file("/srv/a/logs/error_log"));
    assert_eq!(config.format_of(&config.access_logs[1]), Some("%h %>s"));
    assert_eq!(
        config.format_of(&config.access_logs[2]),
        None,
        "a nickname that nothing defines"
    );
}

#[test]
fn listen_is_read_in_all_its_forms() {
    let config = read_one(
        "Listen 80\nListen *:81\nListen 192.0.2.1:82 https\nListen [::1]:83\nlisten nowhere\nListen 99999\n",
    );
    let listens: Vec<_> = config
        .listens
        .iter()
        .map(|listen| (listen.address.as_deref(), listen.port, listen.is_tls()))
        .collect();
    assert_eq!(
        listens,
        [
            (None, 80, false),
            (None, 81, false),
            (Some("192.0.2.1"), 82, true),
            (Some("::1"), 83, false)
        ]
    );
    assert_eq!(config.problems.len(), 2);
}

#[test]
fn files_that_include_themselves_are_read_to_the_limit_only() {
    let config = read_one("Include /m\nUser late\n");
    assert!(config.is_incomplete);
    assert!(
        config.problems[0].what.contains("64 deep"),
        "{:?}",
        config.problems
    );
    assert_eq!(config.files, ["/m"]);
    let config = read_one("Include /m\nInclude /m\n");
    assert!(config.is_incomplete);
}

#[test]
fn too_many_bytes_and_too_many_sections_stop_the_reading() {
    let config = read_one(&"#".repeat(BYTES_MAX + 1));
    assert!(config.is_incomplete);
    let config = read_one(&"<IfModule x>\n".repeat(200));
    assert!(config.is_incomplete);
}

#[test]
fn variables_that_hold_each_other_do_not_grow_without_end() {
    let mut text = "Define b xxxxxxxx\n".to_owned();
    for _ in 0..64 {
        text.push_str("Define b ${b}${b}\n");
    }
    text.push_str("ErrorLog /${b}\nListen 80\n");
    let config = read_one(&text);
    let longest = config.error_logs.iter().map(|log| format!("{log:?}").len());
    assert!(longest.max().unwrap_or_default() < 20_000);
    assert_eq!(config.listens.len(), 1);
    assert!(
        config
            .problems
            .iter()
            .any(|problem| problem.what.contains("too long")),
        "{:?}",
        config.problems
    );
}

#[test]
fn missing_files_and_unbalanced_sections_are_noted_and_the_rest_is_read() {
    let config = read_one(
        "Include gone.conf\nIncludeOptional gone/*.conf\n</Directory>\nUser www\n<VirtualHost *:1>\nServerName a\n",
    );
    assert_eq!(config.user.as_deref(), Some("www"));
    assert_eq!(config.virtual_hosts[0].server_name.as_deref(), Some("a"));
    assert!(!config.is_incomplete);
    assert_eq!(config.problems.len(), 3, "{:?}", config.problems);
}

#[test]
fn dumps_of_the_running_configuration_are_read() {
    let run = parse_run_cfg(include_str!("testdata/debian_run_cfg.txt")).unwrap();
    assert_eq!(run.server_root.as_deref(), Some("/etc/apache2"));
    assert_eq!(run.document_root.as_deref(), Some("/var/www/html"));
    assert_eq!(run.error_log.as_deref(), Some("/var/log/apache2/error.log"));
    assert_eq!(
        run.pid_file.as_deref(),
        Some("/var/run/apache2/apache2.pid")
    );
    assert_eq!(
        (run.user.as_deref(), run.user_id),
        (Some("www-data"), Some(33))
    );
    assert!(run.defines.is_empty());
    let run = parse_run_cfg(include_str!("testdata/prefork_run_cfg.txt")).unwrap();
    assert_eq!(
        run.scoreboard_file.as_deref(),
        Some("/srv/prefork/scoreboard")
    );
    let run = parse_run_cfg(
        "ServerRoot: \"/a\"\nUser: name=\"#-1\" id=4294967295 not_used\nDefine: X=1\n",
    )
    .unwrap();
    assert_eq!(
        (run.user, run.user_id, run.defines),
        (None, None, vec!["X=1".to_owned()])
    );
    assert!(parse_run_cfg(include_str!("testdata/event_run_cfg.txt")).is_ok());
}

#[test]
fn the_error_of_a_bad_configuration_is_not_taken_for_a_dump() {
    let error = parse_run_cfg(include_str!("testdata/event_configtest_bad.txt")).unwrap_err();
    assert!(
        error.excerpt.starts_with("AH00526: Syntax error on line"),
        "{error}"
    );
}

#[test]
fn dumped_virtual_hosts_are_read_with_names_and_places() {
    let hosts = parse_vhosts(include_str!("testdata/named_vhosts.txt"));
    let told: Vec<_> = hosts
        .iter()
        .map(|host| {
            (
                host.address.as_str(),
                host.server_name.as_str(),
                host.is_default,
                host.line,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("127.0.0.1:28398", "admin.example.org", true, 16),
            ("*:28397", "www.example.org", true, 8),
            ("*:28397", "login.example.org", false, 13),
        ]
    );
    assert_eq!(hosts[1].aliases, ["example.org", "*.example.org"]);
    let hosts = parse_vhosts(include_str!("testdata/debian_vhosts.txt"));
    assert_eq!(hosts[0].file, "/etc/apache2/sites-enabled/000-default.conf");
    assert_eq!(parse_vhosts("VirtualHost configuration:\n"), []);
}

#[test]
fn the_lines_to_paste_make_a_status_page_that_is_then_found() {
    for config_path in [
        "/etc/apache2/apache2.conf",
        "/etc/httpd/conf/httpd.conf",
        "/opt/apache/conf/httpd.conf",
    ] {
        let config = read_one(&enable_status(config_path).snippet);
        assert_eq!(config.status_pages[0].requires, ["local"]);
        assert_eq!(config.extended_status, Some(true));
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "[ -~\n\t\\\\é]{0,300}") {
        read_one(&text);
        let _ = parse_vhosts(&text);
        let _ = parse_run_cfg(&text);
    }

    #[test]
    fn no_mix_of_directives_makes_it_panic(picks in proptest::collection::vec(0_usize..24, 0..60)) {
        const PARTS: [&str; 24] = [
            "<VirtualHost *:80>", "</VirtualHost>", "<Location /s>", "</Location>", "<IfModule", "</IfModule>", "SetHandler server-status",
            "Include", "Include /m", "Listen", "Listen :", "LogFormat x y", "CustomLog", "CustomLog |", "CustomLog a b c", "<", "</",
            "Define", "Define A ${A}", "${A}", "<Location ~", "LocationMatch", "\"", "ServerRoot ''",
        ];
        let text: Vec<&str> = picks.iter().map(|pick| PARTS[*pick]).collect();
        read_one(&text.join("\n"));
    }
}
