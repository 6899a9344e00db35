//! What goes out: bytes, files, readers, chunks, forms, and how they are framed.

#[cfg(feature = "async")]
mod awaited;
pub(crate) mod form;
mod framing;
#[cfg(feature = "multipart")]
pub(crate) mod multipart;
mod source;

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::future::poll_fn;
use std::io::{self, Read, Seek};
use std::sync::Arc;

use bytes::Bytes;
#[cfg(feature = "async")]
use futures_core::Stream;
#[cfg(feature = "async")]
use tokio::io::AsyncRead;

#[cfg(feature = "async")]
use self::awaited::{Items, Reading};
use crate::error::Result;
pub(crate) use framing::{RequestFraming, frame_request};
use source::Streamed;
pub(crate) use source::{Lease, Piece, Source};

/// The body of a request.
///
/// Text and bytes are made into one by `into()`, so is a [`File`], which is streamed from where it
/// stands. A reader or an iterator is streamed too; without a length it is sent chunked (RFC 9112,
/// section 7.1).
///
/// ```no_run
/// # use std::fs::File;
/// # use bequest::Body;
/// let url = "https://example.org/upload";
/// bequest::post(url).body("text").send()?;
/// bequest::post(url).body(File::open("massive-body")?).send()?; // with its Content-Length
/// bequest::post(url).body(Body::chunks(["hi", "there"])).send()?; // two chunks
/// bequest::post(url).body(Body::reader(std::io::stdin())).send()?;
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// Clones share what is streamed. What can be read only once is sent once; sending it again is
/// [`ErrorKind::UnrewindableBody`](crate::ErrorKind::UnrewindableBody). A file is rewound.
#[derive(Clone, Default)]
pub struct Body(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    Empty,
    Bytes(Bytes),
    Streamed(Arc<Streamed>),
}

impl Body {
    /// No body.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Anything that can be read, to its end. In async code it is read off the executor.
    pub fn reader(reader: impl Read + Send + 'static) -> Self {
        Self::streamed(Source::Reader(Box::new(reader)), None)
    }

    /// Each item is one chunk; empty ones are skipped.
    pub fn chunks<I>(chunks: I) -> Self
    where
        I: IntoIterator<Item: Into<Bytes>>,
        I::IntoIter: Send + 'static,
    {
        let chunks = chunks.into_iter().map(|chunk| Ok(chunk.into()));
        Self::streamed(Source::Chunks(Box::new(chunks)), None)
    }

    /// As [`chunks`](Self::chunks), for a source that can fail: an error ends the request.
    pub fn try_chunks<I, T>(chunks: I) -> Self
    where
        I: IntoIterator<Item = io::Result<T>>,
        I::IntoIter: Send + 'static,
        T: Into<Bytes>,
    {
        let chunks = chunks.into_iter().map(|chunk| chunk.map(Into::into));
        Self::streamed(Source::Chunks(Box::new(chunks)), None)
    }

