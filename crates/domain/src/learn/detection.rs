//! How a failure was found: by what, from which sample, and what stayed silent.

use super::case::{Case, TEXT_CHARS, number_text, opened_alert, printable_name};
use super::facts::Detection;
use super::ledger::Stated;
use super::mask::clean;
use crate::alert::{Alert, AlertSource};
use crate::event::{Cause, Event, IncidentWhat};

/// Monitors that are named as silent at most.
const SILENT_MAX: usize = 20;

pub(super) fn detection(case: &mut Case<'_>) -> Detection {
    let first = case
        .events()
        .into_iter()
        .find_map(|event| opened_alert(event).map(|alert| (event, alert)));
    let alerts = super::requests::count(case.evidence.alerts.len());
    let silent = silent(case);
    let Some((event, alert)) = first else {
        return Detection {
            by: by_hand(case),
            by_monitor: false,
            said: Stated::unknown(),
            sample: Stated::unknown(),
            alerts,
            silent,
        };
    };
    let number = case.cite_event(event);
    Detection {
        by: Stated::known(source(case, alert), vec![number]),
        by_monitor: alert.source.is_own_judge(),
        said: Stated::known(clean(&alert.title, TEXT_CHARS), vec![number]),
        sample: sample(case, event, alert),
        alerts,
        silent,
    }
}

fn source(case: &Case<'_>, alert: &Alert) -> String {
    match &alert.source {
        AlertSource::Monitor { .. } => case.monitor_of(alert).map_or_else(
            || "a monitor that is not in the evidence".to_owned(),
            |monitor| printable_name(&monitor.name),
        ),
        AlertSource::EventsV2 { .. } => "an outside system by the Events API".to_owned(),
        AlertSource::Alertmanager { .. } => "an outside system by Alertmanager's API".to_owned(),
        AlertSource::Api => "a call of the native API".to_owned(),
        AlertSource::Heartbeat { .. } => "a job that did not call in".to_owned(),
        AlertSource::Rule { rule, .. } => printable_name(&format!("the alerting rule {rule}")),
    }
}

fn by_hand(case: &mut Case<'_>) -> Stated<String> {
    let opened = case.events().into_iter().find(|event| {
        matches!(
            event.body.incident_part(),
            Some(IncidentWhat::Opened { .. })
        )
    });
    match opened {
        Some(event) => {
            let number = case.cite_event(event);
            Stated::known(case.actor(&event.actor), vec![number])
        }
        None => Stated::unknown(),
    }
}

/// The sample the alert was raised for: the cause of its event, else the first it carries.
fn sample(case: &mut Case<'_>, event: &Event, alert: &Alert) -> Stated<String> {
    let sample = match &event.cause {
        Cause::Sample { sample } => Some(sample),
        Cause::Request | Cause::Event { .. } | Cause::Due { .. } => alert.evidence.first(),
    };
    let Some(sample) = sample else {
        return Stated::unknown();
    };
    let number = case.cite_sample(sample);
    let metric = sample.series.split('{').next().unwrap_or_default();
    Stated::known(
        format!("{} = {}", clean(metric, 60), number_text(sample.value)),
        vec![number],
    )
}

fn silent(case: &Case<'_>) -> Vec<String> {
    let raised = |id| {
        case.evidence.alerts.iter().any(
            |alert| matches!(&alert.source, AlertSource::Monitor { monitor, .. } if *monitor == id),
        )
    };
    case.evidence
        .monitors
        .iter()
        .filter(|monitor| monitor.enabled && !raised(monitor.id))
        .take(SILENT_MAX)
        .map(|monitor| printable_name(&monitor.name))
        .collect()
}
