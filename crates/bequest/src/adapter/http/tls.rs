//! What is set for the TLS connections of an adapter.

use std::env;
use std::ops::RangeBounds;
use std::path::Path;
use std::sync::Arc;

use super::HttpAdapter;
use super::options::Options;
use crate::error::{Error, ErrorKind, Result};
use crate::net::tls::{self, CryptoProvider, TlsOptions, TlsVersion};

/// Its options for TLS (feature `tls`): each gives a new adapter, with a new, empty pool. Whom to
/// trust and who one is are not among them: [`Verify`](crate::Verify) and
/// [`Identity`](crate::Identity) are said for sessions and requests.
///
/// Versions, cipher suites, cryptography, resumption and the key log hold for connections to `https`
/// proxies, too; the others for origins alone.
impl HttpAdapter {
    /// Which versions may be spoken; [all that there are](TlsVersion) unless it is set.
    ///
    /// ```
    /// use bequest::{HttpAdapter, Session, TlsVersion};
    ///
    /// let mut s = Session::new();
    /// s.mount("https://", HttpAdapter::new().tls_versions(TlsVersion::V1_3..));
    /// s.mount("https://old.example.org/", HttpAdapter::new().tls_versions(..=TlsVersion::V1_2));
    /// ```
    #[must_use]
    pub fn tls_versions(self, versions: impl RangeBounds<TlsVersion>) -> Self {
        let allowed = TlsVersion::ALL.into_iter().filter(|version| versions.contains(version));
        let allowed = allowed.collect();
        self.changed_tls(|tls| tls.versions = allowed)
    }

    /// Which cipher suites are offered, by preference; all that there are unless it is set. The
    /// names are those of the standards, and of [`TlsInfo::cipher_suite`](crate::TlsInfo::cipher_suite).
    /// A version without any of them is not spoken.
    ///
    /// ```
    /// # use bequest::HttpAdapter;
    /// let suites = ["TLS_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"];
    /// let adapter = HttpAdapter::new().cipher_suites(suites)?;
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for a name that there is no suite of, and for none at all; the
    /// error names those that there are.
    pub fn cipher_suites(self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let names: Vec<_> = names.into_iter().collect();
        // All providers have the same.
        let provider = tls::provider(CryptoProvider::default())?;
        let numbers = tls::suite_numbers(names.iter().map(AsRef::as_ref), &provider)?;
        Ok(self.changed_tls(|tls| tls.suites = Some(numbers)))
    }

    /// Whose cryptography secures connections; [`CryptoProvider::Composed`] unless it is set.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] if it was not compiled.
    pub fn crypto_provider(self, provider: CryptoProvider) -> Result<Self> {
        tls::provider(provider)?;
        Ok(self.changed_tls(|tls| tls.provider = provider))
    }

    /// Which protocols the handshake offers, by preference (ALPN, RFC 7301); `http/1.1` alone unless
    /// it is set. With none nothing is offered.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] for `h2`, and for names that are empty or longer than 255 bytes.
    pub fn alpn(self, protocols: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self> {
        let protocols: Vec<Vec<u8>> = protocols.into_iter().map(|p| p.as_ref().to_vec()).collect();
        check_alpn(&protocols)?;
        Ok(self.changed_tls(|tls| tls.alpn = protocols))
    }

    /// Whether the server is told which name it is asked for, so that it can choose among several
    /// certificates (SNI, RFC 6066); it is unless it is set. Addresses are never told.
    #[must_use]
    pub fn sni(self, is_told: bool) -> Self {
        self.changed_tls(|tls| tls.sni = is_told)
    }

    /// The name that every server is asked for, and that its certificate has to be for, in place of
    /// the host of the URL. It does not change where connections go: for that there is
    /// [`resolve`](Self::resolve). Mount such an adapter for the URLs of that server alone.
    ///
    /// ```
    /// # let server = testbed::Testbed::start();
    /// # let (url, ca) = (format!("https://{}/get", server.https_addr()), server.ca_file());
    /// use bequest::{HttpAdapter, Session};
    ///
    /// let mut s = Session::new();
    /// s.mount(&url, HttpAdapter::new().server_name("localhost")?); // whose address is in the URL
    /// let r = s.get(&url).verify(ca).send()?;
    /// assert_eq!(r.tls().and_then(|tls| tls.server_name()), Some("localhost"));
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUrl`] for what can't be the name of a server.
    pub fn server_name(self, name: &str) -> Result<Self> {
        tls::server_name(name)?;
        Ok(self.changed_tls(|tls| tls.server_name = Some(name.into())))
    }

    /// Whether the keys of connections are written to the file that the environment variable
    /// SSLKEYLOGFILE names now, if it does; they are not unless it is set. Whoever has them can read
    /// what was sent: it is for Wireshark and its like.
    #[must_use]
    pub fn key_log(self, is_written: bool) -> Self {
        let path = env::var_os("SSLKEYLOGFILE").filter(|path| is_written && !path.is_empty());
        let path = path.map(|path| Arc::from(Path::new(&path)));
        self.changed_tls(|tls| tls.key_log = path)
    }

    /// Whether the session with a server is resumed when another connection to it is opened, which
    /// takes about half the work; it is unless it is set. Sessions with a client certificate never
    /// are. Only connections with the same settings share sessions.
    #[must_use]
    pub fn tls_resumption(self, is_used: bool) -> Self {
        self.changed_tls(|tls| tls.resumption = is_used)
    }

    /// Lists of certificates that were revoked, each as PEM, which may have several, or as DER. With
    /// any of them a server is refused whose certificate, or one of those that vouch for it, is
    /// revoked or not covered by a list of its issuer's, and by lists that have expired. Mount such
    /// an adapter for the servers that the lists cover.
    ///
    /// ```no_run
    /// use bequest::{HttpAdapter, Session};
    ///
    /// let list = std::fs::read("/path/to/intranet.crl")?;
    /// let mut s = Session::new();
    /// s.mount("https://intranet.example.org/", HttpAdapter::new().crls([list])?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Tls`] for what is no such list.
    pub fn crls(self, lists: impl IntoIterator<Item = impl AsRef<[u8]>>) -> Result<Self> {
        let lists: Vec<_> = lists.into_iter().collect();
        let lists = tls::crls(lists.iter().map(AsRef::as_ref))?;
        Ok(self.changed_tls(|tls| tls.crls = lists))
    }

    fn changed_tls(self, change: impl FnOnce(&mut TlsOptions)) -> Self {
        self.changed(|options: &mut Options| {
            change(Arc::make_mut(&mut options.tls));
            options.proxy_tls = Arc::new(options.tls.to_proxies());
            #[cfg(feature = "http2")]
            options.http2.offer(&options.tls);
        })
    }
}

/// How many bytes the names of protocols may have. The fields of a ClientHello share 64 KiB.
const MOST_NAMES: usize = 16 * 1024;

fn check_alpn(protocols: &[Vec<u8>]) -> Result<()> {
    let refused = |rule: &'static str| {
        Err(Error::with(ErrorKind::Unsupported, rule).remedied("offer `http/1.1`"))
    };
    if protocols.iter().any(|protocol| protocol == b"h2") {
        return refused("`h2` is offered where `http_versions` says so, and nowhere else");
    }
    let length: usize = protocols.iter().map(|protocol| protocol.len() + 1).sum();
    let fits = |protocol: &Vec<u8>| (1..=255).contains(&protocol.len());
    if length > MOST_NAMES || !protocols.iter().all(fits) {
        return refused(
            "a handshake has no room for protocols whose names are empty, longer than 255 bytes, or \
             longer than 16 KiB together",
        );
    }
    Ok(())
}
