//! Proxies: their URLs, what goes without them, and what SOCKS proxies say.

use url::Url;

use crate::error::Result;
use crate::net::{ProxyProtocol, ProxyServer, Socks, SocksStep, SocksTarget};
use crate::proxy::Proxies;

/// What a proxy's URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyUrl {
    /// How it is spoken to.
    pub scheme: &'static str,
    /// As a URL has it.
    pub host: String,
    /// Where it listens.
    pub port: u16,
    /// User and password.
    pub credentials: Option<(String, String)>,
}

/// Reads a proxy's URL.
///
/// # Errors
/// It can't be used.
///
/// # Panics
/// It is not for all.
#[expect(clippy::expect_used, reason = "a mistake of the target's")]
pub fn proxy_url(text: &str) -> Result<ProxyUrl> {
    let proxies = Proxies::new().all(text)?;
    let url = Url::parse("http://h/").expect("a URL");
    let server = proxies.select(&url)?.expect("it is for all");
    Ok(ProxyUrl {
        scheme: server.protocol.scheme(),
        host: server.host.to_string(),
        port: server.port,
        credentials: server
            .credentials
            .as_ref()
            .map(|(user, password)| (user.to_string(), password.to_string())),
    })
}

/// Whether the list has the URL reached directly.
///
/// # Panics
/// The proxy can't be used.
#[expect(clippy::expect_used, reason = "a mistake of the target's")]
pub fn goes_directly(list: &str, url: &Url) -> bool {
    let proxies = Proxies::new().all("http://proxy").expect("a proxy").no_proxy(list);
    proxies.select(url).expect("it can be used").is_none()
}

/// Talks to a SOCKS proxy whose replies come in pieces of this length at most: all that was said to
/// it, and how many bytes of the replies were taken.
///
/// # Errors
/// There is no connection to the target.
///
/// # Panics
/// More was taken than was asked for.
pub fn socks(
    is_five: bool,
    has_login: bool,
    replies: &[u8],
    at_once: usize,
) -> Result<(Vec<u8>, usize)> {
    let protocol = if is_five { ProxyProtocol::Socks5h } else { ProxyProtocol::Socks4a };
    let password = if is_five { "password" } else { "" };
    let server = ProxyServer {
        protocol,
        host: "proxy".into(),
        port: 1080,
        credentials: has_login.then(|| ("user".into(), password.into())),
        verify: crate::net::tls::Verify::Yes,
        cert: None,
        headers: crate::headers::Headers::new(),
        proof: None,
    };
    let mut socks = Socks::new(&server, SocksTarget::Name("example.org"), 443)?;
    let (mut said, mut taken) = (Vec::new(), 0);
    loop {
        match socks.turn() {
            SocksStep::Send(bytes) => {
                said.extend_from_slice(bytes);
                socks.sent();
            }
            SocksStep::Receive(most) => {
                assert!(most > 0, "nothing is waited for");
                let there = replies.get(taken..).unwrap_or_default();
                let piece = there.get(..most.min(at_once)).unwrap_or(there);
                if piece.is_empty() {
                    return Err(socks.closed());
                }
                socks.received(piece)?;
                taken += piece.len();
            }
            SocksStep::Done => return Ok((said, taken)),
        }
    }
}
