//! Query parameters of a session or a request.

use std::fmt;

use url::Url;

use crate::body::form;
use crate::secrets;

/// Query parameters in order; names may repeat. Those of a session are put into every request of
/// its, and a request's replace those of the same name (Requests' `Session.params`).
///
/// ```
/// # use bequest::{Params, Request, Session};
/// let mut s = Session::new();
/// s.params = Params::from([("key", "k"), ("lang", "en")]);
/// let request = Request::new("GET", "http://example.org/?a=1").params([("lang", "de")]);
/// assert_eq!(s.prepare(request)?.url.as_str(), "http://example.org/?a=1&key=k&lang=de");
/// # Ok::<(), bequest::Error>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

#[expect(clippy::needless_pass_by_value, reason = "callers write numbers and literals")]
impl Params {
    /// No parameters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the parameter: the first of that name is replaced where it stands, the others go.
    pub fn insert(&mut self, name: impl Into<String>, value: impl ToString) {
        let (name, value) = (name.into(), value.to_string());
        match self.0.iter().position(|(known, _)| *known == name) {
            None => self.0.push((name, value)),
            Some(first) => {
                self.0[first].1 = value;
                let mut at = 0;
                self.0.retain(|(known, _)| {
                    at += 1;
                    at - 1 <= first || *known != name
                });
            }
        }
    }

    /// Adds a parameter at the end, whatever there is of that name.
    pub fn append(&mut self, name: impl Into<String>, value: impl ToString) {
        self.0.push((name.into(), value.to_string()));
    }

    /// Takes every parameter of that name out, and says whether there was one.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(known, _)| known != name);
        self.0.len() < before
    }

    /// The first value of that name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<N: Into<String>, V: ToString> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.to_string())).collect())
    }
}

impl<N: Into<String>, V: ToString, const LEN: usize> From<[(N, V); LEN]> for Params {
    fn from(pairs: [(N, V); LEN]) -> Self {
        pairs.into_iter().collect()
    }
}

impl<N: Into<String>, V: ToString> From<Vec<(N, V)>> for Params {
    fn from(pairs: Vec<(N, V)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl fmt::Debug for Params {
    /// As a map; values whose names say that they are secret are masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.iter().map(|(name, value)| {
            (name, if secrets::is_secret_parameter(name) { secrets::MASK } else { value })
        });
        f.debug_map().entries(shown).finish()
    }
}

/// What a request brings.
#[derive(Clone, Debug, Default)]
pub(super) struct RequestParams {
    pub(super) pairs: Vec<(String, String)>,
    pub(super) raw: Option<String>,
    /// Names of session parameters that this request goes without.
    pub(super) without: Vec<String>,
}

impl RequestParams {
    /// The session's parameters and the request's. Text given as it is takes the place of the
    /// session's.
    pub(super) fn query(&self, session: &Params) -> String {
        match &self.raw {
            Some(raw) if self.pairs.is_empty() => raw.clone(),
            Some(raw) => format!("{raw}&{}", form::encode(self.merged(&Params::new()))),
            None => form::encode(self.merged(session)),
        }
    }

    /// A name of the session's that the request has too keeps its place.
    fn merged<'a>(&'a self, session: &'a Params) -> Vec<(&'a str, &'a str)> {
        let own = |name: &str| self.pairs.iter().any(|(known, _)| known == name);
        let mut merged: Vec<(&str, &str)> = Vec::new();
        let mut placed: Vec<&str> = Vec::new();
        for (name, value) in session.iter().filter(|(name, _)| !self.leaves_out(name)) {
            if !own(name) {
                merged.push((name, value));
            } else if !placed.contains(&name) {
                placed.push(name);
                merged.extend(self.of_name(name));
            }
        }
        let rest = self.pairs.iter().filter(|(name, _)| !placed.contains(&name.as_str()));
        merged.extend(rest.map(|(name, value)| (name.as_str(), value.as_str())));
        merged
    }

    fn of_name<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.pairs
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn leaves_out(&self, name: &str) -> bool {
        self.without.iter().any(|known| known == name)
    }
}

/// Puts a query behind the one that the URL has.
pub(super) fn add_to(url: &mut Url, query: String) {
    if query.is_empty() {
        return;
    }
    let query = match url.query() {
        Some(known) if !known.is_empty() => format!("{known}&{query}"),
        _ => query,
    };
    url.set_query(Some(&query));
}
