//! A frozen copy of some series in a window of time, as one file of its own: it answers the same queries as the store it came from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_domain::time::Timestamp;
use tocsin_domain::write::LabelPair;
use tocsin_promql::{Ask, Labels, Select, SeriesData, Source, SourceError};

use crate::accept;
use crate::chunk::Lent;
use crate::columns::Scratch;
use crate::disk::{Disk, RealDisk};
use crate::error::{MaintainError, OpenError, ReadError};
use crate::head::Head;
use crate::maintain::Maintained;
use crate::merge::put_in_order;
use crate::metrics::asked;
use crate::options::Refused;
use crate::query::{read_points, select_in};
use crate::sample_block::{
    About, BlockError, BlockWriter, PageCache, SampleBlock, Unregistered, path_of,
};
use crate::store::Store;

/// A window that was read.
pub struct Window {
    head: Head,
}

/// What is in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WindowContents {
    /// Series.
    pub series: usize,
    /// Samples of all of them.
    pub samples: u64,
    /// First and last sample, milliseconds; none when there is no sample.
    pub span_ms: Option<(i64, i64)>,
}

/// What became of a window that was taken in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What is in the store now.
    pub taken: WindowContents,
    /// Samples that were refused.
    pub refused: Refused,
}

/// A window that could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// What is stored cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The file cannot be written.
    #[error("{} could not be written: {reason}; nothing was left there", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
}

impl Store {
    /// Writes the samples of the asked series in the asked span into a file that [`Window::open`] reads. Whole or not at all.
    ///
    /// # Errors
    /// When the store cannot be read or the file cannot be written; then there is none.
    pub fn export_series(&self, ask: &Ask<'_>, path: &Path) -> Result<WindowContents, ExportError> {
        let refused = |error: BlockError| ExportError::Write {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut series = {
            let head = self.head();
            let mut lent = Lent::default();
            let found = asked(&head, ask).into_iter();
            let found = found.map(|number| {
                let runs = head.runs(number, (ask.from_ms, ask.to_ms), &mut lent);
                (head.labels(number), runs)
            });
            found.collect::<Vec<_>>()
        };
        series.sort_by(|a, b| a.0.cmp(&b.0));
        let draft = RealDisk
            .draft(path)
            .map_err(|error| refused(BlockError::Io(error)))?;
        let mut writer = BlockWriter::new(draft).map_err(refused)?;
        let mut contents = WindowContents::default();
        for (labels, runs) in series {
            let points = read_points(&runs, ask.from_ms, ask.to_ms).map_err(ReadError::from)?;
            let (times, values): (Vec<i64>, Vec<f64>) = points.into_iter().unzip();
            if !times.is_empty() {
                contents.add(&times);
                writer.begin(&labels);
                writer.put(&times, &values, None).map_err(refused)?;
            }
        }
        writer.finish(About::default()).map_err(refused)?;
        Ok(contents)
    }

    /// Takes the samples of a window, or of a block of another store, in as a block of their own. Where the store has a sample at
    /// the same instant, that one stays. Samples too far ahead of `now`, and series beyond the limits, are refused and counted.
    ///
    /// # Errors
    /// When the file is no window or is damaged, or no block can be written; then nothing was taken.
    pub fn import_window(&self, path: &Path, now: Timestamp) -> Result<Imported, MaintainError> {
        let window = Window::open(path).map_err(|error| not_taken(path, &error.to_string()))?;
        let _alone = self.lock_upkeep();
        // Of two samples at one instant that of the older block stays: what is in memory has to be in one.
        self.seal_all(&mut Maintained::default())?;
        let number = self.take_number();
        let to = path_of(&self.folder, number);
        let draft = self.options.disk.draft(&to);
        let draft = draft.map_err(|error| BlockError::Io(error).at(&to))?;
        let mut writer = BlockWriter::new(draft).map_err(|error| error.at(&to))?;
        let early_ms = self.options.limits.early_ms_max;
        let mut taking = Taking {
            store: self,
            latest_ms: now.plus_ms(early_ms).as_millis(),
            new_series: 0,
            imported: Imported::default(),
        };
        for block in &window.head.sample_blocks {
            let mut scratch = Scratch::default();
            for series in block.series() {
                let (mut times, mut values) = (Vec::new(), Vec::new());
                block
                    .read_all(series, &mut scratch, &mut times, &mut values)
                    .map_err(|error| not_taken(path, &error.to_string()))?;
                put_in_order(&mut times, &mut values);
                let labels = window.head.labels(series);
                let taken = taking.take(&labels, &times);
                if taken > 0 {
                    writer.begin(&labels);
                    let put = writer.put(&times[..taken], &values[..taken], None);
                    put.map_err(|error| error.at(&to))?;
                }
            }
        }
        let imported = taking.imported;
        if imported.taken.samples > 0 {
            // Of what the file says of itself nothing is kept: it is about files of another store.
            let about = About {
                order: number,
                ..About::default()
            };
            let written = writer.finish(about);
            let opened = written.and_then(|()| SampleBlock::open(&to, number, &self.pages));
            self.install_imported(opened.map_err(|error| error.at(&to))?);
        }
        Ok(imported)
    }

    fn install_imported(&self, opened: Unregistered) {
        let mut head = self.head_mut();
        let block = opened.register(&mut head.registry);
        let series: Vec<u32> = block.series().collect();
        head.install(block);
        for one in series {
            // There may be samples now between those that stayed in memory.
            head.tails.drop_kept(one);
        }
    }
}

/// A window on its way in.
struct Taking<'a> {
    store: &'a Store,
    /// Samples after this are refused.
    latest_ms: i64,
    /// Series that the store did not know.
    new_series: usize,
    imported: Imported,
}

