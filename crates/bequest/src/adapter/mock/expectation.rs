//! Which request is expected, and how it is answered.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::seen::SeenRequest;
use crate::error::{Error, ErrorKind, Phase, Result};
use crate::request::PreparedRequest;
use crate::response::{Response, ResponseBuilder};
use crate::secrets;
use crate::settings::Settings;

/// A request that a [`MockAdapter`](crate::MockAdapter) expects, and its answers.
///
/// What is said of the request must all hold. Answers are given one after the other, each once, and
/// as many requests are expected; [`times`](Self::times), [`at_least`](Self::at_least) and
/// [`any_times`](Self::any_times) expect others, and repeat the last answer. Without any, the
/// answer is 200 with no body.
#[derive(Clone)]
#[must_use = "an expectation does nothing until `MockAdapter::expect()`"]
pub struct Expectation {
    method: Option<String>,
    rules: Vec<Rule>,
    answers: Vec<Answer>,
    times: Option<Times>,
    calls: usize,
}

#[derive(Clone, Copy)]
enum Times {
    Exactly(usize),
    AtLeast(usize),
}

#[derive(Clone)]
enum Rule {
    Url(String),
    Prefix(String),
    Host(String),
    Path(String),
    Query(String, String),
    Header(String, String),
    NoHeader(String),
    Body(Bytes),
    That(Arc<dyn Fn(&SeenRequest) -> bool + Send + Sync>),
}

/// Why a request is not the one that is expected.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    Method,
    Url,
    /// What is not as it should be.
    Rule(String),
    UsedUp,
}

impl Expectation {
    /// A request with this method and exactly this URL, its query included.
    pub fn new(method: impl AsRef<str>, url: impl AsRef<str>) -> Self {
        let url = url.as_ref();
        // As requests have it; what can't be parsed is compared as it is, and never equal.
        let url = Url::parse(url).map_or_else(|_| url.to_owned(), without_fragment);
        Self::any().method(method).rule(Rule::Url(url))
    }

    /// `GET` of exactly this URL.
    pub fn get(url: impl AsRef<str>) -> Self {
        Self::new("GET", url)
    }

    /// `POST` to exactly this URL.
    pub fn post(url: impl AsRef<str>) -> Self {
        Self::new("POST", url)
    }

    /// Any request, unless more is said.
    pub fn any() -> Self {
        let (rules, answers) = (Vec::new(), Vec::new());
        Self { method: None, rules, answers, times: None, calls: 0 }
    }

    /// Only this method.
    pub fn method(mut self, method: impl AsRef<str>) -> Self {
        self.method = Some(method.as_ref().to_ascii_uppercase());
        self
    }

    /// Only URLs that begin with this, in this case.
    pub fn url_prefix(self, prefix: impl Into<String>) -> Self {
        self.rule(Rule::Prefix(prefix.into()))
    }

    /// Only this host, whatever the port.
    pub fn host(self, host: impl Into<String>) -> Self {
        self.rule(Rule::Host(host.into()))
    }

    /// Only this path, encoded as URLs have it, whatever the query.
    pub fn path(self, path: impl Into<String>) -> Self {
        self.rule(Rule::Path(path.into()))
    }

    /// Only with this parameter in the query, decoded; it may have others.
    pub fn query(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.rule(Rule::Query(name.into(), value.into()))
    }

