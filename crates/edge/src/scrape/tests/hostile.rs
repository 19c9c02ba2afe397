//! Exporters that misbehave: each costs a failed scrape and bounded memory, and says why.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Semaphore;

use super::super::client::{Fetched, JobClient, PERMITS};
use super::super::failure::Failure;
use super::super::memory::Memory;
use super::super::sample::Scrape;
use super::exporter::{Exporter, Manner, answer};
use super::*;

/// Long enough for the loopback; a scrape that hangs ends with the paused clock.
const TIMEOUT: Duration = Duration::from_secs(10);

async fn fetch(lines: &str, url: &str, room: usize) -> Result<Fetched, Failure> {
    crate::tls::install_provider();
    let job = job(lines);
    let client = JobClient::new(&job, &super::super::everywhere()).unwrap();
    client
        .fetch(url, TIMEOUT, &Arc::new(Semaphore::new(room)))
        .await
}

/// What a scrape of an exporter with this manner fails with; everything up to what would be stored.
async fn failure_of(lines: &str, manner: Manner) -> String {
    let exporter = Exporter::start(|_| vec![manner]).await;
    let fetched = fetch(lines, &exporter.url(), PERMITS).await;
    let job = job(lines);
    let target = target(&job, "h:1");
    let scrape = Scrape {
        job: &job,
        target: &target,
        at_ms: 1_000,
        begun: Instant::now(),
        body_bytes_max: JobClient::new(&job, &super::super::everywhere())
            .unwrap()
            .body_bytes_max(),
    };
    let (mut memory, book) = (Memory::default(), Book::default());
    let done = scrape.finish(fetched, &mut memory, &book);
    assert_eq!(reports(&book.taken())["up"], "0");
    done.failure
        .map(|failure| failure.to_string())
        .unwrap_or_default()
}

const PLAIN: (&str, &str) = ("content-type", "text/plain; version=0.0.4");

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n".to_vec();
    let endless = Manner::Endless(head, b"a 1\n".repeat(10_000));
    let failure = failure_of("    body_size_limit: 1MB\n", endless).await;
    assert_eq!(
        failure,
        "the answer has more than 1048576 bytes (body_size_limit)"
    );
}

#[tokio::test]
async fn endless_headers_are_cut_off() {
    let endless = Manner::Endless(
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        b"x-a: aaaaaaaaaaaaaaaaaaaaaaa\r\n".repeat(1_000),
    );
    let failure = failure_of("", endless).await;
    assert!(
        !failure.is_empty() && !failure.contains("within"),
        "{failure}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_exporter_that_hangs_is_given_up() {
    for bytes in [
        &b""[..],
        b"HTTP/1.1 200 OK\r\nx-",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na",
    ] {
        let failure = failure_of("", Manner::Hangs(bytes.to_vec())).await;
        assert_eq!(failure, "no whole answer within 10s");
    }
}

#[tokio::test]
async fn a_gzip_bomb_is_not_unpacked() {
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    let zeroes = vec![b'#'; 1 << 20];
    for _ in 0..64 {
        packer.write_all(&zeroes).unwrap();
    }
    let bomb = packer.finish().unwrap();
    assert!(bomb.len() < 100_000);
    let headers = [PLAIN, ("content-encoding", "gzip")];
    let failure = failure_of("", Manner::Sends(answer("200 OK", &headers, &bomb))).await;
    assert_eq!(
        failure,
        "the answer has more than 52428800 bytes (body_size_limit)"
    );
    let cut = &bomb[..1_000];
    let failure = failure_of("", Manner::Sends(answer("200 OK", &headers, cut))).await;
    assert!(
        failure.starts_with("the answer cannot be unpacked"),
        "{failure}"
    );
    let headers = [PLAIN, ("content-encoding", "br")];
    let failure = failure_of("", Manner::Sends(answer("200 OK", &headers, b"a 1\n"))).await;
    assert!(failure.contains("\"br\" was not asked for"), "{failure}");
}

#[tokio::test]
async fn errors_and_foreign_formats_say_what_they_are() {
    let check = async |bytes: Vec<u8>, words: &str| {
        let failure = failure_of("", Manner::Sends(bytes)).await;
        assert!(failure.contains(words), "{failure:?} instead of {words:?}");
    };
    check(
        answer("500 Internal Server Error", &[PLAIN], b"a 1\n"),
        "HTTP status 500",
    )
    .await;
    check(answer("204 No Content", &[PLAIN], b""), "HTTP status 204").await;
    check(
        answer("200 OK", &[("content-type", "text/html")], b"<p>"),
        "\"text/html\"",
    )
    .await;
    check(answer("200 OK", &[], b"a 1\n"), "no Content-Type").await;
    check(answer("200 OK", &[PLAIN], b"a{b=\"1\" 2\n"), "line 1").await;
    check(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), "").await;
    let huge = format!("a{{b=\"{}\"}} 1\n", "x".repeat(100_000));
    let limited = Manner::Sends(answer("200 OK", &[PLAIN], huge.as_bytes()));
    let failure = failure_of("    label_value_length_limit: 200\n", limited).await;
    assert!(failure.contains("a value of 100000 bytes"), "{failure}");
}

