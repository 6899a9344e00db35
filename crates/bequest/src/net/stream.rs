//! A socket, or TLS over one.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
#[cfg(feature = "tls")]
use tokio_rustls::client::TlsStream;

use super::tls::{TlsInfo, TlsSettings};
use crate::error::Result;
#[cfg(not(feature = "tls"))]
use crate::error::{Error, ErrorKind};
#[cfg(feature = "http2")]
use crate::h2::Transport;
use crate::reactor::Socket;

/// What requests are written to and responses read from.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Socket),
    #[cfg(feature = "tls")]
    Tls(Box<TlsStream<Socket>>),
    /// To an origin, within that to its proxy.
    #[cfg(feature = "tls")]
    TlsInTls(Box<TlsStream<Box<TlsStream<Socket>>>>),
}

impl Stream {
    pub(crate) fn socket(&mut self) -> &mut Socket {
        match self {
            Self::Plain(socket) => socket,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_mut().0,
            #[cfg(feature = "tls")]
            Self::TlsInTls(stream) => stream.get_mut().0.get_mut().0,
        }
    }

    /// The same with TLS to that host over it.
    #[cfg(feature = "tls")]
    pub(super) async fn secured(self, host: &str, tls: TlsSettings<'_>) -> Result<Self> {
        use super::tls::handshake;
        Ok(match self {
            Self::Plain(socket) => Self::Tls(Box::new(handshake(socket, host, tls).await?)),
            Self::Tls(outer) => Self::TlsInTls(Box::new(handshake(outer, host, tls).await?)),
            // A third layer has nobody to end it: there is one proxy at most.
            both @ Self::TlsInTls(_) => both,
        })
    }

    /// The same with TLS to that host over it.
    #[cfg(not(feature = "tls"))]
    pub(super) async fn secured(self, _: &str, _: TlsSettings<'_>) -> Result<Self> {
        Err(Error::with(ErrorKind::Unsupported, "https needs TLS")
            .remedied("build bequest with its feature `tls`"))
    }

    /// The protocol that the handshake with the origin has agreed on (ALPN), if any.
    #[cfg(feature = "http2")]
    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        match self {
            Self::Plain(_) => None,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol(),
            #[cfg(feature = "tls")]
            Self::TlsInTls(stream) => stream.get_ref().1.alpn_protocol(),
        }
    }

    /// What the handshake with that host has agreed on.
    #[cfg(feature = "tls")]
    pub(super) fn tls_info(&self, host: &str, tls: TlsSettings<'_>) -> Option<TlsInfo> {
        use super::tls::agreed;
        match self {
            Self::Plain(_) => None,
            Self::Tls(stream) => agreed(stream.get_ref().1, host, tls.options),
            Self::TlsInTls(stream) => agreed(stream.get_ref().1, host, tls.options),
        }
    }

    /// What the handshake with that host has agreed on.
    #[cfg(not(feature = "tls"))]
    pub(super) fn tls_info(&self, _: &str, _: TlsSettings<'_>) -> Option<TlsInfo> {
        None
    }

    /// Whether nothing is left that was received and not read.
    pub(crate) fn is_clean(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            #[cfg(feature = "tls")]
            Self::Tls(stream) => is_clean(stream),
            #[cfg(feature = "tls")]
            Self::TlsInTls(stream) => is_clean(stream) && is_clean(stream.get_ref().0),
        }
    }

    /// Whether bytes that were taken may not have left: TLS keeps them for a while.
    pub(crate) fn is_buffered(&self) -> bool {
        !matches!(self, Self::Plain(_))
    }

    /// Whether it can't carry another request: the peer has closed, or sent what nobody asked for.
    pub(crate) fn is_stale(&mut self) -> bool {
        if !self.is_clean() {
            return true;
        }
        if !self.socket().is_stale() {
            return false;
        }
        if !self.is_buffered() {
            return true;
        }
        // Session tickets may come at any time: let TLS read what is there. Only if there was no
        // more than that, nothing is ready.
        self.socket().try_at_once();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut byte = [0; 1];
        let read = Pin::new(&mut *self).poll_read(&mut context, &mut ReadBuf::new(&mut byte));
        // Under tokio, what is there may not have been announced yet.
        read.is_ready() || self.socket().is_stale()
    }
}

/// TLS wants to read only while it holds no plaintext and the peer has not said goodbye.
#[cfg(feature = "tls")]
fn is_clean<S>(stream: &TlsStream<S>) -> bool {
    stream.get_ref().1.wants_read()
}

/// The same call on whichever stream it is.
macro_rules! either {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain(socket) => {
                let $stream = Pin::new(socket);
                $call
            }
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
            #[cfg(feature = "tls")]
            Stream::TlsInTls(stream) => {
                let $stream = Pin::new(stream);
                $call
            }
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_read(context, buffer))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write(context, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        either!(self, stream => stream.poll_write_vectored(context, slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_flush(context))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self, stream => stream.poll_shutdown(context))
    }
}

#[cfg(feature = "http2")]
impl Transport for Stream {
    fn try_at_once(&mut self) {
        self.socket().try_at_once();
    }

    fn try_after_wait(&mut self) {
        self.socket().try_after_wait();
    }
}
