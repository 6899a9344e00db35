//! What a challenge demands, and the field that meets it.

use std::borrow::Cow;

use memchr::memchr2_iter;

use super::hash::{Algorithm, Hex};
use crate::auth::challenge::Challenge;

/// What a body's part in the proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Qop {
    /// None, and neither a count nor a nonce of ours (RFC 2069).
    Absent,
    /// None.
    Auth,
    /// Its hash.
    AuthInt,
}

/// A challenge that can be met.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offer<'a> {
    challenge: &'a Challenge<'a>,
    realm: &'a [u8],
    pub(super) nonce: &'a [u8],
    algorithm: Algorithm,
    is_session: bool,
    qop: Qop,
}

impl<'a> Offer<'a> {
    /// The one with the strongest algorithm, of equals the first.
    pub(super) fn best(challenges: &'a [Challenge<'a>]) -> Option<Self> {
        let mut best: Option<Self> = None;
        for offer in challenges.iter().filter_map(Self::of) {
            if best.is_none_or(|best| offer.algorithm > best.algorithm) {
                best = Some(offer);
            }
        }
        best
    }

    fn of(challenge: &'a Challenge<'a>) -> Option<Self> {
        if !challenge.scheme.eq_ignore_ascii_case("digest") {
            return None;
        }
        let params = &challenge.params;
        let name =
            if params.get("algorithm").is_some() { params.text("algorithm")? } else { "MD5" };
        let plain = name.len().checked_sub("-sess".len()).and_then(|at| name.split_at_checked(at));
        let (name, is_session) = match plain {
            Some((plain, end)) if end.eq_ignore_ascii_case("-sess") => (plain, true),
            _ => (name, false),
        };
        if params.get("opaque").is_some_and(|opaque| !can_be_sent(opaque)) {
            return None;
        }
        let qop = match params.get("qop") {
            None => Qop::Absent,
            Some(list) => choose_qop(list)?,
        };
        Some(Self {
            challenge,
            realm: params.get("realm").filter(|realm| can_be_sent(realm))?,
            nonce: params.get("nonce").filter(|nonce| can_be_sent(nonce))?,
            algorithm: Algorithm::named(name)?,
            is_session,
            qop,
        })
    }

    /// Only the nonce was too old; the credentials are not in doubt.
    pub(super) fn is_stale(&self) -> bool {
        self.is_true("stale")
    }

    /// The URIs that it is for, as they were sent.
    pub(super) fn domain(&self) -> &'a str {
        self.challenge.params.text("domain").unwrap_or_default()
    }

    fn is_true(&self, name: &str) -> bool {
        self.challenge.params.get(name).is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }
}

/// Whether a value may go back: a server may quote a TAB, which no field of ours has.
pub(super) fn can_be_sent(value: &[u8]) -> bool {
    !value.iter().any(u8::is_ascii_control)
}

/// `auth` wherever it is offered, as Requests and curl choose: to hash a body is to read it twice.
fn choose_qop(list: &[u8]) -> Option<Qop> {
    let has = |name: &str| {
        let mut names = list.split(|byte| byte == &b',' || byte.is_ascii_whitespace());
        names.any(|known| known.eq_ignore_ascii_case(name.as_bytes()))
    };
    match (has("auth"), has("auth-int")) {
        (true, _) => Some(Qop::Auth),
        (false, true) => Some(Qop::AuthInt),
        (false, false) => None,
    }
}

/// What stays the same while a challenge is met again and again.
pub(super) struct Terms {
    pub(super) algorithm: Algorithm,
    pub(super) qop: Qop,
    /// The hash of name, realm and password. Who has it needs no password.
    secret: Hex,
    /// The same for as long as the server's: the count tells the requests apart, and the secret of a
    /// session is made with it once (RFC 7616, section 3.4.2).
    cnonce: String,
    /// What stands before the nonce.
    front: Vec<u8>,
    /// What stands behind the response.
    back: Vec<u8>,
    is_session: bool,
    has_hashed_name: bool,
}

