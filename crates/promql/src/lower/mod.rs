//! From text to the evaluator's expression. The foreign parser is named in this folder alone.

mod format;
mod guard;
mod names;

use std::panic::catch_unwind;
use std::time::{Duration, UNIX_EPOCH};

use promql_parser::label::{MatchOp as ForeignOp, Matchers};
use promql_parser::parser as foreign;

use crate::ast::{
    Aggregate, AggregateOp, At, Binary, Call, Cardinality, Expr, Func, Grouping, Kind, Matching,
    Selector, Shift, Window,
};
use crate::error::ParseError;
use crate::labels::METRIC_NAME;
use crate::matcher::{MatchOp, Matcher};

/// Reads an expression.
pub(crate) fn parse(text: &str) -> Result<Expr, ParseError> {
    expr(&foreign_tree(text)?)
}

/// Reads a selector that has neither range nor offset.
pub(crate) fn parse_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    if let foreign::Expr::VectorSelector(found) = foreign_tree(text)?
        && found.offset.is_none()
        && found.at.is_none()
    {
        return Ok(selector(&found)?.matchers);
    }
    Err(ParseError::syntax(format!(
        "{text:?} is no selector of series such as up{{job=\"a\"}}"
    )))
}

/// Lays an expression out anew.
pub(crate) fn format(text: &str) -> Result<String, ParseError> {
    Ok(format::pretty(&foreign_tree(text)?, 0))
}

fn foreign_tree(text: &str) -> Result<foreign::Expr, ParseError> {
    guard::check(text)?;
    // The guard keeps out what is known to make the parser panic; a case it does not know is an error too, not an end.
    let parsed = catch_unwind(|| foreign::parse(text))
        .map_err(|_| ParseError::syntax("the parser gave up on it"))?;
    parsed.map_err(ParseError::syntax)
}

fn expr(from: &foreign::Expr) -> Result<Expr, ParseError> {
    Ok(match from {
        foreign::Expr::Paren(inner) => expr(&inner.expr)?,
        foreign::Expr::NumberLiteral(number) => Expr::Number(number.val),
        foreign::Expr::StringLiteral(text) => Expr::Text(text.val.clone()),
        foreign::Expr::Unary(unary) => Expr::Negate(Box::new(expr(&unary.expr)?)),
        foreign::Expr::Binary(from) => binary(from)?,
        foreign::Expr::Aggregate(from) => aggregate(from)?,
        foreign::Expr::Call(from) => call(from)?,
        foreign::Expr::VectorSelector(from) => Expr::Selector(selector(from)?),
        foreign::Expr::MatrixSelector(from) => Expr::Window(Box::new(Window::Range {
            selector: selector(&from.vs)?,
            range_ms: millis(from.range)?,
        })),
        foreign::Expr::Subquery(from) => Expr::Window(Box::new(subquery(from)?)),
        foreign::Expr::Extension(_) => return Err(unsupported("an extension")),
    })
}

fn subquery(from: &foreign::SubqueryExpr) -> Result<Window, ParseError> {
    let step_ms = from.step.map(millis).transpose()?;
    if step_ms == Some(0) {
        return Err(ParseError::syntax("a subquery's step must not be zero"));
    }
    Ok(Window::Subquery {
        expr: expr(&from.expr)?,
        range_ms: millis(from.range)?,
        step_ms,
        shift: shift(from.offset.as_ref(), from.at.as_ref())?,
    })
}

fn selector(from: &foreign::VectorSelector) -> Result<Selector, ParseError> {
    let mut matchers = Vec::new();
    if let Some(name) = &from.name {
        matchers.push(Matcher::equal(METRIC_NAME, name.as_str()));
    }
    let mut others = foreign_matchers(&from.matchers)?;
    // Their order means nothing; one order makes equal expressions look equal.
    others.sort_by_cached_key(ToString::to_string);
    matchers.extend(others);
    Ok(Selector {
        matchers,
        shift: shift(from.offset.as_ref(), from.at.as_ref())?,
    })
}

