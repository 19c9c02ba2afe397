//! Expressions as text again: on one line where that is short, else one part a line, indented by depth, as Prometheus
//! lays them out; it knows no evaluation.

use std::time::{Duration, UNIX_EPOCH};

use promql_parser::label as foreign_label;
use promql_parser::parser as foreign;

use crate::duration::format_duration;

/// Bytes of an expression that stays on one line.
const LINE_BYTES_MAX: usize = 100;

/// Lays out an expression that stands at a depth.
pub(super) fn pretty(expr: &foreign::Expr, depth: usize) -> String {
    let indent = indent(depth);
    let flat = flat(expr);
    let fits = flat.len() <= LINE_BYTES_MAX;
    match expr {
        // Prometheus leaves the indentation out here.
        foreign::Expr::Subquery(_) if fits => flat,
        foreign::Expr::Subquery(subquery) => {
            pretty(&subquery.expr, depth) + &subquery_suffix(subquery)
        }
        foreign::Expr::Unary(unary) => {
            format!("{indent}-{}", pretty(&unary.expr, depth).trim())
        }
        _ if fits => indent + &flat,
        foreign::Expr::Aggregate(aggregate) => {
            let parameter = aggregate
                .param
                .as_ref()
                .map(|parameter| pretty(parameter, depth + 1) + ",\n");
            format!(
                "{indent}{}(\n{}{}\n{indent})",
                aggregate_head(aggregate),
                parameter.unwrap_or_default(),
                pretty(&aggregate.expr, depth + 1)
            )
        }
        foreign::Expr::Binary(binary) => format!(
            "{}\n{indent}{}\n{}",
            pretty(&binary.lhs, depth + 1),
            operator(binary),
            pretty(&binary.rhs, depth + 1)
        ),
        foreign::Expr::Paren(inner) => {
            format!("{indent}(\n{}\n{indent})", pretty(&inner.expr, depth + 1))
        }
        foreign::Expr::Call(call) => {
            let args = call.args.args.iter().map(|arg| pretty(arg, depth + 1));
            let args = args.collect::<Vec<_>>().join(",\n");
            format!("{indent}{}(\n{args}\n{indent})", call.func.name)
        }
        foreign::Expr::NumberLiteral(_)
        | foreign::Expr::StringLiteral(_)
        | foreign::Expr::VectorSelector(_)
        | foreign::Expr::MatrixSelector(_)
        | foreign::Expr::Extension(_) => indent + &flat,
    }
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth)
}

/// An expression on one line.
fn flat(expr: &foreign::Expr) -> String {
    match expr {
        foreign::Expr::Aggregate(aggregate) => {
            let parameter = aggregate.param.as_ref().map(|one| flat(one) + ", ");
            format!(
                "{}({}{})",
                aggregate_head(aggregate),
                parameter.unwrap_or_default(),
                flat(&aggregate.expr)
            )
        }
        foreign::Expr::Unary(unary) => format!("-{}", flat(&unary.expr)),
        foreign::Expr::Binary(binary) => format!(
            "{} {} {}",
            flat(&binary.lhs),
            operator(binary),
            flat(&binary.rhs)
        ),
        foreign::Expr::Paren(inner) => format!("({})", flat(&inner.expr)),
        foreign::Expr::Subquery(subquery) => flat(&subquery.expr) + &subquery_suffix(subquery),
        foreign::Expr::NumberLiteral(number) => number_text(number.val),
        foreign::Expr::StringLiteral(text) => quoted(&text.val),
        foreign::Expr::VectorSelector(selector) => {
            series(selector) + &shift(selector.at.as_ref(), selector.offset.as_ref())
        }
        foreign::Expr::MatrixSelector(range) => format!(
            "{}[{}]{}",
            series(&range.vs),
            duration(range.range),
            shift(range.vs.at.as_ref(), range.vs.offset.as_ref())
        ),
        foreign::Expr::Call(call) => {
            let args: Vec<String> = call.args.args.iter().map(|arg| flat(arg)).collect();
            format!("{}({})", call.func.name, args.join(", "))
        }
        foreign::Expr::Extension(extension) => extension.expr.name().to_owned(),
    }
}

fn aggregate_head(aggregate: &foreign::AggregateExpr) -> String {
    let op = aggregate.op;
    match &aggregate.modifier {
        Some(foreign::LabelModifier::Exclude(labels)) => {
            format!("{op} without ({}) ", names(labels))
        }
        Some(foreign::LabelModifier::Include(labels)) if !labels.labels.is_empty() => {
            format!("{op} by ({}) ", names(labels))
        }
        Some(foreign::LabelModifier::Include(_)) | None => op.to_string(),
    }
}