impl Taking<'_> {
    /// How many samples of a series are taken, the oldest ones; the rest is counted as refused.
    fn take(&mut self, labels: &Labels, times: &[i64]) -> usize {
        let limits = &self.store.options.limits;
        let fits = times.partition_point(|time| *time <= self.latest_ms);
        let refused = &mut self.imported.refused;
        refused.too_early += (times.len() - fits) as u64;
        if fits == 0 {
            return 0;
        }
        let pairs = labels.iter();
        let pairs: Vec<LabelPair<'_>> = pairs
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        if accept::unfit(&pairs, limits).is_some() {
            refused.labels += fits as u64;
            return 0;
        }
        let head = self.store.head();
        let is_new = head.registry.find(head.registry.hash_of(&*pairs), &*pairs);
        if is_new.is_none() {
            if head.registry.len() + self.new_series >= limits.series_max_of(false) {
                refused.series_limit += fits as u64;
                return 0;
            }
            self.new_series += 1;
        }
        self.imported.taken.add(&times[..fits]);
        fits
    }
}

impl WindowContents {
    /// Counts a series with these times, sorted.
    fn add(&mut self, times: &[i64]) {
        let (Some(first), Some(last)) = (times.first(), times.last()) else {
            return;
        };
        let span_ms = self.span_ms.unwrap_or((*first, *last));
        self.span_ms = Some((span_ms.0.min(*first), span_ms.1.max(*last)));
        self.series += 1;
        self.samples += times.len() as u64;
    }
}

fn not_taken(path: &Path, reason: &str) -> MaintainError {
    MaintainError::Window {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

impl Window {
    /// Reads the index of a window; samples are read when a query needs them.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or was written by a newer version.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let pages = Arc::new(PageCache::default());
        let opened = SampleBlock::open(path, 0, &pages).map_err(|error| match error {
            BlockError::Newer(found) => OpenError::Newer {
                file: path.to_owned(),
                found,
                known: 1,
            },
            BlockError::Damaged(reason) => {
                OpenError::disk(path)(std::io::Error::other(format!("it is no window: {reason}")))
            }
            BlockError::Io(error) => OpenError::disk(path)(error),
        })?;
        let mut head = Head::default();
        let block = opened.register(&mut head.registry);
        head.install(block);
        Ok(Self { head })
    }

    /// What is in it.
    #[must_use]
    pub fn contents(&self) -> WindowContents {
        let samples = self.head.samples();
        WindowContents {
            series: self.head.registry.len(),
            samples,
            span_ms: self.head.span_ms().filter(|_| samples > 0),
        }
    }
}

impl Source for Window {
    fn select(&self, select: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        select_in(&self.head, select)
    }
}
