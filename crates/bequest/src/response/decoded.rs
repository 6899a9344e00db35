//! Lines and pieces as text.

use std::task::{Context, Poll, ready};

use bytes::Bytes;

use super::iter::IterContent;
use super::lines::IterLines;
use super::loan::Loan;
use crate::charset::{Charset, Decoder, Order};
use crate::error::Result;
use crate::reactor;

/// What [`IterLines::decode_unicode`] makes: lines as text. After an error it is over.
#[derive(Debug)]
pub struct DecodedLines<'a> {
    lines: IterLines<'a>,
    /// `None` until the first line is asked for.
    said: Option<Said>,
}

impl<'a> DecodedLines<'a> {
    pub(super) fn new(lines: IterLines<'a>) -> Self {
        Self { lines, said: None }
    }

    /// Before the first line.
    fn poll_begin(&mut self, context: &mut Context<'_>) -> Poll<Said> {
        let mark = ready!(self.lines.poll_mark(context));
        let said = Said::by(mark, self.lines.loan());
        match said.charset {
            Charset::Utf16(order) => self.lines.widen(2, order == Order::Big),
            Charset::Utf32(order) => self.lines.widen(4, order == Order::Big),
            _ => {}
        }
        self.said = Some(said);
        Poll::Ready(said)
    }

    #[cfg(feature = "async")]
    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<String>>> {
        let said = match self.said {
            Some(said) => said,
            None => ready!(self.poll_begin(context)),
        };
        self.lines.poll_next(context).map(|line| line.map(|line| line.map(|it| said.decode(it))))
    }
}

/// What is said of the charset.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Said {
    charset: Charset,
    /// It is a guess, and what is valid UTF-8 is UTF-8.
    is_guess: bool,
}

impl Said {
    /// Where the body can't be read, it does not matter.
    fn by(mark: Option<Charset>, loan: Option<&Loan<'_>>) -> Self {
        let (charset, is_guess) = match (mark, loan) {
            (Some(marked), _) => (marked, false),
            (None, Some(loan)) => loan.response().stream_charset(),
            (None, None) => (Charset::Utf8, false),
        };
        Self { charset, is_guess }
    }

    fn decode(self, line: Bytes) -> String {
        if self.is_guess || self.charset == Charset::Utf8 {
            // A small line is a copy of its own, and becomes the text as it is.
            let text = String::from_utf8(line.into());
            return text.unwrap_or_else(|error| self.decode_as(error.as_bytes()));
        }
        self.decode_as(&line)
    }

    fn decode_as(self, line: &[u8]) -> String {
        let (mut decoder, mut text) = (self.charset.decoder(), String::new());
        decoder.push(line, &mut text);
        decoder.finish(&mut text);
        text
    }
}

impl Iterator for DecodedLines<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        let said = match self.said {
            Some(said) => said,
            None => match reactor::block_on_poll(|context| self.poll_begin(context)) {
                Ok(said) => said,
                Err(interrupted) => {
                    self.lines.fail(interrupted);
                    return self.next();
                }
            },
        };
        Some(self.lines.next()?.map(|line| said.decode(line)))
    }
}

/// What [`IterContent::decode_unicode`] makes: pieces as text. A character that is split between
/// two of them comes with the second. After an error it is over.
pub struct DecodedContent<'a> {
    content: IterContent<'a>,
    /// `None` until the first piece is asked for.
    decoder: Option<Box<Pieces>>,
    /// The rest was given out.
    is_over: bool,
}

impl<'a> DecodedContent<'a> {
    pub(super) fn new(content: IterContent<'a>) -> Self {
        Self { content, decoder: None, is_over: false }
    }

    /// Before the first piece: goes on where another stopped, if it went by the same charset.
    fn poll_begin(&mut self, context: &mut Context<'_>) -> Poll<Box<Pieces>> {
        let mark = ready!(self.content.poll_mark(context));
        let mut loan = self.content.loan();
        let said = Said::by(mark, loan.as_deref());
        let kept = loan.as_mut().and_then(|loan| loan.decoder());
        let kept = kept.and_then(|kept| kept.take_if(|kept| kept.said == said));
        Poll::Ready(kept.unwrap_or_else(|| Box::new(Pieces::new(said))))
    }

    pub(crate) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<String>>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let decoder = match &mut self.decoder {
            Some(decoder) => decoder,
            None => {
                let decoder = ready!(self.poll_begin(context));
                self.decoder.insert(decoder)
            }
        };
        let mut text = String::new();
        while text.is_empty() {
            match ready!(self.content.poll_next(context)) {
                Some(Ok(piece)) => decoder.push(&piece, &mut text),
                Some(Err(error)) => {
                    self.is_over = true;
                    return Poll::Ready(Some(Err(error)));
                }
                None => {
                    self.is_over = true;
                    decoder.finish(&mut text);
                    return Poll::Ready((!text.is_empty()).then_some(Ok(text)));
                }
            }
        }
        Poll::Ready(Some(Ok(text)))
    }
}

impl Iterator for DecodedContent<'_> {
    type Item = Result<String>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match reactor::block_on_poll(|context| self.poll_next(context)) {
                Ok(next) => return next,
                Err(interrupted) => self.content.fail(interrupted),
            }
        }
    }
}

impl Drop for DecodedContent<'_> {
    /// A character that was begun is the next reader's, whether that reads text or bytes.
    fn drop(&mut self) {
        if let Some(decoder) = self.decoder.take()
            && let Some(kept) = self.content.loan().and_then(Loan::decoder)
        {
            *kept = Some(decoder);
        }
    }
}

/// Decodes pieces.
pub(super) struct Pieces {
    said: Said,
    /// UTF-8 until something is not, and the charset said from there on.
    is_guess: bool,
    /// For a charset whose characters can't be told apart from here; it keeps what was begun.
    legacy: Option<Decoder>,
    /// The beginning of a character, in any other charset.
    pub(super) begun: Vec<u8>,
}

impl Pieces {
    fn new(said: Said) -> Self {
        let legacy = whole(said.charset, b"").is_none().then(|| said.charset.decoder());
        Self { said, is_guess: said.is_guess, legacy, begun: Vec::new() }
    }

    fn push(&mut self, piece: &[u8], text: &mut String) {
        if self.begun.is_empty() {
            self.decode(piece, text);
        } else {
            let mut bytes = std::mem::take(&mut self.begun);
            bytes.extend_from_slice(piece);
            self.decode(&bytes, text);
        }
    }

    fn decode(&mut self, bytes: &[u8], text: &mut String) {
        if let Some(decoder) = &mut self.legacy {
            return decoder.push(bytes, text);
        }
        let broken = std::str::from_utf8(bytes).err().and_then(|error| error.error_len());
        self.is_guess = self.is_guess && broken.is_none();
        let charset = if self.is_guess { Charset::Utf8 } else { self.said.charset };
        let length = whole(charset, bytes).unwrap_or(bytes.len());
        charset.decoder().push(&bytes[..length], text);
        self.begun.extend_from_slice(&bytes[length..]);
    }

    /// There is no more.
    fn finish(&mut self, text: &mut String) {
        let mut decoder = self.legacy.take().unwrap_or_else(|| self.said.charset.decoder());
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
