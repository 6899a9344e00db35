//! Hosts that are reached without a proxy.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// A list of them. To ask it takes time in proportion to its length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NoProxy {
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Eq)]
enum Entry {
    All,
    /// A host and what is below it, in lower case and without dots at its ends.
    Name {
        name: Box<str>,
        port: Option<u16>,
    },
    Address {
        address: IpAddr,
        port: Option<u16>,
    },
    /// The first so many bits of an address.
    Network {
        address: IpAddr,
        bits: u32,
    },
}

impl NoProxy {
    /// Adds what a list with commas names; blanks separate, too. What is nothing of it matches
    /// nothing.
    pub(super) fn add(&mut self, list: &str) {
        let items = list.split(|c: char| c == ',' || c.is_whitespace());
        self.entries.extend(items.filter_map(Entry::parse));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether the URL's host is one of them. What has no host needs no proxy.
    pub(super) fn matches(&self, url: &Url) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        let port = url.port_or_known_default();
        match url.host() {
            None => true,
            Some(Host::Domain(name)) => {
                // Only the schemes of the Web have it in lower case.
                let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
                self.entries.iter().any(|entry| entry.has_name(&name, port))
            }
            Some(Host::Ipv4(address)) => self.has_address(address.into(), port),
            Some(Host::Ipv6(address)) => self.has_address(address.into(), port),
        }
    }

    fn has_address(&self, address: IpAddr, port: Option<u16>) -> bool {
        self.entries.iter().any(|entry| entry.has_address(address, port))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if text.is_empty() {
            return None;
        }
        if text == "*" {
            return Some(Self::All);
        }
        if let Some((address, bits)) = text.split_once('/') {
            let address: IpAddr = literal(address).parse().ok()?;
            let bits = plain_number(bits).filter(|bits| *bits <= width(address))?;
            return Some(Self::Network { address, bits });
        }
        if let Ok(address) = literal(text).parse() {
            return Some(Self::Address { address, port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (text, None),
            Some((host, port)) => (host, Some(plain_number(port)?)),
        };
        if let Ok(address) = literal(host).parse() {
            // An IPv6 address has brackets where a port follows.
            let is_clear = !(port.is_some() && host.contains(':') && !host.starts_with('['));
            return is_clear.then_some(Self::Address { address, port });
        }
        Some(Self::Name { name: name(host)?, port })
    }

    fn has_name(&self, host: &str, port: Option<u16>) -> bool {
        match self {
            Self::All => true,
            Self::Name { name, port: wanted } => {
                is_below(host, name) && (wanted.is_none() || *wanted == port)
            }
            Self::Address { .. } | Self::Network { .. } => false,
        }
    }

    fn has_address(&self, host: IpAddr, port: Option<u16>) -> bool {
        match self {
            Self::All => true,
            Self::Name { .. } => false,
            Self::Address { address, port: wanted } => {
                is_within(host, *address, width(*address)) && (wanted.is_none() || *wanted == port)
            }
            Self::Network { address, bits } => is_within(host, *address, *bits),
        }
    }
}

/// The host itself, or a name below it: the suffix begins behind a dot.
fn is_below(host: &str, name: &str) -> bool {
    match host.strip_suffix(name) {
        Some("") => true,
        Some(before) => before.ends_with('.'),
        None => false,
    }
}

/// Whether the first bits are the same. An IPv4 address in the clothes of IPv6 is one.
fn is_within(host: IpAddr, network: IpAddr, bits: u32) -> bool {
    let same = |a: u128, b: u128, width: u32| {
        let differing = (a ^ b).checked_shr(width - bits);
        differing.unwrap_or(0) == 0
    };
    match (network, host, host.to_canonical()) {
        (IpAddr::V4(network), _, IpAddr::V4(host)) => {
            same(network.to_bits().into(), host.to_bits().into(), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(host), _) => same(network.to_bits(), host.to_bits(), 128),
        _ => false,
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The address without the brackets that a URL needs.
fn literal(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// Digits, and no sign.
fn plain_number<N: std::str::FromStr>(text: &str) -> Option<N> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    is_plain.then(|| text.parse().ok()).flatten()
}

/// As a URL has it.
fn name(host: &str) -> Option<Box<str>> {
    let host = host.trim_start_matches('.');
    let host = host.strip_suffix('.').unwrap_or(host);
    if host.is_empty() {
        return None;
    }
    match Host::parse(host) {
        Ok(Host::Domain(name)) if !host.is_ascii() => Some(name.into()),
        _ => Some(host.to_ascii_lowercase().into()),
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let port = match self {
            Self::Name { port, .. } | Self::Address { port, .. } => *port,
            Self::All | Self::Network { .. } => None,
        };
        match self {
            Self::All => f.write_str("*")?,
            Self::Name { name, .. } => f.write_str(name)?,
            Self::Address { address: IpAddr::V6(address), .. } => write!(f, "[{address}]")?,
            Self::Address { address, .. } => write!(f, "{address}")?,
            Self::Network { address, bits } => write!(f, "{address}/{bits}")?,
        }
        port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}
