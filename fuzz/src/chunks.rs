//! A chunked body, read in the plainest way.

use crate::{Fields, is_token, is_value, trim};

/// What is in a chunked body.
#[derive(Debug, PartialEq)]
pub struct Outcome {
    pub data: Vec<u8>,
    pub end: End,
}

/// What it ends with.
#[derive(Debug, PartialEq)]
pub enum End {
    /// The trailers, and how many bytes are left.
    Whole(Fields, usize),
    Incomplete,
    Malformed,
}

/// As much as Bequest puts up with, in all chunks of a body: what is behind the semicolons, and the CR.
const EXTENSIONS: usize = 16 * 1024;

/// RFC 9112, section 7.1, over input that is all there.
pub fn plain(mut input: &[u8]) -> Outcome {
    let (mut data, mut extensions) = (Vec::new(), 0);
    let end = loop {
        let size = match size(&mut input, &mut extensions) {
            Ok(0) => break trailers(input),
            Ok(size) => size,
            Err(end) => break end,
        };
        let Some((chunk, rest)) =
            usize::try_from(size).ok().and_then(|n| input.split_at_checked(n))
        else {
            data.extend_from_slice(input);
            break End::Incomplete;
        };
        data.extend_from_slice(chunk);
        match rest {
            [b'\r', b'\n', rest @ ..] => input = rest,
            [] | [b'\r'] => break End::Incomplete,
            _ => break End::Malformed,
        }
    };
    Outcome { data, end }
}

/// A chunk's size, without the line that it is on.
fn size(input: &mut &[u8], extensions: &mut usize) -> Result<u64, End> {
    let text = *input;
    let digits = text.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let hex = std::str::from_utf8(&text[..digits]).expect("digits are ASCII");
    let significant = hex.trim_start_matches('0').len();
    if significant > 16 || digits > 64 {
        return Err(End::Malformed);
    }
    let behind = &text[digits..];
    if digits == 0 {
        return Err(if text.is_empty() { End::Incomplete } else { End::Malformed });
    }
    let blanks = behind.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let line_end = match behind.get(blanks) {
        None => return Err(End::Incomplete),
        Some(b'\r') => blanks,
        Some(b';') => {
            let end = behind.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            *extensions += end.map_or(behind.len(), |end| end + 1) - (blanks + 1);
            match end {
                _ if *extensions > EXTENSIONS => return Err(End::Malformed),
                Some(end) => end,
                None => return Err(End::Incomplete),
            }
        }
        Some(_) => return Err(End::Malformed),
    };
    match &behind[line_end..] {
        [b'\r', b'\n', rest @ ..] => *input = rest,
        [b'\r'] => return Err(End::Incomplete),
        _ => return Err(End::Malformed),
    }
    Ok(u64::from_str_radix(hex, 16).expect("at most 16 digits that count"))
}

/// What is behind the last chunk. Lines may end in a bare LF, as those of a head may.
fn trailers(mut input: &[u8]) -> End {
    let (mut fields, mut good) = (Fields::new(), true);
    loop {
        let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
            return End::Incomplete;
        };
        let line = input[..end].strip_suffix(b"\r").unwrap_or(&input[..end]);
        input = &input[end + 1..];
        if line.is_empty() {
            break;
        }
        match line.iter().position(|&byte| byte == b':') {
            Some(colon) if is_token(&line[..colon]) && is_value(&line[colon + 1..]) => {
                let name = String::from_utf8_lossy(&line[..colon]).into_owned();
                fields.push((name, trim(&line[colon + 1..]).to_vec()));
            }
            _ => good = false,
        }
    }
    if good && fields.len() <= 256 { End::Whole(fields, input.len()) } else { End::Malformed }
}
