//! Folds events about business services.

use super::State;
use crate::event::BusinessEvent;

impl State {
    pub(super) fn evolve_business(&mut self, event: &BusinessEvent) {
        let business = &mut self.business;
        match event {
            BusinessEvent::ServiceSet { service } => {
                business.services.insert(service.id, service.clone());
            }
            BusinessEvent::ServiceRemoved { service } => business.remove(*service),
            BusinessEvent::Associated { dependencies } => {
                for one in dependencies {
                    business.associate(*one);
                }
            }
            BusinessEvent::Disassociated { dependencies } => {
                for one in dependencies {
                    business.disassociate(*one);
                }
            }
        }
    }
}
