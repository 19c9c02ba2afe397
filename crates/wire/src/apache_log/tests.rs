//! Recorded logs of Apache 2.4.71 (MPMs event, worker and prefork) and what must be read from them.

use proptest::prelude::*;
use tocsin_domain::time::Timestamp;

use super::escape::escape;
use super::*;

const DRILL: &str = r#"%h %l %u %t "%r" %>s %O "%{Referer}i" "%{User-Agent}i" %D %{X-User-Tier}i "%{X-User-Id}i" %{begin:usec}t"#;
const JSON: &str = r#"{"time":"%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t","begin":%{begin:usec}t,"remote":"%a","method":"%m","path":"%U","query":"%q","status":%>s,"us":%D,"ms":%{ms}T,"plan":"%{X-Plan}i","ua":"%{User-Agent}i","log_id":"%L","aborted":"%X","ka":%k,"in":%I,"out":%O}"#;
const ODD: &str = "%!200,304{User-Agent}i|%{c}a|%{remote}p|%{usec}t|%{end:msec}t|%T|%{us}T|%{s}T|%b|%B|%f|%H|%R|%A|%P|%{tid}P|%S|%{UNIQUE_ID}e|%{tier}n|%{Content-Type}o|%{session}C|%%|%<s";

fn compile(format: &str) -> LogFormat {
    LogFormat::compile(format, &FieldNames::default()).unwrap()
}

fn read_all(format: &str, log: &[u8]) -> Vec<AccessLine> {
    let format = compile(format);
    let lines = log
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| {
            format
                .parse_line(line)
                .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(line)))
        })
        .collect()
}

