//! Bytes per sample on disk, index included, after each server has compacted what it was sent.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::answers;
use super::system::{Server, System};
use crate::failure::{Because, Outcome, fail};

/// Prometheus compacts its head once a minute: blocks that stay as they are for longer are all there will be.
const QUIET: Duration = Duration::from_secs(75);
const COMPACTION_LIMIT: Duration = Duration::from_secs(600);
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What was measured, and how in words.
pub(crate) struct Disk {
    pub(crate) bytes: u64,
    pub(crate) samples: u64,
    pub(crate) how: String,
}

impl Disk {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a benchmark's counts are far below 2^52"
    )]
    pub(crate) fn bytes_per_sample(&self) -> f64 {
        self.bytes as f64 / self.samples as f64
    }
}

/// Tocsin, which must have ended: has its store compacted by its own command.
pub(crate) fn tocsin(system: &System, samples: u64) -> Outcome<Disk> {
    let data = system.data();
    let done = Command::new(&system.program)
        .args(["store", "compact", "--data"])
        .arg(&data)
        .stdin(Stdio::null())
        .output()
        .because("running tocsin store compact")?;
    if done.status.success() {
        let (bytes, samples) = answers::compacted(&String::from_utf8_lossy(&done.stdout))?;
        return disk(
            bytes,
            samples,
            "tocsin store compact --data DATA".to_owned(),
        );
    }
    // A build without the command: its files as they are, less compact than they could be.
    let files = data.join("telemetry");
    let bytes = sizes(&files, |name| {
        name.starts_with("samples-") && name.ends_with(".tcm")
    })?;
    let how = format!(
        "files telemetry/samples-*.tcm of the data, not compacted: {}",
        first_line(&done.stderr)
    );
    disk(bytes, samples, how)
}

fn first_line(said: &[u8]) -> String {
    let said = String::from_utf8_lossy(said);
    said.lines().next().unwrap_or_default().to_owned()
}

/// Prometheus: its blocks, once it has made all of them from its head.
pub(crate) fn prometheus(system: &System) -> Outcome<Disk> {
    let data = system.data();
    let mut seen = Vec::new();
    let mut since = Instant::now();
    let deadline = since + COMPACTION_LIMIT;
    while seen.is_empty() || since.elapsed() < QUIET {
        if Instant::now() > deadline {
            fail!(
                "Prometheus made no lasting blocks within {} s",
                COMPACTION_LIMIT.as_secs()
            );
        }
        thread::sleep(LOOK_EVERY);
        let now = blocks(&data)?;
        if now != seen {
            (seen, since) = (now, Instant::now());
        }
    }
    let (mut bytes, mut samples) = (0, 0);
    for block in seen {
        let block = data.join(block);
        let meta = block.join("meta.json");
        let meta = fs::read_to_string(&meta).because(format!("reading {}", meta.display()))?;
        samples += answers::block_samples(&meta)?;
        bytes += sizes(&block, |_| true)?;
    }
    let how = "size of the blocks / stats.numSamples of their meta.json".to_owned();
    disk(bytes, samples, how)
}

/// Names of the blocks that are complete.
fn blocks(data: &Path) -> Outcome<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(data).because(format!("reading {}", data.display()))? {
        let entry = entry.because(format!("reading {}", data.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // A block that is being written or removed has a dot in its name.
        if !name.contains('.') && entry.path().join("meta.json").is_file() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// VictoriaMetrics: what it says of itself after merging everything.
pub(crate) fn victoria(server: &Server) -> Outcome<Disk> {
    server.get("/internal/force_flush")?;
    server.get("/internal/force_merge")?;
    let deadline = Instant::now() + COMPACTION_LIMIT;
    // The merge begins some time after it was asked for: it is over when its sizes have stayed as they are for a while.
    let (mut seen, mut since) = (String::new(), Instant::now());
    loop {
        thread::sleep(LOOK_EVERY);
        let text = server.get("/metrics")?;
        let bytes = answers::sum_of_metric(&text, "vm_data_size_bytes", "");
        let rows = answers::sum_of_metric(&text, "vm_rows", "storage/");
        let merges = answers::sum_of_metric(&text, "vm_active_merges", "");
        let now = format!("{bytes} {rows}");
        if now != seen || merges > 0.0 {
            (seen, since) = (now, Instant::now());
        }
        if since.elapsed() >= Duration::from_secs(10) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "sums of counts"
            )]
            let (bytes, rows) = (bytes as u64, rows as u64);
            let how = "GET /internal/force_merge; vm_data_size_bytes / vm_rows of /metrics";
            return disk(bytes, rows, how.to_owned());
        }
        if Instant::now() > deadline {
            fail!(
                "VictoriaMetrics was still merging after {} s",
                COMPACTION_LIMIT.as_secs()
            );
        }
    }
}

fn disk(bytes: u64, samples: u64, how: String) -> Outcome<Disk> {
    if bytes == 0 || samples == 0 {
        fail!("{bytes} bytes for {samples} samples were found on disk ({how})");
    }
    Ok(Disk {
        bytes,
        samples,
        how,
    })
}

/// Bytes of the files under a folder whose name is wanted.
fn sizes(dir: &Path, wanted: impl Fn(&str) -> bool + Copy) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(dir).because(format!("reading {}", dir.display()))? {
        let entry = entry.because(format!("reading {}", dir.display()))?;
        let about = entry
            .metadata()
            .because(format!("reading {}", entry.path().display()))?;
        if about.is_dir() {
            bytes += sizes(&entry.path(), wanted)?;
        } else if wanted(&entry.file_name().to_string_lossy()) {
            bytes += about.len();
        }
    }
    Ok(bytes)
}
