//! Immutable files of samples: runs of values, columns of times that runs share, an index. They know no log.
//!
//! A file: a mark, a version and pco's header; the runs of each series one after the other; the columns of times; the index under
//! zstd; its length, its checksum and the mark again. Runs and columns are read in pages, each with a checksum in the index, so
//! that a damaged page costs what stands in it and no more.

mod decoded;
mod index;
mod pages;
mod run;
mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tocsin_promql::Chunk;

use crate::columns::{ColumnError, IntUnpacker, Scratch, decode_values};
use crate::error::{MaintainError, ReadError};
use crate::series::Registry;
pub(crate) use index::About;
use index::{Index, Run, TimeColumn};
pub(crate) use pages::PageCache;
use pages::Pages;
use run::SealedRun;
pub(crate) use write::BlockWriter;

/// First bytes of a block: a mark and the version of its layout.
const HEADER: [u8; 5] = *b"TOCM\x01";
const MARK_LEN: usize = 4;
/// Length and checksum of the index, and the mark again.
const TRAILER_LEN: u64 = 16;
/// Bytes that are read and checked together.
const PAGE_BYTES: usize = 64 << 10;
/// Samples of one run at most: what a query decodes at least. Twice as many would take 2 % less room.
const RUN_SAMPLES_MAX: usize = 960;
/// Runs of which only the first one's place in the file is kept: those of the others follow from their lengths.
const RUNS_BETWEEN_PLACES: usize = 16;
/// Columns of times that a block keeps unpacked.
const COLUMNS_KEPT_MAX: usize = 256;

/// What makes bytes no block.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Damaged(pub(crate) String);

/// Why a block cannot be used or written.
#[derive(Debug)]
pub(crate) enum BlockError {
    /// Written by a newer version.
    Newer(u8),
    /// Damaged, and how.
    Damaged(String),
    Io(io::Error),
}

impl fmt::Display for BlockError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(formatter),
            Self::Damaged(reason) => formatter.write_str(reason),
            Self::Newer(version) => write!(formatter, "it has version {version}"),
        }
    }
}

impl BlockError {
    /// As a failure of upkeep.
    pub(crate) fn at(self, path: &Path) -> MaintainError {
        let source = match self {
            Self::Io(error) => error,
            Self::Damaged(_) | Self::Newer(_) => io::Error::other(self.to_string()),
        };
        MaintainError::Write {
            path: path.to_owned(),
            source,
        }
    }
}

impl From<io::Error> for BlockError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof {
            return Self::Damaged("it is too short for what it says".to_owned());
        }
        Self::Io(error)
    }
}

impl From<Damaged> for BlockError {
    fn from(error: Damaged) -> Self {
        Self::Damaged(error.0)
    }
}

impl From<ReadError> for BlockError {
    fn from(error: ReadError) -> Self {
        Self::Damaged(error.to_string())
    }
}

impl From<ColumnError> for BlockError {
    fn from(error: ColumnError) -> Self {
        Self::Damaged(error.to_string())
    }
}

/// Where the runs of a series are.
#[derive(Clone, Copy, Debug)]
struct OfSeries {
    /// Its number in the registry.
    number: u32,
    first_run: u32,
    runs: u32,
}

/// An open block.
pub(crate) struct SampleBlock {
    pages: Pages,
    number: u64,
    path: PathBuf,
    len: u64,
    about: About,
    unpacker: IntUnpacker,
    /// Its series, sorted by their numbers in the registry.
    series: Vec<OfSeries>,
    runs: Vec<Run>,
    /// Where every [`RUNS_BETWEEN_PLACES`]th run begins, in bytes of the data.
    run_places: Vec<u64>,
    columns: Vec<TimeColumn>,
    column_ends: Vec<u64>,
    unpacked: Mutex<BTreeMap<u32, Arc<[i64]>>>,
    /// Why it cannot be read from end to end, once that is known.
    damage: OnceLock<String>,
}

