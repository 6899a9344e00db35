//! A request as a mock adapter saw it.

use std::fmt;

use bytes::Bytes;
use http::Method;
use url::Url;

use crate::error::Result;
use crate::headers::Headers;
use crate::request::PreparedRequest;
use crate::secrets;

/// A request that a [`MockAdapter`](crate::MockAdapter) got: as it would have been sent, Host and
/// the body's length included.
#[derive(Clone)]
pub struct SeenRequest {
    method: Method,
    url: Url,
    headers: Headers,
    body: Bytes,
}

impl SeenRequest {
    /// Reads the body, too: what can be read only once is spent, as if it had been sent.
    pub(super) async fn of(request: &PreparedRequest) -> Result<Self> {
        let body = request.body.gather().await?;
        let (method, url) = (request.method.clone(), request.url.clone());
        Ok(Self { method, url, headers: request.headers.clone(), body })
    }

    /// Its method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Where it went.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Its fields.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The first field of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// Its body, to its end.
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Its body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Its body as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidJson`](crate::ErrorKind::InvalidJson).
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let what = "the body is not the JSON that was asked for";
            crate::error::Error::with(crate::error::ErrorKind::InvalidJson, what).because(error)
        })
    }
}

impl fmt::Display for SeenRequest {
    /// Method and URL, secrets masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, secrets::masked(&self.url))
    }
}

impl fmt::Debug for SeenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeenRequest({self}, {} bytes)", self.body.len())
    }
}
