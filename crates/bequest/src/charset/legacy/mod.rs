//! Charsets older than Unicode: those of the Web by encoding_rs, and some that it does not decode.

mod johab;
mod page;
mod shifted;

pub(super) use johab::Johab;
use page::Page;
use shifted::{Shift, Shifted};

/// A charset that is neither Unicode's nor ISO-8859-1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Legacy {
    /// One of the Encoding Standard.
    Web(&'static encoding_rs::Encoding),
    Page(Page),
    Johab,
    Shifted(Shift),
}

/// What Python and others call charsets of the Encoding Standard, by letters and digits only.
const OTHER_NAMES: [(&str, &str); 17] = [
    ("ms932", "shift_jis"),
    ("cp932", "shift_jis"),
    ("sjis", "shift_jis"),
    ("eucjis2004", "euc-jp"),
    ("ujis", "euc-jp"),
    ("uhc", "euc-kr"),
    ("cp949", "euc-kr"),
    ("ms949", "euc-kr"),
    ("cp936", "gbk"),
    ("ms936", "gbk"),
    ("cp950", "big5"),
    ("ms950", "big5"),
    ("macroman", "macintosh"),
    ("maccyrillic", "x-mac-cyrillic"),
    ("macukrainian", "x-mac-cyrillic"),
    ("tis620", "windows-874"),
    ("cp874", "windows-874"),
];

impl Legacy {
    /// What the label means; `normal` is the label by its letters and digits only.
    pub(super) fn named(label: &str, normal: &str) -> Option<Self> {
        match normal {
            "johab" | "cp1361" | "ms1361" => return Some(Self::Johab),
            "iso2022kr" | "csiso2022kr" => return Some(Self::Shifted(Shift::Korean)),
            "hz" | "hzgb" | "hzgb2312" => return Some(Self::Shifted(Shift::Chinese)),
            _ => {}
        }
        if let Some(page) = Page::named(normal) {
            return Some(Self::Page(page));
        }
        let other = OTHER_NAMES.iter().find(|(name, _)| *name == normal).map(|(_, web)| *web);
        let web = |label: &str| encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        let found = web(other.unwrap_or(label)).or_else(|| web(&label.replace('_', "-")))?;
        Some(Self::Web(found))
    }

    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Web(encoding) => encoding.name(),
            Self::Page(page) => page.label(),
            Self::Johab => "johab",
            Self::Shifted(Shift::Korean) => "iso-2022-kr",
            Self::Shifted(Shift::Chinese) => "hz-gb-2312",
        }
    }

    pub(super) fn decoder(self) -> Decoder {
        match self {
            Self::Web(encoding) => Decoder::Web(encoding.new_decoder_without_bom_handling()),
            Self::Page(page) => Decoder::Page(page),
            Self::Johab => Decoder::Johab(Johab::default()),
            Self::Shifted(shift) => Decoder::Shifted(Shifted::new(shift)),
        }
    }
}

pub(crate) enum Decoder {
    Web(encoding_rs::Decoder),
    Page(Page),
    Johab(Johab),
    Shifted(Shifted),
}

impl Decoder {
    pub(super) fn push(&mut self, bytes: &[u8], text: &mut String) {
        match self {
            Self::Web(decoder) => web(decoder, bytes, text, false),
            Self::Page(page) => page.push(bytes, text),
            Self::Johab(decoder) => decoder.push(bytes, text),
            Self::Shifted(decoder) => decoder.push(bytes, text),
        }
    }

    pub(super) fn finish(&mut self, text: &mut String) {
        match self {
            Self::Web(decoder) => web(decoder, &[], text, true),
            Self::Page(_) => {}
            Self::Johab(decoder) => decoder.finish(text),
            Self::Shifted(decoder) => decoder.finish(text),
        }
    }
}

/// At most that much is decoded at once, so that room for the longest outcome is not much.
const AT_ONCE: usize = 64 * 1024;

fn web(decoder: &mut encoding_rs::Decoder, bytes: &[u8], text: &mut String, last: bool) {
    let mut rest = bytes;
    loop {
        let (now, later) = rest.split_at(rest.len().min(AT_ONCE));
        text.reserve(decoder.max_utf8_buffer_length(now.len()).unwrap_or(3 * now.len() + 16));
        let (_, taken, _) = decoder.decode_to_string(now, text, last && later.is_empty());
        rest = &rest[taken..];
        if rest.is_empty() {
            return;
        }
    }
}
