//! Routes that set the status and the headers of the response.

use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::chance;
use crate::exchange::{Exchange, object};
use crate::reply::{self, Reply};

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["status", codes] => status(codes),
        ["response-headers"] => response_headers(exchange),
        _ => return None,
    };
    Some(reply)
}

/// Answers with the code, or with one of several drawn by lot.
fn status(codes: &str) -> Reply {
    let Some(choices) = codes.split(',').map(weighted).collect::<Option<Vec<_>>>() else {
        return reply::bad_request("not a final status code");
    };
    let total: f64 = choices.iter().map(|(_, weight)| weight).sum();
    let mut lot = chance() as f64 / u64::MAX as f64 * total;
    let drawn = choices.iter().find(|(_, weight)| {
        lot -= weight;
        lot <= 0.0
    });
    drawn
        .or(choices.last())
        .map_or_else(|| reply::bad_request("no status code"), |(code, _)| with_code(*code))
}

/// A code, maybe with its weight after a colon.
fn weighted(choice: &str) -> Option<(StatusCode, f64)> {
    let (code, weight) = choice.split_once(':').unwrap_or((choice, "1"));
    let code = StatusCode::from_u16(code.trim().parse().ok()?).ok()?;
    // An informational response can't be the answer.
    let weight = weight.trim().parse().ok()?;
    (!code.is_informational() && weight >= 0.0).then_some((code, weight))
}

/// A response with the headers that its code calls for.
fn with_code(code: StatusCode) -> Reply {
    let reply = reply::empty(code);
    match code.as_u16() {
        301 | 302 | 303 | 305 | 307 | 308 => reply::with_header(reply, "location", "/redirect/1"),
        401 => reply::with_header(reply, "www-authenticate", "Basic realm=\"Fake Realm\""),
        407 => reply::with_header(reply, "proxy-authenticate", "Basic realm=\"Fake Realm\""),
        418 => reply::with_status(reply::content("text/plain", "I'm a teapot\n"), code),
        _ => reply,
    }
}

/// Sends the query as headers, and shows them as JSON together with the two
/// that describe this very document.
fn response_headers(exchange: &Exchange) -> Reply {
    let query = exchange.query();
    let mut shown = match object(query.clone()) {
        Value::Object(shown) => shown,
        _ => Map::new(),
    };
    shown.insert("Content-Type".to_owned(), json!("application/json"));
    // The length is part of what it measures: repeat until it doesn't change.
    let mut document = String::new();
    loop {
        shown.insert("Content-Length".to_owned(), document.len().to_string().into());
        let next = reply::render(&shown.clone().into());
        if next == document {
            break;
        }
        document = next;
    }
    let sent = reply::content("application/json", document);
    query.iter().fold(sent, |reply, (name, value)| reply::with_header(reply, name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_only_from_the_list() {
        for _ in 0..50 {
            let code = status("201, 404:3,500:0").status().as_u16();
            assert!([201, 404].contains(&code), "{code}");
        }
    }

    #[test]
    fn refuses_what_is_no_final_status() {
        for codes in ["", "abc", "99", "1000", "100", "200,x", "200:-1"] {
            assert_eq!(status(codes).status(), StatusCode::BAD_REQUEST, "{codes:?}");
        }
    }
}
