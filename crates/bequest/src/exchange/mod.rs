//! From a prepared request to the final response: hooks, auth rounds, the body.

mod jar;

use std::future::Future;
use std::sync::Arc;

use self::jar::Jar;
use crate::adapter::{Mounts, retrying};
use crate::auth::Round;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::hooks::ResponseHooks;
use crate::reactor::{self, Reactor};
use crate::redirect::{self, Hop, Led, Next};
use crate::request::PreparedRequest;
use crate::response::{DRAINED, Response};
use crate::settings::Settings;
use crate::trace;

/// How often an auth may ask for another round; one that goes on is broken.
const MOST_ROUNDS: usize = 10;
/// Room for the history of most requests that are not answered at once.
const USUAL_HOPS: usize = 8;

/// Sends the request, and again as its auth asks for, and follows redirects, until there is a
/// response for the caller. An error carries the request.
pub(crate) fn exchange(
    mounts: Mounts,
    request: Box<PreparedRequest>,
    settings: Result<Arc<Settings>>,
) -> impl Future<Output = Result<Response>> + Send {
    let span = trace::span!(
        "request",
        method = request.method.as_str(),
        url = %trace::masked(&request.url),
        status = trace::Empty,
        error = trace::Empty,
    );
    let began = trace::Began::now();
    span.hold_telling(|| travel(mounts, request, settings), move |result| tell(result, began))
}

/// What came of a request; of a body that is streamed nothing is known yet.
#[cfg_attr(not(feature = "tracing"), expect(unused_variables, reason = "nothing is told"))]
fn tell(result: &Result<Response>, began: trace::Began) {
    match result {
        Ok(response) => {
            trace::record!("status", response.status().as_u16());
            trace::event!(
                DEBUG,
                status = response.status().as_u16(),
                bytes = response.collected().and_then(Result::ok).map(|body| body.len()),
                redirects = response.history().len(),
                elapsed_ms = began.elapsed_ms(),
                "done"
            );
        }
        Err(error) => {
            trace::record!("error", tracing::field::display(error));
            trace::event!(
                DEBUG,
                kind = ?error.kind(),
                error = %error,
                elapsed_ms = began.elapsed_ms(),
                "failed"
            );
        }
    }
}

async fn travel(
    mounts: Mounts,
    request: Box<PreparedRequest>,
    settings: Result<Arc<Settings>>,
) -> Result<Response> {
    let settings = match settings {
        Ok(settings) => settings,
        Err(error) => return Err(error.during(Phase::Prepare).of_request(request)),
    };
    let jar = Jar::of(&settings);
    let history = Vec::new();
    let mut journey = Journey { mounts, settings, jar, history, rounds: 0, followed: 0 };
    let mut response = journey.hop(request).await?;
    // Most responses are the caller's at once, and should not carry the room for more.
    let auth = response.request().auth.as_ref();
    let may_answer = auth.is_some_and(|auth| auth.answers_to(&response));
    if may_answer || journey.follows(&response) {
        return Box::pin(journey.go_on(response)).await;
    }
    response.head_mut().history = journey.history;
    Ok(response)
}

/// What remains to be known between two hops.
struct Journey {
    mounts: Mounts,
    settings: Arc<Settings>,
    jar: Jar,
    /// The responses that were not the caller's, oldest first.
    history: Vec<Response>,
    /// How often the auth has asked for another round since the last redirect.
    rounds: usize,
    /// How many redirects were followed.
    followed: usize,
}

impl Journey {
    fn follows(&self, response: &Response) -> bool {
        self.settings.allow_redirects && redirect::is_redirect(response)
    }

    /// Other rounds of the auth, and hops, until the response is the caller's.
    async fn go_on(mut self, mut response: Response) -> Result<Response> {
        self.history.reserve(USUAL_HOPS);
        loop {
            let next = match self.next(&mut response).await {
                Ok(next) => next,
                Err(error) => {
                    response.drain(DRAINED).await;
                    response.head_mut().history = self.history;
                    let request = Box::new(response.request().as_sent());
                    return Err(error.of_request(request).carry_response(response));
                }
            };
            let Some(request) = next else { break };
            self.history.push(response);
            response = match self.hop(request).await {
                Ok(response) => response,
                Err(error) => return Err(self.after_all(error)),
            };
        }
        response.head_mut().history = self.history;
        Ok(response)
    }

