//! Messages that wait to be sent: pages before everything else, a few at a time by each channel and fewer to each address that
//! has a server of its own, and to its host. It never blocks who adds.

mod lane;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tocsin_domain::id::NotificationId;
use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tokio::sync::Notify;

use crate::lock::lock;
use lane::Lane;

pub(crate) use lane::{AT_ONCE_TO_MANY, Rank, Route, Waiting};

/// One attempt to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Work {
    /// Which message.
    pub notification: NotificationId,
    /// Which attempt, from 1.
    pub number: u32,
}

#[derive(Default)]
struct Lanes {
    fresh: VecDeque<(Instant, Work)>,
    by_channel: BTreeMap<ChannelKind, Lane>,
    /// How many were ever put in line.
    came: u64,
    closed: bool,
}

/// The queue; cheap to clone.
#[derive(Clone, Default)]
pub struct Queue(Arc<(Mutex<Lanes>, Notify)>);

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Lanes> {
        lock(&self.0.0)
    }

    /// Adds an attempt to make. Never waits, may be called from any thread. What is here was committed before, so the core's
    /// own limits on messages bound it.
    pub fn push(&self, work: Work) {
        self.lock().fresh.push_back((Instant::now(), work));
        self.0.1.notify_one();
    }

    /// How long the oldest message waits for its turn.
    #[must_use]
    pub fn oldest(&self, now: Instant) -> Duration {
        let lanes = self.lock();
        let sorted = lanes.by_channel.values().filter_map(Lane::oldest);
        let fresh = lanes.fresh.front().map(|(since, _)| *since);
        let oldest = sorted.chain(fresh).min();
        oldest.map_or(Duration::ZERO, |since| now.duration_since(since))
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
        let sorted = lanes.by_channel.values().map(Lane::waiting);
        lanes.fresh.len() + sorted.sum::<usize>()
    }

    /// The next attempt that may begin. `sort` tells rank and route of one that was just added; `None` from it drops the
    /// attempt. Ends with `None` once closed.
    pub(crate) async fn next(
        &self,
        sort: impl Fn(Work) -> Option<(Rank, Route)>,
    ) -> Option<Waiting> {
        loop {
            let fresh = std::mem::take(&mut self.lock().fresh);
            // The core's state is read without holding our lock.
            let sorted: Vec<_> = fresh
                .into_iter()
                .filter_map(|(since, work)| Some((since, work, sort(work)?)))
                .collect();
            {
                let mut lanes = self.lock();
                for (since, work, (rank, route)) in sorted {
                    lanes.came += 1;
                    let turn = (rank, lanes.came);
                    let lane = lanes.by_channel.entry(route.channel).or_default();
                    lane.add(Waiting::new(turn, since, work, route));
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
        let is_late = |since| now.duration_since(since) >= wait;
        let mut lanes = self.lock();
        let lanes = lanes.by_channel.values_mut();
        lanes.flat_map(|lane| lane.take_late(is_late)).collect()
    }

    /// An attempt has ended, so or in a fault of our own; its channel and its provider have a place again.
    pub(crate) fn done(&self, route: Route, outcome: Option<Outcome>) {
        if let Some(lane) = self.lock().by_channel.get_mut(&route.channel) {
            lane.end(route.provider, outcome);
        }
        self.0.1.notify_one();
    }

    /// It was looked up where the address is of an attempt that has begun. Whether it may go on; else it is to be put back.
    pub(crate) fn learn(&self, begun: &Waiting, host: &str) -> bool {
        let mut lanes = self.lock();
        let lane = lanes.by_channel.get_mut(&begun.route.channel);
        lane.is_none_or(|lane| lane.learn(begun, host))
    }

    /// An attempt that has begun waits for a place again: nothing was sent.
    pub(crate) fn put_back(&self, begun: Waiting) {
        if let Some(lane) = self.lock().by_channel.get_mut(&begun.route.channel) {
            lane.put_back(begun);
        }
        self.0.1.notify_one();
    }
}

/// The first of all channels that have a place.
fn take(lanes: &mut Lanes) -> Option<Waiting> {
    let by_channel = lanes.by_channel.iter();
    let first = by_channel.filter_map(|(channel, lane)| Some((lane.first()?, *channel)));
    let (next, channel) = first.min()?;
    lanes.by_channel.get_mut(&channel)?.begin(next)
}

#[cfg(test)]
mod tests {
    use tocsin_domain::id::{ContactMethodId, Entropy};
    use tocsin_domain::state::Provider;

    use super::*;

    struct Filling(u8);

    impl Entropy for Filling {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    fn work(number: u32) -> Work {
        Work {
            notification: NotificationId::random(&mut Filling(0)),
            number,
        }
    }

    async fn next(
        queue: &Queue,
        sort: impl Fn(Work) -> Option<(Rank, Route)>,
    ) -> Option<(Route, Work)> {
        let next = queue.next(sort).await?;
        Some((next.route, next.work))
    }

    #[tokio::test]
    async fn pages_go_first_and_a_full_channel_holds_up_nobody_else() {
        let works: Vec<Work> = (1..=20).map(work).collect();
        let route = |channel| Route {
            channel,
            provider: Provider::Channel(channel),
        };
        let (mail, ntfy) = (route(ChannelKind::Email), route(ChannelKind::Ntfy));
        let sort = |work: Work| {
            let index = works.iter().position(|one| *one == work).unwrap();
            Some(match index {
                18 => (Rank::Critical, mail),
                0 => (Rank::Test, mail),
                1 => (Rank::Resolved, mail),
                19 => (Rank::Test, ntfy),
                _ => (Rank::Page, mail),
            })
        };
        let queue = Queue::default();
        works.iter().for_each(|work| queue.push(*work));
        for expected in works[18..19].iter().chain(&works[2..17]) {
            assert_eq!(next(&queue, sort).await, Some((mail, *expected)));
        }
        assert_eq!(
            next(&queue, sort).await,
            Some((ntfy, works[19])),
            "the mail channel is full"
        );
        queue.done(mail, Some(Outcome::Accepted));
        assert_eq!(next(&queue, sort).await, Some((mail, works[17])));
        queue.done(mail, Some(Outcome::Accepted));
        assert_eq!(
            next(&queue, sort).await,
            Some((mail, works[1])),
            "resolved before tests"
        );
        assert_eq!(queue.waiting(), 1);
        let wait = Duration::from_secs(3_600);
        assert!(queue.oldest(Instant::now() + wait) >= wait);
        assert_eq!(queue.overdue(wait, Instant::now()), []);
        assert_eq!(queue.overdue(wait, Instant::now() + wait), [works[0]]);
        assert_eq!(queue.waiting(), 0);
        assert_eq!(queue.oldest(Instant::now()), Duration::ZERO);
        queue.close();
        assert_eq!(next(&queue, sort).await, None);
    }

    #[tokio::test]
    async fn an_address_that_hangs_keeps_its_own_messages_waiting_until_they_are_too_late() {
        let hook = |which| Route {
            channel: ChannelKind::Webhook,
            provider: Provider::Method(ContactMethodId::random(&mut Filling(which))),
        };
        let (hangs, answers) = (hook(1), hook(2));
        // The last goes to another.
        let sort = |work: Work| Some((Rank::Page, if work.number == 6 { answers } else { hangs }));
        let queue = Queue::default();
        (1..=6).for_each(|number| queue.push(work(number)));
        for (route, number) in [(hangs, 1), (answers, 6), (hangs, 2), (hangs, 3)] {
            assert_eq!(next(&queue, sort).await, Some((route, work(number))));
        }
        queue.done(answers, Some(Outcome::Accepted));
        assert_eq!(queue.waiting(), 2);
        queue.done(hangs, Some(Outcome::TimedOut));
        let before = Instant::now();
        let begun = queue.next(sort).await.unwrap();
        assert_eq!((begun.route, begun.work), (hangs, work(4)));
        assert!(begun.since <= before, "it tells how long it waited");
        let wait = Duration::from_secs(16);
        assert_eq!(queue.overdue(wait, begun.since + wait * 2), [work(5)]);
        assert_eq!(queue.waiting(), 0);
        // Those under way are none of them, and their places come back.
        (0..3).for_each(|_| queue.done(hangs, None));
        (7..=9).for_each(|number| queue.push(work(number)));
        for number in 7..=9 {
            assert_eq!(next(&queue, sort).await, Some((hangs, work(number))));
        }
    }
    #[tokio::test]
    async fn a_channel_full_of_addresses_that_hang_keeps_the_canary_waiting_as_any_page() {
        let canarys = crate::delivery::canary::turn().unwrap();
        let hook = |which| Route {
            channel: ChannelKind::Webhook,
            provider: Provider::Method(ContactMethodId::random(&mut Filling(which))),
        };
        let places = u32::try_from(AT_ONCE_TO_MANY).unwrap();
        let (canary, critical) = (work(places), work(places + 1));
        // Three to each address.
        let sort = |work: Work| {
            let route = hook(u8::try_from(work.number / 3).unwrap());
            Some(match work {
                work if work == canary => canarys,
                work if work == critical => (Rank::Critical, hook(31)),
                _ => (Rank::Page, route),
            })
        };
        let queue = Queue::default();
        (0..places).for_each(|number| queue.push(work(number)));
        for number in 0..places {
            let begun = next(&queue, sort).await.unwrap();
            assert!(begun.1.number < places, "{number}");
        }
        queue.push(canary);
        queue.push(critical);
        // What is kept for critical pages is not for the canary.
        assert_eq!(next(&queue, sort).await, Some((hook(31), critical)));
        assert_eq!(queue.waiting(), 1);
        let wait = Duration::from_secs(9);
        assert_eq!(queue.overdue(wait, Instant::now() + wait), [canary]);
        queue.push(canary);
        queue.done(hook(31), Some(Outcome::Accepted));
        queue.done(hook(0), Some(Outcome::TimedOut));
        assert_eq!(next(&queue, sort).await, Some((canarys.1, canary)));
    }
}
