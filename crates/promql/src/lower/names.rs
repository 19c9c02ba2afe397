//! Names of functions and operators in the text, and what they are here.

use crate::ast::{
    AggregateOp, Arithmetic, BinaryOp, Bound, Compare, DatePart, Each, Func, Map, OfQuery, Over,
    SetOp,
};

pub(super) fn function(name: &str) -> Option<Func> {
    over(name)
        .map(Func::Over)
        .or_else(|| map(name).map(Func::Map))
        .or_else(|| date(name).map(Func::Date))
        .or_else(|| other(name))
}

fn over(name: &str) -> Option<Over> {
    Some(match name {
        "rate" => Over::Rate,
        "increase" => Over::Increase,
        "delta" => Over::Delta,
        "irate" => Over::Each(Each::Irate),
        "idelta" => Over::Each(Each::Idelta),
        "deriv" => Over::Each(Each::Deriv),
        "predict_linear" => Over::Each(Each::PredictLinear),
        "double_exponential_smoothing" => Over::Each(Each::DoubleExponentialSmoothing),
        "changes" => Over::Changes,
        "resets" => Over::Resets,
        "avg_over_time" => Over::Each(Each::Avg),
        "sum_over_time" => Over::Each(Each::Sum),
        "min_over_time" => Over::Min,
        "max_over_time" => Over::Max,
        "count_over_time" => Over::Count,
        "last_over_time" => Over::Last,
        "first_over_time" => Over::First,
        "stddev_over_time" => Over::Each(Each::Stddev),
        "stdvar_over_time" => Over::Each(Each::Stdvar),
        "quantile_over_time" => Over::Each(Each::Quantile),
        "mad_over_time" => Over::Each(Each::Mad),
        "present_over_time" => Over::Present,
        "ts_of_first_over_time" => Over::Each(Each::TimeOfFirst),
        "ts_of_last_over_time" => Over::Each(Each::TimeOfLast),
        "ts_of_max_over_time" => Over::Each(Each::TimeOfMax),
        "ts_of_min_over_time" => Over::Each(Each::TimeOfMin),
        _ => return None,
    })
}

fn map(name: &str) -> Option<Map> {
    Some(match name {
        "abs" => Map::Abs,
        "ceil" => Map::Ceil,
        "floor" => Map::Floor,
        "exp" => Map::Exp,
        "ln" => Map::Ln,
        "log2" => Map::Log2,
        "log10" => Map::Log10,
        "sqrt" => Map::Sqrt,
        "sgn" => Map::Sgn,
        "sin" => Map::Sin,
        "cos" => Map::Cos,
        "tan" => Map::Tan,
        "asin" => Map::Asin,
        "acos" => Map::Acos,
        "atan" => Map::Atan,
        "sinh" => Map::Sinh,
        "cosh" => Map::Cosh,
        "tanh" => Map::Tanh,
        "asinh" => Map::Asinh,
        "acosh" => Map::Acosh,
        "atanh" => Map::Atanh,
        "deg" => Map::Degrees,
        "rad" => Map::Radians,
        _ => return None,
    })
}

fn date(name: &str) -> Option<DatePart> {
    Some(match name {
        "days_in_month" => DatePart::DaysInMonth,
        "day_of_month" => DatePart::DayOfMonth,
        "day_of_week" => DatePart::DayOfWeek,
        "day_of_year" => DatePart::DayOfYear,
        "hour" => DatePart::Hour,
        "minute" => DatePart::Minute,
        "month" => DatePart::Month,
        "year" => DatePart::Year,
        _ => return None,
    })
}

fn other(name: &str) -> Option<Func> {
    Some(match name {
        "clamp" => Func::Bound(Bound::Clamp),
        "clamp_min" => Func::Bound(Bound::ClampMin),
        "clamp_max" => Func::Bound(Bound::ClampMax),
        "round" => Func::Bound(Bound::Round),
        "absent" => Func::Absent,
        "absent_over_time" => Func::AbsentOverTime,
        "histogram_quantile" => Func::HistogramQuantile,
        "histogram_fraction" => Func::HistogramFraction,
        "histogram_avg" | "histogram_count" | "histogram_sum" | "histogram_stddev"
        | "histogram_stdvar" => Func::NativeOnly,
        "info" => Func::Info,
        "start" => Func::OfQuery(OfQuery::Start),
        "end" => Func::OfQuery(OfQuery::End),
        "step" => Func::OfQuery(OfQuery::Step),
        "range" => Func::OfQuery(OfQuery::Range),
        "label_replace" => Func::LabelReplace,
        "label_join" => Func::LabelJoin,
        "scalar" => Func::Scalar,
        "vector" => Func::Vector,
        "time" => Func::Time,
        "timestamp" => Func::Timestamp,
        "pi" => Func::Pi,
        "sort" => Func::Sort { descending: false },
        "sort_desc" => Func::Sort { descending: true },
        "sort_by_label" => Func::SortByLabel { descending: false },
        "sort_by_label_desc" => Func::SortByLabel { descending: true },
        _ => return None,
    })
}

pub(super) fn binary(name: &str) -> Option<BinaryOp> {
    Some(match name {
        "+" => BinaryOp::Arithmetic(Arithmetic::Add),
        "-" => BinaryOp::Arithmetic(Arithmetic::Subtract),
        "*" => BinaryOp::Arithmetic(Arithmetic::Multiply),
        "/" => BinaryOp::Arithmetic(Arithmetic::Divide),
        "%" => BinaryOp::Arithmetic(Arithmetic::Modulo),
        "^" => BinaryOp::Arithmetic(Arithmetic::Power),
        "atan2" => BinaryOp::Arithmetic(Arithmetic::Atan2),
        "==" => BinaryOp::Compare(Compare::Equal),
        "!=" => BinaryOp::Compare(Compare::NotEqual),
        "<" => BinaryOp::Compare(Compare::Less),
        "<=" => BinaryOp::Compare(Compare::LessOrEqual),
        ">" => BinaryOp::Compare(Compare::Greater),
        ">=" => BinaryOp::Compare(Compare::GreaterOrEqual),
        "and" => BinaryOp::Set(SetOp::And),
        "or" => BinaryOp::Set(SetOp::Or),
        "unless" => BinaryOp::Set(SetOp::Unless),
        _ => return None,
    })
}

pub(super) fn aggregate(name: &str) -> Option<AggregateOp> {
    Some(match name {
        "sum" => AggregateOp::Sum,
        "avg" => AggregateOp::Avg,
        "min" => AggregateOp::Min,
        "max" => AggregateOp::Max,
        "count" => AggregateOp::Count,
        "group" => AggregateOp::Group,
        "stddev" => AggregateOp::Stddev,
        "stdvar" => AggregateOp::Stdvar,
        "quantile" => AggregateOp::Quantile,
        "topk" => AggregateOp::TopK,
        "bottomk" => AggregateOp::BottomK,
        "count_values" => AggregateOp::CountValues,
        "limitk" => AggregateOp::LimitK,
        "limit_ratio" => AggregateOp::LimitRatio,
        _ => return None,
    })
}
