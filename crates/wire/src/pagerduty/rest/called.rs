//! The names that fields have there, where the core refuses one by its own. It decides nothing.

use std::fmt::Write as _;

/// What is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noun {
    /// An escalation policy.
    Policy,
    /// A schedule.
    Schedule,
    /// Somebody who stands in for a span of a schedule.
    Override,
    /// A service.
    Service,
    /// An integration of one.
    Integration,
    /// A team.
    Team,
    /// A person.
    User,
    /// A way to reach one.
    ContactMethod,
    /// When such a way is used.
    NotificationRule,
    /// Planned work.
    Window,
    /// A business service.
    BusinessService,
    /// A webhook subscription.
    Subscription,
    /// The router of the event orchestration.
    Router,
    /// An incident.
    Incident,
    /// A note about one, also one that tells how it stands.
    Note,
    /// A tag.
    Tag,
    /// What is said without a noun around it: a request for help, a status update, whose sources are merged.
    Bare,
}

/// A field of the core.
struct Field {
    /// Its path, with `[]` for each place in a list; or a whole reason that names none.
    own: &'static str,
    /// The same there. A place that it has not is left out.
    there: &'static str,
    /// Why it is refused, where the core's own words would be wrong there.
    why: Option<&'static str>,
}

/// One that has the same name there.
const fn same(name: &'static str) -> Field {
    called(name, name)
}

const fn called(own: &'static str, there: &'static str) -> Field {
    Field {
        own,
        there,
        why: None,
    }
}

const fn because(own: &'static str, there: &'static str, why: &'static str) -> Field {
    Field {
        own,
        there,
        why: Some(why),
    }
}

const POLICY: &[Field] = &[
    same("name"),
    same("description"),
    called("repeat", "num_loops"),
    called("levels", "escalation_rules"),
    called(
        "levels[].delay",
        "escalation_rules[].escalation_delay_in_minutes",
    ),
    called("levels[].targets", "escalation_rules[].targets"),
];
const SCHEDULE: &[Field] = &[
    same("name"),
    same("description"),
    same("time_zone"),
    called("layers", "schedule_layers"),
    called("layer_names", "schedule_layers"),
    called("layers[].time_zone", "schedule_layers[].time_zone"),
    called("layers[].start", "schedule_layers[].start"),
    called("layers[].until", "schedule_layers[].end"),
    because(
        "layers[].turn",
        "schedule_layers[].rotation_turn_length_seconds",
        "a turn is 1 to 366 weeks, days or hours, in the longest of these that it is a whole number of",
    ),
    called("layers[].members", "schedule_layers[].users"),
    called("layers[].members[]", "schedule_layers[].users[].user"),
    called("layers[].restrictions", "schedule_layers[].restrictions"),
    called(
        "layers[].restrictions[]",
        "schedule_layers[].restrictions[]",
    ),
];
const OVERRIDE: &[Field] = &[called("user_id", "user"), called("until", "end")];
const SERVICE: &[Field] = &[
    same("name"),
    same("description"),
    same("acknowledgement_timeout"),
    called("resolve_after", "auto_resolve_timeout"),
    called(
        "grouping.within",
        "alert_grouping_parameters.config.timeout",
    ),
    called("grouping.fields", "alert_grouping_parameters.config.fields"),
    called("urgency.hours", "support_hours"),
    called("urgency.hours.time_zone", "support_hours.time_zone"),
];
const INTEGRATION: &[Field] = &[same("name")];
const TEAM: &[Field] = &[same("name"), same("description"), same("members")];
const USER: &[Field] = &[same("name"), same("email"), same("description")];
const CONTACT_METHOD: &[Field] = &[same("label"), same("address")];
const NOTIFICATION_RULE: &[Field] = &[called("delay_minutes", "start_delay_in_minutes")];
const WINDOW: &[Field] = &[
    called("reason", "description"),
    called("until", "end_time"),
    same("services"),
    called("services and targets", "services"),
    because(
        "name services, targets or matchers",
        "services",
        "at least one service is worked on",
    ),
];
const BUSINESS_SERVICE: &[Field] = &[
    same("name"),
    same("description"),
    same("point_of_contact"),
    same("team"),
];
const SUBSCRIPTION: &[Field] = &[
    same("description"),
    same("events"),
    same("filter"),
    called("delivery", "delivery_method.url"),
];
const ROUTER: &[Field] = &[
    called("rules", "sets[0].rules"),
    called("rules[].id", "sets[0].rules[].id"),
    called("rules[].name", "sets[0].rules[].label"),
    called("rules[].when", "sets[0].rules[].conditions"),
    called("rules[].then", "sets[0].rules[].actions"),
];
const INCIDENT: &[Field] = &[
    same("title"),
    same("priority"),
    called("summary", "title"),
    called("note", "resolution"),
    called("text", "resolution"),
    called("people", "assignments"),
];
const NOTE: &[Field] = &[called("text", "content")];
const TAG: &[Field] = &[same("label")];
const BARE: &[Field] = &[
    same("message"),
    called("text", "message"),
    called("people", "responder_request_targets"),
    called("sources", "source_incidents"),
];

