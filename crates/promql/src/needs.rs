//! Which samples an expression may read: selectors with the span of time each looks at; it reads none itself.

use crate::ast::{At, Expr, Selector, Shift, Window};
use crate::limits::Limits;
use crate::matcher::Matcher;

/// What one selector of a query reads.
#[derive(Clone, Debug)]
pub struct Need<'a> {
    /// The series: those that pass every matcher.
    pub matchers: &'a [Matcher],
    /// The first instant whose samples may count, milliseconds, inclusive.
    pub from_ms: i64,
    /// The last one, milliseconds, inclusive.
    pub to_ms: i64,
}

/// The needs of an expression that is evaluated from `bounds.0` to `bounds.1`.
pub(crate) fn needs<'a>(expr: &'a Expr, bounds: (i64, i64), limits: &Limits<'_>) -> Vec<Need<'a>> {
    let mut walk = Walk {
        bounds,
        lookback_ms: limits.lookback_ms,
        found: Vec::new(),
    };
    walk.expr(expr, bounds);
    walk.found
}

struct Walk<'a> {
    bounds: (i64, i64),
    lookback_ms: i64,
    found: Vec<Need<'a>>,
}

impl<'a> Walk<'a> {
    fn expr(&mut self, expr: &'a Expr, span: (i64, i64)) {
        match expr {
            Expr::Number(_) | Expr::Text(_) => {}
            Expr::Selector(selector) => self.selector(selector, self.lookback_ms, span),
            Expr::Window(window) => match &**window {
                Window::Range { selector, range_ms } => self.selector(selector, *range_ms, span),
                Window::Subquery {
                    expr,
                    range_ms,
                    shift,
                    ..
                } => {
                    let (from_ms, to_ms) = self.shifted(*shift, span);
                    self.expr(expr, (before(from_ms, *range_ms), to_ms));
                }
            },
            Expr::Negate(inner) => self.expr(inner, span),
            Expr::Binary(binary) => {
                self.expr(&binary.left, span);
                self.expr(&binary.right, span);
            }
            Expr::Aggregate(aggregate) => {
                self.expr(&aggregate.expr, span);
                if let Some(parameter) = &aggregate.parameter {
                    self.expr(parameter, span);
                }
            }
            Expr::Call(call) => {
                for arg in &call.args {
                    self.expr(arg, span);
                }
            }
        }
    }

    fn selector(&mut self, selector: &'a Selector, range_ms: i64, span: (i64, i64)) {
        let (from_ms, to_ms) = self.shifted(selector.shift, span);
        self.found.push(Need {
            matchers: &selector.matchers,
            from_ms: before(from_ms, range_ms),
            to_ms,
        });
    }

    fn shifted(&self, shift: Shift, span: (i64, i64)) -> (i64, i64) {
        let (from_ms, to_ms) = match shift.at {
            None => span,
            Some(At::Start) => (self.bounds.0, self.bounds.0),
            Some(At::End) => (self.bounds.1, self.bounds.1),
            Some(At::Millis(ms)) => (ms, ms),
        };
        let offset_ms = shift.offset_ms;
        (
            from_ms.saturating_sub(offset_ms),
            to_ms.saturating_sub(offset_ms),
        )
    }
}

/// The first instant inside a window that ends at `end_ms` and is open on the left.
fn before(end_ms: i64, range_ms: i64) -> i64 {
    end_ms.saturating_sub(range_ms).saturating_add(1)
}
