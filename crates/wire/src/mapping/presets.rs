//! Mappings that Tocsin brings: those of Grafana, of Opsgenie-style requests and of mails, in the language itself.

use std::sync::OnceLock;

use super::Mapping;

/// Grafana's alerts, as its webhook contact point sends them.
pub const GRAFANA: &str = include_str!("presets/grafana.json");
/// The body of an Opsgenie-style request to make an alert.
pub const OPSGENIE: &str = include_str!("presets/opsgenie.json");
/// A mail, as [`crate::inbound_mail`] writes it down.
pub const EMAIL: &str = include_str!("presets/email.json");

/// The mapping of [`GRAFANA`].
#[must_use]
pub fn grafana() -> Option<&'static Mapping> {
    static READ: OnceLock<Option<Mapping>> = OnceLock::new();
    READ.get_or_init(|| Mapping::parse(GRAFANA).ok()).as_ref()
}

/// The mapping of [`OPSGENIE`].
#[must_use]
pub fn opsgenie() -> Option<&'static Mapping> {
    static READ: OnceLock<Option<Mapping>> = OnceLock::new();
    READ.get_or_init(|| Mapping::parse(OPSGENIE).ok()).as_ref()
}

/// The mapping of [`EMAIL`].
#[must_use]
pub fn email() -> Option<&'static Mapping> {
    static READ: OnceLock<Option<Mapping>> = OnceLock::new();
    READ.get_or_init(|| Mapping::parse(EMAIL).ok()).as_ref()
}
