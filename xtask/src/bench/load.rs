//! The load of remote write, and what is asked of its data: CPU per sample, bytes on disk, queries.

use super::answers::{self, median};
use super::disk::{self, Disk};
use super::sizes::STEP_S;
use super::system::{Kind, Server, System};
use super::table::{Row, State};
use super::{Bench, Part};
use crate::clock;
use crate::failure::Outcome;
use crate::screen::step;

/// Loads each system, in turns so that whatever else the machine does meets all of them, and asks about the last load.
pub(crate) fn measure(bench: &mut Bench, systems: &[System]) {
    let is_measured = bench.wants(Part::Load);
    let rounds = match is_measured {
        true => bench.sizes.load_rounds.max(1),
        false => 1,
    };
    let mut figures = vec![Vec::new(); systems.len()];
    for round in 1..=rounds {
        for (system, figures) in systems.iter().zip(&mut figures) {
            let name = format!("load {round}/{rounds}");
            match one_load(bench, system, &name, round == rounds) {
                Ok(figure) => figures.push(figure),
                Err(failure) => bench.missed(system.kind, "the load", &failure),
            }
        }
    }
    for (system, figures) in systems.iter().zip(figures) {
        if let Some(figure) = median(figures).filter(|_| is_measured) {
            bench.table.put(Row::WriteCpu, system.kind, figure);
        }
    }
}

/// One load into fresh data. Gives CPU seconds per million samples.
fn one_load(bench: &mut Bench, system: &System, name: &str, is_last: bool) -> Outcome<f64> {
    let kind = system.kind;
    let server = system.start_fresh(None, &mut bench.janitor)?;
    let end_s = clock::now() / 1_000;
    let (series, steps) = bench.sizes.load;
    let arguments = [
        format!("--url={}/api/v1/write", server.url()),
        format!("--series={series}"),
        format!("--steps={steps}"),
        format!("--step={STEP_S}"),
        format!("--end={end_s}"),
        format!("--pid={}", server.pid()),
    ];
    let (load, command) = step(
        name,
        |_| {
            let ran = bench
                .drivers
                .run("rw_load.py", &arguments, &mut bench.janitor)?;
            Ok((answers::load(&ran.output)?, ran.command))
        },
        |(load, _)| {
            format!(
                "{}, {:.3} CPU s per million samples",
                kind.name(),
                load.cpu_s_per_million
            )
        },
    )?;
    bench.table.measured_by(Row::WriteCpu, kind, &command);
    if is_last && let Err(failure) = ask_about(bench, system, server, end_s, load.samples) {
        bench.missed(kind, "disk and queries", &failure);
    }
    Ok(load.cpu_s_per_million)
}

fn ask_about(
    bench: &mut Bench,
    system: &System,
    server: Server,
    end_s: i64,
    samples: u64,
) -> Outcome<()> {
    let wants_queries = bench.wants(Part::Queries);
    if wants_queries {
        queries(bench, system.kind, &server, end_s, State::Loaded)?;
    }
    if !wants_queries && !bench.wants(Part::Disk) {
        return Ok(());
    }
    let compacting = format!("compaction, {}", system.kind.name());
    let (server, disk) = step(
        &compacting,
        |_| compact(bench, system, server, samples),
        |(_, disk)| format!("{:.3} bytes per sample", disk.bytes_per_sample()),
    )?;
    if bench.wants(Part::Disk) {
        let aside = format!("{} samples", disk.samples);
        let figure = disk.bytes_per_sample();
        bench
            .table
            .put_with(Row::BytesPerSample, system.kind, figure, aside);
        bench
            .table
            .measured_by(Row::BytesPerSample, system.kind, &disk.how);
    }
    if wants_queries {
        queries(bench, system.kind, &server, end_s, State::Compacted)?;
    }
    server.end()
}

/// Has a system compact what it was sent. Gives the server that runs afterwards.
fn compact(
    bench: &mut Bench,
    system: &System,
    server: Server,
    samples: u64,
) -> Outcome<(Server, Disk)> {
    match system.kind {
        Kind::Prometheus => Ok((server, disk::prometheus(system)?)),
        Kind::Victoria => {
            let disk = disk::victoria(&server)?;
            Ok((server, disk))
        }
        Kind::Tocsin => {
            server.end()?;
            let disk = disk::tocsin(system, samples)?;
            Ok((system.start(&mut bench.janitor)?, disk))
        }
    }
}

fn queries(
    bench: &mut Bench,
    kind: Kind,
    server: &Server,
    end_s: i64,
    state: State,
) -> Outcome<()> {
    if kind == Kind::Victoria {
        // What came last is not seen by queries before it was flushed.
        server.get("/internal/force_flush")?;
    }
    let arguments = [
        format!("--base={}", server.url()),
        format!("--end={end_s}"),
        format!("--runs={}", bench.sizes.runs),
        format!("--pid={}", server.pid()),
    ];
    let name = match state {
        State::Loaded => "queries",
        State::Compacted => "queries again",
    };
    let (queries, command) = step(
        name,
        |_| {
            let ran = bench
                .drivers
                .run("promql_bench.py", &arguments, &mut bench.janitor)?;
            Ok((answers::queries(&ran.output)?, ran.command))
        },
        |(queries, _)| {
            let all: Vec<String> = queries
                .iter()
                .map(|query| format!("{} {:.1}", query.letter, query.cpu_ms))
                .collect();
            format!("{}, CPU ms {}", kind.name(), all.join(", "))
        },
    )?;
    for query in queries {
        let row = Row::Query(query.letter, state);
        let aside = format!("{:.1}", query.wall_ms);
        bench.table.put_with(row, kind, query.cpu_ms, aside);
        bench.table.measured_by(row, kind, &command);
        bench.compare(row, kind, (query.series, query.points));
    }
    Ok(())
}
