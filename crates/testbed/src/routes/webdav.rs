//! Collections by the methods of WebDAV (RFC 4918), as far as they need no files: MKCOL makes one,
//! PROPFIND tells which there are, DELETE removes it with all within.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use hyper::StatusCode;

use crate::exchange::Exchange;
use crate::reply::{self, Reply};

/// The collections that were made, by their paths below `/dav/`, without a slash at the end.
pub(super) type Shared = Mutex<BTreeSet<String>>;

pub(super) fn route(exchange: &Exchange, shared: &Shared, parts: &[&str]) -> Option<Reply> {
    let ["dav", path @ ..] = parts else {
        return None;
    };
    let path = path.join("/");
    let path = path.trim_end_matches('/');
    let mut collections = shared.lock().unwrap_or_else(PoisonError::into_inner);
    let exists = |path: &str| path.is_empty() || collections.contains(path);
    let status = match exchange.method.as_str() {
        "MKCOL" if exists(path) => StatusCode::METHOD_NOT_ALLOWED,
        "MKCOL" if !exists(parent(path)) => StatusCode::CONFLICT,
        "MKCOL" if !understands(exchange) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "MKCOL" => {
            collections.insert(path.to_owned());
            StatusCode::CREATED
        }
        _ if !exists(path) => StatusCode::NOT_FOUND,
        "PROPFIND" => return Some(found(&collections, path)),
        "DELETE" if !path.is_empty() => {
            collections.retain(|known| !is_within(known, path));
            StatusCode::NO_CONTENT
        }
        "GET" | "HEAD" => StatusCode::OK,
        _ => StatusCode::METHOD_NOT_ALLOWED,
    };
    let reply = reply::empty(status);
    Some(match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            reply::with_header(reply, "allow", "GET, HEAD, PROPFIND, DELETE")
        }
        _ => reply,
    })
}

/// A body of MKCOL has to be XML (RFC 5689), which says how the collection shall be.
fn understands(exchange: &Exchange) -> bool {
    let kind = exchange.head.value("content-type").unwrap_or_default();
    exchange.body.is_empty() || kind.contains("xml")
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// Whether a path is this collection or in it.
fn is_within(path: &str, collection: &str) -> bool {
    let rest = path.strip_prefix(collection);
    collection.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// A collection and all within, whatever depth was asked for.
fn found(collections: &BTreeSet<String>, path: &str) -> Reply {
    let within = collections.iter().filter(|known| is_within(known, path) && *known != path);
    let paths = [path].into_iter().chain(within.map(String::as_str));
    let responses: String = paths
        .map(|path| format!("<D:response><D:href>/dav/{}</D:href></D:response>\n", escape(path)))
        .collect();
    let document = format!(
        "<?xml version=\"1.0\"?>\n<D:multistatus xmlns:D=\"DAV:\">\n{responses}</D:multistatus>\n"
    );
    reply::with_status(reply::content("application/xml", document), StatusCode::MULTI_STATUS)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}
