//! Takes a line apart by the items of a format, in bounded work; it does not know what the values mean.

use super::format::{Item, LogFormat, Shape};
use super::time::Parts;

/// Work allowed per line: steps per byte of the line, and steps in any case.
const STEPS_PER_BYTE: usize = 16;
const STEPS_MIN: usize = 4_096;

/// Where the value of each item lies in the line.
pub(super) type Spans = Vec<(usize, usize)>;

/// Where each value lies; `None` when the line does not have this format.
pub(super) fn spans(format: &LogFormat, line: &[u8]) -> Option<Spans> {
    let mut walk = Walk {
        items: &format.items,
        line,
        spans: vec![(0, 0); format.items.len()],
        steps_left: line.len() * STEPS_PER_BYTE + STEPS_MIN,
    };
    walk.fits(0, 0).then_some(walk.spans)
}

struct Walk<'a> {
    items: &'a [Item],
    line: &'a [u8],
    spans: Spans,
    steps_left: usize,
}

impl Walk<'_> {
    /// Whether the line from `at` on fits the items from `index` on. Depth is the number of items, which is limited.
    fn fits(&mut self, index: usize, at: usize) -> bool {
        let Some(left) = self.steps_left.checked_sub(1) else {
            return false;
        };
        self.steps_left = left;
        let items = self.items;
        match items.get(index) {
            None => at == self.line.len(),
            Some(Item::Literal(text)) => {
                self.line[at..].starts_with(text) && self.fits(index + 1, at + text.len())
            }
            Some(Item::Value(value)) => match &value.shape {
                Shape::Text => self.text_fits(index, at),
                Shape::Number => self.value_fits(index, at, number_length(&self.line[at..])),
                Shape::Time(steps) => {
                    let length = time_length(steps, &self.line[at..]);
                    self.value_fits(index, at, length)
                }
            },
        }
    }

    /// A value of known length, or the `-` that stands for none.
    fn value_fits(&mut self, index: usize, at: usize, length: Option<usize>) -> bool {
        let absent = self.line[at..].starts_with(b"-").then_some(1);
        for length in [length, absent].into_iter().flatten() {
            if self.fits(index + 1, at + length) {
                self.spans[index] = (at, at + length);
                return true;
            }
        }
        false
    }

    /// Text reaches to the first place where all that follows fits, never splitting an escape.
    fn text_fits(&mut self, index: usize, at: usize) -> bool {
        let items = self.items;
        let Some(Item::Literal(border)) = items.get(index + 1) else {
            self.spans[index] = (at, self.line.len());
            return index + 1 == items.len();
        };
        let mut end = at;
        while end < self.line.len() {
            if self.steps_left == 0 {
                return false;
            }
            self.steps_left -= 1;
            if self.line[end..].starts_with(border) && self.fits(index + 1, end) {
                self.spans[index] = (at, end);
                return true;
            }
            end += if self.line[end] == b'\\' { 2 } else { 1 };
        }
        false
    }
}

/// The length of a number, with the sign that a clock set back can give a duration.
fn number_length(text: &[u8]) -> Option<usize> {
    let sign = usize::from(text.starts_with(b"-"));
    let digits = text[sign..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (digits > 0).then_some(sign + digits)
}

fn time_length(steps: &[super::time::Step], text: &[u8]) -> Option<usize> {
    let mut parts = Parts::default();
    let mut rest = text;
    for step in steps {
        rest = parts.read(step, rest)?;
    }
    Some(text.len() - rest.len())
}