#[tokio::test]
async fn redirects_stay_on_the_host() {
    let to = |location: String| Manner::Sends(answer("302 Found", &[("location", &location)], b""));
    let good = || Manner::Sends(answer("200 OK", &[PLAIN], b"a 1\n"));
    let elsewhere = Exporter::start(|_| vec![good()]).await;
    let exporter = Exporter::start(|own| vec![to(format!("http://{own}/other")), good()]).await;
    assert!(fetch("", &exporter.url(), PERMITS).await.is_ok());
    assert!(exporter.asked.lock().unwrap()[1].starts_with("GET /other "));
    for location in [elsewhere.url(), "http://169.254.169.254/latest".to_owned()] {
        let exporter = Exporter::start(|_| vec![to(location)]).await;
        let failure = fetch("", &exporter.url(), PERMITS)
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(failure.contains("another host or port"), "{failure}");
    }
    assert!(elsewhere.asked.lock().unwrap().is_empty());
    let round = Exporter::start(|own| vec![to(format!("http://{own}/metrics"))]).await;
    let failure = fetch("", &round.url(), PERMITS)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(failure.contains("more than 5 redirects"), "{failure}");
    let stays = Exporter::start(|own| vec![to(format!("http://{own}/other"))]).await;
    let failure = fetch("    follow_redirects: false\n", &stays.url(), PERMITS).await;
    assert!(failure.err().unwrap().to_string().contains("302"));
}

#[tokio::test]
async fn addresses_of_cloud_metadata_are_never_asked() {
    for url in [
        "http://169.254.169.254/metrics",
        "http://[::ffff:169.254.169.254]/metrics",
    ] {
        let failure = fetch("", url, PERMITS).await.err().unwrap().to_string();
        assert!(failure.contains("cloud metadata"), "{failure}");
    }
}

#[tokio::test]
async fn all_answers_share_a_bounded_memory() {
    let body = vec![b'#'; 1 << 20];
    let exporter =
        Exporter::start(|_| vec![Manner::Sends(answer("200 OK", &[PLAIN], &body))]).await;
    assert!(matches!(
        fetch("", &exporter.url(), 15).await,
        Err(Failure::TooMuchAtOnce)
    ));
    assert!(fetch("", &exporter.url(), 16).await.is_ok());
}

#[tokio::test]
async fn a_request_tells_what_it_wants_and_who_asks() {
    let good = || Manner::Sends(answer("200 OK", &[PLAIN], b"a 1\n"));
    let exporter = Exporter::start(|_| vec![good()]).await;
    let folder = tempfile::tempdir().unwrap();
    let password = folder.path().join("password");
    std::fs::write(&password, "pass\n").unwrap();
    let lines = format!(
        "    scrape_protocols: [PrometheusProto]\n    basic_auth: {{username: user, password_file: {}}}\n    http_headers: {{X-Scope: {{values: [one, two]}}}}\n",
        password.display()
    );
    fetch(&lines, &exporter.url(), PERMITS).await.unwrap();
    fetch(
        "    enable_compression: false\n    bearer_token: hush\n",
        &exporter.url(),
        PERMITS,
    )
    .await
    .unwrap();
    let asked = exporter.asked.lock().unwrap().clone();
    for line in [
        "accept: application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,*/*;q=0.5\r\n",
        "accept-encoding: gzip\r\n",
        "authorization: Basic dXNlcjpwYXNz\r\n",
        "x-prometheus-scrape-timeout-seconds: 10\r\n",
        "x-scope: one\r\nx-scope: two\r\n",
        concat!("user-agent: Tocsin/", env!("CARGO_PKG_VERSION"), "\r\n"),
    ] {
        assert!(asked[0].contains(line), "{line} is not in {}", asked[0]);
    }
    for line in [
        "accept-encoding: identity\r\n",
        "authorization: Bearer hush\r\n",
    ] {
        assert!(asked[1].contains(line), "{line} is not in {}", asked[1]);
    }
    let gone = fetch(
        "    bearer_token_file: /nowhere/token\n",
        &exporter.url(),
        PERMITS,
    )
    .await;
    assert!(gone.err().unwrap().to_string().contains("/nowhere/token"));
}
