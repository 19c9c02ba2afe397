//! What was seen of the running parts, and what of it is broken.

use super::{About, Finding, FindingKind};
use crate::people::SetUp;

/// Commits may fail for this long before it is a finding: a full disk is tried again every two seconds.
const COMMITS_FAIL_MS_MAX: u64 = 30_000;
/// Delivery looks around twice a second.
const DELIVERY_QUIET_MS_MAX: u64 = 20_000;
/// Delivery itself gives a message up that waits for longer than 18 s.
const WAITING_MS_MAX: u64 = 30_000;
/// A canary comes through within a second; one that could not is sent again after 20 s.
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

/// The stages of the canary's way, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CanaryStage {
    /// Let in by the server's own listener.
    Posted,
    /// Its page was decided, on a copy.
    Decided,
    /// That is durable.
    Written,
    /// Its attempt began: it had its turn among the messages that wait.
    Dispatched,
    /// It was taken in where it was sent to.
    Sent,
    /// How its attempt ended is durable.
    Outcome,
}

impl CanaryStage {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Posted,
        Self::Decided,
        Self::Written,
        Self::Dispatched,
        Self::Sent,
        Self::Outcome,
    ];

    /// The word used in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Posted => "posted",
            Self::Decided => "decided",
            Self::Written => "written",
            Self::Dispatched => "dispatched",
            Self::Sent => "sent",
            Self::Outcome => "outcome",
        }
    }

    /// How far it came that came not so far.
    const fn came_short(self) -> &'static str {
        match self {
            Self::Posted => "it was not posted",
            Self::Decided => "it was posted, and not decided",
            Self::Written => "it was decided, and not written",
            Self::Dispatched => "it was written, and not dispatched",
            Self::Sent => "it was dispatched, and not sent",
            Self::Outcome => "it was sent, and its outcome is not written",
        }
    }
}

/// A canary that has not come through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CanaryAway {
    /// How long none has, in milliseconds since the first of them was sent.
    pub for_ms: u64,
    /// The first stage that it did not reach.
    pub missing: CanaryStage,
    /// Why, where somebody said so.
    pub why: Option<String>,
}

impl CanaryAway {
    /// How far it came, and why no further.
    #[must_use]
    pub fn words(&self) -> String {
        let missing = self.missing.came_short();
        match &self.why {
            Some(why) => format!("{missing} ({why})"),
            None => missing.to_owned(),
        }
    }
}

/// Watchers on other machines that asked whether this server is able to page, none of which asks any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchersAway {
    /// What their tokens are called.
    pub names: Vec<String>,
    /// How long ago the last of them asked.
    pub for_ms: u64,
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
    /// The canary that has not come through; none when the last one has.
    pub canary_away: Option<CanaryAway>,
    /// The watchers that have stopped to ask; none while one asks, or where none ever did.
    pub watchers_away: Option<WatchersAway>,
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
        seen.canary_away.as_ref().and_then(canary),
        seen.watchers_away.as_ref().map(unwatched),
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

fn canary(away: &CanaryAway) -> Found {
    (away.for_ms > CANARY_MS_MAX).then(|| {
        let what = format!(
            "the canary that was sent {} s ago has not come through, and an alert would not either: {}",
            away.for_ms / 1_000,
            away.words()
        );
        (FindingKind::CanaryLate, what)
    })
}

/// How long they may be silent is judged by whoever hears them, and knows how often each asks.
fn unwatched(away: &WatchersAway) -> (FindingKind, String) {
    let names: Vec<String> = away
        .names
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let what = format!(
        "nobody watches this server any more: {} asked last {} min ago, and a failure of the whole machine would be told to nobody; \
         start `tocsin watch` there again, or revoke its token where it shall watch no more",
        names.join(", "),
        away.for_ms / 60_000
    );
    (FindingKind::Unwatched, what)
}
