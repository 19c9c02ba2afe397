//! What an answer to a message is about, and what it has come to. It knows no channel and no route.

use std::collections::BTreeSet;

use tocsin_domain::id::{IncidentId, NotificationId, UserId};
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::page::{Delivery, Notification, Purpose};
use tocsin_domain::people::Urgency;
use tocsin_domain::state::State;

/// What is said to whoever answers a message of before what it told came back.
pub(crate) const CAME_BACK: &str = "Nothing was done: it was over and came back since this message was sent. Open it in Tocsin, or answer the newer message if you have one.";
/// What is said where only some of it came back.
const SOME_CAME_BACK: &str =
    "Some of it came back since this message was sent and is not acknowledged: open it in Tocsin.";
/// What is said while others must acknowledge too.
const PART: &str =
    "Your part is done. Others must acknowledge it too, and are paged until they do.";

/// What an answer to a message is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct About {
    /// The incidents that it answers.
    pub(crate) present: Vec<IncidentId>,
    /// Those that were over and came back since: it says nothing about what fails of them now.
    pub(crate) returned: Vec<IncidentId>,
}

impl About {
    /// Whether all that it was about came back since.
    pub(crate) const fn is_of_before(&self) -> bool {
        self.present.is_empty() && !self.returned.is_empty()
    }

    /// The words for what an answer has come to, with what it did not answer.
    pub(crate) fn with_returned(&self, words: String) -> String {
        if self.returned.is_empty() {
            words
        } else {
            format!("{words} {SOME_CAME_BACK}")
        }
    }
}

/// What an answer to a message is about now. `seen`: up to which position of the journal whoever gives it has read of it on a page
/// of ours; 0 where they are only known to have read the message.
pub(crate) fn about(state: &State, id: NotificationId, seen: u64) -> About {
    let mut about = About::default();
    let Some(message) = state.notifications.get(&id) else {
        return about;
    };
    // Of what several messages told, one of now is enough.
    let of_now = carried(state, message).filter(|one| !state.is_of_before(one, seen));
    let of_now: BTreeSet<IncidentId> = of_now.filter_map(|one| subject(state, one)).collect();
    for incident in open_subjects(state, id) {
        if of_now.contains(&incident) || !is_open(state, incident) {
            about.present.push(incident);
        } else {
            about.returned.push(incident);
        }
    }
    about
}

/// A message with all that it tells along, or told along when it was taken.
pub(crate) fn carried<'a>(
    state: &'a State,
    message: &'a Notification,
) -> impl Iterator<Item = &'a Notification> {
    let along = state.told_along(message.id);
    let along = along.chain(state.told_with(message.id));
    std::iter::once(message).chain(along)
}

/// Whether what a message tells may have come to its receiver: an attempt began, of it or of what told it along, and was not left out.
pub(crate) fn may_have_come(state: &State, message: &Notification) -> bool {
    let was_tried = |message: &Notification| message.attempts.iter().any(|one| !one.not_tried);
    was_tried(message)
        || match message.state {
            Delivery::Together { by } => state.notifications.get(&by).is_some_and(was_tried),
            Delivery::Delivered { .. } => true,
            // Without an attempt of its own it was given up with what told it along.
            Delivery::Failed { .. } => message.attempts.is_empty(),
            Delivery::Due { .. } | Delivery::Sending { .. } | Delivery::Cancelled { .. } => false,
        }
}

/// The incidents that whoever got the message answers for: each where it goes on, if it was merged.
pub(crate) fn subjects(state: &State, message: NotificationId) -> Vec<IncidentId> {
    let (mut all, mut seen) = (Vec::new(), BTreeSet::new());
    let Some(message) = state.notifications.get(&message) else {
        return all;
    };
    for incident in carried(state, message).filter_map(|one| subject(state, one)) {
        if seen.insert(incident) {
            all.push(incident);
        }
    }
    all
}

/// The incident that whoever got this one message answers for.
fn subject(state: &State, message: &Notification) -> Option<IncidentId> {
    match message.purpose {
        Purpose::Page(id) | Purpose::Notice(id) | Purpose::Request(id) => Some(state.part_of(id)),
        Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test | Purpose::Word(_) => None,
    }
}

/// Those of them that can still be answered. All of them when none can, so that whoever answers is told why.
pub(crate) fn open_subjects(state: &State, message: NotificationId) -> Vec<IncidentId> {
    let all = subjects(state, message);
    let open: Vec<IncidentId> = all
        .iter()
        .copied()
        .filter(|id| is_open(state, *id))
        .collect();
    if open.is_empty() { all } else { open }
}