impl SampleBlock {
    /// Opens a file and reads its index. Its series are not known to anybody yet.
    pub(crate) fn open(
        path: &Path,
        number: u64,
        cache: &Arc<PageCache>,
    ) -> Result<Unregistered, BlockError> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let damaged = |what: &str| BlockError::Damaged(what.to_owned());
        let mut head = [0; HEADER.len() + 1];
        if len < head.len() as u64 + TRAILER_LEN {
            return Err(damaged("it is too short"));
        }
        file.read_exact_at(&mut head, 0)?;
        if head[..MARK_LEN] != HEADER[..MARK_LEN] {
            return Err(damaged("it does not begin like a block of samples"));
        }
        if head[MARK_LEN] > HEADER[MARK_LEN] {
            return Err(BlockError::Newer(head[MARK_LEN]));
        }
        let mut packing = vec![0; usize::from(head[HEADER.len()])];
        file.read_exact_at(&mut packing, head.len() as u64)?;
        let data_at = (head.len() + packing.len()) as u64;
        let (index, index_at) = read_index(&file, len, data_at)?;
        let mut end = 0_u64;
        let mut ends = |len: u32| {
            end += u64::from(len);
            end
        };
        let groups = index.runs.chunks(RUNS_BETWEEN_PLACES);
        let group_ends: Vec<u64> = groups
            .map(|runs| runs.iter().fold(0, |_, run| ends(run.len())))
            .collect();
        let run_places = [0].into_iter().chain(group_ends).collect();
        let column_ends = index.columns.iter().map(|column| ends(column.len));
        let column_ends: Vec<u64> = column_ends.collect();
        let pages = index.pages.len() as u64;
        if data_at + end != index_at || end.div_ceil(PAGE_BYTES as u64) != pages {
            return Err(damaged("its index does not fit its data"));
        }
        let mut about = index.about;
        if about.order == 0 {
            // A window was written for no store: it takes its place when it is taken in.
            about.order = number;
        }
        let block = Self {
            pages: Pages::new(file, data_at, end, index.pages, Arc::clone(cache)),
            number,
            path: path.to_owned(),
            len,
            about,
            unpacker: IntUnpacker::new(&packing)?,
            series: Vec::new(),
            runs: index.runs,
            run_places,
            columns: index.columns,
            column_ends,
            unpacked: Mutex::default(),
            damage: OnceLock::new(),
        };
        Ok(Unregistered {
            block,
            texts: index.texts,
            labels: index.labels,
            told: index.series,
        })
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of the file.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn about(&self) -> &About {
        &self.about
    }

    /// Numbers of its series, sorted.
    pub(crate) fn series(&self) -> impl ExactSizeIterator<Item = u32> {
        self.series.iter().map(|one| one.number)
    }

    /// Time of the newest sample of each of its series.
    pub(crate) fn newest(&self) -> impl Iterator<Item = (u32, i64)> {
        self.series.iter().map(|one| {
            let runs = one.first_run as usize..(one.first_run + one.runs) as usize;
            let newest = runs.map(|run| self.span_of(run).1).max();
            (one.number, newest.unwrap_or(i64::MIN))
        })
    }

    /// The runs of a series.
    fn runs_of(&self, series: u32) -> Range<usize> {
        match self.series.binary_search_by_key(&series, |one| one.number) {
            Err(_) => 0..0,
            Ok(at) => {
                let one = self.series[at];
                one.first_run as usize..(one.first_run + one.runs) as usize
            }
        }
    }

    fn span_of(&self, run: usize) -> (i64, i64) {
        let column = self.columns[self.runs[run].column as usize];
        (column.first_ms, column.last_ms)
    }

    /// Why it cannot be read from end to end, as [`SampleBlock::read_all`] found.
    pub(crate) fn damage(&self) -> Option<&str> {
        self.damage.get().map(String::as_str)
    }

    /// All samples of a series, in the order of its runs. That one cannot be read is remembered for as long as the block is open.
    pub(crate) fn read_all(
        &self,
        series: u32,
        scratch: &mut Scratch,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), ReadError> {
        let read = self.read_runs(series, scratch, times, values);
        read.inspect_err(|error| {
            // Only the first reason counts.
            let _ = self.damage.set(error.to_string());
        })
    }

    fn read_runs(
        &self,
        series: u32,
        scratch: &mut Scratch,
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), ReadError> {
        for run in self.runs_of(series) {
            times.extend_from_slice(&self.times(self.runs[run].column)?);
            self.values(run, scratch, values)?;
        }
        Ok(())
    }

    /// The runs of a series that reach into a span.
    pub(crate) fn chunks(
        block: &Arc<Self>,
        series: u32,
        from_ms: i64,
        to_ms: i64,
    ) -> impl Iterator<Item = Arc<dyn Chunk>> {
        block.runs_of(series).filter_map(move |run| {
            let (first_ms, last_ms) = block.span_of(run);
            let chunk = SealedRun {
                block: Arc::clone(block),
                run,
            };
            (first_ms <= to_ms && last_ms >= from_ms).then(|| Arc::new(chunk) as Arc<dyn Chunk>)
        })
    }

    /// Whether a series has a run that reaches into a span.
    pub(crate) fn touches(&self, series: u32, from_ms: i64, to_ms: i64) -> bool {
        self.runs_of(series).any(|run| {
            let (first_ms, last_ms) = self.span_of(run);
            first_ms <= to_ms && last_ms >= from_ms
        })
    }

    /// How many runs it has.
    pub(crate) fn runs(&self) -> usize {
        self.runs.len()
    }

    /// Distinct times from `from_ms` on.
    pub(crate) fn times_since(
        &self,
        from_ms: i64,
        mut visit: impl FnMut(i64),
    ) -> Result<(), ReadError> {
        for (number, column) in self.columns.iter().enumerate() {
            if column.last_ms >= from_ms {
                let times = self.times(crate::series::short(number))?;
                times
                    .iter()
                    .filter(|time| **time >= from_ms)
                    .for_each(|time| visit(*time));
            }
        }
        Ok(())
    }

