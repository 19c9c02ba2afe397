//! What alert rules cost in each cycle while samples come in.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::Bench;
use super::answers;
use super::system::{Kind, Server, System};
use super::table::Row;
use super::usage;
use crate::clock;
use crate::failure::{Because, Outcome, fail};
use crate::screen::step;

/// Samples of each series before the clock runs, so that a rate has its window.
const STEPS_BEFORE: u64 = 240;
/// Cycles of one second that pass before CPU is counted, and those it is counted over.
const CYCLES_BEFORE: u64 = 5;
const CYCLES: u64 = 20;
/// Cycles whose evaluation the server's own clock is asked for.
const CYCLES_TIMED: u64 = 12;
/// Samples go on for this many seconds more, since the server is asked twice a cycle at most.
const CYCLES_SPARE: u64 = 15;

pub(crate) fn measure(bench: &mut Bench, systems: &[System]) {
    let rules = match write_rules(bench) {
        Ok(rules) => rules,
        Err(failure) => return bench.missed(Kind::Tocsin, "alert rules", &failure),
    };
    // VictoriaMetrics leaves rules to another program.
    for system in systems
        .iter()
        .filter(|system| system.kind != Kind::Victoria)
    {
        if let Err(failure) = one(bench, system, &rules) {
            bench.missed(system.kind, "alert rules", &failure);
        }
    }
}

fn write_rules(bench: &mut Bench) -> Outcome<PathBuf> {
    let arguments = [bench.sizes.rules.to_string(), "--interval=1s".to_owned()];
    let ran = bench
        .drivers
        .run("rules_gen.py", &arguments, &mut bench.janitor)?;
    let path = bench.dir.join("rules.yml");
    fs::write(&path, ran.output).because(format!("writing {}", path.display()))?;
    Ok(path)
}

fn one(bench: &mut Bench, system: &System, rules: &Path) -> Outcome<()> {
    let kind = system.kind;
    let server = system.start_fresh(Some(rules), &mut bench.janitor)?;
    let before = [
        format!("--url={}/api/v1/write", server.url()),
        format!("--steps={STEPS_BEFORE}"),
        format!("--end={}", clock::now() / 1_000),
    ];
    let ran = bench
        .drivers
        .run("rw_load.py", &before, &mut bench.janitor)?;
    answers::fed(&ran.output)?;
    let steps = CYCLES_BEFORE + CYCLES + CYCLES_TIMED + CYCLES_SPARE;
    let live = [
        format!("--url={}/api/v1/write", server.url()),
        "--live".to_owned(),
        "--step=1".to_owned(),
        format!("--steps={steps}"),
    ];
    let feeding = bench
        .drivers
        .begin("rw_load.py", &live, &mut bench.janitor)?;
    let cpu_ms = step(
        "alert rules",
        |_| cpu_ms_per_cycle(&server),
        |cpu_ms| format!("{}, {cpu_ms:.1} CPU ms per cycle", kind.name()),
    )?;
    let timed = [
        format!("--base={}", server.url()),
        format!("--cycles={CYCLES_TIMED}"),
        "--every=1".to_owned(),
    ];
    let timed = bench
        .drivers
        .run("rules_time.py", &timed, &mut bench.janitor)?;
    let (count, evaluation_ms) = answers::rules(&timed.output)?;
    let fed = feeding.finish()?;
    answers::fed(&fed.output)?;
    if count != bench.sizes.rules {
        fail!(
            "{count} of {} rules were evaluated by {}",
            bench.sizes.rules,
            kind.name()
        );
    }
    let table = &mut bench.table;
    table.put(Row::RulesCpu, kind, cpu_ms);
    let how = format!(
        "{}; CPU of /proc/PID/stat over {CYCLES} s of it; rules_gen.py {count} --interval=1s > rules.yml",
        fed.command
    );
    table.measured_by(Row::RulesCpu, kind, &how);
    table.put(Row::RulesEvaluation, kind, evaluation_ms);
    table.measured_by(Row::RulesEvaluation, kind, &timed.command);
    server.end()
}

/// The server's CPU in one cycle of a second, the taking of that second's samples included.
fn cpu_ms_per_cycle(server: &Server) -> Outcome<f64> {
    thread::sleep(Duration::from_secs(CYCLES_BEFORE));
    let (before_s, begun) = (usage::cpu_s(server.pid())?, Instant::now());
    thread::sleep(Duration::from_secs(CYCLES));
    let used_s = usage::cpu_s(server.pid())? - before_s;
    Ok(used_s * 1_000.0 / begun.elapsed().as_secs_f64())
}
