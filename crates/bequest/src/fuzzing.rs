//! What the fuzz targets see of the crate's inside. It is there with `--cfg fuzzing` only, and
//! promises nothing.

#[cfg(feature = "socks")]
mod proxies;

use std::os::fd::OwnedFd;

#[cfg(feature = "cookies")]
pub use cookies::{Cookies, cookie_date, plain_cookie_date};
use http::{Method, StatusCode, Version};
#[cfg(feature = "socks")]
pub use proxies::{ProxyUrl, goes_directly, proxy_url, socks};

use crate::auth;
#[cfg(feature = "digest")]
use crate::auth::challenge;
use crate::charset::Charset;
use crate::error::Result;
use crate::h1::{self, Limits};
use crate::headers::Headers;
use crate::reactor::given::SOCKETS;
use crate::response::ContentType;
#[cfg(feature = "compression")]
use crate::response::{Coding, Decode};

/// Finds and reads a response's head.
#[derive(Debug, Default)]
pub struct HeadReader(h1::HeadReader);

impl HeadReader {
    /// The head and how many bytes of `input` it took, once it is whole.
    ///
    /// # Errors
    /// It is malformed.
    pub fn read(&mut self, input: &[u8]) -> Result<Option<(Head, usize)>> {
        let read = self.0.read(input, &Limits::default())?;
        Ok(read.map(|(head, taken)| (Head(head), taken)))
    }
}

/// The head of a response.
#[derive(Debug)]
pub struct Head(h1::ResponseHead);

impl Head {
    /// HTTP/1.0 or HTTP/1.1.
    pub fn version(&self) -> Version {
        self.0.version
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The reason phrase.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The fields.
    pub fn headers(&self) -> &Headers {
        &self.0.headers
    }

    /// Where the body ends, and whether the connection may be used again behind it.
    ///
    /// # Errors
    /// The head contradicts itself.
    pub fn frame(&self, method: &Method) -> Result<(Framing, bool)> {
        let framed = h1::frame_response(method, &self.0)?;
        let framing = match framed.framing {
            h1::Framing::Length(length) => Framing::Length(length),
            h1::Framing::Chunked => Framing::Chunked,
            h1::Framing::UntilClose => Framing::UntilClose,
        };
        Ok((framing, framed.keep_alive))
    }
}

/// Where a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// After this many bytes.
    Length(u64),
    /// Behind the last chunk.
    Chunked,
    /// Where the connection ends.
    UntilClose,
}

/// Finds the data in a chunked body.
#[derive(Debug)]
pub struct ChunkedDecoder(h1::ChunkedDecoder);

/// What the next bytes of a chunked body are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkStep {
    /// At most that much data.
    Data(u64),
    /// Not there yet.
    More,
    /// Behind the body.
    Done,
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        Self(h1::ChunkedDecoder::new())
    }
}

impl ChunkedDecoder {
    /// Reads what is not data; says how many bytes that was, and what follows.
    ///
    /// # Errors
    /// The body is malformed.
    pub fn step(&mut self, input: &[u8]) -> Result<(usize, ChunkStep)> {
        let (taken, step) = self.0.step(input, &Limits::default())?;
        let step = match step {
            h1::ChunkStep::Data(left) => ChunkStep::Data(left),
            h1::ChunkStep::More => ChunkStep::More,
            h1::ChunkStep::Done => ChunkStep::Done,
        };
        Ok((taken, step))
    }

    /// That much of the data was taken.
    pub fn took(&mut self, count: u64) {
        self.0.took(count);
    }

    /// The fields behind the last chunk.
    ///
    /// # Errors
    /// They are malformed.
    pub fn trailers(&self) -> Result<Headers> {
        self.0.trailers(&Limits::default())
    }
}

/// Undoes one content coding.
#[cfg(feature = "compression")]
pub struct Decoder(Box<dyn Decode>);

#[cfg(feature = "compression")]
impl Decoder {
    /// One for the coding of this name.
    ///
    /// # Panics
    /// There is none.
    #[expect(clippy::expect_used, reason = "a mistake of the target's")]
    pub fn of(name: &str) -> Self {
        Self(Coding::named(name).expect("a known coding").decoder())
    }

    /// Decodes; says how much it took, how much came, and whether all that follows is not of it.
    ///
    /// # Errors
    /// The data is broken.
    pub fn push(&mut self, input: &[u8], out: &mut [u8]) -> Result<(usize, usize, bool), String> {
        let pushed = self.0.push(input, out).map_err(|broken| broken.0)?;
        Ok((pushed.consumed, pushed.produced, pushed.ended))
    }

