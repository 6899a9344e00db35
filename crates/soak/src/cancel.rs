//! Async requests that are given up at random: before they are polled, at any of their awaits,
//! after any time, by their token, or with their task. Nothing may be left of them.
//!
//! What is counted must add up. `requests + replayed` is `opened + reused` and those that were given
//! up before they had a connection: not less, and not more than were given up at all; and whoever
//! was answered had a connection. Between two rounds nothing is in use and nobody waits.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::Poll;
use std::time::{Duration, Instant};

use bequest::aio::Session;
use bequest::{Body, CancelToken, Error, ErrorKind, HttpAdapter, Request, Timeout};

use crate::Outcome;
use crate::left::Left;
use crate::luck::Luck;
use crate::server::{Server, Site};

const TASKS: u64 = 24;
const ROUNDS: u64 = 10;
/// Before this one, what is made once may still be made.
const SETTLED: u64 = 2;
/// Nothing takes so long unless it is stuck.
const STUCK: Duration = Duration::from_secs(20);
/// Of the session whose requests wait for each other.
const CONNECTIONS: usize = 3;

/// Makes so many requests.
pub(crate) fn cancel(count: u64, seed: u64) -> Outcome {
    println!("soak: {count} requests, given up at random, seed {seed}");
    let server = Server::start(seed)?;
    let site = server.site().clone();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let sessions = [session(&site, HttpAdapter::new()), session(&site, tight())];
    let (tally, start, mut left) = (Arc::<Tally>::default(), Instant::now(), Left::default());
    for round in 0..ROUNDS {
        let each = count.div_ceil(ROUNDS * TASKS);
        runtime.block_on(async {
            let tasks: Vec<_> = (0..TASKS)
                .map(|worker| {
                    let (site, sessions) = (site.clone(), sessions.clone());
                    let (tally, luck) =
                        (Arc::clone(&tally), Luck::new(seed ^ (round << 32 | worker)));
                    tokio::spawn(work(each, sessions, site, tally, luck))
                })
                .collect();
            for task in tasks {
                task.await??;
            }
            for session in &sessions {
                serves(session, &site).await?;
            }
            Outcome::Ok(())
        })?;
        settle(&sessions, &tally)?;
        left.look(usize::try_from(round)?, round >= SETTLED)?;
    }
    tally.report(start.elapsed());
    left.report();
    println!("soak: {ROUNDS} rounds, all is well");
    Ok(())
}

fn session(site: &Site, adapter: HttpAdapter) -> Session {
    let mut session = Session::new();
    session.verify = site.ca.as_str().into();
    session.timeout = Timeout::new().connect(STUCK).read(STUCK).total(STUCK);
    session.trust_env = false;
    let adapter = Arc::new(adapter);
    session.mount("http://", Arc::clone(&adapter));
    session.mount("https://", adapter);
    session
}

fn tight() -> HttpAdapter {
    HttpAdapter::new().pool_maxsize(CONNECTIONS).pool_block(true)
}

/// What became of the requests.
#[derive(Debug, Default)]
struct Tally {
    answered: AtomicU64,
    dropped: AtomicU64,
    cancelled: AtomicU64,
}

impl Tally {
    fn report(&self, took: Duration) {
        let count = |counter: &AtomicU64| counter.load(Relaxed);
        println!(
            "{} answered, {} dropped, {} cancelled, in {:.1} s",
            count(&self.answered),
            count(&self.dropped),
            count(&self.cancelled),
            took.as_secs_f64()
        );
    }
}

async fn work(
    count: u64,
    sessions: [Session; 2],
    site: Site,
    tally: Arc<Tally>,
    mut luck: Luck,
) -> Outcome {
    for _ in 0..count {
        let session = sessions[usize::from(luck.below(4) == 0)].clone();
        let token = CancelToken::new();
        let task = Task::draw(&site, &mut luck, &token);
        let after = Duration::from_micros(luck.below(3000));
        let ended = match luck.below(8) {
            0 | 1 => Some(task.run(session).await),
            2..=4 => for_polls(luck.below(12), task.run(session)).await,
            5 => tokio::time::timeout(after, task.run(session)).await.ok(),
            6 => {
                let running = tokio::spawn(task.run(session));
                tokio::time::sleep(after).await;
                running.abort();
                match running.await {
                    Err(error) if error.is_cancelled() => None,
                    ended => Some(ended?),
                }
            }
            _ => {
                let running = tokio::spawn(task.run(session));
                tokio::time::sleep(after).await;
                token.cancel();
                Some(running.await?)
            }
        };
        let counter = match ended {
            None => &tally.dropped,
            Some(Ok(())) => &tally.answered,
            Some(Err(error)) if error.kind() == ErrorKind::Cancelled => &tally.cancelled,
            Some(Err(error)) => return Err(error.into()),
        };
        counter.fetch_add(1, Relaxed);
    }
    Ok(())
}

