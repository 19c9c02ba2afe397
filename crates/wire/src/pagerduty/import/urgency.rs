//! How urgent the alerts of a service are, also by its support hours.

use tocsin_domain::code::{HourWindow, Support, Urgency};
use tocsin_domain::intake::Loudness;

use super::names::Remarks;
use super::raw;
use crate::pagerduty::rest::schedule::{time_of_day, zone_of};
use crate::pagerduty::rest::support as rest;

const DAYS: u64 = 7;

/// The urgency of a service. Where it cannot be said, alerts page: that is the safe side.
pub(super) fn urgency(known: &raw::Service, place: &str, remarks: &mut Remarks) -> Urgency {
    let rule = known.incident_urgency_rule.clone().unwrap_or_default();
    let read = match rule.kind.as_deref() {
        None => Ok(Urgency::High),
        Some("constant") => match loudness(rule.urgency.as_deref()) {
            Ok(Loudness::High) => Ok(Urgency::High),
            Ok(Loudness::Low) => Ok(Urgency::Low),
            Ok(Loudness::Severity) => Ok(Urgency::Severity),
            Err(why) => Err(why),
        },
        Some("use_support_hours") => {
            support(known, &rule, place, remarks).map(Urgency::SupportHours)
        }
        Some(other) => Err(format!("{other:?} is no rule that is known")),
    };
    read.unwrap_or_else(|why| {
        remarks.add(format!(
            "{place}: its urgency is left out, so that all of its alerts page: {why}"
        ));
        Urgency::High
    })
}

fn loudness(word: Option<&str>) -> Result<Loudness, String> {
    match word.unwrap_or_default() {
        "high" => Ok(Loudness::High),
        "low" => Ok(Loudness::Low),
        "severity_based" => Ok(Loudness::Severity),
        other => Err(format!("{other:?} is no urgency that is known")),
    }
}

fn support(
    known: &raw::Service,
    rule: &raw::UrgencyRule,
    place: &str,
    remarks: &mut Remarks,
) -> Result<Support, String> {
    let hours = known.support_hours.as_ref();
    let hours = hours.ok_or("its support hours are not told")?;
    let zone = hours.time_zone.as_deref().unwrap_or_default();
    if zone_of(zone).is_none() {
        return Err(format!("{zone:?} is no IANA zone"));
    }
    let of = |hours: &Option<raw::InHours>| {
        loudness(hours.as_ref().and_then(|one| one.urgency.as_deref()))
    };
    let (during, outside) = (
        of(&rule.during_support_hours)?,
        of(&rule.outside_support_hours)?,
    );
    let windows = windows(hours)?;
    let mut raise = false;
    for action in known.scheduled_actions.as_deref().unwrap_or_default() {
        let at = action.at.as_ref().and_then(|at| at.name.as_deref());
        let raises = action.kind.as_deref() == Some("urgency_change")
            && action.to_urgency.as_deref() == Some("high")
            && at == Some("support_hours_start");
        if raises {
            raise = true;
        } else {
            remarks.add(format!(
                "{place}: an action by the clock is left out: what is open is raised when support hours begin, or nothing is"
            ));
        }
    }
    Ok(Support {
        time_zone: zone.to_owned(),
        windows,
        during,
        outside,
        raise,
    })
}

/// One window of every day, or one of each day of the week.
fn windows(hours: &raw::SupportHours) -> Result<Vec<HourWindow>, String> {
    let seconds = |text: &Option<String>| {
        let text = text.as_deref().unwrap_or_default();
        time_of_day(text).ok_or_else(|| format!("{text:?} is no time of day"))
    };
    let (from_s, until_s) = (seconds(&hours.start_time)?, seconds(&hours.end_time)?);
    if from_s == until_s {
        return Err("its support hours end when they begin".to_owned());
    }
    let mut days = hours.days_of_week.clone().unwrap_or_default();
    days.sort_unstable();
    days.dedup();
    if days.is_empty() || days.iter().any(|day| !(1..=DAYS).contains(day)) {
        return Err("its support hours have a day that no week has, or none".to_owned());
    }
    let made = rest::windows(from_s, until_s, &days);
    let made = made.ok_or("its support hours have a time that no clock shows")?;
    Ok(made.into_iter().map(HourWindow).collect())
}
