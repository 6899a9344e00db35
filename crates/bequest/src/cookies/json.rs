//! Our own file of cookies: JSON that keeps everything.
//!
//! `{"version": 1, "cookies": [...]}`; times are whole seconds since 1970, and `expires` is null for
//! what ends with the session. A name or value that is not UTF-8 is `name_base64` or `value_base64`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::cookie::{Cookie, Pair, SameSite, from_unix, to_unix};
use crate::error::Result;

/// A later form that old readers would misread gets the next number.
const VERSION: u64 = 1;

pub(super) fn write<'a>(cookies: impl Iterator<Item = &'a Cookie>) -> Value {
    json!({ "version": VERSION, "cookies": cookies.map(write_one).collect::<Vec<_>>() })
}

fn write_one(cookie: &Cookie) -> Value {
    let mut fields = Map::new();
    write_bytes(&mut fields, "name", cookie.name_bytes());
    write_bytes(&mut fields, "value", cookie.value_bytes());
    for (key, value) in [
        ("domain", json!(cookie.domain)),
        ("host_only", json!(cookie.host_only)),
        ("path", json!(cookie.path)),
        ("secure", json!(cookie.secure)),
        ("http_only", json!(cookie.http_only)),
        ("same_site", json!(cookie.same_site.map(SameSite::as_str))),
        ("expires", json!(cookie.expires.map(to_unix))),
        ("creation", json!(to_unix(cookie.creation))),
    ] {
        fields.insert(key.to_owned(), value);
    }
    Value::Object(fields)
}

fn write_bytes(fields: &mut Map<String, Value>, key: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => fields.insert(key.to_owned(), json!(text)),
        Err(_) => fields.insert(format!("{key}_base64"), json!(STANDARD.encode(bytes))),
    };
}

/// The list in a file, or what is wrong with the file as a whole.
pub(super) fn list(file: &Value) -> Result<&Vec<Value>, &'static str> {
    match file.get("version").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(_) => return Err("its version is none that is known here"),
        None => return Err("it has no `version`"),
    }
    file.get("cookies").and_then(Value::as_array).ok_or("it has no list `cookies`")
}

/// The cookie, or the rule that it breaks.
pub(super) fn read(entry: &Value) -> Result<Cookie, String> {
    let cookie = Cookie {
        pair: Pair::new(&read_bytes(entry, "name")?, &read_bytes(entry, "value")?),
        domain: text(entry, "domain")?.into(),
        path: text(entry, "path")?.into(),
        host_only: flag(entry, "host_only")?,
        secure: flag(entry, "secure")?,
        http_only: flag(entry, "http_only")?,
        same_site: entry
            .get("same_site")
            .and_then(Value::as_str)
            .map(str::as_bytes)
            .and_then(SameSite::parse),
        expires: match entry.get("expires") {
            None | Some(Value::Null) => None,
            Some(_) => Some(from_unix(seconds(entry, "expires")?)),
        },
        creation: from_unix(seconds(entry, "creation")?),
    };
    cookie.checked().map_err(|error| error.to_string())
}

fn read_bytes(entry: &Value, key: &str) -> Result<Vec<u8>, String> {
    match entry.get(format!("{key}_base64")) {
        None => Ok(text(entry, key)?.as_bytes().to_vec()),
        Some(coded) => {
            let bytes = coded.as_str().and_then(|coded| STANDARD.decode(coded).ok());
            bytes.ok_or_else(|| format!("its `{key}_base64` is not base64"))
        }
    }
}

fn text<'a>(entry: &'a Value, key: &str) -> Result<&'a str, String> {
    entry.get(key).and_then(Value::as_str).ok_or_else(|| format!("its `{key}` is no text"))
}

fn flag(entry: &Value, key: &str) -> Result<bool, String> {
    let flag = entry.get(key).and_then(Value::as_bool);
    flag.ok_or_else(|| format!("its `{key}` is neither true nor false"))
}

fn seconds(entry: &Value, key: &str) -> Result<i64, String> {
    let number = entry.get(key).and_then(Value::as_i64);
    number.ok_or_else(|| format!("its `{key}` is no whole number of seconds"))
}
