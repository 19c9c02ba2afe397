//! What became of a press, kept for a minute for the page that is asked for next. It knows no words and no route.

use std::collections::VecDeque;
use std::sync::Mutex;

use tocsin_domain::id::NotificationId;
use tocsin_domain::time::Timestamp;

use super::press::Pressed;
use crate::lock::lock;
use crate::secret::letters;

/// Outcomes at most; older ones are forgotten.
const OUTCOMES_MAX: usize = 1_000;
/// How long one is told: a browser may ask twice for a page before anybody has read it.
const KEPT_MS: u64 = 60_000;
/// Letters of the key that an outcome is asked for by.
const KEY_LETTERS: usize = 16;

struct Outcome {
    key: String,
    message: NotificationId,
    pressed: Pressed,
    words: String,
    at: Timestamp,
}

/// Outcomes that may still be shown.
#[derive(Default)]
pub(crate) struct Outcomes(Mutex<VecDeque<Outcome>>);

impl Outcomes {
    /// Keeps what became of a press on the page of a message, and gives the key to ask for it by.
    pub(super) fn keep(
        &self,
        message: NotificationId,
        pressed: Pressed,
        words: String,
        now: Timestamp,
    ) -> Option<String> {
        let key = letters(KEY_LETTERS).ok()?;
        let mut all = lock(&self.0);
        all.retain(|one| is_fresh(one.at, now));
        if all.len() >= OUTCOMES_MAX {
            all.pop_front();
        }
        all.push_back(Outcome {
            key: key.clone(),
            message,
            pressed,
            words,
            at: now,
        });
        Some(key)
    }

    /// What became of that press, for a minute.
    pub(super) fn find(
        &self,
        key: &str,
        message: NotificationId,
        now: Timestamp,
    ) -> Option<(Pressed, String)> {
        let all = lock(&self.0);
        let is_it = |one: &&Outcome| one.key == key && one.message == message;
        let found = all.iter().find(is_it)?;
        is_fresh(found.at, now).then(|| (found.pressed, found.words.clone()))
    }
}

/// Whether it is of this minute. What lies further ahead is from before the clock was set back.
fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    now.ms_since(at).max(at.ms_since(now)) < KEPT_MS
}

#[cfg(test)]
mod tests {
    use super::super::press::Wish;
    use super::*;

    #[test]
    fn an_outcome_is_told_for_a_minute_to_its_own_message_and_few_are_kept() {
        let message = |letter: &str| format!("QAAAAAAAAAAAA{letter}").parse().unwrap();
        let outcomes = Outcomes::default();
        let began = Timestamp::from_millis(1_000_000);
        let pressed = Pressed {
            wish: Wish::Acknowledge,
            looked_at: None,
            seen: None,
        };
        let keep = |words: &str| outcomes.keep(message("A"), pressed, words.to_owned(), began);
        let key = keep("done").unwrap();
        assert_eq!(outcomes.find(&key, message("B"), began), None);
        assert_eq!(outcomes.find("other", message("A"), began), None);
        let done = Some((pressed, "done".to_owned()));
        for after_ms in [0, 1, KEPT_MS - 1] {
            let now = began.plus_ms(after_ms);
            assert_eq!(outcomes.find(&key, message("A"), now), done);
        }
        let late = began.plus_ms(KEPT_MS);
        assert_eq!(outcomes.find(&key, message("A"), late), None);
        let set_back = began.minus_ms(KEPT_MS);
        assert_eq!(outcomes.find(&key, message("A"), set_back), None);
        let first = keep("first").unwrap();
        for _ in 0..OUTCOMES_MAX {
            keep("later").unwrap();
        }
        let found = outcomes.find(&first, message("A"), began);
        assert_eq!(found, None, "forgotten");
    }
}