    /// The error, with what the responses before it took.
    #[cold]
    fn after_all(&self, error: Error) -> Error {
        self.history.iter().fold(error, |error, earlier| error.after(&earlier.timings()))
    }

    async fn next(&mut self, response: &mut Response) -> Result<Option<Box<PreparedRequest>>> {
        if let Some(mut again) = self.settings.within(answer(response)).await?? {
            self.rounds += 1;
            if self.rounds > MOST_ROUNDS {
                let what = format!("the auth asked for more than {MOST_ROUNDS} rounds");
                return Err(Error::with(ErrorKind::Auth, what));
            }
            trace::event!(DEBUG, status = response.status().as_u16(), "asked again by the auth");
            response.drain(DRAINED).await;
            self.jar.refresh(response, &mut again)?;
            return Ok(Some(again));
        }
        if !self.settings.allow_redirects {
            return Ok(None);
        }
        let Some(led) = redirect::next(response, &self.settings)? else { return Ok(None) };
        let next = self.redirected(response, led).await?;
        if next.is_some() {
            // Nobody waits for it: what it says is but a courtesy.
            response.drain(DRAINED).await;
        } else if !self.settings.stream {
            response.have_read().await?;
        }
        Ok(next)
    }

    /// The next request, if it may be sent.
    async fn redirected(
        &mut self,
        response: &Response,
        led: Led,
    ) -> Result<Option<Box<PreparedRequest>>> {
        let Led { request: mut next, leaves_origin } = led;
        let (from, status) = (&response.request().url, response.status());
        if let Some(policy) = &self.settings.redirect_policy {
            let hop = Hop { status, from, to: &next.url, followed: self.followed };
            match policy.decide(&hop)? {
                Next::Follow => {}
                Next::Stop => return Ok(None),
            }
        }
        if self.followed >= self.settings.max_redirects as usize {
            let what = format!("more than {} redirects", self.settings.max_redirects);
            return Err(Error::with(ErrorKind::TooManyRedirects, what).remedied(
                "look where they lead in the response's history, or raise `max_redirects`",
            ));
        }
        trace::event!(
            DEBUG,
            status = status.as_u16(),
            method = next.method.as_str(),
            to = %trace::masked(&next.url),
            "redirected"
        );
        self.followed += 1;
        self.rounds = 0;
        if let Some(settings) = self.settings.on_the_way(&next.url, leaves_origin) {
            self.settings = Arc::new(settings);
        }
        self.jar.add_to(&mut next)?;
        self.settings.within(apply_auth(&mut next)).await??;
        Ok(Some(next))
    }

    /// One request and its response: hooks, adapter, body, hooks.
    async fn hop(&mut self, mut request: Box<PreparedRequest>) -> Result<Response> {
        let settings = &*self.settings;
        let mut response = match send(&self.mounts, &mut request, settings).await {
            Ok(response) => response,
            Err(error) => return Err(error.of_request(request)),
        };
        self.jar.store(&request.url, response.headers());
        let hooks = request.hooks.response.clone();
        request.set_settings(&self.settings);
        let head = response.head_mut();
        head.request = Some(request);
        head.max_content = settings.max_content;
        if self.follows(&response) {
            // Whether it will be the caller's is not known yet, but those who hear of it can't wait.
            if !settings.stream && is_heard(&response) {
                Box::pin(response.drain(settings.max_content.unwrap_or(u64::MAX))).await;
            }
        } else if !settings.stream
            && let Err(error) = response.read_in().await
        {
            let error = error.after_attempts(&mut response);
            return Err(match response.head_mut().request.take() {
                Some(request) => error.of_request(request),
                None => error,
            });
        }
        if hooks.is_empty() {
            return Ok(response);
        }
        let mut response = Box::pin(call(&hooks, response, settings)).await?;
        // Of one that a hook has brought from elsewhere.
        self.history.append(&mut response.head_mut().history);
        Ok(response)
    }
}

