//! When the auditor looks before its time: once for each time that the canary stays away. It knows no clock and sends nothing.

use tocsin_domain::audit::Finding;

use super::told::Told;

/// Whether a look was made since the canary is missed.
#[derive(Default)]
pub(super) struct Early {
    is_seen: bool,
}

impl Early {
    /// A look begins, and this is found of the canary: nothing where it came through.
    pub(super) fn looks(&mut self, missed: &[Finding]) {
        self.is_seen = !missed.is_empty();
    }

    /// Whether this is worth a look before its time: no look has seen it, and nobody was told. Whom it does not reach, or that there is
    /// nobody, makes it no more urgent.
    pub(super) fn is_due(&self, missed: &[Finding], told: &Told) -> bool {
        !self.is_seen && missed.iter().any(|one| !told.knows(one.key()))
    }
}

#[cfg(test)]
mod tests {
    use tocsin_domain::audit::{About, FindingKind};
    use tocsin_domain::time::Timestamp;

    use super::*;

    fn missed() -> [Finding; 1] {
        [Finding {
            kind: FindingKind::CanaryLate,
            about: About::Tocsin,
            what: "it was not posted".to_owned(),
        }]
    }

    #[test]
    fn a_canary_that_stays_away_is_worth_one_look_though_nobody_can_be_told() {
        let (mut early, told) = (Early::default(), Told::default());
        assert!(!early.is_due(&[], &told));
        early.looks(&[]);
        assert!(early.is_due(&missed(), &told));
        early.looks(&missed());
        assert!(!early.is_due(&missed(), &told));
        // It came through at last, and is missed anew.
        early.looks(&[]);
        assert!(early.is_due(&missed(), &told));
    }

    #[test]
    fn what_was_told_a_while_ago_waits_for_the_next_look() {
        let mut told = Told::default();
        told.write(missed().to_vec(), Timestamp::from_millis(0));
        assert!(!Early::default().is_due(&missed(), &told));
    }
}
