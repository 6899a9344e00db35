//! Sending again what failed.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::Adapter;
use super::pauses::Pauses;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::net::was_closed;
use crate::reactor::sleep_until;
use crate::request::PreparedRequest;
use crate::response::{DRAINED, Response};
use crate::retry::{Attempt, Attempts, Category, Course, Decision, Facts, Outcome, Reason, Retry};
use crate::settings::Settings;
use crate::timings::Timings;
use crate::{random, secrets, trace};

/// The longest wait; the clock does not reach much farther.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// Sends the request by the adapter, and again as the policy says. `pauses` are those
/// between.
pub(crate) async fn retrying(
    adapter: &dyn Adapter,
    retry: &Retry,
    pauses: &Pauses,
    request: &mut PreparedRequest,
    settings: &Settings,
) -> Result<Response> {
    let mut spent = Timings::default();
    let result = try_all(adapter, retry, pauses, (request, settings), &mut spent).await;
    result.map_err(|error| match spent == Timings::default() {
        true => error,
        false => error.after(&spent),
    })
}

/// `spent` tells what was spent on everything but the last attempt.
async fn try_all(
    adapter: &dyn Adapter,
    retry: &Retry,
    pauses: &Pauses,
    (request, settings): (&mut PreparedRequest, &Settings),
    spent: &mut Timings,
) -> Result<Response> {
    let started = Instant::now();
    let mut course = Course::new(retry.clone());
    let mut attempts = Attempts::default();
    loop {
        let began = Instant::now();
        let result = adapter.send(request, settings).await;
        let ended = Instant::now();
        let decision = course.decide(&Facts {
            method: &request.method,
            outcome: outcome(&result),
            repeatable: request.body.can_be_lent(),
            elapsed: ended - started,
            now: SystemTime::now(),
            random: random::fraction(),
        });
        let wait = match (decision, retry.shared_budget()) {
            (Decision::Again(_), Some(budget)) if !budget.take() => {
                return give_up(result, Reason::OverBudget, retry, attempts, (request, settings))
                    .await;
            }
            (Decision::Again(wait), _) => wait,
            (Decision::Leave, budget) => {
                if let (true, Some(budget)) = (result.is_ok(), budget) {
                    budget.reward();
                }
                return leave(result, attempts);
            }
            (Decision::GiveUp(reason), _) => {
                return give_up(result, reason, retry, attempts, (request, settings)).await;
            }
        };
        tell(&result, wait, request);
        let last = result.map_err(Arc::new);
        if let Ok(response) = &last {
            response.drain(DRAINED).await;
        }
        let mut timings = match &last {
            Ok(response) => response.timings(),
            Err(error) => error.timings().unwrap_or_default(),
        };
        spent.add(&timings);
        if !wait.is_zero() {
            timings.spend(Phase::Retry, wait);
        }
        let end = last.as_ref().map(Response::status).map_err(Arc::clone);
        attempts.push(Attempt { end, took: ended - began, wait, timings });
        if let Err(error) = pause(wait, pauses, last, (request, settings)).await {
            return Err(attempts.leave_with_error(error));
        }
        if !wait.is_zero() {
            spent.spend(Phase::Retry, wait);
        }
    }
}

fn outcome(result: &Result<Response>) -> Outcome<'_> {
    match result {
        Ok(response) => Outcome::Answered {
            status: response.status().as_u16(),
            retry_after: response.headers().get("retry-after"),
        },
        Err(error) => Outcome::Failed(Category::of(error)),
    }
}

#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nothing is told"))]
fn tell(result: &Result<Response>, wait: Duration, request: &PreparedRequest) {
    let again = std::fmt::from_fn(|f| {
        write!(f, "{} {} is sent again", request.method, secrets::masked(&request.url))
    });
    match result {
        Ok(response) => trace::event!(
            WARN,
            sleep_ms = trace::ms(wait),
            status = response.status().as_u16(),
            "{again}, in {wait:?}: {}",
            response.status()
        ),
        Err(error) => trace::event!(
            WARN,
            sleep_ms = trace::ms(wait),
            kind = ?error.kind(),
            "{again}, in {wait:?}: {error}"
        ),
    }
}

/// Waits; what ends a request that is on its way ends that, too.
async fn pause(
    wait: Duration,
    pauses: &Pauses,
    last: Result<Response, Arc<Error>>,
    (request, settings): (&PreparedRequest, &Settings),
) -> Result<()> {
    let closing = pauses.begin();
    if wait.is_zero() {
        return Ok(());
    }
    let now = Instant::now();
    let until = now.checked_add(wait.min(LONGEST)).unwrap_or(now);
    let slept = settings.within(closing.guard(sleep_until(until))).await;
    let Err(error) = slept.and_then(|slept| slept.ok_or_else(was_closed)) else { return Ok(()) };
    let slept = Timings { sleep: Some(now.elapsed()), ..Timings::default() };
    let error = error.during(Phase::Retry).after(&slept);
    Err(match last {
        Ok(response) => error
            .because(format!("the last answer was {}", response.status()))
            .carry_response(answering(response, request, settings)),
        Err(last) => error.because(last.again()),
    })
}

fn leave(result: Result<Response>, attempts: Attempts) -> Result<Response> {
    match result {
        Ok(mut response) => {
            attempts.leave_with(&mut response);
            Ok(response)
        }
        Err(error) => Err(attempts.leave_with_error(error)),
    }
}

/// A retry was wanted, and there is none.
async fn give_up(
    result: Result<Response>,
    reason: Reason,
    retry: &Retry,
    attempts: Attempts,
    (request, settings): (&PreparedRequest, &Settings),
) -> Result<Response> {
    let mut response = match result {
        Ok(response) => response,
        Err(error) => {
            let error = match reason {
                Reason::BodySpent if error.remedy().is_none() => error.remedied(remedy(reason)),
                _ => error,
            };
            return Err(attempts.leave_with_error(error));
        }
    };
    let status = response.status().as_u16();
    if !retry.raises(status, reason) {
        return leave(Ok(response), attempts);
    }
    response.drain(DRAINED).await;
    attempts.copy_to(&mut response);
    let error = Error::with(ErrorKind::Retry, format!("too many {status} error responses"))
        .remedied(remedy(reason))
        .carry_response(answering(response, request, settings));
    Err(attempts.leave_with_error(error))
}

fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::Exhausted => "allow more retries, or have `raise_on_status(false)` return them",
        Reason::BodySpent => {
            "it was not sent again, since its body can be read only once: send bytes or a file"
        }
        Reason::OutOfTime => "it was not sent again, since its time budget would be over",
        Reason::OverBudget => "it was not sent again, since the retry budget is used up",
    }
}

/// The response as the caller would have got it.
fn answering(mut response: Response, request: &PreparedRequest, settings: &Settings) -> Response {
    let head = response.head_mut();
    head.request = Some(Box::new(request.as_sent()));
    head.max_content = settings.max_content;
    response
}
