//! The chain of causes from a page back to the sample, in plain words, one step each. Pure; it reads no journal.

use std::collections::BTreeMap;

use tocsin_domain::alert::{Alert, AlertSource};
use tocsin_domain::event::{AlertEvent, Cause, Event, EventBody, IncidentWhat, NotificationWhat};
use tocsin_domain::id::{IncidentId, NotificationId, PolicyId};
use tocsin_domain::oncall::{By, Schedule};
use tocsin_domain::page::{Notification, Outcome, Recipient};
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::explain::{Step, StepKind};
use super::timeline::Names;
use super::{message_steps, response_sentence, sentence};

/// What stands before the name of a schedule in the reason of a message.
const ON_CALL_BY: &str = "on call by ";
/// Steps back at most.
const STEPS_MAX: usize = 40;

/// Why a message was sent: from the message back to the sample.
pub(super) fn of_message(events: &[Event], message: &Notification, names: &Names<'_>) -> Vec<Step> {
    let planned = events.iter().find(|event| plans(event, message.id));
    let mut steps = message_steps::of(message, events, names);
    if let Some(planned) = planned {
        steps.extend(back_from(planned, events, Some(message), names));
    }
    steps
}

/// How an incident came to be, when no message tells it.
pub(super) fn of_opening(events: &[Event], names: &Names<'_>) -> Vec<Step> {
    let Some(first) = events.first() else {
        return Vec::new();
    };
    let mut steps = step(first, None, names);
    steps.extend(back_from(first, events, None, names));
    steps
}

fn plans(event: &Event, id: NotificationId) -> bool {
    match &event.body {
        EventBody::Notification(event) => {
            event.notification == id && matches!(event.what, NotificationWhat::Planned { .. })
        }
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Alert(_)
        | EventBody::Incident(_)
        | EventBody::Input(_) => false,
    }
}

/// The steps before an event, which itself was told.
fn back_from(
    event: &Event,
    events: &[Event],
    asked: Option<&Notification>,
    names: &Names<'_>,
) -> Vec<Step> {
    let by_position: BTreeMap<u64, &Event> =
        events.iter().map(|event| (event.position, event)).collect();
    let (mut event, mut steps, mut asked) = (event, Vec::new(), asked);
    let mut told_alert = is_alert(event);
    for _ in 0..STEPS_MAX {
        let earlier = match &event.cause {
            Cause::Event { position } => by_position.get(position).copied(),
            Cause::Sample { .. } | Cause::Request | Cause::Due { .. } => None,
        };
        // A cause is always earlier; anything else would walk in a circle.
        let Some(earlier) = earlier.filter(|earlier| earlier.position < event.position) else {
            break;
        };
        steps.extend(step(earlier, asked.take(), names));
        told_alert |= is_alert(earlier);
        event = earlier;
    }
    if let (false, Some(alert)) = (told_alert, alert_with(event, events)) {
        steps.extend(alert_steps(alert, names));
    }
    steps.extend(first_cause(event, names));
    steps.dedup();
    steps
}

fn is_alert(event: &Event) -> bool {
    opened(event).is_some()
}

fn opened(event: &Event) -> Option<&Alert> {
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

/// The alert by which an event came: it is recorded right after it.
fn alert_with<'e>(event: &Event, events: &'e [Event]) -> Option<&'e Alert> {
    let incident: Option<IncidentId> = event.body.incident();
    let later = events.iter().filter(|one| one.position > event.position);
    later
        .filter_map(opened)
        .find(|alert| Some(alert.incident) == incident)
}

fn first_cause(event: &Event, names: &Names<'_>) -> Vec<Step> {
    match &event.cause {
        Cause::Sample { sample } => vec![Step::new(
            StepKind::Sample,
            Some(sample.at),
            format!(
                "The sample: {} was {} at {}.",
                sample.series, sample.value, sample.at
            ),
        )],
        Cause::Request => vec![Step::new(
            StepKind::Request,
            Some(event.at),
            format!(
                "That was asked for at {} by {}.",
                event.at,
                names.actor_name(&event.actor)
            ),
        )],
        Cause::Due { at } => vec![Step::new(
            StepKind::Request,
            Some(*at),
            format!("That was due at {at}."),
        )],
        Cause::Event { .. } => Vec::new(),
    }
}

