//! Everything that has to pass, step by step, those that mostly wait beside each other, with a plain summary; what a step checks
//! is its own affair.

mod job;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use crate::build::{self, Profile};
use crate::chores;
use crate::drill::{Break, CrashAt};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::licences;
use crate::packages::{self, APACHE, CHROMIUM, Needed};
use crate::places;
use crate::screen;
use crate::site;
use job::{Job, Try, crash, drill, job, log_of};

/// How many drills and their like run beside each other: they wait most of their time, and their limits are kept on two cores.
const AT_ONCE: usize = 2;
/// A job that has not ended by then hangs: it is ended, so that the rest is run.
const JOB_LIMIT: Duration = Duration::from_secs(600);

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
    /// PagerDuty's libraries, amtool, Prometheus and schemathesis driven against the binary
    Clients,
    /// The user interface in a real Chromium
    Browser,
    /// deny.toml: licences, refused crates, registries
    Licences,
}

enum Verdict {
    Passed,
    /// The first try failed, as this log tells: said, because what fails now and then is not well.
    PassedAgain(PathBuf),
    Failed(Failure),
}

struct Result {
    name: String,
    seconds: f64,
    verdict: Verdict,
}

/// How what belongs to a kind is run.
enum Plan {
    /// In its turn, with its output on the screen.
    InTurn(fn(&mut Vec<Result>)),
    /// Beside other jobs.
    Beside(Vec<Job>),
}

/// Runs the steps, says which passed, and fails when one failed.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let mut results = Vec::new();
    let mut jobs = Vec::new();
    for kind in Kind::value_variants() {
        if !options.only.is_empty() && !options.only.contains(kind) {
            continue;
        }
        match plan(*kind) {
            Plan::Beside(more) => jobs.extend(more),
            Plan::InTurn(work) => {
                side_by_side(&mem::take(&mut jobs), &mut results);
                work(&mut results);
            }
        }
    }
    side_by_side(&jobs, &mut results);
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

fn plan(kind: Kind) -> Plan {
    match kind {
        Kind::Tools => Plan::InTurn(|results| step(results, "tools", tools)),
        Kind::Format => Plan::InTurn(|results| {
            step(results, "format", || cargo(&["fmt", "--all", "--check"]));
        }),
        Kind::Web => Plan::InTurn(web),
        Kind::Lints => Plan::InTurn(|results| step(results, "lints", lints)),
        Kind::Build => Plan::InTurn(|results| {
            step(results, "build", || {
                build::everything(Profile::default()).map(|_| Verdict::Passed)
            });
        }),
        Kind::Tests => Plan::InTurn(|results| step(results, "tests", tests)),
        Kind::Drills => Plan::Beside(Break::value_variants().iter().map(drill).collect()),
        Kind::Crashes => Plan::Beside(CrashAt::value_variants().iter().map(crash).collect()),
        Kind::Kills => Plan::Beside(vec![job("kills", &["kill", "--times", "25"])]),
        Kind::Faults => Plan::Beside(vec![job("faults", &["faults", "--quick"])]),
        Kind::Clients => Plan::Beside(vec![job("clients", &["clients"])]),
        Kind::Browser => Plan::InTurn(|results| {
            step(results, "browser", browser);
            step(results, "browser live", browser_live);
            step(results, "browser on-call", browser_oncall);
        }),
        Kind::Licences => Plan::InTurn(|results| step(results, "licences", licences)),
    }
}

/// Runs the jobs beside each other, each a row of its own; then, with nothing beside it, once more what failed and may.
fn side_by_side(jobs: &[Job], results: &mut Vec<Result>) {
    if jobs.is_empty() {
        return;
    }
    let mut binary = None;
    step(results, "preparation", || {
        binary = Some(prepare(jobs)?);
        Ok(Verdict::Passed)
    });
    let Some(binary) = binary else {
        return;
    };
    let mut ended = chores::side_by_side(AT_ONCE, jobs, |job| attempt(job, Try::First, &binary));
    for (job, result) in jobs.iter().zip(&mut ended) {
        if job.again_alone && matches!(result.verdict, Verdict::Failed(_)) {
            screen::line(format!("\n{} is tried once more, alone", job.name));
            let second = attempt(job, Try::Again, &binary);
            result.seconds += second.seconds;
            result.verdict = match second.verdict {
                Verdict::Passed | Verdict::PassedAgain(_) => {
                    Verdict::PassedAgain(log_of(job, Try::First))
                }
                Verdict::Failed(failure) => Verdict::Failed(failure),
            };
        }
    }
    results.extend(ended);
}

