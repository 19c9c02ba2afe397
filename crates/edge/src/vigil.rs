//! What the auditor last found, how the canary last went and who watches from elsewhere, for `/readyz`, `/metrics` and `doctor`. It
//! judges nothing.

use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;
use tocsin_domain::audit::Finding;
use tocsin_domain::page::Outcome;
use tocsin_domain::time::Timestamp;

pub use tocsin_domain::audit::{CanaryAway, CanaryStage as Stage};

use crate::delivery::tally::millis;
use crate::lock::lock;
use crate::secret::letters;
use crate::watched::Watched;

/// An audit is made every 30 s; without one for this long, nobody looks.
const AUDIT_AGE_MAX: Duration = Duration::from_secs(90);
/// The canary is sent every 5 minutes; without one that came through for this long, it is overdue.
const CANARY_AGE_MAX: Duration = Duration::from_secs(390);
/// Letters of the key that lets the canary in.
const KEY_LETTERS: usize = 43;

/// The first stage that a canary did not reach, and why.
type Missing = (Stage, Option<String>);

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
    /// Why the run under way comes no further, once that is known.
    failed: Option<String>,
    /// How far the run before it came, if that did not come through.
    before: Option<Missing>,
    /// Since when no canary that was sent has come through.
    away: Option<Instant>,
    back: Option<(Instant, Timestamp)>,
    took_ms: Vec<(Stage, u64)>,
    passed: u64,
}

impl Kept {
    fn canary_away(&self, now: Instant) -> Option<CanaryAway> {
        let since = self.away?;
        let (missing, why) = match (&self.failed, &self.before) {
            (None, Some(before)) => before.clone(),
            (Some(_), _) | (None, None) => self.missing(),
        };
        Some(CanaryAway {
            for_ms: millis(now.saturating_duration_since(since)),
            missing,
            why,
        })
    }

    fn has_reached(&self, stage: Stage) -> bool {
        self.reached.iter().any(|(known, _)| *known == stage)
    }

    fn missing(&self) -> Missing {
        let furthest = self.reached.iter().map(|(stage, _)| *stage).max();
        let mut all = Stage::ALL.into_iter();
        let next = all.find(|stage| furthest.is_none_or(|furthest| *stage > furthest));
        (next.unwrap_or(Stage::Outcome), self.failed.clone())
    }
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
    /// How far the one came that has not come through.
    pub canary_away: Option<CanaryAway>,
    /// How long the last one took up to each stage, in milliseconds from the beginning.
    pub took_ms: Vec<(Stage, u64)>,
}

/// Keeps what auditor and canary tell, and the key that lets the canary in.
pub struct Vigil {
    /// Who asks from another machine whether this server is able to page.
    pub(crate) watched: Watched,
    kept: Mutex<Kept>,
    key: Option<SecretString>,
}

impl Default for Vigil {
    /// With a new key. Where the operating system gives no random bytes there is none, and no canary comes in.
    fn default() -> Self {
        Self {
            watched: Watched::default(),
            kept: Mutex::default(),
            key: letters(KEY_LETTERS).ok().map(SecretString::from),
        }
    }
}

impl Vigil {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
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

    /// The key that lets the canary in, which is told to nobody.
    #[must_use]
    pub const fn canary_key(&self) -> Option<&SecretString> {
        self.key.as_ref()
    }

    /// Whether this is that key.
    pub(crate) fn is_canary_key(&self, given: &str) -> bool {
        let known = self.key.as_ref();
        known.is_some_and(|key| bool::from(key.expose_secret().as_bytes().ct_eq(given.as_bytes())))
    }

    /// The next canary is sent; gives its run.
    pub fn canary_sent(&self) -> u64 {
        let mut kept = self.lock();
        let now = Instant::now();
        kept.before = kept.away.is_some().then(|| kept.missing());
        kept.run += 1;
        kept.sent = Some(now);
        kept.reached.clear();
        kept.failed = None;
        kept.away.get_or_insert(now);
        kept.run
    }

