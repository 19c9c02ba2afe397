//! Vendors: the ways in which foreign systems speak to Tocsin, each under an id that never changes.

use tocsin_domain::service::{Integration, Speaks};

use super::id;

/// A way in which foreign systems speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// Which.
    pub speaks: Speaks,
    /// The id that clients have in their code; one of ours, where there is none.
    pub known_as: Option<&'static str>,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// PagerDuty's word for an integration of the kind.
    pub kind: &'static str,
}

/// PagerDuty's word for an integration that takes events.
const EVENTS: &str = "events_api_v2_inbound_integration";

/// A product that sends to PagerDuty by its events, v1 or v2.
const fn sender(name: &'static str, description: &'static str) -> Vendor {
    Vendor {
        speaks: Speaks::EventsV2,
        known_as: None,
        name,
        description,
        kind: EVENTS,
    }
}

/// All of them, of each way to speak the one first that an integration has which names none. A product is among them only where what it
/// sends to PagerDuty is events, by the key of an integration: whoever asks for its name, as Terraform's provider does, gets a key for
/// events. What posts a form of its own to an address of its own there (Amazon CloudWatch, Pingdom, Splunk and others) is not, since
/// nothing here would understand it: that comes by a JSON webhook with a mapping.
pub static VENDORS: [Vendor; 22] = [
    Vendor {
        speaks: Speaks::EventsV2,
        known_as: None,
        name: "Events API V2",
        description: "Whatever sends events to PagerDuty.",
        kind: EVENTS,
    },
    Vendor {
        speaks: Speaks::Alertmanager,
        known_as: None,
        name: "Alertmanager API v2",
        description: "A server that sends its alerts to an Alertmanager.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Grafana,
        known_as: None,
        name: "Grafana webhook",
        description: "A webhook contact point of Grafana.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Opsgenie,
        known_as: None,
        name: "Opsgenie Alert API",
        description: "Whatever sends alerts to Opsgenie.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Webhook,
        known_as: None,
        name: "JSON webhook",
        description: "JSON of any shape, by a mapping that is set in Tocsin.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Email,
        known_as: None,
        name: "Email",
        description: "Whatever sends mail.",
        kind: "generic_email_inbound_integration",
    },
    Vendor {
        speaks: Speaks::EventsV2,
        known_as: Some("PRO19CT"),
        name: "Backstage",
        description: "Backstage's plugin, which sends events.",
        kind: EVENTS,
    },
    sender("Checkmk", "Checkmk's notifications to PagerDuty."),
    sender(
        "Datadog",
        "Datadog's integration with PagerDuty, where its events are led here.",
    ),
    sender("Elastic", "The connector of Kibana to PagerDuty."),
    sender("Grafana", "A contact point of Grafana for PagerDuty."),
    sender("Graylog", "Graylog's notifications to PagerDuty."),
    sender("Icinga", "Icinga, by PagerDuty's agent."),
    sender("LibreNMS", "LibreNMS' transport to PagerDuty."),
    sender("Nagios", "Nagios, by PagerDuty's agent."),
    sender("Netdata", "Netdata's notifications to PagerDuty."),
    sender(
        "New Relic",
        "New Relic's notifications to PagerDuty, where its events are led here.",
    ),
    sender("Prometheus", "An Alertmanager's receiver for PagerDuty."),
    sender(
        "Sensu",
        "Sensu's handler for PagerDuty, or PagerDuty's agent.",
    ),
    sender("Sentry", "Sentry's integration with PagerDuty."),
    sender("Uptime Kuma", "Uptime Kuma's notifications to PagerDuty."),
    sender(
        "Zabbix",
        "Zabbix' media type for PagerDuty, or PagerDuty's agent.",
    ),
];

impl Vendor {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> String {
        let known_as = self.known_as.map(str::to_owned);
        known_as.unwrap_or_else(|| id::of_name(&format!("vendor/{}", self.name)))
    }

    /// That of this id.
    #[must_use]
    pub fn of_id(wanted: &str) -> Option<&'static Self> {
        VENDORS.iter().find(|one| one.id() == wanted)
    }

    /// That of an integration.
    #[must_use]
    pub fn of_integration(known: &Integration) -> &'static Self {
        let speaks = known.kind.speaks();
        let named = known.vendor.as_deref().and_then(Self::of_id);
        let named = named.filter(|one| one.speaks == speaks);
        named.unwrap_or_else(|| Self::of(speaks))
    }

    /// That of what speaks so.
    #[must_use]
    pub fn of(speaks: Speaks) -> &'static Self {
        let known = VENDORS.iter().find(|one| one.speaks == speaks);
        known.unwrap_or(&VENDORS[0])
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use tocsin_domain::service::IntegrationKind;

    use super::*;

    #[test]
    fn every_way_to_speak_has_a_vendor_of_its_own() {
        for speaks in [
            Speaks::EventsV2,
            Speaks::Webhook,
            Speaks::Grafana,
            Speaks::Opsgenie,
            Speaks::Alertmanager,
            Speaks::Email,
        ] {
            let vendor = Vendor::of(speaks);
            assert_eq!(vendor.speaks, speaks);
            assert_eq!(Vendor::of_id(&vendor.id()), Some(vendor));
        }
        assert_eq!(Vendor::of_id("PAM4FGS"), None);
    }

    #[test]
    fn every_vendor_has_an_id_and_a_name_of_its_own_and_products_send_events() {
        let ids: BTreeSet<String> = VENDORS.iter().map(Vendor::id).collect();
        let names = VENDORS.iter().map(|one| one.name.to_lowercase());
        let names: BTreeSet<String> = names.collect();
        assert_eq!((ids.len(), names.len()), (VENDORS.len(), VENDORS.len()));
        let named = |name: &str| VENDORS.iter().find(|one| one.name == name);
        for name in ["Datadog", "Grafana", "Nagios", "Prometheus", "Zabbix"] {
            let known = named(name).unwrap();
            assert_eq!((known.speaks, known.kind), (Speaks::EventsV2, EVENTS));
        }
        // What they send to PagerDuty is of a form of their own.
        for name in ["Amazon CloudWatch", "Pingdom", "Splunk"] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn an_integration_has_the_vendor_that_was_named_where_that_speaks_as_it_does() {
        let of = |vendor: Option<&str>, kind: IntegrationKind| {
            let known = Integration {
                id: "QAAAAAAAAAAAAA".parse().unwrap(),
                service: "QAAAAAAAAAAAAA".parse().unwrap(),
                name: "x".to_owned(),
                key_hash: String::new(),
                key_row: None,
                vendor: vendor.map(str::to_owned),
                kind,
            };
            Vendor::of_integration(&known).name
        };
        assert_eq!(of(None, IntegrationKind::EventsV2), "Events API V2");
        assert_eq!(of(Some("PRO19CT"), IntegrationKind::EventsV2), "Backstage");
        for other in [Some("PRO19CT"), Some("PAM4FGS")] {
            assert_eq!(of(other, IntegrationKind::Grafana), "Grafana webhook");
        }
    }
}
