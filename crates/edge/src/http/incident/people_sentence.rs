//! The sentences for what happens to people and to the ways to reach them. Pure.

use tocsin_domain::event::PeopleEvent;

use super::timeline::{Names, Tone, Words};
use crate::access::who::role_word;

fn person(title: impl Into<String>) -> Words {
    (title.into(), String::new(), Tone::Person)
}

pub(super) fn people(event: &PeopleEvent, names: &Names<'_>) -> Words {
    match event {
        PeopleEvent::UserAdded { user } => person(format!(
            "{} was added as {}",
            user.name,
            role_word(user.role)
        )),
        PeopleEvent::UserChanged { name, role, .. } => {
            person(format!("{name} is now {}", role_word(*role)))
        }
        PeopleEvent::UserRemoved { .. } => person("A person was removed"),
        PeopleEvent::ContactMethodAdded { user, method } => person(format!(
            "{} can be reached by {} ({})",
            names.user(*user),
            method.kind.word(),
            method.label
        )),
        PeopleEvent::ContactMethodVerified { user, .. } => {
            let title = format!("{} confirmed a contact method", names.user(*user));
            (title, String::new(), Tone::Good)
        }
        PeopleEvent::ContactMethodGone { user, .. } => (
            format!(
                "A contact method of {} is not used any more",
                names.user(*user)
            ),
            "whoever carries its messages said that its address is gone for ever".to_owned(),
            Tone::Bad,
        ),
        PeopleEvent::ContactMethodRemoved { user, .. } => person(format!(
            "A contact method of {} was removed",
            names.user(*user)
        )),
        PeopleEvent::ContactMethodRenamed { user, label, .. } => person(format!(
            "A contact method of {} is now called “{label}”",
            names.user(*user)
        )),
        PeopleEvent::NotificationRulesSet { user, rules } => person(format!(
            "{} now has {} notification rules",
            names.user(*user),
            rules.len()
        )),
    }
}
