//! The simulator as a program: two processes that are given the same say that the same happened.

use std::process::Command;

/// A process that runs a few short worlds from a seed on.
fn process(seed: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tocsin-sim"));
    command.args(["--days", "3", "--world-days", "1", "--seed", seed]);
    command
}

#[test]
fn two_processes_print_the_same_hash_for_the_same_seed_and_another_one_for_another() {
    let printed = |seed| {
        let done = process(seed).output().unwrap();
        let text = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{text}");
        text
    };
    let hash = |printed: &str| {
        let line = printed
            .lines()
            .find(|line| line.starts_with("campaign hash "));
        line.unwrap().to_owned()
    };
    let first = printed("40");
    let told = hash(&first);
    assert!(told.contains("of seeds 40..=42, by tocsin-sim "), "{told}");
    assert_eq!(told, hash(&printed("40")));
    let number = |line: &str| line.split(' ').nth(2).unwrap().to_owned();
    assert_eq!(number(&told).len(), 16, "{told}");
    assert_ne!(number(&told), number(&hash(&printed("41"))));
    let last = first.lines().last().unwrap();
    assert!(last.ends_with(", 0 differences at replay"), "{last}");
}
