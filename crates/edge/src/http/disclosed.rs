//! Secrets that are told in an answer, such as a key to whoever had it made. They are written into the answer, and into nothing else.

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// A secret that an answer tells. Whoever writes down an answer, or a request that has one of the same form, to look for a fault, has
/// none of it there.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Disclosed(SecretString);

impl Disclosed {
    /// What is told.
    pub(crate) fn text(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<String> for Disclosed {
    fn from(text: String) -> Self {
        Self(SecretString::from(text))
    }
}

impl Serialize for Disclosed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_stands_in_its_answer_and_in_nothing_that_is_written_down_of_it() {
        let told = Disclosed::from("hunter2".to_owned());
        let answer = serde_json::to_string(&told).unwrap();
        assert_eq!(answer, r#""hunter2""#);
        let read: Disclosed = serde_json::from_str(&answer).unwrap();
        assert_eq!(read.text(), "hunter2");
        let written = format!("{told:?} {read:#?}");
        assert!(!written.contains("hunter2"), "{written}");
    }
}