    /// Each item of a stream is one chunk; empty ones are skipped, and an error ends the request.
    ///
    /// ```
    /// # let (server, other) = (testbed::Testbed::start(), testbed::Testbed::start());
    /// # let (from, to) = (server.url("/bytes/1000"), other.url("/post"));
    /// # let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    /// # runtime.block_on(async {
    /// use bequest::{Body, aio};
    ///
    /// let s = aio::Session::new();
    /// let r = s.get(&from).stream(true).send().await?;
    /// s.post(&to).body(Body::stream(r.into_iter_content(None))).send().await?;
    /// # Ok::<(), bequest::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// A blocking session polls it on the calling thread: there it must not need a runtime.
    #[cfg(feature = "async")]
    pub fn stream<S, T, E>(stream: S) -> Self
    where
        S: Stream<Item = std::result::Result<T, E>> + Send + 'static,
        T: Into<Bytes>,
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self::streamed(Source::Awaited(Box::new(Items(Box::pin(stream)))), None)
    }

    /// Anything that can be read by tokio's trait, to its end.
    ///
    /// A blocking session polls it on the calling thread: there it must not need a runtime.
    #[cfg(feature = "async")]
    pub fn async_reader(reader: impl AsyncRead + Send + 'static) -> Self {
        Self::streamed(Source::Awaited(Box::new(Reading(Box::pin(reader)))), None)
    }

    /// The length of what is streamed, to be sent as Content-Length in place of chunks. A source
    /// that gives more or less is
    /// [`ErrorKind::LengthMismatch`](crate::ErrorKind::LengthMismatch); a reader, or
    /// what is awaited, that has given all of it is not asked for more, since it may be a socket
    /// that stays open. Does nothing to bytes, whose length is known.
    #[must_use]
    pub fn with_length(self, length: u64) -> Self {
        match self.0 {
            Kind::Streamed(streamed) => match Arc::try_unwrap(streamed) {
                Ok(streamed) => Self(Kind::Streamed(Arc::new(streamed.with_length(length)))),
                Err(shared) => Self(Kind::Streamed(Arc::new(Streamed::sharing(&shared, length)))),
            },
            other => Self(other),
        }
    }

    /// How many bytes it has; `None` where only reading will tell.
    pub fn len(&self) -> Option<u64> {
        match &self.0 {
            Kind::Empty => Some(0),
            Kind::Bytes(bytes) => Some(bytes.len() as u64),
            Kind::Streamed(streamed) => streamed.length,
        }
    }

    /// Whether there is none. A stream is never empty: it has not been read yet.
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Kind::Empty => true,
            Kind::Bytes(bytes) => bytes.is_empty(),
            Kind::Streamed(_) => false,
        }
    }

    /// The bytes, unless it is streamed.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match &self.0 {
            Kind::Empty => Some(&[]),
            Kind::Bytes(bytes) => Some(bytes),
            Kind::Streamed(_) => None,
        }
    }

    fn streamed(source: Source, length: Option<u64>) -> Self {
        Self(Kind::Streamed(Arc::new(Streamed::new(source, length))))
    }

    /// The bytes, shared, unless it is streamed.
    pub(crate) fn bytes(&self) -> Option<Bytes> {
        match &self.0 {
            Kind::Empty => Some(Bytes::new()),
            Kind::Bytes(bytes) => Some(bytes.clone()),
            Kind::Streamed(_) => None,
        }
    }

    /// What is streamed, and nobody else's while the lease lasts.
    pub(crate) fn source(&self) -> Option<&Arc<Streamed>> {
        match &self.0 {
            Kind::Streamed(streamed) => Some(streamed),
            Kind::Empty | Kind::Bytes(_) => None,
        }
    }

    /// Reads all of it, and leaves it to be sent afterwards.
    ///
    /// # Errors
    /// It can be read only once, or reading fails.
    #[cfg(feature = "digest")]
    pub(crate) fn read_through(&self, mut each: impl FnMut(&[u8])) -> Result<()> {
        let Some(streamed) = self.source() else {
            each(self.as_bytes().unwrap_or_default());
            return Ok(());
        };
        let mut lease = streamed.lend()?;
        let mut room = vec![0; 64 * 1024];
        while let Some(source) = &mut lease.source {
            match source.next(&mut room)? {
                Piece::Read(count) => each(&room[..count]),
                Piece::Chunk(chunk) => each(&chunk),
                Piece::End => break,
            }
        }
        Ok(())
    }

    /// All of it, which may have to be awaited.
    ///
    /// # Errors
    /// It can be read only once and was, or reading fails.
    pub(crate) async fn gather(&self) -> Result<Bytes> {
        let Some(streamed) = self.source() else { return Ok(self.bytes().unwrap_or_default()) };
        let (mut lease, mut all) = (streamed.lend()?, Vec::new());
        let mut room = vec![0; 64 * 1024];
        while let Some(source) = &mut lease.source {
            match poll_fn(|context| source.poll_next(context, &mut room)).await? {
                Piece::Read(count) => all.extend_from_slice(&room[..count]),
                Piece::Chunk(chunk) => all.extend_from_slice(&chunk),
                Piece::End => break,
            }
        }
        Ok(all.into())
    }

    /// Whether it can be sent now: it is not being sent, and was not, or can be read again.
    pub(crate) fn can_be_lent(&self) -> bool {
        self.source().is_none_or(|streamed| streamed.check().is_ok())
    }

    /// Whether it can be sent once more.
    pub(crate) fn is_rewindable(&self) -> bool {
        self.source().is_none_or(|streamed| streamed.is_rewindable())
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Bytes(bytes))
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Bytes::from(text).into()
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        text.as_bytes().into()
    }
}

