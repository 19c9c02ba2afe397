//! How what a call is about stands by now, in words to be spoken: each of them is so at the moment that it is said. It changes
//! nothing.

use tocsin_domain::id::UserId;
use tocsin_domain::incident::{Incident, Status};
use tocsin_domain::state::State;
use tocsin_domain::time::Timestamp;
use tocsin_wire::page_message::one_line;
use tocsin_wire::twilio::twiml;

use crate::answers;
use crate::delivery::spoken;
use crate::links::Bound;

/// Incidents that are spoken of one by one.
const SPOKEN_MAX: usize = 3;
/// Characters of a title, a name or a reason.
const CHARS_MAX: usize = 160;

/// How it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// What is said of it.
    pub(super) words: String,
    /// Whether a key is still wanted: nobody has some of it.
    pub(super) asks: bool,
}

/// How all stands that the message told which a call was about.
pub(super) fn standing(state: &State, bound: &Bound, public_url: &str, now: Timestamp) -> Standing {
    if let Some(page) = spoken(state, bound.notification, public_url) {
        return Standing {
            words: twiml::words(&page),
            asks: true,
        };
    }
    let all = answers::open_subjects(state, bound.notification).into_iter();
    let known: Vec<&Incident> = all.filter_map(|id| state.incidents.get(&id)).collect();
    if known.is_empty() {
        return Standing {
            words: "This call is about no incident.".to_owned(),
            asks: false,
        };
    }
    let mut words = "This is Tocsin.".to_owned();
    for incident in known.iter().take(SPOKEN_MAX) {
        let title = one_line(&incident.title, CHARS_MAX);
        let how = how(state, bound.user, incident, now);
        words.push_str(&format!(" Incident {}: {title}. {how}", incident.number));
    }
    if known.len() > SPOKEN_MAX {
        let more = known.len() - SPOKEN_MAX;
        words.push_str(&format!(" And {more} more, which Tocsin shows."));
    }
    let mut known = known.into_iter();
    Standing {
        words,
        asks: known.any(|one| one.status == Status::Triggered && !one.spares(bound.user)),
    }
}

/// How one incident stands, in a sentence.
fn how(state: &State, user: UserId, incident: &Incident, now: Timestamp) -> String {
    match incident.status {
        Status::Resolved => return "It is over.".to_owned(),
        Status::Acknowledged => {
            let who = answers::who_has(state, user, incident);
            return format!("{} it.", one_line(&who, CHARS_MAX));
        }
        Status::Triggered => {}
    }
    let quiet = incident.suppressed.as_ref();
    if let Some((why, until)) = quiet.filter(|(_, until)| *until > now) {
        let why = one_line(why, CHARS_MAX);
        return format!(
            "It is quiet for another {}: {why}.",
            span(until.ms_since(now))
        );
    }
    // One that was closed was not seen healthy.
    let is_healthy = incident.healthy_since.is_some() && incident.closed.is_none();
    let how = if incident.spares(user) {
        "Your part is done. Others must acknowledge it too."
    } else if is_healthy {
        "It is healthy at this moment and still open."
    } else {
        "It is still open."
    };
    how.to_owned()
}

/// So long, in words and rounded up.
fn span(ms: u64) -> String {
    let minutes = ms.div_ceil(60_000);
    let (count, unit) = match minutes {
        ..120 => (minutes, "minute"),
        120..2_880 => (minutes.div_ceil(60), "hour"),
        2_880.. => (minutes.div_ceil(1_440), "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_said_in_a_unit_that_is_heard_at_once() {
        for (ms, expected) in [
            (1, "1 minute"),
            (60_001, "2 minutes"),
            (119 * 60_000, "119 minutes"),
            (150 * 60_000, "3 hours"),
            (48 * 3_600_000, "2 days"),
        ] {
            assert_eq!(span(ms), expected, "{ms}");
        }
    }
}
