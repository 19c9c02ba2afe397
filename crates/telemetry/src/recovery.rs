//! Opening: blocks, then the log behind them; damage is set aside and reported, never fatal.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use tocsin_domain::time::Timestamp;
use tocsin_promql::Labels;

use crate::error::OpenError;
use crate::frame::{self, End, FILE_HEADER, FRAME_VERSION, Frame, KIND_BATCH};
use crate::head::Head;
use crate::options::{OpenReport, Options, SetAside, TornTail};
use crate::payload;
use crate::record_block::{Block, block_number};
use crate::sample_block::{self, BlockError, PageCache, SampleBlock, Unregistered};
use crate::store::{Position, Unwritten, Writer};
use crate::wal::{LogEnd, Queue, Resume, segment_number, segment_path};

/// An opened folder.
pub(crate) struct Opened {
    pub(crate) head: Head,
    pub(crate) end: LogEnd,
    pub(crate) writer: Writer,
    pub(crate) pages: Arc<PageCache>,
    pub(crate) lock: File,
    pub(crate) report: OpenReport,
}

/// What is known while files are read.
struct Recovery<'a> {
    folder: &'a Path,
    options: &'a Options,
    head: Head,
    report: OpenReport,
    /// The last frame that is in a block or was applied.
    sequence: u64,
    /// The last frame that was read.
    applied: u64,
    /// The last frame whose samples are in a block, and the last whose records are.
    samples_through: u64,
    records_through: u64,
    logged_since: Option<Timestamp>,
    logged_record_bytes: u64,
}

/// A series as a file of the log names it.
enum Named {
    /// Its labels, as long as no sample needed its number.
    Labels(Labels),
    /// Its number in this process.
    Number(u32),
}

impl Named {
    fn number(&mut self, head: &mut Head) -> u32 {
        match self {
            Self::Number(number) => *number,
            Self::Labels(labels) => {
                let pairs: Vec<(&str, &str)> = labels.iter().collect();
                let (number, _) = head.registry.find_or_add(&pairs);
                *self = Self::Number(number);
                number
            }
        }
    }
}

pub(crate) fn open(folder: &Path, options: &Options) -> Result<Opened, OpenError> {
    std::fs::create_dir_all(folder).map_err(OpenError::disk(folder))?;
    let lock = lock(folder)?;
    let files = list(folder)?;
    let mut recovery = Recovery {
        folder,
        options,
        head: Head::default(),
        report: OpenReport::default(),
        sequence: 0,
        applied: 0,
        samples_through: 0,
        records_through: 0,
        logged_since: None,
        logged_record_bytes: 0,
    };
    let pages = Arc::new(PageCache::default());
    for (name, _) in &files.records {
        recovery.open_records(name)?;
    }
    recovery.open_samples(&files.samples, &pages)?;
    let sealed = recovery.samples_through.max(recovery.records_through);
    recovery.sequence = sealed;
    let mut closed = Vec::new();
    let mut last = None;
    for (name, number) in &files.segments {
        if let Some((previous, _)) = last.take() {
            closed.push(previous);
        }
        last = recovery.read_segment(name, *number)?;
    }
    let resume = Resume {
        segment: last,
        next_segment: files.segments.last().map_or(1, |(_, number)| number + 1),
        sequence: recovery.sequence,
    };
    let end = LogEnd::resume(Arc::clone(&options.disk), folder, &resume)
        .map_err(OpenError::disk(folder))?;
    let mut report = recovery.report;
    report.position = Position::from_u64(recovery.sequence);
    report.newest_ms = recovery.head.span_ms().map(|(_, newest_ms)| newest_ms);
    let blocks = files.records.iter().chain(&files.samples);
    let last_block = blocks.map(|(_, number)| *number).max().unwrap_or_default();
    Ok(Opened {
        head: recovery.head,
        end,
        writer: Writer {
            queue: Queue::new(recovery.sequence, options.limits.waiting_bytes_max),
            closed,
            frozen_files: Vec::new(),
            frozen_through: 0,
            next_block: last_block + 1,
            logged_since: recovery.logged_since,
            logged_record_bytes: recovery.logged_record_bytes,
            refused: crate::options::Refused::default(),
            unwritten: Unwritten::default(),
        },
        pages,
        lock,
        report,
    })
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(OpenError::disk(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            folder: folder.to_owned(),
        }),
        Err(TryLockError::Error(error)) => Err(OpenError::disk(path)(error)),
    }
}

/// The store's files, oldest first.
struct Files {
    records: Vec<(String, u64)>,
    samples: Vec<(String, u64)>,
    segments: Vec<(String, u64)>,
}

