//! What a query gave, as Prometheus' API writes it. It is where answers of many points are made, so each point costs little
//! more than its digits. It knows no request.

use tocsin_promql::{Answer, InstantSample, Labels, RangeSeries, Value};

use super::json::Json;
use super::number::{write_float, write_seconds};
use super::refusal::Refusal;
use super::reply::{self, Bound};

const BOUND: Bound = Bound::new("aggregate, narrow its matchers, or use a longer step");
/// Bytes that are set aside at first, at most.
const BYTES_FIRST_MAX: usize = 32 * 1024 * 1024;
/// What a point and the labels of a series take, about.
const POINT_BYTES: usize = 32;
const SERIES_BYTES: usize = 160;

/// How long the parts of the work took, for clients that ask for it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timings {
    /// Waiting for its turn, seconds.
    pub(crate) queue_s: f64,
    /// Evaluating, seconds.
    pub(crate) evaluation_s: f64,
}

/// The bytes of the answer. Of `limit` series or samples more are left out, with a remark.
pub(crate) fn bytes(
    answer: Answer,
    at_ms: i64,
    limit: usize,
    timings: Option<Timings>,
) -> Result<Vec<u8>, Refusal> {
    let Answer {
        mut value,
        mut notes,
    } = answer;
    if cut(&mut value, limit) {
        notes.push(reply::truncated());
    }
    reply::try_envelope(capacity(&value), &notes, |json| {
        json.begin_object();
        result(json, &value, at_ms)?;
        if let Some(timings) = timings {
            stats(json, timings);
        }
        json.end_object();
        Ok(())
    })
}

/// Leaves out what is beyond the limit; whether there was any.
fn cut(value: &mut Value, limit: usize) -> bool {
    match value {
        Value::Scalar(_) | Value::Text(_) => false,
        Value::Vector(samples) => {
            let more = samples.len() > limit;
            samples.truncate(limit);
            more
        }
        Value::Matrix(series) => {
            let more = series.len() > limit;
            series.truncate(limit);
            more
        }
    }
}

fn capacity(value: &Value) -> usize {
    let (series, points) = match value {
        Value::Scalar(_) | Value::Text(_) => (1, 1),
        Value::Vector(samples) => (samples.len(), samples.len()),
        Value::Matrix(series) => {
            let points = series.iter().map(|one| one.points.len()).sum();
            (series.len(), points)
        }
    };
    (series * SERIES_BYTES + points * POINT_BYTES + 256).min(BYTES_FIRST_MAX)
}

fn result(json: &mut Json, value: &Value, at_ms: i64) -> Result<(), Refusal> {
    let kind = match value {
        Value::Scalar(_) => "scalar",
        Value::Text(_) => "string",
        Value::Vector(_) => "vector",
        Value::Matrix(_) => "matrix",
    };
    json.named_text("resultType", kind);
    json.name("result");
    match value {
        Value::Scalar(value) => {
            json.begin_list();
            json.seconds(at_ms);
            json.float_text(*value);
            json.end_list();
            Ok(())
        }
        Value::Text(text) => {
            json.begin_list();
            json.seconds(at_ms);
            json.text(text);
            json.end_list();
            Ok(())
        }
        Value::Vector(samples) => vector(json, samples, at_ms),
        Value::Matrix(series) => matrix(json, series),
    }
}

fn metric(json: &mut Json, labels: &Labels) {
    json.name("metric");
    json.labels(labels.iter());
}

fn vector(json: &mut Json, samples: &[InstantSample], at_ms: i64) -> Result<(), Refusal> {
    json.begin_list();
    for sample in samples {
        json.begin_object();
        metric(json, &sample.labels);
        json.name("value");
        json.begin_list();
        json.seconds(at_ms);
        json.float_text(sample.value);
        json.end_list();
        json.end_object();
        BOUND.check(json.len())?;
    }
    json.end_list();
    Ok(())
}

fn matrix(json: &mut Json, series: &[RangeSeries]) -> Result<(), Refusal> {
    let mut stamps = Stamps::default();
    json.begin_list();
    for one in series {
        json.begin_object();
        metric(json, &one.labels);
        json.name("values");
        json.begin_list();
        json.run(|out| points(out, &one.points, &mut stamps));
        json.end_list();
        json.end_object();
        BOUND.check(json.len())?;
    }
    json.end_list();
    Ok(())
}

fn points(out: &mut Vec<u8>, points: &[(i64, f64)], stamps: &mut Stamps) {
    stamps.rewind();
    let mut separator: &[u8] = b"[";
    for (at_ms, value) in points {
        out.extend_from_slice(separator);
        stamps.write(out, *at_ms);
        write_float(out, *value);
        out.extend_from_slice(b"\"]");
        separator = b",[";
    }
}

/// The times of a range query, written once and copied for each series: all series have theirs on one grid.
#[derive(Default)]
struct Stamps {
    /// Times in order, each with the end of its text.
    times: Vec<(i64, usize)>,
    /// `1700000000,"` of each time, one after the other.
    texts: Vec<u8>,
    next: usize,
}

