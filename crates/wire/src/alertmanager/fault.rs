//! Why a request is refused, in the two forms that Alertmanager has: a JSON string by its handlers, and a code with a message by
//! what reads requests for them.

use serde::Serialize;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// By a handler: a status and a text.
    #[error("{text}")]
    Said {
        /// The HTTP status.
        status: u16,
        /// Why.
        text: String,
    },
    /// By the reader of requests: codes from 600 on are of the status 422.
    #[error("{message}")]
    Unread {
        /// Its code.
        code: u32,
        /// Why.
        message: String,
    },
}

#[derive(Serialize)]
struct Coded<'a> {
    code: u32,
    message: &'a str,
}

impl Fault {
    /// A request that a handler refuses.
    #[must_use]
    pub fn bad(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::Said { status: 400, text }
    }

    /// A body that cannot be parsed.
    pub(super) fn body(what: &str, why: impl std::fmt::Display) -> Self {
        Self::Unread {
            code: 400,
            message: format!("parsing {what} body from \"\" failed, because {why}"),
        }
    }

    /// A field that must be there.
    pub(super) fn required(field: &str) -> Self {
        Self::Unread {
            code: 602,
            message: format!("{field} in body is required"),
        }
    }

    /// A value in `place` that is not of its type.
    #[must_use]
    pub fn of_type(field: &str, place: &str, kind: &str, value: &str) -> Self {
        Self::Unread {
            code: 601,
            message: format!("{field} in {place} must be of type {kind}: {value:?}"),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Said { status, .. } => *status,
            Self::Unread { code, .. } if *code >= 600 => 422,
            Self::Unread { code, .. } => u16::try_from(*code).unwrap_or(500),
        }
    }

    /// The body.
    #[must_use]
    pub fn body_text(&self) -> String {
        match self {
            Self::Said { text, .. } => super::json(text),
            Self::Unread { code, message } => {
                let code = *code;
                super::json(&Coded { code, message })
            }
        }
    }
}
