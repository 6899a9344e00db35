//! From a prepared request to the final response: hooks, auth rounds, the body.

use std::sync::Arc;

use crate::adapter::Mounts;
use crate::auth::Round;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::hooks::ResponseHooks;
use crate::reactor::{self, Reactor};
use crate::request::PreparedRequest;
use crate::response::{Response, Rules};
use crate::settings::Settings;

/// How often an auth may ask for another round; one that goes on is broken.
const MOST_ROUNDS: usize = 10;

/// Sends the request, and again as its auth asks for, until there is a response for the caller.
/// An error carries the request.
pub(crate) async fn exchange(
    mounts: Mounts,
    mut request: Box<PreparedRequest>,
    settings: Result<Settings>,
) -> Result<Response> {
    // Not moved out: they are large.
    let settings = match &settings {
        Ok(settings) => settings,
        Err(error) => return Err(error.again().during(Phase::Prepare).of_request(request)),
    };
    let mut history = Vec::new();
    loop {
        let mut response = hop(&mounts, request, settings).await?;
        response.head_mut().history.append(&mut history);
        let again = match answer(&mut response, settings).await {
            Ok(again) => again,
            Err(error) => {
                let request = Box::new(response.request().clone());
                return Err(error.of_request(request).carry_response(response));
            }
        };
        let Some(again) = again else { return Ok(response) };
        request = again;
        history = std::mem::take(&mut response.head_mut().history);
        history.push(response);
        if history.len() > MOST_ROUNDS {
            let error = Error::with(
                ErrorKind::Auth,
                format!("the auth asked for more than {MOST_ROUNDS} rounds"),
            );
            return Err(error.of_request(request));
        }
    }
}

/// One request and its response: hooks, adapter, body, hooks.
async fn hop(
    mounts: &Mounts,
    mut request: Box<PreparedRequest>,
    settings: &Settings,
) -> Result<Response> {
    let mut response = match send(mounts, &mut request, settings).await {
        Ok(response) => response,
        Err(error) => return Err(error.of_request(request)),
    };
    let hooks = request.hooks.response.clone();
    response.head_mut().request = Some(request);
    response.head_mut().max_content = settings.max_content;
    response.head_mut().encoding.rules =
        Rules { text_is_latin1: settings.text_is_latin1, detector: settings.detector.clone() };
    if !settings.stream
        && let Err(error) = response.read_in().await
    {
        return Err(match response.head_mut().request.take() {
            Some(request) => error.of_request(request),
            None => error,
        });
    }
    if hooks.is_empty() { Ok(response) } else { Box::pin(call(&hooks, response)).await }
}

async fn send(
    mounts: &Mounts,
    request: &mut PreparedRequest,
    settings: &Settings,
) -> Result<Response> {
    let mut index = 0;
    while let Some(hook) = request.hooks.request.at(index) {
        hook.call(request).await?;
        index += 1;
    }
    // Cloned, since the future borrows the request whose URL chose it.
    let adapter = Arc::clone(mounts.find(&request.url)?);
    adapter.send(request, settings).await
}

async fn call(hooks: &ResponseHooks, mut response: Response) -> Result<Response> {
    let (method, url) = (response.request().method.clone(), response.url().clone());
    let mut index = 0;
    while let Some(hook) = hooks.at(index) {
        response = hook.call(response).await.map_err(|error| error.of(&method, &url))?;
        index += 1;
    }
    Ok(response)
}

/// Asks the auth whether the response is for the caller; `None` says it is.
async fn answer(
    response: &mut Response,
    settings: &Settings,
) -> Result<Option<Box<PreparedRequest>>> {
    let Some(auth) = response.request().auth.clone() else { return Ok(None) };
    let mut again = Box::new(response.request().clone());
    let round = match reactor::current() {
        #[cfg(feature = "async")]
        Some(Reactor::Tokio) => auth.answer_async(response, &mut again).await?,
        Some(Reactor::CallingThread) | None => auth.answer(response, &mut again)?,
    };
    match round {
        Round::Done => Ok(None),
        Round::Again => {
            // Read to its end, so that the next round can use the same connection; or closed, if
            // that would take more than a little.
            if settings.stream {
                response.drain(DRAINED).await;
            }
            Ok(Some(again))
        }
    }
}

/// The most that is read of a body that nobody will see.
const DRAINED: u64 = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::request::Request;
    use crate::settings::SendOptions;

    /// Futures are moved and polled through layers; what they carry is copied with them.
    #[test]
    fn the_future_of_a_request_is_small() {
        let request = Box::new(Request::new("GET", "http://h/").prepare().unwrap());
        let settings = Settings::default().decided([&SendOptions::new(); 2], Instant::now());
        let size = size_of_val(&exchange(Mounts::new(), request, settings));
        assert!(size <= 3072, "{size}");
    }
}
