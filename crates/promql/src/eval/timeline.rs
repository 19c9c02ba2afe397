//! Where the windows of a grid begin and end in a column of times: computed once, used for every series that has those
//! times; it knows no values.

use std::cell::OnceCell;
use std::rc::Rc;

use crate::error::EvalError;
use crate::limits::Budget;
use crate::source::SharedTimes;

/// Timelines that are kept for the next series. Series of one scrape share their times, and a query seldom goes back and
/// forth between more scrapes than this.
const KEPT_MAX: usize = 64;
/// Nor are more kept than take this many values of 8 bytes together.
const KEPT_VALUES_MAX: usize = 4_000_000;

/// Windows over a grid: each ends at its instant, shifted, and is open on the left.
pub(super) struct Windows {
    pub(super) range_ms: i64,
    /// The end of each, milliseconds, included; never falling.
    pub(super) ends_ms: Vec<i64>,
}

impl Windows {
    /// The first and the last instant that lie in some window.
    pub(super) fn span_ms(&self) -> (i64, i64) {
        let first = self.ends_ms.first().copied().unwrap_or(i64::MAX);
        let last = self.ends_ms.last().copied().unwrap_or(i64::MIN);
        (first.saturating_sub(self.range_ms).saturating_add(1), last)
    }

    /// Whether some window holds an instant of `first_ms..=last_ms`.
    pub(super) fn touch(&self, (first_ms, last_ms): (i64, i64)) -> bool {
        let at = self.ends_ms.partition_point(|end| *end < first_ms);
        self.ends_ms
            .get(at)
            .is_some_and(|end| end.saturating_sub(self.range_ms) < last_ms)
    }
}

/// The places of the samples of one window: `first..end`.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) first: usize,
    pub(super) end: usize,
}

impl Bounds {
    pub(super) fn len(self) -> usize {
        self.end - self.first
    }
}

/// How far a window's samples reach towards its borders, for functions that extend what they show to the whole window.
#[derive(Clone, Copy)]
pub(super) struct Stretch {
    /// From the first to the last sample, seconds.
    pub(super) sampled: f64,
    /// How far the rise is extended before the first and after the last sample, seconds.
    pub(super) to_start: f64,
    pub(super) to_end: f64,
    /// What the rise between the samples is multiplied with.
    pub(super) factor: f64,
}

impl Stretch {
    /// The factor for another way to the start.
    pub(super) fn factor_from(self, to_start: f64, per: f64) -> f64 {
        (self.sampled + to_start + self.to_end) / self.sampled / per
    }
}

/// A column of times with the windows cut out of it.
pub(super) struct Timeline {
    pub(super) times: Vec<i64>,
    /// One per window.
    pub(super) bounds: Vec<Bounds>,
    stretches: OnceCell<Vec<Stretch>>,
}

/// What a timeline takes, in values of 8 bytes.
fn size_of_timeline(times: usize, windows: usize) -> usize {
    let of_window = (size_of::<Bounds>() + size_of::<Stretch>()) / size_of::<f64>();
    times.saturating_add(windows.saturating_mul(of_window))
}

impl Timeline {
    fn new(times: Vec<i64>, windows: &Windows) -> Self {
        let (mut first, mut end) = (0, 0);
        let bounds = windows.ends_ms.iter().map(|end_ms| {
            let start_ms = end_ms.saturating_sub(windows.range_ms);
            while times.get(end).is_some_and(|time| time <= end_ms) {
                end += 1;
            }
            while first < end && times[first] <= start_ms {
                first += 1;
            }
            Bounds { first, end }
        });
        Self {
            bounds: bounds.collect(),
            stretches: OnceCell::new(),
            times,
        }
    }

    /// One per window, with rises counted in parts of `per`, which must be the same in all calls; of no use where a window
    /// has fewer than two samples.
    pub(super) fn stretches(&self, windows: &Windows, per: f64) -> &[Stretch] {
        self.stretches.get_or_init(|| {
            let each = self.bounds.iter().zip(&windows.ends_ms);
            each.map(|(bounds, end_ms)| self.stretch(*bounds, *end_ms, windows.range_ms, per))
                .collect()
        })
    }