impl Noun {
    const fn word(self) -> &'static str {
        match self {
            Self::Policy => "escalation_policy",
            Self::Schedule => "schedule",
            Self::Override => "override",
            Self::Service => "service",
            Self::Integration => "integration",
            Self::Team => "team",
            Self::User => "user",
            Self::ContactMethod => "contact_method",
            Self::NotificationRule => "notification_rule",
            Self::Window => "maintenance_window",
            Self::BusinessService => "business_service",
            Self::Subscription => "webhook_subscription",
            Self::Router => "orchestration_path",
            Self::Incident => "incident",
            Self::Note => "note",
            Self::Tag => "tag",
            Self::Bare => "",
        }
    }

    const fn fields(self) -> &'static [Field] {
        match self {
            Self::Policy => POLICY,
            Self::Schedule => SCHEDULE,
            Self::Override => OVERRIDE,
            Self::Service => SERVICE,
            Self::Integration => INTEGRATION,
            Self::Team => TEAM,
            Self::User => USER,
            Self::ContactMethod => CONTACT_METHOD,
            Self::NotificationRule => NOTIFICATION_RULE,
            Self::Window => WINDOW,
            Self::BusinessService => BUSINESS_SERVICE,
            Self::Subscription => SUBSCRIPTION,
            Self::Router => ROUTER,
            Self::Incident => INCIDENT,
            Self::Note => NOTE,
            Self::Tag => TAG,
            Self::Bare => BARE,
        }
    }

    /// A reason of the core with the name that its field has there. Of what lies deeper than is known here, what it lies in is named.
    #[must_use]
    pub fn told(self, reason: &str) -> String {
        let (path, why) = reason.split_once(": ").unwrap_or((reason, ""));
        let (pattern, places) = without_places(path);
        let fields = self.fields().iter();
        let holding = fields.filter(|field| holds(field.own, &pattern));
        let Some(field) = holding.max_by_key(|field| field.own.len()) else {
            return reason.to_owned();
        };
        let (word, there) = (self.word(), with_places(field.there, &places));
        let stop = if word.is_empty() { "" } else { "." };
        let why = field.why.unwrap_or(why);
        format!("'{word}{stop}{there}' is invalid: {why}")
    }
}

/// Whether something of this path is the field, or lies in it.
fn holds(field: &str, path: &str) -> bool {
    let rest = path.strip_prefix(field);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// A path with `[]` for each place in a list, and those places.
fn without_places(path: &str) -> (String, Vec<&str>) {
    let mut pattern = String::new();
    let mut places = Vec::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('[') {
        let Some((place, after)) = after.split_once(']') else {
            break;
        };
        pattern.push_str(before);
        pattern.push_str("[]");
        places.push(place);
        rest = after;
    }
    pattern.push_str(rest);
    (pattern, places)
}

fn with_places(pattern: &str, places: &[&str]) -> String {
    let mut parts = pattern.split("[]");
    let mut path = parts.next().unwrap_or_default().to_owned();
    for (place, part) in places.iter().zip(parts) {
        // Writing to a text cannot fail.
        let _ = write!(path, "[{place}]{part}");
    }
    path
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tocsin_domain::oncall::TURN_EVERY_MAX;

    use super::*;

    #[test]
    fn a_field_is_told_by_the_name_that_it_has_there() {
        for (noun, reason, told) in [
            (
                Noun::Policy,
                "levels[1].targets: 1 to 10",
                "'escalation_policy.escalation_rules[1].targets' is invalid: 1 to 10",
            ),
            (
                Noun::Policy,
                "levels: there is no person QA",
                "'escalation_policy.escalation_rules' is invalid: there is no person QA",
            ),
            (
                Noun::Schedule,
                "layers[0].members[12]: there is no person QA",
                "'schedule.schedule_layers[0].users[12].user' is invalid: there is no person QA",
            ),
            (
                Noun::Schedule,
                "layers[2].restrictions[0]: ends when it begins: leave it out for all times",
                "'schedule.schedule_layers[2].restrictions[0]' is invalid: ends when it begins: leave it out for all times",
            ),
            (
                Noun::Service,
                "urgency.hours.windows[3]: ends when it begins",
                "'service.support_hours' is invalid: ends when it begins",
            ),
            (
                Noun::Window,
                "name services, targets or matchers",
                "'maintenance_window.services' is invalid: at least one service is worked on",
            ),
            (
                Noun::Bare,
                "people: name somebody, or a policy",
                "'responder_request_targets' is invalid: name somebody, or a policy",
            ),
            (
                Noun::Router,
                "rules[4].when.all[1]: a name has 1 to 200 characters",
                "'orchestration_path.sets[0].rules[4].conditions' is invalid: a name has 1 to 200 characters",
            ),
        ] {
            assert_eq!(noun.told(reason), told);
        }
        // The core counts in units, and clients say seconds.
        let turn = Noun::Schedule.told("layers[0].turn.every: must be 1 to 366");
        let path = "'schedule.schedule_layers[0].rotation_turn_length_seconds' is invalid: ";
        let range = format!("{path}a turn is 1 to {TURN_EVERY_MAX} weeks");
        assert!(turn.starts_with(&range), "{turn}");
    }

    #[test]
    fn what_names_no_field_of_the_core_stays_as_it_is() {
        for reason in [
            "the service \"levels: x\" uses this policy: change the service first",
            "'escalation_policy.name' is missing or blank",
            "named: it is no field",
            "",
        ] {
            assert_eq!(Noun::Policy.told(reason), reason);
        }
    }

    proptest! {
        #[test]
        fn no_reason_makes_it_panic(reason in "\\PC{0,30}", path in "(levels|\\[|\\]|\\.|targets|: ){0,8}") {
            let _ = (Noun::Policy.told(&reason), Noun::Policy.told(&path));
        }
    }
}
