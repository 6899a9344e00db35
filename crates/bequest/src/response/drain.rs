//! Bodies that nobody may want.

use bytes::Bytes;

use super::builder::Own;
use super::decode::Codings;
use super::incoming::Live;
use super::loan::Loan;
use super::{Body, Response};
use crate::error::Result;

/// The most that is read of a body that nobody will see.
pub(crate) const DRAINED: u64 = 64 * 1024;

impl Response {
    /// Reads the body in, unless somebody has had it already; what ended an earlier reading is the
    /// error.
    pub(crate) async fn have_read(&self) -> Result<()> {
        match &*self.lock() {
            Body::Live(live) if !live.is_begun() => {}
            Body::Failed(error) => return Err(error.again()),
            _ => return Ok(()),
        }
        self.read_in().await
    }

    /// Reads a body that nobody will see to its end, so that its connection can be used again, if
    /// it is not larger than `most` as it was sent. What was read is decoded only if somebody asks.
    pub(crate) async fn drain(&self, most: u64) {
        if !self.is_to_be_read() {
            return;
        }
        let Ok(mut loan) = Loan::take_as(self, true) else { return };
        loan.begin();
        let body = match loan.collect(Some(most)).await {
            Ok(bytes) => match Codings::of(&self.0.head.headers) {
                Some(codings) => {
                    let mut live = Live::new(Own::from(bytes));
                    live.code(codings);
                    Body::Live(live)
                }
                None => Body::Collected(bytes),
            },
            // It has closed the connection.
            Err(error) => Body::Failed(self.named(error)),
        };
        loan.finish(body);
    }

    /// Whether nobody has begun to read the body. One of nothing, as of most redirects, has been
    /// read by that.
    fn is_to_be_read(&self) -> bool {
        let mut body = self.lock();
        match &*body {
            Body::Live(live) if live.is_begun() => false,
            Body::Live(live) if live.remaining() == Some(0) => {
                *body = Body::Collected(Bytes::new());
                false
            }
            Body::Live(_) => true,
            _ => false,
        }
    }
}
