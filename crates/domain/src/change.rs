//! Changes that others tell of: a deployment, a new configuration, a switch that was thrown. They raise nothing; they are kept so
//! that whoever looks at a failure sees what was changed just before.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::{EventBody, InputEvent};
use crate::id::{ChangeId, IntegrationId, ServiceId};
use crate::time::Timestamp;

/// Changes that are known at most: when there is one more, the one that was told of first is known no longer.
pub const CHANGES_MAX: usize = 2_000;
/// Bytes of all that are known at most; the same of them.
pub const CHANGES_BYTES_MAX: usize = 8 * 1_024 * 1_024;
/// Characters of a summary at most.
pub const SUMMARY_CHARS_MAX: usize = 1_024;
/// Characters of a source, and of the words of a link, at most.
pub const TEXT_CHARS_MAX: usize = 1_024;
/// Bytes of the details at most, as JSON.
pub const DETAILS_BYTES_MAX: usize = 8_192;
/// Links at most, and images.
pub const LINKS_MAX: usize = 10;
/// Bytes of the address of a link, or of an image, at most.
pub const LINK_BYTES_MAX: usize = 2_048;
/// A change may have to do with what began to fail this long after it.
pub const RELATED_MS: u64 = 3_600_000;

/// A change, as it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its id.
    pub id: ChangeId,
    /// What was changed.
    pub service: ServiceId,
    /// By whose key it was told, if by one.
    #[serde(default)]
    pub integration: Option<IntegrationId>,
    /// When it was made, as far as whoever tells of it says.
    pub at: Timestamp,
    /// What it is, in one line.
    pub summary: String,
    /// Where it comes from.
    #[serde(default)]
    pub source: Option<String>,
    /// Anything else, as the text of a JSON object.
    #[serde(default)]
    pub details: Option<String>,
    /// Where more of it is found.
    #[serde(default)]
    pub links: Vec<ChangeLink>,
    /// What is to be seen of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ChangeImage>,
}

/// A link that goes with a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeLink {
    /// Where it leads; whoever tells of a change has made sure that it is an address of the web.
    pub href: String,
    /// Its words.
    #[serde(default)]
    pub text: Option<String>,
}

/// An image that goes with a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeImage {
    /// Where it is; an address of the web, as that of a link is.
    pub src: String,
    /// Where it leads.
    #[serde(default)]
    pub href: Option<String>,
    /// What it shows.
    #[serde(default)]
    pub alt: Option<String>,
}

/// The changes that are known, by the place in the journal at which each was told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    all: BTreeMap<u64, Arc<Change>>,
    bytes: usize,
}

impl Change {
    /// How much room its texts take.
    fn bytes(&self) -> usize {
        let optional = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let links = self.links.iter();
        let links = links.map(|link| link.href.len() + optional(&link.text));
        let images = self.images.iter();
        let images =
            images.map(|image| image.src.len() + optional(&image.href) + optional(&image.alt));
        let own = self.summary.len() + optional(&self.source) + optional(&self.details);
        own + links.sum::<usize>() + images.sum::<usize>()
    }
}

impl Changes {
    /// One more; the first of too many is known no longer.
    pub(crate) fn add(&mut self, position: u64, change: &Change) {
        self.bytes += change.bytes();
        self.all.insert(position, Arc::new(change.clone()));
        while self.all.len() > CHANGES_MAX || self.bytes > CHANGES_BYTES_MAX {
            let Some((_, oldest)) = self.all.pop_first() else {
                return;
            };
            self.bytes -= oldest.bytes();
        }
    }

    /// How many are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All, the one that was told last first, each with its place in the journal.
    pub fn newest_first(&self) -> impl Iterator<Item = (u64, &Change)> {
        let all = self.all.iter().rev();
        all.map(|(position, change)| (*position, change.as_ref()))
    }

    /// The same, to be looked at after the state is let go of: no text is copied.
    pub fn kept_newest_first(&self) -> impl Iterator<Item = &Arc<Change>> {
        self.all.values().rev()
    }

    /// The change of this id.
    #[must_use]
    pub fn get(&self, id: ChangeId) -> Option<&Change> {
        let mut all = self.newest_first();
        all.find(|(_, change)| change.id == id)
            .map(|(_, change)| change)
    }

    /// What of a service was changed shortly before it began to fail, the last change first, each with its place in the journal.
    #[must_use]
    pub fn before(&self, service: ServiceId, began: Timestamp) -> Vec<(u64, &Change)> {
        let from = began.minus_ms(RELATED_MS);
        let all = self.newest_first();
        let mut found: Vec<(u64, &Change)> = all
            .filter(|(_, change)| change.service == service)
            .filter(|(_, change)| change.at >= from && change.at <= began)
            .collect();
        found.sort_by_key(|(position, change)| std::cmp::Reverse((change.at, *position)));
        found
    }
}

impl EventBody {
    /// The change that an event tells of, if it tells of one.
    #[must_use]
    pub const fn told_change(&self) -> Option<&Change> {
        match self {
            Self::Input(InputEvent::Changed { change }) => Some(change),
            Self::Input(InputEvent::Ignored { .. } | InputEvent::Dropped { .. })
            | Self::Installation(_)
            | Self::People(_)
            | Self::Roster(_)
            | Self::Watch(_)
            | Self::Alert(_)
            | Self::Incident(_)
            | Self::Notification(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(details_bytes: usize) -> Change {
        Change {
            id: "QAAAAAAAAAAAAA".parse().unwrap(),
            service: "QAAAAAAAAAAAAA".parse().unwrap(),
            integration: None,
            at: Timestamp::from_millis(0),
            summary: String::new(),
            source: None,
            details: Some("x".repeat(details_bytes)),
            links: Vec::new(),
            images: Vec::new(),
        }
    }

    #[test]
    fn large_changes_are_forgotten_sooner() {
        let mut changes = Changes::default();
        for position in 0..=1_024 {
            changes.add(position, &change(DETAILS_BYTES_MAX));
        }
        assert_eq!(changes.len(), CHANGES_BYTES_MAX / DETAILS_BYTES_MAX);
        let newest = changes.newest_first().next();
        assert_eq!(newest.map(|(position, _)| position), Some(1_024));
    }

    #[test]
    fn a_change_is_handed_out_without_a_copy_of_its_texts() {
        let mut changes = Changes::default();
        changes.add(1, &change(DETAILS_BYTES_MAX));
        let handed: Vec<Arc<Change>> = changes.kept_newest_first().cloned().collect();
        let known = changes.newest_first().next().map(|(_, change)| change);
        assert!(known.is_some_and(|known| std::ptr::eq(known, handed[0].as_ref())));
    }
}
