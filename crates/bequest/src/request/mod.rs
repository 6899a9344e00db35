//! Requests: as they are built, and as they are sent.

mod builder;
mod into_url;
mod params;
mod prepare;
mod prepared;
mod target;

#[cfg(feature = "async")]
pub(crate) use builder::Parts;
pub use builder::Request;
pub use into_url::IntoUrl;
pub use params::Params;
pub(crate) use prepare::Defaults;
pub use prepared::PreparedRequest;

use crate::error::Error;

impl Error {
    /// The request that failed, as far as it had come: with the fields that went out, if it did.
    pub fn request(&self) -> Option<&PreparedRequest> {
        self.carried_request()?.downcast_ref()
    }
}

#[cfg(test)]
mod tests;
