//! What went wrong, in one sentence a person can act on; it knows nothing of the chore it happened in.

use std::fmt::{self, Display};

/// A chore that could not be done, and why.
#[derive(Debug)]
pub(crate) struct Failure(String);

/// What every fallible step of a chore gives back.
pub(crate) type Outcome<T> = Result<T, Failure>;

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }

    /// A failure that was already said where it belongs.
    pub(crate) fn said() -> Self {
        Self(String::new())
    }

    pub(crate) fn is_said(&self) -> bool {
        self.0.is_empty()
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Puts what was being done in front of the reason it did not work.
pub(crate) trait Because<T> {
    /// `what` is a clause such as `reading /etc/passwd`.
    fn because(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Display> Because<T> for Result<T, E> {
    fn because(self, what: impl Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{what}: {error}")))
    }
}

/// Ends a function with a `Failure` built like `format!`.
macro_rules! fail {
    ($($argument:tt)*) => {
        return Err($crate::failure::Failure::new(format!($($argument)*)))
    };
}
pub(crate) use fail;
