//! How much is sent, and how often: the sizes of the whole measurement and of a quick one.

use super::Options;
use super::table::{Row, State};

/// Seconds between two samples of a series, as the drivers send them.
pub(crate) const STEP_S: u64 = 15;

/// Sizes of one run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    /// Series and samples of each that are loaded, looked for on disk and queried.
    pub(crate) load: (u64, u64),
    /// Series for the first measure of memory, samples of each at the first look, and at the second.
    pub(crate) few: (u64, u64, u64),
    /// Series for the second measure of memory, and samples of each.
    pub(crate) many: (u64, u64),
    pub(crate) rules: u64,
    /// Times that a query is asked.
    pub(crate) runs: u32,
    pub(crate) load_rounds: u32,
    pub(crate) memory_rounds: u32,
    /// Whether these are the sizes that the limits are meant for.
    pub(crate) is_whole: bool,
}

impl Sizes {
    pub(crate) fn of(options: &Options) -> Self {
        let whole = Self {
            load: (2_000, 1_920),
            few: (100_000, 40, 480),
            many: (1_000_000, 8),
            rules: 1_000,
            runs: options.runs.unwrap_or(60),
            load_rounds: options.repeat.unwrap_or(3),
            memory_rounds: options.repeat.unwrap_or(1),
            is_whole: true,
        };
        if !options.quick {
            return whole;
        }
        Self {
            // Prometheus makes its first block of what is older than three hours.
            load: (500, 960),
            few: (10_000, 40, 480),
            many: (100_000, 8),
            rules: 100,
            runs: options.runs.unwrap_or(5),
            load_rounds: options.repeat.unwrap_or(1),
            memory_rounds: options.repeat.unwrap_or(1),
            is_whole: false,
        }
    }

    /// A row in words, with these sizes.
    pub(crate) fn title(&self, row: Row) -> String {
        let (series, steps) = self.load;
        let (few, first, second) = self.few;
        let (many, many_steps) = self.many;
        match row {
            Row::WriteCpu => {
                let hours = steps * STEP_S / 3_600;
                format!(
                    "remote write, server CPU s per million samples ({series} series x {hours} h)"
                )
            }
            Row::BytesPerSample => "bytes per sample on disk, same data, compacted".to_owned(),
            Row::MemoryFew => format!("RSS in MiB at {few} series, {first} steps"),
            Row::MemoryMore => format!("RSS in MiB at {few} series, {second} steps"),
            Row::MemoryMany => format!("RSS in MiB at {many} series, {many_steps} steps"),
            Row::Query(letter, State::Loaded) => {
                format!("query {letter} after the load, CPU ms (median wall ms)")
            }
            Row::Query(letter, State::Compacted) => {
                format!("query {letter} after compaction, CPU ms (median wall ms)")
            }
            Row::RulesCpu => format!(
                "{} alert rules, whole server, CPU ms per 1 s cycle",
                self.rules
            ),
            Row::RulesEvaluation => format!(
                "{} alert rules, evaluation by the group's own clock, median ms",
                self.rules
            ),
        }
    }
}
