//! Requests on other threads.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use http::Method;
use url::Url;

use super::Session;
use crate::cancel::CancelToken;
use crate::crew::Task;
use crate::error::{Error, ErrorKind, Result};
use crate::net::was_closed;
use crate::reactor::{self, Home};
use crate::request::{PreparedRequest, Request};
use crate::response::Response;
use crate::trace::Span;

/// A response that is on its way on another thread: [`Session::spawn`].
///
/// It can be waited for, asked, or, in async code of any runtime, awaited. Dropping it cancels the
/// request, unless it was [detached](Self::detach).
#[must_use = "dropped, it cancels the request; `wait` for it, or `detach` it"]
pub struct Pending {
    call: Arc<Call>,
    home: Home,
    cancels: bool,
}

/// What the thread and the one who waits share.
struct Call {
    stage: Mutex<Stage>,
    token: CancelToken,
}

enum Stage {
    /// For a thread.
    Waiting(Box<Job>, Option<Waker>),
    Running(Option<Waker>),
    Done(Result<Response>),
    Taken,
}

/// The request, with the settings as they were.
struct Job {
    session: Session,
    request: Box<PreparedRequest>,
    /// What the caller was in when it was spawned.
    within: Span,
}

impl Job {
    fn named(&self) -> (Method, Url) {
        (self.request.method.clone(), self.request.url.clone())
    }

    fn run(mut self, token: &CancelToken, method: &Method, url: &Url) -> Result<Response> {
        if let Err(error) = self.request.apply_auth() {
            return Err(error.of_request(self.request));
        }
        let exchange = self.session.exchange(self.request, None);
        reactor::block_on(async {
            match token.stop().guard(exchange).await {
                Some(result) => result,
                None => Err(CancelToken::error().of(method, url)),
            }
        })
    }
}

