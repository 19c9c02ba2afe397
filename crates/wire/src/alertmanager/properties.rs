//! Laws: no bytes make it panic, and what is written is read back.

use proptest::prelude::*;
use tocsin_domain::id::{Entropy, MaintenanceId};
use tocsin_domain::intake::{LabelMatcher, LabelTest};
use tocsin_domain::time::Timestamp;

use super::*;

struct Given(Vec<u8>);

impl Entropy for Given {
    fn fill(&mut self, buffer: &mut [u8]) {
        for (slot, byte) in buffer.iter_mut().zip(&self.0) {
            *slot = *byte;
        }
    }
}

fn matcher() -> impl Strategy<Value = LabelMatcher> {
    let tests = prop_oneof![Just(LabelTest::Equals), Just(LabelTest::Differs)];
    ("[a-z \"\\\\,é]{1,8}", tests, "[a-z \"\\\\,{}=~\n]{0,12}")
        .prop_map(|(name, test, value)| LabelMatcher::new(name, test, value).unwrap())
}

/// As Alertmanager writes it, with its escapes alone.
fn written(matcher: &LabelMatcher) -> String {
    let quoted = |text: &str| {
        let text = text.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{}\"", text.replace('\n', "\\n"))
    };
    let sign = matcher.test.sign();
    format!("{}{sign}{}", quoted(&matcher.name), quoted(&matcher.value))
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in ".{0,80}") {
        let _ = parse_alerts(&bytes, Timestamp::from_millis(0));
        let _ = parse_silence(&bytes);
        let _ = parse_matchers(&text);
        let _ = parse_time(&text);
        let _ = id_of_uuid(&text);
        let _ = AlertQuestion::read([("filter", text.as_str()), ("receiver", text.as_str())].into_iter());
    }

    #[test]
    fn matchers_that_are_written_are_read_back(all in proptest::collection::vec(matcher(), 1..5)) {
        let text: Vec<String> = all.iter().map(written).collect();
        prop_assert_eq!(parse_matchers(&text.join(",")).unwrap(), all.clone());
        prop_assert_eq!(parse_matchers(&format!("{{{}}}", text.join(" , "))).unwrap(), all);
    }

    #[test]
    fn an_instant_that_is_written_is_read_back(micros in -60_000_000_000_000_000_i64..250_000_000_000_000_000) {
        let at = Timestamp::from_micros(micros);
        let read = parse_time(&at.to_rfc3339()).unwrap();
        prop_assert_eq!(read.as_millis(), at.as_millis());
    }

    #[test]
    fn every_id_is_a_uuid_of_its_own(bytes in proptest::collection::vec(any::<u8>(), 13)) {
        let id = MaintenanceId::random(&mut Given(bytes));
        prop_assert_eq!(id_of_uuid(&uuid_of_id(id)), Some(Some(id)));
    }
}
