//! Deliberate bugs, each a switch that exists in the simulator's own build and in tests alone, and a trap for decisions.
//! Everywhere else no bug can be switched on, and asking for one costs nothing.

/// A bug that some on-call system had or could have, and that the simulator must catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bug {
    /// An attempt under way at a restart counts as failed and is not repeated (GoAlert).
    InFlightAtRestartIsFailed,
    /// A level of nobody sits out its delay (GoAlert #4548).
    EmptyLevelSitsOutItsDelay,
    /// When nobody is on call, nobody is paged (PagerDuty).
    NobodyOnCallMeansSilence,
    /// An escalation that was under way at a restart never goes on (Grafana OnCall #1206).
    EscalationStallsAfterRestart,
    /// A shift is a duration, so that an hour is nobody's when the clocks are put back (Grafana OnCall #5247).
    OneHourHoleInShifts,
    /// What was acknowledged is paged for on (Grafana OnCall #4654).
    PagingAfterAcknowledgement,
    /// Alerts and incidents are kept in memory only (Alertmanager).
    AlertsOnlyInMemory,
    /// A repeat goes out under a new key, so that no provider can tell that it is one.
    RepeatUnderNewKey,
    /// Pages that were planned are sent although the incident is resolved.
    AttemptAfterResolve,
    /// A policy that is through pages nobody any more.
    FallbackListSkipped,
    /// The fallback list is paged once, and never again.
    FallbackOnlyOnce,
    /// Contact methods are used that nobody has proved.
    UnverifiedContactUsed,
    /// An attempt without an answer is not repeated.
    RetryForgottenAfterTimeout,
    /// A crash that joins the incident of a warning changes nothing.
    LowerSeverityHidesCrash,
    /// An acknowledgement is forgotten when the failure comes back before it was over.
    AcknowledgementLostAtReturn,
    /// The outcome of an attempt counts again when it is told again.
    LateOutcomeCountedTwice,
    /// A first page that waits waits for ever.
    HoldNeverEnds,
    /// Once a target was muted, nobody is paged for what fails in it.
    MuteNeverEnds,
    /// The engine sleeps through the messages that are due.
    NextDueIgnoresMessages,
    /// What was planned for a person is sent to them after they were removed.
    RemovedPersonStillPaged,
    /// What was planned for a contact method is sent there after it was removed.
    RemovedMethodStillUsed,
    /// At the instant of a hand-off both the old and the new shift count.
    ShiftEndsInclusive,
    /// Effects are carried out before they are durable.
    EffectsBeforeCommit,
    /// An append of unknown fate is taken for one that was kept.
    UnclearTakenForKept,
    /// When the clock is set back, what waits for some time waits that much longer.
    ClockSetBackIsWaitedOut,
    /// Work that is ended early keeps what it covered quiet until the end that it had.
    EndedWorkNotLookedAtAgain,
    /// A pause begins anew whenever what waits is said again.
    PauseRestartsWithEachRepeat,
    /// A call that is missed while somebody works on its service is forgotten.
    MissedCallForgottenUnderWork,
    /// The pause of what wakes nobody is forgotten when it gets worse.
    PauseForgottenWhenWorse,
    /// Work that begins while somebody is being paged is not looked at.
    WorkThatBeginsUnseen,
    /// The rules after the last one that is to be followed are followed too.
    RulesFollowedToTheEnd,
    /// No alert finds the incident of its group.
    GroupForgetsItsIncident,
    /// What pages joins what somebody has taken already (PagerDuty).
    GroupHidesInWhatIsTaken,
    /// What somebody had taken stays theirs after they were removed.
    TakenStaysWithWhoIsGone,
    /// Whoever says again that something was over ends what fails since.
    OldEndEndsWhatBeganSince,
    /// Whoever gets a page only when it is over is not told that it is.
    LateEndUntold,
    /// A policy that is changed while it is walked through is gone on with by the number of the level, whoever stands there now.
    ChangedPolicyKeepsPlaces,
    /// Whoever an incident is taken from by giving it to others is paged for it on.
    TakenFromStillPaged,
    /// When a level in turn is paged again for one incident, the turn moves back to whoever comes after that one.
    TurnMovesBack,
    /// What one account of a channel leaves to the next is not tried by that.
    NextAccountForgotten,
    /// An attempt after which the next account takes over does not count, so that a message may have any number of them.
    NextAccountUncounted,
    /// An attempt that was not made, for want of a place, is not made later.
    UntriedForgotten,
    /// What was taken, or is over, while one account of a channel had it goes by the next one all the same.
    NextAccountNotLookedUp,
}

