//! The sentences about what was changed of schedules by hand, and about calendars. Pure.

use tocsin_domain::oncall::{Change, Span, Swap};
use tocsin_domain::oncall_event::OncallEvent;

use super::timeline::Names;

/// The sentence of an event.
pub(super) fn sentence(event: &OncallEvent, names: &Names<'_>) -> String {
    match event {
        OncallEvent::ScheduleChanged { schedule, change } => {
            let schedule = names.schedule(*schedule);
            let what = changed(change, names);
            format!("Schedule “{schedule}”: {what}")
        }
        OncallEvent::CalendarSet { calendar } => {
            let user = names.user(calendar.user);
            format!("A calendar of {user} got an address")
        }
        OncallEvent::CalendarRevoked { .. } => {
            "A calendar was revoked; its address is dead".to_owned()
        }
        OncallEvent::DutySeen { schedule, user } => {
            let user = user.map_or_else(|| "nobody".to_owned(), |user| names.user(user));
            let schedule = names.schedule(*schedule);
            format!("On call in “{schedule}” is now {user}")
        }
        OncallEvent::NoticesSwitched { user, wanted } => {
            let user = names.user(*user);
            let wants = if *wanted { "wants" } else { "no longer wants" };
            format!("{user} {wants} word when duty passes to them")
        }
        OncallEvent::FindingAppeared { finding } => finding.text.clone(),
        OncallEvent::FindingsRestated { findings } => {
            let what = match findings.len() {
                1 => "one thing that was found before is".to_owned(),
                count => format!("{count} things that were found before are"),
            };
            format!("Of what will keep pages from somebody, {what} otherwise by now")
        }
        OncallEvent::FindingEnded { .. } => {
            "Something that would have kept pages from somebody is no longer so".to_owned()
        }
        OncallEvent::FindingsTold { keys } => {
            let count = keys.len();
            format!(
                "The administrators are told of {count} things that will keep pages from somebody"
            )
        }
        OncallEvent::ChannelsSeen { set_up } => {
            let names: Vec<&str> = set_up
                .channels
                .iter()
                .map(|channel| channel.name())
                .collect();
            format!("Channels that are set up now: {}", names.join(", "))
        }
    }
}

fn changed(change: &Change, names: &Names<'_>) -> String {
    match change {
        Change::OverrideAdded { added } => {
            let user = names.user(added.user);
            format!("{user} takes over {}", between(added.span))
        }
        Change::OverrideRemoved { .. } => "an override was removed".to_owned(),
        Change::OverrideEnded { at, .. } => format!("an override was ended at {at}"),
        Change::TemporaryAdded { added } => {
            let users = names.users(&added.members);
            format!("a temporary shift {}: {users}", between(added.span))
        }
        Change::TemporaryRemoved { .. } => "a temporary shift was removed".to_owned(),
        Change::TemporaryEnded { at, .. } => format!("a temporary shift was ended at {at}"),
        Change::SwapProposed { proposal } => {
            let by = names.user(proposal.by);
            format!("{by} offers a swap: {}", exchanged(&proposal.swap, names))
        }
        Change::SwapAccepted { .. } => "a swap was accepted".to_owned(),
        Change::SwapDeclined { .. } => "a swap was declined".to_owned(),
        Change::SwapWithdrawn { .. } => "the offer of a swap was taken back".to_owned(),
        Change::SwapMade { swap } => format!("a swap was made: {}", exchanged(swap, names)),
        Change::SwapUndone { .. } => "a swap was undone".to_owned(),
    }
}

fn exchanged(swap: &Swap, names: &Names<'_>) -> String {
    let (one, other) = (names.user(swap.one.user), names.user(swap.other.user));
    format!(
        "{other} takes over from {one} {}, and {one} from {other} {}",
        between(swap.one.span),
        between(swap.other.span)
    )
}

fn between(span: Span) -> String {
    format!("from {} until {}", span.from, span.until)
}
