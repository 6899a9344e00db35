//! How a connection comes to its origin, if not straight.

use std::sync::Arc;

use super::proxy_server::{ProxyProtocol, ProxyServer};
use super::tls::{TlsOptions, TlsSettings};

/// A proxy between here and the origin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Route<'a> {
    pub(crate) proxy: &'a Arc<ProxyServer>,
    /// The proxy is asked for each http:// resource, and one connection to it serves all origins;
    /// otherwise a tunnel leads through it to one origin.
    pub(crate) forwards: bool,
}

impl<'a> Route<'a> {
    /// How the connection to the proxy itself is secured: nothing that was said for the origin
    /// counts here.
    pub(crate) fn tls(self, options: &'a Arc<TlsOptions>) -> Option<TlsSettings<'a>> {
        let is_https = self.proxy.protocol == ProxyProtocol::Https;
        let ProxyServer { verify, cert, .. } = &**self.proxy;
        is_https.then_some(TlsSettings { verify, identity: cert.as_ref(), options })
    }
}

impl PartialEq for Route<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Most come from the same setting.
        self.forwards == other.forwards
            && (Arc::ptr_eq(self.proxy, other.proxy) || self.proxy == other.proxy)
    }
}

impl Eq for Route<'_> {}

/// A [`Route`] that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct KeptRoute {
    proxy: Arc<ProxyServer>,
    forwards: bool,
}

impl Route<'_> {
    pub(super) fn keep(self) -> KeptRoute {
        KeptRoute { proxy: Arc::clone(self.proxy), forwards: self.forwards }
    }
}

impl KeptRoute {
    pub(super) fn lend(&self) -> Route<'_> {
        Route { proxy: &self.proxy, forwards: self.forwards }
    }
}
