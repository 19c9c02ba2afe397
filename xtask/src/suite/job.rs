//! The chores that run in processes of their own: what each is told, and where what it said is kept. It runs none.

use std::path::PathBuf;

use crate::drill::{Break, CrashAt};
use crate::places;

/// A chore that runs in a process of its own, on a binary that was built before.
pub(super) struct Job {
    pub(super) name: String,
    pub(super) words: Vec<&'static str>,
    /// Its limits are tenths of seconds: when it fails beside another, it is tried once more alone.
    pub(super) again_alone: bool,
}

/// Which try of a job; neither overwrites what the other has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    First,
    Again,
}

impl Try {
    const fn suffix(self) -> &'static str {
        match self {
            Self::First => "",
            Self::Again => "-again",
        }
    }

    /// What a drill is told besides.
    pub(super) const fn words(self) -> &'static [&'static str] {
        match self {
            Self::First => &[],
            Self::Again => &["--again"],
        }
    }
}

/// Where all is kept that this try of a job said.
pub(super) fn log_of(job: &Job, which: Try) -> PathBuf {
    let file = format!("{}{}.log", job.name.replace(' ', "-"), which.suffix());
    places::target().join("suite").join(file)
}

pub(super) fn drill(how: &Break) -> Job {
    let words = ["drill", "--exit", "--break", how.word()];
    Job {
        again_alone: true,
        ..job(&format!("drill {}", how.word()), &words)
    }
}

/// A drill with Tocsin killed in it, whose limits do not count.
pub(super) fn crash(when: &CrashAt) -> Job {
    let words = ["drill", "--exit", "--warm-up", "5", "--crash-tocsin"];
    let name = format!("crash {}", when.word());
    job(&name, &[&words[..], &[when.word()]].concat())
}

pub(super) fn job(name: &str, words: &[&'static str]) -> Job {
    Job {
        name: name.to_owned(),
        words: words.to_vec(),
        again_alone: false,
    }
}
