//! What one body may cost: each value that is looked at and each byte that is written is counted. It looks at none itself.

use std::io;

use serde_json::Value;

use super::Failure;

/// Values looked at, and sixteenths of bytes written, for one body.
const WORK_MAX: usize = 1_000_000;
/// Bytes written that count as one value looked at.
const BYTES_PER_WORK: usize = 16;
/// Bytes of one text that is made.
pub(super) const TEXT_BYTES_MAX: usize = 16 * 1_024;

/// What paths begin at.
#[derive(Clone, Copy)]
pub(super) struct Scope<'v> {
    pub(super) body: &'v Value,
    pub(super) item: &'v Value,
}

/// What is left to be done for one body.
pub(super) struct Work {
    left: usize,
}

impl Work {
    pub(super) const fn new() -> Self {
        Self { left: WORK_MAX }
    }

    pub(super) fn take(&mut self, steps: usize) -> Result<(), Failure> {
        self.left = self.left.checked_sub(steps).ok_or(Failure::TooMuchWork)?;
        Ok(())
    }

    /// Adds the beginning of `more` to `text`, as far as there is room.
    pub(super) fn write(&mut self, text: &mut String, more: &str) -> Result<(), Failure> {
        let room = TEXT_BYTES_MAX.saturating_sub(text.len());
        let more = beginning(more, room);
        self.take(more.len().div_ceil(BYTES_PER_WORK) + 1)?;
        text.push_str(more);
        Ok(())
    }

    /// The same into a text that is empty: it is not copied, but counts as if it were.
    pub(super) fn write_whole(&mut self, mut whole: String) -> Result<String, Failure> {
        whole.truncate(beginning(&whole, TEXT_BYTES_MAX).len());
        self.take(whole.len().div_ceil(BYTES_PER_WORK) + 1)?;
        Ok(whole)
    }

    /// Adds a value: what is text as it is, everything else as JSON; null is nothing.
    pub(super) fn write_value(&mut self, text: &mut String, value: &Value) -> Result<(), Failure> {
        match value {
            Value::Null => Ok(()),
            Value::String(more) => self.write(text, more),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.write_json(text, value)
            }
        }
    }

    /// Adds a value as JSON.
    pub(super) fn write_json(&mut self, text: &mut String, value: &Value) -> Result<(), Failure> {
        let mut bounded = Bounded {
            bytes: Vec::new(),
            room: TEXT_BYTES_MAX.saturating_sub(text.len()),
        };
        // It ends early where there is no more room, and what was written until then stays.
        drop(serde_json::to_writer(&mut bounded, value));
        let json = String::from_utf8_lossy(&bounded.bytes);
        self.write(text, json.trim_end_matches(char::REPLACEMENT_CHARACTER))
    }
}

/// The first bytes of a text, no more than `bytes_max`, whole characters only.
pub(super) fn beginning(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

struct Bounded {
    bytes: Vec<u8>,
    room: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(self.room);
        self.bytes.extend_from_slice(&bytes[..taken]);
        self.room -= taken;
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
