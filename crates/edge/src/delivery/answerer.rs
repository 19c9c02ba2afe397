//! Acknowledges what a message told, in the name of who got it and answered it by its channel. How that was heard is not known here.

use tocsin_domain::command::{Ask, RespondAsk};
use tocsin_domain::event::Actor;
use tocsin_domain::id::{IncidentId, NotificationId, UserId};
use tocsin_domain::people::ChannelKind;

use super::Courier;
use crate::answers::{self, About};

/// Who answered by which channel, and what for.
pub(super) struct Answerer {
    user: UserId,
    channel: ChannelKind,
    pub(super) about: About,
}

impl Courier {
    /// Acknowledges what a message told. The words for what it came to; none when nothing was done.
    pub(super) async fn acknowledge(&self, id: NotificationId) -> Option<String> {
        let answerer = self.answerer(id)?;
        let about = &answerer.about;
        if about.is_of_before() {
            return Some(answers::CAME_BACK.to_owned());
        }
        let engine = &self.needs.engine;
        let before = engine.read(|state| answers::taken(state, &about.present));
        let mut is_done = false;
        for incident in about.present.iter().copied() {
            is_done |= self.acknowledge_one(&answerer, incident).await;
        }
        is_done.then(|| {
            let (user, present) = (answerer.user, &about.present);
            let words =
                engine.read(|state| answers::acknowledged_words(state, user, present, &before));
            about.with_returned(words)
        })
    }

    /// Who got a message, and what they answer by it now.
    pub(super) fn answerer(&self, id: NotificationId) -> Option<Answerer> {
        self.needs.engine.read(|state| {
            let message = state.notifications.get(&id)?;
            Some(Answerer {
                user: message.user,
                channel: message.channel,
                about: answers::about(state, id, 0),
            })
        })
    }

    /// Whether it is kept.
    pub(super) async fn acknowledge_one(&self, answerer: &Answerer, incident: IncidentId) -> bool {
        let Answerer { user, channel, .. } = *answerer;
        let ask = Ask::Respond(RespondAsk::Acknowledge { incident, by: user });
        let answer = self.ask(Actor::Channel { user, channel }, ask).await;
        answer.is_ok()
    }
}
