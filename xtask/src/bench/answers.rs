//! What the drivers and the measured servers print, read into numbers; it runs nothing and asks nobody.

use serde_json::Value;

use crate::failure::{Because, Failure, Outcome, fail};

/// What `rw_load.py` measured.
#[derive(Debug, PartialEq)]
pub(crate) struct Load {
    /// The server's CPU seconds per million samples.
    pub(crate) cpu_s_per_million: f64,
    pub(crate) samples: u64,
}

/// What `promql_bench.py` measured of one query.
#[derive(Debug, PartialEq)]
pub(crate) struct Query {
    /// `A` to `F`.
    pub(crate) letter: char,
    /// The server's CPU milliseconds, the mean of all runs.
    pub(crate) cpu_ms: f64,
    /// Wall clock as the client sees it, the median of all runs.
    pub(crate) wall_ms: f64,
    pub(crate) series: u64,
    pub(crate) points: u64,
}

/// Reads the line of `rw_load.py`; a load with errors measured something else.
pub(crate) fn load(output: &str) -> Outcome<Load> {
    let line = only_line(output)?;
    refuse_errors(&line)?;
    Ok(Load {
        cpu_s_per_million: number(&line, "cpu_s_per_M")?,
        samples: count(&line, "samples")?,
    })
}

/// Reads the line of `rw_load.py` where only that all arrived matters.
pub(crate) fn fed(output: &str) -> Outcome<()> {
    refuse_errors(&only_line(output)?)
}

fn refuse_errors(line: &Value) -> Outcome<()> {
    if count(line, "errors")? > 0 {
        fail!(
            "{} requests of the load failed, first of all with {}",
            line["errors"],
            line["first_errors"]
        );
    }
    Ok(())
}

/// Reads the lines of `promql_bench.py`, one a query.
pub(crate) fn queries(output: &str) -> Outcome<Vec<Query>> {
    let lines = output.lines().filter(|line| !line.trim().is_empty());
    let queries: Outcome<Vec<Query>> = lines.map(query).collect();
    match queries {
        Ok(queries) if queries.is_empty() => fail!("promql_bench.py printed nothing"),
        Ok(_) | Err(_) => queries,
    }
}

fn query(line: &str) -> Outcome<Query> {
    let line = json(line)?;
    let name = line["query"].as_str().unwrap_or_default();
    let Some(letter) = name.chars().next() else {
        fail!("a query without its name: {line}");
    };
    let series = count(&line, "series")?;
    if line["status"] != "success" || series == 0 {
        fail!("query {name} got no answer to measure: {line}");
    }
    Ok(Query {
        letter,
        cpu_ms: number(&line, "cpu_ms_mean")?,
        wall_ms: number(&line, "median_ms")?,
        series,
        points: count(&line, "points")?,
    })
}

/// Reads the line of `rules_time.py`: how many rules there were, and the median of a cycle's evaluation in milliseconds.
pub(crate) fn rules(output: &str) -> Outcome<(u64, f64)> {
    let line = only_line(output)?;
    Ok((count(&line, "rules")?, number(&line, "median_ms")?))
}

/// Bytes and samples in what `tocsin store compact` prints.
pub(crate) fn compacted(output: &str) -> Outcome<(u64, u64)> {
    let line = only_line(output)?;
    Ok((count(&line, "block_bytes")?, count(&line, "samples")?))
}

/// Samples of a block by its `meta.json` (Prometheus).
pub(crate) fn block_samples(meta: &str) -> Outcome<u64> {
    count(&json(meta)?["stats"], "numSamples")
}

/// The sum of a metric in the text exposition format, over the series whose label `type` begins with `kind`.
pub(crate) fn sum_of_metric(text: &str, metric: &str, kind: &str) -> f64 {
    let lines = text.lines().filter_map(|line| line.strip_prefix(metric));
    let lines = lines.filter_map(|rest| rest.strip_prefix('{')?.split_once('}'));
    lines
        .filter(|(labels, _)| labels.contains(&format!("type=\"{kind}")))
        .filter_map(|(_, value)| value.trim().parse::<f64>().ok())
        .sum()
}

fn only_line(output: &str) -> Outcome<Value> {
    let mut lines = output.lines().filter(|line| !line.trim().is_empty());
    match (lines.next(), lines.next()) {
        (Some(line), None) => json(line),
        (_, _) => fail!("one line of JSON was expected, not:\n{output}"),
    }
}

fn json(text: &str) -> Outcome<Value> {
    serde_json::from_str(text).because(format!("reading JSON in `{}`", text.trim_end()))
}

