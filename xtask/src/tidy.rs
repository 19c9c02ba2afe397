//! Rules about the source tree itself: sizes, first lines, dependency arrows, licences. It reads files and changes none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::{Because, Failure, Outcome};
use crate::places;
use crate::screen;

/// No file is longer than this, in lines, unless it is in `RATCHET`.
const LINES_MAX: usize = 500;

/// Files that are longer, and the length they may not exceed. Entries shrink and go; none is added without a reason.
const RATCHET: [(&str, usize); 0] = [];

/// What is read, by the ending of its name.
const SOURCES: [&str; 6] = ["rs", "ts", "svelte", "css", "mjs", "js"];

/// Directories that hold no source of ours.
const SKIPPED: [&str; 5] = ["target", "node_modules", "dist", ".git", ".svelte-kit"];

/// Each crate and the crates of ours it may depend on; the same arrows stand in ARCHITECTURE.md.
const ARROWS: [(&str, &[&str]); 12] = [
    ("tocsin-domain", &[]),
    ("tocsin-promql", &["tocsin-domain"]),
    ("tocsin-wire", &["tocsin-domain"]),
    ("tocsin-report", &["tocsin-domain"]),
    ("tocsin-journal", &["tocsin-domain"]),
    ("tocsin-telemetry", &["tocsin-domain", "tocsin-promql"]),
    ("tocsin-engine", &["tocsin-domain", "tocsin-promql"]),
    ("tocsin-agent", &["tocsin-domain", "tocsin-wire"]),
    (
        "tocsin-edge",
        &[
            "tocsin-domain",
            "tocsin-engine",
            "tocsin-promql",
            "tocsin-report",
            "tocsin-wire",
        ],
    ),
    (
        "tocsin",
        &[
            "tocsin-agent",
            "tocsin-domain",
            "tocsin-edge",
            "tocsin-engine",
            "tocsin-journal",
            "tocsin-promql",
            "tocsin-report",
            "tocsin-telemetry",
            "tocsin-wire",
        ],
    ),
    (
        "tocsin-sim",
        &["tocsin-domain", "tocsin-engine", "tocsin-promql"],
    ),
    ("xtask", &[]),
];

/// Crates that only some of ours may name: the database, the runtime and the sockets.
const RESERVED: [(&str, &[&str]); 12] = [
    ("diesel", &["tocsin-journal"]),
    ("diesel_migrations", &["tocsin-journal"]),
    ("libsqlite3-sys", &["tocsin-journal"]),
    ("tokio", &SHELLS),
    ("tokio-stream", &SHELLS),
    ("axum", &["tocsin-edge", "tocsin"]),
    ("axum-server", &["tocsin-edge", "tocsin"]),
    ("tower-http", &["tocsin-edge", "tocsin"]),
    ("reqwest", &SHELLS),
    ("lettre", &["tocsin-edge"]),
    ("rustls", &SHELLS),
    ("clap", &["tocsin", "xtask"]),
];
const SHELLS: [&str; 3] = ["tocsin-edge", "tocsin-agent", "tocsin"];

/// Crates that compute and nothing else, and what such a crate must not name besides what is reserved.
const PURE: [&str; 4] = [
    "tocsin-domain",
    "tocsin-promql",
    "tocsin-wire",
    "tocsin-report",
];
const IMPURE: [&str; 6] = [
    "getrandom",
    "rustix",
    "inotify",
    "netlink-sys",
    "tracing",
    "tempfile",
];

/// Checks everything and says what is wrong.
pub(crate) fn run() -> Outcome<()> {
    let faults = faults(&places::root())?;
    if faults.is_empty() {
        screen::line("The tree is tidy.");
        return Ok(());
    }
    Err(Failure::new(format!(
        "the tree is not tidy:\n  {}",
        faults.join("\n  ")
    )))
}

/// Every rule that is broken under `root`, in words.
fn faults(root: &Path) -> Outcome<Vec<String>> {
    let mut files = Vec::new();
    for part in ["crates", "xtask", "web"] {
        collect(&root.join(part), &mut files)?;
    }
    files.sort();
    let mut faults = Vec::new();
    for file in &files {
        let name = file
            .strip_prefix(root)
            .unwrap_or(file)
            .display()
            .to_string();
        let text = fs::read_to_string(file).because(format!("reading {name}"))?;
        if name.ends_with("Cargo.toml") {
            faults.extend(manifest_faults(&name, &text)?);
        } else {
            faults.extend(source_faults(&name, &text));
        }
    }
    faults.extend(stale_ratchet(root));
    Ok(faults)
}

