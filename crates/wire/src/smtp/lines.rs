//! Bytes to lines, within limits. It knows no command.

/// A line, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// With the end that it came with: CR LF, or LF alone.
    Whole(Vec<u8>),
    /// It is too long, ended or not.
    TooLong,
}

/// What has come and was not taken yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    taken: usize,
    /// Up to where no line ends.
    searched: usize,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.taken == self.bytes.len()
    }

    /// The next line, if one has come.
    pub(super) fn next(&mut self, bytes_max: usize) -> Option<Line> {
        let from = self.searched.max(self.taken);
        let newline = self.bytes[from..].iter().position(|byte| *byte == b'\n');
        let end = newline.map_or(self.bytes.len(), |at| from + at + 1);
        self.searched = end;
        if end - self.taken > bytes_max {
            return Some(Line::TooLong);
        }
        newline?;
        let line = self.bytes[self.taken..end].to_vec();
        self.taken = end;
        Some(Line::Whole(line))
    }
}
