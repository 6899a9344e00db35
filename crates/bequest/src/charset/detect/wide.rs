//! UTF-16 and UTF-32 without a byte order mark, found by their zero bytes.

/// That much of the text is looked at.
const REACH: usize = 4096;

/// The charset of a text that has zero bytes near its beginning, if it is a wide one.
pub(super) fn find(text: &[u8]) -> Option<&'static str> {
    let part = text.get(..REACH).unwrap_or(text);
    let of_four = |read: fn([u8; 4]) -> u32| {
        let units = part.as_chunks().0.iter().map(|unit| char::from_u32(read(*unit)));
        common(units).filter(|_| text.len().is_multiple_of(4))
    };
    let of_two = |read: fn([u8; 2]) -> u16| {
        let units = part.as_chunks().0.iter().map(|unit| read(*unit));
        // A pair of surrogates may be cut in two by the end of what is looked at.
        let cut = part.len() < text.len();
        let count = part.len() / 2;
        let chars = char::decode_utf16(units).enumerate();
        let chars = chars.filter(|(i, read)| !(cut && read.is_err() && i + 2 >= count));
        common(chars.map(|(_, read)| read.ok())).filter(|_| text.len().is_multiple_of(2))
    };
    let found = [
        ("utf-32le", of_four(u32::from_le_bytes)),
        ("utf-32be", of_four(u32::from_be_bytes)),
        ("utf-16le", of_two(u16::from_le_bytes)),
        ("utf-16be", of_two(u16::from_be_bytes)),
    ];
    let found = found.iter().filter_map(|(label, common)| Some((*label, (*common)?)));
    found.filter(|(_, common)| *common > 0).max_by_key(|(_, common)| *common).map(|found| found.0)
}

/// How many of the characters are ASCII; `None` if one of them is in no text.
fn common(chars: impl Iterator<Item = Option<char>>) -> Option<usize> {
    let mut common = 0;
    for char in chars {
        match char? {
            '\t' | '\n' | '\r' | '\x0c' | ' '..='~' => common += 1,
            char if char.is_control() => return None,
            // What no standard gives a meaning is hardly in a text without a mark.
            '\u{e000}'..='\u{f8ff}' | '\u{fffe}'..='\u{ffff}' => return None,
            _ => {}
        }
    }
    Some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_tell() {
        let text = "Hi, \u{43c}\u{438}\u{440} \u{1f600}\n";
        let of_two: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = of_two.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = of_two.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(find(&little), Some("utf-16le"));
        assert_eq!(find(&big), Some("utf-16be"));
        let little: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let big: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        assert_eq!(find(&little), Some("utf-32le"));
        assert_eq!(find(&big), Some("utf-32be"));
    }

    #[test]
    fn zeros_in_something_else_tell_nothing() {
        for other in [&b"\0\0\0\0"[..], b"GIF89a\0\x01\0\x01", b"a\0b", b"\x7fELF\x02\x01\x01\0"] {
            assert_eq!(find(other), None, "{}", other.escape_ascii());
        }
    }
}
