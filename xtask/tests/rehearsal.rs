//! Breaks and repairs a real Apache in each way the drill knows, without Tocsin; it knows the drill by its command line.

use std::process::{Command, Stdio};

#[track_caller]
fn check(how: &str) {
    let done = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["drill", "--rehearse", "--break", how])
        .stdin(Stdio::null())
        .output()
        .expect("xtask runs");
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(
        done.status.success(),
        "{how}:\n{said}{}",
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(
        said.contains("has been stopped"),
        "{how} must tidy up:\n{said}"
    );
}

#[test]
fn a_killed_server_is_gone_and_comes_back() {
    check("kill");
}

#[test]
fn an_orphaned_server_goes_on_answering() {
    check("kill-parent");
}

#[test]
fn a_stopped_server_is_gone_and_comes_back() {
    check("stop");
}

#[test]
fn a_frozen_server_gives_no_answer_until_it_is_thawed() {
    check("hang");
}

#[test]
fn a_saturated_server_gives_no_answer_until_it_is_let_go() {
    check("saturate");
}

#[test]
fn a_failing_application_shows_through() {
    check("errors");
}

#[test]
fn a_spoilt_configuration_hurts_nobody_yet() {
    check("bad-config");
}

#[test]
fn a_restart_ends_in_a_running_server() {
    check("restart");
}

#[test]
fn a_reload_ends_in_a_running_server() {
    check("reload");
}

#[test]
fn a_supervised_server_comes_back_by_itself() {
    check("supervised-crash");
}
