//! Writing a request's head, and refusing what would make another request of it.

use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;
use crate::secrets::masked_text;

/// Appends the request line and the fields, in their order and case, and the empty line.
///
/// Everything is checked: nothing that a caller puts into a target, a name or a value can end a
/// line (RFC 9112, section 11.1). The method is a token by its type.
pub(crate) fn write_head(
    out: &mut Vec<u8>,
    method: &str,
    target: &str,
    headers: &Headers,
) -> Result<()> {
    check_target(target)?;
    check_names(headers)?;
    let start = out.len();
    out.reserve(method.len() + target.len() + headers.text_len() + 32);
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    headers.write_to(out);
    out.extend_from_slice(b"\r\n");
    // One pass over the whole head in place of one over each value: the line ends written here
    // must be all the control characters there are.
    let expected = 2 * (headers.len() + 2);
    if count_controls(&out[start..]) == expected { Ok(()) } else { check_headers(headers) }
}

/// A request target is visible ASCII (RFC 9112, section 3.2).
pub(crate) fn check_target(target: &str) -> Result<()> {
    if target.is_empty() {
        return Err(Error::with(ErrorKind::InvalidUrl, "the request target is empty")
            .remedied("write at least `/`"));
    }
    if target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    match target.char_indices().find(|(_, c)| !c.is_ascii_graphic()) {
        None => Ok(()),
        Some((at, c)) => Err(Error::with(
            ErrorKind::InvalidUrl,
            format!("request target `{}`: {c:?} at {at} is not allowed", masked_text(target)),
        )
        .remedied("percent-encode it")),
    }
}

/// Names are tokens; values have no controls and do not begin with white space (RFC 9110, section
/// 5.5).
pub(crate) fn check_headers(headers: &Headers) -> Result<()> {
    check_names(headers)?;
    match headers.fields().find(|(_, value)| count_controls(value) > 0) {
        None => Ok(()),
        Some((name, value)) => Err(refuse(name, value, true)),
    }
}

/// What a look at the controls alone does not find.
fn check_names(headers: &Headers) -> Result<()> {
    for (name, value) in headers.fields() {
        // Without an early exit this costs three instructions a byte.
        let token = is_usual(name)
            || !name.is_empty() & name.iter().fold(true, |all, &byte| all & is_tchar(byte));
        if !token || value.first() == Some(&b' ') {
            return Err(refuse(name, value, token));
        }
    }
    Ok(())
}

/// What nearly every request has, which costs less to see than to check.
fn is_usual(name: &[u8]) -> bool {
    matches!(
        name,
        b"Host" | b"Accept" | b"Cookie" | b"User-Agent" | b"Connection" | b"Accept-Encoding"
    )
}

/// Without an early exit, and with counts that fit a byte, this is a loop over vectors.
fn count_controls(bytes: &[u8]) -> usize {
    let count = |part: &[u8]| {
        let controls = part.iter().map(|&byte| u8::from((byte < 0x20) | (byte == 0x7f)));
        usize::from(controls.sum::<u8>())
    };
    bytes.chunks(128).map(count).sum()
}

/// The value is named by what is wrong with it, not quoted: it may be a secret.
#[cold]
fn refuse(name: &[u8], value: &[u8], token: bool) -> Error {
    let shown = String::from_utf8_lossy(name).escape_debug().to_string();
    if !token {
        return Error::with(
            ErrorKind::InvalidHeader,
            format!("header name `{shown}`: only letters, digits and !#$%&'*+-.^_`|~ are allowed"),
        )
        .remedied("take the other characters out");
    }
    let rule = match value.iter().position(|&byte| byte < 0x20 || byte == 0x7f) {
        Some(at) => format!("the control character {:?} at {at}", char::from(value[at])),
        None => "white space at its beginning".to_owned(),
    };
    Error::with(ErrorKind::InvalidHeader, format!("header `{shown}`: its value has {rule}"))
        .remedied("take it out; a value ends where its line ends")
}

/// `token` of RFC 9110, section 5.6.2.
#[cfg(feature = "multipart")]
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_tchar(byte))
}

/// `tchar` of RFC 9110, section 5.6.2.
pub(crate) fn is_tchar(byte: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let (allowed, mut at) = (b"!#$%&'*+-.^_`|~", 0);
        while at < allowed.len() {
            table[allowed[at] as usize] = true;
            at += 1;
        }
        let mut byte = 0;
        while byte < 256 {
            table[byte] |= (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        table
    };
    TOKEN[usize::from(byte)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(target: &str, headers: &Headers) -> Result<String> {
        let mut out = Vec::new();
        write_head(&mut out, "GET", target, headers)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn fields_leave_as_they_are() {
        let headers = Headers::from([("hOST", "h"), ("X", ""), ("x-Two", "a  b "), ("X", "2")]);
        assert_eq!(
            head("/a?b", &headers).unwrap(),
            "GET /a?b HTTP/1.1\r\nhOST: h\r\nX: \r\nx-Two: a  b \r\nX: 2\r\n\r\n"
        );
        let latin = Headers::from([("x", b"caf\xe9".as_slice())]);
        let mut out = Vec::new();
        write_head(&mut out, "GET", "/", &latin).unwrap();
        assert_eq!(out, b"GET / HTTP/1.1\r\nx: caf\xe9\r\n\r\n");
    }

    #[test]
    fn nothing_ends_a_line_early() {
        for bad in ["a\r\nb", "a\nb", "a\rb", "a\0b", "a\tb", "a\x7fb", " a", "\ta"] {
            let error = head("/", &Headers::from([("Name", bad)])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{bad:?}");
            assert!(error.to_string().starts_with("header `Name`: its value has "), "{error}");
            assert!(error.remedy().is_some());
        }
        for bad in ["", "a b", "a:", "a\r\nb", "a\t", "\0", "é", "(", "a/b"] {
            let error = head("/", &Headers::from([(bad, "v")])).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{bad:?}");
        }
        for bad in ["", "/a b", "/\r\nX: y", "/\t", "/\0", "/é", "/\x7f"] {
            let error = head(bad, &Headers::new()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{bad:?}");
        }
    }

    #[test]
    fn a_refused_value_is_not_quoted() {
        let error = head("/", &Headers::from([("Authorization", "secret\n")])).unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
