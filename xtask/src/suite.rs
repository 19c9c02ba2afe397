//! Everything that has to pass, one step after the other, with a plain summary; what a step checks is its own affair.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Instant;

use clap::{Args, ValueEnum};

use crate::build;
use crate::drill::{Break, CrashAt};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::licences;
use crate::packages::{self, CHROMIUM};
use crate::places;
use crate::screen::{self, Step};

#[derive(Args)]
pub(crate) struct Options {
    /// Only this step (may be given more than once); the steps before it are taken for granted
    #[arg(long, value_enum, value_name = "STEP")]
    only: Vec<Kind>,
}

/// A part of the suite, in the order they run: what is quick to fail comes first, what needs it all comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// Apache, Chromium and fonts from the distribution
    Tools,
    /// cargo fmt --check
    Format,
    /// The browser side: dependencies, checks, unit tests, bundle
    Web,
    /// clippy over the whole workspace, warnings are errors
    Lints,
    /// The binary
    Build,
    /// Unit and integration tests of the whole workspace
    Tests,
    /// The drill in each of its ways, on a real Apache
    Drills,
    /// The drill with Tocsin itself killed at each stage
    Crashes,
    /// The binary killed at random points while alerts pour in
    Kills,
    /// Full disk, failing fsync, lying providers and other faults around the binary, those that take seconds
    Faults,
    /// The user interface in a real Chromium
    Browser,
    /// deny.toml: licences, refused crates, registries
    Licences,
}

enum Verdict {
    Passed,
    /// The first try failed: said, because what fails now and then is not well.
    PassedAgain,
    Failed(Failure),
}

struct Result {
    name: String,
    seconds: f64,
    verdict: Verdict,
}

/// Runs the steps, says which passed, and fails when one failed.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let mut results = Vec::new();
    for kind in Kind::value_variants() {
        if options.only.is_empty() || options.only.contains(kind) {
            run_kind(*kind, &mut results);
        }
    }
    summarise(&results)
}

/// Takes screenshots of the user interface into `target/shots`.
pub(crate) fn shots() -> Outcome<()> {
    let shots = places::target().join("shots");
    let mut command = in_chromium("shots")?;
    command.env("SHOTS", &shots);
    finish(command, "npm --prefix web run shots")?;
    screen::line(format!("The screenshots are in {}.", shots.display()));
    Ok(())
}

fn run_kind(kind: Kind, results: &mut Vec<Result>) {
    match kind {
        Kind::Tools => step(results, "tools", tools),
        Kind::Format => step(results, "format", || cargo(&["fmt", "--all", "--check"])),
        Kind::Web => web(results),
        Kind::Lints => {
            let arguments = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ];
            step(results, "lints", || cargo(&arguments));
        }
        Kind::Build => step(results, "build", || {
            build::everything(build::Profile::default()).map(|_| Verdict::Passed)
        }),
        Kind::Tests => step(results, "tests", tests),
        Kind::Drills => {
            for how in Break::value_variants() {
                step(results, &format!("drill {}", how.word()), || {
                    twice(|| drill(*how, None))
                });
            }
        }
        Kind::Crashes => {
            for when in CrashAt::value_variants() {
                step(results, &format!("crash {}", when.word()), || {
                    drill(Break::Kill, Some(*when))
                });
            }
        }
        Kind::Kills => step(results, "kills", || chore(&["kill", "--times", "25"])),
        Kind::Faults => step(results, "faults", || chore(&["faults", "--quick"])),
        Kind::Browser => {
            step(results, "browser", browser);
            step(results, "browser live", browser_live);
        }
        Kind::Licences => step(results, "licences", licences),
    }
}

fn step(results: &mut Vec<Result>, name: &str, work: impl FnOnce() -> Outcome<Verdict>) {
    screen::heading(format!("=== {name}"));
    let started = Instant::now();
    let verdict = work().unwrap_or_else(Verdict::Failed);
    if let Verdict::Failed(failure) = &verdict {
        screen::line(format!("\n{name} failed: {failure}"));
    }
    results.push(Result {
        name: name.to_owned(),
        seconds: started.elapsed().as_secs_f64(),
        verdict,
    });
}

fn tools() -> Outcome<Verdict> {
    for needed in [&packages::APACHE, &CHROMIUM] {
        let name = needed.name.to_lowercase();
        screen::step(
            &name,
            |step| packages::provide(needed, step),
            |path| path.display().to_string(),
        )?;
    }
    Ok(Verdict::Passed)
}

/// The browser side's own checks, each a step; without its dependencies the rest cannot run.
fn web(results: &mut Vec<Result>) {
    let web = places::root().join("web");
    step(results, "web install", || {
        screen::step(
            "npm ci",
            |step| build::npm_ci(&web, step),
            |what| (*what).to_owned(),
        )?;
        Ok(Verdict::Passed)
    });
    for (name, script) in [("web check", "check"), ("web tests", "test")] {
        step(results, name, || build::npm(&["run", script]).map(passed));
    }
    step(results, "web bundle", || {
        let bundled = screen::step("bundle", build::web, |what| (*what).to_owned());
        bundled.map(|_| Verdict::Passed)
    });
}

