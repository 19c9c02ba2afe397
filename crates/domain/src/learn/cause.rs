//! What set a failure off and what is suspected to have let it: only what evidence speaks for, never a guess.

use super::case::{Case, number_text, printable_name};
use super::facts::{Cause, Change, FailureKind, Moments};
use super::failure::exit_at_onset;
use super::ledger::Stated;
use super::mask::clean;
use super::moment::{Moment, span_text};
use super::telling;
use crate::change;
use crate::event::{Event, IncidentWhat};
use crate::signal::{FactKind, metric};

/// Changes are looked for this long before the onset.
const BEFORE_MS: i64 = 3_600_000;
/// Changes and suspects that are told of at most.
const CHANGES_MAX: usize = 30;
const SUSPECTS_MAX: usize = 4;
/// A line of the error log this close before the onset is a suspect.
const LOGGED_BEFORE_MS: i64 = 60_000;

/// Configuration changes, restarts, reloads and what others told of in the hour before the onset, in order.
pub(super) fn changes(case: &mut Case<'_>, moments: &Moments) -> Vec<Stated<Change>> {
    let onset = moments
        .onset
        .value
        .unwrap_or_else(|| moments.earliest(case));
    let failure_itself = exit_at_onset(case).map(|(index, _)| index);
    let from = onset.shifted(-BEFORE_MS);
    let found: Vec<_> = case
        .facts()
        .into_iter()
        .filter(|(index, _)| Some(*index) != failure_itself)
        .filter(|(_, fact)| (from..=onset).contains(&fact.at.into()))
        .filter(|(_, fact)| is_change(&fact.what))
        .collect();
    let skipped = found.len().saturating_sub(CHANGES_MAX);
    let seen = found.into_iter().skip(skipped).map(|(index, fact)| {
        let change = Change {
            at: fact.at.into(),
            text: telling::fact_text(&fact.what),
        };
        Stated::known(change, case.cite_fact(index))
    });
    let mut all: Vec<Stated<Change>> = seen.collect();
    all.extend(told_of(case, from, onset));
    all.sort_by_key(|one| one.value.as_ref().map(|change| change.at));
    let skipped = all.len().saturating_sub(CHANGES_MAX);
    all.split_off(skipped)
}

/// Changes that somebody told of.
fn told_of(case: &mut Case<'_>, from: Moment, onset: Moment) -> Vec<Stated<Change>> {
    let told = case.events().into_iter().filter_map(|event| {
        let change = event.body.told_change()?;
        let at = Moment::from(change.at);
        (from..=onset).contains(&at).then_some((event, change, at))
    });
    let mut told: Vec<_> = told.collect();
    let skipped = told.len().saturating_sub(CHANGES_MAX);
    told.drain(..skipped);
    told.into_iter()
        .map(|(event, change, at)| {
            let text = change_text(change);
            let number = case.cite_event(event);
            Stated::known(Change { at, text }, vec![number])
        })
        .collect()
}

const fn is_change(what: &FactKind) -> bool {
    match what {
        FactKind::ConfigChanged { .. }
        | FactKind::ParentStarted { .. }
        | FactKind::ParentExited { .. }
        | FactKind::Reloaded { .. } => true,
        FactKind::ConfigTested { valid, .. } => !*valid,
        FactKind::ErrorLogged { .. }
        | FactKind::QueueChanged { .. }
        | FactKind::StatusUnavailable { .. } => false,
    }
}

pub(super) fn cause(
    case: &mut Case<'_>,
    failure: &Stated<FailureKind>,
    moments: &Moments,
    changes: &[Stated<Change>],
    symptoms: &[Stated<String>],
) -> Cause {
    Cause {
        trigger: trigger(case, failure, moments, symptoms),
        suspects: suspects(case, failure.value, moments, changes),
        confirmed: false,
    }
}

