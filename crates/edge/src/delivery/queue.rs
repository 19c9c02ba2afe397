//! Messages that wait to be sent: pages before everything else, a few at a time by each channel. It never blocks who adds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tocsin_domain::id::NotificationId;
use tocsin_domain::people::ChannelKind;
use tokio::sync::Notify;

/// Attempts under way at the same time by one channel.
const AT_ONCE: usize = 16;

/// One attempt to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Which message.
    pub notification: NotificationId,
    /// Which attempt, from 1.
    pub number: u32,
}

/// What is sent first; the smallest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// A page for something critical.
    Critical,
    /// Any other page.
    Page,
    /// Word that something is over.
    Resolved,
    /// What wakes nobody.
    Notice,
    /// A test.
    Test,
}

#[derive(Default)]
struct Lane {
    waiting: BTreeMap<Rank, VecDeque<(Instant, Work)>>,
    under_way: usize,
}

#[derive(Default)]
struct Lanes {
    fresh: VecDeque<(Instant, Work)>,
    by_channel: BTreeMap<ChannelKind, Lane>,
    /// Runs of the canary that wait to be taken up.
    canaries: VecDeque<u64>,
    closed: bool,
}

/// The queue; cheap to clone.
#[derive(Clone, Default)]
pub struct Queue(Arc<(Mutex<Lanes>, Notify, Notify)>);

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an attempt to make. Never waits, may be called from any thread. What is here was committed before, so the core's
    /// own limits on messages bound it.
    pub fn push(&self, work: Work) {
        self.lock().fresh.push_back((Instant::now(), work));
        self.0.1.notify_one();
    }

    /// Adds the canary of this run.
    pub fn push_canary(&self, run: u64) {
        self.lock().canaries.push_back(run);
        self.0.2.notify_one();
    }

    /// The run of the canary that came.
    pub(crate) async fn canary(&self) -> u64 {
        loop {
            if let Some(run) = self.lock().canaries.pop_front() {
                return run;
            }
            self.0.2.notified().await;
        }
    }

    /// How long the oldest message waits for its turn.
    #[must_use]
    pub fn oldest(&self, now: Instant) -> Duration {
        let lanes = self.lock();
        let ranked = lanes
            .by_channel
            .values()
            .flat_map(|lane| lane.waiting.values());
        let first = ranked
            .filter_map(VecDeque::front)
            .chain(lanes.fresh.front());
        let oldest = first.map(|(since, _)| now.duration_since(*since)).max();
        oldest.unwrap_or_default()
    }

    /// No further attempt is begun.
    pub fn close(&self) {
        self.lock().closed = true;
        self.0.1.notify_one();
    }

    /// How many wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let lanes = self.lock();
        let ranked = lanes
            .by_channel
            .values()
            .flat_map(|lane| lane.waiting.values());
        lanes.fresh.len() + ranked.map(VecDeque::len).sum::<usize>()
    }

    /// The next attempt that may begin. `sort` tells rank and channel of one that was just added; `None` from it drops the
    /// attempt. Ends with `None` once closed.
    pub(crate) async fn next(
        &self,
        sort: impl Fn(Work) -> Option<(Rank, ChannelKind)>,
    ) -> Option<(ChannelKind, Work)> {
        loop {
            let fresh = std::mem::take(&mut self.lock().fresh);
            // The core's state is read without holding our lock.
            let sorted: Vec<_> = fresh
                .into_iter()
                .filter_map(|(since, work)| Some((since, work, sort(work)?)))
                .collect();
            {
                let mut lanes = self.lock();
                for (since, work, (rank, channel)) in sorted {
                    let lane = lanes.by_channel.entry(channel).or_default();
                    lane.waiting
                        .entry(rank)
                        .or_default()
                        .push_back((since, work));
                }
                if lanes.closed {
                    return None;
                }
                if let Some(found) = take(&mut lanes) {
                    return Some(found);
                }
            }
            self.0.1.notified().await;
        }
    }

    /// Takes out what has waited for a place for at least `wait` by `now`: it is not tried any more.
    pub(crate) fn overdue(&self, wait: Duration, now: Instant) -> Vec<Work> {
        let mut lanes = self.lock();
        let lines = lanes
            .by_channel
            .values_mut()
            .flat_map(|lane| lane.waiting.values_mut());
        let mut overdue = Vec::new();
        for line in lines {
            while let Some((_, work)) =
                line.pop_front_if(|(since, _)| now.duration_since(*since) >= wait)
            {
                overdue.push(work);
            }
        }
        overdue
    }

    /// An attempt has ended; the channel has a place again.
    pub(crate) fn done(&self, channel: ChannelKind) {
        if let Some(lane) = self.lock().by_channel.get_mut(&channel) {
            lane.under_way = lane.under_way.saturating_sub(1);
        }
        self.0.1.notify_one();
    }
}

