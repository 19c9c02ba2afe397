//! Opening: blocks, then the log behind them; damage is set aside and reported, never fatal.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use tocsin_promql::Labels;

use crate::block::{Block, BlockError, block_number};
use crate::error::OpenError;
use crate::frame::{self, End, FILE_HEADER, FRAME_VERSION, Frame, KIND_BATCH};
use crate::head::Head;
use crate::options::{OpenReport, Options, SetAside, TornTail};
use crate::payload;
use crate::store::{Position, Unwritten, Writer};
use crate::wal::{Resume, Wal, segment_number, segment_path};

/// An opened folder.
pub(crate) struct Opened {
    pub(crate) head: Head,
    pub(crate) writer: Writer,
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
    logged_since_ms: Option<i64>,
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
                let number = head.series_of(labels);
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
        logged_since_ms: None,
    };
    for (name, _) in files.blocks.iter() {
        recovery.open_block(name)?;
    }
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
    let limit = options.limits.waiting_bytes_max;
    let wal = Wal::resume(Arc::clone(&options.disk), folder, limit, &resume)
        .map_err(OpenError::disk(folder))?;
    let mut report = recovery.report;
    report.position = Position::from_u64(recovery.sequence);
    report.newest_ms = recovery.head.newest_of_all_ms();
    Ok(Opened {
        head: recovery.head,
        writer: Writer {
            wal,
            closed,
            frozen_files: Vec::new(),
            frozen_through: 0,
            next_block: files.blocks.last().map_or(1, |(_, number)| number + 1),
            logged_since_ms: recovery.logged_since_ms,
            refused: crate::options::Refused::default(),
            unwritten: Unwritten::default(),
        },
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
    blocks: Vec<(String, u64)>,
    segments: Vec<(String, u64)>,
}

fn list(folder: &Path) -> Result<Files, OpenError> {
    let mut files = Files {
        blocks: Vec::new(),
        segments: Vec::new(),
    };
    for entry in std::fs::read_dir(folder).map_err(OpenError::disk(folder))? {
        let entry = entry.map_err(OpenError::disk(folder))?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        if let Some(number) = block_number(&name) {
            files.blocks.push((name, number));
        } else if let Some(number) = segment_number(&name) {
            files.segments.push((name, number));
        } else if name.ends_with(".draft") {
            // A block that was being written when the process ended: its samples are still in the log.
            std::fs::remove_file(entry.path()).map_err(OpenError::disk(entry.path()))?;
        }
    }
    files.blocks.sort_by_key(|(_, number)| *number);
    files.segments.sort_by_key(|(_, number)| *number);
    Ok(files)
}

impl Recovery<'_> {
    fn open_block(&mut self, name: &str) -> Result<(), OpenError> {
        let path = self.folder.join(name);
        match Block::open(&path) {
            Ok(block) => {
                self.sequence = self.sequence.max(block.sealed_through());
                self.head.install(Arc::new(block), false);
                self.report.blocks += 1;
                Ok(())
            }
            Err(BlockError::Newer(found)) => Err(OpenError::Newer {
                file: path,
                found,
                known: 1,
            }),
            Err(BlockError::Damaged(reason)) => self.set_aside(name, reason),
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
        let newly_named = payload.series.into_iter();
        named.extend(newly_named.map(|(number, labels)| (number, Named::Labels(labels))));
        if frame.sequence <= self.sequence {
            // It is in a block already, or was written twice because a sync had failed.
            return Ok(());
        }
        self.sequence = frame.sequence;
        self.report.frames += 1;
        self.report.samples += payload.points.len() as u64;
        let mut newest_ms = None;
        for mut point in payload.points {
            let named = named
                .get_mut(&point.series)
                .ok_or("a series has no labels")?;
            point.series = named.number(&mut self.head);
            newest_ms = newest_ms.max(Some(point.at_ms));
            // A conflict was refused when it was appended, and is again.
            let _ = self.head.push(point);
        }
        let facts = payload.facts.iter().map(|one| one.at.as_millis());
        let logs = payload.logs.iter().map(|one| one.at.as_millis());
        newest_ms = newest_ms.max(facts.chain(logs).max());
        if self.logged_since_ms.is_none() {
            self.logged_since_ms = newest_ms;
        }
        self.head.fresh.facts.extend(payload.facts);
        self.head.fresh.logs.extend(payload.logs);
        Ok(())
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
