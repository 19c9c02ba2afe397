//! Where a command's words go: data to standard output, notes and failures to standard error. What is said is not known here.

use std::cell::RefCell;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;

use super::api::Answer;
use super::failure::Failure;
use super::look::Look;
use super::shape::List;

/// Narrower screens are treated as this wide: nothing readable fits.
const WIDTH_MIN: usize = 40;

/// The reader's screen.
pub(super) struct Screen {
    json: bool,
    pub(super) look: Look,
    data: RefCell<Box<dyn Write>>,
    notes: RefCell<Box<dyn Write>>,
}

impl Screen {
    /// Looks at the terminal, the clock and the wishes in the environment.
    pub(super) fn open(json: bool) -> Self {
        let out = io::stdout();
        let terminal = out.is_terminal();
        let wished = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = || {
            rustix::termios::tcgetwinsize(&out)
                .ok()
                .map(|size| usize::from(size.ws_col))
        };
        let look = Look {
            colour: terminal && !dumb && !wished("NO_COLOR"),
            width: if terminal {
                columns()
                    .filter(|columns| *columns > 0)
                    .map(|columns| columns.max(WIDTH_MIN))
            } else {
                None
            },
            now: Timestamp::now(),
            zone: TimeZone::system(),
        };
        Self {
            json,
            look,
            data: RefCell::new(Box::new(out)),
            notes: RefCell::new(Box::new(io::stderr())),
        }
    }

    /// Whether the API's JSON is wanted instead of words.
    pub(super) fn wants_json(&self) -> bool {
        self.json
    }

    /// Writes data; a newline is added where it lacks one.
    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        let mut out = self.data.borrow_mut();
        let newline = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let written = write!(out, "{text}{newline}").and_then(|()| out.flush());
        written.map_err(|error| {
            if error.kind() == io::ErrorKind::BrokenPipe {
                Failure::ReaderGone
            } else {
                Failure::Refused(format!("the output cannot be written: {error}"))
            }
        })
    }

    /// Writes a word beside the data.
    pub(super) fn note(&self, text: &str) {
        // Nobody can be told that telling failed.
        let _ = writeln!(self.notes.borrow_mut(), "{text}");
    }

    /// Shows an answer: as it came, or in words.
    pub(super) fn show<T: DeserializeOwned>(
        &self,
        answer: &Answer,
        draw: impl FnOnce(&T, &Look) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.say(&answer.json()?)
        } else {
            self.say(&draw(&answer.parsed()?, &self.look))
        }
    }

    /// Shows one page of a list, and how to get the next.
    pub(super) fn show_list<T: DeserializeOwned>(
        &self,
        answer: &Answer,
        draw: impl FnOnce(&[T], &Look) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            return self.say(&answer.json()?);
        }
        let list: List<T> = answer.parsed()?;
        self.say(&draw(&list.items, &self.look))?;
        if let Some(cursor) = &list.next_cursor {
            self.note(&format!(
                "There is more: repeat this with --cursor {cursor}"
            ));
        }
        Ok(())
    }

    /// The answer of a change: as it came, or a sentence.
    pub(super) fn done(&self, answer: &Answer, sentence: &str) -> Result<(), Failure> {
        if self.json {
            self.say(&answer.json()?)
        } else {
            self.say(sentence)
        }
    }

    /// Tells what went wrong, if anything did, and gives the exit code.
    pub(super) fn finish(&self, done: Result<(), Failure>) -> ExitCode {
        match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => {
                if failure != Failure::ReaderGone {
                    self.note(&format!("tocsin: {failure}"));
                }
                ExitCode::from(&failure)
            }
        }
    }
}

#[cfg(test)]
pub(super) mod capture {
    //! A screen whose words a test reads.

    use std::rc::Rc;

    use super::*;

    /// What was written so far; clones share it.
    #[derive(Clone, Default)]
    pub(crate) struct Written(Rc<RefCell<Vec<u8>>>);

    impl Written {
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The screen, its data and its notes.
    pub(crate) fn screen(json: bool) -> (Screen, Written, Written) {
        let (data, notes) = (Written::default(), Written::default());
        let screen = Screen {
            json,
            look: Look::of_test(),
            data: RefCell::new(Box::new(data.clone())),
            notes: RefCell::new(Box::new(notes.clone())),
        };
        (screen, data, notes)
    }
}
