//! Routes that want credentials.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::StatusCode;
use serde_json::json;

use crate::exchange::Exchange;
use crate::reply::{self, Reply};

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["basic-auth", user, password] => basic(exchange, user, password)
            .unwrap_or_else(|| challenge("Basic realm=\"Fake Realm\"")),
        ["hidden-basic-auth", user, password] => basic(exchange, user, password)
            .unwrap_or_else(|| reply::error(StatusCode::NOT_FOUND, "not found")),
        ["bearer"] => bearer(exchange).unwrap_or_else(|| challenge("Bearer")),
        _ => return None,
    };
    Some(reply)
}

pub(super) fn challenge(challenge: &str) -> Reply {
    let reply = reply::empty(StatusCode::UNAUTHORIZED);
    reply::with_header(reply, "www-authenticate", challenge)
}

/// The credentials under an authentication scheme.
pub(super) fn credentials(exchange: &Exchange, scheme: &str) -> Option<String> {
    let header = exchange.head.value("authorization")?;
    let (used, credentials) = header.split_once(' ')?;
    used.eq_ignore_ascii_case(scheme).then(|| credentials.trim().to_owned())
}

fn basic(exchange: &Exchange, user: &str, password: &str) -> Option<Reply> {
    let right = is_basic(exchange, user, password);
    right.then(|| reply::json(&json!({ "authenticated": true, "user": user })))
}

/// Whether a request has these credentials, by the Basic scheme.
pub(super) fn is_basic(exchange: &Exchange, user: &str, password: &str) -> bool {
    let given = credentials(exchange, "basic");
    let given = given.and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    given.is_some_and(|given| given == format!("{user}:{password}").as_bytes())
}

fn bearer(exchange: &Exchange) -> Option<Reply> {
    let token = credentials(exchange, "bearer")?;
    Some(reply::json(&json!({ "authenticated": true, "token": token })))
}
