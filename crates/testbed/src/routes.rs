//! The routes: which path is answered by what.
//!
//! Paths, parameters and JSON follow httpbin, with two liberties. Apart from
//! the five that are named after a method, routes take any method. And where
//! httpbin caps a number silently, this server refuses or obeys.

mod auth;
mod caching;
mod content;
mod cookies;
mod echo;
mod github;
mod probes;
mod redirects;
mod status;
mod streams;
#[cfg(test)]
mod tests;
mod tokens;
mod webdav;

use hyper::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use crate::exchange::Exchange;
use crate::reply::{self, Reply};

/// What requests change for those that follow, on whatever connection.
#[derive(Debug, Default)]
pub(crate) struct State {
    github: github::Shared,
    tokens: tokens::Shared,
    webdav: webdav::Shared,
}

/// Answers a request.
pub(crate) async fn respond(mut exchange: Exchange, state: &State) -> Reply {
    let path = exchange.uri.path().to_owned();
    let decode = |part| percent_decode_str(part).decode_utf8_lossy();
    let parts: Vec<_> = path.split('/').skip(1).map(decode).collect();
    let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();

    if let Some(reply) = wrong_method(&exchange.method, &parts) {
        return reply;
    }
    match parts.as_slice() {
        ["sink"] => return probes::sink(exchange).await,
        ["count"] => return probes::count(exchange).await,
        _ => {}
    }
    if reads_body(&exchange, &parts)
        && let Err(reply) = exchange.collect().await
    {
        return reply;
    }
    if let ["delay", seconds] = parts.as_slice() {
        return streams::delay(&exchange, seconds).await;
    }
    route(&exchange, state, &parts).unwrap_or_else(|| {
        let message = format!("there is nothing at {path}");
        reply::error(StatusCode::NOT_FOUND, &message)
    })
}

fn route(exchange: &Exchange, state: &State, parts: &[&str]) -> Option<Reply> {
    echo::route(exchange, parts)
        .or_else(|| probes::route(exchange, parts))
        .or_else(|| streams::route(exchange, parts))
        .or_else(|| content::route(exchange, parts))
        .or_else(|| status::route(exchange, parts))
        .or_else(|| redirects::route(exchange, parts))
        .or_else(|| cookies::route(exchange, parts))
        .or_else(|| auth::route(exchange, parts))
        .or_else(|| caching::route(exchange, parts))
        .or_else(|| github::route(exchange, &state.github, parts))
        .or_else(|| tokens::route(exchange, &state.tokens, parts))
        .or_else(|| webdav::route(exchange, &state.webdav, parts))
}

/// Whether the body is read before the answer.
///
/// It is, even if nothing looks at it, so that the connection stays usable. But
/// where the client asks first, only routes that use the body ask for it.
fn reads_body(exchange: &Exchange, parts: &[&str]) -> bool {
    const USES: [&str; 9] =
        ["post", "put", "patch", "delete", "anything", "delay", "wire", "repos", "dav"];
    !exchange.expects_continue() || parts.first().is_some_and(|first| USES.contains(first))
}

/// Holds the routes named after a method to it, and answers OPTIONS for them.
fn wrong_method(method: &Method, parts: &[&str]) -> Option<Reply> {
    let &[name @ ("get" | "post" | "put" | "patch" | "delete")] = parts else {
        return None;
    };
    if *method == Method::HEAD || method.as_str().eq_ignore_ascii_case(name) {
        return None;
    }
    let reply = if *method == Method::OPTIONS {
        reply::empty(StatusCode::OK)
    } else {
        reply::error(StatusCode::METHOD_NOT_ALLOWED, "method not allowed")
    };
    let allow = format!("{}, HEAD, OPTIONS", name.to_ascii_uppercase());
    Some(reply::with_header(reply, "allow", &allow))
}

/// A number nobody can foresee.
fn chance() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}
