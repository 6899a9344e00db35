//! What a connection needs to know of a proxy.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::tls::{Identity, Verify};
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;
use crate::secrets::MASK;

/// What says where a request goes and ends.
const FRAMING: [&str; 3] = ["Host", "Content-Length", "Transfer-Encoding"];

/// A proxy, and how it is spoken to. Two that are equal can share connections.
#[derive(Clone)]
pub(crate) struct ProxyServer {
    pub(crate) protocol: ProxyProtocol,
    /// As a URL has it: an IPv6 address has brackets.
    pub(crate) host: Box<str>,
    pub(crate) port: u16,
    /// User and password, percent-decoded.
    pub(crate) credentials: Option<(Box<str>, Box<str>)>,
    /// How an `https` proxy itself is verified; what holds for the origin does not count here.
    pub(crate) verify: Verify,
    /// Who an `https` proxy is told that the client is, where it asks.
    pub(crate) cert: Option<Identity>,
    /// Fields that only the proxy sees, beside those that it needs.
    pub(crate) headers: Headers,
    /// Who proves to an `http` or `https` proxy that it may be used.
    pub(crate) proof: Option<Arc<dyn ProxyProof>>,
}

/// How a proxy is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ProxyProtocol {
    Http,
    /// HTTP within TLS.
    Https,
    Socks4,
    /// The proxy looks up names.
    Socks4a,
    Socks5,
    /// The proxy looks up names.
    Socks5h,
}

/// Proves to a proxy that it may be used. Those above this module know how.
pub(crate) trait ProxyProof: fmt::Debug + Send + Sync {
    /// The value of Proxy-Authorization for a request that no challenge has come for, if there is
    /// anything to say at once.
    fn at_once(&self, request: &ProxyRequest<'_>) -> Result<Option<Vec<u8>>>;

    /// The value for the same request once more, after the proxy has answered 407 with these
    /// fields; `None` if nothing can be said that it does not know: then the 407 stays.
    fn answer(&self, request: &ProxyRequest<'_>, challenge: &Headers) -> Result<Option<Vec<u8>>>;
}

/// What the proof is for.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(not(feature = "digest"), expect(dead_code, reason = "only Digest looks at them all"))]
pub(crate) struct ProxyRequest<'a> {
    pub(crate) server: &'a ProxyServer,
    pub(crate) method: &'a str,
    /// As it stands in the request line: `example.org:443` for CONNECT, else an absolute URL.
    pub(crate) target: &'a str,
    /// How many answers to a 407 have been sent for this request.
    pub(crate) answered: usize,
}

impl ProxyProtocol {
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Socks4 => "socks4",
            Self::Socks4a => "socks4a",
            Self::Socks5 => "socks5",
            Self::Socks5h => "socks5h",
        }
    }

    /// Where such a proxy listens unless its URL says it.
    pub(crate) fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
            Self::Socks4 | Self::Socks4a | Self::Socks5 | Self::Socks5h => 1080,
        }
    }
}

impl ProxyServer {
    /// The fields that only the proxy sees.
    ///
    /// # Errors
    /// One of them would make another request of it.
    pub(crate) fn own_fields(&self) -> Result<&Headers> {
        let is_framing = |name: &str| FRAMING.iter().any(|known| name.eq_ignore_ascii_case(known));
        match self.headers.iter().find(|(name, _)| is_framing(name)) {
            None => Ok(&self.headers),
            Some((name, _)) => {
                let what = format!("header `{name}` is the request's, not the proxy's");
                Err(Error::with(ErrorKind::InvalidHeader, what)
                    .remedied("leave it out of `Proxies::header`"))
            }
        }
    }
}

impl PartialEq for ProxyServer {
    fn eq(&self, other: &Self) -> bool {
        let Self { protocol, host, port, credentials, verify, cert, headers, proof } = self;
        *protocol == other.protocol
            && *host == other.host
            && *port == other.port
            && *credentials == other.credentials
            && *verify == other.verify
            && *cert == other.cert
            && *headers == other.headers
            // With known credentials, how they are proved does not make a connection different.
            && match (proof, &other.proof) {
                (Some(own), Some(other)) => credentials.is_some() || Arc::ptr_eq(own, other),
                (own, other) => own.is_none() == other.is_none(),
            }
    }
}

impl Eq for ProxyServer {}

impl Hash for ProxyServer {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self { protocol, host, port, credentials, verify, cert, headers: _, proof: _ } = self;
        (protocol, host, port, credentials, verify, cert).hash(state);
    }
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protocol, host, port, credentials, .. } = self;
        write!(f, "{}://", protocol.scheme())?;
        if credentials.is_some() {
            write!(f, "{MASK}@")?;
        }
        write!(f, "{host}:{port}")
    }
}

impl fmt::Debug for ProxyServer {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn server() -> ProxyServer {
        ProxyServer {
            protocol: ProxyProtocol::Http,
            host: "h".into(),
            port: 80,
            credentials: Some(("u".into(), "secret".into())),
            verify: Verify::Yes,
            cert: None,
            headers: Headers::new(),
            proof: None,
        }
    }

    #[test]
    fn credentials_are_not_shown() {
        assert_eq!(server().to_string(), "http://***@h:80");
        assert_eq!(format!("{:?}", server()), "http://***@h:80");
    }

    #[test]
    fn what_differs_shares_no_connection() {
        let others = [
            ProxyServer { protocol: ProxyProtocol::Https, ..server() },
            ProxyServer { host: "i".into(), ..server() },
            ProxyServer { port: 81, ..server() },
            ProxyServer { credentials: None, ..server() },
            ProxyServer { credentials: Some(("u".into(), "other".into())), ..server() },
            ProxyServer { verify: Verify::No, ..server() },
            ProxyServer { cert: Some("client.pem".into()), ..server() },
            ProxyServer { headers: Headers::from([("X-Team", "a")]), ..server() },
        ];
        let mut seen = HashSet::from([server()]);
        assert!(seen.contains(&server()));
        for other in others {
            assert!(seen.insert(other.clone()), "{other:?}");
        }
    }
}
