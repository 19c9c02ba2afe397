//! What can be asked about services and their integrations in bodies. Whether it makes sense is decided elsewhere.

use std::ops::RangeInclusive;

use tocsin_domain::intake::{
    GroupBy, Intake, RESOLVE_AFTER_MS_MAX, RESOLVE_AFTER_MS_MIN, UrgencyBy,
};
use tocsin_domain::service::{DESCRIPTION_CHARS_MAX, Speaks};

use super::body::{self, Fields, Wrong};
use super::grouping;
use super::refusal::Refusal;
use super::support;
use super::vendor::Vendor;

/// Characters of a name at most.
const NAME_CHARS_MAX: usize = 255;
/// An acknowledgement that ends holds for so many seconds: a minute to 7 days.
const HOLDS_S: RangeInclusive<u64> = 60..=604_800;
/// The kind of integrations that take the older events, which Tocsin takes by the same key.
const EVENTS_V1: &str = "generic_events_api_inbound_integration";

/// What Terraform's provider writes as the type of an integration of which it knows the vendor alone.
const BY_VENDOR: &str = "service_integration";

/// What can be said of mail by one word each, the words for what Tocsin does, and why any other is refused.
const MAIL_WORDS: [(&str, &[&str], &str); 3] = [
    (
        "email_incident_creation",
        &["on_new_email", "on_new_email_subject"],
        "mail raises an alert by its subject, and how alerts make incidents is said of the service",
    ),
    (
        "email_filter_mode",
        &["all-email"],
        "all mail is taken; rules of Tocsin say what becomes of it",
    ),
    (
        "email_parsing_fallback",
        &["open_new_incident"],
        "without a mapping, every mail raises an alert",
    ),
];
/// What a filter of mail says of each part of it.
const FILTER_MODES: [&str; 3] = ["subject_mode", "body_mode", "from_email_mode"];

/// A service to add or to change; what is not said stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Option<String>,
    /// What it is; empty when it is taken away.
    pub description: Option<String>,
    /// The id of its policy.
    pub policy: Option<String>,
    /// After so many seconds without news it is over; `Some(None)` is never.
    pub resolve_after_s: Option<Option<u64>>,
    /// For so many seconds an acknowledgement holds; `Some(None)` is for ever.
    pub acknowledged_s: Option<Option<u64>>,
    /// How urgent its alerts are.
    pub urgency: Option<UrgencyBy>,
    /// Which of them make one incident.
    pub grouping: Option<GroupBy>,
}

/// Reads the body of `POST /services` or `PUT /services/{id}`; `known` is how its alerts are taken in so far.
///
/// # Errors
/// Everything that is wrong with it.
pub fn service(bytes: &[u8], known: &Intake) -> Result<Service, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "service")?;
    let mut wrong = Wrong::default();
    refuse_unserved(&fields, &mut wrong);
    let resolve_s = RESOLVE_AFTER_MS_MIN / 1_000..=RESOLVE_AFTER_MS_MAX / 1_000;
    let service = Service {
        name: fields.name(&mut wrong, "name", NAME_CHARS_MAX),
        policy: fields.reference(&mut wrong, "escalation_policy", "escalation_policy"),
        description: fields.words(&mut wrong, "description", DESCRIPTION_CHARS_MAX),
        resolve_after_s: seconds(&fields, &mut wrong, "auto_resolve_timeout", &resolve_s),
        acknowledged_s: seconds(&fields, &mut wrong, "acknowledgement_timeout", &HOLDS_S),
        grouping: grouping::read(&fields, &mut wrong, &known.grouping),
        urgency: support::read(&fields, &mut wrong, &known.urgency),
    };
    wrong.outcome(Some(service))
}

/// Says of each field that Tocsin keeps nothing of that it is used, and lets the forms pass by which clients say that it is not.
fn refuse_unserved(fields: &Fields<'_>, wrong: &mut Wrong) {
    fields.refuse(wrong, &["response_play"]);
    let creation = [("create_alerts_and_incidents", ())];
    fields.word(wrong, "alert_creation", &creation);
    // How a service stands follows from its incidents: what was read may be written back, and it is never switched off.
    let standings = ["active", "warning", "critical", "maintenance"].map(|word| (word, ()));
    fields.word(wrong, "status", &standings);
    let pause = fields.object(wrong, "auto_pause_notifications_parameters");
    let is_on = pause.and_then(|pause| {
        pause.number(wrong, "timeout");
        pause.flag(wrong, "enabled")
    });
    if is_on == Some(true) {
        let path = fields.path("auto_pause_notifications_parameters");
        wrong.add(format!(
            "'{path}' is not supported: it is set in Tocsin itself, or by its own API"
        ));
    }
}

/// A length in seconds; `Some(None)` when it has no end, which some clients write as zero.
fn seconds(
    fields: &Fields<'_>,
    wrong: &mut Wrong,
    name: &str,
    range: &RangeInclusive<u64>,
) -> Option<Option<u64>> {
    if !fields.has(name) {
        return None;
    }
    let seconds = fields.number(wrong, name).filter(|seconds| *seconds > 0);
    if seconds.is_some_and(|seconds| !range.contains(&seconds)) {
        let path = fields.path(name);
        let (least, most) = (range.start(), range.end());
        wrong.add(format!(
            "'{path}' is invalid: it is {least} to {most} seconds"
        ));
    }
    Some(seconds)
}

/// An integration to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integration {
    /// Its name.
    pub name: String,
    /// How the foreign system is to speak.
    pub speaks: Speaks,
    /// The id of its vendor, where that does not follow from how it speaks.
    pub vendor: Option<String>,
}