    /// The canary of this run was posted; whether it is the one that was sent, which comes once.
    pub(crate) fn canary_posted(&self, run: u64) -> bool {
        let mut kept = self.lock();
        let is_new = run == kept.run && run > 0 && !kept.has_reached(Stage::Posted);
        if is_new {
            kept.reached.push((Stage::Posted, Instant::now()));
        }
        is_new
    }

    /// The canary of this run has come so far.
    pub(crate) fn canary_at(&self, run: u64, stage: Stage) {
        let mut kept = self.lock();
        if run == kept.run {
            kept.reached.push((stage, Instant::now()));
        }
    }

    /// The canary of this run comes no further, for this reason. The first that is told is kept.
    pub(crate) fn canary_failed(&self, run: u64, why: &str) {
        let mut kept = self.lock();
        if run == kept.run {
            kept.failed.get_or_insert_with(|| why.to_owned());
        }
    }

    /// The attempt of the canary of this run ended so, and that is durable. It came through only when it was taken by whom it was
    /// for. One that was given up counts too: the way is open again.
    pub fn canary_ended(&self, run: u64, at: Timestamp, outcome: Outcome, detail: &str) {
        let is_astray = {
            let kept = self.lock();
            run == kept.run && !kept.has_reached(Stage::Sent)
        };
        match outcome {
            Outcome::Accepted if is_astray => {
                self.canary_failed(run, "somebody else than its sink took it");
            }
            Outcome::Accepted => self.canary_back(run, at),
            Outcome::Failed | Outcome::Refused | Outcome::TimedOut | Outcome::Unanswered => {
                self.canary_failed(run, detail);
            }
        }
    }

    fn canary_back(&self, run: u64, now: Timestamp) {
        self.canary_at(run, Stage::Outcome);
        let mut kept = self.lock();
        kept.passed += 1;
        kept.back = Some((Instant::now(), now));
        kept.before = None;
        if run != kept.run {
            // The one that was sent since may still be awaited.
            kept.away = kept.away.and(kept.sent);
            return;
        }
        kept.away = None;
        if let Some(sent) = kept.sent {
            let reached = std::mem::take(&mut kept.reached);
            let took = reached
                .into_iter()
                .map(|(stage, at)| (stage, millis(at.duration_since(sent))));
            kept.took_ms = took.collect();
        }
    }

    /// Whether the last canary that was sent is known not to come through.
    #[must_use]
    pub fn canary_is_lost(&self) -> bool {
        let kept = self.lock();
        kept.away.is_some() && kept.failed.is_some()
    }

