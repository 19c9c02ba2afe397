//! What the auditor last found and how the canary last went, for `/readyz`, `/metrics` and `doctor`. It judges nothing.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tocsin_domain::audit::Finding;
use tocsin_domain::time::Timestamp;

use crate::delivery::tally::millis;
use crate::lock::lock;

/// An audit is made every 30 s; without one for this long, nobody looks.
const AUDIT_AGE_MAX: Duration = Duration::from_secs(90);
/// The canary is sent every 5 minutes; without one that came through for this long, it is overdue.
const CANARY_AGE_MAX: Duration = Duration::from_secs(390);

/// The stages of the canary's way, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Planned and durable.
    Committed,
    /// Taken up by delivery and taken in by the sink.
    Delivery,
    /// The answer is durable.
    Answered,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Committed, Self::Delivery, Self::Answered];

    /// The word used in metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Committed => "committed",
            Self::Delivery => "delivery",
            Self::Answered => "answered",
        }
    }
}

#[derive(Default)]
struct Kept {
    /// When auditing began: nothing is expected before.
    since: Option<Instant>,
    looks: u64,
    looked: Option<(Instant, Timestamp)>,
    findings: Vec<Finding>,
    pages: u64,
    run: u64,
    /// When the run under way was sent, and when it reached each stage.
    sent: Option<Instant>,
    reached: Vec<(Stage, Instant)>,
    /// Since when no canary that was sent has come through.
    away: Option<Instant>,
    back: Option<(Instant, Timestamp)>,
    took_ms: Vec<(Stage, u64)>,
    passed: u64,
}

/// What is known of the auditor and the canary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Whether anybody audits here.
    pub expected: bool,
    /// Looks since the start.
    pub looks: u64,
    /// When the last look was.
    pub looked_at: Option<Timestamp>,
    /// How long that is ago, whatever was done to the clock since.
    pub look_age_ms: Option<u64>,
    /// Whether no look was made for too long.
    pub look_is_overdue: bool,
    /// What it found.
    pub findings: Vec<Finding>,
    /// Messages that were sent to administrators directly.
    pub pages: u64,
    /// Canaries that were sent.
    pub canaries_sent: u64,
    /// Canaries that came through.
    pub canaries_back: u64,
    /// When the last one came through.
    pub canary_at: Option<Timestamp>,
    /// How long that is ago, whatever was done to the clock since.
    pub canary_age_ms: Option<u64>,
    /// Whether none came through for too long.
    pub canary_is_overdue: bool,
    /// How long the last one took up to each stage, in milliseconds from the beginning.
    pub took_ms: Vec<(Stage, u64)>,
}

/// Keeps what auditor and canary tell.
#[derive(Default)]
pub struct Vigil(Mutex<Kept>);

