//! Proving to a proxy that it may be used.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::auth::Basic;
#[cfg(feature = "digest")]
use crate::auth::Digest;
#[cfg(feature = "digest")]
use crate::auth::ProxyDigest;
use crate::auth::challenge::challenges;
use crate::error::Result;
use crate::headers::Headers;
use crate::net::{ProxyProof, ProxyProtocol, ProxyRequest, ProxyServer};

/// So many answers to a request's 407s, one behind the other, and no more.
const MOST_ANSWERS: usize = 5;

/// How a proxy is told who asks, for [`Proxies::auth`](crate::Proxies::auth).
///
/// ```
/// use bequest::{Proxies, ProxyAuth};
///
/// let proxies = Proxies::new().all("http://10.10.1.10:3128")?;
/// let basic = proxies.clone().auth(("user", "pass"));
/// # #[cfg(feature = "digest")]
/// let digest = proxies.clone().auth(bequest::Digest::new("user", "pass"));
/// let asking = proxies.auth(ProxyAuth::ask(|challenge| {
///     println!("{} wants a password for {:?}", challenge.proxy(), challenge.realm());
///     (!challenge.is_again()).then(|| ("user".into(), "pass".into()))
/// }));
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// A pair is what a proxy's URL can say, too: it is sent to the proxy at once, as Basic; where the
/// proxy asks for Digest (feature `digest`), it gets that. A [`Digest`] is never sent as Basic.
#[derive(Clone)]
pub struct ProxyAuth(Source);

#[derive(Clone)]
enum Source {
    Basic(Basic),
    /// User and password, which must not be sent themselves.
    #[cfg(feature = "digest")]
    Digest(Credentials),
    Ask(Arc<Ask>),
}

type Ask = dyn Fn(&ProxyChallenge<'_>) -> Option<(String, String)> + Send + Sync;

/// User and password.
type Credentials = (Box<str>, Box<str>);

/// What a proxy has asked for, by its 407.
#[derive(Debug)]
pub struct ProxyChallenge<'a> {
    server: &'a ProxyServer,
    realm: Option<&'a str>,
    is_again: bool,
}

impl ProxyAuth {
    /// Asks the function for user and password when a proxy wants them, and when it refuses those
    /// that it got; `None` leaves the proxy's answer as it is. What was accepted is known from
    /// then on. The thread that sends the request calls it, and waits.
    pub fn ask<F>(ask: F) -> Self
    where
        F: Fn(&ProxyChallenge<'_>) -> Option<(String, String)> + Send + Sync + 'static,
    {
        Self(Source::Ask(Arc::new(ask)))
    }

    /// Each proxy has its own: what one was told, or has demanded, is nothing to another.
    pub(super) fn give_to(&self, server: &mut ProxyServer) {
        let is_http = matches!(server.protocol, ProxyProtocol::Http | ProxyProtocol::Https);
        let (credentials, proof): (_, Arc<dyn ProxyProof>) = match &self.0 {
            Source::Basic(basic) => {
                let (user, password) = basic.credentials();
                let mut login = Login::new(user, password);
                login.basic = basic.clone();
                (Some((user.into(), password.into())), Arc::new(login))
            }
            #[cfg(feature = "digest")]
            Source::Digest((user, password)) => {
                let credentials = Some((user.clone(), password.clone()));
                // SOCKS would send the password.
                (credentials.filter(|_| is_http), Arc::new(ProxyDigest::new(user, password)))
            }
            Source::Ask(ask) => {
                (None, Arc::new(Asking { ask: Arc::clone(ask), known: Mutex::default() }))
            }
        };
        server.credentials = credentials;
        server.proof = is_http.then_some(proof);
    }
}

/// What is in a proxy's URL proves who asks.
pub(super) fn by_url((user, password): &Credentials) -> Arc<dyn ProxyProof> {
    Arc::new(Login::new(user, password))
}

impl<U: AsRef<str>, P: AsRef<str>> From<(U, P)> for ProxyAuth {
    fn from((user, password): (U, P)) -> Self {
        Basic::new(user, password).into()
    }
}

impl From<Basic> for ProxyAuth {
    fn from(basic: Basic) -> Self {
        Self(Source::Basic(basic))
    }
}

#[cfg(feature = "digest")]
impl From<Digest> for ProxyAuth {
    fn from(digest: Digest) -> Self {
        let (user, password) = digest.credentials();
        Self(Source::Digest((user.into(), password.into())))
    }
}

impl ProxyChallenge<'_> {
    /// The proxy's URL, without credentials.
    pub fn proxy(&self) -> String {
        let ProxyServer { protocol, host, port, .. } = self.server;
        format!("{}://{host}:{port}", protocol.scheme())
    }