    /// How long no canary that was sent has come through, and how far the last came of which more is known than that it is under
    /// way.
    #[must_use]
    pub fn canary_away(&self) -> Option<CanaryAway> {
        self.lock().canary_away(Instant::now())
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
            canary_away: kept.canary_away(now),
            took_ms: kept.took_ms.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::from_millis(5);

    /// The stage that the canary has not reached, and why.
    fn missing(vigil: &Vigil) -> Option<(Stage, Option<String>)> {
        let away = vigil.canary_away();
        away.map(|away| (away.missing, away.why))
    }

    /// It goes all the way up to its end.
    fn goes(vigil: &Vigil, run: u64) {
        assert!(vigil.canary_posted(run));
        for stage in [
            Stage::Decided,
            Stage::Written,
            Stage::Dispatched,
            Stage::Sent,
        ] {
            vigil.canary_at(run, stage);
        }
    }

    #[test]
    fn a_canary_is_away_until_one_comes_through() {
        let vigil = Vigil::default();
        assert_eq!(missing(&vigil), None);
        let lost = vigil.canary_sent();
        let run = vigil.canary_sent();
        vigil.canary_at(lost, Stage::Written);
        assert_eq!(missing(&vigil), Some((Stage::Posted, None)));
        goes(&vigil, run);
        vigil.canary_ended(run, NOON, Outcome::Accepted, "HTTP 204");
        assert_eq!(missing(&vigil), None);
        let seen = vigil.seen();
        let stages: Vec<Stage> = seen.took_ms.iter().map(|(stage, _)| *stage).collect();
        assert_eq!(stages, Stage::ALL);
        assert_eq!((seen.canaries_sent, seen.canaries_back), (2, 1));
        assert_eq!(seen.canary_at, Some(NOON));
    }

    #[test]
    fn each_stage_that_a_canary_does_not_reach_is_told_by_its_name() {
        for (place, stage) in Stage::ALL.into_iter().enumerate() {
            let vigil = Vigil::default();
            let run = vigil.canary_sent();
            for reached in &Stage::ALL[..place] {
                vigil.canary_at(run, *reached);
            }
            assert_eq!(missing(&vigil), Some((stage, None)));
            assert!(!vigil.canary_is_lost(), "it may still come");
            vigil.canary_failed(run, "the disk is full");
            vigil.canary_failed(run, "HTTP 503");
            let why = Some("the disk is full".to_owned());
            assert_eq!(missing(&vigil), Some((stage, why.clone())));
            assert!(vigil.canary_is_lost());
            // The next has only just begun.
            let next = vigil.canary_sent();
            assert!(vigil.canary_posted(next));
            assert_eq!(missing(&vigil), Some((stage, why)));
            assert!(!vigil.canary_is_lost());
        }
    }

    #[test]
    fn a_canary_that_was_not_taken_by_its_sink_has_not_come_through() {
        let vigil = Vigil::default();
        for outcome in [
            Outcome::Accepted,
            Outcome::Failed,
            Outcome::Refused,
            Outcome::TimedOut,
            Outcome::Unanswered,
        ] {
            let run = vigil.canary_sent();
            vigil.canary_at(run, Stage::Dispatched);
            vigil.canary_ended(run, NOON, outcome, "HTTP 503");
            let (stage, why) = missing(&vigil).unwrap();
            assert_eq!(stage, Stage::Sent);
            let words = if outcome == Outcome::Accepted {
                "somebody else"
            } else {
                "HTTP 503"
            };
            assert!(why.unwrap().contains(words), "{outcome:?}");
        }
        assert_eq!(vigil.seen().canary_at, None);
    }

    #[test]
    fn one_that_comes_late_says_nothing_of_the_one_that_was_sent_since() {
        let vigil = Vigil::default();
        let late = vigil.canary_sent();
        goes(&vigil, late);
        vigil.canary_sent();
        vigil.canary_ended(late, NOON, Outcome::Accepted, "HTTP 204");
        assert_eq!(missing(&vigil), Some((Stage::Posted, None)));
        assert_eq!(vigil.seen().canaries_back, 1);
    }

    #[test]
    fn a_canary_is_let_in_once_and_by_its_key_alone() {
        let vigil = Vigil::default();
        assert!(!vigil.canary_posted(0), "none was sent");
        let run = vigil.canary_sent();
        assert!(!vigil.canary_posted(run + 1));
        assert!(vigil.canary_posted(run));
        assert!(!vigil.canary_posted(run));
        let key = vigil.canary_key().unwrap().expose_secret();
        assert!(vigil.is_canary_key(key));
        assert!(!vigil.is_canary_key(""));
        assert!(!vigil.is_canary_key(&key[1..]));
        assert!(!Vigil::default().is_canary_key(key));
    }

    #[test]
    fn how_old_a_look_and_a_canary_are_does_not_hang_on_the_clock() {
        let vigil = Vigil::default();
        assert_eq!(vigil.seen().look_age_ms, None);
        assert_eq!(vigil.seen().canary_age_ms, None);
        // By a clock that is an hour ahead, and is set right afterwards.
        let wrong = Timestamp::from_millis(3_600_000);
        let run = vigil.canary_sent();
        goes(&vigil, run);
        vigil.canary_ended(run, wrong, Outcome::Accepted, "HTTP 204");
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
