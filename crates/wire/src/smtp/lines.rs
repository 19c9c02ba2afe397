//! Bytes to lines, within limits. It knows no command.

/// A line, or the begin of a long one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// With the end that it came with: CR LF, or LF alone.
    Whole(Vec<u8>),
    /// The first bytes of one that is longer than asked for: what follows is the rest of it. It ends with no CR, which may be half of an
    /// end.
    Part(Vec<u8>),
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

    /// The next line, if one has come, or so many bytes of it if it has more. How the bytes came changes nothing about either.
    pub(super) fn next(&mut self, bytes_max: usize) -> Option<Line> {
        let from = self.searched.max(self.taken);
        let newline = self.bytes[from..].iter().position(|byte| *byte == b'\n');
        let newline = newline.map(|at| from + at);
        self.searched = newline.unwrap_or(self.bytes.len());
        let end = newline.map_or(self.bytes.len(), |at| at + 1);
        if end - self.taken > bytes_max {
            let end = self.taken + bytes_max;
            let is_half = self.bytes[end - 1] == b'\r';
            return Some(Line::Part(self.take(end - usize::from(is_half))));
        }
        newline?;
        Some(Line::Whole(self.take(end)))
    }

    fn take(&mut self, end: usize) -> Vec<u8> {
        let taken = self.bytes[self.taken..end].to_vec();
        self.taken = end;
        self.searched = self.searched.max(end);
        taken
    }
}
