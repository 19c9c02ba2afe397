//! The page of the native API, written from its description alone: the same description gives the same bytes. It knows no route.

use std::fmt::Write;

use serde_json::{Map, Value};

/// Where the native API is.
const BASE: &str = "/api/tocsin/v1";
/// In the order they are written.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Who may call an operation (`who`), and what a token that has scopes needs for it (`scopes`), in the description.
const ACCESS: &str = "x-access";

const OPENING: &str = "\
# The native API

<!-- Written by `cargo xtask openapi` from openapi.json: change the code it describes. -->

What the browser and the command line use, under `/api/tocsin/v1`. [openapi.json](../../openapi.json) describes the same to
programs. Bodies are JSON, times are instants in UTC (RFC 3339). A field or a parameter that is not known is refused with those that are.

**Who calls.** `Authorization: Bearer TOKEN`, or the cookie of a browser that is signed in. A token has a role, fixed when it is
made and shown in the list: `viewer` reads, `responder` also works on incidents, `admin` also changes everything else. A token of a
person does no more than the person may now, and ends with them. One that has scopes too does nothing that needs others (403). A request is judged by its route and by what it is about: where it
says \"or the person it is about\", somebody else's is refused with 403; what a caller may not even know of is not found.

**How often.** One token may send 12,000 requests a minute, or as many as it was made for, all at once or evenly; `RateLimit` tells in each answer how many are
left (`r`) and in how many seconds all are there again (`t`). Beyond that the answer is 429 with `Retry-After`, and nothing was
done. Alerts are not counted.

**Once.** A `POST` with an `Idempotency-Key` is carried out once: who sends it again gets the first answer. A key that
was used for another request, or in another's name (`From`, as clients of PagerDuty send it), is refused with 400. While the first
is under way the answer is 409 with `Retry-After`, and so it is after a 503 by which nobody knows yet whether it was kept: the true
answer comes once there is one. A 409 without `Retry-After` says that what became of the first is lost: look, then use a new key. A
refusal leaves its key free; any other is known for a day.

**Lists** come by pages: `limit` says how many, `next_cursor` of the answer is the `cursor` of the next.

**Problems** are documents of RFC 9457 (`application/problem+json`) whose `detail` says what happened, what was kept and what to do,
and whose `errors` has all the reasons when there are several. Every operation may answer 400 (it cannot be read), 401 (nobody is
known by this token or cookie), 403 (not for this caller), 429 (too often), 503 (not now; `Retry-After` says when) and 507 (the disk
is full); one that takes a body 408 (it did not arrive in time) and 413 (it is too large). A few have more, which stand beside them.
";
/// What the opening says of every operation.
const COMMON: [&str; 8] = ["400", "401", "403", "408", "413", "429", "503", "507"];

/// The page.
pub(crate) fn page(description: &Value) -> String {
    let mut page = OPENING.to_owned();
    let operations = operations(description);
    let is_native = |path: &str| path.starts_with(BASE);
    let mut tags: Vec<&str> = Vec::new();
    for (path, _, operation) in &operations {
        if is_native(path) {
            tags.push(tag_of(operation));
        }
    }
    tags.sort_unstable();
    tags.dedup();
    for tag in tags {
        let _ = write!(page, "\n## {}\n", capital(tag));
        for (path, method, operation) in &operations {
            if is_native(path) && tag_of(operation) == tag {
                one(&mut page, description, path, method, operation);
            }
        }
    }
    page.push_str("\n## Other paths\n\nWhat the [guides](../guide) tell of. A front's paths are served under its prefix too.\n\n");
    page.push_str("| Path | What it does | Who may call it |\n| --- | --- | --- |\n");
    for (path, method, operation) in &operations {
        if !is_native(path) && !is_prefixed(description, path) {
            let (summary, who) = (text(operation, "summary"), text(&operation[ACCESS], "who"));
            let method = method.to_uppercase();
            let _ = writeln!(page, "| `{method} {path}` | {} | {who} |", cell(summary));
        }
    }
    shapes(&mut page, description);
    page
}

/// Path, method and operation, in the order of the paths.
fn operations(description: &Value) -> Vec<(&str, &'static str, &Value)> {
    let paths = sorted(&description["paths"]).into_iter();
    let each = paths.flat_map(|(path, item)| {
        let methods = METHODS.into_iter();
        methods.filter_map(move |method| Some((path, method, item.get(method)?)))
    });
    each.collect()
}

/// The members of an object in the order of their names, whatever order they were read in.
fn sorted(object: &Value) -> Vec<(&str, &Value)> {
    let members = object.as_object().into_iter().flatten();
    let mut members: Vec<_> = members
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    members.sort_by_key(|(name, _)| *name);
    members
}

/// Whether the same path is there without its first part: a front's, under its prefix.
fn is_prefixed(description: &Value, path: &str) -> bool {
    let shorter = path
        .get(1..)
        .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    shorter.is_some_and(|shorter| description["paths"].get(shorter).is_some())
}

