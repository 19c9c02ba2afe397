//! Frames of the write-ahead log: length, checksum, version, kind, sequence number, body; it knows no contents.

/// First bytes of a log file: a mark and the version of the framing.
pub(crate) const FILE_HEADER: [u8; 5] = *b"TOCW\x02";
/// Version of the framing.
pub(crate) const FRAME_VERSION: u8 = 1;
/// A frame that holds a batch as of `payload`.
pub(crate) const KIND_BATCH: u8 = 1;

/// Length and checksum.
const PREFIX_LEN: usize = 8;
/// Version, kind and sequence number.
const HEAD_LEN: usize = 10;
/// Bytes of one frame: one batch, which its producers limit far below.
const FRAME_BYTES_MAX: usize = 256 << 20;

/// One frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    pub(crate) version: u8,
    pub(crate) kind: u8,
    pub(crate) sequence: u64,
    pub(crate) body: &'a [u8],
}

/// How reading frames ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At the end of the file.
    Whole,
    /// In a frame that was not written to its end.
    Torn,
    /// In bytes that are wrong though more follow.
    Damaged,
}

/// Appends a frame whose body is these parts, one after the other.
///
/// # Panics
/// When the body is larger than any batch can be.
pub(crate) fn encode(out: &mut Vec<u8>, kind: u8, sequence: u64, body: &[&[u8]]) {
    let len = HEAD_LEN + body.iter().map(|part| part.len()).sum::<usize>();
    assert!(len <= FRAME_BYTES_MAX, "a batch of {len} bytes");
    let first = out.len();
    let short = u32::try_from(len).unwrap_or(u32::MAX);
    out.extend_from_slice(&short.to_le_bytes());
    out.extend_from_slice(&[0; 4]);
    out.push(FRAME_VERSION);
    out.push(kind);
    out.extend_from_slice(&sequence.to_le_bytes());
    for part in body {
        out.extend_from_slice(part);
    }
    let checksum = crc32fast::hash(&out[first + PREFIX_LEN..]);
    out[first + 4..first + PREFIX_LEN].copy_from_slice(&checksum.to_le_bytes());
}

/// Calls `visit` for each frame in order. Returns how many bytes were whole frames (the header included), and how it
/// ended.
pub(crate) fn scan<'a>(file: &'a [u8], mut visit: impl FnMut(Frame<'a>)) -> (usize, End) {
    if !file.starts_with(&FILE_HEADER) {
        let end = if FILE_HEADER.starts_with(file) {
            End::Torn
        } else {
            End::Damaged
        };
        return (0, end);
    }
    let mut at = FILE_HEADER.len();
    while at < file.len() {
        match read_at(&file[at..]) {
            Ok((frame, len)) => {
                visit(frame);
                at += len;
            }
            Err(end) => return (at, end),
        }
    }
    (at, End::Whole)
}

fn read_at(rest: &[u8]) -> Result<(Frame<'_>, usize), End> {
    if rest.iter().all(|byte| *byte == 0) {
        // Some file systems leave zeros where a crash cut a write.
        return Err(End::Torn);
    }
    let (Some(len), Some(checksum)) = (number(rest, 0), number(rest, 4)) else {
        return Err(End::Torn);
    };
    let len = len as usize;
    if !(HEAD_LEN..=FRAME_BYTES_MAX).contains(&len) {
        return Err(End::Damaged);
    }
    let end = PREFIX_LEN + len;
    let Some(checked) = rest.get(PREFIX_LEN..end) else {
        return Err(End::Torn);
    };
    if crc32fast::hash(checked) != checksum {
        // A wrong frame at the very end was cut by a crash that wrote its pages out of order.
        return Err(if end == rest.len() {
            End::Torn
        } else {
            End::Damaged
        });
    }
    let mut sequence = [0; 8];
    sequence.copy_from_slice(&checked[2..HEAD_LEN]);
    let frame = Frame {
        version: checked[0],
        kind: checked[1],
        sequence: u64::from_le_bytes(sequence),
        body: &checked[HEAD_LEN..],
    };
    Ok((frame, end))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        let mut file = FILE_HEADER.to_vec();
        encode(&mut file, KIND_BATCH, 1, &[b"first"]);
        encode(&mut file, KIND_BATCH, 2, &[b"sec", b"ond"]);
        file
    }

    fn check(file: &[u8], sequences: &[u64], expected: End) {
        let mut found = Vec::new();
        let (kept, end) = scan(file, |frame| found.push(frame.sequence));
        assert_eq!((found.as_slice(), end), (sequences, expected));
        assert!(kept <= file.len());
    }

    #[test]
    fn a_file_that_is_cut_anywhere_is_torn_and_keeps_its_whole_frames() {
        let file = file();
        let first_end = FILE_HEADER.len() + PREFIX_LEN + HEAD_LEN + 5;
        check(&file, &[1, 2], End::Whole);
        for cut in 0..file.len() {
            if cut == FILE_HEADER.len() {
                check(&file[..cut], &[], End::Whole);
            } else if cut == first_end {
                check(&file[..cut], &[1], End::Whole);
            } else if cut < first_end {
                check(&file[..cut], &[], End::Torn);
            } else {
                check(&file[..cut], &[1], End::Torn);
            }
        }
    }

    #[test]
    fn a_wrong_byte_before_other_frames_is_damage_not_a_torn_tail() {
        let mut damaged = file();
        let first_body = FILE_HEADER.len() + PREFIX_LEN + HEAD_LEN;
        damaged[first_body] ^= 1;
        check(&damaged, &[], End::Damaged);
    }
}
