//! Where which challenge holds, and how often each nonce was used.

use std::collections::VecDeque;
use std::sync::Arc;

use url::Url;

use super::terms::Terms;

/// So many protection spaces and nonces are remembered, the latest ones.
const MOST: usize = 64;

#[derive(Default)]
pub(super) struct Spaces {
    /// The latest last.
    spaces: VecDeque<Space>,
    /// The latest last. They are kept apart, since a server may send one nonce for several spaces,
    /// and come back to an earlier one.
    nonces: VecDeque<Nonce>,
}

struct Space {
    scheme: Box<str>,
    host: Box<str>,
    port: Option<u16>,
    /// How paths in it begin; all of the origin if there is none.
    prefixes: Vec<String>,
    terms: Arc<Terms>,
    nonce: Arc<[u8]>,
}

struct Nonce {
    value: Arc<[u8]>,
    used: u32,
}

/// The right to use a nonce once, with a count that nobody else has.
pub(super) struct Turn {
    pub(super) terms: Arc<Terms>,
    pub(super) nonce: Arc<[u8]>,
    pub(super) count: u32,
}

impl Space {
    fn is_of(&self, url: &Url) -> bool {
        self.port == url.port_or_known_default()
            && url.host_str() == Some(&*self.host)
            && url.scheme() == &*self.scheme
    }

    /// How much of the URL's path says that it is in here; `None` if it is not.
    fn covers(&self, url: &Url) -> Option<usize> {
        if !self.is_of(url) {
            return None;
        }
        if self.prefixes.is_empty() {
            return Some(0);
        }
        let fitting = self.prefixes.iter().filter(|prefix| url.path().starts_with(prefix.as_str()));
        fitting.map(String::len).max()
    }
}

impl Spaces {
    /// A turn with the challenge that holds for this URL.
    pub(super) fn turn(&mut self, url: &Url) -> Option<Turn> {
        let space = self.spaces.get(self.find(url)?)?;
        let (terms, nonce) = (Arc::clone(&space.terms), Arc::clone(&space.nonce));
        let count = self.count(&nonce)?;
        Some(Turn { terms, nonce, count })
    }

    /// Remembers a challenge in place of what held there; the first turn with it.
    pub(super) fn learn(
        &mut self,
        url: &Url,
        domain: &str,
        terms: Arc<Terms>,
        nonce: &[u8],
    ) -> Option<Turn> {
        let prefixes = prefixes(url, domain);
        self.spaces.retain(|space| !(space.is_of(url) && space.prefixes == prefixes));
        make_room(&mut self.spaces);
        let nonce = self.known(nonce);
        self.spaces.push_back(Space {
            scheme: url.scheme().into(),
            host: url.host_str().unwrap_or_default().into(),
            port: url.port_or_known_default(),
            prefixes,
            terms: Arc::clone(&terms),
            nonce: Arc::clone(&nonce),
        });
        let count = self.count(&nonce)?;
        Some(Turn { terms, nonce, count })
    }

    /// The next requests shall have this nonce.
    pub(super) fn renew(&mut self, url: &Url, nonce: &[u8]) {
        let Some(at) = self.find(url) else { return };
        let nonce = self.known(nonce);
        if let Some(space) = self.spaces.get_mut(at) {
            space.nonce = nonce;
        }
    }

    /// What was remembered for the URL did not help.
    pub(super) fn forget(&mut self, url: &Url) {
        self.spaces.retain(|space| space.covers(url).is_none());
    }

    /// The space with the longest path that covers the URL, of equals the latest.
    fn find(&self, url: &Url) -> Option<usize> {
        let covers = |(at, space): (usize, &Space)| space.covers(url).map(|length| (length, at));
        self.spaces.iter().enumerate().filter_map(covers).max().map(|(_, at)| at)
    }

    fn known(&mut self, nonce: &[u8]) -> Arc<[u8]> {
        if let Some(known) = self.nonces.iter().rev().find(|known| &*known.value == nonce) {
            return Arc::clone(&known.value);
        }
        make_room(&mut self.nonces);
        let value: Arc<[u8]> = nonce.into();
        self.nonces.push_back(Nonce { value: Arc::clone(&value), used: 0 });
        value
    }

    /// One more use; `None` once they are spent, or nobody knows how many there were.
    fn count(&mut self, nonce: &Arc<[u8]>) -> Option<u32> {
        let known = self.nonces.iter_mut().rev().find(|known| Arc::ptr_eq(&known.value, nonce))?;
        known.used = known.used.checked_add(1)?;
        Some(known.used)
    }
}

fn make_room<T>(list: &mut VecDeque<T>) {
    while list.len() >= MOST {
        list.pop_front();
    }
}

/// The paths of a `domain`, in order. Other origins are not sent anything unasked.
fn prefixes(url: &Url, domain: &str) -> Vec<String> {
    let uris = domain.split_ascii_whitespace().filter_map(|uri| url.join(uri).ok());
    uris.filter(|uri| uri.origin() == url.origin())
        .map(|uri| uri.path().to_owned())
        .take(MOST)
        .collect()
}
