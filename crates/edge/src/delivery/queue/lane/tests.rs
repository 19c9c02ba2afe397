//! What begins, what waits and for whom places are kept.

use std::time::Duration;

use tocsin_domain::id::{ContactMethodId, Entropy, NotificationId};

use super::*;

const HOST: &str = "ntfy.example:443";

/// Spells a number, in the 32 letters that an id has.
struct Spelling(u32);

impl Entropy for Spelling {
    fn fill(&mut self, buffer: &mut [u8]) {
        for letter in buffer {
            *letter = u8::try_from(self.0 % 32).unwrap();
            self.0 /= 32;
        }
    }
}

fn method(which: u32) -> Provider {
    Provider::Method(ContactMethodId::random(&mut Spelling(which)))
}

/// A webhook.
fn hook(which: u32) -> Route {
    Route {
        channel: ChannelKind::Webhook,
        provider: method(which),
    }
}

/// An attempt of this number comes into the line.
fn add(lane: &mut Lane, number: u32, rank: Rank, route: Route) {
    let work = Work {
        notification: NotificationId::random(&mut Spelling(0)),
        number,
    };
    let turn = (rank, number.into());
    lane.add(Waiting::new(turn, Instant::now(), work, route));
}

/// All that begin now.
fn all_begun(lane: &mut Lane) -> Vec<Waiting> {
    let next = || {
        let next = lane.first()?;
        lane.begin(next)
    };
    std::iter::from_fn(next).collect()
}

/// Their numbers.
fn begun(lane: &mut Lane) -> Vec<u32> {
    let begun = all_begun(lane).into_iter();
    begun.map(|waiting| waiting.work.number).collect()
}

/// It turns out that all of these go to one host; those that it has no place for go back into line.
fn go_to_one_host(lane: &mut Lane, begun: &[Waiting]) {
    for one in begun {
        if !lane.learn(one, HOST) {
            lane.put_back(*one);
        }
    }
}

/// One has ended without an answer.
fn hung(lane: &mut Lane, route: Route) {
    lane.end(route.provider, Some(Outcome::TimedOut));
}

fn waiting(lane: &Lane) -> usize {
    let waiting = lane.lines().map(Line::len).sum();
    assert_eq!(lane.waiting(), waiting);
    waiting
}

