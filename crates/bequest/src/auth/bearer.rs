//! Bearer tokens.

use std::fmt;

use super::Auth;
use crate::error::Result;
use crate::request::PreparedRequest;
use crate::response::Response;

/// A token in every request (RFC 6750).
#[derive(Clone)]
pub struct Bearer(String);

impl Bearer {
    /// The token as it shall be sent, without the word `Bearer`.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }
}

impl Auth for Bearer {
    fn apply(&self, request: &mut PreparedRequest) -> Result<()> {
        request.headers.insert("Authorization", format!("Bearer {}", self.0));
        Ok(())
    }

    fn answers_to(&self, _: &Response) -> bool {
        false
    }
}

impl fmt::Debug for Bearer {
    /// Without the token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Bearer")
    }
}
