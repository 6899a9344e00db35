//! Happy Eyeballs: several addresses, one connection (RFC 8305, sections 4 to 6).

use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use crate::reactor::{self, Socket, SocketOptions, Timer};
use crate::trace;

/// How long the next address waits for the one before it.
const STAGGER: Duration = Duration::from_millis(250);

/// Which addresses failed, and why.
pub(super) type Failures = Vec<(SocketAddr, io::Error)>;

type Attempt = Pin<Box<dyn Future<Output = io::Result<Socket>> + Send>>;

/// The first address that answers; the others are given up.
pub(super) async fn race(
    addresses: Vec<SocketAddr>,
    options: SocketOptions,
) -> Result<(Socket, SocketAddr), Failures> {
    if let [address] = addresses[..] {
        trace::event!(DEBUG, %address, "connecting");
        return match reactor::connect(address, options).await {
            Ok(socket) => {
                trace::event!(DEBUG, %address, "connected");
                Ok((socket, address))
            }
            Err(error) => {
                trace::event!(DEBUG, %address, %error, "not connected");
                Err(vec![(address, error)])
            }
        };
    }
    let mut race = Race::new(interleave(addresses), options);
    poll_fn(|context| race.poll(context)).await
}

struct Race {
    options: SocketOptions,
    waiting: std::vec::IntoIter<SocketAddr>,
    running: Vec<(SocketAddr, Attempt)>,
    failed: Failures,
    next: Option<Timer>,
}

impl Race {
    fn new(addresses: Vec<SocketAddr>, options: SocketOptions) -> Self {
        let waiting = addresses.into_iter();
        Self { options, waiting, running: Vec::new(), failed: Vec::new(), next: None }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(Socket, SocketAddr), Failures>> {
        loop {
            let failures = self.failed.len();
            if let Some(winner) = self.poll_running(context) {
                return Poll::Ready(Ok(winner));
            }
            // A failure does not let the next one wait.
            let due = self.failed.len() > failures
                || self.next.as_mut().is_none_or(|next| next.poll_elapsed(context).is_ready());
            if due && let Some(address) = self.waiting.next() {
                trace::event!(DEBUG, %address, "connecting");
                let attempt = reactor::connect(address, self.options);
                self.running.push((address, Box::pin(attempt)));
                self.next = Some(Timer::new(Instant::now() + STAGGER));
                continue;
            }
            if self.running.is_empty() && self.waiting.len() == 0 {
                return Poll::Ready(Err(std::mem::take(&mut self.failed)));
            }
            return Poll::Pending;
        }
    }

    fn poll_running(&mut self, context: &mut Context<'_>) -> Option<(Socket, SocketAddr)> {
        let mut at = 0;
        while at < self.running.len() {
            let (address, attempt) = &mut self.running[at];
            let address = *address;
            match attempt.as_mut().poll(context) {
                Poll::Pending => at += 1,
                Poll::Ready(Ok(socket)) => {
                    trace::event!(DEBUG, %address, "connected");
                    return Some((socket, address));
                }
                Poll::Ready(Err(error)) => {
                    trace::event!(DEBUG, %address, %error, "not connected");
                    drop(self.running.remove(at));
                    self.failed.push((address, error));
                }
            }
        }
        None
    }
}

/// Families in turn, beginning with the resolver's first choice (section 4).
fn interleave(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v4 = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv4() == first_is_v4);
    let mut second = second.into_iter();
    let mut mixed = Vec::with_capacity(first.len() + second.len());
    for address in first {
        mixed.push(address);
        mixed.extend(second.next());
    }
    mixed.extend(second);
    mixed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_take_turns() {
        let parse = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|address| address.parse().unwrap()).collect()
        };
        let given = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "2.2.2.2:1"]);
        let mixed = parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "2.2.2.2:1", "[::3]:1"]);
        assert_eq!(interleave(given), mixed);
        let given = parse(&["1.1.1.1:1", "[::1]:1", "[::2]:1"]);
        assert_eq!(interleave(given), parse(&["1.1.1.1:1", "[::1]:1", "[::2]:1"]));
    }
}
