//! Does the requests that it reads from standard input and tells, a JSON object a line, what came
//! of each: for programs that judge the library by a server's misbehaviour.
//!
//! A line is `METHOD URL [BODYFILE]`. Each has a session of its own; many run at once, since most
//! of what is slow about them is waiting. The objects come as they are done; `url` tells them
//! apart. `text` is how the body begins: as the library decodes it where the path is below
//! `/charset/`, else with its bytes taken for UTF-8.
//! `next` is what a further GET of `/reuse/keep` on the same session gave: the answer `hello`, or
//! what went wrong.
#![allow(clippy::print_stdout, reason = "standard output is what it is for")]

use std::fs::File;
use std::io::{self, BufRead};
use std::sync::Mutex;
use std::time::Duration;

use bequest::{Response, Result, Session, Timeout};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// How many requests run at once.
const AT_ONCE: usize = 48;
/// The longest silence, and the longest request.
const SILENCE: Duration = Duration::from_secs(3);
const TOTAL: Duration = Duration::from_secs(8);
/// More than this of a body is not read: the judge takes it for endless.
const CAP: u64 = 40_000_000;
/// How many characters are told of a text.
const BEGINNING: usize = 200;

fn main() -> io::Result<()> {
    let lines = Mutex::new(io::stdin().lock().lines().collect::<io::Result<Vec<_>>>()?.into_iter());
    let next = || lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(line) = next() {
                    println!("{}", outcome(&line));
                }
            });
        }
    });
    Ok(())
}

fn outcome(line: &str) -> Value {
    let mut words = line.split_whitespace();
    let (method, url) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut s = Session::new();
    s.timeout = Timeout::from(SILENCE).total(TOTAL);
    let mut told = Map::from_iter([("url".to_owned(), json!(url))]);
    match exchange(&s, method, url, words.next()) {
        Ok(known) => told.extend(known),
        Err(error) => {
            told.insert("ok".to_owned(), json!(false));
            told.insert("error_kind".to_owned(), json!(format!("{:?}", error.kind())));
            told.insert("detail".to_owned(), json!(error.to_string()));
        }
    }
    told.insert("next".to_owned(), json!(next(&s, url)));
    told.into()
}

fn exchange(
    s: &Session,
    method: &str,
    url: &str,
    body: Option<&str>,
) -> Result<Map<String, Value>> {
    let mut request = s.request(method, url).stream(true);
    if let Some(path) = body {
        request = request.body(File::open(path)?);
    }
    let r = request.send()?;
    let (length, digest, mut first) = read(&r)?;
    if url.contains("/charset/") {
        // The body was streamed, so that it is fetched once more for its text.
        first = s.request(method, url).send()?.text()?;
    }
    let text: String = first.chars().take(BEGINNING).collect();
    let history: Vec<u16> = r.history().iter().map(|r| r.status().as_u16()).collect();
    let known = json!({
        "ok": true,
        "status": r.status().as_u16(),
        "method_seen": r.request().method.as_str(),
        "history": history,
        "length": length,
        "capped": length > CAP,
        "sha256": digest,
        "encoding": r.encoding(),
        "text": text,
    });
    match known {
        Value::Object(known) => Ok(known),
        _ => Ok(Map::new()),
    }
}

/// Length and digest of the body, and its first characters.
fn read(r: &Response) -> Result<(u64, String, String)> {
    let (mut length, mut digest, mut first) = (0, Sha256::new(), Vec::new());
    for piece in r.iter_content(64 * 1024) {
        let piece = piece?;
        length += piece.len() as u64;
        digest.update(&piece);
        let wanted = BEGINNING.saturating_sub(first.len());
        first.extend_from_slice(&piece[..piece.len().min(wanted)]);
        if length > CAP {
            break;
        }
    }
    let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((length, digest, String::from_utf8_lossy(&first).into_owned()))
}

/// The next request of the session must get its own answer.
fn next(s: &Session, url: &str) -> String {
    let Some((server, path)) = url.split_once("//").and_then(|(scheme, rest)| {
        let slash = rest.find('/')?;
        Some((format!("{scheme}//{}", &rest[..slash]), &rest[slash..]))
    }) else {
        return "no URL".to_owned();
    };
    if path.starts_with("/reuse/") {
        // What the server does to the connection comes 0.2 s later.
        std::thread::sleep(Duration::from_millis(400));
    }
    match s.get(format!("{server}/reuse/keep")).send().and_then(|r| r.content()) {
        Ok(content) if content == "hello" => "ok".to_owned(),
        Ok(_) => "WRONG".to_owned(),
        Err(error) => format!("{:?}", error.kind()),
    }
}
