//! Decisions about subscriptions to what happens to incidents.

use super::word::WordWay;
use super::{Decider, text_within};
use crate::command::{Refusal, WebhookAsk};
use crate::event::{Cause, EventBody, RosterEvent};
use crate::id::{SecretId, UserId, WebhookId};
use crate::page::{Purpose, Word};
use crate::people::Role;
use crate::time::Timestamp;
use crate::webhook::{
    DESCRIPTION_CHARS_MAX, DISABLED_MS, Subscribed, WEBHOOKS_MAX, Webhook, WebhookEvent,
    WebhookScope,
};

/// Characters of what a receiver said that are kept.
const WHY_CHARS_MAX: usize = 200;

impl Decider<'_> {
    pub(super) fn webhooks(&mut self, ask: WebhookAsk) -> Result<(), Refusal> {
        match ask {
            WebhookAsk::Set {
                id,
                description,
                delivery,
                events,
                scope,
                active,
            } => {
                self.team()?;
                self.may_be_set(id)?;
                self.scope_is_known(scope)?;
                let description = if description.trim().is_empty() {
                    String::new()
                } else {
                    text_within("description", &description, DESCRIPTION_CHARS_MAX)?
                };
                if events.is_empty() {
                    return Err(Refusal::invalid("events: at least one"));
                }
                let delivery = delivery.or_else(|| self.delivery_of(id));
                let missing = || Refusal::invalid("delivery: where it goes is missing");
                let delivery = delivery.ok_or_else(missing)?;
                let webhook = Webhook {
                    id: id.unwrap_or_else(|| WebhookId::random(self.entropy)),
                    description,
                    delivery,
                    events,
                    scope,
                    active,
                };
                self.emit_webhook(WebhookEvent::WebhookSet { webhook });
                Ok(())
            }
            WebhookAsk::Remove(webhook) => {
                self.subscribed(webhook)?;
                self.emit_webhook(WebhookEvent::WebhookRemoved { webhook });
                Ok(())
            }
            WebhookAsk::Enable(webhook) => {
                if self.subscribed(webhook)?.disabled_until.is_some() {
                    self.emit_webhook(WebhookEvent::WebhookEnabled { webhook });
                }
                Ok(())
            }
            WebhookAsk::Ping(webhook) => {
                let known = self.subscribed(webhook)?;
                if !known.webhook.active || known.is_disabled(self.now) {
                    return Err(Refusal::conflict(
                        "the subscription is not served at present: enable it first",
                    ));
                }
                self.emit_webhook(WebhookEvent::WebhookPinged { webhook });
                Ok(())
            }
            WebhookAsk::Disable { webhook, why } => self.disable(webhook, &why),
            WebhookAsk::Unanswered {
                webhook,
                since,
                why,
            } => self.unanswered(webhook, since, &why),
            WebhookAsk::Answered(webhook) => {
                if self.subscribed(webhook)?.unanswered_since.is_some() {
                    self.emit_webhook(WebhookEvent::WebhookAnswered { webhook });
                }
                Ok(())
            }
        }
    }

    /// Removes the subscriptions to a service or a team that goes: nothing happens there any more that they could tell of.
    pub(super) fn remove_subscriptions_to(&mut self, scope: WebhookScope) {
        let all = self.state.webhooks.values().map(|known| &known.webhook);
        let to_it = all.filter(|webhook| webhook.scope == scope);
        let to_it: Vec<WebhookId> = to_it.map(|webhook| webhook.id).collect();
        for webhook in to_it {
            self.emit_webhook(WebhookEvent::WebhookRemoved { webhook });
        }
    }

    fn may_be_set(&self, id: Option<WebhookId>) -> Result<(), Refusal> {
        if let Some(id) = id {
            self.subscribed(id)?;
        } else if self.state.webhooks.len() >= WEBHOOKS_MAX {
            return Err(Refusal::conflict(format!(
                "there are {WEBHOOKS_MAX} subscriptions: remove one first"
            )));
        }
        Ok(())
    }

    /// Where it goes as it stands.
    fn delivery_of(&self, id: Option<WebhookId>) -> Option<SecretId> {
        let known = self.state.webhooks.get(&id?)?;
        Some(known.webhook.delivery)
    }

    fn scope_is_known(&self, scope: WebhookScope) -> Result<(), Refusal> {
        let is_known = match scope {
            WebhookScope::Account => true,
            WebhookScope::Service(service) => self.state.services.contains_key(&service),
            WebhookScope::Team(team) => self.state.teams.contains_key(&team),
        };
        if is_known {
            Ok(())
        } else {
            Err(Refusal::invalid("filter: there is no such service or team"))
        }
    }

    fn subscribed(&self, webhook: WebhookId) -> Result<&Subscribed, Refusal> {
        let known = self.state.webhooks.get(&webhook);
        known.ok_or_else(|| Refusal::not_found(format!("webhook subscription {webhook}")))
    }

    fn emit_webhook(&mut self, event: WebhookEvent) -> u64 {
        let event = RosterEvent::Webhook(event);
        self.emit(Cause::Request, EventBody::Roster(event))
    }

    fn disable(&mut self, webhook: WebhookId, why: &str) -> Result<(), Refusal> {
        if self.subscribed(webhook)?.is_disabled(self.now) {
            return Ok(());
        }
        let why = shortened(why);
        let until = self.now.plus_ms(DISABLED_MS);
        let position = self.emit_webhook(WebhookEvent::WebhookDisabled {
            webhook,
            until,
            why: why.clone(),
        });
        let text = format!(
            "The webhook subscription {webhook} is left alone for 24 hours: its receiver kept refusing what it was sent ({why})"
        );
        self.tell_administrators(webhook, position, &text);
        Ok(())
    }

    fn unanswered(
        &mut self,
        webhook: WebhookId,
        since: Timestamp,
        why: &str,
    ) -> Result<(), Refusal> {
        let known = self.subscribed(webhook)?;
        if known.unanswered_since.is_some() || known.is_disabled(self.now) || !known.webhook.active
        {
            return Ok(());
        }
        let why = shortened(why);
        let position = self.emit_webhook(WebhookEvent::WebhookUnanswered {
            webhook,
            since,
            why: why.clone(),
        });
        let text = format!(
            "The receiver of the webhook subscription {webhook} has taken nothing since {since}: it is tried again, and what it has not taken within 48 hours is lost ({why})"
        );
        self.tell_administrators(webhook, position, &text);
        Ok(())
    }

    /// Tells administrators of a subscription that is not served, because of the event at this place.
    fn tell_administrators(&mut self, webhook: WebhookId, position: u64, text: &str) {
        let users = self.state.users.values();
        let admins = users.filter(|user| user.role == Role::Admin);
        let ways: Vec<(UserId, WordWay)> = admins
            .filter_map(|user| Some((user.id, self.way_that_can_wait(user.id)?)))
            .collect();
        for (user, method) in ways {
            let (cause, now) = (Cause::Event { position }, self.now);
            let purpose = Purpose::Word(Word::Webhook { webhook });
            self.plan(cause, purpose, user, method, None, now, text.to_owned());
        }
    }
}

/// What a receiver said, as much of it as is kept.
fn shortened(why: &str) -> String {
    let blank = |letter: char| if letter.is_control() { ' ' } else { letter };
    why.chars().take(WHY_CHARS_MAX).map(blank).collect()
}
