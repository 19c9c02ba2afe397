//! Why a schedule cannot be used, each reason in words; it changes nothing.

use super::clock::zone_named;
use super::schedule::{Layer, Restriction, Schedule, Temporary, Turn};
use super::span::{CALENDAR, DAY_US, Span};
use super::swap::Swap;

/// Layers of a schedule at most.
pub const LAYERS_MAX: usize = 20;
/// Members of a layer, or of a temporary shift, at most.
pub const MEMBERS_MAX: usize = 200;
/// The longest turn, in units.
pub const TURN_EVERY_MAX: u32 = 366;
/// Restrictions of a layer at most.
pub const RESTRICTIONS_MAX: usize = 50;
/// Overrides of a schedule at most.
pub const OVERRIDES_MAX: usize = 500;
/// Temporary shifts of a schedule at most.
pub const TEMPORARY_MAX: usize = 100;
/// Swaps of a schedule at most.
pub const SWAPS_MAX: usize = 100;
/// Swaps that await an answer at most.
pub const PROPOSALS_MAX: usize = 100;
/// The longest override or temporary shift, in days of 24 hours.
pub const SPAN_DAYS_MAX: u32 = 366;
/// The longest span of either side of a swap, in days of 24 hours.
pub const SWAP_DAYS_MAX: u32 = 92;

impl Schedule {
    /// Why this schedule cannot be used; empty when it can.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        check_zone("time_zone", &self.time_zone, &mut reasons);
        check_count("layers", self.layers.len(), LAYERS_MAX, &mut reasons);
        check_count(
            "temporary",
            self.temporary.len(),
            TEMPORARY_MAX,
            &mut reasons,
        );
        check_count("swaps", self.swaps.len(), SWAPS_MAX, &mut reasons);
        check_count("proposed", self.proposed.len(), PROPOSALS_MAX, &mut reasons);
        check_count(
            "overrides",
            self.overrides.len(),
            OVERRIDES_MAX,
            &mut reasons,
        );
        for (index, layer) in self.layers.iter().enumerate() {
            check_layer(&format!("layers[{index}]"), layer, &mut reasons);
        }
        for (index, fixed) in self.temporary.iter().enumerate() {
            check_temporary(&format!("temporary[{index}]"), fixed, &mut reasons);
        }
        for (index, swap) in self.swaps.iter().enumerate() {
            check_swap(&format!("swaps[{index}]"), swap, &mut reasons);
        }
        for (index, known) in self.proposed.iter().enumerate() {
            check_swap(&format!("proposed[{index}]"), &known.swap, &mut reasons);
        }
        for (index, one) in self.overrides.iter().enumerate() {
            let place = format!("overrides[{index}]");
            check_span(&place, one.span, SPAN_DAYS_MAX, &mut reasons);
        }
        self.check_ids(&mut reasons);
        reasons
    }

    fn check_ids(&self, reasons: &mut Vec<String>) {
        check_distinct(
            "temporary",
            self.temporary.iter().map(|one| one.id),
            reasons,
        );
        check_distinct("swaps", self.swaps.iter().map(|one| one.id), reasons);
        check_distinct(
            "overrides",
            self.overrides.iter().map(|one| one.id),
            reasons,
        );
    }
}

fn check_layer(place: &str, layer: &Layer, reasons: &mut Vec<String>) {
    if let Some(zone) = &layer.time_zone {
        check_zone(&format!("{place}.time_zone"), zone, reasons);
    }
    if !CALENDAR.contains(layer.start) {
        reasons.push(format!("{place}.start: must lie in the years 1900 to 2199"));
    }
    if layer.until.is_some_and(|until| until <= layer.start) {
        reasons.push(format!("{place}.until: must be later than its start"));
    }
    let turn = Turn {
        every: layer.every,
        unit: layer.unit,
    };
    check_turn(place, turn, reasons);
    check_count(
        &format!("{place}.members"),
        layer.members.len(),
        MEMBERS_MAX,
        reasons,
    );
    let restrictions = format!("{place}.restrictions");
    check_restrictions(&restrictions, &layer.restrictions, reasons);
}

pub(super) fn check_restrictions(
    place: &str,
    restrictions: &[Restriction],
    reasons: &mut Vec<String>,
) {
    check_count(place, restrictions.len(), RESTRICTIONS_MAX, reasons);
    for (index, restriction) in restrictions.iter().enumerate() {
        if is_empty(restriction) {
            reasons.push(format!(
                "{place}[{index}]: ends when it begins: leave it out for all times"
            ));
        }
    }
}

fn is_empty(restriction: &Restriction) -> bool {
    match restriction {
        Restriction::Daily { from, until } => from == until,
        Restriction::Weekly { from, until } => from == until,
    }
}

fn check_temporary(place: &str, fixed: &Temporary, reasons: &mut Vec<String>) {
    check_span(place, fixed.span, SPAN_DAYS_MAX, reasons);
    check_count(
        &format!("{place}.members"),
        fixed.members.len(),
        MEMBERS_MAX,
        reasons,
    );
    if fixed.members.is_empty() {
        reasons.push(format!("{place}.members: at least 1"));
    }
    match fixed.turn {
        Some(turn) => check_turn(place, turn, reasons),
        None if fixed.members.len() > 1 => reasons.push(format!(
            "{place}.turn: say how long each of its people is on call"
        )),
        None => {}
    }
}

fn check_swap(place: &str, swap: &Swap, reasons: &mut Vec<String>) {
    if swap.one.user == swap.other.user {
        reasons.push(format!("{place}: two different people exchange shifts"));
    }
    for (side, name) in [(swap.one, "one"), (swap.other, "other")] {
        check_span(
            &format!("{place}.{name}"),
            side.span,
            SWAP_DAYS_MAX,
            reasons,
        );
    }
}

fn check_turn(place: &str, turn: Turn, reasons: &mut Vec<String>) {
    if turn.every == 0 || turn.every > TURN_EVERY_MAX {
        reasons.push(format!("{place}.turn.every: must be 1 to {TURN_EVERY_MAX}"));
    }
}

fn check_span(place: &str, span: Span, days_max: u32, reasons: &mut Vec<String>) {
    if span.is_empty() {
        reasons.push(format!("{place}.until: must be later than its from"));
    } else if span.overlap(CALENDAR) != Some(span) {
        reasons.push(format!("{place}: must lie in the years 1900 to 2199"));
    } else if span.length_us() > i64::from(days_max) * DAY_US {
        reasons.push(format!("{place}: at most {days_max} days"));
    }
}

pub(super) fn check_zone(place: &str, name: &str, reasons: &mut Vec<String>) {
    if zone_named(name).is_none() {
        reasons.push(format!(
            "{place}: {name:?} is not an IANA zone such as Europe/Paris"
        ));
    }
}

fn check_count(place: &str, count: usize, max: usize, reasons: &mut Vec<String>) {
    if count > max {
        reasons.push(format!("{place}: at most {max}"));
    }
}

fn check_distinct<T: Ord>(place: &str, ids: impl Iterator<Item = T>, reasons: &mut Vec<String>) {
    let mut ids: Vec<T> = ids.collect();
    let count = ids.len();
    ids.sort();
    ids.dedup();
    if ids.len() < count {
        reasons.push(format!("{place}: an id stands there twice"));
    }
}
