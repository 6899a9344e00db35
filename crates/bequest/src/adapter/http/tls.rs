//! What is set for the TLS connections of an adapter.

use std::sync::Arc;

use super::HttpAdapter;
use super::options::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::net::tls::TlsOptions;

/// Its options for TLS (feature `tls`): each gives a new adapter, with a new, empty pool. Whom to
/// trust and who one is are not among them: [`Verify`](crate::Verify) and
/// [`Identity`](crate::Identity) are said for sessions and requests.
impl HttpAdapter {
    /// Which protocols the handshake offers, by preference (ALPN, RFC 7301); `http/1.1` alone unless
    /// it is set. With none nothing is offered. They are not offered to proxies.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for `h2`, and for names that are empty or longer than 255 bytes.
    pub fn alpn(self, protocols: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self> {
        let protocols: Vec<Vec<u8>> = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
        check_alpn(&protocols)?;
        Ok(self.changed_tls(|tls| tls.alpn = protocols))
    }

    fn changed_tls(self, change: impl FnOnce(&mut TlsOptions)) -> Self {
        self.changed(|options: &mut Options| {
            change(Arc::make_mut(&mut options.tls));
            options.proxy_tls = Arc::new(options.tls.to_proxies());
        })
    }
}

fn check_alpn(protocols: &[Vec<u8>]) -> Result<()> {
    let refused = |rule: &'static str, remedy: &'static str| {
        Err(Error::with(ErrorKind::Unsupported, rule).remedied(remedy))
    };
    if protocols.iter().any(|protocol| protocol == b"h2") {
        return refused("`h2` can't be offered: HTTP/1.1 is what is spoken", "offer `http/1.1`");
    }
    let is_long = protocols.iter().map(|protocol| protocol.len() + 1).sum::<usize>() > 0xFFFF;
    if is_long || protocols.iter().any(|protocol| !(1..=255).contains(&protocol.len())) {
        return refused(
            "ALPN has no room for a protocol's name that is empty or longer than 255 bytes, and for \
             64 KiB of them",
            "offer `http/1.1`",
        );
    }
    Ok(())
}
