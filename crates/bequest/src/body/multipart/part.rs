//! One part of a form.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::Path;

use bytes::Bytes;

use crate::body::Body;
use crate::error::{Error, ErrorKind, Result};
use crate::h1;
use crate::headers::{Headers, ToHeaderValue};

/// A part of a form that has files ([`Request::files`](crate::Request::files)): what it contains,
/// and what is said of it (RFC 7578, section 4).
///
/// ```no_run
/// use bequest::{Body, Part};
///
/// let url = "https://httpbin.org/post";
/// bequest::post(url).files([("file", Part::file("report.xls")?)]).send()?;
/// bequest::post(url)
///     .files([
///         ("images", Part::file("foo.png")?.mime("image/png")),
///         ("images", Part::file("bar.png")?.guess_mime()),
///         ("log", Part::new(Body::reader(std::io::stdin())).file_name("log.txt")),
///         ("note", Part::field("no file, a plain field").header("X-Lang", "en")),
///     ])
///     .form([("field", "value")])
///     .send()?;
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// Text, bytes, a [`File`] and a [`Body`] are parts by themselves; so are pairs of a file name and
/// one of these, and triples with the media type behind.
#[derive(Clone)]
pub struct Part {
    body: Body,
    file_name: FileName,
    mime: Mime,
    headers: Headers,
}

#[derive(Clone, Debug)]
enum FileName {
    /// The name of the field, as in Requests.
    Field,
    Given(String),
    /// It is no file.
    None,
}

#[derive(Clone, Debug)]
enum Mime {
    None,
    Given(String),
    Guessed,
}

impl Part {
    /// A part with that content. As in Requests, its file name is the name of its field, until
    /// [`file_name`](Self::file_name) gives it another.
    pub fn new(content: impl Into<Body>) -> Self {
        Self {
            body: content.into(),
            file_name: FileName::Field,
            mime: Mime::None,
            headers: Headers::new(),
        }
    }

    /// The file of that path, with the last component as its name. It is opened now, and read when
    /// the request is sent.
    ///
    /// # Errors
    /// [`ErrorKind::Io`], if it can't be opened, or is a directory.
    pub fn file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // A directory can be opened, and not read.
        let open = || match File::open(path)? {
            file if file.metadata()?.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            file => Ok(file),
        };
        let file = open().map_err(|error: io::Error| {
            let shown = path.display().to_string();
            Error::with(ErrorKind::Io, format!("file `{}` can't be opened", shown.escape_debug()))
                .because(error)
        })?;
        let part = Self::new(file);
        Ok(match path.file_name() {
            Some(name) => part.file_name(name.to_string_lossy()),
            None => part,
        })
    }

    /// A field that is no file: without a file name.
    pub fn field(content: impl Into<Body>) -> Self {
        Self { file_name: FileName::None, ..Self::new(content) }
    }

    /// Sets the file name; it may be empty.
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>) -> Self {
        self.file_name = FileName::Given(name.into());
        self
    }

    /// Sets the media type. Without one, the part has no Content-Type.
    #[must_use]
    pub fn mime(mut self, mime: impl Into<String>) -> Self {
        self.mime = Mime::Given(mime.into());
        self
    }

    /// Has the media type guessed from the ending of the file name; `application/octet-stream`
    /// where that says nothing.
    #[must_use]
    pub fn guess_mime(mut self) -> Self {
        self.mime = Mime::Guessed;
        self
    }

    /// Sets a header of the part, behind Content-Disposition and Content-Type; or in place of
    /// them, if it is one of these.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl ToHeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    /// What stands before its content, as a part of that name.
    pub(super) fn head(&self, name: &str) -> Result<Vec<u8>> {
        let file_name = match &self.file_name {
            FileName::Field => Some(name),
            FileName::Given(name) => Some(name.as_str()),
            FileName::None => None,
        };
        let mime = match &self.mime {
            Mime::None => None,
            Mime::Given(mime) => Some(mime.as_str()),
            Mime::Guessed => mime_guess::from_path(file_name.unwrap_or_default())
                .first_raw()
                .or(Some("application/octet-stream")),
        };
        head(name, file_name, mime, Some(&self.headers))
    }
}

/// Content-Disposition, Content-Type, the rest.
pub(super) fn head(
    name: &str,
    file_name: Option<&str>,
    mime: Option<&str>,
    headers: Option<&Headers>,
) -> Result<Vec<u8>> {
    let says = |name| headers.is_some_and(|headers| headers.contains(name));
    let mut out = Vec::new();
    if !says("content-disposition") {
        out.extend_from_slice(b"Content-Disposition: form-data; name=");
        quote(&mut out, name);
        if let Some(file_name) = file_name {
            out.extend_from_slice(b"; filename=");
            quote(&mut out, file_name);
        }
        out.extend_from_slice(b"\r\n");
    }
    let mut rest = Headers::new();
    if let Some(mime) = mime.filter(|_| !says("content-type")) {
        rest.append("Content-Type", mime);
    }
    if let Some(headers) = headers {
        rest.extend(headers);
    }
    h1::check_headers(&rest)?;
    rest.write_to(&mut out);
    out.extend_from_slice(b"\r\n");
    Ok(out)
}

/// As browsers do (WHATWG HTML, multipart/form-data encoding algorithm), and nothing more: what
/// would end the value or the line is escaped.
fn quote(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for &byte in text.as_bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"%22"),
            b'\r' => out.extend_from_slice(b"%0D"),
            b'\n' => out.extend_from_slice(b"%0A"),
            byte => out.push(byte),
        }
    }
    out.push(b'"');
}

macro_rules! from_content {
    ($($content:ty),*) => {$(
        impl From<$content> for Part {
            fn from(content: $content) -> Self {
                Self::new(content)
            }
        }
    )*};
}

from_content!(Body, Bytes, File, Vec<u8>, &[u8], String, &String, &str);

impl<const N: usize> From<&[u8; N]> for Part {
    fn from(content: &[u8; N]) -> Self {
        Self::new(content)
    }
}

impl<N: Into<String>, B: Into<Body>> From<(N, B)> for Part {
    /// File name and content.
    fn from((file_name, content): (N, B)) -> Self {
        Self::new(content).file_name(file_name)
    }
}

impl<N: Into<String>, B: Into<Body>, M: Into<String>> From<(N, B, M)> for Part {
    /// File name, content, media type.
    fn from((file_name, content, mime): (N, B, M)) -> Self {
        Self::new(content).file_name(file_name).mime(mime)
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Part")
            .field("file_name", &self.file_name)
            .field("mime", &self.mime)
            .field("headers", &self.headers)
            .field("body", &self.body)
            .finish()
    }
}
