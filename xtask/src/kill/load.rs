//! Senders that raise, acknowledge and resolve alerts without a pause worth mentioning, and send again what got no answer, under
//! the same key; they do not know when the server dies.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::book::{Alert, Book};
use crate::failure::{Because, Failure, Outcome, fail};
use crate::random::Random;
use crate::site::Site;
use crate::site::line::Line;
use crate::site::sink::Sink;

const ALERTS: &str = "/api/tocsin/v1/alerts";
const SENDERS: u64 = 6;
/// Alerts of one request at most.
const LIST_MAX: u64 = 12;
/// The longest pause between two requests of a sender, in milliseconds.
const PAUSE_MS_MAX: u64 = 60;
/// Between two tries of what got no answer.
const AGAIN_AFTER: Duration = Duration::from_millis(3);
/// How long one request may be tried.
const PATIENCE: Duration = Duration::from_secs(90);
/// Severities with their share in hundredths.
const SEVERITIES: [(&str, u64); 4] = [
    ("critical", 25),
    ("error", 25),
    ("warning", 30),
    ("info", 20),
];

/// Senders at work.
pub(crate) struct Senders {
    stopping: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Outcome<Book>>>,
}

impl Senders {
    /// Sends from several connections until told to stop; what is sent follows from the seed.
    pub(crate) fn start(site: &Site, seed: u64) -> Outcome<Self> {
        let stopping = Arc::new(AtomicBool::new(false));
        let services: Arc<[String]> = site.services.clone().into();
        let threads = (0..SENDERS).map(|number| {
            let sender = Sender {
                number,
                address: site.address,
                token: site.token.clone(),
                services: Arc::clone(&services),
                sink: site.sink.clone(),
                random: Random::new(seed.wrapping_mul(SENDERS).wrapping_add(number)),
                line: None,
                sent: 0,
                firing: Vec::new(),
                book: Book::default(),
                stopping: Arc::clone(&stopping),
            };
            let thread = thread::Builder::new().name(format!("sender {number}"));
            thread.spawn(move || sender.work())
        });
        let threads: Result<Vec<_>, _> = threads.collect();
        Ok(Self {
            stopping,
            threads: threads.because("starting the senders")?,
        })
    }

    /// Has them finish the request that each is at, and gives back what they wrote down.
    pub(crate) fn stop(self) -> Outcome<Book> {
        self.stopping.store(true, Ordering::Relaxed);
        let mut book = Book::default();
        for thread in self.threads {
            let own = thread.join();
            book.add(own.map_err(|_| Failure::new("a sender panicked"))??);
        }
        Ok(book)
    }
}

struct Sender {
    number: u64,
    address: SocketAddr,
    token: String,
    services: Arc<[String]>,
    sink: Sink,
    random: Random,
    line: Option<Line>,
    sent: u64,
    /// Places in the book of own alerts that fire.
    firing: Vec<usize>,
    book: Book,
    stopping: Arc<AtomicBool>,
}

impl Sender {
    fn work(mut self) -> Outcome<Book> {
        while !self.stopping.load(Ordering::Relaxed) {
            match self.random.below(100) {
                0..45 => self.raise(1)?,
                45..65 => {
                    let count = 2 + self.random.below(LIST_MAX - 1);
                    self.raise(count)?;
                }
                65..70 => self.raise_again()?,
                70..85 => self.acknowledge()?,
                _ => self.resolve()?,
            }
            thread::sleep(Duration::from_millis(self.random.below(PAUSE_MS_MAX)));
        }
        Ok(self.book)
    }

    /// New alerts, one as an object and several as a list.
    fn raise(&mut self, count: u64) -> Outcome<()> {
        let (mut bodies, mut alerts) = (Vec::new(), Vec::new());
        for _ in 0..count {
            self.sent += 1;
            let severity = self.severity();
            let service = self.below(self.services.len());
            let key = format!("{}-{}", self.number, self.sent);
            bodies.push(self.body("trigger", &key, service, severity));
            alerts.push(Alert {
                key,
                service,
                critical: severity == "critical",
                incident: String::new(),
                resolved: false,
            });
        }
        let body = match bodies.len() {
            1 => bodies.swap_remove(0),
            _ => Value::Array(bodies),
        };
        let answer = self.ask(&body)?;
        let list = answer["alerts"].as_array().cloned();
        let answers = list.unwrap_or_else(|| vec![answer.clone()]);
        if answers.len() != alerts.len() {
            self.book
                .wrong
                .push(format!("{count} alerts got this answer: {answer}"));
            return Ok(());
        }
        for (mut alert, answer) in alerts.into_iter().zip(answers) {
            match answer["incident_id"].as_str() {
                Some(incident) if answer["dedup_key"] == *alert.key => {
                    alert.incident = incident.to_owned();
                    self.firing.push(self.book.alerts.len());
                    self.book.alerts.push(alert);
                }
                _ => {
                    let wrong = format!("{} was answered {answer}", alert.key);
                    self.book.wrong.push(wrong);
                }
            }
        }
        Ok(())
    }

