//! Decisions about changes that others tell of: they are kept, and raise nothing.

use super::{Decider, text_within};
use crate::change::{
    Change, ChangeImage, ChangeLink, DETAILS_BYTES_MAX, LINK_BYTES_MAX, LINKS_MAX,
    SUMMARY_CHARS_MAX, TEXT_CHARS_MAX,
};
use crate::command::{ChangeAsk, Refusal};
use crate::event::{Cause, EventBody, InputEvent};
use crate::id::ChangeId;

impl Decider<'_> {
    pub(super) fn keep_change(&mut self, ask: ChangeAsk) -> Result<(), Refusal> {
        self.team()?;
        let default = self.state.installation.as_ref();
        let default = default.map(|all| all.default_service);
        let service = ask.service.or(default);
        let missing = || Refusal::not_found("service of the change");
        let service = self.service(service.ok_or_else(missing)?)?.id;
        let summary = text_within("summary", &ask.summary, SUMMARY_CHARS_MAX)?;
        let source = ask.source.as_deref();
        let source = source
            .map(|source| text_within("source", source, TEXT_CHARS_MAX))
            .transpose()?;
        if ask
            .details
            .as_ref()
            .is_some_and(|details| details.len() > DETAILS_BYTES_MAX)
        {
            let reason = format!("details: at most {DETAILS_BYTES_MAX} bytes");
            return Err(Refusal::invalid(reason));
        }
        let links = links_within(ask.links)?;
        let images = images_within(ask.images)?;
        // Nothing was changed tomorrow: whoever says so has another clock.
        let at = ask.at.unwrap_or(self.now).min(self.now);
        let change = Change {
            id: ChangeId::random(self.entropy),
            service,
            integration: ask.integration,
            at,
            summary,
            source,
            details: ask.details,
            links,
            images,
        };
        let event = InputEvent::Changed { change };
        self.emit_at(at, Cause::Request, EventBody::Input(event));
        Ok(())
    }
}

fn links_within(mut links: Vec<ChangeLink>) -> Result<Vec<ChangeLink>, Refusal> {
    few_enough("links", links.len())?;
    for link in &mut links {
        text_within("links.href", &link.href, LINK_BYTES_MAX)?;
        link.text = words_within("links.text", link.text.as_deref())?;
    }
    Ok(links)
}

fn images_within(mut images: Vec<ChangeImage>) -> Result<Vec<ChangeImage>, Refusal> {
    few_enough("images", images.len())?;
    for image in &mut images {
        text_within("images.src", &image.src, LINK_BYTES_MAX)?;
        if let Some(href) = &image.href {
            text_within("images.href", href, LINK_BYTES_MAX)?;
        }
        image.alt = words_within("images.alt", image.alt.as_deref())?;
    }
    Ok(images)
}

fn few_enough(field: &str, count: usize) -> Result<(), Refusal> {
    if count > LINKS_MAX {
        let reason = format!("{field}: at most {LINKS_MAX}");
        return Err(Refusal::invalid(reason));
    }
    Ok(())
}

fn words_within(field: &str, text: Option<&str>) -> Result<Option<String>, Refusal> {
    text.map(|text| text_within(field, text, TEXT_CHARS_MAX))
        .transpose()
}