fn is_open(state: &State, id: IncidentId) -> bool {
    state.incidents.get(&id).is_some_and(Incident::is_open)
}

/// The link that took an incident, where others than its owner may have it too: nobody knows then who took it.
pub(crate) fn shared_link(state: &State, incident: &Incident) -> Option<String> {
    let (by, _) = incident.acknowledged?;
    let name = &state.users.get(&by?)?.name;
    let place = incident.acknowledged_through?.read_by_others()?;
    Some(format!("the link in {name}’s {place}"))
}

/// Those of some incidents that somebody has.
pub(crate) fn taken(state: &State, incidents: &[IncidentId]) -> BTreeSet<IncidentId> {
    let all = incidents.iter().copied();
    all.filter(|id| is_taken(state, *id)).collect()
}

/// Whether somebody has it.
pub(crate) fn is_taken(state: &State, id: IncidentId) -> bool {
    let known = state.incidents.get(&id);
    known.is_some_and(|known| known.status == Status::Acknowledged)
}

/// Whether it is this person who has it, or one of those who have, where each must acknowledge. Whoever did their part of a level has
/// nothing of what somebody else took after it.
pub(crate) fn is_theirs(incident: &Incident, user: UserId) -> bool {
    let by = incident.acknowledged.and_then(|(by, _)| by);
    let did_their_parts = incident.spares(user) && by.is_some_and(|by| incident.spares(by));
    incident.status == Status::Acknowledged && (by == Some(user) || did_their_parts)
}

/// What an acknowledgement has come to, for whoever gave it. `before`: what somebody had by then.
pub(crate) fn acknowledged_words(
    state: &State,
    user: UserId,
    incidents: &[IncidentId],
    before: &BTreeSet<IncidentId>,
) -> String {
    let known = incidents.iter().filter_map(|id| state.incidents.get(id));
    let known: Vec<&Incident> = known.collect();
    if let [one] = known.as_slice() {
        return words_for_one(state, user, one, before.contains(&one.id));
    }
    let untaken = known.iter().any(|one| one.status == Status::Triggered);
    let theirs = known.iter().filter(|one| is_theirs(one, user)).count();
    match theirs {
        _ if untaken => PART.to_owned(),
        theirs if theirs == known.len() => {
            "You have all of it. Nobody else is paged for it now.".to_owned()
        }
        0 => "Others have all of it already.".to_owned(),
        theirs => format!(
            "You have {theirs} of {}; others have the rest already. Nobody else is paged for it now.",
            known.len()
        ),
    }
}

/// Who has an incident, told to this person: `Ada has`, `You have`, or `Somebody has`.
pub(crate) fn who_has(state: &State, user: UserId, incident: &Incident) -> String {
    let by = incident.acknowledged.and_then(|(by, _)| by);
    let by = by.and_then(|by| state.users.get(&by));
    match by {
        // It may have been anybody who can read the link.
        Some(_) if shared_link(state, incident).is_some() => "Somebody has".to_owned(),
        Some(_) if is_theirs(incident, user) => "You have".to_owned(),
        Some(by) => format!("{} has", by.name),
        None => "Somebody has".to_owned(),
    }
}

fn words_for_one(state: &State, user: UserId, incident: &Incident, was_taken: bool) -> String {
    match incident.status {
        Status::Triggered => return PART.to_owned(),
        Status::Resolved => return "It is over already.".to_owned(),
        Status::Acknowledged => {}
    }
    let is_theirs = is_theirs(incident, user);
    if is_theirs && !was_taken {
        return "You have it. Nobody else is paged for it now.".to_owned();
    }
    let who = who_has(state, user, incident);
    let mut words = format!("{who} it already.");
    let mut asked = incident.responders.iter();
    let comes = asked.any(|one| one.user == user && matches!(one.answer, Some((true, _))));
    if comes {
        words.push_str(" You are known to come and help.");
    }
    if let Some(until) = incident.snoozed_until {
        let snoozed = format!(" It is snoozed until {until}.");
        words.push_str(&snoozed);
    } else if let Some(at) = incident.acknowledgement_ends_at {
        let what = match incident.urgency {
            Urgency::High => "paged again",
            Urgency::Low => "told anew",
        };
        let again = format!(" It is {what} at {at} if it still fails then.");
        words.push_str(&again);
    } else if !comes {
        let is_kept = !is_theirs && incident.acknowledged_too().any(|one| one.user == user);
        words.push_str(if is_kept {
            " You are known to have acknowledged it too."
        } else {
            " Nothing changed."
        });
    }
    words
}
