//! Where a redirect leads, and what goes along (RFC 9110, section 15.4).

mod location;
mod origin;
mod policy;
mod sensitive;

use std::sync::Arc;

use http::{Method, StatusCode};

pub use policy::{Hop, Next, RedirectPolicy};
pub use sensitive::SensitiveHeaders;

use crate::auth::Auth;
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::settings::Settings;

/// Whether the response says where to go on.
pub(crate) fn is_redirect(response: &Response) -> bool {
    location(response).is_some()
}

/// What a redirect says of where to go on.
fn location(response: &Response) -> Option<&[u8]> {
    match response.status().as_u16() {
        301 | 302 | 303 | 307 | 308 => response.headers().get_bytes("Location"),
        _ => None,
    }
    .filter(|location| !location.is_empty())
}

/// What a redirect asks for.
pub(crate) struct Led {
    /// Its auth, if it still has one, is to be applied anew.
    pub(crate) request: Box<PreparedRequest>,
    pub(crate) leaves_origin: bool,
}

/// The request that a redirect asks for, if the response is one.
pub(crate) fn next(response: &Response, settings: &Settings) -> Result<Option<Led>> {
    let Some(location) = location(response) else { return Ok(None) };
    let before = response.request();
    let mut url = location::target(location, response)?;
    let allowed = match &settings.redirect_policy {
        Some(policy) => policy.allows_scheme(url.scheme()),
        None => policy::is_http(url.scheme()),
    };
    if !allowed {
        let what = format!("a redirect to {} is not followed", crate::secrets::masked(&url));
        return Err(Error::with(ErrorKind::InvalidSchema, what).remedied(
            "redirects lead to http and https, unless your redirect policy allows more",
        ));
    }
    if url.fragment().is_none() {
        url.set_fragment(response.url().fragment());
    }
    let leaves_origin = !origin::same_origin(&before.url, &url);
    let mut request = Box::new(before.led_to(url));
    let (method, keeps_body) = method_after(response.status(), &before.method, &before.body);
    request.method = method;
    if !keeps_body {
        drop_body(&mut request);
    }
    request.body.source().map_or(Ok(()), |stream| stream.check())?;
    if leaves_origin {
        origin::leave(&mut request, settings);
        request.auth = found(&request, settings);
    } else {
        request.forget_auth();
    }
    Ok(Some(Led { request, leaves_origin }))
}

/// What .netrc has for another origin; whoever has said who asks has not said it for that one, and
/// wants no guesses.
fn found(request: &PreparedRequest, settings: &Settings) -> Option<Arc<dyn Auth>> {
    let netrc = settings.netrc.as_ref().filter(|_| !request.auth_is_said)?;
    Some(Arc::new(netrc.credentials_elsewhere(&request.url)?))
}

/// The method of the next request, and whether the body goes along.
///
/// | status | GET | HEAD | POST | others |
/// |---|---|---|---|---|
/// | 301 | GET | HEAD | GET | the same, with its body |
/// | 302, 303 | GET | HEAD | GET | GET |
/// | 307, 308 | the same, with its body ||||
fn method_after(status: StatusCode, method: &Method, body: &Body) -> (Method, bool) {
    match (status.as_u16(), method) {
        (307 | 308, _) => (method.clone(), true),
        (_, &Method::GET | &Method::HEAD) => (method.clone(), body.is_empty()),
        (301, method) if *method != Method::POST => (method.clone(), true),
        _ => (Method::GET, false),
    }
}

/// Without a body, what is said of it goes too (RFC 9110, section 15.4).
fn drop_body(request: &mut PreparedRequest) {
    request.body = Body::empty();
    remove(&mut request.headers, says_of_body);
}

fn says_of_body(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with("content-")
        || matches!(name.as_str(), "transfer-encoding" | "trailer" | "expect" | "digest")
}

fn remove(headers: &mut Headers, is_dropped: impl Fn(&str) -> bool) {
    let dropped: Vec<String> = headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| is_dropped(name))
        .map(str::to_owned)
        .collect();
    for name in dropped {
        headers.remove(&name);
    }
}

#[cfg(test)]
mod tests;
