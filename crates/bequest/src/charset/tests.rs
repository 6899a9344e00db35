use super::*;

fn pieces(charset: Charset, bytes: &[u8], size: usize) -> String {
    let (mut decoder, mut text) = (charset.decoder(), String::new());
    for piece in bytes.chunks(size) {
        decoder.push(piece, &mut text);
    }
    decoder.finish(&mut text);
    text
}

fn named(label: &str) -> Charset {
    Charset::named(label).unwrap()
}

#[test]
fn a_character_may_be_split_between_pieces() {
    let cases: [(&str, &[u8]); 6] = [
        ("utf-8", b"a\xc3\xa9\xf0\x9f\x98\x80\xe2\x82\xc3(\xff\xf0\x9f"),
        ("utf-16le", b"a\0=\xd8\0\xde\0\xdc=\xd8a\0=\xd8"),
        ("utf-16be", b"\0a\xd8=\xde\0\x20\xac\0"),
        ("utf-32le", b"a\0\0\0\0\xf6\x01\0\0\0\x11\0\0"),
        ("utf-32be", b"\0\0\0a\0\x01\xf6\0\0\0\xd8\0"),
        ("latin1", b"caf\xe9 \x80\xff"),
    ];
    for (label, bytes) in cases {
        let whole = named(label).decode(bytes);
        assert!(!whole.is_empty());
        for size in 1..8 {
            assert_eq!(pieces(named(label), bytes, size), whole, "{label} by {size}");
        }
    }
}

#[test]
fn utf_8_is_replaced_as_the_standard_library_does() {
    let mut seed = 7_u32;
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..12)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                [0x41, 0x80, 0xbf, 0xc3, 0xe0, 0xed, 0xa0, 0xf0, 0x90, 0xf4, 0xff, 0xe2]
                    [(seed >> 16) as usize % 12]
            })
            .collect();
        let wanted = String::from_utf8_lossy(&bytes);
        for size in 1..5 {
            assert_eq!(pieces(Charset::Utf8, &bytes, size), wanted, "{}", bytes.escape_ascii());
        }
    }
}

#[test]
fn marks() {
    assert_eq!(mark(b"\xef\xbb\xbfa"), Some((Charset::Utf8, 3)));
    assert_eq!(mark(b"\xff\xfea\0"), Some((Charset::Utf16(Order::Little), 2)));
    assert_eq!(mark(b"\xff\xfe\0\0"), Some((Charset::Utf32(Order::Little), 4)));
    assert_eq!(mark(b"\0\0\xfe\xff"), Some((Charset::Utf32(Order::Big), 4)));
    assert_eq!(mark(b"\xfe\xff"), Some((Charset::Utf16(Order::Big), 2)));
    assert_eq!(mark(b"\xef\xbb"), None);
    assert_eq!(named("utf-16").decode(b"\xff\xfea\0"), "a");
    assert_eq!(named("utf-8-sig").decode(b"\xef\xbb\xbfa"), "a");
}
