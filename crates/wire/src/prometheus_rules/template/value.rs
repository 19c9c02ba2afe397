//! What a template works with: values, how they print, and which of them count as true.

use std::collections::BTreeMap;

use super::TemplateError;
use super::number::shortest;

/// One series of a query's answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its value.
    pub value: f64,
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Nil,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Labels(BTreeMap<String, String>),
    Sample(Sample),
    Samples(Vec<Sample>),
    Map(BTreeMap<String, Value>),
}

impl Value {
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nil => false,
            Self::Bool(is) => *is,
            Self::Int(int) => *int != 0,
            Self::Float(float) => *float != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Labels(labels) => !labels.is_empty(),
            Self::Sample(_) => true,
            Self::Samples(samples) => !samples.is_empty(),
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// As Go prints it.
    pub(super) fn print(&self) -> String {
        match self {
            Self::Nil => "<no value>".to_owned(),
            Self::Bool(is) => is.to_string(),
            Self::Int(int) => int.to_string(),
            Self::Float(float) => shortest(*float),
            Self::Text(text) => text.clone(),
            Self::Labels(labels) => print_labels(labels),
            Self::Sample(sample) => print_sample(sample),
            Self::Samples(samples) => {
                let all: Vec<String> = samples.iter().map(print_sample).collect();
                format!("[{}]", all.join(" "))
            }
            Self::Map(map) => {
                let pairs = map
                    .iter()
                    .map(|(name, value)| format!("{name}:{}", value.print()));
                format!("map[{}]", pairs.collect::<Vec<_>>().join(" "))
            }
        }
    }

    /// The name of its type, as Go calls it.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
            Self::Labels(_) | Self::Map(_) => "map",
            Self::Sample(_) => "sample",
            Self::Samples(_) => "query result",
        }
    }

    /// The number it is, or that it is written as.
    pub(super) fn number(&self) -> Result<f64, TemplateError> {
        #[expect(clippy::cast_precision_loss, reason = "as Go converts it")]
        match self {
            Self::Int(int) => Ok(*int as f64),
            Self::Float(float) => Ok(*float),
            Self::Text(text) => text
                .trim()
                .parse()
                .map_err(|_| TemplateError::new(format!("{text:?} is no number"))),
            Self::Nil
            | Self::Bool(_)
            | Self::Labels(_)
            | Self::Sample(_)
            | Self::Samples(_)
            | Self::Map(_) => Err(TemplateError::new(format!(
                "a {} is no number",
                self.kind()
            ))),
        }
    }

    pub(super) fn text(&self) -> Result<&str, TemplateError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Labels(_)
            | Self::Sample(_)
            | Self::Samples(_)
            | Self::Map(_) => Err(TemplateError::new(format!("a {} is no text", self.kind()))),
        }
    }

    /// What a field of it is; a label that is not there is empty.
    pub(super) fn field(&self, name: &str) -> Result<Self, TemplateError> {
        match self {
            Self::Labels(labels) => Ok(Self::Text(labels.get(name).cloned().unwrap_or_default())),
            Self::Map(map) => Ok(map.get(name).cloned().unwrap_or(Self::Nil)),
            Self::Sample(sample) if name == "Labels" => Ok(Self::Labels(sample.labels.clone())),
            Self::Sample(sample) if name == "Value" => Ok(Self::Float(sample.value)),
            Self::Nil
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Sample(_)
            | Self::Samples(_) => Err(TemplateError::new(format!(
                "a {} has no field {name}",
                self.kind()
            ))),
        }
    }
}

fn print_labels(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    format!("map[{}]", pairs.join(" "))
}

fn print_sample(sample: &Sample) -> String {
    format!(
        "{{{} {}}}",
        print_labels(&sample.labels),
        shortest(sample.value)
    )
}
