//! Runs Prometheus' own `.test` files over the evaluator, where they are at hand; a few cases of our own run always.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "this test reads files, prints its count and fails where it cannot; the crate it tests does none of it"
)]

mod memory;
mod run;
mod script;

use std::path::{Path, PathBuf};

use run::{Outcome, run_script};

/// Cases of Prometheus' files that pass. The number may be raised, never lowered.
const PASSING_MIN: usize = 709;

/// Cases that are known to differ, and why.
const KNOWN_DIFFERENT: &[(&str, &str)] = &[];

const OWN_CASES: &str = include_str!("own.txt");

#[test]
fn our_own_cases_pass() {
    let failed: Vec<String> = run_script("own", OWN_CASES)
        .into_iter()
        .filter_map(|(case, outcome)| match outcome {
            Outcome::Passed => None,
            Outcome::Skipped(why) | Outcome::Failed(why) => Some(format!("{case}: {why}")),
        })
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn cases_of_prometheus_pass() {
    let Some(folder) = folder_of_tests() else {
        println!("Prometheus' test files are not here (shared/promqltest): only our own cases ran");
        return;
    };
    let (mut passed, mut skipped, mut failed, mut known) = (0, Vec::new(), Vec::new(), 0);
    for file in test_files(&folder) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&file).unwrap();
        let before = (passed, skipped.len());
        for (case, outcome) in run_script(&name, &text) {
            match outcome {
                Outcome::Passed => passed += 1,
                Outcome::Skipped(why) => skipped.push(format!("{case}: {why}")),
                Outcome::Failed(_) if KNOWN_DIFFERENT.iter().any(|(at, _)| *at == case) => {
                    known += 1;
                }
                Outcome::Failed(why) => failed.push(format!("{case}: {why}")),
            }
        }
        println!(
            "{name}: {} passed, {} skipped",
            passed - before.0,
            skipped.len() - before.1
        );
    }
    skipped.iter().for_each(|case| println!("skipped {case}"));
    failed.iter().for_each(|case| println!("failed {case}"));
    println!(
        "{passed} cases passed, {} were skipped, {} failed, {known} of {} known to differ",
        skipped.len(),
        failed.len(),
        KNOWN_DIFFERENT.len(),
    );
    assert!(failed.is_empty(), "{} cases failed", failed.len());
    assert!(
        passed >= PASSING_MIN,
        "{passed} cases passed, {PASSING_MIN} did before"
    );
}

/// The folder `shared/promqltest` beside the repository, or beside one of the folders above it.
fn folder_of_tests() -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|above| above.join("shared/promqltest"))
        .find(|folder| folder.is_dir())
}

fn test_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "test"))
        .collect();
    files.sort();
    files
}
