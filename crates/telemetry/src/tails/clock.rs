//! Times that several series share: the series of one scrape have the same ones, and keep them once; it knows no values.

/// Times in order, and who else began as they did.
#[derive(Default)]
pub(super) struct Clock {
    pub(super) times: Vec<i64>,
    /// Index of the first of `times`; indices go on for as long as the clock lives.
    pub(super) base: u32,
    /// Series that use it.
    pub(super) users: u32,
    /// Clocks that went on from here with another time: at which index, with which time, and their number.
    forks: Vec<(u32, i64, u32)>,
}

/// Forks that are remembered.
const FORKS_MAX: usize = 32;

impl Clock {
    /// One more than the last index.
    pub(super) fn end(&self) -> u32 {
        self.base
            .wrapping_add(u32::try_from(self.times.len()).unwrap_or(u32::MAX))
    }

    /// The time of an index.
    pub(super) fn time(&self, index: u32) -> Option<i64> {
        let place = usize::try_from(index.checked_sub(self.base)?).ok()?;
        self.times.get(place).copied()
    }

    /// The times from an index on, `count` of them; fewer when it has fewer.
    pub(super) fn slice(&self, first: u32, count: usize) -> &[i64] {
        let from = first.saturating_sub(self.base) as usize;
        let to = from.saturating_add(count).min(self.times.len());
        self.times.get(from..to).unwrap_or_default()
    }
}

/// All clocks by number.
#[derive(Default)]
pub(super) struct Clocks {
    clocks: Vec<Clock>,
    free: Vec<u32>,
}

impl Clocks {
    pub(super) fn get(&self, number: u32) -> &Clock {
        &self.clocks[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Clock {
        &mut self.clocks[number as usize]
    }

    /// A new clock with these times and one user.
    pub(super) fn add(&mut self, times: Vec<i64>, base: u32) -> u32 {
        let clock = Clock {
            times,
            base,
            users: 1,
            forks: Vec::new(),
        };
        match self.free.pop() {
            Some(number) => {
                self.clocks[number as usize] = clock;
                number
            }
            None => {
                self.clocks.push(clock);
                crate::series::short(self.clocks.len() - 1)
            }
        }
    }

    /// One user less; a clock without users is given up.
    pub(super) fn release(&mut self, number: u32) {
        let clock = self.get_mut(number);
        clock.users = clock.users.saturating_sub(1);
        if clock.users == 0 {
            *clock = Clock::default();
            self.free.push(number);
        }
    }

    /// The clock for a series that followed `number` from `first` up to before `index` and now has `at_ms` there: one that
    /// another such series has taken before it, or a new one.
    pub(super) fn fork(&mut self, number: u32, first: u32, index: u32, at_ms: i64) -> u32 {
        let count = index.wrapping_sub(first) as usize;
        let clock = self.get(number);
        let same = clock.forks.iter().find(|(at, time, other)| {
            *at == index && *time == at_ms && self.is_same(number, *other, first, count)
        });
        if let Some((_, _, other)) = same.copied()
            && self.get(other).time(index) == Some(at_ms)
        {
            self.get_mut(other).users += 1;
            self.release(number);
            return other;
        }
        let mut times = clock.slice(first, count).to_vec();
        times.push(at_ms);
        let other = self.add(times, first);
        let clock = self.get_mut(number);
        if clock.forks.len() == FORKS_MAX {
            clock.forks.remove(0);
        }
        clock.forks.push((index, at_ms, other));
        self.release(number);
        other
    }

    /// Whether two clocks have the same times there. A number may have been given out anew since it was remembered.
    fn is_same(&self, one: u32, other: u32, first: u32, count: usize) -> bool {
        let (one, other) = (self.get(one), self.get(other));
        other.users > 0
            && other.base <= first
            && one.slice(first, count) == other.slice(first, count)
    }

    /// Forgets times that no series uses; `oldest` gives the first index that is used, by clock.
    pub(super) fn trim(&mut self, oldest: &[u32]) {
        for (clock, oldest) in self.clocks.iter_mut().zip(oldest) {
            let unused = oldest.saturating_sub(clock.base) as usize;
            let unused = unused.min(clock.times.len());
            if unused > 0 {
                clock.times.drain(..unused);
                clock.base += crate::series::short(unused);
                clock.times.shrink_to(clock.times.len() * 2);
            }
            clock.forks.retain(|(index, _, _)| *index >= clock.base);
        }
    }

    /// How many numbers were given out.
    pub(super) fn numbers(&self) -> usize {
        self.clocks.len()
    }

    /// Every clock that is used.
    pub(super) fn used(&self) -> impl Iterator<Item = &Clock> {
        self.clocks.iter().filter(|clock| clock.users > 0)
    }
}
