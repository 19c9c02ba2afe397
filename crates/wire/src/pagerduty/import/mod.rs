//! An account of PagerDuty, as its REST API v2 tells it, as a document of ours, with a word on whatever has no counterpart.
//! Nothing is sent from here, and neither a key nor an address of anybody's phone is carried over.

mod names;
mod people;
mod policy;
mod raw;
mod schedule;
mod service;
mod urgency;
mod walk;
mod window;

use std::collections::{BTreeMap, BTreeSet};

use tocsin_domain::code::{Document, EscalationPolicy, Length, OBJECTS_MAX};
use tocsin_domain::time::Timestamp;

use self::names::{Names, Remarks};
use self::walk::Account;

pub use self::walk::{Question, Walk};

/// How long an acknowledgement may hold, in seconds, as the core has it: a minute to 7 days.
const ACKNOWLEDGED_S: std::ops::RangeInclusive<u64> = 60..=604_800;

/// What became of an account.
#[derive(Clone, Debug, Default)]
pub struct Imported {
    /// Everything that could be carried over, in the tidy form.
    pub document: Document,
    /// What could not be: which thing, what of it, and why.
    pub remarks: Vec<String>,
}

/// The keys of everything that is referred to.
#[derive(Debug, Default)]
struct Keys {
    users: Names,
    teams: Names,
    schedules: Names,
    policies: Names,
    services: Names,
}

/// After how many seconds an acknowledgement ends, as the services of each policy say; none is never.
type Acknowledged = BTreeMap<String, BTreeSet<Option<u64>>>;

fn translate(account: &Account, mut remarks: Remarks, now: Timestamp) -> Imported {
    let (mut keys, mut document) = (Keys::default(), Document::default());
    document.users = people::users(account, &mut keys.users, &mut remarks);
    document.teams = people::teams(account, &mut keys, &mut remarks);
    for known in &account.schedules {
        let name = known.name.as_deref().unwrap_or_default();
        let id = known.id.as_deref();
        let name = keys.schedules.give("schedule", id, name, &mut remarks);
        let made = schedule::schedule(known, name, &keys.users, now, &mut remarks);
        document.schedules.push(made);
    }
    for known in &account.policies {
        document
            .escalation_policies
            .extend(policy::policy(known, &mut keys, &mut remarks));
    }
    let mut acknowledged = Acknowledged::new();
    for known in &account.services {
        let made = service::service(known, &mut keys, &mut acknowledged, &mut remarks);
        document.services.push(made);
    }
    hold_acknowledgements(
        &mut document.escalation_policies,
        &acknowledged,
        &mut remarks,
    );
    document.maintenance_windows = window::windows(account, &keys, now, &mut remarks);
    document.installation.priorities = people::priorities(account, &mut remarks);
    general(account, &document, &mut remarks);
    Imported {
        document: document.tidied(),
        remarks: remarks.into_lines(),
    }
}

/// How long an acknowledgement holds is said by services there and by policies here.
fn hold_acknowledgements(
    policies: &mut [EscalationPolicy],
    acknowledged: &Acknowledged,
    remarks: &mut Remarks,
) {
    for policy in policies {
        let Some(said) = acknowledged.get(&policy.name) else {
            continue;
        };
        let Some(shortest) = said.iter().flatten().min().copied() else {
            continue;
        };
        let (least, most) = (*ACKNOWLEDGED_S.start(), *ACKNOWLEDGED_S.end());
        let kept = shortest.clamp(least, most);
        policy.acknowledgement_timeout = Some(Length::of_ms(kept * 1_000));
        let name = &policy.name;
        if said.len() > 1 {
            remarks.add(format!(
                "escalation policy {name:?}: its services let acknowledgements end after different times, and here the policy \
                 says it: the shortest, {kept} s, holds for all of them"
            ));
        } else if kept != shortest {
            remarks.add(format!(
                "escalation policy {name:?}: acknowledgements end after {shortest} s there, and after {kept} s here: it is a \
                 minute to 7 days"
            ));
        }
    }
}

/// What is not carried over of anything.
fn general(account: &Account, document: &Document, remarks: &mut Remarks) {
    if !document.users.is_empty() {
        remarks.add(
            "people: contact methods and notification rules stand in no file: whoever is added says how they are reached",
        );
    }
    let mut members = account.teams.iter().flat_map(|team| &team.members);
    if members.any(|member| member.role.is_some()) {
        remarks.add("teams: roles within a team are left out: a role holds everywhere here");
    }
    if !document.schedules.is_empty() {
        remarks.add("schedules: overrides are left out: they are made by hand here too");
    }
    let mut integrations = document.services.iter().map(|one| one.integrations.len());
    if integrations.any(|count| count > 0) {
        remarks.add(
            "integrations: keys are left out: tocsin apply makes a new one for each and prints it once, for whoever sends",
        );
    }
    remarks.add(
        "account: not read at all: which team a thing belongs to, event orchestrations and rulesets, webhooks and extensions, \
         business services, status pages, workflows, tags, and incidents",
    );
    if document.len() > OBJECTS_MAX {
        remarks.add(format!(
            "account: {} things are more than the {OBJECTS_MAX} that are applied at once: leave some out",
            document.len()
        ));
    }
}

#[cfg(test)]
mod tests;
