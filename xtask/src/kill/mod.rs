//! The crash ring: the shipped binary is killed at random points while alerts pour in, and serves again; then nothing that it
//! accepted may be lost, and nothing said more often than promised.

mod book;
mod judge;
mod load;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use self::book::Book;
use self::judge::{Evidence, Kill, Verdict, judge, unpaged};
use self::load::Senders;
use crate::build::Profile;
use crate::clock;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::janitor::Janitor;
use crate::places;
use crate::processes::wait_until;
use crate::random::Random;
use crate::screen::{self, Step, step};
use crate::site::sink::Manner;
use crate::site::{self, Site, Size, call, each_page};

/// Kills on the data of one site; then it is judged, and the next one begins on fresh data.
const KILLS_PER_SITE: u64 = 100;
const SIZE: Size = Size {
    people: 10,
    // So many that storms, whose alerts have no page of their own, are few.
    services: 240,
    // No level is over before everything is: each incident has one message.
    level_minutes: 60,
};
/// Of a hundred kills, how many fall into the start.
const DURING_START: u64 = 20;
/// A start is hit within this time, in milliseconds.
const START_MS: u64 = 250;
/// Half of the other kills come this soon after the first answer, the rest within `LATE_MS`.
const SOON_MS: u64 = 60;
const LATE_MS: u64 = 900;
/// How slowly the provider of one path in three answers, so that kills find attempts under way.
const LATE_ANSWER: Duration = Duration::from_millis(80);
/// What `tocsin serve` prints once it answers.
const READY: &str = "Tocsin is ready at";
/// Until all that is owed has arrived.
const SETTLE_LIMIT: Duration = Duration::from_secs(60);

#[derive(Args, Clone)]
pub(crate) struct Options {
    /// How often it is killed
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) times: u64,
    /// The points in time and what is sent follow from it; the moment of each request does not
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// Kill this binary of Tocsin instead of building one
    #[arg(long, value_name = "FILE")]
    pub(crate) binary: Option<PathBuf>,
}

/// What came of a site, or of all of them.
#[derive(Default)]
struct Toll {
    verdict: Verdict,
    book: Book,
    kills: u64,
    in_start: u64,
    /// From each kill to the next answer.
    away: Vec<Duration>,
}

impl Toll {
    fn add(&mut self, other: Self) {
        self.verdict.add(other.verdict);
        self.book.add(other.book);
        self.kills += other.kills;
        self.in_start += other.in_start;
        self.away.extend(other.away);
    }
}

/// Kills as often as asked for, and says what came of it.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let binary = site::binary(options.binary.as_deref(), Profile::default())?;
    let mut janitor = Janitor::hire()?;
    let mut toll = Toll::default();
    let mut round = 0;
    while toll.kills < options.times {
        let kills = KILLS_PER_SITE.min(options.times - toll.kills);
        let seed = options.seed.wrapping_mul(1_000_003).wrapping_add(round);
        let name = format!("{} kills", toll.kills + kills);
        let found = step(
            &name,
            |step| on_one_site(&binary, kills, seed, step, &mut janitor),
            told,
        )?;
        let is_over = !found.verdict.violations.is_empty();
        toll.add(found);
        round += 1;
        if is_over {
            break;
        }
    }
    janitor.tidy_up();
    conclude(options, toll)
}

fn told(toll: &Toll) -> String {
    format!(
        "{} alerts accepted, {} pages, {} repeats, {} violations",
        toll.book.alerts.len(),
        toll.verdict.pages,
        toll.verdict.repeats,
        toll.verdict.violations.len()
    )
}

fn conclude(options: &Options, mut toll: Toll) -> Outcome<()> {
    let count = toll.verdict.violations.len();
    toll.away.sort_unstable();
    let (book, verdict) = (&toll.book, &toll.verdict);
    let median = toll.away.get(toll.away.len() / 2);
    let rows = [
        (
            "kills",
            format!("{}, {} of them during a start", toll.kills, toll.in_start),
        ),
        (
            "alerts accepted",
            format!(
                "{} in {} requests with acknowledgements and resolves",
                book.alerts.len(),
                book.accepted
            ),
        ),
        (
            "acknowledged, resolved",
            format!("{}, {}", book.acknowledgements, book.resolves),
        ),
        (
            "requests without an answer",
            format!("{}, sent again", book.unanswered),
        ),
        ("critical incidents", verdict.critical_incidents.to_string()),
        ("pages", verdict.pages.to_string()),
        (
            "messages repeated",
            format!("{}, each at most once a kill", verdict.repeats),
        ),
        (
            "answering again after a kill",
            format!(
                "median {}, longest {}",
                shown(median),
                shown(toll.away.last())
            ),
        ),
        ("violations", count.to_string()),
    ];
    screen::heading(format!("Seed {}:", options.seed));
    for (what, figure) in rows {
        screen::line(format!("  {what:<30} {figure}"));
    }
    for violation in &verdict.violations {
        screen::line(format!("  !!  {violation}"));
    }
    let kills = toll.kills;
    if count > 0 {
        screen::line(format!("kill: {kills} kills, {count} violations"));
        return Err(Failure::said());
    }
    screen::line(format!(
        "kill: {kills} kills, nothing accepted was lost, nothing said more often than promised"
    ));
    Ok(())
}

fn shown(time: Option<&Duration>) -> String {
    time.map_or_else(
        || "unknown".to_owned(),
        |time| format!("{} ms", time.as_millis()),
    )
}

