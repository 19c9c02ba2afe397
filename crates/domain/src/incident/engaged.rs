//! Who works on an incident, and whose it is when whoever has it is not there any more.

use serde::{Deserialize, Serialize};

use super::{Incident, Status};
use crate::id::UserId;
use crate::people::ChannelKind;
use crate::time::Timestamp;

/// People who are kept as having worked on an incident at most.
pub const ENGAGED_MAX: usize = 50;

/// Who has worked on an incident, whatever became of their acknowledgements since.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Engaged {
    /// When it was acknowledged for the first time.
    pub acknowledged_at: Option<Timestamp>,
    /// Who acknowledged it or came to help, and since when: the first so many.
    pub people: Vec<(UserId, Timestamp)>,
    /// Who acknowledged the present trouble, in that order: the first so many, with whoever has it among them. Nobody where one person
    /// alone did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub acknowledgers: Vec<Acknowledger>,
}

/// Somebody who acknowledged an incident, or their part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledger {
    /// Who.
    pub user: UserId,
    /// When they did so first.
    pub at: Timestamp,
    /// By which channel, where it was the answer to a message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<ChannelKind>,
}

impl Incident {
    /// The person who has it.
    #[must_use]
    pub fn holder(&self) -> Option<Acknowledger> {
        let taken = self.status == Status::Acknowledged;
        let (by, at) = self.acknowledged.filter(|_| taken)?;
        Some(Acknowledger {
            user: by?,
            at,
            through: self.acknowledged_through,
        })
    }

    /// Who acknowledged it beside whoever has it, in that order: it is theirs in turn, should that person be removed.
    pub fn acknowledged_too(&self) -> impl Iterator<Item = &Acknowledger> {
        let holder = self.holder().map(|holder| holder.user);
        let engaged = self.engaged.iter();
        let all = engaged.flat_map(|engaged| &engaged.acknowledgers);
        all.filter(move |one| Some(one.user) != holder)
    }

    /// Whether an acknowledgement by this person is news: they have given none that counts, and there is room for one.
    #[must_use]
    pub fn is_news_from(&self, user: UserId) -> bool {
        let engaged = self.engaged.as_ref();
        let all = engaged.map_or(&[][..], |engaged| engaged.acknowledgers.as_slice());
        let has_it = self.holder().is_some_and(|holder| holder.user == user);
        let is_known = has_it || all.iter().any(|one| one.user == user);
        !is_known && all.len() < ENGAGED_MAX
    }

    /// Nobody's acknowledgement counts any more.
    pub(crate) fn forget_acknowledgers(&mut self) {
        if let Some(engaged) = &mut self.engaged {
            engaged.acknowledgers = Vec::new();
        }
    }
}