/// The best attempt of all channels that have a place.
fn take(lanes: &mut Lanes) -> Option<(ChannelKind, Work)> {
    let best = lanes
        .by_channel
        .iter()
        .filter(|(_, lane)| lane.under_way < AT_ONCE)
        .filter_map(|(channel, lane)| {
            let rank = lane
                .waiting
                .iter()
                .find(|(_, works)| !works.is_empty())
                .map(|(rank, _)| *rank)?;
            Some((rank, *channel))
        })
        .min()?;
    let lane = lanes.by_channel.get_mut(&best.1)?;
    let (_, work) = lane.waiting.get_mut(&best.0)?.pop_front()?;
    lane.under_way += 1;
    Some((best.1, work))
}

#[cfg(test)]
mod tests {
    use tocsin_domain::id::Entropy;

    use super::*;

    struct Counting(u8);

    impl Entropy for Counting {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(self.0);
            self.0 += 1;
        }
    }

    #[tokio::test]
    async fn pages_go_first_and_a_full_channel_holds_up_nobody_else() {
        let mut entropy = Counting(1);
        let works: Vec<Work> = (0..20)
            .map(|_| Work {
                notification: NotificationId::random(&mut entropy),
                number: 1,
            })
            .collect();
        let sort = |work: Work| {
            let index = works.iter().position(|one| *one == work).unwrap();
            Some(match index {
                18 => (Rank::Critical, ChannelKind::Email),
                0 => (Rank::Test, ChannelKind::Email),
                1 => (Rank::Resolved, ChannelKind::Email),
                19 => (Rank::Test, ChannelKind::Ntfy),
                _ => (Rank::Page, ChannelKind::Email),
            })
        };
        let queue = Queue::default();
        works.iter().for_each(|work| queue.push(*work));
        for expected in works[18..19].iter().chain(&works[2..17]) {
            assert_eq!(
                queue.next(sort).await,
                Some((ChannelKind::Email, *expected))
            );
        }
        assert_eq!(
            queue.next(sort).await,
            Some((ChannelKind::Ntfy, works[19])),
            "the mail channel is full"
        );
        queue.done(ChannelKind::Email);
        assert_eq!(
            queue.next(sort).await,
            Some((ChannelKind::Email, works[17]))
        );
        queue.done(ChannelKind::Email);
        assert_eq!(
            queue.next(sort).await,
            Some((ChannelKind::Email, works[1])),
            "resolved before tests"
        );
        assert_eq!(queue.waiting(), 1);
        let wait = Duration::from_secs(3_600);
        assert!(queue.oldest(Instant::now() + wait) >= wait);
        assert_eq!(queue.overdue(wait, Instant::now()), []);
        assert_eq!(queue.overdue(wait, Instant::now() + wait), [works[0]]);
        assert_eq!(queue.waiting(), 0);
        assert_eq!(queue.oldest(Instant::now()), Duration::ZERO);
        queue.push_canary(7);
        assert_eq!(queue.canary().await, 7);
        queue.close();
        assert_eq!(queue.next(sort).await, None);
    }
}
