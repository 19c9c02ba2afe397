//! Killing the process that writes, at any moment: what it was told is kept is kept.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::given::{Seeded, directory, everything, input, opened};

/// Set for the process that is killed: the data directory it writes to.
const VICTIM: &str = "TOCSIN_JOURNAL_TEST_VICTIM";
const ROUNDS: u64 = 20;

/// What the event at a position says, so that a torn or swapped one is noticed.
fn text_of(position: u64) -> String {
    let length = usize::try_from(position * 37 % 3_000).unwrap();
    format!("{position} {}", "x".repeat(length))
}

/// Runs as a test of its own that does nothing, unless it was started as the victim.
#[test]
fn victim_that_commits_until_it_is_killed() {
    let Some(path) = std::env::var_os(VICTIM) else {
        return;
    };
    let (_lock, mut journal) = opened(Path::new(&path));
    let mut position = journal.last_position().unwrap();
    let mut stdout = std::io::stdout();
    let mut random = Seeded(position + 1);
    loop {
        let count = 1 + random.next() % 4;
        let events: Vec<_> = (position + 1..=position + count)
            .map(|position| input(position, &text_of(position)))
            .collect();
        position += count;
        journal
            .append(&events, &[("evaluated_to", &position.to_string())])
            .unwrap();
        writeln!(stdout, "kept {position}").unwrap();
        stdout.flush().unwrap();
    }
}

/// Starts the victim, kills it after `lines` acknowledgements and returns the last position it had been told is kept.
fn kill_after(path: &Path, lines: u64) -> u64 {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::victim_that_commits_until_it_is_killed",
            "--nocapture",
        ])
        .env(VICTIM, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(victim.stdout.take().unwrap());
    let mut last = 0;
    let mut seen = 0;
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        // The test runner may write its own words before ours on a line.
        if let Some((_, position)) = line.trim_end_matches('\n').rsplit_once("kept ") {
            let whole = line.ends_with('\n');
            if let (true, Ok(position)) = (whole, position.parse()) {
                last = position;
                seen += 1;
            }
        }
        if seen == lines {
            victim.kill().unwrap();
            seen += 1;
        }
        line.clear();
    }
    victim.wait().unwrap();
    assert!(
        seen > lines,
        "the victim ended by itself after {seen} commits"
    );
    last
}

#[test]
fn every_acknowledged_event_survives_a_kill_at_any_moment() {
    let path = directory();
    let mut random = Seeded(0x5eed);
    let mut kept_before = 0;
    for round in 0..ROUNDS {
        let acknowledged = kill_after(path.path(), 1 + random.next() % 60);
        let (_lock, mut journal) = opened(path.path());
        let kept = journal.last_position().unwrap();
        assert!(acknowledged > kept_before, "round {round}");
        assert!(
            kept >= acknowledged,
            "round {round}: {kept} kept, {acknowledged} acknowledged"
        );
        assert_eq!(
            journal.reader().meta("evaluated_to").unwrap(),
            Some(kept.to_string()),
            "round {round}: events and the position beside them are one commit"
        );
        kept_before = kept;
    }
    let (_lock, journal) = opened(path.path());
    for (index, event) in everything(&journal).iter().enumerate() {
        let position = index as u64 + 1;
        assert_eq!(event, &input(position, &text_of(position)));
    }
}
