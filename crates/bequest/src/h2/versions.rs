//! Which versions of HTTP a request may be sent by.

/// Which versions of HTTP may be spoken; HTTP/1.1 alone, unless it is set (feature `http2`).
///
/// ```no_run
/// use bequest::{HttpVersions, Session};
///
/// let mut s = Session::new();
/// s.http_versions = Some(HttpVersions::Negotiate);
/// println!("{:?}", s.get("https://example.org/").send()?.version());
/// # Ok::<(), bequest::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpVersions {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// Over https HTTP/2 if the server speaks it, else HTTP/1.1: the handshake offers both (ALPN).
    /// Over http there is nothing to negotiate, and it is HTTP/1.1.
    Negotiate,
    /// HTTP/2 and nothing else: over https a server that does not speak it is an error, over http it
    /// is known beforehand that the server does. A proxy leads there by a tunnel.
    Http2,
}
