//! Numbers as PromQL computes them: operators, Kahan sums, comparisons; it knows no series.

use crate::ast::{Arithmetic, Bound, Compare, Map};

/// The result of an arithmetic operator.
pub(super) fn arithmetic(op: Arithmetic, left: f64, right: f64) -> f64 {
    match op {
        Arithmetic::Add => left + right,
        Arithmetic::Subtract => left - right,
        Arithmetic::Multiply => left * right,
        Arithmetic::Divide => left / right,
        Arithmetic::Modulo => left % right,
        Arithmetic::Power => left.powf(right),
        Arithmetic::Atan2 => left.atan2(right),
    }
}

/// Whether a comparison holds.
pub(super) fn compare(op: Compare, left: f64, right: f64) -> bool {
    match op {
        Compare::Equal => left == right,
        Compare::NotEqual => left != right,
        Compare::Less => left < right,
        Compare::LessOrEqual => left <= right,
        Compare::Greater => left > right,
        Compare::GreaterOrEqual => left >= right,
    }
}

/// 1 or 0.
pub(super) fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}

/// A function of one value.
pub(super) fn map(func: Map, value: f64) -> f64 {
    match func {
        Map::Abs => value.abs(),
        Map::Ceil => value.ceil(),
        Map::Floor => value.floor(),
        Map::Exp => value.exp(),
        Map::Ln => value.ln(),
        Map::Log2 => value.log2(),
        Map::Log10 => value.log10(),
        Map::Sqrt => value.sqrt(),
        Map::Sgn => {
            if value < 0.0 {
                -1.0
            } else if value > 0.0 {
                1.0
            } else {
                value
            }
        }
        Map::Sin => value.sin(),
        Map::Cos => value.cos(),
        Map::Tan => value.tan(),
        Map::Asin => value.asin(),
        Map::Acos => value.acos(),
        Map::Atan => value.atan(),
        Map::Sinh => value.sinh(),
        Map::Cosh => value.cosh(),
        Map::Tanh => value.tanh(),
        Map::Asinh => value.asinh(),
        Map::Acosh => value.acosh(),
        Map::Atanh => value.atanh(),
        Map::Degrees => value * 180.0 / std::f64::consts::PI,
        Map::Radians => value * std::f64::consts::PI / 180.0,
    }
}

/// A function of one value and scalars; `None` when the bounds leave nothing.
pub(super) fn bound(func: Bound, value: f64, scalars: &[f64]) -> Option<f64> {
    let first = scalars.first().copied();
    Some(match func {
        Bound::Clamp => {
            let low = first.unwrap_or(f64::NAN);
            let high = scalars.get(1).copied().unwrap_or(f64::NAN);
            if high < low {
                return None;
            }
            larger(low, smaller(high, value))
        }
        Bound::ClampMin => larger(first.unwrap_or(f64::NAN), value),
        Bound::ClampMax => smaller(first.unwrap_or(f64::NAN), value),
        Bound::Round => {
            // Dividing by the inverse keeps round(x, 0.1) exact where a multiplication would not be.
            let inverse = 1.0 / first.unwrap_or(1.0);
            (value * inverse + 0.5).floor() / inverse
        }
    })
}

/// The larger one; NaN if either is (which `f64::max` would hide).
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

fn smaller(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

/// A sum that carries what rounding lost (Kahan and Neumaier).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    pub(super) value: f64,
    pub(super) lost: f64,
}

impl Sum {
    pub(super) fn add(&mut self, increment: f64) {
        let total = self.value + increment;
        if total.is_infinite() {
            self.lost = 0.0;
        } else if self.value.abs() >= increment.abs() {
            self.lost += (self.value - total) + increment;
        } else {
            self.lost += (increment - total) + self.value;
        }
        self.value = total;
    }

    /// The sum; what was lost is left out when it is infinite.
    pub(super) fn total(self) -> f64 {
        if self.value.is_infinite() {
            self.value
        } else {
            self.value + self.lost
        }
    }
}
