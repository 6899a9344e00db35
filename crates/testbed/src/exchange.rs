//! One request, as the routes look at it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, StatusCode, Uri};
use serde_json::{Map, Value};

use crate::head::{Head, latin1};
use crate::record::Connected;
use crate::reply::{self, Reply};

/// How much of a body is held in memory.
const LIMIT: usize = 64 * 1024 * 1024;

/// The connection a request came on.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) peer: IpAddr,
    pub(crate) local: SocketAddr,
    pub(crate) connected: Connected,
}

/// A request with all that an answer may depend on.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) head: Arc<Head>,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    /// The body, once [`Exchange::collect`] has read it.
    pub(crate) body: Bytes,
    pub(crate) connection: Arc<Connection>,
    /// Which request this is on its connection, counted from 1.
    pub(crate) nth: usize,
    incoming: Incoming,
    body_length: Arc<AtomicU64>,
}

impl Exchange {
    pub(crate) fn new(
        head: Head,
        request: Request<Incoming>,
        connection: Arc<Connection>,
        nth: usize,
    ) -> Self {
        let head = Arc::new(head);
        let body_length = connection.connected.log(&head);
        let (parts, incoming) = request.into_parts();
        Self {
            head,
            method: parts.method,
            uri: parts.uri,
            body: Bytes::new(),
            connection,
            nth,
            incoming,
            body_length,
        }
    }

    /// The next piece of the body.
    pub(crate) async fn next_piece(&mut self) -> Result<Option<Bytes>, Reply> {
        while let Some(frame) = self.incoming.frame().await {
            let frame = frame.map_err(|error| reply::bad_request(&error.to_string()))?;
            // What isn't data is trailers, which nothing here looks at.
            if let Ok(piece) = frame.into_data() {
                self.body_length.fetch_add(piece.len() as u64, Ordering::SeqCst);
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// Reads the whole body into memory.
    pub(crate) async fn collect(&mut self) -> Result<(), Reply> {
        let declared = self.head.value("content-length").and_then(|length| length.parse().ok());
        let too_large = declared.is_some_and(|length: usize| length > LIMIT);
        if too_large && self.expects_continue() {
            return Err(reply::error(StatusCode::PAYLOAD_TOO_LARGE, "body too large"));
        }
        let mut bytes = Vec::new();
        let mut total = 0;
        while let Some(piece) = self.next_piece().await? {
            total += piece.len();
            if total <= LIMIT {
                bytes.extend_from_slice(&piece);
            } else {
                // Read on without keeping: closing on a client that still
                // sends would reset the connection and lose the answer.
                bytes = Vec::new();
            }
        }
        if total > LIMIT {
            return Err(reply::error(StatusCode::PAYLOAD_TOO_LARGE, "body too large"));
        }
        self.body = bytes.into();
        Ok(())
    }

    /// Whether the client waits for a word before it sends the body.
    pub(crate) fn expects_continue(&self) -> bool {
        let expect = self.head.value("expect");
        expect.is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue"))
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.connection.connected.secure { "https" } else { "http" }
    }

    /// The host and port the client asked for.
    pub(crate) fn host(&self) -> String {
        self.head.value("host").unwrap_or_else(|| self.connection.local.to_string())
    }

    /// The URL requested. A target in absolute form, as proxies get it, is one.
    pub(crate) fn url(&self) -> String {
        if self.head.target.contains("://") {
            return self.head.target.clone();
        }
        format!("{}://{}{}", self.scheme(), self.host(), self.head.target)
    }

    pub(crate) fn origin(&self) -> String {
        self.connection.peer.to_string()
    }

    /// The query as names and values, in order.
    pub(crate) fn query(&self) -> Vec<(String, String)> {
        pairs(self.uri.query().unwrap_or_default().as_bytes())
    }

    /// The first value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut query = self.query().into_iter();
        query.find_map(|(known, value)| (known == name).then_some(value))
    }

    /// A query parameter as a number; `default` if missing or not a number.
    pub(crate) fn number<T: std::str::FromStr>(&self, name: &str, default: T) -> T {
        self.parameter(name).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    pub(crate) fn args(&self) -> Value {
        object(self.query())
    }

    /// The headers as httpbin shows them: names as received, repeated ones
    /// joined by commas.
    pub(crate) fn headers(&self) -> Value {
        let mut map = Map::new();
        for (name, value) in &self.head.headers {
            let value = latin1(value);
            let known = map.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name));
            match known {
                Some((_, Value::String(values))) => {
                    values.push(',');
                    values.push_str(&value);
                }
                _ => {
                    map.insert(name.clone(), value.into());
                }
            }
        }
        map.into()
    }

    pub(crate) fn cookies(&self) -> Vec<(String, String)> {
        let lines: Vec<_> = self.head.values("cookie").map(latin1).collect();
        let cookies = lines.iter().flat_map(|line| line.split(';'));
        let pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Decodes `application/x-www-form-urlencoded`.
pub(crate) fn pairs(encoded: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(encoded).into_owned().collect()
}

/// A JSON object of pairs, with a list for a name that occurs repeatedly.
pub(crate) fn object(pairs: impl IntoIterator<Item = (String, String)>) -> Value {
    let mut map = Map::new();
    for (name, value) in pairs {
        match map.get_mut(&name) {
            None => {
                map.insert(name, value.into());
            }
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
        }
    }
    map.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn repeated_names_become_lists() {
        let value = object(pairs(b"a=1&b=x+y%21&a=2&a=3&c"));
        assert_eq!(value, json!({ "a": ["1", "2", "3"], "b": "x y!", "c": "" }));
    }
}
