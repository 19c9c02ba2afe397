//! Files written, planned and applied.

use tocsin_wire::code::{File, read, write};

use super::fake::Reply;
use super::run_with;

const PLAN: &str = r#"{"fingerprint":"abc","changes":[{"change":"added","kind":"users","name":"bob@example.org","fields":[]},
    {"change":"changed","kind":"schedules","name":"First","fields":[
        {"path":"layers[0].every","before":"1","after":"2"},{"path":"layers[0].until","before":null,"after":"\"2026\""}]}],
    "kept":[{"kind":"teams","name":"Web\u001b[2J"}],
    "on_call":[{"schedule":"First","text":"First: from Mon 23 Nov 09:00 to Tue 24 Nov 09:00 (UTC) Bob instead of Ada"}],
    "on_call_left_out":0,"paged":["policy Web, level 1: Bob instead of Ada"],"paged_left_out":2,"findings":["Bob has no verified contact method"]}"#;

#[test]
fn an_export_goes_into_a_folder_and_only_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let good = r##"{"fingerprint":"abc","files":[{"name":"users.toml","text":"# é\n"}]}"##;
    let (ran, _) = run_with(vec![Reply::new(200, good)], &["export", path]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    let written = std::fs::read_to_string(folder.path().join("users.toml")).unwrap();
    assert_eq!(written, "# é\n");
    for name in ["../users.toml", "/etc/x.toml", ".x.toml", "x.sh", ""] {
        let hostile = format!(r#"{{"fingerprint":"abc","files":[{{"name":"{name}","text":""}}]}}"#);
        let (ran, _) = run_with(vec![Reply::new(200, &hostile)], &["export", path]);
        assert_eq!(ran.code, 1, "{name}");
    }
    let (ran, _) = run_with(vec![Reply::new(200, good)], &["export"]);
    assert_eq!(ran.data, "# é\n");
}

/// What was printed, as one file.
fn printed(text: &str) -> Vec<File> {
    vec![File {
        name: "all.toml".to_owned(),
        text: text.to_owned(),
    }]
}

#[test]
fn what_is_printed_loses_no_letter_that_cannot_be_seen() {
    let services = "[[services]]\nname = \"Web\\u200B\\uFEFF\\u2028\\u200E\\U000E0041 x\"\n";
    let (wanted, _) = read(&printed(services)).unwrap();
    let files = write(&wanted);
    let files: Vec<serde_json::Value> = files
        .iter()
        .map(|file| serde_json::json!({"name": file.name, "text": file.text}))
        .collect();
    let reply = serde_json::json!({"fingerprint": "abc", "files": files}).to_string();
    let (ran, _) = run_with(vec![Reply::new(200, &reply)], &["export", "-"]);
    let (again, _) = read(&printed(&ran.data)).unwrap();
    assert_eq!(again, wanted);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alertmanager.yml");
    let config =
        "route: { receiver: \"web\u{200b}x\" }\nreceivers: [ { name: \"web\u{200b}x\" } ]\n";
    std::fs::write(&file, config).unwrap();
    let line = ["import", "alertmanager", file.to_str().unwrap()];
    let (ran, _) = run_with(Vec::new(), &line);
    let (made, _) = read(&printed(&ran.data)).unwrap();
    assert_eq!(made.services[0].name, "web\u{200b}x");
}

#[test]
fn an_export_of_more_than_is_applied_at_once_says_so() {
    let check = |teams: usize, told: bool| {
        let teams = (0..teams).map(|index| format!("[[teams]]\nname = \"{index}\"\n"));
        let text = teams.collect::<String>();
        let file = serde_json::json!({"name": "teams.toml", "text": text});
        let reply = serde_json::json!({"fingerprint": "abc", "files": [file]}).to_string();
        let (ran, _) = run_with(vec![Reply::new(200, &reply)], &["export"]);
        assert_eq!(
            (ran.code, ran.data),
            (0, text),
            "it is written all the same"
        );
        let notes = ran.notes;
        assert_eq!(notes.contains("at most 5000 things"), told, "{notes}");
    };
    check(5_000, false);
    check(5_001, true);
}

#[test]
fn a_plan_is_told_in_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("b.toml"), "# b").unwrap();
    std::fs::write(folder.path().join("a.toml"), "# a").unwrap();
    for left_alone in ["notes.txt", "._a.toml", ".b.toml"] {
        std::fs::write(folder.path().join(left_alone), "no").unwrap();
    }
    // So Emacs locks a file: what the link names is not there.
    std::os::unix::fs::symlink("ann@host.1", folder.path().join(".#a.toml")).unwrap();
    let path = folder.path().to_str().unwrap();
    let (ran, requests) = run_with(vec![Reply::new(200, PLAN)], &["plan", path]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert_eq!(
        ran.data,
        "What would change:\n  + users bob@example.org\n  ~ schedules First\n      layers[0].every: 1 -> 2\n      \
         layers[0].until: not set -> \"2026\"\n\nNot in the files, and left as it is:\n    teams Web[2J\n\n\
         On call in the next 14 days:\n    First: from Mon 23 Nov 09:00 to Tue 24 Nov 09:00 (UTC) Bob instead of Ada\n\n\
         Paged by policies and services:\n    policy Web, level 1: Bob instead of Ada\n    and 2 more\n\n\
         Will be wrong then:\n    Bob has no verified contact method\n\n\
         To make exactly this true: tocsin apply PATH --plan abc\n"
    );
    assert!(requests[0].starts_with("POST /api/tocsin/v1/code/plan "));
    let sent = r##"{"files":[{"name":"a.toml","text":"# a"},{"name":"b.toml","text":"# b"}]}"##;
    assert!(requests[0].ends_with(sent), "{}", requests[0]);
}

