//! cookies.txt, Netscape's file of cookies, as curl, wget and Python read and write it.
//!
//! A line is a cookie, in seven fields between tabs: domain, whether for hosts below, path, secure,
//! expiry in seconds since 1970 (0: with the session), name, value. `#HttpOnly_` before it says
//! just that; other lines with `#` say nothing.

use std::io::{self, Write};
use std::time::SystemTime;

use super::cookie::{Cookie, Pair, from_unix, to_unix};

const HTTP_ONLY: &[u8] = b"#HttpOnly_";

/// Python wants the first line to be this.
pub(super) fn write_head(out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"# Netscape HTTP Cookie File\n# Written by Bequest; it may be edited.\n\n")
}

/// No cookie has a tab in it.
pub(super) fn write(out: &mut dyn Write, cookie: &Cookie) -> io::Result<()> {
    if cookie.http_only {
        out.write_all(HTTP_ONLY)?;
    }
    let flag = |is: bool| if is { "TRUE" } else { "FALSE" };
    // Python wants the dot wherever hosts below are meant, and nowhere else; curl puts no brackets
    // around addresses.
    let dot = if cookie.host_only { "" } else { "." };
    let domain = cookie.domain.trim_start_matches('[').trim_end_matches(']');
    let below = flag(!cookie.host_only);
    let expires = cookie.expires.map_or(0, to_unix);
    let secure = flag(cookie.secure);
    write!(out, "{dot}{domain}\t{below}\t{}\t{secure}\t{expires}\t", cookie.path)?;
    out.write_all(&[cookie.name_bytes(), b"\t", cookie.value_bytes(), b"\n"].concat())
}

/// The cookie of a line, if it has one; or the rule that it breaks.
pub(super) fn read(line: &[u8], now: SystemTime) -> Option<Result<Cookie, String>> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (line, http_only) = match line.strip_prefix(HTTP_ONLY) {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let is_comment = line.starts_with(b"#") && !http_only;
    if line.trim_ascii().is_empty() || is_comment {
        return None;
    }
    Some(read_fields(line, http_only, now))
}

fn read_fields(line: &[u8], http_only: bool, now: SystemTime) -> Result<Cookie, String> {
    let mut fields = line.splitn(7, |&byte| byte == b'\t');
    let mut next = || fields.next().ok_or("it has less than the seven fields between tabs");
    let [domain, below, path, secure, expires, name] =
        [next()?, next()?, next()?, next()?, next()?, next()?];
    // curl takes a line that ends here for an empty value.
    let value = fields.next().unwrap_or_default();
    let domain = without_port(std::str::from_utf8(domain).map_err(|_| "its domain is not UTF-8")?);
    let expires = match read_seconds(expires).ok_or("its expiry is no number of seconds")? {
        0 => None,
        seconds => Some(from_unix(seconds)),
    };
    let cookie = Cookie {
        pair: Pair::new(name, value),
        domain: domain.into(),
        path: String::from_utf8_lossy(path).into(),
        host_only: !read_flag(below)?,
        secure: read_flag(secure)?,
        http_only,
        same_site: None,
        expires,
        creation: now,
    };
    cookie.checked().map_err(|error| error.to_string())
}

/// wget notes ports, which don't keep cookies apart.
fn without_port(domain: &str) -> &str {
    match domain.split_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => domain,
    }
}

fn read_flag(field: &[u8]) -> Result<bool, &'static str> {
    match field {
        flag if flag.eq_ignore_ascii_case(b"true") => Ok(true),
        flag if flag.eq_ignore_ascii_case(b"false") => Ok(false),
        _ => Err("its second or fourth field is neither TRUE nor FALSE"),
    }
}

/// Python leaves the field empty where curl has 0; some tools write fractions.
fn read_seconds(field: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(field).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Some(0);
    }
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if digits.is_empty() || !all_digits(digits) || !all_digits(fraction) {
        return None;
    }
    // Only a number that there is no room for can still fail.
    Some(whole.parse().unwrap_or(if digits == whole { i64::MAX } else { i64::MIN }))
}
