//! Finding the end of a response's head, and reading it.

use std::borrow::Cow;
use std::mem::MaybeUninit;

use http::{StatusCode, Version};

use super::limits::{Limits, USUAL_FIELDS};
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;

/// Status line and fields of a response.
#[derive(Debug)]
pub(crate) struct ResponseHead {
    pub(crate) version: Version,
    pub(crate) status: StatusCode,
    pub(crate) reason: Cow<'static, str>,
    pub(crate) headers: Headers,
}

/// Looks for the end of a head in a buffer that grows: no byte is looked at twice, so that a head
/// sent byte by byte costs no more than one sent whole.
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    searched: usize,
    /// How many bytes at the front belong to empty lines.
    blank: usize,
    /// Something of a response has arrived, be it an interim one.
    begun: bool,
    /// A line begins with white space: it belongs to the one before (RFC 9112, section 5.2).
    folded: bool,
}

impl HeadReader {
    /// The head and how many bytes of `input` it took, once it is whole. `input` must begin as it
    /// did last time.
    pub(crate) fn read(
        &mut self,
        input: &[u8],
        limits: &Limits,
    ) -> Result<Option<(ResponseHead, usize)>> {
        // Empty lines before the status line belong to nobody (RFC 9112, section 2.2 allows a
        // server to skip them; so do we).
        let is_blank = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        self.blank += input[self.blank..].iter().take_while(is_blank).count();
        let start = self.blank;
        let end = self.find_end(input, start);
        if end.unwrap_or(input.len()) > limits.head {
            return Err(Error::with(
                ErrorKind::TooLarge,
                format!("the response's head is larger than {} bytes", limits.head),
            )
            .remedied("if it may be, say so by the adapter's `max_head`"));
        }
        let Some(end) = end else {
            refuse_other_protocols(&input[start..])?;
            return Ok(None);
        };
        let folded = std::mem::take(self).folded;
        self.begun = true;
        parse(&input[start..end], folded, limits).map(|head| Some((head, end)))
    }

    /// Where the head ends: behind an empty line, whose line ends may be bare LFs.
    fn find_end(&mut self, input: &[u8], start: usize) -> Option<usize> {
        let from = self.searched.max(start);
        for found in memchr::memchr_iter(b'\n', &input[from..]) {
            let next = from + found + 1;
            match input.get(next) {
                Some(b'\n') => return Some(next + 1),
                Some(b'\r') if input.get(next + 1) == Some(&b'\n') => return Some(next + 2),
                Some(b' ' | b'\t') => self.folded = true,
                _ => {}
            }
        }
        // The end may begin in the last two bytes.
        self.searched = input.len().saturating_sub(2);
        None
    }

    /// Whether part of a head has arrived.
    pub(crate) fn has_begun(&self, input: &[u8]) -> bool {
        self.begun || !input.is_empty()
    }
}

/// A server that speaks something else must not keep us waiting for an empty line.
fn refuse_other_protocols(input: &[u8]) -> Result<()> {
    let start = b"HTTP/1.";
    let length = input.len().min(start.len());
    if input[..length] == start[..length] { Ok(()) } else { Err(not_http(input)) }
}

fn not_http(input: &[u8]) -> Error {
    let shown = String::from_utf8_lossy(&input[..input.len().min(32)]).escape_debug().to_string();
    let error = Error::with(
        ErrorKind::InvalidResponse,
        format!("the server's answer is not HTTP/1: it begins with `{shown}`"),
    );
    match input {
        [0x15 | 0x16, 3, ..] => error.remedied("it speaks TLS; use https://"),
        [0, 0, _, 4, ..] => error.remedied("it speaks HTTP/2"),
        _ => error,
    }
}

fn parse(head: &[u8], folded: bool, limits: &Limits) -> Result<ResponseHead> {
    refuse_other_protocols(head)?;
    let mut usual = [const { MaybeUninit::uninit() }; USUAL_FIELDS];
    let mut more = Vec::new();
    let places = match usual.get_mut(..limits.fields) {
        Some(places) => places,
        None => {
            // `a:` and a line end are three bytes, so a head has no more than this.
            more.resize_with(limits.fields.min(head.len() / 3 + 1), MaybeUninit::uninit);
            &mut more[..]
        }
    };
    let mut parsed = httparse::Response::new(&mut []);
    let mut config = httparse::ParserConfig::default();
    config.allow_obsolete_multiline_headers_in_responses(true);
    let status = config
        .parse_response_with_uninit_headers(&mut parsed, head, places)
        .map_err(|error| invalid(error, limits))?;
    if status.is_partial() {
        return Err(Error::with(ErrorKind::InvalidResponse, "the response's head is malformed"));
    }
    let status = StatusCode::from_u16(parsed.code.unwrap_or_default())
        .map_err(|_| Error::with(ErrorKind::InvalidResponse, "the status code is not one"))?;
    Ok(ResponseHead {
        version: if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 },
        status,
        reason: reason(head, status),
        headers: received(head, parsed.headers, folded),
    })
}

fn invalid(error: httparse::Error, limits: &Limits) -> Error {
    match error {
        httparse::Error::TooManyHeaders => Error::with(
            ErrorKind::TooLarge,
            format!("the response has more than {} header fields", limits.fields),
        )
        .remedied("if it may, say so by the adapter's `max_fields`"),
        error => Error::with(ErrorKind::InvalidResponse, "the response's head is malformed")
            .because(error),
    }
}

/// The reason phrase as sent. httparse hides phrases that are not ASCII, so it is read here.
fn reason(head: &[u8], status: StatusCode) -> Cow<'static, str> {
    // `HTTP/1.1 200 ` are 13 bytes; the phrase and the blank before it may be missing.
    let usual = status.canonical_reason().unwrap_or_default();
    let rest = head.get(13..).unwrap_or_default();
    if rest.strip_prefix(usual.as_bytes()).is_some_and(|rest| rest.starts_with(b"\r\n")) {
        return Cow::Borrowed(usual);
    }
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let phrase = line.get(13..).unwrap_or_default().trim_ascii_end();
    Cow::Owned(String::from_utf8_lossy(phrase).into_owned())
}

/// One copy of the head, and where its fields are.
fn received(head: &[u8], fields: &[httparse::Header<'_>], folded: bool) -> Headers {
    let base = head.as_ptr() as usize;
    let place = |part: &[u8]| {
        let start = (part.as_ptr() as usize).wrapping_sub(base);
        // An empty value need not point into the head.
        if part.is_empty() { 0..0 } else { start..start + part.len() }
    };
    if folded {
        return fields.iter().map(|field| (field.name, unfold(field.value))).collect();
    }
    let places = fields.iter().map(|field| (place(field.name.as_bytes()), place(field.value)));
    Headers::received(head.to_vec(), places)
}

/// A line fold is one space (RFC 9112, section 5.2).
fn unfold(value: &[u8]) -> Vec<u8> {
    let lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(&b' ')
}

#[cfg(test)]
mod tests;
