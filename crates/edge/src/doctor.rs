//! Whether a page would reach somebody now, and what to do where it would not. It changes nothing.

mod buttons;
mod disk;
mod exporters;
mod late;
mod mail;
mod reach;
mod vigil;
mod watcher;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::{ChannelKind, SetUp};
use tocsin_domain::state::State;
use tocsin_domain::target::TargetIdentity;
use tocsin_domain::time::Timestamp;
use tocsin_engine::AskError;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::app::App;
use crate::delivery::tally::Last;
use crate::http::status_page::{Trouble, troubles};
use crate::ports::Watching;
use crate::ports::rules::RuleGroup;
use disk::disk;
use exporters::exporters;
pub(crate) use mail::{MailProbe, MailState, forget_mail_state, mail_state};
use reach::{on_call, reach};

/// A look at everything is good for this long to those who ask without credentials.
const LOOK_GOOD_MS: u64 = 1_000;
/// The engine goes round many times a second; one that takes this long pages nobody.
const ENGINE_WAIT: Duration = Duration::from_secs(5);
/// A clock before this is wrong: this binary did not exist.
const CLOCK_EARLIEST: Timestamp = Timestamp::from_millis(1_735_689_600_000);

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    /// Good.
    Ok,
    /// Pages go out, but something should be done.
    Warn,
    /// A page may not arrive, or nobody would hear that this machine is gone.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Check {
    /// Its name (`mail server`).
    pub name: String,
    /// How it went.
    pub state: CheckState,
    /// What was found.
    pub detail: String,
    /// What to do.
    pub fix: Option<String>,
    /// Exactly what to paste, where `fix` says to paste something.
    pub snippet: Option<String>,
}

/// What a look at everything gave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Diagnosis {
    /// Whether a page would reach somebody now.
    pub able_to_page: bool,
    /// Everything that was looked at.
    pub checks: Vec<Check>,
}

impl Diagnosis {
    fn of(checks: Vec<Check>) -> Self {
        let able_to_page = checks.iter().all(|check| check.state != CheckState::Fail);
        Self {
            able_to_page,
            checks,
        }
    }
}

impl Check {
    fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            state: CheckState::Ok,
            detail: detail.into(),
            fix: None,
            snippet: None,
        }
    }

    fn warn(name: &str, detail: impl Into<String>, fix: &str) -> Self {
        Self {
            state: CheckState::Warn,
            fix: Some(fix.to_owned()),
            ..Self::ok(name, detail)
        }
    }

    fn fail(name: &str, detail: impl Into<String>, fix: &str) -> Self {
        Self {
            state: CheckState::Fail,
            fix: Some(fix.to_owned()),
            ..Self::ok(name, detail)
        }
    }
}

/// The last look at everything, for those who ask often and without credentials.
#[derive(Default)]
pub(crate) struct LastLook(Mutex<Option<(Timestamp, Diagnosis)>>);

/// Looks at whatever may keep a page from everybody, unless somebody did a moment ago. Who hears late is not among that, and is found
/// in schedules of many days.
pub(crate) async fn diagnose_sometimes(app: &App) -> Diagnosis {
    let mut last = app.inner().last_look.0.lock().await;
    let now = app.now();
    if let Some((at, diagnosis)) = last.as_ref()
        && is_good(*at, now, LOOK_GOOD_MS)
    {
        return diagnosis.clone();
    }
    let diagnosis = Diagnosis::of(look(app, &set_up(app).await).await);
    *last = Some((now, diagnosis.clone()));
    diagnosis
}

/// Whether what was found then is still good; a clock that went back makes it old.
fn is_good(at: Timestamp, now: Timestamp, good_ms: u64) -> bool {
    at <= now && now.ms_since(at) < good_ms
}

/// Looks at everything.
pub(crate) async fn diagnose(app: &App) -> Diagnosis {
    let set_up = set_up(app).await;
    let mut checks = look(app, &set_up).await;
    checks.extend(late::check(app, &set_up).await);
    let mut diagnosis = Diagnosis::of(checks);
    // A page arrives whoever watches: this says nothing of whether one would.
    diagnosis.checks.extend(watcher::check(app).await);
    diagnosis
}

/// What is set up. What needs a setting that cannot be read cannot be used either; the check of the journal says why.
async fn set_up(app: &App) -> SetUp {
    let set_up = app.what_is_set_up().await;
    let by_themselves = [ChannelKind::Webhook, ChannelKind::Ntfy];
    set_up.unwrap_or_else(|_| by_themselves.into_iter().collect())
}

