//! Settings of a store and what it tells about itself.

use std::fmt;
use std::sync::Arc;

use crate::disk::{Disk, RealDisk};
use crate::store::Position;
pub use tocsin_domain::write::Refused;

const HOUR_MS: u64 = 3_600_000;

/// Settings of a store.
#[derive(Clone)]
pub struct Options {
    /// Age at which data is dropped, milliseconds.
    pub retention_ms: u64,
    /// What is refused.
    pub limits: Limits,
    /// Bytes of blocks above which the oldest are dropped; `None` for no limit.
    pub retention_bytes: Option<u64>,
    /// How long logged data waits at most before it is sealed into a block, milliseconds.
    pub seal_after_ms: u64,
    /// Bytes of logged facts and log lines (packed) at which all is sealed into blocks.
    pub seal_after_record_bytes: u64,
    /// When enough samples are in memory for a block.
    pub seal_samples: SealSamples,
    /// Where files are written.
    pub disk: Arc<dyn Disk>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            retention_ms: 15 * 24 * HOUR_MS,
            limits: Limits::default(),
            seal_after_ms: 2 * HOUR_MS,
            retention_bytes: None,
            seal_after_record_bytes: 4 << 20,
            seal_samples: SealSamples::default(),
            disk: Arc::new(RealDisk),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("retention_ms", &self.retention_ms)
            .field("limits", &self.limits)
            .field("seal_after_ms", &self.seal_after_ms)
            .field("retention_bytes", &self.retention_bytes)
            .field("seal_after_record_bytes", &self.seal_after_record_bytes)
            .field("seal_samples", &self.seal_samples)
            .finish_non_exhaustive()
    }
}

/// When enough samples are in memory for a block: enough of each series, since long runs pack best, but not more than memory
/// shall hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealSamples {
    /// Never fewer than this, in all.
    pub min: u64,
    /// So many of each series on average.
    pub per_series: u64,
    /// Never more than this, in all, ...
    pub max: u64,
    /// ... and so many for each series.
    pub max_per_series: u64,
    /// Late samples, which take more room than others, in all.
    pub late_max: u64,
}

impl Default for SealSamples {
    fn default() -> Self {
        Self {
            min: 1_000_000,
            per_series: 480,
            max: 2_000_000,
            max_per_series: 16,
            late_max: 500_000,
        }
    }
}

/// What is refused. A sample that is refused is counted ([`Refused`]), not an error: the rest of its batch stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Series in the store, those of old blocks included. A part of them is kept free for what this process itself writes.
    pub series_max: usize,
    /// Series with recent samples that one source may have.
    pub series_per_source_max: usize,
    /// Labels of a series.
    pub labels_max: usize,
    /// Bytes of the names and values of a series' labels, in all: the log and answers repeat them.
    pub labels_bytes_max: usize,
    /// Bytes of a label's name.
    pub label_name_bytes_max: usize,
    /// Bytes of a label's value.
    pub label_value_bytes_max: usize,
    /// How much older than the newest sample of its series a sample may be, milliseconds.
    pub late_ms_max: u64,
    /// How far ahead of `now` a sample may be, milliseconds.
    pub early_ms_max: u64,
    /// Bytes of batches that wait in memory while the disk refuses them.
    pub waiting_bytes_max: usize,
    /// Bytes (as JSON) of facts and log lines that are kept in memory alone while the disk refuses them. Log lines may take half
    /// of it; what is beyond is dropped and counted. Samples are kept: monitors live on them, and they are small.
    pub unwritten_record_bytes_max: usize,
    /// Raw log lines that a recorded window takes along; its counts by second cover all of them.
    pub recorded_logs_max: usize,
}

/// One in so many series is kept free for the agent and the rules: whatever clients send, monitors keep their eyes.
const OWN_PART: usize = 20;

impl Limits {
    /// Series in the store up to which one more is taken in.
    pub(crate) fn series_max_of(&self, is_own: bool) -> usize {
        let kept_free = if is_own {
            0
        } else {
            self.series_max / OWN_PART
        };
        self.series_max - kept_free
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            series_max: 5_000_000,
            series_per_source_max: 1_500_000,
            labels_max: 64,
            labels_bytes_max: 16 << 10,
            label_name_bytes_max: 128,
            label_value_bytes_max: 2_048,
            late_ms_max: 24 * HOUR_MS,
            early_ms_max: HOUR_MS / 6,
            waiting_bytes_max: 32 << 20,
            unwritten_record_bytes_max: 64 << 20,
            recorded_logs_max: 500_000,
        }
    }
}

/// What was found when a store was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// Blocks that were opened.
    pub blocks: usize,
    /// Frames of the write-ahead log that were applied.
    pub frames: usize,
    /// Samples that were read from the write-ahead log.
    pub samples: u64,
    /// An append that was cut short by a crash; it had not been acknowledged.
    pub torn_tail: Option<TornTail>,
    /// Damaged files. They were renamed to `*.corrupt`; what could be read of them was kept.
    pub set_aside: Vec<SetAside>,
    /// Position of the last append that was found.
    pub position: Position,
    /// Newest sample that was found, milliseconds.
    pub newest_ms: Option<i64>,
}

/// The end of the write-ahead log that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    /// Name of the file.
    pub file: String,
    /// Bytes that were kept.
    pub kept_bytes: u64,
    /// Bytes that were cut off.
    pub cut_bytes: u64,
}

/// A damaged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// Its name now.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

/// What a store tells about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Series it knows.
    pub series: usize,
    /// Series with recent samples by who sent them, most first.
    pub series_by_source: Vec<(String, u32)>,
    /// Samples it holds.
    pub samples: u64,
    /// Samples of them that are not in a block yet.
    pub samples_in_head: u64,
    /// Files of the write-ahead log.
    pub segments: usize,
    /// Blocks.
    pub blocks: usize,
    /// Blocks of samples among them.
    pub sample_blocks: usize,
    /// Bytes of these.
    pub sample_block_bytes: u64,
    /// Bytes of its files.
    pub size_on_disk: u64,
    /// What was refused since it was opened.
    pub refused: Refused,
    /// Why the last append or upkeep is not on disk; `None` when it is.
    pub degraded: Option<String>,
    /// The last error of the disk, also when all is well again.
    pub last_disk_error: Option<String>,
    /// Batches that wait in memory to be written.
    pub waiting: usize,
    /// Batches that were given up waiting for: they are in memory and will not survive a restart.
    pub never_written: u64,
    /// Log lines that were dropped because the disk refused them for too long.
    pub dropped_logs: u64,
    /// Facts that were dropped for the same reason.
    pub dropped_facts: u64,
}