    /// The times of a column.
    fn times(&self, column: u32) -> Result<Arc<[i64]>, ReadError> {
        let kept = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = kept.get(&column) {
            return Ok(Arc::clone(times));
        }
        drop(kept);
        let place = column as usize;
        let end = self.column_ends[place];
        let TimeColumn { count, len, .. } = self.columns[place];
        let bytes = self.read(end - u64::from(len), len)?;
        let mut scratch = Scratch::default();
        self.unpacker
            .unpack(&bytes, count as usize, &mut scratch)
            .map_err(|error| self.unreadable(&error.to_string()))?;
        if !scratch.numbers.is_sorted_by(|a, b| a < b) {
            return Err(self.unreadable("times are not in order"));
        }
        let times: Arc<[i64]> = scratch.numbers.into();
        let mut kept = self.unpacked.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= COLUMNS_KEPT_MAX {
            kept.pop_first();
        }
        kept.insert(column, Arc::clone(&times));
        Ok(times)
    }

    /// Appends the values of a run.
    fn values(
        &self,
        run: usize,
        scratch: &mut Scratch,
        values: &mut Vec<f64>,
    ) -> Result<(), ReadError> {
        let (group, of_group) = (run / RUNS_BETWEEN_PLACES, run % RUNS_BETWEEN_PLACES);
        let before = &self.runs[run - of_group..run];
        let before: u64 = before.iter().map(|run| u64::from(run.len())).sum();
        let bytes = self.read(self.run_places[group] + before, self.runs[run].len())?;
        let count = self.columns[self.runs[run].column as usize].count as usize;
        decode_values(&bytes, count, &self.unpacker, scratch, values)
            .map_err(|error| self.unreadable(&error.to_string()))
    }

    fn read(&self, at: u64, len: u32) -> Result<Vec<u8>, ReadError> {
        let read = self.pages.read(at, len as usize);
        read.map_err(|reason| self.unreadable(&reason))
    }

    fn unreadable(&self, reason: &str) -> ReadError {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        ReadError::Unreadable {
            file: name.to_string_lossy().into_owned(),
            reason: reason.to_owned(),
        }
    }
}

/// Reads bytes as an index, for the property that any bytes are read or refused.
pub(crate) fn read_index_bytes(bytes: &[u8]) {
    let _ = index::unpack(bytes);
}

/// The index of a file, and where it begins.
fn read_index(file: &File, len: u64, data_at: u64) -> Result<(Index, u64), BlockError> {
    let damaged = |what: &str| BlockError::Damaged(what.to_owned());
    let mut trailer = [0; 16];
    file.read_exact_at(&mut trailer, len - TRAILER_LEN)?;
    let (told, rest) = trailer.split_at(8);
    let told = u64::from_le_bytes(told.try_into().unwrap_or_default());
    let (checksum, mark) = rest.split_at(4);
    let index_at = (len - TRAILER_LEN).checked_sub(told);
    let index_at = index_at.filter(|at| *at >= data_at && *mark == HEADER[..MARK_LEN]);
    let index_at = index_at.ok_or_else(|| damaged("it does not end like a block of samples"))?;
    let told = usize::try_from(told).map_err(|_| damaged("its index is too large"))?;
    let mut packed = vec![0; told];
    file.read_exact_at(&mut packed, index_at)?;
    if crc32fast::hash(&packed).to_le_bytes() != *checksum {
        return Err(damaged("the checksum of its index is wrong"));
    }
    Ok((index::unpack(&packed)?, index_at))
}

/// A block whose series have no numbers yet.
pub(crate) struct Unregistered {
    block: SampleBlock,
    texts: Vec<String>,
    labels: Vec<(u32, u32)>,
    told: Vec<index::OfSeries>,
}

impl Unregistered {
    pub(crate) fn number(&self) -> u64 {
        self.block.number
    }

    pub(crate) fn path(&self) -> &Path {
        &self.block.path
    }

    pub(crate) fn about(&self) -> &About {
        &self.block.about
    }

    /// Finds its series in the registry, or adds them.
    pub(crate) fn register(self, registry: &mut Registry) -> SampleBlock {
        let text = |number: u32| self.texts[number as usize].as_str();
        let mut numbers = Vec::with_capacity(self.told.len());
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        let mut rest = self.labels.as_slice();
        for told in &self.told {
            let (labels, after) = rest.split_at(told.labels as usize);
            rest = after;
            pairs.clear();
            pairs.extend(labels.iter().map(|(n, v)| (text(*n), text(*v))));
            numbers.push(registry.find_or_add(&pairs).0);
        }
        self.with_numbers(&numbers)
    }

    /// Takes the numbers of its series from who wrote it, in the order they were written.
    pub(crate) fn with_numbers(mut self, numbers: &[u32]) -> SampleBlock {
        let mut first_run = 0;
        let series = numbers.iter().zip(&self.told).map(|(number, told)| {
            let one = OfSeries {
                number: *number,
                first_run,
                runs: told.runs,
            };
            first_run += told.runs;
            one
        });
        self.block.series = series.collect();
        self.block.series.sort_by_key(|one| one.number);
        self.block
    }
}

/// The file of a number.
pub(crate) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("samples-{number:010}.tcm"))
}

/// The number of a file, if it is a block of samples.
pub(crate) fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("samples-")?
        .strip_suffix(".tcm")?
        .parse()
        .ok()
}