/// How everything is now.
async fn look(app: &App, set_up: &SetUp) -> Vec<Check> {
    let mails = mail::mail_states(app).await;
    let now = app.now();
    let mut checks = vec![
        engine(knock(app).await),
        journal(app),
        store(app),
        disk(&app.settings.data_dir),
        clock(now),
    ];
    let mut works = set_up.clone();
    // One that answers carries the mail of those that do not.
    if mails.iter().all(|(_, mail)| *mail != MailState::Reachable) {
        works.channels.remove(&ChannelKind::Email);
    }
    let (people, reach) = app.read(|state| {
        (
            on_call(state, set_up, now),
            reach(state, set_up, &works, now),
        )
    });
    checks.extend(people);
    checks.extend(mail::checks(&mails, reach.mail_wanted));
    checks.extend(last_attempts(app));
    checks.extend(covered_accounts(app));
    checks.extend(buttons::checks(app));
    checks.extend(vigil::checks(&app.vigil.seen()));
    checks.push(reach.check);
    let watching = app.watch.watching();
    checks.extend(watch(&watching));
    checks.extend(rules(app).await);
    checks.extend(exporters(app).await);
    checks.extend(app.read(|state| targets(state, &watching)));
    checks.extend(status_pages(app, now).await);
    checks
}

/// How the engine took a round trip.
enum Round {
    Made,
    Refused(AskError),
    Late,
}

async fn knock(app: &App) -> Round {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let answer = move || {
        // Whoever asked may have given up.
        let _ = sender.send(());
    };
    match app.engine.knock(answer) {
        Err(refusal) => Round::Refused(refusal),
        Ok(()) => match tokio::time::timeout(ENGINE_WAIT, receiver).await {
            Ok(Ok(())) => Round::Made,
            Ok(Err(_)) => Round::Refused(AskError::Stopped),
            Err(_) => Round::Late,
        },
    }
}

fn engine(round: Round) -> Check {
    let fix = "look at its log and at the disk, then restart Tocsin; what was acknowledged is kept";
    match round {
        Round::Made => Check::ok("engine", "it answers"),
        Round::Refused(AskError::Busy) => {
            Check::fail("engine", "more waits for it than it takes", fix)
        }
        Round::Refused(
            AskError::Stopped | AskError::Refused(_) | AskError::NotDurable(_) | AskError::Fault,
        ) => Check::fail("engine", "it has stopped: nobody is paged", fix),
        Round::Late => {
            let detail = format!("no answer within {} s", ENGINE_WAIT.as_secs());
            Check::fail("engine", detail, fix)
        }
    }
}

fn journal(app: &App) -> Check {
    match app.health.journal().trouble {
        None => Check::ok("journal", "the last commit is on disk"),
        Some(why) => Check::fail(
            "journal",
            why,
            "free some space, or look at the disk; nothing is accepted until then",
        ),
    }
}

fn store(app: &App) -> Check {
    let refused = app.telemetry.refusals();
    match app.telemetry.trouble() {
        None if refused.is_some() => Check::warn(
            "store",
            refused.unwrap_or_default(),
            "have that source send fewer series: drop labels with many values before they are sent",
        ),
        None => Check::ok("store", "samples and logs are being written"),
        Some(why) => Check::fail(
            "store",
            why,
            "free some space, or look at the disk; what was not written is not watched",
        ),
    }
}

fn clock(now: Timestamp) -> Check {
    if now < CLOCK_EARLIEST {
        Check::fail(
            "clock",
            format!("it says {now}"),
            "set the clock; schedules and TLS need it",
        )
    } else {
        Check::ok("clock", format!("it says {now}"))
    }
}

fn last_attempts(app: &App) -> Vec<Check> {
    let last = ChannelKind::ALL
        .into_iter()
        .filter_map(|channel| Some((channel, app.tally.last(channel)?)));
    last.map(|(channel, last)| {
        let name = format!("last {}", channel.word());
        match last.outcome {
            Outcome::Accepted => Check::ok(&name, format!("accepted at {}", last.at)),
            Outcome::Failed | Outcome::Refused | Outcome::TimedOut | Outcome::Unanswered => {
                Check::warn(
                    &name,
                    format!("not accepted at {}: {}", last.at, last.detail),
                    "see the provider's words, then send a test page",
                )
            }
        }
    })
    .collect()
}

/// Accounts that do not take what is sent by them while another account of their channel does: nobody would notice.
fn covered_accounts(app: &App) -> Vec<Check> {
    let is_taken = |channel| {
        let last = app.tally.last(channel);
        last.is_some_and(|last| last.outcome == Outcome::Accepted)
    };
    let tried = app.tally.by_account().into_iter();
    let failing =
        tried.filter(|(channel, _, last)| last.outcome != Outcome::Accepted && is_taken(*channel));
    let check = |(channel, host, last): (ChannelKind, String, Last)| {
        Check::warn(
            &format!("last {} by {host}", channel.word()),
            format!("not accepted at {}: {}", last.at, last.detail),
            "see the provider's words; meanwhile another account takes over",
        )
    };
    failing.map(check).collect()
}

