//! Digest authentication.

mod hash;
mod proxy;
mod spaces;
mod terms;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

use self::hash::{Algorithm, Hex};
pub(crate) use self::proxy::ProxyDigest;
use self::spaces::{Spaces, Turn};
use self::terms::{Offer, Qop, Terms, can_be_sent};
use super::challenge::{challenges, parameters};
use super::{Auth, Round};
use crate::body::Body;
use crate::error::{Error, ErrorKind, Result};
use crate::random::random;
use crate::request::PreparedRequest;
use crate::response::Response;

/// User name and password, which are proven without being sent (RFC 7616; RFC 2069 for servers that
/// know no newer one).
///
/// ```no_run
/// use bequest::{Digest, Session};
///
/// let mut s = Session::new();
/// s.set_auth(Digest::new("user", "pass"));
/// let r = s.get("https://example.org/private").send()?;
/// assert_eq!(r.history()[0].status(), 401); // the challenge
/// let r = s.get("https://example.org/private").send()?;
/// assert!(r.history().is_empty()); // its answer is known now
/// # Ok::<(), bequest::Error>(())
/// ```
///
/// The first request goes out without credentials; its 401 brings the challenge, and goes to the
/// history. Requests to the same protection space, which is the origin unless the server says what
/// is in it, then prove themselves at once. A nonce that has become too old is replaced, and the
/// request sent again; credentials that are wrong end with the 401.
///
/// MD5, SHA-256, SHA-512-256, SHA-512 and SHA-1 (`SHA`), each with `-sess`; of several challenges
/// the one with the strongest algorithm is met. Where a server takes nothing but `auth-int`, the
/// body is read once more for its hash. What a server proves in turn (`rspauth`) is not checked:
/// that is what https is for.
///
/// A clone shares what is known, and so do threads: no two requests have the same count of a nonce.
#[derive(Clone)]
pub struct Digest(Arc<Known>);

struct Known {
    user: String,
    password: String,
    spaces: Mutex<Spaces>,
}

/// A challenge to this request was met.
#[derive(Clone, Copy)]
struct Met {
    /// Once more, since the nonce was stale.
    again: bool,
}

impl Digest {
    /// Both are taken as UTF-8.
    pub fn new(user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        Self(Arc::new(Known {
            user: user.as_ref().to_owned(),
            password: password.as_ref().to_owned(),
            spaces: Mutex::default(),
        }))
    }

    pub(crate) fn credentials(&self) -> (&str, &str) {
        (&self.0.user, &self.0.password)
    }

    fn spaces(&self) -> MutexGuard<'_, Spaces> {
        self.0.spaces.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// A turn for a request that was not challenged yet.
    fn unasked(&self, request: &mut PreparedRequest) -> Option<Turn> {
        request.extensions.remove::<Met>();
        self.spaces().turn(&request.url)
    }

    /// A turn that meets what the response demands, if that may help.
    fn asked(&self, response: &Response, request: &mut PreparedRequest) -> Option<Turn> {
        if response.status() != 401 {
            self.listen(response, request);
            return None;
        }
        let fields = response.headers().get_all_bytes("www-authenticate");
        let challenges = challenges(fields);
        let offer = Offer::best(&challenges);
        let met = request.extensions.get::<Met>().copied();
        let (offer, again) = match (offer, met) {
            (Some(offer), None) => (offer, false),
            (Some(offer), Some(Met { again: false })) if offer.is_stale() => (offer, true),
            _ => {
                self.spaces().forget(&request.url);
                return None;
            }
        };
        request.extensions.insert(Met { again });
        let Known { user, password, .. } = &*self.0;
        let terms = Terms::new(&offer, user, password, format!("{:016x}", random()));
        self.spaces().learn(&request.url, offer.domain(), Arc::new(terms), offer.nonce)
    }

    /// Takes the nonce that the server would like to see next.
    fn listen(&self, response: &Response, request: &PreparedRequest) {
        let Some(field) = response.headers().get_bytes("authentication-info") else { return };
        if let Some(nonce) = parameters(field).get("nextnonce").filter(|nonce| can_be_sent(nonce)) {
            self.spaces().renew(&request.url, nonce);
        }
    }
}

impl Turn {
    /// The body's hash, where it is a part of the proof.
    fn hash(&self, body: &Body) -> Result<Hex> {
        match self.terms.qop {
            Qop::Absent | Qop::Auth => Ok(Hex::default()),
            Qop::AuthInt => hash(self.terms.algorithm, body),
        }
    }

    /// The same; what may block is read off the executor.
    #[cfg(feature = "async")]
    async fn hash_async(&self, body: &Body) -> Result<Hex> {
        if self.terms.qop != Qop::AuthInt || body.as_bytes().is_some() {
            return self.hash(body);
        }
        let (algorithm, body) = (self.terms.algorithm, body.clone());
        let hashing = tokio::task::spawn_blocking(move || hash(algorithm, &body));
        hashing.await.unwrap_or_else(|error| Err(std::io::Error::other(error).into()))
    }

    fn prove(&self, request: &mut PreparedRequest, body: &[u8]) {
        let (method, uri) = (request.method.as_str(), request.request_target());
        let field = self.terms.field(&self.nonce, self.count, method, &uri, body);
        request.headers.insert("Authorization", field);
    }
}

fn hash(algorithm: Algorithm, body: &Body) -> Result<Hex> {
    if !body.is_rewindable() {
        return Err(Error::with(
            ErrorKind::UnrewindableBody,
            "the server demands the body's hash before the body (Digest, `qop=auth-int`), and this \
             body can be read only once",
        )
        .remedied("send bytes or a file"));
    }
    let mut hasher = algorithm.hasher();
    body.read_through(|piece| hasher.update(piece))?;
    Ok(hasher.hex())
}

impl Auth for Digest {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        let Some(turn) = self.unasked(request) else { return Ok(()) };
        let body = turn.hash(&request.body)?;
        turn.prove(request, &body);
        Ok(())
    }

    fn answer(&self, response: &Response, request: &mut PreparedRequest) -> Result<Round> {
        let Some(turn) = self.asked(response, request) else { return Ok(Round::Done) };
        let body = turn.hash(&request.body)?;
        turn.prove(request, &body);
        Ok(Round::Again)
    }

    fn answers_to(&self, response: &Response) -> bool {
        response.status() == 401 || response.headers().contains("authentication-info")
    }

    #[cfg(feature = "async")]
    fn apply_async<'a>(
        &'a self,
        request: &'a mut PreparedRequest,
    ) -> crate::future::BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let Some(turn) = self.unasked(request) else { return Ok(()) };
            let body = turn.hash_async(&request.body).await?;
            turn.prove(request, &body);
            Ok(())
        })
    }

    #[cfg(feature = "async")]
    fn answer_async<'a>(
        &'a self,
        response: &'a Response,
        request: &'a mut PreparedRequest,
    ) -> crate::future::BoxFuture<'a, Result<Round>> {
        Box::pin(async move {
            let Some(turn) = self.asked(response, request) else { return Ok(Round::Done) };
            let body = turn.hash_async(&request.body).await?;
            turn.prove(request, &body);
            Ok(Round::Again)
        })
    }
}

impl fmt::Debug for Digest {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digest").field("user", &self.0.user).finish_non_exhaustive()
    }
}
