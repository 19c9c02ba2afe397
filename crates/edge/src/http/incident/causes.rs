//! Reads from the journal what an explanation is made of: link by link back from what is asked about, each by its place, and within
//! bounds. It tells nothing of it.

use tocsin_domain::alert::Alert;
use tocsin_domain::event::{AlertEvent, Cause, Event, EventBody, IncidentWhat};
use tocsin_domain::id::{IncidentId, NotificationId};
use tocsin_domain::page::Notification;
use tocsin_domain::state::State;

use crate::ports::{EventLog, StorageError};

/// Links that are followed back at most. The list of last resort is paged 96 times a day: that is more than a month of it.
pub(super) const LINKS_MAX: usize = 4_000;
/// Events that are looked through at most for what happened to one message.
const COURSE_MAX: usize = 2_000;
/// Events of an incident that are looked through for why nobody was paged: so many of its first, and of its newest.
const ENDS_MAX: usize = 1_000;
/// Events of an incident that are read at a time.
const BATCH: usize = 500;
/// Events before or after one among which the alert is that came with it.
const NEARBY: usize = 200;

/// A message, and where it stands in the journal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) message: NotificationId,
    pub(super) incident: IncidentId,
    planned_event: Option<u64>,
    last_event: u64,
    opened_event: Option<u64>,
}

impl Asked {
    /// None for a message that is about no incident.
    pub(super) fn of(state: &State, message: &Notification) -> Option<Self> {
        let incident = message.purpose.incident()?;
        let known = state.incidents.get(&incident);
        Some(Self {
            message: message.id,
            incident,
            planned_event: message.planned_event,
            last_event: message.last_event,
            opened_event: known.and_then(|known| known.opened_event),
        })
    }
}

/// What was read of a message.
#[derive(Debug, Default)]
pub(super) struct OfMessage {
    /// What happened to the message itself, in order.
    pub(super) course: Vec<Event>,
    /// Whether something may have happened to it that was not looked for.
    pub(super) has_gap: bool,
    /// How it came to be.
    pub(super) causes: Causes,
}

/// What was read of an incident that paged nobody.
#[derive(Debug)]
pub(super) struct OfIncident {
    /// Its first and its newest events, in order.
    pub(super) events: Vec<Event>,
    /// How it came to be.
    pub(super) causes: Causes,
}

/// How something came to be.
#[derive(Debug, Default)]
pub(super) struct Causes {
    /// What is asked about, and after each what it follows from.
    pub(super) links: Vec<Event>,
    /// What comes behind the last of them.
    pub(super) end: End,
    /// The alert that came with the last of them, where none of them is one.
    pub(super) alert: Option<Event>,
    /// How the incident came to be and with which alert, where they lead to none by themselves.
    pub(super) opening: Option<(Event, Option<Event>)>,
}

/// Where following back ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum End {
    /// Nothing that is journalled came before.
    #[default]
    First,
    /// What came before is not in the journal.
    Missing,
    /// More came before than is read.
    TooFar,
    /// What came before is about another incident.
    Elsewhere,
}

/// Reads what happened to a message, and how it came to be.
pub(super) fn of_message(log: &dyn EventLog, asked: &Asked) -> Result<OfMessage, StorageError> {
    let planned = match asked.planned_event {
        Some(position) => log.at(position)?,
        None => None,
    };
    let Some(planned) = planned else {
        let causes = Causes {
            end: End::Missing,
            opening: opening(log, asked.opened_event)?,
            ..Causes::default()
        };
        return Ok(OfMessage {
            causes,
            ..OfMessage::default()
        });
    };
    let (course, has_gap) = course(log, asked, planned.position)?;
    Ok(OfMessage {
        course,
        has_gap,
        causes: causes(log, planned, asked, LINKS_MAX)?,
    })
}

