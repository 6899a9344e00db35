//! Digest for a proxy, which is one protection space (RFC 7616, section 3.8).

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::hash::Hex;
use super::terms::{Offer, Qop, Terms};
use crate::auth::challenge::challenges;
use crate::random::random;

/// User and password, and the challenge that was met last.
pub(crate) struct ProxyDigest {
    user: Box<str>,
    password: Box<str>,
    known: Mutex<Option<Known>>,
}

struct Known {
    terms: Terms,
    nonce: Vec<u8>,
    used: u32,
}

impl ProxyDigest {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self { user: user.into(), password: password.into(), known: Mutex::default() }
    }

    /// What meets the challenge that is known, if there is one.
    pub(crate) fn at_once(&self, method: &str, target: &str) -> Option<Vec<u8>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).as_mut()?.field(method, target)
    }

    /// What meets one of these challenges. A second time only if the nonce was too old: then the
    /// credentials are not in doubt.
    pub(crate) fn answer<'a>(
        &self,
        fields: impl Iterator<Item = &'a [u8]>,
        method: &str,
        target: &str,
        is_again: bool,
    ) -> Option<Vec<u8>> {
        let challenges = challenges(fields);
        let offer = Offer::best(&challenges).filter(|offer| !is_again || offer.is_stale());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(offer) = offer else {
            *known = None;
            return None;
        };
        // A nonce may be said again, and its uses count on.
        let used = known.as_ref().filter(|known| known.nonce == offer.nonce);
        let used = used.map_or(0, |known| known.used);
        let cnonce = format!("{:016x}", random());
        let terms = Terms::new(&offer, &self.user, &self.password, cnonce);
        let learned = Known { terms, nonce: offer.nonce.to_vec(), used };
        known.insert(learned).field(method, target)
    }
}

impl Known {
    fn field(&mut self, method: &str, target: &str) -> Option<Vec<u8>> {
        let body = match self.terms.qop {
            Qop::Absent | Qop::Auth => Hex::default(),
            // No proxy is known to demand a body's hash; CONNECT has no body.
            Qop::AuthInt if method == "CONNECT" => self.terms.algorithm.of(&[]),
            Qop::AuthInt => return None,
        };
        self.used = self.used.checked_add(1)?;
        Some(self.terms.field(&self.nonce, self.used, method, target, &body))
    }
}

impl fmt::Debug for ProxyDigest {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyDigest").field("user", &self.user).finish_non_exhaustive()
    }
}
