//! A byte order mark says the same to who reads pieces and lines as to who reads all.

use super::*;

fn marked() -> Vec<Vec<u8>> {
    let text = "\u{feff}a\u{e9}\r\n\u{a0d}\u{1f600}\n\nz";
    let units = || text.encode_utf16();
    vec![
        text.as_bytes().to_vec(),
        units().flat_map(u16::to_be_bytes).collect(),
        units().flat_map(u16::to_le_bytes).collect(),
        text.chars().flat_map(|char| (char as u32).to_be_bytes()).collect(),
        text.chars().flat_map(|char| (char as u32).to_le_bytes()).collect(),
    ]
}

fn cut(body: &[u8], size: usize, charset: &str) -> Response {
    let pieces: Vec<_> = body.chunks(size).map(Bytes::copy_from_slice).collect();
    let response = Response::builder().header("Content-Type", format!("text/plain{charset}"));
    response.body(Outgoing::chunks(pieces)).build().unwrap()
}

const CHARSETS: [&str; 5] =
    ["", "; charset=utf-8", "; charset=utf-16", "; charset=latin1", "; charset=windows-1251"];

#[test]
fn a_mark_is_heeded_in_pieces_and_lines() {
    for body in marked() {
        for (size, charset) in [1, 2, 3, 5, 100].into_iter().flat_map(|n| CHARSETS.map(|c| (n, c)))
        {
            let r = || cut(&body, size, charset);
            let shown = format!("{body:?} by {size}{charset}");
            let text = r().text().unwrap();
            assert_eq!(text, "a\u{e9}\r\n\u{a0d}\u{1f600}\n\nz", "{shown}");
            let pieces: Result<String> = r().iter_content(None).decode_unicode().collect();
            assert_eq!(pieces.unwrap(), text, "{shown}");
            let lines: Result<Vec<_>> = r().iter_lines().decode_unicode().collect();
            assert_eq!(lines.unwrap(), ["a\u{e9}", "\u{a0d}\u{1f600}", "", "z"], "{shown}");
        }
    }
}

/// Who goes on with it has not seen the mark, and need not.
#[test]
fn a_mark_holds_for_those_who_go_on() {
    for body in marked() {
        for charset in CHARSETS {
            let r = cut(&body, 3, charset);
            assert_eq!(r.iter_lines().decode_unicode().next().unwrap().unwrap(), "a\u{e9}");
            let piece = r.iter_content(4).decode_unicode().next().unwrap().unwrap();
            assert!(piece.starts_with('\u{a0d}'), "{piece:?}{charset}");
            let rest: Result<Vec<_>> = r.iter_lines().decode_unicode().collect();
            let rest = [piece.replace('\u{a0d}', ""), rest.unwrap().join("\n")].concat();
            assert_eq!(rest, "\u{1f600}\n\nz", "{charset}");
            let r = cut(&body, 3, charset);
            assert_eq!(
                r.iter_content(4).decode_unicode().next().unwrap().unwrap().chars().next(),
                Some('a')
            );
            let rest: Result<Vec<_>> = r.iter_lines().decode_unicode().collect();
            assert!(rest.unwrap().contains(&"\u{a0d}\u{1f600}".to_owned()), "{body:?}{charset}");
        }
    }
}

#[test]
fn what_only_begins_like_a_mark_is_text() {
    for (body, text) in
        [(&b"\xef"[..], "\u{ef}"), (b"\xef\xbba", "\u{ef}\u{bb}a"), (b"\xfe", "\u{fe}"), (b"", "")]
    {
        let r = || cut(body, 1, "; charset=latin1");
        assert_eq!(r().iter_content(1).decode_unicode().collect::<Result<String>>().unwrap(), text);
        assert_eq!(r().iter_lines().decode_unicode().collect::<Result<String>>().unwrap(), text);
    }
}