fn foreign_matchers(from: &Matchers) -> Result<Vec<Matcher>, ParseError> {
    if !from.or_matchers.is_empty() {
        return Err(unsupported("`or` between label matchers"));
    }
    from.matchers
        .iter()
        .map(|matcher| {
            let op = match matcher.op {
                ForeignOp::Equal => MatchOp::Equal,
                ForeignOp::NotEqual => MatchOp::NotEqual,
                ForeignOp::Re(_) => MatchOp::Matches,
                ForeignOp::NotRe(_) => MatchOp::NotMatches,
            };
            Matcher::new(op, matcher.name.as_str(), matcher.value.as_str())
                .map_err(|error| ParseError::syntax(error.to_string()))
        })
        .collect()
}

fn shift(
    offset: Option<&foreign::Offset>,
    at: Option<&foreign::AtModifier>,
) -> Result<Shift, ParseError> {
    let offset_ms = match offset {
        None => 0,
        Some(foreign::Offset::Pos(duration)) => millis(*duration)?,
        Some(foreign::Offset::Neg(duration)) => -millis(*duration)?,
    };
    let at = match at {
        None => None,
        Some(foreign::AtModifier::Start) => Some(At::Start),
        Some(foreign::AtModifier::End) => Some(At::End),
        Some(foreign::AtModifier::At(instant)) => {
            Some(At::Millis(match instant.duration_since(UNIX_EPOCH) {
                Ok(after) => millis(after)?,
                Err(before) => -millis(before.duration())?,
            }))
        }
    };
    Ok(Shift { offset_ms, at })
}

fn millis(duration: Duration) -> Result<i64, ParseError> {
    /// A bound that leaves room for sums of several such spans.
    const MILLIS_MAX: i64 = i64::MAX / 16;
    i64::try_from(duration.as_millis())
        .ok()
        .filter(|ms| *ms <= MILLIS_MAX)
        .ok_or_else(|| ParseError::syntax("a duration or an instant is out of range"))
}

fn binary(from: &foreign::BinaryExpr) -> Result<Expr, ParseError> {
    let name = from.op.to_string();
    let op = names::binary(&name).ok_or_else(|| unsupported(&format!("the operator {name}")))?;
    let matching = match &from.modifier {
        None => Matching {
            by: Grouping::Drop(Vec::new()),
            cardinality: Cardinality::OneToOne,
        },
        Some(modifier) => matching(modifier)?,
    };
    Ok(Expr::Binary(Box::new(Binary {
        op,
        left: expr(&from.lhs)?,
        right: expr(&from.rhs)?,
        matching,
        as_bool: from.return_bool(),
    })))
}

fn matching(from: &foreign::BinModifier) -> Result<Matching, ParseError> {
    if from.fill_values.lhs.is_some() || from.fill_values.rhs.is_some() {
        return Err(unsupported("fill between vectors"));
    }
    let cardinality = match &from.card {
        foreign::VectorMatchCardinality::OneToOne | foreign::VectorMatchCardinality::ManyToMany => {
            Cardinality::OneToOne
        }
        foreign::VectorMatchCardinality::ManyToOne(labels) => {
            Cardinality::ManyToOne(labels.labels.clone())
        }
        foreign::VectorMatchCardinality::OneToMany(labels) => {
            Cardinality::OneToMany(labels.labels.clone())
        }
    };
    let by = grouping(from.matching.as_ref(), Grouping::Drop(Vec::new()));
    Ok(Matching { by, cardinality })
}

fn grouping(from: Option<&foreign::LabelModifier>, without: Grouping) -> Grouping {
    match from {
        None => without,
        Some(foreign::LabelModifier::Include(labels)) => Grouping::Keep(labels.labels.clone()),
        Some(foreign::LabelModifier::Exclude(labels)) => Grouping::Drop(labels.labels.clone()),
    }
}

