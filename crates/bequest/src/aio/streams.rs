//! Bodies that are read in parts, awaited.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use crate::error::{Error, Result};
use crate::response;

/// What the blocking iterators of the same names do, as streams.
macro_rules! streams {
    ($($(#[$doc:meta])* $name:ident: $item:ty;)*) => {$(
        $(#[$doc])*
        ///
        /// A [`Stream`], and [`next`](Self::next) needs no crate beside. Giving up waiting loses
        /// nothing: what had arrived comes with the next call.
        #[must_use = "nothing is read until a piece is asked for"]
        pub struct $name<'a>(response::$name<'a>);

        impl $name<'_> {
            /// The next one; `None` at the end.
            pub async fn next(&mut self) -> Option<Result<$item>> {
                poll_fn(|context| self.0.poll_next(context)).await
            }
        }

        impl Stream for $name<'_> {
            type Item = Result<$item>;

            fn poll_next(
                self: Pin<&mut Self>,
                context: &mut Context<'_>,
            ) -> Poll<Option<Self::Item>> {
                self.get_mut().0.poll_next(context)
            }
        }

        impl<'a> From<response::$name<'a>> for $name<'a> {
            fn from(blocking: response::$name<'a>) -> Self {
                Self(blocking)
            }
        }

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

streams! {
    /// What [`Response::iter_content`](super::Response::iter_content) makes: pieces of the body.
    /// After an error it is over.
    IterContent: Bytes;
    /// What [`Response::iter_lines`](super::Response::iter_lines) makes: lines without their ends.
    /// After an error it is over.
    IterLines: Bytes;
    /// What [`IterContent::decode_unicode`] makes: pieces as text. After an error it is over.
    DecodedContent: String;
    /// What [`IterLines::decode_unicode`] makes: lines as text. After an error it is over.
    DecodedLines: String;
}

impl<'a> IterContent<'a> {
    /// Pieces as text; see
    /// [the blocking one](crate::IterContent::decode_unicode).
    pub fn decode_unicode(self) -> DecodedContent<'a> {
        DecodedContent(self.0.decode_unicode())
    }
}

impl<'a> IterLines<'a> {
    /// Ends records at these bytes in place of line ends; see
    /// [the blocking one](crate::IterLines::delimiter).
    pub fn delimiter(self, delimiter: impl AsRef<[u8]>) -> Self {
        Self(self.0.delimiter(delimiter))
    }

    /// Lines as text; see [the blocking one](crate::IterLines::decode_unicode).
    pub fn decode_unicode(self) -> DecodedLines<'a> {
        DecodedLines(self.0.decode_unicode())
    }
}

/// What [`Response::reader`](super::Response::reader), [`Response::raw`](super::Response::raw) and
/// their owning forms make: tokio's [`AsyncRead`] and [`AsyncBufRead`]. Its errors are
/// [`io::Error`]s that hold this crate's: `Error::from(io_error)` gives it back.
pub struct Reader<'a>(response::Reader<'a>);

impl<'a> From<response::Reader<'a>> for Reader<'a> {
    fn from(blocking: response::Reader<'a>) -> Self {
        Self(blocking)
    }
}

impl AsyncRead for Reader<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_mut().0.poll_read(context, out).map_err(Error::into)
    }
}

impl AsyncBufRead for Reader<'_> {
    fn poll_fill_buf(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let reader = &mut self.get_mut().0;
        ready!(reader.poll_fill(context)).map_err(io::Error::from)?;
        Poll::Ready(Ok(reader.buffer()))
    }

    fn consume(self: Pin<&mut Self>, count: usize) {
        io::BufRead::consume(&mut self.get_mut().0, count);
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
