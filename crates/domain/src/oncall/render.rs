//! The final schedule: who is on call in a span, and by what. It knows no clock; the span is given.

use super::overlay;
use super::rotation::Rotation;
use super::schedule::Schedule;
use super::span::{CALENDAR, DAY_US, Span, moved};
use crate::bugs::{self, Bug};
use crate::id::{OverrideId, SwapId, TemporaryId, UserId};
use crate::time::Timestamp;

/// The longest span that is rendered at once, in days of 24 hours: a year, and some room to look around it.
pub const RANGE_DAYS_MAX: u32 = 400;
/// Shifts of all sources together that a rendering may have to lay over each other.
pub const ENTRIES_MAX: u32 = 50_000;

/// What puts somebody on call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The layer at this index of the schedule's layers, counted from 0.
    Layer(usize),
    /// A temporary shift.
    Temporary(TemporaryId),
    /// A swap.
    Swap(SwapId),
    /// An override.
    Override(OverrideId),
}

/// One person on call without a break, by one turn of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Whose.
    pub user: UserId,
    /// When it begins.
    pub from: Timestamp,
    /// The first instant after it.
    pub until: Timestamp,
    /// What it comes from.
    pub by: By,
}

impl Shift {
    /// When it is.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(self.from, self.until)
    }

    pub(super) fn cut_to(self, span: Span) -> Self {
        Self {
            from: self.from.max(span.from),
            until: self.until.min(span.until),
            ..self
        }
    }
}

/// A part of a rendered span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Somebody is on call.
    Shift(Shift),
    /// Nobody is.
    Gap(Span),
}

impl Entry {
    /// When it is.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Shift(shift) => shift.span(),
            Self::Gap(span) => *span,
        }
    }

    /// Who is on call.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::Shift(shift) => Some(shift.user),
            Self::Gap(_) => None,
        }
    }
}

/// Why a span is not rendered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It has no instant.
    #[error("the range must end after it begins")]
    Empty,
    /// It is longer than anybody looks at.
    #[error("the range must be at most {RANGE_DAYS_MAX} days long: ask for a part of it")]
    TooLong,
    /// It reaches beyond the calendar.
    #[error("the range must lie in the years 1900 to 2199")]
    OutsideCalendar,
    /// Short turns, or many windows, in a long span.
    #[error("the range holds more than {ENTRIES_MAX} shifts: ask for a shorter one")]
    TooManyEntries,
    /// There is no such layer.
    #[error("there is no such layer: the schedule has {0}")]
    NoSuchLayer(usize),
}

impl Schedule {
    /// The final schedule in `range`: entries that follow each other from its beginning to its end, gaps among them. The
    /// first and the last are cut to it. Turns stay apart, also when one person has the next one too.
    ///
    /// # Errors
    /// The range is refused when it is empty, beyond the calendar, or too much work.
    pub fn render(&self, range: Span) -> Result<Vec<Entry>, Refused> {
        self.refuse(range)?;
        Ok(entries(self.final_shifts(range), range))
    }

    /// What the layer at `index` says by itself in `range`, in the same form.
    ///
    /// # Errors
    /// As for the whole schedule; or there is no such layer.
    pub fn render_layer(&self, index: usize, range: Span) -> Result<Vec<Entry>, Refused> {
        if index >= self.layers.len() {
            return Err(Refused::NoSuchLayer(self.layers.len()));
        }
        self.refuse(range)?;
        let shifts = Rotation::of_layer(self, index).map(|layer| layer.shifts(range));
        Ok(entries(shifts.unwrap_or_default(), range))
    }

    /// The shifts that touch `range`, each at its whole length.
    ///
    /// # Errors
    /// As for the rendered schedule.
    pub fn shifts(&self, range: Span) -> Result<Vec<Shift>, Refused> {
        self.refuse(range)?;
        let mut shifts = self.final_shifts(range);
        for shift in &mut shifts {
            // Only a shift at a border can be longer than what is seen of it.
            if (shift.from == range.from || shift.until == range.until)
                && let Some(whole) = self.shift_at(shift.from)
            {
                *shift = whole;
            }
        }
        Ok(shifts)
    }

