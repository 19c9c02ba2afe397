//! Notifications: which messages about incidents went to whom, between two instants.

use serde_json::{Value, json};
use tocsin_domain::page::{Delivery, Notification, Purpose};
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::pagerduty::rest::Refusal;

use super::asked::Asked;
use super::include::Named;
use super::parameters;
use super::reply::{Answer, Reply};

/// What can be shown wholly, and where it stands.
pub(super) const INCLUDED: &[Named] = &[("users", &["user"])];
/// The longest span that is looked at: PagerDuty's three months.
const SPAN_MS_MAX: u64 = 93 * 86_400_000;

/// When it was given to its provider, and what of.
fn sent(message: &Notification) -> Option<Timestamp> {
    let is_about_incident = match message.purpose {
        Purpose::Page(_) | Purpose::Notice(_) | Purpose::Request(_) => true,
        Purpose::Resolved(_) | Purpose::Acknowledged(_) | Purpose::Test | Purpose::Word(_) => false,
    };
    match message.state {
        Delivery::Delivered { at } if is_about_incident => Some(at),
        Delivery::Delivered { .. }
        | Delivery::Due { .. }
        | Delivery::Together { .. }
        | Delivery::Sending { .. }
        | Delivery::Failed { .. }
        | Delivery::Cancelled { .. } => None,
    }
}

/// PagerDuty's word for a channel; those that it has not are named as they are.
pub(super) fn kind(channel: ChannelKind) -> String {
    let word = match channel {
        ChannelKind::Email => "email",
        ChannelKind::Sms => "sms",
        ChannelKind::Voice => "phone",
        ChannelKind::WebPush => "push",
        ChannelKind::Webhook
        | ChannelKind::Ntfy
        | ChannelKind::Slack
        | ChannelKind::Telegram
        | ChannelKind::Pushover
        | ChannelKind::PagerDuty => channel.word(),
    };
    format!("{word}_notification")
}

fn shown(asked: &Asked, state: &State, message: &Notification, at: Timestamp) -> Value {
    json!({
        "id": message.id.to_string(),
        "type": kind(message.channel),
        "started_at": asked.place.time(at),
        "user": asked.place.user(state, message.user),
        "address": null,
    })
}

/// Messages about incidents that were sent between `since` and `until`, newest first
#[utoipa::path(get, path = "/notifications", tag = "fronts", params(parameters::Page, parameters::WholeSpan, parameters::Notifications, parameters::Zone),
    responses((status = 200, body = Object), (status = 400, body = Object)))]
pub(crate) async fn list_notifications(asked: Asked) -> Answer {
    let asked = asked.zoned()?;
    let paging = asked.paging()?;
    let (since, until) = (asked.time("since")?, asked.time("until")?);
    let Some((since, until)) = since.zip(until) else {
        return Err(Refusal::missing("'since' and 'until' are needed").into());
    };
    if until < since || until.ms_since(since) > SPAN_MS_MAX {
        return Err(
            Refusal::bad("'until' is invalid: it is at most three months after 'since'").into(),
        );
    }
    let kinds = ChannelKind::ALL.map(|channel| (kind(channel), channel));
    let words: Vec<(&str, ChannelKind)> = kinds
        .iter()
        .map(|(word, channel)| (word.as_str(), *channel))
        .collect();
    let wanted = asked.parameters.word("filter", &words)?;
    let mut cut = asked.app.read(|state| {
        let all = state
            .notifications
            .values()
            .filter_map(|one| Some((sent(one)?, one)));
        let of_kind = |one: &Notification| wanted.is_none_or(|channel| channel == one.channel);
        let within = all.filter(|(at, one)| (since..until).contains(at) && of_kind(one));
        let mut found: Vec<(Timestamp, &Notification)> = within.collect();
        found.sort_by_key(|(at, one)| (std::cmp::Reverse(*at), one.id));
        let cut = paging.cut(found);
        cut.map(|(at, one)| Some(shown(&asked, state, one, at)))
    });
    cut.items = asked.included(cut.items, INCLUDED).await?;
    Ok(Reply::page(paging, "notifications", cut))
}
