//! Routes that are about length and time.

use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;
use serde_json::Value;

use super::{chance, echo};
use crate::body::{Paced, random};
use crate::exchange::Exchange;
use crate::reply::{self, Reply};

/// The most bytes that a route makes in memory.
const LARGEST: usize = 64 * 1024 * 1024;
/// The most lines that `/stream` sends.
const MOST_LINES: usize = 10_000;
/// The most bytes that `/drip` sends.
const LARGEST_DRIP: usize = 10 * 1024 * 1024;
const BINARY: &str = "application/octet-stream";

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["bytes", length] => sized(length, |length| bytes(exchange, length)),
        ["stream-bytes", length] => sized(length, |length| stream_bytes(exchange, length)),
        ["stream", lines] => sized(lines, |lines| stream(exchange, lines)),
        ["drip"] => drip(exchange),
        _ => return None,
    };
    Some(reply)
}

/// Checks a length that comes from the path.
fn sized(length: &str, make: impl FnOnce(usize) -> Reply) -> Reply {
    match length.parse() {
        Ok(length) if length <= LARGEST => make(length),
        _ => reply::bad_request("not a number from 0 to 64 Mi"),
    }
}

fn bytes(exchange: &Exchange, length: usize) -> Reply {
    reply::content(BINARY, random(length, exchange.number("seed", chance())))
}

fn stream_bytes(exchange: &Exchange, length: usize) -> Reply {
    let bytes = random(length, exchange.number("seed", chance())).into();
    let size = exchange.number("chunk_size", 10 * 1024);
    reply::stream(BINARY, Paced::cut(&bytes, size, Duration::ZERO))
}

fn stream(exchange: &Exchange, lines: usize) -> Reply {
    let mut value = echo::common(exchange);
    let lines = (0..lines.min(MOST_LINES)).map(|id| {
        value["id"] = id.into();
        Bytes::from(format!("{value}\n"))
    });
    reply::stream("application/json", Paced::new(lines, Duration::ZERO))
}

/// Some bytes, one by one. The delay comes before the first byte, but after
/// the head: the client knows the status while it waits.
fn drip(exchange: &Exchange) -> Reply {
    let length: usize = exchange.number("numbytes", 10);
    let code = StatusCode::from_u16(exchange.number("code", 200));
    let (Ok(code), 1..=LARGEST_DRIP) = (code, length) else {
        return reply::bad_request("not a status code, or not 1 to 10 Mi bytes");
    };
    let duration = exchange.number("duration", 2.0);
    let (Some(pause), Some(delay)) =
        (seconds(duration / length as f64), seconds(exchange.number("delay", 0.0)))
    else {
        return reply::bad_request("not a time");
    };
    let body = Paced::cut(&vec![b'*'; length].into(), 1, pause).after(delay).sized();
    reply::with_status(reply::stream(BINARY, body), code)
}

/// Answers after some seconds, or a fraction of one.
pub(super) async fn delay(exchange: &Exchange, length: &str) -> Reply {
    let Some(length) = length.parse().ok().and_then(seconds) else {
        return reply::bad_request("not a time");
    };
    tokio::time::sleep(length).await;
    let shown = ["args", "data", "files", "form", "headers", "origin", "url"];
    reply::json(&Value::from(echo::pick(&echo::full(exchange), &shown)))
}

pub(super) fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_none() {
        assert_eq!(seconds(0.25), Some(Duration::from_millis(250)));
        assert_eq!(seconds(-1.0), None);
        assert_eq!(seconds(f64::NAN), None);
    }
}
