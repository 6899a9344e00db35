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

    fn decode(&mut self, line: &Bytes) -> String {
        let line = &line[..];
        let at_start = std::mem::take(&mut self.at_start);
        if self.is_guess
            && let Ok(text) = std::str::from_utf8(line)
        {
            return text.strip_prefix('\u{feff}').filter(|_| at_start).unwrap_or(text).to_owned();
        }
        if at_start {
            return self.charset.decode(line);
        }
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
        Some(line.map(|line| self.decode(&line)))
    }
}

/// What [`IterContent::decode_unicode`] makes: pieces as text. A character that is split between
/// two of them comes with the second. After an error it is over.
pub struct DecodedContent<'a> {
    content: IterContent<'a>,
    /// `None` once the rest was given out.
    decoder: Option<Box<Pieces>>,
    /// Nothing was given out yet: a byte order mark is left out.
    at_start: bool,
}

impl<'a> DecodedContent<'a> {
    pub(super) fn new(mut content: IterContent<'a>) -> Self {
        let at_start = content.is_at_start();
        let known = content.loan().and_then(Loan::decoder).and_then(Option::take);
        let decoder = known.unwrap_or_else(|| {
            Box::new(match content.response.stream_charset() {
                (_, true) => Pieces::Guessed(Vec::new()),
                (charset, false) => Pieces::Known(charset.decoder()),
            })
        });
        Self { content, decoder: Some(decoder), at_start }
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
            if !text.is_empty()
                && std::mem::take(&mut self.at_start)
                && text.starts_with('\u{feff}')
            {
                text.remove(0);
            }
        }
        Some(Ok(text))
    }
}

impl Drop for DecodedContent<'_> {
    /// A character that was begun is the next reader's.
    fn drop(&mut self) {
        let decoder = self.decoder.take();
        if let Some(kept) = self.content.loan().and_then(Loan::decoder) {
            *kept = decoder;
        }
    }
}

/// Decodes pieces.
pub(super) enum Pieces {
    Known(Decoder),
    /// UTF-8 until something is not, and ISO-8859-1 from there on; with the beginning of a
    /// character.
    Guessed(Vec<u8>),
}

impl Pieces {
    fn push(&mut self, piece: &[u8], text: &mut String) {
        let begun = match self {
            Self::Known(decoder) => return decoder.push(piece, text),
            Self::Guessed(begun) => begun,
        };
        begun.extend_from_slice(piece);
        match std::str::from_utf8(begun) {
            Ok(valid) => {
                text.push_str(valid);
                begun.clear();
            }
            Err(error) if error.error_len().is_none() => {
                let rest = begun.split_off(error.valid_up_to());
                text.push_str(&String::from_utf8_lossy(begun));
                *begun = rest;
            }
            Err(_) => {
                let mut decoder = Charset::Latin1.decoder();
                decoder.push(begun, text);
                *self = Self::Known(decoder);
            }
        }
    }

    fn finish(&mut self, text: &mut String) {
        match self {
            Self::Known(decoder) => decoder.finish(text),
            Self::Guessed(begun) => Charset::Latin1.decoder().push(begun, text),
        }
    }
}

impl std::fmt::Debug for DecodedContent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DecodedContent").field("content", &self.content).finish_non_exhaustive()
    }
}
