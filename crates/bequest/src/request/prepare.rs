//! From a request and a session's state to what is sent.

use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use super::builder::Parts;
use super::into_url::Given;
use super::params::{Params, add_to};
use super::prepared::{PreparedRequest, ROOM};
use super::target;
use crate::auth::{Auth, Basic};
#[cfg(feature = "cookies")]
use crate::cookies::CookieJar;
use crate::environment::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::headers::Headers;
use crate::hooks::Hooks;

/// A session's state, as far as it goes into a request.
pub(crate) struct Defaults<'a> {
    pub(crate) headers: Option<&'a Headers>,
    pub(crate) params: Option<&'a Params>,
    pub(crate) auth: Option<&'a Arc<dyn Auth>>,
    /// Who is asked for credentials, if nobody else has any.
    pub(crate) environment: Option<&'a Environment>,
    #[cfg(feature = "cookies")]
    pub(crate) cookies: Option<&'a CookieJar>,
    pub(crate) hooks: Option<&'a Hooks>,
}

impl Defaults<'_> {
    pub(crate) const fn none() -> Self {
        Self {
            headers: None,
            params: None,
            auth: None,
            environment: None,
            #[cfg(feature = "cookies")]
            cookies: None,
            hooks: None,
        }
    }
}

impl Parts {
    /// Everything put together and checked, and the auth applied.
    pub(crate) fn prepare(self, defaults: &Defaults<'_>) -> Result<PreparedRequest> {
        self.ready(defaults)?.checked().map(|prepared| *prepared)
    }

    /// The same for what is sent at once: its fields are checked when they are written.
    pub(crate) fn ready(self, defaults: &Defaults<'_>) -> Result<Box<PreparedRequest>> {
        let mut prepared = self.assemble(defaults)?;
        match prepared.apply_auth() {
            Ok(()) => Ok(prepared),
            Err(error) => Err(error.of_request(prepared)),
        }
    }

    /// Everything but the auth, which comes last: a signature must see the rest.
    pub(crate) fn assemble(self, defaults: &Defaults<'_>) -> Result<Box<PreparedRequest>> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let Some(Given { mut url, typed }) = self.url else {
            return Err(Error::with(ErrorKind::InvalidUrl, "the request has no URL"));
        };
        let query = self.params.query(defaults.params.unwrap_or(&Params::new()));
        let known = url.query().map_or(0, str::len);
        let typed = typed.map(|typed| *typed).unwrap_or_default();
        add_to(&mut url, query);
        let as_typed = typed.target.filter(|_| self.path_as_is);
        let target = as_typed.map(|typed| target::as_typed(&typed, added(&url, known)));
        let mut prepared = Box::new(PreparedRequest::new(self.method, url));
        (prepared.target, prepared.zone) = (target, typed.zone);
        prepared.headers = match defaults.headers {
            Some(session) => {
                let mut headers = session.clone_with_room(ROOM, self.headers.len() + 4);
                headers.update(&self.headers);
                headers
            }
            None => self.headers,
        };
        for name in &self.without_headers {
            prepared.headers.remove(name);
        }
        #[cfg(feature = "cookies")]
        {
            prepared.cookies = self.cookies;
            let mut without = self.without_headers.iter();
            prepared.goes_without_cookies = without.any(|name| name.eq_ignore_ascii_case("cookie"));
            prepared.add_cookies(defaults.cookies)?;
        }
        prepared.body = self.content.into_body(&mut prepared.headers)?;
        if let Some(session) = defaults.hooks {
            prepared.hooks.extend(session);
        }
        prepared.hooks.extend(&self.hooks);
        prepared.options = self.options;
        prepared.extensions = self.extensions;
        let said = self.auth.or_else(|| defaults.auth.cloned());
        prepared.auth_is_said = said.is_some() || prepared.headers.contains("Authorization");
        prepared.auth = match said {
            None if !prepared.auth_is_said => found(&prepared.url, defaults, typed.empty_password),
            said => said,
        };
        Ok(prepared)
    }
}

/// What was put behind so much of a query, escaped as the URL has it.
fn added(url: &Url, known: usize) -> &str {
    let added = url.query().and_then(|query| query.get(known..)).unwrap_or_default();
    if known > 0 { added.strip_prefix('&').unwrap_or(added) } else { added }
}

/// The credentials that are there for a request that says nothing of them itself, and whose session
/// does not: those of .netrc, else the URL's.
fn found(url: &Url, defaults: &Defaults<'_>, empty_password: bool) -> Option<Arc<dyn Auth>> {
    let netrc = defaults.environment.and_then(|environment| environment.credentials(url));
    let basic = netrc.or_else(|| credentials(url, empty_password))?;
    Some(Arc::new(basic))
}

/// User name and password of the URL, unescaped; a name alone is not enough, but the password may
/// be empty, which a `Url` does not tell from none.
fn credentials(url: &Url, empty_password: bool) -> Option<Basic> {
    let password = url.password().or(empty_password.then_some(""))?;
    let decode = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    Some(Basic::new(decode(url.username()), decode(password)))
}
