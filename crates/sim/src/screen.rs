//! Lines on standard output; it decides nothing.

use std::fmt::Display;
use std::io::{self, Write};

/// Writes one line; a closed pipe is not worth dying for.
pub fn line(text: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}
