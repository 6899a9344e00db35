//! One request and its response, on a connection that others share.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use ::h2::client::ResponseFuture;
use ::h2::{RecvStream, SendStream};
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};

use super::end::End;
use super::hub::{Hub, Slot};
use super::line::Bell;

/// A head that has arrived.
#[derive(Debug)]
pub(crate) enum Headline {
    /// One before the final one.
    Interim(StatusCode),
    Final(Box<Parts>),
}

/// A stream. Dropping it before it is over cancels it.
pub(crate) struct Call {
    hub: Arc<Hub>,
    bell: Arc<Bell>,
    response: Option<ResponseFuture>,
    receiving: Option<RecvStream>,
    sending: Option<SendStream<Bytes>>,
    slot: Option<Slot>,
}

impl Call {
    pub(super) fn new(
        hub: Arc<Hub>,
        slot: Slot,
        response: ResponseFuture,
        sending: Option<SendStream<Bytes>>,
    ) -> Self {
        let bell = Arc::default();
        Self { hub, bell, response: Some(response), receiving: None, sending, slot: Some(slot) }
    }

    pub(crate) fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The next head; asked until the final one was there.
    pub(crate) fn poll_head(&mut self, context: &mut Context<'_>) -> Poll<Result<Headline, End>> {
        let Some(response) = &mut self.response else { return Poll::Ready(Err(End::Lost(None))) };
        let arrived = ready!(self.hub.poll(&self.bell, context, |context| {
            match response.poll_informational(context) {
                Poll::Ready(Some(interim)) => {
                    return Poll::Ready(interim.map(|interim| Arrived::Interim(interim.status())));
                }
                Poll::Ready(None) => {}
                Poll::Pending => return Poll::Pending,
            }
            std::pin::Pin::new(&mut *response).poll(context).map_ok(Arrived::Final)
        }))?;
        self.hub.settle();
        Poll::Ready(Ok(match arrived {
            Arrived::Interim(status) => Headline::Interim(status),
            Arrived::Final(response) => {
                self.response = None;
                let (parts, receiving) = response.into_parts();
                self.receiving = Some(receiving);
                Headline::Final(Box::new(parts))
            }
        }))
    }

    /// Waits until up to that many bytes may be sent; says how many. Zero: the server takes no
    /// more.
    pub(crate) fn poll_room(
        &mut self,
        context: &mut Context<'_>,
        most: usize,
    ) -> Poll<Result<usize, End>> {
        let Some(sending) = &mut self.sending else { return Poll::Ready(Ok(0)) };
        // The crate has 32 bits for it.
        sending.reserve_capacity(most.min(u32::MAX as usize));
        let room = ready!(self.hub.poll(&self.bell, context, |context| {
            // What it has is known without waiting; only more of it is announced.
            loop {
                match sending.capacity() {
                    0 => match ready!(sending.poll_capacity(context)) {
                        Some(Ok(0)) => {}
                        changed => return Poll::Ready(changed),
                    },
                    room => return Poll::Ready(Some(Ok(room))),
                }
            }
        }));
        Poll::Ready(Ok(room.transpose()?.unwrap_or(0).min(most)))
    }

    /// Sends what there is room for.
    pub(crate) fn send(&mut self, data: Bytes, is_last: bool) -> Result<(), End> {
        let Some(sending) = &mut self.sending else { return Ok(()) };
        sending.send_data(data, is_last)?;
        if is_last {
            self.sending = None;
        }
        Ok(())
    }

    /// What is queued leaves now, and nobody relies on this one until it waits again: what comes
    /// next may block.
    pub(crate) fn push(&self) {
        self.hub.leave(&self.bell);
        self.hub.catch_up();
    }

    /// The next bytes of the body; nothing is the end.
    pub(crate) fn poll_data(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Bytes>, End>> {
        let Some(receiving) = &mut self.receiving else { return Poll::Ready(Ok(None)) };
        let data = self.hub.poll(&self.bell, context, |context| receiving.poll_data(context));
        data.map(|data| Ok(data.transpose()?))
    }

    /// The fields behind the body, after its end.
    pub(crate) fn poll_trailers(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<HeaderMap>, End>> {
        let Some(receiving) = &mut self.receiving else { return Poll::Ready(Ok(None)) };
        let fields = self.hub.poll(&self.bell, context, |context| receiving.poll_trailers(context));
        fields.map_err(End::from)
    }

    /// So many bytes were read by whom they are for: the server may send as many more.
    pub(crate) fn release(&mut self, count: usize) {
        if let Some(receiving) = &mut self.receiving {
            // It fails for more than has arrived, and for a stream that is over.
            let _ = receiving.flow_control().release_capacity(count);
        }
    }

    /// Whether nothing is to come.
    pub(crate) fn is_over(&self) -> bool {
        self.receiving.as_ref().is_some_and(RecvStream::is_end_stream)
    }
}

enum Arrived {
    Interim(StatusCode),
    Final(Response<RecvStream>),
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.hub.is_of_this_process() {
            // Another thread may have been at it as the process was forked: what it had locked
            // then is locked in the child for ever.
            std::mem::forget((self.response.take(), self.receiving.take(), self.sending.take()));
            return;
        }
        self.hub.leave(&self.bell);
        let is_cancelled = self.sending.is_some() || !self.is_over();
        self.response = None;
        self.receiving = None;
        self.sending = None;
        if is_cancelled {
            // The server is told before the place is another's.
            self.hub.catch_up();
        }
        self.slot = None;
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("hub", &self.hub).finish_non_exhaustive()
    }
}
