//! Content codings (RFC 9110, section 8.4): what a body was packed in, and how it is unpacked.

mod brotli;
mod deflate;
mod gzip;
mod stage;
#[cfg(test)]
mod tests;
mod zstd;

use super::incoming::Incoming;
use crate::error::{Error, ErrorKind, Phase};
use crate::headers::Headers;
use stage::{Refused, Stage};

/// What a session says that it takes (Requests' order).
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// A longer chain has no use but to make a small body large.
const MOST_CODINGS: usize = 5;

/// A coding that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    pub(crate) fn named(name: &str) -> Option<Self> {
        let names = [
            ("gzip", Self::Gzip),
            ("x-gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("br", Self::Brotli),
            ("zstd", Self::Zstd),
        ];
        let known = names.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        known.map(|(_, coding)| *coding)
    }

    /// Its name in Content-Encoding.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    pub(crate) fn decoder(self) -> Box<dyn Decode> {
        match self {
            Self::Gzip => Box::new(gzip::Gzip::new()),
            Self::Deflate => Box::new(deflate::Deflate::new()),
            Self::Brotli => Box::new(brotli::Brotli::new()),
            Self::Zstd => Box::new(zstd::Zstd::new()),
        }
    }
}

/// Undoes one coding, as far as there are input and room.
///
/// A push that leaves room in the output has given all that it can give without more input.
pub(crate) trait Decode: Send {
    fn push(&mut self, input: &[u8], output: &mut [u8]) -> Result<Pushed, Broken>;

    /// Whether the data may end here.
    fn is_whole(&self) -> bool;

    /// Whether what follows the end of the data is ignored, as Requests does for this coding.
    fn ignores_rest(&self) -> bool {
        false
    }
}

/// What a push did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pushed {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
    /// Nothing that follows belongs to the data.
    pub(crate) ended: bool,
}

/// What is wrong with the data.
#[derive(Debug)]
pub(crate) struct Broken(pub(crate) String);

impl Broken {
    fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// What a response says of its body.
#[derive(Debug)]
pub(super) enum Codings {
    /// In the order in which they were applied.
    Known(Vec<Coding>),
    /// Why they can't be undone.
    Refused(String),
}

impl Codings {
    /// `None` if there is nothing to undo: no coding, or a single one that nobody knows, whose
    /// bytes are handed out as they are (as Requests does).
    #[inline]
    pub(super) fn of(headers: &Headers) -> Option<Self> {
        if headers.contains("Content-Encoding") { Self::read(headers) } else { None }
    }

    #[cold]
    fn read(headers: &Headers) -> Option<Self> {
        let mut names = Vec::new();
        for field in headers.get_all("content-encoding") {
            for name in field.split(',').map(str::trim) {
                if name.is_empty() || name.eq_ignore_ascii_case("identity") {
                    continue;
                }
                if names.len() == MOST_CODINGS {
                    return Some(Self::Refused(format!("of more than {MOST_CODINGS} codings")));
                }
                names.push(name);
            }
        }
        if names.is_empty() {
            return None;
        }
        let mut known = Vec::with_capacity(names.len());
        for name in &names {
            match Coding::named(name) {
                Some(coding) => known.push(coding),
                None if names.len() == 1 => return None,
                None => return Some(Self::Refused(format!("with the unknown coding `{name}`"))),
            }
        }
        Some(Self::Known(known))
    }

    /// The body as it was before it was coded: what was applied last is undone first.
    pub(super) fn undo(self, body: Box<dyn Incoming>) -> Box<dyn Incoming> {
        match self {
            Self::Known(codings) => codings.iter().rfold(body, |body, coding| {
                Box::new(Stage::new(coding.name(), coding.decoder(), body))
            }),
            Self::Refused(why) => {
                Box::new(Refused(failed(format!("a Content-Encoding {why} is not decoded"))))
            }
        }
    }
}

fn failed(what: String) -> Error {
    Error::with(ErrorKind::ContentDecoding, what)
        .remedied("`.stream(true)` and `raw()` give the bytes as they were sent")
        .during(Phase::Body)
}
