//! What a change makes of who is on call: two renderings of one range compared. It knows no schedule.

use super::render::Entry;
use super::span::Span;
use crate::id::UserId;

/// A stretch in which another person is on call, or nobody, or somebody where nobody was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    /// When.
    pub span: Span,
    /// Who was on call; `None`: nobody.
    pub before: Option<UserId>,
    /// Who is; `None`: nobody.
    pub after: Option<UserId>,
}

/// Where two renderings of the same range name different people, in order; stretches that follow each other with the same two
/// people are one.
#[must_use]
pub fn differences(before: &[Entry], after: &[Entry]) -> Vec<Difference> {
    let mut found: Vec<Difference> = Vec::new();
    let mut rest = after;
    for old in before {
        while let [first, others @ ..] = rest {
            if let Some(span) = old.span().overlap(first.span()) {
                push(&mut found, span, old.user(), first.user());
            }
            // What reaches beyond the old entry is compared with the next one too.
            if first.span().until > old.span().until {
                break;
            }
            rest = others;
        }
    }
    found
}

fn push(found: &mut Vec<Difference>, span: Span, before: Option<UserId>, after: Option<UserId>) {
    if before == after {
        return;
    }
    match found.last_mut() {
        Some(last)
            if last.span.until == span.from && last.before == before && last.after == after =>
        {
            last.span.until = span.until;
        }
        Some(_) | None => found.push(Difference {
            span,
            before,
            after,
        }),
    }
}
