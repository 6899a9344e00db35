//! Bodies in parts, of either door: what the async door awaits is an iterator or a reader here.
//! Each wait of it is given up once before it is waited for: that must lose nothing.

use std::io::{self, BufRead, Read};

use bequest::{Bytes, Result};

use super::Reply;
#[cfg(feature = "async")]
use super::tokio_runtime::{block_on, give_up};

macro_rules! streams {
    ($($name:ident: $item:ty;)*) => {$(
        pub(crate) enum $name<'a> {
            Blocking(bequest::$name<'a>),
            #[cfg(feature = "async")]
            Aio(bequest::aio::$name<'a>),
        }

        impl Iterator for $name<'_> {
            type Item = Result<$item>;

            fn next(&mut self) -> Option<Self::Item> {
                match self {
                    Self::Blocking(items) => items.next(),
                    #[cfg(feature = "async")]
                    Self::Aio(items) => match give_up(items.next()) {
                        Some(next) => next,
                        None => block_on(items.next()),
                    },
                }
            }
        }
    )*};
}

streams! {
    IterContent: Bytes;
    IterLines: Bytes;
    DecodedContent: String;
    DecodedLines: String;
}

/// The same method of either door's.
macro_rules! each {
    ($self:expr, $type:ident, $it:ident => $what:expr) => {
        match $self {
            Self::Blocking($it) => $type::Blocking($what),
            #[cfg(feature = "async")]
            Self::Aio($it) => $type::Aio($what),
        }
    };
}

impl<'a> IterContent<'a> {
    pub(crate) fn decode_unicode(self) -> DecodedContent<'a> {
        each!(self, DecodedContent, it => it.decode_unicode())
    }
}

impl<'a> IterLines<'a> {
    pub(crate) fn decode_unicode(self) -> DecodedLines<'a> {
        each!(self, DecodedLines, it => it.decode_unicode())
    }

    pub(crate) fn delimiter(self, delimiter: &str) -> Self {
        each!(self, IterLines, it => it.delimiter(delimiter))
    }
}

pub(crate) enum Reader<'a> {
    Blocking(bequest::Reader<'a>),
    #[cfg(feature = "async")]
    Aio(bequest::aio::Reader<'a>),
}

impl Read for Reader<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Blocking(reader) => reader.read(out),
            #[cfg(feature = "async")]
            Self::Aio(reader) => {
                use tokio::io::AsyncReadExt;
                match give_up(reader.read(out)) {
                    Some(read) => read,
                    None => block_on(reader.read(out)),
                }
            }
        }
    }
}

impl BufRead for Reader<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Blocking(reader) => reader.fill_buf(),
            #[cfg(feature = "async")]
            Self::Aio(reader) => {
                use tokio::io::AsyncBufReadExt;
                let _ = give_up(reader.fill_buf());
                block_on(reader.fill_buf())
            }
        }
    }

    fn consume(&mut self, count: usize) {
        match self {
            Self::Blocking(reader) => reader.consume(count),
            #[cfg(feature = "async")]
            Self::Aio(reader) => tokio::io::AsyncBufReadExt::consume(reader, count),
        }
    }
}

impl Reply {
    pub(crate) fn iter_content(&self, size: impl Into<Option<usize>>) -> IterContent<'_> {
        each!(self, IterContent, r => r.iter_content(size))
    }

    pub(crate) fn into_iter_content(self, size: impl Into<Option<usize>>) -> IterContent<'static> {
        each!(self, IterContent, r => r.into_iter_content(size))
    }

    pub(crate) fn iter_lines(&self) -> IterLines<'_> {
        each!(self, IterLines, r => r.iter_lines())
    }

    pub(crate) fn into_iter_lines(self) -> IterLines<'static> {
        each!(self, IterLines, r => r.into_iter_lines())
    }

    pub(crate) fn reader(&self) -> Reader<'_> {
        each!(self, Reader, r => r.reader())
    }

    pub(crate) fn into_reader(self) -> Reader<'static> {
        each!(self, Reader, r => r.into_reader())
    }

    pub(crate) fn raw(&self) -> Reader<'_> {
        each!(self, Reader, r => r.raw())
    }

    pub(crate) fn into_raw(self) -> Reader<'static> {
        each!(self, Reader, r => r.into_raw())
    }
}
