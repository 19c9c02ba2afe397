//! Reads the language of Prometheus' `.test` files: commands, series, sequences of values.

use tocsin_promql::{Labels, METRIC_NAME, STALE_NAN_BITS};

/// A command and the line it stands on.
pub(crate) struct Command {
    pub(crate) line: usize,
    pub(crate) what: What,
}

/// What a command does.
pub(crate) enum What {
    Clear,
    Load {
        step_ms: i64,
        series: Vec<Series>,
        with_native: bool,
    },
    Eval(Eval),
    /// A line this reader does not know.
    Unknown(String),
}

/// A series description: labels and values, one per step.
pub(crate) struct Series {
    pub(crate) labels: Labels,
    /// `None` when the values are native histograms.
    pub(crate) values: Option<Vec<Option<f64>>>,
}

/// A query and what it should give.
pub(crate) struct Eval {
    pub(crate) mode: Mode,
    pub(crate) times: Times,
    pub(crate) query: String,
    pub(crate) expected: Vec<Expected>,
}

/// What is asked of a result beside its values.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Mode {
    Plain,
    Ordered,
    Fail,
    Warn,
    Info,
}

/// When a query is evaluated, milliseconds.
#[derive(Clone, Copy)]
pub(crate) enum Times {
    Instant(i64),
    Range { start: i64, end: i64, step: i64 },
}

/// One line of an expected result.
pub(crate) enum Expected {
    Number(f64),
    Series(Series),
}

/// Reads a file.
pub(crate) fn read(text: &str) -> Vec<Command> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .map(|line| if line.starts_with('#') { "" } else { line })
        .collect();
    let mut commands = Vec::new();
    let mut at = 0;
    while at < lines.len() {
        let first = at;
        at += 1;
        if lines[first].is_empty() {
            continue;
        }
        let mut block = Vec::new();
        let takes_block = lines[first].starts_with("load") || lines[first].starts_with("eval");
        while takes_block && at < lines.len() && !lines[at].is_empty() {
            block.push(lines[at]);
            at += 1;
        }
        commands.push(Command {
            line: first + 1,
            what: command(lines[first], &block),
        });
    }
    commands
}

fn command(first: &str, block: &[&str]) -> What {
    let unknown = || What::Unknown(first.to_owned());
    let Some((word, rest)) = first.split_once(' ') else {
        return if first == "clear" {
            What::Clear
        } else {
            unknown()
        };
    };
    match word {
        "load" | "load_with_nhcb" => What::Load {
            step_ms: millis(rest.trim()),
            series: block.iter().map(|line| series(line)).collect(),
            with_native: word != "load",
        },
        "eval" => eval(Mode::Plain, rest, block).unwrap_or_else(unknown),
        "eval_ordered" => eval(Mode::Ordered, rest, block).unwrap_or_else(unknown),
        "eval_fail" => eval(Mode::Fail, rest, block).unwrap_or_else(unknown),
        "eval_warn" => eval(Mode::Warn, rest, block).unwrap_or_else(unknown),
        "eval_info" => eval(Mode::Info, rest, block).unwrap_or_else(unknown),
        _ => unknown(),
    }
}

fn eval(mode: Mode, rest: &str, block: &[&str]) -> Option<What> {
    let mut words = rest.trim();
    let mut next = || {
        let (word, after) = words.split_once(char::is_whitespace)?;
        words = after.trim_start();
        Some(word)
    };
    let times = match (next()?, next()?) {
        ("instant", "at") => Times::Instant(millis(next()?)),
        ("range", "from") => {
            let start = millis(next()?);
            next().filter(|word| *word == "to")?;
            let end = millis(next()?);
            next().filter(|word| *word == "step")?;
            let step = millis(next()?);
            Times::Range { start, end, step }
        }
        _ => return None,
    };
    let expected = block
        .iter()
        .filter(|line| !line.starts_with("expected_fail"))
        .map(|line| match number(line) {
            Some(number) => Expected::Number(number),
            None => Expected::Series(series(line)),
        });
    Some(What::Eval(Eval {
        mode,
        times,
        query: words.to_owned(),
        expected: expected.collect(),
    }))
}

