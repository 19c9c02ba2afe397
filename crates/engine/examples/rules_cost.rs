//! What a rule costs besides its query: a thousand rules of which none fires, and what a step takes when nothing arrived for
//! them. Run it with `cargo run --release -p tocsin-engine --example rules_cost`.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::sync::Arc;
use std::time::Instant;

use tocsin_domain::time::Timestamp;
use tocsin_domain::write::Arrived;
use tocsin_engine::rules::{AlertSpec, GroupSpec, Kind, NoData, Reading, RuleSpec, Rules};
use tocsin_promql::{Labels, Limits, PlainChunk, Query, Select, SeriesData, Source, SourceError};

const RULES: usize = 1_000;
const CYCLES: i64 = 200;

/// One series that answers every question.
struct One(SeriesData);

impl Source for One {
    fn select(&self, _: &Select<'_>) -> Result<Vec<SeriesData>, SourceError> {
        Ok(vec![self.0.clone()])
    }
}

fn source() -> One {
    let labels: Labels = [("__name__", "load"), ("instance", "web-1")]
        .into_iter()
        .collect();
    let times: Vec<i64> = (0..CYCLES * 2).map(|at| at * 15_000).collect();
    let values = vec![1.0; times.len()];
    One(SeriesData {
        labels,
        chunks: vec![Arc::new(PlainChunk::new(times, values))],
    })
}

fn group() -> Result<GroupSpec, tocsin_promql::ParseError> {
    let spec = AlertSpec {
        for_ms: 60_000,
        keep_firing_for_ms: 0,
        annotations: Vec::new(),
        recovery: None,
        no_data: NoData::Ok,
        no_data_after_ms: 0,
        service: None,
    };
    let rules = (0..RULES).map(|at| {
        let query = Query::parse(&format!("load{{instance=\"web-{at}\"}} > 1e9"))?;
        Ok(Arc::new(RuleSpec {
            name: format!("A{at}"),
            query,
            labels: Vec::new(),
            kind: Kind::Alert(Box::new(spec.clone())),
        }))
    });
    Ok(GroupSpec {
        name: "cost".to_owned(),
        file: "cost.yml".to_owned(),
        interval_ms: 15_000,
        limit: 0,
        query_offset_ms: 0,
        rules: rules.collect::<Result<_, _>>()?,
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (source, group) = (source(), group()?);
    let queries = group.rules.clone();
    let begun = Instant::now();
    let clock_us = move || u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let mut rules = Rules::new(
        vec![group],
        Reading::Whole,
        Vec::new(),
        Timestamp::from_millis(0),
    );
    let mut evaluated = 0;
    let from = clock_us();
    for cycle in 1..CYCLES {
        let now = Timestamp::from_millis(cycle * 15_000);
        while rules.next_due(now).is_some_and(|due| due <= now) {
            evaluated += rules.step(now, &source, &clock_us).evaluated as u64;
        }
    }
    let steps_us = clock_us() - from;
    let from = clock_us();
    for cycle in 1..CYCLES {
        for rule in &queries {
            rule.query
                .instant(&source, cycle * 15_000, &Limits::default())?;
        }
    }
    let queries_us = clock_us() - from;
    let other = Arrived {
        metrics: vec![Arc::from("other")],
        newest_ms: Some(0),
    };
    let from = clock_us();
    for _ in 0..100_000 {
        rules.arrived(&other, Timestamp::from_millis(0));
    }
    let idle_us = clock_us() - from;
    let each = |all_us: u64| all_us * 1_000 / evaluated.max(1);
    println!(
        "{evaluated} evaluations: {} ns each, of which the query takes {} ns",
        each(steps_us),
        each(queries_us)
    );
    println!("an arrival that no rule needs: {} ns", idle_us / 100);
    Ok(())
}
