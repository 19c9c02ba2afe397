//! What is stored of an answer, and of one that fails.

use std::time::Instant;

use super::super::client::Fetched;
use super::super::failure::Failure;
use super::super::memory::Memory;
use super::super::sample::{Done, Scrape};
use super::*;

/// A target that is scraped by hand.
struct Hand {
    job: Job,
    target: Target,
    memory: Memory,
    book: Book,
    at_ms: i64,
}

impl Hand {
    fn new(lines: &str) -> Self {
        let job = job(lines);
        Self {
            target: target(&job, "h:1"),
            job,
            memory: Memory::default(),
            book: Book::default(),
            at_ms: 0,
        }
    }

    fn finish(&mut self, fetched: Result<Fetched, Failure>) -> Done {
        self.at_ms += 15_000;
        let scrape = Scrape {
            job: &self.job,
            target: &self.target,
            at_ms: self.at_ms,
            begun: Instant::now(),
            body_bytes_max: 1_000,
        };
        scrape.finish(fetched, &mut self.memory, &self.book)
    }

    fn answer(&mut self, content_type: Option<&str>, body: &[u8]) -> Done {
        self.finish(Ok(Fetched {
            body: body.to_vec(),
            gzip: false,
            content_type: content_type.map(str::to_owned),
            _room: Vec::new(),
        }))
    }

    fn text(&mut self, body: &str) -> Done {
        self.answer(Some("text/plain; version=0.0.4"), body.as_bytes())
    }

    /// Scrapes a text and tells what was stored, without the reports.
    #[track_caller]
    fn check(&mut self, body: &str, expected: &[&str]) {
        let done = self.text(body);
        assert!(done.failure.is_none(), "{:?}", done.failure);
        assert_eq!(self.book.samples(), expected, "{body}");
    }

