//! What waits for one channel and what is under way by it: how many at once, how many of them to one address and to one host, and
//! whose turn it is. What began before anybody knew its host goes back into line where that host has no place. It knows no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use tocsin_domain::page::Outcome;
use tocsin_domain::people::ChannelKind;
use tocsin_domain::state::Provider;

use super::Work;

/// Attempts under way at the same time by a channel that has one provider for all its messages.
const AT_ONCE: usize = 16;
/// By a channel whose addresses have servers of their own, of which some may hang.
pub(crate) const AT_ONCE_TO_MANY: usize = 32;
/// To one such address: one that hangs holds so many places of its channel and no more.
const AT_ONCE_TO_ONE: usize = 3;
/// To all addresses of one host.
const AT_ONCE_TO_HOST: usize = 12;
/// Places that an address gets besides, one for each message that it takes, until one gets no answer in time.
const EARNED_BY_ONE_MAX: usize = 5;
/// The same of a host.
const EARNED_BY_HOST_MAX: usize = AT_ONCE_TO_MANY - AT_ONCE_TO_HOST;
/// The last places of a channel: a host that has taken nothing yet has one of them at most, so that several that hang leave some.
const LEFT_TO_OTHERS: usize = 12;
/// The very last: a host has none of them that has anything under way, since one that has taken much may hang from now on.
const LEFT_TO_THE_FIRST: usize = 4;
/// Places of a channel that are there besides, for critical pages alone.
const KEPT_FOR_CRITICAL: usize = 4;
/// The same of one address.
const KEPT_FOR_CRITICAL_TO_ONE: usize = 1;
/// Addresses with nothing to do of which something is remembered, and hosts.
const REMEMBERED_MAX: usize = 4_096;

/// By which channel an attempt is made, and who carries it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) channel: ChannelKind,
    pub(crate) provider: Provider,
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

    /// What is kept for the critical alone counts for them.
    const fn kept(self, places: usize) -> usize {
        match self {
            Self::Critical => places,
            Self::Page | Self::Resolved | Self::Notice | Self::Test => 0,
        }
    }
}

/// One that waits, or waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) since: Instant,
    pub(crate) work: Work,
    pub(crate) route: Route,
    turn: Turn,
    /// How many were under way by the channel when it began, if nobody knew by then where its address is.
    begun_blind: Option<usize>,
}

impl Waiting {
    pub(super) const fn new(turn: Turn, since: Instant, work: Work, route: Route) -> Self {
        Self {
            since,
            work,
            route,
            turn,
            begun_blind: None,
        }
    }
}

/// Whose turn is first: the better rank, then whoever came first.
pub(super) type Turn = (Rank, u64);
/// Those who wait, in the order of their turns.
pub(super) type Line = BTreeMap<Turn, Waiting>;
/// Who begins next, and by whom.
pub(super) type Next = (Turn, Provider);
/// Whose turn is first among addresses: the better rank, then whoever has less under way, then whoever came first.
type Place = (Rank, usize, u64, Provider);

/// What waits for one channel, and what is under way by it.
#[derive(Default)]
pub(super) struct Lane {
    addresses: BTreeMap<Provider, Address>,
    /// The first of each address that somebody waits for.
    order: BTreeSet<Place>,
    hosts: BTreeMap<Arc<str>, Count>,
    under_way: usize,
    waiting: usize,
}

/// One address, or all of a channel that has one provider for them.
#[derive(Default)]
struct Address {
    line: Line,
    count: Count,
    /// Where it is, once it was looked up.
    host: Option<Arc<str>>,
}

impl Address {
    fn place(&self, provider: Provider) -> Option<Place> {
        let (turn, _) = self.line.first_key_value()?;
        let (rank, came) = *turn;
        Some((rank, self.count.under_way, came, provider))
    }
}

/// What is under way to an address or a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    under_way: usize,
    /// Places that it got by taking messages.
    earned: usize,
}

impl Count {
    /// What is under way beside one of them.
    const fn without_one(self) -> Self {
        Self {
            under_way: self.under_way.saturating_sub(1),
            earned: self.earned,
        }
    }

