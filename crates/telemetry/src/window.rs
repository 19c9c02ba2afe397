//! A frozen copy of some series in a window of time, as one file of its own: it answers the same queries as the store it came from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tocsin_promql::{Ask, Select, SeriesData, Source, SourceError};

use crate::chunk::Lent;
use crate::disk::{Disk, RealDisk};
use crate::error::{MaintainError, OpenError, ReadError};
use crate::head::Head;
use crate::metrics::asked;
use crate::query::{read_points, select_in};
use crate::sample_block::{About, BlockError, BlockWriter, PageCache, SampleBlock, path_of};
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
            reason: error.at(path).source.to_string(),
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
            let (Some(first), Some(last)) = (times.first(), times.last()) else {
                continue;
            };
            let span_ms = contents.span_ms.unwrap_or((*first, *last));
            contents.span_ms = Some((span_ms.0.min(*first), span_ms.1.max(*last)));
            contents.series += 1;
            writer.begin(&labels);
            writer.put(&times, &values, None).map_err(refused)?;
        }
        contents.samples = writer.samples();
        writer.finish(About::default()).map_err(refused)?;
        Ok(contents)
    }

    /// Takes the samples of a window into the store, as a block of their own. Where the store has a sample at the same instant,
    /// that one stays.
    ///
    /// # Errors
    /// When the file is no window, or cannot be copied; then nothing was taken.
    pub fn import_window(&self, path: &Path) -> Result<WindowContents, MaintainError> {
        let contents = Window::open(path)
            .map(|window| window.contents())
            .map_err(|error| MaintainError {
                path: path.to_owned(),
                source: std::io::Error::other(error.to_string()),
            })?;
        let _alone = self.lock_upkeep();
        let number = self.take_number();
        let to = path_of(&self.folder, number);
        let bytes = std::fs::read(path).map_err(|source| MaintainError {
            path: path.to_owned(),
            source,
        })?;
        let written = self.options.disk.write_whole(&to, &bytes);
        written.map_err(|source| MaintainError {
            path: to.clone(),
            source,
        })?;
        let opened = SampleBlock::open(&to, number, &self.pages);
        let opened = opened.map_err(|error| error.at(&to))?;
        let mut head = self.head_mut();
        let block = opened.register(&mut head.registry);
        head.install(block);
        Ok(contents)
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
