//! Routes of our own, for looking into a client's connections and limits.

use hyper::header::HeaderValue;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::body::Pattern;
use crate::exchange::Exchange;
use crate::reply::{self, Reply};

/// The largest header that `/large-head` sends.
const LARGEST_HEADER: usize = 16 * 1024 * 1024;

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["connection"] => reply::json(&json!({
            "connection": exchange.connection.connected.number,
            "requests": exchange.nth,
        })),
        ["big", length] => big(length.parse().ok()?, true),
        ["big-chunked", length] => big(length.parse().ok()?, false),
        ["large-head"] => large_head(exchange.number("bytes", 64 * 1024)),
        ["close"] => {
            let reply = reply::json(&json!({ "connection": "close" }));
            reply::with_header(reply, "connection", "close")
        }
        _ => return None,
    };
    Some(reply)
}

fn big(length: u64, sized: bool) -> Reply {
    reply::stream("application/octet-stream", Pattern::new(length, sized))
}

fn large_head(length: usize) -> Reply {
    let value = HeaderValue::try_from(vec![b'x'; length.min(LARGEST_HEADER)]);
    let mut reply = reply::json(&json!({ "bytes": length }));
    if let Ok(value) = value {
        reply.headers_mut().insert("x-large", value);
    }
    reply
}

/// Reads a body of any size, and tells its length and digest.
pub(super) async fn sink(mut exchange: Exchange) -> Reply {
    let (mut length, mut digest) = (0, Sha256::new());
    loop {
        match exchange.next_piece().await {
            Ok(Some(piece)) => {
                length += piece.len() as u64;
                digest.update(&piece);
            }
            Ok(None) => break,
            Err(reply) => return reply,
        }
    }
    let digits: Vec<_> = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    reply::json(&json!({ "length": length, "sha256": digits.concat() }))
}

/// Reads a body of any size, and tells its length alone: that is quick.
pub(super) async fn count(mut exchange: Exchange) -> Reply {
    let mut length = 0;
    loop {
        match exchange.next_piece().await {
            Ok(Some(piece)) => length += piece.len() as u64,
            Ok(None) => return reply::json(&json!({ "length": length })),
            Err(reply) => return reply,
        }
    }
}
