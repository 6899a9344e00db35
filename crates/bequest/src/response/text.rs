//! A body as text, and as JSON.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::Response;
use super::content_type::ContentType;
use crate::charset::{Charset, Detector, StandardDetector, mark};
use crate::error::Result;
#[cfg(feature = "json")]
use crate::error::{Error, ErrorKind};

/// How a response's charset is found, and what was found.
#[derive(Debug, Default)]
pub(crate) struct Encoding {
    /// What the caller says: a label, or that it is to be detected.
    said: Option<Option<Box<str>>>,
    detected: OnceLock<Option<Box<str>>>,
}

/// What says in which charset a body is.
enum Source<'a> {
    /// The caller, or Content-Type.
    Label(Cow<'a, str>),
    /// That it is text, and no more is said.
    OldRule,
    Json,
    Nothing,
}

impl Response {
    /// The charset that [`text`](Self::text) goes by: what was [set](Self::set_encoding), else the
    /// charset of Content-Type, else ISO-8859-1 for `text/...` (so says Requests, and an old RFC)
    /// and UTF-8 for JSON. `None` where nothing says it, so that it is detected.
    ///
    /// ```
    /// # use bequest::Response;
    /// let r = Response::builder().header("Content-Type", "text/html; charset=\"UTF-8\"").build()?;
    /// assert_eq!(r.encoding().as_deref(), Some("UTF-8"));
    /// # Ok::<(), bequest::Error>(())
    /// ```
    pub fn encoding(&self) -> Option<Cow<'_, str>> {
        Some(match self.source() {
            Source::Label(label) => label,
            Source::OldRule => Cow::Borrowed("ISO-8859-1"),
            Source::Json => Cow::Borrowed("utf-8"),
            Source::Nothing => return None,
        })
    }

    fn source(&self) -> Source<'_> {
        if let Some(said) = &self.0.head.encoding.said {
            let label = said.as_deref().map(Cow::Borrowed);
            return label.map_or(Source::Nothing, Source::Label);
        }
        let content_type = self.headers().get("content-type").unwrap_or_default();
        let content_type = ContentType::parse(content_type);
        match content_type.parameter("charset") {
            Some(label) => Source::Label(label),
            None if content_type.is_text() && self.text_is_latin1() => Source::OldRule,
            None if content_type.is_json() => Source::Json,
            None => Source::Nothing,
        }
    }

    /// Says which charset [`text`](Self::text) goes by, whatever the server says; `None` lets it be
    /// detected.
    ///
    /// ```
    /// # use bequest::Response;
    /// let mut r = Response::builder().body(&b"caf\xe9"[..]).build()?;
    /// r.set_encoding("iso-8859-1");
    /// assert_eq!(r.text()?, "caf\u{e9}");
    /// # Ok::<(), bequest::Error>(())
    /// ```
    pub fn set_encoding<'a>(&mut self, label: impl Into<Option<&'a str>>) {
        self.head_mut().encoding.said = Some(label.into().map(Box::from));
    }

    /// The charset that the body seems to be in; `None` if that can't be told. It is detected once.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub fn apparent_encoding(&self) -> Result<Option<&str>> {
        self.content().map(|content| self.detect(&content))
    }

    pub(crate) fn detect(&self, content: &[u8]) -> Option<&str> {
        let detector = self.request().settings().and_then(|settings| settings.detector.as_ref());
        let found = self.0.head.encoding.detected.get_or_init(|| {
            let found = match detector {
                Some(detector) => detector.detect(content),
                None => StandardDetector.detect(content),
            };
            found.map(String::into_boxed_str)
        });
        found.as_deref()
    }

    /// The rule of RFC 2616, unless the settings of the request say otherwise.
    fn text_is_latin1(&self) -> bool {
        self.request().settings().is_none_or(|settings| settings.text_is_latin1)
    }

    /// The body as text: in the charset that a byte order mark says, else in
    /// [`encoding`](Self::encoding), else in [`apparent_encoding`](Self::apparent_encoding). Where
    /// the encoding is ISO-8859-1 only since nothing says another, what is valid UTF-8 is UTF-8.
    /// What is not valid in its charset becomes U+FFFD; a charset that nobody knows counts as UTF-8.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub fn text(&self) -> Result<String> {
        self.content().map(|content| self.decode(&content))
    }

    /// The body as text in this charset, whatever else is said.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub fn text_with(&self, label: &str) -> Result<String> {
        self.content().map(|content| named(label).decode(&content))
    }

    pub(crate) fn decode(&self, content: &[u8]) -> String {
        if let Some((charset, _)) = mark(content) {
            return charset.decode(content);
        }
        let charset = match self.source() {
            Source::Label(label) => named(&label),
            // The rule is a guess, and nothing is valid UTF-8 by chance.
            Source::OldRule => match std::str::from_utf8(content) {
                Ok(text) => return text.to_owned(),
                Err(_) => Charset::Latin1,
            },
            Source::Json => Charset::Utf8,
            Source::Nothing => self.detect(content).map_or(Charset::Utf8, named),
        };
        charset.decode(content)
    }

    /// The charset of a body that is read in pieces, and whether it is but a guess.
    pub(super) fn stream_charset(&self) -> (Charset, bool) {
        match self.source() {
            Source::Label(label) => (named(&label), false),
            Source::OldRule => (Charset::Latin1, true),
            Source::Json | Source::Nothing => (Charset::Utf8, false),
        }
    }

    /// The body as JSON, read into a type of yours. It may be in UTF-8, UTF-16 or UTF-32, with or
    /// without a byte order mark.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidJson`], with the place in the text, and what the server has sent instead
    /// where status or Content-Type tell; those of
    /// [`content`](Self::content).
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.content().and_then(|content| self.parse_json(&content))
    }

    #[cfg(feature = "json")]
    pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(&self, content: &[u8]) -> Result<T> {
        let parsed = match json_charset(content) {
            (Charset::Utf8, mark) => {
                let json = content.get(mark..).unwrap_or_default();
                // JSON is UTF-8 (RFC 8259), but some is what Content-Type says it is.
                match self.encoding().map(|label| named(&label)) {
                    Some(charset) if charset != Charset::Utf8 && !is_utf8(json) => {
                        serde_json::from_str(&charset.decode(json))
                    }
                    _ => serde_json::from_slice(json),
                }
            }
            (wide, _) => serde_json::from_str(&wide.decode(content)),
        };
        parsed.map_err(|error| {
            let what = match content {
                [] => "the body is empty, not JSON",
                _ => "the body is not the JSON asked for",
            };
            let error = Error::with(ErrorKind::InvalidJson, what).because(error);
            let error = match self.instead_of_json() {
                Some(remedy) => error.remedied(remedy),
                None => error,
            };
            error.of(&self.request().method, self.url())
        })
    }

    /// Most that is no JSON is a page about an error, or about something to do before.
    #[cfg(feature = "json")]
    fn instead_of_json(&self) -> Option<String> {
        if !self.ok() {
            let status = self.status();
            return Some(format!("{status} has come: `error_for_status` asks"));
        }
        let content_type = ContentType::parse(self.headers().get("content-type")?);
        if content_type.is_json() {
            return None;
        }
        let media_type: String = content_type.media_type.chars().take(100).collect();
        Some(format!("it is said to be `{media_type}`: `text` shows it"))
    }
}

#[cfg(feature = "async")]
pub(crate) fn decode_as(label: &str, content: &[u8]) -> String {
    named(label).decode(content)
}

/// What the label means; UTF-8 if nobody knows, as in Requests.
fn named(label: &str) -> Charset {
    Charset::named(label).unwrap_or(Charset::Utf8)
}

#[cfg(feature = "json")]
fn is_utf8(json: &[u8]) -> bool {
    std::str::from_utf8(json).is_ok()
}

/// The charset of a JSON text, and the length of its byte order mark. JSON begins with ASCII, so
/// that zero bytes tell the others apart (RFC 4627, section 3).
#[cfg(feature = "json")]
fn json_charset(content: &[u8]) -> (Charset, usize) {
    use crate::charset::Order::{Big, Little};
    if let Some(marked) = mark(content) {
        return marked;
    }
    let charset = match *content {
        [0, 0, 0, 1..=255, ..] => Charset::Utf32(Big),
        [1..=255, 0, 0, 0, ..] => Charset::Utf32(Little),
        [0, 1..=255, ..] => Charset::Utf16(Big),
        [1..=255, 0, ..] => Charset::Utf16(Little),
        _ => Charset::Utf8,
    };
    (charset, 0)
}