/// An operator with all that stands between its operands.
fn operator(binary: &foreign::BinaryExpr) -> String {
    let mut text = binary.op.to_string();
    let Some(modifier) = &binary.modifier else {
        return text;
    };
    if modifier.return_bool {
        text.push_str(" bool");
    }
    let groups = match &modifier.card {
        foreign::VectorMatchCardinality::ManyToOne(labels) => Some(("group_left", labels)),
        foreign::VectorMatchCardinality::OneToMany(labels) => Some(("group_right", labels)),
        foreign::VectorMatchCardinality::OneToOne | foreign::VectorMatchCardinality::ManyToMany => {
            None
        }
    };
    match &modifier.matching {
        Some(foreign::LabelModifier::Include(labels)) => {
            text += &format!(" on ({})", names(labels));
        }
        Some(foreign::LabelModifier::Exclude(labels))
            if groups.is_some() || !labels.labels.is_empty() =>
        {
            text += &format!(" ignoring ({})", names(labels));
        }
        Some(foreign::LabelModifier::Exclude(_)) => {}
        None if groups.is_some() => text.push_str(" ignoring ()"),
        None => {}
    }
    if let Some((word, labels)) = groups {
        text += &format!(" {word} ({})", names(labels));
    }
    let fill = &modifier.fill_values;
    match (fill.lhs, fill.rhs) {
        (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
            text += &format!(" fill ({})", number_text(left));
        }
        (left, right) => {
            for (word, value) in [("fill_left", left), ("fill_right", right)] {
                if let Some(value) = value {
                    text += &format!(" {word} ({})", number_text(value));
                }
            }
        }
    }
    text
}

/// Names of labels, those that are no words in quotes.
fn names(labels: &foreign_label::Labels) -> String {
    let names: Vec<String> = labels.labels.iter().map(|name| label_name(name)).collect();
    names.join(", ")
}

fn label_name(name: &str) -> String {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_well = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if starts_well && goes_well {
        name.to_owned()
    } else {
        quoted(name)
    }
}

/// The name and the matchers of a selector, the matchers in the order of their text.
fn series(selector: &foreign::VectorSelector) -> String {
    let alternatives = &selector.matchers.or_matchers;
    let matchers = if alternatives.is_empty() {
        matcher_list(&selector.matchers.matchers)
    } else {
        let each: Vec<String> = alternatives.iter().map(|one| matcher_list(one)).collect();
        each.join(" or ")
    };
    let name = selector.name.as_deref().unwrap_or_default();
    if matchers.is_empty() {
        name.to_owned()
    } else {
        format!("{name}{{{matchers}}}")
    }
}

fn matcher_list(matchers: &[foreign_label::Matcher]) -> String {
    let mut texts: Vec<String> = matchers
        .iter()
        .map(|one| format!("{}{}{}", label_name(&one.name), one.op, quoted(&one.value)))
        .collect();
    texts.sort_unstable();
    texts.join(",")
}

fn subquery_suffix(subquery: &foreign::SubqueryExpr) -> String {
    format!(
        "[{}:{}]{}",
        duration(subquery.range),
        subquery.step.map(duration).unwrap_or_default(),
        shift(subquery.at.as_ref(), subquery.offset.as_ref())
    )
}

/// ` @ ...` and ` offset ...`.
fn shift(at: Option<&foreign::AtModifier>, offset: Option<&foreign::Offset>) -> String {
    let mut text = match at {
        None => String::new(),
        Some(foreign::AtModifier::Start) => " @ start()".to_owned(),
        Some(foreign::AtModifier::End) => " @ end()".to_owned(),
        Some(foreign::AtModifier::At(instant)) => match instant.duration_since(UNIX_EPOCH) {
            Ok(after) => format!(" @ {}", seconds(after)),
            Err(before) => format!(" @ -{}", seconds(before.duration())),
        },
    };
    match offset {
        Some(foreign::Offset::Pos(by)) if !by.is_zero() => {
            text += &format!(" offset {}", duration(*by));
        }
        Some(foreign::Offset::Neg(by)) if !by.is_zero() => {
            text += &format!(" offset -{}", duration(*by));
        }
        Some(foreign::Offset::Pos(_) | foreign::Offset::Neg(_)) | None => {}
    }
    text
}

fn seconds(duration: Duration) -> String {
    format!("{}.{:03}", duration.as_secs(), duration.subsec_millis())
}

fn duration(duration: Duration) -> String {
    format_duration(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

/// All digits that the number needs, no exponent.
fn number_text(value: f64) -> String {
    if value == f64::INFINITY {
        "+Inf".to_owned()
    } else if value == f64::NEG_INFINITY {
        "-Inf".to_owned()
    } else {
        value.to_string()
    }
}

/// A text in double quotes, with what cannot be printed as an escape.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            c if c.is_ascii_control() => quoted += &format!("\\x{:02x}", u32::from(c)),
            c if is_invisible(c) && u32::from(c) > 0xffff => {
                quoted += &format!("\\U{:08x}", u32::from(c));
            }
            c if is_invisible(c) => quoted += &format!("\\u{:04x}", u32::from(c)),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn is_invisible(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