fn collect(dir: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    for entry in fs::read_dir(dir).because(format!("reading {}", dir.display()))? {
        let path = entry.because(format!("reading {}", dir.display()))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !SKIPPED.contains(&name.as_str()) {
                collect(&path, files)?;
            }
        } else if name == "Cargo.toml"
            || SOURCES
                .iter()
                .any(|ending| name.ends_with(&format!(".{ending}")))
        {
            files.push(path);
        }
    }
    Ok(())
}

fn source_faults(name: &str, text: &str) -> Vec<String> {
    if is_generated(name, text) {
        return Vec::new();
    }
    let mut faults = Vec::new();
    if name.ends_with(".rs") && !text.starts_with("//!") {
        faults.push(format!(
            "{name} does not open with a `//!` sentence: what it is, what it must not know"
        ));
    }
    let lines = text.lines().count();
    let limit = RATCHET
        .iter()
        .find(|(file, _)| *file == name)
        .map_or(LINES_MAX, |(_, limit)| *limit);
    if lines > limit {
        faults.push(format!(
            "{name} has {lines} lines, {limit} are allowed: split it where its duties part"
        ));
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(mark) = unfinished(line) {
            faults.push(format!(
                "{name}:{} says {mark}: do it, or file an issue",
                number + 1
            ));
        }
    }
    faults
}

/// The browser's API client is written by a program, and says so in its first lines.
fn is_generated(name: &str, text: &str) -> bool {
    name.starts_with("web/")
        && text
            .lines()
            .take(5)
            .any(|line| line.contains("auto-generated"))
}

/// A mark of unfinished work that stands as a word of its own.
fn unfinished(line: &str) -> Option<&str> {
    // Written apart, so that this file does not find itself.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME")];
    line.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
        .find(|word| marks.contains(word))
}

/// Entries of the ratchet that are no longer needed.
fn stale_ratchet(root: &Path) -> Vec<String> {
    let lines =
        |file: &str| fs::read_to_string(root.join(file)).map_or(0, |text| text.lines().count());
    RATCHET
        .iter()
        .filter(|(file, _)| lines(file) <= LINES_MAX)
        .map(|(file, _)| {
            format!("{file} is short enough now: take it off the ratchet in xtask/src/tidy.rs")
        })
        .collect()
}

