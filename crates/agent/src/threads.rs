//! Starts the agent's threads; one that panics says so and begins anew, so that a bad line never ends the watch.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::stop::Stop;

/// Threads that end when their stop signal is raised.
#[derive(Default)]
pub(crate) struct Threads(Vec<JoinHandle<()>>);

impl Threads {
    /// Runs `work` until it returns; begins anew after a panic.
    pub(crate) fn spawn(
        &mut self,
        name: &str,
        stop: Stop,
        mut work: impl FnMut() + Send + 'static,
    ) -> io::Result<()> {
        let what = name.to_owned();
        let body = move || {
            while !stop.is_raised() {
                if catch_unwind(AssertUnwindSafe(&mut work)).is_ok() {
                    return;
                }
                tracing::error!(
                    thread = what,
                    "a thread of the agent panicked and begins anew; please report this"
                );
                stop.wait(Duration::from_secs(1));
            }
        };
        // Linux keeps 15 bytes of a thread's name.
        let short: String = name.chars().take(15).collect();
        self.0.push(
            Builder::new()
                .name(short)
                .stack_size(512 * 1_024)
                .spawn(body)?,
        );
        Ok(())
    }

    pub(crate) fn join(&mut self) {
        let us = std::thread::current().id();
        for thread in self.0.drain(..).filter(|thread| thread.thread().id() != us) {
            // A panic was reported when it happened.
            let _ = thread.join();
        }
    }
}
