//! From words to a tree: what is not supported, or not known, is refused here, before anything is filled in.

use super::TemplateError;
use super::functions::Function;
use super::lex::{Piece, Word};
use super::value::Value;

/// How deep parentheses and blocks may stand in each other.
const DEPTH_MAX: usize = 50;
/// Variables that are there without being declared.
const GIVEN: [&str; 5] = ["", "labels", "externalLabels", "externalURL", "value"];

/// A part of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Show(Pipeline),
    Declare(String, Pipeline),
    Assign(String, Pipeline),
    If(Branch),
    With(Branch),
    Range(Branch),
}

/// A block: its condition, what it is bound to, and both ways.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) names: Vec<String>,
    pub(super) on: Pipeline,
    pub(super) then: Vec<Node>,
    pub(super) otherwise: Vec<Node>,
}

/// Commands, each given what the one before gave as its last argument.
#[derive(Clone, Debug)]
pub(super) struct Pipeline(pub(super) Vec<Command>);

/// One command.
#[derive(Clone, Debug)]
pub(super) enum Command {
    Value(Operand),
    Call(Function, Vec<Operand>),
}

/// Something with a value.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Constant(Value),
    Field(Vec<String>),
    Variable(String, Vec<String>),
    /// A function without arguments.
    Call(Function),
    Inner(Box<Pipeline>, Vec<String>),
}

/// Reads a template.
pub(super) fn nodes(pieces: &[Piece]) -> Result<Vec<Node>, TemplateError> {
    let mut parser = Parser {
        pieces,
        at: 0,
        names: GIVEN.iter().map(|name| (*name).to_owned()).collect(),
        rebound: 0,
        depth: 0,
    };
    let (nodes, end) = parser.block()?;
    match end {
        Stop::Text => Ok(nodes),
        Stop::End => Err(TemplateError::new("{{end}} closes nothing")),
        Stop::Else(_) => Err(TemplateError::new("{{else}} belongs to nothing")),
    }
}

struct Parser<'a> {
    pieces: &'a [Piece],
    at: usize,
    /// Variables that are known here.
    names: Vec<String>,
    /// How many blocks around have bound the point to something else.
    rebound: usize,
    depth: usize,
}

/// How a block ended.
enum Stop<'a> {
    Text,
    End,
    /// The words behind `else`.
    Else(&'a [Word]),
}