/// Unit and integration tests: by nextest where it is installed, else by cargo itself.
fn tests() -> Outcome<Verdict> {
    if places::program(&["cargo-nextest"]).is_some()
        || cargo_home("cargo-nextest").is_some_and(|path| path.is_file())
    {
        return cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
    }
    screen::line(
        "cargo-nextest is not installed: cargo test runs the same tests, without its time limits.",
    );
    cargo(&[
        "test",
        "--workspace",
        "--no-fail-fast",
        "--bins",
        "--lib",
        "--tests",
    ])
}

/// Tries once more when the first try fails: its limits are tenths of seconds, and a machine that tests is not always idle.
fn twice(work: impl Fn() -> Outcome<Verdict>) -> Outcome<Verdict> {
    let Err(failure) = work() else {
        return Ok(Verdict::Passed);
    };
    screen::line(format!("\n{failure}; it is tried once more"));
    work().map(|_| Verdict::PassedAgain)
}

fn drill(how: Break, crash: Option<CrashAt>) -> Outcome<Verdict> {
    let mut arguments = vec!["drill", "--exit", "--break", how.word()];
    if let Some(when) = crash {
        arguments.extend(["--warm-up", "5", "--crash-tocsin", when.word()]);
    }
    chore(&arguments)
}

/// Another chore, as a person would run it.
fn chore(words: &[&str]) -> Outcome<Verdict> {
    let run = ["run", "--quiet", "-p", "xtask", "--"];
    cargo(&[&run, words].concat())
}

/// The screens on a stand-in for the server, each in every state.
fn browser() -> Outcome<Verdict> {
    finish(in_chromium("e2e")?, "npm --prefix web run e2e")
}

/// The screens on Tocsin itself: the engineer on call of a drill acknowledges in Chromium.
fn browser_live() -> Outcome<Verdict> {
    let person = "npm --prefix web run e2e:live";
    let drill = ["run", "--quiet", "-p", "xtask", "--", "drill", "--exit"];
    let mut command = places::cargo();
    command
        .args(drill)
        .args(["--person", person])
        .env("CHROMIUM", chromium()?);
    command.current_dir(places::root());
    finish(command, &format!("drill --person '{person}'"))
}

fn chromium() -> Outcome<PathBuf> {
    let provide = |step: &Step| packages::provide(&CHROMIUM, step);
    screen::step("chromium", provide, |path| path.display().to_string())
}

/// An npm script that drives Chromium, with the bundle it shows up to date.
fn in_chromium(script: &str) -> Outcome<Command> {
    let chromium = chromium()?;
    screen::step("browser side", build::web, |what| (*what).to_owned())?;
    let mut command = npm_run(script);
    command.env("CHROMIUM", chromium);
    Ok(command)
}

/// What may come in from outside, by our own reading of deny.toml, and by cargo-deny's as well where that is installed.
fn licences() -> Outcome<Verdict> {
    licences::check()?;
    let installed = places::program(&["cargo-deny"])
        .or_else(|| cargo_home("cargo-deny").filter(|path| path.is_file()));
    if installed.is_none() {
        return Ok(Verdict::Passed);
    }
    // The advisory database is not reachable everywhere; it is asked for by hand, before a release.
    cargo(&[
        "deny",
        "--workspace",
        "check",
        "licenses",
        "bans",
        "sources",
    ])
}

fn passed((): ()) -> Verdict {
    Verdict::Passed
}

fn cargo_home(program: &str) -> Option<PathBuf> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    home.map(|home| home.join("bin").join(program))
}

fn cargo(arguments: &[&str]) -> Outcome<Verdict> {
    let mut command = places::cargo();
    command.args(arguments).current_dir(places::root());
    finish(command, &format!("cargo {}", arguments.join(" ")))
}

fn npm_run(script: &str) -> Command {
    let mut command = Command::new(places::program(&["npm"]).unwrap_or_else(|| "npm".into()));
    command
        .arg("--prefix")
        .arg(places::root().join("web"))
        .args(["run", script])
        .current_dir(places::root());
    command
}

/// Runs a command with its output on the screen.
fn finish(mut command: Command, name: &str) -> Outcome<Verdict> {
    let _ = io::stdout().flush();
    let done = command
        .stdin(Stdio::null())
        .status()
        .because(format!("running {name}"))?;
    if !done.success() {
        fail!("`{name}` ended with {done}");
    }
    Ok(Verdict::Passed)
}

/// The table and the last line.
fn summarise(results: &[Result]) -> Outcome<()> {
    screen::heading("=== summary");
    for result in results {
        let verdict = match &result.verdict {
            Verdict::Passed => "passed".to_owned(),
            Verdict::PassedAgain => "passed at the second try".to_owned(),
            Verdict::Failed(_) => "FAILED".to_owned(),
        };
        screen::line(format!(
            "  {:<24}{:>8.1} s   {verdict}",
            result.name, result.seconds
        ));
    }
    let count = |wanted: fn(&Verdict) -> bool| {
        results
            .iter()
            .filter(|result| wanted(&result.verdict))
            .count()
    };
    let passed = count(|verdict| matches!(verdict, Verdict::Passed | Verdict::PassedAgain));
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    screen::line(format!("{passed} passed, {failed} failed"));
    if failed > 0 {
        Err(Failure::said())
    } else {
        Ok(())
    }
}
