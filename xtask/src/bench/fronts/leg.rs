//! A stretch of requests over a few connections, and the CPU that each costs the server; what the requests mean is not known here.

use std::thread;
use std::time::Duration;

use crate::bench::usage::Threads;
use crate::failure::{Because, Failure, Outcome, fail};
use crate::site::Site;
use crate::site::line::Line;

/// Connections, each with requests of its own.
pub(super) const SENDERS: usize = 16;
/// What is done after the answer (the fold into what readers see) belongs to the request, too.
const SETTLE: Duration = Duration::from_millis(50);

/// A request as it will be sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: String,
}

/// One connection.
pub(super) struct Sender {
    pub(super) token: String,
    pub(super) requests: Vec<Request>,
}

/// All connections, at once.
pub(super) struct Leg {
    pub(super) senders: Vec<Sender>,
    /// Of a request that was done.
    pub(super) status: u16,
    /// So many requests of each connection are sent before it is measured.
    pub(super) warm: usize,
}

impl Leg {
    /// Sends all of it. Gives CPU microseconds of the server for each request.
    pub(super) fn run(&self, site: &Site) -> Outcome<f64> {
        let lines = self
            .senders
            .iter()
            .map(|sender| Line::open(site.address, &sender.token).because("connecting to Tocsin"));
        let mut lines = lines.collect::<Outcome<Vec<Line>>>()?;
        self.send(&mut lines, true)?;
        thread::sleep(SETTLE);
        let before = Threads::of(site.server.pid())?;
        self.send(&mut lines, false)?;
        thread::sleep(SETTLE);
        let spent = Threads::of(site.server.pid())?.since(&before);
        let measured = self.senders.iter().map(|sender| self.part(sender, false));
        let requests: usize = measured.map(<[Request]>::len).sum();
        let requests = u32::try_from(requests.max(1)).unwrap_or(u32::MAX);
        let spent = Duration::from_nanos(spent).as_secs_f64() * 1_000_000.0;
        Ok(spent / f64::from(requests))
    }

    /// The requests of a connection before it is measured, or those that are.
    fn part<'a>(&self, sender: &'a Sender, is_warm: bool) -> &'a [Request] {
        let all = &sender.requests;
        let (warm, measured) = all.split_at(self.warm.min(all.len()));
        if is_warm { warm } else { measured }
    }

    fn send(&self, lines: &mut [Line], is_warm: bool) -> Outcome<()> {
        let status = self.status;
        let outcomes: Vec<_> = thread::scope(|scope| {
            let started = lines.iter_mut().zip(&self.senders).map(|(line, sender)| {
                let requests = self.part(sender, is_warm);
                scope.spawn(move || {
                    let mut all = requests.iter();
                    all.try_for_each(|request| send_one(line, request, status))
                })
            });
            let started: Vec<_> = started.collect();
            started
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect()
        });
        for outcome in outcomes {
            outcome.map_err(|_| Failure::new("a sender panicked"))??;
        }
        Ok(())
    }
}

fn send_one(line: &mut Line, request: &Request, expected: u16) -> Outcome<()> {
    let Request { method, path, body } = request;
    let answer = line.ask(method, path, body);
    // A path may hold a key.
    let (status, text) = answer.because(format!("sending {method}"))?;
    if status != expected {
        fail!(
            "a {method} was answered {status} for {expected}: {}",
            String::from_utf8_lossy(&text)
        );
    }
    Ok(())
}