    /// Whether the data may end here.
    pub fn is_whole(&self) -> bool {
        self.0.is_whole()
    }
}

#[cfg(feature = "compression")]
impl std::fmt::Debug for Decoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decoder").finish_non_exhaustive()
    }
}

/// The pieces decoded one after the other, and what they are when decoded as one; `None` if nobody
/// knows the label. A byte order mark is left out of the latter only.
pub fn decode(label: &str, pieces: &[&[u8]]) -> Option<(String, String)> {
    let charset = Charset::named(label)?;
    let (mut decoder, mut text) = (charset.decoder(), String::new());
    for piece in pieces {
        decoder.push(piece, &mut text);
    }
    decoder.finish(&mut text);
    Some((text, charset.decode(&pieces.concat())))
}

/// A netrc file.
#[derive(Debug, PartialEq, Eq)]
pub struct Netrc(auth::Netrc);

impl Netrc {
    /// `None` if it is malformed.
    pub fn parse(text: &str) -> Option<Self> {
        auth::Netrc::parse(text).map(Self)
    }

    /// Whether it has something for a host.
    pub fn has(&self, host: &str) -> bool {
        self.0.find(host).is_some()
    }

    /// The same entries, with each word in quotes.
    pub fn rewritten(&self) -> String {
        self.0.to_string()
    }
}

/// What Content-Type says: the media type, whether it is text, whether it is JSON, and the charset.
pub fn content_type(value: &str) -> (&str, bool, bool, Option<String>) {
    let read = ContentType::parse(value);
    let charset = read.parameter("charset").map(|charset| charset.into_owned());
    (read.media_type, read.is_text(), read.is_json(), charset)
}

/// A challenge: its scheme, what may stand in place of parameters, and these.
#[cfg(feature = "digest")]
pub type Challenge = (String, Option<String>, Vec<(String, Vec<u8>)>);

/// The challenges of WWW-Authenticate fields.
#[cfg(feature = "digest")]
pub fn challenges(fields: &[&[u8]]) -> Vec<Challenge> {
    let found = challenge::challenges(fields.iter().copied());
    let owned = |params: &challenge::AuthParams<'_>| {
        params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    let told = |one: challenge::Challenge<'_>| {
        (one.scheme.to_owned(), one.token68.map(str::to_owned), owned(&one.params))
    };
    found.into_iter().map(told).collect()
}

/// The next connections that this thread opens are these, in this order. What is left of earlier ones
/// is closed.
pub fn connections(sockets: impl IntoIterator<Item = OwnedFd>) {
    SOCKETS.set(sockets.into_iter().collect());
}

/// How many of them were not used.
pub fn unused_connections() -> usize {
    SOCKETS.with_borrow(|sockets| sockets.len())
}

#[cfg(feature = "cookies")]
mod cookies {
    use std::time::{Duration, SystemTime};

    use url::Url;

    use crate::cookies::model::{Asked, Model, date};
    use crate::cookies::{CookieJar, date_for_fuzzing};

    /// Seconds since 1970.
    pub fn cookie_date(text: &[u8]) -> Option<i64> {
        date_for_fuzzing(text)
    }

    /// The same, as the RFC's words are.
    pub fn plain_cookie_date(text: &[u8]) -> Option<i64> {
        date(text)
    }

    /// A jar, and a plain one that must do the same. Its clock stands still.
    #[derive(Debug)]
    pub struct Cookies {
        jar: CookieJar,
        model: Model,
        now: SystemTime,
    }

    impl Default for Cookies {
        fn default() -> Self {
            Self { jar: CookieJar::new(), model: Model::default(), now: SystemTime::now() }
        }
    }

    impl Cookies {
        /// So much time goes by.
        pub fn wait(&mut self, seconds: u64) {
            self.now += Duration::from_secs(seconds);
        }

        /// An answer from there has the field.
        pub fn receive(&mut self, url: &Url, field: &[u8]) {
            self.jar.store_at(url, [field].into_iter(), self.now);
            self.model.receive(asked(url), field, self.now);
        }

        /// What a request has, from the jar and from the plain one.
        pub fn send(&mut self, url: &Url) -> (Vec<u8>, Vec<u8>) {
            let header = self.jar.header_at::<&str, &str>(url, &[], self.now);
            (header.unwrap_or_default(), self.model.header(asked(url), self.now))
        }
    }

    fn asked(url: &Url) -> Asked<'_> {
        let host = url.host_str().unwrap_or_default();
        Asked { secure: url.scheme() == "https", host, path: url.path() }
    }
}
