//! Why a command did not do what it was asked, and the exit code that says so. It prints nothing.

use std::fmt;
use std::process::ExitCode;

/// Why a command was not carried out. The text says what happened and what to do; it is clean for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// The server said no, or it was done and went wrong.
    Refused(String),
    /// The command line cannot be meant so.
    Usage(String),
    /// There was no answer.
    Unreachable(String),
    /// Whoever reads our output has gone; nothing is left to say.
    ReaderGone,
}

impl Failure {
    /// The exit code, as `--help` documents it.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::ReaderGone => 0,
        }
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        Self::from(failure.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(text) | Self::Usage(text) | Self::Unreachable(text) => {
                formatter.write_str(text)
            }
            Self::ReaderGone => formatter.write_str("nobody reads the output any more"),
        }
    }
}