fn tag_of(operation: &Value) -> &str {
    operation["tags"][0].as_str().unwrap_or("others")
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Text within a table.
fn cell(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace('|', "\\|")
}

fn one(page: &mut String, description: &Value, path: &str, method: &str, operation: &Value) {
    let _ = write!(page, "\n### `{} {path}`\n\n", method.to_uppercase());
    let summary = text(operation, "summary");
    let stop = if summary.ends_with('?') { "" } else { "." };
    let _ = writeln!(page, "{summary}{stop}");
    let more = text(operation, "description");
    if !more.is_empty() {
        let _ = write!(page, "\n{more}\n");
    }
    let _ = write!(
        page,
        "\n- Who may call it: {}\n",
        text(&operation[ACCESS], "who")
    );
    let scopes = text(&operation[ACCESS], "scopes");
    if !scopes.is_empty() {
        let _ = writeln!(page, "- Scopes of a token that has some: {scopes}");
    }
    let body = operation.get("requestBody");
    if let Some((kind, schema)) = body.and_then(content) {
        let is_free = body.is_some_and(|body| body["required"] == false);
        let free = if is_free { ", or none" } else { "" };
        let _ = writeln!(page, "- Body: {}{kind}{free}", words(schema));
    }
    answers(page, operation);
    parameters(page, description, operation);
}

/// The one kind of content of a body or an answer, where it is not JSON, and its schema.
fn content(of: &Value) -> Option<(String, &Value)> {
    let (kind, content) = sorted(of.get("content")?).into_iter().next()?;
    let kind = match kind {
        "application/json" => String::new(),
        other => format!(" (`{other}`)"),
    };
    Some((kind, content.get("schema")?))
}

fn answers(page: &mut String, operation: &Value) {
    let all = sorted(&operation["responses"]).into_iter();
    let (good, bad): (Vec<_>, Vec<_>) = all.partition(|(status, _)| *status < "400");
    for (status, answer) in good {
        let told = match content(answer) {
            Some((kind, schema)) => format!(": {}{kind}", words(schema)),
            None => String::new(),
        };
        let _ = writeln!(page, "- Answer {status}{told}");
    }
    let statuses = bad.iter().map(|(status, _)| *status);
    let statuses: Vec<&str> = statuses.filter(|one| !COMMON.contains(one)).collect();
    if !statuses.is_empty() {
        let _ = writeln!(page, "- Problems: {}", statuses.join(", "));
    }
}

fn parameters(page: &mut String, description: &Value, operation: &Value) {
    let Some(all) = operation["parameters"]
        .as_array()
        .filter(|all| !all.is_empty())
    else {
        return;
    };
    page.push_str("\n| Parameter | In | Type | Meaning |\n| --- | --- | --- | --- |\n");
    for one in all {
        let schema = &one["schema"];
        let own = text(one, "description");
        let meaning = if own.is_empty() {
            meaning(description, schema)
        } else {
            own
        };
        let (name, place) = (text(one, "name"), text(one, "in"));
        let _ = writeln!(
            page,
            "| `{name}` | {place} | {} | {} |",
            cell(&words(schema)),
            cell(meaning)
        );
    }
}

/// All shapes that something names.
fn shapes(page: &mut String, description: &Value) {
    page.push_str(
        "\n## Shapes\n\nA field in **bold** is always there, and has to be in a request.\n",
    );
    for (name, schema) in sorted(&description["components"]["schemas"]) {
        let _ = write!(page, "\n### {name}\n");
        let own = text(schema, "description");
        if !own.is_empty() {
            let _ = write!(page, "\n{own}\n");
        }
        shape(page, description, schema);
    }
}

fn shape(page: &mut String, description: &Value, schema: &Value) {
    if let Some(parts) = schema["allOf"].as_array() {
        for part in parts {
            match part.get("$ref") {
                Some(_) => {
                    let _ = write!(page, "\nAll of {}, and:\n", words(part));
                }
                None => shape(page, description, part),
            }
        }
    } else if let Some(variants) = schema["oneOf"].as_array() {
        let mut begin = "Either";
        for variant in variants {
            let _ = writeln!(page, "\n{begin}: {}", variant_words(variant));
            fields(page, description, variant);
            begin = "Or";
        }
    } else if schema.get("properties").is_some() {
        fields(page, description, schema);
    } else {
        let _ = write!(page, "\n{}\n", words(schema));
    }
}

fn variant_words(variant: &Value) -> String {
    let own = text(variant, "description");
    if variant.get("properties").is_some() {
        return own.to_owned();
    }
    let between = if own.is_empty() { "" } else { ": " };
    format!("{}{between}{own}", words(variant))
}

fn fields(page: &mut String, description: &Value, schema: &Value) {
    let all = sorted(&schema["properties"]);
    if all.is_empty() {
        return;
    }
    page.push_str("\n| Field | Type | Meaning |\n| --- | --- | --- |\n");
    let required = schema["required"].as_array();
    for (name, field) in all {
        let is_required = required.is_some_and(|names| names.iter().any(|one| one == name));
        let star = if is_required { "**" } else { "" };
        let meaning = cell(meaning(description, field));
        let _ = writeln!(
            page,
            "| {star}`{name}`{star} | {} | {meaning} |",
            cell(&words(field))
        );
    }
}

/// What a schema means: in its own words, or in those of what it names.
fn meaning<'a>(description: &'a Value, schema: &'a Value) -> &'a str {
    let own = text(schema, "description");
    if !own.is_empty() {
        return own;
    }
    if let Some(name) = named(schema) {
        return text(&description["components"]["schemas"][name], "description");
    }
    let mut variants = schema["oneOf"].as_array().into_iter().flatten();
    let named = variants.find(|variant| variant.get("$ref").is_some());
    named.map_or("", |variant| meaning(description, variant))
}

fn named(schema: &Value) -> Option<&str> {
    text(schema, "$ref").rsplit_once('/').map(|(_, name)| name)
}

/// A type in words.
fn words(schema: &Value) -> String {
    if let Some(name) = named(schema) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    let several = |all: &Vec<Value>, between: &str| {
        let each: Vec<String> = all.iter().map(words).collect();
        each.join(between)
    };
    if let Some(parts) = schema["allOf"].as_array() {
        return several(parts, " with ");
    }
    if let Some(variants) = schema["oneOf"].as_array() {
        return several(variants, " or ");
    }
    if let Some(values) = schema["enum"].as_array() {
        let each: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        return each.join(" or ");
    }
    match &schema["type"] {
        Value::String(kind) => kind_words(kind, schema),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str);
            let each: Vec<String> = kinds.map(|kind| kind_words(kind, schema)).collect();
            each.join(" or ")
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => "anything".to_owned(),
    }
}

