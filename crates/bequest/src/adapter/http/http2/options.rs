//! What is set for HTTP/2.

use std::sync::Arc;
use std::time::Duration;

use super::super::options::Options;
use super::super::{HttpAdapter, Work};
use crate::h2::{HttpVersions, HubOptions};
use crate::net::Origin;
use crate::net::tls::{TlsOptions, TlsSettings};
use crate::settings::Settings;

/// How long a connection with open streams may be silent before the server is asked.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// What is set for the HTTP/2 of an adapter.
#[derive(Clone)]
pub(in super::super) struct Http2Options {
    versions: HttpVersions,
    keepalive: Option<Duration>,
    /// How TLS is spoken where HTTP/1.1 is offered, too, and where it is not.
    negotiated: Arc<TlsOptions>,
    alone: Arc<TlsOptions>,
}

impl Http2Options {
    pub(in super::super) fn new(tls: &TlsOptions) -> Self {
        Self {
            versions: HttpVersions::default(),
            keepalive: Some(KEEPALIVE),
            negotiated: Arc::new(offering(tls, true)),
            alone: Arc::new(offering(tls, false)),
        }
    }

    /// Offers the same, and HTTP/2.
    #[cfg(feature = "tls")]
    pub(in super::super) fn offer(&mut self, tls: &TlsOptions) {
        self.negotiated = Arc::new(offering(tls, true));
        self.alone = Arc::new(offering(tls, false));
    }
}

fn offering(tls: &TlsOptions, others: bool) -> TlsOptions {
    let own = tls.alpn.iter().filter(|_| others).cloned();
    TlsOptions { alpn: std::iter::once(b"h2".to_vec()).chain(own).collect(), ..tls.clone() }
}

impl Options {
    pub(in super::super) fn versions(&self, settings: &Settings) -> HttpVersions {
        settings.http_versions.unwrap_or(self.http2.versions)
    }

    /// Whether HTTP/2 is tried for it.
    pub(in super::super) fn speaks_http2(&self, work: &Work<'_>) -> bool {
        match self.versions(work.settings) {
            HttpVersions::Http1 => false,
            HttpVersions::Negotiate => work.request.url.scheme() == "https",
            HttpVersions::Http2 => true,
        }
    }

    pub(super) fn hub(&self) -> HubOptions {
        HubOptions { head: self.limits.head, keepalive: self.http2.keepalive }
    }
}

impl HttpAdapter {
    /// Whether it may be HTTP/1.1, too.
    pub(super) fn negotiates(&self, work: &Work<'_>) -> bool {
        self.0.options.versions(work.settings) == HttpVersions::Negotiate
    }

    /// The same origin, where the handshake offers HTTP/2.
    pub(super) fn offered<'a>(&'a self, work: &Work<'a>) -> Origin<'a> {
        let options = match self.negotiates(work) {
            true => &self.0.options.http2.negotiated,
            false => &self.0.options.http2.alone,
        };
        let tls = work.origin.tls.map(|tls| TlsSettings { options, ..tls });
        Origin { tls, ..work.origin }
    }
}

/// Its options for HTTP/2 (feature `http2`): each gives a new adapter, with a new, empty pool.
impl HttpAdapter {
    /// Which versions of HTTP are spoken, where neither request nor session says it;
    /// [`HttpVersions::Http1`] unless it is set.
    ///
    /// ```
    /// use bequest::{HttpAdapter, HttpVersions, Session};
    ///
    /// let mut s = Session::new();
    /// s.mount("https://", HttpAdapter::new().http_versions(HttpVersions::Negotiate));
    /// ```
    #[must_use]
    pub fn http_versions(self, versions: HttpVersions) -> Self {
        self.changed(|options| options.http2.versions = versions)
    }

    /// How long an HTTP/2 connection may be silent while there are requests on it, before the server
    /// is asked whether it is there (PING); if nothing comes for as long again, what is under way
    /// ends as lost. 20 seconds unless it is set; `None` never asks.
    #[must_use]
    pub fn http2_keepalive(self, after: impl Into<Option<Duration>>) -> Self {
        let after = after.into();
        self.changed(|options| options.http2.keepalive = after)
    }
}
