//! Monitors: what is asked of the store, and what the answer means.

use serde::{Deserialize, Serialize};

use crate::id::{MonitorId, TeamId};
use crate::people::Urgency;

/// How bad it is (PagerDuty's four words).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Will hurt if nothing is done.
    Warning,
    /// Hurts some.
    Error,
    /// Hurts now.
    Critical,
}

impl Severity {
    /// Error and critical page; the rest do not.
    #[must_use]
    pub const fn urgency(self) -> Urgency {
        match self {
            Self::Error | Self::Critical => Urgency::High,
            Self::Info | Self::Warning => Urgency::Low,
        }
    }

    /// The word used in the API.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// A question to the store, asked whenever something it depends on arrives. Each element of the answer must carry the
/// label `target`; each target is a group of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    /// Its id.
    pub id: MonitorId,
    /// The team that owns it.
    pub team: TeamId,
    /// A stable name for machines (`apache-down`).
    pub slug: String,
    /// What it watches for, in plain words.
    pub name: String,
    /// Why it exists and what to do when it fires.
    pub description: String,
    /// The pack it came with (`apache`), if it did.
    pub pack: Option<String>,
    /// Whether it is asked at all.
    pub enabled: bool,
    /// PromQL; a target in the answer fails.
    pub expr: String,
    /// PromQL; a failing target in this answer has recovered. A target in neither answer stays as it was, so that silence is
    /// never taken for health.
    pub recovery: String,
    /// The target must have failed for this long.
    pub for_ms: u64,
    /// How bad it is.
    pub severity: Severity,
    /// The title of its alerts; `{target}` stands for the target's name.
    pub title: String,
    /// Endings of the title, the first whose question answers for the target is used.
    pub wording: Vec<Wording>,
    /// Reasons to wait before paging, each asked when the alert opens.
    pub holds: Vec<HoldRule>,
    /// How the onset is found in the store.
    pub onset: Option<OnsetRule>,
    /// First steps for the person who is woken.
    pub runbook: String,
}

/// An ending of a title that depends on the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Wording {
    /// PromQL.
    pub expr: String,
    /// What is appended to the title.
    pub text: String,
}

/// A reason to wait before paging, because waiting avoids a false page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldRule {
    /// PromQL; the rule holds for a target in the answer.
    pub expr: String,
    /// How long it holds at most, counted from the failure.
    pub hold_ms: u64,
    /// Whether the page goes out as soon as the question no longer answers for the target.
    pub until_clear: bool,
    /// Relapses of the incident that it still covers: a crash loop must page although each crash heals.
    pub relapses_covered: u32,
    /// For the timeline.
    pub why: String,
}

/// Where the first bad sample is looked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OnsetRule {
    /// The metric; its series of the failing target are searched.
    pub metric: String,
    /// Further label values that the series must have.
    pub labels: Vec<(String, String)>,
    /// Which samples are bad.
    pub bad: BadSample,
    /// The metric is written at the event itself: the uncertainty is at most this, whatever the interval.
    pub event_resolution_ms: Option<u64>,
}

/// When a sample is outside the objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "than", rename_all = "snake_case")]
pub enum BadSample {
    /// Exactly this value.
    Equal(f64),
    /// Above this value.
    Above(f64),
    /// Greater than the sample before it (a counter of failures).
    Increased,
}
