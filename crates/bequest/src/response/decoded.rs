//! Lines and pieces as text.

use bytes::Bytes;

use super::iter::IterContent;
use super::lines::IterLines;
use super::loan::Loan;
use crate::charset::{Charset, Decoder, Order};
use crate::error::Result;

/// What [`IterLines::decode_unicode`] makes: lines as text. After an error it is over.
#[derive(Debug)]
pub struct DecodedLines<'a> {
    lines: IterLines<'a>,
    charset: Charset,
    /// The charset is a guess, and what is valid UTF-8 is UTF-8.
    is_guess: bool,
    /// The next line is the first of the body, and may begin with a byte order mark.
    at_start: bool,
}

impl<'a> DecodedLines<'a> {
    pub(super) fn new(mut lines: IterLines<'a>) -> Self {
        let (charset, is_guess) = lines.response.stream_charset();
        match charset {
            Charset::Utf16(order) => lines.widen(2, order == Order::Big),
            Charset::Utf32(order) => lines.widen(4, order == Order::Big),
            _ => {}
        }
        Self { at_start: lines.is_at_start(), lines, charset, is_guess }
    }

    fn decode(&mut self, line: Bytes) -> String {
        if std::mem::take(&mut self.at_start) {
            let is_utf8 = self.is_guess && std::str::from_utf8(&line).is_ok();
            return if is_utf8 { Charset::Utf8 } else { self.charset }.decode(&line);
        }
        if self.is_guess || self.charset == Charset::Utf8 {
            // A small line is a copy of its own, and becomes the text as it is.
            return String::from_utf8(line.into())
                .unwrap_or_else(|error| self.decode_as(error.as_bytes()));
        }
        self.decode_as(&line)
    }

    fn decode_as(&self, line: &[u8]) -> String {
        let (mut decoder, mut text) = (self.charset.decoder(), String::new());
        decoder.push(line, &mut text);
        decoder.finish(&mut text);
        text
    }
}

impl Iterator for DecodedLines<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.lines.next()?;
        Some(line.map(|line| self.decode(line)))
    }
}

/// What [`IterContent::decode_unicode`] makes: pieces as text. A character that is split between
/// two of them comes with the second. After an error it is over.
pub struct DecodedContent<'a> {
    content: IterContent<'a>,
    /// `None` once the rest was given out.
    decoder: Option<Box<Pieces>>,
}

impl<'a> DecodedContent<'a> {
    pub(super) fn new(mut content: IterContent<'a>) -> Self {
        let (said, at_start) = (content.response.stream_charset(), content.is_at_start());
        let kept = content.loan().and_then(Loan::decoder);
        let decoder = kept
            .and_then(|kept| kept.take_if(|kept| kept.said == said))
            .unwrap_or_else(|| Box::new(Pieces::new(said, at_start)));
        Self { content, decoder: Some(decoder) }
    }
}

impl Iterator for DecodedContent<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let decoder = self.decoder.as_mut()?;
        let mut text = String::new();
        while text.is_empty() {
            match self.content.next() {
                Some(Ok(piece)) => decoder.push(&piece, &mut text),
                Some(Err(error)) => {
                    self.decoder = None;
                    return Some(Err(error));
                }
                None => {
                    decoder.finish(&mut text);
                    self.decoder = None;
                    return (!text.is_empty()).then_some(Ok(text));
                }
            }
        }
        Some(Ok(text))
    }
}

impl Drop for DecodedContent<'_> {
    /// A character that was begun is the next reader's, whether that reads text or bytes.
    fn drop(&mut self) {
        let decoder = self.decoder.take();
        if let Some(kept) = self.content.loan().and_then(Loan::decoder) {
            *kept = decoder;
        }
    }
}

/// Decodes pieces.
pub(super) struct Pieces {
    /// What was said of the charset, and whether that is a guess.
    said: (Charset, bool),
    /// UTF-8 until something is not, and the charset said from there on.
    is_guess: bool,
    /// For a charset whose characters can't be told apart from here; it keeps what was begun.
    legacy: Option<Decoder>,
    /// The beginning of a character, in any other charset.
    pub(super) begun: Vec<u8>,
    /// Nothing was given out yet: a byte order mark is left out.
    at_start: bool,
}

impl Pieces {
    fn new(said: (Charset, bool), at_start: bool) -> Self {
        let (charset, is_guess) = said;
        let legacy = whole(charset, b"").is_none().then(|| charset.decoder());
        Self { said, is_guess, legacy, begun: Vec::new(), at_start }
    }

    fn push(&mut self, piece: &[u8], text: &mut String) {
        if self.begun.is_empty() {
            self.decode(piece, text);
        } else {
            let mut bytes = std::mem::take(&mut self.begun);
            bytes.extend_from_slice(piece);
            self.decode(&bytes, text);
        }
        if self.at_start && !text.is_empty() {
            self.at_start = false;
            if text.starts_with('\u{feff}') {
                text.remove(0);
            }
        }
    }

    fn decode(&mut self, bytes: &[u8], text: &mut String) {
        if let Some(decoder) = &mut self.legacy {
            return decoder.push(bytes, text);
        }
        let broken = std::str::from_utf8(bytes).err().and_then(|error| error.error_len());
        self.is_guess = self.is_guess && broken.is_none();
        let charset = if self.is_guess { Charset::Utf8 } else { self.said.0 };
        let length = whole(charset, bytes).unwrap_or(bytes.len());
        charset.decoder().push(&bytes[..length], text);
        self.begun.extend_from_slice(&bytes[length..]);
    }

    /// There is no more.
    fn finish(&mut self, text: &mut String) {
        let mut decoder = self.legacy.take().unwrap_or_else(|| self.said.0.decoder());
        decoder.push(&self.begun, text);
        decoder.finish(text);
    }
}

/// How many of the bytes are whole characters; the others begin one. `None` where that is not to be
/// seen without decoding all of them.
fn whole(charset: Charset, bytes: &[u8]) -> Option<usize> {
    let length = bytes.len();
    Some(match charset {
        Charset::Utf8 => {
            // What continues a character is no beginning of one, and none has four bytes to come.
            let continued = bytes.iter().rev().take(3).take_while(|byte| **byte & 0xc0 == 0x80);
            let last = length.saturating_sub(continued.count() + 1);
            match std::str::from_utf8(&bytes[last..]) {
                Err(error) if error.error_len().is_none() => last + error.valid_up_to(),
                _ => length,
            }
        }
        Charset::Utf16(order) => {
            let length = length - length % 2;
            let first = length.checked_sub(if order == Order::Big { 2 } else { 1 });
            let is_half = first.is_some_and(|first| matches!(bytes[first], 0xd8..=0xdb));
            if is_half { length - 2 } else { length }
        }
        Charset::Utf32(_) => length - length % 4,
        Charset::Latin1 => length,
        #[cfg(feature = "charset")]
        Charset::Legacy(_) => return None,
    })
}

impl std::fmt::Debug for DecodedContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecodedContent").field("content", &self.content).finish_non_exhaustive()
    }
}
