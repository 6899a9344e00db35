//! From and to the types of the `http` crate.

use bytes::Bytes;
use http::HeaderMap;

use super::{Response, ResponseBuilder};
use crate::body::Body;
use crate::error::{Error, Result};

impl<B: Into<Body>> TryFrom<http::Response<B>> for Response {
    type Error = Error;

    /// With the usual reason phrase of its status, since `http::Response` has none.
    ///
    /// # Errors
    /// A streamed body that was read already is
    /// [`ErrorKind::UnrewindableBody`](crate::ErrorKind::UnrewindableBody).
    fn try_from(response: http::Response<B>) -> Result<Self> {
        let (parts, body) = response.into_parts();
        let mut builder = ResponseBuilder::new().status(parts.status.as_u16()).body(body);
        builder.version = parts.version;
        builder.headers = parts.headers.into();
        builder.extensions = parts.extensions;
        builder.build()
    }
}

impl TryFrom<Response> for http::Response<Bytes> {
    type Error = Error;

    /// Reads the body, if it was not read yet.
    ///
    /// # Errors
    /// Those of [`Response::content`].
    fn try_from(response: Response) -> Result<Self> {
        let mut converted = Self::new(response.content()?);
        *converted.status_mut() = response.status();
        *converted.version_mut() = response.version();
        *converted.headers_mut() = HeaderMap::try_from(response.headers())?;
        *converted.extensions_mut() = response.extensions().clone();
        Ok(converted)
    }
}

#[cfg(test)]
mod tests {
    use http::{StatusCode, Version};

    use super::*;

    #[test]
    fn responses_come_and_go() {
        let given = http::Response::builder()
            .status(404)
            .version(Version::HTTP_10)
            .header("X-Why", "gone")
            .extension(7_u8)
            .body("no such page")
            .unwrap();
        let r = Response::try_from(given).unwrap();
        assert_eq!((r.status(), r.version()), (StatusCode::NOT_FOUND, Version::HTTP_10));
        assert_eq!((r.reason(), r.headers().get("x-why")), ("Not Found", Some("gone")));
        assert_eq!(r.text().unwrap(), "no such page");
        let back = http::Response::<Bytes>::try_from(r).unwrap();
        assert_eq!((back.status(), back.version()), (StatusCode::NOT_FOUND, Version::HTTP_10));
        assert_eq!(back.headers()["x-why"], "gone");
        assert_eq!(back.extensions().get(), Some(&7_u8));
        assert_eq!(back.body(), "no such page");
    }

    #[test]
    fn a_body_that_fails_fails_the_conversion() {
        let body = Body::try_chunks([Ok("a"), Err(std::io::Error::other("broken"))]);
        let r = Response::builder().body(body).build().unwrap();
        assert!(http::Response::<Bytes>::try_from(r).is_err());
    }
}
