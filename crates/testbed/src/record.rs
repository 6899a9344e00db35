//! What the server has seen: connections counted, requests kept.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::head::Head;

/// How many requests are kept.
const KEPT: usize = 1_000;

/// A request that the server received.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The method.
    pub method: String,
    /// The request target as sent, usually a path with a query.
    pub target: String,
    /// Names and values of the headers, in the order and case received.
    pub headers: Vec<(String, Vec<u8>)>,
    /// How many bytes of the body were read so far, without any framing.
    pub body_length: u64,
    /// The number of the connection, counted from 1 over both listeners.
    pub connection: usize,
    /// Whether it came over TLS.
    pub secure: bool,
    /// The client's certificate in DER, if it was asked for.
    pub client: Option<Arc<[u8]>>,
}

impl Recorded {
    /// The first value of a header; `None` without one or if it isn't UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let (_, value) = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }
}

/// The counters and the log of one server.
#[derive(Debug, Default)]
pub(crate) struct Record {
    plain: AtomicUsize,
    secure: AtomicUsize,
    total: AtomicUsize,
    open: AtomicUsize,
    most: AtomicUsize,
    log: Mutex<VecDeque<Entry>>,
}

#[derive(Debug)]
struct Entry {
    head: Arc<Head>,
    body_length: Arc<AtomicU64>,
    connection: usize,
    secure: bool,
    client: Option<Arc<[u8]>>,
}

impl Record {
    /// Counts a connection, as open until the result is dropped.
    pub(crate) fn connected(self: &Arc<Self>, secure: bool) -> Connected {
        let listener = if secure { &self.secure } else { &self.plain };
        listener.fetch_add(1, Ordering::SeqCst);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(open, Ordering::SeqCst);
        Connected {
            number: self.total.fetch_add(1, Ordering::SeqCst) + 1,
            secure,
            client: None,
            record: Arc::clone(self),
        }
    }

    pub(crate) fn connections(&self, secure: bool) -> usize {
        let listener = if secure { &self.secure } else { &self.plain };
        listener.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }

    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> Vec<Recorded> {
        self.log().iter().map(Entry::recorded).collect()
    }

    fn log(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn recorded(&self) -> Recorded {
        Recorded {
            method: self.head.method.clone(),
            target: self.head.target.clone(),
            headers: self.head.headers.clone(),
            body_length: self.body_length.load(Ordering::SeqCst),
            connection: self.connection,
            secure: self.secure,
            client: self.client.clone(),
        }
    }
}

/// A connection that is open.
#[derive(Debug)]
pub(crate) struct Connected {
    pub(crate) number: usize,
    pub(crate) secure: bool,
    /// The client's certificate, once it has shown one.
    pub(crate) client: Option<Arc<[u8]>>,
    record: Arc<Record>,
}

impl Connected {
    /// Keeps a request; the result counts the bytes of its body.
    pub(crate) fn log(&self, head: &Arc<Head>) -> Arc<AtomicU64> {
        let body_length = Arc::new(AtomicU64::new(0));
        let mut log = self.record.log();
        if log.len() == KEPT {
            log.pop_front();
        }
        log.push_back(Entry {
            head: Arc::clone(head),
            body_length: Arc::clone(&body_length),
            connection: self.number,
            secure: self.secure,
            client: self.client.clone(),
        });
        body_length
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.record.open.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_requests_only() {
        let record = Arc::new(Record::default());
        let connected = record.connected(true);
        for number in 0..=KEPT {
            let head = format!("GET /{number} HTTP/1.1\r\n\r\n");
            connected.log(&Arc::new(Head::parse(head.into_bytes())));
        }
        let requests = record.requests();
        assert_eq!(requests.len(), KEPT);
        assert_eq!(requests[0].target, "/1");
        assert!(requests[0].secure);
    }

    #[test]
    fn counts_open_connections_and_their_peak() {
        let record = Arc::new(Record::default());
        let (first, second) = (record.connected(false), record.connected(true));
        assert_eq!((first.number, second.number), (1, 2));
        assert_eq!((record.open(), record.most()), (2, 2));
        drop(first);
        assert_eq!((record.open(), record.most()), (1, 2));
        assert_eq!((record.connections(false), record.connections(true)), (1, 1));
    }
}
