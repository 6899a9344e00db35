//! As much of GitHub's API as it takes to use each verb once: a commit that can be read, and an
//! issue whose comments can be written, changed and deleted by one user.

use std::sync::{Mutex, PoisonError};

use hyper::{Method, StatusCode};
use serde_json::{Value, json};

use super::auth;
use crate::exchange::Exchange;
use crate::reply::{self, Reply};

const USER: &str = "fake@example.com";
const PASSWORD: &str = "not_a_real_password";
/// How many requests an hour has, for everybody and for the user.
const LIMITS: [u32; 2] = [60, 5000];
/// The first comment that is posted gets this number.
const FIRST_ID: u64 = 5_804_413;

/// The API's memory.
pub(super) type Shared = Mutex<GitHub>;

#[derive(Debug)]
pub(super) struct GitHub {
    comments: Vec<Comment>,
    next_id: u64,
    /// Requests so far, by everybody and by the user.
    used: [u32; 2],
}

#[derive(Debug)]
struct Comment {
    id: u64,
    login: String,
    body: String,
    edited: bool,
}

impl Default for GitHub {
    fn default() -> Self {
        let said = [
            (5_754_211, "dino", "Which of them are missing?"),
            (5_754_806, "doug", "All but the first."),
            (5_757_160, "kenneth", "They would do well among the advanced things."),
        ];
        let comments = said.map(|(id, login, body)| Comment::new(id, login, body));
        Self { comments: comments.into(), next_id: FIRST_ID, used: [0; 2] }
    }
}

impl Comment {
    fn new(id: u64, login: &str, body: &str) -> Self {
        Self { id, login: login.to_owned(), body: body.to_owned(), edited: false }
    }

    fn shown(&self, repository: &str) -> Value {
        let created = "2012-05-20T14:09:28Z";
        json!({
            "body": self.body,
            "url": format!("{repository}/issues/comments/{}", self.id),
            "created_at": created,
            "updated_at": if self.edited { "2012-05-20T14:11:02Z" } else { created },
            "user": { "login": self.login },
            "id": self.id,
        })
    }
}

pub(super) fn route(exchange: &Exchange, shared: &Shared, parts: &[&str]) -> Option<Reply> {
    let (owner, name, rest) = match parts {
        ["repos", owner, name, rest @ ..] => (owner, name, rest),
        // One that does answer OPTIONS.
        ["api", "cats"] => {
            let cats = reply::json(&json!(["Ginger", "Tabby"]));
            return Some(reply::with_header(cats, "allow", "GET,HEAD,POST,OPTIONS"));
        }
        _ => return None,
    };
    let repository = format!("{}://{}/repos/{owner}/{name}", exchange.scheme(), exchange.host());
    let mut github = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let reply = match rest {
        // As it was when the page was written: nobody had thought of OPTIONS.
        _ if exchange.method == Method::OPTIONS => failure(StatusCode::INTERNAL_SERVER_ERROR),
        ["git", "commits", sha] => commit(&repository, sha),
        ["issues", "482"] => issue(&repository, github.comments.len()),
        ["issues", "482", "comments"] => github.thread(exchange, &repository),
        ["issues", "comments", id] => github.comment(exchange, &repository, id),
        _ => failure(StatusCode::NOT_FOUND),
    };
    Some(github.limited(exchange, reply))
}

fn commit(repository: &str, sha: &str) -> Reply {
    let person = json!({
        "name": "Brian Cohen",
        "email": "brian@example.com",
        "date": "2012-05-10T11:10:50-07:00",
    });
    shown(&json!({
        "sha": sha,
        "url": format!("{repository}/git/commits/{sha}"),
        "author": person,
        "committer": person,
        "message": "Look on the bright side",
        "tree": { "sha": "1f3b", "url": format!("{repository}/git/trees/1f3b") },
        "parents": [{ "sha": "9a0c", "url": format!("{repository}/git/commits/9a0c") }],
    }))
}

