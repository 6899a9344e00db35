//! Many decisions, compared with those of Python's urllib3 (`kit/py/retries.py`).

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::Value;

use super::super::{Category, Course, Decision, Facts, Jitter, Outcome, Retry};

const CASES: usize = 12_000;
const SEED: &str = "20261125";

#[test]
fn decisions_are_urllib3s() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kit/retries.sh");
    let output = Command::new(script).args([&CASES.to_string(), SEED]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut seen = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        for end in compare(&case) {
            *seen.entry(end.to_owned()).or_insert(0) += 1;
        }
    }
    // None of the ways in which it can end is missing, nor one of them all there is.
    let least = |end: &str| seen.get(end).copied().unwrap_or(0);
    for end in ["again", "waited", "error", "response", "retry error"] {
        assert!(least(end) > 500, "{seen:?}");
    }
    let ended: usize = ["error", "response", "retry error", "unfinished"].map(least).iter().sum();
    assert_eq!(ended, CASES, "{seen:?}");
}

/// How each attempt ended, which is how urllib3 would have had it.
fn compare(case: &Value) -> Vec<&str> {
    let method = Method::from_bytes(case["method"].as_str().unwrap().as_bytes()).unwrap();
    let retry = policy(&case["options"]);
    let mut course = Course::new(retry.clone());
    let mut ends = Vec::new();
    let results = case["results"].as_array().unwrap();
    for (attempt, result) in case["attempts"].as_array().unwrap().iter().zip(results) {
        let outcome = outcome(attempt);
        let facts = Facts {
            method: &method,
            outcome,
            repeatable: true,
            elapsed: Duration::ZERO,
            now: SystemTime::UNIX_EPOCH + secs(&case["now"]),
            random: case["chance"].as_f64().unwrap(),
        };
        let end = result["end"].as_str().unwrap();
        match (end, course.decide(&facts), outcome) {
            ("again", Decision::Again(wait), _) => {
                let expected = result["wait"].as_f64().unwrap();
                let difference = (wait.as_secs_f64() - expected).abs();
                assert!(difference < 1e-6, "{wait:?}, not {expected}: {case}");
                if expected > 0.0 {
                    ends.push("waited");
                }
            }
            ("error", Decision::Leave | Decision::GiveUp(_), Outcome::Failed(_))
            | ("response", Decision::Leave, Outcome::Answered { .. }) => {}
            (
                "retry error" | "response",
                Decision::GiveUp(reason),
                Outcome::Answered { status, .. },
            ) => {
                assert_eq!(retry.raises(status, reason), end == "retry error", "{case}");
            }
            (_, decision, _) => panic!("{decision:?}, not {end}: {case}"),
        }
        ends.push(end);
    }
    if ends.last() == Some(&"again") {
        ends.push("unfinished");
    }
    ends
}

fn outcome(attempt: &Value) -> Outcome<'_> {
    match attempt["error"].as_str() {
        Some("connect") => Outcome::Failed(Category::Connect),
        Some("read") => Outcome::Failed(Category::Read),
        Some("other") => Outcome::Failed(Category::Other),
        Some(other) => panic!("{other}"),
        None => Outcome::Answered {
            status: u16::try_from(attempt["status"].as_u64().unwrap()).unwrap(),
            retry_after: attempt["retry_after"].as_str(),
        },
    }
}

fn policy(options: &Value) -> Retry {
    let mut retry = Retry::new();
    for (name, value) in options.as_object().unwrap() {
        let number = value.as_u64().map(|number| u32::try_from(number).unwrap());
        let items = || value.as_array().unwrap().iter();
        retry = match name.as_str() {
            "total" => retry.total(number),
            "connect" => retry.connect(number),
            "read" => retry.read(number),
            "status" => retry.status(number),
            "other" => retry.other(number),
            "status_forcelist" => {
                let statuses = items().map(|status| status.as_u64().unwrap());
                retry.status_forcelist(statuses.map(|status| u16::try_from(status).unwrap()))
            }
            "allowed_methods" if value.is_null() => retry.any_method(),
            "allowed_methods" => {
                retry.allowed_methods(items().map(|method| method.as_str().unwrap()))
            }
            "backoff_factor" => retry.backoff_factor(value.as_f64().unwrap()),
            "backoff_max" => retry.backoff_max(secs(value)),
            "backoff_jitter" => retry.jitter(Jitter::Added(secs(value))),
            "raise_on_status" => retry.raise_on_status(value.as_bool().unwrap()),
            "respect_retry_after_header" => {
                retry.respect_retry_after_header(value.as_bool().unwrap())
            }
            "retry_after_max" => retry.retry_after_max(secs(value)),
            other => panic!("{other}"),
        };
    }
    retry
}

fn secs(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().unwrap())
}
