//! What waits for one channel and what is under way by it: how many at once, how many of them to one address, and whose turn it
//! is. It knows no clock.

use std::collections::BTreeMap;
use std::time::Instant;

use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::Provider;

use super::Work;

/// Attempts under way at the same time by a channel that has one provider for all its messages.
const AT_ONCE: usize = 16;
/// By a channel whose addresses are servers of their own, of which some may hang.
const AT_ONCE_TO_MANY: usize = 32;
/// To one such address: one that hangs holds so many places of its channel and no more.
const AT_ONCE_TO_ONE: usize = 3;
/// Places of a channel that are there besides, for critical pages alone.
const KEPT_FOR_CRITICAL: usize = 4;
/// The same of one address.
const KEPT_FOR_CRITICAL_TO_ONE: usize = 1;

/// By which channel an attempt is made, and who carries it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) channel: ChannelKind,
    pub(crate) provider: Provider,
}

impl Route {
    /// How many attempts of this rank may be under way by the channel.
    fn places(self, rank: Rank) -> usize {
        let places = match self.provider {
            Provider::Channel(_) | Provider::Phone => AT_ONCE,
            Provider::Method(_) => AT_ONCE_TO_MANY,
        };
        match rank {
            Rank::Critical => places + KEPT_FOR_CRITICAL,
            Rank::Page | Rank::Resolved | Rank::Notice | Rank::Test => places,
        }
    }

    /// How many of them by one provider.
    fn places_of_one(self, rank: Rank) -> usize {
        match (self.provider, rank) {
            (Provider::Channel(_) | Provider::Phone, _) => self.places(rank),
            (Provider::Method(_), Rank::Critical) => AT_ONCE_TO_ONE + KEPT_FOR_CRITICAL_TO_ONE,
            (Provider::Method(_), Rank::Page | Rank::Resolved | Rank::Notice | Rank::Test) => {
                AT_ONCE_TO_ONE
            }
        }
    }
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

impl Rank {
    const ALL: [Self; 5] = [
        Self::Critical,
        Self::Page,
        Self::Resolved,
        Self::Notice,
        Self::Test,
    ];
}

/// One that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) since: Instant,
    pub(super) work: Work,
    pub(super) route: Route,
}

/// Whose turn is first: the better rank, then whoever came first.
pub(super) type Turn = (Rank, u64);
/// Those who wait, in the order of their turns.
pub(super) type Line = BTreeMap<Turn, Waiting>;

/// What waits for one channel, and what is under way by it.
#[derive(Default)]
pub(super) struct Lane {
    /// Who may begin once the channel has a place.
    line: Line,
    /// Who waits for a place of a provider that has none, so that nobody stands behind them meanwhile.
    held: BTreeMap<Provider, Line>,
    under_way: usize,
    under_way_by: BTreeMap<Provider, usize>,
}

impl Lane {
    pub(super) fn add(&mut self, turn: Turn, waiting: Waiting) {
        self.line.insert(turn, waiting);
    }

    /// The turn of the first that may begin now. Whoever stands before it without a place of their provider is set aside.
    pub(super) fn first(&mut self) -> Option<Turn> {
        loop {
            let (turn, waiting) = self.line.first_key_value()?;
            let (turn, route) = (*turn, waiting.route);
            if self.under_way >= route.places(turn.0) {
                return None;
            }
            if self.count(route.provider) < route.places_of_one(turn.0) {
                return Some(turn);
            }
            let (turn, waiting) = self.line.pop_first()?;
            let held = self.held.entry(route.provider).or_default();
            held.insert(turn, waiting);
        }
    }

    /// Takes out whose turn it is.
    pub(super) fn begin(&mut self, turn: Turn) -> Option<(Route, Work)> {
        let Waiting { work, route, .. } = self.line.remove(&turn)?;
        self.under_way += 1;
        *self.under_way_by.entry(route.provider).or_default() += 1;
        Some((route, work))
    }

    /// One has ended by this provider.
    pub(super) fn end(&mut self, provider: Provider) {
        self.under_way = self.under_way.saturating_sub(1);
        let left = self.count(provider).saturating_sub(1);
        if left == 0 {
            self.under_way_by.remove(&provider);
        } else {
            self.under_way_by.insert(provider, left);
        }
        self.let_back(provider);
    }

    /// As many of those set aside as the provider has places stand in line again, at their own places in it.
    fn let_back(&mut self, provider: Provider) {
        let count = self.count(provider);
        let Some(held) = self.held.get_mut(&provider) else {
            return;
        };
        for _ in count..AT_ONCE_TO_ONE + KEPT_FOR_CRITICAL_TO_ONE {
            let Some((turn, waiting)) = held.pop_first() else {
                break;
            };
            self.line.insert(turn, waiting);
        }
        if held.is_empty() {
            self.held.remove(&provider);
        }
    }

    /// Takes out what has waited too long.
    pub(super) fn take_late(&mut self, is_late: impl Fn(Instant) -> bool) -> Vec<Work> {
        let mut late = Vec::new();
        for line in std::iter::once(&mut self.line).chain(self.held.values_mut()) {
            for rank in Rank::ALL {
                // Those of one rank stand in the order in which they came.
                let known = line.range((rank, 0)..=(rank, u64::MAX));
                let known = known.take_while(|(_, waiting)| is_late(waiting.since));
                let turns: Vec<Turn> = known.map(|(turn, _)| *turn).collect();
                let taken = turns.iter().filter_map(|turn| line.remove(turn));
                late.extend(taken.map(|waiting| waiting.work));
            }
        }
        if !late.is_empty() {
            // Those who would have let them back may have been taken out of the line.
            let providers: Vec<Provider> = self.held.keys().copied().collect();
            providers.into_iter().for_each(|one| self.let_back(one));
        }
        late
    }

