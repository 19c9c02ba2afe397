//! Vendors: the ways in which foreign systems speak to Tocsin, each under an id that never changes.

use tocsin_domain::service::Speaks;

use super::id;

/// A way in which foreign systems speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// Which.
    pub speaks: Speaks,
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// PagerDuty's word for an integration of the kind.
    pub kind: &'static str,
}

/// All of them. None is called by the name of a product that sends to PagerDuty by its events: whoever asks for that name wants
/// a key for events, which needs no vendor.
pub static VENDORS: [Vendor; 6] = [
    Vendor {
        speaks: Speaks::EventsV2,
        name: "Events API V2",
        description: "Whatever sends events to PagerDuty.",
        kind: "events_api_v2_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Alertmanager,
        name: "Alertmanager API v2",
        description: "A server that sends its alerts to an Alertmanager.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Grafana,
        name: "Grafana webhook",
        description: "A webhook contact point of Grafana.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Opsgenie,
        name: "Opsgenie Alert API",
        description: "Whatever sends alerts to Opsgenie.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Webhook,
        name: "JSON webhook",
        description: "JSON of any shape, by a mapping that is set in Tocsin.",
        kind: "event_transformer_api_inbound_integration",
    },
    Vendor {
        speaks: Speaks::Email,
        name: "Email",
        description: "Whatever sends mail.",
        kind: "generic_email_inbound_integration",
    },
];

impl Vendor {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> String {
        id::of_name(&format!("vendor/{}", self.name))
    }

    /// That of this id.
    #[must_use]
    pub fn of_id(wanted: &str) -> Option<&'static Self> {
        VENDORS.iter().find(|one| one.id() == wanted)
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
}
