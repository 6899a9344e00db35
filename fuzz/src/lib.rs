//! What the targets share: cutting input into pieces, and reading heads in other ways than Bequest
//! does.

pub mod chunks;
pub mod decoding;

use bequest::Headers;
use bequest::fuzzing::{Head, HeadReader};

/// Names and values.
pub type Fields = Vec<(String, Vec<u8>)>;

/// The same, of a `Headers`.
pub fn fields(headers: &Headers) -> Fields {
    headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect()
}

/// Parsed fields.
pub fn parsed(fields: &[httparse::Header<'_>]) -> Fields {
    fields.iter().map(|field| (field.name.to_owned(), field.value.to_vec())).collect()
}

/// A whole head that is there at once.
pub fn read_head(input: &[u8]) -> bequest::Result<Option<(Head, usize)>> {
    HeadReader::default().read(input)
}

/// A request's head, as httparse reads it: it must be whole, and nothing may follow.
pub fn parse_request(head: &[u8]) -> (String, String, Fields) {
    let mut places = [httparse::EMPTY_HEADER; 512];
    let mut request = httparse::Request::new(&mut places);
    let status = request.parse(head).expect("the head that is sent can be parsed");
    assert_eq!(status, httparse::Status::Complete(head.len()), "the head ends where it should");
    assert_eq!(request.version, Some(1));
    let text = |part: Option<&str>| part.expect("a whole request line").to_owned();
    (text(request.method), text(request.path), parsed(request.headers))
}

/// `tchar` of RFC 9110, section 5.6.2.
pub fn is_token(text: &[u8]) -> bool {
    let sign = |byte: &u8| b"!#$%&'*+-.^_`|~".contains(byte) || byte.is_ascii_alphanumeric();
    !text.is_empty() && text.iter().all(sign)
}

/// What a field's value may consist of (RFC 9110, section 5.5).
pub fn is_value(text: &[u8]) -> bool {
    text.iter().all(|&byte| byte == b'\t' || byte == b' ' || (byte > 0x20 && byte != 0x7f))
}

/// Spaces and tabs around a value are not part of it.
pub fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let Some(first) = value.iter().position(|byte| !blank(byte)) else { return &[] };
    let last = value.iter().rposition(|byte| !blank(byte)).unwrap_or(first);
    &value[first..=last]
}

/// Lengths of pieces, all from one byte: 0 is the whole, 1 single bytes, any other a mixture.
pub fn pieces(seed: u8) -> impl Iterator<Item = usize> {
    let mut state = u32::from(seed) | 0x9e37_0000;
    std::iter::from_fn(move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        Some(match seed {
            0 => usize::MAX,
            1 => 1,
            _ => state as usize % (usize::from(seed) + 1) + 1,
        })
    })
}
