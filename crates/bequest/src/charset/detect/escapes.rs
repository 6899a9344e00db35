//! Charsets of seven bits, which say by escapes what follows.

/// The charset of a text that is all ASCII, if it has the escapes of one.
pub(super) fn find(text: &[u8]) -> Option<&'static str> {
    memchr::memchr2(0x1b, b'~', text)?;
    if let Some(found) = memchr::memchr_iter(0x1b, text).find_map(|at| by_escape(&text[at + 1..])) {
        return Some(found);
    }
    is_hz(text).then_some("hz-gb-2312")
}

fn by_escape(behind: &[u8]) -> Option<&'static str> {
    const KOREAN: [&[u8]; 1] = [b"$)C"];
    const JAPANESE: [&[u8]; 6] = [b"$@", b"$B", b"(J", b"(I", b"$(D", b"&@"];
    let begins = |with: &[&[u8]]| with.iter().any(|escape| behind.starts_with(escape));
    match () {
        () if begins(&KOREAN) => Some("iso-2022-kr"),
        () if begins(&JAPANESE) => Some("iso-2022-jp"),
        () => None,
    }
}

/// Chinese between `~{` and `~}` (RFC 1843): all pairs, and nothing else that begins with a tilde.
fn is_hz(text: &[u8]) -> bool {
    let (mut rest, mut found) = (text, false);
    while let Some(at) = memchr::memchr(b'~', rest) {
        rest = &rest[at + 1..];
        match rest.first() {
            Some(b'{') => {
                rest = &rest[1..];
                // The last one may be cut off.
                let Some(end) = rest.windows(2).position(|two| two == b"~}") else { break };
                let (inside, behind) = rest.split_at(end);
                let pairs = inside.chunks(2).all(|pair| matches!(pair, [0x21..=0x77, 0x21..=0x7e]));
                if !pairs {
                    return false;
                }
                found |= !inside.is_empty();
                rest = &behind[2..];
            }
            Some(b'~' | b'\n') => rest = &rest[1..],
            _ => return false,
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_tell() {
        assert_eq!(find(b"\x1b$B$3$l\x1b(B"), Some("iso-2022-jp"));
        assert_eq!(find(b"\x1b$)C\x0e0!\x0f"), Some("iso-2022-kr"));
        assert_eq!(find(b"a ~~ b ~{<:Ky2;~}."), Some("hz-gb-2312"));
        for other in [&b"plain"[..], b"\x1b[1mbold\x1b[0m", b"~{ code ~}", b"~{<:", b"~/x", b"~{~}"]
        {
            assert_eq!(find(other), None, "{}", other.escape_ascii());
        }
    }
}
