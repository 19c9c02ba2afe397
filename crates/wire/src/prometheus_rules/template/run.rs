//! Fills a template in. What comes from outside is only ever appended to the text.

use super::parse::{Branch, Command, Node, Operand, Pipeline};
use super::value::{Sample, Value};
use super::{Facts, OUTPUT_MAX, TemplateError};

/// Steps that one template may take.
const STEPS_MAX: usize = 100_000;
/// Queries that one template may ask.
const QUERIES_MAX: usize = 20;

/// One filling-in under way.
pub(super) struct Run<'f, 'a> {
    facts: &'f Facts,
    ask: &'a mut dyn FnMut(&str) -> Result<Vec<Sample>, String>,
    variables: Vec<(String, Value)>,
    dot: Value,
    out: String,
    steps: usize,
    queries: usize,
}

/// Fills in.
pub(super) fn run(
    nodes: &[Node],
    facts: &Facts,
    ask: &mut dyn FnMut(&str) -> Result<Vec<Sample>, String>,
) -> Result<String, TemplateError> {
    let labels = Value::Labels(facts.labels.clone());
    let external = Value::Labels(facts.external_labels.clone());
    let url = Value::Text(facts.external_url.clone());
    let value = Value::Float(facts.value);
    let dot = Value::Map(
        [
            ("Labels", &labels),
            ("ExternalLabels", &external),
            ("ExternalURL", &url),
            ("Value", &value),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .into(),
    );
    let given = [
        ("", dot.clone()),
        ("labels", labels),
        ("externalLabels", external),
        ("externalURL", url),
        ("value", value),
    ];
    let mut run = Run {
        facts,
        ask,
        variables: given.map(|(name, value)| (name.to_owned(), value)).into(),
        dot,
        out: String::new(),
        steps: 0,
        queries: 0,
    };
    run.nodes(nodes)?;
    Ok(run.out)
}

impl Run<'_, '_> {
    pub(super) fn query(&mut self, text: &str) -> Result<Vec<Sample>, TemplateError> {
        self.queries += 1;
        if self.queries > QUERIES_MAX {
            return Err(TemplateError::new(format!(
                "a template may ask {QUERIES_MAX} queries"
            )));
        }
        (self.ask)(text).map_err(|why| TemplateError::new(format!("query {text:?}: {why}")))
    }

    pub(super) fn external_url(&self) -> &str {
        &self.facts.external_url
    }

    pub(super) fn seconds(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since the epoch are far below 2^53"
        )]
        let seconds = self.facts.at_ms as f64 / 1_000.0;
        seconds
    }

    fn nodes(&mut self, nodes: &[Node]) -> Result<(), TemplateError> {
        for node in nodes {
            self.step()?;
            match node {
                Node::Text(text) => self.show(text)?,
                Node::Show(pipeline) => {
                    let value = self.pipeline(pipeline)?;
                    self.show(&value.print())?;
                }
                Node::Declare(name, pipeline) => {
                    let value = self.pipeline(pipeline)?;
                    self.variables.push((name.clone(), value));
                }
                Node::Assign(name, pipeline) => {
                    let value = self.pipeline(pipeline)?;
                    if let Some(known) = self.variables.iter_mut().rev().find(|one| one.0 == *name)
                    {
                        known.1 = value;
                    }
                }
                Node::If(branch) => self.either(branch, false)?,
                Node::With(branch) => self.either(branch, true)?,
                Node::Range(branch) => self.range(branch)?,
            }
        }
        Ok(())
    }

    fn show(&mut self, text: &str) -> Result<(), TemplateError> {
        if self.out.len() + text.len() > OUTPUT_MAX {
            return Err(TemplateError::new(format!(
                "the text gets longer than {OUTPUT_MAX} bytes"
            )));
        }
        self.out.push_str(text);
        Ok(())
    }

    fn step(&mut self) -> Result<(), TemplateError> {
        self.steps += 1;
        if self.steps > STEPS_MAX {
            return Err(TemplateError::new("the template takes too many steps"));
        }
        Ok(())
    }

    fn either(&mut self, branch: &Branch, binds: bool) -> Result<(), TemplateError> {
        let known = self.variables.len();
        let value = self.pipeline(&branch.on)?;
        if let Some(name) = branch.names.last() {
            self.variables.push((name.clone(), value.clone()));
        }
        let outcome = if !value.is_true() {
            self.nodes(&branch.otherwise)
        } else if binds {
            self.with_dot(value, &branch.then)
        } else {
            self.nodes(&branch.then)
        };
        self.variables.truncate(known);
        outcome
    }

    fn with_dot(&mut self, dot: Value, nodes: &[Node]) -> Result<(), TemplateError> {
        let before = std::mem::replace(&mut self.dot, dot);
        let outcome = self.nodes(nodes);
        self.dot = before;
        outcome
    }

    fn range(&mut self, branch: &Branch) -> Result<(), TemplateError> {
        let elements = elements(self.pipeline(&branch.on)?)?;
        if elements.is_empty() {
            return self.nodes(&branch.otherwise);
        }
        let known = self.variables.len();
        for (key, element) in elements {
            self.step()?;
            match branch.names.as_slice() {
                [] => {}
                [one] => self.variables.push((one.clone(), element.clone())),
                [at, one, ..] => {
                    self.variables.push((at.clone(), key));
                    self.variables.push((one.clone(), element.clone()));
                }
            }
            self.with_dot(element, &branch.then)?;
            self.variables.truncate(known);
        }
        Ok(())
    }

    fn pipeline(&mut self, pipeline: &Pipeline) -> Result<Value, TemplateError> {
        let mut last: Option<Value> = None;
        for command in &pipeline.0 {
            self.step()?;
            last = Some(match command {
                Command::Value(operand) => self.operand(operand)?,
                Command::Call(function, operands) => {
                    let mut given = Vec::with_capacity(operands.len() + 1);
                    for operand in operands {
                        given.push(self.operand(operand)?);
                    }
                    given.extend(last);
                    function.call(&given, self)?
                }
            });
        }
        Ok(last.unwrap_or(Value::Nil))
    }

    fn operand(&mut self, operand: &Operand) -> Result<Value, TemplateError> {
        self.step()?;
        let (from, fields) = match operand {
            Operand::Constant(value) => return Ok(value.clone()),
            Operand::Call(function) => return function.call(&[], self),
            Operand::Field(fields) => (self.dot.clone(), fields),
            Operand::Inner(pipeline, fields) => (self.pipeline(pipeline)?, fields),
            Operand::Variable(name, fields) => {
                let known = self.variables.iter().rev().find(|one| one.0 == *name);
                (known.map_or(Value::Nil, |one| one.1.clone()), fields)
            }
        };
        let mut names = fields.iter();
        names.try_fold(from, |value, name| value.field(name))
    }
}

/// What a range walks over, with its keys.
fn elements(value: Value) -> Result<Vec<(Value, Value)>, TemplateError> {
    match value {
        Value::Samples(samples) => Ok((0..)
            .zip(samples)
            .map(|(at, one)| (Value::Int(at), Value::Sample(one)))
            .collect()),
        Value::Labels(labels) => Ok(labels
            .into_iter()
            .map(|(name, value)| (Value::Text(name), Value::Text(value)))
            .collect()),
        Value::Map(map) => Ok(map
            .into_iter()
            .map(|(name, value)| (Value::Text(name), value))
            .collect()),
        Value::Nil => Ok(Vec::new()),
        other @ (Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Sample(_)) => Err(TemplateError::new(format!(
            "range cannot walk over a {}",
            other.kind()
        ))),
    }
}
