//! Where the cookies of a jar lie (RFC 6265bis, sections 5.7 and 5.8).

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::SystemTime;

use super::cookie::Cookie;
use super::matching::{Place, domain_match, path_match};

/// How many cookies one domain may have, and all together (section 6.1).
pub(super) const MOST_OF_A_DOMAIN: usize = 50;
pub(super) const MOST: usize = 3000;

/// The cookies by their domain: a request looks only at those of the few that its host is in.
#[derive(Clone, Default)]
pub(super) struct Store {
    // No list is empty, and each is in the order of sending.
    domains: BTreeMap<Box<str>, Vec<Entry>>,
    count: usize,
    next: u64,
}

#[derive(Clone)]
struct Entry {
    cookie: Cookie,
    /// Which came first, where the clock does not tell.
    order: u64,
    /// When it was last sent, or set.
    used: Cell<SystemTime>,
}

impl Entry {
    fn age(&self) -> (SystemTime, u64) {
        (self.cookie.creation, self.order)
    }

    /// Where it stands in a Cookie field (section 5.8.3).
    fn place(&self) -> (Reverse<usize>, SystemTime, u64) {
        (Reverse(self.cookie.path.len()), self.cookie.creation, self.order)
    }
}

impl Store {
    /// How many there are, also those that have expired and were not yet looked at.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Puts a cookie in, in the place of the one that is the same (section 5.7). One that has
    /// expired only takes the other away.
    pub(super) fn insert(&mut self, mut cookie: Cookie, now: SystemTime) {
        if let Some(list) = self.domains.get_mut(&cookie.domain)
            && let Some(old) = list.iter_mut().find(|old| old.cookie.is_same(&cookie))
        {
            if !cookie.is_expired(now) && !old.cookie.is_expired(now) {
                // Its place in the list is the same: that is by path and creation.
                cookie.creation = old.cookie.creation;
                old.cookie = cookie;
                old.used.set(now);
                return;
            }
            let order = old.order;
            self.take(&cookie.domain, |old| old.order == order);
        }
        if cookie.is_expired(now) {
            return;
        }
        let entry = Entry { cookie, order: self.next, used: Cell::new(now) };
        self.next += 1;
        let domain = entry.cookie.domain.clone();
        let list = self.domains.entry(domain.clone()).or_default();
        let at = list.partition_point(|other| other.place() < entry.place());
        list.insert(at, entry);
        self.count += 1;
        if list.len() > MOST_OF_A_DOMAIN {
            self.make_room_in(&domain, now);
        }
        if self.count > MOST {
            self.make_room(now);
        }
    }

    /// Whether what came in the clear would hide a cookie that is secure (section 5.7).
    pub(super) fn would_hide_secure(&self, new: &Cookie, now: SystemTime) -> bool {
        let (domain, path) = (&*new.domain, &*new.path);
        let related = |other: &str| domain_match(other, domain) || domain_match(domain, other);
        self.domains.iter().filter(|(other, _)| related(other)).any(|(_, list)| {
            list.iter().map(|entry| &entry.cookie).any(|old| {
                old.secure
                    && old.name_bytes() == new.name_bytes()
                    && path_match(path, &old.path)
                    && !old.is_expired(now)
            })
        })
    }

    /// Gives the cookies for a request, in the order of sending (section 5.8.3). They count as used.
    pub(super) fn matching<'a>(
        &'a self,
        place: &Place<'_>,
        now: SystemTime,
        mut give: impl FnMut(&'a Cookie),
    ) {
        let of_domain = |domain: &str| {
            let is_host = domain.len() == place.host.len();
            self.domains.get(domain).map(|list| (is_host, list))
        };
        let mut lists = place.domains().filter_map(of_domain);
        let matching = |(is_host, list): (bool, &'a Vec<Entry>),
                        give: &mut dyn FnMut(&'a Entry)| {
            for entry in list {
                let cookie = &entry.cookie;
                if (is_host || !cookie.host_only)
                    && (place.secure || !cookie.secure)
                    && path_match(place.path, &cookie.path)
                    && !cookie.is_expired(now)
                {
                    entry.used.set(now);
                    give(entry);
                }
            }
        };
        let Some(first) = lists.next() else { return };
        let Some(second) = lists.next() else {
            // Nearly always there is one, and it is in order.
            return matching(first, &mut |entry| give(&entry.cookie));
        };
        let mut found = Vec::new();
        for list in [first, second].into_iter().chain(lists) {
            matching(list, &mut |entry| found.push(entry));
        }
        found.sort_unstable_by_key(|entry| entry.place());
        found.into_iter().for_each(|entry| give(&entry.cookie));
    }

    /// All that have not expired, in no order.
    pub(super) fn live(&self, now: SystemTime) -> impl Iterator<Item = &Cookie> {
        let all = self.domains.values().flatten().map(|entry| &entry.cookie);
        all.filter(move |cookie| !cookie.is_expired(now))
    }

    /// Those that are meant and have not expired, as they were created.
    pub(super) fn select(&self, now: SystemTime, meant: impl Fn(&Cookie) -> bool) -> Vec<&Cookie> {
        let mut all: Vec<_> = self.domains.values().flatten().collect();
        all.retain(|entry| !entry.cookie.is_expired(now) && meant(&entry.cookie));
        all.sort_unstable_by_key(|entry| entry.age());
        all.into_iter().map(|entry| &entry.cookie).collect()
    }

    /// Leaves only these; says how many went.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Cookie) -> bool) -> usize {
        self.domains.retain(|_, list| {
            list.retain(|entry| keep(&entry.cookie));
            !list.is_empty()
        });
        let left = self.domains.values().map(Vec::len).sum();
        std::mem::replace(&mut self.count, left) - left
    }

    fn take(&mut self, domain: &str, is_it: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let list = self.domains.get_mut(domain)?;
        let at = list.iter().position(is_it)?;
        let taken = list.remove(at);
        if list.is_empty() {
            self.domains.remove(domain);
        }
        self.count -= 1;
        Some(taken)
    }

    /// A domain has one cookie too many: those that have expired go, or the one of least use; those
    /// that are not secure before those that are.
    fn make_room_in(&mut self, domain: &str, now: SystemTime) {
        self.retain(|cookie| !cookie.is_expired(now));
        let Some(list) = self.domains.get(domain) else { return };
        if list.len() <= MOST_OF_A_DOMAIN {
            return;
        }
        let least = list.iter().min_by_key(|e| (e.cookie.secure, e.used.get(), e.order));
        if let Some(order) = least.map(|entry| entry.order) {
            self.take(domain, |entry| entry.order == order);
        }
    }

    /// There is one cookie too many: those that have expired go, or the one of least use.
    fn make_room(&mut self, now: SystemTime) {
        self.retain(|cookie| !cookie.is_expired(now));
        if self.count <= MOST {
            return;
        }
        let all = self.domains.values().flatten();
        let least = all.min_by_key(|entry| (entry.used.get(), entry.order));
        let least = least.map(|entry| (entry.order, entry.cookie.domain.clone()));
        if let Some((order, domain)) = least {
            self.take(&domain, |entry| entry.order == order);
        }
    }
}
