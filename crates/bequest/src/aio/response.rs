//! A response whose body is awaited.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use crate::error::Result;

/// A [`Response`](crate::Response) whose body is awaited. Everything else is the same: it derefs
/// to that one, whose own reading methods it replaces. `From` goes both ways.
pub struct Response(crate::response::Response);

impl Response {
    /// The whole body.
    ///
    /// # Errors
    /// Those of [`Response::content`](crate::Response::content).
    pub async fn content(&self) -> Result<Bytes> {
        self.0.collect().await
    }

    /// The body as text.
    ///
    /// # Errors
    /// Those of [`content`](Self::content).
    pub async fn text(&self) -> Result<String> {
        self.content().await.map(|content| self.0.decode(&content))
    }

    /// The body as JSON, read into a type of yours.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidJson`](crate::ErrorKind::InvalidJson); those of
    /// [`content`](Self::content).
    #[cfg(feature = "json")]
    pub async fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T> {
        self.content().await.and_then(|content| self.0.parse_json(&content))
    }

    /// Itself, unless the status is 400 to 599.
    ///
    /// # Errors
    /// [`ErrorKind::HttpStatus`](crate::ErrorKind::HttpStatus), with the response in it.
    pub fn error_for_status(self) -> Result<Self> {
        self.0.error_for_status().map(Self)
    }
}

impl Deref for Response {
    type Target = crate::response::Response;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl From<crate::response::Response> for Response {
    fn from(response: crate::response::Response) -> Self {
        Self(response)
    }
}

impl From<Response> for crate::response::Response {
    fn from(response: Response) -> Self {
        response.0
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
