//! How long each step of a request took.

use std::time::Duration;

/// How long each step took until the head of the response was there. What did not happen, since
/// the connection had been used before, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timings {
    /// Looking up the host's name; next to nothing for an address.
    pub resolve: Option<Duration>,
    /// Connecting: the race between the host's addresses.
    pub connect: Option<Duration>,
    /// The TLS handshake.
    pub tls: Option<Duration>,
    /// All of it: from just before the request was handed to the adapter until the head was there.
    pub head: Duration,
}
