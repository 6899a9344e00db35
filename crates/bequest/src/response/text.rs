//! A body as text, and as JSON.

use super::Response;
use crate::error::Result;
#[cfg(feature = "json")]
use crate::error::{Error, ErrorKind};

const BOM: &[u8] = b"\xef\xbb\xbf";

impl Response {
    /// The body as text: ISO-8859-1 where Content-Type says that, UTF-8 else, without a byte order
    /// mark; what is not valid in it becomes U+FFFD.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub fn text(&self) -> Result<String> {
        self.content().map(|content| self.decode(&content))
    }

    pub(crate) fn decode(&self, content: &[u8]) -> String {
        if self.charset().is_some_and(|charset| is_latin1(&charset)) {
            return content.iter().copied().map(char::from).collect();
        }
        let content = content.strip_prefix(BOM).unwrap_or(content);
        String::from_utf8_lossy(content).into_owned()
    }

    /// The body as JSON, read into a type of yours.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidJson`], with this place in the text; those of
    /// [`content`](Self::content).
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.content().and_then(|content| self.parse_json(&content))
    }

    #[cfg(feature = "json")]
    pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(&self, content: &[u8]) -> Result<T> {
        let content = content.strip_prefix(BOM).unwrap_or(content);
        serde_json::from_slice(content).map_err(|error| {
            let what = match content {
                [] => "the body is empty, not JSON",
                _ => "the body is not the JSON asked for",
            };
            Error::with(ErrorKind::InvalidJson, what)
                .because(error)
                .of(&self.request().method, self.url())
        })
    }

    /// The charset parameter of Content-Type.
    fn charset(&self) -> Option<String> {
        let content_type = self.headers().get("content-type")?;
        content_type.split(';').skip(1).find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let found = name.trim().eq_ignore_ascii_case("charset");
            found.then(|| value.trim().trim_matches('"').to_owned())
        })
    }
}

fn is_latin1(charset: &str) -> bool {
    let names = ["iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1"];
    names.iter().any(|name| charset.eq_ignore_ascii_case(name))
}
