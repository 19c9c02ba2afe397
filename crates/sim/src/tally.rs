//! What happened in simulated worlds, counted: faults by kind, incidents, pages. It judges nothing.

use std::fmt::Write as _;

/// Everything that is done to a world on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The process dies between two steps.
    CrashIdle,
    /// The process dies before a commit.
    CrashBeforeCommit,
    /// The process dies after a commit, before anything of it is carried out.
    CrashAfterCommit,
    /// The process dies while it carries out what it committed.
    CrashWithinEffects,
    /// The process dies while it recovers from a crash.
    CrashInRecovery,
    /// The process dies between an account that may have taken a message and the next one.
    CrashBetweenAccounts,
    /// The disk is full for a while.
    DiskFull,
    /// One commit fails and nothing of it is kept.
    CommitRefused,
    /// One commit fails with unknown fate, and was kept.
    UnclearKept,
    /// One commit fails with unknown fate, and was lost.
    UnclearLost,
    /// One commit is kept, and then nothing can be read or written for a while.
    UnclearThenGone,
    /// Another server takes the journal over.
    TakenOver,
    /// A provider answers with an error.
    ProviderFails,
    /// A provider answers with an error although it delivers.
    ProviderFailsButDelivers,
    /// A provider refuses for good.
    ProviderRefuses,
    /// A provider hangs beyond the deadline.
    ProviderHangs,
    /// The outcome of an attempt is never heard of.
    OutcomeLost,
    /// The outcome of an attempt is heard of long after the deadline.
    OutcomeLate,
    /// The outcome of an attempt is told twice.
    OutcomeTwice,
    /// A provider accepts and delivers nothing.
    ProviderLies,
    /// A provider wants to be left alone for a while.
    ProviderLimits,
    /// A provider says later that what it took was lost.
    ReceiptBad,
    /// A provider that owes word of what it took gives none.
    ReceiptMissing,
    /// A whole channel is out for a while.
    ChannelOutage,
    /// One account of a channel that has several is out for a while.
    AccountOutage,
    /// An account surely does not take a message, and the next one is tried by the same attempt.
    AccountPassed,
    /// An account does not answer, or has no time left, and leaves a message to an attempt by the next one.
    AccountLeft,
    /// An account takes a message without saying so, and the next one is tried too.
    AccountTookUnsaid,
    /// An account that keeps failing, or asks for it, is passed over.
    AccountRests,
    /// All accounts that an attempt goes by take nothing.
    AccountsExhausted,
    /// Accounts refuse for good what the next one takes.
    RefusedThenTaken,
    /// An account refuses because of whom it goes to: no other one is tried.
    ReceiverRefused,
    /// An attempt waits for its place before it is made.
    PlaceAwaited,
    /// An attempt is not made, for want of a place, because it was put off, or since nobody wants it any more.
    NotTried,
    /// An attempt is put off, because every account of its channel asked to be left alone.
    PutOff,
    /// The clock jumps an hour forward.
    ClockForward,
    /// The clock jumps an hour back.
    ClockBack,
    /// The machine is suspended for eight hours.
    Suspended,
    /// Hundreds of alerts within seconds.
    Storm,
    /// An alert exactly when, or about when, a shift begins.
    AlertAtHandOff,
    /// A person is removed.
    UserRemoved,
    /// A person is removed who has something open, or was paged for it.
    EngagedRemoved,
    /// A person is added.
    UserAdded,
    /// A contact method is removed.
    MethodRemoved,
    /// A contact method is added.
    MethodAdded,
    /// Notification rules are replaced.
    RulesChanged,
    /// A schedule is removed, and policies paged it until then.
    ScheduleRemoved,
    /// A policy is removed, and services followed it until then.
    PolicyRemoved,
    /// A service is removed, with what sends to it and calls in for it.
    ServiceRemoved,
    /// A document of everything that is set up is made true.
    Applied,
    /// A schedule is replaced.
    ScheduleChanged,
    /// A person takes a stretch of a schedule over, or fixed shifts take the place of its layers.
    ScheduleOverridden,
    /// Two people exchange shifts.
    Swapped,
    /// A policy is replaced.
    PolicyChanged,
    /// A service gets another policy.
    ServiceChanged,
    /// The list of last resort is replaced.
    FallbackChanged,
    /// A target is muted, or the mute taken back.
    Muted,
    /// Maintenance is planned or called off.
    Maintenance,
    /// A monitor is switched on or off.
    MonitorSwitched,
    /// A target is no longer watched.
    TargetRemoved,
    /// An alert is said again.
    AlertRepeated,
    /// An alert comes that is known by its labels.
    AlertLabelled,
    /// A replica says again that it was over when the other one has seen it fail since.
    OldEndTold,
    /// An alert is over since nobody says it any more.
    AlertRunsOut,
    /// An alert gets worse.
    AlertWorsens,
    /// A failure comes back soon after it was over.
    Relapse,
    /// Rules for alerts are replaced.
    RulesReplaced,
    /// A service gets another grouping or urgency.
    IntakeChanged,
    /// Work is planned.
    WorkPlanned,
    /// Work is planned that comes again and again.
    WorkRepeats,
    /// Planned work is moved, or is about something else from now on.
    WorkChanged,
    /// Work that lasts is ended early.
    WorkEnded,
    /// Planned work is removed.
    WorkRemoved,
    /// A silence is made.
    SilenceMade,
    /// A silence is changed.
    SilenceChanged,
    /// A silence is ended early, or before it begins.
    SilenceEnded,
    /// A storm comes while somebody covers some of it.
    StormCovered,
    /// A rule sends an alert to another service.
    AlertRouted,
    /// A rule suppresses an alert.
    AlertSuppressed,
    /// A rule throws an alert away.
    AlertDropped,
    /// A rule lets an alert from outside wait whether it is over by then.
    AlertPaused,
    /// A rule or its monitor lets what Tocsin sees itself wait.
    AlertHeld,
    /// What waits is said again.
    PausedRepeats,
    /// What waits gets worse, and waits less long for that.
    PausedWorsens,
    /// What waits is over in time.
    PausedRecovers,
    /// What waited is paged for.
    PauseEnds,
    /// An alert from outside joins others.
    AlertGrouped,
    /// What planned work, a silence or a mute covers fails.
    AlertCovered,
    /// What was covered is paged for.
    CoverEnds,
    /// What failed before the support hours of its service pages since they began.
    HoursBegin,
    /// A job has not called in time.
    CallMissed,
    /// A call may have been made in vain, and is waited for once more.
    CallSpared,
    /// A job says that it failed.
    JobFailed,
    /// A job says that it begins.
    JobStarted,
    /// A job is to call in at other times.
    JobChanged,
    /// An incident is merged into another.
    Merged,
    /// A person says of an incident that it is not over.
    Reopened,
    /// An incident is snoozed.
    Snoozed,
    /// An incident is given to others.
    Reassigned,
    /// An incident is given to a policy.
    GivenToPolicy,
    /// An incident is given to others while an attempt of a page for it is under way.
    ReassignedUnderWay,
    /// Whoever had their turn is paged again, and others had theirs since.
    TurnRepeated,
    /// An incident is escalated by hand.
    Escalated,
    /// Somebody does something about an incident, whether they were paged or not.
    Meddled,
}

