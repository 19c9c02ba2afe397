//! What was seen of the running parts, and what of it is broken.

use super::{About, Finding, FindingKind};
use crate::people::SetUp;

/// Commits may fail for this long before it is a finding: a full disk is tried again every two seconds.
const COMMITS_FAIL_MS_MAX: u64 = 30_000;
/// Delivery looks around twice a second.
const DELIVERY_QUIET_MS_MAX: u64 = 20_000;
/// Delivery itself gives a message up that waits for longer than 18 s.
const WAITING_MS_MAX: u64 = 30_000;
/// A canary comes through within a second.
const CANARY_MS_MAX: u64 = 60_000;

/// How the engine answered when the auditor knocked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EngineSeen {
    /// In time.
    #[default]
    Answers,
    /// Not within this time.
    Silent {
        /// How long was waited.
        waited_ms: u64,
    },
    /// It has ended.
    Stopped,
    /// It answers nothing, and the state cannot be read either.
    Locked {
        /// How long was waited.
        waited_ms: u64,
    },
}

/// How commits go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Commits {
    /// The last one was kept.
    #[default]
    Kept,
    /// They fail.
    Fail {
        /// Since how long.
        for_ms: u64,
        /// What the journal says.
        why: String,
    },
}

/// What was seen of the running parts. The default is all well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Observations {
    /// How the engine answered.
    pub engine: EngineSeen,
    /// How commits go.
    pub commits: Commits,
    /// An event that is in the journal and not in the state, although it had time to come.
    pub unpublished: Option<u64>,
    /// How long ago delivery last went round.
    pub delivery_quiet_ms: u64,
    /// How long the oldest message waits for its turn to be sent.
    pub waiting_ms: u64,
    /// How long ago the canary was sent that has not come through; none when the last one has.
    pub canary_away_ms: Option<u64>,
    /// What messages can leave by; none where that is not known.
    pub set_up: Option<SetUp>,
}

pub(super) fn findings(seen: &Observations) -> Vec<Finding> {
    let found = [
        engine(seen.engine),
        commits(&seen.commits),
        seen.unpublished.map(|position| {
            let what = format!(
                "event {position} is in the journal, but the engine does not act on it: restart Tocsin"
            );
            (FindingKind::StateBehind, what)
        }),
        delivery(seen.delivery_quiet_ms),
        waiting(seen.waiting_ms),
        seen.canary_away_ms.and_then(canary),
    ];
    let found = found.into_iter().flatten();
    found
        .map(|(kind, what)| Finding {
            kind,
            about: About::Tocsin,
            what,
        })
        .collect()
}

type Found = Option<(FindingKind, String)>;

fn engine(seen: EngineSeen) -> Found {
    match seen {
        EngineSeen::Answers => None,
        EngineSeen::Silent { waited_ms } => Some((
            FindingKind::EngineSilent,
            format!(
                "the engine did not answer within {} s: nobody is paged until it does",
                waited_ms / 1_000
            ),
        )),
        EngineSeen::Stopped => Some((
            FindingKind::EngineStopped,
            "the engine has ended: nobody is paged until Tocsin is started again".to_owned(),
        )),
        EngineSeen::Locked { waited_ms } => Some((
            FindingKind::StateLocked,
            format!(
                "the engine holds on to the state for more than {} s: nobody is paged and nothing can be read; restart Tocsin",
                waited_ms / 1_000
            ),
        )),
    }
}

fn commits(seen: &Commits) -> Found {
    match seen {
        Commits::Fail { for_ms, why } if *for_ms > COMMITS_FAIL_MS_MAX => Some((
            FindingKind::JournalFails,
            format!(
                "the journal is in trouble for {} s, and nobody is paged for what cannot be recorded: {why}",
                for_ms / 1_000
            ),
        )),
        Commits::Kept | Commits::Fail { .. } => None,
    }
}

fn delivery(quiet_ms: u64) -> Found {
    (quiet_ms > DELIVERY_QUIET_MS_MAX).then(|| {
        let what = format!(
            "delivery has not gone round for {} s: no message leaves; restart Tocsin",
            quiet_ms / 1_000
        );
        (FindingKind::DeliverySilent, what)
    })
}

fn waiting(waiting_ms: u64) -> Found {
    (waiting_ms > WAITING_MS_MAX).then(|| {
        let what = format!(
            "a message waits for {} s to be sent: a channel is full or does not answer",
            waiting_ms / 1_000
        );
        (FindingKind::DeliveryBehind, what)
    })
}

fn canary(away_ms: u64) -> Found {
    (away_ms > CANARY_MS_MAX).then(|| {
        let what = format!(
            "the canary that was sent {} s ago has not come through: an alert would not either",
            away_ms / 1_000
        );
        (FindingKind::CanaryLate, what)
    })
}
