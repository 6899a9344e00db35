//! From and to the types of the `http` crate.

use http::{HeaderMap, Uri};

use super::{PreparedRequest, Request};
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result};
use crate::secrets;

impl<B: Into<Body>> TryFrom<http::Request<B>> for PreparedRequest {
    type Error = Error;

    /// Its URI must be a whole URL.
    ///
    /// # Errors
    /// Those of a [`Request`] with such a URL.
    fn try_from(request: http::Request<B>) -> Result<Self> {
        let (parts, body) = request.into_parts();
        let mut prepared = Request::new(parts.method.as_str(), parts.uri).prepare()?;
        prepared.method = parts.method;
        prepared.headers = parts.headers.into();
        prepared.body = body.into();
        prepared.extensions = parts.extensions;
        Ok(prepared)
    }
}

impl TryFrom<PreparedRequest> for http::Request<Body> {
    type Error = Error;

    /// Without hooks, options and auth, which `http::Request` has no place for. Names of headers
    /// are in lower case there.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUrl`] and [`ErrorKind::InvalidHeader`] for what the `http` crate does
    /// not take.
    fn try_from(request: PreparedRequest) -> Result<Self> {
        let uri: Uri = request.url.as_str().parse().map_err(|error| {
            let what = format!("URL `{}` is no http::Uri", secrets::masked(&request.url));
            Error::with(ErrorKind::InvalidUrl, what).because(error)
        })?;
        let headers = HeaderMap::try_from(&request.headers)?;
        let mut converted = Self::new(request.body);
        *converted.method_mut() = request.method;
        *converted.uri_mut() = uri;
        *converted.headers_mut() = headers;
        *converted.extensions_mut() = request.extensions;
        Ok(converted)
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn requests_come_and_go() {
        let given = http::Request::builder()
            .method("mkcol")
            .uri("http://h:81/a/../b?c=d")
            .header("X-One", "1")
            .extension(7_u8)
            .body("body")
            .unwrap();
        let prepared = PreparedRequest::try_from(given).unwrap();
        assert_eq!(prepared.method, Method::from_bytes(b"mkcol").unwrap());
        assert_eq!(prepared.url.as_str(), "http://h:81/b?c=d");
        assert_eq!(prepared.headers.get("x-one"), Some("1"));
        assert_eq!(prepared.body.as_bytes(), Some(&b"body"[..]));
        let back = http::Request::<Body>::try_from(prepared).unwrap();
        assert_eq!(
            (back.method().as_str(), back.uri()),
            ("mkcol", &"http://h:81/b?c=d".parse::<Uri>().unwrap())
        );
        assert_eq!(back.headers()["x-one"], "1");
        assert_eq!(back.extensions().get(), Some(&7_u8));
        assert_eq!(back.body().as_bytes(), Some(&b"body"[..]));
    }

    #[test]
    fn what_has_no_place_there_is_refused() {
        let relative = http::Request::builder().uri("/path").body("").unwrap();
        let error = PreparedRequest::try_from(relative).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingSchema);
        let mut prepared = Request::new("GET", "http://h/").prepare().unwrap();
        prepared.headers.insert("a b", "c");
        let error = http::Request::<Body>::try_from(prepared).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidHeader);
    }
}
