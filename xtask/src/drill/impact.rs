//! Compares the postmortem's numbers of hurt requests and users with the traffic's own count, which Tocsin never sees.

use serde_json::{Value, json};

use super::record::Record;
use super::traffic::Truth;

/// A number that is known to lie between two others, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Range {
    low: u64,
    high: u64,
}

impl Range {
    fn covers(self, number: usize) -> bool {
        u64::try_from(number).is_ok_and(|number| (self.low..=self.high).contains(&number))
    }
}

/// Checks that what the postmortem states of failed requests covers what the users met, for all and for premium users.
pub(crate) fn check(record: &mut Record, truth: &Truth, facts: &Value) {
    let impact = &facts["impact"];
    let all = stated(
        &impact["recorded"]["value"]["failed"],
        &impact["expected"]["value"]["requests"],
    );
    let premium = stated(
        &tier(&impact["tiers"])["counts"]["failed"],
        &tier(&impact["expected"]["value"]["tiers"])["requests"],
    );
    record.extra["stated"] = json!({
        "requests_failed": {"low": all.low, "high": all.high},
        "premium_requests_failed": {"low": premium.low, "high": premium.high},
    });
    for (name, range, counted) in [
        ("failed requests", all, truth.failed),
        ("failed premium requests", premium, truth.premium_failed),
    ] {
        let detail = format!("stated {} to {}, counted {counted}", range.low, range.high);
        record.check(
            &format!("{name} are covered"),
            range.covers(counted),
            detail,
        );
    }
}

/// What was logged as failed, and what was to be expected while nothing was logged.
fn stated(recorded: &Value, expected: &Value) -> Range {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    let logged = number(recorded);
    Range {
        low: logged + number(&expected["low"]),
        high: logged + number(&expected["high"]),
    }
}

fn tier(tiers: &Value) -> &Value {
    static NONE: Value = Value::Null;
    tiers
        .as_array()
        .into_iter()
        .flatten()
        .find(|tier| tier["tier"] == "premium")
        .unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_range(facts: Value, failed: usize, premium_failed: usize, expected: bool) {
        let truth = Truth {
            failed,
            premium_failed,
            ..Truth::default()
        };
        let mut record = Record::begin("kill", 0, "");
        check(&mut record, &truth, &facts);
        assert_eq!(record.close().is_ok(), expected, "{facts}");
    }

    #[test]
    fn the_truth_must_lie_between_what_was_logged_and_expected() {
        let facts = json!({"impact": {
            "recorded": {"value": {"failed": 10}},
            "tiers": [{"tier": "premium", "counts": {"failed": 2}}],
            "expected": {"value": {
                "requests": {"low": 300, "high": 340},
                "tiers": [{"tier": "premium", "requests": {"low": 50, "high": 75}}],
            }},
        }});
        check_range(facts.clone(), 310, 52, true);
        check_range(facts.clone(), 350, 77, true);
        check_range(facts.clone(), 309, 60, false);
        check_range(facts, 330, 78, false);
    }

    #[test]
    fn nothing_stated_covers_nothing_but_no_harm() {
        check_range(json!({}), 0, 0, true);
        check_range(json!({}), 1, 0, false);
    }
}
