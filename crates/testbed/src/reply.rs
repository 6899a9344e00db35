//! Responses, and the few ways to make them.

use std::convert::Infallible;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Body, Bytes};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// A response of the server.
pub(crate) type Reply = Response<UnsyncBoxBody<Bytes, Infallible>>;

/// An answer from any body.
pub(crate) fn stream<B>(content_type: &'static str, body: B) -> Reply
where
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let mut reply = Response::new(body.boxed_unsync());
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    reply
}

/// An answer from bytes.
pub(crate) fn content(content_type: &'static str, bytes: impl Into<Bytes>) -> Reply {
    stream(content_type, Full::new(bytes.into()))
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Reply {
    let mut reply = Response::new(Full::default().boxed_unsync());
    *reply.status_mut() = status;
    reply
}

/// A JSON document, laid out for readers.
pub(crate) fn json(value: &Value) -> Reply {
    content("application/json", render(value))
}

pub(crate) fn render(value: &Value) -> String {
    format!("{value:#}\n")
}

/// An error, explained in JSON.
pub(crate) fn error(status: StatusCode, message: &str) -> Reply {
    with_status(json(&json!({ "error": message })), status)
}

pub(crate) fn bad_request(message: &str) -> Reply {
    error(StatusCode::BAD_REQUEST, message)
}

pub(crate) fn with_status(mut reply: Reply, status: StatusCode) -> Reply {
    *reply.status_mut() = status;
    reply
}

/// Adds a header. One that can't be sent turns the answer into a refusal,
/// because names and values may come from the request.
pub(crate) fn with_header(mut reply: Reply, name: &str, value: &str) -> Reply {
    let name = HeaderName::try_from(name);
    let value = HeaderValue::from_bytes(value.as_bytes());
    let (Ok(name), Ok(value)) = (name, value) else {
        return bad_request("not a valid header");
    };
    reply.headers_mut().append(name, value);
    reply
}