    /// Who is on call at `at`, with the whole of that shift; `None` when it is nobody.
    #[must_use]
    pub fn shift_at(&self, at: Timestamp) -> Option<Shift> {
        let at = if bugs::on(Bug::ShiftEndsInclusive) {
            moved(at, -1)
        } else {
            at
        };
        let is_there = |shift: &Shift| shift.span().contains(at);
        let instant = Span::new(at, moved(at, 1)).overlap(CALENDAR)?;
        let seen = self.final_shifts(instant).into_iter().find(is_there)?;
        // No shift is longer than the one thing that it comes from.
        let whole = self.bounds(seen.by, at)?.overlap(CALENDAR)?;
        self.final_shifts(whole).into_iter().find(is_there)
    }

    /// The turn, temporary shift, swap or override around `at`.
    fn bounds(&self, by: By, at: Timestamp) -> Option<Span> {
        match by {
            By::Layer(index) => Rotation::of_layer(self, index)?.turn_around(at),
            By::Temporary(id) => {
                let fixed = self.temporary.iter().find(|fixed| fixed.id == id)?;
                Some(fixed.span)
            }
            By::Swap(id) => {
                let swap = self.swaps.iter().find(|swap| swap.id == id)?;
                // Both sides may lie around `at`, and the shift may be of either.
                let spans = [swap.one.span, swap.other.span].into_iter();
                let around = spans.filter(|span| span.contains(at));
                around.reduce(Span::covering)
            }
            By::Override(id) => {
                let one = self.overrides.iter().find(|one| one.id == id)?;
                Some(one.span)
            }
        }
    }

    /// Shifts by layers and temporary shifts alone, cut to `span`.
    pub(super) fn rostered(&self, span: Span) -> Vec<Shift> {
        let layers = (0..self.layers.len()).filter_map(|index| Rotation::of_layer(self, index));
        let mut shifts = Vec::new();
        for source in layers.chain(self.temporary_rotations(span)) {
            shifts = overlay::over(shifts, source.shifts(span));
        }
        shifts
    }

    fn temporary_rotations(&self, span: Span) -> impl Iterator<Item = Rotation<'_>> {
        self.temporary
            .iter()
            .filter(move |fixed| fixed.span.overlap(span).is_some())
            .filter_map(|fixed| Rotation::of_temporary(self, fixed))
    }

    /// Who is on call in `span`, in order and cut to it, without bounds on the work.
    pub(super) fn final_shifts(&self, span: Span) -> Vec<Shift> {
        let mut overrides: Vec<Shift> = Vec::new();
        for one in &self.overrides {
            if let Some(seen) = one.span.overlap(span) {
                let shift = Shift {
                    user: one.user,
                    from: seen.from,
                    until: seen.until,
                    by: By::Override(one.id),
                };
                overrides = overlay::over(overrides, vec![shift]);
            }
        }
        overlay::over(self.swapped(span), overrides)
    }

    /// Refuses a span that is malformed or too much work.
    fn refuse(&self, range: Span) -> Result<(), Refused> {
        if range.is_empty() {
            return Err(Refused::Empty);
        }
        if range.overlap(CALENDAR) != Some(range) {
            return Err(Refused::OutsideCalendar);
        }
        if range.length_us() > i64::from(RANGE_DAYS_MAX) * DAY_US {
            return Err(Refused::TooLong);
        }
        if self.work(range) > i64::from(ENTRIES_MAX) {
            return Err(Refused::TooManyEntries);
        }
        Ok(())
    }

    /// At most how many shifts must be laid over each other for `range`.
    fn work(&self, range: Span) -> i64 {
        let layers: Vec<Rotation<'_>> = (0..self.layers.len())
            .filter_map(|index| Rotation::of_layer(self, index))
            .collect();
        let in_span = |span: Span| -> i64 {
            let known = span.overlap(CALENDAR).map_or(0, Span::length_us);
            let rotations = layers.iter().map(|one| one.shifts_at_most(known));
            let temporary = self.temporary_rotations(span);
            rotations.sum::<i64>() + temporary.map(|one| one.shifts_at_most(known)).sum::<i64>()
        };
        self.relevant_swaps(range)
            .spans
            .into_iter()
            .map(in_span)
            .sum()
    }
}

/// `shifts` and the gaps between them, which together fill `range`.
pub(super) fn entries(shifts: Vec<Shift>, range: Span) -> Vec<Entry> {
    let gaps = overlay::gaps(&shifts, range);
    let mut all: Vec<Entry> = shifts.into_iter().map(Entry::Shift).collect();
    if !gaps.is_empty() {
        all.extend(gaps.into_iter().map(Entry::Gap));
        all.sort_by_key(|entry| entry.span().from);
    }
    all
}
