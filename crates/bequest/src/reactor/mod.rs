//! The one seam to sockets, timers and names.
//!
//! Everything above is written once, as `async fn`. Who polls it decides how it waits: inside
//! [`block_on`] the calling thread itself does, in one `recv` or in `poll(2)`, with no runtime and
//! no other thread; elsewhere (feature `async`) tokio's reactor does.

mod calling_thread;
mod connect;
mod fork;
mod interrupt;
mod resolve;
mod socket;
mod timer;
mod wake;

pub(crate) use calling_thread::block_on;
pub(crate) use connect::connect;
pub(crate) use fork::generation;
pub use interrupt::on_interrupt;
pub(crate) use resolve::resolve;
pub(crate) use socket::Socket;
pub(crate) use timer::{Timer, with_deadline};

/// Who waits: a pool holds the connections of one kind only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reactor {
    CallingThread,
    #[cfg(feature = "async")]
    Tokio,
}

/// The reactor of whoever polls the future that asks; `None` outside both.
pub(crate) fn current() -> Option<Reactor> {
    if calling_thread::is_entered() {
        return Some(Reactor::CallingThread);
    }
    #[cfg(feature = "async")]
    if tokio::runtime::Handle::try_current().is_ok() {
        return Some(Reactor::Tokio);
    }
    None
}

#[cfg(test)]
mod tests;
