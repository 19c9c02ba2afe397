//! Lists of shifts laid over each other; every list is in order and its shifts do not overlap. It knows no rule of its own.

use super::render::Shift;
use super::span::Span;

/// `top` over `base`: what is left of `base` beside it, and all of it.
pub(super) fn over(base: Vec<Shift>, top: Vec<Shift>) -> Vec<Shift> {
    if base.is_empty() || top.is_empty() {
        return if base.is_empty() { top } else { base };
    }
    let mut laid = Vec::with_capacity(base.len() + 2 * top.len());
    let mut covers = top.as_slice();
    for shift in base {
        covers = after(covers, shift.from, Shift::span);
        let mut rest = shift;
        for cover in covers.iter().take_while(|cover| cover.from < shift.until) {
            if cover.from > rest.from {
                laid.push(Shift {
                    until: cover.from,
                    ..rest
                });
            }
            rest.from = rest.from.max(cover.until);
        }
        if !rest.span().is_empty() {
            laid.push(rest);
        }
    }
    laid.extend(top);
    laid.sort_by_key(|shift| shift.from);
    laid
}

/// What of `shifts` lies in one of the windows, which are in order and apart from each other.
pub(super) fn within(shifts: &[Shift], windows: &[Span]) -> Vec<Shift> {
    let mut kept = Vec::with_capacity(shifts.len() + windows.len());
    let mut open = windows;
    for shift in shifts {
        open = after(open, shift.from, |window| *window);
        for window in open.iter().take_while(|window| window.from < shift.until) {
            if let Some(common) = window.overlap(shift.span()) {
                kept.push(shift.cut_to(common));
            }
        }
    }
    kept
}

/// The stretches of `span` in which there is no shift.
pub(super) fn gaps(shifts: &[Shift], span: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut from = span.from;
    for shift in shifts {
        found.extend(Span::new(from, shift.from).overlap(span));
        from = from.max(shift.until);
    }
    found.extend(Span::new(from, span.until).overlap(span));
    found
}

/// `list` without its beginning that ended by `at`.
fn after<T>(list: &[T], at: crate::time::Timestamp, span: impl Fn(&T) -> Span) -> &[T] {
    let over = list.iter().take_while(|one| span(one).until <= at).count();
    list.get(over..).unwrap_or_default()
}
