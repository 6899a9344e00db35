//! The client's side of SOCKS 4, 4a and 5 (RFC 1928, RFC 1929), without sockets.
//!
//! Who has the connection to the proxy does what [`Socks::turn`] says until it is done; what comes
//! on it afterwards is the target's.

mod five;
mod four;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;

use self::five::Method;
use super::proxy_server::{ProxyProtocol, ProxyServer};
use crate::error::{Error, ErrorKind, Result};

/// Where the proxy shall connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SocksTarget<'a> {
    Address(IpAddr),
    /// The proxy looks it up.
    Name(&'a str),
}

impl<'a> SocksTarget<'a> {
    /// The host of a URL, if this proxy takes it as it is; `None` if it must be looked up here.
    pub(crate) fn of(protocol: ProxyProtocol, host: &'a str) -> Option<Self> {
        let literal = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        if let Ok(address) = literal.unwrap_or(host).parse() {
            return Some(Self::Address(address));
        }
        matches!(protocol, ProxyProtocol::Socks4a | ProxyProtocol::Socks5h)
            .then_some(Self::Name(host))
    }
}

/// A conversation with a proxy, which ends with a connection to the target.
pub(crate) struct Socks {
    state: State,
    out: Vec<u8>,
    /// Of the message that is being read.
    read: Vec<u8>,
    /// What is sent once a way to authenticate is agreed on; nothing for SOCKS 4.
    login: Option<Vec<u8>>,
    request: Vec<u8>,
    /// How the target is called in errors.
    target: String,
    is_name: bool,
}

/// What is to be done next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SocksStep<'a> {
    /// Send all of this, then say so by [`Socks::sent`].
    Send(&'a [u8]),
    /// Receive so many bytes at most, never more, and give them to [`Socks::received`].
    Receive(usize),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// And then awaiting the reply.
    Sending(Reply),
    Awaiting(Reply),
    Done,
}

/// Which message comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    Four,
    Method,
    Login,
    Five,
}

impl Socks {
    /// # Errors
    /// What can't be said in the proxy's protocol.
    pub(crate) fn new(server: &ProxyServer, target: SocksTarget<'_>, port: u16) -> Result<Self> {
        let (request, login, out, reply) = match server.protocol {
            ProxyProtocol::Socks4 | ProxyProtocol::Socks4a => {
                (Vec::new(), None, four::request(server, target, port)?, Reply::Four)
            }
            _ => {
                let login = five::login(server)?;
                let greeting = five::greeting(login.is_some());
                (five::request(target, port)?, login, greeting, Reply::Method)
            }
        };
        let (target, is_name) = match target {
            SocksTarget::Address(IpAddr::V6(address)) => (format!("[{address}]:{port}"), false),
            SocksTarget::Address(address) => (format!("{address}:{port}"), false),
            SocksTarget::Name(name) => (format!("{name}:{port}"), true),
        };
        let state = State::Sending(reply);
        Ok(Self { state, out, read: Vec::new(), login, request, target, is_name })
    }

    pub(crate) fn turn(&self) -> SocksStep<'_> {
        match self.state {
            State::Sending(_) => SocksStep::Send(&self.out),
            State::Awaiting(reply) => SocksStep::Receive(self.wanted(reply)),
            State::Done => SocksStep::Done,
        }
    }

    /// All that was to be sent is sent.
    pub(crate) fn sent(&mut self) {
        if let State::Sending(reply) = self.state {
            self.out.clear();
            self.read.clear();
            self.state = State::Awaiting(reply);
        }
    }

    /// # Errors
    /// The proxy refuses, or speaks something else; or there was more than was to be received.
    pub(crate) fn received(&mut self, bytes: &[u8]) -> Result<()> {
        let State::Awaiting(reply) = self.state else { return Err(unasked()) };
        if bytes.len() > self.wanted(reply) {
            return Err(unasked());
        }
        self.read.extend_from_slice(bytes);
        match reply {
            Reply::Four => four::check(&self.read, &self.target)?,
            Reply::Method => five::check_method(&self.read, self.login.is_some())?,
            Reply::Login => five::check_login(&self.read)?,
            Reply::Five => five::check(&self.read, &self.target, self.is_name)?,
        }
        if self.wanted(reply) == 0 {
            self.go_on(reply);
        }
        Ok(())
    }

    /// The proxy has closed the connection.
    pub(crate) fn closed(&self) -> Error {
        let error = Error::with(
            ErrorKind::Disconnected,
            format!("the proxy closed the connection instead of connecting to {}", self.target),
        );
        match self.state {
            State::Awaiting(Reply::Login) => error.remedied("check user name and password"),
            _ => error.remedied("check that it is a SOCKS proxy and of this version"),
        }
    }

    fn go_on(&mut self, reply: Reply) {
        let next = match reply {
            Reply::Method => match (five::method(&self.read), &mut self.login) {
                (Some(Method::Login), Some(login)) => {
                    self.out = std::mem::take(login);
                    Some(Reply::Login)
                }
                _ => Some(Reply::Five),
            },
            Reply::Login => Some(Reply::Five),
            Reply::Four | Reply::Five => None,
        };
        self.state = match next {
            None => State::Done,
            Some(reply) => {
                if reply == Reply::Five {
                    self.out = std::mem::take(&mut self.request);
                }
                State::Sending(reply)
            }
        };
    }

    /// How many bytes of the reply may be there without those of the target.
    fn wanted(&self, reply: Reply) -> usize {
        let length = match reply {
            Reply::Four => four::REPLY,
            Reply::Method | Reply::Login => 2,
            Reply::Five => five::reply_length(&self.read),
        };
        length.saturating_sub(self.read.len())
    }
}

fn unasked() -> Error {
    Error::with(ErrorKind::InvalidResponse, "the SOCKS proxy said more than it was asked")
}

/// The first byte of a reply is not the version. What else it may be can often be seen by it.
fn not_socks(version: u8, asked: u8) -> Error {
    let what = format!("this is no SOCKS {asked} proxy: its reply begins with byte {version}");
    let error = Error::with(ErrorKind::InvalidResponse, what);
    match (asked, version) {
        (_, b'H') => error.remedied("it seems to speak HTTP: write `http://` in the proxy's URL"),
        (5, 0 | 4) => error.remedied("it seems to know SOCKS 4 only: write `socks4a://`"),
        (4, 5) => error.remedied("it seems to know SOCKS 5 only: write `socks5h://`"),
        _ => error.remedied("check the proxy's host and port"),
    }
}

impl fmt::Debug for Socks {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socks")
            .field("state", &self.state)
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}
