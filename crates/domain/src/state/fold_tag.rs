//! Folds events about tags.

use super::State;
use crate::event::TagEvent;
use crate::tag::Tagged;

impl State {
    pub(super) fn evolve_tag(&mut self, event: &TagEvent) {
        match event {
            TagEvent::Added { label } => {
                self.tags.entry(label.clone()).or_default();
            }
            TagEvent::Removed { label } => {
                self.tags.remove(label);
            }
            TagEvent::Changed { on, add, remove } => {
                for label in add {
                    self.tags.entry(label.clone()).or_default().insert(*on);
                }
                for label in remove {
                    if let Some(tagged) = self.tags.get_mut(label) {
                        tagged.remove(on);
                    }
                }
            }
        }
    }

    /// What is gone has no tags; the tags stay.
    pub(super) fn untag(&mut self, gone: Tagged) {
        for tagged in self.tags.values_mut() {
            tagged.remove(&gone);
        }
    }

    /// The labels of something, in their order.
    pub fn tags_of(&self, on: Tagged) -> impl Iterator<Item = &str> {
        let having = self.tags.iter();
        let having = having.filter(move |(_, tagged)| tagged.contains(&on));
        having.map(|(label, _)| label.as_str())
    }
}
