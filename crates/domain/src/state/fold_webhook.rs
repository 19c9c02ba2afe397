//! Folds events about subscriptions to what happens to incidents.

use super::State;
use crate::event::Event;
use crate::webhook::{Subscribed, WebhookEvent};

impl State {
    pub(super) fn evolve_webhook(&mut self, event: &WebhookEvent, envelope: &Event) {
        match event {
            WebhookEvent::WebhookSet { webhook } => {
                let known = self.webhooks.get(&webhook.id);
                // What happened while it was switched off is not told afterwards.
                let since = known
                    .filter(|known| known.webhook.active)
                    .map_or(envelope.position, |known| known.since);
                let subscribed = Subscribed {
                    webhook: webhook.clone(),
                    since,
                    disabled_until: known.and_then(|known| known.disabled_until),
                    pinged_at: known.map_or(0, |known| known.pinged_at),
                    // How it went elsewhere, or before it was switched off, says nothing about it.
                    unanswered_since: known
                        .filter(|known| {
                            let before = &known.webhook;
                            before.active && before.delivery == webhook.delivery
                        })
                        .and_then(|known| known.unanswered_since),
                };
                self.webhooks.insert(webhook.id, subscribed);
            }
            WebhookEvent::WebhookRemoved { webhook } => {
                self.webhooks.remove(webhook);
            }
            WebhookEvent::WebhookDisabled { webhook, until, .. } => {
                if let Some(known) = self.webhooks.get_mut(webhook) {
                    known.disabled_until = Some(*until);
                    known.unanswered_since = None;
                }
            }
            WebhookEvent::WebhookUnanswered { webhook, since, .. } => {
                if let Some(known) = self.webhooks.get_mut(webhook) {
                    known.unanswered_since = Some(*since);
                }
            }
            WebhookEvent::WebhookAnswered { webhook } => {
                if let Some(known) = self.webhooks.get_mut(webhook) {
                    known.unanswered_since = None;
                }
            }
            WebhookEvent::WebhookPinged { webhook } => {
                if let Some(known) = self.webhooks.get_mut(webhook) {
                    known.pinged_at = envelope.position;
                }
            }
            WebhookEvent::WebhookEnabled { webhook } => {
                if let Some(known) = self.webhooks.get_mut(webhook) {
                    known.disabled_until = None;
                }
            }
        }
    }
}
