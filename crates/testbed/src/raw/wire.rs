//! What a script reads from and writes to: the socket, or TLS over that, or over TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Shared;
use super::script::Handshake;

#[derive(Debug)]
pub(super) enum Wire<'a> {
    Plain(&'a TcpStream),
    Tls(Box<StreamOwned<ServerConnection, Spoiler<'a>>>),
}

impl<'a> Wire<'a> {
    /// TLS over this; or this again, where the handshake was to be cut.
    pub(super) fn secured(
        self,
        config: Arc<ServerConfig>,
        handshake: Handshake,
        shared: &'a Shared,
    ) -> io::Result<Self> {
        let mut connection = ServerConnection::new(config).map_err(io::Error::other)?;
        let mut under = Spoiler { wire: self, shared, written: 0, handshake, cut: false };
        while connection.is_handshaking() {
            match connection.complete_io(&mut under) {
                Err(_) if under.cut => return Ok(under.wire),
                Ok((0, 0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
                done => done?,
            };
        }
        under.handshake = Handshake::whole();
        Ok(Self::Tls(Box::new(StreamOwned::new(connection, under))))
    }

    /// Sends a record of which one bit is wrong.
    pub(super) fn send_spoiled(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Self::Tls(stream) = self else { return Err(io::Error::other("there is no TLS")) };
        // Behind the record's header of five bytes.
        stream.sock.handshake = Handshake::flipped_at(stream.sock.written + 7);
        self.write_all(bytes)
    }

    /// Says goodbye, as TLS does before the connection is closed.
    pub(super) fn farewell(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.conn.complete_io(&mut stream.sock)?;
                stream.sock.wire.farewell()
            }
        }
    }
}

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.read(buffer),
            Self::Tls(stream) => match stream.read(buffer) {
                // Not every client says goodbye.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
                read => read,
            },
        }
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => socket.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(socket) => socket.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// Passes on what TLS writes, and spoils it.
#[derive(Debug)]
pub(super) struct Spoiler<'a> {
    wire: Wire<'a>,
    shared: &'a Shared,
    written: usize,
    handshake: Handshake,
    /// No more is passed on.
    cut: bool,
}

impl Read for Spoiler<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wire.read(buffer)
    }
}

impl Write for Spoiler<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let good = self.handshake.good.unwrap_or(usize::MAX).saturating_sub(self.written);
        let count = match (good, self.handshake.then) {
            (0, None) => {
                self.cut = true;
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            (0, Some(pause)) if pause.is_zero() => {
                self.handshake.good = None;
                let first = bytes.first().map(|byte| byte ^ 1);
                self.wire.write(first.as_slice())?
            }
            (0, Some(pause)) => {
                if !self.shared.sleep(pause) {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                self.wire.write(bytes.get(..1).unwrap_or_default())?
            }
            (good, _) => self.wire.write(bytes.get(..good).unwrap_or(bytes))?,
        };
        self.written += count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.wire.flush()
    }
}

#[cfg(test)]
mod tests;
