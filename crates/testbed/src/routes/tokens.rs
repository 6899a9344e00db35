//! Tokens that are issued, and get invalid: one is valid at a time.

use std::sync::{Mutex, PoisonError};

use hyper::{Method, StatusCode};
use serde_json::json;

use super::auth;
use crate::exchange::Exchange;
use crate::reply::{self, Reply};

pub(super) type Shared = Mutex<Tokens>;

#[derive(Debug, Default)]
pub(super) struct Tokens {
    issued: u64,
    /// The last one that was issued, unless it was revoked.
    valid: Option<String>,
}

pub(super) fn route(exchange: &Exchange, shared: &Shared, parts: &[&str]) -> Option<Reply> {
    let mut tokens = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let reply = match (&exchange.method, parts) {
        (&Method::POST, ["token"]) => tokens.issue(),
        (&Method::DELETE, ["token"]) => {
            tokens.valid = None;
            reply::empty(StatusCode::NO_CONTENT)
        }
        (_, ["token", "guarded"]) => tokens.guarded(exchange),
        _ => return None,
    };
    Some(reply)
}

impl Tokens {
    fn issue(&mut self) -> Reply {
        self.issued += 1;
        let token = format!("token-{}", self.issued);
        let reply = reply::json(&json!({ "access_token": token, "token_type": "Bearer" }));
        self.valid = Some(token);
        reply
    }

    fn guarded(&self, exchange: &Exchange) -> Reply {
        let given = auth::credentials(exchange, "bearer");
        if given.is_none() || given != self.valid {
            return auth::challenge("Bearer error=\"invalid_token\"");
        }
        reply::json(&json!({ "authenticated": true, "issued": self.issued }))
    }
}
