//! Which charset a text is in, when nobody says so.

mod characters;
mod escapes;
mod letters;
mod models;
mod sample;
mod wide;

use encoding_rs::Encoding;
use sample::Sample;

use super::{Charset, mark};

/// Zero bytes and labels are looked for in that much of the text.
const BEGINNING: usize = 1024;
/// Escapes are looked for in that much.
const REACH: usize = 64 * 1024;

/// The evidence, from the strongest on. `None` for nothing, and for what is no text.
pub(super) fn detect(text: &[u8]) -> Option<&'static str> {
    if text.is_empty() {
        return None;
    }
    if let Some((charset, _)) = mark(text) {
        return Some(charset.label());
    }
    let beginning = text.get(..BEGINNING).unwrap_or(text);
    if memchr::memchr(0, beginning).is_some() {
        return wide::find(text);
    }
    let valid = Encoding::utf8_valid_up_to(text);
    if valid == text.len() && text.is_ascii() {
        return Some(escapes::find(text.get(..REACH).unwrap_or(text)).unwrap_or("ascii"));
    }
    let first = Encoding::ascii_valid_up_to(text);
    if valid == text.len() || valid > first && is_cut(&text[valid..]) {
        return Some("utf-8");
    }
    let sample = Sample::new(text, first);
    if let Some(charset) = said(beginning).filter(|charset| charset.fits(&sample.bytes)) {
        return Some(charset.label());
    }
    guess(&sample)
}

/// Whether it is a character in UTF-8 but for its end.
fn is_cut(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_err_and(|error| error.error_len().is_none())
}

fn guess(sample: &Sample) -> Option<&'static str> {
    let mut best = letters::best(sample)?;
    best = characters::best(sample, best.1).unwrap_or(best);
    best = characters::johab(sample, best.1).unwrap_or(best);
    Some(best.0)
}

/// What the text says of itself: `<meta charset=x>`, `<meta ... content="...; charset=x">`,
/// `<?xml encoding="x"?>`.
fn said(beginning: &[u8]) -> Option<Charset> {
    [&b"charset"[..], b"encoding"].iter().find_map(|name| {
        let at = beginning.windows(name.len()).position(|word| word.eq_ignore_ascii_case(name))?;
        let behind = beginning.get(at + name.len()..)?.trim_ascii_start().strip_prefix(b"=")?;
        let behind = behind.trim_ascii_start();
        let value = behind.strip_prefix(b"\"").or(behind.strip_prefix(b"'")).unwrap_or(behind);
        let is_label = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte);
        let length = value.iter().position(|byte| !is_label(byte)).unwrap_or(value.len());
        Charset::named(std::str::from_utf8(&value[..length]).ok()?)
    })
}

#[cfg(test)]
mod tests;