/// One event told; `asked` is the message that is asked about, once its rung is reached.
fn step(event: &Event, asked: Option<&Notification>, names: &Names<'_>) -> Vec<Step> {
    let one = |kind, text: String| vec![Step::new(kind, Some(event.at), text)];
    match &event.body {
        EventBody::Notification(about) => match &about.what {
            NotificationWhat::AttemptFinished {
                outcome, detail, ..
            } => one(StepKind::Attempt, attempt_before(*outcome, detail, event)),
            NotificationWhat::Receipt { detail, .. } => one(
                StepKind::Attempt,
                format!("A message before did not arrive: {detail}."),
            ),
            NotificationWhat::Advanced { why, .. }
            | NotificationWhat::Gathers { why, .. }
            | NotificationWhat::Postponed { why, .. }
            | NotificationWhat::Cancelled { why } => {
                one(StepKind::Message, format!("{}.", capital(why)))
            }
            NotificationWhat::ToldTogether { .. } => one(
                StepKind::Message,
                "It was told together with others, since many came at once.".to_owned(),
            ),
            NotificationWhat::Planned { .. } | NotificationWhat::AttemptStarted { .. } => {
                Vec::new()
            }
        },
        EventBody::Incident(about) => incident(&about.what, event, asked, names),
        EventBody::Alert(AlertEvent::Opened { alert }) => alert_steps(alert, names),
        EventBody::Alert(AlertEvent::Repeated { summary, .. }) => {
            one(StepKind::Alert, format!("It was said again: {summary}."))
        }
        EventBody::Alert(AlertEvent::Recovered { closed, .. }) => {
            let text = match closed {
                Some(why) => format!("It had been closed at {}: {why}.", event.at),
                None => format!("It had recovered at {}.", event.at),
            };
            one(StepKind::Alert, text)
        }
        EventBody::Installation(_)
        | EventBody::People(_)
        | EventBody::Roster(_)
        | EventBody::Watch(_)
        | EventBody::Input(_) => Vec::new(),
    }
}

/// How an attempt went that something else follows.
fn attempt_before(outcome: Outcome, detail: &str, event: &Event) -> String {
    match outcome {
        Outcome::Accepted => format!("The provider took a message before at {}.", event.at),
        Outcome::TimedOut | Outcome::Unanswered => {
            format!("Nobody knows whether an attempt before reached anybody: {detail}.")
        }
        Outcome::Failed | Outcome::Refused => {
            format!("An attempt before did not reach anybody: {detail}.")
        }
    }
}

fn urgency_set(urgency: Urgency, hours_passed: bool) -> String {
    let change = if hours_passed { "stayed" } else { "became" };
    format!("It {change} {}", sentence::urgency_word(urgency))
}

