//! An account of PagerDuty, as its REST API v2 tells it, as a document of ours, with a word on whatever has no counterpart.
//! Nothing is sent from here, and neither a key nor an address of anybody's phone is carried over.

mod left_out;
mod names;
mod orchestration;
mod people;
mod policy;
mod raw;
mod schedule;
mod service;
mod urgency;
mod walk;
mod window;

use tocsin_domain::code::{Document, OBJECTS_MAX};
use tocsin_domain::time::Timestamp;

use self::names::{Names, Remarks};
use self::walk::Account;

pub use self::walk::{Question, Walk};

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

fn translate(account: &Account, mut remarks: Remarks, now: Timestamp) -> Imported {
    let (mut keys, mut document) = (Keys::default(), Document::default());
    document.users = people::users(account, &mut keys.users, &mut remarks);
    document.teams = people::teams(account, &mut keys, &mut remarks);
    for known in &account.schedules {
        let name = known.name.as_deref().unwrap_or_default();
        let id = known.id.as_deref();
        let name = keys.schedules.give("schedule", id, name, &mut remarks);
        let made = schedule::schedule(known, name, (&keys.users, &keys.teams), now, &mut remarks);
        document.schedules.push(made);
    }
    for known in &account.policies {
        document
            .escalation_policies
            .extend(policy::policy(known, &mut keys, &mut remarks));
    }
    policy::remark_untold_turns(&account.policies, &mut remarks);
    for known in &account.services {
        let made = service::service(known, &mut keys, &mut remarks);
        document.services.push(made);
    }
    orchestration::orchestrations(account, &mut keys, &mut document, &mut remarks);
    left_out::told(account, &mut remarks);
    document.maintenance_windows = window::windows(account, &keys, now, &mut remarks);
    document.installation.priorities = people::priorities(account, &mut remarks);
    general(account, &document, &mut remarks);
    Imported {
        document: document.tidied(),
        remarks: remarks.into_lines(),
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
    remarks.add("account: not read at all: status pages, workflows, response plays, and incidents");
    if document.len() > OBJECTS_MAX {
        remarks.add(format!(
            "account: {} things are more than the {OBJECTS_MAX} that are applied at once: leave some out",
            document.len()
        ));
    }
}

#[cfg(test)]
mod tests;
