//! Services: whom they page, which alerts make one incident, when an alert is over, and what raises alerts on them.

use tocsin_domain::code::{FieldName, Grouping, Integration, Length, Service, Timeout};
use tocsin_domain::intake::{
    GROUP_FIELDS_MAX, GROUP_MS_MAX, RESOLVE_AFTER_MS_MAX, RESOLVE_AFTER_MS_MIN,
};
use tocsin_domain::service::Speaks;

use super::names::{Names, Remarks, said};
use super::{Keys, raw, urgency};
use crate::pagerduty::rest::grouping;
use crate::pagerduty::rest::vendor::Vendor;

const MINUTE_MS: u64 = 60_000;
/// How long an acknowledgement may hold, in seconds, as the core has it: a minute to 7 days.
const ACKNOWLEDGED_S: std::ops::RangeInclusive<u64> = 60..=604_800;

/// A service.
pub(super) fn service(known: &raw::Service, keys: &mut Keys, remarks: &mut Remarks) -> Service {
    let name = known.name.as_deref().unwrap_or_default();
    let name = keys
        .services
        .give("service", known.id.as_deref(), name, remarks);
    let place = format!("service {name:?}");
    let policy = known.escalation_policy.as_ref();
    let followed = policy.and_then(|policy| keys.policies.of(policy.id.as_deref()));
    let followed = followed.map(str::to_owned);
    if followed.is_none() {
        remarks.add(format!(
            "{place}: its escalation policy is not carried over: it has that of the installation"
        ));
    }
    if known.status.as_deref() == Some("disabled") {
        remarks.add(format!(
            "{place}: it is disabled there, and pages here as soon as something is sent to it"
        ));
    }
    let pauses = known.auto_pause_notifications_parameters.as_ref();
    if pauses.and_then(|pause| pause.enabled) == Some(true) {
        remarks.add(format!(
            "{place}: pausing of alerts that pass by themselves is left out: a rule with pause does it for alerts that you name"
        ));
    }
    Service {
        description: said(known.description.as_deref(), &place, remarks),
        acknowledgement_timeout: acknowledgement_timeout(
            known,
            followed.is_some(),
            &place,
            remarks,
        ),
        escalation_policy: followed,
        urgency: urgency::urgency(known, &place, remarks),
        grouping: grouped(known, &place, remarks),
        resolve_after: resolve_after(known, &place, remarks),
        integrations: integrations(known, &place, remarks),
        rules: Vec::new(),
        name,
    }
}

/// How long its acknowledgements hold. Where they hold for ever nothing is said, since no policy that is carried over says anything
/// else; that of the installation may.
fn acknowledgement_timeout(
    known: &raw::Service,
    is_policy_carried_over: bool,
    place: &str,
    remarks: &mut Remarks,
) -> Option<Timeout> {
    let asked = known.acknowledgement_timeout.unwrap_or_default();
    if asked == 0 {
        return (!is_policy_carried_over).then_some(Timeout::Never);
    }
    let seconds = asked.clamp(*ACKNOWLEDGED_S.start(), *ACKNOWLEDGED_S.end());
    let length = Length::of_ms(seconds * 1_000);
    if seconds != asked {
        remarks.add(format!(
            "{place}: acknowledgements end after {asked} s there, and after {length} here: it is a minute to 7 days"
        ));
    }
    Some(Timeout::After(length))
}

fn resolve_after(known: &raw::Service, place: &str, remarks: &mut Remarks) -> Option<Length> {
    let seconds = known.auto_resolve_timeout.filter(|seconds| *seconds > 0)?;
    let asked = seconds.saturating_mul(1_000);
    let ms = asked.clamp(RESOLVE_AFTER_MS_MIN, RESOLVE_AFTER_MS_MAX);
    if ms != asked {
        remarks.add(format!(
            "{place}: it resolves after {seconds} s there, and after {} here: it is 5 minutes to 30 days",
            Length::of_ms(ms)
        ));
    }
    Some(Length::of_ms(ms))
}

fn grouped(known: &raw::Service, place: &str, remarks: &mut Remarks) -> Grouping {
    let given = known.alert_grouping_parameters.clone().unwrap_or_default();
    let config = given.config.unwrap_or_default();
    // The older fields say the same where the newer ones say nothing.
    let kind = given.kind.or(known.alert_grouping.clone());
    match kind.as_deref().unwrap_or_default() {
        "" => Grouping::Nothing,
        "time" => {
            let timeout = config.timeout.or(known.alert_grouping_timeout);
            by_time(timeout.unwrap_or(0), place, remarks)
        }
        "content_based" => by_content(&config, place, remarks),
        other => {
            remarks.add(format!(
                "{place}: grouping by {other:?} is left out: here alerts are grouped by time or by fields"
            ));
            Grouping::Nothing
        }
    }
}

