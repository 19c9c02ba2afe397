//! What waits, and whether it waits too long or not long enough. Each alert that asks for somebody is covered, or waits whether it
//! is over by then, or is free; nobody is chosen before one of them is free, and somebody is from then on.

use tocsin_domain::id::IncidentId;
use tocsin_domain::time::Timestamp;

use super::{Case, Ledger, Standing, Wait};
use crate::check::Check;

impl Ledger {
    /// Why an incident waits longer than it may: something of it asks by then that neither waits nor is covered. What comes and
    /// goes waits for another reason.
    pub(super) fn overslept(&self, case: &Case, now: Timestamp) -> Option<String> {
        let until = match case.wait {
            Wait::Quiet(_) if case.is_flapping => return None,
            Wait::Hold(until) | Wait::Quiet(until) => until,
            Wait::Nothing | Wait::Level { .. } => return None,
        };
        if case.standing != Standing::Triggered || case.is_quieted {
            return None;
        }
        let free = self.case_free_from(case, now, true)?;
        (until > free).then(|| {
            let wait = case.wait;
            format!("it waits ({wait:?}), but from {free} on something in it does not")
        })
    }

    /// Why nobody may be chosen for an incident yet.
    pub(super) fn too_early(&self, id: IncidentId, at: Timestamp) -> Option<(Check, String)> {
        let case = self.cases.get(&id).filter(|case| case.burns())?;
        if let Some(until) = self.case_covered_until(case, at, false) {
            let what = format!("all that asks is covered until {until}");
            return Some((Check::NothingCovered, what));
        }
        // What is being paged for goes on, also where only what waits is left of it.
        let begins = !matches!(case.wait, Wait::Level { .. }) && !case.is_pressed;
        let free = self.case_free_from(case, at, false)?;
        (begins && free > at).then(|| {
            let what = format!("all that asks waits or is covered, the first until {free}");
            (Check::NothingEarly, what)
        })
    }
}
