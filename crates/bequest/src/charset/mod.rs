//! Charsets: what their labels name, decoding them, and finding out which one a text is in.

#[cfg(feature = "charset")]
mod detect;
#[cfg(feature = "charset")]
mod legacy;
mod unicode;

use std::fmt;

use unicode::{Latin1, Utf8, Utf16, Utf32};

/// Finds out in which charset a text is, when neither the server nor a byte order mark says so.
///
/// ```
/// # #[cfg(feature = "charset")] {
/// use bequest::{Detector, StandardDetector};
///
/// let russian = b"\xd1\xfa\xe5\xf8\xfc \xe6\xe5 \xe5\xf9\xb8 \xfd\xf2\xe8\xf5 \xec\xff\xe3\xea\xe8\xf5";
/// assert_eq!(StandardDetector.detect(russian).as_deref(), Some("windows-1251"));
/// # }
/// ```
pub trait Detector: fmt::Debug + Send + Sync {
    /// The label of the charset, as it would stand in Content-Type; `None` if nothing is to be
    /// said. `text` is a whole body, and may be large: look at a part of it.
    fn detect(&self, text: &[u8]) -> Option<String>;
}

/// The detector that is used unless another one is set.
///
/// In this order: a byte order mark; zero bytes as in UTF-16 and UTF-32; what is valid UTF-8 is
/// UTF-8; the escapes of ISO-2022 and HZ; what the text says of itself (`<meta charset>`, `<?xml
/// encoding?>`); the charset and language in which it is least surprising. At most 16 KiB behind
/// the first byte that is not ASCII are compared. Without the feature `charset` it finds marks and
/// UTF-8 only.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandardDetector;

impl Detector for StandardDetector {
    #[cfg(feature = "charset")]
    fn detect(&self, text: &[u8]) -> Option<String> {
        detect::detect(text).map(|label| label.to_ascii_lowercase())
    }

    #[cfg(not(feature = "charset"))]
    fn detect(&self, text: &[u8]) -> Option<String> {
        let marked = mark(text).map(|(charset, _)| charset.label());
        marked.or(std::str::from_utf8(text).is_ok().then_some("utf-8")).map(str::to_owned)
    }
}

/// A charset that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Charset {
    Utf8,
    Utf16(Order),
    Utf32(Order),
    Latin1,
    #[cfg(feature = "charset")]
    Legacy(legacy::Legacy),
}

/// Which byte of a unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Big,
    Little,
}

impl Charset {
    /// What the label means, in the Web's names or in Python's.
    pub(crate) fn named(label: &str) -> Option<Self> {
        let letters = label.chars().filter(char::is_ascii_alphanumeric);
        let normal: String = letters.map(|char| char.to_ascii_lowercase()).take(24).collect();
        Some(match normal.as_str() {
            // What is said to be ASCII and is not is mostly UTF-8.
            "utf8" | "utf8sig" | "unicode11utf8" | "cp65001" | "ascii" | "usascii" => Self::Utf8,
            "utf16" | "utf16le" | "ucs2" | "iso10646ucs2" | "unicode" => Self::Utf16(Order::Little),
            "utf16be" => Self::Utf16(Order::Big),
            "utf32" | "utf32le" | "ucs4" => Self::Utf32(Order::Little),
            "utf32be" => Self::Utf32(Order::Big),
            "iso88591" | "iso885911987" | "latin1" | "l1" | "cp819" | "ibm819" => Self::Latin1,
            #[cfg(feature = "charset")]
            normal => Self::Legacy(legacy::Legacy::named(label, normal)?),
            #[cfg(not(feature = "charset"))]
            _ => return None,
        })
    }

    /// Its usual name.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf16(Order::Little) => "utf-16le",
            Self::Utf16(Order::Big) => "utf-16be",
            Self::Utf32(Order::Little) => "utf-32le",
            Self::Utf32(Order::Big) => "utf-32be",
            Self::Latin1 => "iso-8859-1",
            #[cfg(feature = "charset")]
            Self::Legacy(legacy) => legacy.label(),
        }
    }

    /// The text; what is not valid becomes U+FFFD. A byte order mark is left out, and
    /// says the order.
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        let (charset, bytes) = match mark(bytes) {
            Some((marked, length)) if marked.is_kin_of(self) => (marked, &bytes[length..]),
            _ => (self, bytes),
        };
        if charset == Self::Utf8 {
            return String::from_utf8_lossy(bytes).into_owned();
        }
        let mut text = String::with_capacity(bytes.len());
        let mut decoder = charset.decoder();
        decoder.push(bytes, &mut text);
        decoder.finish(&mut text);
        text
    }

    /// Whether they differ in the order of bytes at most.
    fn is_kin_of(self, other: Self) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }

    /// For a text that comes in pieces.
    pub(crate) fn decoder(self) -> Decoder {
        Decoder(match self {
            Self::Utf8 => State::Utf8(Utf8::default()),
            Self::Utf16(order) => State::Utf16(Utf16::new(order)),
            Self::Utf32(order) => State::Utf32(Utf32::new(order)),
            Self::Latin1 => State::Latin1(Latin1),
            #[cfg(feature = "charset")]
            Self::Legacy(legacy) => State::Legacy(legacy.decoder()),
        })
    }

    /// Whether the bytes are valid in it.
    #[cfg(feature = "charset")]
    fn fits(self, bytes: &[u8]) -> bool {
        !self.decode(bytes).contains(char::REPLACEMENT_CHARACTER)
    }
}

/// The charset that a byte order mark at the beginning says, and the mark's length.
pub(crate) fn mark(bytes: &[u8]) -> Option<(Charset, usize)> {
    match bytes {
        [0xef, 0xbb, 0xbf, ..] => Some((Charset::Utf8, 3)),
        [0xff, 0xfe, 0, 0, ..] => Some((Charset::Utf32(Order::Little), 4)),
        [0, 0, 0xfe, 0xff, ..] => Some((Charset::Utf32(Order::Big), 4)),
        [0xff, 0xfe, ..] => Some((Charset::Utf16(Order::Little), 2)),
        [0xfe, 0xff, ..] => Some((Charset::Utf16(Order::Big), 2)),
        _ => None,
    }
}

/// Decodes a text in pieces: a character may be split between them. Byte order marks are
/// characters to it.
pub(crate) struct Decoder(State);

enum State {
    Utf8(Utf8),
    Utf16(Utf16),
    Utf32(Utf32),
    Latin1(Latin1),
    #[cfg(feature = "charset")]
    Legacy(legacy::Decoder),
}

impl Decoder {
    /// Appends what `bytes` and the pieces before them make.
    pub(crate) fn push(&mut self, bytes: &[u8], text: &mut String) {
        match &mut self.0 {
            State::Utf8(decoder) => decoder.push(bytes, text),
            State::Utf16(decoder) => decoder.push(bytes, text),
            State::Utf32(decoder) => decoder.push(bytes, text),
            State::Latin1(decoder) => decoder.push(bytes, text),
            #[cfg(feature = "charset")]
            State::Legacy(decoder) => decoder.push(bytes, text),
        }
    }

    /// There is no more: a character that is not whole becomes U+FFFD.
    pub(crate) fn finish(&mut self, text: &mut String) {
        match &mut self.0 {
            State::Utf8(decoder) => decoder.finish(text),
            State::Utf16(decoder) => decoder.finish(text),
            State::Utf32(decoder) => decoder.finish(text),
            State::Latin1(_) => {}
            #[cfg(feature = "charset")]
            State::Legacy(decoder) => decoder.finish(text),
        }
    }
}

#[cfg(test)]
mod tests;
