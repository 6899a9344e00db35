//! What requests there are, and what is right of them.

use std::future::Future;
use std::io::Read as _;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bequest::{Body, Error, ErrorKind, Request, Retry};
use serde_json::Value;

use crate::Outcome;
use crate::client::{Client, Reply};
use crate::luck::Luck;
use crate::server::Site;
use crate::tally::Tally;

/// Runs what never waits: the blocking door's work.
pub(crate) fn at_once<T>(work: impl Future<Output = Outcome<T>>) -> Outcome<T> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => Err("the blocking door did not block".into()),
    }
}

/// Makes requests until then.
pub(crate) async fn until(
    end: Instant,
    client: &Client,
    site: &Site,
    tally: &Tally,
    luck: &mut Luck,
) -> Outcome {
    while Instant::now() < end {
        let url = &site.urls[usize::from(luck.below(2) == 0)];
        let worker = Worker { client, url, tally };
        match luck.below(8) {
            0 | 1 => worker.get(luck).await?,
            2 => worker.get_in_pieces(luck).await?,
            3 => worker.post(luck).await?,
            4 => worker.retry(luck).await?,
            5 => worker.gzip().await?,
            6 => worker.give_up(luck).await?,
            _ => worker.some_at_once(luck).await?,
        }
    }
    Ok(())
}

struct Worker<'a> {
    client: &'a Client,
    url: &'a str,
    tally: &'a Tally,
}

impl Worker<'_> {
    /// A length, and the request for a body of it.
    fn some_body(&self, luck: &mut Luck) -> (usize, Request) {
        let length = length(luck);
        let path = if luck.below(2) == 0 { "big" } else { "big-chunked" };
        (length, Request::new("GET", format!("{}/{path}/{length}", self.url)))
    }

    /// Counts what came of a request, and its body; `None` is an error that may be.
    async fn count(&self, sent: Result<Reply, Error>) -> Outcome<Option<bequest::Bytes>> {
        let blocking = self.client.is_blocking();
        match &sent {
            Ok(reply) => {
                let attempts = reply.attempts();
                let errors: Vec<_> = attempts.iter().filter_map(bequest::Attempt::error).collect();
                self.tally.request(blocking, attempts.len(), &errors);
            }
            Err(error) => {
                let attempts = error.attempts();
                let mut errors: Vec<_> =
                    attempts.iter().filter_map(bequest::Attempt::error).collect();
                errors.push(error);
                self.tally.request(blocking, attempts.len(), &errors);
            }
        }
        let read = match sent {
            Ok(reply) if reply.status() != 200 => {
                return Err(format!("status {}", reply.status()).into());
            }
            Ok(reply) => reply.content().await,
            Err(error) => Err(error),
        };
        match read {
            Ok(content) => {
                self.tally.good();
                Ok(Some(content))
            }
            Err(error) => self.tally.bad(&error).map(|()| None),
        }
    }

    async fn get(&self, luck: &mut Luck) -> Outcome {
        let (length, request) = self.some_body(luck);
        let stream = luck.below(2) == 0;
        let sent = self.client.send(request.stream(stream)).await;
        is_right(self.count(sent).await?, length)
    }

    /// Streams, and now and then drops the rest.
    async fn get_in_pieces(&self, luck: &mut Luck) -> Outcome {
        let (length, request) = self.some_body(luck);
        let sent = self.client.send(request.stream(true)).await;
        let wanted = usize::try_from(luck.below(2 * length as u64 + 1))?;
        let (Ok(reply), true) = (&sent, wanted < length) else {
            return is_right(self.count(sent).await?, length);
        };
        self.tally.request(self.client.is_blocking(), 0, &[]);
        let Reply::Blocking(response) = reply else { return Ok(()) };
        let mut content = Vec::new();
        for piece in response.iter_content(1000) {
            match piece {
                Ok(piece) => content.extend_from_slice(&piece),
                Err(error) => return self.tally.bad(&error),
            }
            if content.len() >= wanted {
                break;
            }
        }
        match testbed::pattern(length).starts_with(&content) {
            true => {
                self.tally.good();
                Ok(())
            }
            false => Err(format!("the beginning of {length} bytes is wrong").into()),
        }
    }

    /// What it says comes back, from memory or from a reader.
    async fn post(&self, luck: &mut Luck) -> Outcome {
        let length = length(luck);
        let body = match luck.below(2) {
            0 => Body::from("x".repeat(length)),
            _ => Body::reader(std::io::repeat(b'x').take(length as u64)),
        };
        let sent = self.client.send(Request::new("POST", format!("{}/post", self.url)).body(body));
        let Some(content) = self.count(sent.await).await? else { return Ok(()) };
        let echo: Value = serde_json::from_slice(&content)?;
        match echo["data"].as_str().is_some_and(|data| data.len() == length) {
            true => Ok(()),
            false => {
                Err(format!("the echo of {length} bytes is wrong: {:.200}", echo["data"]).into())
            }
        }
    }

    async fn retry(&self, luck: &mut Luck) -> Outcome {
        let (length, request) = self.some_body(luck);
        let retry = Retry::new().total(3).backoff_factor(0.01);
        let sent = self.client.send(request.retry(retry)).await;
        is_right(self.count(sent).await?, length)
    }

    async fn gzip(&self) -> Outcome {
        let sent = self.client.send(Request::new("GET", format!("{}/gzip", self.url))).await;
        let Some(content) = self.count(sent).await? else { return Ok(()) };
        let said: Value = serde_json::from_slice(&content)?;
        if said["gzipped"] == true { Ok(()) } else { Err(format!("not right: {said}").into()) }
    }

    /// Has only so long, which is seldom enough.
    async fn give_up(&self, luck: &mut Luck) -> Outcome {
        let (length, request) = self.some_body(luck);
        let after = Duration::from_micros(luck.below(3_000) + 1);
        match self.client.give_up(request, after).await {
            Ok(Some(reply)) => match reply.content().await {
                Ok(content) => is_right(Some(content), length),
                Err(error) if error.kind() == ErrorKind::Deadline => Ok(()),
                Err(error) => self.tally.bad(&error),
            },
            Ok(None) => {
                self.tally.given_up();
                Ok(())
            }
            Err(error) => self.tally.bad(&error),
        }
    }

    async fn some_at_once(&self, luck: &mut Luck) -> Outcome {
        let (lengths, requests): (Vec<_>, Vec<_>) = (0..5).map(|_| self.some_body(luck)).unzip();
        for (length, sent) in lengths.into_iter().zip(self.client.send_all(requests).await) {
            is_right(self.count(sent).await?, length)?;
        }
        Ok(())
    }
}

/// Short more often than long.
fn length(luck: &mut Luck) -> usize {
    let most = [100, 5_000, 100_000][usize::try_from(luck.below(3)).unwrap_or_default()];
    usize::try_from(luck.below(most)).unwrap_or_default()
}

fn is_right(content: Option<bequest::Bytes>, length: usize) -> Outcome {
    match content {
        Some(content) if content != testbed::pattern(length) => {
            Err(format!("{length} bytes are wrong: {} came", content.len()).into())
        }
        _ => Ok(()),
    }
}
