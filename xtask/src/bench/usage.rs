//! What a process has used, as `/proc` shows it: CPU time and resident memory; it changes nothing.

use std::collections::BTreeMap;
use std::fs;

use crate::failure::{Because, Failure, Outcome, fail};

/// CPU seconds of a process since it began, user and system.
pub(crate) fn cpu_s(pid: u32) -> Outcome<f64> {
    let path = format!("/proc/{pid}/stat");
    let stat = fs::read_to_string(&path).because(format!("reading {path}"))?;
    let ticks = ticks_in(&stat).ok_or_else(|| Failure::new(format!("{path} is not understood")))?;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52 ticks")]
    let seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    Ok(seconds)
}

/// CPU nanoseconds of each thread of a process since it began: ticks are too coarse for what lasts a fraction of a second.
pub(crate) struct Threads(BTreeMap<u32, u64>);

impl Threads {
    /// Those of a process that lives.
    pub(crate) fn of(pid: u32) -> Outcome<Self> {
        let path = format!("/proc/{pid}/task");
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(&path).because(format!("reading {path}"))? {
            let entry = entry.because(format!("reading {path}"))?;
            // A thread that has ended meanwhile is left out.
            let Ok(text) = fs::read_to_string(entry.path().join("schedstat")) else {
                continue;
            };
            let name = entry.file_name();
            let thread = name.to_str().and_then(|name| name.parse::<u32>().ok());
            if let (Some(thread), Some(spent)) = (thread, spent_in(&text)) {
                threads.insert(thread, spent);
            }
        }
        if threads.is_empty() {
            fail!("{path} tells no CPU time of threads: the kernel keeps no schedstat");
        }
        Ok(Self(threads))
    }

    /// What was spent since `before`. What a thread spent that has ended since is lost.
    pub(crate) fn since(&self, before: &Self) -> u64 {
        let spent = self.0.iter().map(|(thread, now)| {
            let before = before.0.get(thread).copied().unwrap_or(0);
            now.saturating_sub(before)
        });
        spent.sum()
    }
}

/// The first field: nanoseconds on a processor.
fn spent_in(schedstat: &str) -> Option<u64> {
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}

/// Resident memory of a process, MiB.
pub(crate) fn rss_mib(pid: u32) -> Outcome<f64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).because(format!("reading {path}"))?;
    rss_in(&status).ok_or_else(|| Failure::new(format!("{path} has no VmRSS")))
}

/// The machine's shape in words: processors, memory, and how busy it is.
pub(crate) fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (model, memory_gib) = (
        model_in(&read("/proc/cpuinfo")),
        memory_gib_in(&read("/proc/meminfo")),
    );
    let load = read("/proc/loadavg");
    let load = load.split(' ').next().unwrap_or("unknown");
    format!("{cores} cores ({model}), {memory_gib:.0} GiB of memory, load at the end {load}")
}

fn model_in(cpuinfo: &str) -> String {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"));
    let model = line.and_then(|line| Some(line.split_once(':')?.1.trim()));
    model.unwrap_or("unknown processor").to_owned()
}

fn memory_gib_in(meminfo: &str) -> f64 {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = line.and_then(|line| line.split_ascii_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1_024.0 / 1_024.0
}

/// User and system ticks (proc(5), fields 14 and 15).
fn ticks_in(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    let user: u64 = fields.nth(11)?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn rss_in(status: &str) -> Option<f64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kib / 1_024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_memory_are_found_also_after_a_strange_name() {
        let stat = "77 (a) b) S 1 77 77 0 -1 4194560 2510 0 0 0 130 25 0 0 20 0 9 0 5000 1 1";
        assert_eq!(ticks_in(stat), Some(155));
        assert_eq!(ticks_in("77 (a"), None);
        let status = "Name:\ta\nVmHWM:\t   4096 kB\nVmRSS:\t    1536 kB\n";
        assert_eq!(rss_in(status), Some(1.5));
        assert_eq!(rss_in("Name:\ta\n"), None);
    }

    #[test]
    fn the_machine_is_told_in_words() {
        assert_eq!(model_in("processor\t: 0\nmodel name\t: Chip 3\n"), "Chip 3");
        assert_eq!(model_in(""), "unknown processor");
        assert_eq!(memory_gib_in("MemTotal:       16777216 kB\n"), 16.0);
    }

    #[test]
    fn what_threads_spent_is_told_also_of_those_that_began_since() {
        let before = Threads(BTreeMap::from([(1, 100), (2, 50)]));
        let after = Threads(BTreeMap::from([(1, 170), (3, 5)]));
        assert_eq!(after.since(&before), 75);
        assert_eq!(spent_in("204354 5910505 2\n"), Some(204_354));
        assert_eq!(spent_in(""), None);
    }

    #[test]
    fn this_process_has_used_something() {
        assert!(cpu_s(std::process::id()).unwrap() >= 0.0);
        assert!(rss_mib(std::process::id()).unwrap() > 0.1);
    }
}
