//! An adapter for tests: it answers as it was told, and remembers what it was asked.

mod expectation;
mod seen;

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

pub use expectation::Expectation;
use expectation::{Answer, Mismatch};
pub use seen::SeenRequest;

use super::Adapter;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::future::BoxFuture;
use crate::reactor::{sleep_until, with_deadline};
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::settings::Settings;

/// Answers requests without a network, for the tests of a program: each request must be one that is
/// expected, and [`verify`](Self::verify) says whether all that were expected came.
///
/// ```
/// use bequest::{Expectation, MockAdapter, Response, Session};
///
/// let mock = MockAdapter::new()
///     .expect(
///         Expectation::get("https://api.example.org/users/7")
///             .header("Accept", "application/json")
///             .answer(Response::builder().body(r#"{"name": "kenneth"}"#)),
///     )
///     .expect(Expectation::post("https://api.example.org/users").body("name=me").status(201));
///
/// let mut s = Session::new();
/// s.mount("https://", mock.clone());
/// s.headers.insert("Accept", "application/json");
/// let r = s.get("https://api.example.org/users/7").send()?;
/// assert_eq!(r.text()?, r#"{"name": "kenneth"}"#);
/// let r = s.post("https://api.example.org/users").form([("name", "me")]).send()?;
/// assert_eq!(r.status(), 201);
///
/// mock.verify()?;
/// assert_eq!(mock.requests()[1].header("content-type"), Some("application/x-www-form-urlencoded"));
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// A request goes to the first expectation that it fits and that is not used up. One that fits none is
/// an error that says for each why. Everything above an adapter works as always: redirects, cookies,
/// auth, hooks, and the [`Retry`](crate::Retry) of session and request:
///
/// ```
/// # use std::time::Duration;
/// # use bequest::{Error, ErrorKind, Expectation, MockAdapter, Retry, Session};
/// let mock = MockAdapter::new().expect(
///     Expectation::get("https://api.example.org/")
///         .error(ErrorKind::Connect, "out of order")
///         .status(503)
///         .status(200),
/// );
/// let mut s = Session::new();
/// s.mount("https://", mock.clone());
/// s.retry = Some(Retry::new().status_forcelist([503]));
/// let r = s.get("https://api.example.org/").send()?;
/// assert_eq!((r.status().as_u16(), r.attempts().len()), (200, 2));
/// mock.verify()?;
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// Clones share expectations and memory: mount one, ask the other. It keeps what it has seen, bodies
/// included, until the last one is dropped.
#[derive(Clone, Default)]
pub struct MockAdapter(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    expected: Vec<Expectation>,
    in_order: bool,
    seen: Vec<SeenRequest>,
    /// What was said of each request that was not expected.
    unexpected: Vec<String>,
}

impl MockAdapter {
    /// One that expects nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Expects a request.
    #[must_use = "it is to be mounted"]
    pub fn expect(self, expectation: Expectation) -> Self {
        self.lock().expected.push(expectation);
        self
    }

    /// Expects requests in the order of the expectations: what follows one that is not met yet is not
    /// answered.
    #[must_use = "it is to be mounted"]
    pub fn in_order(self) -> Self {
        self.lock().in_order = true;
        self
    }

    /// The requests that came, in their order, also those that were not expected.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.lock().seen.clone()
    }

    /// Whether everything that was expected came, and nothing else.
    ///
    /// # Errors
    /// [`ErrorKind::Other`]; its text says what is missing and what was not expected.
    pub fn verify(&self) -> Result<()> {
        let state = self.lock();
        let mut text = String::new();
        for expectation in state.expected.iter().filter(|expectation| !expectation.is_met()) {
            // Writing to a String can't fail.
            let _ = write!(text, "; missing: {expectation} {}", expectation.count());
        }
        for unexpected in &state.unexpected {
            let _ = write!(text, "; {unexpected}");
        }
        match text.strip_prefix("; ") {
            None => Ok(()),
            Some(text) => Err(Error::with(ErrorKind::Other, text.to_owned())),
        }
    }

    /// The answer to a request, or why there is none.
    fn choose(&self, seen: SeenRequest) -> Result<Answer> {
        let mut state = self.lock();
        let State { expected, in_order, seen: all, unexpected } = &mut *state;
        all.push(seen);
        let Some(seen) = all.last() else { return Ok(Answer::default()) };
        let mut reasons = String::new();
        for expectation in expected {
            match expectation.fits(seen) {
                Ok(()) => return Ok(expectation.next_answer()),
                Err(mismatch) => {
                    let _ = write!(reasons, ", not {expectation}: {mismatch}");
                    let blocks = *in_order && mismatch != Mismatch::UsedUp && !expectation.is_met();
                    if blocks {
                        break;
                    }
                }
            }
        }
        let text = format!("unexpected: {seen}{reasons}");
        unexpected.push(text.clone());
        Err(Error::with(ErrorKind::Other, text)
            .remedied("expect it by `MockAdapter::expect`, or correct the request"))
    }

    async fn answer(&self, request: &mut PreparedRequest, settings: &Settings) -> Result<Response> {
        let started = Instant::now();
        // What could not be sent is not answered.
        request.seal().map_err(|error| error.during(Phase::Prepare))?;
        request.write_head(&mut Vec::new()).map_err(|error| error.during(Phase::Prepare))?;
        let answer = self.choose(SeenRequest::of(request).await?)?;
        wait(answer.delay, settings).await?;
        let mut response = answer.give(request, settings)?;
        let timings = &mut response.head_mut().timings;
        if timings.head.is_zero() {
            timings.head = started.elapsed();
        }
        Ok(response)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// Keeps silent for so long, as a server would: a timeout may end it.
async fn wait(delay: Duration, settings: &Settings) -> Result<()> {
    if delay.is_zero() {
        return Ok(());
    }
    let now = Instant::now();
    let limit = settings.timeout.read_limit();
    let (end, is_total) = settings.until(now, limit);
    let until = now.checked_add(delay).ok_or_else(|| {
        Error::with(ErrorKind::InvalidTimeout, format!("the clock does not reach {delay:?}"))
    })?;
    if with_deadline(end, sleep_until(until)).await.is_some() {
        return Ok(());
    }
    let error = match (is_total, limit) {
        (false, Some(limit)) => {
            Error::with(ErrorKind::ReadTimeout, format!("the server was silent for {limit:?}"))
        }
        _ => settings.total_is_over(),
    };
    Err(error.during(Phase::Wait))
}

impl Adapter for MockAdapter {
    fn send<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
        settings: &'a Settings,
    ) -> BoxFuture<'a, Result<Response>> {
        Box::pin(self.answer(request, settings))
    }
}

impl fmt::Debug for MockAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MockAdapter")
            .field("expected", &state.expected)
            .field("seen", &state.seen)
            .finish()
    }
}
