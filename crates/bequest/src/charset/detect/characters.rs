//! East Asian charsets, told apart by what is a character in them and how frequent it is.

use super::sample::Sample;
use crate::charset::Charset;

/// `scripts/charset-models` says what is in it.
const CHARACTERS: &[u8] = include_bytes!("models/characters.bin");

const PLANE: usize = 94 * 94;
const GB2312: usize = 0;
const JIS: usize = PLANE;
const KOREAN: usize = 2 * PLANE;
const BIG5: usize = 3 * PLANE;

/// Costs, in eighths of a bit: of the charset being used at all, of what is no character, and of
/// rare kinds.
const PRIOR: u32 = 16;
const INVALID: u32 = 240;
const UNUSUAL: u32 = 192;
const RARE: u32 = 152;
/// A letter of ASCII behind ASCII, as in most languages.
const LETTER: u32 = 34;
/// A character right behind a letter of ASCII.
const SWITCH: u32 = 40;
const HALF_WIDTH: u32 = 104;

/// By so many bytes it is decided which of the charsets it may be.
const FIRST_LOOK: usize = 256;

/// A character: how many bytes it has, and what it costs.
type Step = (usize, u32);
type Reader = fn(&[u8]) -> Option<Step>;

const READERS: [(&str, Reader); 6] = [
    ("utf-8", utf8),
    ("gb18030", gb18030),
    ("big5", big5),
    ("shift_jis", shift_jis),
    ("euc-jp", euc_jp),
    ("euc-kr", euc_kr),
];

/// The charset that the sample is least surprising in, and how surprising it is; `None` if it is as
/// surprising as `limit` in all of them.
pub(super) fn best(sample: &Sample, limit: u32) -> Option<(&'static str, u32)> {
    let look = sample.bytes.get(..FIRST_LOOK).unwrap_or(&sample.bytes);
    let is_cut = sample.is_cut || look.len() < sample.bytes.len();
    let (label, reader) =
        READERS.into_iter().min_by_key(|(_, reader)| cost(look, is_cut, limit, *reader))?;
    let cost = cost(&sample.bytes, sample.is_cut, limit, reader);
    (cost < limit).then_some((label, cost))
}

/// What Johab would cost, if it may be that: as the same text in EUC-KR does.
pub(super) fn johab(sample: &Sample, limit: u32) -> Option<(&'static str, u32)> {
    let charset = Charset::named("johab")?;
    let look = sample.bytes.get(..FIRST_LOOK).unwrap_or(&sample.bytes);
    if !is_korean(&charset.decode(look)) {
        return None;
    }
    let text = charset.decode(&sample.bytes);
    let wrong = text.matches(char::REPLACEMENT_CHARACTER).count();
    let (same, ..) = encoding_rs::EUC_KR.encode(&text);
    let cost = cost(&same, sample.is_cut, limit, euc_kr) + INVALID * u32::try_from(wrong).ok()?;
    (cost < limit).then_some((charset.label(), cost))
}

/// Korean has few Chinese characters; other texts that are read as Johab have many, and much that is
/// wrong.
fn is_korean(text: &str) -> bool {
    let count = |is: fn(&char) -> bool| text.chars().filter(is).count();
    let wrong = count(|char| *char == char::REPLACEMENT_CHARACTER);
    let chinese = count(|char| ('\u{4e00}'..='\u{9fff}').contains(char));
    let all = count(|char| !char.is_ascii());
    wrong <= all / 32 && chinese <= all / 4
}

/// What the characters beyond ASCII cost, and what stands behind them.
fn cost(mut text: &[u8], is_cut: bool, limit: u32, reader: Reader) -> u32 {
    let (mut cost, mut before) = (PRIOR, b' ');
    while let Some(&byte) = text.first() {
        let (length, this) = match byte {
            0..0x80 if !before.is_ascii() => (1, behind(byte)),
            0..0x80 if byte.is_ascii_alphabetic() => (1, LETTER),
            0..0x80 => (1, 0),
            _ => match reader(text) {
                Some((length, cost)) if before.is_ascii_alphabetic() => (length, cost + SWITCH),
                Some(step) => step,
                None if is_cut && text.len() == 1 => break,
                None => (1, INVALID),
            },
        };
        before = byte;
        if cost >= limit {
            break;
        }
        cost += this;
        text = text.get(length..).unwrap_or_default();
    }
    cost
}

