//! Faults of the world around the shipped binary, one module each: what is broken, and what must hold all the same. What is expected
//! of each stands in the module.

mod access_locked;
mod certificates;
mod clock_jumps;
mod descriptors;
mod disk_full;
mod faketime;
mod fsync_fails;
mod inodes;
mod journal_locked;
mod killed_at_start;
mod lock;
mod names_fail;
mod paused;
mod peer_killed;
mod phone_company;
mod private_names;
mod provider_hangs;
mod provider_lies;
mod scene;
mod slow_senders;
mod small_disk;
mod strace;
mod suspended;
mod texts_lost;
mod tls_front;
mod wrong_certificates;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use clap::{Args, ValueEnum};

use self::scene::{Ground, clear};
use crate::build::Profile;
use crate::failure::{Because, Failure, Outcome};
use crate::janitor::Janitor;
use crate::places;
use crate::screen::{self, Step};
use crate::site;

#[derive(Args)]
pub(crate) struct Options {
    /// Only these faults, separated by commas
    #[arg(long, value_enum, value_delimiter = ',', value_name = "NAME")]
    only: Vec<Fault>,
    /// Only those that take seconds, which the tests run too
    #[arg(long, conflicts_with = "only")]
    quick: bool,
    /// Use this binary of Tocsin instead of building one
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// No byte is left on the disk of the data
    DiskFull,
    /// No further file can be made on the disk of the data
    Inodes,
    /// Every fsync fails
    FsyncFails,
    /// Killed at any moment of its first start and of later ones
    KilledAtStart,
    /// The process stands still while work becomes due
    Paused,
    /// No further file or connection can be opened
    Descriptors,
    /// Providers that answer nonsense, refuse, or hang up
    ProviderLies,
    /// Texts that a provider takes, and of which it says later that they were lost
    TextsLost,
    /// The name of a provider resolves no more
    NamesFail,
    /// Hundreds of senders that never finish a request
    SlowSenders,
    /// A provider that takes a message and never answers
    ProviderHangs,
    /// Texts that a provider takes, and of which it says what became of them only when asked, or never
    TextsSilent,
    /// Providers with a certificate that is foreign, outdated or unknown
    WrongCertificates,
    /// Somebody else has locked the database
    JournalLocked,
    /// Somebody else has locked the store of tokens, sign-ins and addresses
    AccessLocked,
    /// The clock of the machine is set forward and back by an hour
    ClockJumps,
    /// The server that `tocsin watch` watches is killed
    PeerKilled,
    /// The machine is suspended for eight hours
    Suspended,
}

/// How it ended, when nothing was violated.
enum Ended {
    /// All held; what was seen.
    Held(String),
    /// It cannot be tried here, and why.
    Skipped(String),
}