fn manifest_faults(name: &str, text: &str) -> Outcome<Vec<String>> {
    let manifest: toml::Table = text.parse().because(format!("reading {name}"))?;
    let package = manifest
        .get("package")
        .and_then(toml::Value::as_table)
        .cloned()
        .unwrap_or_default();
    let crate_name = package
        .get("name")
        .and_then(toml::Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let mut faults = Vec::new();
    let is_licensed = package
        .get("license")
        .is_some_and(|licence| inherits(licence) || licence.as_str() == Some("MIT"));
    if !is_licensed {
        faults.push(format!(
            "{name} states no licence: `license.workspace = true`"
        ));
    }
    if !manifest.get("lints").is_some_and(inherits) {
        faults.push(format!(
            "{name} does not take the workspace's lints: `[lints] workspace = true`"
        ));
    }
    faults.extend(arrow_faults(name, &crate_name, &dependencies(&manifest)));
    Ok(faults)
}

fn inherits(value: &toml::Value) -> bool {
    value.get("workspace").and_then(toml::Value::as_bool) == Some(true)
}

/// What the crate itself is built from; its tests may use more.
fn dependencies(manifest: &toml::Table) -> BTreeSet<String> {
    let names = |table: &toml::Table| -> Vec<String> {
        ["dependencies", "build-dependencies"]
            .iter()
            .filter_map(|section| table.get(*section)?.as_table())
            .flat_map(|section| section.keys().cloned())
            .collect()
    };
    let targets = manifest
        .get("target")
        .and_then(toml::Value::as_table)
        .cloned()
        .unwrap_or_default();
    let by_target = targets
        .values()
        .filter_map(toml::Value::as_table)
        .flat_map(names);
    names(manifest).into_iter().chain(by_target).collect()
}

fn arrow_faults(name: &str, crate_name: &str, dependencies: &BTreeSet<String>) -> Vec<String> {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let Some(allowed) = arrows.get(crate_name) else {
        return vec![format!(
            "{name}: `{crate_name}` has no arrows yet: state in xtask/src/tidy.rs what it may depend on"
        )];
    };
    let mut faults = Vec::new();
    for dependency in dependencies {
        let dependency = dependency.as_str();
        if arrows.contains_key(dependency) && !allowed.contains(&dependency) {
            faults.push(format!(
                "{name}: `{crate_name}` must not depend on `{dependency}`"
            ));
        }
        let reserved = RESERVED
            .iter()
            .find(|(reserved, _)| *reserved == dependency);
        if let Some((_, owners)) = reserved.filter(|(_, owners)| !owners.contains(&crate_name)) {
            faults.push(format!(
                "{name}: only {} may name `{dependency}`",
                owners.join(", ")
            ));
        }
        if PURE.contains(&crate_name) && IMPURE.contains(&dependency) {
            faults.push(format!(
                "{name}: `{crate_name}` is pure and must not name `{dependency}`"
            ));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let faults = faults(&places::root()).unwrap();
        assert!(faults.is_empty(), "\n{}", faults.join("\n"));
    }

    #[track_caller]
    fn check_manifest(text: &str, expected: &[&str]) {
        let whole = format!("{text}\n[lints]\nworkspace = true\n");
        let faults = manifest_faults("Cargo.toml", &whole).unwrap();
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, part) in faults.iter().zip(expected) {
            assert!(fault.contains(part), "{fault} should speak of {part}");
        }
    }

    #[test]
    fn a_pure_crate_may_not_name_the_runtime_the_database_or_the_shell() {
        let package = "[package]\nname = \"tocsin-domain\"\nlicense.workspace = true\n";
        check_manifest(&format!("{package}[dependencies]\nserde = \"1\""), &[]);
        check_manifest(
            &format!("{package}[dependencies]\ntokio = \"1\""),
            &["tokio"],
        );
        check_manifest(
            &format!("{package}[dependencies]\ngetrandom = \"1\""),
            &["pure"],
        );
        check_manifest(
            &format!("{package}[dependencies]\ndiesel = \"2\"\ntocsin-engine.workspace = true"),
            &["diesel", "tocsin-engine"],
        );
        check_manifest(
            &format!("{package}[target.'cfg(unix)'.dependencies]\ntokio = \"1\""),
            &["tokio"],
        );
        check_manifest(
            &format!("{package}[dev-dependencies]\ntocsin-engine.workspace = true"),
            &[],
        );
    }

    #[test]
    fn a_crate_without_licence_or_arrows_is_a_fault() {
        check_manifest("[package]\nname = \"tocsin-domain\"\n", &["licence"]);
        check_manifest(
            "[package]\nname = \"newcomer\"\nlicense = \"MIT\"\n",
            &["no arrows"],
        );
    }

    #[track_caller]
    fn check_source(name: &str, text: &str, expected: &[&str]) {
        let faults = source_faults(name, text);
        assert_eq!(faults.len(), expected.len(), "{faults:?}");
        for (fault, part) in faults.iter().zip(expected) {
            assert!(fault.contains(part), "{fault} should speak of {part}");
        }
    }

    #[test]
    fn a_file_opens_with_a_sentence_and_ends_before_line_501() {
        check_source("a.rs", "//! What it is.\n", &[]);
        check_source("a.rs", "fn main() {}\n", &["`//!`"]);
        check_source("a.ts", &"x\n".repeat(500), &[]);
        check_source("a.ts", &"x\n".repeat(501), &["501 lines"]);
        check_source(
            "web/src/schema.d.ts",
            &format!("/** auto-generated */\n{}", "x\n".repeat(900)),
            &[],
        );
    }

    #[test]
    fn unfinished_work_is_found_as_a_word_of_its_own() {
        check_source("a.ts", concat!("// FIX", "ME later\n"), &["a.ts:1"]);
        check_source("a.ts", concat!("const MASTODON = 'TO", "DOS'\n"), &[]);
    }
}
