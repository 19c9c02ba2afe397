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

/// All of them, of each way to speak the one first that an integration has which names none. None is called by the name of a product
/// that sends to PagerDuty by its events, since whoever asks for that name wants a key for events, which needs no vendor, but for one
/// whose own client asks by its id and looks for its integration by that.
pub static VENDORS: [Vendor; 7] = [
    Vendor {
        speaks: Speaks::EventsV2,
        known_as: None,
        name: "Events API V2",
        description: "Whatever sends events to PagerDuty.",
        kind: "events_api_v2_inbound_integration",
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
        kind: "events_api_v2_inbound_integration",
    },
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
