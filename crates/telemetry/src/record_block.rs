//! Immutable files of sealed facts and log lines: written whole, read piece by piece; they know no log and no query.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tocsin_domain::id::TargetId;
use tocsin_domain::time::Timestamp;

use crate::error::ReadError;
use crate::head::Records;
use crate::payload::{pack, unpack};
use crate::sample_block::BlockError;
use crate::varint::{Reader, put_bytes, put_i64, put_len, put_u64};

/// First bytes of a block: a mark and the version of its layout.
const HEADER: [u8; 5] = *b"TOCB\x02";
const MARK_LEN: usize = 4;
/// Length and checksum of the index, and the mark again.
const TRAILER_LEN: u64 = 12;
/// Bytes of an index that we are willing to read.
const INDEX_BYTES_MAX: u32 = 256 << 20;

/// Records of one group.
const GROUP_RECORDS: usize = 512;

/// Kinds of record groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Facts,
    Logs,
}

/// A sealed file of records and what its index says.
pub(crate) struct Block {
    file: BlockFile,
    /// Bytes of the file.
    len: u64,
    /// The last frame of the log whose contents are in here.
    sealed_through: u64,
    span_ms: (i64, i64),
    groups: Vec<Group>,
}

/// An open file.
struct BlockFile {
    file: File,
    path: PathBuf,
}

/// Where bytes stand in a file.
#[derive(Clone, Copy, Debug)]
struct Place {
    offset: u64,
    len: u32,
    checksum: u32,
}

/// Records of one target in a file, sorted by time.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) kind: RecordKind,
    pub(crate) target: TargetId,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    place: Place,
}

/// A record that has a target and a time.
pub(crate) trait Dated {
    /// Its target.
    fn target(&self) -> TargetId;
    /// Its time.
    fn at(&self) -> Timestamp;
}

/// The bytes of a block that holds these records.
pub(crate) fn build(records: &Records, sealed_through: u64) -> Result<Vec<u8>, BlockError> {
    let mut writer = Writer {
        bytes: HEADER.to_vec(),
    };
    let mut groups = writer.put_records(RecordKind::Facts, &records.facts)?;
    groups.extend(writer.put_records(RecordKind::Logs, &records.logs)?);
    let mut span_ms = (i64::MAX, i64::MIN);
    for group in &groups {
        span_ms.0 = span_ms.0.min(group.first.as_millis());
        span_ms.1 = span_ms.1.max(group.last.as_millis());
    }
    let index = encode_index(sealed_through, span_ms, &groups);
    let mut bytes = writer.bytes;
    bytes.extend_from_slice(&index);
    bytes.extend_from_slice(&short(index.len())?.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&index).to_le_bytes());
    bytes.extend_from_slice(&HEADER[..MARK_LEN]);
    Ok(bytes)
}

impl Block {
    /// Opens a file and reads its index.
    pub(crate) fn open(path: &Path) -> Result<Self, BlockError> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let mut header = [0; HEADER.len()];
        let damaged = |what: &str| BlockError::Damaged(what.to_owned());
        if len < HEADER.len() as u64 + TRAILER_LEN {
            return Err(damaged("it is too short"));
        }
        file.read_exact_at(&mut header, 0)?;
        if header[..MARK_LEN] != HEADER[..MARK_LEN] {
            return Err(damaged("it does not begin like a block"));
        }
        if header[MARK_LEN] > HEADER[MARK_LEN] {
            return Err(BlockError::Newer(header[MARK_LEN]));
        }
        let mut trailer = [0; 12];
        file.read_exact_at(&mut trailer, len - TRAILER_LEN)?;
        let [a, b, c, d, e, f, g, h, mark @ ..] = trailer;
        let index_len = u32::from_le_bytes([a, b, c, d]);
        let checksum = u32::from_le_bytes([e, f, g, h]);
        let index_at = (len - TRAILER_LEN).checked_sub(u64::from(index_len));
        let Some(index_at) =
            index_at.filter(|_| mark == HEADER[..MARK_LEN] && index_len <= INDEX_BYTES_MAX)
        else {
            return Err(damaged("it does not end like a block"));
        };
        let mut index = vec![0; index_len as usize];
        file.read_exact_at(&mut index, index_at)?;
        if crc32fast::hash(&index) != checksum {
            return Err(damaged("the checksum of its index is wrong"));
        }
        let (sealed_through, span_ms, groups) =
            decode_index(&index).ok_or_else(|| damaged("its index makes no sense"))?;
        Ok(Self {
            file: BlockFile {
                file,
                path: path.to_owned(),
            },
            len,
            sealed_through,
            span_ms,
            groups,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.file.path
    }

    /// The last frame of the log whose contents are in here.
    pub(crate) fn sealed_through(&self) -> u64 {
        self.sealed_through
    }

    /// First and last instant of what it holds, milliseconds.
    pub(crate) fn span_ms(&self) -> (i64, i64) {
        self.span_ms
    }

    /// Bytes of the file.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The records of one of its groups.
    pub(crate) fn records<T: DeserializeOwned>(&self, group: &Group) -> Result<Vec<T>, ReadError> {
        let bytes = self.file.read(group.place)?;
        unpack(&bytes).ok_or_else(|| self.file.unreadable("records make no sense"))
    }
}

impl BlockFile {
    fn read(&self, place: Place) -> Result<Vec<u8>, ReadError> {
        let mut bytes = vec![0; place.len as usize];
        self.file
            .read_exact_at(&mut bytes, place.offset)
            .map_err(|error| self.unreadable(&error.to_string()))?;
        if crc32fast::hash(&bytes) != place.checksum {
            return Err(self.unreadable("a checksum is wrong"));
        }
        Ok(bytes)
    }