fn incident(
    what: &IncidentWhat,
    event: &Event,
    asked: Option<&Notification>,
    names: &Names<'_>,
) -> Vec<Step> {
    let at = event.at;
    let one = |kind, text: String| vec![Step::new(kind, Some(at), text)];
    match what {
        IncidentWhat::Opened { number, title, .. } => one(
            StepKind::Incident,
            format!("Incident #{number} was opened at {at} because “{title}”."),
        ),
        IncidentWhat::Raised {
            title, severity, ..
        } => one(
            StepKind::Incident,
            format!("It got worse ({}) at {at}: “{title}”.", severity.word()),
        ),
        IncidentWhat::PageHeld { hold } => one(
            StepKind::Wait,
            format!(
                "The page waited until {} at the latest: {}.",
                hold.until, hold.why
            ),
        ),
        IncidentWhat::PageSuppressed { why, until, .. } => one(
            StepKind::Quiet,
            format!("Nobody was paged until {until}: {why}."),
        ),
        IncidentWhat::QuietEnded => one(
            StepKind::Quiet,
            format!("What kept it quiet was over at {at}."),
        ),
        IncidentWhat::LevelReached { .. } => level(what, event, asked, names),
        IncidentWhat::FallbackReached {
            recipients, why, ..
        } => {
            let text = format!(
                "The list of last resort was reached at {at}; paged: {}.",
                names.users(recipients)
            );
            let mut steps = one(StepKind::Rung, text);
            steps.extend(passed_over(why, at));
            steps
        }
        IncidentWhat::Relapsed { by_hand, .. } => {
            let reopened = || format!("{} reopened it", names.actor_name(&event.actor));
            let text = by_hand.then(reopened);
            let text = text.unwrap_or_else(|| "The failure came back".to_owned());
            one(StepKind::Incident, format!("{text} at {at}."))
        }
        IncidentWhat::Resolved { why } => one(
            StepKind::Incident,
            format!("The incident was resolved at {at}: {why}."),
        ),
        IncidentWhat::UrgencySet {
            urgency,
            why,
            hours_passed,
            ..
        } => {
            let text = urgency_set(*urgency, *hours_passed);
            one(StepKind::Incident, format!("{text} at {at}: {why}."))
        }
        IncidentWhat::Response(what) if what.bears_on_paging() => {
            let (title, detail, _) = response_sentence::response(what, names);
            let text = format!("{title} at {at}. {detail}");
            one(StepKind::Incident, text.trim_end().to_owned())
        }
        IncidentWhat::Response(_)
        | IncidentWhat::Acknowledged { .. }
        | IncidentWhat::NoteAdded { .. }
        | IncidentWhat::Recovered { .. }
        | IncidentWhat::EvidenceFrozen { .. } => Vec::new(),
    }
}

fn level(
    what: &IncidentWhat,
    event: &Event,
    asked: Option<&Notification>,
    names: &Names<'_>,
) -> Vec<Step> {
    let at = event.at;
    let IncidentWhat::LevelReached {
        policy,
        level,
        round,
        recipients,
        skipped,
        ..
    } = what
    else {
        return Vec::new();
    };
    let again = match round {
        0 => String::new(),
        round => format!(", in round {}", round + 1),
    };
    let paged = names.users(recipients);
    let text = match policy {
        Some(_) => format!(
            "Level {} of {} was reached at {at}{again}; paged: {paged}.",
            level + 1,
            names.policy(*policy)
        ),
        None => format!("Whom it was given to was paged at {at}{again}: {paged}."),
    };
    let mut steps = Vec::new();
    steps.extend(asked.and_then(|asked| on_call(*policy, *level, asked, event, names)));
    steps.push(Step::new(StepKind::Rung, Some(at), text));
    steps.extend(passed_over(skipped, at));
    steps
}

fn passed_over(skipped: &[String], at: Timestamp) -> impl Iterator<Item = Step> {
    skipped
        .iter()
        .map(move |why| Step::new(StepKind::Skipped, Some(at), format!("Passed over: {why}.")))
}

/// By which schedule a person was on call, and what put them there. What was changed since is not asked: it would tell who is on
/// call by what was not known then.
fn on_call(
    policy: Option<PolicyId>,
    level: usize,
    asked: &Notification,
    event: &Event,
    names: &Names<'_>,
) -> Option<Step> {
    let (policy, at, person) = (policy?, event.at, asked.user);
    let state = names.0;
    let is_as_then = |changed: Option<&u64>| changed.is_none_or(|at| *at < event.position);
    let known = state.policies.get(&policy);
    let known = known.filter(|_| is_as_then(state.policy_changes.get(&policy)));
    let targets = known.and_then(|policy| Some(&policy.levels.get(level)?.targets));
    let schedules = targets
        .into_iter()
        .flatten()
        .filter_map(|target| match target {
            Recipient::Schedule(id) => state.schedules.get(id),
            Recipient::User(_) | Recipient::Team(_) => None,
        });
    let found = schedules
        .filter(|schedule| is_as_then(state.schedule_changes.get(&schedule.id)))
        .filter_map(|schedule| Some((schedule, schedule.shift_at(at)?)))
        .find(|(_, shift)| shift.user == person);
    let text = match found {
        Some((schedule, shift)) => format!(
            "{} was on call by the schedule “{}” from {} until {}: {}.",
            names.user(person),
            schedule.name,
            shift.from,
            shift.until,
            put_there(schedule, shift.by)
        ),
        None => format!(
            "{} was on call by the schedule {} when that was decided; it, or the policy, was changed since, so that the \
             shift of then is not shown.",
            names.user(person),
            recorded_schedule(&asked.why)?
        ),
    };
    Some(Step::new(StepKind::Schedule, Some(at), text))
}