/// A duration such as `1h30m`, or a number of seconds.
fn millis(text: &str) -> i64 {
    if let Ok(seconds) = text.parse::<f64>() {
        #[expect(clippy::cast_possible_truncation, reason = "times of tests are small")]
        return (seconds * 1e3).round() as i64;
    }
    let mut total = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap();
        let count: i64 = rest[..digits].parse().unwrap();
        rest = &rest[digits..];
        let unit = rest
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(rest.len());
        total += count
            * match &rest[..unit] {
                "ms" => 1,
                "s" => 1_000,
                "m" => 60_000,
                "h" => 3_600_000,
                "d" => 86_400_000,
                "w" => 7 * 86_400_000,
                "y" => 365 * 86_400_000,
                other => panic!("unit {other:?} in {text:?}"),
            };
        rest = &rest[unit..];
    }
    total
}

fn series(line: &str) -> Series {
    let (labels, rest) = labels(line);
    Series {
        labels,
        values: if rest.contains("{{") {
            None
        } else {
            Some(rest.split_whitespace().flat_map(values).collect())
        },
    }
}

/// Labels at the start of a line, and what follows.
fn labels(line: &str) -> (Labels, &str) {
    let end = line
        .find(|c: char| c == '{' || c.is_whitespace())
        .unwrap_or(line.len());
    let name = &line[..end];
    let mut pairs = vec![(METRIC_NAME.to_owned(), name.to_owned())];
    let mut rest = line[end..].trim_start();
    if let Some(inside) = rest.strip_prefix('{').filter(|_| !rest.starts_with("{{")) {
        rest = inside.trim_start();
        while !rest.starts_with('}') {
            let (name, after) = if rest.starts_with('"') {
                string(rest)
            } else {
                let end = rest.find(['=', ' ']).unwrap();
                (rest[..end].to_owned(), &rest[end..])
            };
            rest = after.trim_start();
            if let Some(after) = rest.strip_prefix('=') {
                let (value, after) = string(after.trim_start());
                pairs.push((name, value));
                rest = after.trim_start();
            } else {
                pairs.push((METRIC_NAME.to_owned(), name));
            }
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        rest = rest[1..].trim_start();
    }
    let labels = pairs.iter().map(|(name, value)| (&**name, &**value));
    (labels.collect(), rest)
}

/// A quoted text at the start of `text`, and what follows.
fn string(text: &str) -> (String, &str) {
    let quote = text.chars().next().unwrap();
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return (value, &text[at + 1..]),
            '\\' => match chars.next().unwrap().1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    panic!("unterminated text {text}")
}

/// The values of one item: `1`, `_`, `stale`, `1+2x3`, `1x3`, `_x3`.
fn values(item: &str) -> Vec<Option<f64>> {
    if item == "_" {
        return vec![None];
    }
    if let Some(times) = item.strip_prefix("_x") {
        return vec![None; times.parse().unwrap()];
    }
    if item == "stale" {
        return vec![Some(f64::from_bits(STALE_NAN_BITS))];
    }
    // `0x5` is a zero and its five repetitions here, not a number in base 16.
    if !item.contains('x') {
        return vec![number(item)];
    }
    let (values, times) = item.rsplit_once('x').unwrap();
    let times: usize = times.parse().unwrap();
    // The sign that separates start and step is the last one that is not part of an exponent.
    let separator = values
        .char_indices()
        .skip(1)
        .filter(|(at, c)| matches!(c, '+' | '-') && !values[..*at].ends_with(['e', 'E']))
        .last();
    let (start, step) = match separator {
        None => (values, 0.0),
        Some((at, _)) => (&values[..at], number(&values[at..]).unwrap()),
    };
    let mut value = if start == "stale" {
        f64::from_bits(STALE_NAN_BITS)
    } else {
        number(start).unwrap()
    };
    let mut all = vec![Some(value)];
    for _ in 0..times {
        if step != 0.0 {
            value += step;
        }
        all.push(Some(value));
    }
    all
}

fn number(text: &str) -> Option<f64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if let Some(hex) = digits.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(|n| sign * n as f64);
    }
    digits.parse::<f64>().ok().map(|number| sign * number)
}
