//! Routes that tell the client what it sent.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::chance;
use crate::exchange::{Exchange, object, pairs};
use crate::multipart;
use crate::reply::{self, Reply};

pub(super) fn route(exchange: &Exchange, parts: &[&str]) -> Option<Reply> {
    let reply = match parts {
        ["get"] => reply::json(&common(exchange)),
        ["post" | "put" | "patch" | "delete"] => reply::json(&full(exchange)),
        ["anything", ..] => {
            let mut value = full(exchange);
            value["method"] = exchange.head.method.clone().into();
            reply::json(&value)
        }
        ["headers"] => reply::json(&json!({ "headers": exchange.headers() })),
        ["ip"] => reply::json(&json!({ "origin": exchange.origin() })),
        ["user-agent"] => reply::json(&json!({ "user-agent": exchange.head.value("user-agent") })),
        ["uuid"] => reply::json(&json!({ "uuid": uuid() })),
        ["wire"] => wire(exchange),
        _ => return None,
    };
    Some(reply)
}

/// What every echo tells, and all that `/get` does.
pub(super) fn common(exchange: &Exchange) -> Value {
    json!({
        "args": exchange.args(),
        "headers": exchange.headers(),
        "origin": exchange.origin(),
        "url": exchange.url(),
    })
}

/// [`common`] with the body in all its readings.
pub(super) fn full(exchange: &Exchange) -> Value {
    let mut value = common(exchange);
    let content_type = exchange.head.value("content-type").unwrap_or_default();
    let body = exchange.body.as_ref();
    let (mut data, mut form, mut files) = (json!(""), json!({}), json!({}));
    if is_urlencoded(&content_type) {
        form = object(pairs(body));
    } else if let Some(boundary) = multipart::boundary(&content_type) {
        let parts = multipart::parts(body, &boundary);
        let (uploads, fields): (Vec<_>, Vec<_>) =
            parts.into_iter().partition(|part| part.filename.is_some());
        form = object(fields.into_iter().map(|part| (part.name, text(part.content))));
        files = object(uploads.into_iter().map(|part| (part.name, text(part.content))));
    } else {
        data = text(body).into();
    }
    value["data"] = data;
    value["form"] = form;
    value["files"] = files;
    value["json"] = serde_json::from_slice(body).unwrap_or_default();
    value
}

fn is_urlencoded(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Bytes as text if they are UTF-8, or else as a data URL.
fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(
        |_| format!("data:application/octet-stream;base64,{}", BASE64_STANDARD.encode(bytes)),
        str::to_owned,
    )
}

/// The head byte for byte, then the body without any framing.
fn wire(exchange: &Exchange) -> Reply {
    let mut bytes = exchange.head.bytes.clone();
    bytes.extend_from_slice(&exchange.body);
    reply::content("text/plain; charset=iso-8859-1", bytes)
}

/// A random UUID, version 4.
fn uuid() -> String {
    let bits = u128::from(chance()) << 64 | u128::from(chance());
    let version = bits & !(0xf << 76) | 4 << 76;
    let variant = version & !(0x3 << 62) | 2 << 62;
    let digits = format!("{variant:032x}");
    let groups = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    groups.join("-")
}

/// The parts of [`full`] named, for the routes that show some of it.
pub(super) fn pick(value: &Value, names: &[&str]) -> Map<String, Value> {
    names.iter().map(|name| ((*name).to_owned(), value[*name].clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_have_version_and_variant() {
        let uuid = uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
    }

    #[test]
    fn bytes_that_are_no_text_become_a_data_url() {
        assert_eq!(text("é".as_bytes()), "é");
        assert_eq!(text(b"\xff\x00"), "data:application/octet-stream;base64,/wA=");
    }
}
