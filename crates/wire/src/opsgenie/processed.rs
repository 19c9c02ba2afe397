//! What became of a request that was taken, as Opsgenie's clients ask for it afterwards. It does not know how it was found out.

use serde_json::{Value, json};
use tocsin_domain::id::{AlertId, IntegrationId};
use tocsin_domain::time::Timestamp;

/// What a request asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To make an alert.
    Create,
    /// To close one.
    Close,
    /// To acknowledge one.
    Acknowledge,
    /// To note something about one.
    Note,
    /// To say otherwise what one says.
    Update,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Create => "Create",
            Self::Close => "Close",
            Self::Acknowledge => "Acknowledge",
            Self::Note => "AddNote",
            Self::Update => "Update",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Create => "Created alert",
            Self::Close => "Closed alert",
            Self::Acknowledge => "Acknowledged alert",
            Self::Note => "Added note",
            Self::Update => "Updated alert",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// The alert that was to be made was open already, and was said again.
    Again,
    /// A rule threw it away.
    Dropped,
    /// No open alert is called so.
    NotOpen,
    /// It asked for a severity that is not above that of the alert.
    Unchanged,
}

/// What became of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Processed {
    /// What it asked for.
    pub kind: Kind,
    /// What became of it.
    pub outcome: Outcome,
    /// The alert that it is about, where there is one.
    pub alert: Option<AlertId>,
    /// The alias of that; a name of ours, where its sender gave none.
    pub alias: String,
    /// By which integration it came.
    pub integration: IntegrationId,
    /// When it was done.
    pub at: Timestamp,
}

/// The body that tells it.
#[must_use]
pub fn processed(told: &Processed, request_id: &str, took_s: f64) -> Value {
    let (is_success, status) = match told.outcome {
        Outcome::Done => (true, told.kind.done()),
        Outcome::Again => (true, "Alert was open already and was said again"),
        Outcome::Dropped => (false, "A rule threw it away"),
        Outcome::NotOpen => (false, "No open alert is called so"),
        Outcome::Unchanged => (false, "The priority was not changed: it only rises"),
    };
    let mut data = json!({
        "success": is_success,
        "isSuccess": is_success,
        "action": told.kind.word(),
        "status": status,
        "processedAt": told.at.to_rfc3339(),
        "integrationId": told.integration.as_str(),
        "alias": told.alias,
    });
    if let Some(alert) = told.alert {
        data["alertId"] = alert.as_str().into();
    }
    json!({"data": data, "took": took_s, "requestId": request_id})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_request_is_told_in_opsgenies_form() {
        let mut told = Processed {
            kind: Kind::Create,
            outcome: Outcome::Done,
            alert: "QAAAAAAAAAAAAB".parse().ok(),
            alias: "db1".to_owned(),
            integration: "QAAAAAAAAAAAAC".parse().unwrap(),
            at: Timestamp::from_millis(0),
        };
        let body = processed(&told, "id", 0.5);
        let data = &body["data"];
        assert_eq!(data["success"], true);
        assert_eq!(data["isSuccess"], true);
        assert_eq!(data["action"], "Create");
        assert_eq!(data["status"], "Created alert");
        assert_eq!(data["alertId"], "QAAAAAAAAAAAAB");
        assert_eq!(data["alias"], "db1");
        assert_eq!(body["requestId"], "id");
        told.kind = Kind::Close;
        told.outcome = Outcome::NotOpen;
        told.alert = None;
        let body = processed(&told, "id", 0.0);
        assert_eq!(body["data"]["success"], false);
        assert_eq!(body["data"].get("alertId"), None);
    }
}