fn aggregate(from: &foreign::AggregateExpr) -> Result<Expr, ParseError> {
    let name = from.op.to_string();
    let op =
        names::aggregate(&name).ok_or_else(|| unsupported(&format!("the aggregation {name}")))?;
    let parameter = from.param.as_deref().map(expr).transpose()?;
    let wanted = match op {
        AggregateOp::Quantile
        | AggregateOp::TopK
        | AggregateOp::BottomK
        | AggregateOp::LimitK
        | AggregateOp::LimitRatio => Some(Kind::Scalar),
        AggregateOp::CountValues => Some(Kind::Text),
        AggregateOp::Sum
        | AggregateOp::Avg
        | AggregateOp::Min
        | AggregateOp::Max
        | AggregateOp::Count
        | AggregateOp::Group
        | AggregateOp::Stddev
        | AggregateOp::Stdvar => None,
    };
    if parameter.as_ref().map(Expr::kind) != wanted {
        return Err(ParseError::syntax(format!(
            "{name} takes another parameter"
        )));
    }
    let inner = expr(&from.expr)?;
    if inner.kind() != Kind::Vector {
        return Err(ParseError::syntax(format!(
            "{name} takes an instant vector"
        )));
    }
    Ok(Expr::Aggregate(Box::new(Aggregate {
        op,
        grouping: grouping(from.modifier.as_ref(), Grouping::Keep(Vec::new())),
        expr: inner,
        parameter,
    })))
}

fn call(from: &foreign::Call) -> Result<Expr, ParseError> {
    let name = from.func.name;
    let func = names::function(name).ok_or_else(|| unsupported(&format!("the function {name}")))?;
    let mut args: Vec<Expr> = from
        .args
        .args
        .iter()
        .map(|arg| expr(arg))
        .collect::<Result<_, _>>()?;
    check_kinds(name, from, &args)?;
    if func == Func::Info {
        let infos = info_selector(args.drain(1..).next())?;
        args.push(Expr::Selector(infos));
    }
    Ok(Expr::Call(Call { func, args }))
}

/// The selector of info series: `target_info` unless it says otherwise, and never anything but info series.
fn info_selector(given: Option<Expr>) -> Result<Selector, ParseError> {
    let mut selector = match given {
        None => Selector {
            matchers: Vec::new(),
            shift: Shift::default(),
        },
        Some(Expr::Selector(selector)) => selector,
        Some(_) => {
            return Err(ParseError::syntax(
                "the second argument of info is a selector such as {version=~\".+\"}",
            ));
        }
    };
    let mut names = selector
        .matchers
        .iter()
        .filter(|one| one.name() == METRIC_NAME)
        .map(Matcher::op)
        .peekable();
    if names.peek().is_none() {
        let default = Matcher::equal(METRIC_NAME, "target_info");
        selector.matchers.insert(0, default);
    } else if names.all(|op| matches!(op, MatchOp::NotEqual | MatchOp::NotMatches)) {
        let any = Matcher::new(MatchOp::Matches, METRIC_NAME, ".+_info")
            .map_err(|error| ParseError::syntax(error.to_string()))?;
        selector.matchers.insert(0, any);
    }
    Ok(selector)
}

/// The parser skips this check for some literals; the evaluator relies on it.
fn check_kinds(name: &str, from: &foreign::Call, args: &[Expr]) -> Result<(), ParseError> {
    use promql_parser::parser::value::ValueType;
    let types = &from.func.arg_types;
    for (at, arg) in args.iter().enumerate() {
        let Some(wanted) = types.get(at).or(types.last()) else {
            return Err(ParseError::syntax(format!("{name} takes no argument")));
        };
        let wanted = match wanted {
            ValueType::Vector => Kind::Vector,
            ValueType::Scalar => Kind::Scalar,
            ValueType::Matrix => Kind::Matrix,
            ValueType::String => Kind::Text,
        };
        if arg.kind() != wanted {
            return Err(ParseError::syntax(format!(
                "argument {} of {name} has the wrong type: {wanted:?} is expected, not {:?}",
                at + 1,
                arg.kind(),
            )));
        }
    }
    Ok(())
}

fn unsupported(what: &str) -> ParseError {
    ParseError::Unsupported {
        what: what.to_owned(),
    }
}