    /// What fires is said once more.
    fn raise_again(&mut self) -> Outcome<()> {
        let Some((_, alert)) = self.one_that_fires() else {
            return Ok(());
        };
        let severity = if alert.critical { "critical" } else { "info" };
        let body = self.body("trigger", &alert.key, alert.service, severity);
        let answer = self.ask(&body)?;
        if answer["incident_id"] != *alert.incident {
            let wrong = format!(
                "{} was said again and answered {answer}, not incident {}",
                alert.key, alert.incident
            );
            self.book.wrong.push(wrong);
        }
        Ok(())
    }

    /// Only critical incidents: what is less may be raised by a worse alert and pages again, rightly.
    fn acknowledge(&mut self) -> Outcome<()> {
        let Some((_, alert)) = self.one_that_fires() else {
            return Ok(());
        };
        if !alert.critical || !self.may_answer(&alert) {
            return Ok(());
        }
        let body = self.body("acknowledge", &alert.key, alert.service, "critical");
        self.ask(&body)?;
        self.book.acknowledgements += 1;
        self.book.acknowledged.insert(alert.incident);
        Ok(())
    }

    fn resolve(&mut self) -> Outcome<()> {
        let Some((place, alert)) = self.one_that_fires() else {
            return Ok(());
        };
        if !self.may_answer(&alert) {
            return Ok(());
        }
        let body = self.body("resolve", &alert.key, alert.service, "critical");
        self.ask(&body)?;
        self.book.resolves += 1;
        let index = self.firing.swap_remove(place);
        self.book.alerts[index].resolved = true;
        Ok(())
    }

    /// Mostly what was paged is answered; now and then somebody is faster than the page, which then need not come.
    fn may_answer(&mut self, alert: &Alert) -> bool {
        if self.sink.has_page(&alert.incident) {
            return true;
        }
        if self.random.below(10) > 0 {
            return false;
        }
        let incident = alert.incident.clone();
        self.book.answered_unpaged.insert(incident);
        true
    }

    fn one_that_fires(&mut self) -> Option<(usize, Alert)> {
        if self.firing.is_empty() {
            return None;
        }
        let place = self.below(self.firing.len());
        let alert = self.book.alerts.get(*self.firing.get(place)?)?;
        Some((place, alert.clone()))
    }

    fn severity(&mut self) -> &'static str {
        let mut left = self.random.below(100);
        for (severity, share) in SEVERITIES {
            match left.checked_sub(share) {
                Some(rest) => left = rest,
                None => return severity,
            }
        }
        "info"
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.random.below(end as u64)).unwrap_or_default()
    }

    fn body(&self, action: &str, key: &str, service: usize, severity: &str) -> Value {
        let service = &self.services[service];
        match action {
            "trigger" => {
                json!({"service_id": service, "dedup_key": key, "action": action, "summary": key, "severity": severity, "source": "db.example.org"})
            }
            _ => json!({"service_id": service, "dedup_key": key, "action": action}),
        }
    }

    /// Asks until there is an answer. What was not answered may have been carried out, or not.
    fn ask(&mut self, body: &Value) -> Outcome<Value> {
        let text = body.to_string();
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let line = match self.line.take() {
                Some(line) => Ok(line),
                None => Line::open(self.address, &self.token),
            };
            // Nobody listens while the server is down.
            let Ok(mut line) = line else {
                thread::sleep(AGAIN_AFTER);
                continue;
            };
            match line.ask("POST", ALERTS, &text) {
                Ok((202, answer)) => {
                    self.line = Some(line);
                    self.book.accepted += 1;
                    return serde_json::from_slice(&answer).because("reading an answer");
                }
                Ok((429 | 503, _)) => {
                    self.book.put_off += 1;
                    thread::sleep(AGAIN_AFTER);
                }
                Ok((status, answer)) => fail!(
                    "{text} was answered {status}: {}",
                    String::from_utf8_lossy(&answer)
                ),
                Err(_) => {
                    self.book.unanswered += 1;
                    thread::sleep(AGAIN_AFTER);
                }
            }
        }
        fail!(
            "a request got no answer within {} s: {text}",
            PATIENCE.as_secs()
        )
    }
}
