//! PagerDuty's condition language, as far as Tocsin's conditions carry it: fields that match, hold a part or exist, with `and`,
//! `or`, `not` and parentheses. It is read into conditions and written from them.

use tocsin_domain::intake::{Condition, Field, Test};

/// Characters of an expression at most.
pub const EXPRESSION_CHARS_MAX: usize = 2_000;
/// How deep parentheses and negations may stand in each other.
const DEPTH_MAX: usize = 16;
/// Before the name of a further field.
const DETAILS: &str = "event.custom_details.";

static FIELDS: [(&str, Field); 6] = [
    ("event.summary", Field::Title),
    ("event.severity", Field::Severity),
    ("event.source", Field::Source),
    ("event.component", Field::Component),
    ("event.group", Field::Group),
    ("event.class", Field::Class),
];

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Open,
    Close,
    Word(String),
    Text(String),
}

/// Reads an expression.
///
/// # Errors
/// Why it is none, or what of it Tocsin cannot ask.
pub fn parse(text: &str) -> Result<Condition, String> {
    if text.chars().count() > EXPRESSION_CHARS_MAX {
        return Err(format!(
            "an expression has at most {EXPRESSION_CHARS_MAX} characters"
        ));
    }
    let mut reading = Reading {
        pieces: pieces(text)?,
        next: 0,
    };
    let read = reading.any(0)?;
    match reading.look() {
        None => Ok(read),
        Some(piece) => Err(format!("{} is not expected there", spelt(piece))),
    }
}

fn spelt(piece: &Piece) -> String {
    match piece {
        Piece::Open => "\"(\"".to_owned(),
        Piece::Close => "\")\"".to_owned(),
        Piece::Word(word) => format!("{word:?}"),
        Piece::Text(text) => format!("the text {text:?}"),
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut all = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '(' => all.push(Piece::Open),
            ')' => all.push(Piece::Close),
            '\'' | '"' => all.push(Piece::Text(quoted(&mut rest, character)?)),
            blank if blank.is_whitespace() => {}
            first => {
                let mut word = String::from(first);
                while let Some(more) =
                    rest.next_if(|one| !one.is_whitespace() && !"()'\"".contains(*one))
                {
                    word.push(more);
                }
                all.push(Piece::Word(word));
            }
        }
    }
    Ok(all)
}

/// A text until its closing quote; a backslash takes away the meaning of what follows it.
fn quoted(rest: &mut impl Iterator<Item = char>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    let unfinished = || "a text has no end".to_owned();
    loop {
        let character = rest.next().ok_or_else(unfinished)?;
        if character == quote {
            return Ok(text);
        }
        if character == '\\' {
            text.push(rest.next().ok_or_else(unfinished)?);
        } else {
            text.push(character);
        }
    }
}

struct Reading {
    pieces: Vec<Piece>,
    next: usize,
}

impl Reading {
    fn look(&self) -> Option<&Piece> {
        self.pieces.get(self.next)
    }

