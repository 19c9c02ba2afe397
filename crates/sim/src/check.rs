//! What is checked, by name, and what was found wrong.

use tocsin_domain::time::Timestamp;

/// A rule that a world must keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// What is urgent and not taken has a next due time or an attempt under way, and what is due gets done.
    NothingForgotten,
    /// Once the faults stop, what is urgent and not taken gets a page that a provider accepts.
    NothingUnpaged,
    /// No attempt starts for what is resolved, acknowledged, healthy or quiet.
    NoAttemptAfter,
    /// At most one repeat for each crash or unanswered attempt, under the same key; a repeat where one is owed.
    RepeatsAreBounded,
    /// Pages go to the person who was chosen, by a verified contact method of their own.
    RightPerson,
    /// Whoever a level, a schedule or the fallback list names is chosen, and nobody is passed over.
    RightLevel,
    /// Nobody is chosen for what planned work, a silence or a mute covers.
    NothingCovered,
    /// Nobody is chosen for what waits whether it is over by then, before that time.
    NothingEarly,
    /// Rules and settings do with an alert what they say.
    RightRuling,
    /// An alert goes into the incident that its server, its rule or its group has, and into no other.
    RightIncident,
    /// A call that is missed is an alert, and one that came, or may have come, is none.
    RightCalls,
    /// A failure belongs to an open incident that is as urgent as the failure.
    NothingHidden,
    /// What was answered, sent or shown is in the journal.
    Durable,
    /// The journal folds to the state that was served, and the same seed gives the same events.
    Replay,
    /// Once the faults stop and all is well, nothing is due any more.
    Settles,
}

impl Check {
    /// What the check says, in a few words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NothingForgotten => "nothing is forgotten",
            Self::NothingUnpaged => "nothing stays unpaged",
            Self::NoAttemptAfter => "no attempt after it was over or taken",
            Self::RepeatsAreBounded => "repeats are owed, bounded and under one key",
            Self::RightPerson => "the right person by a way of their own",
            Self::RightLevel => "the right level, nobody passed over",
            Self::NothingCovered => "nothing covered is paged for",
            Self::NothingEarly => "nothing that waits is paged for early",
            Self::RightRuling => "rules do what they say",
            Self::RightIncident => "the right incident",
            Self::RightCalls => "missed calls are alerts, others are not",
            Self::NothingHidden => "no failure is hidden",
            Self::Durable => "what was answered is kept",
            Self::Replay => "a replay gives the same",
            Self::Settles => "all settles",
        }
    }
}

/// A rule that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub check: Check,
    /// When, by the clock of the machine.
    pub at: Timestamp,
    /// What was seen.
    pub what: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{} | {} | {}",
            self.check.words(),
            self.at,
            self.what
        )
    }
}
