//! Where the cookies of an exchange are kept.

#[cfg(feature = "cookies")]
use std::sync::Arc;

use url::Url;

#[cfg(feature = "cookies")]
use crate::cookies::CookieJar;
use crate::error::Result;
use crate::headers::Headers;
use crate::request::PreparedRequest;
use crate::response::Response;
use crate::settings::Settings;

/// The session's jar; without a session one that lasts as long as the exchange, and is made when
/// the first cookie comes.
#[cfg(feature = "cookies")]
pub(super) struct Jar(Option<Arc<CookieJar>>);

#[cfg(feature = "cookies")]
impl Jar {
    pub(super) fn of(settings: &Settings) -> Self {
        Self(settings.cookies.clone())
    }

    /// Takes what a response to a request for `url` set.
    pub(super) fn store(&mut self, url: &Url, headers: &Headers) {
        let mut fields = headers.get_all_bytes("Set-Cookie").peekable();
        if fields.peek().is_some() {
            self.0.get_or_insert_default().absorb(url, fields);
        }
    }

    /// The cookies for the next hop.
    pub(super) fn add_to(&self, request: &mut PreparedRequest) -> Result<()> {
        request.add_cookies(self.0.as_deref())
    }

    /// For another round: with what the response has set.
    pub(super) fn refresh(&self, response: &Response, again: &mut PreparedRequest) -> Result<()> {
        if !response.headers().contains("Set-Cookie") {
            return Ok(());
        }
        again.forget_cookies();
        self.add_to(again)
    }
}

/// Without the feature `cookies` there are none.
#[cfg(not(feature = "cookies"))]
pub(super) struct Jar;

#[cfg(not(feature = "cookies"))]
#[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "as the other one")]
impl Jar {
    pub(super) fn of(_: &Settings) -> Self {
        Self
    }

    pub(super) fn store(&mut self, _: &Url, _: &Headers) {}

    pub(super) fn add_to(&self, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }

    pub(super) fn refresh(&self, _: &Response, _: &mut PreparedRequest) -> Result<()> {
        Ok(())
    }
}
