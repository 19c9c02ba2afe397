//! A recording rule's memory: which series it wrote last, and under which labels. It asks nothing itself.

use std::collections::BTreeMap;

use tocsin_promql::{InstantSample, Labels, METRIC_NAME, STALE_NAN_BITS};

use super::evaluate::Moment;
use super::spec::RuleSpec;
use super::step::Produced;

/// The series of the last evaluations.
#[derive(Default)]
pub(crate) struct Recording {
    /// By the labels of the answer: the labels that are written, and the round that saw them last.
    outputs: BTreeMap<Labels, (Labels, u64)>,
    round: u64,
}

impl Recording {
    /// Turns an answer into samples, and ends the series that are no longer in it.
    pub(crate) fn advance(
        &mut self,
        rule: &RuleSpec,
        found: Vec<InstantSample>,
        moment: &Moment<'_>,
    ) -> Result<Vec<Produced>, String> {
        if moment.limit > 0 && found.len() > moment.limit {
            return Err(format!(
                "exceeded limit of {} with {} series",
                moment.limit,
                found.len()
            ));
        }
        self.round += 1;
        let mut samples = Vec::with_capacity(found.len());
        let mut new = Vec::new();
        for sample in found {
            let entry = self.outputs.entry(sample.labels);
            let (labels, round) = entry.or_insert_with_key(|answer| {
                new.push(answer.clone());
                (labels_of(rule, answer), 0)
            });
            *round = self.round;
            samples.push(Produced {
                labels: labels.clone(),
                at_ms: moment.query_at_ms,
                value: sample.value,
            });
        }
        if !new.is_empty() {
            self.refuse_equal(&new)?;
        }
        self.end_missing(moment.query_at_ms, &mut samples);
        Ok(samples)
    }

    /// The series that are alive.
    pub(crate) fn series(&self) -> impl Iterator<Item = &Labels> {
        self.outputs.values().map(|(labels, _)| labels)
    }

    /// Two series of this round with equal labels are an error; what was new is forgotten, so that it is looked at again.
    fn refuse_equal(&mut self, new: &[Labels]) -> Result<(), String> {
        let mut labels: Vec<&Labels> = self
            .outputs
            .values()
            .filter(|(_, round)| *round == self.round)
            .map(|(labels, _)| labels)
            .collect();
        labels.sort_unstable();
        let twice = labels.windows(2).find(|pair| pair[0] == pair[1]);
        let Some(labels) = twice.map(|pair| pair[0].to_string()) else {
            return Ok(());
        };
        for answer in new {
            self.outputs.remove(answer);
        }
        Err(format!(
            "the answer has several series with the same labels after those of the rule were applied: {labels}"
        ))
    }

    fn end_missing(&mut self, at_ms: i64, samples: &mut Vec<Produced>) {
        let round = self.round;
        if self.outputs.values().all(|(_, seen)| *seen == round) {
            return;
        }
        let mut gone = Vec::new();
        self.outputs.retain(|_, (labels, seen)| {
            if *seen != round {
                gone.push(labels.clone());
            }
            *seen == round
        });
        // Another series of the answer may be written under the same labels now.
        gone.retain(|labels| !samples.iter().any(|one| one.labels == *labels));
        samples.extend(gone.into_iter().map(|labels| Produced {
            labels,
            at_ms,
            value: f64::from_bits(STALE_NAN_BITS),
        }));
    }
}

fn labels_of(rule: &RuleSpec, answer: &Labels) -> Labels {
    let mut labels = answer.with(METRIC_NAME, &rule.name);
    for (name, text) in &rule.labels {
        labels = labels.with(name, &text.written);
    }
    labels
}
