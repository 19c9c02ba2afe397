//! Decisions about tags.

use super::{Decider, name_within};
use crate::command::{Refusal, TagAsk};
use crate::event::{Cause, EventBody, RosterEvent, TagEvent};
use crate::tag::{TAG_CHARS_MAX, TAGS_MAX, TAGS_OF_ONE_MAX, Tagged};

impl Decider<'_> {
    pub(super) fn tags(&mut self, ask: TagAsk) -> Result<(), Refusal> {
        match ask {
            TagAsk::Add { label } => {
                self.team()?;
                let label = name_within("label", &label, TAG_CHARS_MAX)?;
                if self.state.tags.contains_key(&label) {
                    return Err(Refusal::conflict(format!(
                        "there is a tag {label:?} already"
                    )));
                }
                self.check_tag_count(1)?;
                self.emit_tag(TagEvent::Added { label });
                Ok(())
            }
            TagAsk::Remove { label } => {
                if !self.state.tags.contains_key(&label) {
                    return Err(missing(&label));
                }
                self.emit_tag(TagEvent::Removed { label });
                Ok(())
            }
            TagAsk::Change { on, add, remove } => self.change_tags(on, &add, remove),
        }
    }

    fn change_tags(
        &mut self,
        on: Tagged,
        add: &[String],
        remove: Vec<String>,
    ) -> Result<(), Refusal> {
        let is_there = match on {
            Tagged::User(user) => self.state.users.contains_key(&user),
            Tagged::Team(team) => self.state.teams.contains_key(&team),
            Tagged::Policy(policy) => self.state.policies.contains_key(&policy),
        };
        if !is_there {
            return Err(Refusal::not_found("what the tags are for"));
        }
        let has: Vec<&str> = self.state.tags_of(on).collect();
        let mut added: Vec<String> = Vec::new();
        for label in add {
            let label = name_within("label", label, TAG_CHARS_MAX)?;
            if !has.contains(&label.as_str()) && !added.contains(&label) {
                added.push(label);
            }
        }
        let mut removed: Vec<String> = Vec::new();
        for label in remove {
            if !self.state.tags.contains_key(&label) {
                return Err(missing(&label));
            }
            if has.contains(&label.as_str()) && !removed.contains(&label) {
                removed.push(label);
            }
        }
        if has.len() + added.len() > TAGS_OF_ONE_MAX + removed.len() {
            return Err(Refusal::invalid(format!("at most {TAGS_OF_ONE_MAX} tags")));
        }
        let is_new = |label: &&String| !self.state.tags.contains_key(*label);
        self.check_tag_count(added.iter().filter(is_new).count())?;
        if !added.is_empty() || !removed.is_empty() {
            let (add, remove) = (added, removed);
            self.emit_tag(TagEvent::Changed { on, add, remove });
        }
        Ok(())
    }

    fn check_tag_count(&self, more: usize) -> Result<(), Refusal> {
        if self.state.tags.len() + more > TAGS_MAX {
            return Err(Refusal::conflict(format!(
                "there are {TAGS_MAX} tags: remove some first"
            )));
        }
        Ok(())
    }

    fn emit_tag(&mut self, event: TagEvent) {
        self.emit(Cause::Request, EventBody::Roster(RosterEvent::Tag(event)));
    }
}

fn missing(label: &str) -> Refusal {
    Refusal::not_found(format!("tag {label:?}"))
}
