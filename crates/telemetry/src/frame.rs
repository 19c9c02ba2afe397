//! Frames of the write-ahead log: length, checksum, version, kind, sequence number, body; it knows no contents.

/// First bytes of a log file: a mark and the version of the framing.
pub(crate) const FILE_HEADER: [u8; 5] = *b"TOCW\x02";
/// Version of the framing.
pub(crate) const FRAME_VERSION: u8 = 1;
/// A frame that holds a batch as of `payload`.
pub(crate) const KIND_BATCH: u8 = 1;

/// Sequence number of a frame that only names series: every batch has a larger one, so it is never taken for one.
pub(crate) const NAMES_ONLY: u64 = 0;

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
    /// At the end of the file, or of what was written of it: zeros follow.
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
/// ended. Zeros behind the last frame are room that was made for more.
pub(crate) fn scan<'a>(file: &'a [u8], mut visit: impl FnMut(Frame<'a>)) -> (usize, End) {
    let zeros = file.iter().rev().take_while(|byte| **byte == 0).count();
    let written = &file[..file.len() - zeros];
    if !file.starts_with(&FILE_HEADER) {
        // A crash may leave the length of a file without what was written to it.
        let end = if FILE_HEADER.starts_with(file) || written.is_empty() {
            End::Torn
        } else {
            End::Damaged
        };
        return (0, end);
    }
    let mut sequence = 0;
    let mut at = FILE_HEADER.len();
    while at < written.len() {
        match read_at(&file[at..], written.len() - at) {
            Ok((frame, len)) => {
                sequence = frame.sequence.max(sequence);
                visit(frame);
                at += len;
            }
            Err(End::Torn) if has_frame_after(&file[at + 1..], written.len() - at, sequence) => {
                return (at, End::Damaged);
            }
            Err(end) => return (at, end),
        }
    }
    (at, End::Whole)
}

/// Whether a whole frame with a later number begins anywhere: then what stands before it was whole once too.
fn has_frame_after(rest: &[u8], written: usize, sequence: u64) -> bool {
    let starts = 0..written.min(rest.len());
    starts.into_iter().any(|at| {
        let looks_like_one = rest.get(at + PREFIX_LEN..at + PREFIX_LEN + 2)
            == Some(&[FRAME_VERSION, KIND_BATCH][..]);
        looks_like_one && read_at(&rest[at..], 0).is_ok_and(|(frame, _)| frame.sequence > sequence)
    })
}

/// Of `rest` only `written` bytes are no zeros at its end.
fn read_at(rest: &[u8], written: usize) -> Result<(Frame<'_>, usize), End> {
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
        return Err(if end >= written {
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
    fn a_length_that_reaches_beyond_the_end_is_damage_when_a_frame_follows() {
        let mut damaged = file();
        damaged[FILE_HEADER.len() + 2] ^= 0x10;
        check(&damaged, &[], End::Damaged);
        let second = FILE_HEADER.len() + PREFIX_LEN + HEAD_LEN + 5;
        let mut torn = file();
        torn[second + 2] ^= 0x10;
        check(&torn, &[1], End::Torn);
    }

    #[test]
    fn a_file_of_zeros_was_never_written() {
        check(&[0; 4_096], &[], End::Torn);
    }

    #[test]
    fn zeros_behind_the_last_frame_are_room_and_a_frame_that_was_cut_among_them_is_torn() {
        let file = file();
        let first_end = FILE_HEADER.len() + PREFIX_LEN + HEAD_LEN + 5;
        for written in FILE_HEADER.len()..=file.len() {
            let mut with_room = file[..written].to_vec();
            with_room.resize(file.len() + 1_000, 0);
            let (sequences, end): (&[u64], End) = if written == file.len() {
                (&[1, 2], End::Whole)
            } else if written == first_end {
                (&[1], End::Whole)
            } else if written == FILE_HEADER.len() {
                (&[], End::Whole)
            } else if written < first_end {
                (&[], End::Torn)
            } else {
                (&[1], End::Torn)
            };
            check(&with_room, sequences, end);
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