fn number(line: &Value, field: &str) -> Outcome<f64> {
    let found = line[field].as_f64();
    found.ok_or_else(|| Failure::new(format!("no number `{field}` in {line}")))
}

fn count(line: &Value, field: &str) -> Outcome<u64> {
    let found = line[field].as_u64();
    found.ok_or_else(|| Failure::new(format!("no count `{field}` in {line}")))
}

/// The middle of some figures; the mean of the two in the middle when their number is even. None of nothing.
pub(crate) fn median(mut figures: Vec<f64>) -> Option<f64> {
    figures.sort_by(f64::total_cmp);
    let middle = figures.len() / 2;
    let upper = *figures.get(middle)?;
    if figures.len() % 2 == 1 {
        return Some(upper);
    }
    figures.get(middle - 1).map(|lower| (lower + upper) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOADED: &str = r#"{"series": 2000, "samples": 3840000, "wall_s": 9.5, "cpu_s_per_M": 0.481, "errors": 0,
        "first_errors": [], "rss_mib": [61, 70, 50]}"#;

    fn one_line(text: &str) -> String {
        text.replace('\n', " ")
    }

    #[test]
    fn a_load_is_read_and_one_with_errors_is_refused() {
        let output = one_line(LOADED);
        let expected = Load {
            cpu_s_per_million: 0.481,
            samples: 3_840_000,
        };
        assert_eq!(load(&output).unwrap(), expected);
        let failed = output.replace("\"errors\": 0", "\"errors\": 2");
        let failed = failed.replace("[]", "[\"429 b'too much'\"]");
        let why = load(&failed).unwrap_err().to_string();
        assert!(
            why.contains("2 requests") && why.contains("too much"),
            "{why}"
        );
        let without_pid = output.replace("0.481", "null");
        let why = load(&without_pid).unwrap_err().to_string();
        assert!(why.contains("cpu_s_per_M"), "{why}");
    }

    #[test]
    fn what_is_no_single_line_of_json_is_refused_with_what_it_was() {
        for output in ["", "Traceback", "{}\n{}"] {
            let why = load(output).unwrap_err().to_string();
            assert!(why.contains(output), "{why}");
        }
        assert!(fed("{\"live\": 20, \"errors\": 0, \"first_errors\": []}\n").is_ok());
        assert!(fed("{\"live\": 20, \"errors\": 1, \"first_errors\": [\"x\"]}\n").is_err());
    }

    #[test]
    fn queries_are_known_by_their_letter_and_must_have_an_answer() {
        let answered = r#"{"query": "B the same, one path: 20 series", "status": "success", "series": 20, "points": 7220,
            "first_ms": 9.1, "min_ms": 4.0, "median_ms": 4.5, "max_ms": 6.0, "cpu_ms_mean": 3.3}"#;
        let answered = one_line(answered);
        let expected = Query {
            letter: 'B',
            cpu_ms: 3.3,
            wall_ms: 4.5,
            series: 20,
            points: 7_220,
        };
        assert_eq!(queries(&answered).unwrap(), [expected]);
        assert_eq!(
            queries(&format!("{answered}\n{answered}\n")).unwrap().len(),
            2
        );
        for refused in [
            answered.replace("success", "error"),
            answered.replace("\"series\": 20", "\"series\": 0"),
            String::new(),
        ] {
            assert!(queries(&refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn rules_blocks_and_metrics_are_read() {
        let output = "{\"rules\": 1000, \"groups\": 1, \"cycles\": 12, \"median_ms\": 148.5}\n";
        assert_eq!(rules(output).unwrap(), (1_000, 148.5));
        let output = "{\"samples\":3840000,\"block_bytes\":4000000,\"bytes_per_sample\":1.0417}\n";
        assert_eq!(compacted(output).unwrap(), (4_000_000, 3_840_000));
        let meta = r#"{"ulid": "01", "stats": {"numSamples": 960000, "numSeries": 2000}}"#;
        assert_eq!(block_samples(meta).unwrap(), 960_000);
        let text = "vm_rows{type=\"storage/big\"} 40\nvm_rows{type=\"storage/small\"} 2\n\
                    vm_rows{type=\"indexdb\"} 9\nvm_rows_added_total{type=\"storage/x\"} 7\n";
        assert_eq!(sum_of_metric(text, "vm_rows", "storage/"), 42.0);
        assert_eq!(sum_of_metric(text, "vm_rows", ""), 51.0);
    }

    #[test]
    fn the_median_stands_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0]), Some(2.5));
    }
}