/// Every kind, in the order they are printed.
pub const FAULTS: [Fault; 104] = [
    Fault::CrashIdle,
    Fault::CrashBeforeCommit,
    Fault::CrashAfterCommit,
    Fault::CrashWithinEffects,
    Fault::CrashInRecovery,
    Fault::CrashBetweenAccounts,
    Fault::DiskFull,
    Fault::CommitRefused,
    Fault::UnclearKept,
    Fault::UnclearLost,
    Fault::UnclearThenGone,
    Fault::TakenOver,
    Fault::ProviderFails,
    Fault::ProviderFailsButDelivers,
    Fault::ProviderRefuses,
    Fault::ProviderHangs,
    Fault::OutcomeLost,
    Fault::OutcomeLate,
    Fault::OutcomeTwice,
    Fault::ProviderLies,
    Fault::ProviderLimits,
    Fault::ReceiptBad,
    Fault::ReceiptMissing,
    Fault::ChannelOutage,
    Fault::AccountOutage,
    Fault::AccountPassed,
    Fault::AccountLeft,
    Fault::AccountTookUnsaid,
    Fault::AccountRests,
    Fault::AccountsExhausted,
    Fault::RefusedThenTaken,
    Fault::ReceiverRefused,
    Fault::PlaceAwaited,
    Fault::NotTried,
    Fault::PutOff,
    Fault::ClockForward,
    Fault::ClockBack,
    Fault::Suspended,
    Fault::Storm,
    Fault::AlertAtHandOff,
    Fault::UserRemoved,
    Fault::EngagedRemoved,
    Fault::UserAdded,
    Fault::MethodRemoved,
    Fault::MethodAdded,
    Fault::RulesChanged,
    Fault::ScheduleRemoved,
    Fault::PolicyRemoved,
    Fault::ServiceRemoved,
    Fault::Applied,
    Fault::ScheduleChanged,
    Fault::ScheduleOverridden,
    Fault::Swapped,
    Fault::PolicyChanged,
    Fault::ServiceChanged,
    Fault::FallbackChanged,
    Fault::Muted,
    Fault::Maintenance,
    Fault::MonitorSwitched,
    Fault::TargetRemoved,
    Fault::AlertRepeated,
    Fault::AlertLabelled,
    Fault::OldEndTold,
    Fault::AlertRunsOut,
    Fault::AlertWorsens,
    Fault::Relapse,
    Fault::RulesReplaced,
    Fault::IntakeChanged,
    Fault::WorkPlanned,
    Fault::WorkRepeats,
    Fault::WorkChanged,
    Fault::WorkEnded,
    Fault::WorkRemoved,
    Fault::SilenceMade,
    Fault::SilenceChanged,
    Fault::SilenceEnded,
    Fault::StormCovered,
    Fault::AlertRouted,
    Fault::AlertSuppressed,
    Fault::AlertDropped,
    Fault::AlertPaused,
    Fault::AlertHeld,
    Fault::PausedRepeats,
    Fault::PausedWorsens,
    Fault::PausedRecovers,
    Fault::PauseEnds,
    Fault::AlertGrouped,
    Fault::AlertCovered,
    Fault::CoverEnds,
    Fault::HoursBegin,
    Fault::CallMissed,
    Fault::CallSpared,
    Fault::JobFailed,
    Fault::JobStarted,
    Fault::JobChanged,
    Fault::Merged,
    Fault::Reopened,
    Fault::Snoozed,
    Fault::Reassigned,
    Fault::GivenToPolicy,
    Fault::ReassignedUnderWay,
    Fault::TurnRepeated,
    Fault::Escalated,
    Fault::Meddled,
];