fn on_one_site(
    binary: &Path,
    kills: u64,
    seed: u64,
    step: &Step,
    janitor: &mut Janitor,
) -> Outcome<Toll> {
    let dir = places::target().join("kill");
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let dir = dir
        .canonicalize()
        .because("finding its folder")?
        .join(format!("site-{}", std::process::id()));
    let mut site = Site::start(binary, &dir, SIZE, janitor)?;
    for person in (0..SIZE.people).step_by(3) {
        site.sink
            .behave(&format!("/{person}"), Manner::Late(LATE_ANSWER));
    }
    let done = under_load(&mut site, kills, seed, step, janitor);
    let _ = site.server.end();
    if done
        .as_ref()
        .is_ok_and(|toll| toll.verdict.violations.is_empty())
    {
        fs::remove_dir_all(&dir).because(format!("removing {}", dir.display()))?;
    } else {
        step.say(format!(
            "its data and its log are kept in {}",
            dir.display()
        ));
    }
    done
}

fn under_load(
    site: &mut Site,
    kills: u64,
    seed: u64,
    step: &Step,
    janitor: &mut Janitor,
) -> Outcome<Toll> {
    let senders = Senders::start(site, seed)?;
    let mut toll = Toll::default();
    // When this fails, the senders go on asking; they end with the chore.
    let deaths = kill_often(site, (kills, seed), step, janitor, &mut toll)?;
    let book = senders.stop()?;
    step.now("waiting until everything has arrived");
    wait_until(SETTLE_LIMIT, || {
        unpaged(&book, &site.sink.after(0)).is_empty()
    });
    // First, what has arrived: what arrives while the rest is read was not tried yet by what is read of it.
    let arrivals = site.sink.after(0);
    let incidents = all_incidents(site, &book)?;
    let firing = firing(site)?;
    let evidence = Evidence {
        book: &book,
        incidents: &incidents,
        firing: &firing,
        arrivals: &arrivals,
        kills: &deaths,
    };
    toll.verdict = judge(&evidence);
    toll.book = book;
    end_well(site, &firing, &mut toll.verdict, janitor)?;
    Ok(toll)
}

fn kill_often(
    site: &mut Site,
    (kills, seed): (u64, u64),
    step: &Step,
    janitor: &mut Janitor,
    toll: &mut Toll,
) -> Outcome<Vec<Kill>> {
    let mut random = Random::new(seed);
    let mut deaths = Vec::new();
    let mut died = None;
    let mut is_up = true;
    let mut ready = 0;
    while toll.kills < kills {
        step.now(format!("{} of {kills}", toll.kills));
        let in_start = !is_up && random.below(100) < DURING_START;
        let wait_ms = match (in_start, random.below(2)) {
            (true, _) => random.below(START_MS),
            (false, 0) => random.below(SOON_MS),
            (false, _) => random.below(LATE_MS),
        };
        if !in_start && !is_up {
            site.server.wait_until_alive()?;
            toll.away
                .extend(died.take().map(|at: Instant| at.elapsed()));
        }
        thread::sleep(Duration::from_millis(wait_ms));
        let begun = clock::now();
        died = Some(Instant::now());
        site.server.kill()?;
        deaths.push(Kill {
            begun,
            over: clock::now(),
        });
        toll.kills += 1;
        let before = std::mem::replace(&mut ready, starts(site));
        toll.in_start += u64::from(before == ready);
        site.server.begin_again(janitor)?;
        is_up = false;
    }
    site.server.wait_until_alive()?;
    toll.away.extend(died.map(|at| at.elapsed()));
    Ok(deaths)
}

/// How often it has said that it is ready.
fn starts(site: &Site) -> usize {
    site.server.serve.logged().matches(READY).count()
}

/// The incidents of all alerts that were accepted, each in full.
fn all_incidents(site: &Site, book: &Book) -> Outcome<BTreeMap<String, Value>> {
    let mut line = site.line()?;
    let ids: BTreeSet<&String> = book.alerts.iter().map(|alert| &alert.incident).collect();
    let mut known = BTreeMap::new();
    for id in ids {
        // One that is not there is a violation, and told as such.
        if let Ok(incident) = call(&mut line, "GET", &format!("/incidents/{id}"), &Value::Null) {
            known.insert(id.clone(), incident);
        }
    }
    Ok(known)
}

fn firing(site: &Site) -> Outcome<BTreeSet<String>> {
    let mut line = site.line()?;
    let mut keys = BTreeSet::new();
    each_page(&mut line, "/alerts?limit=100", |page| {
        let found = page.iter().filter_map(|alert| alert["dedup_key"].as_str());
        keys.extend(found.map(str::to_owned));
        true
    })?;
    Ok(keys)
}

/// It ends when asked to, its data opens again and holds the same, and it never said that something is wrong.
fn end_well(
    site: &mut Site,
    before: &BTreeSet<String>,
    verdict: &mut Verdict,
    janitor: &mut Janitor,
) -> Outcome<()> {
    let status = site.server.end()?;
    if !status.success() {
        verdict
            .violations
            .push(format!("asked to end, it ended with {status}"));
    }
    site.server.start_again(janitor)?;
    if firing(site)? != *before {
        let lost = "after an ordinary end and start other alerts fire than before";
        verdict.violations.push(lost.to_owned());
    }
    let log = site.server.serve.logged();
    let mut complaints = log
        .lines()
        .filter(|line| line.contains("ERROR") || line.contains("panicked"));
    if let Some(complaint) = complaints.next() {
        verdict
            .violations
            .push(format!("its log says: {complaint}"));
    }
    if verdict.pages == 0 {
        fail!("nobody was paged at all: nothing was tried");
    }
    Ok(())
}
