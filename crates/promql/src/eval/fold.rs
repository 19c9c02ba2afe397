//! One number from many that come one after the other: the state of each aggregation; it knows no series.

use super::arithmetic::Sum;
use super::columns::ABSENT;

/// A state that takes values and gives a result.
pub(super) trait Fold: Copy {
    /// Before any value.
    const START: Self;

    fn add(&mut self, value: f64);

    /// [`ABSENT`] when there was no value.
    fn result(self) -> f64;
}

#[derive(Clone, Copy)]
pub(super) struct SumFold {
    sum: Sum,
    any: bool,
}

impl Fold for SumFold {
    const START: Self = Self {
        sum: Sum {
            value: 0.0,
            lost: 0.0,
        },
        any: false,
    };

    fn add(&mut self, value: f64) {
        self.sum.add(value);
        self.any = true;
    }

    fn result(self) -> f64 {
        if self.any { self.sum.total() } else { ABSENT }
    }
}

/// The mean. It changes to an incremental mean when the sum would overflow.
#[derive(Clone, Copy)]
pub(super) struct MeanFold {
    sum: Sum,
    count: f64,
    incremental: bool,
}

impl Fold for MeanFold {
    const START: Self = Self {
        sum: Sum {
            value: 0.0,
            lost: 0.0,
        },
        count: 0.0,
        incremental: false,
    };

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.sum.value = value;
            return;
        }
        if !self.incremental {
            let mut next = self.sum;
            next.add(value);
            if !next.value.is_infinite() {
                self.sum = next;
                return;
            }
            self.incremental = true;
            self.sum.value /= self.count - 1.0;
            self.sum.lost /= self.count - 1.0;
        }
        let share = (self.count - 1.0) / self.count;
        self.sum.value *= share;
        self.sum.lost *= share;
        self.sum.add(value / self.count);
    }

    fn result(self) -> f64 {
        if self.count == 0.0 {
            ABSENT
        } else if self.incremental {
            self.sum.value + self.sum.lost
        } else {
            self.sum.value / self.count + self.sum.lost / self.count
        }
    }
}

/// The largest; a NaN only when there is nothing else.
#[derive(Clone, Copy)]
pub(super) struct MaxFold(f64);

impl Fold for MaxFold {
    const START: Self = Self(ABSENT);

    fn add(&mut self, value: f64) {
        if value > self.0 || self.0.is_nan() {
            self.0 = value;
        }
    }

    fn result(self) -> f64 {
        self.0
    }
}

/// The smallest; a NaN only when there is nothing else.
#[derive(Clone, Copy)]
pub(super) struct MinFold(f64);

impl Fold for MinFold {
    const START: Self = Self(ABSENT);

    fn add(&mut self, value: f64) {
        if value < self.0 || self.0.is_nan() {
            self.0 = value;
        }
    }

    fn result(self) -> f64 {
        self.0
    }
}

#[derive(Clone, Copy)]
pub(super) struct CountFold(f64);

impl Fold for CountFold {
    const START: Self = Self(0.0);

    fn add(&mut self, _: f64) {
        self.0 += 1.0;
    }

    fn result(self) -> f64 {
        if self.0 > 0.0 { self.0 } else { ABSENT }
    }
}

/// 1 where there is anything.
#[derive(Clone, Copy)]
pub(super) struct GroupFold(f64);

impl Fold for GroupFold {
    const START: Self = Self(ABSENT);

    fn add(&mut self, _: f64) {
        self.0 = 1.0;
    }

    fn result(self) -> f64 {
        self.0
    }
}

/// The population variance, by Welford.
#[derive(Clone, Copy)]
pub(super) struct VarianceFold {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Fold for VarianceFold {
    const START: Self = Self {
        count: 0.0,
        mean: 0.0,
        squares: 0.0,
    };

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.mean = value;
            self.squares = if value.is_finite() { 0.0 } else { f64::NAN };
            return;
        }
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    fn result(self) -> f64 {
        if self.count == 0.0 {
            ABSENT
        } else {
            self.squares / self.count
        }
    }
}

/// The root of [`VarianceFold`].
#[derive(Clone, Copy)]
pub(super) struct DeviationFold(VarianceFold);

impl Fold for DeviationFold {
    const START: Self = Self(VarianceFold::START);

    fn add(&mut self, value: f64) {
        self.0.add(value);
    }

    fn result(self) -> f64 {
        if self.0.count == 0.0 {
            ABSENT
        } else {
            self.0.result().sqrt()
        }
    }
}

/// The fold of values at hand.
pub(super) fn fold<F: Fold>(values: &[f64]) -> f64 {
    let mut state = F::START;
    values.iter().for_each(|value| state.add(*value));
    state.result()
}
