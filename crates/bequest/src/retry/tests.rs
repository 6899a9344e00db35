//! The decisions, one by one; `agreement` compares many with urllib3's.

mod agreement;

use std::time::{Duration, SystemTime};

use http::Method;

use super::{Category, Course, Decision, Facts, Outcome, Reason, Retry};

const AGAIN: Decision = Decision::Again(Duration::ZERO);
const EXHAUSTED: Decision = Decision::GiveUp(Reason::Exhausted);
const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn facts<'a>(method: &'a Method, outcome: Outcome<'a>) -> Facts<'a> {
    let elapsed = Duration::ZERO;
    Facts { method, outcome, repeatable: true, elapsed, now: NOW, random: 0.5 }
}

fn failed(category: Category) -> Outcome<'static> {
    Outcome::Failed(category)
}

fn answered(status: u16, retry_after: Option<&str>) -> Outcome<'_> {
    Outcome::Answered { status, retry_after }
}

/// What is decided when the same happens over and over.
fn decisions(retry: &Retry, method: &Method, outcome: Outcome<'_>, times: usize) -> Vec<Decision> {
    let mut course = Course::new(retry.clone());
    (0..times).map(|_| course.decide(&facts(method, outcome))).collect()
}

#[test]
fn each_kind_of_failure_has_a_number_beside_the_total() {
    let once = Retry::new().total(3).status_forcelist([500]);
    for (outcome, retry) in [
        (failed(Category::Connect), once.clone().connect(1)),
        (failed(Category::Read), once.clone().read(1)),
        (failed(Category::Other), once.clone().other(1)),
        (answered(500, None), once.clone().status(1)),
    ] {
        assert_eq!(decisions(&retry, &Method::GET, outcome, 2), [AGAIN, EXHAUSTED], "{outcome:?}");
        let in_total = decisions(&once, &Method::GET, outcome, 4);
        assert_eq!(in_total, [AGAIN, AGAIN, AGAIN, EXHAUSTED], "{outcome:?}");
        let endless = Retry::new().total(None).status_forcelist([500]);
        assert_eq!(decisions(&endless, &Method::GET, outcome, 50), [AGAIN; 50], "{outcome:?}");
        assert_eq!(decisions(&Retry::none(), &Method::GET, failed(Category::Read), 1), [EXHAUSTED]);
    }
}

#[test]
fn what_a_server_may_have_seen_is_repeated_if_its_method_may_be() {
    let retry = Retry::new().status_forcelist([500]);
    let of = |retry: &Retry, method, outcome| decisions(retry, &method, outcome, 1)[0];
    for (outcome, post) in [
        (failed(Category::Connect), AGAIN),
        (failed(Category::Other), AGAIN),
        (failed(Category::Read), Decision::Leave),
        (failed(Category::Final), Decision::Leave),
        (answered(500, None), Decision::Leave),
        (answered(503, Some("0")), Decision::Leave),
    ] {
        assert_eq!(of(&retry, Method::POST, outcome), post, "{outcome:?}");
        assert_eq!(of(&retry, Method::PATCH, outcome), post, "{outcome:?}");
        let all = if outcome_is_final(outcome) { Decision::Leave } else { AGAIN };
        assert_eq!(of(&retry, Method::PUT, outcome), all, "{outcome:?}");
        let named = retry.clone().allowed_methods(["post"]);
        assert_eq!(of(&named, Method::POST, outcome), all, "{outcome:?}");
        assert_eq!(of(&named, Method::GET, outcome), post, "{outcome:?}");
        assert_eq!(of(&retry.clone().any_method(), Method::POST, outcome), all, "{outcome:?}");
        let none = retry.clone().allowed_methods([""; 0]);
        assert_eq!(of(&none, Method::GET, outcome), post, "{outcome:?}");
    }
}

fn outcome_is_final(outcome: Outcome<'_>) -> bool {
    matches!(outcome, Outcome::Failed(Category::Final))
}