    /// Only with this field; another of the same name may be there, too.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.rule(Rule::Header(name.into(), value.into()))
    }

    /// Only without a field of this name.
    pub fn without_header(self, name: impl Into<String>) -> Self {
        self.rule(Rule::NoHeader(name.into()))
    }

    /// Only with exactly this body.
    pub fn body(self, body: impl Into<Bytes>) -> Self {
        self.rule(Rule::Body(body.into()))
    }

    /// Only if the function says so; it must not ask the adapter.
    pub fn that(self, is_it: impl Fn(&SeenRequest) -> bool + Send + Sync + 'static) -> Self {
        self.rule(Rule::That(Arc::new(is_it)))
    }

    /// The next answer: a response, built anew each time. A body that can be read only once is
    /// there once.
    pub fn answer(self, response: ResponseBuilder) -> Self {
        self.give(Given::Response(Box::new(response)))
    }

    /// The next answer: this status, and nothing else.
    pub fn status(self, status: u16) -> Self {
        self.answer(Response::builder().status(status))
    }

    /// The next answer: an error, as if it had been made by [`HttpAdapter`](crate::HttpAdapter).
    pub fn error(self, kind: ErrorKind, what: impl Into<String>) -> Self {
        self.give(Given::Error(kind, what.into()))
    }

    /// The next answer: what the function makes of the request.
    pub fn answer_with<F>(self, answer: F) -> Self
    where
        F: Fn(&mut PreparedRequest, &Settings) -> Result<Response> + Send + Sync + 'static,
    {
        self.give(Given::Function(Arc::new(answer)))
    }

    /// How long the server is silent before the answer that was given last; the read timeout and the
    /// total timeout end that.
    pub fn after(mut self, delay: Duration) -> Self {
        if self.answers.is_empty() {
            self.answers.push(Answer::default());
        }
        if let Some(last) = self.answers.last_mut() {
            last.delay = delay;
        }
        self
    }

    /// So many requests are expected, no more and no less.
    pub fn times(mut self, count: usize) -> Self {
        self.times = Some(Times::Exactly(count));
        self
    }

    /// So many requests are expected, or more.
    pub fn at_least(mut self, count: usize) -> Self {
        self.times = Some(Times::AtLeast(count));
        self
    }

    /// Any number of requests is expected, and none at all.
    pub fn any_times(self) -> Self {
        self.at_least(0)
    }

    fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    fn give(mut self, given: Given) -> Self {
        self.answers.push(Answer { given, delay: Duration::ZERO });
        self
    }

    fn expected(&self) -> Times {
        self.times.unwrap_or_else(|| Times::Exactly(self.answers.len().max(1)))
    }

    /// Whether as many came as were expected.
    pub(super) fn is_met(&self) -> bool {
        match self.expected() {
            Times::Exactly(count) => self.calls == count,
            Times::AtLeast(count) => self.calls >= count,
        }
    }

    /// How often it was expected, and came.
    pub(super) fn count(&self) -> String {
        let (least, count) = match self.expected() {
            Times::Exactly(count) => ("", count),
            Times::AtLeast(count) => ("at least ", count),
        };
        format!("({} of {least}{count})", self.calls)
    }

    pub(super) fn fits(&self, seen: &SeenRequest) -> Result<(), Mismatch> {
        if self.method.as_ref().is_some_and(|method| method != seen.method().as_str()) {
            return Err(Mismatch::Method);
        }
        self.rules.iter().try_for_each(|rule| rule.check(seen))?;
        match self.expected() {
            Times::Exactly(count) if self.calls >= count => Err(Mismatch::UsedUp),
            _ => Ok(()),
        }
    }

    pub(super) fn next_answer(&mut self) -> Answer {
        let answer = self.answers.get(self.calls).or(self.answers.last()).cloned();
        self.calls += 1;
        answer.unwrap_or_default()
    }
}

impl Rule {
    fn check(&self, seen: &SeenRequest) -> Result<(), Mismatch> {
        let url = seen.url();
        match self {
            Self::Url(wanted) if without_fragment(url.clone()) != *wanted => Err(Mismatch::Url),
            Self::Prefix(prefix) if !url.as_str().starts_with(prefix) => Err(Mismatch::Url),
            Self::Host(host) if url.host_str() != Some(host.as_str()) => Err(Mismatch::Url),
            Self::Path(path) if url.path() != path => Err(Mismatch::Url),
            Self::Query(name, value)
                if !url.query_pairs().any(|pair| pair.0 == *name && pair.1 == *value) =>
            {
                mismatch(format!("the query has no such `{name}`"))
            }
            Self::Header(name, value) => check_header(seen, name, value),
            Self::NoHeader(name) if seen.headers().contains(name) => {
                mismatch(format!("the field `{name}` is there"))
            }
            Self::Body(body) if body != seen.body() => mismatch(difference(body, seen.body())),
            Self::That(is_it) if !is_it(seen) => mismatch("the function says no".to_owned()),
            _ => Ok(()),
        }
    }
}

