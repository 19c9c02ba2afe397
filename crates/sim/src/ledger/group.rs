//! Which incident an alert belongs to, in the second book: that of its server, of its rule, of its group, or in a storm the
//! newest of its service.

use std::collections::{BTreeMap, VecDeque};

use tocsin_domain::alert::{Alert, AlertSource, Grouped};
use tocsin_domain::event::Event;
use tocsin_domain::id::{IncidentId, ServiceId, TargetId};
use tocsin_domain::intake::GroupBy;
use tocsin_domain::monitor::Severity;
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::rules::Ruled;
use super::{Case, Ledger, Standing, Wait};
use crate::check::Check;

/// So many incidents of a service within minutes make a storm, or so many critical ones.
const STORM: usize = 10;
const STORM_CRITICAL: usize = 20;
const STORM_MS: u64 = 300_000;
/// Alerts of one incident at most.
const MEMBERS_MAX: u32 = 1_000;
/// Open incidents of one group that further alerts may join at most.
const OF_GROUP_MAX: usize = 32;
/// Nobody minds whether an alert came a moment before or after the end of a span of time.
const MOMENT_MS: u64 = 2_000;

/// A rule of a service, by its group and name, or what has the same labels.
type Line = (ServiceId, String, String);
/// What alerts of a service have in common.
type Group = (ServiceId, String);

/// Where alerts go on.
#[derive(Debug, Default)]
pub(super) struct Groups {
    of_target: BTreeMap<TargetId, IncidentId>,
    of_line: BTreeMap<Line, IncidentId>,
    /// The open incidents of each group, in the order in which alerts of it first came into them.
    of_group: BTreeMap<Group, Vec<IncidentId>>,
    /// When the last incidents of each service were opened, critical ones apart.
    opened: BTreeMap<(ServiceId, bool), VecDeque<Timestamp>>,
}

impl Groups {
    pub(super) fn count(&mut self, service: ServiceId, severity: Severity, at: Timestamp) {
        let key = (service, severity == Severity::Critical);
        let opened = self.opened.entry(key).or_default();
        opened.push_back(at);
        if opened.len() > STORM_CRITICAL {
            opened.pop_front();
        }
    }

    /// What is over takes no more of its groups; what fails of its server or rule may come back to it.
    pub(super) fn end(&mut self, id: IncidentId) {
        for known in self.of_group.values_mut() {
            known.retain(|known| *known != id);
        }
        self.of_group.retain(|_, known| !known.is_empty());
    }

    /// What would join the one joins the other.
    pub(super) fn go_on(&mut self, from: IncidentId, to: IncidentId) {
        let known = self.of_target.values_mut();
        for known in known.chain(self.of_line.values_mut()) {
            if *known == from {
                *known = to;
            }
        }
        for known in self.of_group.values_mut() {
            let is_there = known.contains(&to);
            if let Some(place) = known.iter().position(|known| *known == from) {
                known.remove(place);
                if !is_there {
                    known.insert(place, to);
                }
            }
        }
    }

    /// An alert of a group came into this incident.
    fn came_into(&mut self, id: IncidentId, group: Group) {
        let known = self.of_group.entry(group).or_default();
        if known.contains(&id) {
            return;
        }
        if known.len() == OF_GROUP_MAX {
            known.remove(0);
        }
        known.push(id);
    }

    /// The incidents of a group that a further alert may join.
    fn of(&self, group: &Group) -> &[IncidentId] {
        self.of_group.get(group).map_or(&[][..], Vec::as_slice)
    }

    pub(super) fn set_back(&mut self, by_ms: u64) {
        for at in self.opened.values_mut().flatten() {
            *at = at.minus_ms(by_ms);
        }
    }

    fn storms(&self, service: ServiceId, severity: Severity, at: Timestamp) -> bool {
        let critical = severity == Severity::Critical;
        let many = if critical { STORM_CRITICAL } else { STORM };
        let opened = self.opened.get(&(service, critical));
        let first = opened.and_then(|opened| opened.iter().rev().nth(many - 1));
        first.is_some_and(|first| at.ms_since(*first) <= STORM_MS)
    }

    /// The incident of its server, or else of its rule.
    fn own(&self, told: &Alert) -> Option<IncidentId> {
        match told.target {
            Some(target) => self.of_target.get(&target).copied(),
            None => self.of_line.get(&line(told)?).copied(),
        }
    }
}

