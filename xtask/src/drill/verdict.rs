//! Whether what happened is what should have: one incident, one page a channel, a true name, true numbers. It waits for
//! nothing and changes nothing.

use serde_json::{Value, json};

use super::breaks::Break;
use super::chain::Play;
use super::impact;
use super::inbox::Inbox;
use super::record::Record;
use crate::clock::{self, Millis};
use crate::failure::{Outcome, fail};

impl Play<'_> {
    /// One page a channel; after the repair at most the news that it is over. Each crash of Tocsin may repeat a page once.
    pub(crate) fn judge_pages(
        &self,
        record: &mut Record,
        incident: &Value,
        repaired_at: Millis,
    ) -> Outcome<()> {
        let repeats = usize::from(self.options.crash_tocsin.is_some());
        let mails = arrivals(&self.tocsin.mails, record.broken_at, repaired_at);
        let calls = arrivals(&self.tocsin.calls, record.broken_at, repaired_at);
        for (channel, (before, after)) in [("mail", mails), ("webhook", calls)] {
            let right = (1..=1 + repeats).contains(&before) && after <= 1;
            let detail = format!("{before} before the repair, {after} after it");
            record.check(&format!("one page by {channel}"), right, detail);
        }
        let Some(pages) = incident["pages"].as_array() else {
            fail!("the incident shows no pages")
        };
        for channel in ["email", "webhook"] {
            let states: Vec<&str> = pages
                .iter()
                .filter(|page| page["purpose"] == "page" && page["channel"] == channel)
                .filter_map(|page| page["state"].as_str())
                .collect();
            let right = states == ["delivered"];
            record.check(
                &format!("one {channel} page on record"),
                right,
                states.join(", "),
            );
        }
        Ok(())
    }

    pub(crate) fn judge_incidents(&self, record: &mut Record) -> Outcome<()> {
        let all = self.tocsin.api.list("/incidents?status=all&limit=50")?;
        let titles = all.iter().filter_map(|incident| incident["title"].as_str());
        let titles = titles.collect::<Vec<_>>().join("; ");
        record.check("one incident", all.len() == 1, titles);
        Ok(())
    }

    /// Compares with the traffic's own count. After a crash of Tocsin its view has a gap that no test can foresee.
    pub(crate) fn judge_impact(&self, record: &mut Record, how: Break, id: &str) -> Outcome<()> {
        let truth = self
            .stage
            .traffic
            .truth(record.broken_at - 3_000, clock::now());
        record.extra["truth"] = json!({
            "attempts": truth.attempts,
            "failed": truth.failed,
            "premium_failed": truth.premium_failed,
            "users_failed": truth.users_failed,
            "premium_users_failed": truth.premium_users_failed,
            "not_sent": truth.not_sent,
        });
        if truth.not_sent > 0 {
            let detail = format!("{} logins were not sent", truth.not_sent);
            record.check("the traffic kept up", false, detail);
        }
        if how.hurts_users() && self.options.crash_tocsin.is_none() {
            let path = format!("/incidents/{id}/postmortem?format=json&length=full");
            impact::check(record, &truth, &self.tocsin.api.get(&path)?);
        }
        Ok(())
    }
}

/// Whether the incident's title says what failed, and nothing else.
pub(crate) fn judge_title(record: &mut Record, incident: &Value, how: Break) {
    let title = incident["title"].as_str().unwrap_or_default();
    let lower = title.to_lowercase();
    let named = how.names().iter().any(|word| lower.contains(word));
    let misnamed = how.wrong_names().iter().any(|word| lower.contains(word));
    record.check("named for what it is", named && !misnamed, title);
}

/// How many arrived from the break to the repair, and later.
fn arrivals<T: Clone>(inbox: &Inbox<T>, broken_at: Millis, repaired_at: Millis) -> (usize, usize) {
    let arrivals = inbox.since(broken_at);
    let before = arrivals
        .iter()
        .filter(|arrival| arrival.at < repaired_at)
        .count();
    (before, arrivals.len() - before)
}
