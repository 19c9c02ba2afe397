//! `tocsin check-rules`: tells what is wrong in rule files. It needs no server.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use super::load::{Given, load};

/// Checks files; the exit code says whether all of them can be used.
pub(crate) fn run(files: &[PathBuf], out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let loaded = load(&Given {
        files: files.to_vec(),
        interval_ms: super::INTERVAL_MS,
        external_url: String::new(),
    });
    for problem in &loaded.problems {
        writeln!(out, "{problem}")?;
    }
    if !loaded.problems.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    let rules: usize = loaded.groups.iter().map(|group| group.rules.len()).sum();
    let count = |number: usize, one: &str| match number {
        1 => format!("1 {one}"),
        more => format!("{more} {one}s"),
    };
    writeln!(
        out,
        "{} in {}, {}: all can be used.",
        count(rules, "rule"),
        count(loaded.groups.len(), "group"),
        count(loaded.files, "file")
    )?;
    Ok(ExitCode::SUCCESS)
}