fn kind_words(kind: &str, schema: &Value) -> String {
    let values = schema
        .get("additionalProperties")
        .and_then(Value::as_object);
    match (kind, schema["prefixItems"].as_array(), values) {
        ("array", Some(items), _) => {
            let each: Vec<String> = items.iter().map(words).collect();
            format!("list of exactly {}", each.join(" and "))
        }
        ("array", None, _) => format!("list of {}", words(&schema["items"])),
        ("object", _, Some(values)) => {
            format!("object of {}", words(&Value::Object(Map::clone(values))))
        }
        ("integer", _, _) => match schema["minimum"].as_u64() {
            Some(least) => format!("integer, {least} or more"),
            None => "integer".to_owned(),
        },
        (other, _, _) => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;
    use crate::places;

    #[test]
    fn the_page_in_the_repository_is_what_the_description_gives() {
        let read = |name: &str| fs::read_to_string(places::root().join(name)).unwrap_or_default();
        let description: Value = serde_json::from_str(&read("openapi.json")).unwrap_or_default();
        let is_same = read("docs/reference/api.md") == page(&description);
        assert!(
            is_same,
            "docs/reference/api.md is old: run `cargo xtask openapi`"
        );
    }

    fn check(schema: &Value, expected: &str) {
        assert_eq!(words(schema), expected, "{schema}");
    }

    #[test]
    fn a_type_is_told_in_words() {
        check(&json!({"type": "string"}), "string");
        check(
            &json!({"type": ["integer", "null"], "minimum": 1}),
            "integer, 1 or more or null",
        );
        check(
            &json!({"$ref": "#/components/schemas/Page_Team"}),
            "[Page_Team](#page_team)",
        );
        check(
            &json!({"oneOf": [{"$ref": "#/x/Role"}, {"type": "null"}]}),
            "[Role](#role) or null",
        );
        check(
            &json!({"type": "array", "items": {"type": "string"}}),
            "list of string",
        );
        check(
            &json!({"type": "string", "enum": ["a", "b"]}),
            "`\"a\"` or `\"b\"`",
        );
        check(
            &json!({"type": "object", "additionalProperties": {"type": "string"}}),
            "object of string",
        );
        check(
            &json!({"type": "object", "additionalProperties": false}),
            "object",
        );
        check(&json!({}), "anything");
    }

    #[test]
    fn an_operation_says_who_may_call_it_and_what_it_takes_and_gives() {
        let description = json!({
            "paths": {"/api/tocsin/v1/teams/{id}": {"put": {
                "tags": ["oncall"], "summary": "Replace a team", "x-access": {"who": "an administrator", "scopes": "roster"},
                "parameters": [{"name": "id", "in": "path", "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Team"}}}},
                "responses": {"200": {}, "403": {}, "404": {}, "409": {}},
            }}},
            "components": {"schemas": {"Team": {"type": "object", "required": ["name"],
                "properties": {"name": {"type": "string", "description": "One | line."}}}}},
        });
        let page = page(&description);
        for line in [
            "## Oncall",
            "### `PUT /api/tocsin/v1/teams/{id}`",
            "Replace a team.",
            "- Who may call it: an administrator",
            "- Scopes of a token that has some: roster",
            "- Body: [Team](#team)",
            "- Answer 200",
            "- Problems: 404, 409",
            "| `id` | path | string |  |",
            "### Team",
            "| **`name`** | string | One \\| line. |",
        ] {
            assert!(page.lines().any(|one| one == line), "{line}\n{page}");
        }
    }
}