    /// Whether this word is next, which is then read.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = matches!(self.look(), Some(Piece::Word(next)) if next == word);
        self.next += usize::from(is_next);
        is_next
    }

    fn any(&mut self, depth: usize) -> Result<Condition, String> {
        let mut of = vec![self.all(depth)?];
        while self.takes("or") {
            of.push(self.all(depth)?);
        }
        Ok(together(of, |of| Condition::Any { of }))
    }

    fn all(&mut self, depth: usize) -> Result<Condition, String> {
        let mut of = vec![self.one(depth)?];
        while self.takes("and") {
            of.push(self.one(depth)?);
        }
        Ok(together(of, |of| Condition::All { of }))
    }

    fn one(&mut self, depth: usize) -> Result<Condition, String> {
        if depth > DEPTH_MAX {
            return Err(format!(
                "parts stand at most {DEPTH_MAX} deep in each other"
            ));
        }
        if self.takes("not") {
            return Ok(not(self.one(depth + 1)?));
        }
        if self.look() == Some(&Piece::Open) {
            self.next += 1;
            let inner = self.any(depth + 1)?;
            if self.look() != Some(&Piece::Close) {
                return Err("a parenthesis is not closed".to_owned());
            }
            self.next += 1;
            return Ok(inner);
        }
        self.test()
    }

    fn word(&mut self, what: &str) -> Result<String, String> {
        let found = match self.look() {
            Some(Piece::Word(word)) => word.clone(),
            Some(other @ (Piece::Open | Piece::Close | Piece::Text(_))) => {
                return Err(format!("{} is where {what} is expected", spelt(other)));
            }
            None => return Err(format!("{what} is missing at the end")),
        };
        self.next += 1;
        Ok(found)
    }

    fn test(&mut self) -> Result<Condition, String> {
        let field = field(&self.word("a field")?)?;
        let operator = self.word("an operator")?;
        let (operator, is_denied) = if operator == "does" {
            if !self.takes("not") {
                return Err("\"does\" is followed by \"not\"".to_owned());
            }
            (self.word("an operator")?, true)
        } else {
            (operator, false)
        };
        let test = match operator.as_str() {
            "exists" | "exist" => Test::Exists,
            "matches" | "match" if self.takes("part") => Test::Contains(self.text()?),
            "matches" | "match" if self.takes("regex") => {
                let why = "\"matches regex\" is not supported: Tocsin asks for whole texts and for parts of them";
                return Err(why.to_owned());
            }
            "matches" | "match" => Test::Equals(self.text()?),
            other => return Err(format!("the operator {other:?} is not supported")),
        };
        let asked = Condition::Field { field, test };
        Ok(if is_denied { not(asked) } else { asked })
    }

    fn text(&mut self) -> Result<String, String> {
        let Some(Piece::Text(text)) = self.look() else {
            return Err("a text in quotes is expected after \"matches\"".to_owned());
        };
        let text = text.clone();
        self.next += 1;
        Ok(text)
    }
}

fn not(of: Condition) -> Condition {
    Condition::Not { of: Box::new(of) }
}

fn together(of: Vec<Condition>, several: fn(Vec<Condition>) -> Condition) -> Condition {
    match <[Condition; 1]>::try_from(of) {
        Ok([single]) => single,
        Err(of) => several(of),
    }
}

fn field(path: &str) -> Result<Field, String> {
    if let Some(name) = path.strip_prefix(DETAILS)
        && !name.is_empty()
    {
        return Ok(Field::Detail(name.to_owned()));
    }
    let known = FIELDS.iter().find(|(known, _)| *known == path);
    let known = known.map(|(_, field)| field.clone());
    known.ok_or_else(|| format!("the field {path:?} is not supported"))
}

/// Writes a condition as the expressions of a rule, of which one must hold; none of them: always. None when the language cannot say it.
#[must_use]
pub fn expressions(condition: &Condition) -> Option<Vec<String>> {
    match condition {
        Condition::All { of } if of.is_empty() => Some(Vec::new()),
        Condition::Any { of } if !of.is_empty() => of.iter().map(written).collect(),
        Condition::All { .. }
        | Condition::Any { .. }
        | Condition::Not { .. }
        | Condition::Field { .. }
        | Condition::Hours { .. } => Some(vec![written(condition)?]),
    }
}

fn written(condition: &Condition) -> Option<String> {
    let joined = |of: &[Condition], word: &str| -> Option<String> {
        let parts: Option<Vec<String>> = of.iter().map(inner).collect();
        let parts = parts.filter(|parts| !parts.is_empty())?;
        Some(parts.join(word))
    };
    match condition {
        Condition::All { of } => joined(of, " and "),
        Condition::Any { of } => joined(of, " or "),
        Condition::Not { of } => Some(format!("not {}", inner(of)?)),
        Condition::Field { field, test } => {
            let path = path(field)?;
            match test {
                Test::Equals(text) => Some(format!("{path} matches {}", in_quotes(text))),
                Test::Contains(text) => Some(format!("{path} matches part {}", in_quotes(text))),
                Test::Exists => Some(format!("{path} exists")),
                Test::StartsWith(_) | Test::Matches(_) => None,
            }
        }
        Condition::Hours { .. } => None,
    }
}

/// A part of a larger expression.
fn inner(condition: &Condition) -> Option<String> {
    let text = written(condition)?;
    match condition {
        Condition::Field { .. } => Some(text),
        Condition::All { .. }
        | Condition::Any { .. }
        | Condition::Not { .. }
        | Condition::Hours { .. } => Some(format!("({text})")),
    }
}

fn path(field: &Field) -> Option<String> {
    if let Field::Detail(name) = field {
        let is_word = !name.is_empty()
            && !name
                .chars()
                .any(|one| one.is_whitespace() || "()'\"".contains(one));
        return is_word.then(|| format!("{DETAILS}{name}"));
    }
    let known = FIELDS.iter().find(|(_, known)| known == field);
    known.map(|(path, _)| (*path).to_owned())
}