/// Reads how an incident came to be, and what was decided about it first and last.
pub(super) fn of_incident(
    log: &dyn EventLog,
    incident: IncidentId,
    opened_event: Option<u64>,
) -> Result<OfIncident, StorageError> {
    let causes = match opening(log, opened_event)? {
        Some((opened, alert)) => Causes {
            links: vec![opened],
            alert,
            ..Causes::default()
        },
        None => Causes {
            end: End::Missing,
            ..Causes::default()
        },
    };
    let mut events = log.of_incident(incident, 0, ENDS_MAX)?;
    if events.len() >= ENDS_MAX {
        let last = events.last().map_or(0, |event| event.position);
        let newest = log.before_newest(incident, ENDS_MAX)?;
        events.extend(log.of_incident(incident, newest.max(last), ENDS_MAX)?);
    }
    Ok(OfIncident { events, causes })
}

fn causes(
    log: &dyn EventLog,
    first: Event,
    asked: &Asked,
    links_max: usize,
) -> Result<Causes, StorageError> {
    let (links, end) = follow(log, first, asked.incident, links_max)?;
    let mut causes = Causes {
        links,
        end,
        ..Causes::default()
    };
    if causes.links.iter().any(|link| opened(link).is_some()) {
        return Ok(causes);
    }
    let last = causes.links.last();
    if let (End::First, Some(last)) = (end, last) {
        causes.alert = alert_with(log, last)?;
    }
    let is_opening = last.map(|last| last.position) == asked.opened_event;
    if causes.alert.is_none() && !is_opening {
        causes.opening = opening(log, asked.opened_event)?;
        if causes.opening.is_none() {
            causes.end = End::Missing;
        }
    }
    Ok(causes)
}

/// Follows an event back. Of another incident no more is taken than what became of a message that told of this one too.
fn follow(
    log: &dyn EventLog,
    first: Event,
    incident: IncidentId,
    links_max: usize,
) -> Result<(Vec<Event>, End), StorageError> {
    let mut next = earlier(&first);
    let mut links = vec![first];
    while let Some(position) = next {
        if links.len() >= links_max {
            return Ok((links, End::TooFar));
        }
        let Some(event) = log.at(position)? else {
            return Ok((links, End::Missing));
        };
        let about = event.body.incident();
        if about.is_some_and(|about| about != incident) {
            if matches!(event.body, EventBody::Notification(_)) {
                links.push(event);
            }
            return Ok((links, End::Elsewhere));
        }
        next = earlier(&event);
        links.push(event);
    }
    Ok((links, End::First))
}

/// The position of what an event follows from. A cause is always earlier; anything else would walk in a circle.
fn earlier(event: &Event) -> Option<u64> {
    match event.cause {
        Cause::Event { position } => {
            (position > 0 && position < event.position).then_some(position)
        }
        Cause::Sample { .. } | Cause::Request | Cause::Due { .. } => None,
    }
}

/// The event that opened an incident, and the alert that came with it.
fn opening(
    log: &dyn EventLog,
    opened_event: Option<u64>,
) -> Result<Option<(Event, Option<Event>)>, StorageError> {
    let opened = match opened_event {
        Some(position) => log.at(position)?,
        None => None,
    };
    let Some(opened) = opened else {
        return Ok(None);
    };
    let alert = alert_with(log, &opened)?;
    Ok(Some((opened, alert)))
}

/// The alert that came with an event, by the same decision: what an incident is about is recorded before it, what else it brings
/// about after it.
fn alert_with(log: &dyn EventLog, event: &Event) -> Result<Option<Event>, StorageError> {
    let Some(incident) = event.body.incident() else {
        return Ok(None);
    };
    let came_with = |one: &Event| {
        let is_of_it = opened(one).is_some_and(|alert| alert.incident == incident);
        is_of_it && one.recorded_at == event.recorded_at
    };
    let comes_before_its_alert = matches!(
        event.body.incident_part(),
        Some(
            IncidentWhat::Opened { .. }
                | IncidentWhat::Relapsed { .. }
                | IncidentWhat::UrgencySet { .. }
        )
    );
    if comes_before_its_alert {
        let after = log.of_incident(incident, event.position, NEARBY)?;
        return Ok(after.into_iter().find(came_with));
    }
    let nearby = u64::try_from(NEARBY).unwrap_or(u64::MAX);
    let from = event.position.saturating_sub(nearby + 1);
    let mut before = log.of_incident(incident, from, NEARBY)?;
    before.retain(|one| one.position < event.position);
    Ok(before.into_iter().rev().find(came_with))
}

