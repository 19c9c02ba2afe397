//! Who rests, for how long, and what ends it.

use tocsin_domain::id::Entropy;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn a() -> By {
    By::Account("a".to_owned())
}

/// The ids of rows of the vault, by number.
struct Row(usize);

impl Entropy for Row {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            // An id has 32 letters.
            *byte = u8::try_from(self.0 % 32).unwrap();
            self.0 /= 32;
        }
    }
}

fn address(number: usize) -> By {
    By::Address(SecretId::random(&mut Row(number)))
}

fn fail(rests: &Rests, times: u32, now: Instant) {
    for _ in 0..times {
        rests.ended(&a(), &Report::failed("no"), now);
    }
}

fn asking(asked_ms: u64) -> Report {
    Report {
        retry_after_ms: Some(asked_ms),
        ..Report::failed("too many")
    }
}

#[test]
fn an_account_that_keeps_failing_rests_and_then_one_message_tries_it() {
    let (rests, start) = (Rests::default(), Instant::now());
    fail(&rests, PROVIDER_FAILURES_MAX - 1, start);
    assert_eq!(rests.rest(&a(), start), Rest::Awake);
    rests.ended(&a(), &Report::new(Outcome::TimedOut, "silence"), start);
    assert_eq!(rests.rest(&a(), start), Rest::Failing);
    let other = By::Account("b".to_owned());
    assert_eq!(rests.rest(&other, start), Rest::Awake);
    assert_eq!(rests.rest(&a(), start + REST - SECOND), Rest::Failing);
    let later = start + REST;
    assert_eq!(rests.rest(&a(), later), Rest::Awake);
    rests.begins(&a(), later);
    let waits = "the others wait for what becomes of it";
    assert_eq!(rests.rest(&a(), later), Rest::Failing, "{waits}");
    rests.ended(&a(), &Report::accepted("yes"), later);
    assert_eq!(rests.rest(&a(), later), Rest::Awake);
    fail(&rests, PROVIDER_FAILURES_MAX - 1, later);
    assert_eq!(rests.rest(&a(), later), Rest::Awake, "it is counted anew");
}

#[test]
fn a_trial_of_which_nothing_is_heard_is_followed_by_another() {
    let (rests, start) = (Rests::default(), Instant::now());
    fail(&rests, PROVIDER_FAILURES_MAX, start);
    rests.begins(&a(), start + REST);
    assert_eq!(rests.rest(&a(), start + REST * 2 - SECOND), Rest::Failing);
    assert_eq!(rests.rest(&a(), start + REST * 2), Rest::Awake);
}

#[test]
fn whoever_asks_is_left_alone_for_that_long_and_no_longer_than_a_minute() {
    let now = Instant::now();
    for by in [a(), address(1)] {
        let check = |asked_ms: u64, expected_ms: u64| {
            let rests = Rests::default();
            rests.ended(&by, &asking(asked_ms), now);
            let until = now + Duration::from_millis(expected_ms);
            let expected = if expected_ms == 0 {
                Rest::Awake
            } else {
                Rest::Asked(until)
            };
            assert_eq!(rests.rest(&by, now), expected, "{asked_ms}");
            assert_eq!(rests.rest(&by, until), Rest::Awake, "{asked_ms}");
        };
        check(0, 0);
        check(20_000, 20_000);
        check(3_600_000, RETRY_WAIT_MS_MAX);
    }
}

#[test]
fn what_was_sent_before_an_account_asked_does_not_end_what_it_asked_for() {
    let (rests, now) = (Rests::default(), Instant::now());
    rests.ended(&a(), &asking(20_000), now);
    let until = now + SECOND * 20;
    for report in [
        Report::accepted("yes"),
        Report::refused("no"),
        Report::failed("no"),
        Report::new(Outcome::TimedOut, "silence"),
        asking(5_000),
    ] {
        rests.ended(&a(), &report, now);
        assert_eq!(rests.rest(&a(), now), Rest::Asked(until), "{report:?}");
    }
    rests.ended(&a(), &asking(30_000), now);
    assert_eq!(rests.rest(&a(), until), Rest::Asked(now + SECOND * 30));
}

#[test]
fn an_address_asks_for_itself_alone_and_does_not_rest_for_its_failures() {
    let (rests, now) = (Rests::default(), Instant::now());
    for _ in 0..=PROVIDER_FAILURES_MAX {
        rests.ended(&address(1), &Report::failed("no"), now);
    }
    assert_eq!(rests.rest(&address(1), now), Rest::Awake);
    rests.ended(&address(1), &asking(20_000), now);
    assert_eq!(rests.rest(&address(1), now), Rest::Asked(now + SECOND * 20));
    assert_eq!(rests.rest(&address(2), now), Rest::Awake);
}

#[test]
fn only_so_many_addresses_are_remembered_until_their_time_is_over() {
    let (rests, now) = (Rests::default(), Instant::now());
    for number in 0..=ADDRESSES_MAX {
        rests.ended(&address(number), &asking(20_000), now);
    }
    assert_eq!(rests.rest(&address(ADDRESSES_MAX), now), Rest::Awake);
    assert_eq!(rests.lock().addresses.len(), ADDRESSES_MAX);
    let later = now + SECOND * 20;
    rests.ended(&address(ADDRESSES_MAX), &asking(20_000), later);
    let until = later + SECOND * 20;
    assert_eq!(
        rests.rest(&address(ADDRESSES_MAX), later),
        Rest::Asked(until)
    );
    assert_eq!(rests.lock().addresses.len(), 1);
}

#[test]
fn a_refusal_is_an_answer() {
    let (rests, now) = (Rests::default(), Instant::now());
    fail(&rests, PROVIDER_FAILURES_MAX - 1, now);
    rests.ended(&a(), &Report::refused("no"), now);
    fail(&rests, 1, now);
    assert_eq!(rests.rest(&a(), now), Rest::Awake);
}
