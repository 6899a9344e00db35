//! How a script is played on a connection.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::SockRef;

use super::script::{Script, Step};
use super::wire::Wire;
use super::{Log, Shared, lock};

/// How often a stalled connection with unread input is looked at.
const GLANCE: Duration = Duration::from_millis(10);

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum End {
    Close,
    Cut,
    Reset,
}

type Flow = ControlFlow<End>;

/// A script being played.
#[derive(Debug)]
pub(super) struct Player<'a> {
    socket: &'a TcpStream,
    /// Only a handshake that failed leaves none.
    wire: Option<Wire<'a>>,
    log: Log,
    /// How much of the log the script has used.
    used: usize,
    shared: &'a Shared,
}

impl<'a> Player<'a> {
    pub(super) fn new(socket: &'a TcpStream, log: Log, shared: &'a Shared) -> Self {
        Self { socket, wire: Some(Wire::Plain(socket)), log, used: 0, shared }
    }

    pub(super) fn play(mut self, script: &Script) -> io::Result<End> {
        match self.steps(script)? {
            ControlFlow::Break(End::Cut) => Ok(End::Close),
            ControlFlow::Break(End::Reset) => Ok(End::Reset),
            ControlFlow::Break(End::Close) | ControlFlow::Continue(()) => {
                self.wire()?.farewell()?;
                Ok(End::Close)
            }
        }
    }

    fn wire(&mut self) -> io::Result<&mut Wire<'a>> {
        self.wire.as_mut().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    fn steps(&mut self, script: &Script) -> io::Result<Flow> {
        for step in &script.steps {
            if let ControlFlow::Break(end) = self.step(step)? {
                return Ok(ControlFlow::Break(end));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn step(&mut self, step: &Step) -> io::Result<Flow> {
        let goes_on = match step {
            Step::ReadHead => self.read_head()?,
            Step::ReadBody(length) => self.read_body(*length)?,
            Step::ReadToEnd => self.read_to_end()?,
            Step::Send(bytes) => self.send(bytes)?,
            Step::Drip(bytes, pause) => self.drip(bytes, *pause)?,
            Step::Sleep(duration) => self.shared.sleep(*duration),
            Step::Stall => self.stall()?,
            Step::SendSpoiled(bytes) => {
                self.wire()?.send_spoiled(bytes)?;
                true
            }
            Step::Tls(handshake) => {
                let wire = self.wire.take().ok_or(io::ErrorKind::NotConnected)?;
                let config = self.shared.tls.clone();
                let config = config.ok_or_else(|| io::Error::other("there is no authority"))?;
                self.wire = Some(wire.secured(config, *handshake, self.shared)?);
                true
            }
            Step::ShutdownWrite => {
                self.wire()?.farewell()?;
                self.socket.shutdown(Shutdown::Write)?;
                true
            }
            Step::Reset => return Ok(ControlFlow::Break(End::Reset)),
            Step::Cut => return Ok(ControlFlow::Break(End::Cut)),
            Step::Close => false,
            Step::Repeat(times, script) => return self.repeat(*times, script),
        };
        Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(End::Close) })
    }

    fn repeat(&mut self, times: Option<usize>, script: &Script) -> io::Result<Flow> {
        let mut played = 0;
        while times.is_none_or(|times| played < times) {
            // The script may have no step that notices it.
            if self.shared.stopped() {
                return Ok(ControlFlow::Break(End::Close));
            }
            if let ControlFlow::Break(end) = self.steps(script)? {
                return Ok(ControlFlow::Break(end));
            }
            played += 1;
        }
        Ok(ControlFlow::Continue(()))
    }

    fn read_head(&mut self) -> io::Result<bool> {
        let mut searched = self.used;
        loop {
            let end = head_end(&lock(&self.log)[searched..]).map(|end| searched + end);
            if let Some(end) = end {
                self.used = end;
                self.shared.requests.fetch_add(1, Ordering::SeqCst);
                return Ok(true);
            }
            // A blank line may be cut in two.
            searched = lock(&self.log).len().saturating_sub(3).max(self.used);
            if !self.read_more()? {
                return Ok(false);
            }
        }
    }

    fn read_body(&mut self, length: usize) -> io::Result<bool> {
        let end = self.used.saturating_add(length);
        while lock(&self.log).len() < end {
            if !self.read_more()? {
                return Ok(false);
            }
        }
        self.used = end;
        Ok(true)
    }

    fn read_to_end(&mut self) -> io::Result<bool> {
        while self.read_more()? {}
        self.used = lock(&self.log).len();
        Ok(!self.shared.stopped())
    }

    /// Reads what there is; `false` at the end.
    fn read_more(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        let wire = self.wire()?;
        let length = retry(|| wire.read(&mut buffer))?;
        lock(&self.log).extend_from_slice(&buffer[..length]);
        Ok(length > 0)
    }

    fn send(&mut self, bytes: &[u8]) -> io::Result<bool> {
        let wire = self.wire()?;
        wire.write_all(bytes)?;
        wire.flush()?;
        self.shared.sent.fetch_add(bytes.len(), Ordering::SeqCst);
        Ok(true)
    }

    fn drip(&mut self, bytes: &[u8], pause: Duration) -> io::Result<bool> {
        for (at, byte) in bytes.iter().enumerate() {
            if at > 0 && !self.shared.sleep(pause) {
                return Ok(false);
            }
            self.send(&[*byte])?;
        }
        Ok(true)
    }

    fn stall(&self) -> io::Result<bool> {
        // This waits for as long as there is nothing to read.
        while retry(|| self.socket.peek(&mut [0]))? > 0 {
            // There is, but it stays unread, so only time can pass.
            if let Some(error) = self.socket.take_error()? {
                return Err(error);
            }
            if !self.shared.sleep(GLANCE) {
                break;
            }
        }
        Ok(false)
    }
}

/// Ends a connection, whose socket nothing else must hold by now.
pub(super) fn finish(socket: &TcpStream, end: End) {
    // An error means that the connection is gone already.
    let _ = match end {
        End::Reset => SockRef::from(socket).set_linger(Some(Duration::ZERO)),
        End::Close | End::Cut => close(socket),
    };
}

fn close(mut socket: &TcpStream) -> io::Result<()> {
    socket.shutdown(Shutdown::Write)?;
    socket.set_nonblocking(true)?;
    let mut buffer = [0; 16 * 1024];
    while retry(|| socket.read(&mut buffer))? > 0 {}
    Ok(())
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Where a head ends, if it does.
fn head_end(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4)
}
