//! Decisions about maintenance windows that name alerts by their labels: made, changed and ended as Alertmanager does with its
//! silences.

use super::{Decider, seen_within};
use crate::command::{AskedSilence, Refusal};
use crate::event::{Cause, IntakeEvent};
use crate::id::MaintenanceId;
use crate::intake::{SILENCE_KEPT_MS, Silence, WINDOWS_MAX, When, Window};
use crate::oncall::Span;
use crate::time::Timestamp;

/// Characters of the name of whoever made a silence.
const CREATED_BY_CHARS_MAX: usize = 200;

impl Decider<'_> {
    /// Makes a silence, changes one, or ends one that cannot be changed so and makes another in its place.
    pub(super) fn set_silence(&mut self, asked: AskedSilence) -> Result<(), Refusal> {
        self.team()?;
        let before = match asked.id {
            Some(id) => Some(self.window(id)?.clone()),
            None => None,
        };
        let reason = seen_within("comment", &asked.comment, 500)?;
        let created_by = asked.created_by.chars().take(CREATED_BY_CHARS_MAX);
        let blank = |one: char| if one.is_control() { ' ' } else { one };
        let silence = Silence {
            created_by: created_by.map(blank).collect(),
            matchers: asked.matchers,
            updated_at: self.now,
        };
        let kept = before.as_ref().filter(|known| {
            let same = known.silence.as_ref().map(|one| &one.matchers);
            same == Some(&silence.matchers) && may_become(known, asked.span, self.now)
        });
        let span = match kept {
            Some(_) => asked.span,
            None => Span::new(asked.span.from.max(self.now), asked.span.until),
        };
        let when = When::Once { span };
        let mut reasons = silence.violations();
        reasons.extend(self.window_violations(&when));
        if !reasons.is_empty() {
            return Err(Refusal::Invalid { reasons });
        }
        let (id, subjects) = match kept {
            Some(known) => (known.id, (known.services.clone(), known.targets.clone())),
            None => {
                let replaced = before.as_ref();
                let replaced = replaced.filter(|known| state_of(known, self.now) != Stage::Over);
                if replaced.is_some_and(|known| known.once().is_none()) {
                    return Err(Refusal::conflict(
                        "this work repeats: change it in Tocsin, or leave its id out",
                    ));
                }
                self.make_room_for_silence()?;
                if let Some(replaced) = replaced {
                    self.expire_window(replaced.id)?;
                }
                let id = MaintenanceId::random(self.entropy);
                (id, (Vec::new(), Vec::new()))
            }
        };
        self.place_window(id, reason, subjects, when, Some(silence));
        Ok(())
    }

    /// Ends a window now; one that has not begun never does.
    pub(super) fn expire_window(&mut self, id: MaintenanceId) -> Result<(), Refusal> {
        let window = self.window(id)?.clone();
        let event = match state_of(&window, self.now) {
            Stage::Over => return Ok(()),
            Stage::Lasts => IntakeEvent::WindowEnded { window: id },
            Stage::Waits if window.once().is_none() => {
                return Err(Refusal::conflict(
                    "this work repeats and is not under way: change or remove it in Tocsin",
                ));
            }
            Stage::Waits => IntakeEvent::WindowSet {
                window: Window {
                    when: When::Once {
                        span: Span::new(self.now, self.now),
                    },
                    ..window
                },
            },
        };
        self.change_window(id, event);
        Ok(())
    }

    /// Silences come and go by the hundred: those that are long over make room for new ones.
    fn make_room_for_silence(&mut self) -> Result<(), Refusal> {
        let now = self.now;
        let is_old = |window: &&Window| {
            let span = window.silence.as_ref().and_then(|_| window.once());
            span.is_some_and(|span| span.until.plus_ms(SILENCE_KEPT_MS) <= now)
        };
        let old: Vec<MaintenanceId> = self
            .state
            .windows
            .values()
            .filter(is_old)
            .map(|window| window.id)
            .collect();
        if self.state.windows.len() - old.len() >= WINDOWS_MAX {
            return Err(Refusal::conflict(format!(
                "there are {WINDOWS_MAX} maintenance windows and silences: remove those that are over first"
            )));
        }
        for window in old {
            self.emit_intake(Cause::Request, IntakeEvent::WindowRemoved { window });
        }
        Ok(())
    }
}

/// Where a window stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waits,
    Lasts,
    Over,
}

fn state_of(window: &Window, now: Timestamp) -> Stage {
    if window.around(now).is_some() {
        Stage::Lasts
    } else if window.next(now).is_some() {
        Stage::Waits
    } else {
        Stage::Over
    }
}

/// Whether a window can be changed to last so, without telling another story about what is past.
fn may_become(window: &Window, span: Span, now: Timestamp) -> bool {
    let second = |at: Timestamp| at.as_millis().div_euclid(1_000);
    match (state_of(window, now), window.once()) {
        (Stage::Lasts, Some(known)) => second(known.from) == second(span.from) && span.until >= now,
        (Stage::Waits, Some(_)) => span.from >= now,
        (Stage::Over, _) | (Stage::Lasts | Stage::Waits, None) => false,
    }
}
