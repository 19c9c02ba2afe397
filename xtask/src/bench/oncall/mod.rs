//! The bench of on-call: how fast alerts are accepted durably, what many of them cost, and how soon people are paged, calm and
//! in a storm. Every figure is measured from outside, over the native API and at the receiver of the pages; what a rival does too is
//! measured of it in the same run, so that the speed of the machine drops out.

mod alertmanager;
mod due;
mod flood;
mod pages;
mod storm;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};
use serde_json::json;

use self::alertmanager::Alertmanager;
use self::flood::{Flood, Goal};
use super::{Peers, judge, usage};
use crate::build::Profile;
use crate::clock;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::janitor::Janitor;
use crate::places;
use crate::screen::{self, step};
use crate::site::{self, Site, Size, call, each_page};

const SEVERITIES: &[&str] = &["info", "warning", "error"];

#[derive(Args)]
pub(crate) struct Options {
    /// Measure this binary of Tocsin instead of building a release
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Measure only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<Part>,
    /// A tenth of the sizes, to see that all works; its figures are not those the limits are meant for
    #[arg(long)]
    quick: bool,
    /// Whether Debian's Alertmanager is measured too
    #[arg(long, value_enum, default_value = "yes", value_name = "YES|NO")]
    peers: Peers,
    /// Minutes after the storm until everybody's messages are counted: by 4 all is told that was put off for three minutes, by 17 the
    /// digests of what wakes nobody too
    #[arg(long, value_name = "MINUTES", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=20))]
    storm_wait: u64,
}

/// A part of the bench, on a server of its own.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// One alert a request
    One,
    /// Alerts in lists, and what they cost
    Lists,
    /// Pages while nothing else goes on
    Calm,
    /// Escalations that are due at once
    Escalations,
    /// A storm with one critical alert in it
    Storm,
}

/// One row of the table.
struct Row {
    what: String,
    figure: String,
    /// That of Alertmanager, where it does the same.
    rival: Option<String>,
    must: &'static str,
    reached: bool,
}

#[derive(Clone, Copy)]
struct Sizes {
    alerts: usize,
    escalations: usize,
    pages: usize,
    site: Size,
    /// From the end of the storm until all that came of it is looked at.
    storm_wait: Duration,
}

/// What parts are measured with.
struct Ground {
    binary: PathBuf,
    dir: PathBuf,
    sizes: Sizes,
    rival: Option<Alertmanager>,
    janitor: Janitor,
}

/// Measures everything and prints the table.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let dir = places::target().join("bench");
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let dir = dir
        .canonicalize()
        .because(format!("finding {}", dir.display()))?;
    let mut ground = Ground {
        binary: site::binary(options.binary.as_deref(), Profile::RELEASE)?,
        dir,
        sizes: Sizes::of(options),
        janitor: Janitor::hire()?,
        rival: match options.peers {
            Peers::Yes => Some(step("alertmanager", Alertmanager::provide, |found| {
                found.version.clone()
            })?),
            Peers::No => None,
        },
    };
    let mut rows = Vec::new();
    for part in Part::value_variants() {
        if options.only.is_empty() || options.only.contains(part) {
            rows.extend(ground.measure(*part)?);
        }
    }
    ground.janitor.tidy_up();
    show(&rows, ground.rival.as_ref(), options.quick);
    let missed = rows.iter().filter(|row| !row.reached).map(Row::told);
    judge(&missed.collect::<Vec<String>>(), options.quick)
}

impl Sizes {
    fn of(options: &Options) -> Self {
        let shrink = if options.quick { 10 } else { 1 };
        Self {
            alerts: 100_000 / shrink,
            escalations: 6_000 / shrink,
            pages: 200 / shrink,
            site: Size {
                people: 60 / shrink,
                services: 300 / shrink,
                level_minutes: 1,
            },
            storm_wait: Duration::from_secs(60 * options.storm_wait),
        }
    }
}

impl Row {
    /// The row in one line.
    fn told(&self) -> String {
        format!("{}: {} (must be {})", self.what, self.figure, self.must)
    }
}