#[test]
fn a_recorded_log_with_tier_user_and_duration_is_read_in_full() {
    let lines = read_all(DRILL, include_bytes!("testdata/event_access_drill.log"));
    let first = &lines[0];
    assert_eq!(first.status, Some(200));
    assert_eq!(first.method.as_deref(), Some("GET"));
    assert_eq!(first.path.as_deref(), Some("/"));
    assert_eq!(first.query.as_deref(), Some("?a=1"));
    assert_eq!(first.protocol.as_deref(), Some("HTTP/1.1"));
    assert_eq!(first.remote.as_deref(), Some("127.0.0.1"));
    assert_eq!(first.tier.as_deref(), Some("premium"));
    assert_eq!(first.user.as_deref(), Some("ana"));
    assert_eq!(
        first.user_agent.as_deref(),
        Some(r#"probe "quoted" \ back"#)
    );
    assert_eq!(first.referer.as_deref(), Some("http://x/é"));
    assert_eq!(first.duration_us, Some(348));
    assert_eq!(first.bytes, Some(243));
    assert_eq!(
        first.time,
        Some(Timestamp::from_micros(1_795_418_423_278_515))
    );
    assert_eq!(first.time_unit_us, 1);
    assert_eq!(lines[1].user.as_deref(), Some("b\tob"));
    assert_eq!(
        (lines[2].tier.as_deref(), lines[2].user.as_deref()),
        (None, None)
    );
    assert_eq!(
        (lines[5].status, lines[5].tier.as_deref()),
        (Some(503), Some("premium"))
    );
}

#[test]
fn a_request_line_that_is_none_keeps_its_status_and_is_shown_as_it_was() {
    let lines = read_all(DRILL, include_bytes!("testdata/event_access_drill.log"));
    assert_eq!(
        (
            lines[6].status,
            lines[6].method.as_deref(),
            lines[6].path.as_deref()
        ),
        (Some(400), None, None)
    );
    assert_eq!(lines[6].extra["%r"], "\u{16}\u{3}\u{1} garbage \"\\ÿ");
}

#[test]
fn the_zone_of_a_common_time_is_honoured() {
    let format = compile(nickname("common").unwrap());
    let line = br#"127.0.0.1 - ana [23/Nov/2026:02:20:43 -0500] "GET /p HTTP/1.1" 304 -"#;
    let line = format.parse_line(line).unwrap();
    assert_eq!(line.time.unwrap().to_rfc3339(), "2026-11-23T07:20:43.000Z");
    assert_eq!(line.time_unit_us, 1_000_000);
    assert_eq!((line.user.as_deref(), line.bytes), (Some("ana"), None));
}

#[test]
fn a_json_log_that_is_not_valid_json_is_read_all_the_same() {
    let lines = read_all(JSON, include_bytes!("testdata/event_access_json.log"));
    let second = &lines[1];
    assert_eq!(second.path.as_deref(), Some("/päth"));
    assert_eq!(second.tier.as_deref(), Some("frée"));
    assert_eq!(second.aborted, Some(false));
    assert_eq!(lines[0].query.as_deref(), Some("?a=1"));
    assert_eq!(lines[0].extra["%k"], "0");
    assert!(lines[0].duration_us.unwrap() > 0);
    let denied = lines.iter().find(|line| line.status == Some(403)).unwrap();
    assert!(denied.log_id.is_some(), "an error line was written for it");
    let failed = lines.iter().find(|line| line.status == Some(503)).unwrap();
    assert_eq!(
        failed.aborted,
        Some(false),
        "`-` means closed after the answer"
    );
}

#[test]
fn unusual_directives_are_read() {
    let lines = read_all(ODD, include_bytes!("testdata/event_access_odd.log"));
    let first = &lines[0];
    assert_eq!(
        first.user_agent, None,
        "logged only when the status is not 200"
    );
    assert_eq!(
        lines[1].user_agent.as_deref(),
        Some("Mozilla/5.0 (X11; Linux x86_64)")
    );
    assert_eq!(first.extra["%{Content-Type}o"], "text/html");
    assert_eq!(first.extra["%{session}C"], "abc");
    assert_eq!(first.extra["%{c}a"], "127.0.0.1");
    assert_eq!(first.status, Some(200));
    assert_eq!(first.tier, None);
    assert!(
        first.end
            >= first
                .time
                .map(|begin| Timestamp::from_millis(begin.as_millis()))
    );
    let slow = lines
        .iter()
        .find(|line| line.duration_us > Some(5_000_000))
        .unwrap();
    assert_eq!(slow.status, Some(400));
}

#[test]
fn the_format_of_a_recorded_log_is_found_without_being_told() {
    for (log, expected) in [
        (
            &include_bytes!("testdata/event_access_vhost.log")[..],
            "vhost_combined",
        ),
        (
            include_bytes!("testdata/event_access_combined.log"),
            "combined",
        ),
        (include_bytes!("testdata/event_access_common.log"), "common"),
    ] {
        let lines: Vec<_> = log
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .collect();
        let found = detect(&lines, &FieldNames::default()).unwrap();
        assert_eq!((found.name, found.lines_read), (expected, lines.len()));
    }
    assert_eq!(detect(&[b"hello", b"world"], &FieldNames::default()), None);
    assert_eq!(detect(&[], &FieldNames::default()), None);
}

#[test]
fn a_user_name_with_spaces_does_not_shift_the_other_fields() {
    let format = compile(nickname("common").unwrap());
    let line = format
        .parse_line(br#"::1 - john q doe [18/Aug/2024:03:12:07 +0000] "GET / HTTP/1.1" 200 5"#)
        .unwrap();
    assert_eq!(line.user.as_deref(), Some("john q doe"));
    assert_eq!(line.remote.as_deref(), Some("::1"));
}

#[test]
fn names_that_are_given_go_before_names_that_are_guessed() {
    let names = FieldNames {
        tier: Some("X-Account".to_owned()),
        user: Some("who".to_owned()),
    };
    let format = LogFormat::compile("%>s %{X-Plan}i %{x-account}o %{WHO}e", &names).unwrap();
    let line = format.parse_line(b"200 a gold ana").unwrap();
    assert_eq!(
        (line.tier.as_deref(), line.user.as_deref()),
        (Some("gold"), Some("ana"))
    );
    assert_eq!(line.extra["%{X-Plan}i"], "a");
    assert!(
        format.tells_tier()
            && format.tells_user()
            && format.tells_status()
            && !format.tells_duration()
    );
}

#[test]
fn the_status_sent_and_the_finest_duration_win() {
    let line = compile("%s %>s %T %D %{ms}T")
        .parse_line(b"302 200 1 1234567 1234")
        .unwrap();
    assert_eq!(
        (line.status, line.duration_us),
        (Some(200), Some(1_234_567))
    );
    let line = compile("%{begin:usec}t %{end:usec}t")
        .parse_line(b"1000000 3500000")
        .unwrap();
    assert_eq!(line.duration_us, Some(2_500_000));
}

#[track_caller]
fn refused(format: &str, expected: &str) {
    let error = LogFormat::compile(format, &FieldNames::default()).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn a_format_that_cannot_be_read_is_refused_with_the_place() {
    refused("", "no `%` directive");
    refused("plain", "no `%` directive");
    refused("%h %{User-Agent", "ends inside");
    refused("%h %", "ends inside");
    refused("%h %y", "unknown directive \"%y\"");
    refused("%h%u", "between \"%h\" and \"%u\"");
    refused(&"%h ".repeat(300), "more than 256");
    refused(&"x".repeat(20_000), "longer than");
}

#[test]
fn a_line_of_another_format_or_without_end_is_refused() {
    let format = compile(nickname("combined").unwrap());
    assert_eq!(format.parse_line(b"hello"), Err(LineError::OtherFormat));
    assert_eq!(
        format.parse_line(&vec![b'a'; LINE_BYTES_MAX + 1]),
        Err(LineError::TooLong)
    );
}

fn error_lines(log: &[u8]) -> Vec<ErrorLine> {
    let lines = log
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines.map(|line| ErrorLine::parse(line, 0)).collect()
}

fn classes(log: &[u8]) -> Vec<CodeClass> {
    error_lines(log)
        .iter()
        .filter_map(|line| class(line.code.as_deref()?))
        .collect()
}

#[test]
fn each_mpm_tells_the_same_story_in_its_own_codes() {
    use CodeClass::*;
    let told = |log| -> Vec<_> {
        let of_interest = [
            Started,
            CleanStop,
            Restarting,
            WorkersExhausted,
            ChildCrashed,
            ConfigInvalid,
        ];
        classes(log)
            .into_iter()
            .filter(|class| of_interest.contains(class))
            .collect()
    };
    let story = [
        Started,
        ChildCrashed,
        WorkersExhausted,
        Restarting,
        Started,
        Restarting,
        Started,
        CleanStop,
        Started,
        Restarting,
        ConfigInvalid,
        Started,
        CleanStop,
    ];
    assert_eq!(told(include_bytes!("testdata/event_error.log")), story);
    assert_eq!(told(include_bytes!("testdata/worker_error.log")), story);
    assert_eq!(told(include_bytes!("testdata/prefork_error.log")), story);
}

#[test]
fn a_backend_error_is_taken_apart() {
    let lines = error_lines(include_bytes!("testdata/event_error.log"));
    let line = lines
        .iter()
        .find(|line| line.code.as_deref() == Some("AH00957"))
        .unwrap();
    assert_eq!(
        (line.module.as_str(), line.level.as_str()),
        ("proxy", "error")
    );
    assert_eq!(line.os_error, Some((111, "Connection refused".to_owned())));
    assert!(
        line.message
            .starts_with("http: attempt to connect to 127.0.0.1")
    );
    assert!(line.pid.is_some() && line.tid.is_some());
    let denied = lines
        .iter()
        .find(|line| line.code.as_deref() == Some("AH01630"))
        .unwrap();
    assert!(denied.client.as_deref().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(class("AH01630"), Some(CodeClass::ClientDenied));
}

#[test]
fn what_a_program_writes_to_standard_error_has_no_prefix() {
    let lines = error_lines(include_bytes!("testdata/event_error.log"));
    let line = lines
        .iter()
        .find(|line| line.message.contains("too many connections"))
        .unwrap();
    assert!(!line.has_prefix());
    assert_eq!((line.time, line.code.as_deref()), (None, None));
    let syntax = lines
        .iter()
        .find(|line| line.code.as_deref() == Some("AH00526"))
        .unwrap();
    assert!(!syntax.has_prefix() && syntax.message.starts_with("Syntax error on line"));
}

#[test]
fn a_port_that_is_taken_is_recognised_on_standard_error() {
    let lines = error_lines(include_bytes!("testdata/event_port_taken.txt"));
    assert_eq!(
        lines[0].os_error,
        Some((98, "Address already in use".to_owned()))
    );
    assert_eq!(lines[0].code.as_deref(), Some("AH00072"));
    assert_eq!(lines[2].code.as_deref(), Some("AH00015"));
}

#[track_caller]
fn check_time(line: &str, offset_seconds: i32, expected: &str) {
    let parsed = ErrorLine::parse(line.as_bytes(), offset_seconds);
    assert_eq!(parsed.time.unwrap().to_rfc3339(), expected);
    assert_eq!(
        (parsed.level.as_str(), parsed.message.as_str()),
        ("notice", "hello")
    );
}

#[test]
fn the_local_time_of_the_error_log_is_read_with_the_offset_given() {
    check_time(
        "[Sun Aug 18 03:12:07.123456 2024] [core:notice] hello\r\n",
        0,
        "2024-08-18T03:12:07.123Z",
    );
    check_time(
        "[Sun Aug 18 05:12:07.123456 2024] [core:notice] [pid 7] hello",
        7_200,
        "2024-08-18T03:12:07.123Z",
    );
    check_time(
        "[Sat Aug 17 22:12:07 2024] [notice] hello",
        -18_000,
        "2024-08-18T03:12:07.000Z",
    );
    check_time(
        "[2024-08-18 03:12:07.123456] [:notice] hello",
        0,
        "2024-08-18T03:12:07.123Z",
    );
    check_time(
        "[2024-08-18T05:12:07.123456+02:00] [-:notice] hello",
        0,
        "2024-08-18T03:12:07.123Z",
    );
}

#[test]
fn parts_of_a_message_that_look_like_parts_of_a_prefix_stay_in_the_message() {
    let line = ErrorLine::parse(
        b"[Sun Aug 18 03:12:07 2024] [php:error] [pid 1] [client ::1:5000] [mail] failed: a: b, referer: http://x/?q=[pid 5]",
        0,
    );
    assert_eq!(line.message, "[mail] failed: a: b");
    assert_eq!(line.referer.as_deref(), Some("http://x/?q=[pid 5]"));
    assert_eq!(
        (line.pid, line.client.as_deref()),
        (Some(1), Some("::1:5000"))
    );
}

#[test]
fn a_debug_line_loses_its_place_in_the_source() {
    let line = ErrorLine::parse(
        b"[Sun Aug 18 03:12:07 2024] [ssl:debug] [pid 1] ssl_engine_io.c(1147): [client 1.2.3.4:5] AH02001: Connection closed",
        0,
    );
    assert_eq!(
        (line.code.as_deref(), line.message.as_str()),
        (Some("AH02001"), "Connection closed")
    );
}

proptest! {
    #[test]
    fn no_line_makes_a_parser_panic(line in proptest::collection::vec(any::<u8>(), 0..600), offset in any::<i32>()) {
        let _ = ErrorLine::parse(&line, offset);
        for format in [DRILL, JSON, ODD, nickname("vhost_combined").unwrap()] {
            let _ = compile(format).parse_line(&line);
        }
    }

    #[test]
    fn no_damage_to_a_recorded_line_makes_a_parser_panic(at in 0_usize..3_000, byte in any::<u8>()) {
        let mut log = include_bytes!("testdata/event_access_json.log").to_vec();
        log[at] = byte;
        let format = compile(JSON);
        for line in log.split(|byte| *byte == b'\n') {
            let _ = format.parse_line(line);
        }
        let mut log = include_bytes!("testdata/event_error.log").to_vec();
        log[at] = byte;
        error_lines(&log);
    }

    #[test]
    fn no_format_makes_the_compiler_or_its_product_panic(format in "[%{}<>!0-9a-zA-Z\"\\\\ :^-]{0,60}", line in "[ -~]{0,80}") {
        if let Ok(format) = LogFormat::compile(&format, &FieldNames::default()) {
            let _ = format.parse_line(line.as_bytes());
        }
    }

    #[test]
    fn a_rendered_line_reads_back_as_the_fields_it_was_made_from(
        user in "[a-zA-Zé\"\\\\]([ a-zA-Zé\"\\\\]{0,8}[a-zA-Z])?",
        path in "/[a-zA-Z0-9/._~%é-]{0,20}",
        query in prop_oneof![Just(String::new()), "\\?[a-z=&\"]{1,9}"],
        agent in "[ -~é\t\n]{2,40}",
        tier in prop_oneof![Just("premium"), Just("free")],
        status in 100_u16..600,
        bytes in any::<u32>(),
        duration in any::<u32>(),
        begin_us in 0_i64..4_000_000_000_000_000,
    ) {
        let seconds = Timestamp::from_micros(begin_us - begin_us % 1_000_000);
        let civil = jiff::Timestamp::from_microsecond(seconds.as_micros()).unwrap();
        let stamp = civil.strftime("[%d/%b/%Y:%H:%M:%S +0000]");
        let (user_raw, agent_raw) = (escape(&user), escape(&agent));
        let request = escape(&format!("GET {path}{query} HTTP/1.1"));
        let line = format!(
            "10.0.0.1 - {user_raw} {stamp} \"{request}\" {status} {bytes} \"-\" \"{agent_raw}\" {duration} {tier} \"-\" {begin_us}",
        );
        let read = compile(DRILL).parse_line(line.as_bytes()).unwrap();
        prop_assert_eq!(read.user, Some(user));
        prop_assert_eq!(read.path, Some(path));
        prop_assert_eq!(read.query.unwrap_or_default(), query);
        prop_assert_eq!(read.user_agent, Some(agent));
        prop_assert_eq!(read.tier.as_deref(), Some(tier));
        prop_assert_eq!(read.status, Some(status));
        prop_assert_eq!(read.bytes, Some(u64::from(bytes)));
        prop_assert_eq!(read.duration_us, Some(u64::from(duration)));
        prop_assert_eq!(read.time, Some(Timestamp::from_micros(begin_us)));
    }
}