fn check_header(seen: &SeenRequest, name: &str, value: &str) -> Result<(), Mismatch> {
    if seen.headers().get_all_bytes(name).any(|found| found == value.as_bytes()) {
        return Ok(());
    }
    mismatch(match seen.header(name) {
        None => format!("the field `{name}` is missing"),
        Some(_) if secrets::is_secret_header(name) => format!("the field `{name}` is another"),
        Some(found) => format!("the field `{name}` is `{}`", found.escape_debug()),
    })
}

fn mismatch(what: String) -> Result<(), Mismatch> {
    Err(Mismatch::Rule(what))
}

/// Where two bodies differ; not what is in them, which may be a secret.
fn difference(expected: &[u8], found: &[u8]) -> String {
    let same = expected.iter().zip(found).take_while(|(a, b)| a == b).count();
    let (wanted, length) = (expected.len(), found.len());
    format!("the body has {length} bytes, not {wanted}, and is another from byte {same} on")
}

fn without_fragment(mut url: Url) -> String {
    url.set_fragment(None);
    url.into()
}

/// What a request gets.
#[derive(Clone)]
pub(super) struct Answer {
    given: Given,
    pub(super) delay: Duration,
}

type Function = dyn Fn(&mut PreparedRequest, &Settings) -> Result<Response> + Send + Sync;

#[derive(Clone)]
enum Given {
    Response(Box<ResponseBuilder>),
    Error(ErrorKind, String),
    Function(Arc<Function>),
}

impl Answer {
    pub(super) fn give(
        self,
        request: &mut PreparedRequest,
        settings: &Settings,
    ) -> Result<Response> {
        match self.given {
            Given::Response(builder) => builder.build(),
            Given::Error(kind, what) => {
                let error = Error::with(kind, what);
                Err(match usual_phase(kind) {
                    Some(phase) => error.during(phase),
                    None => error,
                })
            }
            Given::Function(answer) => answer(request, settings),
        }
    }
}

impl Default for Answer {
    fn default() -> Self {
        Self { given: Given::Response(Box::new(Response::builder())), delay: Duration::ZERO }
    }
}

/// Where an error of that kind happens.
fn usual_phase(kind: ErrorKind) -> Option<Phase> {
    Some(match kind {
        ErrorKind::Resolve => Phase::Resolve,
        ErrorKind::Connect | ErrorKind::ConnectTimeout => Phase::Connect(None),
        ErrorKind::Tls => Phase::Tls,
        ErrorKind::Proxy => Phase::Proxy,
        ErrorKind::WriteTimeout => Phase::Send,
        ErrorKind::Disconnected | ErrorKind::ReadTimeout | ErrorKind::InvalidResponse => {
            Phase::Wait
        }
        _ => return None,
    })
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method => f.write_str("the method is another"),
            Self::Url => f.write_str("the URL is another"),
            Self::Rule(what) => f.write_str(what),
            Self::UsedUp => f.write_str("that has come already"),
        }
    }
}

impl fmt::Display for Expectation {
    /// Method and URL, secrets masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.method.as_deref().unwrap_or("any method"))?;
        for rule in &self.rules {
            match rule {
                Rule::Url(url) => write!(f, " {}", secrets::masked_text(url))?,
                Rule::Prefix(prefix) => write!(f, " {}*", secrets::masked_text(prefix))?,
                Rule::Host(host) => write!(f, " at {host}")?,
                Rule::Path(path) => write!(f, " {path}")?,
                Rule::Query(name, value) if !secrets::is_secret_parameter(name) => {
                    write!(f, " ?{name}={}", value.escape_debug())?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expectation({self} {})", self.count())
    }
}