impl Ground {
    /// Measures a part on a server of its own, and what a rival does of it too.
    fn measure(&mut self, part: Part) -> Outcome<Vec<Row>> {
        let Self {
            binary,
            dir,
            sizes,
            rival,
            janitor,
        } = self;
        let (name, work) = part.work();
        let folder = dir.join("oncall");
        janitor.will_remove(&folder);
        let mut site = Site::start(binary, &folder, part.site(*sizes), janitor)?;
        let found = step(
            name,
            |_| work(&site, *sizes),
            |found: &Vec<Row>| {
                let figures: Vec<&str> = found.iter().map(|row| row.figure.as_str()).collect();
                figures.join(", ")
            },
        );
        site.server.end()?;
        let mut found = found?;
        if let (Some(rival), Some(flood)) = (rival, part.flood(*sizes)) {
            let figures = step(
                &format!("{name}, rival"),
                |_| rival.measure(flood, dir, janitor),
                |figures| figures.join(", "),
            )?;
            for (row, figure) in found.iter_mut().zip(figures) {
                row.rival = Some(figure);
            }
        }
        Ok(found)
    }
}

type Work = fn(&Site, Sizes) -> Outcome<Vec<Row>>;

impl Part {
    /// What it is called, and what it does.
    fn work(self) -> (&'static str, Work) {
        match self {
            Self::One => ("one alert a request", one_by_one),
            Self::Lists => ("alerts in lists", in_lists),
            Self::Calm => ("calm pages", calm),
            Self::Escalations => ("escalations at once", due::escalations),
            Self::Storm => ("a storm", storm::storm),
        }
    }

    /// Whom it is measured with.
    fn site(self, sizes: Sizes) -> Size {
        match self {
            Self::One | Self::Lists | Self::Calm | Self::Escalations => sizes.site,
            Self::Storm => Size {
                level_minutes: storm::LEVEL_MINUTES,
                ..sizes.site
            },
        }
    }

    /// What a rival is sent of it: its first rows are then the rate, and the memory afterwards.
    const fn flood(self, sizes: Sizes) -> Option<Flood<'static>> {
        match self {
            Self::One => Some(flood_one_by_one(sizes)),
            Self::Lists => Some(flood_in_lists(sizes)),
            Self::Calm | Self::Escalations | Self::Storm => None,
        }
    }
}

fn rate(alerts: usize, took: Duration) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 alerts")]
    let alerts = alerts as f64;
    alerts / took.as_secs_f64()
}

const fn flood_one_by_one(sizes: Sizes) -> Flood<'static> {
    Flood {
        name: "one",
        connections: 64,
        per_request: 1,
        alerts: sizes.alerts / 2,
        severities: SEVERITIES,
        critical: None,
    }
}

fn one_by_one(site: &Site, sizes: Sizes) -> Outcome<Vec<Row>> {
    let flood = flood_one_by_one(sizes);
    let rate = rate(flood.alerts, flood.run(Goal::Tocsin(site))?.took);
    are_there(site, flood.alerts)?;
    Ok(vec![Row {
        what: "alerts/s accepted durably, one a request, 64 connections".to_owned(),
        figure: format!("{rate:.0}"),
        rival: None,
        must: ">= 5,000",
        reached: rate >= 5_000.0,
    }])
}

const fn flood_in_lists(sizes: Sizes) -> Flood<'static> {
    Flood {
        name: "batch",
        connections: 2,
        per_request: 64,
        alerts: sizes.alerts,
        severities: SEVERITIES,
        critical: None,
    }
}

