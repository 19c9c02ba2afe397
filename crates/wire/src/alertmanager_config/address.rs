//! Lists of addresses as mails have them (RFC 5322, section 3.4): each address with the name that stands beside it. A template is
//! not followed: whatever it makes is no address here.

use std::mem;

use crate::mail_address::is_address;
use crate::plain::tidy;

/// Characters of a person's name at most, as the core has it.
const NAME_CHARS_MAX: usize = 200;
/// How what a template makes begins.
const TEMPLATE: &str = "{{";

/// Somebody in a list.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// In small letters.
    pub(super) address: String,
    /// What they are called; empty where the list does not say.
    pub(super) name: String,
}

/// Everybody in a list, in its order; in place of what is no address, how it is written.
pub(super) fn mailboxes(list: &str) -> Vec<Result<Mailbox, String>> {
    let mut reading = Reading::default();
    let mut letters = list.chars().peekable();
    while let Some(letter) = letters.next() {
        reading.take(letter, letters.peek().copied());
    }
    reading.end();
    reading.found
}

/// Between what a letter stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Nothing,
    Quotes,
    Angles,
    /// So many more parentheses are open.
    Comment(usize),
    Template,
}

/// What was read of one entry of a list.
#[derive(Debug, Default)]
struct Entry {
    /// All of it.
    written: String,
    /// What stands outside of angle brackets and comments, without quotes.
    words: String,
    is_quoted: bool,
    angles: Option<String>,
    comment: String,
    /// Something follows the address that cannot.
    is_wrong: bool,
}

#[derive(Debug, Default)]
struct Reading {
    found: Vec<Result<Mailbox, String>>,
    entry: Entry,
    within: Within,
    /// The letter before is a backslash that makes the next one mean itself.
    is_escaped: bool,
}

impl Reading {
    fn take(&mut self, letter: char, next: Option<char>) {
        if self.within == Within::Nothing && matches!(letter, ',' | ';') {
            self.end();
            return;
        }
        self.entry.written.push(letter);
        let may_escape = matches!(self.within, Within::Quotes | Within::Comment(_));
        if may_escape && letter == '\\' && !self.is_escaped {
            self.is_escaped = true;
            return;
        }
        let means_itself = mem::take(&mut self.is_escaped);
        match self.within {
            Within::Nothing => self.take_outside(letter, next),
            Within::Quotes if letter == '"' && !means_itself => self.within = Within::Nothing,
            Within::Quotes => self.entry.words.push(letter),
            Within::Angles if letter == '>' => self.within = Within::Nothing,
            Within::Angles => self.entry.angles.get_or_insert_default().push(letter),
            Within::Comment(more) => self.take_comment(letter, more, means_itself),
            Within::Template => {
                self.entry.words.push(letter);
                if letter == '}' && self.entry.words.ends_with("}}") {
                    self.within = Within::Nothing;
                }
            }
        }
    }

    fn take_outside(&mut self, letter: char, next: Option<char>) {
        let entry = &mut self.entry;
        match letter {
            '(' => self.within = Within::Comment(0),
            _ if entry.angles.is_some() => entry.is_wrong |= !letter.is_whitespace(),
            '"' => {
                entry.is_quoted = true;
                self.within = Within::Quotes;
            }
            '<' => {
                entry.angles = Some(String::new());
                self.within = Within::Angles;
            }
            // What stands before it is the name of a group, whose people end with a semicolon.
            ':' => entry.words.clear(),
            _ => {
                entry.words.push(letter);
                if letter == '{' && next == Some('{') {
                    self.within = Within::Template;
                }
            }
        }
    }

    fn take_comment(&mut self, letter: char, more: usize, means_itself: bool) {
        match (letter, more) {
            (')', 0) if !means_itself => self.within = Within::Nothing,
            (')', _) if !means_itself => self.within = Within::Comment(more - 1),
            ('(', _) if !means_itself => self.within = Within::Comment(more + 1),
            _ => self.entry.comment.push(letter),
        }
    }

    /// An entry is over. One without anything in it is none.
    fn end(&mut self) {
        let entry = mem::take(&mut self.entry);
        let is_whole = self.within == Within::Nothing;
        let written = entry.written.trim();
        if !written.is_empty() {
            let mailbox = entry.mailbox().filter(|_| is_whole);
            self.found.push(mailbox.ok_or_else(|| written.to_owned()));
        }
    }
}

impl Entry {
    fn mailbox(&self) -> Option<Mailbox> {
        let (address, name) = match &self.angles {
            Some(address) => (address, &self.words),
            // Without angle brackets, quotes would be part of the address.
            None if self.is_quoted => return None,
            None => (&self.words, &self.comment),
        };
        let address = address.trim().to_lowercase();
        if self.is_wrong || address.contains(TEMPLATE) || !is_address(&address) {
            return None;
        }
        let name = if name.contains(TEMPLATE) {
            String::new()
        } else {
            let words: Vec<&str> = name.split_whitespace().collect();
            tidy(&words.join(" "), NAME_CHARS_MAX)
        };
        Some(Mailbox { address, name })
    }
}
