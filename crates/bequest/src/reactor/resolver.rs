//! Who is asked for the addresses of a name.

use std::fmt;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
#[cfg(feature = "async")]
use std::sync::Arc;

#[cfg(feature = "async")]
use crate::error::Error;
use crate::error::Result;

/// Finds the addresses of names, in place of the system: see
/// [`HttpAdapter::resolver`](crate::HttpAdapter::resolver).
///
/// It is asked once for each new connection, and nothing is kept of what it says. Addresses in URLs
/// and `localhost` (RFC 6761, section 6.3) need no look-up; [`check`](Self::check) sees them, too.
///
/// A function from a name to its addresses is one:
///
/// ```
/// # let server = testbed::Testbed::start();
/// # let url = server.url("/get").replace("127.0.0.1", "files.internal");
/// use bequest::{HttpAdapter, Session};
///
/// let mut s = Session::new();
/// s.mount("http://", HttpAdapter::new().resolver(|_: &str| Ok(vec![[127, 0, 0, 1].into()])));
/// assert_eq!(s.get(url).send()?.status(), 200);
/// # Ok::<(), bequest::Error>(())
/// ```
pub trait Resolver: Send + Sync + 'static {
    /// The addresses of the name, the best first; none if it has none. An error, with this one in
    /// it, is the request's [`ErrorKind::Resolve`](crate::ErrorKind::Resolve).
    ///
    /// It may wait. In a blocking call it runs on the calling thread if nothing limits how long;
    /// under a timeout it runs on one of at most 32 threads that look up names, and is left behind
    /// there when the time is over.
    fn resolve(&self, host: &str) -> Result<Vec<IpAddr>>;

    /// Refuses an address by an error: each that [`resolve`](Self::resolve) or an override has given,
    /// and each that a URL spells out, before there is a connection to it. If all of a name's are
    /// refused, the request fails. It must not wait.
    ///
    /// So a program that requests what strangers say keeps them out of its own network:
    ///
    /// ```
    /// use std::net::IpAddr;
    /// use bequest::{Error, HttpAdapter, Resolver, Result, Session, SystemResolver};
    ///
    /// struct Abroad;
    ///
    /// impl Resolver for Abroad {
    ///     fn resolve(&self, host: &str) -> Result<Vec<IpAddr>> {
    ///         SystemResolver.resolve(host)
    ///     }
    ///
    ///     fn check(&self, address: IpAddr) -> Result<()> {
    ///         match address.to_canonical() {
    ///             IpAddr::V4(v4) if !v4.is_private() && !v4.is_loopback() && !v4.is_link_local() => {
    ///                 Ok(())
    ///             }
    ///             _ => Err(Error::other("not for strangers")),
    ///         }
    ///     }
    /// }
    ///
    /// let mut s = Session::new();
    /// s.mount("http://", HttpAdapter::new().resolver(Abroad));
    /// let error = s.get("http://127.0.0.1:1/").send().unwrap_err();
    /// assert!(error.to_string().contains("not for strangers"), "{error}");
    /// ```
    fn check(&self, address: IpAddr) -> Result<()> {
        let _ = address;
        Ok(())
    }

    /// [`resolve`](Self::resolve) for an async session, which has it run among tokio's blocking
    /// tasks unless this does it another way.
    #[cfg(feature = "async")]
    fn resolve_async(
        self: Arc<Self>,
        host: String,
    ) -> crate::future::BoxFuture<'static, Result<Vec<IpAddr>>> {
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || self.resolve(&host)).await {
                Ok(result) => result,
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(error) => Err(Error::other(error)),
            }
        })
    }
}

impl<F> Resolver for F
where
    F: Fn(&str) -> Result<Vec<IpAddr>> + Send + Sync + 'static,
{
    fn resolve(&self, host: &str) -> Result<Vec<IpAddr>> {
        self(host)
    }
}

impl fmt::Debug for dyn Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Resolver")
    }
}

/// The system's resolver, which is asked unless there is another one: for those that only choose
/// among what it says.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: &str) -> Result<Vec<IpAddr>> {
        let found: io::Result<_> = (host, 0).to_socket_addrs();
        Ok(found?.map(|address| address.ip()).collect())
    }
}
