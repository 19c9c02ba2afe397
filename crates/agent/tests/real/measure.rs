//! Measurements, run by hand: `cargo nextest run -p tocsin-agent --run-ignored only --no-capture`.

use std::io::Write;
use std::time::{Duration, Instant};

use tocsin_domain::signal::metric;

use crate::apache::{Apache, is_installed};
use crate::exits::exit;
use crate::recorder::watch;

const ROUNDS: usize = 10;

fn report(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

#[test]
#[ignore = "a measurement"]
fn from_the_kill_to_the_batch() {
    if !is_installed() {
        return;
    }
    for (what, kill) in [
        ("whole tree", Apache::kill as fn(&Apache)),
        ("parent alone", Apache::kill_parent),
        ("orderly stop", Apache::stop),
    ] {
        let mut took: Vec<Duration> = (0..ROUNDS).map(|_| one(kill)).collect();
        took.sort();
        let (median, worst) = (took[ROUNDS / 2], took[ROUNDS - 1]);
        report(&format!(
            "{what}: median {median:?}, worst {worst:?} of {ROUNDS}"
        ));
    }
}

fn one(kill: fn(&Apache)) -> Duration {
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::CHILDREN, 1.0);
    recorder.wait_for(metric::PROBE_UP, 1.0);
    let begun = Instant::now();
    kill(&apache);
    let told_at = recorder.wait("exit", |seen| {
        let told = seen
            .batches
            .iter()
            .find(|(_, batch)| batch.facts.iter().any(|fact| exit(&fact.what).is_some()));
        told.map(|(at, _)| *at)
    });
    told_at.duration_since(begun)
}

#[test]
#[ignore = "a measurement"]
fn processor_time_of_an_idle_target() {
    if !is_installed() {
        return;
    }
    let apache = Apache::started();
    let (recorder, _agent) = watch(apache.folder().to_owned());
    recorder.wait_for(metric::PROBE_UP, 1.0);
    let ticks = || {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let fields: Vec<&str> = stat.split(' ').collect();
        fields[13].parse::<u64>().unwrap() + fields[14].parse::<u64>().unwrap()
    };
    let probes = || recorder.seen(|seen| seen.samples(metric::PROBE_UP).count());
    let (before, at) = (ticks(), Instant::now());
    let wanted = probes() + 60;
    while probes() < wanted && at.elapsed() < Duration::from_secs(120) {
        std::thread::sleep(Duration::from_secs(1));
    }
    let samples = recorder.seen(|seen| {
        seen.batches
            .iter()
            .map(|(_, batch)| batch.samples.len())
            .sum::<usize>()
    });
    report(&format!(
        "{} ms of processor time in {:?}, {samples} samples in all",
        (ticks() - before) * 10,
        at.elapsed()
    ));
}
