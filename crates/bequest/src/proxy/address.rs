//! The URL of a proxy.

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;
use crate::net::tls::Verify;
use crate::net::{ProxyProtocol, ProxyServer};
use crate::secrets::masked_text;

const PROTOCOLS: [ProxyProtocol; 6] = [
    ProxyProtocol::Http,
    ProxyProtocol::Https,
    ProxyProtocol::Socks4,
    ProxyProtocol::Socks4a,
    ProxyProtocol::Socks5,
    ProxyProtocol::Socks5h,
];

/// What a proxy's URL says.
pub(super) fn parse(text: &str) -> Result<ProxyServer> {
    let text = text.trim_matches(' ');
    let Some((scheme, rest)) = text.split_once("://") else {
        let (rule, remedy) = match text {
            "" => ("it is empty", "name a proxy, or say `direct()` for no proxy".to_owned()),
            text => ("it has no scheme", format!("write `http://{}`", masked_text(text))),
        };
        return Err(invalid(text, rule).remedied(remedy));
    };
    let protocol = protocol(text, scheme)?;
    check_authority(text, rest)?;
    // As a URL of http, whatever its scheme: one parser for all hosts.
    let url = parse_as("http", text, rest)?;
    let port = match url.port() {
        Some(port) => Some(port),
        // Port 80 is not written in such a URL, and 443 in one of https.
        None => parse_as("https", text, rest)?.port(),
    };
    if port == Some(0) {
        return Err(invalid(text, "nothing can listen on port 0"));
    }
    let host = url.host_str().filter(|host| !host.is_empty());
    let credentials = credentials(text, &url)?;
    Ok(ProxyServer {
        protocol,
        host: host.ok_or_else(|| invalid(text, "it names no host"))?.into(),
        port: port.unwrap_or_else(|| protocol.default_port()),
        credentials,
        verify: Verify::Yes,
        cert: None,
        headers: Headers::new(),
        proof: None,
    })
}

/// The same; without a scheme it is one of `http`, as variables of the environment are written.
pub(super) fn parse_variable(text: &str) -> Result<ProxyServer> {
    let text = text.trim_matches(' ');
    if text.contains("://") { parse(text) } else { parse(&format!("http://{text}")) }
}

fn protocol(text: &str, scheme: &str) -> Result<ProxyProtocol> {
    let known = PROTOCOLS.into_iter().find(|known| known.scheme().eq_ignore_ascii_case(scheme));
    let protocol = known.ok_or_else(|| {
        invalid(text, "its scheme is none that proxies are spoken to with")
            .remedied("write `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`")
    })?;
    let needed = match protocol {
        ProxyProtocol::Http => None,
        ProxyProtocol::Https => (!cfg!(feature = "tls")).then_some("tls"),
        ProxyProtocol::Socks4
        | ProxyProtocol::Socks4a
        | ProxyProtocol::Socks5
        | ProxyProtocol::Socks5h => (!cfg!(feature = "socks")).then_some("socks"),
    };
    match needed {
        None => Ok(protocol),
        Some(feature) => Err(Error::with(
            ErrorKind::Unsupported,
            format!("proxies of `{}` are not built in", protocol.scheme()),
        )
        .remedied(format!("build bequest with its feature `{feature}`"))),
    }
}

/// The standard forgives what must not be forgiven here: what other parsers read as another host.
fn check_authority(text: &str, rest: &str) -> Result<()> {
    if let Some(c) = rest.chars().find(|c| c.is_control() || c.is_whitespace() || *c == '\\') {
        return Err(invalid(text, &format!("it has {c:?}"))
            .remedied("percent-encode it in a user name or password; a host has none"));
    }
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.is_empty() || authority.starts_with('/') {
        return Err(invalid(text, "it names no host")
            .remedied("write `http://host:port`, with two slashes"));
    }
    match authority.chars().find(|c| matches!(c, '/' | '?' | '#')) {
        None => Ok(()),
        Some(c) => Err(invalid(text, &format!("a proxy has no path, but there is {c:?}"))
            .remedied("leave it out; percent-encode it in a user name or password")),
    }
}

fn parse_as(scheme: &str, text: &str, rest: &str) -> Result<Url> {
    Url::parse(&format!("{scheme}://{rest}")).map_err(|error| {
        invalid(text, &error.to_string()).remedied("write it as `http://user:password@host:port`")
    })
}

type Credentials = (Box<str>, Box<str>);

fn credentials(text: &str, url: &Url) -> Result<Option<Credentials>> {
    if url.username().is_empty() && url.password().is_none() {
        return Ok(None);
    }
    let decoded = |encoded: &str| {
        let decoded = percent_decode_str(encoded).decode_utf8();
        let decoded = decoded.map_err(|_| invalid(text, "user name or password is not UTF-8"))?;
        if decoded.contains(char::is_control) {
            return Err(invalid(text, "user name or password has a control character")
                .remedied("no proxy takes one (RFC 7617, section 2)"));
        }
        Ok(Box::from(decoded))
    };
    let password = url.password().unwrap_or_default();
    Ok(Some((decoded(url.username())?, decoded(password)?)))
}

fn invalid(text: &str, rule: &str) -> Error {
    let shown = masked_text(text);
    Error::with(ErrorKind::InvalidProxyUrl, format!("the proxy's URL `{shown}`: {rule}"))
}