impl From<&String> for Body {
    fn from(text: &String) -> Self {
        text.as_str().into()
    }
}

impl From<Cow<'_, str>> for Body {
    fn from(text: Cow<'_, str>) -> Self {
        text.into_owned().into()
    }
}

impl From<&Vec<u8>> for Body {
    fn from(bytes: &Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl From<Box<[u8]>> for Body {
    fn from(bytes: Box<[u8]>) -> Self {
        Vec::from(bytes).into()
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Bytes::copy_from_slice(bytes).into()
    }
}

impl<const N: usize> From<&[u8; N]> for Body {
    fn from(bytes: &[u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl From<File> for Body {
    /// Streamed from its current position, with the rest of its length. What has neither, a pipe
    /// for example, is sent chunked.
    fn from(mut file: File) -> Self {
        let size = file.metadata().ok().filter(|metadata| metadata.is_file()).map(|m| m.len());
        let Ok(start) = file.stream_position() else { return Self::reader(file) };
        // Files that the system makes up as they are read say that they are empty.
        let length = match size {
            Some(0) if has_more(&mut file, start) => None,
            size => size.map(|size| size.saturating_sub(start)),
        };
        Self::streamed(Source::File { file, start }, length)
    }
}

fn has_more(file: &mut File, start: u64) -> bool {
    let more = matches!(file.read(&mut [0; 1]), Ok(1));
    more && file.seek(io::SeekFrom::Start(start)).is_ok()
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0, self.len()) {
            (Kind::Empty, _) => f.write_str("Body(empty)"),
            (Kind::Bytes(_), Some(length)) => write!(f, "Body({length} bytes)"),
            (_, Some(length)) => write!(f, "Body(streamed, {length} bytes)"),
            (_, None) => f.write_str("Body(streamed)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(Body::empty().len(), Some(0));
        assert_eq!(Body::from("\u{e9}").len(), Some(2));
        assert!(Body::from("").is_empty());
        let reader = || Body::reader(io::empty());
        assert_eq!((reader().len(), reader().is_empty()), (None, false));
        assert_eq!(reader().with_length(7).len(), Some(7));
        let shared = reader();
        assert_eq!(shared.clone().with_length(7).len(), Some(7));
        assert_eq!(shared.len(), None);
        assert_eq!(format!("{:?}", reader().with_length(7)), "Body(streamed, 7 bytes)");
    }

    #[test]
    fn files_have_the_length_of_their_rest() {
        let path = std::env::temp_dir().join(format!("bequest-body-{}", std::process::id()));
        std::fs::write(&path, "0123456789").unwrap();
        let mut file = File::open(&path).unwrap();
        file.seek(io::SeekFrom::Start(4)).unwrap();
        assert_eq!(Body::from(file).len(), Some(6));
        std::fs::write(&path, "").unwrap();
        assert_eq!(Body::from(File::open(&path).unwrap()).len(), Some(0));
        std::fs::remove_file(&path).unwrap();
        #[cfg(target_os = "linux")]
        assert_eq!(Body::from(File::open("/proc/self/status").unwrap()).len(), None);
    }

    #[test]
    fn only_what_can_be_read_again_is_rewindable() {
        assert!(Body::from("x").is_rewindable());
        assert!(!Body::reader(io::empty()).is_rewindable());
        assert!(!Body::chunks(["x"]).is_rewindable());
    }
}