async fn send(
    mounts: &Mounts,
    request: &mut PreparedRequest,
    settings: &Settings,
) -> Result<Response> {
    if !request.hooks.request.is_empty() {
        settings.within(edit(request)).await??;
    }
    // Cloned, since the future borrows the request whose URL chose it.
    if settings.https_only && request.url.scheme() != "https" {
        return Err(Error::with(
            ErrorKind::InvalidSchema,
            "`https_only` is set, and this is not https",
        ));
    }
    let adapter = Arc::clone(mounts.find(&request.url)?);
    let sent = async {
        match &settings.retry {
            None => adapter.send(request, settings).await,
            Some(retry) => {
                let pauses = mounts.pauses();
                Box::pin(retrying(&adapter, retry, pauses, request, settings)).await
            }
        }
    };
    match settings.may_end() {
        // The adapter may be anybody's, and wait for what knows nothing of the request's limits.
        true => settings.within(Box::pin(sent)).await?,
        false => sent.await,
    }
}

/// Has the request hooks change the request, and remembers what they have changed.
async fn edit(request: &mut PreparedRequest) -> Result<()> {
    let before = request.headers.clone();
    let mut index = 0;
    while let Some(hook) = request.hooks.request.at(index) {
        hook.call(request).await?;
        index += 1;
    }
    request.record_hooks(&before);
    Ok(())
}

/// Has each hook see the response, or what the one before has put in its place: that answers the
/// same request, unless it says itself which one.
async fn call(
    hooks: &ResponseHooks,
    mut response: Response,
    settings: &Settings,
) -> Result<Response> {
    let sent = Box::new(response.request().as_sent());
    let mut index = 0;
    while let Some(hook) = hooks.at(index) {
        response = match settings.within(hook.call(response)).await.and_then(|result| result) {
            Ok(response) => response,
            Err(error) => return Err(error.of_request(sent)),
        };
        let head = response.head_mut();
        if head.request.is_none() {
            head.request = Some(Box::new(sent.as_sent()));
            head.max_content = settings.max_content;
        }
        index += 1;
    }
    Ok(response)
}

/// Whether a hook or the auth will look at the response.
fn is_heard(response: &Response) -> bool {
    let request = response.request();
    let auth = request.auth.as_ref();
    !request.hooks.response.is_empty() || auth.is_some_and(|auth| auth.answers_to(response))
}

/// Asks the auth whether the response is for the caller; `None` says it is.
async fn answer(response: &Response) -> Result<Option<Box<PreparedRequest>>> {
    let Some(auth) = response.request().auth.clone() else { return Ok(None) };
    if !auth.answers_to(response) {
        return Ok(None);
    }
    let mut again = Box::new(response.request().clone());
    let before = again.headers.clone();
    let round = match reactor::current() {
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => auth.answer_async(response, &mut again).await?,
        Some(Reactor::CallingThread) | None => auth.answer(response, &mut again)?,
    };
    match round {
        Round::Done => Ok(None),
        Round::Again => {
            again.record_auth(&before);
            Ok(Some(again))
        }
    }
}

async fn apply_auth(request: &mut PreparedRequest) -> Result<()> {
    match reactor::current() {
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => request.apply_auth_async().await,
        Some(Reactor::CallingThread) | None => request.apply_auth(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Request;

    /// Futures are moved and polled through layers; what they carry is copied with them.
    #[test]
    fn the_future_of_a_request_is_small() {
        let request = Box::new(Request::new("GET", "http://h/").prepare().unwrap());
        let settings = Ok(Arc::new(Settings::default()));
        let size = size_of_val(&exchange(Mounts::new(), request, settings));
        assert!(size <= 3072, "{size}");
    }
}
