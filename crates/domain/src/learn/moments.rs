//! When what happened, from the events of one incident; it does not know why.

use super::case::Case;
use super::facts::Moments;
use super::ledger::{Counted, Stated};
use super::moment::Moment;
use crate::event::{Event, EventBody};
use crate::id::NotificationId;
use crate::page::Outcome;

pub(super) fn moments(case: &mut Case<'_>) -> Moments {
    let onset = case.onset();
    let uncertainty = onset.map(|onset| onset.uncertainty_ms);
    let onset = match onset {
        Some(onset) => {
            let cited = case.cite_sample(&onset.evidence);
            Stated::known(onset.at.into(), vec![cited])
        }
        None => Stated::unknown(),
    };
    let pages: Vec<NotificationId> = case.pages().iter().map(|page| page.id).collect();
    let first = |case: &mut Case<'_>, wanted: &dyn Fn(&EventBody) -> bool| {
        let found = case.events().into_iter().find(|event| wanted(&event.body));
        cited(case, found)
    };
    let mut detected = first(case, &|body| matches!(body, EventBody::AlertOpened { .. }));
    if detected.value.is_none() {
        detected = first(case, &|body| matches!(body, EventBody::IncidentOpened { .. }));
    }
    Moments {
        onset,
        onset_uncertainty_ms: uncertainty,
        detected,
        paged: first(case, &|body| {
            matches!(body, EventBody::AttemptStarted { notification, .. } if pages.contains(notification))
        }),
        page_accepted: first(case, &|body| {
            matches!(body, EventBody::AttemptFinished { notification, outcome: Outcome::Accepted, .. } if pages.contains(notification))
        }),
        acknowledged: first(case, &|body| matches!(body, EventBody::IncidentAcknowledged { .. })),
        recovered: last_standing(case, &|body| matches!(body, EventBody::IncidentRecovered { .. })),
        resolved: last_standing(case, &|body| matches!(body, EventBody::IncidentResolved { .. })),
    }
}

/// The first wanted event after the last relapse: what was true before a relapse did not last.
fn last_standing(case: &mut Case<'_>, wanted: &dyn Fn(&EventBody) -> bool) -> Stated<Moment> {
    let mut found = None;
    for event in case.events() {
        if matches!(event.body, EventBody::IncidentRelapsed { .. }) {
            found = None;
        } else if wanted(&event.body) && found.is_none() {
            found = Some(event);
        }
    }
    cited(case, found)
}

fn cited(case: &mut Case<'_>, event: Option<&Event>) -> Stated<Moment> {
    match event {
        Some(event) => {
            let number = case.cite_event(event);
            Stated::known(event.at.into(), vec![number])
        }
        None => Stated::unknown(),
    }
}

impl Moments {
    /// The earliest the failure can have begun; the opening of the incident when no onset was measured.
    pub(super) fn earliest(&self, case: &Case<'_>) -> Moment {
        let uncertainty = i64::try_from(self.onset_uncertainty_ms.unwrap_or_default());
        match self.onset.value {
            Some(onset) => onset.shifted(-uncertainty.unwrap_or_default()),
            None => case.evidence.incident.opened_at.into(),
        }
    }

    /// The end of the trouble for users: the recovery, else the resolve, else the end of what was frozen.
    pub(super) fn trouble_end(&self, case: &Case<'_>) -> Moment {
        let end = self.recovered.value.or(self.resolved.value);
        end.unwrap_or_else(|| case.evidence.window.1.into())
            .max(self.earliest(case))
    }
}

/// Number of lines of the error log in the trouble, with the question that counts them.
pub(super) fn error_lines(case: &mut Case<'_>, moments: &Moments) -> Stated<u64> {
    let (from, until) = (moments.earliest(case), moments.trouble_end(case));
    let (count, number) = case.ask_logs(Counted::ErrorLines, None, from, until);
    Stated::known(count, vec![number])
}
