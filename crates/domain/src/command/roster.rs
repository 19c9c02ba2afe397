//! What can be asked about schedules, escalation policies and services.

use super::BusinessAsk;
use crate::id::{IntegrationId, PolicyId, ScheduleId, SecretId, ServiceId};
use crate::oncall::{Layer, WholeSchedule};
use crate::oncall_command::OncallAsk;
use crate::page::{Level, WholePolicy};
use crate::service::{IntegrationKind, WholeService};

/// Work on schedules, policies and services. `None` as id adds.
#[derive(Clone, Debug, PartialEq)]
pub enum RosterAsk {
    /// Add or replace a schedule.
    SetSchedule {
        /// Which, or a new one.
        id: Option<ScheduleId>,
        /// Its name.
        name: String,
        /// Its zone.
        time_zone: String,
        /// Its rotations, all of them.
        layers: Vec<Layer>,
    },
    /// Add or replace a schedule with all that is said of it: all of it or nothing.
    SetWholeSchedule(Box<WholeSchedule>),
    /// Remove a schedule that no policy names.
    RemoveSchedule(ScheduleId),
    /// Add or replace a policy.
    SetPolicy {
        /// Which, or a new one.
        id: Option<PolicyId>,
        /// Its name.
        name: String,
        /// Its levels.
        levels: Vec<Level>,
        /// How often it is walked through again.
        repeat: u32,
        /// How long an acknowledgement holds.
        acknowledgement_timeout_ms: Option<u64>,
    },
    /// Add or replace a policy with all that is said of it: all of it or nothing.
    SetWholePolicy(Box<WholePolicy>),
    /// Remove a policy that no service names.
    RemovePolicy(PolicyId),
    /// Add or replace a service.
    SetService {
        /// Which, or a new one.
        id: Option<ServiceId>,
        /// Its name.
        name: String,
        /// Who is paged.
        policy: Option<PolicyId>,
    },
    /// Add a service, or change what is said of it: all of it or nothing.
    SetWholeService(Box<WholeService>),
    /// Remove a service on which nothing fails and which is needed for nothing, with what is about it alone.
    RemoveService(ServiceId),
    /// Add an integration.
    AddIntegration {
        /// To which service.
        service: ServiceId,
        /// Its name.
        name: String,
        /// SHA-256 (hex) of its key.
        key_hash: String,
        /// The row of the vault that holds its key, where it is kept.
        key_row: Option<SecretId>,
        /// The vendor whose product sends by it, where that is to be told back.
        vendor: Option<String>,
        /// How the foreign system speaks.
        kind: IntegrationKind,
    },
    /// Call an integration otherwise, or change its mapping or its vendor. Its key stays, and so does how the foreign system speaks.
    ChangeIntegration {
        /// Which.
        integration: IntegrationId,
        /// Its name.
        name: String,
        /// The vendor whose product sends by it, where that is to be told back.
        vendor: Option<String>,
        /// The same kind, with the new mapping.
        kind: IntegrationKind,
    },
    /// Remove an integration.
    RemoveIntegration(IntegrationId),
    /// Change a schedule by hand, or a calendar.
    Oncall(OncallAsk),
    /// Business services, and what supports what.
    Business(BusinessAsk),
}