fn trigger(
    case: &mut Case<'_>,
    failure: &Stated<FailureKind>,
    moments: &Moments,
    symptoms: &[Stated<String>],
) -> Stated<String> {
    let by_exit = matches!(
        failure.value,
        Some(
            FailureKind::Crashed
                | FailureKind::Orphaned
                | FailureKind::Stopped
                | FailureKind::FoundDead
        )
    );
    if let Some((index, fact)) = exit_at_onset(case).filter(|_| by_exit) {
        let number = case.cite_fact(index);
        return Stated::known(telling::fact_text(&fact.what), number);
    }
    let shown = match failure.value {
        Some(FailureKind::Hung) => first_with(symptoms, &["stood still", "no answer"]),
        Some(FailureKind::Saturated) => first_with(symptoms, &["workers were", "accept queue"]),
        Some(FailureKind::BadConfiguration) => {
            last_config_change(case, moments).or_else(|| first_with(symptoms, &["own test"]))
        }
        Some(FailureKind::ServerErrors) => first_with(symptoms, &["status 5xx"]),
        Some(FailureKind::Unreachable) => first_with(symptoms, &["refused"]),
        Some(
            FailureKind::Crashed
            | FailureKind::Orphaned
            | FailureKind::Stopped
            | FailureKind::FoundDead
            | FailureKind::Other,
        )
        | None => None,
    };
    shown.unwrap_or_else(|| onset_sample(case, moments))
}

fn first_with(symptoms: &[Stated<String>], words: &[&str]) -> Option<Stated<String>> {
    words.iter().find_map(|word| {
        symptoms
            .iter()
            .find(|symptom| {
                symptom
                    .value
                    .as_ref()
                    .is_some_and(|text| text.contains(word))
            })
            .cloned()
    })
}

fn last_config_change(case: &mut Case<'_>, moments: &Moments) -> Option<Stated<String>> {
    let until = moments.onset.value?.shifted(2_000);
    let (index, fact) = case
        .facts()
        .into_iter()
        .filter(|(_, fact)| Moment::from(fact.at) <= until)
        .rfind(|(_, fact)| matches!(fact.what, FactKind::ConfigChanged { .. }))?;
    let number = case.cite_fact(index);
    Some(Stated::known(telling::fact_text(&fact.what), number))
}

/// Nothing better is known than the first bad sample itself.
fn onset_sample(case: &mut Case<'_>, moments: &Moments) -> Stated<String> {
    let (Some(onset), Some(at)) = (case.onset(), moments.onset.value) else {
        return Stated::unknown();
    };
    let number = case.cite_sample(&onset.evidence);
    let metric = onset.evidence.series.split('{').next().unwrap_or_default();
    let text = format!(
        "The first bad sample was {} = {} at {}; what led to it is not recorded.",
        clean(metric, 60),
        number_text(onset.evidence.value),
        at.clock()
    );
    Stated::known(text, vec![number])
}

fn suspects(
    case: &mut Case<'_>,
    failure: Option<FailureKind>,
    moments: &Moments,
    changes: &[Stated<Change>],
) -> Vec<Stated<String>> {
    let mut suspects = stated_by_people(case);
    let onset = moments
        .onset
        .value
        .unwrap_or_else(|| moments.earliest(case));
    for change in changes.iter().rev() {
        let Some(known) = &change.value else { continue };
        let Some(before) = onset.ms_since(known.at) else {
            continue;
        };
        let text = format!(
            "{} That was {} before the onset.",
            known.text,
            span_text(before)
        );
        suspects.push(Stated::known(text, change.evidence.clone()));
    }
    suspects.extend(logged_before(case, onset));
    suspects.extend(by_kind(case, failure, moments));
    suspects.truncate(SUSPECTS_MAX);
    suspects
}

/// A note that begins with "Cause:" is a person's statement of it.
fn stated_by_people(case: &mut Case<'_>) -> Vec<Stated<String>> {
    notes_that_begin(case, "cause:")
        .into_iter()
        .map(|(event, text)| {
            let by = case.actor(&event.actor);
            let number = case.cite_event(event);
            Stated::known(format!("{by} stated as the cause: “{text}”."), vec![number])
        })
        .collect()
}

