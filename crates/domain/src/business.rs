//! Business services: what people outside know by a name, made of the services that support it. They decide nothing, and nobody is
//! paged by them: whether one is hurt follows from what fails beneath it.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::id::{BusinessServiceId, IncidentId, ServiceId, TeamId};
use crate::incident::Incident;
use crate::people::Urgency;
use crate::state::State;
use crate::time::Timestamp;

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

    /// What needs each service directly.
    fn needed_by(&self) -> BTreeMap<AnyService, Vec<AnyService>> {
        let mut needed_by: BTreeMap<AnyService, Vec<AnyService>> = BTreeMap::new();
        for one in self.dependencies() {
            let all = needed_by.entry(one.supporting).or_default();
            all.push(one.dependent);
        }
        needed_by
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

/// What hurts business services, gathered from a state a few incidents at a time: whoever goes on with the state waits for no more than
/// those, and what follows is reckoned without it. What changes meanwhile is seen or not.
#[derive(Debug)]
pub struct Gathering {
    business: BusinessServices,
    /// The open incidents that are urgent, by the services that fail in them, which are sorted.
    groups: BTreeMap<Vec<ServiceId>, Vec<Arc<Incident>>>,
    /// The last that was looked at.
    last: Option<IncidentId>,
}

impl Gathering {
    /// No incident was looked at yet.
    #[must_use]
    pub fn begin(state: &State) -> Self {
        Self {
            business: state.business.clone(),
            groups: BTreeMap::new(),
            last: None,
        }
    }

    /// Looks at the next open incidents, so many at most. Whether there may be more.
    pub fn look(&mut self, state: &State, count: usize) -> bool {
        let open = &state.open_incidents;
        let next: Vec<IncidentId> = match &self.last {
            None => open.iter().take(count).copied().collect(),
            Some(last) => open.after(last).take(count).copied().collect(),
        };
        self.last = next.last().copied().or(self.last);
        for id in &next {
            let open = state.incidents.shared(id);
            if let Some(urgent) = open.filter(|open| open.urgency == Urgency::High) {
                self.add(state, urgent);
            }
        }
        !next.is_empty() && next.len() == count
    }

    /// What was merged into an incident fails on as long as that does, so its service is counted too.
    fn add(&mut self, state: &State, incident: Arc<Incident>) {
        if incident.merged.is_empty() {
            return self.put(&[incident.service], incident);
        }
        let parts = state.made_of(incident.id).into_iter();
        let parts = parts.filter_map(|part| state.incidents.get(&part));
        let services: BTreeSet<ServiceId> = parts.map(|part| part.service).collect();
        let services: Vec<ServiceId> = services.into_iter().collect();
        self.put(&services, incident);
    }

    fn put(&mut self, services: &[ServiceId], incident: Arc<Incident>) {
        match self.groups.get_mut(services) {
            Some(known) => known.push(incident),
            None => {
                self.groups.insert(services.to_vec(), vec![incident]);
            }
        }
    }

    /// What follows from what was looked at.
    #[must_use]
    pub fn impacts(self) -> Impacts {
        let needed_by = self.business.needed_by();
        let mut groups = Vec::new();
        let mut hurt: BTreeMap<BusinessServiceId, Vec<usize>> = BTreeMap::new();
        for (services, incidents) in self.groups {
            for service in above(&needed_by, &services) {
                hurt.entry(service).or_default().push(groups.len());
            }
            groups.push(Group::of(incidents));
        }
        Impacts { groups, hurt }
    }
}

/// The business services that need one of these services, directly or through others, also where that leads back to where it began.
fn above(
    needed_by: &BTreeMap<AnyService, Vec<AnyService>>,
    services: &[ServiceId],
) -> Vec<BusinessServiceId> {
    let failing = services.iter().copied().map(AnyService::Technical);
    let mut open: Vec<AnyService> = failing.collect();
    let mut found: BTreeSet<AnyService> = BTreeSet::new();
    while let Some(next) = open.pop() {
        for one in needed_by.get(&next).into_iter().flatten() {
            if found.insert(*one) {
                open.push(*one);
            }
        }
    }
    let business = found.into_iter().filter_map(|one| match one {
        AnyService::Business(id) => Some(id),
        AnyService::Technical(_) => None,
    });
    business.collect()
}

/// Urgent open incidents in which the same services fail.
#[derive(Debug)]
struct Group {
    /// In the order they were opened.
    incidents: Vec<Arc<Incident>>,
    last_opened_at: Option<Timestamp>,
    /// The names of their priorities.
    priorities: BTreeSet<String>,
}

impl Group {
    fn of(mut incidents: Vec<Arc<Incident>>) -> Self {
        incidents.sort_unstable_by_key(|one| one.number);
        let opened = incidents.iter().map(|one| one.opened_at);
        let priorities = incidents.iter().filter_map(|one| one.priority.as_ref());
        Self {
            last_opened_at: opened.max(),
            priorities: priorities.cloned().collect(),
            incidents,
        }
    }
}

/// What hurts business services: the open incidents that are urgent, each in one group, and the groups that hurt each service. So
/// thousands of incidents of one service cost no more for each business service above it than one does.
#[derive(Debug)]
pub struct Impacts {
    groups: Vec<Group>,
    /// The places of the groups that hurt each business service.
    hurt: BTreeMap<BusinessServiceId, Vec<usize>>,
}

impl Impacts {
    /// As it is now.
    #[must_use]
    pub fn of(state: &State) -> Self {
        let mut gathering = Gathering::begin(state);
        gathering.look(state, usize::MAX);
        gathering.impacts()
    }

    fn groups(&self, service: BusinessServiceId) -> impl Iterator<Item = &Group> {
        let places = self.hurt.get(&service).into_iter().flatten();
        places.filter_map(|place| self.groups.get(*place))
    }

    /// Whether something hurts a business service.
    #[must_use]
    pub fn is_hurt(&self, service: BusinessServiceId) -> bool {
        self.groups(service).next().is_some()
    }

    /// How many incidents hurt a business service.
    #[must_use]
    pub fn count(&self, service: BusinessServiceId) -> usize {
        self.groups(service)
            .map(|group| group.incidents.len())
            .sum()
    }

    /// When the last of them was opened.
    #[must_use]
    pub fn last_opened_at(&self, service: BusinessServiceId) -> Option<Timestamp> {
        let groups = self.groups(service);
        groups.filter_map(|group| group.last_opened_at).max()
    }

    /// The names of their priorities.
    #[must_use]
    pub fn priorities(&self, service: BusinessServiceId) -> BTreeSet<&str> {
        let groups = self.groups(service);
        let names = groups.flat_map(|group| &group.priorities);
        names.map(String::as_str).collect()
    }

    /// The newest of them, the newest first.
    #[must_use]
    pub fn newest(&self, service: BusinessServiceId, count: usize) -> Vec<&Incident> {
        let groups = self.groups(service);
        let newest = groups.flat_map(|group| group.incidents.iter().rev().take(count));
        let mut newest: Vec<&Incident> = newest.map(Arc::as_ref).collect();
        newest.sort_unstable_by_key(|one| Reverse(one.number));
        newest.truncate(count);
        newest
    }

    /// The incidents that hurt one of these business services, in the order they were opened.
    #[must_use]
    pub fn on(&self, services: &[BusinessServiceId]) -> Vec<&Incident> {
        let places = services.iter().filter_map(|service| self.hurt.get(service));
        let places: BTreeSet<usize> = places.flatten().copied().collect();
        let groups = places.iter().filter_map(|place| self.groups.get(*place));
        let incidents = groups.flat_map(|group| &group.incidents);
        let mut found: Vec<&Incident> = incidents.map(Arc::as_ref).collect();
        found.sort_unstable_by_key(|one| one.number);
        found
    }

    /// The business services that an incident hurts.
    #[must_use]
    pub fn by(&self, incident: IncidentId) -> Vec<BusinessServiceId> {
        let holds = |group: &Group| group.incidents.iter().any(|one| one.id == incident);
        let Some(place) = self.groups.iter().position(holds) else {
            return Vec::new();
        };
        let hurt = self.hurt.iter();
        let hurt = hurt.filter(|(_, places)| places.contains(&place));
        hurt.map(|(service, _)| *service).collect()
    }
}
