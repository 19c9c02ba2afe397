//! Decisions about people and the ways to reach them.

use super::{Decider, name_within, said_within};
use crate::bugs::{self, Bug};
use crate::command::{PeopleAsk, Refusal};
use crate::event::{Cause, EventBody, InstallationEvent, PeopleEvent};
use crate::id::{ContactMethodId, NotificationRuleId, SecretId, UserId};
use crate::page::Purpose;
use crate::people::{About, ChannelKind, ContactMethod, NotificationRule, Role, Urgency, User};

/// Contact methods of a person at most.
const CONTACT_METHODS_MAX: usize = 20;
/// Characters of what a contact method is called at most.
const LABEL_MAX: usize = 100;
/// People on the list of last resort at most: each of them is woken.
const FALLBACK_MAX: usize = 50;
/// Notification rules of a person at most.
const RULES_MAX: usize = 50;
/// The longest delay of a rule: a day.
const RULE_DELAY_MS_MAX: u64 = 86_400_000;

impl Decider<'_> {
    pub(super) fn people(&mut self, ask: PeopleAsk) -> Result<(), Refusal> {
        match ask {
            PeopleAsk::Add {
                name,
                email,
                pending_code,
                role,
                about,
            } => self.add_user(&name, (email, pending_code), role, about),
            PeopleAsk::Change {
                user,
                name,
                role,
                about,
            } => self.change_user(user, name, role, about),
            PeopleAsk::Remove { user } => self.remove_user(user),
            PeopleAsk::AddContactMethod {
                user,
                kind,
                label,
                address,
                signing_key,
                pending_code,
            } => {
                let method = ContactMethod {
                    id: ContactMethodId::random(self.entropy),
                    kind,
                    label: name_within("label", &label, LABEL_MAX)?,
                    address,
                    signing_key,
                    pending_code: Some(pending_code),
                    verified_at: None,
                    gone_at: None,
                };
                self.add_contact_method(user, method)
            }
            PeopleAsk::VerifyContactMethod { user, method } => self.verify(user, method),
            PeopleAsk::RemoveContactMethod { user, method } => {
                self.contact_method(user, method)?;
                self.emit_people(PeopleEvent::ContactMethodRemoved { user, method });
                if !bugs::on(Bug::RemovedMethodStillUsed) {
                    self.page_by_other_ways(method, &Cause::Request);
                }
                Ok(())
            }
            PeopleAsk::SetRules { user, rules } => self.set_rules(user, rules),
            PeopleAsk::AddRule { user, rule } => self.put_rule(user, None, rule),
            PeopleAsk::ChangeRule { user, id, rule } => self.put_rule(user, Some(id), rule),
            PeopleAsk::RemoveRule { user, id } => self.remove_rule(user, id),
            PeopleAsk::RenameContactMethod {
                user,
                method,
                label,
            } => self.rename_contact_method(user, method, &label),
            PeopleAsk::TestPage { user, method } => self.test_page(user, method),
            PeopleAsk::SetFallback { users } => self.set_fallback(users),
        }
    }

    fn add_contact_method(&mut self, user: UserId, method: ContactMethod) -> Result<(), Refusal> {
        if self.user(user)?.contact_methods.len() >= CONTACT_METHODS_MAX {
            return Err(Refusal::conflict(format!(
                "a person has at most {CONTACT_METHODS_MAX} contact methods: remove one first"
            )));
        }
        self.emit_people(PeopleEvent::ContactMethodAdded { user, method });
        Ok(())
    }

    /// A way that was proved joins the rules of whoever still has those they were made with; whoever wrote some of their own says
    /// themself what it is used for.
    fn verify(&mut self, user: UserId, method: ContactMethodId) -> Result<(), Refusal> {
        if self.lasting_method(user, method)?.verified_at.is_some() {
            return Ok(());
        }
        let known = self.user(user)?;
        let joins = known.has_first_rules() && !known.has_rule_for(method);
        let mut rules = known.rules.clone();
        let position = self.emit_people(PeopleEvent::ContactMethodVerified { user, method });
        if joins && rules.len() < RULES_MAX {
            rules.push(NotificationRule::at_once(self.entropy, method));
            let event = PeopleEvent::NotificationRulesSet { user, rules };
            self.emit(Cause::Event { position }, EventBody::People(event));
        }
        Ok(())
    }

    fn test_page(&mut self, user: UserId, method: ContactMethodId) -> Result<(), Refusal> {
        let kind = self.lasting_method(user, method)?.kind;
        let why = "a test page was asked for".to_owned();
        let at = self.now;
        self.plan(
            Cause::Request,
            Purpose::Test,
            user,
            (method, kind),
            None,
            at,
            why,
        );
        Ok(())
    }

    fn rename_contact_method(
        &mut self,
        user: UserId,
        method: ContactMethodId,
        label: &str,
    ) -> Result<(), Refusal> {
        let label = name_within("label", label, LABEL_MAX)?;
        if self.contact_method(user, method)?.label != label {
            self.emit_people(PeopleEvent::ContactMethodRenamed {
                user,
                method,
                label,
            });
        }
        Ok(())
    }

    fn set_fallback(&mut self, users: Vec<UserId>) -> Result<(), Refusal> {
        let users = self.people_named(users)?;
        if users.is_empty() || users.len() > FALLBACK_MAX {
            return Err(Refusal::invalid(format!(
                "users: the list of last resort holds 1 to {FALLBACK_MAX} people"
            )));
        }
        let event = InstallationEvent::FallbackSet { users };
        self.emit(Cause::Request, EventBody::Installation(event));
        Ok(())
    }

    fn emit_people(&mut self, event: PeopleEvent) -> u64 {
        self.emit(Cause::Request, EventBody::People(event))
    }

    pub(super) fn user(&self, user: UserId) -> Result<&User, Refusal> {
        self.state
            .users
            .get(&user)
            .ok_or_else(|| Refusal::not_found(format!("person {user}")))
    }

    fn contact_method(
        &self,
        user: UserId,
        method: ContactMethodId,
    ) -> Result<&ContactMethod, Refusal> {
        self.user(user)?
            .contact_method(method)
            .ok_or_else(|| Refusal::not_found(format!("contact method {method} of that person")))
    }

    /// The same, unless its address is gone.
    fn lasting_method(
        &self,
        user: UserId,
        method: ContactMethodId,
    ) -> Result<&ContactMethod, Refusal> {
        let known = self.contact_method(user, method)?;
        if known.gone_at.is_some() {
            return Err(Refusal::conflict(
                "the address of this contact method is gone for ever: remove it, and add the way anew",
            ));
        }
        Ok(known)
    }

    fn add_user(
        &mut self,
        name: &str,
        (email, pending_code): (SecretId, SecretId),
        role: Role,
        about: Option<About>,
    ) -> Result<(), Refusal> {
        let Some(installation) = &self.state.installation else {
            return Err(Refusal::conflict("set Tocsin up first"));
        };
        let team = installation.team;
        let name = name_within("name", name, 200)?;
        let about = about.unwrap_or_default();
        short_enough(&about)?;
        let method = ContactMethod {
            id: ContactMethodId::random(self.entropy),
            kind: ChannelKind::Email,
            label: "E-mail".to_owned(),
            address: email,
            signing_key: None,
            pending_code: Some(pending_code),
            verified_at: None,
            gone_at: None,
        };
        let rule = NotificationRule::at_once(self.entropy, method.id);
        let user = User {
            id: UserId::random(self.entropy),
            team,
            name,
            role,
            email,
            contact_methods: vec![method],
            rules: vec![rule],
            about,
        };
        self.emit_people(PeopleEvent::UserAdded { user });
        Ok(())
    }

    fn change_user(
        &mut self,
        user: UserId,
        name: Option<String>,
        role: Option<Role>,
        about: Option<About>,
    ) -> Result<(), Refusal> {
        let known = self.user(user)?.clone();
        let name = match name {
            Some(name) => name_within("name", &name, 200)?,
            None => known.name.clone(),
        };
        let role = role.unwrap_or(known.role);
        if role != Role::Admin {
            self.keep_an_admin(user)?;
        }
        let about = about.filter(|about| *about != known.about);
        about.as_ref().map_or(Ok(()), short_enough)?;
        if (&name, role) != (&known.name, known.role) || about.is_some() {
            self.emit_people(PeopleEvent::UserChanged {
                user,
                name,
                role,
                about,
            });
        }
        Ok(())
    }

    fn remove_user(&mut self, user: UserId) -> Result<(), Refusal> {
        let name = self.user(user)?.name.clone();
        self.keep_an_admin(user)?;
        let fallback = self
            .state
            .installation
            .as_ref()
            .map(|all| all.fallback.clone());
        if fallback.is_some_and(|list| list == [user]) {
            return Err(Refusal::conflict(
                "this person is the whole list of last resort: put somebody else on it first, by \
                 `tocsin oncall fallback --set PERSON`",
            ));
        }
        if !bugs::on(Bug::RemovedPersonStillPaged) {
            self.cancel_for_user(user);
        }
        let removed = self.emit_people(PeopleEvent::UserRemoved { user });
        self.page_in_place_of(user, &name, removed);
        self.ask_in_place_of(user, removed);
        Ok(())
    }

    /// Refuses what would leave nobody who can administer.
    fn keep_an_admin(&self, leaving: UserId) -> Result<(), Refusal> {
        let others = self
            .state
            .users
            .values()
            .any(|user| user.id != leaving && user.role == Role::Admin);
        let is_admin = self.user(leaving)?.role == Role::Admin;
        if is_admin && !others {
            return Err(Refusal::conflict(
                "this is the last administrator: make somebody else one first",
            ));
        }
        Ok(())
    }

    fn set_rules(
        &mut self,
        user: UserId,
        rules: Vec<(Urgency, u64, ContactMethodId)>,
    ) -> Result<(), Refusal> {
        let mut made = Vec::new();
        for rule in rules {
            let id = NotificationRuleId::random(self.entropy);
            made.push(self.rule_of(user, id, rule)?);
        }
        self.rules_set(user, made)
    }

    fn rules_set(&mut self, user: UserId, rules: Vec<NotificationRule>) -> Result<(), Refusal> {
        if rules.len() > RULES_MAX {
            return Err(Refusal::invalid(format!(
                "at most {RULES_MAX} notification rules"
            )));
        }
        self.emit_people(PeopleEvent::NotificationRulesSet { user, rules });
        Ok(())
    }

    fn rule_of(
        &self,
        user: UserId,
        id: NotificationRuleId,
        (urgency, delay_ms, contact_method): (Urgency, u64, ContactMethodId),
    ) -> Result<NotificationRule, Refusal> {
        self.contact_method(user, contact_method)?;
        if delay_ms > RULE_DELAY_MS_MAX {
            return Err(Refusal::invalid("delay_minutes: at most 1440"));
        }
        Ok(NotificationRule {
            id,
            urgency,
            delay_ms,
            contact_method,
        })
    }

    /// Adds one rule, or puts one in the place of another. The other rules are those of this moment: whoever asks need not know
    /// them, so that two who add at the same time both have theirs.
    fn put_rule(
        &mut self,
        user: UserId,
        id: Option<NotificationRuleId>,
        rule: (Urgency, u64, ContactMethodId),
    ) -> Result<(), Refusal> {
        let mut rules = self.user(user)?.rules.clone();
        let made_id = id.unwrap_or_else(|| NotificationRuleId::random(self.entropy));
        let made = self.rule_of(user, made_id, rule)?;
        match id {
            None => rules.push(made),
            Some(id) => {
                let mut known = rules.iter_mut();
                let known = known.find(|known| known.id == id);
                *known.ok_or_else(|| missing_rule(id))? = made;
            }
        }
        self.rules_set(user, rules)
    }

    fn remove_rule(&mut self, user: UserId, id: NotificationRuleId) -> Result<(), Refusal> {
        let mut rules = self.user(user)?.rules.clone();
        let before = rules.len();
        rules.retain(|rule| rule.id != id);
        if rules.len() == before {
            return Err(missing_rule(id));
        }
        self.rules_set(user, rules)
    }
}

/// What is said of a person is read by people.
fn short_enough(about: &About) -> Result<(), Refusal> {
    let About {
        job_title,
        time_zone,
        color,
        description,
        role_word,
    } = about;
    said_within(
        "description",
        [job_title, time_zone, color, description, role_word],
    )
}

fn missing_rule(id: NotificationRuleId) -> Refusal {
    Refusal::not_found(format!("notification rule {id} of that person"))
}