fn in_quotes(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{text}'")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(field: Field, test: Test) -> Condition {
        Condition::Field { field, test }
    }

    fn part(text: &str) -> Condition {
        asked(Field::Title, Test::Contains(text.to_owned()))
    }

    fn is(field: Field, text: &str) -> Condition {
        asked(field, Test::Equals(text.to_owned()))
    }

    #[test]
    fn what_clients_write_is_read() {
        for (text, expected) in [
            ("event.summary matches part 'disk'", part("disk")),
            (
                "event.severity matches 'critical'",
                is(Field::Severity, "critical"),
            ),
            (
                "event.custom_details.host.name exists",
                asked(Field::Detail("host.name".to_owned()), Test::Exists),
            ),
            (
                "event.source does not match part \"web's\"",
                not(asked(Field::Source, Test::Contains("web's".to_owned()))),
            ),
            (
                r"event.summary matches 'it\'s \\ here'",
                is(Field::Title, r"it's \ here"),
            ),
            (
                "event.summary matches part 'a' and event.class matches 'b' or event.group matches 'c'",
                Condition::Any {
                    of: vec![
                        Condition::All {
                            of: vec![part("a"), is(Field::Class, "b")],
                        },
                        is(Field::Group, "c"),
                    ],
                },
            ),
            (
                "not (event.summary matches part 'a' or event.summary matches part 'b')",
                not(Condition::Any {
                    of: vec![part("a"), part("b")],
                }),
            ),
        ] {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_tocsin_cannot_ask_is_named() {
        for (text, named) in [
            ("event.summary matches regex 'a.*'", "regex"),
            ("event.summary == 'a'", "=="),
            ("event.dedup_key matches 'a'", "event.dedup_key"),
            ("event.summary matches", "quotes"),
            ("event.summary matches part disk", "quotes"),
            ("event.summary matches 'a", "no end"),
            ("(event.summary exists", "not closed"),
            ("event.summary exists)", "not expected"),
            ("event.summary exists event.class exists", "not expected"),
            (
                "now in Mon,Tue 09:00:00 to 17:00:00 America/Los_Angeles",
                "now",
            ),
            ("", "missing"),
        ] {
            let why = parse(text).unwrap_err();
            assert!(why.contains(named), "{text}: {why}");
        }
        assert!(parse(&"not ".repeat(400)).is_err());
        assert!(parse(&"(".repeat(2_000)).is_err());
        assert!(parse(&" ".repeat(2_001)).is_err());
    }

    #[test]
    fn what_the_language_cannot_say_is_not_written() {
        for condition in [
            asked(Field::Title, Test::StartsWith("a".to_owned())),
            asked(Field::Title, Test::Matches("a*".to_owned())),
            is(Field::Service, "Shop"),
            is(Field::Summary, "x"),
            is(Field::Detail("two words".to_owned()), "x"),
            not(asked(Field::Integration, Test::Exists)),
            Condition::Any { of: Vec::new() },
        ] {
            assert_eq!(expressions(&condition), None, "{condition:?}");
        }
        let always = Condition::All { of: Vec::new() };
        assert_eq!(expressions(&always), Some(Vec::new()));
        let either = Condition::Any {
            of: vec![part("a"), part("b")],
        };
        assert_eq!(expressions(&either).map(|all| all.len()), Some(2));
    }

    fn condition() -> impl Strategy<Value = Condition> {
        let field = prop_oneof![
            Just(Field::Title),
            Just(Field::Severity),
            "[a-z._-]{1,8}".prop_map(Field::Detail),
        ];
        let test = prop_oneof![
            "\\PC{1,12}".prop_map(Test::Equals),
            "\\PC{1,12}".prop_map(Test::Contains),
            Just(Test::Exists),
        ];
        let leaf = (field, test).prop_map(|(field, test)| asked(field, test));
        leaf.prop_recursive(2, 12, 3, |inner| {
            let several = prop::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                several.clone().prop_map(|of| Condition::All { of }),
                several.prop_map(|of| Condition::Any { of }),
                inner.prop_map(not),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(condition in condition()) {
            let text = written(&condition).unwrap();
            prop_assert_eq!(parse(&text), Ok(condition));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,60}") {
            let _ = parse(&text);
        }
    }
}