/// The alert that an event is about the beginning of.
pub(super) fn opened(event: &Event) -> Option<&Alert> {
    match &event.body {
        EventBody::Alert(AlertEvent::Opened { alert }) => Some(alert),
        EventBody::Alert(AlertEvent::Repeated { .. } | AlertEvent::Recovered { .. })
        | EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Incident(_)
        | EventBody::Notification(_)
        | EventBody::Input(_) => None,
    }
}

/// What happened to a message that was planned there, in order, and whether something may be missing. Mostly each follows from the
/// one before; else it is looked for among all that happened to the incident.
fn course(
    log: &dyn EventLog,
    asked: &Asked,
    planned: u64,
) -> Result<(Vec<Event>, bool), StorageError> {
    let mut late: Vec<Event> = Vec::new();
    let mut next = Some(asked.last_event);
    while let Some(position) = next.filter(|position| *position >= planned) {
        let event = log.at(position)?;
        let Some(event) = event.filter(|event| is_about(event, asked.message)) else {
            break;
        };
        next = earlier(&event);
        late.push(event);
        if late.len() >= COURSE_MAX {
            break;
        }
    }
    let known_from = late.last().map(|event| event.position);
    let until = known_from.unwrap_or_else(|| asked.last_event.saturating_add(1));
    let (mut course, has_gap) = between(log, asked, planned, until)?;
    course.extend(late.into_iter().rev());
    Ok((course, has_gap))
}

/// What happened to a message from one position until before another.
fn between(
    log: &dyn EventLog,
    asked: &Asked,
    from: u64,
    until: u64,
) -> Result<(Vec<Event>, bool), StorageError> {
    let (mut found, mut after, mut looked) = (Vec::new(), from.saturating_sub(1), 0);
    while after.saturating_add(1) < until {
        if looked >= COURSE_MAX {
            return Ok((found, true));
        }
        let limit = BATCH.min(usize::try_from(until - after).unwrap_or(BATCH));
        let batch = log.of_incident(asked.incident, after, limit)?;
        let Some(last) = batch.last() else {
            break;
        };
        after = last.position;
        looked += batch.len();
        let batch = batch.into_iter().filter(|event| event.position < until);
        found.extend(batch.filter(|event| is_about(event, asked.message)));
    }
    Ok((found, false))
}

fn is_about(event: &Event, message: NotificationId) -> bool {
    matches!(&event.body, EventBody::Notification(about) if about.notification == message)
}

#[cfg(test)]
mod tests {
    use tocsin_domain::changed::ChangedKind;
    use tocsin_domain::event::{Actor, IncidentEvent, NotificationEvent, NotificationWhat};
    use tocsin_domain::time::Timestamp;

    use super::*;
    use crate::ports::ChangeLog;

    struct Journal(Vec<Event>);

    impl ChangeLog for Journal {
        fn changes(
            &self,
            _: Option<(ChangedKind, &str)>,
            _: u64,
            _: Option<Timestamp>,
            _: usize,
        ) -> Result<Vec<Event>, StorageError> {
            Ok(Vec::new())
        }
    }

    impl EventLog for Journal {
        fn after(&self, position: u64, limit: usize) -> Result<Vec<Event>, StorageError> {
            let later = self.0.iter().filter(|one| one.position > position);
            Ok(later.take(limit).cloned().collect())
        }

        fn of_incident(
            &self,
            incident: IncidentId,
            position: u64,
            limit: usize,
        ) -> Result<Vec<Event>, StorageError> {
            let later = self.0.iter().filter(|one| one.position > position);
            let about = later.filter(|one| one.body.incident() == Some(incident));
            Ok(about.take(limit).cloned().collect())
        }

        fn before_newest(&self, incident: IncidentId, count: usize) -> Result<u64, StorageError> {
            let all = self.0.iter().rev();
            let mut about = all.filter(|one| one.body.incident() == Some(incident));
            Ok(about.nth(count).map_or(0, |one| one.position))
        }

