//! Johab (KS X 1001, annex 3): Hangul by its letters, the rest of KS X 1001 by arithmetic.

/// The letter of each number of five bits, counted as Unicode does, from 1; 0 for none.
const FINALS: [u8; 32] = [
    0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0, 17, 18, 19, 20, 21, 22, 23, 24,
    25, 26, 27, 0, 0,
];
const VOWELS: [u8; 32] = [
    0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 6, 7, 8, 9, 10, 11, 0, 0, 12, 13, 14, 15, 16, 17, 0, 0, 18, 19,
    20, 21, 0, 0,
];
/// Letters alone, in the order of the initials and of the finals.
const INITIALS_ALONE: [char; 19] = [
    'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ',
    'ㅌ', 'ㅍ', 'ㅎ',
];
const FINALS_ALONE: [char; 27] = [
    'ㄱ', 'ㄲ', 'ㄳ', 'ㄴ', 'ㄵ', 'ㄶ', 'ㄷ', 'ㄹ', 'ㄺ', 'ㄻ', 'ㄼ', 'ㄽ', 'ㄾ', 'ㄿ', 'ㅀ', 'ㅁ',
    'ㅂ', 'ㅄ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅊ', 'ㅋ', 'ㅌ', 'ㅍ', 'ㅎ',
];

/// Decodes it in pieces.
#[derive(Debug, Default)]
pub(crate) struct Johab {
    lead: Option<u8>,
}

impl Johab {
    pub(crate) fn push(&mut self, bytes: &[u8], text: &mut String) {
        text.reserve(bytes.len());
        for &byte in bytes {
            match self.lead.take() {
                Some(lead) => match character(lead, byte) {
                    Some(char) => text.push(char),
                    None => {
                        text.push(char::REPLACEMENT_CHARACTER);
                        // What is no second half stands for itself.
                        self.single(byte, text);
                    }
                },
                None => self.single(byte, text),
            }
        }
    }

    pub(crate) fn finish(&mut self, text: &mut String) {
        if self.lead.take().is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }

    fn single(&mut self, byte: u8, text: &mut String) {
        match byte {
            0..0x80 => text.push(char::from(byte)),
            0x84..=0xd3 | 0xd8..=0xde | 0xe0..=0xf9 => self.lead = Some(byte),
            _ => text.push(char::REPLACEMENT_CHARACTER),
        }
    }
}

fn character(lead: u8, trail: u8) -> Option<char> {
    if lead < 0xd4 { hangul(lead, trail) } else { other(lead, trail) }
}

fn hangul(lead: u8, trail: u8) -> Option<char> {
    if [lead, trail] == [0x84, 0x41] {
        // A syllable of no letters.
        return Some('\u{3000}');
    }
    let both = usize::from(u16::from_be_bytes([lead, trail]));
    let (initial, vowel, last) = (both >> 10 & 31, both >> 5 & 31, both & 31);
    let initial = match initial {
        1 => None,
        2..=20 => Some(initial - 2),
        _ => return None,
    };
    let vowel = match (vowel, VOWELS[vowel]) {
        (2, _) => None,
        (_, 0) => return None,
        (_, vowel) => Some(u32::from(vowel) - 1),
    };
    let last = match (last, FINALS[last]) {
        (1, _) => None,
        (_, 0) => return None,
        (_, last) => Some(usize::from(last)),
    };
    match (initial, vowel, last) {
        (Some(initial), Some(vowel), last) => {
            let syllable = (initial as u32 * 21 + vowel) * 28 + last.unwrap_or(0) as u32;
            char::from_u32(0xac00 + syllable)
        }
        (Some(initial), None, None) => INITIALS_ALONE.get(initial).copied(),
        (None, Some(vowel), None) => char::from_u32(0x314f + vowel),
        (None, None, Some(last)) => FINALS_ALONE.get(last - 1).copied(),
        _ => None,
    }
}

/// Signs and Chinese characters: two rows of KS X 1001 for each first byte.
fn other(lead: u8, trail: u8) -> Option<char> {
    let place = match trail {
        0x31..=0x7e => trail - 0x31,
        0x91..=0xfe => trail - 0x43,
        _ => return None,
    };
    let row = match lead {
        0xd9..=0xde => 2 * (lead - 0xd9),
        0xe0..=0xf9 => 2 * (lead - 0xe0) + 41,
        _ => return None,
    };
    let (row, place) = if place < 94 { (row, place) } else { (row + 1, place - 94) };
    let code = [0xa1 + row, 0xa1 + place];
    let (text, wrong) = encoding_rs::EUC_KR.decode_without_bom_handling(&code);
    text.chars().next().filter(|_| !wrong)
}
