//! What happens when: an ordered list of things to come, in the order they were added where they come together.

use std::collections::BTreeMap;

use tocsin_domain::id::{
    ContactMethodId, HeartbeatId, IncidentId, NotificationId, ServiceId, UserId,
};
use tocsin_domain::page::Fate;

use super::Report;
use super::fault::Kind;
use super::post::{Errand, Given};
use crate::providers::Answer;

/// Something that happens in a world at its time.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A source begins to fail.
    Fails(usize),
    /// It says so again.
    Repeats(usize),
    /// It gets worse.
    Worsens(usize),
    /// It is well again.
    Recovers(usize),
    /// It tells the engine how it is, if the engine does not know.
    Syncs(usize),
    /// What two replicas watch begins to fail.
    TwinFails(usize),
    /// It is well again.
    TwinEnds(usize),
    /// One of the two looks.
    TwinSees { twin: usize, replica: usize },
    /// It says again what it said when it last saw something new.
    TwinTells {
        twin: usize,
        replica: usize,
        saw: u32,
    },
    /// An attempt has its place, or is too late for one.
    Begins(Given),
    /// An account has answered, or did not in time.
    Answered { errand: Box<Errand>, answer: Answer },
    /// The sender tells how an attempt went.
    Reported(Report),
    /// A provider tells what became of a message that it took.
    Told {
        notification: NotificationId,
        number: u32,
        fate: Fate,
    },
    /// Evidence is frozen.
    Frozen { life: u64, incident: IncidentId },
    /// Somebody reads a page.
    Reads { user: UserId, incident: IncidentId },
    /// Somebody has mended it.
    Finishes { user: UserId, incident: IncidentId },
    /// Somebody looks at all that is open.
    Sweep,
    /// Somebody changes the configuration.
    Edit,
    /// Somebody removes something that others depend on.
    Removes,
    /// Somebody changes what becomes of alerts.
    Plans,
    /// Somebody moves or ends what was planned.
    Rethinks,
    /// A job has something to say.
    Calls(HeartbeatId),
    /// Somebody does something about whatever is open.
    Meddles,
    /// An incident is taken from a person while an attempt to page them for it hangs.
    TakesAway { user: UserId, incident: IncidentId },
    /// Something else of a service fails, of which somebody was paged in turn.
    FailsBeside(ServiceId),
    /// Somebody proves a contact method.
    Verifies {
        user: UserId,
        method: ContactMethodId,
    },
    /// A host that was removed is found again.
    Returns(String),
    /// A hand-off is looked up, for an alert exactly then.
    PlansHandOff,
    /// A shift begins, and this service fails.
    HandOff(ServiceId),
    /// The support hours of this service are about to begin, and it fails.
    FailsBeforeHours(ServiceId),
    /// A fault befalls the machine or its surroundings.
    Befalls(Kind),
    /// The disk works again.
    DiskHeals,
    /// This run of the process dies.
    Dies(u64),
    /// The process is started again.
    Restarts,
}

/// Things to come.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    items: BTreeMap<(i64, u64), Happening>,
    added: u64,
}

impl Agenda {
    pub(super) fn add(&mut self, at_us: i64, happening: Happening) {
        self.added += 1;
        self.items.insert((at_us, self.added), happening);
    }

    pub(super) fn next_us(&self) -> Option<i64> {
        self.items.first_key_value().map(|((at, _), _)| *at)
    }

    /// The first thing that has come by now.
    pub(super) fn take(&mut self, now_us: i64) -> Option<Happening> {
        let first = self.items.first_entry()?;
        (first.key().0 <= now_us).then(|| first.remove())
    }
}
