//! Whether the people who would be paged now can be reached; it knows no server and no disk.

use std::collections::BTreeSet;

use tocsin_domain::id::UserId;
use tocsin_domain::page::{Policy, Recipient};
use tocsin_domain::people::{ChannelKind, SetUp, User};
use tocsin_domain::state::{Installation, State};
use tocsin_domain::time::Timestamp;

use super::Check;

/// People that a check names, each with why no page would reach them.
const NAMED_MAX: usize = 5;

/// Whether each policy has somebody to page now, and whether the list of last resort has, by what is set up.
pub(super) fn on_call(state: &State, set_up: &SetUp, now: Timestamp) -> Vec<Check> {
    let Some(installation) = &state.installation else {
        let fix = "open the setup link that `tocsin serve` prints";
        return vec![Check::fail("setup", "nobody has set Tocsin up yet", fix)];
    };
    let mut checks = Vec::new();
    for policy in used_policies(state, installation) {
        let people = people_of(state, policy, now);
        let name = "on call";
        checks.push(if people.is_empty() {
            let fix = "add people to the schedule, or a person to the policy; the list of last resort is paged meanwhile";
            Check::warn(name, format!("{}: nobody is on call", policy.name), fix)
        } else if let Some(why) = all_deaf(state, &people, set_up) {
            let detail = format!("{}: nobody who is on call can be reached: {why}", policy.name);
            let fix = "who is on call must confirm a contact method by a channel that is set up, or an administrator sets theirs up under Settings; the list of last resort is paged meanwhile";
            Check::warn(name, detail, fix)
        } else {
            Check::ok(name, format!("{}: somebody is on call and can be reached", policy.name))
        });
    }
    checks.push(last_resort(state, &installation.fallback, set_up));
    checks
}

fn last_resort(state: &State, list: &[UserId], set_up: &SetUp) -> Check {
    let name = "last resort";
    if list.is_empty() {
        let fix = "put somebody on it: a page that nobody answers ends there";
        Check::warn(name, "the list of last resort is empty", fix)
    } else if let Some(why) = all_deaf(state, list, set_up) {
        let detail = format!("nobody on the list of last resort can be reached: {why}");
        let fix = "somebody on it must confirm a contact method by a channel that is set up: a page that nobody answers ends there";
        Check::warn(name, detail, fix)
    } else {
        let detail = "somebody on the list of last resort can be reached";
        Check::ok(name, detail)
    }
}

/// Why no page would reach any of these people; none when one would.
fn all_deaf(state: &State, people: &[UserId], set_up: &SetUp) -> Option<String> {
    let mut reasons: Vec<String> = Vec::new();
    for user in people {
        let reason = match state.users.get(user) {
            None => "somebody was removed".to_owned(),
            Some(user) => format!("{} {}", user.name, user.reach(set_up).problem()?),
        };
        // Several levels may name the same person.
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    Some(told(&reasons))
}

/// The first of these, and how many more there are.
pub(super) fn told(reasons: &[String]) -> String {
    let first: Vec<&str> = reasons.iter().take(NAMED_MAX).map(String::as_str).collect();
    let first = first.join("; ");
    match reasons.len().saturating_sub(NAMED_MAX) {
        0 => first,
        more => format!("{first}; and {more} more"),
    }
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
fn stranded(state: &State, works: &SetUp, now: Timestamp) -> Vec<String> {
    let Some(installation) = &state.installation else {
        return Vec::new();
    };
    let reached = |user: &UserId| {
        let known = state.users.get(user);
        known.is_some_and(|user| user.reach(works).is_reached())
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

/// Whether those who would be paged now can be reached by a channel that works, which is more than to be set up.
pub(super) fn reach(state: &State, set_up: &SetUp, works: &SetUp, now: Timestamp) -> Reach {
    let proved = state.users.values().flat_map(User::verified_methods);
    let (mut confirmed, mut usable) = (0_usize, 0_usize);
    for method in proved {
        confirmed += 1;
        usable += usize::from(works.carries(method));
    }
    let users = state.users.values();
    let unreachable: Vec<String> = users
        .filter_map(|user| Some(format!("{} {}", user.name, user.reach(set_up).problem()?)))
        .collect();
    let name = "contact methods";
    let stranded = stranded(state, works, now);
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
        let fix = "each of them confirms a contact method by a test page, or an administrator sets up the channel of theirs";
        Check::warn(name, told(&unreachable), fix)
    };
    Reach {
        mail_wanted: state.users.values().any(is_mailed),
        check,
    }
}

/// Whether a person is told of incidents by mail.
fn is_mailed(user: &User) -> bool {
    let mut ways = user.page_ways().into_iter().chain(user.notice_ways());
    ways.any(|way| way.channel == ChannelKind::Email)
}
