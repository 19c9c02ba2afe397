//! What people ask of a schedule: who has duty until when and who is next, when duty changes hands, and when nobody has it.

use super::overlay;
use super::render::{Entry, Refused, Shift, entries};
use super::schedule::Schedule;
use super::span::{CALENDAR, Span, moved};
use crate::id::UserId;
use crate::time::Timestamp;

/// Gaps are looked for this far ahead, in days of 24 hours.
pub const GAP_DAYS_AHEAD: u32 = 14;
/// How far ahead the next change is looked for, in days: near at first, since most changes are.
const LOOK_AHEAD_DAYS: [u32; 3] = [8, 64, 400];
/// How far back the beginning of a duty is looked for, in the same way.
const LOOK_BACK_DAYS: [u64; 2] = [8, 60];

/// Who is on call at an instant, and what comes then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Duty {
    /// The shift at that instant; `None`: nobody is on call.
    pub shift: Option<Shift>,
    /// When another person, or nobody, takes over, or somebody after a gap; `None`: not within 400 days.
    pub until: Option<Timestamp>,
    /// The first shift from then on; `None`: there is none within 400 days.
    pub next: Option<Shift>,
}

/// Duty changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandOff {
    /// When.
    pub at: Timestamp,
    /// Who is on call until then; `None`: nobody was.
    pub from: Option<UserId>,
    /// Who is on call from then on; `None`: nobody is.
    pub to: Option<UserId>,
}

impl Schedule {
    /// Who is on call at `at`, until when, and who is next.
    #[must_use]
    pub fn duty_at(&self, at: Timestamp) -> Duty {
        let mut duty = Duty {
            shift: self.shift_at(at),
            until: None,
            next: None,
        };
        let user = duty.shift.map(|shift| shift.user);
        for days in LOOK_AHEAD_DAYS {
            let Some(ahead) = Span::of_days(at, days).overlap(CALENDAR) else {
                break;
            };
            let ahead = entries(self.final_shifts(ahead), ahead);
            let mut later = ahead.iter().skip_while(|entry| entry.user() == user);
            let Some(change) = later.next() else {
                continue;
            };
            duty.until = Some(change.span().from);
            let next = std::iter::once(change).chain(later).find_map(shift_of);
            // Its end may lie beyond what was looked at.
            duty.next = next.and_then(|shift| self.shift_at(shift.from));
            if duty.next.is_some() {
                break;
            }
        }
        duty
    }

    /// Since when whoever has duty at `at` has it, over turns that follow each other; in a gap, since when nobody has. `None`: for
    /// more than 60 days.
    #[must_use]
    pub fn duty_since(&self, at: Timestamp) -> Option<Timestamp> {
        let user = self.shift_at(at).map(|shift| shift.user);
        LOOK_BACK_DAYS.into_iter().find_map(|days| {
            let from = at.minus_ms(days * 86_400_000);
            let behind = Span::new(from, moved(at, 1)).overlap(CALENDAR)?;
            let entries = entries(self.final_shifts(behind), behind);
            let before = entries.iter().rev().find(|entry| entry.user() != user)?;
            Some(before.span().until)
        })
    }

    /// Every instant of `range` at which another person, or nobody, takes over. Turns that follow each other with the same
    /// person change nothing.
    ///
    /// # Errors
    /// The range is refused as for the rendered schedule.
    pub fn hand_offs(&self, range: Span) -> Result<Vec<HandOff>, Refused> {
        let entries = self.render(range)?;
        let before = self.shift_at(moved(range.from, -1));
        let mut last = before.map(|shift| shift.user);
        let changes = entries.into_iter().filter_map(|entry| {
            let from = std::mem::replace(&mut last, entry.user());
            (from != last).then_some(HandOff {
                at: entry.span().from,
                from,
                to: last,
            })
        });
        Ok(changes.collect())
    }

    /// The stretches of `range` in which nobody is on call.
    ///
    /// # Errors
    /// The range is refused as for the rendered schedule.
    pub fn gaps(&self, range: Span) -> Result<Vec<Span>, Refused> {
        let entries = self.render(range)?;
        let shifts: Vec<Shift> = entries.iter().filter_map(shift_of).collect();
        Ok(overlay::gaps(&shifts, range))
    }

    /// When nobody is on call in the 14 days from `now` on.
    ///
    /// # Errors
    /// The span is refused as for the rendered schedule.
    pub fn gaps_ahead(&self, now: Timestamp) -> Result<Vec<Span>, Refused> {
        self.gaps(Span::of_days(now, GAP_DAYS_AHEAD))
    }
}

fn shift_of(entry: &Entry) -> Option<Shift> {
    match entry {
        Entry::Shift(shift) => Some(*shift),
        Entry::Gap(_) => None,
    }
}