fn by_time(timeout: u64, place: &str, remarks: &mut Remarks) -> Grouping {
    if timeout == 0 {
        remarks.add(format!(
            "{place}: alerts are grouped until an incident is resolved there, and here as long as one comes within a day"
        ));
        return Grouping::Time {
            within: Length::of_ms(GROUP_MS_MAX),
            rolling: true,
        };
    }
    // It is documented in minutes; more than a day of them can only be seconds, as newer answers have it.
    let minutes = timeout.saturating_mul(MINUTE_MS);
    let ms = if minutes <= GROUP_MS_MAX {
        minutes
    } else {
        timeout.saturating_mul(1_000).min(GROUP_MS_MAX)
    };
    Grouping::Time {
        within: Length::of_ms(ms),
        rolling: false,
    }
}

fn by_content(config: &raw::GroupingConfig, place: &str, remarks: &mut Remarks) -> Grouping {
    let words = config.fields.as_deref().unwrap_or_default();
    let mut fields: Vec<FieldName> = Vec::new();
    for word in words {
        match grouping::field(word).map(FieldName) {
            Some(field) if fields.contains(&field) => {}
            Some(field) => fields.push(field),
            None => {
                remarks.add(format!(
                    "{place}: grouping by fields is left out: there is no field {word:?} here"
                ));
                return Grouping::Nothing;
            }
        }
    }
    if fields.is_empty() || fields.len() > GROUP_FIELDS_MAX {
        remarks.add(format!(
            "{place}: grouping by {} fields is left out: it is 1 to {GROUP_FIELDS_MAX}",
            fields.len()
        ));
        return Grouping::Nothing;
    }
    if config.aggregate.as_deref() == Some("any") && fields.len() > 1 {
        remarks.add(format!(
            "{place}: grouping by any one of several fields is left out: here alerts are grouped that have all in common"
        ));
        return Grouping::Nothing;
    }
    if config.time_window.is_some() {
        remarks.add(format!(
            "{place}: the time window of its grouping is left out: alerts join as long as their incident is open"
        ));
    }
    Grouping::Content(fields)
}

fn integrations(known: &raw::Service, place: &str, remarks: &mut Remarks) -> Vec<Integration> {
    let (mut made, mut names) = (Vec::new(), Names::default());
    for one in known.integrations.as_deref().unwrap_or_default() {
        let title = one.name.as_deref().or(one.summary.as_deref());
        let title = title.unwrap_or("Events API V2");
        let vendor = one.vendor.as_ref();
        let vendor = vendor.and_then(|vendor| Vendor::of_id(vendor.id.as_deref()?));
        let kind = match spoken(one, vendor) {
            Ok(kind) => kind,
            Err(other) => {
                remarks.add(format!(
                    "{place}: integration {title:?} is left out: {other:?} has a form of its own; a webhook with a mapping may do \
                     the same"
                ));
                continue;
            }
        };
        let noun = format!("{place}: integration");
        let name = names.give(&noun, None, title, remarks);
        remark_untold(one, vendor, &format!("{noun} {name:?}"), remarks);
        // A file says no more than what does not follow from the kind, and no vendor that speaks otherwise.
        let own = vendor.filter(|own| own.speaks == kind && **own != *Vendor::of(kind));
        made.push(Integration {
            name,
            kind,
            vendor: own.map(Vendor::id),
            service_label: None,
            mapping: None,
        });
    }
    made
}

/// How a sender speaks, or PagerDuty's word for a way that is none here.
fn spoken<'a>(
    known: &'a raw::Integration,
    vendor: Option<&'static Vendor>,
) -> Result<Speaks, &'a str> {
    // A Tocsin tells by the vendor how it is spoken to; the mapping of a webhook, which needs one, it cannot tell.
    let ours = vendor.map(|vendor| vendor.speaks);
    if let Some(speaks) = ours.filter(|speaks| *speaks != Speaks::Webhook) {
        return Ok(speaks);
    }
    let kind = known.kind.as_deref().unwrap_or_default();
    match kind.strip_suffix("_reference").unwrap_or(kind) {
        // Tocsin takes both versions of events by one key.
        "events_api_v2_inbound_integration" | "generic_events_api_inbound_integration" => {
            Ok(Speaks::EventsV2)
        }
        "generic_email_inbound_integration" => Ok(Speaks::Email),
        other => Err(other),
    }
}

/// Says what of an integration that is carried over is not.
fn remark_untold(
    known: &raw::Integration,
    vendor: Option<&'static Vendor>,
    place: &str,
    remarks: &mut Remarks,
) {
    let Some(vendor) = vendor else {
        let told = known.vendor.as_ref();
        let called = told.and_then(|told| told.summary.as_deref().or(told.id.as_deref()));
        if let Some(called) = called {
            remarks.add(format!(
                "{place}: its vendor {called:?} is left out: there is none of that id here"
            ));
        }
        return;
    };
    match vendor.speaks {
        Speaks::Alertmanager => remarks.add(format!(
            "{place}: by which label alerts name their service cannot be read over this API: where there is one, write it as \
             service_label"
        )),
        Speaks::Email => remarks.add(format!(
            "{place}: a mapping of its own cannot be read over this API: where there is one, write it as mapping"
        )),
        Speaks::EventsV2 | Speaks::Webhook | Speaks::Grafana | Speaks::Opsgenie => {}
    }
}
