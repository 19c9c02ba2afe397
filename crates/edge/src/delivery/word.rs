//! What a word about duty says: duty has passed to somebody, a swap of theirs is offered or answered, an incident is theirs now, one
//! of their ways is gone, or something will keep pages from somebody. It knows no channel's form.

use tocsin_domain::id::IncidentId;
use tocsin_domain::page::{Notification, Word};
use tocsin_domain::state::State;
use tocsin_wire::page_message::{Kind, PageMessage, Urgency};

/// The message of a word about duty.
pub(super) fn write(
    state: &State,
    notification: &Notification,
    about: Word,
    public_url: &str,
) -> PageMessage {
    let (title, reason, details) = match about {
        Word::HandOff { .. } => {
            let reason = "duty has passed to you; who wants no such word switches it off";
            (notification.why.clone(), reason.to_owned(), Vec::new())
        }
        Word::Swap { offered, .. } => {
            let reason = if offered {
                "a swap waits for your answer: accept or decline it in Tocsin"
            } else {
                "the swap is one of yours"
            };
            (notification.why.clone(), reason.to_owned(), Vec::new())
        }
        Word::WayGone { .. } => {
            let reason = "whoever carries its messages said that its address is gone for ever: add it anew on your own page, or remove it";
            (notification.why.clone(), reason.to_owned(), Vec::new())
        }
        Word::Findings => (title(state), notification.why.clone(), details(state)),
        Word::PassedOn { incident } => {
            (yours(state, incident), notification.why.clone(), Vec::new())
        }
        Word::Webhook { .. } => {
            let reason =
                "administrators are told when a subscription of another system is not served";
            (notification.why.clone(), reason.to_owned(), Vec::new())
        }
    };
    PageMessage {
        kind: Kind::Handoff,
        idempotency_key: notification.id.to_string(),
        incident_number: None,
        incident_id: String::new(),
        title,
        others: 0,
        urgency: Urgency::Low,
        service: String::new(),
        target: None,
        onset: None,
        opened_at: notification.planned_at,
        reason,
        details,
        link: format!("{public_url}/ui/{}", screen(about)),
        answer_link: None,
        runbook: None,
        verification_code: None,
    }
}

fn yours(state: &State, incident: IncidentId) -> String {
    match state.incidents.get(&incident) {
        Some(known) => format!("Incident #{} is yours now: {}", known.number, known.title),
        None => "An incident is yours now".to_owned(),
    }
}

/// Where something can be done about it.
fn screen(about: Word) -> String {
    match about {
        Word::HandOff { .. } | Word::Swap { .. } | Word::Findings | Word::Webhook { .. } => {
            "oncall".to_owned()
        }
        Word::WayGone { .. } => "people/me".to_owned(),
        Word::PassedOn { incident } => format!("incidents/{incident}"),
    }
}

fn title(state: &State) -> String {
    match state.duty.findings.len() {
        1 => "Something will keep pages from somebody".to_owned(),
        count => format!("{count} things will keep pages from somebody"),
    }
}

fn details(state: &State) -> Vec<(String, String)> {
    let standing = state.duty.standing().into_iter();
    standing
        .map(|finding| (finding.since.to_string(), finding.text.clone()))
        .collect()
}
