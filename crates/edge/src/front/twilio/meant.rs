//! Which incident the reply to a text is about, and who of those with that number answers for it. It changes nothing.

use std::cmp::Reverse;

use tocsin_domain::id::{IncidentId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::page::{Notification, Purpose};
use tocsin_domain::people::Role;
use tocsin_domain::state::State;
use tocsin_wire::twilio::{Reply, Verb};

use crate::answers;
use crate::http::answer::incident_numbered;

/// Numbers of incidents that are told to whoever must name one, so that it stays a short text.
const NUMBERS_MAX: usize = 5;

/// What a reply is about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// Nothing that is open and that they may answer.
    Nothing,
    /// This incident; who answers for it.
    One(UserId, IncidentId),
    /// The incident of that number, of which they were told before it was over and came back.
    CameBack(u64),
    /// It must be asked which of these: the newest numbers.
    Several(Vec<u64>),
}

/// Who replied about what: the incident of that number, or what is open and they may have heard of.
pub(super) fn meant(state: &State, people: &[UserId], reply: Reply) -> Meant {
    let Some(number) = reply.number else {
        return meant_without_number(state, people, reply.verb);
    };
    let trusted = || {
        let mut all = people.iter().copied();
        all.find(|user| {
            let user = state.users.get(user);
            user.is_some_and(|user| user.role >= Role::Responder)
        })
    };
    let Some(incident) = incident_numbered(state, number) else {
        return Meant::Nothing;
    };
    match paged(state, people, incident, |_| true) {
        Some(Told::Now(user)) => Meant::One(user, incident),
        Some(Told::Before(_)) => Meant::CameBack(number),
        None => trusted().map_or(Meant::Nothing, |user| Meant::One(user, incident)),
    }
}

/// Nobody means what no message was sent to them about, however soon one is planned. Acknowledging takes the newest that nobody has, so
/// that the others are not left to ring. Resolving guesses nothing: a failure that goes on would be hidden.
fn meant_without_number(state: &State, people: &[UserId], verb: Verb) -> Meant {
    let open = state.open_incidents.iter();
    let open = open.filter_map(|id| state.incidents.get(id));
    let may_have_come = |message: &Notification| answers::may_have_come(state, message);
    let mut theirs: Vec<(&Incident, Told)> = open
        .filter_map(|incident| {
            let told = paged(state, people, incident.id, may_have_come)?;
            Some((incident, told))
        })
        .collect();
    theirs.sort_by_key(|(incident, _)| Reverse(incident.number));
    match (verb, theirs.as_slice()) {
        (_, []) => Meant::Nothing,
        (Verb::Acknowledge, theirs) => to_acknowledge(theirs),
        (Verb::Resolve, [(incident, Told::Now(user))]) => Meant::One(*user, incident.id),
        (Verb::Resolve, [(incident, Told::Before(_))]) => Meant::CameBack(incident.number),
        (Verb::Resolve, theirs) => {
            let numbers = theirs.iter().map(|(incident, _)| incident.number);
            Meant::Several(numbers.take(NUMBERS_MAX).collect())
        }
    }
}

/// Of what they were told, the newest first, what is acknowledged without a number: what nobody has, else what they are asked to help
/// with, else the newest. What came back since they were told of it is not taken, and passes for none of the others.
fn to_acknowledge(theirs: &[(&Incident, Told)]) -> Meant {
    let is_untaken = |incident: &Incident, user: UserId| {
        incident.status == Status::Triggered && !incident.spares(user)
    };
    let of_now = theirs.iter().filter_map(|(incident, told)| match told {
        Told::Now(user) => Some((*incident, *user)),
        Told::Before(_) => None,
    });
    let of_now: Vec<(&Incident, UserId)> = of_now.collect();
    let mut all = of_now.iter();
    let found = all.find(|(incident, user)| is_untaken(incident, *user));
    let mut all = of_now.iter();
    let found = found.or_else(|| all.find(|(incident, user)| incident.awaits(*user)));
    let before = theirs.iter().find(|(incident, told)| match told {
        Told::Before(user) => of_now.is_empty() || is_untaken(incident, *user),
        Told::Now(_) => false,
    });
    match (found, before) {
        (Some((incident, user)), _) => Meant::One(*user, incident.id),
        (None, Some((incident, _))) => Meant::CameBack(incident.number),
        (None, None) => of_now.first().map_or(Meant::Nothing, |(incident, user)| {
            Meant::One(*user, incident.id)
        }),
    }
}

/// Somebody was told to answer for an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// For what fails now.
    Now(UserId),
    /// For what was over and came back since; of that they were told nothing.
    Before(UserId),
}

/// Who of these people was told to answer for an incident, or for one that was merged into it, by a message that counts.
fn paged(
    state: &State,
    people: &[UserId],
    incident: IncidentId,
    counts: impl Fn(&Notification) -> bool,
) -> Option<Told> {
    let parts = state.made_of(incident).into_iter();
    let messages = parts.flat_map(|part| state.messages_about(part));
    let mut asked = messages.filter(|message| {
        let asked = matches!(
            message.purpose,
            Purpose::Page(_) | Purpose::Notice(_) | Purpose::Request(_)
        );
        asked && people.contains(&message.user) && counts(message)
    });
    let first = asked.next()?;
    // Which of several is replied to, a text does not say: one of now is enough.
    let of_now = std::iter::once(first)
        .chain(asked)
        .find(|one| !state.is_of_before(one, 0));
    Some(of_now.map_or(Told::Before(first.user), |one| Told::Now(one.user)))
}
