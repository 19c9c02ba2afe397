//! The end of a world: the faults stop, everybody is paged for what still fails, all is mended, and all settles.

use tocsin_domain::id::{IncidentId, ServiceId};
use tocsin_domain::monitor::Severity;
use tocsin_domain::time::Timestamp;

use super::{MINUTE, World};
use crate::check::Check;
use crate::ledger::{Case, Wait};

/// The longest that a world's levels, its fallback list and its people's own rules wait, with some time to do it.
const PAGED_WITHIN: i64 = 30 * MINUTE;
/// Whoever lost the engine has found it again by then.
const TOLD_WITHIN: i64 = 3 * MINUTE;
/// What is under way or only just due.
const UNDER_WAY: i64 = 2 * MINUTE;
/// One world of so many reads its whole journal again at its end.
const RECOUNTED_EVERY: u64 = 4;
/// What is well is over, whoever was paged is told, the last outcome is known, and what wakes nobody was told together.
const SETTLED_WITHIN: i64 = 17 * MINUTE;

impl World {
    pub(super) fn end(&mut self) {
        if self.violation.is_some() {
            return;
        }
        self.say(|| "the faults stop".to_owned());
        self.stop_faults();
        let services: Vec<ServiceId> = self.ledger.services.keys().copied().collect();
        for (number, service) in services.into_iter().enumerate() {
            self.fail_once(
                Some(service),
                format!("last-{number}-9"),
                Severity::Critical,
                Vec::new(),
            );
        }
        self.run_until(self.now_us + TOLD_WITHIN + PAGED_WITHIN);
        let unpaged = self.unpaged();
        self.run_until(self.now_us + UNDER_WAY);
        let still = self.unpaged();
        if let Some(id) = unpaged.into_iter().find(|id| still.contains(id)) {
            let case = self.ledger.cases.get(&id);
            let what = format!(
                "incident {:?} was never paged: {case:?}",
                case.map(|one| one.number)
            );
            self.wrong(Check::NothingUnpaged, what);
        }
        self.mend();
        self.run_until(self.now_us + SETTLED_WITHIN);
        self.check_settled();
    }

    fn stop_faults(&mut self) {
        self.is_rough = false;
        self.suspended_until_us = self.now_us;
        self.machine.disk().mishaps.clear();
        self.disk_heals();
        self.providers.heal();
        self.sender.heal();
        if self.engine.is_none() {
            self.restart();
        }
        // Whoever found nobody there tries again now.
        for source in 0..self.sources.len() {
            self.sync(source);
        }
    }

    /// What somebody must be reached for, and for which no provider took a page.
    fn unpaged(&self) -> Vec<IncidentId> {
        let open = self.ledger.open.iter().copied();
        // What waited until a moment ago has its time from then on.
        let by = Timestamp::from_micros(self.wall().as_micros() - PAGED_WITHIN);
        let waits = |case: &Case| {
            let is_held = matches!(case.wait, Wait::Hold(_));
            let is_new = case.reached_at.is_some_and(|at| at > by);
            case.is_wanting() && !case.is_paged && !is_held && !is_new
        };
        open.filter(|id| self.ledger.cases.get(id).is_some_and(waits))
            .collect()
    }

    fn mend(&mut self) {
        self.all_recover();
        self.twins_recover();
        self.remove_jobs();
        self.run_until(self.now_us + TOLD_WITHIN);
        let open: Vec<IncidentId> = self.ledger.open.iter().copied().collect();
        for incident in open {
            self.resolve(incident);
        }
        if !self.inbox.is_empty() {
            self.step();
        }
    }

    fn check_settled(&mut self) {
        if self.violation.is_some() {
            return;
        }
        let due = self.engine.as_ref().map(tocsin_engine::Core::next_due);
        if due != Some(None) {
            self.wrong(
                Check::Settles,
                format!("all is well, but something is due: {due:?}"),
            );
        }
        let left = self.ledger.leftovers();
        if !left.is_empty() {
            self.wrong(Check::Settles, left.join("; "));
        }
        // Folding as it comes is a replay too; to read all of it again as text takes long, so some worlds do.
        if self.plan.seed.is_multiple_of(RECOUNTED_EVERY) {
            self.recount();
        }
        self.compare_published();
    }
}