/// All of them.
pub const BUGS: [Bug; 43] = [
    Bug::InFlightAtRestartIsFailed,
    Bug::EmptyLevelSitsOutItsDelay,
    Bug::NobodyOnCallMeansSilence,
    Bug::EscalationStallsAfterRestart,
    Bug::OneHourHoleInShifts,
    Bug::PagingAfterAcknowledgement,
    Bug::AlertsOnlyInMemory,
    Bug::RepeatUnderNewKey,
    Bug::AttemptAfterResolve,
    Bug::FallbackListSkipped,
    Bug::FallbackOnlyOnce,
    Bug::UnverifiedContactUsed,
    Bug::RetryForgottenAfterTimeout,
    Bug::LowerSeverityHidesCrash,
    Bug::AcknowledgementLostAtReturn,
    Bug::LateOutcomeCountedTwice,
    Bug::HoldNeverEnds,
    Bug::MuteNeverEnds,
    Bug::NextDueIgnoresMessages,
    Bug::RemovedPersonStillPaged,
    Bug::RemovedMethodStillUsed,
    Bug::ShiftEndsInclusive,
    Bug::EffectsBeforeCommit,
    Bug::UnclearTakenForKept,
    Bug::ClockSetBackIsWaitedOut,
    Bug::EndedWorkNotLookedAtAgain,
    Bug::PauseRestartsWithEachRepeat,
    Bug::MissedCallForgottenUnderWork,
    Bug::PauseForgottenWhenWorse,
    Bug::WorkThatBeginsUnseen,
    Bug::RulesFollowedToTheEnd,
    Bug::GroupForgetsItsIncident,
    Bug::GroupHidesInWhatIsTaken,
    Bug::TakenStaysWithWhoIsGone,
    Bug::OldEndEndsWhatBeganSince,
    Bug::LateEndUntold,
    Bug::ChangedPolicyKeepsPlaces,
    Bug::TakenFromStillPaged,
    Bug::TurnMovesBack,
    Bug::NextAccountForgotten,
    Bug::NextAccountUncounted,
    Bug::UntriedForgotten,
    Bug::NextAccountNotLookedUp,
];

/// Whether the switches exist in this build.
pub const EXIST: bool = cfg!(feature = "seeded-bugs");

#[cfg(feature = "seeded-bugs")]
mod switch {
    use std::cell::{Cell, RefCell};

    use super::Bug;

    thread_local! {
        static ON: Cell<Option<Bug>> = const { Cell::new(None) };
        static RESTARTED: Cell<u64> = const { Cell::new(0) };
        static TRAP: RefCell<Option<String>> = const { RefCell::new(None) };
    }

    /// Whether this bug is switched on in this thread.
    #[must_use]
    pub fn on(bug: Bug) -> bool {
        ON.get() == Some(bug)
    }

    /// Whether some bug is switched on in this thread.
    #[must_use]
    pub fn any() -> bool {
        ON.get().is_some()
    }

    /// Switches one bug on in this thread, and every other one off.
    pub fn switch(bug: Option<Bug>) {
        ON.set(bug);
        RESTARTED.set(0);
    }

    /// Remembers how far the journal had come at the last start, for the bug that knows no timers from before.
    pub fn note_restart(position: u64) {
        RESTARTED.set(position);
    }

    /// Lets each decision in this thread panic whose events hold this word, right after the event is folded; or none any more.
    pub fn lay_trap(word: Option<&str>) {
        TRAP.set(word.map(str::to_owned));
    }

    /// Panics when what is said of an event holds the word of the trap.
    pub(crate) fn trip(event: impl FnOnce() -> String) {
        let word = TRAP.with_borrow(Clone::clone);
        if let Some(word) = word {
            assert!(!event().contains(&word), "a trap was laid for {word}");
        }
    }

    /// Whether this was journalled before the last start.
    #[must_use]
    pub fn is_from_before(position: u64) -> bool {
        position <= RESTARTED.get()
    }
}

#[cfg(not(feature = "seeded-bugs"))]
mod switch {
    use super::Bug;

    /// Whether this bug is switched on: there is none in this build.
    #[must_use]
    pub const fn on(_: Bug) -> bool {
        false
    }

    /// Whether some bug is switched on: there is none in this build.
    #[must_use]
    pub const fn any() -> bool {
        false
    }

    /// Switches nothing: there is no bug in this build.
    pub const fn switch(_: Option<Bug>) {}

    /// Remembers nothing: there is no bug in this build.
    pub const fn note_restart(_: u64) {}

    /// Lays nothing: there is no trap in this build.
    pub const fn lay_trap(_: Option<&str>) {}

    /// Passes: there is no trap in this build.
    pub(crate) fn trip(_: impl FnOnce() -> String) {}

    /// Asked only by a bug that is not there.
    #[must_use]
    pub const fn is_from_before(_: u64) -> bool {
        false
    }
}

pub(crate) use switch::trip;
pub use switch::{any, is_from_before, lay_trap, note_restart, on, switch};