fn issue(repository: &str, comments: usize) -> Reply {
    shown(&json!({
        "number": 482,
        "url": format!("{repository}/issues/482"),
        "title": "Document every verb, not only the common ones",
        "comments": comments,
    }))
}

impl GitHub {
    /// The comments of the issue: to be listed by everybody, to be added to by the user.
    fn thread(&mut self, exchange: &Exchange, repository: &str) -> Reply {
        if matches!(exchange.method, Method::GET | Method::HEAD) {
            let comments: Vec<_> = self.comments.iter().map(|one| one.shown(repository)).collect();
            return shown(&comments.into());
        }
        let body = match written(exchange, &Method::POST) {
            Ok(body) => body,
            Err(status) => return failure(status),
        };
        let comment = Comment::new(self.next_id, "fake", &body);
        self.next_id += 1;
        let value = comment.shown(repository);
        self.comments.push(comment);
        let created = reply::with_status(shown(&value), StatusCode::CREATED);
        reply::with_header(created, "location", value["url"].as_str().unwrap_or_default())
    }

    /// One comment: to be read by everybody, to be changed and deleted by the user.
    fn comment(&mut self, exchange: &Exchange, repository: &str, id: &str) -> Reply {
        let at = self.comments.iter().position(|comment| comment.id.to_string() == id);
        let Some(at) = at else {
            return failure(StatusCode::NOT_FOUND);
        };
        let comment = &mut self.comments[at];
        match exchange.method {
            Method::GET | Method::HEAD => shown(&comment.shown(repository)),
            Method::DELETE => match permitted(exchange, &Method::DELETE) {
                Ok(()) => {
                    self.comments.remove(at);
                    reply::empty(StatusCode::NO_CONTENT)
                }
                Err(status) => failure(status),
            },
            _ => match written(exchange, &Method::PATCH) {
                Ok(body) => {
                    (comment.body, comment.edited) = (body, true);
                    shown(&comment.shown(repository))
                }
                Err(status) => failure(status),
            },
        }
    }

    /// Counts a request, and tells how many are left.
    fn limited(&mut self, exchange: &Exchange, reply: Reply) -> Reply {
        let who = usize::from(auth::is_basic(exchange, USER, PASSWORD));
        self.used[who] += 1;
        let left = LIMITS[who].saturating_sub(self.used[who]);
        let status = reply.status().to_string();
        let reply = reply::with_header(reply, "status", &status);
        let reply = reply::with_header(reply, "x-ratelimit-limit", &LIMITS[who].to_string());
        reply::with_header(reply, "x-ratelimit-remaining", &left.to_string())
    }
}

/// Whether somebody may write here, by this method.
///
/// Who does not say who they are is not told what there is.
fn permitted(exchange: &Exchange, method: &Method) -> Result<(), StatusCode> {
    if exchange.method != method {
        Err(StatusCode::METHOD_NOT_ALLOWED)
    } else if auth::is_basic(exchange, USER, PASSWORD) {
        Ok(())
    } else if exchange.head.value("authorization").is_some() {
        Err(StatusCode::UNAUTHORIZED)
    } else {
        Err(StatusCode::NOT_FOUND)
    }
}

/// What a comment shall say.
fn written(exchange: &Exchange, method: &Method) -> Result<String, StatusCode> {
    permitted(exchange, method)?;
    let document: Value =
        serde_json::from_slice(&exchange.body).map_err(|_| StatusCode::BAD_REQUEST)?;
    document["body"].as_str().map(str::to_owned).ok_or(StatusCode::UNPROCESSABLE_ENTITY)
}

fn shown(value: &Value) -> Reply {
    reply::content("application/json; charset=utf-8", reply::render(value))
}

fn failure(status: StatusCode) -> Reply {
    reply::with_status(shown(&json!({ "message": status.canonical_reason() })), status)
}