fn list(folder: &Path) -> Result<Files, OpenError> {
    let mut files = Files {
        records: Vec::new(),
        samples: Vec::new(),
        segments: Vec::new(),
    };
    for entry in std::fs::read_dir(folder).map_err(OpenError::disk(folder))? {
        let entry = entry.map_err(OpenError::disk(folder))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if let Some(number) = block_number(&name) {
            files.records.push((name, number));
        } else if let Some(number) = sample_block::number_of(&name) {
            files.samples.push((name, number));
        } else if let Some(number) = segment_number(&name) {
            files.segments.push((name, number));
        } else if name.ends_with(".draft") {
            // A block that was being written when the process ended: its samples are still in the log.
            std::fs::remove_file(entry.path()).map_err(OpenError::disk(entry.path()))?;
        }
    }
    files.records.sort_by_key(|(_, number)| *number);
    files.samples.sort_by_key(|(_, number)| *number);
    files.segments.sort_by_key(|(_, number)| *number);
    Ok(files)
}

impl Recovery<'_> {
    fn open_records(&mut self, name: &str) -> Result<(), OpenError> {
        let path = self.folder.join(name);
        if let Some(block) = self.opened(name, Block::open(&path))? {
            self.records_through = self.records_through.max(block.sealed_through());
            self.head.record_blocks.push(Arc::new(block));
        }
        Ok(())
    }

    fn open_samples(
        &mut self,
        files: &[(String, u64)],
        pages: &Arc<PageCache>,
    ) -> Result<(), OpenError> {
        let mut opened: Vec<Unregistered> = Vec::with_capacity(files.len());
        for (name, number) in files {
            let path = self.folder.join(name);
            opened.extend(self.opened(name, SampleBlock::open(&path, *number, pages))?);
        }
        let replaced = opened.iter().flat_map(|block| &block.about().replaces);
        let replaced: BTreeSet<u64> = replaced.copied().collect();
        for block in opened {
            self.samples_through = self.samples_through.max(block.about().sealed_through);
            if replaced.contains(&block.number()) {
                // The process ended between writing a merged block and removing those it was merged from. If this one cannot be
                // removed it stays void; upkeep tries again, and tells.
                let _ = self.options.disk.remove(block.path());
                self.report.blocks -= 1;
                continue;
            }
            let block = block.register(&mut self.head.registry);
            self.head.install(block);
        }
        Ok(())
    }

    /// A block that was opened; none when it is damaged, and was set aside.
    fn opened<T>(
        &mut self,
        name: &str,
        opened: Result<T, BlockError>,
    ) -> Result<Option<T>, OpenError> {
        let path = self.folder.join(name);
        match opened {
            Ok(block) => {
                self.report.blocks += 1;
                Ok(Some(block))
            }
            Err(BlockError::Newer(found)) => Err(OpenError::Newer {
                file: path,
                found,
                known: 1,
            }),
            Err(BlockError::Damaged(reason)) => self.set_aside(name, reason).map(|()| None),
            Err(BlockError::Io(error)) => Err(OpenError::disk(path)(error)),
        }
    }

    /// Applies a file of the log. Returns its number and whole length, if it can be written on.
    fn read_segment(&mut self, name: &str, number: u64) -> Result<Option<(u64, u64)>, OpenError> {
        let path = self.folder.join(name);
        let bytes = std::fs::read(&path).map_err(OpenError::disk(&path))?;
        if bytes.len() >= FILE_HEADER.len()
            && bytes[..4] == FILE_HEADER[..4]
            && bytes[4] > FILE_HEADER[4]
        {
            return Err(OpenError::Newer {
                file: path,
                found: bytes[4],
                known: FILE_HEADER[4],
            });
        }
        let mut frames = Vec::new();
        let (kept, end) = frame::scan(&bytes, |frame| frames.push(frame));
        let mut named = HashMap::new();
        let mut misread = None;
        for frame in &frames {
            if let Err(reason) = self.apply(frame, &mut named) {
                misread = Some(format!("frame {}: {reason}", frame.sequence));
            }
        }
        let kept_bytes = kept as u64;
        match (end, misread) {
            (End::Whole, None) => Ok(Some((number, kept_bytes))),
            (End::Torn, None) => {
                self.report.torn_tail = Some(TornTail {
                    file: name.to_owned(),
                    kept_bytes,
                    cut_bytes: (bytes.len() - kept) as u64,
                });
                if kept < FILE_HEADER.len() {
                    std::fs::remove_file(&path).map_err(OpenError::disk(&path))?;
                    return Ok(None);
                }
                self.cut(number, kept_bytes)?;
                Ok(Some((number, kept_bytes)))
            }
            (End::Damaged, _) | (_, Some(_)) => self.keep_good_part(name, number, &bytes[..kept]),
        }
    }

    fn apply(
        &mut self,
        frame: &Frame<'_>,
        named: &mut HashMap<u32, Named>,
    ) -> Result<(), &'static str> {
        if frame.version > FRAME_VERSION || frame.kind != KIND_BATCH {
            return Err("it is of a kind this version does not know");
        }
        let payload = payload::decode(frame.body).ok_or("it makes no sense")?;
        let newly_named = payload.series.iter();
        named.extend(newly_named.map(|(number, labels)| (*number, Named::Labels(labels.clone()))));
        if frame.sequence <= self.applied {
            // It was written twice because a sync had failed.
            return Ok(());
        }
        self.applied = frame.sequence;
        self.sequence = self.sequence.max(frame.sequence);
        if frame.sequence <= self.samples_through.min(self.records_through) {
            return Ok(());
        }
        self.report.frames += 1;
        let mut newest_ms = None;
        if frame.sequence > self.samples_through {
            newest_ms = self.apply_samples(&payload, named)?;
        }
        if frame.sequence > self.records_through {
            let facts = payload.facts.iter().map(|one| one.at.as_millis());
            let logs = payload.logs.iter().map(|one| one.at.as_millis());
            newest_ms = newest_ms.max(facts.chain(logs).max());
            if !payload.facts.is_empty() || !payload.logs.is_empty() {
                self.logged_record_bytes += frame.body.len() as u64;
            }
            self.head.fresh.facts.extend(payload.facts);
            self.head.fresh.logs.extend(payload.logs);
        }
        if self.logged_since.is_none() {
            self.logged_since = newest_ms.map(Timestamp::from_millis);
        }
        Ok(())
    }

    /// Applies samples and what belongs to them. Gives the newest one's time.
    fn apply_samples(
        &mut self,
        payload: &payload::Payload,
        named: &mut HashMap<u32, Named>,
    ) -> Result<Option<i64>, &'static str> {
        self.report.samples += payload.points.len() as u64;
        let unnamed = "a series has no labels";
        for point in &payload.points {
            let named = named.get_mut(&point.series).ok_or(unnamed)?;
            let series = named.number(&mut self.head);
            // A conflict was refused when it was appended, and is again.
            let _ = self.head.tails.push(series, point.at_ms, point.value);
        }
        for (series, exemplar) in &payload.exemplars {
            let named = named.get_mut(series).ok_or(unnamed)?;
            let series = named.number(&mut self.head);
            self.head.exemplars.push(series, exemplar.clone());
        }
        for (metric, metadata) in &payload.metadata {
            // Beyond the bound it would not have been taken either.
            let _ = self.head.metadata.learn(metric, metadata);
        }
        Ok(payload.points.iter().map(|point| point.at_ms).max())
    }

    fn cut(&self, number: u64, len: u64) -> Result<(), OpenError> {
        let path = segment_path(self.folder, number);
        let extended = self.options.disk.extend_log(&path, len);
        extended.map(drop).map_err(OpenError::disk(path))
    }

    /// Sets a damaged file aside and puts its good beginning in its place.
    fn keep_good_part(
        &mut self,
        name: &str,
        number: u64,
        good: &[u8],
    ) -> Result<Option<(u64, u64)>, OpenError> {
        let reason = format!("damaged after {} good bytes, which were kept", good.len());
        self.set_aside(name, reason)?;
        if good.len() <= FILE_HEADER.len() {
            return Ok(None);
        }
        let path = segment_path(self.folder, number);
        let written = self.options.disk.write_whole(&path, good);
        written.map_err(OpenError::disk(path))?;
        Ok(Some((number, good.len() as u64)))
    }

    fn set_aside(&mut self, name: &str, reason: String) -> Result<(), OpenError> {
        let from = self.folder.join(name);
        let mut corrupt = format!("{name}.corrupt");
        let mut attempt = 1;
        while self.folder.join(&corrupt).exists() {
            attempt += 1;
            corrupt = format!("{name}.{attempt}.corrupt");
        }
        std::fs::rename(&from, self.folder.join(&corrupt)).map_err(OpenError::disk(&from))?;
        self.report.set_aside.push(SetAside {
            file: corrupt,
            reason,
        });
        Ok(())
    }
}