impl Fault {
    fn word(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    /// Whether it takes but seconds.
    const fn is_quick(self) -> bool {
        match self {
            Self::DiskFull
            | Self::Inodes
            | Self::FsyncFails
            | Self::KilledAtStart
            | Self::Paused
            | Self::Descriptors
            | Self::ProviderLies
            | Self::TextsLost
            | Self::NamesFail => true,
            Self::SlowSenders
            | Self::ProviderHangs
            | Self::TextsSilent
            | Self::WrongCertificates
            | Self::JournalLocked
            | Self::AccessLocked
            | Self::ClockJumps
            | Self::Suspended
            | Self::PeerKilled => false,
        }
    }

    fn play(self, ground: &mut Ground) -> Outcome<Ended> {
        match self {
            Self::DiskFull => disk_full::play(ground),
            Self::Inodes => inodes::play(ground),
            Self::FsyncFails => fsync_fails::play(ground),
            Self::KilledAtStart => killed_at_start::play(ground),
            Self::Paused => paused::play(ground),
            Self::Descriptors => descriptors::play(ground),
            Self::ProviderLies => provider_lies::play(ground),
            Self::TextsLost => texts_lost::play_told(ground),
            Self::NamesFail => names_fail::play(ground),
            Self::SlowSenders => slow_senders::play(ground),
            Self::ProviderHangs => provider_hangs::play(ground),
            Self::TextsSilent => texts_lost::play_silent(ground),
            Self::WrongCertificates => wrong_certificates::play(ground),
            Self::JournalLocked => journal_locked::play(ground),
            Self::AccessLocked => access_locked::play(ground),
            Self::ClockJumps => clock_jumps::play(ground),
            Self::PeerKilled => peer_killed::play(ground),
            Self::Suspended => suspended::play(ground),
        }
    }
}

/// What stands in the last line before the faults that could not be tried.
const SKIPPED: &str = "; skipped: ";

/// How the faults of a run ended.
#[derive(Default)]
struct Score {
    held: usize,
    /// Each with why it could not be tried.
    skipped: Vec<String>,
    failed: usize,
}

impl Score {
    fn sentence(&self, seconds: u64) -> String {
        let counts = format!(
            "faults: {} held, {} skipped, {} failed, in {seconds} s",
            self.held,
            self.skipped.len(),
            self.failed
        );
        if self.skipped.is_empty() {
            return counts;
        }
        format!("{counts}{SKIPPED}{}", self.skipped.join(", "))
    }
}

/// The faults that a run could not try, by its last line; none when it tried all.
pub(crate) fn skipped_in(last_line: &str) -> Option<&str> {
    last_line.split_once(SKIPPED).map(|(_, skipped)| skipped)
}

/// Plays each fault that was asked for, and says which held.
pub(crate) fn run(options: &Options) -> Outcome<()> {
    let binary = site::binary(options.binary.as_deref(), Profile::default())?;
    let dir = places::target().join("faults");
    fs::create_dir_all(&dir).because(format!("making {}", dir.display()))?;
    let dir = dir.canonicalize().because("finding its folder")?;
    let mut ground = Ground {
        binary,
        dir: dir.clone(),
        janitor: Janitor::hire()?,
    };
    let began = Instant::now();
    let mut score = Score::default();
    for fault in Fault::value_variants() {
        let wanted = match (options.only.is_empty(), options.quick) {
            (false, _) => options.only.contains(fault),
            (true, true) => fault.is_quick(),
            (true, false) => true,
        };
        if !wanted {
            continue;
        }
        ground.dir = dir.join(format!("{}-{}", fault.word(), std::process::id()));
        play(*fault, &mut ground, &mut score)?;
    }
    ground.janitor.tidy_up();
    screen::line(score.sentence(began.elapsed().as_secs()));
    if score.failed > 0 {
        Err(Failure::said())
    } else {
        Ok(())
    }
}

/// Plays one, and notes how it ended.
fn play(fault: Fault, ground: &mut Ground, score: &mut Score) -> Outcome<()> {
    let step = Step::begin(fault.word());
    match fault.play(ground) {
        Ok(Ended::Held(what)) => {
            clear(&ground.dir)?;
            step.done(what);
            score.held += 1;
        }
        Ok(Ended::Skipped(why)) => {
            step.done(format!("SKIPPED: {why}"));
            score.skipped.push(format!("{} ({why})", fault.word()));
        }
        Err(failure) => {
            step.say(&failure);
            step.say(format!("data and log are kept in {}", ground.dir.display()));
            step.failed();
            score.failed += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_names_what_was_skipped_and_why() {
        let mut score = Score {
            held: 7,
            ..Score::default()
        };
        let line = score.sentence(12);
        assert_eq!(line, "faults: 7 held, 0 skipped, 0 failed, in 12 s");
        assert_eq!(skipped_in(&line), None);
        for (fault, why) in [
            (
                Fault::FsyncFails,
                "strace is not installed; it counts calls",
            ),
            (Fault::ClockJumps, "libfaketime is not installed"),
        ] {
            score.skipped.push(format!("{} ({why})", fault.word()));
        }
        let line = score.sentence(12);
        let skipped = "fsync-fails (strace is not installed; it counts calls), clock-jumps (libfaketime is not installed)";
        assert_eq!(
            line,
            format!("faults: 7 held, 2 skipped, 0 failed, in 12 s; skipped: {skipped}")
        );
        assert_eq!(skipped_in(&line), Some(skipped));
    }
}
