//! Why a request is refused, with the numbers and words that PagerDuty's clients look for.

use serde_json::json;

/// Reasons that are told at most; an attacker's thousandth is of no use to anyone.
const ERRORS_MAX: usize = 50;

/// Why a request of the REST API was not carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} ({code}): {}", errors.join("; "))]
pub struct Refusal {
    /// The status of the answer.
    pub status: u16,
    /// PagerDuty's number for the kind.
    pub code: u16,
    /// PagerDuty's words for the kind.
    pub message: String,
    /// Every reason.
    pub errors: Vec<String>,
    /// After how many seconds another try is worth it.
    pub retry_after_s: Option<u64>,
    /// Which methods are taken in the place of the one that is not, where that is not told by the path alone.
    pub allowed: Option<&'static str>,
}

impl Refusal {
    fn new(status: u16, code: u16, message: &str, errors: Vec<String>) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
            errors: errors.into_iter().take(ERRORS_MAX).collect(),
            retry_after_s: None,
            allowed: None,
        }
    }

    /// The request itself is wrong.
    #[must_use]
    pub fn invalid(errors: Vec<String>) -> Self {
        Self::new(400, 2001, "Invalid Input Provided", errors)
    }

    /// The request itself is wrong, for one reason.
    #[must_use]
    pub fn bad(error: impl Into<String>) -> Self {
        Self::invalid(vec![error.into()])
    }

    /// Something that has to be given is not.
    #[must_use]
    pub fn missing(error: impl Into<String>) -> Self {
        Self::new(400, 2003, "Missing Arguments", vec![error.into()])
    }

    /// A write by a token that belongs to nobody does not say in whose name it is.
    #[must_use]
    pub fn from_missing() -> Self {
        let message =
            "You must specify a user's email address in the \"From\" header to perform this action";
        Self::new(400, 2016, message, Vec::new())
    }

    /// Nobody has the address of the `From` header.
    #[must_use]
    pub fn from_unknown() -> Self {
        Self::new(400, 1008, "Requester User Not Found", Vec::new())
    }

    /// The incident is over.
    #[must_use]
    pub fn resolved_already(error: impl Into<String>) -> Self {
        Self::new(400, 1001, "Incident Already Resolved", vec![error.into()])
    }

    /// There is none of this kind that a body names at this place; what the path names is another matter.
    #[must_use]
    pub fn object_missing(place: &str, noun: &str, named: &str) -> Self {
        let error = format!("'{place}' is invalid: {noun} not found: {named:?}");
        Self::new(400, 5001, "Object Not Found", vec![error])
    }

    /// No good token.
    #[must_use]
    pub fn unauthorized(error: impl Into<String>) -> Self {
        Self::new(401, 2006, "Unauthorized", vec![error.into()])
    }

    /// A token that may not do this.
    #[must_use]
    pub fn denied(error: impl Into<String>) -> Self {
        Self::new(403, 2010, "Access Denied", vec![error.into()])
    }

    /// Tocsin has no counterpart for what is asked.
    #[must_use]
    pub fn no_ability(error: impl Into<String>) -> Self {
        let message = "Account does not have the abilities to perform the action";
        Self::new(402, 2014, message, vec![error.into()])
    }

    /// There is none of this kind that the path names.
    #[must_use]
    pub fn no_such(noun: &str) -> Self {
        Self::not_found(format!("there is no such {noun}"))
    }

    /// There is no such thing.
    #[must_use]
    pub fn not_found(error: impl Into<String>) -> Self {
        Self::new(404, 2100, "Not Found", vec![error.into()])
    }

    /// The path takes another method.
    #[must_use]
    pub fn method_not_allowed(error: impl Into<String>) -> Self {
        Self::new(405, 2001, "Method Not Allowed", vec![error.into()])
    }

    /// The body is too large.
    #[must_use]
    pub fn too_large(error: impl Into<String>) -> Self {
        Self::new(413, 2001, "Request Entity Too Large", vec![error.into()])
    }

    /// Too many requests with this key.
    #[must_use]
    pub fn too_many(retry_after_s: u64) -> Self {
        let errors = vec![format!("try again in {retry_after_s} seconds")];
        let refusal = Self::new(429, 2020, "Rate Limit Exceeded", errors);
        refusal.later(retry_after_s)
    }

    /// The body did not arrive in time.
    #[must_use]
    pub fn late(error: impl Into<String>) -> Self {
        Self::new(408, 2001, "Request Timeout", vec![error.into()])
    }

    /// Nothing is wrong with the request, but it was not carried out.
    #[must_use]
    pub fn failed(status: u16, error: impl Into<String>) -> Self {
        Self::new(status, 2000, "Internal Server Error", vec![error.into()])
    }

    /// Another try is worth it after so many seconds.
    #[must_use]
    pub fn later(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// These methods are taken.
    #[must_use]
    pub fn allowing(mut self, methods: &'static str) -> Self {
        self.allowed = Some(methods);
        self
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> String {
        let error = json!({"message": self.message, "code": self.code, "errors": self.errors});
        json!({ "error": error }).to_string()
    }
}

/// The body for whoever asks who they are with a token that belongs to nobody: clients look for these words in a plain text.
#[must_use]
pub fn account_token() -> String {
    let error = "The current user cannot be determined from an account-level access token. \
                 Use a token that belongs to a person.";
    json!({ "error": error }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_written_as_clients_read_it() {
        let body = Refusal::bad("'title' is missing").body();
        let read: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(
            read,
            json!({"error": {"message": "Invalid Input Provided", "code": 2001, "errors": ["'title' is missing"]}})
        );
        let many = Refusal::invalid(vec![String::new(); 1_000]);
        assert_eq!(many.errors.len(), ERRORS_MAX);
        assert_eq!(Refusal::too_many(7).retry_after_s, Some(7));
        let missing = Refusal::object_missing("incident.service", "service", "PA");
        assert_eq!((missing.status, missing.code), (400, 5001));
        assert_eq!(
            missing.errors,
            ["'incident.service' is invalid: service not found: \"PA\""]
        );
        let missing = Refusal::no_such("service");
        assert_eq!((missing.status, missing.code), (404, 2100));
        assert!(account_token().contains("account-level access token"));
    }
}
