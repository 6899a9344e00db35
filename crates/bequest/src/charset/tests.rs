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

#[test]
fn labels_as_people_write_them() {
    for (label, wanted) in [
        ("UTF-8", "utf-8"),
        ("utf8", "utf-8"),
        (" Utf_8 ", "utf-8"),
        ("us-ascii", "utf-8"),
        ("ISO_8859-1", "iso-8859-1"),
        ("latin-1", "iso-8859-1"),
        ("UTF-16", "utf-16le"),
        ("utf_16_be", "utf-16be"),
    ] {
        assert_eq!(named(label).label(), wanted, "{label}");
    }
    for unknown in ["", "frob", "x", "utf-9", "replacement", "iso-2022-cn", "\u{e9}\u{1f600}", "--"]
    {
        assert_eq!(Charset::named(unknown), None, "{unknown}");
    }
}

#[cfg(feature = "charset")]
mod legacy {
    use super::*;

    #[test]
    fn labels_of_the_web_and_of_python() {
        for (label, wanted) in [
            ("Shift_JIS", "Shift_JIS"),
            ("sjis", "Shift_JIS"),
            ("cp932", "Shift_JIS"),
            ("EUC_JP", "EUC-JP"),
            ("cp949", "EUC-KR"),
            ("gb2312", "GBK"),
            ("big5-hkscs", "Big5"),
            ("cp1251", "windows-1251"),
            ("koi8_r", "KOI8-R"),
            ("mac-roman", "macintosh"),
            ("mac_cyrillic", "x-mac-cyrillic"),
            ("iso8859_5", "ISO-8859-5"),
            ("iso8859-15", "ISO-8859-15"),
            ("TIS-620", "windows-874"),
            ("ibm866", "IBM866"),
            ("IBM855", "ibm855"),
            ("cp855", "ibm855"),
            ("850", "ibm850"),
            ("mac_greek", "x-mac-greek"),
            ("johab", "johab"),
            ("iso2022_kr", "iso-2022-kr"),
            ("HZ", "hz-gb-2312"),
        ] {
            assert_eq!(named(label).label(), wanted, "{label}");
        }
    }

    /// What encoding_rs does not decode: label, bytes, text.
    const OTHERS: [(&str, &[u8], &str); 23] = [
        ("ibm437", b"\x82\xc9\xe3\xab", "é╔π½"),
        ("ibm720", b"\x9f\xa0\xa2", "ابت"),
        ("ibm737", b"\x97\xa3\xe2\x9a\x98", "Ωμέγα"),
        ("ibm775", b"\xd0\xd8uolas", "ąžuolas"),
        ("ibm850", b"\x82\xc6\xd5", "éãı"),
        ("ibm852", b"\xa7lu\x9c", "žluť"),
        ("ibm855", b"\xdd\xe1\xb7\xeb\xa8\xe5", "Привет"),
        ("ibm857", b"\xa7\x8d\x9f", "ğış"),
        ("ibm858", b"\xd5", "€"),
        ("ibm860", b"\x84\x94", "ãõ"),
        ("ibm861", b"\x95\x8c", "þð"),
        ("ibm862", b"\x99\x8c\x85\x8d", "שלום"),
        ("ibm863", b"\x87\x85", "çà"),
        ("ibm864", b"\x9d", "ﻻ"),
        ("ibm865", b"\x9b\x8f", "øÅ"),
        ("ibm869", b"\xd5\xe6\x9d\xd8\xd6", "Ωμέγα"),
        ("x-mac-centraleurroman", b"\xeclu\xe9", "žluť"),
        ("x-mac-greek", b"\xbf\xed\xdb\xe7\xe1", "Ωμέγα"),
        ("x-mac-icelandic", b"\xdf\xdd", "þð"),
        ("x-mac-turkish", b"\xda\xdb\xdd\xdf\xdc", "Ğğışİ"),
        ("johab", b"\xd0e\x8bi \xf7\xd3\xf1\xae \x88A\x84a\xd9V", "한글 漢字 ㄱㅏ°"),
        ("iso-2022-kr", b"\x1b$)C\x0eGQ1[\x0f a \x0eySm.\x0f\x0a\x0e3*\x0f", "한글 a 漢字\n나"),
        ("hz", b"~{::WV~} ~~ a", "汉字 ~ a"),
    ];

    #[test]
    fn what_the_web_does_not_know() {
        for (label, bytes, wanted) in OTHERS {
            assert_eq!(named(label).decode(bytes), wanted, "{label}");
        }
        // A code without a meaning, and half a character.
        assert_eq!(named("johab").decode(b"\xff\x84a\x84\x30\x88"), "\u{fffd}ㅏ\u{fffd}0\u{fffd}");
        assert_eq!(named("hz").decode(b"~{::WV~"), "汉字~");
        assert_eq!(named("ibm857").decode(b"\xd5\xe7"), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn legacy_characters_may_be_split_between_pieces() {
        let web: [(&str, &[u8]); 4] = [
            ("shift_jis", b"\x93\xfa\x96{\xb1a\x93"),
            ("gb18030", b"\xc4\xe3\x81\x30\x84\x36\xba"),
            ("iso-2022-jp", b"\x1b$BF|K\\\x1b(B."),
            ("windows-1251", b"\xcf\xf0\xe8"),
        ];
        let others = OTHERS.map(|(label, bytes, _)| (label, bytes));
        for (label, bytes) in web.into_iter().chain(others) {
            let whole = named(label).decode(bytes);
            for size in 1..6 {
                assert_eq!(pieces(named(label), bytes, size), whole, "{label} by {size}");
            }
        }
    }

    #[test]
    fn long_texts_are_decoded_whole() {
        let text = "日本語 ".repeat(50_000);
        let (bytes, ..) = encoding_rs::SHIFT_JIS.encode(&text);
        assert_eq!(named("shift_jis").decode(&bytes), text);
    }
}
