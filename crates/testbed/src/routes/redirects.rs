//! Routes that send the client elsewhere.

use hyper::StatusCode;

use crate::exchange::{Exchange, pairs};
use crate::reply::{self, Reply};

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["redirect", count] => {
            let absolute = exchange.parameter("absolute");
            let absolute = absolute.is_some_and(|value| value.eq_ignore_ascii_case("true"));
            redirects(exchange, count, absolute)
        }
        ["relative-redirect", count] => redirects(exchange, count, false),
        ["absolute-redirect", count] => redirects(exchange, count, true),
        ["redirect-to"] => redirect_to(exchange),
        _ => return None,
    };
    Some(reply)
}

/// Redirects `count` times, and to `/get` in the end.
fn redirects(exchange: &Exchange, count: &str, absolute: bool) -> Reply {
    let path = match (count.parse::<u32>(), absolute) {
        (Err(_) | Ok(0), _) => return reply::bad_request("not a number above 0"),
        (Ok(1), _) => "/get".to_owned(),
        (Ok(count), false) => format!("/relative-redirect/{}", count - 1),
        (Ok(count), true) => format!("/absolute-redirect/{}", count - 1),
    };
    let base = if absolute {
        format!("{}://{}", exchange.scheme(), exchange.host())
    } else {
        String::new()
    };
    found(&format!("{base}{path}"))
}

/// Redirects to a given URL. The parameters may come in a form, too.
fn redirect_to(exchange: &Exchange) -> Reply {
    let form = pairs(&exchange.body);
    let parameter = |name| {
        exchange.parameter(name).or_else(|| {
            let known = form.iter().find(|(known, _)| known == name);
            known.map(|(_, value)| value.clone())
        })
    };
    let Some(url) = parameter("url") else {
        return reply::bad_request("no url");
    };
    let code = parameter("status_code").and_then(|code| code.parse().ok());
    let code = code.filter(|code| (300..400).contains(code)).unwrap_or(302);
    reply::with_status(found(&url), StatusCode::from_u16(code).unwrap_or(StatusCode::FOUND))
}

pub(super) fn found(location: &str) -> Reply {
    reply::with_header(reply::empty(StatusCode::FOUND), "location", location)
}