/// Polls it so many times at most.
async fn for_polls<F: Future>(mut polls: u64, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(None);
        }
        polls -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// A request, and what is right as its answer.
struct Task {
    request: Request,
    /// Bytes of the body; `None` where that is not known.
    length: Option<usize>,
    /// How large the pieces are that it is read in, if it is streamed.
    pieces: Option<usize>,
}

impl Task {
    fn draw(site: &Site, luck: &mut Luck, token: &CancelToken) -> Self {
        let base = &site.plain[usize::from(luck.below(16) == 0)];
        let (path, length) = match luck.below(8) {
            0 => ("/big/30000", Some(30_000)),
            1 => ("/big-chunked/30000", Some(30_000)),
            2 => ("/redirect/2", None),
            3 => ("/delay/0.001", None),
            4 => ("/gzip", None),
            5 => ("/count", None),
            _ => ("/bytes/100", Some(100)),
        };
        let request = match path {
            "/count" => Request::new("POST", format!("{base}{path}")).body(body(luck)),
            _ => Request::new("GET", format!("{base}{path}")),
        };
        let pieces = (luck.below(2) == 0).then_some(1000);
        let request = request.cancel_with(token).stream(pieces.is_some());
        Self { request, length, pieces }
    }

    async fn run(self, session: Session) -> Result<(), Error> {
        let prepared = session.prepare(self.request).await?;
        let response = session.send(prepared, bequest::SendOptions::new()).await?;
        let mut length = 0;
        match self.pieces {
            None => length = response.content().await?.len(),
            Some(size) => {
                let mut pieces = response.iter_content(size);
                while let Some(piece) = pieces.next().await {
                    length += piece?.len();
                }
            }
        }
        match response.status().as_u16() == 200 && self.length.is_none_or(|wanted| wanted == length)
        {
            true => Ok(()),
            false => Err(Error::other(format!("{response:?} with {length} bytes"))),
        }
    }
}

/// Bytes, a source that blocks, and one that is awaited.
fn body(luck: &mut Luck) -> Body {
    match luck.below(8) {
        0 => Body::reader(&[b'x'; 3000][..]),
        1..=3 => Body::async_reader(&[b'x'; 3000][..]),
        _ => vec![b'x'; 3000].into(),
    }
}

/// No connection is stuck, and no turn was lost: as many as there may be are answered at once.
async fn serves(session: &Session, site: &Site) -> Outcome {
    let urls =
        site.plain.iter().flat_map(|base| vec![format!("{base}/bytes/100"); 2 * CONNECTIONS]);
    let tasks: Vec<_> = urls.map(|url| tokio::spawn(session.get(url).send())).collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// Nothing is in use, what was counted adds up, and closing leaves nothing.
fn settle(sessions: &[Session; 2], tally: &Tally) -> Outcome {
    let start = Instant::now();
    // A runtime drops what a task held shortly after that was done.
    while sessions.iter().any(|session| session.stats().in_use + session.stats().waiting > 0) {
        if start.elapsed() > Duration::from_secs(5) {
            return Err(
                format!("still in use: {:?}", sessions.each_ref().map(Session::stats)).into()
            );
        }
        std::thread::yield_now();
    }
    let (mut served, mut asked) = (0, 0);
    for session in sessions {
        let stats = session.stats();
        served += stats.opened + stats.reused;
        asked += stats.requests + stats.replayed;
        if stats.opened + stats.reused > stats.requests + stats.replayed {
            return Err(format!("more connections than requests: {stats:?}").into());
        }
        session.close();
        if session.stats().idle > 0 {
            return Err(format!("idle after close: {:?}", session.stats()).into());
        }
    }
    let answered = tally.answered.load(Relaxed);
    let given_up = tally.dropped.load(Relaxed) + tally.cancelled.load(Relaxed);
    match answered <= served && served <= asked && asked - served <= given_up {
        true => Ok(()),
        false => Err(format!(
            "counters don't add up: {asked} asked, {served} served, {answered} answered, \
             {given_up} given up"
        )
        .into()),
    }
}
