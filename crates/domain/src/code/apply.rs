//! What is asked for when a document is to become true, and what of the state goes then.

use std::collections::{BTreeMap, BTreeSet};

use super::document::Document;
use super::keys::{policies, services, teams};
use super::part::{Kind, Part};
use crate::id::SecretId;
use crate::simulate::Counted;
use crate::state::State;

/// A document that is to become true: all of it, or nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Apply {
    /// What was set up when it was planned; anything else now, and it is refused.
    pub standing: Document,
    /// What is wanted.
    pub wanted: Document,
    /// What goes, as [`removals`] tells.
    pub removed: Vec<Part>,
    /// The addresses that vault rows hold: of everybody who is known, and of who comes.
    pub addresses: BTreeMap<SecretId, String>,
    /// Who comes, by their addresses.
    pub newcomers: BTreeMap<String, NewPerson>,
    /// SHA-256 (hex) of the key or the token of each integration and heartbeat that comes.
    pub key_hashes: BTreeMap<Part, String>,
}

/// Vault rows of somebody who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPerson {
    /// Of their address.
    pub email: SecretId,
    /// Of the code that proves it.
    pub pending_code: SecretId,
}

impl Apply {
    /// What of a kind is named and not there yet.
    #[must_use]
    pub fn added(&self, kind: Kind) -> Vec<Part> {
        let known: BTreeSet<String> = self.standing.names(kind).into_iter().collect();
        let wanted = self.wanted.names(kind).into_iter();
        wanted
            .filter(|name| !known.contains(name))
            .map(|name| Part::new(kind, name))
            .collect()
    }

    /// The keys of all of a kind that goes.
    pub(crate) fn gone(&self, kind: Kind) -> BTreeSet<&str> {
        let gone = self.removed.iter().filter(|part| part.kind == kind);
        gone.map(|part| part.name.as_str()).collect()
    }
}

/// Before the counted ids of stand-ins, so that none is that of something that was made while it was played through.
const STAND_INS_FROM: u64 = 1 << 40;

impl Apply {
    /// The same with stand-ins for whatever has to be made for it elsewhere, so that it can be played through.
    #[must_use]
    pub fn with_stand_ins(mut self) -> Self {
        let mut counted = Counted(STAND_INS_FROM);
        for part in self.added(Kind::Users) {
            let rows = NewPerson {
                email: SecretId::random(&mut counted),
                pending_code: SecretId::random(&mut counted),
            };
            self.addresses.insert(rows.email, part.name.clone());
            self.newcomers.insert(part.name, rows);
        }
        for kind in [Kind::Integrations, Kind::Heartbeats] {
            for part in self.added(kind) {
                self.key_hashes.insert(part, String::new());
            }
        }
        self
    }
}

/// What is set up and not in the files: what goes, and what stays because the files do not hold all of its kind, or because it
/// can never go. In the order in which it can go.
#[must_use]
pub fn removals(state: &State, standing: &Document, wanted: &Document) -> (Vec<Part>, Vec<Part>) {
    let (mut removed, mut kept) = (Vec::new(), Vec::new());
    let installation = state.installation.as_ref();
    // Others may be called the same: only a key says which one it is.
    let first_team = installation.map(|all| teams(state).name(all.team));
    let first_policy = installation.map(|all| policies(state).name(all.default_policy));
    let first_service = installation.map(|all| services(state).name(all.default_service));
    let may_service_go = |key: &str| first_service.as_deref() != Some(key);
    let removes_services = wanted.manage.removes(Kind::Services);
    let of_staying = integrations_of_staying(standing, wanted, |name| {
        removes_services && may_service_go(name)
    });
    // First of all, since they may name services that go.
    if standing.alert_rules.is_some() && wanted.alert_rules.is_none() {
        let rules = Part::new(Kind::AlertRules, "");
        if wanted.manage.removes(Kind::AlertRules) {
            removed.push(rules);
        } else {
            kept.push(rules);
        }
    }
    for kind in Kind::ALL.into_iter().rev() {
        let known: BTreeSet<String> = wanted.names(kind).into_iter().collect();
        let missing = standing.names(kind).into_iter();
        for name in missing.filter(|name| !known.contains(name)) {
            let may_go = match kind {
                Kind::Monitors | Kind::Installation | Kind::AlertRules => false,
                Kind::Services => may_service_go(&name),
                Kind::Teams => first_team.as_ref() != Some(&name),
                Kind::EscalationPolicies => first_policy.as_ref() != Some(&name),
                Kind::Integrations => match of_staying.get(&name) {
                    Some(is_named) => *is_named,
                    // It goes with its service.
                    None => continue,
                },
                Kind::Users | Kind::Schedules | Kind::Heartbeats | Kind::MaintenanceWindows => true,
            };
            let goes = may_go && wanted.manage.removes(kind);
            let part = Part::new(kind, name);
            if goes {
                removed.push(part);
            } else {
                kept.push(part);
            }
        }
    }
    (removed, kept)
}

/// Of the key of each integration whose service stays, whether that service stands in the files; a service that does not
/// may go.
fn integrations_of_staying(
    standing: &Document,
    wanted: &Document,
    goes_unless_named: impl Fn(&str) -> bool,
) -> BTreeMap<String, bool> {
    let named: BTreeSet<&String> = wanted.services.iter().map(|one| &one.name).collect();
    let mut found = BTreeMap::new();
    for service in &standing.services {
        let is_named = named.contains(&service.name);
        if !is_named && goes_unless_named(&service.name) {
            continue;
        }
        for one in &service.integrations {
            let key = Part::integration(&service.name, &one.name).name;
            found.insert(key, is_named);
        }
    }
    found
}
