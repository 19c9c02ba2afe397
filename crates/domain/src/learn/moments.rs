//! When what happened, from the events of one incident; it does not know why.

use super::case::{Case, message_part, opened_alert};
use super::facts::Moments;
use super::ledger::Stated;
use super::moment::Moment;
use crate::event::{Event, IncidentWhat, NotificationWhat};
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
    let untried = case.untried();
    let mut detected = first(case, &|event| opened_alert(event).is_some());
    if detected.value.is_none() {
        let opened = |what: &IncidentWhat| matches!(what, IncidentWhat::Opened { .. });
        detected = first(case, &|event| {
            event.body.incident_part().is_some_and(opened)
        });
    }
    let about_page = |event: &Event, wanted: fn(&NotificationWhat) -> bool| {
        message_part(event)
            .is_some_and(|part| pages.contains(&part.notification) && wanted(&part.what))
    };
    Moments {
        onset,
        onset_uncertainty_ms: uncertainty,
        detected,
        paged: first(case, &|event| {
            message_part(event).is_some_and(|part| {
                let id = part.notification;
                let begun = part.what.begun().filter(|_| pages.contains(&id));
                begun.is_some_and(|number| !untried.contains(&(id, number)))
            })
        }),
        page_accepted: first(case, &|event| {
            about_page(event, |what| {
                matches!(
                    what,
                    NotificationWhat::AttemptFinished {
                        outcome: Outcome::Accepted,
                        ..
                    }
                )
            })
        }),
        acknowledged: first(case, &|event| {
            matches!(
                event.body.incident_part(),
                Some(IncidentWhat::Acknowledged { .. })
            )
        }),
        recovered: last_standing(case, |what| {
            matches!(what, IncidentWhat::Recovered { closed: None })
        }),
        resolved: last_standing(case, |what| matches!(what, IncidentWhat::Resolved { .. })),
    }
}

fn first(case: &mut Case<'_>, wanted: &dyn Fn(&Event) -> bool) -> Stated<Moment> {
    let found = case.events().into_iter().find(|event| wanted(event));
    cited(case, found)
}

/// The first wanted event after the last relapse: what was true before a relapse did not last.
fn last_standing(case: &mut Case<'_>, wanted: fn(&IncidentWhat) -> bool) -> Stated<Moment> {
    let mut found = None;
    for event in case.events() {
        let Some(what) = event.body.incident_part() else {
            continue;
        };
        if matches!(what, IncidentWhat::Relapsed { .. }) {
            found = None;
        } else if wanted(what) && found.is_none() {
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
