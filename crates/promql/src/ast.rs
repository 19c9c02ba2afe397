//! The expression as the evaluator wants it: checked, resolved, without parentheses; it knows no text.

use crate::matcher::Matcher;

/// An expression.
#[derive(Clone, Debug)]
pub(crate) enum Expr {
    Number(f64),
    Text(String),
    Selector(Selector),
    Window(Box<Window>),
    Negate(Box<Expr>),
    Binary(Box<Binary>),
    Aggregate(Box<Aggregate>),
    Call(Call),
}

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Scalar,
    Text,
    Vector,
    Matrix,
}

/// Which series, and at which time relative to the evaluation.
#[derive(Clone, Debug)]
pub(crate) struct Selector {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) shift: Shift,
}

/// `offset` and `@`.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shift {
    pub(crate) offset_ms: i64,
    pub(crate) at: Option<At>,
}

/// The instant of `@`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum At {
    Start,
    End,
    Millis(i64),
}

/// A range of samples before each instant.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    Range {
        selector: Selector,
        range_ms: i64,
    },
    Subquery {
        expr: Expr,
        range_ms: i64,
        step_ms: Option<i64>,
        shift: Shift,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) op: BinaryOp,
    pub(crate) left: Expr,
    pub(crate) right: Expr,
    pub(crate) matching: Matching,
    /// Comparisons only: give 0 or 1 instead of filtering.
    pub(crate) as_bool: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Arithmetic(Arithmetic),
    Compare(Compare),
    Set(SetOp),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
    Atan2,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SetOp {
    And,
    Or,
    Unless,
}

/// How the series of both sides find each other.
#[derive(Clone, Debug)]
pub(crate) struct Matching {
    pub(crate) by: Grouping,
    pub(crate) cardinality: Cardinality,
}

/// A choice of labels: of `on`/`by` or of `ignoring`/`without`.
#[derive(Clone, Debug)]
pub(crate) enum Grouping {
    Keep(Vec<String>),
    Drop(Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) enum Cardinality {
    OneToOne,
    /// `group_left`, with the labels taken from the right side.
    ManyToOne(Vec<String>),
    /// `group_right`, with the labels taken from the left side.
    OneToMany(Vec<String>),
}

#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) op: AggregateOp,
    pub(crate) grouping: Grouping,
    pub(crate) expr: Expr,
    pub(crate) parameter: Option<Expr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AggregateOp {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    Group,
    Stddev,
    Stdvar,
    Quantile,
    TopK,
    BottomK,
    CountValues,
    LimitK,
    LimitRatio,
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) func: Func,
    pub(crate) args: Vec<Expr>,
}

/// Functions, by the shape of what they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Func {
    /// One value from each range of samples.
    Over(Over),
    /// One value from each value.
    Map(Map),
    /// Clamp and round: one value from each value and scalars.
    Bound(Bound),
    /// A part of the date.
    Date(DatePart),
    Absent,
    AbsentOverTime,
    HistogramQuantile,
    /// The share of observations between two bounds.
    HistogramFraction,
    /// Labels of info series; the second argument is their selector, with a name.
    Info,
    /// A fact of the query as a whole.
    OfQuery(OfQuery),
    /// Functions of native histograms give nothing for plain values.
    NativeOnly,
    LabelReplace,
    LabelJoin,
    Scalar,
    Vector,
    Time,
    Timestamp,
    Pi,
    Sort {
        descending: bool,
    },
    SortByLabel {
        descending: bool,
    },
}

/// Seconds that are the same at every instant of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OfQuery {
    Start,
    End,
    Step,
    Range,
}

/// One value from each range of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    Rate,
    Increase,
    Delta,
    Changes,
    Resets,
    Min,
    Max,
    Count,
    Last,
    First,
    Present,
    /// What must look at every sample of each range.
    Each(Each),
}

/// Functions that look at every sample of each range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Each {
    Irate,
    Idelta,
    Deriv,
    PredictLinear,
    DoubleExponentialSmoothing,
    Avg,
    Sum,
    Stddev,
    Stdvar,
    Quantile,
    Mad,
    TimeOfFirst,
    TimeOfLast,
    TimeOfMax,
    TimeOfMin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Map {
    Abs,
    Ceil,
    Floor,
    Exp,
    Ln,
    Log2,
    Log10,
    Sqrt,
    Sgn,
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Asinh,
    Acosh,
    Atanh,
    Degrees,
    Radians,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    Clamp,
    ClampMin,
    ClampMax,
    Round,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DatePart {
    DaysInMonth,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hour,
    Minute,
    Month,
    Year,
}

impl Expr {
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Number(_) => Kind::Scalar,
            Self::Text(_) => Kind::Text,
            Self::Selector(_) | Self::Aggregate(_) => Kind::Vector,
            Self::Window(_) => Kind::Matrix,
            Self::Negate(expr) => expr.kind(),
            Self::Binary(binary) => {
                if binary.left.kind() == Kind::Scalar && binary.right.kind() == Kind::Scalar {
                    Kind::Scalar
                } else {
                    Kind::Vector
                }
            }
            Self::Call(call) => match call.func {
                Func::Scalar | Func::Time | Func::Pi | Func::OfQuery(_) => Kind::Scalar,
                Func::Over(_)
                | Func::Map(_)
                | Func::Bound(_)
                | Func::Date(_)
                | Func::Absent
                | Func::AbsentOverTime
                | Func::HistogramQuantile
                | Func::HistogramFraction
                | Func::Info
                | Func::NativeOnly
                | Func::LabelReplace
                | Func::LabelJoin
                | Func::Vector
                | Func::Timestamp
                | Func::Sort { .. }
                | Func::SortByLabel { .. } => Kind::Vector,
            },
        }
    }

    /// Calls `visit` for every selector.
    pub(crate) fn visit_selectors<'a>(&'a self, visit: &mut dyn FnMut(&'a Selector)) {
        match self {
            Self::Number(_) | Self::Text(_) => {}
            Self::Selector(selector) => visit(selector),
            Self::Window(window) => match &**window {
                Window::Range { selector, .. } => visit(selector),
                Window::Subquery { expr, .. } => expr.visit_selectors(visit),
            },
            Self::Negate(expr) => expr.visit_selectors(visit),
            Self::Binary(binary) => {
                binary.left.visit_selectors(visit);
                binary.right.visit_selectors(visit);
            }
            Self::Aggregate(aggregate) => {
                aggregate.expr.visit_selectors(visit);
                if let Some(parameter) = &aggregate.parameter {
                    parameter.visit_selectors(visit);
                }
            }
            Self::Call(call) => {
                for arg in &call.args {
                    arg.visit_selectors(visit);
                }
            }
        }
    }
}