fn in_lists(site: &Site, sizes: Sizes) -> Outcome<Vec<Row>> {
    let flood = flood_in_lists(sizes);
    let rate = rate(flood.alerts, flood.run(Goal::Tocsin(site))?.took);
    are_there(site, flood.alerts)?;
    let memory = usage::rss_mib(site.server.pid())?;
    let mut line = site.line()?;
    let (mut began, mut times) = (Instant::now(), Vec::new());
    each_page(&mut line, "/alerts?limit=100", |_| {
        times.push(began.elapsed());
        began = Instant::now();
        times.len() < sizes.pages
    })?;
    let page_ms = millis(percentile(&mut times, 50));
    Ok(vec![
        Row {
            what: "alerts/s accepted durably, lists of 64, two connections".to_owned(),
            figure: format!("{rate:.0}"),
            rival: None,
            must: ">= 20,000",
            reached: rate >= 20_000.0,
        },
        Row {
            what: format!("RSS in MiB with {} active alerts", flood.alerts),
            figure: format!("{memory:.0}"),
            rival: None,
            must: "<= 200",
            reached: memory <= 200.0,
        },
        Row {
            what: "a page of 100 of them, median ms".to_owned(),
            figure: format!("{page_ms:.1}"),
            rival: None,
            must: "<= 20",
            reached: page_ms <= 20.0,
        },
    ])
}

/// Everything that was accepted is there.
fn are_there(site: &Site, alerts: usize) -> Outcome<()> {
    let mut line = site.line()?;
    let mut found = 0;
    each_page(&mut line, "/alerts?limit=100", |page| {
        found += page.len();
        true
    })?;
    if found == alerts {
        Ok(())
    } else {
        fail!("{alerts} alerts were accepted and {found} are there")
    }
}

/// One critical alert after the other, each when the page for the one before has come.
fn calm(site: &Site, sizes: Sizes) -> Outcome<Vec<Row>> {
    let mut line = site.line()?;
    let mut times = Vec::new();
    for place in 0..sizes.pages {
        let seen = site.sink.len();
        let at = place % site.services.len();
        let (service, path) = (&site.services[at], site.path_of(at, 0));
        let title = format!("web server {place} is down");
        let alert = json!({"service_id": service, "dedup_key": format!("calm-{place}"), "action": "trigger",
            "summary": title, "severity": "critical", "source": format!("web{place}")});
        let answer = call(&mut line, "POST", "/alerts", &alert)?;
        let accepted = Instant::now();
        let Some(incident) = answer["incident_id"].as_str() else {
            fail!("an alert was accepted without an incident: {answer}")
        };
        // The page of this very alert, and no other message.
        let page = site.sink.wait(seen, Duration::from_secs(30), |one| {
            one.is_page_of(incident) && one.tells(&title) && one.path == path
        });
        let page = page.ok_or_else(|| Failure::new("a page did not come within 30 s"))?;
        times.push(page.at.saturating_duration_since(accepted));
    }
    let p99_ms = millis(percentile(&mut times, 99));
    Ok(vec![Row {
        what: "accepted -> page at its receiver, nothing else going on, p99 ms".to_owned(),
        figure: format!("{p99_ms:.1}"),
        rival: None,
        must: "<= 50",
        reached: p99_ms <= 50.0,
    }])
}

pub(super) fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let place = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(place).copied().unwrap_or_default()
}

pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn show(rows: &[Row], rival: Option<&Alertmanager>, quick: bool) {
    screen::heading(format!(
        "Measured {}, {}.",
        clock::show(clock::now()),
        usage::machine()
    ));
    if let Some(rival) = rival {
        let version = &rival.version;
        screen::line(format!(
            "Alertmanager {version} keeps alerts in memory alone; Tocsin accepts one when it is on disk."
        ));
    }
    if quick {
        screen::line("These are the sizes of --quick: the limits are not meant for them.");
    }
    screen::line("\n| | Alertmanager | Tocsin | must | reached |\n|---|---|---|---|---|");
    for row in rows {
        let reached = if row.reached { "yes" } else { "no" };
        let rival = row.rival.as_deref().unwrap_or("-");
        screen::line(format!(
            "| {} | {rival} | {} | {} | {reached} |",
            row.what, row.figure, row.must
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_taken_by_the_nearest_rank() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut times, 50), Duration::from_millis(100));
        assert_eq!(percentile(&mut times, 99), Duration::from_millis(198));
        assert_eq!(percentile(&mut [], 99), Duration::ZERO);
    }
}
