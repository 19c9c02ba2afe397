//! Decisions about business services and about what supports what.

use super::{Decider, name_within, text_within};
use crate::business::{
    AnyService, BUSINESS_SERVICES_MAX, BusinessService, BusinessServices, DEPENDENCIES_MAX,
    DEPENDENCY_DEPTH_MAX, Dependency,
};
use crate::command::{BusinessAsk, Refusal};
use crate::event::{BusinessEvent, Cause, EventBody, RosterEvent};
use crate::id::{BusinessServiceId, TeamId};

/// Characters of a name, and of whom to ask.
const NAME_CHARS_MAX: usize = 200;
/// Characters of a description.
const DESCRIPTION_CHARS_MAX: usize = 2_000;

impl Decider<'_> {
    pub(super) fn business(&mut self, ask: BusinessAsk) -> Result<(), Refusal> {
        let event = match ask {
            BusinessAsk::Set {
                id,
                name,
                description,
                point_of_contact,
                team,
            } => self.business_set(id, &name, &description, &point_of_contact, team)?,
            BusinessAsk::Remove(service) => {
                self.known_business(service)?;
                BusinessEvent::ServiceRemoved { service }
            }
            BusinessAsk::Associate(asked) => {
                let dependencies = self.associated(asked)?;
                if dependencies.is_empty() {
                    return Ok(());
                }
                BusinessEvent::Associated { dependencies }
            }
            BusinessAsk::Disassociate(asked) => {
                let dependencies = self.disassociated(asked)?;
                if dependencies.is_empty() {
                    return Ok(());
                }
                BusinessEvent::Disassociated { dependencies }
            }
        };
        let event = RosterEvent::Business(event);
        self.emit(Cause::Request, EventBody::Roster(event));
        Ok(())
    }

    fn known_business(&self, id: BusinessServiceId) -> Result<&BusinessService, Refusal> {
        let known = self.state.business.services.get(&id);
        known.ok_or_else(|| Refusal::not_found(format!("business service {id}")))
    }

    fn business_set(
        &mut self,
        id: Option<BusinessServiceId>,
        name: &str,
        description: &str,
        point_of_contact: &str,
        team: Option<TeamId>,
    ) -> Result<BusinessEvent, Refusal> {
        self.team()?;
        if let Some(known) = id {
            self.known_business(known)?;
        } else if self.state.business.services.len() >= BUSINESS_SERVICES_MAX {
            return Err(Refusal::conflict(format!(
                "there are {BUSINESS_SERVICES_MAX} business services: remove some first"
            )));
        }
        let name = name_within("name", name, NAME_CHARS_MAX)?;
        let description = match description.trim() {
            "" => String::new(),
            text => text_within("description", text, DESCRIPTION_CHARS_MAX)?,
        };
        let point_of_contact = match point_of_contact.trim() {
            "" => String::new(),
            text => name_within("point_of_contact", text, NAME_CHARS_MAX)?,
        };
        if let Some(team) = team
            && !self.state.teams.contains_key(&team)
        {
            return Err(Refusal::not_found(format!("team {team}")));
        }
        let id = id.unwrap_or_else(|| BusinessServiceId::random(self.entropy));
        Ok(BusinessEvent::ServiceSet {
            service: BusinessService {
                id,
                name,
                description,
                point_of_contact,
                team,
            },
        })
    }

    /// Of what is asked what is not so yet, if all of it may be.
    fn associated(&self, asked: Vec<Dependency>) -> Result<Vec<Dependency>, Refusal> {
        let mut after = self.state.business.clone();
        let mut new: Vec<Dependency> = Vec::new();
        for one in asked {
            self.known_side(one.dependent)?;
            self.known_side(one.supporting)?;
            if !after.has(one) {
                after.associate(one);
                new.push(one);
            }
        }
        if new.is_empty() {
            return Ok(new);
        }
        if after.dependencies().count() > DEPENDENCIES_MAX {
            return Err(Refusal::conflict(format!(
                "services have at most {DEPENDENCIES_MAX} dependencies: remove some first"
            )));
        }
        if after.is_too_deep() {
            return Err(self.why_too_deep(&after, &new));
        }
        Ok(new)
    }

    /// There were no circles before, so one goes through something that is new.
    fn why_too_deep(&self, after: &BusinessServices, new: &[Dependency]) -> Refusal {
        let mut new = new.iter();
        let circle = new.find(|one| after.below(one.supporting).contains(&one.dependent));
        match circle {
            Some(one) => Refusal::conflict(format!(
                "{} supports {} already, directly or through others: no service supports itself",
                self.called(one.dependent),
                self.called(one.supporting),
            )),
            None => Refusal::conflict(format!(
                "at most {DEPENDENCY_DEPTH_MAX} services support one another in a row"
            )),
        }
    }

    /// Of what is asked each once, if all of it is so.
    fn disassociated(&self, asked: Vec<Dependency>) -> Result<Vec<Dependency>, Refusal> {
        let mut gone: Vec<Dependency> = Vec::new();
        for one in asked {
            if !self.state.business.has(one) {
                return Err(Refusal::not_found(format!(
                    "dependency of {} on {}",
                    self.called(one.dependent),
                    self.called(one.supporting),
                )));
            }
            if !gone.contains(&one) {
                gone.push(one);
            }
        }
        Ok(gone)
    }

    fn known_side(&self, side: AnyService) -> Result<(), Refusal> {
        match side {
            AnyService::Business(id) => self.known_business(id).map(|_| ()),
            AnyService::Technical(id) => self.service(id).map(|_| ()),
        }
    }

    /// What a service is called in a refusal.
    fn called(&self, side: AnyService) -> String {
        let (name, id) = match side {
            AnyService::Business(id) => {
                let known = self.state.business.services.get(&id);
                (known.map(|known| &known.name), id.to_string())
            }
            AnyService::Technical(id) => {
                let known = self.state.services.get(&id);
                (known.map(|known| &known.name), id.to_string())
            }
        };
        name.map_or(id, |name| format!("{name:?}"))
    }
}
