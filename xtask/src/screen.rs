//! What a person sees while a chore runs: headings, steps with their seconds, a spinner on a terminal; it decides nothing.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Writes one line to standard output; a closed pipe is not worth dying for.
pub(crate) fn line(text: impl Display) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

pub(crate) fn heading(text: impl Display) {
    line("");
    line(text);
}

/// A step that takes a while: a spinner on a terminal, one plain line when it is over.
pub(crate) struct Step {
    name: String,
    started: Instant,
    spinner: Option<ProgressBar>,
}

impl Step {
    pub(crate) fn begin(name: impl Into<String>) -> Self {
        let name = name.into();
        let spinner = io::stdout().is_terminal().then(|| {
            let spinner = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg}  {elapsed}") {
                spinner.set_style(style);
            }
            spinner.enable_steady_tick(Duration::from_millis(100));
            spinner.set_message(name.clone());
            spinner
        });
        Self {
            name,
            started: Instant::now(),
            spinner,
        }
    }

    /// Says what is being waited for now.
    pub(crate) fn now(&self, what: impl Display) {
        if let Some(spinner) = &self.spinner {
            spinner.set_message(format!("{}: {what}", self.name));
        }
    }

    /// Says something that stays on the screen, above the spinner.
    pub(crate) fn say(&self, what: impl Display) {
        match &self.spinner {
            Some(spinner) => spinner.suspend(|| line(format!("    {what}"))),
            None => line(format!("    {what}")),
        }
    }

    /// The step is over; `detail` is what came out of it.
    pub(crate) fn done(self, detail: impl Display) {
        self.close("ok", detail);
    }

    /// The step leaves no trace: what came out of it is shown elsewhere.
    pub(crate) fn hide(self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }

    /// The step did not work; why is said by whoever reports the failure.
    pub(crate) fn failed(self) {
        self.close("!!", "failed");
    }

    fn close(self, sign: &str, detail: impl Display) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
        let seconds = self.started.elapsed().as_secs_f64();
        line(format!(
            "  {sign}  {:<18} {seconds:>6.1} s   {detail}",
            self.name
        ));
    }
}

/// Runs `work` as a step, and shows what it gives back.
pub(crate) fn step<T, E>(
    name: &str,
    work: impl FnOnce(&Step) -> Result<T, E>,
    detail: impl FnOnce(&T) -> String,
) -> Result<T, E> {
    let step = Step::begin(name);
    match work(&step) {
        Ok(value) => {
            step.done(detail(&value));
            Ok(value)
        }
        Err(error) => {
            step.failed();
            Err(error)
        }
    }
}