    /// One has ended; none is known of one that ended in a fault of our own.
    fn end(&mut self, outcome: Option<Outcome>, earned_max: usize) {
        self.under_way = self.under_way.saturating_sub(1);
        match outcome {
            Some(Outcome::Accepted) => self.earned = (self.earned + 1).min(earned_max),
            Some(Outcome::TimedOut) => self.earned = 0,
            Some(Outcome::Failed | Outcome::Refused | Outcome::Unanswered) | None => {}
        }
    }
}

/// Whether one more may be under way beside so many by the channel, and beside these to its address and to its host.
const fn leaves_place(rank: Rank, under_way: usize, one: Count, host: Count) -> bool {
    if under_way >= AT_ONCE_TO_MANY {
        // What is kept is for whoever may answer: one that hangs would take it for as long as it hangs.
        return one.under_way == 0 && host.under_way == 0;
    }
    let left = AT_ONCE_TO_MANY - under_way;
    let is_unproved = left <= LEFT_TO_OTHERS && host.earned == 0;
    if host.under_way > 0 && (is_unproved || left <= LEFT_TO_THE_FIRST) {
        return false;
    }
    let (kept, kept_to_one) = (
        rank.kept(KEPT_FOR_CRITICAL),
        rank.kept(KEPT_FOR_CRITICAL_TO_ONE),
    );
    one.under_way < AT_ONCE_TO_ONE + one.earned + kept_to_one
        && host.under_way < AT_ONCE_TO_HOST + host.earned + kept
}

impl Lane {
    pub(super) fn add(&mut self, waiting: Waiting) {
        self.waiting += 1;
        self.change(waiting.route.provider, |address| {
            address.line.insert(waiting.turn, waiting);
        });
    }

    /// The first that may begin now: whoever has no place of their address keeps nobody waiting.
    pub(super) fn first(&self) -> Option<Next> {
        let mut order = self.order.iter();
        let next = order.find(|(rank, _, _, provider)| self.has_place(*rank, *provider));
        next.map(|(rank, _, came, provider)| ((*rank, *came), *provider))
    }

    fn has_place(&self, rank: Rank, provider: Provider) -> bool {
        let kept = rank.kept(KEPT_FOR_CRITICAL);
        match provider {
            Provider::Channel(_) | Provider::Phone => self.under_way < AT_ONCE + kept,
            Provider::Method(_) if self.under_way >= AT_ONCE_TO_MANY + kept => false,
            Provider::Method(_) => {
                let counts = self.counts_of(provider);
                counts.is_some_and(|(one, host)| leaves_place(rank, self.under_way, one, host))
            }
        }
    }

    /// What is under way to an address, and to its host; nothing to one that nobody knows yet.
    fn counts_of(&self, provider: Provider) -> Option<(Count, Count)> {
        let address = self.addresses.get(&provider)?;
        let host = address.host.as_ref().and_then(|host| self.hosts.get(host));
        Some((address.count, host.copied().unwrap_or_default()))
    }

    /// Takes out whose turn it is.
    pub(super) fn begin(&mut self, (turn, provider): Next) -> Option<Waiting> {
        let under_way = self.under_way;
        let begun = self.change(provider, |address| {
            let mut waiting = address.line.remove(&turn)?;
            address.count.under_way += 1;
            waiting.begun_blind = address.host.is_none().then_some(under_way);
            Some(waiting)
        })?;
        self.waiting = self.waiting.saturating_sub(1);
        self.under_way += 1;
        if let Some(host) = self.host_of(provider) {
            host.under_way += 1;
        }
        Some(begun)
    }

    /// One has ended by this provider.
    pub(super) fn end(&mut self, provider: Provider, outcome: Option<Outcome>) {
        self.under_way = self.under_way.saturating_sub(1);
        if let Some(host) = self.host_of(provider) {
            host.end(outcome, EARNED_BY_HOST_MAX);
        }
        self.change(provider, |address| {
            address.count.end(outcome, EARNED_BY_ONE_MAX);
        });
        self.forget();
    }