impl Stamps {
    fn rewind(&mut self) {
        self.next = 0;
    }

    /// Appends a time, the comma behind it and the quotation mark of its value.
    fn write(&mut self, out: &mut Vec<u8>, at_ms: i64) {
        while self
            .times
            .get(self.next)
            .is_some_and(|(known, _)| *known < at_ms)
        {
            self.next += 1;
        }
        let begin = match self.next.checked_sub(1) {
            None => 0,
            Some(before) => self.times.get(before).map_or(0, |(_, end)| *end),
        };
        match self.times.get(self.next) {
            Some((known, end)) if *known == at_ms => {
                out.extend_from_slice(self.texts.get(begin..*end).unwrap_or_default());
                self.next += 1;
            }
            // It is not on the grid of the series before.
            Some(_) => stamp(out, at_ms),
            None => {
                stamp(&mut self.texts, at_ms);
                self.times.push((at_ms, self.texts.len()));
                out.extend_from_slice(self.texts.get(begin..).unwrap_or_default());
                self.next += 1;
            }
        }
    }
}

fn stamp(out: &mut Vec<u8>, at_ms: i64) {
    write_seconds(out, at_ms);
    out.extend_from_slice(b",\"");
}

fn stats(json: &mut Json, timings: Timings) {
    json.name("stats");
    json.begin_object();
    json.name("timings");
    json.begin_object();
    let total_s = timings.queue_s + timings.evaluation_s;
    for (name, seconds) in [
        ("evalTotalTime", timings.evaluation_s),
        ("execQueueTime", timings.queue_s),
        ("execTotalTime", total_s),
    ] {
        json.name(name);
        // Times are finite, so this is a number of JSON too.
        json.run(|out| write_float(out, seconds));
    }
    json.end_object();
    json.end_object();
}

#[cfg(test)]
mod tests {
    use tocsin_promql::Note;

    use super::*;

    fn labels(pairs: &[(&'static str, &'static str)]) -> Labels {
        pairs.iter().copied().collect()
    }

    fn check(value: Value, limit: usize, expected: &str) {
        let notes: Vec<Note> = Vec::new();
        let bytes = bytes(Answer { value, notes }, 1_500, limit, None).unwrap();
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn each_kind_of_result_has_its_shape() {
        check(
            Value::Scalar(f64::NAN),
            9,
            r#"{"status":"success","data":{"resultType":"scalar","result":[1.500,"NaN"]}}"#,
        );
        check(
            Value::Text("a\"b".to_owned()),
            9,
            r#"{"status":"success","data":{"resultType":"string","result":[1.500,"a\"b"]}}"#,
        );
        check(
            Value::Vector(vec![InstantSample {
                labels: labels(&[("__name__", "up"), ("job", "a")]),
                value: 1.0,
            }]),
            9,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[1.500,"1"]}]}}"#,
        );
        check(
            Value::Vector(Vec::new()),
            9,
            r#"{"status":"success","data":{"resultType":"vector","result":[]}}"#,
        );
    }

    #[test]
    fn series_of_one_range_may_begin_and_end_anywhere_on_its_grid_and_off_it() {
        let series = |points: &[(i64, f64)]| RangeSeries {
            labels: Labels::default(),
            points: points.to_vec(),
        };
        check(
            Value::Matrix(vec![
                series(&[(1_000, 0.5), (2_000, 1.0)]),
                series(&[(2_000, 2.0), (3_000, 3.0)]),
                series(&[
                    (500, 4.0),
                    (1_000, 5.0),
                    (2_500, 6.0),
                    (3_000, 7.0),
                    (4_000, 8.0),
                ]),
                series(&[]),
            ]),
            9,
            concat!(
                r#"{"status":"success","data":{"resultType":"matrix","result":["#,
                r#"{"metric":{},"values":[[1,"0.5"],[2,"1"]]},"#,
                r#"{"metric":{},"values":[[2,"2"],[3,"3"]]},"#,
                r#"{"metric":{},"values":[[0.500,"4"],[1,"5"],[2.500,"6"],[3,"7"],[4,"8"]]},"#,
                r#"{"metric":{},"values":[]}]}}"#
            ),
        );
    }

    #[test]
    fn what_is_beyond_the_limit_is_left_out_and_said_to_be() {
        let one = || RangeSeries {
            labels: Labels::default(),
            points: vec![(0, 0.0)],
        };
        check(
            Value::Matrix(vec![one(), one()]),
            1,
            r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[0,"0"]]}]},"warnings":["results truncated due to limit"]}"#,
        );
    }

    #[test]
    fn timings_are_told_to_who_asks() {
        let answer = Answer {
            value: Value::Scalar(1.0),
            notes: Vec::new(),
        };
        let timings = Timings {
            queue_s: 0.25,
            evaluation_s: 0.5,
        };
        let bytes = bytes(answer, 0, 1, Some(timings)).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["data"]["stats"]["timings"]["execTotalTime"], 0.75);
    }
}