/// Reads the body of `POST /services/{id}/integrations`. What names neither a type nor a vendor sends events.
///
/// # Errors
/// It names a vendor that is none, or a type that Tocsin does not take: its sender would speak in a form of its own.
pub fn integration(bytes: &[u8]) -> Result<Integration, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "integration")?;
    let mut wrong = Wrong::default();
    refuse_of_mail(&fields, &mut wrong, None);
    let kind = fields.text(&mut wrong, "type", NAME_CHARS_MAX);
    let vendor = fields.reference(&mut wrong, "vendor", "vendor");
    let known = vendor.as_deref().and_then(Vendor::of_id);
    if let (Some(id), None) = (&vendor, known) {
        let place = fields.path("vendor");
        return Err(Refusal::object_missing(&place, "vendor", id));
    }
    let of_kind = match kind.as_deref() {
        None => Some(Speaks::EventsV2),
        Some(kind) => speaks_of(kind),
    };
    // A type of several vendors says nothing without one of them.
    let shared = [BY_VENDOR, Vendor::of(Speaks::Grafana).kind];
    let shares_type = kind.as_deref().is_some_and(|kind| shared.contains(&kind));
    if of_kind.is_none() && !(shares_type && vendor.is_some()) {
        let path = fields.path("type");
        wrong.add(format!(
            "'{path}' is not supported: Tocsin takes events and mail, and what its own vendors are for"
        ));
    }
    let speaks = known.map(|vendor| vendor.speaks);
    let speaks = speaks.or(of_kind).unwrap_or_default();
    let name = fields.text(&mut wrong, "name", NAME_CHARS_MAX);
    // The name may be left to the server.
    let vendor = known.unwrap_or_else(|| Vendor::of(speaks));
    let name = name.unwrap_or_else(|| vendor.name.to_owned());
    let vendor = (vendor != Vendor::of(speaks)).then(|| vendor.id());
    wrong.outcome(Some(Integration {
        name,
        speaks,
        vendor,
    }))
}

/// How a foreign system speaks by an integration of this type, where the type alone tells it.
fn speaks_of(kind: &str) -> Option<Speaks> {
    let kind = kind.strip_suffix("_reference").unwrap_or(kind);
    if kind == EVENTS_V1 {
        return Some(Speaks::EventsV2);
    }
    let told = [Speaks::EventsV2, Speaks::Email];
    told.into_iter()
        .find(|speaks| Vendor::of(*speaks).kind == kind)
}

/// Says of each field about mail that asks for more than Tocsin does with all mail. `address` is where the integration is sent mail to,
/// as far as that is known.
fn refuse_of_mail(fields: &Fields<'_>, wrong: &mut Wrong, address: Option<&str>) {
    let not_served = |wrong: &mut Wrong, name: &str, why: &str| {
        let path = fields.path(name);
        wrong.add(format!("'{path}' is not supported: {why}"));
    };
    let chosen = fields.text(wrong, "integration_email", NAME_CHARS_MAX);
    let is_own = |text: &str| address.is_some_and(|own| own.eq_ignore_ascii_case(text));
    if chosen.is_some_and(|text| !is_own(&text)) {
        let why = "Tocsin makes the address, in which is the key; leave it out, and read it";
        not_served(wrong, "integration_email", why);
    }
    for (name, taken, why) in MAIL_WORDS {
        let word = fields.text(wrong, name, NAME_CHARS_MAX);
        if word.is_some_and(|word| !taken.contains(&word.as_str())) {
            not_served(wrong, name, why);
        }
    }
    let filters = fields.objects(wrong, "email_filters").unwrap_or_default();
    let is_open = |filter: &Fields<'_>| {
        let mut modes = FILTER_MODES.iter().filter_map(|name| filter.value(name));
        modes.all(|mode| mode == "always")
    };
    if !filters.iter().all(is_open) {
        let why = "all mail is taken; rules of Tocsin say what becomes of it";
        not_served(wrong, "email_filters", why);
    }
    let parsers = fields.objects(wrong, "email_parsers").unwrap_or_default();
    if !parsers.is_empty() {
        let why = "how mail is read is said by a mapping, which is set in Tocsin";
        not_served(wrong, "email_parsers", why);
    }
}

/// Reads the body of `PUT /services/{id}/integrations/{integration_id}`: its name, if that is said. `address` is where it is sent mail
/// to, if it is and that is known.
///
/// # Errors
/// It says a type, a vendor or an address that is not what the integration has: that stays as it was made.
pub fn integration_change(
    bytes: &[u8],
    is: &Vendor,
    address: Option<&str>,
) -> Result<Option<String>, Refusal> {
    let body = body::object(bytes)?;
    let fields = body::wrapped(&body, "integration")?;
    let mut wrong = Wrong::default();
    refuse_of_mail(&fields, &mut wrong, address);
    let name = fields.name(&mut wrong, "name", NAME_CHARS_MAX);
    if let Some(kind) = fields.text(&mut wrong, "type", NAME_CHARS_MAX) {
        let kind = kind.strip_suffix("_reference").unwrap_or(&kind);
        let old_events = is.speaks == Speaks::EventsV2 && kind == EVENTS_V1;
        if kind != is.kind && kind != BY_VENDOR && !old_events {
            stays(&fields, &mut wrong, "type");
        }
    }
    if let Some(id) = fields.reference(&mut wrong, "vendor", "vendor")
        && id != is.id()
    {
        stays(&fields, &mut wrong, "vendor");
    }
    wrong.outcome(Some(name))
}

fn stays(fields: &Fields<'_>, wrong: &mut Wrong, name: &str) {
    let path = fields.path(name);
    wrong.add(format!(
        "'{path}' is not supported: it stays as it was made; make another integration"
    ));
}

#[cfg(test)]
mod tests;
