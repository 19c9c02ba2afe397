//! The drill: a real Apache is broken, and the whole chain from the break to the postmortem is watched and timed.

mod apache;
mod apache_conf;
mod api;
mod breaks;
mod chain;
mod documents;
mod impact;
mod inbox;
mod login_app;
mod person;
mod quiet;
mod record;
mod rehearsal;
mod smtp_sink;
mod stage;
mod tocsin;
mod traffic;
mod verdict;
mod webhook_sink;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use clap::Args;

use self::breaks::Expected;
pub(crate) use self::breaks::{Break, CrashAt};
use self::chain::Play;
use self::record::Record;
use self::stage::Stage;
use self::tocsin::{ONCALL, Tocsin};
use crate::build;
use crate::clock;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::places;
use crate::screen::{self, step};

#[derive(Args)]
pub(crate) struct Options {
    /// How webserver-01 is broken
    #[arg(long = "break", value_enum, default_value = "kill", value_name = "HOW")]
    pub(crate) how: Break,
    /// Wait for you to acknowledge in the browser
    #[arg(long)]
    manual: bool,
    /// Stop everything at the end instead of leaving it running until Ctrl-C
    #[arg(long)]
    exit: bool,
    /// Work in this directory and keep it
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// Write what was measured to this file instead of target/drill/HOW/drill.json
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Kill Tocsin itself at this moment and serve again: the chain must still hold, its limits do not count
    #[arg(long, value_enum, value_name = "WHEN")]
    crash_tocsin: Option<CrashAt>,
    /// Let this shell command acknowledge; it gets TOCSIN_URL, TOCSIN_LOGIN_URL, TOCSIN_TOKEN and TOCSIN_INCIDENT, may go
    /// on until the incident is resolved, and must succeed
    #[arg(long, value_name = "COMMAND", conflicts_with = "manual")]
    person: Option<String>,
    /// Seconds of traffic before the break
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    warm_up: u64,
    /// Use this binary instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    #[command(flatten)]
    profile: build::Profile,
    /// (internal) Keep the results beside those of a try before
    #[arg(long, hide = true)]
    again: bool,
    /// (internal) Break and repair webserver-01 without Tocsin
    #[arg(long, hide = true)]
    rehearse: bool,
}

impl Options {
    /// Where this drill's results are kept.
    fn results(&self) -> PathBuf {
        let crash = self
            .crash_tocsin
            .map(|when| format!("-crash-{}", when.word()));
        let again = if self.again { "-again" } else { "" };
        let crash = crash.unwrap_or_default();
        let name = format!("{}{crash}{again}", self.how.word());
        places::target().join("drill").join(name)
    }
}

/// Runs the drill that was asked for.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    if options.rehearse {
        return rehearsal::run(options);
    }
    screen::line(format!(
        "Tocsin drill: break webserver-01 ({}), page {ONCALL}, repair it, learn",
        options.how.word()
    ));
    screen::heading("Prepare");
    let binary = match &options.binary {
        Some(binary) => binary
            .canonicalize()
            .because(format!("finding {}", binary.display()))?,
        None => build::everything(options.profile)?,
    };
    let mut stage = Stage::set(options)?;
    let played = with_tocsin(options, &binary, &mut stage);
    stage.clear();
    played
}

fn with_tocsin(options: &Options, binary: &Path, stage: &mut Stage) -> Outcome<()> {
    let mut tocsin = step(
        "tocsin serve",
        |_| Tocsin::start(binary, stage, !options.exit),
        |tocsin| tocsin.url.clone(),
    )?;
    let played = play(options, stage, &mut tocsin);
    if let Err(failure) = played {
        let words = tocsin.last_words();
        let log = documents::keep_log(&tocsin, &options.results());
        tocsin.end();
        return Err(Failure::new(format!(
            "{failure}\n\nThe end of Tocsin's log ({log}):\n{words}"
        )));
    }
    if !options.exit {
        stay(options, &mut tocsin)?;
    }
    tocsin.end();
    Ok(())
}

fn play(options: &Options, stage: &mut Stage, tocsin: &mut Tocsin) -> Outcome<()> {
    step(
        "on call",
        |_| tocsin.put_someone_on_call(),
        |()| format!("{ONCALL}, by mail and by webhook, at once"),
    )?;
    step(
        "watching",
        |step| tocsin.wait_for_target(step),
        |()| "webserver-01 is healthy".to_owned(),
    )?;
    step(
        "ordinary traffic",
        |_| warm_up(options, stage, tocsin),
        Clone::clone,
    )?;
    let blind = options.crash_tocsin == Some(CrashAt::Blind);
    if blind {
        tocsin.crash()?;
    }
    let broken = stage.fixture.break_it(options.how);
    let broken = broken.because("breaking webserver-01")?;
    if blind {
        tocsin.serve_again(stage)?;
    }
    let mut record = Record::begin(options.how.word(), broken.at, &broken.what);
    let mut play = Play {
        options,
        stage,
        tocsin,
        person: None,
    };
    let played = match options.how.expected() {
        Expected::Page { limit_s } => play.page(&mut record, limit_s),
        Expected::Warning { limit_s } => play.warning(&mut record, limit_s),
        Expected::Quiet => play.quiet(&mut record),
    };
    let played = played.and_then(|()| record.close());
    let file = options
        .json
        .clone()
        .unwrap_or_else(|| options.results().join("drill.json"));
    let text = format!("{:#}\n", record.json(played.as_ref().err()));
    documents::keep(&file, text)?;
    played
}

/// Lets traffic flow, from which Tocsin learns what is usual; nothing may fail meanwhile.
fn warm_up(options: &Options, stage: &Stage, tocsin: &Tocsin) -> Outcome<String> {
    thread::sleep(Duration::from_secs(options.warm_up));
    let truth = stage.traffic.truth(0, clock::now());
    if truth.failed > 0 {
        fail!(
            "{} of {} logins failed before anything was broken",
            truth.failed,
            truth.attempts
        );
    }
    let incidents = tocsin.api.list("/incidents?status=all")?;
    if let Some(incident) = incidents.first() {
        fail!(
            "there is an incident before anything was broken: {}",
            incident["title"]
        );
    }
    Ok(format!("{} logins, all answered", truth.attempts))
}

/// Leaves everything running until Ctrl-C, which the janitor answers.
fn stay(options: &Options, tocsin: &mut Tocsin) -> Outcome<()> {
    screen::heading(format!("Tocsin goes on running at {}", tocsin.url));
    if !options.manual && options.person.is_none() {
        screen::line(format!("  log in once with  {}", tocsin.login_url));
    }
    screen::line("  Ctrl-C stops it, webserver-01 and the traffic.");
    while tocsin.is_alive() {
        thread::sleep(Duration::from_secs(1));
    }
    fail!(
        "Tocsin ended by itself; the end of its log:\n{}",
        tocsin.last_words()
    );
}
