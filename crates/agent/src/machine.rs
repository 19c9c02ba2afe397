//! The basics of the machine that the watched servers share: load, memory, processors, room for logs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tocsin_domain::signal::{Batch, Sample};
use tocsin_domain::time::Timestamp;

use crate::discover::Fleet;
use crate::proc_text;
use crate::procfs::text_at_most;
use crate::watched::Watched;

const PERIOD: Duration = Duration::from_secs(5);
const TEXT_BYTES_MAX: u64 = 256 * 1_024;

/// Names of the metrics, those of Prometheus' node exporter.
mod node {
    pub(super) const LOAD1: &str = "node_load1";
    pub(super) const MEMORY_AVAILABLE: &str = "node_memory_MemAvailable_bytes";
    pub(super) const MEMORY_TOTAL: &str = "node_memory_MemTotal_bytes";
    pub(super) const CPU_SECONDS_TOTAL: &str = "node_cpu_seconds_total";
    pub(super) const FILESYSTEM_AVAILABLE: &str = "node_filesystem_avail_bytes";
    pub(super) const FILESYSTEM_SIZE: &str = "node_filesystem_size_bytes";
}

/// A value of the machine: metric, label, number.
type Value = (&'static str, Option<(&'static str, String)>, f64);

/// Samples until the agent stops.
pub(crate) fn sample(fleet: &Fleet) {
    let stop = fleet.stop_signal();
    loop {
        let targets = fleet.targets();
        if !targets.is_empty() {
            let shared = shared();
            for target in &targets {
                deliver(target, &shared);
            }
        }
        if stop.wait(PERIOD) {
            return;
        }
    }
}

fn deliver(target: &Arc<Watched>, shared: &[Value]) {
    let at = target.now();
    let own = log_folder(target);
    let samples = shared
        .iter()
        .chain(&own)
        .map(|value| sample_of(target, value, at))
        .collect();
    target.deliver(Batch {
        samples,
        ..Batch::default()
    });
}

fn sample_of(target: &Watched, (metric, label, number): &Value, at: Timestamp) -> Sample {
    let labels: Vec<(&str, &str)> = label
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    target.sample(metric, &labels, at, *number)
}

fn shared() -> Vec<Value> {
    let text = |path: &str| text_at_most(Path::new(path), TEXT_BYTES_MAX);
    let mut values: Vec<Value> = Vec::new();
    let load = text("/proc/loadavg");
    if let Some(load1) = load.split(' ').next().and_then(|first| first.parse().ok()) {
        values.push((node::LOAD1, None, load1));
    }
    let memory = text("/proc/meminfo");
    for (metric, entry) in [
        (node::MEMORY_AVAILABLE, "MemAvailable"),
        (node::MEMORY_TOTAL, "MemTotal"),
    ] {
        values.extend(proc_text::memory_bytes(&memory, entry).map(|bytes| (metric, None, bytes)));
    }
    let cpu = proc_text::cpu_seconds(&text("/proc/stat"));
    values.extend(cpu.into_iter().map(|(mode, seconds)| {
        (
            node::CPU_SECONDS_TOTAL,
            Some(("mode", mode.to_owned())),
            seconds,
        )
    }));
    values
}

/// Room where the first log lies.
#[expect(
    clippy::cast_precision_loss,
    reason = "sizes of file systems in a double are exact up to 8 PiB"
)]
fn log_folder(target: &Watched) -> Vec<Value> {
    let identity = target.identity();
    let logs = identity
        .access_logs
        .iter()
        .map(|(path, _)| path)
        .chain(&identity.error_logs);
    let Some(folder) = logs
        .filter_map(|log| Path::new(log).parent())
        .find(|folder| folder.is_dir())
    else {
        return Vec::new();
    };
    let Ok(room) = rustix::fs::statvfs(folder) else {
        return Vec::new();
    };
    let mounts = text_at_most(Path::new("/proc/self/mountinfo"), TEXT_BYTES_MAX);
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let mount = proc_text::mount_point(&mounts, &real.display().to_string())
        .unwrap_or_else(|| "/".to_owned());
    let bytes = |blocks: u64| blocks.saturating_mul(room.f_frsize) as f64;
    vec![
        (
            node::FILESYSTEM_AVAILABLE,
            Some(("mountpoint", mount.clone())),
            bytes(room.f_bavail),
        ),
        (
            node::FILESYSTEM_SIZE,
            Some(("mountpoint", mount)),
            bytes(room.f_blocks),
        ),
    ]
}
