//! Brings an event that an earlier release wrote up to the present version, step by step; it knows no database.

use serde_json::Value;
use tocsin_domain::event::EVENT_VERSION;

/// Changes the body of an event of one version into that of the next.
pub(crate) type Step = fn(Value) -> Result<Value, String>;

/// One step: the kind it is for, the version it reads, and what it does. A kind without a step for a version was not
/// changed by it.
pub(crate) type Steps = [(&'static str, u16, Step)];

/// Every step since the first release. Version 1 is the first, so there is none yet.
pub(crate) const STEPS: &Steps = &[];

/// The body in the present version.
///
/// # Errors
/// When a newer release wrote it, or a step does not understand it.
pub(crate) fn upcast(kind: &str, version: i32, body: Value) -> Result<Value, String> {
    upcast_by(STEPS, EVENT_VERSION, kind, version, body)
}

fn upcast_by(
    steps: &Steps,
    present: u16,
    kind: &str,
    version: i32,
    body: Value,
) -> Result<Value, String> {
    let written = match u16::try_from(version) {
        Ok(written) if written >= 1 && written <= present => written,
        Ok(_) | Err(_) => {
            return Err(format!("this binary reads versions 1 to {present} of it"));
        }
    };
    (written..present).try_fold(body, |body, from| {
        match steps.iter().find(|step| step.0 == kind && step.1 == from) {
            Some((_, _, step)) => step(body),
            None => Ok(body),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const GROWN: &Steps = &[
        ("alert.opened", 1, |mut body| {
            body["team"] = json!("first");
            Ok(body)
        }),
        ("alert.opened", 3, |mut body| {
            let team = body["team"].take();
            body["teams"] = json!([team]);
            Ok(body)
        }),
        ("alert.repeated", 2, |_| Err("no summary".to_owned())),
    ];

    fn check(kind: &str, version: i32, expected: Result<Value, &str>) {
        let given = upcast_by(GROWN, 4, kind, version, json!({ "a": 1 }));
        assert_eq!(given, expected.map_err(str::to_owned), "{kind} {version}");
    }

    #[test]
    fn an_old_event_walks_through_every_later_step_of_its_kind() {
        check(
            "alert.opened",
            1,
            Ok(json!({ "a": 1, "team": null, "teams": ["first"] })),
        );
        check(
            "alert.opened",
            2,
            Ok(json!({ "a": 1, "team": null, "teams": [null] })),
        );
        check("alert.opened", 4, Ok(json!({ "a": 1 })));
        check("incident.opened", 1, Ok(json!({ "a": 1 })));
    }

    #[test]
    fn what_a_newer_release_wrote_or_no_step_understands_is_refused() {
        let refusal = "this binary reads versions 1 to 4 of it";
        check("alert.opened", 5, Err(refusal));
        check("alert.opened", 0, Err(refusal));
        check("alert.opened", -1, Err(refusal));
        check("alert.repeated", 1, Err("no summary"));
    }
}