/// Does once what the jobs would do each, in each other's way: installing Apache and building the binary, which is given back.
fn prepare(jobs: &[Job]) -> Outcome<PathBuf> {
    if jobs.iter().any(|job| job.words.contains(&"drill")) {
        provide(&APACHE)?;
        build::everything(Profile::default())
    } else {
        site::binary(None, Profile::default())
    }
}

/// Runs a job, and shows all that it said when it is over.
fn attempt(job: &Job, which: Try, binary: &Path) -> Result {
    screen::line(format!("begun: {}", job.name));
    let started = Instant::now();
    let log = log_of(job, which);
    let verdict = chore(job, which, binary, &log).unwrap_or_else(Verdict::Failed);
    let said = fs::read(&log).unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let failed = match &verdict {
        Verdict::Passed | Verdict::PassedAgain(_) => String::new(),
        Verdict::Failed(failure) => format!("\n\n{} failed: {failure}", job.name),
    };
    // Said at once, so that nothing of another job comes between.
    screen::line(format!("\n=== {}\n{}{failed}", job.name, said.trim_end()));
    Result {
        name: job.name.clone(),
        seconds: started.elapsed().as_secs_f64(),
        verdict,
    }
}

fn chore(job: &Job, which: Try, binary: &Path, log: &Path) -> Outcome<Verdict> {
    if let Some(dir) = log.parent() {
        fs::create_dir_all(dir).because(format!("making {}", dir.display()))?;
    }
    let words = job.words.iter().chain(which.words()).map(OsStr::new);
    let words: Vec<&OsStr> = words
        .chain([OsStr::new("--binary"), binary.as_os_str()])
        .collect();
    let done = chores::logged(&words, log, Some(JOB_LIMIT))?;
    if !done.success() {
        fail!("`cargo xtask {}` ended with {done}", job.words.join(" "));
    }
    Ok(Verdict::Passed)
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
    provide(&APACHE)?;
    provide(&CHROMIUM)?;
    Ok(Verdict::Passed)
}

fn provide(needed: &Needed) -> Outcome<PathBuf> {
    screen::step(
        &needed.name.to_lowercase(),
        |step| packages::provide(needed, step),
        |path| path.display().to_string(),
    )
}

fn lints() -> Outcome<Verdict> {
    cargo(&[
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ])
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
        .env("CHROMIUM", provide(&CHROMIUM)?);
    command.current_dir(places::root());
    finish(command, &format!("drill --person '{person}'"))
}

/// The screens of on-call on a Tocsin of their own, where more is changed than a drill allows: it counts what follows its break.
fn browser_oncall() -> Outcome<Verdict> {
    let binary = build::everything(Profile::default())?;
    let mut command = in_chromium("e2e:live-oncall")?;
    command.env("TOCSIN_BINARY", binary);
    finish(command, "npm --prefix web run e2e:live-oncall")
}

/// An npm script that drives Chromium, with the bundle it shows up to date.
fn in_chromium(script: &str) -> Outcome<Command> {
    let chromium = provide(&CHROMIUM)?;
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
            Verdict::PassedAgain(log) => {
                format!("FAILED at first, see {}; passed alone", log.display())
            }
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
    let passed = count(|verdict| matches!(verdict, Verdict::Passed));
    let again = count(|verdict| matches!(verdict, Verdict::PassedAgain(_)));
    let failed = count(|verdict| matches!(verdict, Verdict::Failed(_)));
    let again = match again {
        0 => String::new(),
        again => format!("{again} only at the second try, "),
    };
    screen::line(format!("{passed} passed, {again}{failed} failed"));
    if failed > 0 {
        Err(Failure::said())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CommandLine;
    use clap::Parser;
    use std::collections::BTreeSet;

    #[test]
    fn the_command_line_takes_what_each_job_is_told_and_no_two_tries_share_a_log() {
        let mut logs = BTreeSet::new();
        for kind in Kind::value_variants() {
            let Plan::Beside(jobs) = plan(*kind) else {
                continue;
            };
            for job in jobs {
                let tries: &[Try] = if job.again_alone {
                    &[Try::First, Try::Again]
                } else {
                    &[Try::First]
                };
                for which in tries {
                    let words = job.words.iter().chain(which.words()).copied();
                    let words = ["xtask"].into_iter().chain(words);
                    let words = words.chain(["--binary", "/target/debug/tocsin"]);
                    let read = CommandLine::try_parse_from(words);
                    assert!(read.is_ok(), "{}: {:?}", job.name, read.err());
                    assert!(logs.insert(log_of(&job, *which)), "{}", job.name);
                }
            }
        }
        let drills = 2 * Break::value_variants().len() + CrashAt::value_variants().len();
        assert_eq!(logs.len(), drills + ["kills", "faults", "clients"].len());
    }
}