/// Whether anything is watched at all, and what cannot be seen of it.
fn watch(watching: &Watching) -> Vec<Check> {
    let name = "watch";
    match watching {
        Watching::NotYet => Vec::new(),
        // Somebody chose that, and nothing is to be done about it. By its name the browser tells why nothing is found.
        Watching::Off => vec![Check::ok(
            "watch off",
            "this machine is not watched, switched off by enabled = false under [watch] in tocsin.toml: only what others send is paged for",
        )],
        Watching::NotRunning(why) => vec![Check::fail(
            name,
            format!("the agent is not running, so nothing is watched: {why}"),
            "look at the log of `tocsin serve`; it is tried again by itself",
        )],
        Watching::Running(hindrances) if hindrances.is_empty() => {
            vec![Check::ok(name, "the agent runs and sees all there is")]
        }
        Watching::Running(hindrances) => hindrances
            .iter()
            .map(|one| Check::warn(name, format!("{}: {}", one.about, one.what), &one.fix))
            .collect(),
    }
}

/// Whether the rule files are used as they stand, and whether each rule can be evaluated.
async fn rules(app: &App) -> Vec<Check> {
    let rules = std::sync::Arc::clone(&app.rules);
    let looked = tokio::task::spawn_blocking(move || (rules.trouble(), rules.groups()));
    match looked.await {
        Ok((trouble, groups)) => rule_checks(trouble, &groups),
        Err(_) => vec![Check::fail(
            "rules",
            "they cannot be looked at",
            "look at the log of `tocsin serve`, then restart Tocsin",
        )],
    }
}

fn rule_checks(trouble: Option<String>, groups: &[RuleGroup]) -> Vec<Check> {
    let name = "rules";
    let mut checks = Vec::new();
    if let Some(why) = trouble {
        let fix = "mend the file, try it with `tocsin check-rules FILE` (`tocsin check-config FILE` where it is a prometheus.yml), then send SIGHUP to `tocsin serve`";
        checks.push(Check::warn(name, why, fix));
    }
    let all = groups.iter().flat_map(|group| &group.rules);
    let (mut count, mut failing) = (0_usize, Vec::new());
    for rule in all {
        count += 1;
        failing.extend(
            rule.last_error
                .as_ref()
                .map(|why| format!("{}: {why}", rule.name)),
        );
    }
    if let Some(first) = failing.first() {
        let detail = format!(
            "{} of {count} could not be evaluated, such as {first}",
            failing.len()
        );
        checks.push(Check::warn(
            name,
            detail,
            "mend their expressions in the rule files",
        ));
    } else if count > 0 && checks.is_empty() {
        checks.push(Check::ok(
            name,
            format!("{count} of rule files are evaluated"),
        ));
    }
    checks
}

/// Whether there is anything to watch, where it is to be watched.
fn targets(state: &State, watching: &Watching) -> Vec<Check> {
    if *watching == Watching::Off {
        return Vec::new();
    }
    let muted = state
        .targets
        .values()
        .filter(|target| target.muted_until.is_some())
        .count();
    let mut checks = Vec::new();
    if state.targets.is_empty() && state.installation.is_some() {
        let fix = "start Apache on this machine, and Tocsin finds it by itself; where none is to be watched, set enabled = false under [watch] in tocsin.toml and restart";
        checks.push(Check::warn(
            "targets",
            "no web server has been found yet",
            fix,
        ));
    } else if !state.targets.is_empty() {
        checks.push(Check::ok(
            "targets",
            format!("{} watched, {muted} were muted", state.targets.len()),
        ));
    }
    checks
}

fn unread_page(identity: &TargetIdentity, trouble: &Trouble) -> Check {
    let detail = format!("{}: {}", identity.name, trouble.reason);
    let paste = trouble.paste(&identity.config_path);
    let how = paste
        .as_ref()
        .map_or("look at what answers there", |paste| paste.how.as_str());
    Check {
        snippet: paste.as_ref().map(|paste| paste.snippet.clone()),
        ..Check::warn("status page", detail, how)
    }
}

async fn status_pages(app: &App, now: Timestamp) -> Vec<Check> {
    let known: BTreeMap<_, _> = app.read(|state| {
        state
            .targets
            .values()
            .map(|target| (target.id, target.identity.clone()))
            .collect()
    });
    let read = app.blocking(move |parts| {
        let troubles = troubles(parts, known.keys().copied(), now)?;
        let unread = troubles
            .iter()
            .filter_map(|(target, trouble)| Some((known.get(target)?, trouble)));
        Ok(unread
            .map(|(identity, trouble)| unread_page(identity, trouble))
            .collect())
    });
    match read.await {
        Ok(checks) => checks,
        Err(problem) => vec![Check::warn(
            "status page",
            problem.detail(),
            "look at the store",
        )],
    }
}
