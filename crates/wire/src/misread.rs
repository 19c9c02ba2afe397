//! What is wrong with a text that cannot be read, in words of people and not of a reader's types. It knows no format of ours.

use crate::plain::cut;

/// Characters of what was found that are told at most.
const FOUND_CHARS_MAX: usize = 100;
/// What the reader of parameters says before what is wrong.
const OF_QUERY: &str = "Failed to deserialize query string: ";

/// What is wrong with JSON, and where, as its reader tells the place.
#[must_use]
pub fn json(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match whole.strip_suffix(&place) {
        Some(said) => format!("{}{place}", told(said, "an object")),
        None => told(&whole, "an object"),
    }
}

/// What is wrong with a file in TOML; its place is told apart.
#[must_use]
pub fn toml(error: &toml::de::Error) -> String {
    told(error.message(), "a table")
}

/// What is wrong with the parameters of a query, and with which, as its reader says it.
#[must_use]
pub fn query(said: &str) -> String {
    let said = said.strip_prefix(OF_QUERY).unwrap_or(said);
    let of_one = || {
        let (name, said) = said.split_once(": ")?;
        let words = of_text(said)
            .map(str::to_owned)
            .or_else(|| plain(said, "an object"))?;
        Some(format!("{name}: {words}"))
    };
    plain(said, "an object")
        .or_else(of_one)
        .unwrap_or_else(|| said.to_owned())
}

/// Plain words for what a reader says, or those of the reader where they are none of its usual ones.
fn told(said: &str, object: &str) -> String {
    plain(said, object).unwrap_or_else(|| said.to_owned())
}

/// What a reader says of a number or a boolean that is written as text; no parameter of ours is below 0.
fn of_text(said: &str) -> Option<&'static str> {
    Some(match said {
        "invalid digit found in string" | "cannot parse integer from empty string" => {
            "expected a whole number of 0 or more"
        }
        "number too large to fit in target type" => "the number is too large",
        "invalid float literal" | "cannot parse float from empty string" => "expected a number",
        "provided string was not `true` or `false`" => "expected true or false",
        _ => return None,
    })
}

fn plain(said: &str, object: &str) -> Option<String> {
    let of_field = |start: &str| said.strip_prefix(start)?.strip_suffix('`');
    if let Some(name) = of_field("missing field `") {
        return Some(format!("the field {} is missing", quoted(name)));
    }
    if let Some(name) = of_field("duplicate field `") {
        return Some(format!("the field {} is there twice", quoted(name)));
    }
    if said.starts_with("data did not match any variant of untagged enum ") {
        return Some("it has none of the forms that are taken here".to_owned());
    }
    for (start, what) in [
        ("unknown variant `", "is not one of"),
        ("unknown field `", "is not one of the fields"),
    ] {
        if let Some(rest) = said.strip_prefix(start) {
            // What was found may hold anything; what is known comes last.
            let (found, known) = rest.rsplit_once("`, expected ")?;
            return Some(format!("{} {what}: {}", quoted(found), listed(known)));
        }
    }
    if let Some(rest) = said.strip_prefix("invalid length ") {
        let (length, expected) = rest.rsplit_once(", expected ")?;
        let wanted = wanted(expected, object);
        // Only a list is counted where something with fields belongs.
        let found = if wanted == object { "a list" } else { length };
        return Some(format!("expected {wanted}, found {found}"));
    }
    let rest = said.strip_prefix("invalid type: ");
    let rest = rest.or_else(|| said.strip_prefix("invalid value: "))?;
    let (found, expected) = rest.rsplit_once(", expected ")?;
    Some(format!(
        "expected {}, found {}",
        wanted(expected, object),
        shown(found, object)
    ))
}

