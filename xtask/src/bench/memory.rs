//! Resident memory with many series: few samples of each, then more of them, then far more series.

use super::Bench;
use super::answers::{self, median};
use super::sizes::STEP_S;
use super::system::{Server, System};
use super::table::Row;
use super::usage;
use crate::clock;
use crate::failure::Outcome;
use crate::screen::step;

/// Steps that the driver encodes at once; what it holds meanwhile is memory the servers do not have.
const FEW_WINDOW: u64 = 10;
const MANY_WINDOW: u64 = 4;

pub(crate) fn measure(bench: &mut Bench, systems: &[System]) {
    for system in systems {
        if let Err(failure) = few(bench, system) {
            bench.missed(system.kind, "memory of fewer series", &failure);
        }
        if let Err(failure) = many(bench, system) {
            bench.missed(system.kind, "memory of many series", &failure);
        }
    }
}

fn few(bench: &mut Bench, system: &System) -> Outcome<()> {
    let (series, first, second) = bench.sizes.few;
    let more = second - first;
    let (mut early, mut late) = (Vec::new(), Vec::new());
    for _ in 0..bench.sizes.memory_rounds.max(1) {
        let server = system.start_fresh(None, &mut bench.janitor)?;
        let end_s = clock::now() / 1_000;
        let first_end_s = end_s - i64::try_from(more * STEP_S).unwrap_or(0);
        let send = |steps, end_s| Send {
            series,
            steps,
            end_s,
            window: FEW_WINDOW,
        };
        early.push(send(first, first_end_s).to(bench, system, &server, Row::MemoryFew)?);
        late.push(send(more, end_s).to(bench, system, &server, Row::MemoryMore)?);
        server.end()?;
    }
    put(bench, system, Row::MemoryFew, early);
    put(bench, system, Row::MemoryMore, late);
    Ok(())
}

fn many(bench: &mut Bench, system: &System) -> Outcome<()> {
    let (series, steps) = bench.sizes.many;
    let mut figures = Vec::new();
    for _ in 0..bench.sizes.memory_rounds.max(1) {
        let server = system.start_fresh(None, &mut bench.janitor)?;
        let send = Send {
            series,
            steps,
            end_s: clock::now() / 1_000,
            window: MANY_WINDOW,
        };
        figures.push(send.to(bench, system, &server, Row::MemoryMany)?);
        server.end()?;
    }
    put(bench, system, Row::MemoryMany, figures);
    Ok(())
}

fn put(bench: &mut Bench, system: &System, row: Row, figures: Vec<f64>) {
    if let Some(figure) = median(figures) {
        bench.table.put(row, system.kind, figure);
    }
}

/// What is sent at once.
struct Send {
    series: u64,
    steps: u64,
    end_s: i64,
    window: u64,
}

impl Send {
    /// Sends it, and gives the server's resident memory right afterwards, MiB.
    fn to(&self, bench: &mut Bench, system: &System, server: &Server, row: Row) -> Outcome<f64> {
        let arguments = [
            format!("--url={}/api/v1/write", server.url()),
            format!("--series={}", self.series),
            format!("--steps={}", self.steps),
            format!("--window={}", self.window),
            format!("--end={}", self.end_s),
            format!("--pid={}", server.pid()),
        ];
        let kind = system.kind;
        let name = format!("{} x {}", self.series, self.steps);
        let (rss_mib, command) = step(
            &name,
            |_| {
                let ran = bench
                    .drivers
                    .run("rw_load.py", &arguments, &mut bench.janitor)?;
                answers::load(&ran.output)?;
                Ok((usage::rss_mib(server.pid())?, ran.command))
            },
            |(rss_mib, _)| format!("{}, {rss_mib:.0} MiB resident", kind.name()),
        )?;
        bench
            .table
            .measured_by(row, kind, &format!("{command}; VmRSS of /proc/PID/status"));
        Ok(rss_mib)
    }
}
