//! Which charset a text is in, and its decoding. The first byte chooses a charset to decode it in,
//! too, and the second says where it is cut.
#![no_main]

use bequest::fuzzing::decode;
use bequest::{Detector, StandardDetector};
use libfuzzer_sys::{Corpus, fuzz_target};

const LABELS: [&str; 24] = [
    "utf-8",
    "utf-16le",
    "utf-16be",
    "utf-32le",
    "utf-32be",
    "latin1",
    "johab",
    "iso-2022-kr",
    "hz",
    "iso-2022-jp",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "gb18030",
    "big5",
    "windows-1252",
    "koi8-r",
    "windows-1258",
    "ibm855",
    "ibm864",
    "mac_greek",
    "x-user-defined",
    "windows-874",
    "cp720",
];

fuzz_target!(|input: &[u8]| -> Corpus {
    let [choice, cut, text @ ..] = input else { return Corpus::Reject };
    let (first, rest) = text.split_at(text.len().min(usize::from(*cut)));
    let in_pieces = |label: &str| {
        let bytes: Vec<&[u8]> = rest.chunks(1 + usize::from(cut % 7)).collect();
        let pieces = [&[first][..], &bytes].concat();
        decode(label, &pieces).expect("the label is known")
    };
    let same = |label: &str| {
        let (pieces, whole) = in_pieces(label);
        assert_eq!(pieces.trim_start_matches('\u{feff}'), whole.trim_start_matches('\u{feff}'));
        whole
    };
    if !has_mark(text) {
        same(LABELS[usize::from(*choice) % LABELS.len()]);
    }
    let found = StandardDetector.detect(text);
    if let Some(label) = &found
        && !has_mark(text)
    {
        same(label);
    }
    if let Ok(valid) = std::str::from_utf8(text) {
        let (pieces, _) = in_pieces("utf-8");
        assert_eq!(pieces, valid);
        let seven_bits = ["ascii", "iso-2022-jp", "iso-2022-kr", "hz-gb-2312"];
        match found.as_deref() {
            None => assert!(text.is_empty() || text.contains(&0)),
            Some("utf-8") => {}
            Some(other) => {
                assert!(text.is_ascii() && seven_bits.contains(&other) || text.contains(&0))
            }
        }
    }
    Corpus::Keep
});

/// A mark says the order of bytes, whatever the label says.
fn has_mark(text: &[u8]) -> bool {
    text.starts_with(b"\xff\xfe")
        || text.starts_with(b"\xfe\xff")
        || text.starts_with(b"\0\0\xfe\xff")
}