/// What belongs there. A type of ours that tells it in words of its own is taken at its word.
fn wanted(expected: &str, object: &str) -> String {
    let of_numbers = match expected {
        "u8" => Some("a whole number from 0 to 255"),
        "u16" => Some("a whole number from 0 to 65535"),
        "u32" => Some("a whole number from 0 to 4294967295"),
        "u64" | "usize" => Some("a whole number of 0 or more"),
        "i8" => Some("a whole number from -128 to 127"),
        "i16" => Some("a whole number from -32768 to 32767"),
        "i32" => Some("a whole number from -2147483648 to 2147483647"),
        "i64" | "isize" => Some("a whole number"),
        "f32" | "f64" => Some("a number"),
        _ => None,
    };
    if let Some(words) = of_numbers {
        return words.to_owned();
    }
    if expected.starts_with("a nonzero u") {
        return "a whole number of 1 or more".to_owned();
    }
    for start in ["an array of length ", "a tuple of size "] {
        if let Some(length) = expected.strip_prefix(start) {
            return format!("a list of {length}");
        }
    }
    let with_fields = ["struct ", "internally tagged enum ", "struct variant "];
    if expected == "a map" || with_fields.iter().any(|start| expected.starts_with(start)) {
        return object.to_owned();
    }
    if expected == "string or map" || expected.starts_with("enum ") {
        return format!("text or {object}");
    }
    let other = match expected {
        "a string" | "a borrowed string" | "string" | "variant identifier" => "text",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        _ => expected,
    };
    other.to_owned()
}

/// What is there instead.
fn shown(found: &str, object: &str) -> String {
    for (start, of_what) in [
        ("boolean `", ""),
        ("integer `", ""),
        ("floating point `", ""),
        ("character `", "the text "),
    ] {
        let found = found.strip_prefix(start);
        if let Some(value) = found.and_then(|rest| rest.strip_suffix('`')) {
            return format!("{of_what}{}", cut(value, FOUND_CHARS_MAX));
        }
    }
    if let Some(text) = found.strip_prefix("string ") {
        let start = cut(text, FOUND_CHARS_MAX);
        let more = if start.len() < text.len() { "…" } else { "" };
        return format!("the text {start}{more}");
    }
    match found {
        "map" => object.to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" => "nothing".to_owned(),
        _ => found.to_owned(),
    }
}

/// The names that a reader lists: without its quotes, and with commas between them.
fn listed(known: &str) -> String {
    let known = known.strip_prefix("one of ").unwrap_or(known);
    known.replace("` or `", "`, `").replace('`', "")
}