impl Terms {
    pub(super) fn new(offer: &Offer<'_>, user: &str, password: &str, cnonce: String) -> Self {
        let Offer { challenge, realm, algorithm, is_session, .. } = *offer;
        let mut secret = algorithm.of(&[user.as_bytes(), realm, password.as_bytes()]);
        if is_session {
            secret = algorithm.of(&[&secret, offer.nonce, cnonce.as_bytes()]);
        }
        let has_hashed_name = offer.is_true("userhash");
        let is_utf_8 = challenge
            .params
            .get("charset")
            .is_some_and(|charset| charset.eq_ignore_ascii_case(b"utf-8"));
        let mut front = b"Digest ".to_vec();
        if has_hashed_name {
            let hashed = algorithm.of(&[user.as_bytes(), realm]);
            quote(&mut front, "username", &hashed);
        } else if is_utf_8 && !user.is_ascii() {
            front.extend_from_slice(extended(user).as_bytes());
        } else {
            quote(&mut front, "username", user.as_bytes());
        }
        front.extend_from_slice(b", ");
        quote(&mut front, "realm", realm);
        let mut back = Vec::new();
        for name in ["opaque", "algorithm"] {
            if let Some(value) = challenge.params.get(name) {
                back.extend_from_slice(b", ");
                quote(&mut back, name, value);
            }
        }
        let qop = offer.qop;
        Self { algorithm, qop, secret, cnonce, front, back, is_session, has_hashed_name }
    }

    /// The value of Authorization. `body` is the body's hash, for `auth-int`. Order and quotes are
    /// those of Requests, with which servers are known to live: RFC 7616 would not have `algorithm`
    /// and `qop` in quotes.
    pub(super) fn field(
        &self,
        nonce: &[u8],
        count: u32,
        method: &str,
        uri: &str,
        body: &[u8],
    ) -> Vec<u8> {
        let length = self.front.len() + nonce.len() + uri.len() + self.back.len();
        let mut field = Vec::with_capacity(length + 256);
        let mut hash = |parts: &[&[u8]]| self.algorithm.of_within(&mut field, parts);
        let count = eight_digits(count);
        let (method, target, cnonce) = (method.as_bytes(), uri.as_bytes(), self.cnonce.as_bytes());
        let asked = match self.qop {
            Qop::AuthInt => hash(&[method, target, body]),
            Qop::Absent | Qop::Auth => hash(&[method, target]),
        };
        let qop = match self.qop {
            Qop::Absent => None,
            Qop::Auth => Some(&b"auth"[..]),
            Qop::AuthInt => Some(&b"auth-int"[..]),
        };
        let response = match qop {
            None => hash(&[&self.secret, nonce, &asked]),
            Some(qop) => hash(&[&self.secret, nonce, &count, cnonce, qop, &asked]),
        };
        field.clear();
        let mut add = |parts: &[&[u8]]| parts.iter().for_each(|part| field.extend_from_slice(part));
        add(&[&self.front, b", nonce=\"", &escaped(nonce), b"\", uri=\"", &escaped(target)]);
        add(&[b"\", response=\"", &response, b"\"", &self.back]);
        if let Some(qop) = qop {
            add(&[b", qop=\"", qop, b"\", nc=", &count]);
        }
        // The secret of a session can't be made without it.
        if qop.is_some() || self.is_session {
            add(&[b", cnonce=\"", cnonce, b"\""]);
        }
        if self.has_hashed_name {
            add(&[b", userhash=true"]);
        }
        field
    }
}

fn eight_digits(count: u32) -> [u8; 8] {
    let mut digits = [0; 8];
    for (at, digit) in digits.iter_mut().enumerate() {
        *digit = b"0123456789abcdef"[(count >> (28 - 4 * at)) as usize & 15];
    }
    digits
}

/// As it stands within quotes.
fn escaped(value: &[u8]) -> Cow<'_, [u8]> {
    let mut special = memchr2_iter(b'"', b'\\', value).peekable();
    if special.peek().is_none() {
        return Cow::Borrowed(value);
    }
    let (mut text, mut done) = (Vec::with_capacity(value.len() + 8), 0);
    for at in special {
        text.extend_from_slice(&value[done..at]);
        text.push(b'\\');
        done = at;
    }
    text.extend_from_slice(&value[done..]);
    Cow::Owned(text)
}

/// `name="value"`.
fn quote(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    for part in [name.as_bytes(), b"=\"", &escaped(value), b"\""] {
        out.extend_from_slice(part);
    }
}

/// `username*`, for who has said to know UTF-8 (RFC 8187).
fn extended(user: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const ESCAPED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    format!("username*=UTF-8''{}", utf8_percent_encode(user, ESCAPED))
}