    /// It was looked up where the address is of one that has begun. Whether it may go on: nobody knew its host before, of which
    /// others may have taken all places meanwhile.
    pub(super) fn learn(&mut self, begun: &Waiting, host: &str) -> bool {
        let provider = begun.route.provider;
        self.place_at(provider, host);
        let (Some(under_way), Some((_, host))) = (begun.begun_blind, self.counts_of(provider))
        else {
            return true;
        };
        let (rank, _) = begun.turn;
        // What went back into line meanwhile takes no place from what stays.
        let under_way = under_way.min(self.under_way.saturating_sub(1));
        // Its address was looked at when it began.
        leaves_place(rank, under_way, Count::default(), host.without_one())
    }

    /// One that has begun goes back into line, where it stood: nothing was sent.
    pub(super) fn put_back(&mut self, begun: Waiting) {
        // First of all, so that its host is not forgotten.
        self.add(begun);
        self.end(begun.route.provider, None);
    }

    fn place_at(&mut self, provider: Provider, host: &str) {
        let Some(address) = self.addresses.get_mut(&provider) else {
            return;
        };
        if address.host.as_deref() == Some(host) {
            return;
        }
        let under_way = address.count.under_way;
        let name: Arc<str> = Arc::from(host);
        let before = address.host.replace(Arc::clone(&name));
        if let Some(before) = before
            && let Some(host) = self.hosts.get_mut(&before)
        {
            host.under_way = host.under_way.saturating_sub(under_way);
        }
        self.hosts.entry(name).or_default().under_way += under_way;
    }

    /// Takes out what has waited too long.
    pub(super) fn take_late(&mut self, is_late: impl Fn(Instant) -> bool) -> Vec<Work> {
        let mut late = Vec::new();
        for (provider, address) in &mut self.addresses {
            let before = address.place(*provider);
            let line = &mut address.line;
            for rank in Rank::ALL {
                // Those of one rank stand in the order in which they came.
                let known = line.range((rank, 0)..=(rank, u64::MAX));
                let known = known.take_while(|(_, waiting)| is_late(waiting.since));
                let turns: Vec<Turn> = known.map(|(turn, _)| *turn).collect();
                let taken = turns.iter().filter_map(|turn| line.remove(turn));
                late.extend(taken.map(|waiting| waiting.work));
            }
            move_place(&mut self.order, before, address.place(*provider));
        }
        self.waiting = self.waiting.saturating_sub(late.len());
        late
    }

    /// How many wait.
    pub(super) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Since when the one waits that has waited for longest.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let firsts = self.lines().flat_map(|line| {
            let ranks = Rank::ALL.into_iter();
            // Those of one rank stand in the order in which they came.
            ranks.filter_map(move |rank| line.range((rank, 0)..=(rank, u64::MAX)).next())
        });
        firsts.map(|(_, waiting)| waiting.since).min()
    }

    /// Changes an address, and its place among the others with it.
    fn change<T>(&mut self, provider: Provider, change: impl FnOnce(&mut Address) -> T) -> T {
        let address = self.addresses.entry(provider).or_default();
        let before = address.place(provider);
        let changed = change(address);
        move_place(&mut self.order, before, address.place(provider));
        changed
    }

    fn host_of(&mut self, provider: Provider) -> Option<&mut Count> {
        let name = self.addresses.get(&provider)?.host.clone()?;
        Some(self.hosts.entry(name).or_default())
    }

    /// Forgets whatever has nothing to do, once that is much.
    fn forget(&mut self) {
        if self.addresses.len() > REMEMBERED_MAX {
            self.addresses
                .retain(|_, address| address.count.under_way > 0 || !address.line.is_empty());
        }
        if self.hosts.len() > REMEMBERED_MAX {
            self.hosts.retain(|_, host| host.under_way > 0);
        }
    }

    /// Everybody who waits.
    fn lines(&self) -> impl Iterator<Item = &Line> {
        let theirs = self.order.iter().map(|(_, _, _, provider)| provider);
        theirs.filter_map(|provider| Some(&self.addresses.get(provider)?.line))
    }
}

fn move_place(order: &mut BTreeSet<Place>, before: Option<Place>, after: Option<Place>) {
    if before == after {
        return;
    }
    if let Some(before) = before {
        order.remove(&before);
    }
    order.extend(after);
}

#[cfg(test)]
mod tests;