    /// How many are under way by one provider.
    fn count(&self, provider: Provider) -> usize {
        let count = self.under_way_by.get(&provider);
        count.copied().unwrap_or_default()
    }

    /// Everybody who waits.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line> {
        std::iter::once(&self.line).chain(self.held.values())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tocsin_domain::id::{ContactMethodId, Entropy, NotificationId};

    use super::*;

    struct Filling(u8);

    impl Entropy for Filling {
        fn fill(&mut self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    /// A webhook; up to 32 are different ones.
    fn hook(which: u32) -> Route {
        let id = ContactMethodId::random(&mut Filling(u8::try_from(which).unwrap()));
        Route {
            channel: ChannelKind::Webhook,
            provider: Provider::Method(id),
        }
    }

    /// An attempt of this number comes into the line.
    fn add(lane: &mut Lane, number: u32, rank: Rank, route: Route) {
        let work = Work {
            notification: NotificationId::random(&mut Filling(0)),
            number,
        };
        let since = Instant::now();
        lane.add((rank, number.into()), Waiting { since, work, route });
    }

    /// The numbers of all that begin now.
    fn begun(lane: &mut Lane) -> Vec<u32> {
        let next = || {
            let turn = lane.first()?;
            lane.begin(turn)
        };
        let begun = std::iter::from_fn(next);
        begun.map(|(_, work)| work.number).collect()
    }

    fn waiting(lane: &Lane) -> usize {
        lane.lines().map(Line::len).sum()
    }

    #[test]
    fn an_address_that_hangs_leaves_the_places_of_its_channel_to_others() {
        let mut lane = Lane::default();
        (1..=40).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
        (41..=42).for_each(|number| add(&mut lane, number, Rank::Notice, hook(2)));
        assert_eq!(begun(&mut lane), [1, 2, 3, 41, 42]);
        lane.end(hook(1).provider);
        assert_eq!(begun(&mut lane), [4], "in the order in which they came");
        lane.end(hook(2).provider);
        assert!(begun(&mut lane).is_empty());
        // All end before anybody looks what may begin.
        (0..3).for_each(|_| lane.end(hook(1).provider));
        assert_eq!(begun(&mut lane), [5, 6, 7]);
        assert_eq!((lane.under_way, waiting(&lane)), (4, 33));
    }

    #[test]
    fn two_dozen_addresses_that_hang_delay_no_critical_page() {
        let mut lane = Lane::default();
        (1..=24).for_each(|number| add(&mut lane, number, Rank::Critical, hook(number % 24)));
        add(&mut lane, 25, Rank::Critical, hook(30));
        assert_eq!(begun(&mut lane).len(), 25);
    }

    #[test]
    fn a_critical_page_begins_also_when_others_have_taken_every_place() {
        let mut lane = Lane::default();
        (1..=60).for_each(|number| add(&mut lane, number, Rank::Page, hook(number % 24)));
        assert_eq!(begun(&mut lane).len(), AT_ONCE_TO_MANY);
        add(&mut lane, 61, Rank::Critical, hook(30));
        add(&mut lane, 62, Rank::Critical, hook(1));
        assert_eq!(begun(&mut lane), [61, 62]);
        // Bounded for them too.
        (63..=90).for_each(|number| add(&mut lane, number, Rank::Critical, hook(number % 24)));
        assert_eq!(begun(&mut lane), [63, 64]);
        assert_eq!(lane.under_way, AT_ONCE_TO_MANY + KEPT_FOR_CRITICAL);
    }

    #[test]
    fn a_critical_page_has_a_place_of_its_own_at_an_address_that_hangs() {
        let mut lane = Lane::default();
        (1..=5).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
        assert_eq!(begun(&mut lane), [1, 2, 3]);
        (6..=7).for_each(|number| add(&mut lane, number, Rank::Critical, hook(1)));
        assert_eq!(begun(&mut lane), [6]);
        lane.end(hook(1).provider);
        assert_eq!(begun(&mut lane), [7]);
        lane.end(hook(1).provider);
        assert!(begun(&mut lane).is_empty(), "the fourth is for them alone");
        lane.end(hook(1).provider);
        assert_eq!(begun(&mut lane), [4]);
    }

    #[test]
    fn nobody_is_forgotten_when_those_before_them_have_waited_too_long() {
        let mut lane = Lane::default();
        (1..=22).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
        assert_eq!(begun(&mut lane), [1, 2, 3]);
        (0..3).for_each(|_| lane.end(hook(1).provider));
        let wait = Duration::from_secs(60);
        let later = Instant::now() + wait;
        let held = lane.held.values_mut().flat_map(Line::values_mut);
        held.for_each(|one| one.since = later);
        let late = lane.take_late(|since| later.duration_since(since) >= wait);
        let late: Vec<u32> = late.iter().map(|work| work.number).collect();
        assert_eq!(late, [4, 5, 6, 7, 8, 9, 10, 11, 12]);
        assert_eq!(begun(&mut lane), [13, 14, 15]);
    }
}