    /// What the proxy calls that which it protects.
    pub fn realm(&self) -> Option<&str> {
        self.realm
    }

    /// Whether the proxy has refused what it was given before.
    pub fn is_again(&self) -> bool {
        self.is_again
    }
}

/// Basic at once; Digest where it is asked for.
#[derive(Debug)]
struct Login {
    basic: Basic,
    #[cfg(feature = "digest")]
    digest: ProxyDigest,
}

impl Login {
    fn new(user: &str, password: &str) -> Self {
        Self {
            basic: Basic::new(user, password),
            #[cfg(feature = "digest")]
            digest: ProxyDigest::new(user, password),
        }
    }

    /// What a challenge gets that nothing was said to before.
    fn first(&self, request: &ProxyRequest<'_>, challenge: &Headers) -> Result<Option<Vec<u8>>> {
        #[cfg(feature = "digest")]
        if let Some(field) = self.digest.answer_to(request, challenge, false) {
            return Ok(Some(field));
        }
        let _ = request;
        let offers = challenges(asked(challenge));
        let has_basic = offers.iter().any(|offer| offer.scheme.eq_ignore_ascii_case("basic"));
        if has_basic { self.basic.field().map(Some) } else { Ok(None) }
    }
}

impl ProxyProof for Login {
    fn at_once(&self, request: &ProxyRequest<'_>) -> Result<Option<Vec<u8>>> {
        #[cfg(feature = "digest")]
        if let Some(field) = self.digest.at_once(request.method, request.target) {
            return Ok(Some(field));
        }
        let _ = request;
        self.basic.field().map(Some)
    }

    fn answer(&self, request: &ProxyRequest<'_>, challenge: &Headers) -> Result<Option<Vec<u8>>> {
        // Basic was sent at once.
        #[cfg(feature = "digest")]
        return Ok(self.digest.answer_to(request, challenge, request.answered > 0));
        #[cfg(not(feature = "digest"))]
        {
            let _ = (request, challenge);
            Ok(None)
        }
    }
}

#[cfg(feature = "digest")]
impl ProxyDigest {
    fn answer_to(
        &self,
        request: &ProxyRequest<'_>,
        challenge: &Headers,
        is_again: bool,
    ) -> Option<Vec<u8>> {
        if request.answered >= MOST_ANSWERS {
            return None;
        }
        self.answer(asked(challenge), request.method, request.target, is_again)
    }
}

#[cfg(feature = "digest")]
impl ProxyProof for ProxyDigest {
    fn at_once(&self, request: &ProxyRequest<'_>) -> Result<Option<Vec<u8>>> {
        Ok(self.at_once(request.method, request.target))
    }

    fn answer(&self, request: &ProxyRequest<'_>, challenge: &Headers) -> Result<Option<Vec<u8>>> {
        Ok(self.answer_to(request, challenge, request.answered > 0))
    }
}

/// Somebody is asked.
struct Asking {
    ask: Arc<Ask>,
    known: Mutex<Option<Arc<Login>>>,
}

impl Asking {
    fn known(&self) -> Option<Arc<Login>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ProxyProof for Asking {
    fn at_once(&self, request: &ProxyRequest<'_>) -> Result<Option<Vec<u8>>> {
        self.known().map_or(Ok(None), |known| known.at_once(request))
    }

    fn answer(&self, request: &ProxyRequest<'_>, challenge: &Headers) -> Result<Option<Vec<u8>>> {
        if request.answered >= MOST_ANSWERS {
            return Ok(None);
        }
        let known = self.known();
        // Only its nonce may be too old.
        if let Some(known) = &known
            && let Some(field) = known.answer(request, challenge)?
        {
            return Ok(Some(field));
        }
        let offers = challenges(asked(challenge));
        let realm = offers.iter().find_map(|offer| offer.params.text("realm"));
        let (server, is_again) = (request.server, known.is_some() || request.answered > 0);
        let told = (self.ask)(&ProxyChallenge { server, realm, is_again });
        let told = told.map(|(user, password)| Arc::new(Login::new(&user, &password)));
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&told);
        told.map_or(Ok(None), |told| told.first(request, challenge))
    }
}

fn asked(challenge: &Headers) -> impl Iterator<Item = &[u8]> {
    challenge.get_all_bytes("proxy-authenticate")
}

impl fmt::Debug for ProxyAuth {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProxyAuth")
    }
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Asking")
    }
}

#[cfg(test)]
mod tests;
