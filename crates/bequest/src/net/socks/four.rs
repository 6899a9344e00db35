//! Messages of SOCKS 4 and 4a.

use std::net::{IpAddr, Ipv4Addr};

use super::{SocksTarget, not_socks};
use crate::error::{Error, ErrorKind, Result};
use crate::net::proxy_server::ProxyServer;

/// The length of a reply.
pub(super) const REPLY: usize = 8;
/// Longer ones are no DNS names, and no server takes longer users; the protocol has no limit.
const LONGEST: usize = 255;
/// An address that says that a name follows: `0.0.0.x`, but not `0.0.0.0`.
const NAME_FOLLOWS: Ipv4Addr = Ipv4Addr::new(0, 0, 0, 1);

pub(super) fn request(server: &ProxyServer, target: SocksTarget<'_>, port: u16) -> Result<Vec<u8>> {
    let (address, name) = match target {
        SocksTarget::Address(IpAddr::V4(address)) => (address, None),
        SocksTarget::Address(IpAddr::V6(address)) => {
            return Err(Error::with(
                ErrorKind::Connect,
                format!("SOCKS 4 has no IPv6 addresses, and the server's is [{address}]"),
            )
            .remedied("use a proxy that knows SOCKS 5: `socks5://`"));
        }
        SocksTarget::Name(name) => (NAME_FOLLOWS, Some(text("the host's name", name)?)),
    };
    // An address that says that a name follows would have the proxy wait for one.
    if name.is_none() && is_signal(address) {
        return Err(Error::with(ErrorKind::Connect, format!("{address} is nobody's address")));
    }
    let user = user(server)?;
    let mut request = vec![4, 1];
    request.extend_from_slice(&port.to_be_bytes());
    request.extend_from_slice(&address.octets());
    for text in [Some(user), name].into_iter().flatten() {
        request.extend_from_slice(text.as_bytes());
        request.push(0);
    }
    Ok(request)
}

fn is_signal(address: Ipv4Addr) -> bool {
    matches!(address.octets(), [0, 0, 0, last] if last != 0)
}

fn user(server: &ProxyServer) -> Result<&str> {
    match &server.credentials {
        None => Ok(""),
        Some((user, password)) if password.is_empty() => text("the user name", user),
        Some(_) => Err(Error::with(ErrorKind::InvalidProxyUrl, "SOCKS 4 has no passwords")
            .remedied("leave it out of the proxy's URL, or use SOCKS 5: `socks5://`")),
    }
}

/// What can stand before a zero byte.
fn text<'a>(which: &str, text: &'a str) -> Result<&'a str> {
    if text.len() > LONGEST {
        let what = format!("{which} has {} bytes, and SOCKS takes {LONGEST}", text.len());
        return Err(Error::with(ErrorKind::InvalidProxyUrl, what).remedied("write a shorter one"));
    }
    if text.contains('\0') {
        let what = format!("{which} has a zero byte, which would end it");
        return Err(Error::with(ErrorKind::InvalidProxyUrl, what).remedied("take it out"));
    }
    Ok(text)
}

/// As much as is there.
pub(super) fn check(reply: &[u8], target: &str) -> Result<()> {
    match *reply {
        // The version of the reply is 0.
        [version, ..] if version != 0 => Err(not_socks(version, 4)),
        [_, code, ..] if code != 90 => Err(refused(code, target)),
        _ => Ok(()),
    }
}

fn refused(code: u8, target: &str) -> Error {
    let (kind, reason, remedy) = match code {
        91 => (
            ErrorKind::Connect,
            "it refuses, or has failed to connect",
            "check host and port, and whether the proxy allows them",
        ),
        92 => (
            ErrorKind::Auth,
            "it can't ask this machine's identd who you are",
            "run identd here, or use a proxy that does not ask: `socks5://`",
        ),
        93 => (
            ErrorKind::Auth,
            "this machine's identd says that you are somebody else",
            "write your user name in the proxy's URL: `socks4://user@host`",
        ),
        _ => (ErrorKind::InvalidResponse, "it gives no known reason", "ask who runs the proxy"),
    };
    let what = format!("the SOCKS 4 proxy did not connect to {target}: {reason} (code {code})");
    Error::with(kind, what).remedied(remedy)
}
