//! The bench of the fronts: what each adds to the CPU that the native call costs, and how long lists of 100 incidents take. All is
//! measured from outside, over loopback, on servers with fresh data; a front and the native API take turns on the same server, so that
//! the speed of the machine drops out.

mod calls;
mod form;
mod leg;
mod lists;
mod reading;
mod verdict;

use std::fs;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use self::calls::{Comparison, Work};
use self::form::Front;
use self::lists::Account;
use self::reading::Deed;
use self::verdict::{COSTS_HEAD, LISTS_HEAD, Round, Row, cost_row};
use super::{judge, usage};
use crate::build::Profile;
use crate::clock;
use crate::failure::{Because, Outcome};
use crate::janitor::Janitor;
use crate::places;
use crate::screen::{self, step};
use crate::site::{self, Site, Size};

/// Rounds of each comparison of alerts, with 1,728 calls of the front in each.
const ROUNDS: usize = 12;
/// The same of reading, with 800.
const ROUNDS_READING: usize = 25;
const ROUNDS_QUICK: usize = 2;

#[derive(Args)]
pub(crate) struct Options {
    /// Measure this binary of Tocsin instead of building a release
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Measure only these parts
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PARTS")]
    only: Vec<Part>,
    /// Fewer rounds and a tenth of the incidents, to see that all works; its figures are not those the limits are meant for
    #[arg(long)]
    quick: bool,
}

/// A part of the bench.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Alerts by each front beside the native call
    Calls,
    /// Incidents read and acknowledged by PagerDuty's front beside the native calls
    Reading,
    /// Lists of 100 incidents
    Lists,
}

/// What runs are made with.
struct Ground {
    binary: PathBuf,
    dir: PathBuf,
    janitor: Janitor,
    is_quick: bool,
}

/// Measures everything and prints the tables.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let dir = places::target().join("bench");
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let dir = dir
        .canonicalize()
        .because(format!("finding {}", dir.display()))?;
    let mut ground = Ground {
        binary: site::binary(options.binary.as_deref(), Profile::RELEASE)?,
        dir: dir.join("fronts"),
        janitor: Janitor::hire()?,
        is_quick: options.quick,
    };
    ground.janitor.will_remove(&ground.dir);
    let wants = |part: Part| options.only.is_empty() || options.only.contains(&part);
    let mut costs = Vec::new();
    if wants(Part::Calls) {
        costs.extend(ground.calls()?);
    }
    if wants(Part::Reading) {
        costs.extend(ground.reading()?);
    }
    let lists = match wants(Part::Lists) {
        true => ground.lists()?,
        false => Vec::new(),
    };
    ground.janitor.tidy_up();
    show(&costs, &lists, options.quick);
    let rows = costs.into_iter().chain(lists);
    let missed: Vec<String> = rows.filter_map(|row| row.missed).collect();
    judge(&missed, options.quick)
}

impl Ground {
    fn calls(&mut self) -> Outcome<Vec<Row>> {
        let mut rows = Vec::new();
        for front in Front::ALL {
            for work in [Work::New, Work::Repeated] {
                let comparison = Comparison { front, work };
                let name = comparison.name();
                let rounds = self.rounds(&name, ROUNDS, |site| comparison.round(site))?;
                rows.extend(cost_row(&name, &rounds));
            }
        }
        Ok(rows)
    }

    fn reading(&mut self) -> Outcome<Vec<Row>> {
        let mut rows = Vec::new();
        for deed in Deed::ALL {
            let name = deed.name();
            let rounds = self.rounds(name, ROUNDS_READING, |site| deed.round(site))?;
            rows.extend(cost_row(name, &rounds));
        }
        Ok(rows)
    }

    /// Each round has a server of its own: what a key may send in a minute begins anew, and none is slower for what came before.
    fn rounds(
        &mut self,
        name: &str,
        count: usize,
        work: impl Fn(&Site) -> Outcome<Round>,
    ) -> Outcome<Vec<Round>> {
        let count = if self.is_quick { ROUNDS_QUICK } else { count };
        let Self {
            binary,
            dir,
            janitor,
            ..
        } = self;
        step(
            name,
            |step| {
                let mut rounds = Vec::new();
                for number in 1..=count {
                    step.now(format!("round {number} of {count}"));
                    let mut site = Site::bare(binary, dir, janitor)?;
                    let round = work(&site);
                    site.server.end()?;
                    rounds.push(round?);
                }
                Ok(rounds)
            },
            |rounds: &Vec<Round>| format!("{} rounds", rounds.len()),
        )
    }

    fn lists(&mut self) -> Outcome<Vec<Row>> {
        let sizes = lists::Sizes {
            incidents: if self.is_quick { 10_000 } else { 100_000 },
            requests: if self.is_quick { 20 } else { 200 },
        };
        let mut all = Vec::new();
        for account in Account::ALL {
            let size = Size {
                people: account.policies(),
                services: lists::SERVICES,
                level_minutes: 30,
            };
            let mut site = Site::start(&self.binary, &self.dir, size, &mut self.janitor)?;
            let rows = step(
                account.name(),
                |step| lists::measure(&site, account, sizes, step),
                |rows: &Vec<Row>| format!("{} measured", rows.len()),
            );
            site.server.end()?;
            all.extend(rows?);
        }
        Ok(all)
    }
}

fn show(costs: &[Row], lists: &[Row], quick: bool) {
    screen::heading(format!(
        "Measured {}, {}.",
        clock::show(clock::now()),
        usage::machine()
    ));
    if quick {
        screen::line("These are the sizes of --quick: the limits are not meant for them.");
    }
    for (head, rows) in [(COSTS_HEAD, costs), (LISTS_HEAD, lists)] {
        if !rows.is_empty() {
            let rows: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
            screen::line(format!("\n{head}\n{}", rows.join("\n")));
        }
    }
}
