//! Reading of `multipart/form-data` (RFC 7578).

use crate::head::latin1;

/// One part of a form.
#[derive(Debug, PartialEq)]
pub(crate) struct Part<'a> {
    pub(crate) name: String,
    /// Present for a file, even if empty.
    pub(crate) filename: Option<String>,
    pub(crate) content: &'a [u8],
}

/// The boundary that a Content-Type names, if it is a form's.
pub(crate) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    parameter(parameters, "boundary")
}

/// The parts of a body, up to its end or the first thing that isn't a part.
pub(crate) fn parts<'a>(body: &'a [u8], boundary: &str) -> Vec<Part<'a>> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first delimiter has its line end before the body begins.
    let Some(start) = body
        .strip_prefix(&delimiter[2..])
        .or_else(|| split(body, &delimiter).map(|(_, rest)| rest))
    else {
        return Vec::new();
    };
    let mut parts = Vec::new();
    let mut rest = start;
    while let Some(after) = rest.strip_prefix(b"\r\n") {
        let Some((part, next)) = split(after, &delimiter) else {
            break;
        };
        parts.extend(self::part(part));
        rest = next;
    }
    parts
}

fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let (head, content) = split(bytes, b"\r\n\r\n")?;
    let head = String::from_utf8(head.to_vec()).unwrap_or_else(|_| latin1(head));
    let disposition = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value)
    })?;
    let (_, parameters) = disposition.split_once(';')?;
    Some(Part {
        name: parameter(parameters, "name")?,
        filename: parameter(parameters, "filename").or_else(|| parameter(parameters, "filename*")),
        content,
    })
}

/// A parameter of a header, without its quotes and escapes.
fn parameter(mut parameters: &str, wanted: &str) -> Option<String> {
    while let Some((name, rest)) = parameters.split_once('=') {
        let (value, rest) = value(rest.trim_start());
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        parameters = rest;
    }
    None
}

/// A token or quoted string, and what follows it.
fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(';').unwrap_or(text.len());
        return (text[..end].trim_end().to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        // Senders that don't escape leave a backslash before other characters.
        let escaped = chars.next_if(|(_, next)| char == '\\' && matches!(next, '"' | '\\'));
        match escaped {
            Some((_, escaped)) => value.push(escaped),
            None if char == '"' => return (value, &quoted[at + 1..]),
            None => value.push(char),
        }
    }
    (value, "")
}

fn split<'a>(bytes: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let first = *separator.first()?;
    let mut from = 0;
    // Looking for the first byte alone keeps large files quick.
    while let Some(found) = bytes[from..].iter().position(|byte| *byte == first) {
        let at = from + found;
        if bytes[at..].starts_with(separator) {
            return Some((&bytes[..at], &bytes[at + separator.len()..]));
        }
        from = at + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries() {
        let plain = boundary("multipart/form-data; boundary=a--b");
        assert_eq!(plain.as_deref(), Some("a--b"));
        let quoted = boundary("Multipart/Form-Data; charset=utf-8; boundary=\"a b\"");
        assert_eq!(quoted.as_deref(), Some("a b"));
        assert_eq!(boundary("multipart/mixed; boundary=a"), None);
    }

    #[test]
    fn fields_and_files() {
        let body = b"--B\r\nContent-Disposition: form-data; name=\"k\"\r\n\r\nv\r\n\
            --B\r\ncontent-type: text/plain\r\n\
            CONTENT-DISPOSITION: form-data; name=\"f\"; filename=\"a\\\"b;.txt\"\r\n\r\n\
            \r\n--\r\n\xff\r\n--B--\r\n";
        let parts = parts(body, "B");
        assert_eq!(parts.len(), 2);
        assert_eq!((parts[0].name.as_str(), parts[0].content), ("k", &b"v"[..]));
        assert_eq!(parts[0].filename, None);
        assert_eq!(parts[1].name, "f");
        assert_eq!(parts[1].filename.as_deref(), Some("a\"b;.txt"));
        assert_eq!(parts[1].content, b"\r\n--\r\n\xff");
    }

    #[test]
    fn a_body_that_is_no_form_has_no_parts() {
        assert_eq!(parts(b"hello", "B"), []);
        assert_eq!(parts(b"--B--\r\n", "B"), []);
    }
}
