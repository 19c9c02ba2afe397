//! The chain of causes from a page back to the sample, in plain words, one step each. Pure; it reads no journal.

use tocsin_domain::alert::{Alert, AlertSource};
use tocsin_domain::event::{AlertEvent, Cause, Event, EventBody, IncidentWhat, NotificationWhat};
use tocsin_domain::id::PolicyId;
use tocsin_domain::oncall::{By, Schedule};
use tocsin_domain::page::{Notification, Outcome, Recipient};
use tocsin_domain::people::Urgency;
use tocsin_domain::time::Timestamp;

use super::causes::{Causes, End, LINKS_MAX, OfMessage};
use super::explain::{Step, StepKind};
use super::timeline::Names;
use super::{message_steps, response_sentence, sentence, shorten};

/// What stands before the name of a schedule in the reason of a message.
const ON_CALL_BY: &str = "on call by ";

/// Why a message was sent: from the message back to the sample.
pub(super) fn of_message(read: &OfMessage, message: &Notification, names: &Names<'_>) -> Vec<Step> {
    let mut steps = message_steps::of(message, read, names);
    // The first link is that it was planned, which was told.
    let before = read.causes.links.get(1..).unwrap_or_default();
    steps.extend(back_from(before, &read.causes, Some(message), names));
    steps
}

/// How an incident came to be, when no message tells it.
pub(super) fn of_opening(causes: &Causes, names: &Names<'_>) -> Vec<Step> {
    back_from(&causes.links, causes, None, names)
}

/// The links that are not told yet, and what is behind them.
fn back_from(
    links: &[Event],
    causes: &Causes,
    asked: Option<&Notification>,
    names: &Names<'_>,
) -> Vec<Step> {
    let mut steps = shorten::ends(pieces(links, asked, names));
    steps.extend(cut_off(causes.end));
    let alert = causes.alert.iter();
    steps.extend(alert.flat_map(|alert| step(alert, None, names)));
    let last = causes.links.last().into_iter();
    steps.extend(last.flat_map(|last| first_cause(last, names)));
    if let Some((opened, alert)) = &causes.opening {
        steps.extend(step(opened, None, names));
        steps.extend(alert.iter().flat_map(|alert| step(alert, None, names)));
        steps.extend(first_cause(opened, names));
    }
    steps.dedup();
    steps
}

/// Each link by itself, but for those within a long run of rungs.
fn pieces(links: &[Event], asked: Option<&Notification>, names: &Names<'_>) -> Vec<Vec<Step>> {
    let (mut asked, mut pieces) = (asked, Vec::new());
    for run in links.chunk_by(|one, next| shorten::is_rung(one) && shorten::is_rung(next)) {
        if let [newest, between @ .., oldest] = run
            && run.len() > shorten::RUNGS_MAX
        {
            pieces.push(step(newest, asked.take(), names));
            pieces.push(shorten::folded(newest, between, oldest, names));
            pieces.push(step(oldest, None, names));
        } else {
            for link in run {
                pieces.push(step(link, asked.take(), names));
            }
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// That something came before, where it is not told.
fn cut_off(end: End) -> Option<Step> {
    let text = match end {
        End::First | End::Elsewhere => return None,
        End::Missing => "What led to that is not in the journal any more.".to_owned(),
        End::TooFar => format!(
            "What led to that is followed back no further than {LINKS_MAX} steps; the timeline of the incident has the rest."
        ),
    };
    Some(Step::new(StepKind::Incident, None, text))
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
                detail, moot: true, ..
            } => one(
                StepKind::Attempt,
                format!("An attempt before was not made: {detail}."),
            ),
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
        EventBody::Alert(AlertEvent::Repeated {
            summary, reworded, ..
        }) => {
            let how = if reworded.is_some() {
                "otherwise"
            } else {
                "again"
            };
            one(StepKind::Alert, format!("It was said {how}: {summary}."))
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