        fn at(&self, position: u64) -> Result<Option<Event>, StorageError> {
            let mut all = self.0.iter();
            Ok(all.find(|one| one.position == position).cloned())
        }
    }

    fn asked(last_event: u64) -> Asked {
        Asked {
            message: "QAAAAAAAAAAAAM".parse().unwrap(),
            incident: "QAAAAAAAAAAAAA".parse().unwrap(),
            planned_event: None,
            last_event,
            opened_event: Some(1),
        }
    }

    fn other() -> IncidentId {
        "QAAAAAAAAAAAAB".parse().unwrap()
    }

    fn event(position: u64, cause: u64, body: EventBody) -> Event {
        let at = Timestamp::from_millis(1_795_417_200_000).plus_ms(position);
        let cause = match cause {
            0 => Cause::Request,
            position => Cause::Event { position },
        };
        Event {
            position,
            at,
            recorded_at: at,
            actor: Actor::System,
            cause,
            body,
        }
    }

    /// Something that happened to an incident; 0 stands for no cause.
    fn note(position: u64, cause: u64, incident: IncidentId) -> Event {
        let text = String::new();
        let what = IncidentWhat::noted(text);
        event(
            position,
            cause,
            EventBody::Incident(IncidentEvent { incident, what }),
        )
    }

    fn sent(position: u64, cause: u64, incident: IncidentId) -> Event {
        let about = NotificationEvent {
            notification: asked(0).message,
            incident: Some(incident),
            what: NotificationWhat::AttemptStarted { number: 1 },
        };
        event(position, cause, EventBody::Notification(about))
    }

    fn positions(events: &[Event]) -> Vec<u64> {
        events.iter().map(|event| event.position).collect()
    }

    /// The last event follows from these, newest first, and nothing of it is left out in silence.
    #[track_caller]
    fn check(events: Vec<Event>, links_max: usize, links: &[u64], end: End) {
        let first = events.last().unwrap().clone();
        let found = causes(&Journal(events), first, &asked(0), links_max).unwrap();
        assert_eq!(
            (positions(&found.links).as_slice(), found.end),
            (links, end)
        );
        let (opened, _) = found.opening.unwrap();
        assert_eq!(opened.position, 1);
    }

    #[test]
    fn what_goes_too_far_back_or_is_missing_is_told_apart_and_the_opening_is_read_all_the_same() {
        let incident = asked(0).incident;
        let chain = |from: u64| {
            let later = (from..=9).map(|position| note(position, position - 1, incident));
            let mut all = vec![note(1, 0, incident)];
            all.extend(later);
            all
        };
        check(chain(2), 3, &[9, 8, 7], End::TooFar);
        check(chain(8), 100, &[9, 8], End::Missing);
    }

    #[test]
    fn of_another_incident_only_the_message_is_taken_that_told_of_this_one_too() {
        let incident = asked(0).incident;
        let before = [
            note(1, 0, incident),
            note(2, 0, other()),
            sent(3, 2, other()),
        ];
        let with = |last: Event| before.iter().cloned().chain([last]).collect();
        check(with(note(4, 3, incident)), 100, &[4, 3], End::Elsewhere);
        check(with(note(4, 2, incident)), 100, &[4], End::Elsewhere);
    }

    #[test]
    fn what_happened_to_a_message_is_found_among_what_happened_to_its_incident_meanwhile() {
        let incident = asked(0).incident;
        let most = u64::try_from(COURSE_MAX).unwrap();
        for (notes, has_gap) in [(0, false), (20, false), (most - 1, false), (most, true)] {
            let last = notes + 2;
            let mut all = vec![sent(1, 0, incident)];
            all.extend((2..last).map(|position| note(position, 0, incident)));
            all.push(sent(last, 0, incident));
            let found = course(&Journal(all), &asked(last), 1).unwrap();
            assert_eq!(positions(&found.0), [1, last], "{notes}");
            assert_eq!(found.1, has_gap, "{notes}");
        }
    }
}