    fn stretch(&self, bounds: Bounds, end_ms: i64, range_ms: i64, per: f64) -> Stretch {
        let times = &self.times[bounds.first..bounds.end];
        let first_ms = times.first().copied().unwrap_or(end_ms);
        let last_ms = times.last().copied().unwrap_or(end_ms);
        let start_ms = end_ms.saturating_sub(range_ms);
        let sampled = seconds(last_ms.saturating_sub(first_ms));
        let between = sampled / (times.len() as f64 - 1.0);
        // Samples that are further than this from a border are taken to begin or end inside the window.
        let near = between * 1.1;
        let reach = |gap: f64| if gap >= near { between / 2.0 } else { gap };
        let mut stretch = Stretch {
            sampled,
            to_start: reach(seconds(first_ms.saturating_sub(start_ms))),
            to_end: reach(seconds(end_ms.saturating_sub(last_ms))),
            factor: f64::NAN,
        };
        stretch.factor = stretch.factor_from(stretch.to_start, per);
        stretch
    }
}

/// The timelines of the series seen so far, under the same windows.
#[derive(Default)]
pub(super) struct Timelines {
    shared: Vec<(Vec<SharedTimes>, Rc<Timeline>)>,
    own: Option<Rc<Timeline>>,
    /// What `shared` takes, in values.
    shared_values: usize,
    own_values: usize,
}

impl Timelines {
    /// The timeline of times that are lent.
    pub(super) fn of_shared(
        &mut self,
        parts: &[SharedTimes],
        windows: &Windows,
        budget: &mut Budget<'_>,
    ) -> Result<Rc<Timeline>, EvalError> {
        let is_it = |(known, _): &&(Vec<SharedTimes>, Rc<Timeline>)| {
            known.len() == parts.len() && known.iter().zip(parts).all(|(a, b)| a.is_same(b))
        };
        if let Some((_, found)) = self.shared.iter().rev().find(is_it) {
            return Ok(Rc::clone(found));
        }
        let count = parts.iter().map(|part| part.times().len()).sum();
        let values = size_of_timeline(count, windows.ends_ms.len());
        while !self.shared.is_empty()
            && (self.shared.len() >= KEPT_MAX
                || self.shared_values.saturating_add(values) > KEPT_VALUES_MAX)
        {
            let (_, oldest) = self.shared.remove(0);
            let freed = size_of_timeline(oldest.times.len(), oldest.bounds.len());
            self.shared_values -= freed;
            budget.give_back(freed);
        }
        budget.hold(values)?;
        self.shared_values += values;
        let times = parts.iter().flat_map(SharedTimes::times).copied().collect();
        let made = Rc::new(Timeline::new(times, windows));
        self.shared.push((parts.to_vec(), Rc::clone(&made)));
        Ok(made)
    }

    /// The timeline of times that a series has for itself; it often has the same ones as the series before.
    pub(super) fn of_own(
        &mut self,
        times: &[i64],
        windows: &Windows,
        budget: &mut Budget<'_>,
    ) -> Result<Rc<Timeline>, EvalError> {
        if let Some(known) = self.own.as_ref().filter(|known| known.times == times) {
            return Ok(Rc::clone(known));
        }
        budget.give_back(std::mem::take(&mut self.own_values));
        self.own = None;
        // The times that are copied are working memory too.
        let values = size_of_timeline(times.len().saturating_mul(2), windows.ends_ms.len());
        budget.hold(values)?;
        self.own_values = values;
        let made = Rc::new(Timeline::new(times.to_vec(), windows));
        self.own = Some(Rc::clone(&made));
        Ok(made)
    }

    /// What all of them take, in values.
    pub(super) fn values(&self) -> usize {
        self.shared_values.saturating_add(self.own_values)
    }
}

pub(super) fn seconds(ms: i64) -> f64 {
    ms as f64 / 1e3
}