fn quoted(name: &str) -> String {
    let start = cut(name, FOUND_CHARS_MAX);
    let more = if start.len() < name.len() { "…" } else { "" };
    format!("{:?}", start + more)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::Value;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        Red,
        Green,
        Blue,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Side {
        Left,
        Right,
    }

    #[derive(PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        name: String,
        width: u64,
        height: Option<u64>,
    }

    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        One,
        Other,
    }

    #[derive(PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(u64),
    }

    fn why<T: DeserializeOwned>(text: &str) -> String {
        // Without what was read, which need not be shown.
        let read = serde_json::from_str::<T>(text).map(|_| ());
        json(&read.unwrap_err())
    }

    fn check<T: DeserializeOwned>(text: &str, expected: &str) {
        let place = format!(" at line 1 column {}", text.len());
        let told = why::<T>(text);
        let said = told.strip_suffix(&place).unwrap_or(&told);
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn each_kind_of_value_that_is_wrong_is_told_in_plain_words() {
        check::<u64>(
            r#""x""#,
            r#"expected a whole number of 0 or more, found the text "x""#,
        );
        check::<u64>("-5", "expected a whole number of 0 or more, found -5");
        check::<u64>("1.5", "expected a whole number of 0 or more, found 1.5");
        check::<u8>("300", "expected a whole number from 0 to 255, found 300");
        check::<u16>("-1", "expected a whole number from 0 to 65535, found -1");
        check::<u32>(
            "-1",
            "expected a whole number from 0 to 4294967295, found -1",
        );
        check::<i64>("true", "expected a whole number, found true");
        check::<i32>(
            "3000000000",
            "expected a whole number from -2147483648 to 2147483647, found 3000000000",
        );
        check::<f64>("null", "expected a number, found null");
        check::<bool>("1", "expected true or false, found 1");
        check::<String>("5", "expected text, found 5");
        check::<Vec<u64>>("5", "expected a list, found 5");
        check::<(u64, u64)>("[1]", "expected a list of 2, found 1");
        check::<[u64; 2]>("[1]", "expected a list of 2, found 1");
        check::<BTreeMap<String, u64>>("5", "expected an object, found 5");
        check::<Shape>("5", "expected an object, found 5");
        check::<Shape>("[]", "expected an object, found a list");
        check::<Either>("true", "it has none of the forms that are taken here");
    }

    #[test]
    fn lists_and_objects_in_place_of_something_else_are_told() {
        // The place is where they begin.
        assert!(why::<String>("[]").starts_with("expected text, found a list"));
        assert!(why::<String>("{}").starts_with("expected text, found an object"));
        assert!(why::<Tagged>("5").starts_with("expected an object, found 5"));
        let text = format!("{:?}", "é".repeat(1_000));
        let long = why::<u64>(&text);
        assert!(long.contains("é… at line 1"), "{long}");
        assert!(long.chars().count() < 250, "{long}");
    }

    #[test]
    fn words_and_names_that_nobody_knows_are_told_with_those_that_are_known() {
        check::<Colour>(r#""x""#, r#""x" is not one of: red, green, blue"#);
        check::<Side>(r#""up""#, r#""up" is not one of: left, right"#);
        check::<Colour>(
            r#""a`, expected `b""#,
            r#""a`, expected `b" is not one of: red, green, blue"#,
        );
        let told = why::<Shape>(r#"{"colour":1}"#);
        let expected = r#""colour" is not one of the fields: name, width, height at line"#;
        assert!(told.starts_with(expected), "{told}");
        check::<Shape>("{}", r#"the field "name" is missing"#);
        let told = why::<Shape>(r#"{"name":"a","name":"b"}"#);
        assert!(told.starts_with(r#"the field "name" is there twice at "#));
    }

    #[test]
    fn what_the_reader_of_a_format_says_of_its_marks_is_kept() {
        for text in ["{", "[1,]", "tru", "1 2"] {
            let said = serde_json::from_str::<Value>(text).unwrap_err();
            assert_eq!(json(&said), said.to_string());
        }
    }

    #[test]
    fn a_value_out_of_json_that_has_no_place_is_told_likewise() {
        let read = serde_json::from_value::<u64>(Value::from("x"));
        let told = json(&read.unwrap_err());
        let expected = r#"expected a whole number of 0 or more, found the text "x""#;
        assert_eq!(told, expected);
    }

    #[test]
    fn a_file_has_tables_where_json_has_objects() {
        let told = |text: &str| {
            let read = toml::from_str::<BTreeMap<String, Shape>>(text).map(|_| ());
            toml(&read.unwrap_err())
        };
        assert_eq!(told("a = 5"), "expected a table, found 5");
        let named = "[a]\nname = \"a\"\n";
        for (line, expected) in [
            (
                "width = \"x\"",
                r#"expected a whole number of 0 or more, found the text "x""#,
            ),
            ("", r#"the field "width" is missing"#),
            (
                "depth = 5",
                r#""depth" is not one of the fields: name, width, height"#,
            ),
        ] {
            assert_eq!(told(&format!("{named}{line}")), expected);
        }
    }

    #[test]
    fn a_parameter_that_is_wrong_is_told_by_its_name() {
        for (said, expected) in [
            (
                "limit: invalid digit found in string",
                "limit: expected a whole number of 0 or more",
            ),
            (
                "limit: cannot parse integer from empty string",
                "limit: expected a whole number of 0 or more",
            ),
            (
                "limit: number too large to fit in target type",
                "limit: the number is too large",
            ),
            (
                "all: provided string was not `true` or `false`",
                "all: expected true or false",
            ),
            ("share: invalid float literal", "share: expected a number"),
            (
                "state: unknown variant `x: y`, expected `open` or `resolved`",
                r#"state: "x: y" is not one of: open, resolved"#,
            ),
            ("missing field `from`", r#"the field "from" is missing"#),
            ("from: not an instant", "from: not an instant"),
        ] {
            assert_eq!(query(&format!("{OF_QUERY}{said}")), expected);
        }
    }
}
