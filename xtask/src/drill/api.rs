//! Tocsin's native API as any client sees it: JSON in and out, with a token; what the answers mean, the chain says.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::failure::{Because, Outcome, fail};
use crate::http::client::{Answer, Ask, ask};

/// Where the native API lives.
const BASE: &str = "/api/tocsin/v1";
/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client with its token.
pub(crate) struct Api {
    pub(crate) address: SocketAddr,
    token: String,
}

impl Api {
    pub(crate) fn new(address: SocketAddr, token: String) -> Self {
        Self { address, token }
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    pub(crate) fn get(&self, path: &str) -> Outcome<Value> {
        self.json("GET", path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.json("POST", path, Some(body))
    }

    pub(crate) fn put(&self, path: &str, body: &Value) -> Outcome<Value> {
        self.json("PUT", path, Some(body))
    }

    /// The items of a list.
    pub(crate) fn list(&self, path: &str) -> Outcome<Vec<Value>> {
        let mut answer = self.get(path)?;
        let Value::Array(items) = answer["items"].take() else {
            fail!("GET {path} gave no list of items")
        };
        Ok(items)
    }

    /// A document that is not JSON, as it comes.
    pub(crate) fn document(&self, path: &str) -> Outcome<Vec<u8>> {
        Ok(self.call("GET", path, None)?.body)
    }

    /// The status and text of a path outside the API, asked without a token.
    pub(crate) fn public(&self, path: &str) -> Option<(u16, String)> {
        let question = Ask {
            method: "GET",
            path,
            headers: &[],
            body: b"",
            limit: PATIENCE,
        };
        let answer = ask(self.address, question).ok()?;
        Some((
            answer.status,
            String::from_utf8_lossy(&answer.body).into_owned(),
        ))
    }

    fn json(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Value> {
        let answer = self.call(method, path, body)?;
        if answer.body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer.body)
            .because(format!("reading the answer to {method} {path}"))
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Outcome<Answer> {
        let authorization = format!("Bearer {}", self.token);
        let headers = [
            ("Authorization", authorization.as_str()),
            ("Content-Type", "application/json"),
        ];
        let text = body.map(Value::to_string).unwrap_or_default();
        let whole = format!("{BASE}{path}");
        let question = Ask {
            method,
            path: &whole,
            headers: &headers,
            body: text.as_bytes(),
            limit: PATIENCE,
        };
        let answer = ask(self.address, question).because(format!("{method} {whole}"))?;
        if !(200..300).contains(&answer.status) {
            fail!(
                "{method} {whole} was answered {}: {}",
                answer.status,
                reason(&answer.body)
            );
        }
        Ok(answer)
    }
}

/// The reason in a problem document, or whatever came instead of one.
fn reason(body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = problem["detail"].as_str().or(problem["title"].as_str());
    let errors = problem["errors"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    match detail {
        Some(detail) => [detail]
            .into_iter()
            .chain(errors)
            .collect::<Vec<_>>()
            .join("; "),
        None => String::from_utf8_lossy(body).chars().take(300).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_with_its_reasons() {
        let problem = br#"{"title":"Bad Request","status":400,"detail":"two fields are wrong","errors":["a","b"]}"#;
        assert_eq!(reason(problem), "two fields are wrong; a; b");
        assert_eq!(reason(b"<html>"), "<html>");
    }
}