#[test]
fn a_list_by_itself_is_told_without_the_name_of_a_field() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.toml");
    std::fs::write(&file, "# a").unwrap();
    let plan = r#"{"fingerprint":"abc","changes":[{"change":"added","kind":"alert_rules","name":"",
        "fields":[{"path":"","before":null,"after":"[1]"}]}],"kept":[],"on_call":[],"paged":[],"findings":[]}"#;
    let line = ["plan", file.to_str().unwrap()];
    let (ran, _) = run_with(vec![Reply::new(200, plan)], &line);
    let told = "  + alert_rules\n      not set -> [1]\n";
    assert!(ran.data.contains(told), "{}", ran.data);
}

#[test]
fn a_plan_that_changes_whom_a_policy_pages_does_not_say_that_the_same_people_are_on_call() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.toml");
    std::fs::write(&file, "# a").unwrap();
    let plan = r#"{"fingerprint":"abc","changes":[{"change":"changed","kind":"escalation_policies","name":"Web","fields":[]}],
        "kept":[],"on_call":[],"paged":["policy Web, level 1: Bob instead of Ada"],"findings":[]}"#;
    let line = ["plan", file.to_str().unwrap()];
    let (ran, _) = run_with(vec![Reply::new(200, plan)], &line);
    assert!(!ran.data.contains("The same people"), "{}", ran.data);
    assert!(ran.data.contains("Bob instead of Ada"), "{}", ran.data);
}