    /// Fails a scrape and tells why, and what was stored.
    #[track_caller]
    fn check_failure(&mut self, done: &Done, words: &str, expected: &[&str]) {
        let failure = done.failure.as_ref().map(ToString::to_string);
        let failure = failure.unwrap_or_default();
        assert!(failure.contains(words), "{failure:?} instead of {words:?}");
        let lines = self.book.taken();
        assert_eq!(reports(&lines)["up"], "0");
        let lines = lines
            .iter()
            .filter(|line| !line.starts_with("scrape_") && !line.starts_with("up{"));
        assert_eq!(lines.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn an_answer_is_stored_with_its_reports_at_one_time() {
    let mut hand = Hand::new("");
    hand.text("# TYPE a counter\n# HELP a Help.\na{x=\"1\"} 5\nb 7 1234\n");
    assert_eq!(
        hand.book.taken(),
        [
            "# a counter Help.",
            "a{instance=h:1 job=web x=1} 5 @15000",
            "b{instance=h:1 job=web} 7 @1234",
            "scrape_samples_post_metric_relabeling{instance=h:1 job=web} 2 @15000",
            "scrape_samples_scraped{instance=h:1 job=web} 2 @15000",
            "scrape_series_added{instance=h:1 job=web} 2 @15000",
            "up{instance=h:1 job=web} 1 @15000",
        ]
    );
    hand.text("# TYPE a counter\n# HELP a Help.\na{x=\"1\"} 6\n");
    let lines = hand.book.taken();
    assert_eq!(reports(&lines)["scrape_series_added"], "0");
    assert!(
        !lines[0].starts_with('#'),
        "what is known of metrics is told when it changes: {lines:?}"
    );
}

#[test]
fn series_that_vanish_are_ended_and_may_come_back() {
    let mut hand = Hand::new("");
    hand.check(
        "a 1\nb 1\nc 1\n",
        &[
            "a{instance=h:1 job=web} 1 @15000",
            "b{instance=h:1 job=web} 1 @15000",
            "c{instance=h:1 job=web} 1 @15000",
        ],
    );
    hand.check(
        "c 2\na 2\n",
        &[
            "a{instance=h:1 job=web} 2 @30000",
            "b{instance=h:1 job=web} stale @30000",
            "c{instance=h:1 job=web} 2 @30000",
        ],
    );
    hand.check(
        "d 3\nb 3\na 3\nc 3\n",
        &[
            "a{instance=h:1 job=web} 3 @45000",
            "b{instance=h:1 job=web} 3 @45000",
            "c{instance=h:1 job=web} 3 @45000",
            "d{instance=h:1 job=web} 3 @45000",
        ],
    );
}

#[test]
fn a_failed_scrape_ends_everything_once() {
    let mut hand = Hand::new("");
    hand.text("a 1\n");
    hand.book.taken();
    let done = hand.finish(Err(Failure::Connection("refused".to_owned())));
    hand.check_failure(&done, "refused", &["a{instance=h:1 job=web} stale @30000"]);
    let done = hand.finish(Err(Failure::Connection("refused".to_owned())));
    hand.check_failure(&done, "refused", &[]);
    hand.check("a 4\n", &["a{instance=h:1 job=web} 4 @60000"]);
}

#[test]
fn an_answer_that_cannot_be_read_stores_nothing_of_it() {
    let mut hand = Hand::new("");
    hand.text("a 1\n");
    hand.book.taken();
    let ended = |at: u32| vec![format!("a{{instance=h:1 job=web}} stale @{at}")];
    let done = hand.text("a 2\nb{ 3\n");
    hand.check_failure(&done, "line 2", &[&*ended(30_000)[0]]);
    let done = hand.answer(None, b"a 1\n");
    hand.check_failure(&done, "no Content-Type", &[]);
    let done = hand.answer(Some("text/html"), b"<html>");
    hand.check_failure(&done, "text/html", &[]);
    let done = hand.answer(Some("text/plain"), b"a{b=\"\xff\"} 1\n");
    hand.check_failure(&done, "no UTF-8", &[]);
    let done = hand.answer(
        Some("application/openmetrics-text; version=1.0.0"),
        b"a 1\n",
    );
    hand.check_failure(&done, "# EOF", &[]);
    let done = hand.answer(Some("application/vnd.google.protobuf"), b"\x05abc");
    hand.check_failure(&done, "metric family 0", &[]);
}

#[test]
fn the_fallback_reads_what_does_not_tell_its_format() {
    let mut hand = Hand::new("    fallback_scrape_protocol: PrometheusText0.0.4\n");
    let done = hand.answer(None, b"a 1\n");
    assert!(done.failure.is_none());
    assert_eq!(hand.book.samples(), ["a{instance=h:1 job=web} 1 @15000"]);
}

#[test]
fn times_of_the_exporter_count_unless_the_job_says_otherwise() {
    let mut hand = Hand::new("    honor_timestamps: false\n");
    hand.check("a 1 1234\n", &["a{instance=h:1 job=web} 1 @15000"]);
    // A series with times of its own has no end that Tocsin could know.
    let mut hand = Hand::new("");
    hand.check("a 1 1234\n", &["a{instance=h:1 job=web} 1 @1234"]);
    hand.check("", &[]);
    let mut hand = Hand::new("    track_timestamps_staleness: true\n");
    hand.check("a 1 1234\n", &["a{instance=h:1 job=web} 1 @1234"]);
    hand.check("", &["a{instance=h:1 job=web} stale @30000"]);
}

#[test]
fn relabelled_series_are_counted_before_and_after() {
    let mut hand = Hand::new(
        "    extra_scrape_metrics: true\n    sample_limit: 9\n    metric_relabel_configs: [{source_labels: [__name__], regex: 'go_.*', action: drop}]\n",
    );
    hand.text("go_a 1\ngo_b 1\nc 1\n");
    let told = reports(&hand.book.taken());
    let number = |name: &str| told[name].as_str();
    assert_eq!(number("scrape_samples_scraped"), "3");
    assert_eq!(number("scrape_samples_post_metric_relabeling"), "1");
    assert_eq!(number("scrape_series_added"), "1");
    assert_eq!(number("scrape_timeout_seconds"), "10");
    assert_eq!(number("scrape_sample_limit"), "9");
    assert_eq!(number("scrape_body_size_bytes"), "18");
}

#[test]
fn limits_fail_the_whole_scrape() {
    let mut hand = Hand::new("    sample_limit: 2\n    label_limit: 4\n");
    hand.check(
        "a 1\nb 1\n",
        &[
            "a{instance=h:1 job=web} 1 @15000",
            "b{instance=h:1 job=web} 1 @15000",
        ],
    );
    let done = hand.text("a 1\nb 1\nc 1\n");
    let ended = [
        "a{instance=h:1 job=web} stale @30000",
        "b{instance=h:1 job=web} stale @30000",
    ];
    hand.check_failure(&done, "sample_limit is 2", &ended);
    let done = hand.text("a{x=\"1\",y=\"2\"} 1\n");
    hand.check_failure(&done, "label_limit is 4", &[]);
    hand.check("a 1\n", &["a{instance=h:1 job=web} 1 @60000"]);
}

#[test]
fn labels_of_a_push_gateway_are_honoured_even_empty_ones() {
    let mut hand = Hand::new("    honor_labels: true\n");
    hand.check(
        "a{instance=\"\",job=\"batch\"} 1\n",
        &["a{job=batch} 1 @15000"],
    );
}

#[test]
fn two_series_of_the_same_labels_end_only_when_both_are_gone() {
    let mut hand = Hand::new("    metric_relabel_configs: [{regex: x, action: labeldrop}]\n");
    hand.text("a{x=\"1\"} 1\na{x=\"2\"} 2\n");
    hand.book.taken();
    hand.check("a{x=\"2\"} 3\n", &["a{instance=h:1 job=web} 3 @30000"]);
    hand.check("", &["a{instance=h:1 job=web} stale @45000"]);
}

#[test]
fn what_was_not_stored_is_no_end_of_a_series() {
    let mut hand = Hand::new("");
    hand.text("a 1\n");
    hand.book.taken();
    *hand.book.refuses.lock().unwrap() = Some("the disk is full".to_owned());
    let done = hand.text("a 2\n");
    assert!(
        done.failure
            .unwrap()
            .to_string()
            .contains("the disk is full")
    );
    *hand.book.refuses.lock().unwrap() = None;
    hand.check(
        "b 3\n",
        &[
            "a{instance=h:1 job=web} stale @45000",
            "b{instance=h:1 job=web} 3 @45000",
        ],
    );
}

#[test]
fn what_failing_answers_bring_is_not_remembered() {
    let mut hand = Hand::new("    sample_limit: 1\n");
    for round in 0..50 {
        hand.text(&format!("a{{x=\"{round}\"}} 1\nb{{x=\"{round}\"}} 1\n"));
    }
    hand.book.taken();
    hand.text("c 1\n");
    assert_eq!(reports(&hand.book.taken())["scrape_series_added"], "1");
    assert!(hand.memory.alive().len() == 1);
}

#[test]
fn exemplars_follow_their_series() {
    let mut hand = Hand::new(
        "    metric_relabel_configs: [{source_labels: [__name__], regex: 'a_total', action: drop}]\n",
    );
    let body = "# TYPE a counter\na_total 1 # {t=\"1\"} 1\n# TYPE b counter\nb_total 1 # {t=\"2\"} 2\n# EOF\n";
    let done = hand.answer(Some("application/openmetrics-text"), body.as_bytes());
    assert!(done.failure.is_none(), "{:?}", done.failure);
    let lines = hand.book.taken();
    let exemplars: Vec<&String> = lines.iter().filter(|line| line.starts_with('!')).collect();
    assert_eq!(exemplars, ["! \"b_total\" 2"]);
}