/// What ASCII costs behind a character.
fn behind(byte: u8) -> u32 {
    match byte {
        b' ' | b'\t' | b'\r' | b'\n' => 24,
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => 72,
        _ => 40,
    }
}

/// The cost of a character by its row and its place in it, both from 0.
fn in_plane(plane: usize, row: u8, place: u8) -> u32 {
    let cost = CHARACTERS.get(plane + usize::from(row) * 94 + usize::from(place));
    cost.copied().filter(|cost| *cost < 255).map_or(INVALID, u32::from)
}

fn high(byte: u8) -> Option<u8> {
    (0xa1..=0xfe).contains(&byte).then(|| byte - 0xa1)
}

fn utf8(text: &[u8]) -> Option<Step> {
    let length = match text.first()? {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let valid = std::str::from_utf8(text.get(..length)?).is_ok();
    valid.then_some((length, 32 * length as u32))
}

fn gb18030(text: &[u8]) -> Option<Step> {
    let (lead, trail) = (*text.first()?, *text.get(1)?);
    match (lead, trail) {
        (0x80 | 0xff, _) => None,
        (0xa1.., 0xa1..=0xfe) => {
            let cost = in_plane(GB2312, lead - 0xa1, trail - 0xa1);
            Some((2, cost.min(UNUSUAL)))
        }
        (_, 0x40..=0x7e | 0x80..=0xfe) => Some((2, RARE)),
        (_, b'0'..=b'9') => {
            let rest = (*text.get(2)?, *text.get(3)?);
            matches!(rest, (0x81..=0xfe, b'0'..=b'9')).then_some((4, UNUSUAL))
        }
        _ => None,
    }
}

fn big5(text: &[u8]) -> Option<Step> {
    let (lead, trail) = (*text.first()?, *text.get(1)?);
    let place = match trail {
        0x40..=0x7e => trail - 0x40,
        0xa1..=0xfe => trail - 0xa1 + 63,
        _ => return None,
    };
    match lead {
        0xa1..=0xf9 => {
            let at = BIG5 + usize::from(lead - 0xa1) * 157 + usize::from(place);
            let cost = CHARACTERS.get(at).copied().filter(|cost| *cost < 255);
            Some((2, cost.map_or(UNUSUAL, u32::from)))
        }
        0x87..=0xa0 | 0xfa..=0xfe => Some((2, UNUSUAL)),
        _ => None,
    }
}

fn shift_jis(text: &[u8]) -> Option<Step> {
    let lead = *text.first()?;
    if let 0xa1..=0xdf = lead {
        return Some((1, HALF_WIDTH));
    }
    let trail = *text.get(1)?;
    let place = match trail {
        0x40..=0x7e => trail - 0x40,
        0x80..=0xfc => trail - 0x41,
        _ => return None,
    };
    let row = match lead {
        0x81..=0x9f => (lead - 0x81) * 2,
        0xe0..=0xef => (lead - 0xc1) * 2,
        0xf0..=0xfc => return Some((2, UNUSUAL)),
        _ => return None,
    };
    let (row, place) = if place < 94 { (row, place) } else { (row + 1, place - 94) };
    // Row 13 has the characters that NEC added.
    Some((2, if row == 12 { RARE } else { in_plane(JIS, row, place) }))
}

fn euc_jp(text: &[u8]) -> Option<Step> {
    let (lead, trail) = (*text.first()?, *text.get(1)?);
    match lead {
        0x8e => matches!(trail, 0xa1..=0xdf).then_some((2, HALF_WIDTH)),
        0x8f => {
            high(trail)?;
            high(*text.get(2)?).map(|_| (3, UNUSUAL))
        }
        0xad => high(trail).map(|_| (2, RARE)),
        _ => Some((2, in_plane(JIS, high(lead)?, high(trail)?))),
    }
}

fn euc_kr(text: &[u8]) -> Option<Step> {
    let (lead, trail) = (*text.first()?, *text.get(1)?);
    match (lead, trail) {
        (0xa1..=0xfe, 0xa1..=0xfe) => Some((2, in_plane(KOREAN, lead - 0xa1, trail - 0xa1))),
        (0x81..=0xc6, 0x41..=0x5a | 0x61..=0x7a | 0x81..=0xfe) => Some((2, RARE)),
        _ => None,
    }
}