impl Vigil {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        lock(&self.0)
    }

    /// Somebody audits from now on.
    pub fn begin(&self) {
        self.lock().since.get_or_insert_with(Instant::now);
    }

    /// A look was made, and this was found.
    pub fn looked(&self, now: Timestamp, findings: Vec<Finding>) {
        let mut kept = self.lock();
        kept.looks += 1;
        kept.looked = Some((Instant::now(), now));
        kept.findings = findings;
    }

    /// Messages were sent to administrators directly.
    pub fn paged(&self, messages: usize) {
        self.lock().pages += u64::try_from(messages).unwrap_or_default();
    }

    /// The next canary is sent; gives its run.
    pub fn canary_sent(&self) -> u64 {
        let mut kept = self.lock();
        let now = Instant::now();
        kept.run += 1;
        kept.sent = Some(now);
        kept.reached.clear();
        kept.away.get_or_insert(now);
        kept.run
    }

    /// The canary of this run has come so far.
    pub fn canary_at(&self, run: u64, stage: Stage) {
        let mut kept = self.lock();
        if run == kept.run {
            kept.reached.push((stage, Instant::now()));
        }
    }

    /// The canary of this run came through. One that was given up counts too: the way is open again.
    pub fn canary_back(&self, run: u64, now: Timestamp) {
        self.canary_at(run, Stage::Answered);
        let mut kept = self.lock();
        kept.passed += 1;
        kept.away = None;
        kept.back = Some((Instant::now(), now));
        if let (true, Some(sent)) = (run == kept.run, kept.sent) {
            let reached = std::mem::take(&mut kept.reached);
            let took = reached
                .into_iter()
                .map(|(stage, at)| (stage, millis(at.duration_since(sent))));
            kept.took_ms = took.collect();
        }
    }

    /// How long no canary that was sent has come through.
    #[must_use]
    pub fn canary_away_ms(&self) -> Option<u64> {
        self.lock().away.map(|since| millis(since.elapsed()))
    }

    /// What is known now.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.seen_at(Instant::now())
    }

    fn seen_at(&self, now: Instant) -> Seen {
        let kept = self.lock();
        let age = |since: Instant| now.saturating_duration_since(since);
        let late = |last: Option<Instant>, age_max: Duration| {
            let since = last.or(kept.since);
            since.is_some_and(|since| age(since) > age_max)
        };
        Seen {
            expected: kept.since.is_some(),
            looks: kept.looks,
            looked_at: kept.looked.map(|(_, at)| at),
            look_age_ms: kept.looked.map(|(since, _)| millis(age(since))),
            look_is_overdue: late(kept.looked.map(|(at, _)| at), AUDIT_AGE_MAX),
            findings: kept.findings.clone(),
            pages: kept.pages,
            canaries_sent: kept.run,
            canaries_back: kept.passed,
            canary_at: kept.back.map(|(_, at)| at),
            canary_age_ms: kept.back.map(|(since, _)| millis(age(since))),
            // Before the first one is sent there is nothing to wait for: nobody may have set Tocsin up.
            canary_is_overdue: kept.run > 0 && late(kept.back.map(|(at, _)| at), CANARY_AGE_MAX),
            took_ms: kept.took_ms.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_canary_is_away_until_one_comes_through() {
        let vigil = Vigil::default();
        assert_eq!(vigil.canary_away_ms(), None);
        let lost = vigil.canary_sent();
        let run = vigil.canary_sent();
        assert!(vigil.canary_away_ms().is_some());
        vigil.canary_at(lost, Stage::Committed);
        vigil.canary_at(run, Stage::Committed);
        vigil.canary_at(run, Stage::Delivery);
        vigil.canary_back(run, Timestamp::from_millis(5));
        assert_eq!(vigil.canary_away_ms(), None);
        let seen = vigil.seen();
        let stages: Vec<Stage> = seen.took_ms.iter().map(|(stage, _)| *stage).collect();
        assert_eq!(stages, Stage::ALL);
        assert_eq!((seen.canaries_sent, seen.canaries_back), (2, 1));
        assert_eq!(seen.canary_at, Some(Timestamp::from_millis(5)));
    }

    #[test]
    fn how_old_a_look_and_a_canary_are_does_not_hang_on_the_clock() {
        let vigil = Vigil::default();
        assert_eq!(vigil.seen().look_age_ms, None);
        assert_eq!(vigil.seen().canary_age_ms, None);
        // By a clock that is an hour ahead, and is set right afterwards.
        let wrong = Timestamp::from_millis(3_600_000);
        let run = vigil.canary_sent();
        vigil.canary_back(run, wrong);
        vigil.looked(wrong, Vec::new());
        let later = Instant::now() + Duration::from_secs(600);
        let seen = vigil.seen_at(later);
        assert!(seen.look_age_ms >= Some(600_000), "{seen:?}");
        assert!(seen.canary_age_ms >= Some(600_000), "{seen:?}");
        assert!(seen.look_is_overdue && seen.canary_is_overdue);
    }

    #[test]
    fn nothing_is_overdue_where_nobody_audits_or_began_a_moment_ago() {
        let vigil = Vigil::default();
        assert!(!vigil.seen().expected);
        vigil.begin();
        let seen = vigil.seen();
        assert!(seen.expected && !seen.look_is_overdue && !seen.canary_is_overdue);
    }
}
