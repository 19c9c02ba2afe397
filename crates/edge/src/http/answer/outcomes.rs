//! What became of a press, kept until it is shown by the page that is asked for next. It knows no words and no route.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tocsin_domain::id::NotificationId;

use super::Pressed;
use crate::secret::letters;

/// Outcomes that nobody has looked at yet at most; older ones are forgotten.
const OUTCOMES_MAX: usize = 1_000;
/// Letters of the key that an outcome is asked for by.
const KEY_LETTERS: usize = 16;

struct Outcome {
    key: String,
    message: NotificationId,
    pressed: Option<Pressed>,
    words: String,
}

/// Outcomes that are still to be shown.
#[derive(Default)]
pub(crate) struct Outcomes(Mutex<VecDeque<Outcome>>);

impl Outcomes {
    /// Keeps what became of a press on the page of a message, and gives the key to ask for it by.
    pub(super) fn keep(
        &self,
        message: NotificationId,
        pressed: Option<Pressed>,
        words: String,
    ) -> Option<String> {
        let key = letters(KEY_LETTERS).ok()?;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= OUTCOMES_MAX {
            all.pop_front();
        }
        all.push_back(Outcome {
            key: key.clone(),
            message,
            pressed,
            words,
        });
        Some(key)
    }

    /// Gives it once: whoever loads the page again sees how things are by then.
    pub(super) fn take(
        &self,
        key: &str,
        message: NotificationId,
    ) -> Option<(Option<Pressed>, String)> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_it = |one: &Outcome| one.key == key && one.message == message;
        let place = all.iter().position(is_it)?;
        let found = all.remove(place)?;
        Some((found.pressed, found.words))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_given_once_to_its_own_message_and_few_are_kept() {
        let message = |letter: &str| format!("QAAAAAAAAAAAA{letter}").parse().unwrap();
        let outcomes = Outcomes::default();
        let keep = |words: &str| outcomes.keep(message("A"), None, words.to_owned());
        let key = keep("done").unwrap();
        assert_eq!(outcomes.take(&key, message("B")), None);
        assert_eq!(outcomes.take("other", message("A")), None);
        let done = Some((None, "done".to_owned()));
        assert_eq!(outcomes.take(&key, message("A")), done);
        assert_eq!(outcomes.take(&key, message("A")), None);
        let first = keep("first").unwrap();
        for _ in 0..OUTCOMES_MAX {
            keep("later").unwrap();
        }
        assert_eq!(outcomes.take(&first, message("A")), None, "forgotten");
    }
}
