//! Reads the small texts of a mapping character by character, and knows where it stands. It does not know what they mean.

/// Characters of a name.
const NAME_CHARS_MAX: usize = 200;
/// Characters of a text between quotes.
const TEXT_CHARS_MAX: usize = 1_000;

/// What is wrong in one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// The character, counted from 1.
    pub(super) at: usize,
    pub(super) why: String,
}

/// A place in a text.
pub(super) struct Cursor<'t> {
    text: &'t str,
    byte: usize,
}

impl<'t> Cursor<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, byte: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.byte..).unwrap_or_default()
    }

    pub(super) fn is_done(&self) -> bool {
        self.rest().is_empty()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.byte += bytes;
    }

    pub(super) fn blanks(&mut self) {
        let rest = self.rest();
        self.skip(rest.len() - rest.trim_start().len());
    }

    /// Passes over `word` if it comes next.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let comes = self.rest().starts_with(word);
        if comes {
            self.skip(word.len());
        }
        comes
    }

    /// Passes over `word` if it comes next and is not the beginning of a longer one.
    pub(super) fn eat_word(&mut self, word: &str) -> bool {
        let after = self.rest().strip_prefix(word);
        let ends = |rest: &str| !rest.chars().next().is_some_and(is_of_name);
        after.is_some_and(ends) && self.eat(word)
    }

    pub(super) fn wrong(&self, why: impl Into<String>) -> Wrong {
        let before = self.text.get(..self.byte).unwrap_or_default();
        Wrong {
            at: before.chars().count() + 1,
            why: why.into(),
        }
    }

    /// A name without quotes, if one comes next.
    pub(super) fn name(&mut self) -> Result<Option<String>, Wrong> {
        let begins =
            |character: char| character.is_alphanumeric() || character == '_' || character == '@';
        if !self.peek().is_some_and(begins) {
            return Ok(None);
        }
        let rest = self.rest();
        let bytes = rest
            .find(|character: char| !is_of_name(character))
            .unwrap_or(rest.len());
        let name = &rest[..bytes];
        if name.chars().count() > NAME_CHARS_MAX {
            return Err(self.wrong(format!("a name has at most {NAME_CHARS_MAX} characters")));
        }
        self.skip(bytes);
        Ok(Some(name.to_owned()))
    }

    /// A text between `"` or `'`, if one comes next. `\` makes the next character stand for itself; `\n` is a new line.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, Wrong> {
        let Some(quote) = self.peek().filter(|first| *first == '"' || *first == '\'') else {
            return Ok(None);
        };
        let mut text = String::new();
        let mut escaped = false;
        for (count, (byte, character)) in self.rest().char_indices().skip(1).enumerate() {
            if count > TEXT_CHARS_MAX {
                return Err(self.wrong(format!(
                    "a text between quotes has at most {TEXT_CHARS_MAX} characters"
                )));
            }
            if escaped {
                text.push(if character == 'n' { '\n' } else { character });
                escaped = false;
            } else if character == '\\' {
                escaped = true;
            } else if character == quote {
                self.skip(byte + character.len_utf8());
                return Ok(Some(text));
            } else {
                text.push(character);
            }
        }
        Err(self.wrong(format!("the text that begins here has no closing {quote}")))
    }

    /// A whole number, if one comes next.
    pub(super) fn whole(&mut self, max: usize) -> Result<Option<usize>, Wrong> {
        let rest = self.rest();
        let bytes = rest
            .find(|character: char| !character.is_ascii_digit())
            .unwrap_or(rest.len());
        if bytes == 0 {
            return Ok(None);
        }
        let number = rest[..bytes].parse().ok().filter(|number| *number <= max);
        let number = number.ok_or_else(|| self.wrong(format!("a number of at most {max}")))?;
        self.skip(bytes);
        Ok(Some(number))
    }
}

fn is_of_name(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '@')
}
