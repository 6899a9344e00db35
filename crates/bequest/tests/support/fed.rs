//! A stream that is fed from elsewhere, and needs no runtime.

use std::pin::Pin;
use std::task::{Context, Poll};

use bequest::Error;
use futures_core::Stream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

pub(crate) type Item = Result<&'static str, Error>;

/// What is sent into a channel.
pub(crate) struct Fed(UnboundedReceiver<Item>);

impl Stream for Fed {
    type Item = Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Item>> {
        self.0.poll_recv(context)
    }
}

pub(crate) fn fed() -> (UnboundedSender<Item>, Fed) {
    let (sender, receiver) = unbounded_channel();
    (sender, Fed(receiver))
}

impl Fed {
    /// All of it is there already.
    pub(crate) fn ready(pieces: &[&'static str]) -> Self {
        let (sender, fed) = fed();
        pieces.iter().for_each(|piece| sender.send(Ok(piece)).unwrap());
        fed
    }

    /// Nothing comes after these, not even an end.
    pub(crate) fn endless(pieces: &[&'static str]) -> Self {
        let (sender, fed) = fed();
        pieces.iter().for_each(|piece| sender.send(Ok(piece)).unwrap());
        std::mem::forget(sender);
        fed
    }
}
