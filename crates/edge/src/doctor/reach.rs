//! Whether the people who would be paged now can be reached; it knows no server and no disk.

use std::collections::BTreeSet;

use tocsin_domain::id::UserId;
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::{Installation, State};
use tocsin_domain::time::Timestamp;

use super::Check;
use crate::app::App;
use crate::delivery::account::{self, Provider};

/// Whether each policy has somebody to page now, and whether the list of last resort has.
pub(super) fn on_call(state: &State, now: Timestamp) -> Vec<Check> {
    let Some(installation) = &state.installation else {
        let fix = "open the setup link that `tocsin serve` prints";
        return vec![Check::fail("setup", "nobody has set Tocsin up yet", fix)];
    };
    let reachable = |user: &UserId| {
        state
            .users
            .get(user)
            .is_some_and(tocsin_domain::people::User::is_reachable)
    };
    let mut checks = Vec::new();
    for policy in used_policies(state, installation) {
        let people = people_of(state, policy, now);
        let name = "on call";
        checks.push(if people.iter().any(reachable) {
            Check::ok(name, format!("{}: somebody is on call and can be reached", policy.name))
        } else if people.is_empty() {
            let fix = "add people to the schedule, or a person to the policy; the list of last resort is paged meanwhile";
            Check::warn(name, format!("{}: nobody is on call", policy.name), fix)
        } else {
            let fix = "who is on call must confirm a contact method; the list of last resort is paged meanwhile";
            Check::warn(name, format!("{}: nobody who is on call can be reached", policy.name), fix)
        });
    }
    let fallback = installation.fallback.iter().any(reachable);
    checks.push(if installation.fallback.is_empty() {
        let fix = "put somebody on it: a page that nobody answers ends there";
        Check::warn("last resort", "the list of last resort is empty", fix)
    } else if fallback {
        Check::ok(
            "last resort",
            "somebody on the list of last resort can be reached",
        )
    } else {
        let fix =
            "somebody on it must confirm a contact method: a page that nobody answers ends there";
        Check::warn(
            "last resort",
            "nobody on the list of last resort can be reached",
            fix,
        )
    });
    checks
}

/// The policies by which somebody is paged.
fn used_policies<'a>(state: &'a State, installation: &Installation) -> Vec<&'a Policy> {
    let of_services = state.services.values().filter_map(|service| service.policy);
    let used: BTreeSet<_> = of_services.chain([installation.default_policy]).collect();
    used.iter()
        .filter_map(|id| state.policies.get(id))
        .collect()
}

/// Whom a policy pages now, at any of its levels.
fn people_of(state: &State, policy: &Policy, now: Timestamp) -> Vec<UserId> {
    let targets = policy.levels.iter().flat_map(|level| &level.targets);
    targets
        .flat_map(|target| match target {
            Recipient::User(user) => vec![*user],
            Recipient::Schedule(id) => {
                let schedule = state.schedules.get(id);
                let shift = schedule.and_then(|schedule| schedule.shift_at(now));
                shift.map(|shift| shift.user).into_iter().collect()
            }
            Recipient::Team(id) => {
                let team = state.teams.get(id);
                team.map_or_else(Vec::new, |team| team.members.clone())
            }
        })
        .collect()
}

/// The policies that would reach nobody now, their people and the list of last resort taken together.
fn stranded(state: &State, now: Timestamp, works: &dyn Fn(ChannelKind) -> bool) -> Vec<String> {
    let Some(installation) = &state.installation else {
        return Vec::new();
    };
    let reached = |user: &UserId| {
        let known = state.users.get(user);
        let mut methods = known.iter().flat_map(|user| &user.contact_methods);
        methods.any(|method| method.verified_at.is_some() && works(method.kind))
    };
    if installation.fallback.iter().any(reached) {
        return Vec::new();
    }
    let used = used_policies(state, installation).into_iter();
    let lost = used.filter(|policy| !people_of(state, policy, now).iter().any(reached));
    lost.map(|policy| policy.name.clone()).collect()
}

/// Which ways to people there are.
pub(super) struct Reach {
    /// Whether somebody is to be reached by mail.
    pub(super) mail_wanted: bool,
    pub(super) check: Check,
}

/// Whether those who would be paged now can be reached by a channel that works.
pub(super) fn reach(state: &State, now: Timestamp, works: &dyn Fn(ChannelKind) -> bool) -> Reach {
    let proved = state
        .users
        .values()
        .flat_map(|user| &user.contact_methods)
        .filter(|one| one.verified_at.is_some());
    let (mut confirmed, mut by_mail, mut usable) = (0_usize, 0_usize, 0_usize);
    for method in proved {
        confirmed += 1;
        by_mail += usize::from(method.kind == ChannelKind::Email);
        usable += usize::from(works(method.kind));
    }
    let unreachable: Vec<&str> = state
        .users
        .values()
        .filter(|user| !user.is_reachable())
        .map(|user| user.name.as_str())
        .collect();
    let name = "contact methods";
    let stranded = stranded(state, now, works);
    let check = if usable == 0 {
        let fix = "set up a mail server, or add an ntfy topic or a webhook and confirm it";
        Check::fail(name, "no confirmed contact method can be used now", fix)
    } else if !stranded.is_empty() {
        let fix = "who is on call, or somebody on the list of last resort, must confirm a contact method that works";
        let names = stranded.join(", ");
        let detail = format!("nobody who would be paged now can be reached: {names}");
        Check::fail(name, detail, fix)
    } else if unreachable.is_empty() {
        Check::ok(name, format!("{confirmed} are confirmed"))
    } else {
        let fix = "each of them confirms a contact method by a test page";
        Check::warn(
            name,
            format!("without a confirmed one: {}", unreachable.join(", ")),
            fix,
        )
    };
    Reach {
        mail_wanted: by_mail > 0,
        check,
    }
}

/// The channels whose provider has an account, or needs none.
pub(super) async fn channels_set_up(app: &App) -> BTreeSet<ChannelKind> {
    let read = app.blocking(|parts| {
        let mut set_up = BTreeSet::new();
        for kind in ChannelKind::ALL {
            if let Some(provider) = Provider::of(kind)
                && account::is_set_up(parts.accounts.as_ref(), provider)?
            {
                set_up.insert(kind);
            }
        }
        Ok(set_up)
    });
    // What cannot be read cannot be used either; the check of the journal says why.
    read.await.unwrap_or_default()
}