impl<'a> Parser<'a> {
    fn block(&mut self) -> Result<(Vec<Node>, Stop<'a>), TemplateError> {
        let mut nodes = Vec::new();
        while let Some(piece) = self.pieces.get(self.at) {
            self.at += 1;
            let words = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text.clone()));
                    continue;
                }
                Piece::Action(words) => words.as_slice(),
            };
            let (keyword, rest) = match words.split_first() {
                None => return Err(TemplateError::new("an action is empty")),
                Some((Word::Name(name), rest)) => (name.as_str(), rest),
                Some(_) => ("", words),
            };
            match keyword {
                "end" if rest.is_empty() => return Ok((nodes, Stop::End)),
                "else" => return Ok((nodes, Stop::Else(rest))),
                "if" => nodes.push(Node::If(self.branch(rest, false)?)),
                "with" => nodes.push(Node::With(self.branch(rest, true)?)),
                "range" => nodes.push(Node::Range(self.branch(rest, true)?)),
                "define" | "template" | "block" | "break" | "continue" | "tmpl" => {
                    return Err(TemplateError::new(format!(
                        "{{{{{keyword}}}}} is not supported in rules"
                    )));
                }
                _ => nodes.push(self.statement(words)?),
            }
        }
        Ok((nodes, Stop::Text))
    }

    fn branch(&mut self, words: &[Word], binds: bool) -> Result<Branch, TemplateError> {
        self.enter()?;
        let known = self.names.len();
        let (names, words) = declared(words)?;
        let on = self.pipeline(words)?;
        self.names.extend(names.iter().cloned());
        self.rebound += usize::from(binds);
        let (then, end) = self.block()?;
        self.rebound -= usize::from(binds);
        self.names.truncate(known);
        let otherwise = match end {
            Stop::End => Vec::new(),
            Stop::Text => return Err(TemplateError::new("{{end}} is missing")),
            Stop::Else([]) => match self.block()? {
                (nodes, Stop::End) => nodes,
                (_, Stop::Text | Stop::Else(_)) => {
                    return Err(TemplateError::new("{{end}} is missing"));
                }
            },
            Stop::Else([Word::Name(keyword), rest @ ..]) if keyword == "if" => {
                vec![Node::If(self.branch(rest, false)?)]
            }
            Stop::Else([Word::Name(keyword), rest @ ..]) if keyword == "with" => {
                vec![Node::With(self.branch(rest, true)?)]
            }
            Stop::Else(_) => {
                return Err(TemplateError::new(
                    "behind else stands if, with, or nothing",
                ));
            }
        };
        self.names.truncate(known);
        self.depth -= 1;
        Ok(Branch {
            names,
            on,
            then,
            otherwise,
        })
    }

    fn statement(&mut self, words: &[Word]) -> Result<Node, TemplateError> {
        match words {
            [Word::Variable(name, fields), Word::Declare, rest @ ..] if fields.is_empty() => {
                let pipeline = self.pipeline(rest)?;
                self.names.push(name.clone());
                Ok(Node::Declare(name.clone(), pipeline))
            }
            [Word::Variable(name, fields), Word::Assign, rest @ ..] if fields.is_empty() => {
                self.known(name)?;
                Ok(Node::Assign(name.clone(), self.pipeline(rest)?))
            }
            _ => self.pipeline(words).map(Node::Show),
        }
    }

    fn pipeline(&mut self, words: &[Word]) -> Result<Pipeline, TemplateError> {
        self.enter()?;
        let mut rest = words;
        let mut commands = Vec::new();
        loop {
            let command = self.command(&mut rest, commands.is_empty())?;
            commands.push(command);
            match rest.split_first() {
                None => break,
                Some((Word::Pipe, after)) => rest = after,
                Some(_) => return Err(TemplateError::new("a closing parenthesis is too much")),
            }
        }
        self.depth -= 1;
        Ok(Pipeline(commands))
    }

    fn command(&mut self, rest: &mut &[Word], is_first: bool) -> Result<Command, TemplateError> {
        let name = match rest.split_first() {
            Some((Word::Name(name), after)) if !is_constant(name) => {
                *rest = after;
                Some(Function::named(name)?)
            }
            Some(_) => None,
            None => return Err(TemplateError::new("a value is missing")),
        };
        let mut operands = Vec::new();
        while let Some(operand) = self.operand(rest)? {
            operands.push(operand);
        }
        match (name, operands.len()) {
            (Some(function), count) => {
                function.check_count(count + usize::from(!is_first))?;
                Ok(Command::Call(function, operands))
            }
            (None, 1) if is_first => Ok(Command::Value(operands.remove(0))),
            (None, 0) => Err(TemplateError::new("a value is missing")),
            (None, _) => Err(TemplateError::new(
                "a value is given arguments as if it were a function",
            )),
        }
    }

    fn operand(&mut self, rest: &mut &[Word]) -> Result<Option<Operand>, TemplateError> {
        let Some((word, after)) = rest.split_first() else {
            return Ok(None);
        };
        let operand = match word {
            Word::Pipe | Word::Close => return Ok(None),
            Word::Text(text) => Operand::Constant(Value::Text(text.clone())),
            Word::Int(int) => Operand::Constant(Value::Int(*int)),
            Word::Float(float) => Operand::Constant(Value::Float(*float)),
            Word::Name(name) => match name.as_str() {
                "true" => Operand::Constant(Value::Bool(true)),
                "false" => Operand::Constant(Value::Bool(false)),
                "nil" => Operand::Constant(Value::Nil),
                name => {
                    let function = Function::named(name)?;
                    function.check_count(0)?;
                    Operand::Call(function)
                }
            },
            Word::Field(fields) => {
                self.check_field(fields)?;
                Operand::Field(fields.clone())
            }
            Word::Variable(name, fields) => {
                self.known(name)?;
                Operand::Variable(name.clone(), fields.clone())
            }
            Word::Open => {
                let length = closing(after)?;
                let inner = self.pipeline(&after[..length])?;
                *rest = &after[length + 1..];
                let mut fields = Vec::new();
                if let Some((Word::FieldOf(found), after)) = rest.split_first() {
                    fields.clone_from(found);
                    *rest = after;
                }
                return Ok(Some(Operand::Inner(Box::new(inner), fields)));
            }
            Word::Comma | Word::Declare | Word::Assign | Word::FieldOf(_) => {
                return Err(TemplateError::new(
                    "a sign stands where a value is expected",
                ));
            }
        };
        *rest = after;
        Ok(Some(operand))
    }

    fn known(&self, name: &str) -> Result<(), TemplateError> {
        if self.names.iter().any(|one| one == name) {
            return Ok(());
        }
        Err(TemplateError::new(format!("there is no variable ${name}")))
    }

    /// Outside of blocks the point is what the rule gives: other fields than those cannot be.
    fn check_field(&self, fields: &[String]) -> Result<(), TemplateError> {
        let given = ["Labels", "ExternalLabels", "ExternalURL", "Value"];
        match fields.first() {
            Some(first) if self.rebound == 0 && !given.contains(&first.as_str()) => {
                Err(TemplateError::new(format!(
                    "there is no .{first}; there are .{}",
                    given.join(", .")
                )))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn enter(&mut self) -> Result<(), TemplateError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(TemplateError::new(
                "too many blocks or parentheses in each other",
            ));
        }
        Ok(())
    }
}

fn is_constant(name: &str) -> bool {
    matches!(name, "true" | "false" | "nil")
}

/// `$x :=` or `$i, $x :=` before a pipeline.
fn declared(words: &[Word]) -> Result<(Vec<String>, &[Word]), TemplateError> {
    match words {
        [Word::Variable(one, fields), Word::Declare, rest @ ..] if fields.is_empty() => {
            Ok((vec![one.clone()], rest))
        }
        [
            Word::Variable(one, no_fields),
            Word::Comma,
            Word::Variable(two, fields),
            Word::Declare,
            rest @ ..,
        ] if fields.is_empty() && no_fields.is_empty() => {
            Ok((vec![one.clone(), two.clone()], rest))
        }
        _ if words.contains(&Word::Declare) => {
            Err(TemplateError::new("what stands before := is no variable"))
        }
        _ => Ok((Vec::new(), words)),
    }
}

/// Where the parenthesis is closed that was opened just before.
fn closing(words: &[Word]) -> Result<usize, TemplateError> {
    let mut open = 1_usize;
    for (at, word) in words.iter().enumerate() {
        match word {
            Word::Open => open += 1,
            Word::Close => open -= 1,
            Word::Name(_)
            | Word::Field(_)
            | Word::Variable(..)
            | Word::FieldOf(_)
            | Word::Text(_)
            | Word::Int(_)
            | Word::Float(_)
            | Word::Pipe
            | Word::Comma
            | Word::Declare
            | Word::Assign => {}
        }
        if open == 0 {
            return Ok(at);
        }
    }
    Err(TemplateError::new("a parenthesis is not closed"))
}
