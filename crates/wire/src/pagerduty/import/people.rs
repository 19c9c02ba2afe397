//! People, teams and the names of priorities.

use std::collections::BTreeSet;

use tocsin_domain::code::{Team, User};
use tocsin_domain::people::Role;
use tocsin_domain::team::TEAM_MEMBERS_MAX;

use super::Keys;
use super::names::{Names, Remarks, said};
use super::raw;
use super::walk::Account;
use crate::mail_address::is_address;
use crate::plain::tidy;

/// Priorities at most, as the core has it.
const PRIORITIES_MAX: usize = 10;
/// Characters of the name of one at most.
const PRIORITY_CHARS_MAX: usize = 40;
/// Characters of a person's name at most.
const NAME_CHARS_MAX: usize = 200;

/// Everybody who has an address.
pub(super) fn users(account: &Account, names: &mut Names, remarks: &mut Remarks) -> Vec<User> {
    let mut made = Vec::new();
    for known in &account.users {
        let name = tidy(known.name.as_deref().unwrap_or_default(), NAME_CHARS_MAX);
        let email = known.email.as_deref().unwrap_or_default().trim();
        let email = email.to_lowercase();
        if !is_address(&email) {
            remarks.add(format!(
                "person {name:?}: left out, since {email:?} is no address to sign in with"
            ));
            continue;
        }
        if !names.keep(known.id.as_deref(), email.clone()) {
            remarks.add(format!(
                "person {name:?}: left out, since somebody else has the address {email:?}"
            ));
            continue;
        }
        let word = known.role.as_deref().unwrap_or_default();
        let role = (!word.is_empty()).then(|| {
            role_of(word).unwrap_or_else(|| {
                remarks.add(format!(
                    "person {email:?}: {word:?} is no role that is known: a viewer here"
                ));
                Role::Viewer
            })
        });
        if role.is_none() {
            remarks.add(format!(
                "person {email:?}: the account does not say their role: who is known here keeps theirs, and who comes is a responder"
            ));
        }
        made.push(User {
            name: (!name.is_empty()).then_some(name),
            email,
            role,
        });
    }
    made
}

/// PagerDuty's words for roles, in its API and on its pages; ours are fewer.
fn role_of(word: &str) -> Option<Role> {
    match word {
        "owner" | "admin" | "global_admin" | "account_owner" => Some(Role::Admin),
        "user" | "limited_user" | "manager" | "responder" => Some(Role::Responder),
        "observer"
        | "restricted_access"
        | "read_only_user"
        | "read_only_limited_user"
        | "limited_stakeholder"
        | "stakeholder" => Some(Role::Viewer),
        _ => None,
    }
}

/// The teams with those of their members who are carried over.
pub(super) fn teams(account: &Account, keys: &mut Keys, remarks: &mut Remarks) -> Vec<Team> {
    let mut made = Vec::new();
    for known in &account.teams {
        let name = known.name.as_deref().unwrap_or_default();
        let name = keys.teams.give("team", known.id.as_deref(), name, remarks);
        if known.parent.is_some() {
            remarks.add(format!(
                "team {name:?}: that it stands below another one is left out: teams stand side by side"
            ));
        }
        let (mut members, mut seen) = (Vec::new(), BTreeSet::new());
        for member in &known.members {
            let Some(user) = &member.user else { continue };
            match keys.users.of(user.id.as_deref()) {
                Some(email) if seen.insert(email) => members.push(email.to_owned()),
                Some(_) => {}
                None => remarks.add(format!(
                    "team {name:?}: {:?} is left out, since there is no such person",
                    user.summary.as_deref().unwrap_or_default()
                )),
            }
        }
        if members.len() > TEAM_MEMBERS_MAX {
            remarks.add(format!(
                "team {name:?}: {} members are too many: the first {TEAM_MEMBERS_MAX} are kept",
                members.len()
            ));
            members.truncate(TEAM_MEMBERS_MAX);
        }
        let place = format!("team {name:?}");
        made.push(Team {
            name,
            description: said(known.description.as_deref(), &place, remarks),
            members,
        });
    }
    made
}

/// The team that something belongs to: one at most.
pub(super) fn team_of(
    all: Option<&[raw::Reference]>,
    place: &str,
    teams: &Names,
    remarks: &mut Remarks,
) -> Option<String> {
    let all = all.unwrap_or_default();
    let known: Vec<&str> = all
        .iter()
        .filter_map(|team| teams.of(team.id.as_deref()))
        .collect();
    if known.len() < all.len() {
        remarks.add(format!(
            "{place}: a team that it belongs to is left out, since there is no such team"
        ));
    }
    let (first, others) = known.split_first()?;
    if !others.is_empty() {
        remarks.add(format!(
            "{place}: of {} teams that it belongs to the first, {first:?}, is kept: it belongs to one here",
            known.len()
        ));
    }
    Some((*first).to_owned())
}

/// The names of priorities, the most important first; none when there are none.
pub(super) fn priorities(account: &Account, remarks: &mut Remarks) -> Option<Vec<String>> {
    let mut known: Vec<_> = account.priorities.iter().collect();
    known.sort_by_key(|one| std::cmp::Reverse(one.order));
    let mut names: Vec<String> = Vec::new();
    for one in known {
        let name = tidy(one.name.as_deref().unwrap_or_default(), PRIORITY_CHARS_MAX);
        if name.is_empty() || names.contains(&name) {
            remarks.add(format!(
                "priority {name:?}: left out, since it has no name of its own"
            ));
        } else if names.len() >= PRIORITIES_MAX {
            remarks.add(format!(
                "priority {name:?}: left out, since {PRIORITIES_MAX} are kept at most"
            ));
        } else {
            names.push(name);
        }
    }
    (!names.is_empty()).then_some(names)
}