fn line(told: &Alert) -> Option<Line> {
    match &told.source {
        AlertSource::Rule { group, rule } => Some((told.service, group.clone(), rule.clone())),
        // What has the same labels is the same.
        AlertSource::Alertmanager { .. } => {
            Some((told.service, "labels".to_owned(), told.dedup_key.clone()))
        }
        AlertSource::Monitor { .. }
        | AlertSource::EventsV2 { .. }
        | AlertSource::Api
        | AlertSource::Heartbeat { .. } => None,
    }
}

impl Ledger {
    /// An alert joins only what it belongs to, and opens an incident only where it belongs to none.
    pub(super) fn check_place(&mut self, told: &Alert, ruled: Option<&Ruled>, event: &Event) {
        let id = told.incident;
        let members = self.cases.get(&id).map_or(0, |case| case.members);
        let group = ruled.and_then(|ruled| ruled.group.clone());
        let group = group.map(|group| (told.service, group));
        let of_group = group
            .as_ref()
            .map_or(&[][..], |group| self.groups.of(group));
        let own = self.groups.own(told);
        let wrong = if members > 0 {
            let in_group = of_group.contains(&id)
                && self.in_time(told, id, event, true)
                && self.hears_of(told, id);
            let in_storm = told.grouped == Some(Grouped::Storm)
                && self
                    .groups
                    .storms(told.service, told.severity, event.recorded_at);
            let belongs = own == Some(id) || in_group || in_storm || ruled.is_none();
            (!belongs).then_some("it joined what it does not belong to")
        } else if own.is_some_and(|own| self.has_room(own)) {
            Some("it has an incident of its own, and opened another")
        } else {
            let mut of_group = of_group.iter();
            let is_missed = of_group.any(|known| self.takes_in(told, *known, event));
            is_missed.then_some("its group has an incident, and it opened another")
        };
        if let Some(wrong) = wrong {
            let number = self.cases.get(&id).map_or(0, |case| case.number);
            let what = format!(
                "alert {} ({}) of incident {number}, {group:?}: {wrong}",
                told.id, told.title
            );
            self.find(Check::RightIncident, event.at, what);
        }
        if let Some(target) = told.target {
            self.groups.of_target.insert(target, id);
        } else if let Some(line) = line(told) {
            self.groups.of_line.insert(line, id);
        }
        if let Some(group) = group {
            self.groups.came_into(id, group);
        }
    }

    /// Whether somebody hears of what joins an incident by its group: whoever has it took what failed by then.
    fn hears_of(&self, told: &Alert, id: IncidentId) -> bool {
        let is_taken = |case: &Case| case.standing == Standing::Taken;
        told.urgency() == Urgency::Low || !self.cases.get(&id).is_some_and(is_taken)
    }

    fn has_room(&self, id: IncidentId) -> bool {
        let case = self.cases.get(&id);
        case.is_some_and(|case| case.standing != Standing::Over && case.members < MEMBERS_MAX)
    }

    /// Whether an alert of a group comes in time for an incident of it; of several instants that may count, by the kinder one.
    fn in_time(&self, told: &Alert, id: IncidentId, event: &Event, kindly: bool) -> bool {
        let service = self.services.get(&told.service);
        let (Some(service), Some(case)) = (service, self.cases.get(&id)) else {
            return false;
        };
        match &service.intake.grouping {
            GroupBy::Nothing => false,
            GroupBy::Content { .. } => true,
            // Which of its alerts was the last is not told of what was merged.
            GroupBy::Time { .. } if case.is_merged => kindly,
            GroupBy::Time { within_ms, rolling } => {
                let newest = case.newest.and_then(|newest| self.alerts.get(&newest));
                let last = newest.filter(|_| *rolling).map(|newest| newest.heard_at);
                let since = event.recorded_at.ms_since(last.unwrap_or(case.opened_at));
                if kindly {
                    since <= within_ms + MOMENT_MS
                } else {
                    since + MOMENT_MS < *within_ms
                }
            }
        }
    }

    /// Whether an incident must take an alert of its group in: it is about the same server, has room, is in time, and what is
    /// urgent is heard in it. What is covered by itself may stay by itself.
    fn takes_in(&self, told: &Alert, id: IncidentId, event: &Event) -> bool {
        let Some(case) = self.cases.get(&id) else {
            return false;
        };
        let is_heard = told.urgency() == Urgency::Low
            || (is_loud(case) && !self.is_covered(told, event.recorded_at));
        self.has_room(id)
            && case.target == told.target
            && is_heard
            && self.hears_of(told, id)
            && self.in_time(told, id, event, false)
    }
}

/// Whether somebody is paged for what fails in it, or will be.
fn is_loud(case: &Case) -> bool {
    let is_flapping = case.is_flapping && matches!(case.wait, Wait::Quiet(_));
    case.burns() && !is_flapping
}