/// Notes whose text begins with `prefix`, in any case, with the rest of their text.
pub(super) fn notes_that_begin<'a>(case: &Case<'a>, prefix: &str) -> Vec<(&'a Event, String)> {
    case.events()
        .into_iter()
        .filter_map(|event| {
            let Some(IncidentWhat::NoteAdded { text, .. }) = event.body.incident_part() else {
                return None;
            };
            let head = text.trim_start().get(..prefix.len())?;
            let rest = text.trim_start().get(prefix.len()..)?;
            let said = clean(rest, 240);
            let said = said.trim_end_matches('.').to_owned();
            (head.eq_ignore_ascii_case(prefix) && !said.is_empty()).then_some((event, said))
        })
        .collect()
}

fn logged_before(case: &mut Case<'_>, onset: Moment) -> Option<Stated<String>> {
    let from = onset.shifted(-LOGGED_BEFORE_MS);
    let (index, fact) = case
        .facts()
        .into_iter()
        .filter(|(_, fact)| (from..=onset.shifted(1_000)).contains(&fact.at.into()))
        .rfind(|(_, fact)| {
            matches!(&fact.what, FactKind::ErrorLogged { code, .. } if !announced(case, code))
        })?;
    let number = case.cite_fact(index);
    Some(Stated::known(telling::fact_text(&fact.what), number))
}

/// Whether that line is the farewell of the exit itself, which the trigger tells already.
fn announced(case: &Case<'_>, code: &str) -> bool {
    let Some((_, exit)) = exit_at_onset(case) else {
        return false;
    };
    matches!(&exit.what, FactKind::ParentExited { log_line: Some(line), .. } if line.contains(code))
}

fn by_kind(
    case: &mut Case<'_>,
    failure: Option<FailureKind>,
    moments: &Moments,
) -> Option<Stated<String>> {
    let (from, until) = (moments.earliest(case), moments.trouble_end(case));
    match failure? {
        FailureKind::Hung => {
            let stopped = |value: f64| value > 0.5;
            let (series, ms, bits) =
                case.first_sample(metric::PROCESSES_STOPPED, from, until, stopped)?;
            let number = case.cite_frozen(series, ms, bits);
            let text = "The processes were stopped by a signal or a tracer, since state T has no other origin; who sent it is not recorded.";
            Some(Stated::known(text.to_owned(), vec![number]))
        }
        FailureKind::Saturated => {
            let (max, cited) = super::failure::peak(case, metric::WORKERS_MAX, from, until)?;
            let text = format!(
                "More connections were open at once than the limit of {max} workers can hold; whether they came from users or from slow clients is not recorded."
            );
            Some(Stated::known(text, cited))
        }
        FailureKind::Crashed
        | FailureKind::Orphaned
        | FailureKind::Stopped
        | FailureKind::FoundDead
        | FailureKind::ServerErrors
        | FailureKind::BadConfiguration
        | FailureKind::Unreachable
        | FailureKind::Other => None,
    }
}

/// The sentence for a change that somebody told of.
pub(super) fn change_text(change: &change::Change) -> String {
    match &change.source {
        Some(source) => format!(
            "A change was told of by {}: {}.",
            clean(source, 80),
            clean(&change.summary, 160)
        ),
        None => format!("A change was told of: {}.", clean(&change.summary, 160)),
    }
}

/// The name of what would have started the server again, if anything.
pub(super) fn supervisor_words(supervisor: &crate::signal::Supervisor) -> String {
    use crate::signal::Supervisor;
    match supervisor {
        Supervisor::None => "nothing that would start it again was known".to_owned(),
        Supervisor::Systemd { unit } => {
            format!(
                "systemd unit {} was to start it again",
                printable_name(unit)
            )
        }
        Supervisor::Container => "a container runtime was to start it again".to_owned(),
        Supervisor::ParentProcess { name } => {
            format!("process {} was to start it again", printable_name(name))
        }
    }
}
