//! The language of scripts.

use std::sync::Arc;
use std::time::Duration;

/// What a [`RawServer`](crate::RawServer) does on a connection, step by step.
///
/// After the last step the connection is closed. It also is when a step finds
/// that the client has closed it: no step can be done then.
#[derive(Clone, Debug, Default)]
pub struct Script {
    pub(super) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    ReadHead,
    ReadBody(usize),
    ReadToEnd,
    Send(Arc<[u8]>),
    Drip(Arc<[u8]>, Duration),
    Sleep(Duration),
    Stall,
    Reset,
    Close,
    Cut,
    ShutdownWrite,
    Tls(Handshake),
    SendSpoiled(Arc<[u8]>),
    /// Without a number: without end.
    Repeat(Option<usize>, Script),
}

/// What becomes of a TLS handshake: of the bytes that the server sends in it.
#[derive(Clone, Copy, Debug)]
pub struct Handshake {
    /// How many are as they should be; `None` is all.
    pub(super) good: Option<usize>,
    /// Afterwards: nothing more, for `None`; without a pause, a bit is wrong; else
    /// each byte comes after the pause.
    pub(super) then: Option<Duration>,
}

impl Handshake {
    /// It is as it should be.
    pub fn whole() -> Self {
        Self { good: None, then: None }
    }

    /// No more than this many bytes are sent.
    pub fn cut_at(good: usize) -> Self {
        Self { good: Some(good), then: None }
    }

    /// One bit is wrong in the byte after this many.
    pub fn flipped_at(good: usize) -> Self {
        Self { good: Some(good), then: Some(Duration::ZERO) }
    }

    /// After this many bytes, the others come one at a time, with a pause before
    /// each.
    pub fn dripped_at(good: usize, pause: Duration) -> Self {
        Self { good: Some(good), then: Some(pause) }
    }
}

impl Script {
    /// A script without steps, which closes the connection at once.
    pub fn new() -> Self {
        Self::default()
    }

    /// A keep-alive server: it answers every request head with these bytes.
    ///
    /// Request bodies aren't looked at; a script for those says how long they
    /// are with [`Script::read_body`].
    pub fn respond(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new().forever(Self::new().read_head().send(bytes))
    }

    /// Reads a request head, up to and with its blank line.
    #[must_use]
    pub fn read_head(self) -> Self {
        self.then(Step::ReadHead)
    }

    /// Reads this many more bytes.
    #[must_use]
    pub fn read_body(self, length: usize) -> Self {
        self.then(Step::ReadBody(length))
    }

    /// Reads until the client has closed its side, then goes on.
    #[must_use]
    pub fn read_to_end(self) -> Self {
        self.then(Step::ReadToEnd)
    }

    /// Sends bytes.
    #[must_use]
    pub fn send(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::Send(bytes.into().into()))
    }

    /// Sends bytes one at a time, with a pause between them.
    #[must_use]
    pub fn drip(self, bytes: impl Into<Vec<u8>>, pause: Duration) -> Self {
        self.then(Step::Drip(bytes.into().into(), pause))
    }

    /// Waits.
    #[must_use]
    pub fn sleep(self, duration: Duration) -> Self {
        self.then(Step::Sleep(duration))
    }

    /// Holds the connection silent, until the server is dropped or the client
    /// closes.
    ///
    /// Nothing is read, so a client that keeps sending will be blocked. That
    /// the client closes goes unseen while there are bytes left to read; use
    /// [`Script::wait_close`] if there may be.
    #[must_use]
    pub fn stall(self) -> Self {
        self.then(Step::Stall)
    }

    /// Reads until the client closes, then closes as well.
    #[must_use]
    pub fn wait_close(self) -> Self {
        self.read_to_end().close()
    }

    /// Ends the connection with a TCP reset.
    #[must_use]
    pub fn reset(self) -> Self {
        self.then(Step::Reset)
    }

    /// Closes the connection in good order.
    ///
    /// Input that has arrived unread is discarded first, as the system would
    /// otherwise send a reset, and that may overtake what was sent before.
    #[must_use]
    pub fn close(self) -> Self {
        self.then(Step::Close)
    }

    /// Closes the connection as [`Script::close`] does, but without the farewell of TLS.
    #[must_use]
    pub fn cut(self) -> Self {
        self.then(Step::Cut)
    }

    /// Does a TLS handshake; what follows is read and sent encrypted. Where there
    /// is TLS already, it is done within that.
    ///
    /// A handshake that is cut ends at its place, and what follows is read and sent
    /// as it was before. The server must have been given an
    /// [`Authority`](crate::Authority).
    #[must_use]
    pub fn tls(self, handshake: Handshake) -> Self {
        self.then(Step::Tls(handshake))
    }

    /// Sends bytes in a TLS record of which one bit is wrong.
    #[must_use]
    pub fn send_spoiled(self, bytes: impl Into<Vec<u8>>) -> Self {
        self.then(Step::SendSpoiled(bytes.into().into()))
    }

    /// Closes the sending side only; reading goes on.
    #[must_use]
    pub fn shutdown_write(self) -> Self {
        self.then(Step::ShutdownWrite)
    }

    /// Plays another script this many times. If that closes, all is over.
    #[must_use]
    pub fn repeat(self, times: usize, script: Self) -> Self {
        self.then(Step::Repeat(Some(times), script))
    }

    /// Plays another script over and over, until the client closes or the
    /// script does.
    #[must_use]
    pub fn forever(self, script: Self) -> Self {
        self.then(Step::Repeat(None, script))
    }

    fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }
}