/// The name of the schedule that a message's reason tells, as it was decided.
fn recorded_schedule(why: &str) -> Option<String> {
    let (_, rest) = why.split_once(ON_CALL_BY)?;
    let mut name = serde_json::Deserializer::from_str(rest).into_iter::<String>();
    let name = name.next()?.ok()?;
    Some(format!("“{name}”"))
}

fn put_there(schedule: &Schedule, by: By) -> String {
    match by {
        By::Layer(_) if schedule.layers.len() == 1 => "their turn in the rotation".to_owned(),
        By::Layer(index) => format!("their turn in layer {}", index + 1),
        By::Temporary(_) => "a temporary shift".to_owned(),
        By::Swap(_) => "a swap of shifts".to_owned(),
        By::Override(_) => "an override".to_owned(),
    }
}

fn alert_steps(alert: &Alert, names: &Names<'_>) -> Vec<Step> {
    let at = alert.opened_at;
    let mut steps = vec![
        Step::new(
            StepKind::Alert,
            Some(at),
            format!(
                "“{}” began to fail at {at} ({}).",
                alert.title,
                alert.severity.word()
            ),
        ),
        Step::new(StepKind::Judge, None, judge(&alert.source, names)),
    ];
    if let Some(onset) = &alert.onset {
        let text = format!(
            "The failure itself began at {}, or up to {} ms earlier: {} was {}.",
            onset.at, onset.uncertainty_ms, onset.evidence.series, onset.evidence.value
        );
        steps.push(Step::new(StepKind::Sample, Some(onset.at), text));
    }
    steps
}

fn judge(source: &AlertSource, names: &Names<'_>) -> String {
    match source {
        AlertSource::Monitor { monitor, target } => {
            let target = names.target(*target);
            names.0.monitors.get(monitor).map_or_else(
                || format!("A monitor that was removed said so, for {target}."),
                |known| {
                    format!(
                        "The monitor “{}” said so, for {target}; it asks: {}",
                        known.name, known.expr
                    )
                },
            )
        }
        AlertSource::Rule { group, rule } => {
            format!("The rule “{rule}” of the group “{group}” said so.")
        }
        AlertSource::EventsV2 { integration } => {
            let known = names.0.integrations.get(integration);
            let name = known.map_or("a removed integration", |one| one.name.as_str());
            format!("The integration “{name}” said so.")
        }
        AlertSource::Heartbeat { heartbeat } => {
            let known = names.0.pulses.get(heartbeat);
            let name = known.map_or("a removed job", |one| one.heartbeat.name.as_str());
            format!("The job “{name}” did not call in, or said that it failed.")
        }
        AlertSource::Alertmanager { integration } => match integration {
            None => "A Prometheus, or another client of Alertmanager's API, said so.".to_owned(),
            Some(integration) => {
                let known = names.0.integrations.get(integration);
                let name = known.map_or("a removed integration", |one| one.name.as_str());
                format!("The integration “{name}” said so, by Alertmanager's API.")
            }
        },
        AlertSource::Api => "The API, or a person, said so.".to_owned(),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Whether it is a page about a failure.
pub(super) fn is_page(message: &Notification) -> bool {
    message.purpose.page().is_some()
}
