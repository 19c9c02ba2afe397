//! How a failure ended: what shows that it was over, what was done at once, what was done for good.

use super::case::{Case, number_text};
use super::cause::notes_that_begin;
use super::ending;
use super::facts::{Moments, Resolution};
use super::ledger::Stated;
use super::mask::clean;
use super::moment::Moment;
use crate::event::{AlertEvent, EventBody, IncidentWhat};
use crate::signal::{Fact, FactKind, metric};

/// A server that came back may be found this long after its recovery was decided.
const FOUND_AFTER_MS: i64 = 5_000;

pub(super) fn resolution(case: &mut Case<'_>, moments: &Moments) -> Resolution {
    let (from, until) = (moments.earliest(case), moments.trouble_end(case));
    let until = until.shifted(FOUND_AFTER_MS);
    let mut shown_by = Vec::new();
    shown_by.extend(new_parent(case, from, until));
    shown_by.extend(port_answers(case, from, until));
    shown_by.extend(alert_evidence(case));
    Resolution {
        shown_by,
        temporary: temporary(case, from, until),
        lasting: lasting(case),
        closed: closed(case),
    }
}

fn last_fact<'a>(
    case: &Case<'a>,
    from: Moment,
    until: Moment,
    wanted: impl Fn(&FactKind) -> bool,
) -> Option<(usize, &'a Fact)> {
    case.facts()
        .into_iter()
        .filter(|(_, fact)| (from..=until).contains(&fact.at.into()))
        .rfind(|(_, fact)| wanted(&fact.what))
}

fn new_parent(case: &mut Case<'_>, from: Moment, until: Moment) -> Option<Stated<String>> {
    let started = |what: &FactKind| matches!(what, FactKind::ParentStarted { .. });
    let (index, fact) = last_fact(case, from, until, started)?;
    let FactKind::ParentStarted { pid } = &fact.what else {
        return None;
    };
    let at = Moment::from(fact.at).clock();
    let text = format!("A new parent process (pid {pid}) was found at {at}.");
    Some(Stated::known(text, case.cite_fact(index)))
}

/// The first good answer after the last bad one.
fn port_answers(case: &mut Case<'_>, from: Moment, until: Moment) -> Option<Stated<String>> {
    let good_and_bad = [
        (metric::PROBE_UP, 1.0, "The probe got an answer again"),
        (
            metric::LISTENER_REFUSED,
            0.0,
            "The port took connections again",
        ),
    ];
    for (name, good, words) in good_and_bad {
        let is_good = |value: f64| (value - good).abs() < 0.5;
        let last_bad = case
            .series(name)
            .into_iter()
            .flat_map(|series| &series.samples)
            .filter(|(ms, bits)| {
                (from.as_millis()..=until.as_millis()).contains(ms)
                    && !is_good(f64::from_bits(*bits))
                    && f64::from_bits(*bits).is_finite()
            })
            .map(|(ms, _)| *ms)
            .max();
        let Some(last_bad) = last_bad else { continue };
        let after = Moment::from_millis(last_bad).shifted(1);
        if let Some((series, ms, bits)) = case.first_sample(name, after, until, is_good) {
            let number = case.cite_frozen(series, ms, bits);
            let at = Moment::from_millis(ms).clock();
            return Some(Stated::known(format!("{words} at {at}."), vec![number]));
        }
    }
    None
}

fn alert_evidence(case: &mut Case<'_>) -> Option<Stated<String>> {
    let recovered = case.events().into_iter().rev().find_map(|event| {
        let EventBody::Alert(AlertEvent::Recovered {
            evidence, closed, ..
        }) = &event.body
        else {
            return None;
        };
        Some((event, evidence.first(), closed.as_deref()))
    });
    let (event, sample, closed) = recovered?;
    let mut cited = vec![case.cite_event(event)];
    let at = Moment::from(event.at).clock();
    if let Some(why) = closed {
        let why = clean(why, 160);
        let text = format!("The last alert was closed at {at}, not seen healthy: {why}.");
        return Some(Stated::known(text, cited));
    }
    let proof = sample
        .filter(|sample| !sample.series.is_empty())
        .map_or_else(String::new, |sample| {
            cited.push(case.cite_sample(sample));
            let name = sample.series.split('{').next().unwrap_or_default();
            format!(" on {} = {}", clean(name, 60), number_text(sample.value))
        });
    Some(Stated::known(
        format!("The last alert recovered at {at}{proof}."),
        cited,
    ))
}

/// The last restart or reload of the server; for a broken file on disk, that it passes its test again.
fn temporary(case: &mut Case<'_>, from: Moment, until: Moment) -> Stated<String> {
    let from = from.shifted(1);
    let started = |what: &FactKind| matches!(what, FactKind::ParentStarted { .. });
    let reloaded = |what: &FactKind| matches!(what, FactKind::Reloaded { .. });
    let refused = |what: &FactKind| matches!(what, FactKind::ConfigTested { valid: false, .. });
    let passed = |what: &FactKind| matches!(what, FactKind::ConfigTested { valid: true, .. });
    let was_refused = last_fact(case, from.shifted(-2_000), until, refused).is_some();
    let fixes: [(&str, Option<(usize, &Fact)>); 3] = [
        (
            "the server was started again",
            last_fact(case, from, until, started),
        ),
        (
            "the server read its configuration anew",
            last_fact(case, from, until, reloaded),
        ),
        (
            "the configuration on disk passes the server's own test again",
            last_fact(case, from, until, passed).filter(|_| was_refused),
        ),
    ];
    for (text, fact) in fixes {
        if let Some((index, _)) = fact {
            return Stated::known(text.to_owned(), case.cite_fact(index));
        }
    }
    Stated::unknown()
}

/// A note that begins with "Lasting fix:" is a person's statement of it; nothing else is taken for one.
fn lasting(case: &mut Case<'_>) -> Stated<String> {
    let Some((event, text)) = notes_that_begin(case, "lasting fix:").pop() else {
        return Stated::unknown();
    };
    let by = case.actor(&event.actor);
    let number = case.cite_event(event);
    Stated::known(format!("{text} (stated by {by})"), vec![number])
}

fn closed(case: &mut Case<'_>) -> Stated<String> {
    let found = case.events().into_iter().rev().find_map(|event| {
        let Some(IncidentWhat::Resolved { why }) = event.body.incident_part() else {
            return None;
        };
        let by_hand = ending::resolver(case, event).map(|who| format!("{who} resolved it"));
        Some((event, by_hand.unwrap_or_else(|| clean(why, 200))))
    });
    match found {
        Some((event, why)) => {
            let number = case.cite_event(event);
            Stated::known(why, vec![number])
        }
        None => Stated::unknown(),
    }
}