    fn unreadable(&self, reason: &str) -> ReadError {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        ReadError::Unreadable {
            file: name.to_string_lossy().into_owned(),
            reason: reason.to_owned(),
        }
    }
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn put(&mut self, piece: &[u8]) -> Result<Place, BlockError> {
        let place = Place {
            offset: self.bytes.len() as u64,
            len: short(piece.len())?,
            checksum: crc32fast::hash(piece),
        };
        self.bytes.extend_from_slice(piece);
        Ok(place)
    }

    fn put_records<T: Dated + Serialize>(
        &mut self,
        kind: RecordKind,
        records: &[T],
    ) -> Result<Vec<Group>, BlockError> {
        let mut sorted: Vec<&T> = records.iter().collect();
        sorted.sort_by_key(|record| (record.target(), record.at()));
        let mut groups = Vec::new();
        for of_target in sorted.chunk_by(|a, b| a.target() == b.target()) {
            for group in of_target.chunks(GROUP_RECORDS) {
                let (Some(first), Some(last)) = (group.first(), group.last()) else {
                    continue;
                };
                let packed = pack(group).map_err(|error| BlockError::Damaged(error.to_string()))?;
                groups.push(Group {
                    kind,
                    target: first.target(),
                    first: first.at(),
                    last: last.at(),
                    place: self.put(&packed)?,
                });
            }
        }
        Ok(groups)
    }
}

fn short(len: usize) -> Result<u32, BlockError> {
    u32::try_from(len).map_err(|_| BlockError::Damaged("a piece is above 4 GiB".to_owned()))
}

type Index = (u64, (i64, i64), Vec<Group>);

fn encode_index(sealed_through: u64, span_ms: (i64, i64), groups: &[Group]) -> Vec<u8> {
    let mut out = Vec::new();
    put_u64(&mut out, sealed_through);
    put_i64(&mut out, span_ms.0);
    put_i64(&mut out, span_ms.1);
    put_len(&mut out, groups.len());
    for group in groups {
        out.push(match group.kind {
            RecordKind::Facts => 1,
            RecordKind::Logs => 2,
        });
        put_bytes(&mut out, group.target.as_str().as_bytes());
        put_i64(&mut out, group.first.as_micros());
        put_i64(&mut out, group.last.as_micros());
        put_place(&mut out, group.place);
    }
    out
}

fn decode_index(bytes: &[u8]) -> Option<Index> {
    let mut reader = Reader(bytes);
    let sealed_through = reader.u64()?;
    let span_ms = (reader.i64()?, reader.i64()?);
    let mut groups = Vec::new();
    for _ in 0..reader.count()? {
        groups.push(Group {
            kind: match reader.u8()? {
                1 => RecordKind::Facts,
                2 => RecordKind::Logs,
                _ => return None,
            },
            target: reader.text()?.parse().ok()?,
            first: Timestamp::from_micros(reader.i64()?),
            last: Timestamp::from_micros(reader.i64()?),
            place: read_place(&mut reader)?,
        });
    }
    Some((sealed_through, span_ms, groups))
}

fn put_place(out: &mut Vec<u8>, place: Place) {
    put_u64(out, place.offset);
    put_u64(out, u64::from(place.len));
    put_u64(out, u64::from(place.checksum));
}

fn read_place(reader: &mut Reader<'_>) -> Option<Place> {
    Some(Place {
        offset: reader.u64()?,
        len: u32::try_from(reader.u64()?).ok()?,
        checksum: u32::try_from(reader.u64()?).ok()?,
    })
}

/// The file of a number.
pub(crate) fn block_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("block-{number:010}.tcb"))
}

/// The number of a file, if it is a block.
pub(crate) fn block_number(name: &str) -> Option<u64> {
    name.strip_prefix("block-")?
        .strip_suffix(".tcb")?
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_bytes_are_an_index_or_refused(bytes: Vec<u8>) {
            let _ = decode_index(&bytes);
        }
    }
}
