//! Messages of SOCKS 5.

use std::net::IpAddr;

use super::{SocksTarget, not_socks};
use crate::error::{Error, ErrorKind, Result};
use crate::net::proxy_server::ProxyServer;

const NO_AUTHENTICATION: u8 = 0;
const USER_AND_PASSWORD: u8 = 2;
const NONE_ACCEPTABLE: u8 = 0xff;

const CONNECT: u8 = 1;
const IPV4: u8 = 1;
const NAME: u8 = 3;
const IPV6: u8 = 4;

/// Up to the length of a name; the shortest reply is longer.
const REPLY_HEAD: usize = 5;

/// How the proxy wants to know who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    Nothing,
    Login,
}

/// The ways that it may choose from.
pub(super) fn greeting(has_login: bool) -> Vec<u8> {
    if has_login {
        vec![5, 2, NO_AUTHENTICATION, USER_AND_PASSWORD]
    } else {
        vec![5, 1, NO_AUTHENTICATION]
    }
}

/// User and password (RFC 1929).
pub(super) fn login(server: &ProxyServer) -> Result<Option<Vec<u8>>> {
    let Some((user, password)) = &server.credentials else { return Ok(None) };
    let mut login = vec![1];
    push_short(&mut login, user)
        .map_err(|length| too_long(ErrorKind::InvalidProxyUrl, "the user name", length))?;
    push_short(&mut login, password)
        .map_err(|length| too_long(ErrorKind::InvalidProxyUrl, "the password", length))?;
    Ok(Some(login))
}

pub(super) fn request(target: SocksTarget<'_>, port: u16) -> Result<Vec<u8>> {
    let mut request = vec![5, CONNECT, 0];
    match target {
        SocksTarget::Address(IpAddr::V4(address)) => {
            request.push(IPV4);
            request.extend_from_slice(&address.octets());
        }
        SocksTarget::Address(IpAddr::V6(address)) => {
            request.push(IPV6);
            request.extend_from_slice(&address.octets());
        }
        SocksTarget::Name(name) => {
            request.push(NAME);
            push_short(&mut request, name)
                .map_err(|length| too_long(ErrorKind::InvalidUrl, "the host's name", length))?;
        }
    }
    request.extend_from_slice(&port.to_be_bytes());
    Ok(request)
}

/// Text behind its length; what is too long is told.
fn push_short(out: &mut Vec<u8>, text: &str) -> Result<(), usize> {
    out.push(u8::try_from(text.len()).map_err(|_| text.len())?);
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn too_long(kind: ErrorKind, which: &str, length: usize) -> Error {
    Error::with(kind, format!("{which} has {length} bytes, and SOCKS 5 takes 255"))
        .remedied("write a shorter one")
}

pub(super) fn check_method(reply: &[u8], has_login: bool) -> Result<()> {
    match *reply {
        [version, ..] if version != 5 => Err(not_socks(version, 5)),
        [_, NO_AUTHENTICATION] => Ok(()),
        [_, USER_AND_PASSWORD] if has_login => Ok(()),
        [_, NONE_ACCEPTABLE] if has_login => Err(Error::with(
            ErrorKind::Auth,
            "the SOCKS 5 proxy takes neither user and password nor nobody",
        )
        .remedied("it may want GSSAPI, which is not built: use another proxy")),
        [_, NONE_ACCEPTABLE] => {
            Err(Error::with(ErrorKind::Auth, "the SOCKS 5 proxy wants to know who asks")
                .remedied("write user and password in its URL: `socks5h://user:password@host`"))
        }
        [_, method] => Err(Error::with(
            ErrorKind::InvalidResponse,
            format!("the SOCKS 5 proxy chose authentication {method}, which was not offered"),
        )
        .remedied("use another proxy")),
        _ => Ok(()),
    }
}

/// The one that was chosen.
pub(super) fn method(reply: &[u8]) -> Option<Method> {
    match *reply {
        [_, NO_AUTHENTICATION] => Some(Method::Nothing),
        [_, USER_AND_PASSWORD] => Some(Method::Login),
        _ => None,
    }
}

/// The version is not looked at, as by curl: there are proxies that have another one here.
pub(super) fn check_login(reply: &[u8]) -> Result<()> {
    match *reply {
        [_, status] if status != 0 => Err(Error::with(
            ErrorKind::Auth,
            format!("the SOCKS 5 proxy refused user and password (status {status})"),
        )
        .remedied("check them; in the proxy's URL they are percent-encoded")),
        _ => Ok(()),
    }
}

/// How long a reply is of which this is the beginning; its first part, as long as that is unknown.
pub(super) fn reply_length(reply: &[u8]) -> usize {
    match *reply {
        [_, _, _, IPV4, _, ..] => 4 + 4 + 2,
        [_, _, _, NAME, length, ..] => 4 + 1 + usize::from(length) + 2,
        [_, _, _, IPV6, _, ..] => 4 + 16 + 2,
        _ => REPLY_HEAD,
    }
}

/// As much as is there. Where the proxy has bound its own end does not matter.
pub(super) fn check(reply: &[u8], target: &str, is_name: bool) -> Result<()> {
    match *reply {
        [version, ..] if version != 5 => Err(not_socks(version, 5)),
        [_, code, ..] if code != 0 => Err(refused(code, target, is_name)),
        [_, _, _, IPV4 | NAME | IPV6, ..] => Ok(()),
        [_, _, _, kind, ..] => Err(Error::with(
            ErrorKind::InvalidResponse,
            format!("the SOCKS 5 proxy's reply has an address of the unknown type {kind}"),
        )
        .remedied("use another proxy")),
        _ => Ok(()),
    }
}

fn refused(code: u8, target: &str, is_name: bool) -> Error {
    let host = if is_name { "check the name" } else { "check the address" };
    let (reason, remedy) = match code {
        1 => ("it has failed", "its log may say why"),
        2 => ("its rules don't allow it", "ask who runs the proxy"),
        3 => ("it can't reach that network", host),
        4 => ("it can't reach the host", host),
        5 => ("the connection was refused", "nothing listens there: check the port"),
        6 => ("the way there is too long (TTL expired)", "look at the proxy's network"),
        7 => ("it does not know CONNECT", "use another proxy"),
        8 if is_name => {
            ("it takes no names", "have them looked up here: write `socks5://` in its URL")
        }
        8 => ("it does not take such an address", "give it names: write `socks5h://` in its URL"),
        _ => ("it gives no known reason", "ask who runs the proxy"),
    };
    let what = format!("the SOCKS 5 proxy did not connect to {target}: {reason} (code {code})");
    Error::with(ErrorKind::Connect, what).remedied(remedy)
}
