//! Routes for conditional and partial requests.

use std::ops::Range;
use std::time::Duration;

use hyper::StatusCode;
use hyper::body::Bytes;

use super::{echo, streams};
use crate::body::Paced;
use crate::exchange::Exchange;
use crate::reply::{self, Reply};

/// The most bytes that `/range` has.
const LARGEST: usize = 16 * 1024 * 1024;

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["etag", etag] => etagged(exchange, etag),
        ["cache"] => cache(exchange),
        ["cache", age] => {
            let age: u32 = age.parse().ok()?;
            let reply = reply::json(&echo::common(exchange));
            reply::with_header(reply, "cache-control", &format!("public, max-age={age}"))
        }
        ["range", length] => match length.parse() {
            Ok(length) if length <= LARGEST => range(exchange, length),
            _ => reply::bad_request("not a number from 0 to 16 Mi"),
        },
        _ => return None,
    };
    Some(reply)
}

/// A resource with a given entity tag, which honours both conditions on it.
fn etagged(exchange: &Exchange, etag: &str) -> Reply {
    let reply = if listed(exchange, "if-none-match", etag) == Some(true) {
        reply::empty(StatusCode::NOT_MODIFIED)
    } else if listed(exchange, "if-match", etag) == Some(false) {
        reply::empty(StatusCode::PRECONDITION_FAILED)
    } else {
        reply::json(&echo::common(exchange))
    };
    reply::with_header(reply, "etag", &format!("\"{etag}\""))
}

/// Whether a header lists the entity tag; `None` without the header.
fn listed(exchange: &Exchange, header: &str, etag: &str) -> Option<bool> {
    let list = exchange.head.value(header)?;
    Some(list.split(',').any(|listed| {
        let listed = listed.trim();
        let opaque = listed.strip_prefix("W/").unwrap_or(listed).trim_matches('"');
        listed == "*" || opaque == etag
    }))
}

/// A resource that never changes.
fn cache(exchange: &Exchange) -> Reply {
    let conditions = ["if-modified-since", "if-none-match"];
    if conditions.iter().any(|name| exchange.head.value(name).is_some()) {
        return reply::empty(StatusCode::NOT_MODIFIED);
    }
    let reply = reply::json(&echo::common(exchange));
    let reply = reply::with_header(reply, "last-modified", "Mon, 01 Jan 2024 00:00:00 GMT");
    reply::with_header(reply, "etag", "\"unchanging\"")
}

/// The alphabet over and over, whole or in part.
fn range(exchange: &Exchange, length: usize) -> Reply {
    let etag = format!("\"range{length}\"");
    let head = &exchange.head;
    // A stale validator turns a partial request into a whole one.
    let fresh = head.value("if-range").is_none_or(|validator| validator == etag);
    let wanted = head.value("range").filter(|_| fresh).and_then(|range| parse(&range, length));
    let reply = match wanted {
        None => alphabet(exchange, 0..length),
        Some(Some(part)) => {
            let sent = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            let reply = alphabet(exchange, part);
            let reply = reply::with_header(reply, "content-range", &sent);
            reply::with_status(reply, StatusCode::PARTIAL_CONTENT)
        }
        Some(None) => {
            let reply = reply::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            reply::with_header(reply, "content-range", &format!("bytes */{length}"))
        }
    };
    let reply = reply::with_header(reply, "accept-ranges", "bytes");
    reply::with_header(reply, "etag", &etag)
}

fn alphabet(exchange: &Exchange, part: Range<usize>) -> Reply {
    let bytes: Bytes = part.map(|at| b'a' + (at % 26) as u8).collect();
    let size = exchange.number("chunk_size", bytes.len()).max(1);
    let pieces = bytes.len().div_ceil(size).max(1);
    let duration = streams::seconds(exchange.number("duration", 0.0) / pieces as f64);
    let body = Paced::cut(&bytes, size, duration.unwrap_or(Duration::ZERO)).sized();
    reply::stream("application/octet-stream", body)
}

/// Reads a Range header: `None` for one to ignore, and within that `None` for
/// one that can't be satisfied.
fn parse(header: &str, length: usize) -> Option<Option<Range<usize>>> {
    let (first, last) = header.strip_prefix("bytes=")?.split_once('-')?;
    let (first, last) = (first.trim(), last.trim());
    let range = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => first..last.saturating_add(1).min(length),
        (Ok(first), Err(_)) if last.is_empty() => first..length,
        (Err(_), Ok(suffix)) if first.is_empty() => length.saturating_sub(suffix)..length,
        _ => return None,
    };
    Some((range.start < range.end).then_some(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        assert_eq!(parse("bytes=0-3", 10), Some(Some(0..4)));
        assert_eq!(parse("bytes=5-", 10), Some(Some(5..10)));
        assert_eq!(parse("bytes=-3", 10), Some(Some(7..10)));
        assert_eq!(parse("bytes=-30", 10), Some(Some(0..10)));
        assert_eq!(parse("bytes=8-99", 10), Some(Some(8..10)));
        assert_eq!(parse("bytes=10-", 10), Some(None));
        assert_eq!(parse("bytes=-0", 10), Some(None));
        for ignored in ["lines=0-3", "bytes=3-1", "bytes=a-b", "bytes=0-1,3-4", "bytes=-"] {
            assert_eq!(parse(ignored, 10), None, "{ignored}");
        }
    }
}