#[test]
fn what_is_applied_is_what_was_planned_and_secrets_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.toml");
    std::fs::write(&file, "# a").unwrap();
    let path = file.to_str().unwrap();
    let made = PLAN.trim_end_matches('}').to_owned()
        + r#","made":[{"kind":"integration","name":"Web / Nagios","routing_key":"R0"}]}"#;
    let replies = vec![Reply::new(200, PLAN), Reply::new(200, &made)];
    let (ran, requests) = run_with(replies, &["apply", path]);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    assert!(ran.data.starts_with("What has changed:\n"), "{}", ran.data);
    assert!(
        ran.data.contains("  integration Web / Nagios: R0\n"),
        "{}",
        ran.data
    );
    assert!(
        requests[1].contains(r#""fingerprint":"abc""#),
        "{}",
        requests[1]
    );
    let (_, requests) = run_with(
        vec![Reply::new(200, &made)],
        &["apply", path, "--plan", "old"],
    );
    assert!(
        requests[0].contains(r#""fingerprint":"old""#),
        "{}",
        requests[0]
    );
}

#[test]
fn files_that_are_not_there_or_no_text_are_told_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (ran, requests) = run_with(Vec::new(), &["plan", path]);
    assert_eq!((ran.code, requests.len()), (2, 0));
    let file = folder.path().join("x.toml");
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    let (ran, _) = run_with(Vec::new(), &["plan", file.to_str().unwrap()]);
    assert!(ran.notes.contains("not text"), "{}", ran.notes);
    std::fs::write(&file, " ".repeat(900_001)).unwrap();
    let (ran, _) = run_with(Vec::new(), &["plan", path]);
    assert!(ran.notes.contains("900000 bytes"), "{}", ran.notes);
}

#[test]
fn a_configuration_of_alertmanager_is_written_without_asking_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alertmanager.yml");
    let config = "route:\n  receiver: web\n  repeat_interval: 4h\nreceivers:\n- name: web\n  email_configs:\n  - to: ann@example.org\n";
    std::fs::write(&file, config).unwrap();
    let made = folder.path().join("made");
    let line = [
        "import",
        "alertmanager",
        file.to_str().unwrap(),
        made.to_str().unwrap(),
    ];
    let (ran, requests) = run_with(Vec::new(), &line);
    assert_eq!((ran.code, requests.len()), (0, 0), "{}", ran.notes);
    assert!(ran.notes.contains("repeat_interval"), "{}", ran.notes);
    let users = std::fs::read_to_string(made.join("users.toml")).unwrap();
    assert!(users.contains("email = \"ann@example.org\""), "{users}");
    assert!(
        !made.join("heartbeats.toml").exists(),
        "nothing is said of them"
    );
    std::fs::write(&file, "route: [").unwrap();
    let (ran, _) = run_with(Vec::new(), &line);
    assert_eq!(ran.code, 1);
    assert!(
        ran.notes.contains("alertmanager.yml: line "),
        "{}",
        ran.notes
    );
}

#[test]
fn an_import_does_not_write_over_files_that_say_something_else_unless_it_is_forced() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alertmanager.yml");
    let config = "route:\n  receiver: web\nreceivers:\n- name: web\n  email_configs:\n  - to: ann@example.org\n";
    std::fs::write(&file, config).unwrap();
    let oncall = folder.path().join("oncall");
    std::fs::create_dir(&oncall).unwrap();
    let (users, monitors) = (oncall.join("users.toml"), oncall.join("monitors.toml"));
    std::fs::write(&users, "# ours\n").unwrap();
    std::fs::write(&monitors, "# ours too\n").unwrap();
    let line = [
        "import",
        "alertmanager",
        file.to_str().unwrap(),
        oncall.to_str().unwrap(),
    ];
    let (ran, _) = run_with(Vec::new(), &line);
    assert_eq!(ran.code, 1, "{}", ran.data);
    assert!(ran.notes.contains("users.toml"), "{}", ran.notes);
    assert!(ran.notes.contains("--force"), "{}", ran.notes);
    assert_eq!(std::fs::read_to_string(&users).unwrap(), "# ours\n");
    assert!(!oncall.join("services.toml").exists(), "all or nothing");
    let forced = [&line[..], &["--force"]].concat();
    let (ran, _) = run_with(Vec::new(), &forced);
    assert_eq!(ran.code, 0, "{}", ran.notes);
    let written = std::fs::read_to_string(&users).unwrap();
    assert!(written.contains("ann@example.org"), "{written}");
    assert_eq!(std::fs::read_to_string(&monitors).unwrap(), "# ours too\n");
    let (ran, _) = run_with(Vec::new(), &line);
    assert_eq!(ran.code, 0, "the same may be written again: {}", ran.notes);
}
