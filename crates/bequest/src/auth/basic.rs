//! Basic authentication.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Auth;
use crate::error::{Error, ErrorKind, Result};
use crate::request::PreparedRequest;
use crate::response::Response;

/// User name and password in every request (RFC 7617), as UTF-8 unless [`latin1`](Self::latin1) is
/// asked for. A pair will do in its place: `.auth(("user", "pass"))`.
#[derive(Clone)]
pub struct Basic {
    user: String,
    password: String,
    is_latin1: bool,
}

impl Basic {
    /// Both may be empty.
    pub fn new(user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        let (user, password) = (user.as_ref().to_owned(), password.as_ref().to_owned());
        Self { user, password, is_latin1: false }
    }

    /// In ISO-8859-1, for servers that know nothing else; Requests does it always. What is not in it
    /// ends the request with an error.
    #[must_use]
    pub fn latin1(self) -> Self {
        Self { is_latin1: true, ..self }
    }

    pub(crate) fn credentials(&self) -> (&str, &str) {
        (&self.user, &self.password)
    }

    /// The value of Authorization, or of Proxy-Authorization. A user name with a colon is an error:
    /// the server could not tell where it ends.
    pub(crate) fn field(&self) -> Result<Vec<u8>> {
        if self.user.contains(':') {
            return Err(Error::with(
                ErrorKind::Auth,
                "the user name of Basic authentication has a colon",
            )
            .remedied("give name and password separately: `.auth((\"user\", \"pass\"))`"));
        }
        Ok(format!("Basic {}", BASE64_STANDARD.encode(self.encoded()?)).into_bytes())
    }

    fn encoded(&self) -> Result<Vec<u8>> {
        let text = format!("{}:{}", self.user, self.password);
        if !self.is_latin1 {
            return Ok(text.into_bytes());
        }
        text.chars()
            .map(|letter| u8::try_from(u32::from(letter)))
            .collect::<Result<_, _>>()
            .map_err(|_| {
                Error::with(
                    ErrorKind::Auth,
                    "user name or password of Basic authentication is not Latin-1",
                )
                .remedied("leave `latin1()` out: UTF-8 has all characters")
            })
    }
}

impl Auth for Basic {
    /// Sets Authorization.
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        request.headers.insert("Authorization", self.field()?);
        Ok(())
    }

    fn answers_to(&self, _: &Response) -> bool {
        false
    }
}

impl fmt::Debug for Basic {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("user", &self.user).finish_non_exhaustive()
    }
}
