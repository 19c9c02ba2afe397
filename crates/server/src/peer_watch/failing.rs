//! For how long the peer is seen to fail, by the time that the watcher itself has run: whatever is done to the clock meanwhile. Pure.

use std::time::Duration;

/// Of a gap between two answers at least this much may count.
const GAP_MIN: Duration = Duration::from_secs(1);

/// Counts while every answer is one of a peer that fails.
#[derive(Debug, Default)]
pub(crate) struct Failing(Option<Seen>);

#[derive(Clone, Copy, Debug)]
struct Seen {
    /// When it was last seen to fail.
    ran: Duration,
    /// For how long it had failed by then.
    long: Duration,
}

impl Failing {
    /// Takes in how the peer was found when the watcher had run for `ran`; gives for how long it fails, if it does. A gap between two
    /// answers counts as the peer's `patience` at most: where there is a longer one, the watcher itself stood still, and saw nothing.
    pub(crate) fn seen(
        &mut self,
        is_well: bool,
        ran: Duration,
        patience: Duration,
    ) -> Option<Duration> {
        if is_well {
            self.0 = None;
            return None;
        }
        let gap_max = patience.max(GAP_MIN);
        let long = match self.0 {
            None => Duration::ZERO,
            Some(seen) => seen.long + ran.saturating_sub(seen.ran).min(gap_max),
        };
        self.0 = Some(Seen { ran, long });
        Some(long)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For how many seconds it fails after it was seen to in each of these; in all others it was not asked.
    fn failing(seconds: &[u64], patience: u64) -> Option<u64> {
        let mut failing = Failing::default();
        let patience = Duration::from_secs(patience);
        let seen = seconds.iter();
        let seen = seen.map(|second| failing.seen(false, Duration::from_secs(*second), patience));
        seen.last().flatten().map(|long| long.as_secs())
    }

    #[test]
    fn a_failure_is_as_long_as_from_its_first_answer_to_its_last() {
        assert_eq!(failing(&[], 45), None);
        assert_eq!(failing(&[7], 45), Some(0));
        assert_eq!(failing(&[7, 22, 37, 64], 45), Some(57));
        assert_eq!(failing(&[7, 7, 8], 0), Some(1), "no patience at all");
    }

    #[test]
    fn a_watcher_that_stood_still_has_seen_no_long_failure() {
        assert_eq!(failing(&[0, 28_800], 45), Some(45));
        assert_eq!(failing(&[0, 28_800, 28_815], 45), Some(60));
    }

    #[test]
    fn an_answer_of_a_peer_that_is_well_ends_it() {
        let mut failing = Failing::default();
        let patience = Duration::from_secs(45);
        let mut seen =
            |is_well, second| failing.seen(is_well, Duration::from_secs(second), patience);
        assert_eq!(seen(false, 0), Some(Duration::ZERO));
        assert_eq!(seen(false, 40), Some(Duration::from_secs(40)));
        assert_eq!(seen(true, 41), None);
        assert_eq!(seen(false, 80), Some(Duration::ZERO));
    }
}
