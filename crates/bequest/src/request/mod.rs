//! Requests: as they are built, and as they are sent.

mod builder;
mod content;
mod convert;
mod into_url;
mod params;
mod prepare;
mod prepared;
mod target;
mod zone;

pub use builder::Request;
pub use into_url::IntoUrl;
pub(crate) use into_url::{check_text, parse_url};
pub use params::Params;
pub(crate) use prepare::Defaults;
pub use prepared::PreparedRequest;

use crate::error::Error;
use crate::response::Response;

impl Error {
    /// The request that it ended, unless a layer below said so already.
    pub(crate) fn of_request(self, request: Box<PreparedRequest>) -> Self {
        self.of(&request.method, &request.url).carry_request(*request)
    }

    /// The request that failed, as far as it had come: with the fields that went out, if it did.
    pub fn request(&self) -> Option<&PreparedRequest> {
        let own = self.carried_request().and_then(|request| request.downcast_ref());
        own.or_else(|| self.response().map(Response::request))
    }
}

#[cfg(test)]
mod tests;
