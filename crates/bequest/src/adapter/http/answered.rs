//! From a head that has arrived to the response's own: by which version of HTTP it came is the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http::Extensions;

use super::Began;
use crate::h1::ResponseHead;
use crate::net::tls::TlsInfo;
use crate::response::{Encoding, Head};
use crate::settings::Settings;
use crate::timings::{HeadTimings, Timings};
use crate::trace;

/// What a request was sent over.
pub(super) struct Way {
    /// What it took to open the connection, if that was for this request.
    pub(super) opened: Option<Box<Timings>>,
    /// When the request was out, if that took waiting.
    pub(super) sent_at: Option<Instant>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) tls: Option<Arc<TlsInfo>>,
}

/// The log is told, too.
#[inline]
pub(super) fn answered(said: ResponseHead, began: Began, way: Way, settings: &Settings) -> Head {
    let now = Instant::now();
    let timings = HeadTimings {
        connection: way.opened.map(|opened| (opened, began.ready - began.started)),
        send: way.sent_at.map(|sent| sent - began.ready),
        head: now - began.started,
        arrived: Some(now),
    };
    trace::record!("status", said.status.as_u16());
    trace::event!(
        DEBUG,
        status = said.status.as_u16(),
        version = ?said.version,
        peer = ?way.peer,
        elapsed_ms = trace::ms(timings.head),
        "answered"
    );
    trace::event!(TRACE, headers = ?settings.sensitive_headers.masked(&said.headers), "response");
    Head {
        status: said.status,
        version: said.version,
        reason: said.reason,
        headers: said.headers,
        request: None,
        url: None,
        history: Vec::new(),
        attempts: Vec::new(),
        timings,
        peer: way.peer,
        tls: way.tls,
        extensions: Extensions::new(),
        max_content: settings.max_content,
        encoding: Encoding::default(),
    }
}