/// Incidents of a long run at least.
const LONG_INCIDENTS: u64 = 200_000;
/// How often each kind of fault is played in a long run at least.
const LONG_OF_EACH_FAULT: u64 = 1_000;

/// Counts of one world, or of many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    faults: [u64; FAULTS.len()],
    /// Worlds.
    pub worlds: u64,
    /// Worlds that were run twice, to the same events.
    pub run_twice: u64,
    /// Simulated days.
    pub days: u64,
    /// Incidents that were opened.
    pub incidents: u64,
    /// Incidents that somebody had to be paged for.
    pub urgent: u64,
    /// Events that were journalled.
    pub events: u64,
    /// Attempts that providers saw.
    pub attempts: u64,
    /// Pages that providers accepted.
    pub pages: u64,
    /// Messages that a provider accepted more than once, by times too many.
    pub repeats: u64,
    /// Times that the whole journal was read and folded again.
    pub replays: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            faults: [0; FAULTS.len()],
            worlds: 0,
            run_twice: 0,
            days: 0,
            incidents: 0,
            urgent: 0,
            events: 0,
            attempts: 0,
            pages: 0,
            repeats: 0,
            replays: 0,
        }
    }
}

impl Tally {
    /// Counts one more.
    pub fn note(&mut self, fault: Fault) {
        if let Some(place) = FAULTS.iter().position(|one| *one == fault) {
            self.faults[place] += 1;
        }
    }

