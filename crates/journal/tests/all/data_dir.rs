//! Who may use a data directory.

use std::os::unix::fs::PermissionsExt;

use tocsin_journal::{DataDir, DataDirError};

use crate::given::{directory, locked};

#[test]
fn a_new_directory_is_for_its_owner_alone_and_says_which_format_it_has() {
    let parent = directory();
    let path = parent.path().join("deep/data");
    let lock = locked(&path);
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let format = std::fs::read_to_string(lock.directory().join("format.json")).unwrap();
    assert_eq!(
        format,
        concat!(
            "{\"format\":1,\"written_by\":\"",
            env!("CARGO_PKG_VERSION"),
            "\"}\n"
        )
    );
}

#[test]
fn a_second_server_is_refused_and_told_who_holds_the_directory() {
    let path = directory();
    let first = locked(path.path());
    let refusal = DataDir::lock(path.path()).unwrap_err();
    assert!(matches!(refusal, DataDirError::InUse { .. }));
    let text = refusal.to_string();
    assert!(
        text.contains(&format!("process {}", std::process::id())),
        "{text}"
    );
    drop(first);
    locked(path.path());
}

/// Locks a directory whose `format.json` is `given`, and compares the refusal with `expected` (none: accepted).
fn check_format(given: &str, expected: Option<&str>) {
    let path = directory();
    std::fs::write(path.path().join("format.json"), given).unwrap();
    let said = DataDir::lock(path.path())
        .err()
        .map(|error| error.to_string());
    match (&said, expected) {
        (None, None) => {}
        (Some(text), Some(part)) => assert!(text.contains(part), "{text}"),
        (None, Some(_)) | (Some(_), None) => panic!("{given}: {said:?}"),
    }
    if expected.is_some() {
        let kept = std::fs::read_to_string(path.path().join("format.json")).unwrap();
        assert_eq!(kept, given, "a refused directory is left as it was");
    }
}

#[test]
fn an_older_binary_refuses_a_newer_directory() {
    check_format(
        r#"{"format":2,"written_by":"9.4.0"}"#,
        Some("start Tocsin 9.4.0 or newer"),
    );
    check_format(r#"{"format":1,"written_by":"0.0.9"}"#, None);
    check_format("hello", Some("is not a file that Tocsin wrote"));
    check_format("", Some("is not a file that Tocsin wrote"));
}