#[test]
fn an_address_that_hangs_leaves_the_places_of_its_channel_to_others() {
    let mut lane = Lane::default();
    (1..=40).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
    (41..=42).for_each(|number| add(&mut lane, number, Rank::Notice, hook(2)));
    assert_eq!(begun(&mut lane), [1, 2, 3, 41, 42]);
    hung(&mut lane, hook(1));
    assert_eq!(begun(&mut lane), [4], "in the order in which they came");
    hung(&mut lane, hook(2));
    assert!(begun(&mut lane).is_empty());
    // All end before anybody looks what may begin.
    (0..3).for_each(|_| hung(&mut lane, hook(1)));
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
fn among_equals_whoever_has_less_under_way_is_first() {
    let mut lane = Lane::default();
    (1..=3).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
    (4..=5).for_each(|number| add(&mut lane, number, Rank::Page, hook(2)));
    add(&mut lane, 6, Rank::Critical, hook(1));
    assert_eq!(begun(&mut lane), [6, 4, 1, 5, 2]);
}

#[test]
fn addresses_that_hang_with_two_critical_pages_each_leave_a_place_to_one_that_answers() {
    for is_last in [true, false] {
        let mut lane = Lane::default();
        if !is_last {
            add(&mut lane, 100, Rank::Critical, hook(30));
        }
        (1..=36).for_each(|number| add(&mut lane, number, Rank::Critical, hook(number % 18)));
        let first = begun(&mut lane);
        assert_eq!(first.len(), AT_ONCE_TO_MANY);
        assert_eq!(first.contains(&100), !is_last);
        if is_last {
            add(&mut lane, 100, Rank::Critical, hook(30));
            assert_eq!(begun(&mut lane), [100]);
        }
        // Its next ones neither wait for those that hang.
        for number in 101..=104 {
            add(&mut lane, number, Rank::Critical, hook(30));
            lane.end(hook(30).provider, Some(Outcome::Accepted));
            assert!(begun(&mut lane).contains(&number), "{number}");
        }
    }
}

#[test]
fn nine_topics_of_one_host_that_hangs_take_no_place_from_others() {
    let mut lane = Lane::default();
    let storm = |lane: &mut Lane, from: u32| {
        (from..from + 36).for_each(|number| add(lane, number, Rank::Critical, hook(number % 9)));
    };
    // Nobody knows yet that they are one.
    storm(&mut lane, 1);
    let blind = all_begun(&mut lane);
    assert_eq!(blind.len(), AT_ONCE_TO_MANY);
    go_to_one_host(&mut lane, &blind);
    let share = AT_ONCE_TO_HOST + KEPT_FOR_CRITICAL;
    assert_eq!(lane.under_way, share);
    add(&mut lane, 100, Rank::Critical, hook(30));
    assert_eq!(begun(&mut lane), [100]);
    for topic in 0..9 {
        while lane.addresses[&method(topic)].count.under_way > 0 {
            hung(&mut lane, hook(topic));
        }
    }
    hung(&mut lane, hook(30));
    assert_eq!(lane.under_way, 0);
    // From now on it is known.
    storm(&mut lane, 101);
    assert_eq!(begun(&mut lane).len(), share);
    (201..=216).for_each(|number| add(&mut lane, number, Rank::Page, hook(number)));
    assert_eq!(begun(&mut lane).len(), 16, "others have the rest");
}

#[test]
fn addresses_of_one_host_that_nobody_knew_have_the_places_of_one_host() {
    let mut lane = Lane::default();
    (1..=32).for_each(|number| add(&mut lane, number, Rank::Page, hook(number)));
    let blind = all_begun(&mut lane);
    assert_eq!(blind.len(), AT_ONCE_TO_MANY);
    go_to_one_host(&mut lane, &blind);
    assert_eq!(lane.under_way, AT_ONCE_TO_HOST);
    add(&mut lane, 100, Rank::Page, hook(100));
    assert_eq!(begun(&mut lane), [100], "it goes to another");
    hung(&mut lane, hook(1));
    assert_eq!(begun(&mut lane), [13], "in the order in which they came");
    lane.end(hook(2).provider, Some(Outcome::Accepted));
    assert_eq!(begun(&mut lane), [14, 15], "it answers");
}

/// Begins what may begin, until it is known of each at which of these hosts it is: addresses 1, 4, 7 and so on at the second of three.
fn begin_at(lane: &mut Lane, hosts: &[&str]) {
    let host_of = |provider: Provider| {
        let which = (0..300).find(|which| method(*which) == provider).unwrap();
        hosts[usize::try_from(which).unwrap() % hosts.len()]
    };
    loop {
        let begun = all_begun(lane);
        if begun.is_empty() {
            return;
        }
        for one in begun {
            if !lane.learn(&one, host_of(one.route.provider)) {
                lane.put_back(one);
            }
        }
    }
}

#[test]
fn three_new_hosts_that_hang_leave_places_to_others() {
    for rank in [Rank::Critical, Rank::Page] {
        let mut lane = Lane::default();
        (1..=90).for_each(|number| add(&mut lane, number, rank, hook(number % 30)));
        begin_at(
            &mut lane,
            &["one.example:443", "two.example:443", "three.example:443"],
        );
        assert_eq!(lane.under_way, AT_ONCE_TO_MANY - LEFT_TO_OTHERS);
        (100..=101).for_each(|number| add(&mut lane, number, rank, hook(number)));
        begin_at(&mut lane, &[HOST]);
        assert_eq!(lane.hosts[HOST].under_way, 1, "it may hang, too");
        lane.end(hook(100).provider, Some(Outcome::Accepted));
        (102..=110).for_each(|number| add(&mut lane, number, rank, hook(number)));
        begin_at(&mut lane, &[HOST]);
        let rest = LEFT_TO_OTHERS - LEFT_TO_THE_FIRST;
        assert_eq!(lane.hosts[HOST].under_way, rest, "it answers");
    }
}

#[test]
fn a_host_that_has_taken_much_and_hangs_leaves_places_to_others() {
    let mut lane = Lane::default();
    for number in 1..=30 {
        add(&mut lane, number, Rank::Page, hook(1));
        begin_at(&mut lane, &[HOST]);
        lane.end(hook(1).provider, Some(Outcome::Accepted));
    }
    (101..=160).for_each(|number| add(&mut lane, number, Rank::Page, hook(number)));
    begin_at(&mut lane, &[HOST]);
    assert_eq!(lane.under_way, AT_ONCE_TO_MANY - LEFT_TO_THE_FIRST);
    (200..=203).for_each(|number| add(&mut lane, number, Rank::Page, hook(number)));
    assert_eq!(begun(&mut lane), [200, 201, 202, 203]);
}

#[test]
fn a_place_that_is_kept_is_given_back_by_one_whose_host_has_others_under_way() {
    let mut lane = Lane::default();
    (1..=60).for_each(|number| add(&mut lane, number, Rank::Page, hook(number % 24)));
    let pages = all_begun(&mut lane);
    assert!(lane.learn(&pages[0], HOST));
    (61..=62).for_each(|number| add(&mut lane, number, Rank::Critical, hook(number)));
    let critical = all_begun(&mut lane);
    assert_eq!(lane.under_way, AT_ONCE_TO_MANY + 2);
    assert!(!lane.learn(&critical[0], HOST), "it may hang");
    assert!(lane.learn(&critical[1], "hooks.example:443"));
}

#[test]
fn a_critical_page_begins_also_when_others_have_taken_every_place() {
    let mut lane = Lane::default();
    (1..=60).for_each(|number| add(&mut lane, number, Rank::Page, hook(number % 24)));
    assert_eq!(begun(&mut lane).len(), AT_ONCE_TO_MANY);
    add(&mut lane, 61, Rank::Critical, hook(30));
    add(&mut lane, 62, Rank::Critical, hook(1));
    assert_eq!(begun(&mut lane), [61], "hook 1 may hang");
    // Bounded for them too.
    (63..=90).for_each(|number| add(&mut lane, number, Rank::Critical, hook(number)));
    assert_eq!(begun(&mut lane), [63, 64, 65]);
    assert_eq!(lane.under_way, AT_ONCE_TO_MANY + KEPT_FOR_CRITICAL);
}

#[test]
fn a_critical_page_has_a_place_of_its_own_at_an_address_that_hangs() {
    let mut lane = Lane::default();
    (1..=5).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
    assert_eq!(begun(&mut lane), [1, 2, 3]);
    (6..=7).for_each(|number| add(&mut lane, number, Rank::Critical, hook(1)));
    assert_eq!(begun(&mut lane), [6]);
    hung(&mut lane, hook(1));
    assert_eq!(begun(&mut lane), [7]);
    hung(&mut lane, hook(1));
    assert!(begun(&mut lane).is_empty(), "the fourth is for them alone");
    hung(&mut lane, hook(1));
    assert_eq!(begun(&mut lane), [4]);
}

#[test]
fn an_address_that_answers_gets_more_places_until_it_hangs() {
    let mut lane = Lane::default();
    (1..=60).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
    let mut begun_so_far = begun(&mut lane).len();
    assert_eq!(begun_so_far, AT_ONCE_TO_ONE);
    for answered in 1..=10 {
        lane.end(hook(1).provider, Some(Outcome::Accepted));
        begun_so_far += begun(&mut lane).len();
        let expected = AT_ONCE_TO_ONE + answered.min(EARNED_BY_ONE_MAX);
        assert_eq!(lane.under_way, expected);
    }
    // A refusal is no reason for more, and none for less.
    lane.end(hook(1).provider, Some(Outcome::Refused));
    assert_eq!(begun(&mut lane).len(), 1);
    hung(&mut lane, hook(1));
    assert!(begun(&mut lane).is_empty());
    (0..5).for_each(|_| lane.end(hook(1).provider, None));
    assert_eq!(begun(&mut lane).len(), 1);
    assert_eq!(lane.under_way, AT_ONCE_TO_ONE);
    assert_eq!(begun_so_far + 2 + waiting(&lane), 60);
}

#[test]
fn what_has_waited_too_long_is_taken_out_and_nobody_behind_it_is_forgotten() {
    let mut lane = Lane::default();
    (1..=12).for_each(|number| add(&mut lane, number, Rank::Page, hook(1)));
    assert_eq!(begun(&mut lane), [1, 2, 3]);
    let wait = Duration::from_secs(60);
    let later = Instant::now() + wait;
    let line = &mut lane.addresses.get_mut(&hook(1).provider).unwrap().line;
    line.values_mut().skip(4).for_each(|one| one.since = later);
    let late = lane.take_late(|since| later.duration_since(since) >= wait);
    let late: Vec<u32> = late.iter().map(|work| work.number).collect();
    assert_eq!(late, [4, 5, 6, 7]);
    assert!(begun(&mut lane).is_empty());
    (0..3).for_each(|_| hung(&mut lane, hook(1)));
    assert_eq!(begun(&mut lane), [8, 9, 10]);
    let all = lane.take_late(|_| true);
    assert_eq!(all.len(), 2);
    assert!(lane.order.is_empty());
}

#[test]
fn only_so_many_addresses_and_hosts_with_nothing_to_do_are_remembered() {
    let mut lane = Lane::default();
    let all = (0_u32..).take(REMEMBERED_MAX + 1);
    lane.addresses = all.map(|one| (method(one), Address::default())).collect();
    assert!(lane.addresses.len() > REMEMBERED_MAX);
    add(&mut lane, 1, Rank::Page, hook(250));
    let begun = all_begun(&mut lane);
    assert!(lane.learn(&begun[0], HOST));
    lane.end(hook(250).provider, Some(Outcome::Accepted));
    assert_eq!(lane.addresses.len(), 0);
}