    /// How often this was done.
    #[must_use]
    pub fn count(&self, fault: Fault) -> u64 {
        let place = FAULTS.iter().position(|one| *one == fault);
        place.map_or(0, |place| self.faults[place])
    }

    /// How often the process died.
    #[must_use]
    pub fn crashes(&self) -> u64 {
        [
            Fault::CrashIdle,
            Fault::CrashBeforeCommit,
            Fault::CrashAfterCommit,
            Fault::CrashWithinEffects,
            Fault::CrashInRecovery,
            Fault::CrashBetweenAccounts,
        ]
        .into_iter()
        .map(|kind| self.count(kind))
        .sum()
    }

    /// The kind that was done least often.
    #[must_use]
    pub fn rarest(&self) -> (Fault, u64) {
        let counted = FAULTS.iter().map(|kind| (*kind, self.count(*kind)));
        counted
            .min_by_key(|(_, count)| *count)
            .unwrap_or((Fault::CrashIdle, 0))
    }

    /// What a long run must have played and has not, each the rest of a sentence.
    #[must_use]
    pub fn lacks_of_a_long_run(&self) -> Vec<String> {
        let rare = FAULTS.iter().map(|kind| (*kind, self.count(*kind)));
        let rare = rare.filter(|(_, count)| *count < LONG_OF_EACH_FAULT);
        let mut lacks: Vec<String> = rare
            .map(|(kind, count)| format!("{kind:?} {count} times of {LONG_OF_EACH_FAULT}"))
            .collect();
        if self.incidents < LONG_INCIDENTS {
            lacks.push(format!("{} incidents of {LONG_INCIDENTS}", self.incidents));
        }
        lacks
    }

    /// Adds what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.faults.iter_mut().zip(other.faults) {
            *mine += theirs;
        }
        self.worlds += other.worlds;
        self.run_twice += other.run_twice;
        self.days += other.days;
        self.incidents += other.incidents;
        self.urgent += other.urgent;
        self.events += other.events;
        self.attempts += other.attempts;
        self.pages += other.pages;
        self.repeats += other.repeats;
        self.replays += other.replays;
    }

    /// The counts of every kind of fault, three in a line.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (place, fault) in FAULTS.iter().enumerate() {
            let cell = format!("{fault:?}");
            // Writing to a string cannot fail.
            let _ = write!(text, "  {cell:<26}{:>9}", self.faults[place]);
            if place % 3 == 2 || place + 1 == FAULTS.len() {
                text.push('\n');
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_counted_by_itself_and_sums_add_up() {
        let mut tally = Tally::default();
        for kind in FAULTS {
            tally.note(kind);
        }
        tally.note(Fault::Storm);
        assert_eq!(tally.count(Fault::Storm), 2);
        assert_eq!(tally.crashes(), 6);
        assert_eq!(tally.rarest().1, 1);
        let mut sum = tally.clone();
        sum.add(&tally);
        assert_eq!(sum.count(Fault::Storm), 4);
        assert_eq!(sum.table().lines().count(), FAULTS.len().div_ceil(3));
    }
}
