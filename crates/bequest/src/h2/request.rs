//! The head of a request (RFC 9113, section 8.3.1).

use bytes::BytesMut;
use http::header::{HeaderName, HeaderValue};
use http::uri::{PathAndQuery, Scheme, Uri};
use http::{HeaderMap, Method, Request, Version};

use crate::error::{Error, ErrorKind, Result};
use crate::h1::{check_headers, check_target};
use crate::headers::Headers;
use crate::secrets::masked_text;

/// Fields of one connection, which HTTP/2 has none of (RFC 9113, section 8.2.2).
const OF_CONNECTIONS: [&str; 6] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
];

/// The head as it is sent: what the caller has said for HTTP/1.1, in the words of HTTP/2. Host is
/// `:authority`, names are in lower case, and what is about the connection is left out, as are the
/// fields that Connection names.
pub(crate) fn request(
    method: &Method,
    is_https: bool,
    target: &str,
    headers: &Headers,
) -> Result<Request<()>> {
    check_target(target)?;
    check_headers(headers)?;
    let mut request = Request::new(());
    *request.method_mut() = method.clone();
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = uri(is_https, target, headers)?;
    *request.headers_mut() = fields(headers)?;
    Ok(request)
}

fn uri(is_https: bool, target: &str, headers: &Headers) -> Result<Uri> {
    let scheme = if is_https { Scheme::HTTPS } else { Scheme::HTTP };
    let target = PathAndQuery::try_from(target)
        .ok()
        .filter(|path| path.as_str() == target)
        .ok_or_else(|| {
            let what = format!(
                "request target `{}`: HTTP/2 has a path, from its `/` on, and a query",
                masked_text(target)
            );
            Error::with(ErrorKind::InvalidUrl, what)
                .remedied("percent-encode what is not allowed there, or use HTTP/1.1")
        })?;
    let host = headers.get_bytes("Host").unwrap_or_default();
    let uri = Uri::builder().scheme(scheme).authority(host).path_and_query(target).build();
    uri.map_err(|error| {
        Error::with(ErrorKind::InvalidHeader, "Host names no server, which HTTP/2 needs")
            .remedied("leave the header out: bequest adds it")
            .because(error)
    })
}

fn fields(headers: &Headers) -> Result<HeaderMap> {
    let lists = headers.get_all_bytes("connection");
    let named: Vec<_> =
        lists.flat_map(|list| list.split(|&byte| byte == b',')).map(<[u8]>::trim_ascii).collect();
    let mut fields = HeaderMap::try_with_capacity(headers.len()).map_err(refused)?;
    // Values share one allocation.
    let mut values = BytesMut::with_capacity(headers.fields().map(|(_, value)| value.len()).sum());
    for (name, value) in headers.fields() {
        let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
        let is_te = is(b"te") && !value.trim_ascii().eq_ignore_ascii_case(b"trailers");
        let is_of_connection = OF_CONNECTIONS.iter().any(|known| is(known.as_bytes()));
        if is(b"host") || is_te || is_of_connection || named.iter().any(|named| is(named)) {
            continue;
        }
        let name = HeaderName::from_bytes(name).map_err(refused)?;
        values.extend_from_slice(value);
        let mut value = HeaderValue::from_maybe_shared(values.split().freeze()).map_err(refused)?;
        // Compression must not tell who guesses that the guess is right.
        value.set_sensitive(matches!(name.as_str(), "authorization" | "proxy-authorization"));
        fields.try_append(name, value).map_err(refused)?;
    }
    Ok(fields)
}

fn refused(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::with(ErrorKind::InvalidHeader, "a header can't be sent by HTTP/2").because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(target: &str, headers: &[(&str, &str)]) -> Result<Request<()>> {
        request(&Method::GET, true, target, &headers.into())
    }

    #[test]
    fn a_head_is_put_into_the_words_of_http_2() {
        let request = sent(
            "/a%20b?c=|{d}",
            &[
                ("Host", "example.org:8443"),
                ("X-Pizza", "Margherita"),
                ("Connection", "keep-alive, X-Hop"),
                ("Keep-Alive", "timeout=5"),
                ("x-hop", "1"),
                ("Transfer-Encoding", "chunked"),
                ("Upgrade", "websocket"),
                ("Proxy-Connection", "keep-alive"),
                ("TE", "gzip"),
                ("te", "trailers"),
                ("x-pizza", "caf\u{e9}"),
                ("Authorization", "Basic x"),
            ],
        );
        let request = request.unwrap();
        assert_eq!(request.version(), Version::HTTP_2);
        let uri = "https://example.org:8443/a%20b?c=|{d}";
        assert_eq!(request.uri().to_string(), uri);
        let fields: Vec<_> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let expected: [(&str, &[u8]); 4] = [
            ("x-pizza", b"Margherita"),
            ("x-pizza", "caf\u{e9}".as_bytes()),
            ("te", b"trailers"),
            ("authorization", b"Basic x"),
        ];
        assert_eq!(fields, expected);
        assert!(request.headers()["authorization"].is_sensitive());
    }

    #[test]
    fn what_has_no_place_in_http_2_is_refused() {
        let host = ("Host", "h");
        for target in ["", "a", "http://h/", "/a b", "/\u{e9}", "/a#b"] {
            let error = sent(target, &[host]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidUrl, "{target:?}");
        }
        for headers in [
            &[][..],
            &[("Host", "")],
            &[("Host", "a b")],
            &[host, ("a b", "")],
            &[host, ("x", "a\r\nb")],
        ] {
            let error = sent("/", headers).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{headers:?}");
        }
        let many = vec![("x", "y"); 40_000];
        let error = sent("/", &[&[host], &many[..]].concat()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidHeader, "{error}");
        assert_eq!(sent("*", &[host]).unwrap().uri().path(), "*");
    }
}
