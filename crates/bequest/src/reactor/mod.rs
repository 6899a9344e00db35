//! The one seam to sockets, timers and names.
//!
//! Everything above is written once, as `async fn`. Who polls it decides how it waits: inside
//! [`block_on`] the calling thread itself does, in one `recv` or in `poll(2)`, with no runtime and
//! no other thread; elsewhere (feature `async`) tokio's reactor does.

mod busy;
mod calling_thread;
mod connect;
mod crowd;
mod descriptors;
mod fork;
mod interrupt;
#[cfg(feature = "http2")]
mod presence;
mod resolve;
mod resolver;
mod socket;
mod stop;
mod timer;
mod wake;

#[cfg(feature = "http2")]
pub(crate) use calling_thread::presence;
pub(crate) use calling_thread::{block_on, block_on_poll};
#[cfg(any(test, fuzzing))]
pub(crate) use connect::given;
pub(crate) use connect::{SocketOptions, connect, connect_unix};
pub(crate) use crowd::Crowd;
pub(crate) use descriptors::remedy;
pub use interrupt::on_interrupt;
#[cfg(feature = "http2")]
pub(crate) use presence::{Concerned, Presence};
pub(crate) use resolve::resolve;
pub use resolver::{Resolver, SystemResolver};
pub(crate) use socket::Socket;
pub(crate) use stop::{Stop, StopWait};
pub(crate) use timer::{Timer, sleep_until, with_deadline};

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

/// Where a socket can be used: in this process, and under this runtime.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    generation: u64,
    #[cfg(feature = "async")]
    runtime: Option<tokio::runtime::Id>,
}

impl Home {
    /// The home of what is opened here and now.
    pub(crate) fn here() -> Self {
        Self {
            generation: fork::generation(),
            #[cfg(feature = "async")]
            runtime: match calling_thread::is_entered() {
                true => None,
                false => tokio::runtime::Handle::try_current().ok().map(|handle| handle.id()),
            },
        }
    }

    /// Whether it is the process's that asks, not that of one it was forked from.
    pub(crate) fn is_this_process(self) -> bool {
        self.generation == fork::generation()
    }
}

#[cfg(test)]
mod tests;
