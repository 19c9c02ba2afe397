//! Who sent which series, so that one sender with too many of them cannot take the room of all; it knows no samples.

use std::collections::BTreeMap;

/// Counts series in memory by who sent them.
#[derive(Default)]
pub(crate) struct Sources {
    numbers: BTreeMap<String, u16>,
    series: Vec<u32>,
    /// By number of a series: one more than the number of its source, 0 while it is idle.
    of: Vec<u16>,
}

/// Sources that are told apart; all beyond count as one.
const SOURCES_MAX: usize = 1_024;

impl Sources {
    /// The number of a source.
    pub(crate) fn number(&mut self, name: &str) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let name = if self.series.len() < SOURCES_MAX {
            name
        } else {
            "others"
        };
        let next = u16::try_from(self.series.len()).unwrap_or(u16::MAX - 1);
        let number = *self.numbers.entry(name.to_owned()).or_insert(next);
        if number == next {
            self.series.push(0);
        }
        number
    }

    /// How many series of a source are in memory.
    pub(crate) fn count(&self, source: u16) -> u32 {
        self.series.get(usize::from(source)).copied().unwrap_or(0)
    }

    /// Whether a series is counted.
    pub(crate) fn has(&self, series: u32) -> bool {
        self.of.get(series as usize).is_some_and(|of| *of > 0)
    }

    /// Counts a series as one of a source.
    pub(crate) fn join(&mut self, series: u32, source: u16) {
        let place = series as usize;
        if place >= self.of.len() {
            self.of.resize(place + 1, 0);
        }
        if self.of[place] == 0 {
            self.of[place] = source + 1;
            self.series[usize::from(source)] += 1;
        }
    }

    /// Counts a series no more.
    pub(crate) fn leave(&mut self, series: u32) {
        if let Some(of) = self.of.get_mut(series as usize)
            && *of > 0
        {
            let count = &mut self.series[usize::from(*of - 1)];
            *count = count.saturating_sub(1);
            *of = 0;
        }
    }

    /// Series in memory by source, most first.
    pub(crate) fn list(&self) -> Vec<(String, u32)> {
        let names = self.numbers.iter();
        let mut all: Vec<_> = names
            .map(|(name, number)| (name.clone(), self.count(*number)))
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }
}
