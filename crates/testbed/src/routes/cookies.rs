//! Routes that show, set and delete cookies.

use serde_json::json;

use super::redirects::found;
use crate::exchange::{Exchange, object};
use crate::reply::{self, Reply};

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["cookies"] => reply::json(&json!({ "cookies": object(exchange.cookies()) })),
        ["cookies", "set"] => {
            let query = exchange.query();
            set(query.iter().map(|(name, value)| format!("{name}={value}; Path=/")))
        }
        ["cookies", "set", name, value] => set([format!("{name}={value}; Path=/")]),
        ["cookies", "delete"] => {
            let query = exchange.query();
            let past = "Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/";
            set(query.iter().map(|(name, _)| format!("{name}=; {past}")))
        }
        _ => return None,
    };
    Some(reply)
}

/// Sends the cookies on the way to the page that shows them.
fn set(cookies: impl IntoIterator<Item = String>) -> Reply {
    cookies
        .into_iter()
        .fold(found("/cookies"), |reply, cookie| reply::with_header(reply, "set-cookie", &cookie))
}
