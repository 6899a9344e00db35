//! Asking for leave before a body is sent (`Expect: 100-continue`; RFC 9110, section 10.1.1).

use std::future::poll_fn;
use std::task::{Poll, ready};
use std::time::Instant;

use super::clock::Clock;
use super::round_trip::{Interim, Loss, RoundTrip, poll_arrival};
use crate::body::RequestFraming;
use crate::h1::ResponseHead;
use crate::net::Connection;
use crate::reactor::Timer;

/// Whether the caller has the request ask. Without a body there is nothing to ask for.
pub(super) fn asks(trip: &RoundTrip<'_>) -> bool {
    let expect = || trip.request.headers.get_bytes("Expect").unwrap_or_default();
    trip.framing != RequestFraming::Length(0)
        && expect().trim_ascii().eq_ignore_ascii_case(b"100-continue")
}

/// Waits for leave. `None`: the server gave it, or kept silent for as long as the timeouts say, as
/// servers do that don't know of it. A final response instead says that the body is not wanted.
pub(super) async fn leave(
    trip: &RoundTrip<'_>,
    connection: &mut Connection,
    interim: &mut Interim<'_>,
) -> Result<Option<ResponseHead>, Loss> {
    let mut total = Clock::total(trip.settings);
    // `Timeout::check` refused what can't be added.
    let end =
        trip.settings.timeout.expect_limit().and_then(|limit| Instant::now().checked_add(limit));
    let mut patience = end.map(Timer::new);
    poll_fn(|context| {
        loop {
            if let Some(head) = interim.next_final(connection)? {
                return Poll::Ready(Ok(Some(head)));
            }
            if interim.may_continue {
                return Poll::Ready(Ok(None));
            }
            if poll_arrival(connection, &mut total, context)? {
                continue;
            }
            let Some(patience) = &mut patience else { return Poll::Pending };
            ready!(patience.poll_elapsed(context));
            return Poll::Ready(Ok(None));
        }
    })
    .await
}