impl Call {
    fn lock(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn finish(&self, result: Result<Response>) {
        let before = mem::replace(&mut *self.lock(), Stage::Done(result));
        if let Stage::Waiting(_, Some(waker)) | Stage::Running(Some(waker)) = before {
            waker.wake();
        }
    }

    /// Nobody waits any more: what would wake them may hold a pipe.
    fn forget_waker(&self) {
        let mut stage = self.lock();
        let waker = match &mut *stage {
            Stage::Waiting(_, waker) | Stage::Running(waker) => waker.take(),
            Stage::Done(_) | Stage::Taken => None,
        };
        drop(stage);
        drop(waker);
    }

    /// Ends it if no thread has it yet.
    fn give_up(&self, error: Error) {
        let mut stage = self.lock();
        if let Stage::Waiting(job, _) = &*stage {
            let (method, url) = job.named();
            let before = mem::replace(&mut *stage, Stage::Done(Err(error.of(&method, &url))));
            drop(stage);
            if let Stage::Waiting(job, waker) = before {
                drop(job);
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
        }
    }
}

impl Task for Call {
    fn run(&self) {
        let job = {
            let mut stage = self.lock();
            match mem::replace(&mut *stage, Stage::Taken) {
                Stage::Waiting(job, waker) => {
                    *stage = Stage::Running(waker);
                    job
                }
                other => {
                    *stage = other;
                    return;
                }
            }
        };
        let (method, url) = job.named();
        let within = job.within.clone();
        let run = || within.enclose(|| job.run(&self.token, &method, &url));
        let result = catch_unwind(AssertUnwindSafe(run));
        self.finish(result.unwrap_or_else(|payload| {
            let error = panicked(&*payload);
            // Dropping it may panic again.
            mem::forget(payload);
            Err(error.of(&method, &url))
        }));
    }

    fn was_closed(&self) {
        self.give_up(was_closed());
    }

    fn is_wanted(&self) -> bool {
        matches!(*self.lock(), Stage::Waiting(..))
    }
}

fn panicked(payload: &(dyn Any + Send)) -> Error {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let what = format!("code that the request called panicked: {}", text.unwrap_or("no text"));
    Error::with(ErrorKind::Other, what).remedied("look at the hooks, the auth and the body")
}

impl Session {
    /// Sends it on another thread (requests-futures' `FuturesSession`). The settings are those of
    /// now; what is wrong with the request is an error of its [`Pending`].
    ///
    /// ```
    /// # let server = testbed::Testbed::start();
    /// # let url = |n: u32| server.url(&format!("/get?n={n}"));
    /// use bequest::Session;
    ///
    /// let s = Session::new();
    /// let first = s.spawn(s.get(url(1)));
    /// let second = s.spawn(s.get(url(2)));
    /// assert_eq!(first.wait()?.status(), 200);
    /// assert_eq!(second.wait()?.status(), 200);
    /// # Ok::<(), bequest::Error>(())
    /// ```
    ///
    /// At most [`spawn_threads`](Self::spawn_threads) threads are started, as they are needed; each
    /// ends when it had nothing to do for ten seconds, or with the last clone of the session, but
    /// not before what was spawned is done. What there is no thread for waits for one, however
    /// much that is: it is the caller's, who holds a [`Pending`] for each. The total timeout begins
    /// when a thread takes it.
    ///
    /// Hooks, auths and bodies run on that thread. A panic in one is an error of this request. One
    /// that waits for another spawned request may wait for a thread that is waiting, too.
    pub fn spawn<S>(&self, request: Request<S>) -> Pending {
        let stage = match request.parts.assemble(&self.defaults()) {
            Ok(request) => {
                let job = Job { session: self.clone(), request, within: Span::current() };
                Stage::Waiting(Box::new(job), None)
            }
            Err(error) => Stage::Done(Err(error)),
        };
        let is_wanted = matches!(stage, Stage::Waiting(..));
        let call = Arc::new(Call { stage: Mutex::new(stage), token: CancelToken::new() });
        if is_wanted
            && let Err(error) =
                self.mounts.crew().take(Arc::clone(&call) as Arc<_>, self.spawn_threads)
        {
            let what = "no thread can be started for the request";
            call.give_up(Error::with(ErrorKind::Io, what).because(error));
        }
        Pending { call, home: Home::here(), cancels: true }
    }
}

impl Pending {
    /// Waits for the response.
    ///
    /// # Errors
    /// Those of [`send`](Request::send); [`ErrorKind::Other`] for a panic in a hook, an auth or a
    /// body, or if the response was taken before; [`ErrorKind::Closed`] in a child process.
    pub fn wait(self) -> Result<Response> {
        reactor::block_on(self)
    }

    /// Waits for at most so long; `None` if it takes longer. The response is taken: who asks
    /// again gets an error.
    pub fn wait_timeout(&mut self, limit: Duration) -> Option<Result<Response>> {
        let end = Instant::now().checked_add(limit);
        let done = poll_fn(|context| self.poll_done(context));
        let waited = reactor::block_on(async { Ok(reactor::with_deadline(end, done).await) });
        if !matches!(waited, Ok(Some(_))) {
            self.call.forget_waker();
        }
        waited.unwrap_or_else(|interrupted| Some(Err(interrupted)))
    }

    /// The response, if it is there. It is taken: who asks again gets an error.
    pub fn try_wait(&mut self) -> Option<Result<Response>> {
        // Whoever awaits it too is still to be woken.
        if !self.is_done() {
            return None;
        }
        match self.poll_done(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        }
    }

    /// Whether there is a response, or an error.
    pub fn is_done(&self) -> bool {
        !self.home.is_this_process() || matches!(*self.call.lock(), Stage::Done(_) | Stage::Taken)
    }

    /// Ends the request with [`ErrorKind::Cancelled`], unless it is done. Nothing is sent if no
    /// thread has begun.
    pub fn cancel(&self) {
        if self.home.is_this_process() {
            self.call.token.cancel();
            self.call.give_up(CancelToken::error());
        }
    }

    /// Lets the request go on by itself; nobody will see what becomes of it.
    pub fn detach(mut self) {
        self.cancels = false;
    }

    fn poll_done(&mut self, context: &mut Context<'_>) -> Poll<Result<Response>> {
        if !self.home.is_this_process() {
            return Poll::Ready(Err(Error::with(
                ErrorKind::Closed,
                "this request belongs to the process that this one was forked from",
            )));
        }
        let mut stage = self.call.lock();
        if let Stage::Waiting(_, waker) | Stage::Running(waker) = &mut *stage {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(match mem::replace(&mut *stage, Stage::Taken) {
            Stage::Done(result) => result,
            _ => Err(Error::with(ErrorKind::Other, "the response was taken before")),
        })
    }
}

impl Future for Pending {
    type Output = Result<Response>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_done(context)
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if self.cancels {
            self.cancel();
        }
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending").field("is_done", &self.is_done()).finish()
    }
}
