//! How an adapter finds the addresses of hosts, and what sockets it makes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;

use url::Host;

use crate::error::{Error, ErrorKind, Phase, Result};
use crate::reactor::{self, Resolver, SocketOptions};

/// Which addresses are used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressFamily {
    /// All that a host has.
    #[default]
    Any,
    /// Those of IPv4.
    Ipv4,
    /// Those of IPv6.
    Ipv6,
}

impl AddressFamily {
    fn has(self, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Ipv4 => address.is_ipv4(),
            Self::Ipv6 => address.is_ipv6(),
        }
    }
}

/// Where a host is: an address, and its port where that is not the URL's; see
/// [`HttpAdapter::resolve`](crate::HttpAdapter::resolve).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostAddress {
    address: SocketAddr,
    has_port: bool,
}

impl HostAddress {
    fn with(self, port: u16) -> SocketAddr {
        let mut address = self.address;
        if !self.has_port {
            address.set_port(port);
        }
        address
    }
}

impl From<SocketAddr> for HostAddress {
    fn from(address: SocketAddr) -> Self {
        Self { address, has_port: true }
    }
}

impl From<IpAddr> for HostAddress {
    fn from(ip: IpAddr) -> Self {
        Self { address: SocketAddr::new(ip, 0), has_port: false }
    }
}

macro_rules! from {
    ($($kind:ty as $whole:ty),*) => {$(
        impl From<$kind> for HostAddress {
            fn from(given: $kind) -> Self {
                <$whole>::from(given).into()
            }
        }
    )*};
}

from!(Ipv4Addr as IpAddr, Ipv6Addr as IpAddr, [u8; 4] as IpAddr);
from!(SocketAddrV4 as SocketAddr, SocketAddrV6 as SocketAddr);

/// Where a name leads, because the caller says so.
#[derive(Clone, Debug)]
pub(crate) struct HostOverride {
    host: Host,
    /// The port of the URLs that it holds for, if not for all.
    port: Option<u16>,
    to: HostAddress,
}

impl HostOverride {
    /// `host` may have a port behind it.
    pub(crate) fn new(host: &str, to: HostAddress) -> Result<Self> {
        let whole = || Some((parse(host)?, None));
        let with_port = || {
            let (host, port) = host.rsplit_once(':')?;
            Some((parse(host)?, Some(port.parse().ok()?)))
        };
        let (host, port) = whole().or_else(with_port).ok_or_else(|| {
            let what = format!("`{}` can't be the host of a URL", host.escape_debug());
            Error::with(ErrorKind::InvalidUrl, what)
                .remedied("write a name alone, or a name and a port: `example.org:443`")
        })?;
        Ok(Self { host, port, to })
    }
}

/// Names go without the dot that ends them: it is another URL, but the same name.
fn parse(host: &str) -> Option<Host> {
    Host::parse(host.strip_suffix('.').unwrap_or(host)).ok()
}

/// What is set for all sockets of an adapter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets {
    /// `None` is the system's.
    pub(crate) resolver: Option<Arc<dyn Resolver>>,
    pub(crate) overrides: Vec<HostOverride>,
    pub(crate) family: AddressFamily,
    pub(crate) options: SocketOptions,
}

impl Sockets {
    /// The addresses to be tried; there is one at least. `bounded` says that somebody will give up
    /// waiting.
    pub(super) async fn resolve(
        &self,
        host: &str,
        zone: Option<&str>,
        port: u16,
        bounded: bool,
    ) -> Result<Vec<SocketAddr>> {
        let error = |what: String| Error::with(ErrorKind::Resolve, what).during(Phase::Resolve);
        let unknown = || match zone {
            None => error(format!("no address for `{host}`"))
                .remedied("check the name, and the network"),
            Some(zone) => error(format!("no interface `{zone}` for {host}"))
                .remedied("write the name or the number of one of this machine's interfaces"),
        };
        let mut addresses = self.overridden(host, port);
        if addresses.is_empty() {
            let found = reactor::resolve(self.resolver.as_ref(), host, zone, port, bounded);
            addresses = found.await.map_err(|cause| {
                let ours = cause.downcast_ref().and_then(reactor::remedy);
                match ours {
                    Some(remedy) => unknown().remedied(remedy).because(cause),
                    None => unknown().because(cause),
                }
            })?;
        }
        if addresses.is_empty() {
            return Err(unknown());
        }
        addresses.retain(|address| self.has_family_of(address.ip()));
        if addresses.is_empty() {
            return Err(error(format!("no address for `{host}` of the family that is set"))
                .remedied("see the adapter's `address_family` and `local_address`"));
        }
        self.check(&mut addresses).map_err(|cause| {
            error(format!("the addresses of `{host}` are refused")).because(cause)
        })?;
        Ok(addresses)
    }

    /// A socket with an address of its own reaches none of the other family.
    fn has_family_of(&self, address: IpAddr) -> bool {
        let local = self.options.local;
        self.family.has(address) && local.is_none_or(|local| local.is_ipv4() == address.is_ipv4())
    }

    fn overridden(&self, host: &str, port: u16) -> Vec<SocketAddr> {
        if self.overrides.is_empty() {
            return Vec::new();
        }
        let Some(host) = parse(host) else { return Vec::new() };
        let holds =
            |rule: &&HostOverride| rule.host == host && rule.port.is_none_or(|own| own == port);
        self.overrides.iter().filter(holds).map(|rule| rule.to.with(port)).collect()
    }

    /// Leaves what the resolver allows; if that is nothing, why not.
    fn check(&self, addresses: &mut Vec<SocketAddr>) -> Result<()> {
        let Some(resolver) = &self.resolver else { return Ok(()) };
        let mut refusal = None;
        addresses.retain(|address| match resolver.check(address.ip()) {
            Ok(()) => true,
            Err(error) => {
                refusal.get_or_insert(error);
                false
            }
        });
        match refusal {
            Some(error) if addresses.is_empty() => Err(error),
            _ => Ok(()),
        }
    }
}