#[test]
fn retry_after_makes_some_statuses_come_back() {
    let retry = Retry::new().total(2).backoff_factor(1.0);
    let after = |secs| Decision::Again(Duration::from_secs(secs));
    let of =
        |retry: &Retry, status, value| decisions(retry, &Method::GET, answered(status, value), 3);
    for status in [413, 429, 503] {
        let (twice, then_left) = ([after(7), after(7)], Decision::Leave);
        assert_eq!(of(&retry, status, Some("7")), [&twice[..], &[then_left]].concat());
        assert_eq!(of(&retry, status, None), [Decision::Leave; 3]);
        assert_eq!(of(&retry, status, Some("soon")), [Decision::Leave; 3]);
        let deaf = retry.clone().respect_retry_after_header(false);
        assert_eq!(of(&deaf, status, Some("7")), [Decision::Leave; 3]);
        let endless = retry.clone().total(None);
        assert_eq!(of(&endless, status, Some("7")), [Decision::Leave; 3], "as urllib3 has it");
    }
    assert_eq!(of(&retry, 500, Some("7")), [Decision::Leave; 3]);
    // One that was asked for is obeyed whatever the status; else the backoff counts.
    let forced = retry.status_forcelist([500]);
    assert_eq!(of(&forced, 500, Some("7")), [after(7), after(7), EXHAUSTED]);
    for value in [None, Some("soon"), Some("0"), Some("Thu, 01 Jan 1970 00:00:00 GMT")] {
        assert_eq!(of(&forced, 500, value), [AGAIN, after(2), EXHAUSTED], "{value:?}");
    }
    assert_eq!(of(&forced, 500, Some("Thu, 01 Jan 1970 00:00:09 GMT"))[0], after(9));
    let capped = forced.retry_after_max(Duration::from_secs(5));
    assert_eq!(of(&capped, 500, Some("7"))[0], after(5));
    assert_eq!(of(&capped, 500, Some("99999999999999999999999999"))[0], after(5));
}

#[test]
fn what_can_be_sent_once_is_not_sent_twice() {
    let mut course = Course::new(Retry::new().status_forcelist([500]));
    for outcome in [failed(Category::Connect), failed(Category::Read), answered(500, None)] {
        let spent = Facts { repeatable: false, ..facts(&Method::PUT, outcome) };
        assert_eq!(course.decide(&spent), Decision::GiveUp(Reason::BodySpent));
    }
    let left = Facts { repeatable: false, ..facts(&Method::PUT, answered(200, None)) };
    assert_eq!(course.decide(&left), Decision::Leave);
}

#[test]
fn a_wait_must_end_within_the_time_budget() {
    let secs = Duration::from_secs;
    let retry = Retry::new().status_forcelist([500]).time_budget(secs(10));
    let after = |elapsed, value| {
        let outcome = answered(500, value);
        let facts = Facts { elapsed, ..facts(&Method::GET, outcome) };
        Course::new(retry.clone()).decide(&facts)
    };
    assert_eq!(after(secs(10), None), AGAIN);
    assert_eq!(after(secs(11), None), Decision::GiveUp(Reason::OutOfTime));
    assert_eq!(after(secs(3), Some("7")), Decision::Again(secs(7)));
    assert_eq!(after(secs(3), Some("8")), Decision::GiveUp(Reason::OutOfTime));
}

#[test]
fn what_is_an_error_in_the_end() {
    let retry = Retry::new().status_forcelist([500]);
    assert!(retry.raises(500, Reason::Exhausted) && retry.raises(500, Reason::BodySpent));
    assert!(retry.raises(503, Reason::Exhausted), "its number of statuses is used up");
    assert!(!retry.raises(503, Reason::OutOfTime), "nobody but the server has asked for it");
    assert!(!retry.raise_on_status(false).raises(500, Reason::Exhausted));
    assert!(Retry::none().is_none() && Retry::from(0).is_none() && !Retry::from(1).is_none());
    assert!(!Retry::none().status_forcelist([500]).is_none(), "it makes of a 500 an error");
}

#[test]
fn a_policy_is_small_and_changes_by_itself() {
    assert_eq!(size_of::<Option<Retry>>(), size_of::<usize>());
    let one = Retry::new();
    let other = one.clone().total(1);
    assert_eq!((one.0.total, other.0.total), (Some(10), Some(1)));
}
