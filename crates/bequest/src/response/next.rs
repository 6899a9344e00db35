//! Where a redirect leads that was not followed.

#[cfg(feature = "cookies")]
use std::sync::Arc;

use super::Response;
#[expect(unused_imports, reason = "documentation names it")]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::redirect::{self, Led};
use crate::request::PreparedRequest;

impl Response {
    /// The request that a redirect asks for, if this is one that was not followed (Requests'
    /// `next`): with the method, the body and the headers that go along.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidUrl`] and [`ErrorKind::InvalidSchema`] for a Location that can't be
    /// followed; [`ErrorKind::UnrewindableBody`] for a body that can't be sent again.
    pub fn next_request(&self) -> Result<Option<PreparedRequest>> {
        let Some(mut next) = self.next_before_auth()? else { return Ok(None) };
        next.apply_auth().map_err(|error| self.named(error))?;
        Ok(Some(*next))
    }

    /// The same, with an auth that is awaited.
    #[cfg(feature = "async")]
    pub(crate) async fn next_request_async(&self) -> Result<Option<PreparedRequest>> {
        let Some(mut next) = self.next_before_auth()? else { return Ok(None) };
        next.apply_auth_async().await.map_err(|error| self.named(error))?;
        Ok(Some(*next))
    }

    fn next_before_auth(&self) -> Result<Option<Box<PreparedRequest>>> {
        let settings = self.request().settings().cloned().unwrap_or_default();
        let led = redirect::next(self, &settings).map_err(|error| self.named(error))?;
        #[cfg_attr(not(feature = "cookies"), expect(unused_mut, reason = "none are added"))]
        let Some(Led { request: mut next, .. }) = led else { return Ok(None) };
        #[cfg(feature = "cookies")]
        {
            // Without a session's jar there is what this one has set.
            let jar = settings.cookies.unwrap_or_else(|| Arc::new(self.cookies()));
            next.add_cookies(Some(&jar)).map_err(|error| self.named(error))?;
        }
        Ok(Some(next))
    }
}
