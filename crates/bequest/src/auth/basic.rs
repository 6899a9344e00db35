//! Basic authentication.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::Auth;
use crate::error::{Error, ErrorKind, Result};
use crate::request::PreparedRequest;

/// User name and password in every request (RFC 7617), as UTF-8. A pair will do in its place:
/// `.auth(("user", "pass"))`.
#[derive(Clone)]
pub struct Basic {
    user: String,
    password: String,
}

impl Basic {
    /// Both may be empty.
    pub fn new(user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        Self { user: user.as_ref().to_owned(), password: password.as_ref().to_owned() }
    }
}

impl Auth for Basic {
    /// Sets Authorization. A user name with a colon is an error: the server could not tell where
    /// it ends.
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        if self.user.contains(':') {
            return Err(Error::with(
                ErrorKind::Auth,
                "the user name of Basic authentication has a colon",
            )
            .remedied("give name and password separately: `.auth((\"user\", \"pass\"))`"));
        }
        let credentials = BASE64_STANDARD.encode(format!("{}:{}", self.user, self.password));
        request.headers.insert("Authorization", format!("Basic {credentials}"));
        Ok(())
    }
}

impl fmt::Debug for Basic {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("user", &self.user).finish_non_exhaustive()
    }
}
