//! Both doors behind one face: what the blocking one does, it does at once.

use std::time::{Duration, Instant};

use bequest::{
    Bytes, Error, ErrorKind, Request, Response, SendOptions, Session, Stats, Timeout, aio,
};

use crate::Outcome;
use crate::server::Site;
use crate::tally::Tally;

const CONNECT: Duration = Duration::from_secs(5);
const READ: Duration = Duration::from_millis(400);

/// A session whose requests are counted, and one whose requests are given up at any time.
#[derive(Clone, Debug)]
pub(crate) enum Client {
    Blocking { counted: Session, given_up: Session },
    Aio { counted: aio::Session, given_up: aio::Session },
}

/// The same expression for the session of whichever door.
macro_rules! each {
    ($client:expr, ($counted:ident, $given_up:ident) => $what:expr) => {
        match $client {
            Client::Blocking { counted: $counted, given_up: $given_up } => $what,
            Client::Aio { counted: $counted, given_up: $given_up } => $what,
        }
    };
}

impl Client {
    pub(crate) fn blocking(site: &Site) -> Self {
        let session = || {
            let mut session = Session::new();
            (session.verify, session.timeout) = (site.ca.as_str().into(), timeout());
            session.trust_env = false;
            session
        };
        Self::Blocking { counted: session(), given_up: session() }
    }

    pub(crate) fn aio(site: &Site) -> Self {
        let session = || {
            let mut session = aio::Session::new();
            (session.verify, session.timeout) = (site.ca.as_str().into(), timeout());
            session.trust_env = false;
            session
        };
        Self::Aio { counted: session(), given_up: session() }
    }

    pub(crate) async fn send(&self, request: Request) -> Result<Reply, Error> {
        match self {
            Self::Blocking { counted, .. } => {
                let prepared = counted.prepare(request)?;
                counted.send(prepared, SendOptions::new()).map(Reply::Blocking)
            }
            Self::Aio { counted, .. } => {
                let prepared = counted.prepare(request).await?;
                counted.send(prepared, SendOptions::new()).await.map(Reply::Aio)
            }
        }
    }

    /// Has it sent, and gives it up if it takes so long.
    pub(crate) async fn give_up(
        &self,
        request: Request,
        after: Duration,
    ) -> Result<Option<Reply>, Error> {
        match self {
            Self::Blocking { given_up, .. } => {
                let prepared = given_up.prepare(request.timeout(Timeout::new().total(after)))?;
                match given_up.send(prepared, SendOptions::new()) {
                    Err(error) if error.kind() == ErrorKind::Deadline => Ok(None),
                    sent => sent.map(|reply| Some(Reply::Blocking(reply))),
                }
            }
            Self::Aio { given_up, .. } => {
                let prepared = given_up.prepare(request).await?;
                let sending = given_up.send(prepared, SendOptions::new());
                match tokio::time::timeout(after, sending).await {
                    Err(_) => Ok(None),
                    Ok(sent) => sent.map(|reply| Some(Reply::Aio(reply))),
                }
            }
        }
    }

    /// Some at once.
    pub(crate) async fn send_all(&self, requests: Vec<Request>) -> Vec<Result<Reply, Error>> {
        match self {
            Self::Blocking { counted, .. } => {
                counted.map(requests, 3).map(|sent| sent.map(Reply::Blocking)).collect()
            }
            Self::Aio { counted, .. } => {
                let tasks: Vec<_> = requests
                    .into_iter()
                    .map(|request| {
                        let session = counted.clone();
                        tokio::spawn(async move {
                            let prepared = session.prepare(request).await?;
                            session.send(prepared, SendOptions::new()).await
                        })
                    })
                    .collect();
                let mut replies = Vec::new();
                for task in tasks {
                    let sent = task.await.unwrap_or_else(|error| Err(Error::other(error)));
                    replies.push(sent.map(Reply::Aio));
                }
                replies
            }
        }
    }

    /// Between two rounds nothing is in use, and what was counted is what was done. Then all
    /// connections are closed, so that nothing of them is left.
    pub(crate) fn settle(&self, tally: &Tally) -> Outcome {
        let stats = || each!(self, (counted, given_up) => [counted.stats(), given_up.stats()]);
        // A runtime drops what a task held shortly after that was done.
        let start = Instant::now();
        while stats().iter().any(|stats| stats.in_use + stats.waiting > 0) {
            if start.elapsed() > Duration::from_secs(5) {
                return Err(format!("still in use: {:?}", stats()).into());
            }
            std::thread::yield_now();
        }
        let [counted, given_up] = stats();
        self.add_up(&counted, tally)?;
        if given_up.opened > given_up.requests + given_up.replayed {
            return Err(format!("more connections than requests: {given_up:?}").into());
        }
        each!(self, (counted, given_up) => {
            counted.close();
            given_up.close();
        });
        match stats().iter().all(|stats| stats.idle == 0) {
            true => Ok(()),
            false => Err(format!("idle after close: {:?}", stats()).into()),
        }
    }

    fn add_up(&self, stats: &Stats, tally: &Tally) -> Outcome {
        let done = tally.done(self.is_blocking());
        let sent = done.requests + done.retries;
        let missed = stats.requests.checked_sub(stats.reused);
        let wanted = missed.map(|missed| missed + stats.replayed);
        let opened = Some(stats.opened + done.unopened);
        if stats.requests == sent && stats.retried == done.retries && wanted == opened {
            return Ok(());
        }
        Err(format!("counters don't add up: {stats:?} for {done:?}").into())
    }

    pub(crate) fn is_blocking(&self) -> bool {
        matches!(self, Self::Blocking { .. })
    }
}

fn timeout() -> Timeout {
    Timeout::new().connect(CONNECT).read(READ)
}

/// A response of either door.
#[derive(Debug)]
pub(crate) enum Reply {
    Blocking(Response),
    Aio(aio::Response),
}

impl Reply {
    pub(crate) async fn content(&self) -> Result<Bytes, Error> {
        match self {
            Self::Blocking(response) => response.content(),
            Self::Aio(response) => response.content().await,
        }
    }

    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Blocking(response) => response.status().as_u16(),
            Self::Aio(response) => response.status().as_u16(),
        }
    }

    /// What was tried before it came.
    pub(crate) fn attempts(&self) -> &[bequest::Attempt] {
        match self {
            Self::Blocking(response) => response.attempts(),
            Self::Aio(response) => response.attempts(),
        }
    }
}
