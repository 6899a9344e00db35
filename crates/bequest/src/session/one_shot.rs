//! Requests without a session of the caller's.

use std::sync::OnceLock;

use super::Session;
use crate::request::{IntoUrl, Request};

/// Keeps nothing but connections: nobody can change it.
fn shared() -> &'static Session {
    static SHARED: OnceLock<Session> = OnceLock::new();
    SHARED.get_or_init(Session::forgetful)
}

macro_rules! verbs {
    ($($(#[$doc:meta])* $verb:ident $method:literal;)*) => {$(
        $(#[$doc])*
        pub fn $verb(url: impl IntoUrl) -> Request<&'static Session> {
            request($method, url)
        }
    )*};
}

verbs! {
    /// `GET`, without a session: nothing is kept between such calls but connections, which all of
    /// the process share. The environment and .netrc are read once a process, as by a session: see
    /// [`Session::trust_env`].
    ///
    /// ```
    /// # let server = testbed::Testbed::start();
    /// # let url = server.url("/get");
    /// let r = bequest::get(&url).send()?;
    /// assert_eq!(r.status(), 200);
    /// # Ok::<(), bequest::Error>(())
    /// ```
    get "GET";
    /// `OPTIONS`, without a session.
    options "OPTIONS";
    /// `HEAD`, without a session.
    head "HEAD";
    /// `POST`, without a session.
    post "POST";
    /// `PUT`, without a session.
    put "PUT";
    /// `PATCH`, without a session.
    patch "PATCH";
    /// `DELETE`, without a session.
    delete "DELETE";
}

/// Any method, without a session; it is upper-cased.
///
/// ```
/// # let server = testbed::Testbed::start();
/// # let url = server.url("/anything");
/// let r = bequest::request("MKCOL", &url).body("<a/>").send()?;
/// assert_eq!(r.request().method, "MKCOL");
/// # Ok::<(), bequest::Error>(())
/// ```
pub fn request(method: impl AsRef<str>, url: impl IntoUrl) -> Request<&'static Session> {
    shared().request(method, url)
}
