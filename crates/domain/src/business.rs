//! Business services: what people outside know by a name, made of the services that support it. They decide nothing, and nobody is
//! paged by them: whether one is hurt follows from what fails beneath it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::{BusinessServiceId, ServiceId, TeamId};
use crate::incident::Incident;
use crate::people::Urgency;
use crate::state::State;

/// Business services at most.
pub const BUSINESS_SERVICES_MAX: usize = 200;
/// Dependencies of all services together at most.
pub const DEPENDENCIES_MAX: usize = 2_000;
/// Dependencies in a row at most.
pub const DEPENDENCY_DEPTH_MAX: usize = 20;

/// Something that people outside know, which works as long as what supports it works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessService {
    /// Its id.
    pub id: BusinessServiceId,
    /// Its name.
    pub name: String,
    /// What it is, in words; may be empty.
    #[serde(default)]
    pub description: String,
    /// Whom to ask about it, in words; may be empty.
    #[serde(default)]
    pub point_of_contact: String,
    /// The team that answers for it.
    #[serde(default)]
    pub team: Option<TeamId>,
}

/// A service of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "snake_case")]
pub enum AnyService {
    /// One that is made of others.
    Business(BusinessServiceId),
    /// One that incidents belong to.
    Technical(ServiceId),
}

/// One service needs another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// The one that needs the other.
    pub dependent: AnyService,
    /// The one that is needed.
    pub supporting: AnyService,
}

/// All business services, and what supports what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BusinessServices {
    /// The business services.
    pub services: BTreeMap<BusinessServiceId, BusinessService>,
    /// What supports each service directly; there is no entry without any.
    pub supported_by: BTreeMap<AnyService, BTreeSet<AnyService>>,
}

impl BusinessServices {
    /// What supports a service directly.
    pub fn supporting(&self, of: AnyService) -> impl Iterator<Item = AnyService> {
        self.supported_by.get(&of).into_iter().flatten().copied()
    }

    /// Whether one service needs the other directly.
    #[must_use]
    pub fn has(&self, dependency: Dependency) -> bool {
        let supporting = self.supported_by.get(&dependency.dependent);
        supporting.is_some_and(|all| all.contains(&dependency.supporting))
    }

    /// Every dependency.
    pub fn dependencies(&self) -> impl Iterator<Item = Dependency> {
        self.supported_by.iter().flat_map(|(dependent, all)| {
            all.iter().map(move |supporting| Dependency {
                dependent: *dependent,
                supporting: *supporting,
            })
        })
    }

    /// Everything that supports a service, directly or through others.
    #[must_use]
    pub fn below(&self, of: AnyService) -> BTreeSet<AnyService> {
        let mut found = BTreeSet::new();
        let mut open = vec![of];
        while let Some(next) = open.pop() {
            for one in self.supporting(next) {
                if found.insert(one) {
                    open.push(one);
                }
            }
        }
        found
    }

    /// The business services that support no other service.
    #[must_use]
    pub fn top_level(&self) -> Vec<BusinessServiceId> {
        let supporting: BTreeSet<AnyService> =
            self.supported_by.values().flatten().copied().collect();
        let all = self.services.keys().copied();
        all.filter(|id| !supporting.contains(&AnyService::Business(*id)))
            .collect()
    }

    /// Whether more dependencies stand in a row than may. So they do where one leads back to where it began.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        let mut layer: BTreeSet<AnyService> = self.supported_by.keys().copied().collect();
        for _ in 0..=DEPENDENCY_DEPTH_MAX {
            layer = layer.iter().flat_map(|one| self.supporting(*one)).collect();
            if layer.is_empty() {
                return false;
            }
        }
        true
    }

    pub(crate) fn associate(&mut self, dependency: Dependency) {
        let supporting = self.supported_by.entry(dependency.dependent);
        supporting.or_default().insert(dependency.supporting);
    }

    pub(crate) fn disassociate(&mut self, dependency: Dependency) {
        if let Some(all) = self.supported_by.get_mut(&dependency.dependent) {
            all.remove(&dependency.supporting);
        }
        self.supported_by.retain(|_, all| !all.is_empty());
    }

    /// A business service is gone, with what named it.
    pub(crate) fn remove(&mut self, service: BusinessServiceId) {
        self.services.remove(&service);
        self.forget(AnyService::Business(service));
    }

    /// What names a service, on either side.
    #[must_use]
    pub fn naming(&self, service: AnyService) -> Vec<Dependency> {
        let all = self.dependencies();
        all.filter(|one| one.dependent == service || one.supporting == service)
            .collect()
    }

    /// A service of either kind is gone: nothing needs it and it needs nothing any more.
    pub(crate) fn forget(&mut self, gone: AnyService) {
        self.supported_by.remove(&gone);
        for all in self.supported_by.values_mut() {
            all.remove(&gone);
        }
        self.supported_by.retain(|_, all| !all.is_empty());
    }

    /// A team is gone: it answers for nothing any more.
    pub(crate) fn forget_team(&mut self, team: TeamId) {
        for known in self.services.values_mut() {
            if known.team == Some(team) {
                known.team = None;
            }
        }
    }
}

/// What hurts business services now: the open incidents that are urgent, by the service that fails.
#[derive(Debug)]
pub struct Impacts<'a> {
    business: &'a BusinessServices,
    urgent: BTreeMap<ServiceId, Vec<&'a Incident>>,
}

impl<'a> Impacts<'a> {
    /// As it is now. What was merged into an incident fails on as long as that does, so its service is counted too.
    #[must_use]
    pub fn of(state: &'a State) -> Self {
        let mut urgent: BTreeMap<ServiceId, Vec<&'a Incident>> = BTreeMap::new();
        let open = state.open_incidents.iter();
        let open = open.filter_map(|id| state.incidents.get(id));
        for one in open.filter(|one| one.urgency == Urgency::High) {
            let parts = state.made_of(one.id).into_iter();
            let parts = parts.filter_map(|part| state.incidents.get(&part));
            let services: BTreeSet<ServiceId> = parts.map(|part| part.service).collect();
            for service in services {
                urgent.entry(service).or_default().push(one);
            }
        }
        Self {
            business: &state.business,
            urgent,
        }
    }

    /// The incidents that hurt a business service, in the order they were opened.
    #[must_use]
    pub fn on(&self, service: BusinessServiceId) -> Vec<&'a Incident> {
        let below = self.business.below(AnyService::Business(service));
        let incidents = below.iter().filter_map(|one| match one {
            AnyService::Technical(service) => self.urgent.get(service),
            AnyService::Business(_) => None,
        });
        let mut found: Vec<&'a Incident> = incidents.flatten().copied().collect();
        found.sort_unstable_by_key(|one| one.number);
        found.dedup_by_key(|one| one.number);
        found
    }
}
