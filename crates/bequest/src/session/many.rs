//! Many requests at once, on the calling thread.

use std::collections::BTreeMap;
use std::fmt;

use super::Session;
use crate::error::Result;
use crate::reactor::Crowd;
use crate::request::Request;
use crate::response::Response;

/// Responses in the order of their requests: [`Session::map`].
#[must_use = "nothing is sent until a response is asked for"]
pub struct Map<'s, I> {
    requests: Flights<'s, I>,
    /// Those that are done before their turn.
    early: BTreeMap<usize, Result<Response>>,
    next: usize,
}

/// Responses as they finish, each with the number of its request: [`Session::imap`].
#[must_use = "nothing is sent until a response is asked for"]
pub struct Imap<'s, I>(Flights<'s, I>);

impl<'s, I> Map<'s, I> {
    pub(super) fn new(session: &'s Session, requests: I, at_once: usize) -> Self {
        let requests = Flights::new(session, requests, at_once);
        Self { requests, early: BTreeMap::new(), next: 0 }
    }
}

impl<'s, I> Imap<'s, I> {
    pub(super) fn new(session: &'s Session, requests: I, at_once: usize) -> Self {
        Self(Flights::new(session, requests, at_once))
    }
}

impl<S, I: Iterator<Item = Request<S>>> Iterator for Map<'_, I> {
    type Item = Result<Response>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.requests.are_of_a_parent() {
            // The error comes next, whatever was there before.
            self.early.clear();
        }
        loop {
            if let Some(response) = self.early.remove(&self.next) {
                self.next += 1;
                return Some(response);
            }
            // Those that are done count: nobody knows how long the first one takes.
            let Some((number, response)) = self.requests.next(self.early.len()) else {
                // There is none for a request that has panicked.
                let (number, response) = self.early.pop_first()?;
                self.next = number + 1;
                return Some(response);
            };
            let Some(number) = number else {
                self.early.clear();
                return Some(response);
            };
            self.early.insert(number, response);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.requests.size_hint(self.early.len())
    }
}

impl<S, I: Iterator<Item = Request<S>>> Iterator for Imap<'_, I> {
    type Item = (usize, Result<Response>);

    fn next(&mut self) -> Option<Self::Item> {
        let (number, response) = self.0.next(0)?;
        Some((number.unwrap_or(self.0.sent), response))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint(0)
    }
}

/// Requests on their way, and those that will be.
struct Flights<'s, I> {
    session: &'s Session,
    /// `None` at their end: an iterator need not bear another question.
    waiting: Option<I>,
    at_once: usize,
    /// How many were taken.
    sent: usize,
    crowd: Option<Crowd<Result<Response>>>,
    /// Which request each member of the crowd carries.
    numbers: Vec<usize>,
}

impl<'s, I> Flights<'s, I> {
    fn new(session: &'s Session, requests: I, at_once: usize) -> Self {
        Self {
            session,
            waiting: Some(requests),
            at_once: at_once.max(1),
            sent: 0,
            crowd: None,
            numbers: Vec::new(),
        }
    }
}

impl<S, I: Iterator<Item = Request<S>>> Flights<'_, I> {
    /// Whether this process was forked meanwhile.
    fn are_of_a_parent(&self) -> bool {
        self.crowd.as_ref().is_some_and(|crowd| crowd.check().is_err())
    }

    /// The next response that is there, with its number; without one it is an error of all of them,
    /// which ends them. `done` responses have not been taken yet.
    fn next(&mut self, done: usize) -> Option<(Option<usize>, Result<Response>)> {
        let next = match self.fill(done) {
            Ok(()) => self.crowd.as_mut()?.next(),
            Err(error) => Err(error),
        };
        match next {
            Ok(next) => next.map(|(member, response)| (Some(self.numbers[member]), response)),
            Err(error) => {
                (self.waiting, self.crowd) = (None, None);
                Some((None, Err(error)))
            }
        }
    }

    /// Sends as many as there is room for.
    fn fill(&mut self, done: usize) -> Result<()> {
        let Some(waiting) = &mut self.waiting else { return Ok(()) };
        let crowd = match &mut self.crowd {
            Some(crowd) => {
                // The next request is not taken for nothing.
                crowd.check()?;
                crowd
            }
            None => self.crowd.insert(Crowd::new()?),
        };
        while crowd.len() + done < self.at_once {
            let Some(request) = waiting.next() else {
                self.waiting = None;
                return Ok(());
            };
            let member = match request.parts.ready(&self.session.defaults()) {
                Ok(request) => crowd.push(Box::pin(self.session.exchange(request, None))),
                Err(error) => crowd.push(Box::pin(std::future::ready(Err(error)))),
            };
            if self.numbers.len() <= member {
                self.numbers.resize(member + 1, 0);
            }
            self.numbers[member] = self.sent;
            self.sent += 1;
        }
        Ok(())
    }

    fn size_hint(&self, done: usize) -> (usize, Option<usize>) {
        let known = done + self.crowd.as_ref().map_or(0, Crowd::len);
        let (least, most) = self.waiting.as_ref().map_or((0, Some(0)), Iterator::size_hint);
        (least.saturating_add(known), most.and_then(|most| most.checked_add(known)))
    }
}

impl<I> fmt::Debug for Map<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map").field("next", &self.next).finish_non_exhaustive()
    }
}

impl<I> fmt::Debug for Imap<'_, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imap").field("sent", &self.0.sent).finish_non_exhaustive()
    }
}
